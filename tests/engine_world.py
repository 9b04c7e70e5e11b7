"""A workspace on a virtual clock with the real engine, and a post office at the edge of the network that can fail.

Everything from the due row to the hand-over of a composed mail is the product's own; what stands behind it takes each
mail, or fails as the test asks, in the words of `mail.transport`.
"""

import random
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message as Mail
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlmodel import Session

from fluenzr_app.accounts import health
from fluenzr_app.accounts.form import Limits, Server, SmtpForm
from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.accounts.service import connect_smtp
from fluenzr_app.campaigns import lifecycle, service
from fluenzr_app.campaigns import tick as campaign_tick
from fluenzr_app.campaigns.audience import add_contacts
from fluenzr_app.campaigns.nodes import DelayNode, EmailNode, Step
from fluenzr_app.campaigns.origin import CampaignOrigin
from fluenzr_app.campaigns.plans import Plans
from fluenzr_app.campaigns.self_tests import SelfTestOrigin
from fluenzr_app.campaigns.workflow import linear_workflow
from fluenzr_app.clock import ManualClock
from fluenzr_app.contacts.bulk import bulk_upsert
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.events import figures
from fluenzr_app.mail.compose import Composed
from fluenzr_app.mail.transport import Accepted, Connection, SendFailure
from fluenzr_app.sending.claim import Claimer, claim_due
from fluenzr_app.sending.engine import EngineSettings, SendingEngine
from fluenzr_app.sending.lanes import Sender
from fluenzr_app.sending.mark import mark
from fluenzr_app.sending.origin import Origin
from fluenzr_app.sending.values import Claimed, ClaimResult, Marked, NotMarked
from fluenzr_app.settings import Settings
from tests.people import make_workspace

PUBLIC_URL = "https://app.rivage.example"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ALWAYS: dict[str, Any] = {
    "sendDays": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
    "sendHoursStart": 0,
    "sendHoursEnd": 24,
    "timezone": "UTC",
    "maxEmailsPerHour": None,
}
OFFICE_HOURS: dict[str, Any] = {"timezone": "Europe/Paris", "maxEmailsPerHour": None}


_NEXT_MOMENTS = " UNION ALL ".join(
    (
        "SELECT min(due_at) FROM enrollment WHERE due_at > :now",
        "SELECT min(due_at) FROM message WHERE status = 'queued' AND due_at > :now",
        *(
            f"SELECT min({column}) FROM email_account WHERE {column} > :now"
            for column in ("next_send_at", "backoff_until", "paused_until")
        ),
    )
)
# For what depends on the engine's own arithmetic alone, whichever database keeps it.
ON_SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def mail(key: str, subject: str = "") -> EmailNode:
    """An email node; without a subject it answers in the thread."""
    return EmailNode(key, f"Mail {key}", subject, f"<p>Hello {{{{firstName|there}}}}, this is {key}.</p>")


ONE_MAIL: tuple[Step, ...] = (mail("n1", "About {{company|your company}}"),)
TWO_MAILS: tuple[Step, ...] = (*ONE_MAIL, DelayNode("n2", days=3), mail("n3"))
THREE_MAILS: tuple[Step, ...] = (*TWO_MAILS, DelayNode("n4", days=4), mail("n5"))


@dataclass(frozen=True)
class Taken:
    """A mail that the post office took."""

    at: datetime
    account_id: int
    recipient: str
    rfc_id: str
    mail: Mail
    raw: bytes = field(default=b"", repr=False)


Answer = SendFailure | None


@dataclass
class PostOffice:
    """Takes mail and remembers it. `script`: what becomes of the next mails to a recipient, then all are taken."""

    clock: ManualClock
    taken: list[Taken] = field(default_factory=list)
    offered: list[tuple[str, str]] = field(default_factory=list)
    script: dict[str, deque[Answer]] = field(default_factory=lambda: defaultdict(deque))
    # Asked for every mail; an answer other than None is raised.
    whenever: Callable[[int, str], Answer] = lambda account_id, recipient: None
    # Accounts that cannot connect, and why.
    closed: dict[int, SendFailure] = field(default_factory=dict)
    connections: int = 0

    def recipients(self) -> list[str]:
        return [each.recipient for each in self.taken]

    def counted(self) -> Counter[str]:
        return Counter(self.recipients())

    def mails_to(self, recipient: str) -> list[Taken]:
        return [each for each in self.taken if each.recipient == recipient]


