"""Three installations to look at: one at work for five weeks, one that has just begun, one where much goes wrong."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from sqlmodel import Session, col, select

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns import audience, lifecycle
from fluenzr_app.campaigns import service as campaigns
from fluenzr_app.campaigns.models import Campaign
from fluenzr_app.campaigns.sequences import sequence, sequence_workflow
from fluenzr_app.clock import ManualClock, utc_now
from fluenzr_app.commands.demo import DemoSettings, open_scratch, seed
from fluenzr_app.contacts import imports
from fluenzr_app.contacts.bulk import bulk_upsert
from fluenzr_app.contacts.counts import Changes, add_changes
from fluenzr_app.contacts.import_options import ImportOptions
from fluenzr_app.contacts.import_run import ImportRunner
from fluenzr_app.contacts.listing import ContactFilter, matching_ids
from fluenzr_app.contacts.models import Contact, ContactImport
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.db.ids import public_id
from fluenzr_app.demo.post_office import DemoPostOffice
from fluenzr_app.demo.sample import OWNER
from fluenzr_app.demo.story import ZONE, moment, monday_of
from fluenzr_app.inbox.models import Conversation
from fluenzr_app.sending.models import Worker
from fluenzr_app.workspaces import api_keys, users
from tests.inbox.seed import seed_inbox
from tests.people import PASSWORD, make_account

Kind = Literal["full", "empty", "failing"]
FRENCH, ENGLISH = "camille@rivage.example", "english@rivage.example"
_FILE = """\
Adresse e-mail;Prénom;Raison sociale;Effectif
maud@alto.example;Maud;SociÃ©tÃ© Alto;48
jeanne@alto.example;Jeanne;Alto;12
p.martin@;Philippe;Alto;7
maud@alto.example;Maud;Alto;48
helene.fabre@sogelia.example;Hélène;Sogelia;3
"""


@dataclass(frozen=True)
class Scenery:
    """An installation on the disk: who signs in by language, when it is there, and the public ids by what they are.

    `at` is the moment from which its clock goes on; None for the machine's own.
    """

    kind: Kind
    data: Path
    people: Mapping[str, str]
    at: datetime | None = None
    ids: Mapping[str, str] = field(default_factory=dict)


def full(data: Path) -> Scenery:
    """Live through the demonstration's five weeks, and leave it on the Monday morning on which it begins."""
    monday = monday_of(utc_now().astimezone(ZONE).date())
    at = moment(monday, 0, 9)
    with _installation(data) as (db, keyring):
        asyncio.run(seed(DemoSettings(data_dir=data), db, keyring, DemoPostOffice(), monday, PASSWORD))
        with db.transaction() as session:
            _add_english(session, keyring, at)
            # Nothing sends while pictures are taken, and nobody is to be told so.
            wall = utc_now()
            session.add(Worker(name="pictures", started_at=wall, beat_at=wall + timedelta(days=1)))
        past, begun = _imports(db, data, keyring, at)
        with db.read() as session:
            ids = _ids(session) | {"import_done": past, "import_draft": begun}
    return Scenery("full", data, {"fr": OWNER, "en": ENGLISH}, at, ids)


def empty(data: Path) -> Scenery:
    """Make an installation in which nothing was done but its first start."""
    with _installation(data) as (db, keyring), db.transaction() as session:
        _owner(session, keyring, utc_now())
    return Scenery("empty", data, {"fr": FRENCH, "en": ENGLISH})


def failing(data: Path) -> Scenery:
    """Make an installation with accounts that are refused, a braked campaign, a failed import, and nobody who sends."""
    with _installation(data) as (db, keyring):
        now = utc_now()
        with db.transaction() as session:
            _fail(session, keyring, _owner(session, keyring, now - timedelta(days=9)), now)
        past, begun = _imports(db, data, keyring, now)
        with db.transaction() as session:
            row = session.exec(select(ContactImport).order_by(col(ContactImport.id))).first()
            assert row is not None
            row.status, row.failure = "failed", "unexpected"
            ids = _ids(session) | {"import_done": past, "import_draft": begun}
    return Scenery("failing", data, {"fr": FRENCH, "en": ENGLISH}, None, ids)


BUILDERS: Mapping[Kind, Callable[[Path], Scenery]] = {"full": full, "empty": empty, "failing": failing}


@contextmanager
def _installation(data: Path) -> Iterator[tuple[Database, KeyRing]]:
    settings = DemoSettings(data_dir=data)
    keyring, db = KeyRing.load(settings), open_scratch(settings)
    try:
        yield db, keyring
    finally:
        db.close()


def _owner(session: Session, keyring: KeyRing, now: datetime) -> int:
    owner = users.create_owner(
        session, keyring, email=FRENCH, password=PASSWORD, first_name="Camille", last_name="Rousseau",
        workspace_name="Atelier Rivage", language="fr", now=now,
    )  # fmt: skip
    _add_english(session, keyring, now)
    return owner.workspace_id


def _add_english(session: Session, keyring: KeyRing, now: datetime) -> None:
    users.add_user(
        session, keyring, email=ENGLISH, password=PASSWORD, first_name="Camille", last_name="Rousseau", role="admin",
        language="en", now=now,
    )  # fmt: skip


