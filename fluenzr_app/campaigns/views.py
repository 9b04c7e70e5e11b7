"""What other rooms get to see of a campaign."""

from dataclasses import dataclass
from datetime import datetime

from fluenzr_app.campaigns.counts import Counts
from fluenzr_app.campaigns.settings import CampaignSettings
from fluenzr_app.campaigns.workflow import Workflow


@dataclass(frozen=True, slots=True)
class CampaignView:
    """A campaign with its settings, accounts, groups and workflow. `pause_reason` is a code, empty when by the user."""

    id: int
    workspace_id: int
    name: str
    description: str
    status: str
    settings: CampaignSettings
    account_ids: tuple[int, ...]
    group_ids: tuple[int, ...]
    workflow: Workflow
    revision: int
    next_node_no: int
    pause_reason: str
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    paused_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class CampaignLine:
    """A campaign as a list shows it. `enrolled` and `ended` are contacts; `counts` says what became of its mails."""

    id: int
    name: str
    status: str
    pause_reason: str
    mails: int
    accounts: int
    enrolled: int
    ended: int
    counts: Counts
    created_at: datetime
    started_at: datetime | None
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class CampaignPage:
    """A page of a list of campaigns, and how many there are in all."""

    lines: tuple[CampaignLine, ...]
    total: int
