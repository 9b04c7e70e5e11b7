"""Campaigns, as pages and routes use them: making, reading, listing and changing (campaigns.md)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlmodel import Session, col

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns.counts import Counts, counts_of_many
from fluenzr_app.campaigns.enrollments import counts_by_status
from fluenzr_app.campaigns.errors import AccountRefused, CampaignNotFound, SettingsRefused, Stale, WrongState
from fluenzr_app.campaigns.models import (
    Campaign,
    CampaignAccount,
    CampaignGroup,
    Enrollment,
    EnrollmentCount,
    Node,
)
from fluenzr_app.campaigns.models import Edge as EdgeRow
from fluenzr_app.campaigns.nodes import EmailNode, EndNode, StartNode
from fluenzr_app.campaigns.settings import CampaignSettings, changed, read_stored, with_excluded_groups
from fluenzr_app.campaigns.tracked import off_in_campaigns
from fluenzr_app.campaigns.views import CampaignLine, CampaignPage, CampaignView
from fluenzr_app.campaigns.workflow import Edge, Workflow
from fluenzr_app.campaigns.workflow_store import read_workflow, write_workflow
from fluenzr_app.contacts.models import Group
from fluenzr_app.db.tables import table_of
from fluenzr_app.workspaces.service import get_workspace

_CAMPAIGN = table_of(Campaign)
_ACCOUNT = table_of(EmailAccount)
_LINK = table_of(CampaignAccount)
_GROUP_LINK = table_of(CampaignGroup)
_GROUP = table_of(Group)
_NODE = table_of(Node)
_ENROLLMENT = table_of(Enrollment)
_EDGE = table_of(EdgeRow)
_COUNT = table_of(EnrollmentCount)

NAME_MAX = 120
DESCRIPTION_MAX = 2_000
STATUSES = ("draft", "active", "paused", "completed", "archived")
_SORTS = {
    "createdAt": _CAMPAIGN.c.created_at,
    "updatedAt": _CAMPAIGN.c.updated_at,
    "name": func.lower(_CAMPAIGN.c.name),
    "status": _CAMPAIGN.c.status,
}


def create_campaign(
    session: Session,
    workspace_id: int,
    name: str,
    now: datetime,
    *,
    description: str = "",
    account_ids: Sequence[int] = (),
    settings: Mapping[str, Any] | None = None,
    workflow: Workflow | None = None,
    timezone: str = "Europe/Paris",
) -> CampaignView:
    """Make a draft and return it; without a workflow it has one empty mail between start and end.

    Raises SettingsRefused, AccountRefused, WorkflowFaults.
    """
    begun = changed(CampaignSettings(timezone=timezone), settings or {})
    campaign = Campaign(
        workspace_id=workspace_id,
        name=_name(name),
        description=_description(description),
        settings=begun.stored(),
        created_at=now,
        updated_at=now,
    )
    session.add(campaign)
    session.flush()
    campaign_id = campaign.id or 0
    _set_accounts(session, workspace_id, campaign_id, account_ids)
    write_workflow(session, campaign_id, workflow or _empty_workflow(), now)
    campaign.next_node_no = len((workflow or _empty_workflow()).nodes) + 1
    session.add(campaign)
    session.flush()
    return get_campaign(session, workspace_id, campaign_id)


def get_campaign(session: Session, workspace_id: int, campaign_id: int) -> CampaignView:
    """Return a campaign of the workspace; raises CampaignNotFound."""
    row = (
        session.connection()
        .execute(select(_CAMPAIGN).where(_CAMPAIGN.c.id == campaign_id, _CAMPAIGN.c.workspace_id == workspace_id))
        .first()
    )
    if row is None:
        raise CampaignNotFound
    return CampaignView(
        id=row.id,
        workspace_id=row.workspace_id,
        name=row.name,
        description=row.description,
        status=row.status,
        settings=read_stored(row.settings),
        account_ids=_linked(session, campaign_id),
        group_ids=_groups(session, campaign_id),
        workflow=read_workflow(session, campaign_id),
        revision=row.revision,
        next_node_no=row.next_node_no,
        pause_reason=row.pause_reason,
        created_at=row.created_at,
        updated_at=row.updated_at,
        started_at=row.started_at,
        paused_at=row.paused_at,
        completed_at=row.completed_at,
    )


def list_campaigns(
    session: Session,
    workspace_id: int,
    *,
    status: str | None = None,
    search: str = "",
    page: int = 1,
    per_page: int = 20,
    sort: str = "createdAt",
    descending: bool = True,
) -> CampaignPage:
    """Return a page of the workspace's campaigns, archived ones only when asked for; raises SettingsRefused."""
    if sort not in _SORTS:
        raise SettingsRefused("sort", f"sort takes {', '.join(_SORTS)}.")
    if status is not None and status not in STATUSES:
        raise SettingsRefused("status", f"status takes {', '.join(STATUSES)}.")
    wanted = [_CAMPAIGN.c.workspace_id == workspace_id]
    wanted.append(_CAMPAIGN.c.status != "archived" if status is None else _CAMPAIGN.c.status == status)
    if search.strip():
        wanted.append(func.lower(_CAMPAIGN.c.name).contains(search.strip().lower(), autoescape=True))
    connection = session.connection()
    total = connection.execute(select(func.count()).select_from(_CAMPAIGN).where(*wanted)).scalar_one()
    order = _SORTS[sort].desc() if descending else _SORTS[sort].asc()
    rows = connection.execute(
        select(_CAMPAIGN)
        .where(*wanted)
        .order_by(order, _CAMPAIGN.c.id.desc())
        .limit(per_page)
        .offset((page - 1) * per_page)
    ).all()
    return CampaignPage(_lines(session, workspace_id, rows), total)


