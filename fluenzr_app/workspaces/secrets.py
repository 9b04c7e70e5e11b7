"""Sealed values: passwords of mailboxes, suppression keys. Plain ones exist only in flight (accounts.md, Secrets)."""

import uuid
from datetime import datetime

from sqlalchemy import delete
from sqlmodel import Session, col, select

from fluenzr_app.crypto import KeyRing
from fluenzr_app.workspaces import idempotency
from fluenzr_app.workspaces.errors import SecretMissing, UnknownWorkspace
from fluenzr_app.workspaces.models import Secret, Workspace

LINK_PURPOSE = "unsubscribe"
OPEN_PURPOSE = "open"
CLICK_PURPOSE = "click"
# A link in a sent mail must work for ever: where a purpose's key is kept once it was replaced.
_RETIRED_KEYS = {
    LINK_PURPOSE: "retired_link_key",
    OPEN_PURPOSE: "retired_open_key",
    CLICK_PURPOSE: "retired_click_key",
}


def new_secret_id() -> str:
    """Return an id for a secret that is stored later in the same transaction."""
    return str(uuid.uuid4())


def store_secret(
    session: Session,
    keyring: KeyRing,
    workspace_id: int | None,
    kind: str,
    plaintext: bytes,
    now: datetime,
    *,
    secret_id: str | None = None,
) -> str:
    """Seal `plaintext` and return the id under which it is kept; without a workspace it is the installation's own."""
    row_id = secret_id or new_secret_id()
    sealed = keyring.seal(plaintext, associated=_associated(row_id, workspace_id, kind))
    session.add(Secret(id=row_id, workspace_id=workspace_id, kind=kind, sealed=sealed, created_at=now))
    session.flush()
    return row_id


def read_secret(session: Session, keyring: KeyRing, secret_id: str) -> bytes:
    """Return the plain value; raises SecretMissing, or crypto.CannotOpen when it was sealed with another key."""
    row = session.get(Secret, secret_id)
    if row is None:
        raise SecretMissing
    return keyring.open(row.sealed, associated=_associated(row.id, row.workspace_id, row.kind))


def replace_secret(session: Session, keyring: KeyRing, secret_id: str, plaintext: bytes, now: datetime) -> None:
    """Seal another value under the same id; raises SecretMissing."""
    row = session.get(Secret, secret_id)
    if row is None:
        raise SecretMissing
    row.sealed = keyring.seal(plaintext, associated=_associated(row.id, row.workspace_id, row.kind))
    row.created_at = now
    session.add(row)
    session.flush()


def delete_secret(session: Session, secret_id: str) -> None:
    """Delete a value; nothing happens when it is gone already."""
    session.flush()
    session.connection().execute(delete(Secret).where(col(Secret.id) == secret_id))


def suppression_key(session: Session, keyring: KeyRing, workspace_id: int) -> bytes:
    """Return the 32-byte HMAC key of the workspace's suppression list (contacts.md, Suppression list).

    Raises UnknownWorkspace, SecretMissing, crypto.CannotOpen.
    """
    statement = select(Workspace.suppression_key_id).where(col(Workspace.id) == workspace_id)
    secret_id = session.exec(statement).first()
    if secret_id is None:
        raise UnknownWorkspace
    return read_secret(session, keyring, secret_id)


def reseal_all(session: Session, old: KeyRing, new: KeyRing, now: datetime) -> int:
    """Seal every stored value with the new key and return how many; all in the caller's one transaction.

    The old keys for links are kept, sealed, because a link in a sent mail must work for ever. Raises
    crypto.CannotOpen when a value cannot be opened with the old key: nothing is half rotated.
    """
    for purpose, kind in _RETIRED_KEYS.items():
        store_secret(session, old, None, kind, old.derive(purpose), now)
    count = idempotency.reseal(session, old, new)
    for row in session.exec(select(Secret).order_by(col(Secret.id)).with_for_update()):
        associated = _associated(row.id, row.workspace_id, row.kind)
        row.sealed = new.seal(old.open(row.sealed, associated=associated), associated=associated)
        session.add(row)
        count += 1
    session.flush()
    return count


def retired_link_keys(session: Session, keyring: KeyRing, purpose: str = LINK_PURPOSE) -> list[bytes]:
    """Return the keys with which links for `purpose` were made before a rotation, newest first."""
    kind = _RETIRED_KEYS[purpose]
    statement = select(Secret.id).where(col(Secret.kind) == kind, col(Secret.workspace_id).is_(None))
    newest_first = session.exec(statement.order_by(col(Secret.created_at).desc()))
    return [read_secret(session, keyring, secret_id) for secret_id in newest_first]


def _associated(secret_id: str, workspace_id: int | None, kind: str) -> str:
    return f"{secret_id}|{'' if workspace_id is None else workspace_id}|{kind}"
