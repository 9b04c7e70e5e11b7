"""What lies beside the inbox's pages: a mail's own HTML for a frame, files that came and went, files for a draft.

Everything here was written by strangers. HTML is shown in a document that runs nothing, belongs to no origin and asks
nobody but, where somebody wants it, for pictures; files only ever download (inbox.md, Replies).
"""

from typing import Final
from urllib.parse import quote, unquote

from fastapi import APIRouter, Depends, Request, Response
from starlette.requests import ClientDisconnect

from fluenzr_app.api.cookies import Person, from_our_page
from fluenzr_app.api.envelope import Answer, ApiError, Shape, json_response
from fluenzr_app.db.ids import parse_public_id, public_id
from fluenzr_app.inbox import answers
from fluenzr_app.inbox.conversations import get_conversation
from fluenzr_app.inbox.errors import AnswerRefused, ConversationNotFound
from fluenzr_app.inbox.files import file_that_came, file_that_went
from fluenzr_app.inbox.thread import shown_html
from fluenzr_app.tracking.own_links import own_links

router = APIRouter(dependencies=[Depends(from_our_page)])

# A link of the mail opens in a tab of its own, outside the sandbox; nothing else is allowed to the document.
_SANDBOX: Final = "sandbox allow-popups allow-popups-to-escape-sandbox"
_CLOSED: Final = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_OWN_IMAGES: Final = "img-src data:"
_ALL_IMAGES: Final = "img-src data: https: http:"
# Kinds of files that no browser runs, whatever it is told; all others are octets.
_HARMLESS: Final = frozenset(
    ("application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp", "text/plain", "text/csv")
)


class FileShape(Shape):
    """A file that goes with a draft."""

    id: str
    filename: str
    size: int


@router.get("/downloads/mails/{mail_id}/page")
async def mail_page(mail_id: str, person: Person, images: bool = False) -> Response:
    """Send the HTML of an incoming mail as a page for a sandboxed frame; with `images` those from elsewhere too."""
    key, runtime = parse_public_id("inb", mail_id), person.runtime

    def ask() -> str:
        with runtime.database.read() as session:
            links = own_links(session, runtime.keyring, runtime.settings.public_url)
            return shown_html(session, links, person.workspace_id, key, remote_images=images).document

    try:
        document = await runtime.database.run(ask)
    except ConversationNotFound:
        raise _not_found() from None
    policy = f"{_SANDBOX}; {_CLOSED}; {_ALL_IMAGES if images else _OWN_IMAGES}; frame-ancestors 'self'"
    headers = {
        "content-security-policy": policy,
        # For browsers that do not know frame-ancestors.
        "x-frame-options": "SAMEORIGIN",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
    }
    return Response(document, media_type="text/html; charset=utf-8", headers=headers)


@router.get("/downloads/conversations/{conversation_id}/mails/{mail_id}/files/{index}")
async def incoming(conversation_id: str, mail_id: str, index: int, person: Person) -> Response:
    """Send a file of an incoming mail, to be kept and not to be shown."""
    conversation, mail = parse_public_id("cnv", conversation_id), parse_public_id("inb", mail_id)
    database = person.runtime.database

    def ask() -> Response:
        with database.read() as session:
            file, content = file_that_came(session, person.workspace_id, conversation, mail, index)
        return _download(file.filename, file.content_type, content)

    try:
        return await database.run(ask)
    except ConversationNotFound:
        raise _not_found() from None


@router.get("/downloads/conversations/{conversation_id}/answers/{message_id}/files/{file_id}")
async def outgoing(conversation_id: str, message_id: str, file_id: str, person: Person) -> Response:
    """Send a file that went with an answer."""
    conversation, message = parse_public_id("cnv", conversation_id), parse_public_id("msg", message_id)
    key, database = parse_public_id("fil", file_id), person.runtime.database

    def ask() -> Response:
        with database.read() as session:
            file, content = file_that_went(session, person.workspace_id, conversation, message, key)
        return _download(file.filename, file.content_type, content)

    try:
        return await database.run(ask)
    except ConversationNotFound:
        raise _not_found() from None


@router.post("/uploads/answers/{conversation_id}", status_code=201)
async def upload(conversation_id: str, request: Request, person: Person) -> Response:
    """Take a file for the person's draft as the plain body, its name percent-encoded in `X-File-Name`.

    Over the bound of an answer the reply is 413, at once where the length is announced, else as soon as it is passed.
    """
    conversation = parse_public_id("cnv", conversation_id)
    name = unquote(request.headers.get("x-file-name", ""))[:255].replace("\0", "")
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    runtime = person.runtime

    def look() -> None:
        with runtime.database.read() as session:
            get_conversation(session, person.workspace_id, conversation)

    try:
        # Before a stranger's megabytes are taken in.
        await runtime.database.run(look)
    except ConversationNotFound:
        raise _not_found() from None
    content = await _bounded(request)

    def keep() -> FileShape:
        with runtime.database.transaction() as session:
            file = answers.add_file(
                session, person.workspace_id, conversation, person.identity.user_id, name, kind, content, person.now
            )
            return FileShape(id=public_id("fil", file.index), filename=file.filename, size=file.size)

    try:
        shape = await runtime.database.run(keep)
    except ConversationNotFound:
        raise _not_found() from None
    except AnswerRefused as refused:
        status = 413 if refused.code in ("file_too_large", "files_too_large") else 400
        raise ApiError(status, "FILE_REFUSED", str(refused), {"why": refused.code}) from None
    return json_response(Answer(shape).body(), 201)


async def _bounded(request: Request) -> bytes:
    bound = answers.MOST_OCTETS
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced[:19]) > bound:
        raise _too_large(bound)
    content = bytearray()
    try:
        async for block in request.stream():
            content += block
            if len(content) > bound:
                raise _too_large(bound)
    except ClientDisconnect:
        raise ApiError(400, "UPLOAD_INCOMPLETE", "The file did not come in completely. Try again.") from None
    return bytes(content)


def _download(name: str, content_type: str, content: bytes) -> Response:
    plain = "".join(sign if sign.isascii() and (sign.isalnum() or sign in "-_.") else "_" for sign in name)
    # RFC 6266, 4.3: a plain name for all, the exact one for whoever reads the extended form.
    disposition = f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
    headers = {
        "content-disposition": disposition,
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }
    kind = content_type if content_type in _HARMLESS else "application/octet-stream"
    return Response(content, media_type=kind, headers=headers)


def _not_found() -> ApiError:
    return ApiError(404, "NOT_FOUND", "There is no such mail or file.")


def _too_large(bound: int) -> ApiError:
    words = f"Files may have {bound // 1_000_000} MB in all: mailboxes refuse more."
    return ApiError(413, "FILE_REFUSED", words, {"why": "file_too_large", "limit": bound})
