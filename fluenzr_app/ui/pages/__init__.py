"""One file per page: its State and its components; listed in `fluenzr_app.ui.registry`."""
