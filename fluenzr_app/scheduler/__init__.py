"""Registers each room's tick with APScheduler, nothing else."""
