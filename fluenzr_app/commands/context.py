"""What every command starts from: settings, database, keys, clock and a workspace."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from sqlmodel import Session, col, select

from fluenzr_app.clock import Clock, SystemClock
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.db.migrations import require_current
from fluenzr_app.settings import Settings, load_settings
from fluenzr_app.workspaces.models import Workspace


class CommandRefused(Exception):
    """The command cannot do that; the message says why and what to do."""


@dataclass(frozen=True)
class CommandContext:
    """The services of one command. `workspace_id` is that of `--workspace`, or of the only one."""

    settings: Settings
    db: Database
    keyring: KeyRing
    clock: Clock
    workspace_id: int


@contextlib.contextmanager
def open_installation() -> Iterator[tuple[Settings, Database, KeyRing]]:
    """Give settings, database and keys; an empty database gets its schema, an older one is refused with the remedy.

    Raises SettingsError, KeyFileError, DatabaseUnavailable, SchemaError.
    """
    settings = load_settings()
    keyring = KeyRing.load(settings)
    db = Database.open(settings)
    try:
        require_current(db)
        yield settings, db, keyring
    finally:
        db.close()


@contextlib.contextmanager
def open_context(workspace: str | None = None) -> Iterator[CommandContext]:
    """Give the context of a command that works in one workspace, chosen by id or name.

    Raises what `open_installation` raises, and CommandRefused when the workspace is not clear.
    """
    with open_installation() as (settings, db, keyring):
        with db.read() as session:
            workspace_id = find_workspace(session, workspace)
        yield CommandContext(settings, db, keyring, SystemClock(), workspace_id)


def find_workspace(session: Session, wanted: str | None) -> int:
    """Return the id of the workspace named `wanted`, or of the only one; raises CommandRefused."""
    rows = session.exec(select(col(Workspace.id), col(Workspace.name)).order_by(col(Workspace.id))).all()
    if not rows:
        raise CommandRefused("there is no workspace yet; make the first user with `fluenzr user add EMAIL`")
    matching = [row for row in rows if wanted is None or wanted in (str(row[0]), row[1])]
    if len(matching) == 1 and matching[0][0] is not None:
        return int(matching[0][0])
    names = ", ".join(f"{row[1]} ({row[0]})" for row in rows)
    if not matching:
        raise CommandRefused(f"there is no workspace “{wanted}”; there are: {names}")
    raise CommandRefused(f"say which workspace with --workspace; there are: {names}")
