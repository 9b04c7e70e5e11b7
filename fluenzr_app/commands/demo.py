"""`fluenzr demo`: `serve` on a scratch database, with sample data, a sandbox post office and a fast clock."""

import asyncio
import contextlib
import json
import logging
import os
import random
import signal
import socket
import sys
import tempfile
import webbrowser
from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource
from sqlalchemy import event

from fluenzr_app import logs
from fluenzr_app.clock import ManualClock, utc_now
from fluenzr_app.commands.context import CommandRefused
from fluenzr_app.commands.output import refusals_in_words
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.db.migrations import migrate
from fluenzr_app.demo.browsing import press_without_server
from fluenzr_app.demo.clock import DemoClock, end_of_rest
from fluenzr_app.demo.everyday import carry_out, people_living
from fluenzr_app.demo.history import accounts_to_read, live_through
from fluenzr_app.demo.loopback import stay_on_loopback
from fluenzr_app.demo.mailboxes import opener
from fluenzr_app.demo.post_office import DemoPostOffice
from fluenzr_app.demo.sample import OWNER, Sample
from fluenzr_app.demo.story import FIRST_DAY, NEW_PASSWORD, ZONE, moment, monday_of, story
from fluenzr_app.settings import Settings
from fluenzr_app.workspaces import api_keys
from fluenzr_app.workspaces.passwords import generate_password

if TYPE_CHECKING:
    from fluenzr_app.api.demo_entry import DemoEntry

HOST = "127.0.0.1"
# An hour in 15 s: a working day is over in a bit more than two minutes.
CLOCK_RATE = 240.0
SEND_EVERY_S = 0.2
# Follow-ups wait unless their mailbox was read within ten minutes, which are two and a half seconds here.
READ_EVERY_S = 1.5
_WATCH_EVERY_S = 0.5
# Figures are called late after two minutes, half a second here.
_JUDGE_EVERY_S = 0.25
_LOOK_FOR_REST_EVERY_S = 0.5
_PORTS = range(8000, 8050)
_SEED = 20261


class DemoSettings(Settings):
    """Settings that come from here alone: the user's environment and `.env` are for the real installation."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return what was passed as the only source."""
        return (init_settings,)


@dataclass(frozen=True, slots=True)
class _Ready:
    """What is told once the demo runs."""

    url: str
    password: str
    api_key: str
    link: str

    def tell(self, *, as_json: bool) -> None:
        if as_json:
            told = {"url": self.url, "email": OWNER, "password": self.password, "apiKey": self.api_key}
            print(json.dumps(told, ensure_ascii=False), flush=True)
            print(f"signed in, once: {self.link}", file=sys.stderr, flush=True)
            return
        print(
            f"\nThe FluenzR demonstration is ready; its clock runs {CLOCK_RATE:.0f} times as fast as yours.\n"
            f"  open, signed in   {self.link}   (good for one browser)\n"
            f"  or sign in at     {self.url}\n"
            f"  e-mail            {OWNER}\n"
            f"  password          {self.password}\n"
            f"  API key           {self.api_key}\n"
            f"  The mailbox equipe@nova-conseil.example has a new password: {NEW_PASSWORD}\n"
            "No mail leaves this machine. Ctrl+C ends the demonstration and deletes all of it.\n",
            flush=True,
        )


