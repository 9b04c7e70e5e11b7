"""A linear workflow as a list of mails and delays: what the list editor shows and changes.

Every change keeps the ids of the steps that stay: enrollments stand on them.
"""

from collections.abc import Collection, Sequence
from itertools import pairwise

from fluenzr_app.campaigns.errors import NotLinear
from fluenzr_app.campaigns.nodes import (
    DelayNode,
    Edge,
    EmailNode,
    EndNode,
    Node,
    StartNode,
    Step,
    Workflow,
    start_of,
)


def linear_steps(workflow: Workflow) -> tuple[Step, ...]:
    """Return the mails and delays between start and end, in order; raises NotLinear for anything but one line."""
    return tuple(node for node in _line(workflow) if isinstance(node, EmailNode | DelayNode))


def linear_workflow(steps: Sequence[Step], *, start_id: str = "start", end_id: str = "end") -> Workflow:
    """Return start → steps → end; raises ValueError when an id is used twice."""
    nodes: tuple[Node, ...] = (StartNode(start_id), *steps, EndNode(end_id))
    if len({node.id for node in nodes}) < len(nodes):
        raise ValueError("a node id was used twice")
    return Workflow(nodes, tuple(Edge(a.id, b.id) for a, b in pairwise(nodes)))


def insert_step(workflow: Workflow, index: int, step: Step) -> Workflow:
    """Return the workflow with `step` before the step at `index`; at or past the number of steps it goes last.

    Raises NotLinear, and ValueError when the step's id is used in the workflow already.
    """
    steps = list(linear_steps(workflow))
    steps.insert(max(index, 0), step)
    return _with_steps(workflow, steps)


def move_step(workflow: Workflow, node_id: str, index: int) -> Workflow:
    """Return the workflow with a step moved so that it stands at `index`; raises NotLinear, KeyError."""
    steps = list(linear_steps(workflow))
    moved = steps.pop(_position(steps, node_id))
    steps.insert(max(index, 0), moved)
    return _with_steps(workflow, steps)


def remove_step(workflow: Workflow, node_id: str) -> Workflow:
    """Return the workflow without a step; raises NotLinear, KeyError."""
    steps = list(linear_steps(workflow))
    del steps[_position(steps, node_id)]
    return _with_steps(workflow, steps)


def replace_step(workflow: Workflow, step: Step) -> Workflow:
    """Return the workflow with the step of the same id changed into `step`; raises NotLinear, KeyError."""
    steps = list(linear_steps(workflow))
    steps[_position(steps, step.id)] = step
    return _with_steps(workflow, steps)


def new_node_id(number: int, taken: Collection[str] = ()) -> tuple[str, int]:
    """Return the first free id from `n{number}` on, and the number to go on with.

    The caller keeps that number with the campaign for ever: ids are never used twice, not even those of removed nodes.
    """
    while f"n{number}" in taken:
        number += 1
    return f"n{number}", number + 1


def _position(steps: Sequence[Step], node_id: str) -> int:
    for index, step in enumerate(steps):
        if step.id == node_id:
            return index
    raise KeyError(node_id)


def _with_steps(workflow: Workflow, steps: Sequence[Step]) -> Workflow:
    line = _line(workflow)
    return linear_workflow(steps, start_id=line[0].id, end_id=line[-1].id)


def _line(workflow: Workflow) -> list[Node]:
    """Walk from the start to the end; raises NotLinear unless that passes every node and edge once."""
    node: Node | None = start_of(workflow)
    line: list[Node] = []
    while node is not None and len(line) <= len(workflow.nodes):
        line.append(node)
        leaving = workflow.outgoing[node.id]
        if len(leaving) > 1 or (leaving and leaving[0].branch is not None):
            raise NotLinear(node.id)
        node = workflow.by_id[leaving[0].target] if leaving else None
    straight = len(line) == len(workflow.nodes) == len(workflow.edges) + 1
    if not line or not straight or not isinstance(line[-1], EndNode):
        raise NotLinear(line[-1].id if line else None)
    for inner in line[1:-1]:
        if not isinstance(inner, EmailNode | DelayNode):
            raise NotLinear(inner.id)
    return line
