"""Testing the connection of an account, stage by stage, and what follows from the result (symptoms.md, 5).

The one place of this room that opens transactions of its own: a probe takes seconds of network between reading the
secrets and storing the outcome, and no transaction may stay open meanwhile.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random
from typing import Any, cast

from sqlalchemy import delete
from sqlmodel import Session, col, select

from fluenzr_app.accounts import service
from fluenzr_app.accounts.connect import imap_settings, settings_of_form, smtp_settings
from fluenzr_app.accounts.form import SmtpForm, check_form
from fluenzr_app.accounts.health import report_fault
from fluenzr_app.accounts.models import EmailAccount, ProbeRun
from fluenzr_app.clock import Clock
from fluenzr_app.crypto import KeyRing, new_token
from fluenzr_app.db.engine import Database
from fluenzr_app.mail.probe import ProbeTarget, StageResult, probe
from fluenzr_app.mail.probe_findings import Mend
from fluenzr_app.settings import Settings
from fluenzr_app.workspaces.audit import Actor

_TOKEN_BYTES = 18
# A failed test shows that nothing would leave; the account must not go on calling itself connected.
_LASTING = frozenset({
    "auth_failed", "app_password_required", "sender_refused", "blocked_by_policy", "tls_certificate_invalid",
    "tls_mode_mismatch",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class LastProbe:
    """The last probe of an account, as a page shows it after a reload."""

    at: datetime
    passed: bool
    stages: tuple[StageResult, ...]


@dataclass(frozen=True, slots=True)
class NewPasswords:
    """Passwords that are tried before they replace the stored ones. `imap` empty: not changed."""

    smtp: str = field(repr=False)
    imap: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class _Opened:
    target: ProbeTarget
    revision: int


@dataclass(frozen=True, slots=True)
class _FailedStage:
    """A failed stage as `health.report_fault` takes it."""

    error_code: str | None
    text: str
    cause: str | None
    level: str = "account"
    permanent: bool = True
    retry_after: float | None = None


def can_send(stages: Sequence[StageResult]) -> bool:
    """Return whether every stage of the outgoing server was passed (or left out on purpose)."""
    outgoing = [stage for stage in stages if not stage.stage.startswith("imap_")]
    return bool(outgoing) and all(stage.state in ("ok", "skipped") for stage in outgoing)


def all_passed(stages: Sequence[StageResult]) -> bool:
    """Return whether every stage was passed, those of the incoming server too."""
    return bool(stages) and all(stage.state in ("ok", "skipped") for stage in stages)


async def probe_form(
    form: SmtpForm, settings: Settings, now: datetime, *, language: str = "fr", send_message: bool = True
) -> AsyncGenerator[StageResult, None]:
    """Yield the stages of a probe of what a form names; nothing is stored. Raises BadAccountForm before the first.

    When `can_send` says so of all stages together, `connect_probed` makes the account.
    """
    checked = check_form(form)
    smtp, imap = settings_of_form(checked, settings)
    target = ProbeTarget(
        checked.address.address, smtp, imap, checked.limits.get("display_name", ""), send_message, language
    )
    async with aclosing(_stages(target, now)) as stages:
        async for stage in stages:
            yield stage


def connect_probed(
    session: Session,
    keyring: KeyRing,
    workspace_id: int,
    form: SmtpForm,
    stages: Sequence[StageResult],
    now: datetime,
    rng: Random,
    *,
    actor: Actor = None,
) -> EmailAccount:
    """Store the account of a probed form together with its probe and return it; in error where the probe failed.

    Raises BadAccountForm, AddressInUse.
    """
    account = service.connect_smtp(session, keyring, workspace_id, form, now, actor=actor)
    account_id = cast(int, account.id)
    _store(session, account_id, stages, now)
    _report(session, account_id, stages, now, rng)
    return service.get_account(session, workspace_id, account_id)


async def probe_account(
    database: Database,
    keyring: KeyRing,
    settings: Settings,
    clock: Clock,
    rng: Random,
    workspace_id: int,
    account_id: int,
    *,
    passwords: NewPasswords | None = None,
    language: str = "fr",
    send_message: bool = True,
    actor: Actor = None,
) -> AsyncGenerator[StageResult, None]:
    """Yield the stages of a probe of a stored account, then store the run and draw the conclusion.

    Passed: error and back-off are over. Failed for a reason that lasts: the account turns to error. With `passwords`
    these are tried instead of the stored ones, and replace them only when they work (`service.reconnect`). Stopping
    early stores nothing. Raises UnknownAccount, BadAccountForm, workspaces.SecretMissing, crypto.CannotOpen.
    """
    opened = await database.run(
        _open, database, keyring, settings, workspace_id, account_id, passwords, language, send_message
    )
    stages: list[StageResult] = []
    async with aclosing(_stages(opened.target, clock.now())) as coming:
        async for stage in coming:
            stages.append(stage)
            yield stage

    def conclude(session: Session) -> None:
        now = clock.now()
        account = service.get_account(session, workspace_id, account_id, removed_too=True)
        # Changed or removed meanwhile: what was found is no longer about this account as it is.
        if account.revision != opened.revision:
            return
        _store(session, account_id, stages, now)
        if can_send(stages) and passwords is not None:
            service.reconnect(session, keyring, workspace_id, account_id, passwords.smtp, now,
                              imap_password=passwords.imap or None, actor=actor)  # fmt: skip
        elif can_send(stages):
            service.mark_mended(session, workspace_id, account_id, now)
        elif passwords is None:
            _report(session, account_id, stages, now, rng)

    await database.run(database.transact, conclude)


def last_probe(session: Session, workspace_id: int, account_id: int) -> LastProbe | None:
    """Return the last probe of an account of the workspace, None when there was none."""
    statement = (
        select(ProbeRun)
        .join(EmailAccount, col(EmailAccount.id) == col(ProbeRun.account_id))
        .where(col(ProbeRun.account_id) == account_id, col(EmailAccount.workspace_id) == workspace_id)
        .order_by(col(ProbeRun.id).desc())
        .limit(1)
    )
    run = session.exec(statement).first()
    return None if run is None else LastProbe(run.at, run.passed, tuple(_stage_of(each) for each in run.stages))


def _stages(target: ProbeTarget, now: datetime) -> AsyncGenerator[StageResult, None]:
    # Who stops looking closes the connections at once, not when the garbage is collected.
    return probe(target, token=new_token(_TOKEN_BYTES), now=now)


def _open(
    database: Database,
    keyring: KeyRing,
    settings: Settings,
    workspace_id: int,
    account_id: int,
    passwords: NewPasswords | None,
    language: str,
    send_message: bool,
) -> _Opened:
    with database.read() as session:
        account = service.get_account(session, workspace_id, account_id)
        smtp = smtp_settings(session, keyring, account, settings)
        imap = imap_settings(session, keyring, account, settings)
    if passwords is not None:
        service.check_passwords(passwords.smtp, passwords.imap)
        smtp = replace(smtp, username=account.smtp_username, password=passwords.smtp)
        if imap is not None:
            shared = passwords.smtp if account.imap_secret_id is None else imap.password
            imap = replace(imap, password=passwords.imap or shared)
    target = ProbeTarget(account.email, smtp, imap, account.display_name, send_message, language)
    return _Opened(target, account.revision)


def _report(session: Session, account_id: int, stages: Sequence[StageResult], now: datetime, rng: Random) -> None:
    for stage in stages:
        outgoing = not stage.stage.startswith("imap_")
        if stage.state == "failed" and outgoing and stage.error_code in _LASTING:
            words = stage.server_words or stage.detail.en
            report_fault(session, account_id, _FailedStage(stage.error_code, words, stage.detail_key), now, rng)


def _store(session: Session, account_id: int, stages: Sequence[StageResult], now: datetime) -> None:
    # Only the last one is ever shown.
    session.execute(delete(ProbeRun).where(col(ProbeRun.account_id) == account_id))
    session.add(
        ProbeRun(account_id=account_id, at=now, passed=all_passed(stages), stages=[_json_of(each) for each in stages])
    )
    session.flush()


def _json_of(stage: StageResult) -> dict[str, Any]:
    """Without sentences: who looks at it later may read another language."""
    mend = stage.mend
    return {
        "stage": stage.stage,
        "state": stage.state,
        "key": stage.detail_key,
        "params": dict(stage.params),
        "ms": stage.duration_ms,
        "code": stage.error_code,
        "mend": None if mend is None else [mend.key, dict(mend.params), mend.change and dict(mend.change)],
        "words": stage.server_words,
    }


def _stage_of(stored: dict[str, Any]) -> StageResult:
    mend = stored["mend"]
    return StageResult(
        stored["stage"], stored["state"], stored["key"], stored["params"], stored["ms"], stored["code"],
        None if mend is None else Mend(*mend), stored["words"],
    )  # fmt: skip
