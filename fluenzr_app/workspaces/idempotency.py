"""Answers already given to writes of the REST API, kept sealed for 24 h (api.md).

A write that only touches the database claims its key, does its work and stores its answer in one transaction, so that
a crash leaves either all of it or nothing. A write that has to ask the network in between claims first, in a
transaction of its own; its claim runs out after some minutes if the process dies.
"""

import hmac
import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from fluenzr_app.crypto import KeyRing
from fluenzr_app.workspaces.errors import IdempotencyConflict, IdempotencyInProgress
from fluenzr_app.workspaces.models import Idempotency

KEEP = timedelta(hours=24)
CLAIM_LIFE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as it was given: HTTP-like status number and the body's text."""

    status: int
    body: str


def fingerprint(keyring: KeyRing, method: str, path: str, body: bytes) -> str:
    """Return what tells one request from another under the same key; keyed, for a body may hold a password."""
    request = b"\0".join([method.upper().encode(), path.encode(), body])
    return hmac.new(keyring.derive("idempotency"), request, sha256).hexdigest()


def claim(
    session: Session, keyring: KeyRing, api_key_id: int, key: str, print_: str, now: datetime
) -> StoredAnswer | None:
    """Claim `key` for this request and return nothing, or return the answer that was given to it before.

    Raises IdempotencyConflict when the key was used for another request, IdempotencyInProgress while the first one is
    being worked on.
    """
    mine = col(Idempotency.api_key_id) == api_key_id, col(Idempotency.key) == key
    execute = session.connection().execute
    execute(delete(Idempotency).where(*mine, col(Idempotency.expires_at) <= now))
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    fresh = {"api_key_id": api_key_id, "key": key, "fingerprint": print_, "expires_at": now + CLAIM_LIFE}
    # On PostgreSQL a second request waits here for the first one's commit, then finds its answer.
    claimed = insert(Idempotency).values(fresh).on_conflict_do_nothing().returning(col(Idempotency.key))
    if execute(claimed).first() is not None:
        return None
    row = session.exec(select(Idempotency).where(*mine).execution_options(populate_existing=True)).one()
    if row.fingerprint != print_:
        raise IdempotencyConflict
    if row.status is None or row.sealed is None:
        raise IdempotencyInProgress
    plain = json.loads(keyring.open(row.sealed, associated=_associated(api_key_id, key)))
    return StoredAnswer(row.status, plain["body"])


def store(session: Session, keyring: KeyRing, api_key_id: int, key: str, answer: StoredAnswer, now: datetime) -> None:
    """Keep the answer to a claimed request for 24 h, sealed: answers hold personal data."""
    plain = json.dumps({"body": answer.body}).encode()
    values = {
        "status": answer.status,
        "sealed": keyring.seal(plain, associated=_associated(api_key_id, key)),
        "expires_at": now + KEEP,
    }
    mine = col(Idempotency.api_key_id) == api_key_id, col(Idempotency.key) == key
    session.connection().execute(update(Idempotency).where(*mine).values(**values))


def release(session: Session, api_key_id: int, key: str) -> None:
    """Give a claimed key back after a request that changed nothing, so that it can be tried again."""
    mine = col(Idempotency.api_key_id) == api_key_id, col(Idempotency.key) == key
    session.connection().execute(delete(Idempotency).where(*mine, col(Idempotency.status).is_(None)))


def reseal(session: Session, old: KeyRing, new: KeyRing) -> int:
    """Seal every stored answer with the new key and return how many; raises crypto.CannotOpen."""
    count = 0
    for row in session.exec(select(Idempotency).where(col(Idempotency.sealed).is_not(None)).with_for_update()):
        associated = _associated(row.api_key_id, row.key)
        if row.sealed is not None:
            row.sealed = new.seal(old.open(row.sealed, associated=associated), associated=associated)
            session.add(row)
            count += 1
    session.flush()
    return count


def forget_old(session: Session, now: datetime) -> int:
    """Delete stored answers that ran out and return how many."""
    return session.connection().execute(delete(Idempotency).where(col(Idempotency.expires_at) <= now)).rowcount


def _associated(api_key_id: int, key: str) -> str:
    return f"idempotency|{api_key_id}|{key}"
