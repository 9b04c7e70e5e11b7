"""What other rooms may call of users, workspaces and sessions; keys, secrets and audit have files of their own."""

from datetime import datetime

from sqlmodel import Session

from fluenzr_app.db.engine import Database
from fluenzr_app.workspaces import idempotency, sessions, throttle
from fluenzr_app.workspaces.identity import Identity, Role, require_admin
from fluenzr_app.workspaces.own_password import change_password
from fluenzr_app.workspaces.passwords import check_password, generate_password
from fluenzr_app.workspaces.secrets import suppression_key
from fluenzr_app.workspaces.sessions import (
    NewSession,
    SessionRow,
    issue_ticket,
    list_sessions,
    redeem_ticket,
    revoke_session,
    session_of,
    sign_out,
    sign_out_everywhere,
    switch_workspace,
    touch,
)
from fluenzr_app.workspaces.sign_in import browser_mark, sign_in
from fluenzr_app.workspaces.users import (
    WorkspaceChoice,
    add_user,
    create_owner,
    create_workspace,
    find_user,
    get_user,
    get_workspace,
    has_owner,
    is_member,
    names_of,
    redeem_setup,
    set_language,
    set_name,
    set_password,
    setup_link,
    setup_link_valid,
    update_workspace,
    workspaces_of,
)

__all__ = [
    "Identity",
    "NewSession",
    "Role",
    "SessionRow",
    "WorkspaceChoice",
    "add_user",
    "browser_mark",
    "change_password",
    "check_password",
    "create_owner",
    "create_workspace",
    "find_user",
    "forget_old",
    "generate_password",
    "get_user",
    "get_workspace",
    "has_owner",
    "is_member",
    "issue_ticket",
    "list_sessions",
    "names_of",
    "redeem_setup",
    "redeem_ticket",
    "require_admin",
    "revoke_session",
    "session_of",
    "set_language",
    "set_name",
    "set_password",
    "setup_link",
    "setup_link_valid",
    "sign_in",
    "sign_out",
    "sign_out_everywhere",
    "suppression_key",
    "switch_workspace",
    "touch",
    "update_workspace",
    "who_is",
    "workspaces_of",
]


def who_is(database: Database, token: str, now: datetime) -> Identity | None:
    """Return who is signed in with the cookie's `token`, for callers at the edge (routes, event handlers).

    Opens its own short transactions: one for reading, and every few minutes one that notes the session as in use.
    """
    with database.read() as session:
        identity = session_of(session, token, now)
    if identity is not None and identity.stale and identity.session_id is not None:
        with database.transaction() as session:
            touch(session, identity.session_id, now)
    return identity


def forget_old(session: Session, now: datetime) -> int:
    """Delete what has run out (tickets, ended sessions, counts of failures, stored answers); return how many rows."""
    return sessions.forget_old(session, now) + throttle.forget_old(session, now) + idempotency.forget_old(session, now)
