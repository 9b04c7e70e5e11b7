"""A workflow in the tables: node keys are never used twice, removed nodes stay for the history that points at them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlmodel import Session

from fluenzr_app.campaigns.enrollments import end_walks
from fluenzr_app.campaigns.errors import Fault, WorkflowFaults
from fluenzr_app.campaigns.models import Edge, Enrollment, Node
from fluenzr_app.campaigns.nodes import EmailNode
from fluenzr_app.campaigns.workflow import Edge as WorkflowEdge
from fluenzr_app.campaigns.workflow import Workflow, parse_node
from fluenzr_app.db.tables import table_of
from fluenzr_app.sending.models import Message

_NODE = table_of(Node)
_EDGE = table_of(Edge)
_ENROLLMENT = table_of(Enrollment)
_MESSAGE = table_of(Message)


def read_workflow(session: Session, campaign_id: int) -> Workflow:
    """Return the present workflow of a campaign."""
    return read_workflows(session, [campaign_id])[campaign_id]


def read_workflows(session: Session, campaign_ids: Sequence[int]) -> dict[int, Workflow]:
    """Return the present workflows of several campaigns by id, in two statements however many they are."""
    connection = session.connection()
    present = (_NODE.c.campaign_id.in_(list(campaign_ids)), _NODE.c.removed_at.is_(None))
    nodes: dict[int, list[Any]] = {campaign_id: [] for campaign_id in campaign_ids}
    for row in connection.execute(select(_NODE).where(*present).order_by(_NODE.c.position, _NODE.c.id)):
        nodes[row.campaign_id].append(row)
    edges: dict[int, list[Any]] = {campaign_id: [] for campaign_id in campaign_ids}
    leaving = select(_NODE.c.campaign_id, _EDGE).join_from(_NODE, _EDGE, _EDGE.c.from_node_id == _NODE.c.id)
    for row in connection.execute(leaving.where(*present).order_by(_EDGE.c.from_node_id)):
        edges[row.campaign_id].append(row)
    return {campaign_id: _workflow(nodes[campaign_id], edges[campaign_id]) for campaign_id in campaign_ids}


def _workflow(nodes: Sequence[Any], edges: Sequence[Any]) -> Workflow:
    keys = {row.id: row.key for row in nodes}
    return Workflow(
        tuple(parse_node(row.key, row.kind, row.data) for row in nodes),
        tuple(
            WorkflowEdge(keys[edge.from_node_id], keys[edge.to_node_id], edge.branch or None)
            for edge in edges
            if edge.to_node_id in keys
        ),
    )


def node_ids(session: Session, campaign_id: int) -> Mapping[str, int]:
    """Return the primary key of each present node by its id in the workflow."""
    rows = session.connection().execute(
        select(_NODE.c.key, _NODE.c.id).where(_NODE.c.campaign_id == campaign_id, _NODE.c.removed_at.is_(None))
    )
    return {row.key: row.id for row in rows}


def write_workflow(session: Session, campaign_id: int, workflow: Workflow, now: datetime) -> None:
    """Make the tables hold `workflow`; raises WorkflowFaults for an id that a removed node had, or that changed kind.

    Walks that stood on a removed mail go on with the next mail that is left; their queued messages are withdrawn.
    """
    connection = session.connection()
    stored = {row.key: row for row in connection.execute(select(_NODE).where(_NODE.c.campaign_id == campaign_id)).all()}
    _refuse_reused(workflow, stored)
    before = _mail_order(session, campaign_id)
    for position, node in enumerate(workflow.nodes):
        row = stored.get(node.id)
        if row is None:
            session.add(Node(campaign_id=campaign_id, key=node.id, kind=node.kind, data=node.data(), position=position))
        elif row.data != node.data() or row.position != position:
            connection.execute(update(_NODE).where(_NODE.c.id == row.id).values(data=node.data(), position=position))
    session.flush()
    kept = {node.id for node in workflow.nodes}
    gone = [row.id for key, row in stored.items() if key not in kept and row.removed_at is None]
    if gone:
        connection.execute(update(_NODE).where(_NODE.c.id.in_(gone)).values(removed_at=now))
    ids = node_ids(session, campaign_id)
    # Removed nodes keep their edges: a mail that was under way while its step went still has to find the next one.
    connection.execute(delete(_EDGE).where(_EDGE.c.from_node_id.in_(list(ids.values()))))
    session.add_all(
        Edge(from_node_id=ids[edge.source], branch=edge.branch or "", to_node_id=ids[edge.target])
        for edge in workflow.edges
    )
    session.flush()
    _move_walks(session, before, set(gone), now)


def _refuse_reused(workflow: Workflow, stored: Mapping[str, object]) -> None:
    faults = []
    for node in workflow.nodes:
        row = stored.get(node.id)
        if row is not None and (row.removed_at is not None or row.kind != node.kind):  # type: ignore[attr-defined]
            words = f"The id “{node.id}” belonged to another node of this campaign; use a new one."
            faults.append(Fault("node_id_used", node.id, {}, words))
    if faults:
        raise WorkflowFaults(faults)


def _mail_order(session: Session, campaign_id: int) -> list[int]:
    """Return the mails' primary keys in the order in which contacts get them, before the change."""
    ids = node_ids(session, campaign_id)
    if not ids:
        return []
    workflow = read_workflow(session, campaign_id)
    numbers = workflow.mail_numbers
    mails = [node for node in workflow.nodes if isinstance(node, EmailNode)]
    return [ids[node.id] for node in sorted(mails, key=lambda each: numbers.get(each.id, len(mails)))]


