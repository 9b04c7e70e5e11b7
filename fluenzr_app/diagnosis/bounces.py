"""Mails that come back: too many of them, those that are tried again, contacts that are gone (symptoms.md, 12, 17, 18).

Every threshold has a floor below which a share says more about chance than about the addresses.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from fluenzr_app.campaigns.bounced import BouncedContact
from fluenzr_app.campaigns.brake import BRAKE, LEAST_SENDS
from fluenzr_app.campaigns.waiting import SOFT_BOUNCES_IN_ALL
from fluenzr_app.diagnosis.findings import Finding, Subject

# Told before the brake acts (over 5 %, five bounces), so that somebody can look at the addresses in time.
LEAST_BOUNCES_TOLD = 3
MOST_SHARE_TOLD = 0.02
# A source is named when so many bounces come from it, and half of all.
LEAST_OF_A_SOURCE = 3
SHARE_OF_A_SOURCE = 0.5

SourceKind = Literal["domain", "import", "group"]
_KINDS: tuple[SourceKind, ...] = ("domain", "import", "group")
# What a reader can tell apart; a cause that is not here is told as “other”.
_GROUPS: Mapping[str, str] = {
    "unknown_user": "unknown_user",
    "mailbox_disabled": "mailbox_disabled",
    "bad_domain": "bad_domain",
    "mailbox_full": "mailbox_full",
    "recipient_restricted": "refused",
    "spam": "refused",
    "policy": "refused",
    "client_blocked": "refused",
    "sender_refused": "refused",
    "relay_denied": "refused",
    "unreachable": "unreachable",
    "server_trouble": "unreachable",
    "recipient_busy": "unreachable",
    "greylisted": "unreachable",
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where bounced contacts come from: a mail domain, an import, a group; `id` is absent for a domain."""

    kind: SourceKind
    id: int | None
    name: str
    bounced: int


@dataclass(frozen=True, slots=True)
class BounceFacts:
    """A campaign's hard bounces since its start or last resume. `contacts`: bounced ones not yet put away.

    `sources` are those with most bounces, at most one of each kind.
    """

    campaign_id: int
    name: str
    status: str
    pause_reason: str
    paused_at: datetime | None
    sent: int
    bounced: int
    contacts: int
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class SoftFacts:
    """Contacts of an active campaign whose mail is tried again: how many, when next, and how often it came back."""

    campaign_id: int
    name: str
    contacts: int
    next_at: datetime
    soft_bounces: int


def bounce_finding(facts: BounceFacts) -> Finding | None:
    """Return that the brake has paused a campaign, or that it may soon; None while few mails come back."""
    subject = Subject("campaign", facts.campaign_id, facts.name)
    params: dict[str, Any] = {
        "reason": facts.pause_reason,
        "sent": facts.sent,
        "bounced": facts.bounced,
        "contacts": facts.contacts,
    }
    worst = worst_source(facts.sources, facts.bounced)
    if worst is not None:
        params |= {
            "worstKind": worst.kind, "worstId": worst.id, "worstName": worst.name, "worstBounced": worst.bounced,
        }  # fmt: skip
    archive = ("archive_bounced",) if facts.contacts else ()
    if facts.status == "paused":
        if facts.pause_reason != BRAKE:
            return None
        remedies = (*archive, "see_bounces")
        return Finding("campaign_paused", "broken", subject, params, remedies, facts.paused_at)
    enough = facts.sent >= LEAST_SENDS and facts.bounced >= LEAST_BOUNCES_TOLD
    if facts.status != "active" or not enough or facts.bounced <= MOST_SHARE_TOLD * facts.sent:
        return None
    return Finding("campaign_bounces", "slowed", subject, params, ("see_bounces", *archive))


def worst_source(sources: Sequence[Source], bounced: int) -> Source | None:
    """Return where most bounces come from, the narrower of equals; None when no source has half of them."""
    known = [each for each in sources if each.bounced >= max(LEAST_OF_A_SOURCE, SHARE_OF_A_SOURCE * bounced)]
    return min(known, key=lambda each: (-each.bounced, _KINDS.index(each.kind)), default=None)


def soft_finding(facts: SoftFacts, now: datetime) -> Finding | None:
    """Return that mails of a campaign wait for their next attempt; None once it is due."""
    if facts.contacts == 0 or facts.next_at <= now:
        return None
    params = {"contacts": facts.contacts, "attempt": facts.soft_bounces + 1, "attempts": SOFT_BOUNCES_IN_ALL}
    subject = Subject("campaign", facts.campaign_id, facts.name)
    return Finding("campaign_soft_bounces", "waits", subject, params, (), None, facts.next_at)


def bounced_finding(contacts: Sequence[BouncedContact]) -> Finding | None:
    """Return which contacts bounced lately and are not put away yet, with why, by cause; None when there are none.

    `causes` are (cause, contacts, a server's words), the most frequent first.
    """
    if not contacts:
        return None
    grouped = Counter(cause_group(each.cause) for each in contacts)
    said: dict[str, str] = {}
    for each in contacts:
        if each.text:
            said.setdefault(cause_group(each.cause), each.text)
    ordered = sorted(grouped.items(), key=lambda item: (-item[1], item[0]))
    causes = [{"cause": cause, "contacts": n, "text": said.get(cause, "")} for cause, n in ordered]
    params = {"contacts": len(contacts), "causes": causes}
    since = min(each.at for each in contacts)
    subject = Subject("workspace", None, "")
    return Finding("contacts_bounced", "advice", subject, params, ("archive_bounced", "see_bounced"), since)


def cause_group(cause: str) -> str:
    """Return the group under which a cause is told."""
    return _GROUPS.get(cause, "other")
