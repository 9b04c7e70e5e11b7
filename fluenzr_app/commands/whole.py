"""The whole product in one process: bundle, pages, API and sending behind one server."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from fluenzr_app import server
from fluenzr_app.assembly import Installation, SendingSide
from fluenzr_app.bundle import ensure_bundle
from fluenzr_app.clock import Clock, SystemClock
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.settings import Settings

if TYPE_CHECKING:
    from fluenzr_app.api.demo_entry import DemoEntry


def serve_whole(
    settings: Settings,
    db: Database,
    keyring: KeyRing,
    clock: Clock,
    *,
    sends: bool,
    on_ready: Callable[[], None],
    side: SendingSide | None = None,
    demo: "DemoEntry | None" = None,
    lifespans: tuple[server.Lifespan, ...] = (),
) -> None:
    """Serve until a stop signal; `sends` says whether this process also runs the scheduler.

    `side` replaces the sending part that would be made here, `lifespans` are entered before it. With `demo` the
    routes of the demonstration are there, and sessions go by the wall while all else goes by `clock`.
    """
    bundle = ensure_bundle(tell=lambda line: print(line, file=sys.stderr, flush=True))
    # Reflex reads its environment when it is first imported, so nothing above may import it.
    server.prepare(settings, bundle)
    from fluenzr_app.api.app import create_api
    from fluenzr_app.api.runtime import ApiRuntime
    from fluenzr_app.api.track import TrackedLinks
    from fluenzr_app.ui.runtime import Runtime, install
    from fluenzr_app.workspaces.rate_limit import RateLimit

    sending = side or SendingSide(Installation(settings, db, keyring, clock)) if sends else None
    wall = None if demo is None else SystemClock()
    rate_limit = RateLimit(settings.api_rate_limit, settings.redis_url)
    install(Runtime(settings, db, keyring, clock, 1.0 if demo is None else demo.clock_rate, wall, rate_limit))
    checks = {} if sending is None else {"scheduler": lambda _session: sending.ticker.silent()}
    services = ApiRuntime(settings, db, keyring, clock, checks=checks, wall=wall)
    links = TrackedLinks(services)
    running = (links.running, *lifespans, *(() if sending is None else (sending.running,)))
    application = server.compose(
        settings, api_app=create_api(services, demo, links, rate_limit), lifespans=running, ahead=links.ahead()
    )
    server.serve(settings, application, on_ready=on_ready)
