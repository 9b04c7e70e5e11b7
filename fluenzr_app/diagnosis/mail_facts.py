"""Reading the stored facts about mails that come back and mailboxes that are read."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, literal, select
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns.bounced import BOUNCED, count_bounced_in
from fluenzr_app.campaigns.brake import BRAKE, since_resume
from fluenzr_app.campaigns.models import Campaign
from fluenzr_app.contacts.models import Contact, ContactImport, Group, GroupMember
from fluenzr_app.db.tables import table_of
from fluenzr_app.diagnosis.bounces import LEAST_BOUNCES_TOLD, BounceFacts, SoftFacts, Source, SourceKind
from fluenzr_app.diagnosis.campaigns import CampaignFacts
from fluenzr_app.diagnosis.mailboxes import MailboxFacts
from fluenzr_app.events.models import Event
from fluenzr_app.inbox.models import MailboxReading
from fluenzr_app.sending.models import Message, Worker

_ACCOUNT = table_of(EmailAccount)
_CAMPAIGN = table_of(Campaign)
_CONTACT = table_of(Contact)
_EVENT = table_of(Event)
_GROUP = table_of(Group)
_IMPORT = table_of(ContactImport)
_MEMBER = table_of(GroupMember)
_MESSAGE = table_of(Message)
_READING = table_of(MailboxReading)
_WORKER = table_of(Worker)


def bounce_facts(session: Session, workspace_id: int, campaigns: Sequence[CampaignFacts]) -> list[BounceFacts]:
    """Return the bounces of those campaigns that had any to speak of, or that the brake has paused."""
    watched = [
        each
        for each in campaigns
        if each.pause_reason == BRAKE or (each.status == "active" and each.bounced >= LEAST_BOUNCES_TOLD)
    ]
    if not watched:
        return []
    ids = [each.id for each in watched]
    figures = since_resume(session, ids)
    contacts = count_bounced_in(session, workspace_id, ids)
    sources = _sources(session, workspace_id, [key for key in ids if figures[key].bounced])
    return [
        BounceFacts(
            campaign_id=each.id,
            name=each.name,
            status=each.status,
            pause_reason=each.pause_reason,
            paused_at=each.paused_at,
            sent=figures[each.id].sent,
            bounced=figures[each.id].bounced,
            contacts=contacts.get(each.id, 0),
            sources=tuple(sources.get(each.id, ())),
        )
        for each in watched
    ]


def soft_facts(session: Session, campaigns: Sequence[CampaignFacts], now: datetime) -> list[SoftFacts]:
    """Return for each active campaign the contacts whose mail came back for now and is tried again."""
    names = {each.id: each.name for each in campaigns if each.status == "active"}
    rows = session.connection().execute(
        select(_MESSAGE.c.campaign_id, _MESSAGE.c.soft_bounces, func.count(), func.min(_MESSAGE.c.due_at))
        .where(
            _MESSAGE.c.campaign_id.in_(list(names)),
            _MESSAGE.c.status == "queued",
            _MESSAGE.c.reason == "soft_bounce",
            _MESSAGE.c.due_at > now,
        )
        .group_by(_MESSAGE.c.campaign_id, _MESSAGE.c.soft_bounces)
    )
    found: dict[int, SoftFacts] = {}
    for campaign_id, soft_bounces, contacts, due_at in rows:
        before = found.get(campaign_id)
        total = int(contacts) + (before.contacts if before is not None else 0)
        if before is not None and before.next_at <= due_at:
            due_at, soft_bounces = before.next_at, before.soft_bounces
        found[campaign_id] = SoftFacts(campaign_id, names[campaign_id], total, due_at, int(soft_bounces))
    return [found[key] for key in sorted(found)]


def mailbox_facts(session: Session, workspace_id: int) -> list[MailboxFacts]:
    """Return how the mailboxes of the workspace are read, in order of their addresses."""
    connection = session.connection()
    rows = connection.execute(
        select(
            _ACCOUNT.c.id, _ACCOUNT.c.email, _ACCOUNT.c.status, _ACCOUNT.c.imap_host, _ACCOUNT.c.synced_at,
            _ACCOUNT.c.updated_at, _READING.c.failed_since, _READING.c.error_code, _READING.c.error_text,
        )
        .outerjoin_from(_ACCOUNT, _READING, _READING.c.account_id == _ACCOUNT.c.id)
        .where(_ACCOUNT.c.workspace_id == workspace_id, _ACCOUNT.c.removed_at.is_(None), _ACCOUNT.c.imap_host != "")
        .order_by(_ACCOUNT.c.email_key)
    ).all()  # fmt: skip
    running_since = connection.execute(select(func.min(_WORKER.c.started_at))).scalar()
    waiting = _follow_ups(session, [row.id for row in rows])
    return [
        MailboxFacts(
            account_id=row.id,
            email=row.email,
            status=row.status,
            reads=bool(row.imap_host),
            synced_at=row.synced_at,
            failed_since=row.failed_since,
            error_code=row.error_code or "",
            error_text=row.error_text or "",
            known_at=row.updated_at,
            running_since=running_since,
            waiting=waiting.get(row.id, 0),
        )
        for row in rows
    ]


def _follow_ups(session: Session, account_ids: Sequence[int]) -> Mapping[int, int]:
    if not account_ids:
        return {}
    rows = session.connection().execute(
        select(_MESSAGE.c.account_id, func.count())
        .where(
            _MESSAGE.c.account_id.in_(account_ids),
            _MESSAGE.c.status == "queued",
            _MESSAGE.c.reason == "mailbox_not_synced",
        )
        .group_by(_MESSAGE.c.account_id)
    )
    return {account_id: int(n) for account_id, n in rows}


def _sources(session: Session, workspace_id: int, campaign_ids: Sequence[int]) -> dict[int, list[Source]]:
    """Return for each campaign the domain, the import and the group from which most of its bounces come."""
    if not campaign_ids:
        return {}
    # By the index of the campaigns' events: the brake sees to it that these are few.
    bounced = (
        select(_EVENT.c.campaign_id, _CONTACT.c.id, _CONTACT.c.domain, _CONTACT.c.import_id)
        .join_from(_EVENT, _CONTACT, _CONTACT.c.id == _EVENT.c.contact_id)
        .join(_CAMPAIGN, _CAMPAIGN.c.id == _EVENT.c.campaign_id)
        .where(
            _CAMPAIGN.c.id.in_(list(campaign_ids)),
            _CAMPAIGN.c.workspace_id == workspace_id,
            _EVENT.c.type == BOUNCED,
            _EVENT.c.at >= func.coalesce(_CAMPAIGN.c.resumed_at, _CAMPAIGN.c.started_at),
            # Not by the workspace's id itself: SQLite would go through all contacts of the workspace.
            _CONTACT.c.workspace_id == _CAMPAIGN.c.workspace_id,
        )
        .subquery()
    )
    of, n = bounced.c.campaign_id, func.count()
    domain = select(of, literal(0), bounced.c.domain, n).group_by(of, bounced.c.domain)
    imported = (
        select(of, _IMPORT.c.id, _IMPORT.c.file_name, n)
        .join_from(bounced, _IMPORT, _IMPORT.c.id == bounced.c.import_id)
        .group_by(of, _IMPORT.c.id, _IMPORT.c.file_name)
    )
    grouped = (
        select(of, _GROUP.c.id, _GROUP.c.name, n)
        .join_from(bounced, _MEMBER, _MEMBER.c.contact_id == bounced.c.id)
        .join(_GROUP, _GROUP.c.id == _MEMBER.c.group_id)
        .group_by(of, _GROUP.c.id, _GROUP.c.name)
    )
    found: dict[int, list[Source]] = {}
    counted: Sequence[tuple[SourceKind, Select[Any]]] = (("domain", domain), ("import", imported), ("group", grouped))
    for kind, statement in counted:
        for campaign_id, source in _worst(session, kind, statement).items():
            found.setdefault(campaign_id, []).append(source)
    return found


def _worst(session: Session, kind: SourceKind, counted: Select[Any]) -> dict[int, Source]:
    """Return for each campaign the source that is counted most often; of several the first by id and name."""
    rows = sorted(session.connection().execute(counted), key=lambda row: (-row[3], row[1], row[2]))
    found: dict[int, Source] = {}
    for campaign_id, source_id, name, n in rows:
        found.setdefault(campaign_id, Source(kind, source_id or None, name, int(n)))
    return found
