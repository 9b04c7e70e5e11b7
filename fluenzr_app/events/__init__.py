"""Append-only events and the rollups that change in the same transaction."""
