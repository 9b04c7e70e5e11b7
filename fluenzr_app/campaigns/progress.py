"""The walks of a campaign with the reason why each one waits (campaigns.md, Enrollment)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlmodel import Session, col

from fluenzr_app.accounts.limits import campaign_daily_limit
from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns.enrollments import counts_by_status
from fluenzr_app.campaigns.models import Campaign, CampaignAccount, Enrollment, Node
from fluenzr_app.campaigns.service import get_campaign
from fluenzr_app.campaigns.settings import read_stored
from fluenzr_app.campaigns.waiting import AccountFacts, CampaignFacts, Waiting, WalkFacts, why_waiting
from fluenzr_app.contacts.models import Contact
from fluenzr_app.db.tables import table_of
from fluenzr_app.sending import caps, generation
from fluenzr_app.sending.models import Attempt, Message

_ENROLLMENT = table_of(Enrollment)
_CONTACT = table_of(Contact)
_MESSAGE = table_of(Message)
_NODE = table_of(Node)
_CAMPAIGN = table_of(Campaign)
_LINK = table_of(CampaignAccount)
_ATTEMPT = table_of(Attempt)
_HOUR = timedelta(hours=1)

_WALKS = select(
    _ENROLLMENT.c.id,
    _ENROLLMENT.c.campaign_id,
    _ENROLLMENT.c.contact_id,
    _ENROLLMENT.c.account_id,
    _ENROLLMENT.c.status,
    _ENROLLMENT.c.due_at,
    _ENROLLMENT.c.end_reason,
    _ENROLLMENT.c.ended_at,
    _ENROLLMENT.c.updated_at,
    _CONTACT.c.email,
    _CONTACT.c.first_name,
    _CONTACT.c.last_name,
    _CONTACT.c.company,
    _CONTACT.c.timezone,
    _CONTACT.c.country,
    _NODE.c.key.label("node_key"),
    _NODE.c.data.label("node_data"),
    _MESSAGE.c.id.label("message_id"),
    _MESSAGE.c.status.label("message_status"),
    _MESSAGE.c.reason.label("message_reason"),
    _MESSAGE.c.due_at.label("message_due_at"),
    _MESSAGE.c.soft_bounces,
).select_from(
    _ENROLLMENT.join(_CONTACT, _CONTACT.c.id == _ENROLLMENT.c.contact_id)
    .outerjoin(_NODE, _NODE.c.id == _ENROLLMENT.c.node_id)
    .outerjoin(
        _MESSAGE,
        and_(
            _MESSAGE.c.enrollment_id == _ENROLLMENT.c.id,
            _MESSAGE.c.node_id == _ENROLLMENT.c.node_id,
            _MESSAGE.c.status.in_(("queued", "claimed", "sending", "uncertain")),
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Walk:
    """One contact's walk. `node_key` and `mail_name` say which mail is next, `uncertain_id` what is to be decided."""

    enrollment_id: int
    campaign_id: int
    contact_id: int
    email: str
    name: str
    company: str
    status: str
    end_reason: str
    node_key: str | None
    mail_name: str
    due_at: datetime | None
    ended_at: datetime | None
    account_email: str | None
    waiting: Waiting | None
    uncertain_id: int | None


@dataclass(frozen=True, slots=True)
class WalkPage:
    """A page of walks and how many there are; above 10,000 in a search `total` is a lower bound."""

    walks: tuple[Walk, ...]
    total: int
    total_is_lower_bound: bool = False


@dataclass(frozen=True, slots=True)
class ContactWait:
    """A walk of one contact in one campaign, for the contact's card."""

    campaign_id: int
    campaign_name: str
    campaign_status: str
    walk: Walk


