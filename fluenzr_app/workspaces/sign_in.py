"""From an address and a password to a ticket, at a pace that makes guessing pointless."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from fluenzr_app.crypto import BadToken, KeyRing, new_token
from fluenzr_app.db.engine import Database
from fluenzr_app.mail.addresses import email_key
from fluenzr_app.mail.errors import BadAddress
from fluenzr_app.workspaces import sessions, throttle
from fluenzr_app.workspaces.errors import SignInRefused
from fluenzr_app.workspaces.models import Membership, User, UserSession
from fluenzr_app.workspaces.passwords import password_matches

_BROWSER_PURPOSE = "known-browser"


@dataclass(frozen=True, slots=True)
class _Try:
    user_id: int | None
    password_hash: str | None
    counters: Sequence[throttle.Counter]
    account: throttle.Counter


def sign_in(
    database: Database,
    keyring: KeyRing,
    *,
    email: str,
    password: str,
    ip: str,
    nonce: str,
    now: datetime,
    known_browser: str = "",
) -> str:
    """Return a ticket for `sessions.redeem_ticket`; raises SignInRefused, Throttled, TicketRefused (empty nonce).

    Opens its own two transactions: the try must stay counted when it is refused, and checking a password takes long
    enough that nobody should wait for it with the database locked. `known_browser` is the mark of a browser that
    signed in before (`browser_mark`), `ip` the address of the person, not of a proxy.
    """
    with database.transaction() as session:
        tried = _count(session, keyring, email, ip, known_browser, now)
    if not password_matches(password, tried.password_hash) or tried.user_id is None:
        raise SignInRefused
    with database.transaction() as session:
        workspace_id = _workspace_for(session, tried.user_id)
        if workspace_id is None:
            raise SignInRefused
        throttle.forgive(session, [c for c in tried.counters if c != tried.account], now)
        throttle.forget(session, tried.account)
        return sessions.issue_ticket(session, user_id=tried.user_id, workspace_id=workspace_id, nonce=nonce, now=now)


def browser_mark(keyring: KeyRing, user_id: int) -> str:
    """Return the mark that a browser keeps after signing in; it proves nothing but that (see throttle)."""
    return keyring.sign(_BROWSER_PURPOSE, f"{user_id}:{new_token(12)}".encode())


def _count(session: Session, keyring: KeyRing, email: str, ip: str, mark: str, now: datetime) -> _Try:
    key = _key_or_text(email)
    user = session.exec(select(User).where(col(User.email_key) == key)).first()
    known = user is not None and mark != "" and _marked_user(keyring, mark) == user.id
    account = throttle.by_browser(keyring, mark) if known else throttle.by_account(keyring, key)
    counters = [throttle.by_address(keyring, ip), account]
    throttle.count_try(session, counters, now)
    if user is None or user.disabled_at is not None:
        return _Try(None, None, counters, account)
    return _Try(user.id, user.password_hash, counters, account)


def _key_or_text(email: str) -> str:
    try:
        return email_key(email)
    except BadAddress:
        # No user can have it, but the try is counted and takes as long as any other.
        return email.strip().casefold()[:300]


def _marked_user(keyring: KeyRing, mark: str) -> int | None:
    try:
        return int(keyring.verify(_BROWSER_PURPOSE, mark).decode().partition(":")[0])
    except (BadToken, ValueError):
        return None


def _workspace_for(session: Session, user_id: int) -> int | None:
    """Return the workspace in which the user last worked, else the first one."""
    mine = col(Membership.user_id) == user_id
    last = (
        select(UserSession.workspace_id)
        .join(
            Membership,
            (col(Membership.workspace_id) == col(UserSession.workspace_id))
            & (col(Membership.user_id) == col(UserSession.user_id)),
        )
        .where(mine)
        .order_by(col(UserSession.seen_at).desc(), col(UserSession.id).desc())
        .limit(1)
    )
    found = session.exec(last).first()
    if found is not None:
        return found
    return session.exec(select(Membership.workspace_id).where(mine).order_by(col(Membership.workspace_id))).first()
