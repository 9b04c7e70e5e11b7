"""What other rooms may call of email accounts: connecting, reading, changing, pausing, reconnecting, removing.

Each change is one conditional update that raises the revision, so that what was claimed under an older one is
claimed anew. What sends do to an account is in `health`.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import case, delete, func, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from fluenzr_app.accounts.errors import AddressInUse, BadAccountForm, FieldFault, PasswordNeeded, UnknownAccount
from fluenzr_app.accounts.form import Limits, Server, SmtpForm, check_form, check_limits, check_password, check_server
from fluenzr_app.accounts.health import BACKOFF_CLEARED, ERROR_CLEARED, recovered_event
from fluenzr_app.accounts.limits import default_daily_limit
from fluenzr_app.accounts.models import EmailAccount, ProbeRun
from fluenzr_app.crypto import KeyRing
from fluenzr_app.events.record import record
from fluenzr_app.mail.addresses import email_key
from fluenzr_app.mail.errors import BadAddress
from fluenzr_app.workspaces import audit
from fluenzr_app.workspaces.audit import Actor
from fluenzr_app.workspaces.secrets import delete_secret, replace_secret, store_secret

# Kinds of secrets, part of what binds each to its place (accounts.md, Secrets).
SMTP_KIND = "smtp_password"
IMAP_KIND = "imap_password"
# What an account's day is rolled from.
_PACE = frozenset({"daily_limit", "min_gap_seconds", "warming_share", "ramp_enabled"})

# Puts what waits in the account's queue where the user wants it and returns how many messages that were.
ReleaseQueue = Callable[[Session, int], int]


def connect_smtp(
    session: Session, keyring: KeyRing, workspace_id: int, form: SmtpForm, now: datetime, *, actor: Actor = None
) -> EmailAccount:
    """Store a mailbox with sealed passwords and return its account, connected.

    The servers are not asked here: `connect.probe_form` does that before. An IMAP password or user name that was
    left empty is that of SMTP. Raises BadAccountForm, AddressInUse.
    """
    checked = check_form(form)
    if is_connected(session, checked.address.address):
        raise AddressInUse(checked.address.address)
    values: dict[str, Any] = {"daily_limit": default_daily_limit("smtp"), **checked.limits}
    account = EmailAccount(
        workspace_id=workspace_id, email=checked.address.address, email_key=checked.address.key, provider="smtp",
        created_at=now, updated_at=now, **_server_columns("smtp", checked.smtp), **values,
    )  # fmt: skip
    if checked.imap is not None:
        for name, value in _server_columns("imap", checked.imap).items():
            setattr(account, name, value)
    try:
        # Two may connect one address at the same moment; the unique index tells the second, and only its work is
        # undone, not the caller's transaction.
        with session.begin_nested():
            account.smtp_secret_id = _seal(session, keyring, workspace_id, SMTP_KIND, checked.smtp, now)
            if checked.imap is not None and checked.imap.password:
                account.imap_secret_id = _seal(session, keyring, workspace_id, IMAP_KIND, checked.imap, now)
            session.add(account)
            session.flush()
    except IntegrityError:
        raise AddressInUse(checked.address.address) from None
    audit.record(session, actor, workspace_id, "account.connected", account.email, None, now)
    return account


def is_connected(session: Session, email: str) -> bool:
    """Return whether some workspace of this installation has connected the address; raises BadAccountForm."""
    try:
        key = email_key(email)
    except BadAddress as error:
        raise BadAccountForm([FieldFault("email", error.code, str(error))]) from None
    statement = select(EmailAccount.id).where(
        col(EmailAccount.email_key) == key, col(EmailAccount.removed_at).is_(None)
    )
    return session.exec(statement).first() is not None


def list_accounts(session: Session, workspace_id: int) -> Sequence[EmailAccount]:
    """Return the workspace's accounts in order of their addresses, without removed ones."""
    statement = (
        select(EmailAccount)
        .where(col(EmailAccount.workspace_id) == workspace_id, col(EmailAccount.removed_at).is_(None))
        .order_by(col(EmailAccount.email_key), col(EmailAccount.id))
    )
    return session.exec(statement).all()


def count_accounts(session: Session, workspace_id: int) -> int:
    """Return how many accounts the workspace has connected (plans count them)."""
    statement = select(func.count()).where(
        col(EmailAccount.workspace_id) == workspace_id, col(EmailAccount.removed_at).is_(None)
    )
    return session.exec(statement).one()


def get_account(session: Session, workspace_id: int, account_id: int, *, removed_too: bool = False) -> EmailAccount:
    """Return one account of the workspace; a removed one only with `removed_too`. Raises UnknownAccount."""
    statement = (
        select(EmailAccount)
        .where(col(EmailAccount.id) == account_id, col(EmailAccount.workspace_id) == workspace_id)
        .execution_options(populate_existing=True)
    )
    account = session.exec(statement).first()
    if account is None or (account.removed_at is not None and not removed_too):
        raise UnknownAccount
    return account


