"""Users and workspaces: the first owner, further users, what a workspace is called."""

import os
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import available_timezones

from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from fluenzr_app.crypto import KeyRing, hash_password, new_token, token_hash
from fluenzr_app.mail.addresses import check_syntax, email_key
from fluenzr_app.mail.errors import BadAddress
from fluenzr_app.workspaces import sessions
from fluenzr_app.workspaces.errors import (
    BadUserAddress,
    EmailTaken,
    NameMissing,
    SetupRefused,
    UnknownUser,
    UnknownWorkspace,
    WorkspaceWanted,
)
from fluenzr_app.workspaces.identity import Identity, Role, role_of
from fluenzr_app.workspaces.models import Membership, SetupLink, User, Workspace
from fluenzr_app.workspaces.passwords import check_password
from fluenzr_app.workspaces.secrets import new_secret_id, store_secret

SUPPRESSION_KEY = "suppression_key"
SETUP_LIFE = timedelta(days=7)
LANGUAGES = ("fr", "en")


@dataclass(frozen=True, slots=True)
class WorkspaceChoice:
    """A workspace that a user can work in, and the role there."""

    workspace_id: int
    name: str
    role: Role


def create_workspace(
    session: Session,
    keyring: KeyRing,
    *,
    name: str,
    now: datetime,
    language: str = "fr",
    timezone: str = "Europe/Paris",
) -> int:
    """Make a workspace with its own suppression key and return its id; raises NameMissing."""
    secret_id = new_secret_id()
    row = Workspace(
        name=_words(name, "workspace_name"),
        language=_language(language),
        timezone=timezone,
        suppression_key_id=secret_id,
        created_at=now,
    )
    session.add(row)
    session.flush()
    assert row.id is not None
    store_secret(session, keyring, row.id, SUPPRESSION_KEY, os.urandom(32), now, secret_id=secret_id)
    return row.id


def create_owner(
    session: Session,
    keyring: KeyRing,
    *,
    email: str,
    password: str,
    first_name: str,
    last_name: str,
    workspace_name: str,
    language: str,
    now: datetime,
) -> Identity:
    """Make a workspace and its admin and return that person; every first-start link dies.

    Raises BadUserAddress, EmailTaken, PasswordRefused, NameMissing.
    """
    workspace_id = create_workspace(session, keyring, name=workspace_name, language=language, now=now)
    user = _make_user(session, email, password, first_name, last_name, language, now)
    _join(session, workspace_id, user, "admin", now)
    session.connection().execute(delete(SetupLink))
    return _identity(user, workspace_id, "admin")


def add_user(
    session: Session,
    keyring: KeyRing,
    *,
    email: str,
    password: str,
    now: datetime,
    first_name: str = "",
    last_name: str = "",
    workspace_id: int | None = None,
    workspace_name: str = "",
    role: Role = "member",
    language: str = "fr",
) -> Identity:
    """Make a user and return them; the first user of an installation gets a workspace and is its admin.

    Without `workspace_id` the only workspace is meant. Raises WorkspaceWanted when there are several,
    UnknownWorkspace, BadUserAddress, EmailTaken, PasswordRefused.
    """
    if workspace_id is None:
        ids = session.exec(select(Workspace.id).order_by(col(Workspace.id)).limit(2)).all()
        if not ids:
            name = workspace_name.strip() or email.rpartition("@")[2]
            return create_owner(
                session,
                keyring,
                email=email,
                password=password,
                first_name=first_name,
                last_name=last_name,
                workspace_name=name,
                language=language,
                now=now,
            )
        if len(ids) > 1:
            raise WorkspaceWanted
        workspace_id = ids[0]
    if workspace_id is None or session.get(Workspace, workspace_id) is None:
        raise UnknownWorkspace
    user = _make_user(session, email, password, first_name, last_name, language, now)
    _join(session, workspace_id, user, role_of(role), now)
    return _identity(user, workspace_id, role)


