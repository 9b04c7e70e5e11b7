"""Whole stories, with real processes and servers; `FLUENZR_TEST_FULL=1` runs them with their full numbers."""
