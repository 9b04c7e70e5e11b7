"""Keys of the REST API: shown once, kept as a hash, revoked at once (api.md, Keys)."""

import re
import secrets
import string
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, cast

from sqlalchemy import or_, update
from sqlmodel import Session, col, select

from fluenzr_app.crypto import token_hash
from fluenzr_app.workspaces.errors import KeyRefused, NameMissing, UnknownKey
from fluenzr_app.workspaces.models import ApiKey

Permission = Literal["all", "read"]
PREFIX = "flz_sk_"
USED_EVERY = timedelta(minutes=1)
_LETTERS = string.ascii_letters + string.digits
_FORM = re.compile(r"flz_sk_[A-Za-z0-9]{32}").fullmatch


@dataclass(frozen=True, slots=True)
class KeyIdentity:
    """A program that asks with an API key. `stale` asks the caller to note with `touch_key` that the key is in use."""

    key_id: int
    workspace_id: int
    permission: Permission
    name: str
    stale: bool = False

    @property
    def may_write(self) -> bool:
        """Whether the key may change anything."""
        return self.permission == "all"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made; `secret` is the only copy there will ever be."""

    key_id: int
    secret: str


@dataclass(frozen=True, slots=True)
class KeyRow:
    """A key as a list shows it; `hint` are its last four characters."""

    key_id: int
    name: str
    permission: Permission
    hint: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


def create_key(
    session: Session,
    workspace_id: int,
    *,
    name: str,
    permission: Permission,
    created_by: int | None,
    now: datetime,
) -> NewKey:
    """Make a key and return it with its secret; raises NameMissing, ValueError for an unknown permission."""
    if permission not in ("all", "read"):
        raise ValueError(f"unknown permission {permission}")
    words = " ".join(name.split())
    if not words or len(words) > 100:
        raise NameMissing("Give the key a name of 1 to 100 characters.", field="name")
    secret = PREFIX + "".join(secrets.choice(_LETTERS) for _ in range(32))
    row = ApiKey(
        workspace_id=workspace_id,
        name=words,
        key_hash=token_hash(secret),
        hint=secret[-4:],
        permission=permission,
        created_by=created_by,
        created_at=now,
    )
    session.add(row)
    session.flush()
    assert row.id is not None
    return NewKey(row.id, secret)


def key_of(session: Session, bearer: str, now: datetime) -> KeyIdentity:
    """Return who asks with the secret `bearer`; raises KeyRefused, alike for every reason. Writes nothing."""
    if not bearer:
        raise KeyRefused("missing")
    if not _FORM(bearer):
        raise KeyRefused("malformed")
    row = session.exec(select(ApiKey).where(col(ApiKey.key_hash) == token_hash(bearer))).first()
    if row is None or row.id is None:
        raise KeyRefused("unknown")
    if row.revoked_at is not None:
        raise KeyRefused("revoked", row.id)
    stale = row.last_used_at is None or now - row.last_used_at >= USED_EVERY
    return KeyIdentity(row.id, row.workspace_id, cast(Permission, row.permission), row.name, stale)


def touch_key(session: Session, key_id: int, now: datetime) -> None:
    """Note that a key was used, at most once a minute."""
    unused = or_(col(ApiKey.last_used_at).is_(None), col(ApiKey.last_used_at) <= now - USED_EVERY)
    session.connection().execute(update(ApiKey).where(col(ApiKey.id) == key_id, unused).values(last_used_at=now))


def list_keys(session: Session, workspace_id: int, *, with_revoked: bool = False) -> Sequence[KeyRow]:
    """Return the workspace's keys, newest first; revoked ones only when asked for."""
    statement = select(ApiKey).where(col(ApiKey.workspace_id) == workspace_id).order_by(col(ApiKey.id).desc())
    if not with_revoked:
        statement = statement.where(col(ApiKey.revoked_at).is_(None))
    return [_shown(row) for row in session.exec(statement)]


def revoke_key(session: Session, workspace_id: int, key_id: int, now: datetime) -> KeyRow:
    """End a key at once and return it; revoking twice changes nothing. Raises UnknownKey."""
    mine = col(ApiKey.id) == key_id, col(ApiKey.workspace_id) == workspace_id
    open_only = update(ApiKey).where(*mine, col(ApiKey.revoked_at).is_(None)).values(revoked_at=now)
    session.connection().execute(open_only)
    row = session.exec(select(ApiKey).where(*mine).execution_options(populate_existing=True)).first()
    if row is None:
        raise UnknownKey
    return _shown(row)


def _shown(row: ApiKey) -> KeyRow:
    assert row.id is not None
    return KeyRow(
        row.id,
        row.name,
        cast(Permission, row.permission),
        row.hint,
        row.created_at,
        row.last_used_at,
        row.revoked_at,
    )
