"""A scratch installation with one campaign, filled directly: what is measured is the engine, not the filling."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import insert, text
from sqlmodel import Session

from fluenzr_app.accounts.form import Limits, Server, SmtpForm
from fluenzr_app.accounts.service import connect_smtp
from fluenzr_app.assembly import Installation
from fluenzr_app.campaigns import lifecycle, service
from fluenzr_app.campaigns.enrollments import count_moves
from fluenzr_app.campaigns.models import Enrollment
from fluenzr_app.campaigns.nodes import DelayNode, EmailNode, Step
from fluenzr_app.campaigns.workflow import linear_workflow
from fluenzr_app.clock import ManualClock
from fluenzr_app.contacts.models import Contact
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.db.migrations import migrate
from fluenzr_app.db.tables import table_of
from fluenzr_app.settings import load_settings
from fluenzr_app.workspaces.users import create_workspace

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CONNECTIONS = 10
_CHUNK = 20_000
_BODY = (
    "<p>Bonjour {{firstName|et bienvenue}},</p><p>"
    + "J'ai vu que {{company|votre entreprise}} avance vite en ce moment. " * 6
    + "</p><p>Avez-vous <b>un quart d'heure</b> cette semaine ? "
    + '<a href="https://nova.example/methode">Notre méthode</a> tient en une page.</p><p>Camille</p>'
)
_ALWAYS = {
    "sendDays": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
    "sendHoursStart": 0,
    "sendHoursEnd": 24,
    "timezone": "UTC",
    "maxEmailsPerHour": None,
}


@dataclass(frozen=True)
class BenchWorld:
    """The installation, its clock, and the one campaign in it."""

    installation: Installation
    clock: ManualClock
    workspace_id: int
    campaign_id: int
    account_id: int


@contextmanager
def bench_world(port: int, contacts: int, *, due: int | None = None) -> Iterator[BenchWorld]:
    """Give a started campaign with `contacts` people enrolled; with `due` only so many are due, as follow-ups.

    The others then stand in a delay that ends in a month.
    """
    with TemporaryDirectory(prefix="fluenzr-bench-") as folder:
        settings = load_settings(
            data_dir=Path(folder), secret_key="bench " * 8, database_url="", connections_per_account=CONNECTIONS
        )
        db = Database.open(settings)
        migrate(db)
        clock = ManualClock(START)
        keyring = KeyRing.load(settings)
        installation = Installation(settings, db, keyring, clock)
        try:
            with db.transaction() as session:
                world = _prepare(session, installation, clock, port)
            _fill(world, contacts, due)
            with db.transaction() as session:
                lifecycle.start(session, world.workspace_id, world.campaign_id, clock.now())
            yield world
        finally:
            db.close()


def _prepare(session: Session, installation: Installation, clock: ManualClock, port: int) -> BenchWorld:
    now = clock.now()
    workspace_id = create_workspace(session, installation.keyring, name="Bench", now=now)
    form = SmtpForm(
        email="camille@nova.example",
        smtp=Server("127.0.0.1", port, "none", "camille", "secret"),
        limits=Limits(display_name="Camille", daily_limit=100_000, min_gap_seconds=0, ramp_enabled=False),
    )
    account_id = connect_smtp(session, installation.keyring, workspace_id, form, now).id or 0
    steps: list[Step] = [EmailNode("n1", "1", "{{firstName}}, une question", _BODY), DelayNode("n2", days=30)]
    campaign = service.create_campaign(
        session,
        workspace_id,
        "Bench",
        now,
        account_ids=[account_id],
        settings=_ALWAYS,
        workflow=linear_workflow([*steps, EmailNode("n3", "2", "", _BODY)]),
    )
    return BenchWorld(installation, clock, workspace_id, campaign.id, account_id)


def _fill(world: BenchWorld, contacts: int, due: int | None) -> None:
    rng = random.Random(3)  # noqa: S311 - sample data
    now = world.clock.now()
    with world.installation.db.read() as session:
        follow_up = session.connection().execute(text("SELECT id FROM node WHERE key = 'n3'")).scalar_one()
    for begin in range(0, contacts, _CHUNK):
        numbers = range(begin, min(begin + _CHUNK, contacts))
        with world.installation.db.transaction() as session:
            connection = session.connection()
            connection.execute(insert(table_of(Contact)), [_contact(world, number, now) for number in numbers])
            connection.execute(
                insert(table_of(Enrollment)), [_walk(world, number, now, due, follow_up, rng) for number in numbers]
            )
    with world.installation.db.transaction() as session:
        count_moves(session, {(world.campaign_id, "pending" if due is None else "in_progress"): contacts})


def _contact(world: BenchWorld, number: int, now: datetime) -> dict[str, object]:
    domain = f"firm{number % 997}.example"
    return {
        "workspace_id": world.workspace_id,
        "email": f"person{number}@{domain}",
        "email_key": f"person{number}@{domain}",
        "email_hash": number.to_bytes(32, "big"),
        "domain_hash": (number % 997).to_bytes(32, "little"),
        "domain": domain,
        **dict.fromkeys(
            ("last_name", "job_title", "phone", "website", "linkedin_url", "city", "country", "language", "timezone"),
            "",
        ),
        "first_name": f"Hélène{number}",
        "company": f"Ateliers {number % 997}",
        "status": "active",
        "consent_source": "event",
        "consent_notes": "",
        "notes": "",
        "fields": {},
        "revision": 1,
        "created_at": now,
        "updated_at": now,
    }


def _walk(
    world: BenchWorld, number: int, now: datetime, due: int | None, follow_up: int, rng: random.Random
) -> dict[str, object]:
    later = now + timedelta(days=30, seconds=number % 86_400)
    return {
        "workspace_id": world.workspace_id,
        "campaign_id": world.campaign_id,
        "contact_id": number + 1,
        "account_id": None if due is None else world.account_id,
        "status": "pending" if due is None else "in_progress",
        "node_id": None if due is None else follow_up,
        "due_at": now if due is None or number < due else later,
        "wait_code": "" if due is None else "delay",
        "end_reason": "",
        "seed": rng.getrandbits(62),
        "created_at": now,
        "updated_at": now,
    }
