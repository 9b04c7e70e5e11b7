"""Changes to the sequence of a campaign as its list editor makes them, each in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlmodel import Session

from fluenzr_app.campaigns import drafts, service
from fluenzr_app.campaigns.errors import NotLinear
from fluenzr_app.campaigns.lifecycle import custom_field_names
from fluenzr_app.campaigns.shape import BODY_MAX, NAME_MAX, SUBJECT_MAX
from fluenzr_app.campaigns.standing import contacts_at_steps
from fluenzr_app.campaigns.tracked import Off, off_in_workflow
from fluenzr_app.campaigns.variables import clean_html, is_html, known_variables
from fluenzr_app.campaigns.views import CampaignView
from fluenzr_app.campaigns.workflow import (
    DelayNode,
    EmailNode,
    Fault,
    Step,
    Workflow,
    insert_step,
    linear_steps,
    move_step,
    new_node_id,
    remove_step,
    replace_step,
    validate,
)
from fluenzr_app.contacts.custom_fields import list_custom_fields
from fluenzr_app.workspaces.service import Identity, get_workspace

FIRST_PAUSE = 3
Unit = Literal["days", "business", "hours"]
Tracked = Literal["opens", "clicks"]


@dataclass(frozen=True)
class SequenceRead:
    """A campaign's sequence for its editor: steps (None when it branches), faults, drafts, who stands where.

    `off` says of each mail why it is not tracked.
    """

    campaign: CampaignView
    steps: Sequence[Step] | None
    faults: Sequence[Fault]
    standing: dict[str, int]
    kept: dict[str, Any]
    custom: tuple[tuple[str, str], ...]
    off: dict[str, Off]


@dataclass(frozen=True)
class Kept:
    """The answer to a saved mail: “saved”, “kept” as a draft because of `why`, or “failed”."""

    state: Literal["saved", "kept", "failed"]
    token: str = ""
    why: str = ""


def token_of(node: EmailNode) -> str:
    """Return what tells one version of a mail's words from another."""
    text = "\x00".join((node.name, node.subject, node.body))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def read_sequence(session: Session, identity: Identity, campaign_id: int) -> SequenceRead:
    """Return everything the sequence's page shows; raises CampaignNotFound."""
    workspace_id = identity.workspace_id
    campaign = service.get_campaign(session, workspace_id, campaign_id)
    fields = list_custom_fields(session, workspace_id)
    known = known_variables(custom_field_names(session, workspace_id))
    off = off_in_workflow(get_workspace(session, workspace_id), campaign.settings, campaign.workflow)
    first = next((key for key, number in campaign.workflow.mail_numbers.items() if number == 1), "")
    try:
        steps: Sequence[Step] | None = linear_steps(campaign.workflow)
    except NotLinear:
        steps = None
    return SequenceRead(
        campaign,
        steps,
        validate(campaign.workflow, known_variables=known, linear_only=True, off=off),
        contacts_at_steps(session, workspace_id, campaign_id, first),
        drafts.read_draft(session, workspace_id, identity.user_id, drafts.place_of(campaign_id)),
        tuple((each.name, each.label) for each in fields),
        off,
    )


def keep_mail(
    session: Session, identity: Identity, campaign_id: int, node_id: str, given: dict[str, str], own: str, now: datetime
) -> Kept:
    """Save what was typed into a mail, or keep it as a draft where it cannot be saved.

    `given` holds name, subject, body and the token of the version it grew from; `own` is the version that this
    editor saved last, which is no change by somebody else. Raises CampaignNotFound.
    """
    campaign = service.get_campaign(session, identity.workspace_id, campaign_id)
    body = clean_html(given["body"]) if is_html(given["body"]) else given["body"].replace("\x00", "")
    if len(body) > BODY_MAX or len(given["subject"]) > SUBJECT_MAX:
        return Kept("failed", why="too_long")
    node = campaign.workflow.by_id.get(node_id)
    place = drafts.place_of(campaign_id)
    written = {"name": given["name"][:NAME_MAX], "subject": _one_line(given["subject"]), "body": body}
    why = ""
    if not isinstance(node, EmailNode):
        why = "removed"
    else:
        wanted = replace(node, **written)
        present = token_of(node)
        if token_of(wanted) == present:
            return Kept("saved", present)
        if campaign.status not in ("draft", "paused"):
            why = "active"
        elif present not in (given["base"], own):
            why = "changed"
        else:
            _save(session, campaign, replace_step_anywhere(campaign.workflow, wanted), now)
            drafts.keep_draft(session, identity.workspace_id, identity.user_id, place, {node_id: None}, now)
            return Kept("saved", token_of(wanted))
    drafts.keep_draft(session, identity.workspace_id, identity.user_id, place, {node_id: {**written, "why": why}}, now)
    return Kept("kept", why=why)


def settle_draft(
    session: Session, identity: Identity, campaign_id: int, node_id: str, take: bool, now: datetime
) -> str:
    """Put a kept draft in the place of the mail it belongs to, or drop it; return the mail to look at.

    A draft of a mail that was removed comes back as a new mail at the end. Raises CampaignNotFound, WrongState.
    """
    campaign = service.get_campaign(session, identity.workspace_id, campaign_id)
    place = drafts.place_of(campaign_id)
    kept = drafts.read_draft(session, identity.workspace_id, identity.user_id, place).get(node_id)
    target = node_id
    if kept is not None and take:
        written = {name: str(kept.get(name, "")) for name in ("name", "subject", "body")}
        node = campaign.workflow.by_id.get(node_id)
        if isinstance(node, EmailNode):
            _save(session, campaign, replace_step_anywhere(campaign.workflow, replace(node, **written)), now)
        else:
            target, number = new_node_id(campaign.next_node_no, campaign.workflow.by_id)
            steps = linear_steps(campaign.workflow)
            _save(
                session, campaign, insert_step(campaign.workflow, len(steps), EmailNode(target, **written)), now, number
            )
    drafts.keep_draft(session, identity.workspace_id, identity.user_id, place, {node_id: None}, now)
    return target


