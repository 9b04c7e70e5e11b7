"""A campaign's figures, from the rollups that change with each event (analytics.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import Session

from fluenzr_app.campaigns.enrollments import counts_by_status
from fluenzr_app.campaigns.service import get_campaign
from fluenzr_app.campaigns.workflow_store import node_ids
from fluenzr_app.db.tables import table_of
from fluenzr_app.events.models import Rollup
from fluenzr_app.events.record import hour_of
from fluenzr_app.sending.models import Message
from fluenzr_app.sending.rows import OPEN

_ROLLUP = table_of(Rollup)
_MESSAGE = table_of(Message)
METRICS = ("email.sent", "email.bounced", "email.opened", "email.clicked", "email.replied", "email.unsubscribed")


@dataclass(frozen=True, slots=True)
class CampaignStats:
    """Counts of a campaign; delivered is sent less bounced. `open` are messages that still wait, by state."""

    total_contacts: int
    by_status: Mapping[str, int]
    sent: int
    delivered: int
    opened: int
    clicked: int
    replied: int
    bounced: int
    unsubscribed: int
    open_messages: Mapping[str, int]

    def rate(self, count: int, of: int) -> float | None:
        """Return `count` in per cent of `of` with one decimal; None when there is nothing to relate it to."""
        return None if of == 0 else round(100 * count / of, 1)


@dataclass(frozen=True, slots=True)
class MailStats:
    """Counts of one mail of the sequence."""

    node_id: str
    name: str
    number: int
    sent: int
    bounced: int


def campaign_stats(session: Session, workspace_id: int, campaign_id: int) -> CampaignStats:
    """Return the figures of a campaign; raises CampaignNotFound."""
    get_campaign(session, workspace_id, campaign_id)
    sums = _sums(session, workspace_id, "campaign", [campaign_id]).get(campaign_id, {})
    by_status = counts_by_status(session, [campaign_id])[campaign_id]
    sent, bounced = sums.get("email.sent", 0), sums.get("email.bounced", 0)
    waiting = session.connection().execute(
        select(_MESSAGE.c.status, func.count())
        .where(
            _MESSAGE.c.campaign_id == campaign_id,
            OPEN,
        )
        .group_by(_MESSAGE.c.status)
    )
    return CampaignStats(
        total_contacts=sum(by_status.values()),
        by_status=by_status,
        sent=sent,
        delivered=max(0, sent - bounced),
        opened=sums.get("email.opened", 0),
        clicked=sums.get("email.clicked", 0),
        replied=sums.get("email.replied", 0),
        bounced=bounced,
        unsubscribed=sums.get("email.unsubscribed", 0),
        open_messages=dict(waiting.tuples().all()),
    )


def mail_stats(session: Session, workspace_id: int, campaign_id: int) -> list[MailStats]:
    """Return the figures of each mail of the sequence, in order; raises CampaignNotFound."""
    campaign = get_campaign(session, workspace_id, campaign_id)
    ids = node_ids(session, campaign_id)
    sums = _sums(session, workspace_id, "node", list(ids.values()))
    numbers = campaign.workflow.mail_numbers
    found = [
        MailStats(
            node.id,
            node.name,
            numbers.get(node.id, 0),
            sums.get(ids[node.id], {}).get("email.sent", 0),
            sums.get(ids[node.id], {}).get("email.bounced", 0),
        )
        for node in campaign.workflow.emails()
    ]
    return sorted(found, key=lambda each: each.number)


def sent_by_hour(session: Session, workspace_id: int, since: datetime, until: datetime) -> dict[datetime, int]:
    """Return how many campaign mails the workspace sent in each hour (its begin, UTC); empty hours are left out."""
    first, last = hour_of(since), hour_of(until)
    rows = session.connection().execute(
        select(_ROLLUP.c.hour, _ROLLUP.c.n).where(
            _ROLLUP.c.workspace_id == workspace_id,
            _ROLLUP.c.scope == "workspace",
            _ROLLUP.c.scope_id == workspace_id,
            _ROLLUP.c.metric == "email.sent",
            _ROLLUP.c.hour >= first,
            _ROLLUP.c.hour <= last,
        )
    )
    begin = since - (since - since.replace(minute=0, second=0, microsecond=0))
    return {begin + timedelta(hours=hour - first): n for hour, n in rows}


def _sums(session: Session, workspace_id: int, scope: str, ids: list[int]) -> dict[int, dict[str, int]]:
    if not ids:
        return {}
    rows = session.connection().execute(
        select(_ROLLUP.c.scope_id, _ROLLUP.c.metric, func.sum(_ROLLUP.c.n))
        .where(
            _ROLLUP.c.workspace_id == workspace_id,
            _ROLLUP.c.scope == scope,
            _ROLLUP.c.scope_id.in_(ids),
            _ROLLUP.c.metric.in_(METRICS),
        )
        .group_by(_ROLLUP.c.scope_id, _ROLLUP.c.metric)
    )
    found: dict[int, dict[str, int]] = {}
    for scope_id, metric, n in rows:
        found.setdefault(scope_id, {})[metric] = int(n)
    return found
