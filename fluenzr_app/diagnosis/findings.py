"""What a diagnosis is: a value that a page, an answer of the API or a mail puts into words (symptoms.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

# broken: somebody has to act, or nothing leaves. slowed: it goes on, but less than it should, or may soon stop.
# advice: it works, and could work better. waits: it goes on by itself at a known time.
Severity = Literal["broken", "slowed", "advice", "waits"]
SEVERITIES: tuple[Severity, ...] = ("broken", "slowed", "advice", "waits")

SubjectKind = Literal["account", "campaign", "import", "installation", "workspace"]


@dataclass(frozen=True, slots=True)
class Subject:
    """The thing a finding is about; `id` is its key, absent for what there is one of."""

    kind: SubjectKind
    id: int | None
    name: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not move, or moves badly.

    `params` is what a sentence about it needs; `remedies` are codes of acts, the likeliest first, none where it goes
    on by itself; `since` is when it began, `resumes_at` when it ends by itself (absent: it does not, or nobody knows).
    """

    code: str
    severity: Severity
    subject: Subject
    params: Mapping[str, Any] = field(default_factory=dict)
    remedies: tuple[str, ...] = ()
    since: datetime | None = None
    resumes_at: datetime | None = None


def in_order(findings: list[Finding]) -> list[Finding]:
    """Return findings with what is broken first, and among equals the one that has stood longest."""
    return sorted(findings, key=_rank)


def merged(findings: list[Finding]) -> list[tuple[Finding, ...]]:
    """Return findings in their order, with what waits by itself for the same reason told as one entry."""
    groups: dict[tuple[str, int], list[Finding]] = {}
    for number, finding in enumerate(findings):
        key = (finding.code, -1 if finding.severity == "waits" else number)
        groups.setdefault(key, []).append(finding)
    return [tuple(group) for group in groups.values()]


def _rank(finding: Finding) -> tuple[int, bool, float, str, int]:
    began = finding.since.timestamp() if finding.since is not None else 0.0
    return (
        SEVERITIES.index(finding.severity),
        finding.since is None,
        began,
        finding.code,
        finding.subject.id or 0,
    )
