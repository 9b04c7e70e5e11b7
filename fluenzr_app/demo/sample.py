"""The sample installation: Nova Conseil with its people, mailboxes and contacts, made by the services of the rooms."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from fluenzr_app.accounts.form import Limits, Server, SmtpForm
from fluenzr_app.accounts.service import connect_smtp
from fluenzr_app.contacts.bulk import bulk_upsert
from fluenzr_app.contacts.custom_fields import create_custom_field
from fluenzr_app.contacts.labels import create_group
from fluenzr_app.contacts.stages import make_stages
from fluenzr_app.crypto import KeyRing
from fluenzr_app.demo.people import SECTORS, people
from fluenzr_app.demo.post_office import HOST, DemoPostOffice
from fluenzr_app.demo.recipients import Recipients
from fluenzr_app.workspaces.identity import Identity
from fluenzr_app.workspaces.users import add_user, create_owner, update_workspace

OWNER = "camille.rostand@nova-conseil.example"
_PASSWORD = "mot de passe de la démonstration"  # noqa: S105 - of mailboxes that exist in this process alone
# What people do with their mail is the same in every demonstration.
_TEMPERAMENTS = 4
_SIGNATURE = "{name}\nNova Conseil · 12 quai des Tanneurs, 44000 Nantes"


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An email account of the sample; `day` says when it was connected, in days before the demo's first Monday."""

    key: str
    name: str
    daily_limit: int
    day: int
    gap_s: int = 90

    @property
    def email(self) -> str:
        """The account's address."""
        return f"{self.key}@nova-conseil.example"


MAILBOXES = (
    Mailbox("camille", "Camille Rostand", 90, 38),
    Mailbox("julien", "Julien Aubertin", 120, 20),
    Mailbox("paul", "Paul Delmas", 60, 20),
    Mailbox("sarah", "Sarah Benchetrit", 80, 6),
    Mailbox("equipe", "L’équipe Nova Conseil", 25, 6),
    Mailbox("lea", "Léa Marchetti", 50, 4),
)


@dataclass(frozen=True, slots=True)
class Batch:
    """Contacts that came in together: the group they are in, how many, and how many days before the first Monday."""

    key: str
    group: str
    color: str
    count: int
    day: int


BATCHES = (
    Batch("training", "Stagiaires 2024 et 2025", "violet", 40, 37),
    Batch("pilot", "Ateliers pilotes", "blue", 36, 21),
    Batch("workshops", "Ateliers du Grand Ouest", "green", 130, 7),
    Batch("suppliers", "Acheteurs de PME", "orange", 150, 4),
    Batch("fair", "Visiteurs du salon de Lyon", "pink", 24, 3),
)


class Sample:
    """What was made so far; grows as the history goes on."""

    def __init__(self, keyring: KeyRing, office: DemoPostOffice, rng: random.Random) -> None:
        self.keyring = keyring
        self.office = office
        self.rng = rng
        self.recipients = Recipients(office, _TEMPERAMENTS)
        self.owner: Identity | None = None
        self.accounts: dict[str, int] = {}
        self.groups: dict[str, int] = {}
        self.contacts: dict[str, list[int]] = {}
        self.addresses: dict[str, list[str]] = {}
        self.campaigns: dict[str, int] = {}
        self._people = people(sum(batch.count for batch in BATCHES), rng)

    @property
    def workspace_id(self) -> int:
        """The only workspace; raises AssertionError before `found`."""
        assert self.owner is not None
        return self.owner.workspace_id

    def found(self, session: Session, password: str, now: datetime) -> None:
        """Make workspace, people and fields; the owner signs in with `password`."""
        self.owner = create_owner(
            session, self.keyring, email=OWNER, password=password, first_name="Camille", last_name="Rostand",
            workspace_name="Nova Conseil", language="fr", now=now,
        )  # fmt: skip
        make_stages(session, self.workspace_id, now)
        update_workspace(session, self.workspace_id, postal_address="Nova Conseil, 12 quai des Tanneurs, 44000 Nantes")
        add_user(
            session, self.keyring, email="julien.aubertin@nova-conseil.example", password=f"{password}-julien",
            first_name="Julien", last_name="Aubertin", workspace_id=self.workspace_id, role="member", now=now,
        )  # fmt: skip
        create_custom_field(
            session, self.workspace_id, "secteur", "Secteur", now, field_type="dropdown", options=SECTORS
        )
        create_custom_field(session, self.workspace_id, "effectif", "Effectif", now, field_type="number")

    def connect(self, session: Session, mailbox: Mailbox, now: datetime) -> None:
        """Connect one mailbox to the sandbox post office, which also keeps what arrives for it."""
        self.office.set_password(mailbox.email, _PASSWORD)
        form = SmtpForm(
            email=mailbox.email,
            smtp=Server(HOST, self.office.port, "none", mailbox.email, _PASSWORD),
            imap=Server(HOST, self.office.imap_port, "none"),
            limits=Limits(
                display_name=mailbox.name,
                signature=_SIGNATURE.format(name=mailbox.name),
                daily_limit=mailbox.daily_limit,
                min_gap_seconds=mailbox.gap_s,
            ),
        )
        account = connect_smtp(session, self.keyring, self.workspace_id, form, now, actor=self.owner)
        assert account.id is not None
        self.accounts[mailbox.key] = account.id

    def bring_in(self, session: Session, batch: Batch, now: datetime) -> None:
        """Store a batch of contacts in its group."""
        group_id = create_group(session, self.workspace_id, batch.group, now, color=batch.color)
        items: list[Mapping[str, object]] = [
            {**next(self._people), "group_ids": [group_id], "consent_at": now} for _ in range(batch.count)
        ]
        stored = bulk_upsert(session, self.keyring, self.workspace_id, items, now)
        if stored.errors or len(stored.created) != batch.count:
            raise AssertionError(f"sample contacts were refused: {stored.errors[:3]}")
        self.groups[batch.key] = group_id
        self.contacts[batch.key] = stored.created
        self.addresses[batch.key] = [str(item["email"]) for item in items]

    def change_password(self, key: str, password: str) -> None:
        """Give a mailbox another password at its server, as its owner would, without telling the product."""
        self.office.set_password(f"{key}@nova-conseil.example", password)

    def account_ids(self, keys: Sequence[str]) -> list[int]:
        """Return the ids of these accounts."""
        return [self.accounts[key] for key in keys]