def list_walks(
    session: Session,
    workspace_id: int,
    campaign_id: int,
    now: datetime,
    *,
    status: str | None = None,
    search: str = "",
    page: int = 1,
    per_page: int = 20,
) -> WalkPage:
    """Return a page of a campaign's walks, the newest change last; raises CampaignNotFound."""
    get_campaign(session, workspace_id, campaign_id)
    wanted = [_ENROLLMENT.c.campaign_id == campaign_id, _ENROLLMENT.c.workspace_id == workspace_id]
    if status is not None:
        wanted.append(_ENROLLMENT.c.status == status)
    if search.strip():
        term = search.strip().lower()
        columns = (_CONTACT.c.email_key, _CONTACT.c.first_name, _CONTACT.c.last_name, _CONTACT.c.company)
        wanted.append(or_(*(func.lower(column).contains(term, autoescape=True) for column in columns)))
    total, bound = _total(session, campaign_id, wanted, status, bool(search.strip()))
    rows = (
        session.connection()
        .execute(_WALKS.where(*wanted).order_by(_ENROLLMENT.c.id).limit(per_page).offset((page - 1) * per_page))
        .all()
    )
    facts = campaign_facts(session, campaign_id, now, [row.account_id for row in rows])
    return WalkPage(tuple(_walk(row, facts, now) for row in rows), total, bound)


def waits_of_contact(session: Session, workspace_id: int, contact_id: int, now: datetime) -> list[ContactWait]:
    """Return the contact's walks in all campaigns of the workspace, those under way first."""
    rows = (
        session.connection()
        .execute(
            _WALKS.add_columns(_CAMPAIGN.c.name.label("campaign_name"), _CAMPAIGN.c.status.label("campaign_status"))
            .join(_CAMPAIGN, _CAMPAIGN.c.id == _ENROLLMENT.c.campaign_id)
            .where(_ENROLLMENT.c.contact_id == contact_id, _ENROLLMENT.c.workspace_id == workspace_id)
            .order_by(_ENROLLMENT.c.ended_at.is_not(None), _ENROLLMENT.c.id.desc())
            .limit(50)
        )
        .all()
    )
    facts = facts_of_campaigns(session, {row.campaign_id: [row.account_id] for row in rows}, now)
    return [
        ContactWait(row.campaign_id, row.campaign_name, row.campaign_status, _walk(row, facts[row.campaign_id], now))
        for row in rows
    ]


def campaign_facts(
    session: Session, campaign_id: int, now: datetime, more_accounts: Sequence[int | None] = ()
) -> CampaignFacts:
    """Return what can hold up a campaign's contacts: state, window, caps, and its accounts (plus `more_accounts`)."""
    return facts_of_campaigns(session, {campaign_id: more_accounts}, now)[campaign_id]


def facts_of_campaigns(
    session: Session, more_accounts: Mapping[int, Sequence[int | None]], now: datetime
) -> dict[int, CampaignFacts]:
    """Return `campaign_facts` of several campaigns by id, in as many statements for all as for one.

    `more_accounts` names for each campaign the accounts to look at beside its own.
    """
    if not more_accounts:
        return {}
    rows = session.connection().execute(
        select(_CAMPAIGN.c.id, _CAMPAIGN.c.status, _CAMPAIGN.c.pause_reason, _CAMPAIGN.c.settings).where(
            _CAMPAIGN.c.id.in_(list(more_accounts))
        )
    ).all()  # fmt: skip
    settings = {row.id: read_stored(row.settings) for row in rows}
    senders = _senders(session, more_accounts)
    accounts = _account_facts(session, sorted({each for ids in senders.values() for each in ids}), now)
    capped = {key: each.max_emails_per_hour for key, each in settings.items() if each.max_emails_per_hour is not None}
    hourly = _hourly(session, capped, now)
    held = generation.hold_of(session) is not None
    found = {}
    for row in rows:
        hourly_room, hourly_at = hourly.get(row.id, (None, None))
        found[row.id] = CampaignFacts(
            status=row.status,
            pause_reason=row.pause_reason,
            window=settings[row.id].window,
            timezone=settings[row.id].timezone,
            use_contact_timezone=settings[row.id].use_contact_timezone,
            hourly_room=hourly_room,
            hourly_at=hourly_at,
            new_room=None,
            accounts={key: accounts[key] for key in sorted(senders[row.id]) if key in accounts},
            held=held,
        )
    return found


