"""Campaigns as an origin of messages: what the sending engine asks and tells (sending/origin.py)."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import and_, bindparam, delete, exists, func, or_, select, update
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns import outcomes
from fluenzr_app.campaigns.content import CampaignContent, Thread, contacts_by_id, sender_row, threads_of
from fluenzr_app.campaigns.models import Campaign, CampaignAccount, Enrollment
from fluenzr_app.campaigns.planner import feed_new
from fluenzr_app.campaigns.plans import PLAN_ROWS, Plan, Plans
from fluenzr_app.campaigns.timing import closes_at, from_local, is_open
from fluenzr_app.campaigns.zones import zone_of_contact
from fluenzr_app.contacts.models import Contact
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.hot import HotSelect
from fluenzr_app.db.tables import table_of
from fluenzr_app.db.types import AnyRow, UtcDateTime
from fluenzr_app.sending.models import Attempt, Message
from fluenzr_app.sending.rows import OPEN
from fluenzr_app.sending.values import (
    Authorised,
    Cancel,
    Content,
    Go,
    QueuedMessage,
    Settlement,
    Stream,
    Verdict,
    Wait,
)
from fluenzr_app.tracking.objections import is_objecting, objecting_contacts
from fluenzr_app.tracking.unsubscribe import UnsubscribeLink, unsubscribe_url
from fluenzr_app.workspaces.models import Workspace

_CAMPAIGN = table_of(Campaign)
_LINK = table_of(CampaignAccount)
_ACCOUNT = table_of(EmailAccount)
_ENROLLMENT = table_of(Enrollment)
_MESSAGE = table_of(Message)
_ATTEMPT = table_of(Attempt)
_CONTACT = table_of(Contact)
_WORKSPACE = table_of(Workspace)

_HOUR = timedelta(hours=1)
# A window that never opens again is looked at once a day.
_LONG = timedelta(days=1)
# campaigns.md, guarantee 3: how fresh the look into the mailbox has to be before a follow-up leaves.
READ_WITHIN = timedelta(minutes=10)

_AUTHORISING = (
    select(
        _MESSAGE.c.id,
        _MESSAGE.c.node_id,
        _CAMPAIGN.c.id.label("campaign_id"),
        _CAMPAIGN.c.status.label("campaign_status"),
        _CAMPAIGN.c.revision,
        _ENROLLMENT.c.status.label("enrollment_status"),
        _ENROLLMENT.c.node_id.label("enrollment_node_id"),
        _CONTACT.c.status.label("contact_status"),
        _CONTACT.c.timezone,
        _CONTACT.c.country,
        _WORKSPACE.c.track_opens,
        _WORKSPACE.c.track_clicks,
        is_objecting(_CONTACT.c.workspace_id, _CONTACT.c.email_hash, _CONTACT.c.id).label("objects"),
    )
    .select_from(
        _MESSAGE.join(_CAMPAIGN, _CAMPAIGN.c.id == _MESSAGE.c.campaign_id)
        .join(_WORKSPACE, _WORKSPACE.c.id == _CAMPAIGN.c.workspace_id)
        .join(_ENROLLMENT, _ENROLLMENT.c.id == _MESSAGE.c.enrollment_id)
        .outerjoin(_CONTACT, _CONTACT.c.id == _MESSAGE.c.contact_id)
    )
    .where(_MESSAGE.c.id.in_(bindparam("ids", expanding=True)))
)

_AUTHORISE = HotSelect(_AUTHORISING)


class CampaignOrigin:
    """Implements `sending.origin.Origin` for campaign mail."""

    kind = "campaign"

    def __init__(self, keyring: KeyRing, public_url: str, plans: Plans | None = None) -> None:
        self._keyring = keyring
        self._public_url = public_url
        self.plans = plans or Plans()

    def may_have_work(self, session: Session, account_ids: Sequence[int], now: datetime) -> set[int]:
        """Return the accounts whose gap is over and that an open campaign has something for."""
        connection = session.connection()
        rows = connection.execute(PLAN_ROWS.where(_CAMPAIGN.c.status == "active").order_by(_CAMPAIGN.c.id)).all()
        found: set[int] = set()
        for row in rows:
            plan = self.plans.of_row(session, row)
            if not _opens_for_somebody(plan, now):
                continue
            waiting = [account_id for account_id in account_ids if account_id not in found]
            if waiting:
                found |= set(connection.execute(_work_for(row.id), {"ids": waiting, "now": now}).scalars())
        return found

    def streams(self, session: Session, account: EmailAccount, now: datetime) -> Sequence[Stream]:
        """Return the active campaigns that use this account or have something in its queue, locked in order of id."""
        rows = session.connection().execute(
            PLAN_ROWS.where(
                _CAMPAIGN.c.workspace_id == account.workspace_id,
                _CAMPAIGN.c.status == "active",
                or_(
                    exists().where(_LINK.c.campaign_id == _CAMPAIGN.c.id, _LINK.c.account_id == account.id),
                    exists().where(
                        _MESSAGE.c.account_id == account.id,
                        _MESSAGE.c.campaign_id == _CAMPAIGN.c.id,
                        _MESSAGE.c.status == "queued",
                    ),
                ),
            )
            .order_by(_CAMPAIGN.c.id)
            .with_for_update(of=_CAMPAIGN)
        )
        return [self._stream(session, account, self.plans.of_row(session, row), now) for row in rows.all()]

    def feed(
        self, session: Session, account: EmailAccount, stream: Stream, limit: int, now: datetime, rng: random.Random
    ) -> int:
        """Put new contacts of the campaign into the queue for this account; return how many."""
        if stream.key is None or not self._feeds(session, stream.key, account):
            return 0
        plan = self.plans.of(session, [stream.key])[stream.key]
        return feed_new(session, plan, account, limit, now, rng)

    def authorise(self, session: Session, messages: Sequence[QueuedMessage], now: datetime) -> Mapping[int, Authorised]:
        """Return whether each message may leave: campaign active, walk at this step, window open (guarantees 3, 4)."""
        rows = _AUTHORISE.rows(session.connection(), [message.id for message in messages])
        plans = {
            campaign_id: self.plans.at(session, campaign_id, revision)
            for campaign_id, revision in {(row.campaign_id, row.revision) for row in rows}
        }
        unread = _accounts_not_read(session, {each.account_id for each in messages if each.priority == 0}, now)
        blind = {message.id for message in messages if message.priority == 0 and message.account_id in unread}
        found = {
            row.id: Authorised(_verdict(row, plans[row.campaign_id], row.id in blind, now), _made_under(row))
            for row in rows
        }
        gone = Authorised(Cancel("campaign_deleted"), 0)
        return {message.id: found.get(message.id, gone) for message in messages}

    def contents(self, session: Session, messages: Sequence[QueuedMessage], now: datetime) -> Mapping[int, Content]:
        """Return what is needed to compose each message."""
        contacts = contacts_by_id(session, [message.contact_id for message in messages if message.contact_id])
        followed = [message.enrollment_id for message in messages if message.priority == 0 and message.enrollment_id]
        threads = threads_of(session, followed)
        plans = self.plans.of(session, sorted({message.campaign_id for message in messages if message.campaign_id}))
        senders = {account_id: sender_row(session, account_id) for account_id in {m.account_id for m in messages}}
        objecting = _objecting(session, messages, contacts)
        return {
            message.id: CampaignContent(
                message=message,
                plan=plans[message.campaign_id or 0],
                step=plans[message.campaign_id or 0].mails.get(message.node_id or 0),
                contact=contacts.get(message.contact_id or 0),
                sender=senders[message.account_id],
                thread=threads.get(message.enrollment_id or 0, Thread()),
                unsubscribe_url=self._unsubscribe_url(message, contacts.get(message.contact_id or 0)),
                objects=message.contact_id in objecting,
                keyring=self._keyring,
                public_url=self._public_url,
            )
            for message in messages
        }

    def released(self, session: Session, messages: Sequence[QueuedMessage], now: datetime) -> None:
        """Let new contacts to whom nothing was ever attempted go to another account (campaigns.md, Sender)."""
        unfeed(session, [message.id for message in messages if message.priority == 1 and message.attempts == 0], now)

    def cancelled(self, session: Session, messages: Mapping[QueuedMessage, str], now: datetime) -> None:
        """End the walks of messages that will never leave."""
        outcomes.end_cancelled(session, messages, now)

    def settled(self, session: Session, settlements: Sequence[Settlement], now: datetime) -> None:
        """Move the walks on: to the next step, into waiting, or to their end."""
        outcomes.move_on(session, self.plans, settlements, now)

    def _unsubscribe_url(self, message: QueuedMessage, contact: AnyRow | None) -> str:
        if contact is None:
            return ""
        link = UnsubscribeLink(
            workspace_id=message.workspace_id,
            contact_id=contact.id,
            email_hash=bytes(contact.email_hash),
            message_id=message.id,
            campaign_id=message.campaign_id or 0,
            account_id=message.account_id,
            node_id=message.node_id or 0,
        )
        return unsubscribe_url(self._keyring, self._public_url, link)

    def _feeds(self, session: Session, campaign_id: int, account: EmailAccount) -> bool:
        # An account that was taken out of the campaign goes on with its own contacts and gets no new ones.
        linked = select(_LINK.c.account_id).where(_LINK.c.campaign_id == campaign_id, _LINK.c.account_id == account.id)
        return session.connection().execute(linked).first() is not None

    def _stream(self, session: Session, account: EmailAccount, plan: Plan, now: datetime) -> Stream:
        settings, zone = plan.settings, plan.zone
        day_start = from_local(now.astimezone(zone).date(), datetime.min.time(), zone)
        open_now = settings.use_contact_timezone or is_open(plan.window, now, zone)
        closes = _midnight_after(now, zone) if settings.use_contact_timezone else closes_at(plan.window, now, zone)
        return Stream(
            key=plan.campaign_id,
            revision=plan.revision,
            is_open=open_now,
            closes_at=closes,
            room=_hourly_room(session, plan, now),
            new_room=_new_room(session, plan, day_start),
            per_domain=settings.max_per_company_per_day,
            day_start=day_start,
            day_end=_midnight_after(now, zone),
        )


def _objecting(session: Session, messages: Sequence[QueuedMessage], contacts: Mapping[int, AnyRow]) -> set[int]:
    """Return the contacts among these who object to tracking."""
    found: set[int] = set()
    for workspace_id in {message.workspace_id for message in messages}:
        mine = {each.id: bytes(each.email_hash) for each in contacts.values() if each.workspace_id == workspace_id}
        found |= objecting_contacts(session, workspace_id, mine).keys()
    return found


def unfeed(session: Session, message_ids: Sequence[int], now: datetime) -> int:
    """Take first mails that were never attempted out of the queue again; return how many contacts are free again."""
    if not message_ids:
        return 0
    connection = session.connection()
    never_tried = and_(
        _MESSAGE.c.id.in_(list(message_ids)),
        _MESSAGE.c.status == "queued",
        _MESSAGE.c.attempts == 0,
        _MESSAGE.c.priority == 1,
    )
    # In one statement: what another worker claims in this moment must keep its contact.
    freed = connection.execute(delete(_MESSAGE).where(never_tried).returning(_MESSAGE.c.enrollment_id))
    enrollment_ids = list(freed.scalars())
    if not enrollment_ids:
        return 0
    connection.execute(
        update(_ENROLLMENT)
        .where(_ENROLLMENT.c.id.in_(enrollment_ids), _ENROLLMENT.c.status == "pending")
        .values(account_id=None, due_at=now, wait_code="")
    )
    return len(enrollment_ids)


def _opens_for_somebody(plan: Plan, now: datetime) -> bool:
    return plan.settings.use_contact_timezone or is_open(plan.window, now, plan.zone)


def _work_for(campaign_id: int) -> Any:
    """Return a select of the accounts among `ids` whose gap is over and that have something due in the campaign."""
    now = bindparam("now", type_=UtcDateTime())
    queued = exists().where(
        _MESSAGE.c.account_id == _ACCOUNT.c.id,
        _MESSAGE.c.campaign_id == campaign_id,
        _MESSAGE.c.priority.in_((0, 1)),
        _MESSAGE.c.status == "queued",
        _MESSAGE.c.due_at <= now,
    )
    linked = exists().where(_LINK.c.campaign_id == campaign_id, _LINK.c.account_id == _ACCOUNT.c.id)
    new = exists().where(
        _ENROLLMENT.c.campaign_id == campaign_id,
        _ENROLLMENT.c.account_id.is_(None),
        _ENROLLMENT.c.due_at.is_not(None),
        _ENROLLMENT.c.due_at <= now,
    )
    paced = or_(_ACCOUNT.c.min_gap_seconds == 0, _ACCOUNT.c.next_send_at.is_(None), _ACCOUNT.c.next_send_at <= now)
    return select(_ACCOUNT.c.id).where(
        _ACCOUNT.c.id.in_(bindparam("ids", expanding=True)), paced, or_(queued, and_(linked, new))
    )


def _accounts_not_read(session: Session, account_ids: set[int], now: datetime) -> set[int]:
    """Return which accounts have a mailbox that was not read lately: an answer may lie there (guarantee 3)."""
    if not account_ids:
        return set()
    return set(
        session.connection()
        .execute(
            select(_ACCOUNT.c.id).where(
                _ACCOUNT.c.id.in_(account_ids),
                _ACCOUNT.c.imap_host != "",
                # One that lies ahead was written before the clock was set back, and tells nothing.
                or_(
                    _ACCOUNT.c.synced_at.is_(None),
                    _ACCOUNT.c.synced_at < now - READ_WITHIN,
                    _ACCOUNT.c.synced_at > now + READ_WITHIN,
                ),
            )
        )
        .scalars()
    )


def _made_under(row: AnyRow) -> int:
    """Return a number for the campaign's revision and what else decides whether a mail is tracked.

    A mail with a pixel, claimed before its contact objected, is thereby made anew.
    """
    tracked = (row.track_opens, row.track_clicks, row.objects)
    return int(row.revision) << len(tracked) | sum(bool(each) << place for place, each in enumerate(tracked))


def _verdict(row: AnyRow, plan: Plan, blind: bool, now: datetime) -> Verdict:
    if row.campaign_status in ("completed", "archived"):
        return Cancel(f"campaign_{row.campaign_status}")
    if row.enrollment_status not in ("pending", "in_progress"):
        return Cancel(f"enrollment_{row.enrollment_status}")
    if row.contact_status == "replied":
        # Every walk ends with an answer; this one was begun while the answer was being stored.
        return Cancel("replied_elsewhere")
    if row.enrollment_node_id != row.node_id:
        return Cancel("step_changed")
    if row.node_id not in plan.mails:
        return Cancel("step_gone")
    # A pause is seen by the campaign's revision, which every change of state moves on.
    zone = plan.zone
    if plan.settings.use_contact_timezone:
        zone = zone_of_contact(row.timezone, row.country, plan.settings.timezone)
    found = plan.opening_at(now, zone)
    if found is None:
        return Wait("outside_window", now + _LONG)
    if found.opens > now:
        return Wait("outside_window", found.opens)
    return Wait("mailbox_not_synced", now + READ_WITHIN) if blind else Go(found.closes)


def _midnight_after(now: datetime, zone: tzinfo) -> datetime:
    return from_local(now.astimezone(zone).date() + timedelta(days=1), datetime.min.time(), zone)


def _hourly_room(session: Session, plan: Plan, now: datetime) -> int | None:
    cap = plan.settings.max_emails_per_hour
    if cap is None:
        return None
    tried = select(func.count()).where(_ATTEMPT.c.campaign_id == plan.campaign_id, _ATTEMPT.c.started_at > now - _HOUR)
    # Claims before attempts, for the reason given in `sending.caps.usage`.
    return max(0, cap - _count(session, _claimed(plan.campaign_id)) - _count(session, tried))


def _new_room(session: Session, plan: Plan, day_start: datetime) -> int | None:
    cap = plan.settings.new_contacts_per_day
    if cap is None:
        return None
    tried = select(func.count()).where(
        _ATTEMPT.c.campaign_id == plan.campaign_id, _ATTEMPT.c.started_at >= day_start, _ATTEMPT.c.first_mail
    )
    claimed = _claimed(plan.campaign_id).where(_MESSAGE.c.priority == 1, _MESSAGE.c.attempts == 0)
    return max(0, cap - _count(session, claimed) - _count(session, tried))


def _claimed(campaign_id: int) -> Any:
    return select(func.count()).where(_MESSAGE.c.campaign_id == campaign_id, OPEN, _MESSAGE.c.status == "claimed")


def _count(session: Session, statement: Any) -> int:
    return int(session.connection().execute(statement).scalar_one())