def update_settings(
    session: Session, workspace_id: int, account_id: int, limits: Limits, now: datetime, *, actor: Actor = None
) -> EmailAccount:
    """Change name, signature, limits, gap, share of warming, ramp or the copy of sent mail; absent keys stay.

    Raises BadAccountForm, UnknownAccount.
    """
    faults: list[FieldFault] = []
    checked = check_limits(limits, faults)
    if faults:
        raise BadAccountForm(faults)
    account = get_account(session, workspace_id, account_id)
    changed = {name: value for name, value in checked.items() if getattr(account, name) != value}
    if not changed:
        return account
    shown = {name: value for name, value in changed.items() if name != "signature"}
    audit.record(session, actor, workspace_id, "account.changed", account.email, shown, now)
    # Its day was rolled from these: the next claim looks at it anew rather than after a moment planned before.
    replan: dict[str, Any] = {"next_send_at": None} if _PACE.intersection(changed) else {}
    return _change(session, workspace_id, account_id, now, **changed, **replan)


def update_servers(
    session: Session,
    keyring: KeyRing,
    workspace_id: int,
    account_id: int,
    now: datetime,
    *,
    smtp: Server | None = None,
    imap: Server | None = None,
    drop_imap: bool = False,
    actor: Actor = None,
) -> EmailAccount:
    """Change how the mailbox is reached; a server that is absent stays as it is, an empty password too.

    Raises BadAccountForm, UnknownAccount, and PasswordNeeded when the host changes without a password: a stored one
    must not be sent to a server that somebody has just typed in.
    """
    faults: list[FieldFault] = []
    new_smtp = None if smtp is None else check_server("smtp", smtp, faults)
    new_imap = None if imap is None or drop_imap else check_server("imap", imap, faults)
    if faults:
        raise BadAccountForm(faults)
    account = get_account(session, workspace_id, account_id)
    values: dict[str, Any] = {}
    if new_smtp is not None:
        if new_smtp.host != account.smtp_host and not new_smtp.password:
            raise PasswordNeeded("smtp")
        columns = _server_columns("smtp", new_smtp)
        values |= columns if new_smtp.username else columns | {"smtp_username": account.smtp_username}
        values |= _new_password(session, keyring, account, "smtp", new_smtp.password, now)
    if new_imap is not None:
        # Without a password of its own IMAP uses that of SMTP, which its own server knows already.
        shared_host = account.smtp_host if account.imap_secret_id is None else account.imap_host
        if new_imap.host not in (account.imap_host, shared_host) and not new_imap.password:
            raise PasswordNeeded("imap")
        values |= _server_columns("imap", new_imap)
        values |= _new_password(session, keyring, account, "imap", new_imap.password, now)
    dropped = account.imap_secret_id if drop_imap else None
    if drop_imap:
        values |= {"imap_host": "", "imap_username": "", "imap_secret_id": None, "synced_at": None}
    if not values:
        return account
    hosts = {name: server.host for name, server in (("smtp", new_smtp), ("imap", new_imap)) if server is not None}
    audit.record(session, actor, workspace_id, "account.servers_changed", account.email, hosts, now)
    changed = _change(session, workspace_id, account_id, now, **values)
    if dropped is not None:
        delete_secret(session, dropped)
    return changed


def pause(session: Session, workspace_id: int, account_id: int, now: datetime, *, actor: Actor = None) -> EmailAccount:
    """Stop sending from an account until `resume`; its contacts wait. Raises UnknownAccount.

    The end of a quota pause under way is kept: resuming before it goes back to waiting for the quota.
    """
    account = get_account(session, workspace_id, account_id)
    if account.status == "paused" and account.pause_reason == "user":
        return account
    audit.record(session, actor, workspace_id, "account.paused", account.email, None, now)
    return _change(session, workspace_id, account_id, now, status="paused", pause_reason="user")


def resume(session: Session, workspace_id: int, account_id: int, now: datetime, *, actor: Actor = None) -> EmailAccount:
    """Send again from an account that was paused, or try one in error again; returns it. Raises UnknownAccount.

    An error stays noted until a send has succeeded (`health.report_success`), so that a second failure of the same
    kind keeps its beginning. A user's pause that covers a quota's goes back to waiting for the quota.
    """
    account = get_account(session, workspace_id, account_id)
    if account.status == "connected" and account.backoff_until is None:
        return account
    audit.record(session, actor, workspace_id, "account.resumed", account.email, None, now)
    quota_holds = case(
        ((col(EmailAccount.pause_reason) == "user") & (col(EmailAccount.paused_until) > now), True), else_=False
    )
    return _change(
        session, workspace_id, account_id, now,
        status=case((quota_holds, "paused"), else_="connected"),
        pause_reason=case((quota_holds, "quota"), else_=""),
        paused_until=case((quota_holds, col(EmailAccount.paused_until)), else_=None),
        **BACKOFF_CLEARED,
    )  # fmt: skip