def _move_walks(session: Session, order: list[int], gone: set[int], now: datetime) -> None:
    connection = session.connection()
    for index, node_id in enumerate(order):
        if node_id not in gone:
            continue
        successor = next((later for later in order[index + 1 :] if later not in gone), None)
        _withdraw(session, node_id, now)
        # Who got nothing yet begins at the beginning of what is there now.
        connection.execute(
            update(_ENROLLMENT)
            .where(_ENROLLMENT.c.node_id == node_id, _ENROLLMENT.c.account_id.is_(None))
            .values(node_id=None)
        )
        standing = (_ENROLLMENT.c.node_id == node_id, _ENROLLMENT.c.due_at.is_not(None))
        if successor is not None:
            connection.execute(update(_ENROLLMENT).where(*standing).values(node_id=successor))
            continue
        rows = connection.execute(
            select(_ENROLLMENT.c.id, _ENROLLMENT.c.campaign_id, _ENROLLMENT.c.status)
            .where(*standing)
            .order_by(_ENROLLMENT.c.id)
            .with_for_update()
        ).all()
        end_walks(session, [(row.id, row.campaign_id, row.status, "completed", "") for row in rows], now)


def _withdraw(session: Session, node_id: int, now: datetime) -> None:
    """Take a removed mail's messages out of the queue; what is in hand or uncertain is settled as it ends."""
    connection = session.connection()
    queued = (_MESSAGE.c.node_id == node_id, _MESSAGE.c.kind == "campaign", _MESSAGE.c.status == "queued")
    rows = connection.execute(select(_MESSAGE.c.enrollment_id, _MESSAGE.c.attempts).where(*queued)).all()
    connection.execute(delete(_MESSAGE).where(*queued, _MESSAGE.c.attempts == 0))
    connection.execute(update(_MESSAGE).where(*queued).values(status="cancelled", reason="step_gone"))
    waiting = [row.enrollment_id for row in rows]
    untried = [row.enrollment_id for row in rows if row.attempts == 0]
    connection.execute(update(_ENROLLMENT).where(_ENROLLMENT.c.id.in_(waiting)).values(due_at=now, wait_code=""))
    connection.execute(
        update(_ENROLLMENT)
        .where(_ENROLLMENT.c.id.in_(untried), _ENROLLMENT.c.status == "pending")
        .values(account_id=None)
    )
