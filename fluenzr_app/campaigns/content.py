"""From a contact and a step to the mail that leaves: loaded in the claim's transaction, rendered outside of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast

from sqlalchemy import bindparam, select
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns.errors import TemplateFault
from fluenzr_app.campaigns.footer import Footer, with_footer
from fluenzr_app.campaigns.plans import MailStep, Plan
from fluenzr_app.campaigns.variables import contact_values, render_mail
from fluenzr_app.contacts.models import Contact
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.tables import table_of
from fluenzr_app.db.types import AnyRow
from fluenzr_app.mail.compose import Draft, reply_subject
from fluenzr_app.sending.errors import ContentFault
from fluenzr_app.sending.models import Message
from fluenzr_app.sending.values import Content, QueuedMessage
from fluenzr_app.tracking.links import TrackedMail
from fluenzr_app.tracking.tracked_html import Tracking
from fluenzr_app.tracking.unsubscribe import preferences_url, unsubscribe_mailto
from fluenzr_app.workspaces.models import Workspace

_CONTACT = table_of(Contact)
_MESSAGE = table_of(Message)
_ACCOUNT = table_of(EmailAccount)
_WORKSPACE = table_of(Workspace)

_CONTACTS = select(
    _CONTACT.c.id,
    _CONTACT.c.workspace_id,
    _CONTACT.c.email,
    _CONTACT.c.email_hash,
    _CONTACT.c.first_name,
    _CONTACT.c.last_name,
    _CONTACT.c.company,
    _CONTACT.c.job_title,
    _CONTACT.c.phone,
    _CONTACT.c.website,
    _CONTACT.c.language,
    _CONTACT.c.timezone,
    _CONTACT.c.country,
    _CONTACT.c.fields,
).where(_CONTACT.c.id.in_(bindparam("ids", expanding=True)))
_EARLIER = (
    select(_MESSAGE.c.enrollment_id, _MESSAGE.c.rfc_id, _MESSAGE.c.subject, _MESSAGE.c.status)
    .where(
        _MESSAGE.c.enrollment_id.in_(bindparam("ids", expanding=True)),
        # Whether an uncertain one arrived is not known; if it did, its thread is the right place.
        _MESSAGE.c.status.in_(("sent", "uncertain")),
    )
    .order_by(_MESSAGE.c.id)
)
_SENDER = select(
    _ACCOUNT.c.id,
    _ACCOUNT.c.email,
    _ACCOUNT.c.display_name,
    _ACCOUNT.c.signature,
    _ACCOUNT.c.imap_host,
    _WORKSPACE.c.signature.label("workspace_signature"),
    _WORKSPACE.c.postal_address,
    _WORKSPACE.c.language,
    _WORKSPACE.c.track_opens,
    _WORKSPACE.c.track_clicks,
).join_from(_ACCOUNT, _WORKSPACE, _WORKSPACE.c.id == _ACCOUNT.c.workspace_id)


CONTENT_FAULTS = frozenset(
    {"not_composable", "template_too_long", "output_too_large", "empty_subject", "template_fault"}
)
"""Why a contact's mail of a step cannot be made; each ends the walk as an error."""


@dataclass(frozen=True, slots=True)
class Thread:
    """What was sent before in a walk: Message-IDs, oldest first, and the first mail's subject."""

    rfc_ids: tuple[str, ...] = ()
    subject: str = ""


@dataclass(frozen=True, slots=True)
class CampaignContent(Content):
    """One contact's mail of one step. `objects`: the contact does not want to be tracked."""

    plan: Plan
    step: MailStep | None
    contact: AnyRow | None
    sender: AnyRow
    thread: Thread
    unsubscribe_url: str
    objects: bool
    keyring: KeyRing = field(repr=False)
    public_url: str

    def draft(self, now: datetime) -> Draft:
        """Return the mail; raises ContentFault when the step is gone, unreadable or renders to nothing."""
        if self.step is None or self.contact is None:
            raise ContentFault("step_gone")
        return draft_of(
            self.message, self.plan, self.step, self.contact, self.sender, self.thread, self.unsubscribe_url, now,
            self._tracking(self.step, now),
        )  # fmt: skip

    def _tracking(self, step: MailStep, now: datetime) -> Tracking | None:
        opens, clicks = is_tracked(step, self.sender, self.objects)
        if not (opens or clicks):
            return None
        message = self.message
        mail = TrackedMail(
            message.workspace_id, message.id, message.contact_id or 0, message.campaign_id or 0, message.account_id,
            message.node_id or 0, now,
        )  # fmt: skip
        return Tracking(self.keyring, self.public_url, mail, opens=opens, clicks=clicks)


