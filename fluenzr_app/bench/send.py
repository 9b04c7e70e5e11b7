"""`send`: the whole engine into a local sink, against composing and sending the same mails with no database."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence

from sqlalchemy import text

from fluenzr_app.assembly import SendingSide
from fluenzr_app.bench.sink import running_sink
from fluenzr_app.bench.world import CONNECTIONS, BenchWorld, bench_world
from fluenzr_app.campaigns.origin import CampaignOrigin
from fluenzr_app.mail.compose import compose
from fluenzr_app.mail.smtp import SmtpTransport
from fluenzr_app.sending.rows import as_messages, select_messages
from fluenzr_app.sending.values import Content

MAILS = 3_000


async def measure_send(mails: int = MAILS) -> dict[str, float]:
    """Return mails a second of both, and their ratio (`engine` to `bare`)."""
    with running_sink() as port, bench_world(port, mails) as world:
        began = time.perf_counter()
        sent = await _engine(world)
        engine = sent / (time.perf_counter() - began)
        if sent != mails:
            raise AssertionError(f"the engine sent {sent} of {mails} mails")
        contents, transport = _same_mails(world)
        began = time.perf_counter()
        await _bare(contents, transport, world)
        bare = mails / (time.perf_counter() - began)
    return {"engine": round(engine, 1), "bare": round(bare, 1), "ratio": round(engine / bare, 3)}


async def _engine(world: BenchWorld) -> int:
    side = SendingSide(world.installation)
    await side.engine.start()
    await side.send_due()
    await side.engine.drain()
    with world.installation.db.read() as session:
        sent = session.connection().execute(text("SELECT count(*) FROM message WHERE status = 'sent'")).scalar_one()
    await side.engine.stop()
    return int(sent)


def _same_mails(world: BenchWorld) -> tuple[Sequence[Content], SmtpTransport]:
    """Load what the engine sent, so that only rendering, composing and sending are left to do."""
    side = SendingSide(world.installation)
    origin = side.origins["campaign"]
    if not isinstance(origin, CampaignOrigin):
        raise AssertionError("the origin of campaigns is another one")
    with world.installation.db.read() as session:
        messages = as_messages(session.connection().execute(select_messages()).all())
        contents: list[Content] = []
        for begin in range(0, len(messages), 500):
            part = messages[begin : begin + 500]
            found = origin.contents(session, part, world.clock.now())
            contents.extend(found[message.id] for message in part)
        sender = side._sender_of(session, world.account_id)
    if sender is None or not isinstance(sender.transport, SmtpTransport):
        raise AssertionError("the account cannot send")
    return contents, sender.transport


async def _bare(contents: Sequence[Content], transport: SmtpTransport, world: BenchWorld) -> None:
    waiting = deque(contents)

    async def lane() -> None:
        connection = await transport.connect()
        while waiting:
            await connection.send(compose(waiting.popleft().draft(world.clock.now())))
        await connection.close()

    await asyncio.gather(*(lane() for _ in range(CONNECTIONS)))
