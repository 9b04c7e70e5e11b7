"""Email accounts: connecting, probing, limits, ramp, errors and reconnecting."""
