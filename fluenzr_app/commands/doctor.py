"""`fluenzr doctor`: what is wrong with an installation, in words and with the remedy."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from sqlmodel import Session, col, select

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.clock import utc_now
from fluenzr_app.crypto import CannotOpen, CryptoError, KeyRing
from fluenzr_app.db.engine import Database, DatabaseUnavailable
from fluenzr_app.db.migrations import SchemaState, schema_state
from fluenzr_app.events import figures
from fluenzr_app.sending import generation
from fluenzr_app.sending.workers import live_workers
from fluenzr_app.settings import Settings, load_settings
from fluenzr_app.workspaces.models import Workspace
from fluenzr_app.workspaces.secrets import suppression_key

_REMEDIES = {
    SchemaState.EMPTY: "the database is empty; it gets its schema at the first start",
    SchemaState.OLDER: "the schema is older than this version; run `fluenzr migrate`",
    SchemaState.FOREIGN: "the schema is of a later version or another program; update FluenzR",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: fine, worth knowing, or wrong."""

    level: Literal["ok", "warning", "error"]
    subject: str
    words: str

    def to_json(self) -> dict[str, Any]:
        """Return the finding as JSON has it."""
        return asdict(self)


def examine() -> list[Finding]:
    """Return what was found, in the order of looking; raises SettingsError for settings that cannot be read."""
    settings = load_settings()
    findings = [Finding("ok", "settings", f"data in {settings.data_dir}, reached at {settings.public_url}")]
    if not settings.is_https:
        findings.append(
            Finding("warning", "public address", "not https: one-click unsubscribe needs it; set FLUENZR_PUBLIC_URL")
        )
    try:
        keyring = KeyRing.load(settings)
        db = Database.open(settings)
    except CryptoError as error:
        return [*findings, Finding("error", "key", str(error))]
    except DatabaseUnavailable as error:
        return [*findings, Finding("error", "database", str(error))]
    try:
        findings.extend(_database(db))
        if schema_state(db) is SchemaState.CURRENT:
            with db.read() as session:
                findings.extend(_contents(session, settings, keyring))
    finally:
        db.close()
    return findings


def _database(db: Database) -> Iterator[Finding]:
    state = schema_state(db)
    if state is SchemaState.CURRENT:
        yield Finding("ok", "database", f"{db.dialect}, schema up to date")
    else:
        level: Literal["warning", "error"] = "warning" if state is SchemaState.EMPTY else "error"
        yield Finding(level, "database", _REMEDIES[state])


def _contents(session: Session, settings: Settings, keyring: KeyRing) -> Iterator[Finding]:
    hold = generation.hold_of(session)
    if hold is not None:
        yield Finding(
            "error",
            "sending",
            f"everything due is held since {hold.since:%F %R} ({hold.reason}); "
            "look it over, then run `fluenzr release`",
        )
    workers = live_workers(session, utc_now())
    if workers:
        yield Finding("ok", "scheduler", f"{workers} process(es) sending")
    else:
        yield Finding("warning", "scheduler", "no process sends at the moment; start `fluenzr serve`")
    for workspace_id in session.exec(select(col(Workspace.id))):
        try:
            suppression_key(session, keyring, workspace_id or 0)
        except CannotOpen as error:
            yield Finding("error", "key", str(error))
            break
    for account in session.exec(
        select(EmailAccount).where(col(EmailAccount.status) == "error", col(EmailAccount.removed_at).is_(None))
    ):
        since = f" since {account.error_since:%F %R} UTC" if account.error_since else ""
        yield Finding("error", account.email, f"{account.error_code}{since}; reconnect it under Email accounts")
    drifts = figures.verify(session)
    if drifts:
        yield Finding("error", "figures", f"{len(drifts)} differ from their recount; run `fluenzr stats rebuild`")
    else:
        yield Finding("ok", "figures", "equal to a recount of the events")
