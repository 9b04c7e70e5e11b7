"""What can be refused in the campaigns room, in words a user could read.

Each error carries a ``code`` (stable, for catalogues and API answers) and ``details`` (values that a sentence in
another language needs).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a workflow.

    `node_id` is absent for a fault of the whole, `path` says where in the API shape (``nodes[2].data.subject``, empty
    for a fault of meaning rather than of shape), `params` hold what a sentence in another language needs.
    """

    code: str
    node_id: str | None
    params: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    path: str = ""


class CampaignsError(Exception):
    """Something about campaigns was refused."""

    code = "campaigns_error"

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(message)
        self.details: dict[str, Any] = details


class WorkflowFaults(CampaignsError):
    """A workflow is not in the shape of campaigns.md; ``faults`` lists everything that is wrong, by node and path."""

    code = "workflow_invalid"

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__(" ".join(fault.message for fault in self.faults[:5]) or "The workflow is not valid.")


class NotLinear(CampaignsError):
    """The workflow has branches, so that it cannot be shown as a list of steps."""

    code = "workflow_not_linear"

    def __init__(self, node_id: str | None) -> None:
        super().__init__("This workflow has branches or loose ends and cannot be shown as a list.", node_id=node_id)
        self.node_id = node_id


class TemplateFault(CampaignsError):
    """A text with variables cannot be read; ``position`` counts characters from 0, ``excerpt`` shows the place."""

    def __init__(self, code: str, position: int, message: str, *, excerpt: str = "", **details: Any) -> None:
        super().__init__(message, position=position, excerpt=excerpt, **details)
        self.code = code
        self.position = position
        self.excerpt = excerpt


class SettingsRefused(CampaignsError):
    """A setting of a campaign is wrong; ``details["field"]`` names it as the API does."""

    code = "settings_invalid"

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message, field=field)


class CampaignNotFound(CampaignsError):
    """There is no such campaign in this workspace."""

    code = "campaign_not_found"

    def __init__(self) -> None:
        super().__init__("There is no such campaign.")


class WrongState(CampaignsError):
    """The campaign is not in a state in which that can be done; ``details["status"]`` is its state."""

    code = "campaign_state"

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message, status=status)


class CannotStart(CampaignsError):
    """The campaign has faults; ``faults`` lists them all."""

    code = "campaign_faults"

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__(" ".join(fault.message for fault in self.faults[:5]))


class AccountRefused(CampaignsError):
    """An email account that was named does not exist in this workspace."""

    code = "account_not_found"

    def __init__(self) -> None:
        super().__init__("One of these email accounts does not exist in this workspace.")


class Stale(CampaignsError):
    """Somebody else changed the campaign in the meantime; nothing was overwritten."""

    code = "campaign_changed"

    def __init__(self, revision: int) -> None:
        super().__init__("Somebody else changed this campaign in the meantime. Load it again.", revision=revision)