def has_owner(session: Session) -> bool:
    """Return whether anybody can sign in at this installation yet."""
    return session.exec(select(User.id).limit(1)).first() is not None


def setup_link(session: Session, now: datetime) -> str | None:
    """Return the token of a fresh first-start link, or nothing once there is a user; earlier links die.

    Good for one use within 7 days; the caller prints the address of the first-start page with it.
    """
    session.connection().execute(delete(SetupLink))
    if has_owner(session):
        return None
    token = new_token()
    session.add(SetupLink(token_hash=token_hash(token), created_at=now))
    session.flush()
    return token


def setup_link_valid(session: Session, token: str, now: datetime) -> bool:
    """Return whether the first-start page may be shown for this token."""
    row = session.get(SetupLink, token_hash(token))
    return row is not None and row.used_at is None and now - row.created_at < SETUP_LIFE and not has_owner(session)


def redeem_setup(
    session: Session,
    keyring: KeyRing,
    *,
    token: str,
    email: str,
    password: str,
    first_name: str,
    last_name: str,
    workspace_name: str,
    language: str,
    now: datetime,
) -> Identity:
    """Make the owner with a first-start link and return that person; `sessions.issue_ticket` signs them in.

    Raises SetupRefused, and what create_owner raises: then the link stays good, for the transaction is rolled back.
    """
    unused = col(SetupLink.token_hash) == token_hash(token), col(SetupLink.used_at).is_(None)
    fresh = col(SetupLink.created_at) > now - SETUP_LIFE
    used = session.connection().execute(update(SetupLink).where(*unused, fresh).values(used_at=now))
    if used.rowcount != 1 or has_owner(session):
        raise SetupRefused
    return create_owner(
        session,
        keyring,
        email=email,
        password=password,
        first_name=first_name,
        last_name=last_name,
        workspace_name=workspace_name,
        language=language,
        now=now,
    )


def find_user(session: Session, email: str) -> int:
    """Return the id of the user with this address; raises UnknownUser."""
    try:
        found = session.exec(select(User.id).where(col(User.email_key) == email_key(email))).first()
    except BadAddress:
        found = None
    if found is None:
        raise UnknownUser
    return found


def set_password(session: Session, user_id: int, password: str, now: datetime) -> None:
    """Give a user another password and end all their sessions; raises UnknownUser, PasswordRefused."""
    user = session.get(User, user_id)
    if user is None:
        raise UnknownUser
    check_password(password, email=user.email)
    user.password_hash = hash_password(password)
    session.add(user)
    session.flush()
    sessions.sign_out_everywhere(session, user_id, now)


def set_language(session: Session, user_id: int, language: str) -> None:
    """Keep the language in which a user reads the pages; raises ValueError for one that is not there."""
    session.connection().execute(update(User).where(col(User.id) == user_id).values(language=_language(language)))


def get_user(session: Session, user_id: int) -> User:
    """Return a user; raises UnknownUser."""
    user = session.get(User, user_id)
    if user is None:
        raise UnknownUser
    return user


def set_name(session: Session, user_id: int, first_name: str, last_name: str) -> None:
    """Change what a user is called; raises UnknownUser, and NameMissing when nothing is left of the name."""
    user = get_user(session, user_id)
    user.first_name, user.last_name = " ".join(first_name.split())[:100], " ".join(last_name.split())[:100]
    if not user.first_name and not user.last_name:
        raise NameMissing("Give at least a first or a last name.", field="first_name")
    session.add(user)
    session.flush()


def workspaces_of(session: Session, user_id: int) -> Sequence[WorkspaceChoice]:
    """Return the workspaces that a user can work in, by name."""
    statement = (
        select(Workspace, Membership.role)
        .join(Membership, col(Membership.workspace_id) == col(Workspace.id))
        .where(col(Membership.user_id) == user_id)
        .order_by(func.lower(col(Workspace.name)), col(Workspace.id))
    )
    return [WorkspaceChoice(row.id or 0, row.name, role_of(role)) for row, role in session.exec(statement)]


