"""Putting the rooms together: one engine, its origins, the ticks (composition only)."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

from sqlmodel import Session, col, select

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
from fluenzr_app.diagnosis import snoozes
from fluenzr_app.events import nightly
from fluenzr_app.inbox.answer_origin import AnswerOrigin
from fluenzr_app.inbox.store import Wiring
from fluenzr_app.inbox.watch import READ_EVERY_S, MailboxWatch, OpenMailbox
from fluenzr_app.mail.imap_mailbox import open_mailbox
from fluenzr_app.mail.mailbox import Mailbox
from fluenzr_app.mail.smtp import SmtpTransport
from fluenzr_app.scheduler.ticks import Tick, Ticker
from fluenzr_app.sending.engine import EngineSettings, SendingEngine
from fluenzr_app.sending.lanes import Sender
from fluenzr_app.sending.origin import Origin
from fluenzr_app.settings import Settings
from fluenzr_app.tracking import judge
from fluenzr_app.workspaces.models import Workspace
from fluenzr_app.workspaces.service import forget_old

SEND_EVERY_S = 1.0
IMPORT_EVERY_S = 2.0
RESUME_EVERY_S = 15.0
WATCH_EVERY_S = 2.0
JUDGE_EVERY_S = 2.0
SNOOZES_EVERY_S = 300.0
HOURLY_S = 3600.0


@dataclass(frozen=True)
class Installation:
    """What one process works with."""

    settings: Settings
    db: Database
    keyring: KeyRing
    clock: Clock


class SendingSide:
    """The part of a process that sends and reads: engine, planner, mailboxes and the ticks around them.

    `open_mailbox` stands in for the way to an account's own IMAP server (the demo's mailboxes are in this process).
    """

    def __init__(
        self,
        installation: Installation,
        rng: random.Random | None = None,
        *,
        every_s: float = SEND_EVERY_S,
        watch_every_s: float = WATCH_EVERY_S,
        read_every_s: float = READ_EVERY_S,
        judge_every_s: float = JUDGE_EVERY_S,
        open_mailbox: OpenMailbox | None = None,
    ) -> None:
        self._installation = installation
        self._rng = rng or random.Random()  # noqa: S311 - pace and Message-IDs, no secrets
        self.plans = Plans()
        self._figures_may_be_checked = False
        self._imports = ImportRunner(
            installation.db, installation.settings.data_dir, installation.keyring, installation.clock
        )
        self.origins: Mapping[str, Origin] = {
            "test": SelfTestOrigin(installation.settings.public_url),
            "answer": AnswerOrigin(),
            "campaign": CampaignOrigin(installation.keyring, installation.settings.public_url, self.plans),
        }
        self.mailboxes = MailboxWatch(
            installation.db,
            installation.clock,
            Wiring(installation.keyring, self.origins, installation.settings.public_url),
            open_mailbox or self._open_mailbox,
            owner="the only one" if installation.db.is_sqlite else None,
            at_once=installation.settings.mailboxes_at_once,
            read_every_s=read_every_s,
        )
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
                Tick("mailboxes", watch_every_s, self.mailboxes.tick),
                Tick("sending", every_s, self.send_due),
                Tick("opens and clicks", judge_every_s, self.judge_hits),
                Tick("imports", IMPORT_EVERY_S, self._advance_imports),
                Tick("import files", HOURLY_S, self._sweep_imports),
                Tick("old sessions", HOURLY_S, self._forget_old_sessions),
                Tick("old opens and clicks", HOURLY_S, self._forget_old_details),
                Tick("figures", HOURLY_S, self._check_figures),
                Tick("what was put aside", SNOOZES_EVERY_S, self._forget_ended_snoozes),
            )
        )

    async def send_due(self) -> None:
        """Queue what is due in campaigns and start serving the accounts that may send."""
        place = self._installation
        await place.db.run(campaign_tick.tick, place.db, place.clock, self.plans, self._rng)
        await self.engine.tick()

    async def judge_hits(self) -> None:
        """Judge all opens and clicks that are due; between the transactions others get their turn."""
        place = self._installation
        now = place.clock.now()
        while await place.db.run(judge.tick, place.db, now):
            pass

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send for as long as the block lasts; at its end what is in flight finishes and the rest is handed back."""
        await self.engine.start()
        try:
            async with self.ticker.running():
                yield
        finally:
            await asyncio.shield(self._stop())

    async def _stop(self) -> None:
        await asyncio.gather(self.engine.stop(), self.mailboxes.stop())

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

    async def _forget_old_details(self) -> None:
        place = self._installation
        while await place.db.run(place.db.transact, judge.forget_old_details, place.clock.now()):
            pass

    async def _check_figures(self) -> None:
        place = self._installation
        # The ticks of a start are waited for, and a recount may take minutes: an hour later is soon enough.
        if self._figures_may_be_checked:
            ids = await place.db.run(_workspace_ids, place.db)
            await place.db.run(nightly.tick, place.db, ids, place.clock.now())
        self._figures_may_be_checked = True

    async def _forget_ended_snoozes(self) -> None:
        place = self._installation
        await place.db.run(snoozes.tick, place.db, place.clock.now(), utc_now())

    def _sender_of(self, session: Session, account_id: int) -> Sender | None:
        account = session.get(EmailAccount, account_id)
        if account is None or account.status != "connected":
            return None
        place = self._installation
        settings = connect.smtp_settings(session, place.keyring, account, place.settings)
        parallel = place.settings.connections_per_account if account.min_gap_seconds == 0 else 1
        return Sender(
            account_id, account.revision, SmtpTransport(settings), parallel,
            keeps_mails=bool(account.imap_host), copies=bool(account.imap_host) and account.copy_to_sent,
        )  # fmt: skip

    def _open_mailbox(self, account_id: int) -> Mailbox | None:
        place = self._installation
        with place.db.read() as session:
            account = session.get(EmailAccount, account_id)
            if account is None:
                return None
            settings = connect.imap_settings(session, place.keyring, account, place.settings)
        return None if settings is None else open_mailbox(settings)


def _workspace_ids(db: Database) -> list[int]:
    with db.read() as session:
        return [key for key in session.exec(select(col(Workspace.id)).order_by(col(Workspace.id))) if key is not None]