def reconnect(
    session: Session,
    keyring: KeyRing,
    workspace_id: int,
    account_id: int,
    smtp_password: str,
    now: datetime,
    *,
    imap_password: str | None = None,
    actor: Actor = None,
) -> EmailAccount:
    """Give an account a new password; it keeps its history and its queue, and its error is over.

    An account that the user has paused stays paused. Raises BadAccountForm, UnknownAccount.
    """
    check_passwords(smtp_password, imap_password or "")
    account = get_account(session, workspace_id, account_id)
    values = _new_password(session, keyring, account, "smtp", smtp_password, now)
    values |= _new_password(session, keyring, account, "imap", imap_password or "", now)
    audit.record(session, actor, workspace_id, "account.reconnected", account.email, None, now)
    return _mended(session, account, account_id, now, **values)


def check_passwords(smtp_password: str, imap_password: str = "") -> None:
    """Raise BadAccountForm unless both can be sent to a server and that of SMTP is there."""
    faults: list[FieldFault] = []
    for path, password in (("smtp", smtp_password), ("imap", imap_password)):
        check_password(path, password, faults)
    if not smtp_password:
        faults.append(FieldFault("smtp.password", "missing", "The password is missing."))
    if faults:
        raise BadAccountForm(faults)


def mark_mended(session: Session, workspace_id: int, account_id: int, now: datetime) -> EmailAccount:
    """Note that a probe went through: error and back-off are over. Raises UnknownAccount."""
    account = get_account(session, workspace_id, account_id)
    if account.error_code is None and account.status != "error" and account.backoff_step == 0:
        return account
    return _mended(session, account, account_id, now)


def remove(
    session: Session,
    workspace_id: int,
    account_id: int,
    now: datetime,
    *,
    release_queue: ReleaseQueue,
    actor: Actor = None,
) -> int:
    """Remove an account and its secrets; return what `release_queue` says of the messages that waited.

    What was sent stays in the history under the account's name; the address may be connected again. Raises
    UnknownAccount.
    """
    account = get_account(session, workspace_id, account_id)
    secrets = [secret for secret in (account.smtp_secret_id, account.imap_secret_id) if secret is not None]
    email = account.email
    # Marked first: from here on no claim can take the account while its queue is emptied.
    _change(session, workspace_id, account_id, now, status="removed", removed_at=now, smtp_secret_id=None,
            imap_secret_id=None, paused_until=None, pause_reason="", **ERROR_CLEARED, **BACKOFF_CLEARED)  # fmt: skip
    released = release_queue(session, account_id)
    for secret_id in secrets:
        delete_secret(session, secret_id)
    session.execute(delete(ProbeRun).where(col(ProbeRun.account_id) == account_id))
    audit.record(session, actor, workspace_id, "account.removed", email, {"messages": released}, now)
    return released


def _mended(session: Session, account: EmailAccount, account_id: int, now: datetime, **values: Any) -> EmailAccount:
    code, workspace_id = account.error_code, account.workspace_id
    mended = _change(
        session, workspace_id, account_id, now,
        status=case((col(EmailAccount.status) == "error", "connected"), else_=col(EmailAccount.status)),
        **values, **ERROR_CLEARED, **BACKOFF_CLEARED,
    )  # fmt: skip
    if code is not None:
        record(session, [recovered_event(account_id, workspace_id, mended.revision, code, now)])
    return mended


def _change(session: Session, workspace_id: int, account_id: int, now: datetime, **values: Any) -> EmailAccount:
    statement = (
        update(EmailAccount)
        .where(
            col(EmailAccount.id) == account_id,
            col(EmailAccount.workspace_id) == workspace_id,
            col(EmailAccount.removed_at).is_(None),
        )
        .values(revision=col(EmailAccount.revision) + 1, updated_at=now, **values)
        .returning(col(EmailAccount.id))
        .execution_options(synchronize_session=False)
    )
    if session.execute(statement).first() is None:
        raise UnknownAccount
    return get_account(session, workspace_id, account_id, removed_too=True)


def _server_columns(path: str, server: Server) -> dict[str, Any]:
    return {
        f"{path}_host": server.host,
        f"{path}_port": server.port,
        f"{path}_encryption": server.encryption,
        f"{path}_username": server.username,
    }


def _seal(session: Session, keyring: KeyRing, workspace_id: int, kind: str, server: Server, now: datetime) -> str:
    return store_secret(session, keyring, workspace_id, kind, server.password.encode(), now)


def _new_password(
    session: Session, keyring: KeyRing, account: EmailAccount, path: str, password: str, now: datetime
) -> dict[str, Any]:
    """Seal a password that was given anew; an account without one of its own for IMAP gets one only then."""
    if not password:
        return {}
    column = f"{path}_secret_id"
    secret_id: str | None = getattr(account, column)
    if secret_id is not None:
        replace_secret(session, keyring, secret_id, password.encode(), now)
        return {}
    kind = SMTP_KIND if path == "smtp" else IMAP_KIND
    return {column: store_secret(session, keyring, account.workspace_id, kind, password.encode(), now)}
