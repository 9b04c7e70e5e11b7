"""Reading what is due for long in active campaigns, and what would explain it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import and_, func, or_, select
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns.enrollments import IS_WALKING
from fluenzr_app.campaigns.models import Campaign, CampaignAccount, Enrollment
from fluenzr_app.campaigns.settings import CampaignSettings, read_stored
from fluenzr_app.campaigns.timing import from_local, is_open
from fluenzr_app.db.tables import table_of
from fluenzr_app.diagnosis.overdue import OVERDUE_AFTER, OverdueFacts, SenderFacts
from fluenzr_app.sending import caps
from fluenzr_app.sending.models import Attempt, Message
from fluenzr_app.sending.rows import IS_QUEUED

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


@dataclass(frozen=True, slots=True)
class _Idle:
    """An account from which nothing was tried for over an hour; `quiet_since` is the latest moment that explains it."""

    account_id: int
    quiet_since: datetime
    room: int


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
    settings = {row.id: read_stored(row.settings) for row in rows}
    ids = list(settings)
    unplanned = _walks(session, ids, now, own=True)
    senders = _senders(session, settings, _idle(session, workspace_id, now), now)
    told = [row for row in rows if unplanned.get(row.id) or senders.get(row.id)]
    capped = _capped(session, {row.id: settings[row.id] for row in told}, now)
    return [
        OverdueFacts(
            campaign_id=row.id,
            name=row.name,
            running=running,
            open=_open_for_an_hour(settings[row.id], now),
            resumed_at=row.resumed_at or row.started_at,
            capped=row.id in capped,
            unplanned=unplanned.get(row.id, _NOBODY).contacts,
            unplanned_since=unplanned.get(row.id, _NOBODY).oldest,
            senders=tuple(senders.get(row.id, ())),
        )
        for row in told
    ]


def _idle(session: Session, workspace_id: int, now: datetime) -> list[_Idle]:
    """Return the accounts from which nothing was tried for an hour, in order of their ids."""
    accounts: Sequence[EmailAccount] = session.execute(
        select(EmailAccount)
        .where(
            _ACCOUNT.c.workspace_id == workspace_id, _ACCOUNT.c.status == "connected", _ACCOUNT.c.removed_at.is_(None)
        )
        .order_by(_ACCOUNT.c.id)
    ).scalars().all()  # fmt: skip
    last = caps.last_attempts(session, [account.id or 0 for account in accounts])
    quiet = {}
    for account in accounts:
        moments = (account.updated_at, account.next_send_at, account.backoff_until, last.get(account.id or 0))
        quiet_since = max(at for at in moments if at is not None)
        if now - quiet_since > OVERDUE_AFTER:
            quiet[account.id or 0] = (account, quiet_since)
    used = caps.usages(session, list(quiet), now) if quiet else {}
    return [
        _Idle(key, quiet_since, caps.room(account, used[key], now).campaign)
        for key, (account, quiet_since) in quiet.items()
    ]


def _senders(
    session: Session, settings: Mapping[int, CampaignSettings], idle: Sequence[_Idle], now: datetime
) -> dict[int, list[SenderFacts]]:
    """Return for each campaign what is due from the accounts that stand idle."""
    if not idle:
        return {}
    queued = _queued(session, list(settings), [each.account_id for each in idle], now)
    linked = _linked(session, list(settings), [each.account_id for each in idle])
    new = _new(session, {key: settings[key] for key in linked}, now)
    found: dict[int, list[SenderFacts]] = {}
    for campaign_id in settings:
        fresh = new.get(campaign_id, _NOBODY)
        for each in idle:
            due = queued.get((campaign_id, each.account_id), _NOBODY)
            # New contacts go to whichever account has room, so they are told once.
            if fresh.contacts and each.account_id in linked[campaign_id] and each.room > 0:
                due, fresh = due + fresh, _NOBODY
            if due.contacts and due.oldest is not None:
                facts = SenderFacts(True, each.room, each.quiet_since, due.contacts, due.oldest)
                found.setdefault(campaign_id, []).append(facts)
    return found


def _linked(session: Session, campaign_ids: Sequence[int], account_ids: Sequence[int]) -> dict[int, set[int]]:
    rows = session.connection().execute(
        select(_LINK.c.campaign_id, _LINK.c.account_id).where(
            _LINK.c.campaign_id.in_(campaign_ids), _LINK.c.account_id.in_(account_ids)
        )
    )
    found: dict[int, set[int]] = {}
    for campaign_id, account_id in rows:
        found.setdefault(campaign_id, set()).add(account_id)
    return found


def _new(session: Session, settings: Mapping[int, CampaignSettings], now: datetime) -> dict[int, _Due]:
    """Return the new contacts that are due for over an hour, of campaigns whose cap of new contacts has room."""
    due = _walks(session, list(settings), now, own=False) if settings else {}
    since = {
        key: from_local(now.astimezone(each.zone).date(), time.min, each.zone)
        for key, each in settings.items()
        if key in due and each.new_contacts_per_day is not None
    }
    begun = _attempts(session, since, first=True)
    return {
        key: each
        for key, each in due.items()
        if (cap := settings[key].new_contacts_per_day) is None or begun.get(key, 0) < cap
    }


def _queued(
    session: Session, campaign_ids: Sequence[int], account_ids: Sequence[int], now: datetime
) -> dict[tuple[int, int], _Due]:
    rows = session.connection().execute(
        select(_MESSAGE.c.campaign_id, _MESSAGE.c.account_id, func.count(), func.min(_MESSAGE.c.due_at))
        .where(
            _MESSAGE.c.account_id.in_(account_ids),
            _MESSAGE.c.campaign_id.in_(campaign_ids),
            IS_QUEUED,
            _MESSAGE.c.due_at < now - OVERDUE_AFTER,
        )
        .group_by(_MESSAGE.c.campaign_id, _MESSAGE.c.account_id)
    )
    return {
        (campaign_id, account_id): _Due(int(contacts), oldest) for campaign_id, account_id, contacts, oldest in rows
    }


def _walks(session: Session, campaign_ids: Sequence[int], now: datetime, *, own: bool) -> dict[int, _Due]:
    """Return the walks that are due for over an hour; `own`: follow-ups, which have an account, else new contacts."""
    rows = session.connection().execute(
        select(_ENROLLMENT.c.campaign_id, func.count(), func.min(_ENROLLMENT.c.due_at))
        .where(
            _ENROLLMENT.c.campaign_id.in_(campaign_ids),
            IS_WALKING,
            _ENROLLMENT.c.due_at.is_not(None),
            _ENROLLMENT.c.due_at < now - OVERDUE_AFTER,
            _ENROLLMENT.c.account_id.is_not(None) if own else _ENROLLMENT.c.account_id.is_(None),
        )
        .group_by(_ENROLLMENT.c.campaign_id)
    )
    return {campaign_id: _Due(int(contacts), oldest) for campaign_id, contacts, oldest in rows}


def _capped(session: Session, settings: Mapping[int, CampaignSettings], now: datetime) -> set[int]:
    """Return the campaigns that have used up their cap of the hour."""
    caps_of_hour = {key: cap for key, each in settings.items() if (cap := each.max_emails_per_hour) is not None}
    tried = _attempts(session, dict.fromkeys(caps_of_hour, now - _HOUR))
    return {key for key, cap in caps_of_hour.items() if tried.get(key, 0) >= cap}


def _attempts(session: Session, since: Mapping[int, datetime], *, first: bool = False) -> dict[int, int]:
    """Return for each campaign how many attempts, or `first` mails, there were from its moment of `since` on."""
    if not since:
        return {}
    # Midnight is another moment in each zone, and there are few of these.
    alike: dict[datetime, list[int]] = {}
    for key, moment in since.items():
        alike.setdefault(moment, []).append(key)
    wanted = or_(
        *(and_(_ATTEMPT.c.campaign_id.in_(keys), _ATTEMPT.c.started_at >= at) for at, keys in sorted(alike.items()))
    )
    statement = select(_ATTEMPT.c.campaign_id, func.count()).where(wanted).group_by(_ATTEMPT.c.campaign_id)
    rows = session.connection().execute(statement.where(_ATTEMPT.c.first_mail) if first else statement)
    return {campaign_id: int(n) for campaign_id, n in rows}


def _open_for_an_hour(settings: CampaignSettings, now: datetime) -> bool:
    return all(is_open(settings.window, at, settings.zone) for at in (now - OVERDUE_AFTER, now))
