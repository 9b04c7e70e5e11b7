"""Campaigns: workflow, timing, variables, enrollments and their planner."""
