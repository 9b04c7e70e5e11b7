"""A workspace with accounts, contacts and a started campaign, and real worker processes that send it."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import text

from fluenzr_app.accounts.form import Limits, Server, SmtpForm
from fluenzr_app.accounts.service import connect_smtp
from fluenzr_app.campaigns import lifecycle, service
from fluenzr_app.campaigns.audience import add_contacts
from fluenzr_app.campaigns.nodes import DelayNode, EmailNode, Step
from fluenzr_app.campaigns.workflow import linear_workflow
from fluenzr_app.clock import utc_now
from fluenzr_app.contacts.bulk import bulk_upsert
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.db.migrations import migrate
from fluenzr_app.settings import Settings, load_settings
from tests.people import make_workspace
from tests.real.post_office import PostOffice

FULL = os.environ.get("FLUENZR_TEST_FULL") == "1"
ALWAYS = {
    "sendDays": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
    "sendHoursStart": 0,
    "sendHoursEnd": 24,
    "timezone": "UTC",
    "maxEmailsPerHour": None,
}
ONE_MAIL: tuple[Step, ...] = (
    EmailNode(
        "n1", "First", "Hello {{firstName|there}}", "<p>Hello {{firstName|there}}, a word about {{company}}.</p>"
    ),
)
THREE_MAILS: tuple[Step, ...] = (
    *ONE_MAIL,
    DelayNode("n2", days=3),
    EmailNode("n3", "Second", "", "<p>Did you see my last message, {{firstName|there}}?</p>"),
    DelayNode("n4", days=4),
    EmailNode("n5", "Third", "", "<p>A last word about {{company|your company}}.</p>"),
)


@dataclass(frozen=True)
class World:
    """An installation in a data directory, with one campaign under way."""

    settings: Settings
    db: Database
    keyring: KeyRing
    workspace_id: int
    campaign_id: int
    account_ids: tuple[int, ...]
    contact_ids: tuple[int, ...]

    def statuses(self) -> dict[str, int]:
        """How many messages are in each state."""
        return self._counts("SELECT status, count(*) FROM message GROUP BY status")

    def walks(self) -> dict[str, int]:
        """How many enrollments are in each state."""
        return self._counts("SELECT status, count(*) FROM enrollment GROUP BY status")

    def kept_walks(self) -> dict[str, int]:
        """The same as the product keeps it."""
        return self._counts("SELECT status, sum(n) FROM enrollment_count GROUP BY status HAVING sum(n) <> 0")

    def addresses(self, condition: str) -> list[str]:
        """The recipients of the messages that meet an SQL condition."""
        with self.db.read() as session:
            rows = session.connection().execute(text(f"SELECT to_address FROM message WHERE {condition}"))
            return [row[0] for row in rows]

    def pause(self) -> None:
        """Pause the campaign."""
        with self.db.transaction() as session:
            lifecycle.pause(session, self.workspace_id, self.campaign_id, utc_now())

    def resume(self) -> None:
        """Resume the campaign."""
        with self.db.transaction() as session:
            lifecycle.resume(session, self.workspace_id, self.campaign_id, utc_now())

    def worker(self, data_dir: Path | None = None, **environment: str) -> "WorkerProcess":
        """Start a process that sends; with another data directory it stands for another machine."""
        return WorkerProcess(self.settings, data_dir or self.settings.data_dir, environment)

    def _counts(self, statement: str) -> dict[str, int]:
        with self.db.read() as session:
            return {row[0]: int(row[1]) for row in session.connection().execute(text(statement))}


class WorkerProcess:
    """`fluenzr serve --role worker`, as an operator would start it."""

    def __init__(self, settings: Settings, data_dir: Path, environment: dict[str, str]) -> None:
        self._log = data_dir / f"worker-{time.monotonic_ns()}.log"
        own = {
            "FLUENZR_DATA_DIR": str(data_dir),
            "FLUENZR_DATABASE_URL": settings.database_url,
            "FLUENZR_SECRET_KEY": settings.secret_key or "",
            "PATH": os.environ["PATH"],
            "HOME": str(data_dir),
        }
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "fluenzr_app", "serve", "--role", "worker"],
                env=own | environment,
                cwd=data_dir,
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """SIGKILL: no chance to put anything in order."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> None:
        """SIGTERM once it is up, and wait until it has stopped in good order."""
        # While Python still loads modules nobody is there to hear the signal.
        wait_until(lambda: "FluenzR sends." in self._log.read_text(), 60, self)
        self.process.terminate()
        if self.process.wait(60) != 0:
            raise AssertionError(self._log.read_text()[-3000:])

    def check_alive(self) -> None:
        """Raise with the log when the process has ended by itself."""
        if self.process.poll() is not None:
            raise AssertionError(self._log.read_text()[-3000:])


