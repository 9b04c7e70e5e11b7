"""What people do takes effect: their mails arrive in mailboxes, their clicks at the server."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

from fluenzr_app.clock import Clock
from fluenzr_app.demo.browsing import Press, press_at_server
from fluenzr_app.demo.post_office import DemoPostOffice
from fluenzr_app.demo.recipients import Recipients, Visit

log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.25
_TRY_AGAIN = timedelta(minutes=20)
# Two looks at a mail that come together are taken for a machine's.
_NEXT_LOOK = timedelta(minutes=5)


async def carry_out(
    recipients: Recipients, office: DemoPostOffice, now: datetime, press: Press, *, at_their_time: bool = False
) -> set[str]:
    """Let happen what people do by `now` (aware), and return the accounts whose mailboxes got something.

    `at_their_time`: `press` takes each visit for one of its own moment. Otherwise it happens now, and of those to one
    mail, such as all of a night, the second comes later.
    """
    reached: set[str] = set()
    looked_at: set[str] = set()
    for deed in recipients.due(now):
        if not isinstance(deed, Visit):
            office.mailboxes.deliver(deed.account, deed.raw, deed.at)
            reached.add(deed.account)
        elif deed.rfc_id in looked_at:
            recipients.put_off(deed, now + _NEXT_LOOK)
        else:
            if deed.rfc_id and not at_their_time:
                looked_at.add(deed.rfc_id)
            if not await _made(press, deed):
                recipients.put_off(deed, now + _TRY_AGAIN)
    return reached


async def _made(press: Press, visit: Visit) -> bool:
    try:
        return await press(visit)
    except Exception:
        # What others do at the same moment is not to be lost with it.
        log.exception("somebody of the demonstration could not make a visit")
        return False


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
