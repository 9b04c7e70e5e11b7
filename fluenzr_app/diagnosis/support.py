"""What somebody who helps has to know, in one document without secrets, mails or people (symptoms.md, 26).

Named are the workspace's own accounts and campaigns. Every other address that may stand in a name or in the log is
taken out at the end, and so is what looks like a key.
"""

import platform
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import metadata
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, text
from sqlmodel import Session

from fluenzr_app.accounts.service import list_accounts
from fluenzr_app.campaigns.enrollments import counts_by_status
from fluenzr_app.campaigns.models import Campaign
from fluenzr_app.contacts.models import Contact, ContactImport
from fluenzr_app.db.tables import table_of
from fluenzr_app.diagnosis.facts import findings_of
from fluenzr_app.diagnosis.symptoms import number_of
from fluenzr_app.diagnosis.words import told
from fluenzr_app.events.models import Event
from fluenzr_app.sending.models import Attempt, Message, Worker
from fluenzr_app.settings import Settings
from fluenzr_app.tracking.models import Hit
from fluenzr_app.words.catalogue import Lang
from fluenzr_app.workspaces.models import User, Workspace
from fluenzr_app.workspaces.service import get_workspace

_CAMPAIGN = table_of(Campaign)
_CONTACT = table_of(Contact)
_WORKER = table_of(Worker)

_PACKAGES: Final = ("fluenzr", "reflex", "fastapi", "sqlalchemy", "sqlmodel", "apscheduler", "aiosmtplib")
_MOST_CAMPAIGNS: Final = 200
_ADDRESS = re.compile(r"[^\s<>\"'(),;:@]+@[\w-]+(?:\.[\w-]+)+")
# Long and with a figure in it, unlike the names of functions in the places of an error.
_KEY = re.compile(r"\bflz_\w+|(?=[A-Za-z_+=-]*\d)[A-Za-z0-9_+=-]{32,}")
_IN_URL = re.compile(r"(?<=://)[^\s/@]+(?=@)")
REMOVED: Final = "[removed]"


def support_document(
    session: Session,
    settings: Settings,
    workspace_id: int,
    now: datetime,
    wall: datetime,
    *,
    description: str,
    steps: str,
    lang: Lang,
    warnings: Sequence[Mapping[str, object]],
) -> dict[str, Any]:
    """Return the document about a workspace, for JSON. `description` and `steps` stay as they were typed.

    `warnings` are lines of the log (`logs.last_warnings`). Raises UnknownWorkspace.
    """
    workspace = get_workspace(session, workspace_id)
    zone = ZoneInfo(workspace.timezone)
    own = {account.email.lower() for account in list_accounts(session, workspace_id)}
    document = {
        "versions": _versions(session),
        "settings": {name: "set" if name in settings.model_fields_set else "default" for name in _names(settings)},
        "database": _database(session),
        "rows": _rows(session),
        "workers": [
            {"startedAt": row.started_at.isoformat(), "beatAt": row.beat_at.isoformat()}
            for row in session.connection().execute(select(_WORKER.c.started_at, _WORKER.c.beat_at))
        ],
        "workspace": {"timezone": workspace.timezone, "language": workspace.language},
        "accounts": _accounts(session, workspace_id),
        "campaigns": _campaigns(session, workspace_id),
        "contacts": _contacts(session, workspace_id),
        "diagnoses": _diagnoses(session, workspace_id, now, wall, lang, zone),
        "log": [dict(line) for line in warnings],
    }
    cleaned: dict[str, Any] = redacted(document, own)
    return {"madeAt": wall.isoformat(), "description": description, "steps": steps, **cleaned}


def redacted(value: Any, own: set[str] | frozenset[str] = frozenset()) -> Any:
    """Return `value` without addresses other than `own` (in small letters), and without what looks like a key."""
    if isinstance(value, str):
        without = _KEY.sub(REMOVED, _IN_URL.sub(REMOVED, value))
        return _ADDRESS.sub(lambda found: found[0] if found[0].lower() in own else REMOVED, without)
    if isinstance(value, Mapping):
        return {redacted(str(name), own): redacted(part, own) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(part, own) for part in value]
    return value


def _versions(session: Session) -> dict[str, str]:
    found = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "unknown"
    question = "SHOW server_version" if _is_postgresql(session) else "SELECT sqlite_version()"
    found["database"] = str(session.connection().execute(text(question)).scalar())
    return found


def _names(settings: Settings) -> list[str]:
    return sorted(type(settings).model_fields)


def _database(session: Session) -> dict[str, object]:
    if _is_postgresql(session):
        size = session.connection().execute(text("SELECT pg_database_size(current_database())")).scalar()
        return {"kind": "postgresql", "bytes": size}
    pages = session.connection().execute(text("PRAGMA page_count")).scalar_one()
    return {"kind": "sqlite", "bytes": pages * session.connection().execute(text("PRAGMA page_size")).scalar_one()}


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"


def _rows(session: Session) -> dict[str, int]:
    """Return the highest key of each table that grows: about how many rows were ever written, without counting them."""
    found = {}
    for model in (Workspace, User, Contact, Campaign, ContactImport, Message, Attempt, Event, Hit):
        table = table_of(model)
        found[table.name] = int(session.connection().execute(select(func.max(table.c.id))).scalar() or 0)
    return found


def _accounts(session: Session, workspace_id: int) -> list[dict[str, Any]]:
    return [
        {
            "name": account.email,
            "provider": account.provider,
            "status": account.status,
            "errorCode": account.error_code,
            "errorSince": None if account.error_since is None else account.error_since.isoformat(),
            "pauseReason": account.pause_reason,
            "readsMailbox": bool(account.imap_host),
            "dailyLimit": account.daily_limit,
            "minGapSeconds": account.min_gap_seconds,
        }
        for account in list_accounts(session, workspace_id)
    ]


def _campaigns(session: Session, workspace_id: int) -> list[dict[str, Any]]:
    rows = session.connection().execute(
        select(_CAMPAIGN.c.id, _CAMPAIGN.c.name, _CAMPAIGN.c.status, _CAMPAIGN.c.pause_reason)
        .where(_CAMPAIGN.c.workspace_id == workspace_id)
        .order_by(_CAMPAIGN.c.id.desc())
        .limit(_MOST_CAMPAIGNS)
    ).all()  # fmt: skip
    counts = counts_by_status(session, [row.id for row in rows]) if rows else {}
    return [
        {"name": row.name, "status": row.status, "pauseReason": row.pause_reason, "contacts": counts[row.id]}
        for row in rows
    ]


def _contacts(session: Session, workspace_id: int) -> dict[str, int]:
    rows = session.connection().execute(
        select(_CONTACT.c.status, func.count())
        .where(_CONTACT.c.workspace_id == workspace_id)
        .group_by(_CONTACT.c.status)
    )
    return {status: int(n) for status, n in rows}


def _diagnoses(
    session: Session, workspace_id: int, now: datetime, wall: datetime, lang: Lang, zone: ZoneInfo
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for finding in findings_of(session, workspace_id, now, wall):
        said = told([finding], lang, now, zone)
        found.append(
            {
                "code": finding.code,
                "severity": finding.severity,
                "symptom": number_of(finding),
                "what": said.what,
                "why": said.why,
                "since": None if finding.since is None else finding.since.isoformat(),
                "resumesAt": None if finding.resumes_at is None else finding.resumes_at.isoformat(),
            }
        )
    return found