def build(
    data_dir: Path,
    smtp_ports: Sequence[int],
    contacts: int,
    *,
    database_url: str = "",
    steps: Sequence[Step] = ONE_MAIL,
    gap: int = 0,
    now: datetime | None = None,
    sender: str = "sender",
    mailboxes: PostOffice | None = None,
) -> World:
    """An installation whose campaign writes to `contacts` people from an account at each of the ports.

    The accounts are `sender0@rivage.example` and so on, and with `mailboxes` what comes back to them is read there.
    """
    overrides: dict[str, Any] = {"database_url": database_url} if database_url else {}
    settings = load_settings(data_dir=data_dir, secret_key="scenario " * 5, _env_file=None, **overrides)
    db = Database.open(settings)
    migrate(db)
    keyring = KeyRing.load(settings)
    now = now or utc_now()
    rng = random.Random(7)
    with db.transaction() as session:
        workspace_id = make_workspace(session, keyring, "Atelier Rivage", now)
        account_ids = tuple(
            _account(session, keyring, workspace_id, f"{sender}{number}@rivage.example", port, gap, now, mailboxes)
            for number, port in enumerate(smtp_ports)
        )
        people = [
            {
                "email": f"person{number}@firm{number % 97}.example",
                "first_name": f"Person{number}",
                "company": f"Firm {number % 97}",
                "consent_source": "event",
            }
            for number in range(contacts)
        ]
        contact_ids: list[int] = []
        for begin in range(0, contacts, 1000):
            bulk_upsert(session, keyring, workspace_id, people[begin : begin + 1000], now)
        rows = session.connection().execute(
            text("SELECT id FROM contact WHERE workspace_id = :ws ORDER BY id"), {"ws": workspace_id}
        )
        contact_ids = [row[0] for row in rows]
        campaign = service.create_campaign(
            session,
            workspace_id,
            "Scenario",
            now,
            account_ids=account_ids,
            settings=ALWAYS,
            workflow=linear_workflow(list(steps)),
        )
        add_contacts(session, workspace_id, campaign.id, contact_ids, now, rng)
        lifecycle.start(session, workspace_id, campaign.id, now)
    return World(settings, db, keyring, workspace_id, campaign.id, account_ids, tuple(contact_ids))


def _account(
    session: Any,
    keyring: KeyRing,
    workspace_id: int,
    email: str,
    port: int,
    gap: int,
    now: datetime,
    mailboxes: PostOffice | None,
) -> int:
    form = SmtpForm(
        email=email,
        smtp=Server("127.0.0.1", port, "none", "anyone", "secret"),
        imap=None if mailboxes is None else Server(mailboxes.host, mailboxes.imaps_port, "ssl", *mailboxes.user(email)),
        limits=Limits(daily_limit=100_000, min_gap_seconds=gap, ramp_enabled=False),
    )
    account_id = connect_smtp(session, keyring, workspace_id, form, now).id
    assert account_id is not None
    return account_id


def wait_until(condition: Any, timeout: float, worker: WorkerProcess | None = None) -> None:
    """Wait for `condition()`; AssertionError after `timeout` seconds or when the worker dies."""
    deadline = time.monotonic() + timeout
    while not condition():
        if worker is not None:
            worker.check_alive()
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s")
        time.sleep(0.02)
