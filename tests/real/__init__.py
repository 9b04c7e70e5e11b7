"""Real servers for tests: each module starts one kind from a temporary directory and stops it again."""
