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
