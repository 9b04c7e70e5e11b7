"""`/v1/conversations`: list, read with their mails, answer, mark, put off, and the files beside mails (api.md)."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Final
from urllib.parse import quote

from fastapi import APIRouter, Query, Response
from sqlmodel import Session

from fluenzr_app.api.caller import Asked
from fluenzr_app.api.conversation_shapes import (
    AttachmentGiven,
    ConversationGiven,
    ConversationShape,
    QueuedShape,
    ReplyGiven,
    ThreadShape,
    conversation_shape,
    thread_shape,
)
from fluenzr_app.api.envelope import Answer, ApiError, Envelope, ListEnvelope, json_response, page_meta
from fluenzr_app.api.refusals import Translate, invalid, not_found
from fluenzr_app.db.ids import BadPublicId, parse_public_id, public_id
from fluenzr_app.inbox import answers, conversations, errors
from fluenzr_app.inbox.conversations import LABELS, STATUSES, Filters
from fluenzr_app.inbox.files import file_that_came, file_that_went
from fluenzr_app.inbox.thread import UNDO_FOR, FileView, thread
from fluenzr_app.mail.compose import AttachedFile

router = APIRouter(prefix="/conversations", tags=["conversations"])

_LABELS: Final = tuple(filter(None, LABELS))
_UNLABELLED: Final = "none"
_MEDIA = re.compile(r"[\w!#$&^.+-]{1,60}/[\w!#$&^.+-]{1,60}", re.ASCII)
# What is wrong with the request itself, and where; anything else is the state of the conversation (409).
_FAULTS: Mapping[str, str] = {
    "empty": "body",
    "too_long": "body",
    "bad_time": "sendAt",
    "bad_file": "attachments",
    "too_many_files": "attachments",
    "file_too_large": "attachments",
    "files_too_large": "attachments",
}
_API_NAMES: Mapping[str, str] = {"until": "snoozedUntil"}
_Id = Annotated[str, Query(max_length=40)]


@router.get("", response_model=ListEnvelope[ConversationShape])
async def list_(
    caller: Asked,
    page: Annotated[int, Query(ge=1, le=10_000_000)] = 1,
    per_page: Annotated[int, Query(alias="perPage", ge=1, le=100)] = 20,
    status: Annotated[str, Query(max_length=20)] = "",
    campaign_id: Annotated[_Id, Query(alias="campaignId")] = "",
    account_id: Annotated[_Id, Query(alias="accountId")] = "",
    contact_id: Annotated[_Id, Query(alias="contactId")] = "",
    label: Annotated[str, Query(max_length=20)] = "",
    since: Annotated[str, Query(alias="from", max_length=40)] = "",
    until: Annotated[str, Query(alias="to", max_length=40)] = "",
    query: Annotated[str, Query(max_length=200)] = "",
    include_archived: Annotated[bool, Query(alias="includeArchived")] = False,
) -> Response:
    """List conversations, newest first; archived ones only with `status=archived` or `includeArchived`.

    What is given must all hold. `from` and `to` bound the last mail: days, `to` included, or moments, `to` excluded.
    `label=none` gives those without one. `query` looks for words of the contact, the campaigns and everything written.
    """
    filters = Filters(
        status=status,
        archived_too=include_archived,
        campaign_id=_key("cmp", campaign_id, "campaignId"),
        account_id=_key("acc", account_id, "accountId"),
        contact_id=_key("con", contact_id, "contactId"),
        label=_label(label),
        since=_bound("from", since),
        until=_bound("to", until, after_the_day=True),
        query=query,
    )
    if status and status not in STATUSES:
        raise invalid("status", f"A status is one of {', '.join(STATUSES)}.", "unknown_status")

    def ask(session: Session) -> Answer:
        found = conversations.list_conversations(session, caller.workspace_id, filters, page=page, per_page=per_page)
        meta = page_meta(page, per_page, found.total, lower_bound=found.total_is_lower_bound)
        return Answer([conversation_shape(line) for line in found.lines], meta=meta)

    return json_response((await caller.read(ask)).body())


@router.get("/{conversation_id}", response_model=Envelope[ThreadShape])
async def get(conversation_id: str, caller: Asked) -> Response:
    """Read a conversation with its mails, oldest first. Reading it here does not mark it as read."""
    key = parse_public_id("cnv", conversation_id)

    def ask(session: Session) -> Answer:
        line = conversations.get_conversation(session, caller.workspace_id, key)
        return Answer(thread_shape(line, answers.why_not(session, line), thread(session, caller.workspace_id, key)))

    return json_response((await caller.read(ask)).body())


@router.post("/{conversation_id}/reply", status_code=201, response_model=Envelope[QueuedShape])
async def reply(conversation_id: str, given: ReplyGiven, caller: Asked) -> Response:
    """Answer from the conversation's account, in its thread. 409 tells in `details.code` why nobody may write there."""
    key = parse_public_id("cnv", conversation_id)

    def act(session: Session) -> Answer:
        # First of all, so that a stranger learns nothing from what is wrong with the rest.
        conversations.get_conversation(session, caller.workspace_id, key)
        files = [_attached(file, place) for place, file in enumerate(given.attachments)]
        message_id = answers.send_answer(
            session, caller.workspace_id, key, given.html(), caller.now, caller.runtime.rng,
            at=given.send_at, files=files,
        )  # fmt: skip
        due_at = given.send_at or caller.now + UNDO_FOR
        shape = QueuedShape(
            id=public_id("msg", message_id), conversation_id=conversation_id, status="queued", due_at=due_at
        )
        return Answer(shape, 201)

    return await caller.write(act)


