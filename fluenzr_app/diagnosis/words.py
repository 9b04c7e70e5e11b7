"""A finding in the reader's words: what, why, since or until when, and what mends it.

The one place that does so, for pages, answers of the API, the command line and the support bundle. Words are in the
catalogue `diagnosis`: `<code>.what`, `.why` (or another ending, see `_why`), `.many`, and `mend.<remedy>`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from fluenzr_app.accounts.mailbox_words import mailbox_words
from fluenzr_app.accounts.words import words_for
from fluenzr_app.diagnosis.findings import Finding, Severity
from fluenzr_app.diagnosis.symptoms import Symptom
from fluenzr_app.words import formats
from fluenzr_app.words.catalogue import Lang, catalogue, french, words

_DOUBLE: Final = re.compile(" {2,}")
# What a sentence counts (`n`), the first of these that a finding has.
_COUNTED: Final = ("waiting", "contacts", "messages", "sent", "campaigns", "rows", "rowsDone", "hits", "figures")


@dataclass(frozen=True, slots=True)
class Told:
    """A finding, or several that wait for the same reason, in words.

    `since` says since or until when. `remedy` is the likeliest act and `mend_words` its label, `also_remedy` and
    `also_words` a second way; all are empty where there is none.
    """

    code: str
    severity: Severity
    what: str
    why: str
    since: str
    mend_words: str = ""
    remedy: str = ""
    also_words: str = ""
    also_remedy: str = ""


def told(group: Sequence[Finding], lang: Lang, now: datetime, zone: ZoneInfo) -> Told:
    """Return a finding, or several that wait for the same reason (`findings.merged`), in words of `lang`."""
    first = group[0]
    key = f"diagnosis.{first.code}"
    params = _params(group, lang, now, zone)
    many = f"{key}.many"
    remedy, also = (*first.remedies, "", "")[:2]
    return Told(
        code=first.code,
        severity=first.severity,
        what=words(lang, many if len(group) > 1 and many in catalogue() else f"{key}.what", **params),
        why=_DOUBLE.sub(" ", words(lang, f"{key}.{_why(group)}", **params)).strip(),
        since=_since(group, lang, now, zone),
        mend_words=remedy_words(remedy, lang) if remedy else "",
        remedy=remedy,
        also_words=remedy_words(also, lang) if also else "",
        also_remedy=also,
    )


def remedy_words(remedy: str, lang: Lang) -> str:
    """Return the label of the act that a remedy stands for; raises CatalogueError for an unknown one."""
    return words(lang, f"diagnosis.mend.{remedy}")


def _params(group: Sequence[Finding], lang: Lang, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    first = group[0]
    given: dict[str, Any] = {name: value for name, value in first.params.items() if value is not None}
    given["name"] = first.subject.name
    for counted in _COUNTED:
        if counted in first.params:
            given["n"] = sum(int(finding.params[counted]) for finding in group)
            break
    if len(group) > 1:
        given["things"] = len(group)
    more = _MORE.get(first.code)
    return given if more is None else given | more(first, lang, now, zone)


def _account_error(first: Finding, lang: Lang, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    said, tidy = words_for(first.params["errorCode"]), french if lang == "fr" else str
    n = int(first.params["waiting"])
    retry = ""
    if first.resumes_at is not None and first.resumes_at > now:
        retry = words(lang, "diagnosis.account_error.retry", when=formats.moment(lang, first.resumes_at, now, zone))
    return {
        "error": tidy(said.what(lang)).rstrip("."),
        "mend": tidy(said.mend(lang)),
        "waits": words(lang, "diagnosis.waiting", n=n) if n else words(lang, "diagnosis.nothing_lost"),
        "retry": retry,
    }


def _mailbox(first: Finding, lang: Lang, _now: datetime, _zone: ZoneInfo) -> dict[str, Any]:
    tidy, code, n = french if lang == "fr" else str, first.params["errorCode"], int(first.params["waiting"])
    silent = words(lang, "diagnosis.mailbox_not_read.silent")
    return {
        "error": tidy(mailbox_words(code).what(lang)).rstrip(".") if code else silent,
        "waits": words(lang, "diagnosis.follow_ups", n=n) if n else words(lang, "diagnosis.no_follow_up"),
    }


def _bounces(first: Finding, lang: Lang, _now: datetime, _zone: ZoneInfo) -> dict[str, Any]:
    sent, kind = int(first.params.get("sent") or 0), first.params.get("worstKind")
    source = {"n": first.params.get("worstBounced"), "source": first.params.get("worstName")}
    return {
        "share": formats.percent(lang, int(first.params["bounced"]) / sent) if sent else "",
        "worst": words(lang, f"diagnosis.worst.{kind}", **source) if kind else "",
    }


def _bounced(first: Finding, lang: Lang, _now: datetime, _zone: ZoneInfo) -> dict[str, Any]:
    causes = first.params["causes"]
    told_causes = [words(lang, f"diagnosis.bounce_cause.{each['cause']}", n=each["contacts"]) for each in causes]
    return {"causes": ", ".join(told_causes)}


def _blank(first: Finding, lang: Lang, _now: datetime, _zone: ZoneInfo) -> dict[str, Any]:
    n, others = int(first.params["contacts"]), int(first.params["others"])
    counted = words(lang, "diagnosis.campaign_blank_variable.contacts", n=n)
    if first.params["atLeast"]:
        counted = words(lang, "diagnosis.campaign_blank_variable.at_least", n=n)
    more = words(lang, "diagnosis.campaign_blank_variable.others", n=others) if others else ""
    name, word = first.params["variable"], words(lang, "diagnosis.campaign_blank_variable.word")
    place, example = "{{" + name + "}}", "{{" + name + "|" + word + "}}"
    return {"place": place, "example": example, "counted": counted, "others": more}


def _text_fault(first: Finding, lang: Lang, _now: datetime, _zone: ZoneInfo) -> dict[str, Any]:
    return {"fault": words(lang, f"diagnosis.campaign_text_fault.{first.params['fault']}")}


def _clock(first: Finding, lang: Lang, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    return {"when": formats.moment(lang, first.params["newest"], now, zone)}


_MORE: Final[Mapping[str, Callable[[Finding, Lang, datetime, ZoneInfo], dict[str, Any]]]] = {
    "account_error": _account_error,
    "mailbox_not_read": _mailbox,
    "campaign_paused": _bounces,
    "campaign_bounces": _bounces,
    "contacts_bounced": _bounced,
    "campaign_blank_variable": _blank,
    "campaign_text_fault": _text_fault,
    "installation_clock": _clock,
}


def _why(group: Sequence[Finding]) -> str:
    """Return under which name the reason stands: `why`, or one that says more in a case of its own."""
    first = group[0]
    if first.code == "campaign_soft_bounces" and len(group) > 1:
        return "why_many"
    if first.code == "campaign_paused":
        known = first.params["reason"] == "bounce_brake" and int(first.params["sent"]) > 0
        return "bounce_brake" if known else "why"
    if first.code == "account_quota" and not first.params["sent"]:
        return "uncounted"
    if first.code == "installation_not_sending":
        return "why" if first.params["waiting"] else "idle"
    if first.code == "installation_held":
        return "restored" if first.params["reason"] == "restored" else "stood_still"
    return "why"


def _since(group: Sequence[Finding], lang: Lang, now: datetime, zone: ZoneInfo) -> str:
    first = group[0]
    if first.severity in ("waits", "slowed"):
        ends = [finding.resumes_at for finding in group if finding.resumes_at is not None]
        if ends:
            return words(lang, "diagnosis.until", when=formats.moment(lang, min(ends), now, zone))
    if first.since is not None:
        return words(lang, "diagnosis.since", when=formats.moment(lang, first.since, now, zone))
    return ""


@dataclass(frozen=True, slots=True)
class SymptomTold:
    """An entry of the guide in words: its title, what the reader sees, what FluenzR checks, what to do."""

    title: str
    seen: str
    checks: str
    do: str


def symptom_told(symptom: Symptom, lang: Lang) -> SymptomTold:
    """Return an entry of the troubleshooting guide in words of `lang`."""
    title, seen, checks, do = (
        words(lang, f"symptoms.{symptom.key}.{part}") for part in ("title", "seen", "checks", "do")
    )
    return SymptomTold(title, seen, checks, do)
