"""Contacts whose address refused a campaign's mail for good: who, why, and putting them away in one act."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from fluenzr_app.campaigns.models import Campaign, Enrollment
from fluenzr_app.contacts.models import Contact
from fluenzr_app.contacts.statuses import set_statuses
from fluenzr_app.db.tables import table_of
from fluenzr_app.events.models import Event, Rollup
from fluenzr_app.events.record import hour_of
from fluenzr_app.mail.causes import name_cause

_CAMPAIGN = table_of(Campaign)
_CONTACT = table_of(Contact)
_ENROLLMENT = table_of(Enrollment)
_EVENT = table_of(Event)
_ROLLUP = table_of(Rollup)

BOUNCED = "email.bounced"
RECENT = timedelta(days=7)
# So many of the newest are looked at; a sentence about more of them would be no other.
_MOST = 5_000
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class BouncedContact:
    """A contact still marked as bounced. `cause` is one of `mail.causes.Cause` or empty, `text` the server's words."""

    contact_id: int
    cause: str
    text: str
    at: datetime


def bounced_in(session: Session, workspace_id: int, campaign_id: int) -> list[int]:
    """Return the contacts whose walk through this campaign ended in a bounce and that are still marked as bounced."""
    rows = session.connection().execute(
        select(_CONTACT.c.id)
        .join_from(_ENROLLMENT, _CONTACT, _CONTACT.c.id == _ENROLLMENT.c.contact_id)
        .where(
            _ENROLLMENT.c.campaign_id == campaign_id,
            _ENROLLMENT.c.status == "bounced",
            _CONTACT.c.workspace_id == workspace_id,
            _CONTACT.c.status == "bounced",
        )
        .order_by(_CONTACT.c.id)
    )
    return list(rows.scalars())


def count_bounced_in(session: Session, workspace_id: int, campaign_ids: Sequence[int]) -> dict[int, int]:
    """Return for each campaign how many contacts `bounced_in` returns; campaigns without any are left out."""
    rows = session.connection().execute(
        select(_ENROLLMENT.c.campaign_id, func.count())
        .join_from(_ENROLLMENT, _CONTACT, _CONTACT.c.id == _ENROLLMENT.c.contact_id)
        .where(
            _ENROLLMENT.c.campaign_id.in_(list(campaign_ids)),
            _ENROLLMENT.c.status == "bounced",
            _CONTACT.c.workspace_id == workspace_id,
            _CONTACT.c.status == "bounced",
        )
        .group_by(_ENROLLMENT.c.campaign_id)
    )
    return {campaign_id: int(n) for campaign_id, n in rows}


def recently_bounced(session: Session, workspace_id: int, now: datetime) -> list[BouncedContact]:
    """Return the contacts that bounced within seven days and are still marked as bounced, the newest first."""
    since = now - RECENT
    connection = session.connection()
    ids = _campaigns_with_bounces(session, workspace_id, since)
    if not ids:
        return []
    rows = connection.execute(
        select(_EVENT.c.contact_id, _EVENT.c.data, _EVENT.c.at)
        .join_from(_EVENT, _CONTACT, _CONTACT.c.id == _EVENT.c.contact_id)
        .where(
            _EVENT.c.campaign_id.in_(ids),
            _EVENT.c.type == BOUNCED,
            _EVENT.c.at > since,
            _CONTACT.c.workspace_id == workspace_id,
            _CONTACT.c.status == "bounced",
        )
        .order_by(_EVENT.c.at.desc())
        .limit(_MOST)
    )
    found: dict[int, BouncedContact] = {}
    for row in rows:
        found.setdefault(row.contact_id, _bounced(row.contact_id, row.data or {}, row.at))
    return list(found.values())


def archive_bounced(session: Session, workspace_id: int, contact_ids: Sequence[int], now: datetime) -> tuple[int, ...]:
    """Archive those of the contacts that are marked as bounced and return them, for `put_back`."""
    return _move(session, workspace_id, contact_ids, "bounced", "archived", now)


def put_back(session: Session, workspace_id: int, contact_ids: Sequence[int], now: datetime) -> int:
    """Mark those of the contacts that are archived as bounced again, as they were; return how many."""
    return len(_move(session, workspace_id, contact_ids, "archived", "bounced", now))


def _campaigns_with_bounces(session: Session, workspace_id: int, since: datetime) -> list[int]:
    """Return the campaigns whose events are worth reading, as their counts say."""
    connection = session.connection()
    begun = connection.execute(
        select(_CAMPAIGN.c.id).where(_CAMPAIGN.c.workspace_id == workspace_id, _CAMPAIGN.c.status != "draft")
    )
    # One by one by the key of the counts, whatever else is counted of the workspace.
    counted = connection.execute(
        select(_ROLLUP.c.scope_id)
        .where(
            _ROLLUP.c.workspace_id == workspace_id,
            _ROLLUP.c.scope == "campaign",
            _ROLLUP.c.scope_id.in_(list(begun.scalars())),
            _ROLLUP.c.metric == BOUNCED,
            _ROLLUP.c.hour >= hour_of(since),
        )
        .group_by(_ROLLUP.c.scope_id)
        .having(func.sum(_ROLLUP.c.n) > 0)
    )
    return list(counted.scalars())


def _move(
    session: Session, workspace_id: int, contact_ids: Sequence[int], before: str, after: str, now: datetime
) -> tuple[int, ...]:
    ids = sorted(set(contact_ids))
    moved: list[int] = []
    for start in range(0, len(ids), _BATCH):
        rows = session.connection().execute(
            select(_CONTACT.c.id)
            .where(
                _CONTACT.c.workspace_id == workspace_id,
                _CONTACT.c.id.in_(ids[start : start + _BATCH]),
                _CONTACT.c.status == before,
            )
            .order_by(_CONTACT.c.id)
            .with_for_update()
        )
        moved += rows.scalars()
    set_statuses(session, workspace_id, moved, after, now)
    return tuple(moved)


def _bounced(contact_id: int, data: dict[str, Any], at: datetime) -> BouncedContact:
    text = str(data.get("text") or "")
    cause = str(data.get("cause") or "")
    if not cause:
        # A refusal while sending names none: its code and words do.
        code, status = data.get("code"), str(data.get("status") or "")
        known = name_cause(int(code or 0), text, stage="rcpt", enhanced=status or None)
        cause = "" if known is None else known.value
    return BouncedContact(contact_id, cause, text, at)