@router.put("/{conversation_id}", response_model=Envelope[ConversationShape])
async def change(conversation_id: str, given: ConversationGiven, caller: Asked) -> Response:
    """Change status, label or snooze: only what is given. A snoozed one is archived until then, and unread after."""
    return await _change(conversation_id, given, caller)


@router.put("/{conversation_id}/status", response_model=Envelope[ConversationShape])
async def change_status(conversation_id: str, given: ConversationGiven, caller: Asked) -> Response:
    """Do the same as PUT of the conversation itself."""
    return await _change(conversation_id, given, caller)


@router.get(
    "/{conversation_id}/messages/{mail_id}/attachments/{attachment_id}",
    response_class=Response,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The file as it is."}},
)
async def attachment(conversation_id: str, mail_id: str, attachment_id: str, caller: Asked) -> Response:
    """Fetch a file beside a mail, as it is: the one answer that is no JSON. It may hold anything; do not open it."""
    key, index = parse_public_id("cnv", conversation_id), parse_public_id("fil", attachment_id)
    came = mail_id.startswith("inb_")
    mail = parse_public_id("inb" if came else "msg", mail_id)

    def ask(session: Session) -> tuple[FileView, bytes]:
        take = file_that_came if came else file_that_went
        return take(session, caller.workspace_id, key, mail, index)

    file, content = await caller.read(ask)
    return _download(file, content)


async def _change(conversation_id: str, given: ConversationGiven, caller: Asked) -> Response:
    key = parse_public_id("cnv", conversation_id)

    def act(session: Session) -> Answer:
        _apply(session, caller.workspace_id, key, given, caller.now)
        return Answer(conversation_shape(conversations.get_conversation(session, caller.workspace_id, key)))

    return await caller.write(act)


def _apply(session: Session, workspace_id: int, key: int, given: ConversationGiven, now: datetime) -> None:
    before, asked = conversations.get_conversation(session, workspace_id, key), given.model_fields_set
    if "status" in asked and given.status is None:
        raise invalid("status", "“status” cannot be empty.", "missing")
    if given.snoozed_until is not None and given.status not in (None, "archived"):
        raise invalid("snoozedUntil", "A snoozed conversation is archived until then.", "not_archived")
    if "label" in asked:
        conversations.set_label(session, workspace_id, [key], given.label or "", now)
    if given.snoozed_until is not None:
        conversations.snooze(session, workspace_id, key, given.snoozed_until.astimezone(UTC), now)
    elif given.status is not None:
        conversations.set_status(session, workspace_id, [key], given.status, now)
    elif "snoozed_until" in asked and before.snoozed_until is not None:
        conversations.set_status(session, workspace_id, [key], "unread", now)


def _attached(given: AttachmentGiven, place: int) -> AttachedFile:
    try:
        content = base64.b64decode("".join(given.content.split()), validate=True)
    except (binascii.Error, ValueError):
        raise invalid(f"attachments.{place}.content", "The content is no base64.", "no_base64") from None
    return AttachedFile(given.filename, given.content_type, content)


def _download(file: FileView, content: bytes) -> Response:
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_.") else "_" for sign in file.filename)
    # RFC 6266, 4.3: a plain name for all, the exact one for whoever reads the extended form.
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(file.filename, safe='')}"
    # Its sender chose the type; what is no type at all must not become a header.
    media = file.content_type if _MEDIA.fullmatch(file.content_type) else "application/octet-stream"
    headers = {"content-disposition": disposition, "cache-control": "no-store", "content-type": media}
    return Response(content, headers=headers)


def _key(prefix: str, text: str, field: str) -> int | None:
    if not text:
        return None
    try:
        return parse_public_id(prefix, text)
    except BadPublicId as error:
        raise invalid(field, str(error), "unknown_id") from None


def _label(text: str) -> str | None:
    if text and text != _UNLABELLED and text not in _LABELS:
        raise invalid("label", f"A label is one of {', '.join((*_LABELS, _UNLABELLED))}.", "unknown_label")
    return None if not text else "" if text == _UNLABELLED else text


def _bound(field: str, text: str, *, after_the_day: bool = False) -> datetime | None:
    if not text:
        return None
    try:
        if len(text) == len("2026-03-02"):
            day = date.fromisoformat(text)
            moment = datetime.combine(day, time.min, UTC) + timedelta(days=int(after_the_day))
        else:
            moment = datetime.fromisoformat(text)
        if moment.tzinfo is None or not 1900 <= moment.year <= 2200:
            raise ValueError
    except (ValueError, OverflowError):
        words = "Give a day (2026-03-02) or a moment with its zone (2026-03-02T08:00:00Z)."
        raise invalid(field, words, "no_moment") from None
    return moment.astimezone(UTC)


def _refused(error: errors.AnswerRefused) -> ApiError:
    if error.code == "no_such_answer":
        return not_found()
    if error.code in _FAULTS:
        return invalid(_FAULTS[error.code], str(error), error.code)
    return ApiError(409, "REPLY_REFUSED", str(error), {"code": error.code})


REFUSALS: Sequence[tuple[type[Exception], Translate]] = (
    (errors.ConversationNotFound, not_found),
    (errors.BadFilter, lambda error: invalid(_API_NAMES.get(error.field, error.field), str(error))),
    (errors.AnswerRefused, _refused),
    (errors.InboxError, lambda error: ApiError(400, "VALIDATION_ERROR", str(error))),
)
