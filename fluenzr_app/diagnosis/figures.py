"""Figures that are behind what happened, or that had to be repaired (symptoms.md, 9 and 21)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fluenzr_app.diagnosis.findings import Finding, Subject

# An opening or click is judged ten seconds after it came, so as to be told from those of machines.
BEHIND_AFTER = timedelta(minutes=2)
REPAIR_TOLD = timedelta(days=7)

_SUBJECT = Subject("workspace", None, "")


@dataclass(frozen=True, slots=True)
class FigureFacts:
    """`unjudged` opens and clicks that came and are not counted yet, `oldest` the first of them.

    `repaired` figures differed from their recount at the nightly check that found some last, at `repaired_at`.
    """

    unjudged: int
    oldest: datetime | None
    repaired: int
    repaired_at: datetime | None


def figure_findings(facts: FigureFacts, now: datetime) -> list[Finding]:
    """Return what a reader of figures should know at `now`: that they are behind, or that some were repaired."""
    found = []
    if facts.unjudged and facts.oldest is not None and now - facts.oldest > BEHIND_AFTER:
        params = {"hits": facts.unjudged}
        found.append(Finding("figures_behind", "slowed", _SUBJECT, params, ("start_worker",), facts.oldest))
    if facts.repaired and facts.repaired_at is not None and now - facts.repaired_at < REPAIR_TOLD:
        params = {"figures": facts.repaired}
        found.append(Finding("figures_repaired", "advice", _SUBJECT, params, ("support",), facts.repaired_at))
    return found
