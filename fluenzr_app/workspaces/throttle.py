"""Slowing down who guesses passwords: failures counted by address, by account and by known browser.

The count is raised before the password is looked at, in a transaction of its own, so that many guesses at once are
counted as many. A guess made while blocked counts nothing: hammering on does not make a block longer.

An account's own count could be kept at its limit from outside, which would lock its owner out. A browser that has
signed in before therefore carries a signed mark and is counted by that mark instead of by the account.
"""

import hmac
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import delete
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from fluenzr_app.crypto import KeyRing
from fluenzr_app.workspaces.errors import Throttled
from fluenzr_app.workspaces.models import Throttle

FIRST_BLOCK = timedelta(seconds=15)
LONGEST_BLOCK = timedelta(minutes=15)
FORGET_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Counter:
    """One count: its key (nothing personal in it) and how many failures are free of a block."""

    key: str
    free: int


def by_address(keyring: KeyRing, ip: str) -> Counter:
    """Return the count for an address: many people may share one, so 20 failures are free. IPv6 counts by /64."""
    return Counter(_key(keyring, "ip", _network(ip)), 20)


def by_account(keyring: KeyRing, email_key: str) -> Counter:
    """Return the count for an account, whether it exists or not: 5 failures are free."""
    return Counter(_key(keyring, "account", email_key), 5)


def by_browser(keyring: KeyRing, mark: str) -> Counter:
    """Return the count for a browser that signed in to this account before: 5 failures are free."""
    return Counter(_key(keyring, "browser", mark), 5)


def by_person(keyring: KeyRing, user_id: int) -> Counter:
    """Return the count for somebody signed in who gives their password once more: 5 failures are free."""
    return Counter(_key(keyring, "person", str(user_id)), 5)


def count_try(session: Session, counters: Sequence[Counter], now: datetime) -> None:
    """Count one try on each counter before it is known whether it succeeds; raises Throttled while one is blocked."""
    rows = _locked(session, counters, now)
    blocked = [row.blocked_until for row in rows.values() if row.blocked_until and row.blocked_until > now]
    if blocked:
        raise Throttled(max(blocked))
    for counter in counters:
        row = rows[counter.key]
        if now - row.updated_at >= FORGET_AFTER:
            row.failures = 0
        row.failures += 1
        over = row.failures - counter.free
        row.blocked_until = now + min(FIRST_BLOCK * 2 ** min(over, 16), LONGEST_BLOCK) if over >= 0 else None
        row.updated_at = now
        session.add(row)
    session.flush()


def forgive(session: Session, counters: Sequence[Counter], now: datetime) -> None:
    """Take back the one try that turned out right.

    Only the try itself: whoever has one password of their own must not wipe the count of an address with it.
    """
    for counter in counters:
        row = _locked(session, [counter], now)[counter.key]
        row.failures = max(row.failures - 1, 0)
        if row.failures < counter.free:
            row.blocked_until = None
        session.add(row)
    session.flush()


def forget(session: Session, counter: Counter) -> None:
    """Start the count anew: the account's own password was given."""
    session.connection().execute(delete(Throttle).where(col(Throttle.key) == counter.key))


def forget_old(session: Session, now: datetime) -> int:
    """Delete counts that no longer matter and return how many."""
    old = delete(Throttle).where(col(Throttle.updated_at) < now - FORGET_AFTER)
    return session.connection().execute(old).rowcount


def _locked(session: Session, counters: Sequence[Counter], now: datetime) -> dict[str, Throttle]:
    keys = sorted({counter.key for counter in counters})
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    fresh = [{"key": key, "failures": 0, "updated_at": now} for key in keys]
    session.connection().execute(insert(Throttle).values(fresh).on_conflict_do_nothing())
    # In key order, so that two sign-ins cannot wait for each other (SQLite has the whole file locked already).
    ordered = select(Throttle).where(col(Throttle.key).in_(keys)).order_by(col(Throttle.key)).with_for_update()
    return {row.key: row for row in session.exec(ordered.execution_options(populate_existing=True))}


def _key(keyring: KeyRing, kind: str, value: str) -> str:
    digest = hmac.new(keyring.derive("throttle"), f"{kind}\0{value}".encode(), sha256).hexdigest()
    return f"{kind}:{digest[:40]}"


def _network(ip: str) -> str:
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
