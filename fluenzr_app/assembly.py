"""Putting the rooms together: one engine, its origins, the ticks (composition only)."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from sqlmodel import Session

from fluenzr_app.accounts import connect, health
from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns import tick as campaign_tick
from fluenzr_app.campaigns.origin import CampaignOrigin
from fluenzr_app.campaigns.plans import Plans
from fluenzr_app.campaigns.self_tests import SelfTestOrigin
from fluenzr_app.clock import Clock, utc_now
from fluenzr_app.contacts.import_run import ImportRunner
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.mail.smtp import SmtpTransport
from fluenzr_app.scheduler.ticks import Tick, Ticker
from fluenzr_app.sending.engine import EngineSettings, SendingEngine
from fluenzr_app.sending.lanes import Sender
from fluenzr_app.sending.origin import Origin
from fluenzr_app.settings import Settings
from fluenzr_app.workspaces.service import forget_old

SEND_EVERY_S = 1.0
IMPORT_EVERY_S = 2.0
RESUME_EVERY_S = 15.0
HOURLY_S = 3600.0


@dataclass(frozen=True)
class Installation:
    """What one process works with."""

    settings: Settings
    db: Database
    keyring: KeyRing
    clock: Clock


class SendingSide:
    """The part of a process that sends: engine, planner and the ticks around them."""

    def __init__(
        self, installation: Installation, rng: random.Random | None = None, *, every_s: float = SEND_EVERY_S
    ) -> None:
        self._installation = installation
        self._rng = rng or random.Random()  # noqa: S311 - pace and Message-IDs, no secrets
        self.plans = Plans()
        self._imports = ImportRunner(
            installation.db, installation.settings.data_dir, installation.keyring, installation.clock
        )
        self.origins: Mapping[str, Origin] = {
            "test": SelfTestOrigin(),
            "campaign": CampaignOrigin(installation.keyring, installation.settings.public_url, self.plans),
        }
        self.engine = SendingEngine(
            installation.db,
            installation.clock,
            self.origins,
            self._sender_of,
            EngineSettings(installation.settings.data_dir, only_one=installation.db.is_sqlite),
            self._rng,
        )
        self.ticker = Ticker(
            (
                Tick("accounts", RESUME_EVERY_S, self._resume_accounts),
                Tick("sending", every_s, self.send_due),
                Tick("imports", IMPORT_EVERY_S, self._advance_imports),
                Tick("import files", HOURLY_S, self._sweep_imports),
                Tick("old sessions", HOURLY_S, self._forget_old_sessions),
            )
        )

    async def send_due(self) -> None:
        """Queue what is due in campaigns and start serving the accounts that may send."""
        place = self._installation
        await place.db.run(campaign_tick.tick, place.db, place.clock, self.plans, self._rng)
        await self.engine.tick()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send for as long as the block lasts; at its end what is in flight finishes and the rest is handed back."""
        await self.engine.start()
        try:
            async with self.ticker.running():
                yield
        finally:
            await asyncio.shield(self.engine.stop())

    async def _resume_accounts(self) -> None:
        place = self._installation
        await place.db.run(place.db.transact, health.due_to_resume, place.clock.now())

    async def _advance_imports(self) -> None:
        place = self._installation
        await place.db.run(self._imports.tick)

    async def _sweep_imports(self) -> None:
        place = self._installation
        await place.db.run(self._imports.sweep, place.clock.now())

    async def _forget_old_sessions(self) -> None:
        place = self._installation
        # Sessions go by the wall, also where the product's clock is a virtual one.
        await place.db.run(place.db.transact, forget_old, utc_now())

    def _sender_of(self, session: Session, account_id: int) -> Sender | None:
        account = session.get(EmailAccount, account_id)
        if account is None or account.status != "connected":
            return None
        place = self._installation
        settings = connect.smtp_settings(session, place.keyring, account, place.settings)
        parallel = place.settings.connections_per_account if account.min_gap_seconds == 0 else 1
        return Sender(account_id, account.revision, SmtpTransport(settings), parallel)
