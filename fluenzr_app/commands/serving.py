"""`fluenzr serve`: everything on one port, or one role of several processes."""

import signal
import sys
from typing import Annotated

import typer

from fluenzr_app import logs
from fluenzr_app.clock import SystemClock, utc_now
from fluenzr_app.commands.context import CommandRefused
from fluenzr_app.commands.output import refusals_in_words
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.db.migrations import migrate
from fluenzr_app.settings import Settings, load_settings
from fluenzr_app.workspaces import users


def serve(
    role: Annotated[str, typer.Option("--role", help="all, web or worker")] = "all",
    host: Annotated[str | None, typer.Option("--host")] = None,
    port: Annotated[int | None, typer.Option("--port")] = None,
) -> None:
    """Serve pages, API, links and the scheduler on one port; the schema is brought up to date first."""
    with refusals_in_words():
        if role not in ("all", "web", "worker"):
            raise CommandRefused("--role takes all, web or worker")
        overrides = {name: value for name, value in (("host", host), ("port", port)) if value is not None}
        settings = load_settings(**overrides)
        logs.configure(settings.log_level)
        logs.keep_warnings(settings.data_dir)
        # Before the event loop takes over, a stop signal must still unwind what was begun.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        keyring = KeyRing.load(settings)
        db = Database.open(settings)
        try:
            migrate(db)
            if role == "worker":
                _work(settings, db, keyring)
            else:
                _serve_pages(settings, db, keyring, sends=role == "all")
        finally:
            db.close()


def _serve_pages(settings: Settings, db: Database, keyring: KeyRing, *, sends: bool) -> None:
    from fluenzr_app.commands.whole import serve_whole

    with db.transaction() as session:
        token = users.setup_link(session, utc_now())
    link = None if token is None else f"{settings.public_url}/first-start?token={token}"

    def ready() -> None:
        print(f"FluenzR is ready: {settings.public_url}", file=sys.stderr, flush=True)
        if link is not None:
            print(f"Make the owner here (good for one use): {link}", file=sys.stderr, flush=True)

    serve_whole(settings, db, keyring, SystemClock(), sends=sends, on_ready=ready)


def _work(settings: Settings, db: Database, keyring: KeyRing) -> None:
    import asyncio

    from fluenzr_app.assembly import Installation, SendingSide

    side = SendingSide(Installation(settings, db, keyring, SystemClock()))

    async def until_stopped() -> None:
        stopped = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        async with side.running():
            print("FluenzR sends.", file=sys.stderr, flush=True)
            await stopped.wait()

    import uvloop

    uvloop.run(until_stopped())