def counts_by_campaign_status(session: Session, workspace_id: int) -> dict[str, int]:
    """Return how many campaigns of the workspace are in each state."""
    rows = session.connection().execute(
        select(_CAMPAIGN.c.status, func.count())
        .where(_CAMPAIGN.c.workspace_id == workspace_id)
        .group_by(_CAMPAIGN.c.status)
    )
    return dict(rows.tuples().all())


def active_campaigns(session: Session, workspace_id: int) -> list[int]:
    """Return the ids of the workspace's active campaigns."""
    wanted = (_CAMPAIGN.c.workspace_id == workspace_id, _CAMPAIGN.c.status == "active")
    return list(session.connection().execute(select(_CAMPAIGN.c.id).where(*wanted)).scalars())


def update_campaign(
    session: Session,
    workspace_id: int,
    campaign_id: int,
    now: datetime,
    *,
    name: str | None = None,
    description: str | None = None,
    account_ids: Sequence[int] | None = None,
    group_ids: Sequence[int] | None = None,
    excluded_group_ids: Sequence[int] | None = None,
    settings: Mapping[str, Any] | None = None,
    workflow: Workflow | None = None,
    next_node_no: int | None = None,
    expected_revision: int | None = None,
) -> CampaignView:
    """Change what is given and return the campaign; only drafts and paused campaigns can be changed.

    Raises CampaignNotFound, WrongState, Stale (another revision than `expected_revision`), SettingsRefused,
    AccountRefused, WorkflowFaults.
    """
    campaign = lock_campaign(session, workspace_id, campaign_id)
    if campaign.status not in ("draft", "paused"):
        raise WrongState(campaign.status, "Only a draft or a paused campaign can be changed. Pause it first.")
    if expected_revision is not None and campaign.revision != expected_revision:
        raise Stale(campaign.revision)
    if name is not None:
        campaign.name = _name(name)
    if description is not None:
        campaign.description = _description(description)
    present = read_stored(campaign.settings)
    if settings is not None:
        present = changed(present, settings)
    if excluded_group_ids is not None:
        present = with_excluded_groups(present, tuple(_own_groups(session, workspace_id, excluded_group_ids)))
    campaign.settings = present.stored()
    if account_ids is not None:
        _set_accounts(session, workspace_id, campaign_id, account_ids)
    if group_ids is not None:
        _set_groups(session, workspace_id, campaign_id, group_ids)
    if workflow is not None:
        write_workflow(session, campaign_id, workflow, now)
    if next_node_no is not None:
        campaign.next_node_no = max(campaign.next_node_no, next_node_no)
    campaign.revision += 1
    campaign.updated_at = now
    session.add(campaign)
    session.flush()
    return get_campaign(session, workspace_id, campaign_id)


def delete_draft(session: Session, workspace_id: int, campaign_id: int) -> None:
    """Delete a draft that was never started; raises CampaignNotFound, WrongState (archive others instead)."""
    campaign = lock_campaign(session, workspace_id, campaign_id)
    if campaign.status != "draft" or campaign.started_at is not None:
        raise WrongState(campaign.status, "A campaign that has been started is archived, not deleted.")
    connection = session.connection()
    nodes = select(_NODE.c.id).where(_NODE.c.campaign_id == campaign_id).scalar_subquery()
    connection.execute(delete(_EDGE).where(_EDGE.c.from_node_id.in_(nodes)))
    for table in (_NODE, _LINK, _GROUP_LINK, _ENROLLMENT, _COUNT):
        connection.execute(delete(table).where(table.c.campaign_id == campaign_id))
    session.delete(campaign)
    session.flush()


def duplicate_campaign(session: Session, workspace_id: int, campaign_id: int, name: str, now: datetime) -> CampaignView:
    """Return a new draft with the same workflow, settings and accounts and no contacts; raises CampaignNotFound."""
    original = get_campaign(session, workspace_id, campaign_id)
    alive = [
        account_id
        for account_id in original.account_ids
        if (account := session.get(EmailAccount, account_id)) is not None and account.removed_at is None
    ]
    copy = create_campaign(
        session,
        workspace_id,
        name,
        now,
        description=original.description,
        account_ids=alive,
        workflow=original.workflow,
    )
    session.connection().execute(
        update(_CAMPAIGN)
        .where(_CAMPAIGN.c.id == copy.id)
        .values(settings=original.settings.stored(), next_node_no=original.next_node_no)
    )
    return get_campaign(session, workspace_id, copy.id)