@dataclass
class _Connection:
    office: PostOffice
    account_id: int
    sent_count: int = 0
    closed: bool = False

    @property
    def alive(self) -> bool:
        return not self.closed and self.account_id not in self.office.closed

    async def send(self, composed: Composed) -> Accepted:
        recipient = composed.envelope_to
        parsed = message_from_bytes(composed.raw)
        rfc_id = str(parsed["Message-ID"])
        self.office.offered.append((recipient, rfc_id))
        planned = self.office.script.get(recipient)
        failure = planned.popleft() if planned else self.office.whenever(self.account_id, recipient)
        if failure is not None:
            raise failure
        self.office.taken.append(
            Taken(self.office.clock.now(), self.account_id, recipient, rfc_id, parsed, composed.raw)
        )
        self.sent_count += 1
        return Accepted(250, "2.0.0 Ok")

    async def close(self) -> None:
        self.closed = True


@dataclass(frozen=True)
class _Transport:
    office: PostOffice
    account_id: int

    async def connect(self) -> Connection:
        failure = self.office.closed.get(self.account_id)
        if failure is not None:
            raise failure
        self.office.connections += 1
        return _Connection(self.office, self.account_id)


class EngineWorld:
    """One workspace; `account`, `people`, `campaign` fill it, `tick` and `run_until` let it live."""

    def __init__(self, db: Database, clock: ManualClock, keyring: KeyRing, data_dir: Path) -> None:
        self.db, self.clock, self.keyring, self.data_dir = db, clock, keyring, data_dir
        self.rng = random.Random(5)
        self.office = PostOffice(clock)
        self.parallel = 1
        # Message-IDs of mails that came back undelivered after they were taken, which may be offered again.
        self.returned: set[str] = set()
        with db.transaction() as session:
            self.workspace_id = make_workspace(session, keyring, "Atelier Rivage", clock.now())
        self.plans = Plans()
        self.origins = self.new_origins()
        self.engine = self.new_engine()

    # -- filling it

    def account(self, name: str = "lea", **limits: Any) -> int:
        """Connect an account without gap and ramp unless told otherwise, and return its id."""
        given: Limits = {"daily_limit": 100_000, "min_gap_seconds": 0, "ramp_enabled": False, **limits}  # type: ignore[typeddict-item]
        server = Server("127.0.0.1", 2525, "none", "anyone", "secret")
        form = SmtpForm(email=f"{name}@rivage.example", smtp=server, limits=given)
        with self.db.transaction() as session:
            account_id = connect_smtp(session, self.keyring, self.workspace_id, form, self.clock.now()).id
        assert account_id is not None
        return account_id

    def people(self, count: int, prefix: str = "p", domain: str = "firm{}.example", **columns: Any) -> list[int]:
        """Add contacts p0@firm0.example, p1@firm1.example, … and return their ids in that order."""
        emails = [f"{prefix}{number}@{domain.format(number)}" for number in range(count)]
        rows = [
            {"email": email, "first_name": email.partition("@")[0].upper(), "consent_source": "event", **columns}
            for email in emails
        ]
        with self.db.transaction() as session:
            for begin in range(0, count, 1000):
                part = rows[begin : begin + 1000]
                bulk_upsert(session, self.keyring, self.workspace_id, part, self.clock.now())
            found = {row[0]: row[1] for row in session.connection().execute(text("SELECT email, id FROM contact"))}
        return [int(found[email]) for email in emails]

    def campaign(
        self,
        account_ids: Sequence[int],
        contact_ids: Sequence[int],
        steps: Sequence[Step] = ONE_MAIL,
        settings: Mapping[str, Any] = ALWAYS,
        *,
        start: bool = True,
    ) -> int:
        """Make a campaign, enroll the contacts, start it and return its id."""
        with self.db.transaction() as session:
            made = service.create_campaign(
                session, self.workspace_id, "Printemps", self.clock.now(), account_ids=list(account_ids),
                settings=dict(settings), workflow=linear_workflow(list(steps)),
            )  # fmt: skip
            add_contacts(session, self.workspace_id, made.id, contact_ids, self.clock.now(), self.rng)
            if start:
                lifecycle.start(session, self.workspace_id, made.id, self.clock.now())
        return made.id

    def pause(self, campaign_id: int) -> None:
        with self.db.transaction() as session:
            lifecycle.pause(session, self.workspace_id, campaign_id, self.clock.now())

    def resume(self, campaign_id: int) -> None:
        with self.db.transaction() as session:
            lifecycle.resume(session, self.workspace_id, campaign_id, self.clock.now())

    def rewrite(self, campaign_id: int, steps: Sequence[Step]) -> None:
        """Give a paused campaign another workflow."""
        with self.db.transaction() as session:
            service.update_campaign(
                session, self.workspace_id, campaign_id, self.clock.now(), workflow=linear_workflow(list(steps))
            )

    def settings(self, campaign_id: int, **changes: Any) -> None:
        with self.db.transaction() as session:
            service.update_campaign(session, self.workspace_id, campaign_id, self.clock.now(), settings=changes)

    # -- letting it live

    def new_origins(self) -> dict[str, Origin]:
        origin = CampaignOrigin(self.keyring, PUBLIC_URL, self.plans)
        return {"test": SelfTestOrigin(PUBLIC_URL), "campaign": origin}

    def new_engine(self, data_dir: Path | None = None) -> SendingEngine:
        settings = EngineSettings(data_dir or self.data_dir, only_one=self.db.is_sqlite)
        return SendingEngine(self.db, self.clock, self.origins, self._sender_of, settings, self.rng)

    def _sender_of(self, session: Session, account_id: int) -> Sender | None:
        account = session.get(EmailAccount, account_id)
        if account is None or account.status != "connected":
            return None
        parallel = self.parallel if account.min_gap_seconds == 0 else 1
        reads = bool(account.imap_host)
        transport = _Transport(self.office, account_id)
        return Sender(account_id, account.revision, transport, parallel, reads, reads and account.copy_to_sent)

    async def tick(self, times: int = 1) -> None:
        """Do once what the ticker does, and wait until everything that began is over."""
        for _ in range(times):
            if not self.engine.worker_id:
                await self.engine.start()
            self.db.transact(health.due_to_resume, self.clock.now())
            campaign_tick.tick(self.db, self.clock, self.plans, self.rng)
            await self.engine.tick()
            await self.engine.drain()

    async def run_until(self, end: datetime, *, longest: timedelta = timedelta(hours=12)) -> None:
        """Jump from one stored moment to the next one, ticking at each, at least every `longest`."""
        await self.tick()
        while (now := self.clock.now()) < end:
            self.clock.set(min(self._next_moment() or end, now + longest, end))
            await self.tick()

    async def run_for(self, **span: float) -> None:
        await self.run_until(self.clock.now() + timedelta(**span))

    async def crash(self) -> None:
        """Let the worker die where it stands and a new one take its place, as after kill -9."""
        slot = self.engine._state.slot
        if slot is not None:
            slot.free()
        self.plans = Plans()
        self.origins = self.new_origins()
        self.engine = self.new_engine()
        await self.engine.start()

    def claimer(self, worker_id: int | None = None) -> Claimer:
        return Claimer(worker_id or self.engine.worker_id, self.origins, self.rng)

    def claim(self, account_id: int, limit: int = 100, claimer: Claimer | None = None) -> ClaimResult:
        return self.db.transact(claim_due, claimer or self.claimer(), account_id, limit, self.clock.now())

    def mark(self, claims: Sequence[Claimed], claimer: Claimer | None = None) -> dict[int, Marked | NotMarked]:
        return self.db.transact(mark, claimer or self.claimer(), list(claims), self.clock.now())

    def _next_moment(self) -> datetime | None:
        now = self.clock.now()
        found = [self._moment(row[0]) for row in self.rows(_NEXT_MOMENTS, now=now)]
        return min((moment for moment in found if moment is not None), default=None)

    # -- looking at it

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.db.read() as session:
            return list(session.connection().execute(text(statement), self._bound(values)).all())

    def one(self, statement: str, **values: Any) -> Any:
        return self.rows(statement, **values)[0][0]

    def moment(self, statement: str, **values: Any) -> datetime | None:
        """One time that a statement finds."""
        return self._moment(self.one(statement, **values))

    def execute(self, statement: str, **values: Any) -> None:
        with self.db.transaction() as session:
            session.connection().execute(text(statement), self._bound(values))

    def messages(self) -> dict[str, int]:
        return {row[0]: row[1] for row in self.rows("SELECT status, count(*) FROM message GROUP BY status")}

    def walks(self, campaign_id: int | None = None) -> dict[str, int]:
        where = "" if campaign_id is None else f"WHERE campaign_id = {campaign_id}"
        return {row[0]: row[1] for row in self.rows(f"SELECT status, count(*) FROM enrollment {where} GROUP BY status")}

    def attempts(self) -> list[datetime]:
        found = [self._moment(row[0]) for row in self.rows("SELECT started_at FROM attempt ORDER BY started_at, id")]
        return [moment for moment in found if moment is not None]

    def status_of(self, campaign_id: int) -> str:
        return str(self.one("SELECT status FROM campaign WHERE id = :id", id=campaign_id))

    def check_books(self) -> None:
        """Assert what must be true at every moment: kept counts equal recounts, nobody is lost or had a mail twice."""
        kept = {
            (row[0], row[1]): row[2]
            for row in self.rows("SELECT campaign_id, status, n FROM enrollment_count WHERE n <> 0")
        }
        counted = {
            (row[0], row[1]): row[2]
            for row in self.rows("SELECT campaign_id, status, count(*) FROM enrollment GROUP BY campaign_id, status")
        }
        assert kept == counted
        with self.db.read() as session:
            assert figures.verify(session) == []
        twice = {
            rfc_id for (_, rfc_id), n in Counter((t.recipient, t.rfc_id) for t in self.office.taken).items() if n > 1
        }
        assert twice <= self.returned
        lost = self.rows(
            "SELECT e.id, e.status, e.node_id FROM enrollment e WHERE e.status IN ('pending', 'in_progress')"
            " AND (SELECT c.status FROM campaign c WHERE c.id = e.campaign_id) <> 'archived'"
            " AND e.due_at IS NULL AND NOT EXISTS (SELECT 1 FROM message m WHERE m.enrollment_id = e.id"
            " AND m.node_id = e.node_id AND m.status IN ('queued', 'claimed', 'sending', 'uncertain'))"
        )
        assert lost == [], "walks that nothing will ever move on"

    @contextmanager
    def statements(self) -> Iterator[dict[str, Any]]:
        """Collect the SQL that is executed inside the block, each statement with the first values it was given.

        Under the empty key stands how many were executed in all.
        """
        seen: dict[str, Any] = {"": 0}

        def note(_c: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
            seen[""] += 1
            seen.setdefault(statement, values[0] if many else values)

        event.listen(self.db.engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(self.db.engine, "before_cursor_execute", note)

    def _bound(self, values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: self._stored(value) if isinstance(value, datetime) else value for name, value in values.items()}

    def _stored(self, moment: datetime) -> Any:
        return (moment - _EPOCH) // timedelta(microseconds=1) if self.db.is_sqlite else moment

    def _moment(self, stored: Any) -> datetime | None:
        if stored is None or isinstance(stored, datetime):
            return stored
        return _EPOCH + timedelta(microseconds=int(stored))


@pytest.fixture
def world(database: Database, clock: ManualClock, keyring: KeyRing, settings: Settings) -> Iterator[EngineWorld]:
    """A world on an empty database, at Monday 2 March 2026, 09:00 in Paris."""
    made = EngineWorld(database, clock, keyring, settings.data_dir)
    yield made
    slot = made.engine._state.slot
    if slot is not None:
        slot.free()
        made.engine._state.slot = None