def _walk(row: Any, facts: CampaignFacts, now: datetime) -> Walk:
    walk = WalkFacts(
        status=row.status,
        account_id=row.account_id,
        due_at=row.due_at,
        timezone=row.timezone,
        country=row.country,
        message_status=row.message_status,
        message_reason=row.message_reason or "",
        message_due_at=row.message_due_at,
        soft_bounces=row.soft_bounces or 0,
    )
    account = facts.accounts.get(row.account_id) if row.account_id is not None else None
    over = row.status not in ("pending", "in_progress")
    return Walk(
        enrollment_id=row.id,
        campaign_id=row.campaign_id,
        contact_id=row.contact_id,
        email=row.email,
        name=" ".join(part for part in (row.first_name, row.last_name) if part),
        company=row.company,
        status=row.status,
        end_reason=row.end_reason,
        node_key=None if over else row.node_key,
        mail_name="" if over or row.node_data is None else str(row.node_data.get("name", "")),
        due_at=row.due_at or row.message_due_at,
        ended_at=row.ended_at,
        account_email=None if account is None else account.email,
        waiting=why_waiting(walk, facts, now),
        uncertain_id=row.message_id if row.message_status == "uncertain" else None,
    )


def _total(
    session: Session, campaign_id: int, wanted: Sequence[Any], status: str | None, searched: bool
) -> tuple[int, bool]:
    if not searched:
        counts: Mapping[str, int] = counts_by_status(session, [campaign_id])[campaign_id]
        return (sum(counts.values()) if status is None else counts.get(status, 0)), False
    matches = (
        select(_ENROLLMENT.c.id)
        .join_from(_ENROLLMENT, _CONTACT, _CONTACT.c.id == _ENROLLMENT.c.contact_id)
        .where(*wanted)
        .limit(10_001)
        .subquery()
    )
    found = int(session.connection().execute(select(func.count()).select_from(matches)).scalar_one())
    return min(found, 10_000), found > 10_000


def _senders(session: Session, more_accounts: Mapping[int, Sequence[int | None]]) -> dict[int, set[int]]:
    """Return for each campaign its own accounts and those that are named beside."""
    found = {key: {each for each in more if each is not None} for key, more in more_accounts.items()}
    linked = session.connection().execute(
        select(_LINK.c.campaign_id, _LINK.c.account_id).where(_LINK.c.campaign_id.in_(list(more_accounts)))
    )
    for campaign_id, account_id in linked:
        found[campaign_id].add(account_id)
    return found


def _account_facts(session: Session, ids: Sequence[int], now: datetime) -> dict[int, AccountFacts]:
    if not ids:
        return {}
    accounts: Sequence[EmailAccount] = (
        session.execute(
            select(EmailAccount).where(col(EmailAccount.id).in_(ids), col(EmailAccount.removed_at).is_(None))
        )
        .scalars()
        .all()
    )
    used = caps.usages(session, ids, now)
    returns_at = caps.room_returns_at(session, ids, now)
    found = {}
    for account in accounts:
        account_id = account.id or 0
        room = caps.room(account, used[account_id], now)
        found[account_id] = AccountFacts(
            id=account_id,
            email=account.email,
            status=account.status,
            error_code=account.error_code,
            error_since=account.error_since,
            paused_until=account.paused_until,
            backoff_until=account.backoff_until,
            next_send_at=account.next_send_at,
            min_gap_seconds=account.min_gap_seconds,
            room=room.campaign,
            ramp_is_it=room.any > 0 and campaign_daily_limit(account, now) < account.daily_limit,
            room_at=returns_at.get(account_id),
        )
    return found


def _hourly(session: Session, most: Mapping[int, int], now: datetime) -> dict[int, tuple[int | None, datetime | None]]:
    """Return for each campaign with a cap how many may still leave within the hour, and when the next may."""
    if not most:
        return {}
    rows = session.connection().execute(
        select(_ATTEMPT.c.campaign_id, func.count(), func.min(_ATTEMPT.c.started_at))
        .where(_ATTEMPT.c.campaign_id.in_(list(most)), _ATTEMPT.c.started_at > now - _HOUR)
        .group_by(_ATTEMPT.c.campaign_id)
    )
    tried = {campaign_id: (int(n), oldest) for campaign_id, n, oldest in rows}
    found: dict[int, tuple[int | None, datetime | None]] = {}
    for key, cap in most.items():
        n, oldest = tried.get(key, (0, None))
        found[key] = max(0, cap - n), None if oldest is None else oldest + _HOUR
    return found