def add(session: Session, workspace_id: int, campaign_id: int, kind: str, index: int, name: str, now: datetime) -> str:
    """Add a mail or a delay before the step at `index` and return its id; a pause comes between two mails.

    Raises CampaignNotFound, WrongState, NotLinear.
    """
    campaign = service.get_campaign(session, workspace_id, campaign_id)
    workflow, number = campaign.workflow, campaign.next_node_no
    steps = linear_steps(workflow)
    index = max(0, min(index, len(steps)))
    if kind == "email" and index and isinstance(steps[index - 1], EmailNode):
        pause_id, number = new_node_id(number, workflow.by_id)
        workflow = insert_step(workflow, index, DelayNode(pause_id, days=FIRST_PAUSE, business_days=True))
        index += 1
    node_id, number = new_node_id(number, workflow.by_id)
    step: Step = DelayNode(node_id, days=FIRST_PAUSE, business_days=True)
    if kind == "email":
        step = EmailNode(node_id, name=name[:NAME_MAX])
    _save(session, campaign, insert_step(workflow, index, step), now, number)
    return node_id


def copy(session: Session, workspace_id: int, campaign_id: int, node_id: str, now: datetime) -> str:
    """Add a copy of a step right behind it and return its id.

    Raises CampaignNotFound, WrongState, NotLinear, KeyError.
    """
    campaign = service.get_campaign(session, workspace_id, campaign_id)
    steps = linear_steps(campaign.workflow)
    index = next((i for i, step in enumerate(steps) if step.id == node_id), -1)
    if index < 0:
        raise KeyError(node_id)
    new_id, number = new_node_id(campaign.next_node_no, campaign.workflow.by_id)
    _save(session, campaign, insert_step(campaign.workflow, index + 1, replace(steps[index], id=new_id)), now, number)
    return new_id


def move(session: Session, workspace_id: int, campaign_id: int, node_id: str, by: int, now: datetime) -> None:
    """Move a step up (-1) or down (1); raises CampaignNotFound, WrongState, NotLinear, KeyError."""

    def moved(workflow: Workflow) -> Workflow:
        steps = linear_steps(workflow)
        index = next((i for i, step in enumerate(steps) if step.id == node_id), -1)
        if index < 0:
            raise KeyError(node_id)
        return move_step(workflow, node_id, max(0, min(index + by, len(steps) - 1)))

    _change(session, workspace_id, campaign_id, moved, now)


def take_out(session: Session, workspace_id: int, campaign_id: int, node_id: str, now: datetime) -> None:
    """Take a step out of the sequence; raises CampaignNotFound, WrongState, NotLinear, KeyError."""
    _change(session, workspace_id, campaign_id, lambda workflow: remove_step(workflow, node_id), now)


def set_delay(
    session: Session, workspace_id: int, campaign_id: int, node_id: str, amount: int, unit: Unit, now: datetime
) -> None:
    """Give a delay another duration; raises CampaignNotFound, WrongState, KeyError."""

    def changed(workflow: Workflow) -> Workflow:
        if not isinstance(workflow.by_id.get(node_id), DelayNode):
            raise KeyError(node_id)
        hours = unit == "hours"
        step = DelayNode(
            node_id, days=None if hours else amount, hours=amount if hours else None, business_days=unit == "business"
        )
        return replace_step(workflow, step)

    _change(session, workspace_id, campaign_id, changed, now)


def set_tracking(
    session: Session, workspace_id: int, campaign_id: int, node_id: str, what: Tracked, on: bool, now: datetime
) -> None:
    """Ask after a mail's opens or clicks, or no more; raises CampaignNotFound, WrongState, KeyError."""

    def changed(workflow: Workflow) -> Workflow:
        node = workflow.by_id.get(node_id)
        if not isinstance(node, EmailNode):
            raise KeyError(node_id)
        step = replace(node, track_opens=on) if what == "opens" else replace(node, track_clicks=on)
        return replace_step_anywhere(workflow, step)

    _change(session, workspace_id, campaign_id, changed, now)


def replace_step_anywhere(workflow: Workflow, step: EmailNode) -> Workflow:
    """Return the workflow with a mail changed; works in one that branches as well."""
    return Workflow(tuple(step if node.id == step.id else node for node in workflow.nodes), workflow.edges)


def _one_line(subject: str) -> str:
    return " ".join(subject.replace("\x00", "").splitlines())


def _change(
    session: Session, workspace_id: int, campaign_id: int, act: Callable[[Workflow], Workflow], now: datetime
) -> None:
    campaign = service.get_campaign(session, workspace_id, campaign_id)
    _save(session, campaign, act(campaign.workflow), now)


def _save(
    session: Session, campaign: CampaignView, workflow: Workflow, now: datetime, number: int | None = None
) -> None:
    service.update_campaign(
        session,
        campaign.workspace_id,
        campaign.id,
        now,
        workflow=workflow,
        next_node_no=number,
        expected_revision=campaign.revision,
    )
