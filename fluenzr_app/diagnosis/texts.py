"""What a campaign's texts do to its mails: faults that end walks, variables that would be blank (symptoms.md, 6, 8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fluenzr_app.diagnosis.findings import Finding, Subject


@dataclass(frozen=True, slots=True)
class TextFault:
    """Contacts whose walk ended since the campaign's last start because their mail of one step could not be made."""

    code: str
    mail: str
    mail_key: str
    contacts: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Blank:
    """A variable without value and without anything that stands in, in a mail that `contacts` have still to get."""

    variable: str
    mail: str
    mail_key: str
    contacts: int


@dataclass(frozen=True, slots=True)
class TextFacts:
    """What is wrong with the texts of an active campaign. `counted_all`: else `contacts` are at least so many."""

    campaign_id: int
    name: str
    faults: tuple[TextFault, ...] = ()
    blanks: tuple[Blank, ...] = ()
    counted_all: bool = True


def text_findings(facts: TextFacts) -> list[Finding]:
    """Return the mails that could not be made, and the variables that would be blank in mails to come."""
    found = (_faults(facts, facts.faults), _blanks(facts, facts.blanks))
    return [each for each in found if each is not None]


def _faults(facts: TextFacts, faults: Sequence[TextFault]) -> Finding | None:
    if not faults:
        return None
    worst = max(faults, key=lambda each: each.contacts)
    params = {
        "contacts": sum(each.contacts for each in faults),
        "fault": worst.code,
        "mail": worst.mail,
        "mailKey": worst.mail_key,
        "mails": len({each.mail_key for each in faults}),
    }
    since = min(each.since for each in faults)
    return Finding("campaign_text_fault", "broken", _subject(facts), params, ("edit_mail", "try_again"), since)


def _blanks(facts: TextFacts, blanks: Sequence[Blank]) -> Finding | None:
    if not blanks:
        return None
    worst = max(blanks, key=lambda each: each.contacts)
    params = {
        "variable": worst.variable,
        "mail": worst.mail,
        "mailKey": worst.mail_key,
        "contacts": worst.contacts,
        "atLeast": not facts.counted_all,
        "others": len(blanks) - 1,
    }
    return Finding("campaign_blank_variable", "advice", _subject(facts), params, ("edit_mail", "see_contacts"))


def _subject(facts: TextFacts) -> Subject:
    return Subject("campaign", facts.campaign_id, facts.name)
