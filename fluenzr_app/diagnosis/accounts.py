"""What holds up an email account (symptoms.md, 3, 4 and 5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from fluenzr_app.accounts.words import words_for
from fluenzr_app.diagnosis.findings import Finding, Subject
from fluenzr_app.mail.probe_findings import Stage

# At which stage of the probe (mail/probe.py) each error shows.
STAGES: Final[Mapping[str, Stage]] = {
    "dns_failure": "name",
    "private_network_refused": "name",
    "connection_refused": "port",
    "timeout": "port",
    "tls_certificate_invalid": "tls",
    "tls_mode_mismatch": "tls",
    "auth_failed": "login",
    "app_password_required": "login",
    "token_expired": "login",
    "consent_revoked": "login",
    "admin_consent_required": "login",
    "sender_refused": "sender",
    "blocked_by_policy": "message",
    "rate_limited": "message",
    "quota_exceeded": "message",
}


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What is stored of an account. `waiting` are messages that would leave it, `sent_24h` attempts of 24 h."""

    id: int
    email: str
    status: str
    error_code: str | None
    error_message: str
    error_since: datetime | None
    pause_reason: str
    paused_until: datetime | None
    backoff_until: datetime | None
    backoff_reason: str
    waiting: int
    sent_24h: int


def account_finding(facts: AccountFacts, now: datetime) -> Finding | None:
    """Return why nothing leaves this account at `now`; None while it sends, or has nothing to send and was paused."""
    if facts.status == "error":
        return _in_error(facts)
    if facts.status == "paused":
        return _paused(facts, now)
    if facts.backoff_until is not None and facts.backoff_until > now:
        params = {"email": facts.email, "reason": facts.backoff_reason, "waiting": facts.waiting}
        return Finding("account_backing_off", "waits", _subject(facts), params, (), None, facts.backoff_until)
    return None


def _in_error(facts: AccountFacts) -> Finding:
    params = {
        "email": facts.email,
        "errorCode": facts.error_code or "",
        "stage": STAGES.get(facts.error_code or "", ""),
        "serverWords": facts.error_message,
        "waiting": facts.waiting,
    }
    remedy = words_for(facts.error_code).act
    return Finding(
        "account_error", "broken", _subject(facts), params, (remedy,), facts.error_since, facts.backoff_until
    )


def _paused(facts: AccountFacts, now: datetime) -> Finding | None:
    params = {"email": facts.email, "waiting": facts.waiting, "sent": facts.sent_24h}
    if facts.pause_reason == "quota":
        # Over, but not yet seen by the tick that takes it up again: nothing to tell any more.
        if facts.paused_until is None or facts.paused_until <= now:
            return None
        return Finding("account_quota", "slowed", _subject(facts), params, ("add_account",), None, facts.paused_until)
    if facts.waiting == 0:
        return None
    return Finding("account_paused", "slowed", _subject(facts), params, ("resume",))


def _subject(facts: AccountFacts) -> Subject:
    return Subject("account", facts.id, facts.email)
