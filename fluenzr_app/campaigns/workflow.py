"""Workflows, as the other rooms use them: their values, reading and writing, validation, and the list of steps.

The parts live in `nodes`, `shape`, `validation` and `steps`.
"""

from fluenzr_app.campaigns.errors import Fault, NotLinear, WorkflowFaults
from fluenzr_app.campaigns.nodes import (
    AutoWinner,
    ConditionNode,
    DelayNode,
    Edge,
    EmailNode,
    EndNode,
    Node,
    StartNode,
    Step,
    Variant,
    Workflow,
    first_email,
    mail_number,
    next_node,
    start_of,
)
from fluenzr_app.campaigns.shape import parse_node, parse_workflow
from fluenzr_app.campaigns.steps import (
    insert_step,
    linear_steps,
    linear_workflow,
    move_step,
    new_node_id,
    remove_step,
    replace_step,
)
from fluenzr_app.campaigns.validation import validate

__all__ = [
    "AutoWinner",
    "ConditionNode",
    "DelayNode",
    "Edge",
    "EmailNode",
    "EndNode",
    "Fault",
    "Node",
    "NotLinear",
    "StartNode",
    "Step",
    "Variant",
    "Workflow",
    "WorkflowFaults",
    "first_email",
    "insert_step",
    "linear_steps",
    "linear_workflow",
    "mail_number",
    "move_step",
    "new_node_id",
    "next_node",
    "parse_node",
    "parse_workflow",
    "remove_step",
    "replace_step",
    "start_of",
    "validate",
]
