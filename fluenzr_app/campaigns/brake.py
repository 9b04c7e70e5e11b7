"""The bounce brake: a campaign pauses itself when too many addresses refuse its mail (campaigns.md, Bounce brake)."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlmodel import Session

from fluenzr_app.campaigns.lifecycle import pause
from fluenzr_app.campaigns.models import Campaign
from fluenzr_app.db.tables import table_of
from fluenzr_app.events.models import Event, Rollup
from fluenzr_app.events.record import hour_of

_CAMPAIGN = table_of(Campaign)
_ROLLUP = table_of(Rollup)
_EVENT = table_of(Event)

BRAKE = "bounce_brake"
LEAST_SENDS = 20
LEAST_BOUNCES = 5
MOST_SHARE = 0.05
_HOUR = timedelta(hours=1)
_METRICS = ("email.sent", "email.bounced")
# Each has a beginning of its own, and SQLite takes conditions of 1,000 parts at most.
_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class SinceResume:
    """What a campaign has sent, and how many of its mails bounced for good, since its start or last resume."""

    sent: int
    bounced: int

    @property
    def is_too_much(self) -> bool:
        """Whether the brake has to act: over 5 %, of at least 20 sends, with at least 5 bounces."""
        enough = self.sent >= LEAST_SENDS and self.bounced >= LEAST_BOUNCES
        return enough and self.bounced > MOST_SHARE * self.sent


@dataclass(frozen=True, slots=True)
class _Begun:
    campaign_id: int
    workspace_id: int
    since: datetime


def to_brake(session: Session) -> Sequence[tuple[int, int]]:
    """Return (workspace, campaign) of the active campaigns that have to be paused; reads a few rollups of each."""
    rows = (
        session.connection()
        .execute(
            select(_CAMPAIGN.c.id, _CAMPAIGN.c.workspace_id)
            .where(
                _CAMPAIGN.c.status == "active",
                # Hardly any campaign has bounced so often, and only those are looked at closely.
                select(func.sum(_ROLLUP.c.n))
                .where(
                    _ROLLUP.c.workspace_id == _CAMPAIGN.c.workspace_id,
                    _ROLLUP.c.scope == "campaign",
                    _ROLLUP.c.scope_id == _CAMPAIGN.c.id,
                    _ROLLUP.c.metric == "email.bounced",
                )
                .scalar_subquery()
                >= LEAST_BOUNCES,
            )
            .order_by(_CAMPAIGN.c.id)
        )
        .all()
    )
    figures = since_resume(session, [row.id for row in rows])
    return [(row.workspace_id, row.id) for row in rows if figures[row.id].is_too_much]


def apply_brake(session: Session, workspace_id: int, campaign_id: int, now: datetime) -> bool:
    """Pause the campaign unless somebody has stopped or resumed it meanwhile; return whether it was paused."""
    figures = since_resume(session, [campaign_id])[campaign_id]
    status = select(_CAMPAIGN.c.status).where(_CAMPAIGN.c.id == campaign_id)
    if session.connection().execute(status).scalar() != "active" or not figures.is_too_much:
        return False
    pause(session, workspace_id, campaign_id, now, BRAKE)
    return True


def since_resume(session: Session, campaign_ids: Sequence[int]) -> dict[int, SinceResume]:
    """Return by campaign the figures that the brake goes by; nothing for one that never started."""
    rows = session.connection().execute(
        select(_CAMPAIGN.c.id, _CAMPAIGN.c.workspace_id, func.coalesce(_CAMPAIGN.c.resumed_at, _CAMPAIGN.c.started_at))
        .where(_CAMPAIGN.c.id.in_(list(campaign_ids)))
    ).all()  # fmt: skip
    begun = [_Begun(*row) for row in rows if row[2] is not None]
    counts: Counter[tuple[int, str]] = Counter()
    for start in range(0, len(begun), _AT_ONCE):
        counts.update(_counts(session, begun[start : start + _AT_ONCE]))
    return {key: SinceResume(counts[(key, "email.sent")], counts[(key, "email.bounced")]) for key in campaign_ids}


def _counts(session: Session, begun: Sequence[_Begun]) -> Counter[tuple[int, str]]:
    """Return what happened since then: whole hours from the rollups, the first one from its events."""
    connection = session.connection()
    whole = connection.execute(
        select(_ROLLUP.c.scope_id, _ROLLUP.c.metric, func.sum(_ROLLUP.c.n))
        .where(or_(*(_in_whole_hours(each) for each in begun)))
        .group_by(_ROLLUP.c.scope_id, _ROLLUP.c.metric)
    ).all()
    first = connection.execute(
        select(_EVENT.c.campaign_id, _EVENT.c.type, func.count())
        .where(or_(*(_in_the_first_hour(each) for each in begun)))
        .group_by(_EVENT.c.campaign_id, _EVENT.c.type)
    ).all()
    found: Counter[tuple[int, str]] = Counter()
    for campaign_id, metric, n in [*whole, *first]:
        found[(campaign_id, metric)] += int(n)
    return found


def _in_whole_hours(begun: _Begun) -> ColumnElement[bool]:
    return and_(
        _ROLLUP.c.workspace_id == begun.workspace_id,
        _ROLLUP.c.scope == "campaign",
        _ROLLUP.c.scope_id == begun.campaign_id,
        _ROLLUP.c.metric.in_(_METRICS),
        _ROLLUP.c.hour > hour_of(begun.since),
    )


def _in_the_first_hour(begun: _Begun) -> ColumnElement[bool]:
    return and_(
        _EVENT.c.campaign_id == begun.campaign_id,
        _EVENT.c.type.in_(_METRICS),
        _EVENT.c.at >= begun.since,
        _EVENT.c.at < begun.since.replace(minute=0, second=0, microsecond=0) + _HOUR,
    )
