"""Diagnoses as the API gives them (symptoms.md), and the language in which it says them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from babel import negotiate_locale
from fastapi import Request

from fluenzr_app.api.envelope import Given, Shape
from fluenzr_app.db.ids import public_id
from fluenzr_app.diagnosis.findings import Finding, Severity
from fluenzr_app.diagnosis.symptoms import number_of
from fluenzr_app.diagnosis.words import remedy_words, told
from fluenzr_app.words.catalogue import Lang

PREFIXES = {"account": "acc", "campaign": "cmp", "import": "imp"}


class SubjectShape(Shape):
    """What a diagnosis is about: `account`, `campaign` or `import` with its id, or the `workspace`, `installation`."""

    type: str
    id: str | None
    name: str


class RemedyShape(Shape):
    """An act that mends it, with the label of its button in the pages."""

    code: str
    label: str


class DiagnosisShape(Shape):
    """One thing that does not move, or could work better.

    `severity`: `broken` (somebody has to act, or nothing leaves), `slowed` (it goes on, but less than it should),
    `advice` (it works and could work better), `waits` (it goes on by itself at `resumesAt`). `symptom` is the number of
    its entry in the troubleshooting guide. `remedies`: the likeliest first. `since`: when it began, where known.
    `snoozedUntil`: somebody has put it aside until then.
    """

    code: str
    severity: Severity
    symptom: int | None
    subject: SubjectShape
    message: str
    explanation: str
    remedies: list[RemedyShape]
    since: datetime | None
    resumes_at: datetime | None
    snoozed_until: datetime | None


class SnoozeGiven(Given):
    """What to put aside: the `code` of a diagnosis, the id of its subject (none for workspace and installation).

    `until` lies within the next 90 days; `null` shows it again.
    """

    code: str
    subject_id: str | None = None
    until: datetime | None


class SnoozedShape(Shape):
    """Until when a diagnosis is put aside; `null`: it is shown."""

    code: str
    subject_id: str | None
    snoozed_until: datetime | None


def language_of(request: Request) -> Lang:
    """Return the language that `Accept-Language` asks for: French where it is wanted more than English."""
    wanted = []
    for part in request.headers.get("accept-language", "").split(","):
        tag, _, quality = part.strip().partition(";")
        try:
            weight = float(quality.strip().removeprefix("q=")) if quality.strip() else 1.0
        except ValueError:
            continue
        if weight > 0:
            wanted.append((weight, tag.strip()))
    ordered = [tag.partition("-")[0] for _, tag in sorted(wanted, key=lambda each: -each[0])]
    return "fr" if negotiate_locale(ordered, ["en", "fr"]) == "fr" else "en"


def diagnosis_shape(
    finding: Finding, lang: Lang, now: datetime, zone: ZoneInfo, snoozed_until: datetime | None
) -> DiagnosisShape:
    """Return a finding in the API's form, in words of `lang`."""
    said = told([finding], lang, now, zone)
    return DiagnosisShape(
        code=finding.code,
        severity=finding.severity,
        symptom=number_of(finding),
        subject=SubjectShape(type=finding.subject.kind, id=subject_id(finding), name=finding.subject.name),
        message=said.what,
        explanation=said.why,
        remedies=[RemedyShape(code=code, label=remedy_words(code, lang)) for code in finding.remedies],
        since=finding.since,
        resumes_at=finding.resumes_at,
        snoozed_until=snoozed_until,
    )


def subject_id(finding: Finding) -> str | None:
    """Return the public id of what a finding is about; None for what there is one of."""
    prefix = PREFIXES.get(finding.subject.kind)
    return None if prefix is None or finding.subject.id is None else public_id(prefix, finding.subject.id)
