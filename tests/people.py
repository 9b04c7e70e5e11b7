"""Owner, teammate, stranger: the three people with whom every question of permission can be asked."""

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import pytest
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.clock import ManualClock
from fluenzr_app.contacts.models import Contact
from fluenzr_app.contacts.suppression import hasher_of
from fluenzr_app.crypto import KeyRing, hash_password
from fluenzr_app.db.engine import Database
from fluenzr_app.mail.addresses import email_key
from fluenzr_app.workspaces.identity import Identity, Role
from fluenzr_app.workspaces.models import Membership, User
from fluenzr_app.workspaces.users import create_workspace, update_workspace

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Person:
    """A user in one workspace; signs in with `PASSWORD`."""

    user_id: int
    workspace_id: int
    email: str
    role: Role
    password: str = PASSWORD

    @property
    def identity(self) -> Identity:
        """What the services are told about somebody who has signed in."""
        name = self.email.partition("@")[0].capitalize()
        return Identity(self.user_id, self.workspace_id, self.role, self.email, name, "fr")


@dataclass(frozen=True)
class People:
    """Two workspaces: `owner` (admin) and `teammate` (member) share one, `stranger` is admin of the other."""

    owner: Person
    teammate: Person
    stranger: Person

    @property
    def workspace_id(self) -> int:
        """The workspace of owner and teammate."""
        return self.owner.workspace_id

    @property
    def other_workspace_id(self) -> int:
        """The stranger's workspace."""
        return self.stranger.workspace_id


@pytest.fixture
def people(database: Database, keyring: KeyRing, clock: ManualClock) -> People:
    """Owner, teammate and stranger, stored and committed."""
    now = clock.now()
    with database.transaction() as session:
        ours = make_workspace(session, keyring, "Atelier Rivage", now)
        theirs = make_workspace(session, keyring, "Studio Lointain", now)
        return People(
            owner=make_person(session, ours, "camille@rivage.example", "admin", now),
            teammate=make_person(session, ours, "noa@rivage.example", "member", now),
            stranger=make_person(session, theirs, "sacha@lointain.example", "admin", now),
        )


def make_workspace(session: Session, keyring: KeyRing, name: str, now: datetime) -> int:
    """A new workspace with a postal address; gives its id."""
    workspace_id = create_workspace(session, keyring, name=name, now=now)
    update_workspace(session, workspace_id, postal_address="1 quai du Port, 13000 Marseille")
    return workspace_id


def make_person(session: Session, workspace_id: int, email: str, role: Role, now: datetime) -> Person:
    """A new user with that role in that workspace."""
    first_name = email.partition("@")[0].capitalize()
    user = User(
        email=email,
        email_key=email_key(email),
        first_name=first_name,
        password_hash=_hash_once(PASSWORD),
        created_at=now,
    )
    user_id = _stored(session, user)
    session.add(Membership(workspace_id=workspace_id, user_id=user_id, role=role, created_at=now))
    session.flush()
    return Person(user_id, workspace_id, email, role)


def make_contact(
    session: Session, keyring: KeyRing, workspace_id: int, email: str, now: datetime, **columns: Any
) -> int:
    """A new contact row; `columns` sets or replaces any of its columns. Gives its id."""
    key = email_key(email)
    email_hash, domain_hash = hasher_of(session, keyring, workspace_id).of_address(key)
    values: dict[str, Any] = {
        "workspace_id": workspace_id,
        "email": email,
        "email_key": key,
        "email_hash": email_hash,
        "domain_hash": domain_hash,
        "domain": key.rpartition("@")[2],
        "consent_source": "legitimate_interest",
        "created_at": now,
        "updated_at": now,
    }
    return _stored(session, Contact(**values | columns))


def make_account(session: Session, workspace_id: int, email: str, now: datetime, **columns: Any) -> int:
    """A new connected email account without secrets; `columns` sets or replaces any column. Gives its id."""
    values: dict[str, Any] = {
        "workspace_id": workspace_id,
        "email": email,
        "email_key": email_key(email),
        "display_name": email.partition("@")[0].capitalize(),
        "smtp_host": "127.0.0.1",
        "smtp_username": email,
        "created_at": now,
        "updated_at": now,
    }
    return _stored(session, EmailAccount(**values | columns))


def _stored(session: Session, row: Any) -> int:
    session.add(row)
    session.flush()
    assert isinstance(row.id, int)
    return row.id


@lru_cache
def _hash_once(password: str) -> str:
    # Slow on purpose, and the same for everybody here.
    return hash_password(password)
