"""Conversations, their mails and what may be done with them, as the API gives and takes them (inbox.md)."""

import re
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field

from fluenzr_app.api.envelope import Given, Shape
from fluenzr_app.db.ids import public_id
from fluenzr_app.inbox.answers import MOST_FILES, MOST_LETTERS
from fluenzr_app.inbox.conversations import ConversationLine
from fluenzr_app.inbox.thread import FileView, ThreadItem
from fluenzr_app.mail.bodies import text_to_html

# As long as a request may be at all (see key_gate.MAX_BODY).
_MOST_BASE64 = 8 * 1024 * 1024
_CAME = ("reply", "automatic")
_TAG = re.compile(
    r"</?(?:a|b|blockquote|br|div|em|h[1-3]|hr|i|img|li|ol|p|pre|s|span|strong|table|td|tr|u|ul)(?:\s[^<>]*)?/?>", re.I
)


def _within_reason(moment: datetime) -> datetime:
    # Near the ends of the calendar a change of zone has no answer.
    if not 1900 <= moment.year <= 2200:
        raise ValueError("A date between 1900 and 2200 is expected.")
    return moment


Moment = Annotated[AwareDatetime, AfterValidator(_within_reason)]


class TalkerShape(Shape):
    """The contact of a conversation; `name` is empty where only the address is known."""

    id: str
    email: str
    name: str
    company: str
    status: str


class OurAccountShape(Shape):
    """The email account through which the conversation runs."""

    id: str
    email: str


class TheirCampaignShape(Shape):
    """The campaign whose mail was answered."""

    id: str
    name: str


class ConversationShape(Shape):
    """The thread with one contact through one account. Status: unread, read, replied, archived.

    `label` is interested, not_interested, later or `null`; `lastKind` is what came last: reply, automatic, answer.
    `stopAskedAt`: the whole answer was a request to stop, which nobody has confirmed yet. `returnsOn`: the day that an
    automatic answer named. `snoozedUntil`: put away until then.
    """

    id: str
    contact: TalkerShape
    account: OurAccountShape
    campaign: TheirCampaignShape | None
    subject: str
    preview: str
    status: str
    label: str | None
    last_kind: str
    last_at: datetime
    last_inbound_at: datetime
    returns_on: date | None
    stop_asked_at: datetime | None
    snoozed_until: datetime | None
    created_at: datetime
    updated_at: datetime


class AttachmentShape(Shape):
    """A file beside a mail; `size` is in octets."""

    id: str
    filename: str
    content_type: str
    size: int


class MailShape(Shape):
    """One mail. Kind: mail (of a campaign), answer (by hand), reply, automatic.

    `status` is that of an outgoing mail (queued, claimed, sending, sent, uncertain, failed, cancelled), `null` for one
    that came in; `dueAt` is when a queued one leaves, `detail` the server's words about one that failed. `quoted` is
    what the sender quoted. `step` is the number of a campaign's mail. `openedAt` and `clickedAt`: when a person first
    opened it or followed a link in it; `null` where nobody did, or where that is not asked after.
    """

    id: str
    kind: str
    at: datetime
    from_name: str
    from_address: str
    to_address: str
    subject: str
    text: str
    quoted: str
    truncated: bool
    attachments: list[AttachmentShape]
    status: str | None
    detail: str
    due_at: datetime | None
    returns_on: date | None
    campaign: TheirCampaignShape | None
    step: int | None
    opened_at: datetime | None
    clicked_at: datetime | None


class ThreadShape(ConversationShape):
    """A conversation with its mails, oldest first; `replyRefused` is the code of why nobody can answer, if so."""

    reply_refused: str | None
    messages: list[MailShape]


class ConversationGiven(Given):
    """What changes; what is absent stays. `label: null` takes the label off, `snoozedUntil: null` brings it back."""

    status: Literal["unread", "read", "replied", "archived"] | None = None
    label: Literal["interested", "not_interested", "later"] | None = None
    snoozed_until: Moment | None = None


class AttachmentGiven(Given):
    """A file to go with a reply; `content` is base64 (RFC 4648)."""

    filename: str = Field(max_length=500)
    content_type: str = Field(default="application/octet-stream", max_length=100)
    content: str = Field(max_length=_MOST_BASE64)


class ReplyGiven(Given):
    """A reply. `body` is HTML where a tag stands in it, else plain text, unless `format` says which.

    It leaves ten seconds later, or at `sendAt`. Files have 6 MB in all, for a request holds 8 MiB at most.
    """

    body: str = Field(max_length=MOST_LETTERS)
    format: Literal["html", "text"] | None = None
    send_at: Moment | None = None
    attachments: list[AttachmentGiven] = Field(default_factory=list, max_length=MOST_FILES)

    def html(self) -> str:
        """Return the body as HTML, not sanitised."""
        is_html = self.format == "html" or (self.format is None and _TAG.search(self.body) is not None)
        return self.body if is_html else text_to_html(self.body)


class QueuedShape(Shape):
    """A reply in the queue: its message, and when it leaves."""

    id: str
    conversation_id: str
    status: str
    due_at: datetime


def conversation_shape(line: ConversationLine) -> ConversationShape:
    """Return a conversation in the API's form."""
    return ConversationShape(
        id=public_id("cnv", line.id),
        contact=TalkerShape(
            id=public_id("con", line.contact_id),
            email=line.email,
            name=line.contact_name,
            company=line.company,
            status=line.contact_status,
        ),
        account=OurAccountShape(id=public_id("acc", line.account_id), email=line.account_email),
        campaign=_campaign(line.campaign_id, line.campaign_name),
        subject=line.subject,
        preview=line.preview,
        status=line.status,
        label=line.label or None,
        last_kind=line.last_kind,
        last_at=line.last_at,
        last_inbound_at=line.last_inbound_at,
        returns_on=line.returns_on,
        stop_asked_at=line.stop_asked_at,
        snoozed_until=line.snoozed_until,
        created_at=line.created_at,
        updated_at=line.updated_at,
    )


def thread_shape(line: ConversationLine, refused: str | None, items: tuple[ThreadItem, ...]) -> ThreadShape:
    """Return a conversation with its mails in the API's form."""
    head = conversation_shape(line)
    values = {name: getattr(head, name) for name in ConversationShape.model_fields}
    return ThreadShape(**values, reply_refused=refused, messages=[mail_shape(item) for item in items])


def mail_shape(item: ThreadItem) -> MailShape:
    """Return one mail of a conversation in the API's form."""
    return MailShape(
        id=public_id("inb" if item.kind in _CAME else "msg", item.id),
        kind=item.kind,
        at=item.at,
        from_name=item.from_name,
        from_address=item.from_address,
        to_address=item.to_address,
        subject=item.subject,
        text=item.text,
        quoted=item.quoted,
        truncated=item.truncated,
        attachments=[_attachment(file) for file in item.files],
        status=item.status or None,
        detail=item.detail,
        due_at=item.due_at,
        returns_on=item.returns_on,
        campaign=_campaign(item.campaign_id, item.campaign_name),
        step=item.step or None,
        opened_at=item.opened_at,
        clicked_at=item.clicked_at,
    )


def _campaign(key: int | None, name: str) -> TheirCampaignShape | None:
    return None if key is None else TheirCampaignShape(id=public_id("cmp", key), name=name)


def _attachment(file: FileView) -> AttachmentShape:
    return AttachmentShape(
        id=public_id("fil", file.index), filename=file.filename, content_type=file.content_type, size=file.size
    )
