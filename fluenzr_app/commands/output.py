"""How commands answer: JSON or plain lines on standard output, one clear line on standard error when refused."""

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import typer
from sqlalchemy.exc import OperationalError

from fluenzr_app.accounts.errors import AccountsError
from fluenzr_app.bundle import BundleError
from fluenzr_app.commands.context import CommandRefused
from fluenzr_app.crypto import CryptoError
from fluenzr_app.db.engine import DatabaseUnavailable
from fluenzr_app.db.migrations import SchemaError
from fluenzr_app.sending.errors import SendingError
from fluenzr_app.settings import SettingsError
from fluenzr_app.workspaces.errors import WorkspacesError

_REFUSALS = (
    SettingsError,
    CryptoError,
    DatabaseUnavailable,
    BundleError,
    SchemaError,
    CommandRefused,
    SendingError,
    WorkspacesError,
    AccountsError,
    OSError,
)


def answer(data: Mapping[str, Any], *, as_json: bool, lines: tuple[str, ...] = ()) -> None:
    """Print `data` as one JSON object, or `lines` (else the data, a line each) for people."""
    if as_json:
        print(json.dumps(data, ensure_ascii=False, default=str), flush=True)
        return
    for line in lines or tuple(f"{key}: {value}" for key, value in data.items()):
        print(line, flush=True)


@contextlib.contextmanager
def refusals_in_words() -> Iterator[None]:
    """Turn what a user can mend into one line on standard error and exit status 1."""
    try:
        yield
    except _REFUSALS as error:
        print(f"fluenzr: {error}", file=sys.stderr)
        raise typer.Exit(1) from None
    except OperationalError as error:
        print(f"fluenzr: the database refused: {error.orig}", file=sys.stderr)
        raise typer.Exit(1) from None