def lock_campaign(session: Session, workspace_id: int, campaign_id: int) -> Campaign:
    """Return the campaign's row, locked until the transaction ends; raises CampaignNotFound."""
    statement = (
        select(Campaign)
        .where(col(Campaign.id) == campaign_id, col(Campaign.workspace_id) == workspace_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    campaign: Campaign | None = session.execute(statement).scalar_one_or_none()
    if campaign is None:
        raise CampaignNotFound
    return campaign


def _lines(session: Session, workspace_id: int, rows: Sequence[Any]) -> tuple[CampaignLine, ...]:
    ids = [row.id for row in rows]
    if not ids:
        return ()
    enrolled = counts_by_status(session, ids)
    mails = _counted(
        session,
        select(_NODE.c.campaign_id, func.count())
        .where(_NODE.c.campaign_id.in_(ids), _NODE.c.kind == "email", _NODE.c.removed_at.is_(None))
        .group_by(_NODE.c.campaign_id),
    )
    accounts = _counted(
        session,
        select(_LINK.c.campaign_id, func.count()).where(_LINK.c.campaign_id.in_(ids)).group_by(_LINK.c.campaign_id),
    )
    counts = counts_of_many(session, workspace_id, "campaign", ids)
    settings = {row.id: read_stored(row.settings) for row in rows}
    off = off_in_campaigns(session, get_workspace(session, workspace_id), settings)
    return tuple(
        CampaignLine(
            id=row.id,
            name=row.name,
            status=row.status,
            pause_reason=row.pause_reason,
            mails=mails.get(row.id, 0),
            accounts=accounts.get(row.id, 0),
            enrolled=sum(enrolled[row.id].values()),
            ended=sum(n for status, n in enrolled[row.id].items() if status not in ("pending", "in_progress")),
            counts=Counts(**counts[row.id], opens_off=off[row.id].opens, clicks_off=off[row.id].clicks),
            created_at=row.created_at,
            started_at=row.started_at,
            completed_at=row.completed_at,
        )
        for row in rows
    )


def _counted(session: Session, statement: Any) -> dict[int, int]:
    return {key: int(n) for key, n in session.connection().execute(statement)}


def _name(name: str) -> str:
    shown = " ".join(name.split())
    if not shown or len(shown) > NAME_MAX:
        raise SettingsRefused("name", f"A campaign needs a name of 1 to {NAME_MAX} characters.")
    return shown


def _description(description: str) -> str:
    if len(description) > DESCRIPTION_MAX:
        raise SettingsRefused("description", f"The description must not be longer than {DESCRIPTION_MAX} characters.")
    return description.replace("\x00", "")


def _empty_workflow() -> Workflow:
    nodes = (StartNode("start"), EmailNode("n1"), EndNode("end"))
    return Workflow(nodes, (Edge("start", "n1"), Edge("n1", "end")))


def _linked(session: Session, campaign_id: int) -> tuple[int, ...]:
    rows = session.connection().execute(
        select(_LINK.c.account_id).where(_LINK.c.campaign_id == campaign_id).order_by(_LINK.c.account_id)
    )
    return tuple(rows.scalars())


def _groups(session: Session, campaign_id: int) -> tuple[int, ...]:
    rows = session.connection().execute(
        select(_GROUP_LINK.c.group_id).where(_GROUP_LINK.c.campaign_id == campaign_id).order_by(_GROUP_LINK.c.group_id)
    )
    return tuple(rows.scalars())


def _set_accounts(session: Session, workspace_id: int, campaign_id: int, account_ids: Sequence[int]) -> None:
    wanted = set(account_ids)
    own = set(
        session.connection()
        .execute(
            select(_ACCOUNT.c.id).where(
                _ACCOUNT.c.workspace_id == workspace_id,
                _ACCOUNT.c.id.in_(wanted),
                _ACCOUNT.c.removed_at.is_(None),
            )
        )
        .scalars()
    )
    if own != wanted:
        raise AccountRefused
    session.connection().execute(delete(_LINK).where(_LINK.c.campaign_id == campaign_id))
    session.add_all(CampaignAccount(campaign_id=campaign_id, account_id=account_id) for account_id in sorted(wanted))
    session.flush()


def _own_groups(session: Session, workspace_id: int, group_ids: Sequence[int]) -> list[int]:
    wanted = set(group_ids)
    own = set(
        session.connection()
        .execute(select(_GROUP.c.id).where(_GROUP.c.workspace_id == workspace_id, _GROUP.c.id.in_(wanted)))
        .scalars()
    )
    if own != wanted:
        raise SettingsRefused("groupIds", "One of these groups does not exist in this workspace.")
    return sorted(wanted)


def _set_groups(session: Session, workspace_id: int, campaign_id: int, group_ids: Sequence[int]) -> None:
    wanted = _own_groups(session, workspace_id, group_ids)
    session.connection().execute(delete(_GROUP_LINK).where(_GROUP_LINK.c.campaign_id == campaign_id))
    session.add_all(CampaignGroup(campaign_id=campaign_id, group_id=group_id) for group_id in wanted)
    session.flush()
