"""Whatever kills the process, an opening or a click that was answered is stored, and counts once."""

import asyncio
import random
from collections import Counter, deque
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from fluenzr_app.clock import utc_now
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.db.migrations import migrate
from fluenzr_app.events import figures
from fluenzr_app.settings import Settings, load_settings
from fluenzr_app.tracking import judge
from fluenzr_app.tracking.links import Click, TrackedMail, click_token_for, open_token_for
from tests.people import make_workspace
from tests.scenarios.link_process import LinkProcess, free_port
from tests.scenarios.world import FULL

MAILS, KILLS = (20_000, 40) if FULL else (1_000, 4)
CONNECTIONS = 24
AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
# Each fifth mail is clicked in, the others are opened.
CLICKED_EACH = 5


class Readers:
    """People who ask for every path until it was answered, also when the connection breaks."""

    def __init__(self, port: int, paths: dict[int, str]) -> None:
        self._port = port
        self._waiting = deque(paths.items())
        self.asked: Counter[int] = Counter()
        self.answered: Counter[int] = Counter()
        self.statuses: Counter[bytes] = Counter()
        self.up = asyncio.Event()

    async def read(self) -> None:
        """Go on until nothing waits."""
        await asyncio.gather(*(self._one() for _ in range(CONNECTIONS)))

    async def _one(self) -> None:
        while self._waiting:
            await self.up.wait()
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            except ConnectionError:
                await asyncio.sleep(0.01)
                continue
            try:
                while self._waiting:
                    message_id, path = self._waiting.popleft()
                    try:
                        await self._ask(reader, writer, message_id, path)
                    except (ConnectionError, asyncio.IncompleteReadError):
                        # Whether it was stored nobody knows; the person looks at the mail once more.
                        self._waiting.append((message_id, path))
                        break
            finally:
                writer.close()

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, message_id: int, path: str
    ) -> None:
        self.asked[message_id] += 1
        writer.write(f"GET {path} HTTP/1.1\r\nHost: mail.example\r\nUser-Agent: {AGENT}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        # The status alone is the answer; what follows may be cut off.
        self.answered[message_id] += 1
        self.statuses[head.split(b" ")[1]] += 1
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        await reader.readexactly(int(length.partition(b":")[2]))


@pytest.mark.timeout(3600 if FULL else 240)
async def test_every_answered_hit_is_stored_and_each_mail_is_opened_once_whatever_kills_the_process(tmp_path: Path):
    settings = load_settings(data_dir=tmp_path, secret_key="scenario " * 5, _env_file=None)
    database = Database.open(settings)
    migrate(database)
    paths = _paths(settings, database)
    rng = random.Random(29)
    port = free_port()
    readers = Readers(port, paths)
    reading = asyncio.create_task(readers.read())
    for _ in range(KILLS):
        process = await asyncio.to_thread(LinkProcess, settings, port)
        try:
            enough = readers.answered.total() + rng.randint(1, MAILS // (KILLS + 1))
            readers.up.set()
            await _until(lambda enough=enough: readers.answered.total() >= enough or reading.done())
            await asyncio.sleep(rng.uniform(0, 0.02))
        finally:
            readers.up.clear()
            process.kill()
        # Of those whose connection broke nobody knows; of all others it is known.
        assert _missing(database, readers) == set()
    process = await asyncio.to_thread(LinkProcess, settings, port)
    readers.up.set()
    await asyncio.wait_for(reading, 600 if FULL else 60)
    process.stop()
    assert set(readers.statuses) == {b"200", b"302"}
    assert readers.answered.total() >= MAILS
    _check_books(database, readers)
    database.close()


def _paths(settings: Settings, database: Database) -> dict[int, str]:
    now, keyring = utc_now(), KeyRing.load(settings)
    with database.transaction() as session:
        workspace_id = make_workspace(session, keyring, "Atelier Rivage", now)
    paths = {}
    for number in range(1, MAILS + 1):
        mail = TrackedMail(workspace_id, number, number, 1, 1, 1, now - timedelta(hours=1))
        if number % CLICKED_EACH == 0:
            address = f"https://rivage.example/{number}"
            paths[number] = f"/c/{click_token_for(keyring, Click(mail, address, address))}"
        else:
            paths[number] = f"/o/{open_token_for(keyring, mail)}"
    return paths


def _missing(database: Database, readers: Readers) -> set[int]:
    """Who was answered and is neither stored nor judged already."""
    with database.read() as session:
        found = session.connection().execute(text("SELECT message_id FROM hit UNION SELECT message_id FROM event"))
        return set(readers.answered) - set(found.scalars())


def _check_books(database: Database, readers: Readers) -> None:
    later = utc_now() + timedelta(minutes=5)
    while database.transact(judge.judge_due, later):
        pass
    with database.read() as session:
        rows = session.connection().execute(text("SELECT type, message_id, machine FROM event")).all()
        ever = session.connection().execute(text("SELECT seq FROM sqlite_sequence WHERE name = 'hit'")).scalar_one()
        assert figures.verify(session) == []
    clicked = {number for number in range(1, MAILS + 1) if number % CLICKED_EACH == 0}
    opened = set(range(1, MAILS + 1)) - clicked
    assert Counter(row.message_id for row in rows if row.type == judge.OPENED) == Counter(opened)
    assert Counter(row.message_id for row in rows if row.type == judge.CLICKED) == Counter(clicked)
    assert not any(row.machine for row in rows)
    # Nothing was stored that was not asked for, and nothing that was asked for once was stored twice.
    assert readers.answered.total() <= ever <= readers.asked.total()


async def _until(condition) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.002)
