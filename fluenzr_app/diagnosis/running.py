"""Whether this installation sends at all, and whether its clock can be believed (symptoms.md, 6)."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from fluenzr_app.diagnosis.findings import Finding, Subject

# A worker beats every few seconds and is taken for dead after 30 s; a restart must be over by then.
SILENT_FOR = timedelta(seconds=60)
# Two machines that share a database are seldom further apart.
AHEAD_BY = timedelta(minutes=5)

_SUBJECT = Subject("installation", None, "")


@dataclass(frozen=True, slots=True)
class RunningFacts:
    """`beat_at` is the last sign of any process that sends, in wall time; absent when none ever gave one.

    `running_since` is when the oldest of those that live began, in wall time; absent while none does. `newest_attempt`
    is the latest attempt of the workspace, on the clock that the engine goes by. `waiting` counts its queued messages.
    """

    active_campaigns: int
    beat_at: datetime | None
    running_since: datetime | None
    newest_attempt: datetime | None
    waiting: int


def not_sending_finding(facts: RunningFacts, wall: datetime) -> Finding | None:
    """Return that no process sends although campaigns are active; None while one gave a sign within 60 s of `wall`."""
    if facts.active_campaigns == 0 or is_alive(facts, wall):
        return None
    params = {"campaigns": facts.active_campaigns, "waiting": facts.waiting}
    return Finding("installation_not_sending", "broken", _SUBJECT, params, ("start_worker",), facts.beat_at)


def is_alive(facts: RunningFacts, wall: datetime) -> bool:
    """Return whether a process that sends gave a sign within 60 s of `wall`."""
    return facts.running_since is not None and facts.beat_at is not None and wall - facts.beat_at <= SILENT_FOR


def clock_finding(facts: RunningFacts, now: datetime) -> Finding | None:
    """Return that an attempt is stored more than five minutes after `now`: the machine's clock went back.

    Until `now` has caught up, caps and delays count what seems to lie ahead; `resumes_at` is when that is over.
    """
    newest = facts.newest_attempt
    if newest is None or newest - now <= AHEAD_BY:
        return None
    params = {"minutes": int((newest - now).total_seconds() // 60), "newest": newest}
    return Finding("installation_clock", "slowed", _SUBJECT, params, ("check_clock",), None, newest)
