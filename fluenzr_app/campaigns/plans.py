"""A campaign as the engine reads it: settings, window, compiled mails and the way from node to node."""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from threading import Lock
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, select
from sqlmodel import Session

from fluenzr_app.campaigns.errors import TemplateFault
from fluenzr_app.campaigns.models import Campaign, Edge, Node
from fluenzr_app.campaigns.settings import CampaignSettings, read_stored
from fluenzr_app.campaigns.timing import Opening, Window, delay_until, opening
from fluenzr_app.campaigns.variables import Body, Template, compile_body, compile_subject
from fluenzr_app.campaigns.workflow import DelayNode, parse_node
from fluenzr_app.db.hot import HotSelect
from fluenzr_app.db.tables import table_of
from fluenzr_app.db.types import AnyRow

_CAMPAIGN = table_of(Campaign)
_NODE = table_of(Node)
_EDGE = table_of(Edge)
_KEPT = 512


@dataclass(frozen=True, slots=True)
class MailStep:
    """An email node with its texts compiled; `fault` is the code of why they cannot be (absent: they can).

    `track_opens`, `track_clicks`: by the settings of the mail and of its campaign together.
    """

    node_id: int
    name: str
    number: int
    subject: Template | None
    body: Body | None
    fault: str | None
    track_opens: bool = True
    track_clicks: bool = True


@dataclass(frozen=True, slots=True)
class NextStep:
    """Where a walk goes on: at the mail `node_id`, not before `due_at`; both absent at an end."""

    node_id: int | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything the engine needs of one revision of a campaign."""

    campaign_id: int
    workspace_id: int
    revision: int
    settings: CampaignSettings
    window: Window
    zone: ZoneInfo
    start_id: int | None
    mails: Mapping[int, MailStep]
    delays: Mapping[int, DelayNode]
    following: Mapping[int, int]
    _openings: dict[str, Opening] = field(default_factory=dict, compare=False)

    def opening_at(self, at: datetime, zone: ZoneInfo) -> Opening | None:
        """Return the opening of the window that holds `at`, else the next one; None for a window that never opens.

        The last answer for a zone is kept: it is asked for every message, and changes once a day.
        """
        kept = self._openings.get(zone.key)
        if kept is not None and kept.opens <= at < kept.closes:
            return kept
        found = opening(self.window, at, zone)
        if found is not None and found.opens <= at:
            self._openings[zone.key] = found
        return found

    def first_step(self, enrolled_at: datetime, zone: tzinfo) -> NextStep:
        """Return where a new enrollment begins."""
        return NextStep(None, None) if self.start_id is None else self.step_after(self.start_id, enrolled_at, zone)

    def step_after(self, node_id: int, at: datetime, zone: tzinfo) -> NextStep:
        """Return what follows a node that was done at `at`: delays are added up until a mail or an end is reached."""
        current = self.following.get(node_id)
        due = at
        for _ in range(len(self.following) + 1):
            if current is None:
                break
            if current in self.mails:
                return NextStep(current, due)
            delay = self.delays.get(current)
            if delay is not None:
                due = delay_until(delay, due, zone)
            current = self.following.get(current)
        return NextStep(None, None)

    def mail_after(self, node_id: int) -> int | None:
        """Return the mail that takes the place of a removed one: the next in line, whatever delays lie between."""
        current = self.following.get(node_id)
        for _ in range(len(self.following) + 1):
            if current is None or current in self.mails:
                return current
            current = self.following.get(current)
        return None


class Plans:
    """Compiled campaigns by id, kept for as long as their revision stays the same."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, Plan] = OrderedDict()
        self._lock = Lock()

    def of_row(self, session: Session, row: AnyRow) -> Plan:
        """Return the plan of a campaign row (id, workspace_id, revision, settings)."""
        with self._lock:
            kept = self._kept.get(row.id)
            if kept is not None and kept.revision == row.revision:
                self._kept.move_to_end(row.id)
                return kept
        plan = compile_plan(session, row)
        with self._lock:
            self._kept[row.id] = plan
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return plan

    def at(self, session: Session, campaign_id: int, revision: int) -> Plan:
        """Return the plan of a campaign whose present revision the caller has just read."""
        with self._lock:
            kept = self._kept.get(campaign_id)
        if kept is not None and kept.revision == revision:
            return kept
        return self.of_row(session, session.connection().execute(PLAN_ROWS.where(_CAMPAIGN.c.id == campaign_id)).one())

    def of(self, session: Session, campaign_ids: Sequence[int]) -> dict[int, Plan]:
        """Return the plans of campaigns by id, at the revision that the session sees."""
        if not campaign_ids:
            return {}
        revisions = _REVISIONS.rows(session.connection(), campaign_ids)
        return {row.id: self.at(session, row.id, row.revision) for row in revisions}


PLAN_ROWS = select(
    _CAMPAIGN.c.id, _CAMPAIGN.c.workspace_id, _CAMPAIGN.c.revision, _CAMPAIGN.c.settings, _CAMPAIGN.c.status
)
_REVISIONS = HotSelect(
    select(_CAMPAIGN.c.id, _CAMPAIGN.c.revision).where(_CAMPAIGN.c.id.in_(bindparam("ids", expanding=True)))
)


def compile_plan(session: Session, row: AnyRow) -> Plan:
    """Return the plan of a campaign row, its workflow read from the tables."""
    connection = session.connection()
    every = connection.execute(select(_NODE).where(_NODE.c.campaign_id == row.id).order_by(_NODE.c.position)).all()
    nodes = [node for node in every if node.removed_at is None]
    # A removed node keeps its way on, for mails of it that are still being settled.
    ids = [node.id for node in every]
    edges = connection.execute(select(_EDGE).where(_EDGE.c.from_node_id.in_(ids))).all() if ids else []
    settings = read_stored(row.settings)
    mails: dict[int, MailStep] = {}
    delays: dict[int, DelayNode] = {}
    for node in nodes:
        if node.kind == "email":
            mails[node.id] = _mail(node, len(mails) + 1, settings)
        elif node.kind == "delay":
            parsed = parse_node(node.key, node.kind, node.data)
            if isinstance(parsed, DelayNode):
                delays[node.id] = parsed
    return Plan(
        campaign_id=row.id,
        workspace_id=row.workspace_id,
        revision=row.revision,
        settings=settings,
        window=settings.window,
        zone=settings.zone,
        start_id=next((node.id for node in nodes if node.kind == "start"), None),
        mails=mails,
        delays=delays,
        following={edge.from_node_id: edge.to_node_id for edge in edges if not edge.branch},
    )


def _mail(node: AnyRow, number: int, settings: CampaignSettings) -> MailStep:
    data = node.data
    opens = settings.track_opens and data.get("trackOpens", True)
    clicks = settings.track_clicks and data.get("trackClicks", True)
    try:
        return MailStep(
            node.id,
            data.get("name", ""),
            number,
            compile_subject(data.get("subject", "")),
            compile_body(data.get("body", "")),
            None,
            opens,
            clicks,
        )
    except TemplateFault as fault:
        return MailStep(node.id, data.get("name", ""), number, None, None, fault.code)
