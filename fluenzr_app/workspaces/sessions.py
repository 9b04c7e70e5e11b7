"""Signed-in browsers: from a one-time ticket to a session, and who a session belongs to.

A browser asks for a nonce first, the checked password gives a ticket bound to it, and only the browser that holds
the nonce can turn the ticket into a session, once, within a minute (platform.md, Users). Tables keep hashes only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, update
from sqlmodel import Session, col, select

from fluenzr_app.crypto import new_token, token_hash
from fluenzr_app.workspaces.errors import TicketRefused, UnknownWorkspace
from fluenzr_app.workspaces.identity import Identity, role_of
from fluenzr_app.workspaces.models import Membership, SignInTicket, User, UserSession

TICKET_LIFE = timedelta(seconds=60)
SEEN_EVERY = timedelta(minutes=5)
KEEP_ENDED = timedelta(days=30)
_TOKEN_LENGTHS = range(16, 201)


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session just begun; `token` goes into the cookie and is kept nowhere else."""

    token: str
    user_id: int
    workspace_id: int
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SessionRow:
    """A signed-in browser as a list shows it."""

    session_id: int
    browser: str
    created_at: datetime
    seen_at: datetime


def issue_ticket(session: Session, *, user_id: int, workspace_id: int, nonce: str, now: datetime) -> str:
    """Return a ticket for a person whose password was checked, good for 60 s and only with this browser's nonce.

    Raises TicketRefused for an empty nonce: it would bind the ticket to nothing.
    """
    if len(nonce) not in _TOKEN_LENGTHS:
        raise TicketRefused
    ticket = new_token()
    session.add(
        SignInTicket(
            token_hash=token_hash(ticket),
            nonce_hash=token_hash(nonce),
            user_id=user_id,
            workspace_id=workspace_id,
            expires_at=now + TICKET_LIFE,
        )
    )
    session.flush()
    return ticket


def redeem_ticket(
    session: Session,
    *,
    ticket: str,
    nonce: str,
    browser: str,
    now: datetime,
    days: int = 30,
    replaces: str | None = None,
) -> NewSession:
    """Begin a session and return it, always under a fresh token; the session `replaces` of that browser ends.

    Raises TicketRefused for a ticket that is unknown, used, too old or another browser's. The conditional update
    decides, so that of two requests with one ticket only one gets a session.
    """
    mine = SignInTicket.__table__.c  # type: ignore[attr-defined]
    redeemed = (
        update(SignInTicket)
        .where(
            mine.token_hash == token_hash(ticket),
            mine.nonce_hash == token_hash(nonce),
            mine.used_at.is_(None),
            mine.expires_at > now,
        )
        .values(used_at=now)
        .returning(mine.user_id, mine.workspace_id)
    )
    row = session.connection().execute(redeemed).first()
    if row is None or not _is_member(session, row.user_id, row.workspace_id):
        raise TicketRefused
    if replaces:
        sign_out(session, replaces, now)
    token = new_token()
    fresh = UserSession(
        token_hash=token_hash(token),
        user_id=row.user_id,
        workspace_id=row.workspace_id,
        browser=browser[:200],
        created_at=now,
        seen_at=now,
        expires_at=now + timedelta(days=days),
    )
    session.add(fresh)
    session.flush()
    return NewSession(token, row.user_id, row.workspace_id, fresh.expires_at)


def session_of(session: Session, token: str, now: datetime) -> Identity | None:
    """Return who is signed in with the cookie's `token`, with today's rights; nobody for anything out of order.

    Writes nothing, so that it can run in a reading session; `Identity.stale` asks for `touch`.
    """
    if len(token) not in _TOKEN_LENGTHS:
        return None
    statement = (
        select(UserSession, User, Membership.role)
        .join(User, col(User.id) == col(UserSession.user_id))
        .join(
            Membership,
            (col(Membership.user_id) == col(UserSession.user_id))
            & (col(Membership.workspace_id) == col(UserSession.workspace_id)),
        )
        .where(
            col(UserSession.token_hash) == token_hash(token),
            col(UserSession.revoked_at).is_(None),
            col(UserSession.expires_at) > now,
            col(User.disabled_at).is_(None),
        )
    )
    found = session.exec(statement).first()
    if found is None:
        return None
    row, user, role = found
    return Identity(
        user_id=row.user_id,
        workspace_id=row.workspace_id,
        role=role_of(role),
        email=user.email,
        name=f"{user.first_name} {user.last_name}".strip() or user.email,
        language=user.language,
        session_id=row.id,
        stale=now - row.seen_at >= SEEN_EVERY,
    )