def is_member(session: Session, workspace_id: int, user_id: int) -> bool:
    """Return whether the user works in this workspace."""
    mine = col(Membership.workspace_id) == workspace_id, col(Membership.user_id) == user_id
    return session.exec(select(Membership.role).where(*mine)).first() is not None


def names_of(session: Session, workspace_id: int, user_ids: Collection[int]) -> dict[int, str]:
    """Return what those of the users are called who work in this workspace, by id; others are left out."""
    statement = (
        select(User)
        .join(Membership, col(Membership.user_id) == col(User.id))
        .where(col(Membership.workspace_id) == workspace_id, col(User.id).in_(user_ids))
    )
    return {
        user.id or 0: f"{user.first_name} {user.last_name}".strip() or user.email for user in session.exec(statement)
    }


def get_workspace(session: Session, workspace_id: int) -> Workspace:
    """Return a workspace; raises UnknownWorkspace."""
    row = session.get(Workspace, workspace_id)
    if row is None:
        raise UnknownWorkspace
    return row


def update_workspace(
    session: Session,
    workspace_id: int,
    *,
    name: str | None = None,
    postal_address: str | None = None,
    timezone: str | None = None,
    language: str | None = None,
    signature: str | None = None,
    lead_on_enrollment: bool | None = None,
    qualify_on_reply: bool | None = None,
) -> Workspace:
    """Change what is given and return the workspace; raises UnknownWorkspace, NameMissing, ValueError."""
    row = get_workspace(session, workspace_id)
    if name is not None:
        row.name = _words(name, "workspace_name")
    if postal_address is not None:
        row.postal_address = postal_address.strip()[:500]
    if timezone is not None:
        if timezone not in available_timezones():
            raise ValueError(f"unknown time zone {timezone}")
        row.timezone = timezone
    if language is not None:
        row.language = _language(language)
    if signature is not None:
        row.signature = signature[:10_000]
    if lead_on_enrollment is not None:
        row.lead_on_enrollment = lead_on_enrollment
    if qualify_on_reply is not None:
        row.qualify_on_reply = qualify_on_reply
    session.add(row)
    session.flush()
    return row


def _make_user(
    session: Session, email: str, password: str, first_name: str, last_name: str, language: str, now: datetime
) -> User:
    try:
        checked = check_syntax(email)
    except BadAddress as error:
        raise BadUserAddress(str(error), field="email", fault=error.code) from None
    check_password(password, email=checked.address)
    if session.exec(select(User.id).where(col(User.email_key) == checked.key)).first() is not None:
        raise EmailTaken(checked.address)
    user = User(
        email=checked.address,
        email_key=checked.key,
        first_name=" ".join(first_name.split())[:100],
        last_name=" ".join(last_name.split())[:100],
        password_hash=hash_password(password),
        language=_language(language),
        created_at=now,
    )
    session.add(user)
    session.flush()
    return user


def _join(session: Session, workspace_id: int, user: User, role: Role, now: datetime) -> None:
    assert user.id is not None
    session.add(Membership(workspace_id=workspace_id, user_id=user.id, role=role, created_at=now))
    session.flush()


def _identity(user: User, workspace_id: int, role: Role) -> Identity:
    assert user.id is not None
    name = f"{user.first_name} {user.last_name}".strip() or user.email
    return Identity(user.id, workspace_id, role, user.email, name, user.language)


def _language(language: str) -> str:
    if language not in LANGUAGES:
        raise ValueError(f"unknown language {language}")
    return language


def _words(text: str, field: str) -> str:
    words = " ".join(text.split())
    if not words or len(words) > 100:
        raise NameMissing("Give a name of 1 to 100 characters.", field=field)
    return words
