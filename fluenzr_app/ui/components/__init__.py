"""The vocabulary from which every page is made, so that no page styles itself."""
