"""The real message for real contacts of the audience, and a test of it to oneself (campaigns.md, Variables)."""

from dataclasses import dataclass, replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Select, select
from sqlmodel import Session

from fluenzr_app.campaigns.content import Thread, contacts_by_id, draft_of, is_tracked, sender_row
from fluenzr_app.campaigns.errors import SettingsRefused
from fluenzr_app.campaigns.models import Campaign, Enrollment
from fluenzr_app.campaigns.plans import PLAN_ROWS, MailStep, Plan, compile_plan
from fluenzr_app.campaigns.service import get_campaign
from fluenzr_app.campaigns.variables import SENDER_VARIABLES, contact_values
from fluenzr_app.campaigns.views import CampaignView
from fluenzr_app.campaigns.workflow_store import node_ids
from fluenzr_app.contacts.models import Contact, GroupMember
from fluenzr_app.db.tables import table_of
from fluenzr_app.mail.compose import Draft
from fluenzr_app.sending.errors import ContentFault
from fluenzr_app.sending.values import QueuedMessage
from fluenzr_app.tracking.objections import objecting_contacts
from fluenzr_app.tracking.unsubscribe import sample_url
from fluenzr_app.workspaces.models import Workspace

_ENROLLMENT = table_of(Enrollment)
_CAMPAIGN = table_of(Campaign)
_CONTACT = table_of(Contact)
_MEMBER = table_of(GroupMember)
WALKED_THROUGH = 100

_SAMPLES = {
    "fr": ("helene.fabre@exemple.example", "Hélène", "Fabre", "Ateliers Boréal", "Directrice achats"),
    "en": ("helen.miller@sample.example", "Helen", "Miller", "Northwind Works", "Head of purchasing"),
}


@dataclass(frozen=True, slots=True)
class Preview:
    """One contact's mail as it would leave. `html` is sanitised; `missing` are variables that stay blank for them."""

    position: int
    total: int
    is_sample: bool
    to_name: str
    to_address: str
    from_name: str
    from_address: str
    subject: str
    html: str | None
    text: str
    missing: tuple[str, ...]
    fault: str | None = None


def preview(
    session: Session, workspace_id: int, campaign_id: int, node_key: str, position: int, public_url: str, now: datetime
) -> Preview:
    """Return the mail of a step for the contact at `position` (from 0) of the first 100 of the audience.

    A draft with nobody in it yet shows the members of its linked groups, who enter at the start. Without
    contacts, sample data stands in. Its footer is the real mail's, but nobody is unsubscribed or tracked by it.
    Raises CampaignNotFound, SettingsRefused for an unknown step.
    """
    campaign = get_campaign(session, workspace_id, campaign_id)
    plan, step = _step(session, campaign_id, node_key)
    ids = _audience(session, campaign)
    position = max(0, min(position, len(ids) - 1))
    sender = _sender(session, campaign)
    contact: Any = contacts_by_id(session, [ids[position]])[ids[position]] if ids else _sample(sender.language)
    announces = _has_pixel(session, step, contact, sender)
    thread = _first_subject(plan, contact, sender, now)
    draft, fault = _draft(plan, step, contact, sender, thread, sample_url(public_url), announces, now)
    return Preview(
        position=position,
        total=len(ids),
        is_sample=not ids,
        to_name=" ".join(part for part in (contact.first_name, contact.last_name) if part),
        to_address=contact.email,
        from_name=sender.display_name,
        from_address=sender.email,
        subject="" if draft is None else draft.subject,
        html=None if draft is None else draft.html,
        text="" if draft is None else draft.text,
        missing=_missing(step, plan, contact, sender, now),
        fault=fault,
    )


def draft_of_test(
    session: Session,
    workspace_id: int,
    campaign_id: int,
    node_key: str,
    account_id: int,
    to_address: str,
    rfc_id: str,
    public_url: str,
    now: datetime,
) -> Draft:
    """Return the mail of a step for the first contact of the audience, addressed to the user as a test.

    It reads as the real one will, yet nobody is unsubscribed or tracked by it. Raises CampaignNotFound,
    SettingsRefused, ContentFault.
    """
    campaign = get_campaign(session, workspace_id, campaign_id)
    plan, step = _step(session, campaign_id, node_key)
    ids = _audience(session, campaign)
    sender = sender_row(session, account_id)
    contact: Any = contacts_by_id(session, ids[:1])[ids[0]] if ids else _sample(sender.language)
    thread = _first_subject(plan, contact, sender, now)
    message = _message(to_address, rfc_id, account_id, workspace_id, now)
    draft = draft_of(
        message, plan, step, contact, sender, Thread((), thread.subject), sample_url(public_url), now,
        announces_pixel=_has_pixel(session, step, contact, sender),
    )  # fmt: skip
    # A mail program's own button would promise what the sample does not do.
    return replace(draft, unsubscribe_url=None, unsubscribe_mailto=None)


