"""The symptoms of the guide as the help page lists them: what the software sees of each right now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlmodel import Session

from fluenzr_app.accounts.service import list_accounts
from fluenzr_app.campaigns.counts import workspace_counts
from fluenzr_app.campaigns.service import counts_by_campaign_status
from fluenzr_app.diagnosis.facts import import_facts
from fluenzr_app.diagnosis.findings import Finding
from fluenzr_app.diagnosis.symptoms import SYMPTOMS, Symptom, number_of
from fluenzr_app.inbox.reading import readings
from fluenzr_app.sending.caps import usage
from fluenzr_app.words import formats
from fluenzr_app.words.catalogue import Lang, words
from fluenzr_app.workspaces import service as workspaces

Seen = Literal["seen", "clear", "place", "later"]

GROUPS: Final[Mapping[str, tuple[int, ...]]] = {
    "accounts": (1, 2, 3, 4, 5, 25),
    "campaigns": (6, 7, 8, 9),
    "contacts": (10, 11, 17, 18),
    "delivery": (12, 13, 14, 15, 16),
    "application": (19, 20, 21, 22),
    "api": (23, 24, 26),
}
# Told where they happen (a page, an answer of the API), with nothing that could be looked at here.
IN_PLACE: Final = frozenset({19, 20, 23, 24, 26})
SUPPORT: Final = 26
_MONTH: Final = timedelta(days=30)


@dataclass(frozen=True)
class SymptomRow:
    """A symptom of the list. `state`: seen, clear, place (told where it happens), later (not watched by this version).

    `said` is what the software sees, in the reader's words.
    """

    number: int
    key: str
    title: str
    state: str
    said: str
    href: str


@dataclass(frozen=True)
class Looked:
    """Figures of a workspace that the list quotes where nothing is wrong."""

    accounts: int
    sent_24h: int
    mailboxes: int
    active: int
    import_rows: int | None
    sent_30d: int
    bounced_30d: int
    has_address: bool


def looked(session: Session, workspace_id: int, now: datetime) -> Looked:
    """Return the figures of a workspace at `now`."""
    accounts = list_accounts(session, workspace_id)
    month = workspace_counts(session, workspace_id, now - _MONTH)
    imports = import_facts(session, workspace_id, now)
    well = [each for each in readings(session, workspace_id) if each.reads and each.failed_since is None]
    return Looked(
        accounts=sum(account.status == "connected" for account in accounts),
        sent_24h=sum(usage(session, account.id or 0, now).day for account in accounts),
        mailboxes=sum(each.synced_at is not None for each in well),
        active=counts_by_campaign_status(session, workspace_id).get("active", 0),
        import_rows=imports[0].rows_total if imports else None,
        sent_30d=month.sent,
        bounced_30d=month.bounced,
        has_address=bool(workspaces.get_workspace(session, workspace_id).postal_address.strip()),
    )


def rows(found: Sequence[Finding], facts: Looked, lang: Lang) -> dict[str, list[SymptomRow]]:
    """Return every symptom by its group, in the guide's order."""
    counts: dict[int, int] = {}
    for each in found:
        number = number_of(each)
        if number is not None:
            counts[number] = counts.get(number, 0) + 1
    known = {symptom.number: symptom for symptom in SYMPTOMS}
    return {
        group: [_row(known[number], counts.get(number, 0), facts, lang) for number in numbers]
        for group, numbers in GROUPS.items()
    }


def state_of(symptom: Symptom, seen: int) -> Seen:
    """Return whether a symptom is seen, watched and clear, told in its place, or not watched by this version."""
    if seen:
        return "seen"
    if symptom.codes:
        return "clear"
    return "place" if symptom.number in IN_PLACE else "later"


def _row(symptom: Symptom, seen: int, facts: Looked, lang: Lang) -> SymptomRow:
    state = state_of(symptom, seen)
    said = words(lang, f"help.state_of.{state}")
    if state == "clear":
        said = _said(symptom.number, facts, lang)
    elif symptom.number == SUPPORT:
        said = _plain(lang, "support")
    title = words(lang, f"symptoms.{symptom.key}.title")
    return SymptomRow(symptom.number, symptom.key, title, state, said, f"/help/{symptom.key}")


def _said(number: int, facts: Looked, lang: Lang) -> str:
    """Return what is seen where nothing is wrong: the figure that shows somebody looked."""
    match number:
        case 3:
            return words(lang, "help.said.accounts", n=facts.accounts)
        case 4:
            return words(lang, "help.said.sent", n=facts.sent_24h)
        case 5:
            return words(lang, "help.said.mailboxes", n=facts.mailboxes)
        case 6:
            return words(lang, "help.said.campaigns", n=facts.active) if facts.active else _plain(lang, "no_campaign")
        case 10:
            if facts.import_rows is None:
                return _plain(lang, "no_import")
            return words(lang, "help.said.import", n=facts.import_rows)
        case 12:
            if not facts.sent_30d:
                return _plain(lang, "no_sends")
            share = formats.percent(lang, facts.bounced_30d / facts.sent_30d)
            return words(lang, "help.said.bounces", share=share)
        case 13:
            # Emails without an address are a finding; before the first one there is nothing to say about it.
            return _plain(lang, "address" if facts.has_address else "no_sends")
        case _:
            return _plain(lang, _PLAIN[number]) if number in _PLAIN else words(lang, "help.state_of.clear")


_PLAIN: Final[Mapping[int, str]] = {
    8: "variables", 9: "figures", 11: "existing", 17: "soft", 18: "hard", 21: "recount",
}  # fmt: skip


def _plain(lang: Lang, key: str) -> str:
    return words(lang, f"help.said.{key}")