def touch(session: Session, session_id: int, now: datetime) -> None:
    """Note that a session is in use, at most every 5 minutes."""
    mine = col(UserSession.id) == session_id, col(UserSession.seen_at) <= now - SEEN_EVERY
    session.connection().execute(update(UserSession).where(*mine).values(seen_at=now))


def sign_out(session: Session, token: str, now: datetime) -> None:
    """End the session with this token; nothing happens when there is none."""
    _revoke(session, now, col(UserSession.token_hash) == token_hash(token))


def sign_out_everywhere(session: Session, user_id: int, now: datetime, *, but: int | None = None) -> None:
    """End every session of a user, except session `but` if one is given; open tickets die too."""
    session.connection().execute(delete(SignInTicket).where(col(SignInTicket.user_id) == user_id))
    others = col(UserSession.user_id) == user_id
    _revoke(session, now, others if but is None else others & (col(UserSession.id) != but))


def list_sessions(session: Session, user_id: int, now: datetime) -> Sequence[SessionRow]:
    """Return the browsers in which a user is signed in, last used first."""
    statement = (
        select(UserSession)
        .where(
            col(UserSession.user_id) == user_id,
            col(UserSession.revoked_at).is_(None),
            col(UserSession.expires_at) > now,
        )
        .order_by(col(UserSession.seen_at).desc(), col(UserSession.id).desc())
    )
    return [SessionRow(row.id or 0, row.browser, row.created_at, row.seen_at) for row in session.exec(statement)]


def revoke_session(session: Session, user_id: int, session_id: int, now: datetime) -> None:
    """End one of the user's own sessions; another user's is left alone."""
    _revoke(session, now, (col(UserSession.id) == session_id) & (col(UserSession.user_id) == user_id))


def switch_workspace(session: Session, identity: Identity, workspace_id: int, now: datetime) -> Identity:
    """Move the session to another workspace of the same user and return the new identity; raises UnknownWorkspace."""
    role = _role(session, identity.user_id, workspace_id)
    if role is None or identity.session_id is None:
        raise UnknownWorkspace
    mine = col(UserSession.id) == identity.session_id, col(UserSession.user_id) == identity.user_id
    session.connection().execute(update(UserSession).where(*mine).values(workspace_id=workspace_id, seen_at=now))
    return Identity(
        user_id=identity.user_id,
        workspace_id=workspace_id,
        role=role_of(role),
        email=identity.email,
        name=identity.name,
        language=identity.language,
        session_id=identity.session_id,
    )


def forget_old(session: Session, now: datetime) -> int:
    """Delete tickets that ran out, and sessions that ended 30 days ago or longer; return how many."""
    old = now - KEEP_ENDED
    ended = or_(col(UserSession.expires_at) < old, col(UserSession.revoked_at) < old)
    execute = session.connection().execute
    tickets = execute(delete(SignInTicket).where(col(SignInTicket.expires_at) < now - timedelta(hours=1)))
    return tickets.rowcount + execute(delete(UserSession).where(ended)).rowcount


def _revoke(session: Session, now: datetime, which: object) -> None:
    running = update(UserSession).where(which, col(UserSession.revoked_at).is_(None))  # type: ignore[arg-type]
    session.connection().execute(running.values(revoked_at=now))


def _role(session: Session, user_id: int, workspace_id: int) -> str | None:
    mine = col(Membership.user_id) == user_id, col(Membership.workspace_id) == workspace_id
    return session.exec(select(Membership.role).where(*mine)).first()


def _is_member(session: Session, user_id: int, workspace_id: int) -> bool:
    enabled = select(User.id).where(col(User.id) == user_id, col(User.disabled_at).is_(None))
    return _role(session, user_id, workspace_id) is not None and session.exec(enabled).first() is not None
