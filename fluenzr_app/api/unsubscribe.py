"""`/u/{token}`: opening the link shows a page and changes nothing, POST unsubscribes at once (RFC 8058, 3.1)."""

from datetime import datetime
from typing import Final

from fastapi import APIRouter, Request, Response
from sqlmodel import Session

from fluenzr_app.api import unsubscribe_page as page
from fluenzr_app.api.cookies import Services
from fluenzr_app.api.key_gate import read_body
from fluenzr_app.api.recipient_page import answer, broken, choose_language, sample
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.campaigns.enrollments import stop_contact
from fluenzr_app.tracking import unsubscribe
from fluenzr_app.tracking.errors import BadLink
from fluenzr_app.tracking.unsubscribe import SAMPLE_TOKEN, How, Recipient

router = APIRouter()

_MAX_FORM: Final = 64 * 1024


@router.api_route("/u/{token}", methods=["GET", "HEAD"])
async def show(token: str, request: Request, runtime: Services, lang: str = "") -> Response:
    """Show the page, in the recipient's language unless another was asked for; nothing changes."""
    accepted = request.headers.get("accept-language", "")
    if token == SAMPLE_TOKEN:
        return answer(sample(choose_language(lang, accepted)))
    try:
        recipient = await runtime.database.run(_recipient, runtime, token)
    except BadLink:
        return answer(broken(choose_language(lang, accepted)), 404)
    language = choose_language(lang, recipient.language, accepted)
    build = page.done if recipient.done else page.asking
    return answer(build(language, recipient.workspace_name, token))


@router.post("/u/{token}")
async def act(token: str, request: Request, runtime: Services, lang: str = "") -> Response:
    """Unsubscribe, from the page's button or by a mail program's one click, without cookie, login or question."""
    # As a plain or as a multipart form (RFC 8058, 3.1); what it says changes nothing but the event's note.
    one_click = b"One-Click" in await read_body(request, _MAX_FORM)
    accepted = request.headers.get("accept-language", "")
    if token == SAMPLE_TOKEN:
        return answer(sample(choose_language(lang, accepted)))
    try:
        recipient = await runtime.database.run(_apply, runtime, token, "one_click" if one_click else "page")
    except BadLink:
        return answer(broken(choose_language(lang, accepted)), 404)
    language = choose_language(lang, recipient.language, accepted)
    return answer(page.done(language, recipient.workspace_name, token))


def _recipient(runtime: ApiRuntime, token: str) -> Recipient:
    with runtime.database.read() as session:
        return unsubscribe.recipient_of(session, unsubscribe.read_token(session, runtime.keyring, token))


def _apply(runtime: ApiRuntime, token: str, how: How) -> Recipient:
    def work(session: Session) -> Recipient:
        unsubscribe.apply(session, runtime.keyring, token, runtime.now(), how, end_walks)
        return unsubscribe.recipient_of(session, unsubscribe.read_token(session, runtime.keyring, token))

    # Tried again when it was a deadlock's victim: a refusal must not be lost to that.
    return runtime.database.transact(work)


def end_walks(session: Session, workspace_id: int, contact_id: int, now: datetime) -> None:
    """End the walks of somebody who unsubscribed."""
    stop_contact(session, workspace_id, contact_id, "unsubscribed", "unsubscribed", now)
