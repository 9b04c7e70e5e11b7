"""Tests of the workspaces room."""
