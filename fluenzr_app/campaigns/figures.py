"""A campaign's figures, from the rollups that change with each event (analytics.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import case, func, select
from sqlmodel import Session

from fluenzr_app.campaigns.counts import Counts, counts_of_many
from fluenzr_app.campaigns.enrollments import counts_by_status
from fluenzr_app.campaigns.service import get_campaign
from fluenzr_app.campaigns.tracked import off_in_campaign, off_in_workflow
from fluenzr_app.campaigns.workflow_store import node_ids
from fluenzr_app.db.tables import table_of
from fluenzr_app.events.models import Event, Rollup
from fluenzr_app.events.record import hour_of
from fluenzr_app.sending.models import Message
from fluenzr_app.sending.rows import OPEN
from fluenzr_app.workspaces.service import get_workspace

_ROLLUP = table_of(Rollup)
_MESSAGE = table_of(Message)
_EVENT = table_of(Event)
_LINK_CLICKED = "email.link_clicked"
# Clicks are counted by link when somebody looks; the newest so many are enough for that, whatever a campaign's size.
_LINK_CLICKS_READ = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignStats(Counts):
    """Counts of a campaign; `open_messages` are messages that still wait, by state."""

    total_contacts: int
    by_status: Mapping[str, int]
    open_messages: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailStats(Counts):
    """Counts of one mail of the sequence; `node_id` is its id in the workflow."""

    node_id: str
    name: str
    number: int


@dataclass(frozen=True, slots=True)
class LinkStats:
    """How many readers, and machines, clicked a link of one mail; `link` is the address as its author wrote it."""

    node_id: str
    link: str
    clicked: int
    machine_clicked: int


def campaign_stats(session: Session, workspace_id: int, campaign_id: int) -> CampaignStats:
    """Return the figures of a campaign; raises CampaignNotFound."""
    campaign = get_campaign(session, workspace_id, campaign_id)
    workspace = get_workspace(session, workspace_id)
    off = off_in_campaign(
        workspace, campaign.settings, list(off_in_workflow(workspace, campaign.settings, campaign.workflow).values())
    )
    by_status = counts_by_status(session, [campaign_id])[campaign_id]
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
        open_messages=dict(waiting.tuples().all()),
        opens_off=off.opens,
        clicks_off=off.clicks,
        **counts_of_many(session, workspace_id, "campaign", [campaign_id])[campaign_id],
    )


def mail_stats(session: Session, workspace_id: int, campaign_id: int) -> list[MailStats]:
    """Return the figures of each mail of the sequence, in order; raises CampaignNotFound."""
    campaign = get_campaign(session, workspace_id, campaign_id)
    off = off_in_workflow(get_workspace(session, workspace_id), campaign.settings, campaign.workflow)
    ids = node_ids(session, campaign_id)
    counts = counts_of_many(session, workspace_id, "node", [ids[node_id] for node_id in off])
    numbers = campaign.workflow.mail_numbers
    found = [
        MailStats(
            node_id=node.id,
            name=node.name,
            number=numbers.get(node.id, 0),
            opens_off=off[node.id].opens,
            clicks_off=off[node.id].clicks,
            **counts[ids[node.id]],
        )
        for node in campaign.workflow.emails()
    ]
    return sorted(found, key=lambda each: each.number)


def link_stats(session: Session, workspace_id: int, campaign_id: int) -> list[LinkStats]:
    """Return the links that were clicked in the mails of the sequence, mail by mail, the most clicked first.

    The latest 50,000 clicks count; links of mails that were taken out are left out. Raises CampaignNotFound.
    """
    get_campaign(session, workspace_id, campaign_id)
    latest = (
        select(_EVENT.c.node_id, _EVENT.c.machine, _EVENT.c.data["link"].as_string().label("link"))
        .where(
            _EVENT.c.campaign_id == campaign_id,
            _EVENT.c.type == _LINK_CLICKED,
            _EVENT.c.workspace_id == workspace_id,
        )
        .order_by(_EVENT.c.at.desc())
        .limit(_LINK_CLICKS_READ)
        .subquery()
    )
    by_machines = func.sum(case((latest.c.machine, 1), else_=0))
    rows = session.connection().execute(
        select(latest.c.node_id, latest.c.link, func.count(), by_machines)
        # What a person's erasure took the words out of is no link any more.
        .where(latest.c.link.is_not(None))
        .group_by(latest.c.node_id, latest.c.link)
    )
    keys = {node_id: key for key, node_id in node_ids(session, campaign_id).items()}
    found = [
        LinkStats(keys[node_id], link, int(n) - int(machines), int(machines))
        for node_id, link, n, machines in rows
        if node_id in keys
    ]
    return sorted(found, key=lambda each: (each.node_id, -each.clicked, -each.machine_clicked, each.link))


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
