"""`fluenzr doctor`: what is wrong with an installation, in words and with the remedy."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from fluenzr_app.clock import utc_now
from fluenzr_app.commands.context import find_workspace
from fluenzr_app.crypto import CannotOpen, CryptoError, KeyRing
from fluenzr_app.db.engine import Database, DatabaseUnavailable
from fluenzr_app.db.migrations import SchemaState, schema_state
from fluenzr_app.diagnosis.facts import findings_of
from fluenzr_app.diagnosis.findings import Severity
from fluenzr_app.diagnosis.words import remedy_words, told
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


Level = Literal["ok", "warning", "error"]
# Only what somebody has to mend makes the command fail.
_LEVELS: Mapping[Severity, Level] = {"broken": "error", "slowed": "warning", "advice": "warning", "waits": "ok"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: fine, worth knowing, or wrong.

    A diagnosis of a workspace has a `code`, `since` or until when in words, and its `remedies` as buttons say them.
    """

    level: Level
    subject: str
    words: str
    code: str = ""
    since: str = ""
    remedies: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the finding as JSON has it."""
        return asdict(self)

    def lines(self) -> tuple[str, ...]:
        """Return it for people: what, and below it what mends it."""
        since = f" ({self.since})" if self.since else ""
        first = f"{self.level:7} {self.subject}: {self.words}{since}"
        return (first, f"        {' / '.join(self.remedies)}") if self.remedies else (first,)


def examine(workspace: str | None = None) -> list[Finding]:
    """Return what was found, in the order of looking; diagnoses of one workspace, chosen by id or name, or of all.

    Raises SettingsError for settings that cannot be read, and CommandRefused for a workspace that is not there.
    """
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
                findings.extend(diagnoses(session, workspace, utc_now(), utc_now()))
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
    drifts = figures.verify(session)
    if drifts:
        yield Finding("error", "figures", f"{len(drifts)} differ from their recount; run `fluenzr stats rebuild`")
    else:
        yield Finding("ok", "figures", "equal to a recount of the events")


def diagnoses(session: Session, wanted: str | None, now: datetime, wall: datetime) -> Iterator[Finding]:
    """Yield what stands still in the workspaces, as their pages say it (symptoms.md)."""
    chosen = None if wanted is None else find_workspace(session, wanted)
    for workspace in session.exec(select(Workspace).order_by(col(Workspace.id))):
        if workspace.id is None or chosen not in (None, workspace.id):
            continue
        for finding in findings_of(session, workspace.id, now, wall):
            said = told([finding], "en", now, ZoneInfo(workspace.timezone))
            remedies = tuple(remedy_words(remedy, "en") for remedy in finding.remedies)
            words = f"{said.what}. {said.why}"
            yield Finding(_LEVELS[finding.severity], workspace.name, words, finding.code, said.since, remedies)
