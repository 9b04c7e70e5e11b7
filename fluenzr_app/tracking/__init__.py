"""Signed public links: the unsubscribe link and what it does."""