def _step(session: Session, campaign_id: int, node_key: str) -> tuple[Plan, MailStep]:
    row = session.connection().execute(PLAN_ROWS.where(_CAMPAIGN.c.id == campaign_id)).one()
    plan = compile_plan(session, row)
    node_id = node_ids(session, campaign_id).get(node_key)
    step = plan.mails.get(node_id or 0)
    if step is None:
        raise SettingsRefused("nodeId", "There is no such mail in this campaign.")
    return plan, step


def _audience(session: Session, campaign: CampaignView) -> list[int]:
    enrolled = (
        select(_ENROLLMENT.c.contact_id)
        .where(_ENROLLMENT.c.campaign_id == campaign.id, _ENROLLMENT.c.status.in_(("pending", "in_progress")))
        .order_by(_ENROLLMENT.c.id)
        .limit(WALKED_THROUGH)
    )
    ids = list(session.connection().execute(enrolled).scalars())
    if ids or campaign.status != "draft" or not campaign.group_ids:
        return ids
    return list(session.connection().execute(_entrants(campaign)).scalars())


def _entrants(campaign: CampaignView) -> Select[Any]:
    """Read who would enter from the linked groups, by the rules of entering but for the suppression list."""
    excluded = select(_MEMBER.c.contact_id).where(_MEMBER.c.group_id.in_(campaign.settings.excluded_group_ids))
    return (
        select(_CONTACT.c.id)
        .where(
            _CONTACT.c.id.in_(select(_MEMBER.c.contact_id).where(_MEMBER.c.group_id.in_(campaign.group_ids))),
            _CONTACT.c.id.not_in(excluded),
            _CONTACT.c.workspace_id == campaign.workspace_id,
            _CONTACT.c.status == "active",
        )
        .order_by(_CONTACT.c.id)
        .limit(WALKED_THROUGH)
    )


def _has_pixel(session: Session, step: MailStep, contact: Any, sender: Any) -> bool:
    known = {contact.id: bytes(contact.email_hash)} if contact.id else {}
    objects = bool(known) and bool(objecting_contacts(session, contact.workspace_id, known))
    return is_tracked(step, sender, objects)[0]


def _sender(session: Session, campaign: CampaignView) -> Any:
    if campaign.account_ids:
        return sender_row(session, campaign.account_ids[0])
    workspace = session.get_one(Workspace, campaign.workspace_id)
    return SimpleNamespace(
        id=0,
        email="vous@exemple.example",
        display_name="",
        signature="",
        imap_host="",
        workspace_signature=workspace.signature,
        postal_address=workspace.postal_address,
        language=workspace.language,
        track_opens=workspace.track_opens,
        track_clicks=workspace.track_clicks,
    )


def _sample(language: str) -> Any:
    email, first, last, company, job = _SAMPLES["fr" if language[:2] == "fr" else "en"]
    values = {
        "id": 0,
        "email": email,
        "first_name": first,
        "last_name": last,
        "company": company,
        "job_title": job,
        "phone": "",
        "website": "",
        "language": language,
        "timezone": "",
        "country": "",
        "fields": {},
    }
    return SimpleNamespace(**values, _mapping=values)


def _message(to_address: str, rfc_id: str, account_id: int, workspace_id: int, now: datetime) -> QueuedMessage:
    domain = to_address.rpartition("@")[2]
    return QueuedMessage(
        0, workspace_id, "test", account_id, None, None, None, None, to_address, domain, rfc_id, 0, 0, 0, now
    )


def _draft(
    plan: Plan, step: MailStep, contact: Any, sender: Any, thread: Thread, url: str, announces: bool, now: datetime
) -> tuple[Draft | None, str | None]:
    message = _message(contact.email, "<preview@preview.example>", sender.id, plan.workspace_id, now)
    try:
        return draft_of(message, plan, step, contact, sender, thread, url, now, announces_pixel=announces), None
    except ContentFault as fault:
        return None, fault.code


def _first_subject(plan: Plan, contact: Any, sender: Any, now: datetime) -> Thread:
    first = next(
        (mail for mail in plan.mails.values() if mail.subject is not None and mail.subject.source.strip()), None
    )
    if first is None or first.subject is None:
        return Thread()
    return Thread((), first.subject.render(_values(plan, contact, sender, now), escape="header"))


def _missing(step: MailStep, plan: Plan, contact: Any, sender: Any, now: datetime) -> tuple[str, ...]:
    if step.subject is None or step.body is None:
        return ()
    values = _values(plan, contact, sender, now)
    blank = dict.fromkeys((*step.subject.missing(values), *step.body.missing(values)))
    return tuple(name for name in blank if name not in SENDER_VARIABLES)


def _values(plan: Plan, contact: Any, sender: Any, now: datetime) -> dict[str, str]:
    return contact_values(
        contact._mapping,
        now=now,
        zone=plan.zone,
        language=contact.language or sender.language,
        signature=sender.signature or sender.workspace_signature,
        unsubscribe_url="https://…/u/…",
        custom=contact.fields,
    )
