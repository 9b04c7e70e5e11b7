"""What holds up an active campaign as a whole (symptoms.md, 6)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fluenzr_app.campaigns.brake import BRAKE
from fluenzr_app.diagnosis.findings import Finding, Subject

# Told on the account itself, once for all the campaigns that use it.
_OF_THE_ACCOUNT = frozenset({"account_error", "account_paused", "account_backing_off"})
_OF_THE_INSTALLATION = frozenset({"held"})
_TO_MEND = {
    "no_account": "choose_accounts",
    "account_removed": "choose_accounts",
    "window_never_opens": "edit_window",
}
_BY_ITSELF = frozenset({"outside_window", "daily_cap", "ramp_cap", "hourly_cap", "new_contacts_cap"})


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """An active or paused campaign, or one that ended lately: what its contacts wait for, if they wait.

    `walking` are contacts under way. `finished` had all their mails or answered, `faulty` ended because their mail
    could not be made. `excluded` may not be written to: they unsubscribed, bounced, were removed, or are members of its
    groups whom the start passed over.
    """

    id: int
    name: str
    status: str
    pause_reason: str
    paused_at: datetime | None
    walking: int
    waiting_code: str | None
    waiting_contacts: int
    resumes_at: datetime | None
    account_email: str
    uncertain: int
    sent: int
    bounced: int
    finished: int = 0
    faulty: int = 0
    excluded: int = 0
    completed_at: datetime | None = None


def campaign_findings(facts: CampaignFacts, now: datetime) -> list[Finding]:
    """Return what holds up a campaign at `now`: at most one reason, and the messages that wait for a decision."""
    reason = _reason(facts, now)
    return [each for each in (reason, _uncertain(facts)) if each is not None]


def _reason(facts: CampaignFacts, now: datetime) -> Finding | None:
    if facts.status == "paused":
        return _paused(facts)
    if facts.status == "completed":
        return _excluded(facts, ("see_campaign",), facts.completed_at) if facts.sent == 0 else None
    if facts.status != "active":
        return None
    if facts.walking == 0:
        return _nobody(facts)
    code = facts.waiting_code
    if code is None or code in _OF_THE_ACCOUNT or code in _OF_THE_INSTALLATION:
        return None
    params: dict[str, Any] = {"contacts": facts.waiting_contacts, "email": facts.account_email}
    if code in _TO_MEND:
        return Finding(f"campaign_{code}", "broken", _subject(facts), params, (_TO_MEND[code],))
    if code in _BY_ITSELF and (facts.resumes_at is None or facts.resumes_at > now):
        return Finding(f"campaign_{code}", "waits", _subject(facts), params, (), None, facts.resumes_at)
    return None


def _nobody(facts: CampaignFacts) -> Finding | None:
    """Nobody is under way: because all are done, because all are excluded, or because nobody was ever added."""
    if facts.finished or (facts.faulty and not facts.excluded):
        return None
    if facts.excluded:
        return _excluded(facts, ("add_contacts", "see_campaign"), None)
    return Finding("campaign_no_contacts", "slowed", _subject(facts), {}, ("add_contacts",))


def _excluded(facts: CampaignFacts, remedies: tuple[str, ...], since: datetime | None) -> Finding | None:
    if facts.finished or not facts.excluded:
        return None
    params = {"contacts": facts.excluded}
    return Finding("campaign_all_excluded", "slowed", _subject(facts), params, remedies, since)


def _paused(facts: CampaignFacts) -> Finding | None:
    """A pause that a person asked for is no finding; one that the software made is, the brake's in `bounces`."""
    if not facts.pause_reason or facts.pause_reason == BRAKE:
        return None
    params = {"reason": facts.pause_reason, "sent": facts.sent, "bounced": facts.bounced}
    return Finding("campaign_paused", "broken", _subject(facts), params, ("see_campaign",), facts.paused_at)


def _uncertain(facts: CampaignFacts) -> Finding | None:
    if facts.uncertain == 0:
        return None
    params = {"messages": facts.uncertain}
    return Finding("campaign_uncertain", "slowed", _subject(facts), params, ("decide",))


def _subject(facts: CampaignFacts) -> Subject:
    return Subject("campaign", facts.id, facts.name)
