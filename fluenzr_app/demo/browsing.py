"""What people and machines ask of the product's public routes: over HTTP while a server runs, by its rooms before."""

import asyncio
import contextlib
import http.client
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from sqlmodel import Session

from fluenzr_app.campaigns.enrollments import stop_contact
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.demo.loopback import is_loopback
from fluenzr_app.demo.reading import Ask
from fluenzr_app.demo.recipients import Visit
from fluenzr_app.tracking import preferences, unsubscribe
from fluenzr_app.tracking.errors import BadLink
from fluenzr_app.tracking.hits import NewHit, write_hits
from fluenzr_app.tracking.link_keys import none_retired
from fluenzr_app.tracking.links import read_click, read_open
from fluenzr_app.tracking.machines import Request, rule_of

# Makes a visit; returns False when nobody answered there and it is worth another attempt.
Press = Callable[[Visit], Awaitable[bool]]

_ANSWER_WITHIN_S: Final = 5.0
_FORM: Final = "application/x-www-form-urlencoded"
# Between the requests of one visit.
_NEXT_ASK: Final = timedelta(milliseconds=200)
_TOO_MANY: Final = 429


async def press_at_server(visit: Visit) -> bool:
    """Ask for everything at once, as programs do, and follow no redirect: what is behind it exists only in the tale.

    The demonstration's server believes this machine when it says for whom it asks (X-Forwarded-For).
    """
    answered = await asyncio.gather(*(asyncio.to_thread(_asked, ask) for ask in visit.asks))
    return all(answered)


def _asked(ask: Ask) -> bool:
    place = urlsplit(ask.link)
    if place.scheme != "http" or not is_loopback(place.hostname or "elsewhere"):
        # An author's own link, while clicks are not asked after: nothing here answers it.
        return True
    headers = {"X-Forwarded-For": ask.ip} if ask.ip else {}
    if ask.agent:
        headers["User-Agent"] = ask.agent
    if ask.method == "POST":
        headers["Content-Type"] = _FORM
    way = http.client.HTTPConnection(place.netloc, timeout=_ANSWER_WITHIN_S)
    try:
        way.request(ask.method, place.path or "/", ask.form or None, headers)
        answer = way.getresponse()
        answer.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        way.close()
    # A link that is good for nothing stays so.
    return answer.status < 500 and answer.status != _TOO_MANY


def press_without_server(db: Database, keyring: KeyRing) -> Press:
    """Return a way to make visits while no server runs: what the routes would do, at the visit's time."""

    def work(session: Session, visit: Visit) -> None:
        for number, ask in enumerate(visit.asks):
            with contextlib.suppress(BadLink):
                _act(session, keyring, ask, visit.at + number * _NEXT_ASK)

    async def press(visit: Visit) -> bool:
        await db.run(db.transact, work, visit)
        return True

    return press


def _act(session: Session, keyring: KeyRing, ask: Ask, at: datetime) -> None:
    before, _, token = urlsplit(ask.link).path.rpartition("/")
    if before == "/u":
        unsubscribe.apply(session, keyring, token, at, "one_click", _stop)
    elif before == "/p":
        preferences.object_by_link(session, unsubscribe.read_token(session, keyring, token), at)
    elif before in ("/o", "/c"):
        write_hits(session, [_hit(keyring, ask, before == "/o", token, at)])


def _hit(keyring: KeyRing, ask: Ask, is_open: bool, token: str, at: datetime) -> NewHit:
    request = Request(ask.method, ask.agent, ask.ip)
    if is_open:
        mail = read_open(keyring, token, none_retired)
        return NewHit("open", mail, at, rule_of(request, "open"), ip=ask.ip, user_agent=ask.agent)
    click = read_click(keyring, token, none_retired)
    rule = "trap" if click.trap else rule_of(request, "click")
    return NewHit("click", click.mail, at, rule, click.source, click.tracks_opens, ask.ip, ask.agent)


def _stop(session: Session, workspace_id: int, contact_id: int, now: datetime) -> None:
    stop_contact(session, workspace_id, contact_id, "unsubscribed", "unsubscribed", now)
