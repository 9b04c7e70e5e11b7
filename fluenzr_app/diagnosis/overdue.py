"""Walks that should have moved on more than an hour ago and that nothing explains (symptoms.md, 7)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fluenzr_app.diagnosis.findings import Finding, Subject

OVERDUE_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SenderFacts:
    """An account that could write to contacts who are due. `room` is what may leave it now.

    `quiet_since` is the latest of what explains that nothing left: its last attempt, its last change, the end of its
    gap or of its backing off. `due` counts what waits for it, `oldest` since when.
    """

    usable: bool
    room: int
    quiet_since: datetime
    due: int
    oldest: datetime


@dataclass(frozen=True, slots=True)
class OverdueFacts:
    """A campaign with due walks. `unplanned`: follow-ups that are due and were not queued, which takes seconds.

    `running` and `open`: a process has sent, and the campaign's window has been open, for at least an hour.
    `resumed_at` is its start or last resume. `capped`: its own cap of mails an hour has no room.
    """

    campaign_id: int
    name: str
    running: bool
    open: bool
    resumed_at: datetime | None
    capped: bool
    unplanned: int
    unplanned_since: datetime | None
    senders: tuple[SenderFacts, ...] = ()


def overdue_finding(facts: OverdueFacts, now: datetime) -> Finding | None:
    """Return how many contacts wait since when for nothing; None while rooms, gaps, windows or a restart explain it."""
    if not facts.running or not _long_ago(facts.resumed_at, now):
        return None
    contacts, oldest = 0, now
    if facts.unplanned and _long_ago(facts.unplanned_since, now):
        contacts, oldest = facts.unplanned, facts.unplanned_since or now
    if facts.open and not facts.capped:
        for sender in facts.senders:
            if _stands_for_nothing(sender, now):
                contacts, oldest = contacts + sender.due, min(oldest, sender.oldest)
    if contacts == 0:
        return None
    subject = Subject("campaign", facts.campaign_id, facts.name)
    params = {"contacts": contacts}
    return Finding("campaign_contacts_overdue", "slowed", subject, params, ("see_campaign", "support"), oldest)


def _stands_for_nothing(sender: SenderFacts, now: datetime) -> bool:
    quiet = _long_ago(sender.quiet_since, now) and _long_ago(sender.oldest, now)
    return sender.usable and sender.room > 0 and sender.due > 0 and quiet


def _long_ago(at: datetime | None, now: datetime) -> bool:
    return at is not None and now - at > OVERDUE_AFTER
