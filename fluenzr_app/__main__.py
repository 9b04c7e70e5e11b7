"""`python -m fluenzr_app`: the same as the command `fluenzr`."""

from fluenzr_app.cli import app

app(prog_name="fluenzr")
