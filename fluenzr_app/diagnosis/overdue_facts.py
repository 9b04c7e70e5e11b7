"""Reading what is due for long in active campaigns, and what would explain it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns.enrollments import WALKING
from fluenzr_app.campaigns.models import Campaign, CampaignAccount, Enrollment
from fluenzr_app.campaigns.settings import CampaignSettings, read_stored
from fluenzr_app.campaigns.timing import from_local, is_open
from fluenzr_app.db.tables import table_of
from fluenzr_app.diagnosis.overdue import OVERDUE_AFTER, OverdueFacts, SenderFacts
from fluenzr_app.sending import caps
from fluenzr_app.sending.models import Attempt, Message

_ACCOUNT = table_of(EmailAccount)
_ATTEMPT = table_of(Attempt)
_CAMPAIGN = table_of(Campaign)
_ENROLLMENT = table_of(Enrollment)
_LINK = table_of(CampaignAccount)
_MESSAGE = table_of(Message)
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class _Due:
    contacts: int
    oldest: datetime | None

    def __add__(self, other: "_Due") -> "_Due":
        times = [at for at in (self.oldest, other.oldest) if at is not None]
        return _Due(self.contacts + other.contacts, min(times, default=None))


_NOBODY = _Due(0, None)


def overdue_facts(session: Session, workspace_id: int, now: datetime, *, running: bool) -> list[OverdueFacts]:
    """Return the active campaigns in which something is due for over an hour, with those accounts that stand idle."""
    rows = session.connection().execute(
        select(_CAMPAIGN.c.id, _CAMPAIGN.c.name, _CAMPAIGN.c.settings, _CAMPAIGN.c.started_at, _CAMPAIGN.c.resumed_at)
        .where(_CAMPAIGN.c.workspace_id == workspace_id, _CAMPAIGN.c.status == "active")
        .order_by(_CAMPAIGN.c.id)
    ).all()  # fmt: skip
    if not rows or not running:
        return []
    idle = _idle(session, workspace_id, now)
    found = []
    for row in rows:
        settings = read_stored(row.settings)
        unplanned = _walks(session, row.id, now, own=True)
        senders = _senders(session, row.id, settings, idle, now)
        if unplanned.contacts or senders:
            found.append(
                OverdueFacts(
                    campaign_id=row.id,
                    name=row.name,
                    running=running,
                    open=_open_for_an_hour(settings, now),
                    resumed_at=row.resumed_at or row.started_at,
                    capped=_capped(session, row.id, settings, now),
                    unplanned=unplanned.contacts,
                    unplanned_since=unplanned.oldest,
                    senders=tuple(senders),
                )
            )
    return found


def _idle(session: Session, workspace_id: int, now: datetime) -> Mapping[int, tuple[EmailAccount, datetime]]:
    """Return the accounts from which nothing was tried for an hour, each with the latest moment that explains it."""
    accounts = session.execute(
        select(EmailAccount).where(
            _ACCOUNT.c.workspace_id == workspace_id, _ACCOUNT.c.status == "connected", _ACCOUNT.c.removed_at.is_(None)
        )
    ).scalars()
    found = {}
    for account in accounts:
        last = session.connection().execute(
            select(func.max(_ATTEMPT.c.started_at)).where(_ATTEMPT.c.account_id == account.id)
        ).scalar()  # fmt: skip
        moments = (account.updated_at, account.next_send_at, account.backoff_until, last)
        quiet_since = max(at for at in moments if at is not None)
        if now - quiet_since > OVERDUE_AFTER:
            found[account.id or 0] = (account, quiet_since)
    return found


def _senders(
    session: Session,
    campaign_id: int,
    settings: CampaignSettings,
    idle: Mapping[int, tuple[EmailAccount, datetime]],
    now: datetime,
) -> list[SenderFacts]:
    if not idle:
        return []
    queued = _queued(session, campaign_id, list(idle), now)
    linked = set(
        session.connection().execute(select(_LINK.c.account_id).where(_LINK.c.campaign_id == campaign_id)).scalars()
    )
    # New contacts go to whichever account has room, so they are told once.
    new = _walks(session, campaign_id, now, own=False) if linked & idle.keys() else _NOBODY
    if new.contacts and not _takes_new(session, campaign_id, settings, now):
        new = _NOBODY
    found = []
    for account_id, (account, quiet_since) in sorted(idle.items()):
        due = queued.get(account_id, _NOBODY)
        room = caps.room(account, caps.usage(session, account_id, now), now).campaign
        if new.contacts and account_id in linked and room > 0:
            due, new = due + new, _NOBODY
        if due.contacts and due.oldest is not None:
            found.append(SenderFacts(True, room, quiet_since, due.contacts, due.oldest))
    return found


def _queued(session: Session, campaign_id: int, account_ids: Sequence[int], now: datetime) -> dict[int, _Due]:
    rows = session.connection().execute(
        select(_MESSAGE.c.account_id, func.count(), func.min(_MESSAGE.c.due_at))
        .where(
            _MESSAGE.c.account_id.in_(account_ids),
            _MESSAGE.c.campaign_id == campaign_id,
            _MESSAGE.c.status == "queued",
            _MESSAGE.c.due_at < now - OVERDUE_AFTER,
        )
        .group_by(_MESSAGE.c.account_id)
    )
    return {account_id: _Due(int(contacts), oldest) for account_id, contacts, oldest in rows}


def _walks(session: Session, campaign_id: int, now: datetime, *, own: bool) -> _Due:
    """Return the walks that are due for over an hour; `own`: follow-ups, which have an account, else new contacts."""
    row: Any = session.connection().execute(
        select(func.count(), func.min(_ENROLLMENT.c.due_at)).where(
            _ENROLLMENT.c.campaign_id == campaign_id,
            _ENROLLMENT.c.status.in_(WALKING),
            _ENROLLMENT.c.due_at.is_not(None),
            _ENROLLMENT.c.due_at < now - OVERDUE_AFTER,
            _ENROLLMENT.c.account_id.is_not(None) if own else _ENROLLMENT.c.account_id.is_(None),
        )
    ).one()  # fmt: skip
    return _Due(int(row[0]), row[1])


def _takes_new(session: Session, campaign_id: int, settings: CampaignSettings, now: datetime) -> bool:
    """Return whether the cap of new contacts a day has room."""
    cap = settings.new_contacts_per_day
    if cap is None:
        return True
    zone = settings.zone
    midnight = from_local(now.astimezone(zone).date(), time.min, zone)
    return _attempts(session, campaign_id, midnight, first=True) < cap


def _capped(session: Session, campaign_id: int, settings: CampaignSettings, now: datetime) -> bool:
    cap = settings.max_emails_per_hour
    return cap is not None and _attempts(session, campaign_id, now - _HOUR) >= cap


def _attempts(session: Session, campaign_id: int, since: datetime, *, first: bool = False) -> int:
    statement = select(func.count()).where(_ATTEMPT.c.campaign_id == campaign_id, _ATTEMPT.c.started_at >= since)
    if first:
        statement = statement.where(_ATTEMPT.c.first_mail)
    return int(session.connection().execute(statement).scalar_one())


def _open_for_an_hour(settings: CampaignSettings, now: datetime) -> bool:
    return all(is_open(settings.window, at, settings.zone) for at in (now - OVERDUE_AFTER, now))
