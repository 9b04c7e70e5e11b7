"""The values of a workflow: its nodes and edges, how they are told in the API, and how one walks from node to node."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

DAYS_MIN, DAYS_MAX = 1, 30
HOURS_MIN, HOURS_MAX = 1, 24


@dataclass(frozen=True, slots=True)
class StartNode:
    """Where every contact begins; exactly one in a workflow."""

    kind: ClassVar[str] = "start"
    id: str

    def data(self) -> dict[str, Any]:
        """Return the node's `data` in the API shape (campaigns.md, Workflow)."""
        return {}


@dataclass(frozen=True, slots=True)
class EndNode:
    """Where a walk is completed."""

    kind: ClassVar[str] = "end"
    id: str

    def data(self) -> dict[str, Any]:
        """Return the node's `data` in the API shape (campaigns.md, Workflow)."""
        return {}


@dataclass(frozen=True, slots=True)
class AutoWinner:
    """A test on a part of the audience: `sample` per cent, then `hours` of waiting for the winner."""

    sample: int = 20
    hours: int = 48


@dataclass(frozen=True, slots=True)
class Variant:
    """Version B of an email node: `share` is the per cent of contacts that get A, `criterion` open, click or reply."""

    subject: str = ""
    body: str = ""
    sender_name: str = ""
    share: int = 50
    criterion: str = "open"
    auto: AutoWinner | None = None

    def data(self) -> dict[str, Any]:
        """Return `ab` in the API shape (campaigns.md, Workflow)."""
        shape: dict[str, Any] = {
            "subject": self.subject,
            "body": self.body,
            "senderName": self.sender_name,
            "share": self.share,
            "criterion": self.criterion,
        }
        if self.auto is not None:
            shape["auto"] = {"sample": self.auto.sample, "hours": self.auto.hours}
        return shape


@dataclass(frozen=True, slots=True)
class EmailNode:
    """A mail. An empty subject means a reply in the same thread; the body is rich text as HTML, or plain text."""

    kind: ClassVar[str] = "email"
    id: str
    name: str = ""
    subject: str = ""
    body: str = ""
    track_opens: bool = True
    track_clicks: bool = True
    ab: Variant | None = None

    def data(self) -> dict[str, Any]:
        """Return the node's `data` in the API shape (campaigns.md, Workflow)."""
        shape: dict[str, Any] = {
            "name": self.name,
            "subject": self.subject,
            "body": self.body,
            "trackOpens": self.track_opens,
            "trackClicks": self.track_clicks,
        }
        if self.ab is not None:
            shape["ab"] = self.ab.data()
        return shape


@dataclass(frozen=True, slots=True)
class DelayNode:
    """A wait of `days` or of `hours`, never both; `business_days` counts Monday to Friday only."""

    kind: ClassVar[str] = "delay"
    id: str
    days: int | None = None
    hours: int | None = None
    business_days: bool = False

    def data(self) -> dict[str, Any]:
        """Return the node's `data` in the API shape (campaigns.md, Workflow)."""
        shape: dict[str, Any] = {}
        if self.days is not None:
            shape["days"] = self.days
        if self.hours is not None:
            shape["hours"] = self.hours
        shape["businessDays"] = self.business_days
        return shape


@dataclass(frozen=True, slots=True)
class ConditionNode:
    """A fork into `yes` and `no`: mail opened, link clicked (`url` absent: any), or a contact's field compared."""

    kind: ClassVar[str] = "condition"
    id: str
    criterion: str = ""
    url: str | None = None
    field: str | None = None
    operator: str | None = None
    value: str | None = None

    def data(self) -> dict[str, Any]:
        """Return the node's `data` in the API shape (campaigns.md, Workflow)."""
        optional = {"url": self.url, "field": self.field, "operator": self.operator, "value": self.value}
        return {"criterion": self.criterion} | {key: value for key, value in optional.items() if value is not None}


Node = StartNode | EmailNode | DelayNode | ConditionNode | EndNode
Step = EmailNode | DelayNode


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow between two nodes by their ids; `branch` is `yes` or `no` behind a condition, else absent."""

    source: str
    target: str
    branch: str | None = None

    def to_api(self) -> dict[str, str]:
        """Return the edge in the API shape (campaigns.md, Workflow)."""
        shape = {"from": self.source, "to": self.target}
        return shape if self.branch is None else shape | {"branch": self.branch}


@dataclass(frozen=True)
class Workflow:
    """A graph of nodes. It may be unfinished (a draft): `validate` says whether a campaign could start with it."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @cached_property
    def by_id(self) -> dict[str, Node]:
        """The nodes by their ids."""
        return {node.id: node for node in self.nodes}

    @cached_property
    def outgoing(self) -> dict[str, list[Edge]]:
        """The edges that leave each node, by its id; every node has an entry."""
        leaving: dict[str, list[Edge]] = {node.id: [] for node in self.nodes}
        for edge in self.edges:
            leaving[edge.source].append(edge)
        return leaving

    @cached_property
    def incoming(self) -> dict[str, list[Edge]]:
        """The edges that reach each node, by its id; every node has an entry."""
        arriving: dict[str, list[Edge]] = {node.id: [] for node in self.nodes}
        for edge in self.edges:
            arriving[edge.target].append(edge)
        return arriving

    @cached_property
    def mail_numbers(self) -> dict[str, int]:
        """Each reachable mail's number, from 1: the mails on the way to it with the fewest mails, itself included."""
        start = start_of(self)
        fewest = {start.id: 0} if start else {}
        todo = deque(fewest)
        while todo:
            node_id = todo.popleft()
            for edge in self.outgoing[node_id]:
                count = fewest[node_id] + isinstance(self.by_id[edge.target], EmailNode)
                if count < fewest.get(edge.target, count + 1):
                    fewest[edge.target] = count
                    todo.append(edge.target)
        return {node.id: fewest[node.id] for node in self.emails() if node.id in fewest}

    def of_kind(self, kind: str) -> Iterator[Node]:
        """Yield the nodes of one kind, in the order in which they were given."""
        return (node for node in self.nodes if node.kind == kind)

    def emails(self) -> Iterator[EmailNode]:
        """Yield the email nodes, in the order in which they were given."""
        return (node for node in self.nodes if isinstance(node, EmailNode))

    def to_api(self) -> dict[str, Any]:
        """Return the workflow in the API shape; `parse_workflow` of it gives an equal workflow."""
        return {
            "nodes": [{"id": node.id, "type": node.kind, "data": node.data()} for node in self.nodes],
            "edges": [edge.to_api() for edge in self.edges],
        }


def start_of(workflow: Workflow) -> StartNode | None:
    """Return the start node, the first one when a draft has several."""
    return next((node for node in workflow.nodes if isinstance(node, StartNode)), None)


def next_node(workflow: Workflow, node_id: str, branch: str | None = None) -> Node | None:
    """Return the node behind `node_id` (behind its `branch`, for a condition); None where no edge leads on.

    Raises KeyError for a node that the workflow does not have.
    """
    for edge in workflow.outgoing[node_id]:
        if edge.branch == branch:
            return workflow.by_id[edge.target]
    return None


def first_email(workflow: Workflow) -> EmailNode | None:
    """Return the mail that a contact gets first; None without one that can be reached."""
    numbers = workflow.mail_numbers
    return next((node for node in workflow.emails() if numbers.get(node.id) == 1), None)


def mail_number(workflow: Workflow, node_id: str) -> int:
    """Return which mail `node_id` is for a contact, from 1, by the way with the fewest mails.

    Raises KeyError for a node that is no mail or cannot be reached.
    """
    return workflow.mail_numbers[node_id]
