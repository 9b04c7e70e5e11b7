"""Workspaces, users, sessions, roles, API keys, secrets and the audit log."""
