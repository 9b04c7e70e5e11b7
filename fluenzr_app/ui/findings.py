"""Findings as pages show them: their words, a drawing, and what mends them, here or where it is done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from fluenzr_app.db.ids import public_id
from fluenzr_app.diagnosis.findings import Finding
from fluenzr_app.diagnosis.snoozes import Snoozed
from fluenzr_app.diagnosis.symptoms import number_of
from fluenzr_app.diagnosis.words import Told, told
from fluenzr_app.ui.pages.accounts_query import AccountsQuery
from fluenzr_app.ui.pages.contacts_query import ListQuery
from fluenzr_app.words.catalogue import Lang, words

TONES = {"broken": "error", "slowed": "attention", "advice": "info", "waits": "grey"}
ICONS = {
    "account_error": "key-round",
    "account_quota": "gauge",
    "account_paused": "circle-pause",
    "account_backing_off": "hourglass",
    "campaign_paused": "octagon-pause",
    "campaign_no_contacts": "user-plus",
    "campaign_no_account": "unplug",
    "campaign_account_removed": "unplug",
    "campaign_window_never_opens": "calendar-x",
    "campaign_outside_window": "moon",
    "campaign_daily_cap": "gauge",
    "campaign_ramp_cap": "trending-up",
    "campaign_hourly_cap": "gauge",
    "campaign_new_contacts_cap": "gauge",
    "campaign_uncertain": "circle-help",
    "campaign_bounces": "mail-x",
    "campaign_soft_bounces": "rotate-cw",
    "contacts_bounced": "user-x",
    "mailbox_not_read": "mail-warning",
    "installation_held": "shield-alert",
    "installation_not_sending": "power-off",
    "installation_clock": "clock-alert",
    "campaign_all_excluded": "user-x",
    "campaign_text_fault": "file-x",
    "campaign_blank_variable": "braces",
    "campaign_contacts_overdue": "hourglass",
    "figures_behind": "timer",
    "figures_repaired": "wrench",
    "import_rows_refused": "file-x",
    "import_rows_existing": "users",
    "import_failed": "file-x",
    "workspace_no_address": "map-pin-off",
}
# So many things with the same trouble are one entry, which names them; below that each says more by itself.
MANY = 3
# What a page does itself; everything else leads to where it is done.
ACTS = frozenset({"resume", "archive_bounced", "try_again"})
# What can be done for all things of an entry at once.
FOR_ALL = frozenset({"resume", "archive_bounced", "try_again"})
# What can only be done on the server: the page says how.
TOLD = frozenset({"release", "start_worker", "check_clock"})
# Settings of the workspace: for others than admins the page says who can (platform.md, Roles).
_OF_ADMINS = frozenset(
    {"reconnect", "edit_servers", "retry", "ask_provider", "wait", "lower_limits", "add_account", "resume",
     "fill_address", *TOLD}
)  # fmt: skip
_LONGEST_DETAIL = 300
_PREFIXES = {"account": "acc", "campaign": "cmp", "import": "imp"}
_LISTS = {"account": "/accounts", "campaign": "/campaigns", "import": "/contacts/import"}


@dataclass(frozen=True)
class Thing:
    """One of the things that an entry tells of at once."""

    key: str
    what: str
    why: str
    mend: str
    act: str
    href: str
    file: bool = False


@dataclass(frozen=True)
class FindingLine:
    """A finding as a page shows it, or several of one kind.

    `key` names what it is about to a handler. `since_at` and `until_at` are ISO moments or empty. `act` is done by the
    page, `told` explained by it, `href` leads to where it is done, at most one of the three; `file` says that the
    address is one of a file. `also*` is a second way. `note` says who may mend it where the reader may not. `thing` is
    the public id of the one thing it is about; `things` are several. `number` is the entry of the guide.
    `detail` is what a mail server said.
    """

    key: str
    code: str
    number: int
    tone: str
    what: str
    why: str
    since_at: str
    until_at: str
    urgent: bool
    thing: str
    mend: str = ""
    act: str = ""
    told: str = ""
    href: str = ""
    file: bool = False
    also: str = ""
    also_act: str = ""
    also_told: str = ""
    also_href: str = ""
    note: str = ""
    detail: str = ""
    aside_until: str = ""
    things: list[Thing] = field(default_factory=list)


@dataclass(frozen=True)
class Reader:
    """Who reads: their language, their time and zone, and whether they may change settings."""

    lang: Lang
    now: datetime
    zone: ZoneInfo
    is_admin: bool


@dataclass(frozen=True)
class _Way:
    """One way to mend: its label, and what of act, explanation or address it is."""

    label: str = ""
    act: str = ""
    told: str = ""
    href: str = ""
    file: bool = False


def key_of(finding: Finding) -> str:
    """Return what names a finding to a handler."""
    return f"{finding.code}:{public(finding)}"


def grouped(findings: Sequence[Finding]) -> list[tuple[Finding, ...]]:
    """Return findings in their order: those that wait alike, and from three on those of one kind, as one entry."""
    counts: dict[str, int] = {}
    for finding in findings:
        counts[finding.code] = counts.get(finding.code, 0) + 1
    groups: dict[str, list[Finding]] = {}
    for number, finding in enumerate(findings):
        together = finding.severity == "waits" or counts[finding.code] >= MANY
        groups.setdefault(finding.code if together else f"{finding.code}:{number}", []).append(finding)
    return [tuple(group) for group in groups.values()]


def line_of(group: Sequence[Finding], reader: Reader) -> FindingLine:
    """Return a finding, or several of one kind, as one line."""
    first, said = group[0], told(group, reader.lang, reader.now, reader.zone)
    if len(group) > 1 and first.severity != "waits":
        return _many(group, said, reader)
    allowed = reader.is_admin or said.remedy not in _OF_ADMINS
    mend = _way(first, said.remedy, said.mend_words) if allowed else _Way()
    also = _Way()
    if reader.is_admin or said.also_remedy not in _OF_ADMINS:
        also = _way(first, said.also_remedy, said.also_words)
    return FindingLine(
        key=",".join(key_of(each) for each in group),
        code=said.code,
        number=number_of(first) or 0,
        tone=TONES[said.severity],
        what=said.what,
        why=said.why,
        **_times(group),
        urgent=said.severity == "broken",
        thing=public(first) if len(group) == 1 else "",
        mend=mend.label,
        act=mend.act,
        told=mend.told,
        href=mend.href,
        file=mend.file,
        also=also.label,
        also_act=also.act,
        also_told=also.told,
        also_href=also.href,
        note="" if allowed or not said.remedy else words(reader.lang, "findings.only_admin"),
        detail=str(first.params.get("serverWords") or "")[:_LONGEST_DETAIL] if len(group) == 1 else "",
    )


def aside_line(snoozed: Snoozed, reader: Reader) -> FindingLine:
    """Return a finding that was put aside as a line."""
    return replace(line_of([snoozed.finding], reader), aside_until=snoozed.until.isoformat())


def public(finding: Finding) -> str:
    """Return the public id of the thing that a finding is about, empty for what there is one of."""
    prefix = _PREFIXES.get(finding.subject.kind)
    return "" if prefix is None or finding.subject.id is None else public_id(prefix, finding.subject.id)


def _many(group: Sequence[Finding], said: Told, reader: Reader) -> FindingLine:
    first, things = group[0], [_thing(each, reader) for each in group]
    allowed = reader.is_admin or said.remedy not in _OF_ADMINS
    for_all = said.remedy in FOR_ALL and allowed
    names = ", ".join(each.subject.name for each in group[:MANY])
    why = words(reader.lang, "findings.and_others", names=names, n=len(group) - MANY) if len(group) > MANY else names
    return FindingLine(
        key=",".join(key_of(each) for each in group),
        code=said.code,
        number=number_of(first) or 0,
        tone=TONES[said.severity],
        what=words(reader.lang, f"findings.many.{said.code}", n=len(group)),
        why=why,
        **_times(group),
        urgent=said.severity == "broken",
        thing="",
        mend=words(reader.lang, f"findings.all.{said.remedy}", n=len(group)) if for_all else "",
        act=said.remedy if for_all else "",
        also="" if for_all else words(reader.lang, "findings.see_all", n=len(group)),
        also_href="" if for_all else _LISTS.get(first.subject.kind, ""),
        note="" if allowed or not said.remedy else words(reader.lang, "findings.only_admin"),
        things=things,
    )


def _thing(finding: Finding, reader: Reader) -> Thing:
    line = line_of([finding], reader)
    return Thing(line.key, line.what, line.why, line.mend, line.act, line.href, line.file)


def _times(group: Sequence[Finding]) -> dict[str, str]:
    """Return since when (the first of all), or until when where it ends by itself (the first to end)."""
    ends = [each.resumes_at for each in group if each.resumes_at is not None]
    if ends and group[0].severity in ("waits", "slowed"):
        return {"since_at": "", "until_at": min(ends).isoformat()}
    began = [each.since for each in group if each.since is not None]
    return {"since_at": min(began).isoformat() if began else "", "until_at": ""}


def _way(finding: Finding, remedy: str, label: str) -> _Way:
    if remedy in ACTS:
        return _Way(label, act=remedy)
    if remedy in TOLD:
        return _Way(label, told=remedy)
    place = place_of(finding, remedy)
    return _Way(label, href=place, file=remedy == "download_errors") if place else _Way()


def place_of(finding: Finding, remedy: str) -> str:
    """Return the address where a remedy is done, or nothing."""
    thing = public(finding)
    return next((place for name, place in _places(finding, thing) if name == remedy), "")


def _places(finding: Finding, thing: str) -> Iterator[tuple[str, str]]:
    if finding.subject.kind == "account":
        account = AccountsQuery(drawer="reconnect", account=thing).address()
        yield from ((name, account) for name in ("reconnect", "edit_servers", "retry", "ask_provider", "wait"))
        yield "lower_limits", AccountsQuery(drawer="settings", account=thing).address()
    if finding.subject.kind == "campaign":
        mail = finding.params.get("mailKey")
        yield from ((name, f"/campaigns/{thing}/audience") for name in ("add_contacts", "see_contacts"))
        yield from ((name, f"/campaigns/{thing}/timing") for name in ("choose_accounts", "edit_window"))
        yield "edit_mail", f"/campaigns/{thing}" + (f"?step={mail}" if mail else "")
        yield "see_bounces", f"/campaigns/{thing}/progress?status=bounced"
        yield from ((name, f"/campaigns/{thing}/progress") for name in ("see_campaign", "decide"))
    if finding.subject.kind == "import":
        yield "see_import", f"/contacts/import?id={thing}"
        yield "download_errors", f"/downloads/imports/{thing}/errors.csv?bom=true"
    yield "add_account", AccountsQuery(drawer="connect").address()
    yield "see_bounced", ListQuery(status="bounced").address()
    yield "fill_address", "/settings?tab=workspace&field=postal_address"
    yield "support", "/help/support"