def demo(
    port: Annotated[
        int | None, typer.Option("--port", min=1, max=65535, help="a free one near 8000 unless given")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print address and keys as one JSON line when ready")] = False,
    opens: Annotated[bool, typer.Option("--open/--no-open", help="open the browser where there is a display")] = True,
) -> None:
    """Show FluenzR at work: a scratch installation with sample data on a fast clock; nothing leaves this machine."""
    with refusals_in_words(), _scratch_directory() as data_dir:
        # Before the event loop takes over, and when a terminal is closed, what was made must still be deleted.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
        logs.configure("WARNING")
        # At this speed ticks are passed over all the time, and one is under way at every stop; their own failures
        # are logged by the ticker.
        logging.getLogger("apscheduler").setLevel(logging.CRITICAL)
        logging.getLogger("reflex").setLevel(logging.ERROR)
        stay_on_loopback()
        chosen = _port(port)
        settings = DemoSettings(
            data_dir=data_dir, host=HOST, port=chosen, public_url=f"http://{HOST}:{chosen}",
            # The people of the demonstration ask from addresses of their own, and say so.
            trusted_proxies=(HOST,),
        )  # fmt: skip
        keyring = KeyRing.load(settings)
        db = open_scratch(settings)
        try:
            _show(settings, db, keyring, as_json=as_json, opens=opens and not as_json)
        except KeyboardInterrupt:
            pass
        finally:
            db.close()


def _show(settings: Settings, db: Database, keyring: KeyRing, *, as_json: bool, opens: bool) -> None:
    from fluenzr_app.assembly import Installation, SendingSide
    from fluenzr_app.bundle import ensure_bundle
    from fluenzr_app.commands.whole import serve_whole

    _say("preparing the demonstration…")
    ensure_bundle(tell=_say)
    monday = monday_of(utc_now().astimezone(ZONE).date())
    clock = DemoClock(moment(monday, 0, 9), CLOCK_RATE)
    office = DemoPostOffice()
    password = generate_password()
    sample = asyncio.run(seed(settings, db, keyring, office, monday, password))
    office.go_by(clock)
    entry, api_key = _entry(db, sample)
    ready = _Ready(settings.public_url, password, api_key, settings.public_url + entry.path)

    def on_ready() -> None:
        ready.tell(as_json=as_json)
        if opens and _has_display():
            webbrowser.open(ready.link)

    side = SendingSide(
        Installation(settings, db, keyring, clock), every_s=SEND_EVERY_S, watch_every_s=_WATCH_EVERY_S,
        read_every_s=READ_EVERY_S, judge_every_s=_JUDGE_EVERY_S, open_mailbox=opener(settings, db, keyring, office),
    )  # fmt: skip
    serve_whole(
        settings, db, keyring, clock, sends=True, side=side, demo=entry, on_ready=on_ready,
        lifespans=(
            office.open, lambda: people_living(sample.recipients, office, clock), lambda: _clock_running(db, clock),
        ),
    )  # fmt: skip


async def seed(
    settings: Settings, db: Database, keyring: KeyRing, office: DemoPostOffice, monday: date, password: str
) -> Sample:
    """Live through the five weeks before `monday` with the real engine, and return what was made."""
    from fluenzr_app.assembly import Installation, SendingSide

    clock = ManualClock(moment(monday, FIRST_DAY, 7))
    rng = random.Random(_SEED)  # noqa: S311 - the same people in every demonstration
    office.go_by(clock)
    sample = Sample(keyring, office, rng)
    people = sample.recipients
    side = SendingSide(
        Installation(settings, db, keyring, clock), rng, open_mailbox=opener(settings, db, keyring, office)
    )
    press = press_without_server(db, keyring)

    def read(reached: Collection[str]) -> None:
        side.mailboxes.read_now(accounts_to_read(db, clock.now(), reached))

    async def live() -> Collection[str]:
        reached = await carry_out(people, office, clock.now(), press, at_their_time=True)
        await side.judge_hits()
        return reached

    async def turn() -> None:
        await db.run(read, await live())
        await side.send_due()
        await side.engine.drain()
        people.look()

    async with office.open():
        await side.engine.start()
        try:
            acts = story(sample, monday, password)
            await live_through(db, clock, acts, moment(monday, 0, 9), turn, people.next_at)
            # What was looked at over the weekend.
            await live()
        finally:
            await side.engine.stop()
            await side.mailboxes.stop()
    return sample


def _entry(db: Database, sample: Sample) -> "tuple[DemoEntry, str]":
    from fluenzr_app.api.demo_entry import DemoEntry

    owner = sample.owner
    assert owner is not None
    with db.transaction() as session:
        key = api_keys.create_key(
            session, owner.workspace_id, name="Démonstration", permission="all", created_by=owner.user_id, now=utc_now()
        )
    return DemoEntry(owner.user_id, owner.workspace_id, CLOCK_RATE), key.secret


@contextlib.asynccontextmanager
async def _clock_running(db: Database, clock: DemoClock) -> AsyncIterator[None]:
    """Let the clock go, and pass over nights and weekends in which no campaign writes."""

    def look() -> None:
        with db.read() as session:
            morning = end_of_rest(session, clock.now())
        if morning is not None:
            clock.skip_to(morning)

    async def keep_looking() -> None:
        while True:
            await asyncio.sleep(_LOOK_FOR_REST_EVERY_S)
            try:
                await db.run(look)
            except Exception:
                logging.getLogger(__name__).exception("the demonstration's clock could not look ahead")

    clock.run()
    looking = asyncio.create_task(keep_looking())
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


@contextlib.contextmanager
def _scratch_directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="fluenzr-demo-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def open_scratch(settings: Settings) -> Database:
    """Return a database with the whole schema that is written without waiting for the disk."""
    db = Database.open(settings)

    # Nothing here has to outlive a power cut, and the past is lived through in half the time.
    @event.listens_for(db.engine, "connect")
    def _hurry(connection: Any, _record: object) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    db.engine.dispose()
    migrate(db)
    return db


def _port(wanted: int | None) -> int:
    for port in _PORTS if wanted is None else (wanted,):
        with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as probe:
            # As the server binds: connections of the last run that are still fading away are no obstacle.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    if wanted is not None:
        raise CommandRefused(f"port {wanted} is taken; choose another one with --port")
    raise CommandRefused(f"no port from {_PORTS.start} to {_PORTS.stop - 1} is free; choose one with --port")


def _has_display() -> bool:
    # Elsewhere the module would take over the terminal with a browser made of text.
    return sys.platform in ("darwin", "win32") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
