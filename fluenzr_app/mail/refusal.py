"""What follows from a server's refusal: whose fault it is, whether it lasts, and which state the account takes.

Only `recipient` failures count as bounces (accounts.md, States), so a refusal is put on the recipient only when the
server speaks of the recipient. Policy, spam, size, relay and rate are never a bounce, whatever code they carry.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from fluenzr_app.mail.causes import Cause, Stage, enhanced_code, name_cause
from fluenzr_app.mail.transport import AccountErrorCode, Level, SendFailure

_DAY_S = 86_400.0
_HOUR_S = 3_600.0
_GREYLIST_S = 300.0
_SERVER_CLOSES = 421

_WAIT = re.compile(
    r"\b(?:in|after|for|dans|après)\s+(\d{1,6})\s*"
    r"(s|secs?|seconds?|secondes?|m|mins?|minutes?|h|hours?|heures?|d|days?|j|jours?)\b",
    re.IGNORECASE,
)
_UNIT_S = {"s": 1.0, "m": 60.0, "h": _HOUR_S, "d": _DAY_S, "j": _DAY_S}

_BEFORE_ANY_RECIPIENT: frozenset[Stage] = frozenset({"connect", "ehlo", "tls", "auth", "mail"})


@dataclass(frozen=True, slots=True)
class _Verdict:
    """`permanent` None: as permanent as the reply code says."""

    level: Level
    error_code: AccountErrorCode | None = None
    permanent: bool | None = None
    retry_after: float | None = None


# Said of our own account, at whatever step.
_OWN_ACCOUNT: dict[Cause, _Verdict] = {
    Cause.RATE: _Verdict("account", "rate_limited", permanent=False),
    Cause.DAILY_QUOTA: _Verdict("account", "quota_exceeded", permanent=False, retry_after=_DAY_S),
    Cause.ACCOUNT_BLOCKED: _Verdict("account", "blocked_by_policy"),
    Cause.AUTH_DISABLED: _Verdict("account", "blocked_by_policy"),
    Cause.TLS_REQUIRED: _Verdict("account", "tls_mode_mismatch"),
    Cause.AUTH_REQUIRED: _Verdict("account", "auth_failed"),
    Cause.BAD_CREDENTIALS: _Verdict("account", "auth_failed"),
    Cause.APP_PASSWORD: _Verdict("account", "app_password_required"),
    Cause.TOKEN_EXPIRED: _Verdict("account", "token_expired"),
    Cause.SENDER_REFUSED: _Verdict("account", "sender_refused"),
}

# Said of the recipient or of the mail, once there is one.
_THIS_MAIL: dict[Cause, _Verdict] = {
    Cause.UNKNOWN_USER: _Verdict("recipient"),
    Cause.MAILBOX_DISABLED: _Verdict("recipient"),
    Cause.BAD_DOMAIN: _Verdict("recipient"),
    Cause.MAILBOX_FULL: _Verdict("recipient", permanent=False),
    Cause.RECIPIENT_BUSY: _Verdict("recipient", permanent=False),
    Cause.MAIL_LOOP: _Verdict("recipient", permanent=False),
    Cause.GREYLISTED: _Verdict("recipient", permanent=False, retry_after=_GREYLIST_S),
    Cause.RECIPIENT_RESTRICTED: _Verdict("message"),
    Cause.TOO_LARGE: _Verdict("message", permanent=True),
    Cause.SPAM: _Verdict("message"),
    Cause.POLICY: _Verdict("message"),
    Cause.SENDER_UNVERIFIED: _Verdict("message"),
    Cause.UTF8_UNSUPPORTED: _Verdict("message", permanent=True),
}

_REFUSED_AS_SENDER = frozenset({Cause.UNKNOWN_USER, Cause.MAILBOX_DISABLED, Cause.BAD_DOMAIN, Cause.RELAY_DENIED})
_REFUSED_AS_SUCH = frozenset({Cause.SPAM, Cause.POLICY, Cause.SENDER_UNVERIFIED, Cause.CLIENT_BLOCKED})


def classify(stage: Stage, code: int, text: str) -> SendFailure:
    """The failure that a reply `code text` at `stage` means. The reply came, so the outcome is certain.

    A reply outside 400–599 is a server that does not speak the protocol: a connection fault.
    """
    enhanced = enhanced_code(code, text)
    cause = name_cause(code, text, stage=stage, enhanced=enhanced)
    verdict = _judge(stage, code, cause, enhanced)
    lasting = 500 <= code < 600
    return SendFailure(
        verdict.level,
        text or f"The server answered {code} without a word.",
        permanent=lasting if verdict.permanent is None else verdict.permanent,
        code=code,
        enhanced=enhanced,
        error_code=verdict.error_code,
        retry_after=_retry_after(text, cause) or verdict.retry_after,
        cause=cause,
        stage=stage,
    )


def _judge(stage: Stage, code: int, cause: Cause | None, enhanced: str | None) -> _Verdict:
    if not 400 <= code < 600:
        return _Verdict("connection", permanent=False)
    if cause in _OWN_ACCOUNT:
        return _OWN_ACCOUNT[cause]
    if code == _SERVER_CLOSES:
        refused: AccountErrorCode | None = "blocked_by_policy" if cause in _REFUSED_AS_SUCH else None
        return _Verdict("connection", refused, permanent=False)
    if stage in _BEFORE_ANY_RECIPIENT:
        return _before_any_recipient(stage, code, cause)
    if cause is Cause.CLIENT_BLOCKED:
        return _Verdict("connection", "blocked_by_policy", permanent=False)
    if cause is Cause.RELAY_DENIED:
        # At RCPT every recipient outside would be refused alike; after the content it is some relay's own opinion.
        return _Verdict("account", "sender_refused") if stage == "rcpt" else _Verdict("message")
    if cause is Cause.SERVER_TROUBLE:
        # A full disk refuses everything; another trouble after the content may be that content's own.
        everything = stage != "content" or code == 452 or enhanced in ("4.3.1", "4.3.2")
        return _Verdict("connection" if everything else "message", permanent=False)
    if cause is not None:
        return _THIS_MAIL[cause]
    if stage == "rcpt":
        return _Verdict("recipient") if code < 500 or code == 501 else _Verdict("message")
    return _Verdict("connection", permanent=False) if stage == "data" and code < 500 else _Verdict("message")


def _before_any_recipient(stage: Stage, code: int, cause: Cause | None) -> _Verdict:
    if cause is Cause.TOO_LARGE or cause is Cause.UTF8_UNSUPPORTED:
        # RFC 1870, 6.1: the size is declared, and refused, with MAIL FROM.
        return _THIS_MAIL[cause]
    if code < 500:
        if cause in _REFUSED_AS_SUCH:
            return _Verdict("account", "blocked_by_policy")
        return _Verdict("connection")
    if stage == "auth":
        return _Verdict("account", "auth_failed")
    if cause in _REFUSED_AS_SUCH:
        return _Verdict("account", "blocked_by_policy")
    if stage == "mail":
        return _Verdict("account", "sender_refused")
    return _Verdict("connection", "connection_refused")


def _retry_after(text: str, cause: Cause | None) -> float | None:
    found = _WAIT.search(text)
    if found is not None:
        return min(float(found[1]) * _UNIT_S[found[2][0].lower()], _DAY_S)
    if cause is Cause.RATE and re.search(r"hour|heure", text, re.IGNORECASE):
        return _HOUR_S
    return None
