"""Rates in per cent and what they are worth, by the table of analytics.md."""

from collections.abc import Mapping
from typing import Literal

Kind = Literal["open", "click", "reply"]
Judgement = Literal["excellent", "good", "average", "low", "early", ""]

# Above the first excellent, from the second good, from the third average, below low (analytics.md).
_BANDS: Mapping[Kind, tuple[float, float, float]] = {"open": (40, 25, 15), "click": (5, 2, 1), "reply": (5, 2, 1)}
# With fewer delivered, one person more or less is as much as a whole band: the class would tell of chance.
_ENOUGH: Mapping[Kind, int] = {"open": 20, "click": 100, "reply": 100}


def rate(count: int, of: int) -> float | None:
    """Return `count` in per cent of `of` with one decimal; None when there is nothing to relate it to."""
    return None if of <= 0 else round(100 * count / of, 1)


def judge(kind: Kind, percent: float | None) -> Judgement:
    """Return the class of a rate in per cent, as it is shown; "" for one that is not known."""
    if percent is None:
        return ""
    excellent, good, average = _BANDS[kind]
    if percent > excellent:
        return "excellent"
    return "good" if percent >= good else "average" if percent >= average else "low"


def judge_of(kind: Kind, percent: float | None, delivered: int) -> Judgement:
    """Return the class of a rate that so many delivered mails gave: “early” where they are too few to tell."""
    return "early" if percent is not None and delivered < _ENOUGH[kind] else judge(kind, percent)
