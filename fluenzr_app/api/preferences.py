"""`/p/{token}`: opening the link shows what can be decided and changes nothing, POST does it at once (tracking.md)."""

from typing import Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from sqlmodel import Session

from fluenzr_app.api import preferences_page as page
from fluenzr_app.api.cookies import Services
from fluenzr_app.api.key_gate import read_body
from fluenzr_app.api.preferences_page import Choice
from fluenzr_app.api.recipient_page import answer, broken, choose_language, sample
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.api.unsubscribe import end_walks
from fluenzr_app.tracking import preferences, unsubscribe
from fluenzr_app.tracking.errors import BadLink
from fluenzr_app.tracking.preferences import Preferences
from fluenzr_app.tracking.unsubscribe import SAMPLE_TOKEN

router = APIRouter()

_MAX_FORM: Final = 64 * 1024


@router.api_route("/p/{token}", methods=["GET", "HEAD"])
async def show(token: str, request: Request, runtime: Services, lang: str = "") -> Response:
    """Show how things stand, in the recipient's language unless another was asked for; nothing changes."""
    accepted = request.headers.get("accept-language", "")
    if token == SAMPLE_TOKEN:
        return answer(sample(choose_language(lang, accepted)))
    try:
        found = await runtime.database.run(_found, runtime, token)
    except BadLink:
        return answer(broken(choose_language(lang, accepted)), 404)
    return answer(page.choices(choose_language(lang, found.language, accepted), found))


@router.post("/p/{token}")
async def act(token: str, request: Request, runtime: Services, lang: str = "") -> Response:
    """Do what the page's button says, without cookie, login or question."""
    choice = _choice(await read_body(request, _MAX_FORM))
    accepted = request.headers.get("accept-language", "")
    if token == SAMPLE_TOKEN:
        return answer(sample(choose_language(lang, accepted)))
    try:
        if choice is None:
            found = await runtime.database.run(_found, runtime, token)
            return answer(page.not_understood(choose_language(lang, found.language, accepted)), 400)
        found = await runtime.database.run(_apply, runtime, token, choice)
    except BadLink:
        return answer(broken(choose_language(lang, accepted)), 404)
    return answer(page.choices(choose_language(lang, found.language, accepted), found, choice))


def _choice(form: bytes) -> Choice | None:
    """Return the one choice that a form names; None for none, another one, or more than one."""
    given = parse_qs(form.decode("latin-1")).get(page.FIELD, [])
    return next((choice for choice in page.CHOICES if given == [choice]), None)


def _found(runtime: ApiRuntime, token: str) -> Preferences:
    with runtime.database.read() as session:
        return preferences.preferences_of(session, unsubscribe.read_token(session, runtime.keyring, token))


def _apply(runtime: ApiRuntime, token: str, choice: Choice) -> Preferences:
    def work(session: Session) -> Preferences:
        link, now = unsubscribe.read_token(session, runtime.keyring, token), runtime.now()
        # Asked first: where the workspace is gone, there is nothing to decide.
        preferences.preferences_of(session, link)
        if choice == "object":
            preferences.object_by_link(session, link, now)
        elif choice == "allow":
            preferences.allow_by_link(session, link, now)
        else:
            unsubscribe.apply(session, runtime.keyring, token, now, "page", end_walks)
        return preferences.preferences_of(session, link)

    # Tried again when it was a deadlock's victim: a refusal must not be lost to that.
    return runtime.database.transact(work)