def is_tracked(step: MailStep, sender: AnyRow, objects: bool) -> tuple[bool, bool]:
    """Return whether a mail tells of its opening, and of clicks: by every switch, unless the contact objects."""
    if objects:
        return False, False
    return step.track_opens and sender.track_opens, step.track_clicks and sender.track_clicks


def draft_of(
    message: QueuedMessage,
    plan: Plan,
    step: MailStep,
    contact: AnyRow,
    sender: AnyRow,
    thread: Thread,
    unsubscribe_url: str,
    now: datetime,
    tracking: Tracking | None = None,
    *,
    announces_pixel: bool = False,
) -> Draft:
    """Return the mail of a step for a contact (campaigns.md, Variables); raises ContentFault.

    Without `tracking` it has no pixel and its links are those that the author wrote. Its footer tells of a pixel where
    it has one; `announces_pixel` lets one that only shows how the mail will look tell so without.
    """
    if step.subject is None or step.body is None:
        raise ContentFault(step.fault if step.fault in CONTENT_FAULTS else "template_fault")
    language = contact.language or sender.language
    values = contact_values(
        cast(Mapping[str, object], contact._mapping),
        now=now,
        zone=plan.zone,
        language=language,
        signature=sender.signature or sender.workspace_signature,
        unsubscribe_url=unsubscribe_url,
        custom=contact.fields,
    )
    plain_only = plan.settings.first_mail_plain and step.number == 1
    try:
        link = None if tracking is None else tracking.link
        mail = render_mail(step.subject, step.body, values, plain_only=plain_only, link=link)
    except TemplateFault as fault:
        raise ContentFault(fault.code if fault.code in CONTENT_FAULTS else "template_fault") from None
    subject = mail.subject or (reply_subject(thread.subject) if thread.subject else "")
    if not subject:
        raise ContentFault("empty_subject")
    # What was rendered decides, not the template: a block around the link may have hidden it for this contact.
    has_pixel = announces_pixel or (tracking is not None and tracking.opens)
    footer = Footer(
        language,
        sender.postal_address,
        None if unsubscribe_url in mail.text else unsubscribe_url,
        preferences_url=preferences_url(unsubscribe_url) if has_pixel else None,
    )
    html, text = with_footer(mail.html, mail.text, footer)
    if html is not None and tracking is not None:
        html += tracking.closing()
    return Draft(
        rfc_id=message.rfc_id,
        sender_address=sender.email,
        sender_name=sender.display_name,
        to_address=message.to_address,
        to_name=" ".join(part for part in (contact.first_name, contact.last_name) if part),
        subject=subject,
        text=text,
        html=None if html is None else f"<html><body>{html}</body></html>",
        date=now,
        in_reply_to=thread.rfc_ids[-1] if thread.rfc_ids else None,
        references=thread.rfc_ids,
        unsubscribe_url=unsubscribe_url,
        # Only where somebody reads what is written there.
        unsubscribe_mailto=_mailto(sender.email, unsubscribe_url) if sender.imap_host else None,
    )


def _mailto(address: str, unsubscribe_url: str) -> str | None:
    token = unsubscribe_url.rpartition("/u/")[2]
    return unsubscribe_mailto(address, token) if token else None


def contacts_by_id(session: Session, contact_ids: Sequence[int]) -> Mapping[int, AnyRow]:
    """Return the contacts' rows as mails need them."""
    rows = session.connection().execute(_CONTACTS, {"ids": list(contact_ids)})
    return {row.id: row for row in rows}


def threads_of(session: Session, enrollment_ids: Sequence[int]) -> Mapping[int, Thread]:
    """Return what was sent before in each of these walks; walks without a mail are left out."""
    if not enrollment_ids:
        return {}
    found: dict[int, Thread] = {}
    for row in session.connection().execute(_EARLIER, {"ids": list(enrollment_ids)}):
        earlier = found.get(row.enrollment_id, Thread())
        found[row.enrollment_id] = Thread((*earlier.rfc_ids, row.rfc_id), earlier.subject or row.subject)
    return found


def sender_row(session: Session, account_id: int) -> AnyRow:
    """Return the account as mails need it: address, name, signatures, postal address, language."""
    return session.connection().execute(_SENDER.where(_ACCOUNT.c.id == account_id)).one()
