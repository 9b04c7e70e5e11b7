"""The bounce brake: a campaign pauses itself when too many addresses refuse its mail (campaigns.md, Bounce brake)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import Session

from fluenzr_app.campaigns.lifecycle import pause
from fluenzr_app.campaigns.models import Campaign
from fluenzr_app.db.tables import table_of
from fluenzr_app.db.types import AnyRow
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


def to_brake(session: Session) -> Sequence[tuple[int, int]]:
    """Return (workspace, campaign) of the active campaigns that have to be paused; reads a few rollups of each."""
    rows = (
        session.connection()
        .execute(
            select(_CAMPAIGN.c.id, _CAMPAIGN.c.workspace_id, _CAMPAIGN.c.started_at, _CAMPAIGN.c.resumed_at)
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
    return [(row.workspace_id, row.id) for row in rows if _since_resume(session, row).is_too_much]


def apply_brake(session: Session, workspace_id: int, campaign_id: int, now: datetime) -> bool:
    """Pause the campaign unless somebody has stopped or resumed it meanwhile; return whether it was paused."""
    figures = since_resume(session, campaign_id)
    status = select(_CAMPAIGN.c.status).where(_CAMPAIGN.c.id == campaign_id)
    if session.connection().execute(status).scalar() != "active" or not figures.is_too_much:
        return False
    pause(session, workspace_id, campaign_id, now, BRAKE)
    return True


def since_resume(session: Session, campaign_id: int) -> SinceResume:
    """Return the figures that the brake goes by; nothing for a campaign that never started."""
    row = (
        session.connection()
        .execute(
            select(_CAMPAIGN.c.id, _CAMPAIGN.c.workspace_id, _CAMPAIGN.c.started_at, _CAMPAIGN.c.resumed_at).where(
                _CAMPAIGN.c.id == campaign_id
            )
        )
        .first()
    )
    return SinceResume(0, 0) if row is None else _since_resume(session, row)


def _since_resume(session: Session, row: AnyRow) -> SinceResume:
    since = row.resumed_at or row.started_at
    if since is None:
        return SinceResume(0, 0)
    return SinceResume(*(_count(session, row, metric, since) for metric in ("email.sent", "email.bounced")))


def _count(session: Session, row: AnyRow, metric: str, since: datetime) -> int:
    """Return how often `metric` happened since then: whole hours from the rollups, the first one from its events."""
    connection = session.connection()
    whole = connection.execute(
        select(func.coalesce(func.sum(_ROLLUP.c.n), 0)).where(
            _ROLLUP.c.workspace_id == row.workspace_id,
            _ROLLUP.c.scope == "campaign",
            _ROLLUP.c.scope_id == row.id,
            _ROLLUP.c.metric == metric,
            _ROLLUP.c.hour > hour_of(since),
        )
    ).scalar_one()
    begun = connection.execute(
        select(func.count()).where(
            _EVENT.c.campaign_id == row.id,
            _EVENT.c.type == metric,
            _EVENT.c.at >= since,
            _EVENT.c.at < since.replace(minute=0, second=0, microsecond=0) + _HOUR,
        )
    ).scalar_one()
    return int(whole) + int(begun)
