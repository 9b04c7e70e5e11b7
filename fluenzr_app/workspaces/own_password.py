"""Changing one's own password: the present one is asked for, at a pace that makes guessing it pointless."""

from datetime import datetime

from sqlalchemy import update
from sqlmodel import col

from fluenzr_app.crypto import KeyRing, hash_password
from fluenzr_app.db.engine import Database
from fluenzr_app.workspaces import sessions, throttle
from fluenzr_app.workspaces.errors import SignInRefused
from fluenzr_app.workspaces.identity import Identity
from fluenzr_app.workspaces.models import User
from fluenzr_app.workspaces.passwords import check_password, password_matches
from fluenzr_app.workspaces.users import get_user


def change_password(
    database: Database, keyring: KeyRing, identity: Identity, *, current: str, new: str, now: datetime
) -> None:
    """Change one's own password and end all other sessions.

    Raises PasswordRefused, SignInRefused when `current` is wrong, Throttled. Opens its own two transactions, as
    `sign_in` does: the try must stay counted, and hashing takes too long to hold the database meanwhile.
    """
    check_password(new, email=identity.email)
    counter = throttle.by_person(keyring, identity.user_id)
    with database.transaction() as session:
        throttle.count_try(session, [counter], now)
        present = get_user(session, identity.user_id).password_hash
    if not password_matches(current, present):
        raise SignInRefused
    fresh = hash_password(new)
    with database.transaction() as session:
        # Only over the one that was checked: another change, or the operator's command, may have come in between.
        same = col(User.id) == identity.user_id, col(User.password_hash) == present
        if session.connection().execute(update(User).where(*same).values(password_hash=fresh)).rowcount == 0:
            raise SignInRefused
        sessions.sign_out_everywhere(session, identity.user_id, now, but=identity.session_id)
        throttle.forget(session, counter)
