"""What a failed or accepted send does to its account: error, pause, back-off, and the way out of each.

An account-level failure never costs a contact (accounts.md, States). After an error that may pass by itself the
account is tried again: it is `connected` then, and `error_code` stays until a send has proved that it is mended.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from sqlalchemy import ColumnElement, select, update
from sqlmodel import Session, col

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.events.record import NewEvent, record

Kind = Literal["none", "backoff", "paused", "error"]

QUOTA_PAUSE = timedelta(hours=24)
# Minutes of back-off; the last one repeats. Each is stretched by up to a quarter, so that the accounts of one
# provider do not all come back at the same moment.
_STEPS_MIN = (1, 2, 5, 15, 30, 60)
_STRETCH = 1.25
# About six hours of nothing but faults; then somebody is told.
_STEPS_UNTIL_ERROR = 10
_LONGEST = timedelta(hours=24)
_RETRY_ERROR_AFTER = timedelta(hours=1)

# May pass by itself, so it backs off before it is called an error, and an error of these is tried again.
_UNREACHABLE = frozenset({"timeout", "connection_refused", "dns_failure"})
_WORDS_KEPT = 500

PRIVATE_NETWORK_REFUSED = "private_network_refused"
ERROR_CLEARED: dict[str, Any] = {"error_code": None, "error_message": "", "error_since": None}
BACKOFF_CLEARED: dict[str, Any] = {"backoff_until": None, "backoff_step": 0, "backoff_reason": ""}


class Failure(Protocol):
    """What is asked of a failed send; `mail.transport.SendFailure` is one. `retry_after` in seconds."""

    @property
    def level(self) -> str:
        """`account`, `connection`, `recipient` or `message`."""

    @property
    def permanent(self) -> bool:
        """Whether the same attempt would fail again."""

    @property
    def error_code(self) -> str | None:
        """The error code of accounts.md; absent for a fault without a name."""

    @property
    def cause(self) -> str | None:
        """The cause behind it where one was recognised."""

    @property
    def retry_after(self) -> float | None:
        """Seconds that the server asked to wait."""

    @property
    def text(self) -> str:
        """The server's words."""


@dataclass(frozen=True, slots=True)
class Consequence:
    """What became of the account. `until` ends a back-off or pause; `code` names its cause.

    `event` is what was recorded of a new error.
    """

    kind: Kind
    code: str | None = None
    until: datetime | None = None
    event: NewEvent | None = None


@dataclass(frozen=True, slots=True)
class Resumed:
    """An account that sends again: its quota pause is over (`quota`), or an error is tried again (`retry`)."""

    account_id: int
    workspace_id: int
    why: Literal["quota", "retry"]


@dataclass(frozen=True, slots=True)
class _Standing:
    workspace_id: int
    status: str
    error_code: str | None
    error_since: datetime | None
    paused_until: datetime | None
    backoff_until: datetime | None
    backoff_step: int
    backoff_reason: str
    revision: int


def report_fault(session: Session, account_id: int, failure: Failure, now: datetime, rng: random.Random) -> Consequence:
    """Take note of a failed send and return what follows for the account; `none` where the fault is not its own.

    Faults of several connections in one outage count as one: while an account backs off, nothing grows.
    """
    if failure.level not in ("account", "connection"):
        return Consequence("none")
    standing = _standing(session, account_id)
    if standing is None:
        return Consequence("none")
    if standing.status != "connected":
        return _as_it_stands(standing)
    if failure.error_code == "quota_exceeded":
        return _pause(session, account_id, standing, failure, now)
    if _is_lasting(failure) or _is_exhausted(failure, standing, now):
        return _turn_to_error(session, account_id, standing, failure, now, rng)
    return _back_off(session, account_id, standing, failure, now, rng)


def report_success(session: Session, account_id: int, now: datetime) -> NewEvent | None:
    """Forget back-off and error of an account that has just sent; writes only where there is something to forget.

    Returns the `account.recovered` that was recorded where an error is over.
    """
    standing = _standing(session, account_id)
    if standing is None or not needs_reset(standing) or standing.status != "connected":
        return None
    changed = _change(session, account_id, standing, now, grow=False, **ERROR_CLEARED, **BACKOFF_CLEARED)
    if not changed or standing.error_code is None:
        return None
    event = recovered_event(account_id, standing.workspace_id, standing.revision, standing.error_code, now)
    record(session, [event])
    return event


class Resettable(Protocol):
    """What tells whether a success would change anything."""

    @property
    def error_code(self) -> str | None:
        """The error that has not been proved mended."""

    @property
    def backoff_step(self) -> int:
        """How many back-offs there were since the last success."""


def needs_reset(account: Resettable) -> bool:
    """Return whether `report_success` has anything to do for an account as it was read before the send."""
    return account.error_code is not None or account.backoff_step > 0


def due_to_resume(session: Session, now: datetime) -> Sequence[Resumed]:
    """Take up again the accounts whose quota pause is over or whose error may have passed; return them.

    No event comes of it: a pause was no error, and a second try has proved nothing yet.
    """
    resumed: list[Resumed] = []
    over: list[tuple[Literal["quota", "retry"], list[ColumnElement[bool]]]] = [
        ("quota", [col(EmailAccount.status) == "paused", col(EmailAccount.pause_reason) == "quota",
                   col(EmailAccount.paused_until) <= now]),
        ("retry", [col(EmailAccount.status) == "error", col(EmailAccount.error_code).in_(_UNREACHABLE),
                   col(EmailAccount.backoff_until) <= now]),
    ]  # fmt: skip
    for why, conditions in over:
        rows = session.execute(
            update(EmailAccount)
            .where(*conditions)
            .values(status="connected", paused_until=None, pause_reason="", backoff_until=None, updated_at=now,
                    revision=EmailAccount.revision + 1)
            .returning(col(EmailAccount.id), col(EmailAccount.workspace_id))
        ).all()  # fmt: skip
        resumed += [Resumed(account_id, workspace_id, why) for account_id, workspace_id in sorted(rows)]
    return resumed


