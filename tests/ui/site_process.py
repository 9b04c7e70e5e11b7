"""Serves an installation for the tests of pages; prints its setup link and `ready`."""

import os
import sys
from datetime import datetime
from pathlib import Path

from fluenzr_app import logs, server
from fluenzr_app.bundle import ensure_bundle
from fluenzr_app.clock import Clock, SystemClock
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.all_models import metadata
from fluenzr_app.db.engine import Database
from fluenzr_app.demo.clock import DemoClock
from fluenzr_app.settings import load_settings
from tests.people import PASSWORD


def _clock() -> Clock:
    if "--at" not in sys.argv:
        return SystemClock()
    clock = DemoClock(datetime.fromisoformat(sys.argv[sys.argv.index("--at") + 1]), 1.0)
    clock.run()
    return clock


def main() -> None:
    logs.configure("INFO")
    settings = load_settings(_env_file=None)
    # Another bundle than the sources', for the tests of an upgrade.
    server.prepare(settings, Path(os.environ["SITE_BUNDLE"]) if "SITE_BUNDLE" in os.environ else ensure_bundle())
    from fluenzr_app.api.app import create_api
    from fluenzr_app.api.runtime import ApiRuntime
    from fluenzr_app.ui.runtime import Runtime, install
    from fluenzr_app.workspaces import service as workspaces
    from fluenzr_app.workspaces.rate_limit import RateLimit

    database, keyring, wall = Database.open(settings), KeyRing.load(settings), SystemClock()
    clock = _clock()
    metadata.create_all(database.engine)
    rate_limit = RateLimit(settings.api_rate_limit, settings.redis_url)
    install(Runtime(settings, database, keyring, clock, wall=wall, rate_limit=rate_limit))
    with database.transaction() as session:
        if "--fresh" not in sys.argv and not workspaces.has_owner(session):
            workspaces.create_owner(
                session,
                keyring,
                email="camille@rivage.example",
                password=PASSWORD,
                first_name="Camille",
                last_name="Rousseau",
                workspace_name="Atelier Rivage",
                language="fr",
                now=clock.now(),
            )
        print(f"setup={workspaces.setup_link(session, clock.now()) or ''}", flush=True)
    api = create_api(ApiRuntime(settings, database, keyring, clock, wall=wall), rate_limit=rate_limit)
    server.serve(settings, server.compose(settings, api_app=api), on_ready=lambda: print("ready", flush=True))


if __name__ == "__main__":
    main()
