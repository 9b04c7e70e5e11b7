"""The REST API under /v1, public routes, and errors as statuses."""
