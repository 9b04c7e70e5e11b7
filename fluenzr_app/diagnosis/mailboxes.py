"""A mailbox that is not read: answers may lie there, so follow-ups wait (campaigns.md, guarantee 3)."""

from dataclasses import dataclass
from datetime import datetime

from fluenzr_app.accounts.words import words_for
from fluenzr_app.campaigns.origin import READ_WITHIN
from fluenzr_app.diagnosis.findings import Finding, Severity, Subject


@dataclass(frozen=True, slots=True)
class MailboxFacts:
    """How an account's mailbox is read; see `inbox.reading.ReadingView`. `reads`: a server to read from is known.

    `known_at` is when the account last changed; `running_since` when the oldest worker that runs began, absent while
    none does. `waiting` are follow-ups that do not leave before the mailbox was read.
    """

    account_id: int
    email: str
    status: str
    reads: bool
    synced_at: datetime | None
    failed_since: datetime | None
    error_code: str
    error_text: str
    known_at: datetime
    running_since: datetime | None
    waiting: int


def mailbox_finding(facts: MailboxFacts, now: datetime) -> Finding | None:
    """Return since when a mailbox is not read and how many follow-ups wait for that; None while it is read.

    A fault that another attempt may mend is told once follow-ups wait for it, ten minutes later. An account that sends
    nothing at all is told of by itself.
    """
    if not facts.reads or facts.status != "connected":
        return None
    hopeless = facts.failed_since is not None and words_for(facts.error_code).act == "reconnect"
    if not hopeless and not _unread_for_long(facts, now):
        return None
    params = {
        "email": facts.email,
        "errorCode": facts.error_code,
        "serverWords": facts.error_text,
        "waiting": facts.waiting,
    }
    since = facts.synced_at if facts.failed_since is None else facts.failed_since
    severity: Severity = "broken" if hopeless else "slowed"
    subject = Subject("account", facts.account_id, facts.email)
    return Finding("mailbox_not_read", severity, subject, params, ("reconnect",), since)


def _unread_for_long(facts: MailboxFacts, now: datetime) -> bool:
    if facts.failed_since is not None:
        return now - facts.failed_since > READ_WITHIN
    if facts.running_since is None:
        return False
    # Nobody could read it before the installation ran or the account was there.
    looked = max(facts.synced_at or facts.known_at, facts.running_since)
    return now - looked > READ_WITHIN
