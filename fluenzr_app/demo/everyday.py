"""What people do takes effect: their mails arrive in mailboxes, their clicks at the server."""

import asyncio
import contextlib
import logging
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta

from sqlmodel import Session

from fluenzr_app.campaigns.enrollments import stop_contact
from fluenzr_app.clock import Clock
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.demo.post_office import DemoPostOffice
from fluenzr_app.demo.recipients import Recipients, Visit
from fluenzr_app.tracking import unsubscribe
from fluenzr_app.tracking.errors import BadLink

log = logging.getLogger(__name__)

# Follows a link; returns False when nobody answered there and it is worth another attempt.
Press = Callable[[Visit], Awaitable[bool]]

_LOOK_EVERY_S = 0.25
_ANSWER_WITHIN_S = 5.0
_TRY_AGAIN = timedelta(minutes=20)


async def carry_out(recipients: Recipients, office: DemoPostOffice, now: datetime, press: Press) -> set[str]:
    """Let happen what people do by `now` (aware), and return the accounts whose mailboxes got something."""
    reached = set()
    for deed in recipients.due(now):
        if not isinstance(deed, Visit):
            office.mailboxes.deliver(deed.account, deed.raw, deed.at)
            reached.add(deed.account)
        elif not await press(deed):
            recipients.put_off(deed, now + _TRY_AGAIN)
    return reached


def press_without_server(db: Database, keyring: KeyRing) -> Press:
    """Return a way to follow an unsubscribe link while no server runs: what its route would do, at the visit's time."""

    def stop(session: Session, workspace_id: int, contact_id: int, now: datetime) -> None:
        stop_contact(session, workspace_id, contact_id, "unsubscribed", "unsubscribed", now)

    def work(session: Session, visit: Visit) -> None:
        token = visit.link.rpartition("/u/")[2]
        with contextlib.suppress(BadLink):
            unsubscribe.apply(session, keyring, token, visit.at, "one_click", stop)

    async def press(visit: Visit) -> bool:
        await db.run(db.transact, work, visit)
        return True

    return press


async def press_at_server(visit: Visit) -> bool:
    """Follow an unsubscribe link as a mail program does for the one-click (RFC 8058, 3.1)."""
    return await asyncio.to_thread(_post, visit.link)


def _post(link: str) -> bool:
    # Never by a proxy that the environment names: the server is this process.
    way = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    form = urllib.request.Request(link, b"List-Unsubscribe=One-Click", method="POST")  # noqa: S310 - see `Visit`
    try:
        with way.open(form, timeout=_ANSWER_WITHIN_S) as answer:
            answer.read()
    except urllib.error.HTTPError as refusal:
        # A link that is good for nothing stays so.
        return refusal.code < 500
    except OSError:
        return False
    return True


@contextlib.asynccontextmanager
async def people_living(
    recipients: Recipients, office: DemoPostOffice, clock: Clock, press: Press = press_at_server
) -> AsyncIterator[None]:
    """Let people read and act by `clock` for as long as the block lasts."""

    async def live() -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            try:
                recipients.look()
                await carry_out(recipients, office, clock.now(), press)
            except Exception:
                log.exception("the demonstration's people could not act")

    living = asyncio.create_task(live())
    try:
        yield
    finally:
        living.cancel()
        await asyncio.gather(living, return_exceptions=True)