def _fail(session: Session, keyring: KeyRing, workspace_id: int, now: datetime) -> None:
    users.update_workspace(session, workspace_id, postal_address="1 quai du Port, 13000 Marseille")
    seed = seed_inbox(session, keyring, workspace_id, now, user_id=1)
    # The people of the conversations are rows alone; the kept counts learn of them here.
    statuses = session.exec(select(Contact.status).where(col(Contact.workspace_id) == workspace_id))
    there: Changes = Counter(("status", status) for status in statuses)
    add_changes(session, workspace_id, there)
    since = now - timedelta(hours=5)
    refused = make_account(
        session, workspace_id, "julien.de-la-rochefoucauld-montmorency@rivage.example", since, status="error",
        error_code="auth_failed", error_message="535 5.7.8 Authentication credentials invalid", error_since=since,
        imap_host="127.0.0.1",
    )  # fmt: skip
    why = "[AUTHENTICATIONFAILED] Invalid credentials (Failure)"
    seed.add_reading(refused, failed_since=since, error_code="auth_refused", error_text=why)
    people = [
        {
            "email": f"prenom.nom-compose{n:02}@menuiserie-et-charpente-du-marais.example",
            "first_name": "" if n == 2 else "Marie-Emmanuelle",
            "last_name": f"de Saint-Hilaire-Montbrison {n:02}",
            "company": "Menuiserie et charpente du Marais poitevin",
            "job_title": "Directrice des achats indirects et de la logistique",
            "tags": ["ouest", "décideur"],
        }
        for n in range(40)
    ]
    bulk_upsert(session, keyring, workspace_id, people, now)
    ids = matching_ids(session, workspace_id, ContactFilter(), most=30)
    _campaign(session, workspace_id, "Sans issue : compte refusé, campagne active", [refused], ids, now, "start")
    _campaign(session, workspace_id, "Ateliers et manufactures de la région, reprise", [refused], ids, now, "brake")
    _campaign(session, workspace_id, "Pas prête", [], [], now, "")
    api_keys.create_key(session, workspace_id, name="CRM", permission="all", created_by=1, now=now)


def _campaign(
    session: Session, workspace_id: int, name: str, accounts: list[int], contacts: list[int], now: datetime, end: str
) -> None:
    numbers = iter(range(1, 100))
    workflow = sequence_workflow(sequence("first_contact", "fr"), lambda: f"n{next(numbers)}")
    made = campaigns.create_campaign(session, workspace_id, name, now, account_ids=accounts, workflow=workflow)
    audience.add_contacts(session, workspace_id, made.id, contacts, now, random.Random(1))
    if end:
        # A campaign cannot be started with a refused account alone; that one was refused afterwards.
        row = session.get(Campaign, made.id)
        assert row is not None
        row.status, row.started_at = "active", now - timedelta(days=1)
        session.flush()
    if end == "brake":
        lifecycle.pause(session, workspace_id, made.id, now, "bounce_brake")


def _imports(db: Database, data: Path, keyring: KeyRing, now: datetime) -> tuple[str, str]:
    """Bring one file in and leave another one at its columns; the public ids of both."""
    with db.read() as session:
        workspace_id = session.exec(select(Contact.workspace_id)).first() or 1
    past = imports.begin(db, data, workspace_id, "salon-de-lyon-2026.csv", [_FILE.encode()], now)
    with db.transaction() as session:
        imports.set_options(session, workspace_id, past.id, ImportOptions(consent_source="existing"))
    imports.preview(db, data, keyring, workspace_id, past.id)
    with db.transaction() as session:
        imports.start(session, workspace_id, past.id, now, consent_certified=True)
    while ImportRunner(db, data, keyring, ManualClock(now)).tick():
        pass
    begun = imports.begin(db, data, workspace_id, "export-crm-clients-et-prospects-2026.csv", [_FILE.encode()], now)
    return public_id("imp", past.id), public_id("imp", begun.id)


def _ids(session: Session) -> dict[str, str]:
    found: dict[str, str] = {}

    def first(name: str, kind: str, key: int | None) -> None:
        if key is not None:
            found[name] = public_id(kind, key)

    for status, order in (
        ("active", col(Campaign.id)),
        ("paused", col(Campaign.id)),
        ("draft", col(Campaign.id).desc()),
    ):
        first(status, "cmp", session.exec(
            select(Campaign.id).where(Campaign.status == status).order_by(order)
        ).first())  # fmt: skip
    first("conversation", "cnv", session.exec(
        select(Conversation.id).order_by(col(Conversation.last_kind).desc(), col(Conversation.last_at).desc())
    ).first())  # fmt: skip
    first("contact", "con", session.exec(
        select(Conversation.contact_id).order_by(col(Conversation.last_at).desc())
    ).first())  # fmt: skip
    first("account", "acc", session.exec(
        select(EmailAccount.id).where(EmailAccount.status == "connected").order_by(col(EmailAccount.id))
    ).first())  # fmt: skip
    return found