def error_event(account_id: int, workspace_id: int, revision: int, code: str, message: str, now: datetime) -> NewEvent:
    """Return `account.error`, once for each revision in which the account turned to error."""
    return NewEvent(
        workspace_id, "account.error", f"account.error:{account_id}:{revision}", now,
        account_id=account_id, data={"code": code, "message": message},
    )  # fmt: skip


def recovered_event(account_id: int, workspace_id: int, revision: int, code: str, now: datetime) -> NewEvent:
    """Return `account.recovered`, once for each revision; `code` is the error that is over."""
    return NewEvent(
        workspace_id, "account.recovered", f"account.recovered:{account_id}:{revision}", now,
        account_id=account_id, data={"code": code},
    )  # fmt: skip


def _pause(session: Session, account_id: int, standing: _Standing, failure: Failure, now: datetime) -> Consequence:
    until = now + QUOTA_PAUSE
    changed = _change(session, account_id, standing, now, grow=True, status="paused", pause_reason="quota",
                      paused_until=until, **BACKOFF_CLEARED)  # fmt: skip
    return Consequence("paused", "quota_exceeded", until) if changed else _reread(session, account_id)


def _turn_to_error(
    session: Session, account_id: int, standing: _Standing, failure: Failure, now: datetime, rng: random.Random
) -> Consequence:
    # Here the installation refuses, not the provider, and what mends it is another.
    own = failure.cause == "private_address"
    code = PRIVATE_NETWORK_REFUSED if own else failure.error_code or "connection_refused"
    # The second try of an error that has not passed is the same error, not a new one.
    same = standing.error_code == code
    message = failure.text[:_WORDS_KEPT]
    retry_at = now + _RETRY_ERROR_AFTER * rng.uniform(1, _STRETCH) if code in _UNREACHABLE else None
    changed = _change(session, account_id, standing, now, grow=True, status="error", error_code=code,
                      error_message=message, error_since=standing.error_since if same else now,
                      backoff_until=retry_at)  # fmt: skip
    if not changed:
        return _reread(session, account_id)
    if same:
        return Consequence("error", code, retry_at)
    event = error_event(account_id, standing.workspace_id, standing.revision + 1, code, message, now)
    record(session, [event])
    return Consequence("error", code, retry_at, event)


def _back_off(
    session: Session, account_id: int, standing: _Standing, failure: Failure, now: datetime, rng: random.Random
) -> Consequence:
    if standing.backoff_until is not None and standing.backoff_until > now:
        return _as_it_stands(standing)
    minutes = _STEPS_MIN[min(standing.backoff_step, len(_STEPS_MIN) - 1)]
    span = timedelta(minutes=minutes) * rng.uniform(1, _STRETCH)
    if failure.retry_after is not None:
        span = max(span, min(timedelta(seconds=failure.retry_after), _LONGEST))
    code = failure.error_code or "connection_lost"
    # The revision stays: what is queued or claimed need not be claimed anew for it.
    changed = _change(session, account_id, standing, now, grow=False, backoff_until=now + span,
                      backoff_step=standing.backoff_step + 1, backoff_reason=code)  # fmt: skip
    return Consequence("backoff", code, now + span) if changed else _reread(session, account_id)


def _is_lasting(failure: Failure) -> bool:
    """Whether only a person can mend it. A refused connection may be a server that restarts, whatever its code."""
    waits = failure.error_code in ("timeout", "connection_refused", "rate_limited")
    return failure.permanent and failure.error_code is not None and not waits


def _is_exhausted(failure: Failure, standing: _Standing, now: datetime) -> bool:
    """Whether it has failed for so long that somebody must look; a server that answers, asking to wait, is obeyed."""
    if failure.error_code in (None, "rate_limited") or standing.backoff_step < _STEPS_UNTIL_ERROR:
        return False
    return standing.backoff_until is None or standing.backoff_until <= now


def _as_it_stands(standing: _Standing) -> Consequence:
    if standing.status == "paused":
        return Consequence("paused", "quota_exceeded" if standing.paused_until else None, standing.paused_until)
    if standing.status == "error":
        return Consequence("error", standing.error_code, standing.backoff_until)
    return Consequence("backoff", standing.backoff_reason or None, standing.backoff_until)


def _standing(session: Session, account_id: int) -> _Standing | None:
    row = session.execute(
        select(*(getattr(EmailAccount, name) for name in _Standing.__slots__)).where(
            col(EmailAccount.id) == account_id, col(EmailAccount.removed_at).is_(None)
        )
    ).first()
    return None if row is None else _Standing(*row)


def _reread(session: Session, account_id: int) -> Consequence:
    """What another connection's fault, or a user, made of the account a moment ago; it stands."""
    standing = _standing(session, account_id)
    return Consequence("none") if standing is None else _as_it_stands(standing)


def _change(
    session: Session, account_id: int, standing: _Standing, now: datetime, *, grow: bool, **values: Any
) -> bool:
    """Change the account unless its state or back-off is no longer what was read; tell whether it was."""
    if grow:
        values["revision"] = standing.revision + 1
    statement = (
        update(EmailAccount)
        .where(
            col(EmailAccount.id) == account_id,
            col(EmailAccount.revision) == standing.revision,
            col(EmailAccount.backoff_step) == standing.backoff_step,
            col(EmailAccount.removed_at).is_(None),
        )
        .values(updated_at=now, **values)
        .returning(col(EmailAccount.id))
    )
    return session.execute(statement).first() is not None
