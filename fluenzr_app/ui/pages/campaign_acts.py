"""What pages ask of several rooms at once about a campaign, each in one transaction."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Literal

from sqlmodel import Session

from fluenzr_app.campaigns import lifecycle, service
from fluenzr_app.campaigns.lifecycle import StartCheck
from fluenzr_app.campaigns.sequences import sequence, sequence_workflow, unfilled_places
from fluenzr_app.campaigns.standing import Standing, standings_of
from fluenzr_app.campaigns.views import CampaignLine, CampaignView
from fluenzr_app.db.ids import BadPublicId, parse_public_id
from fluenzr_app.workspaces import audit
from fluenzr_app.workspaces import service as workspaces
from fluenzr_app.workspaces.service import Identity

Act = Literal["pause", "resume", "archive", "duplicate", "delete"]
PER_PAGE = 25
_PATH = re.compile(r"^/campaigns/(cmp_\w+)")


@dataclass(frozen=True)
class Listed:
    """A campaign of a list with where it stands; `points` is how many faults keep a draft from starting."""

    line: CampaignLine
    standing: Standing | None
    points: int


@dataclass(frozen=True)
class ListAnswer:
    """A page of campaigns, how many match, how many there are in each state, and how many active ones stand still."""

    rows: tuple[Listed, ...]
    total: int
    by_status: dict[str, int]
    stopped: int


@dataclass(frozen=True)
class Readiness:
    """What a start finds, with the template's places that nobody filled in."""

    campaign: CampaignView
    check: StartCheck
    unfilled: tuple[tuple[str, str], ...]


def rng() -> random.Random:
    """Return the chance of one event; its seeds are kept with what they decide."""
    return random.SystemRandom()


def campaign_id_of(text: str) -> int:
    """Return the key behind a campaign's public id, 0 (which nothing has) for anything else."""
    try:
        return parse_public_id("cmp", text)
    except BadPublicId:
        return 0


def key_of_path(path: str) -> int:
    """Return the key of the campaign whose page an address is, 0 for any other address."""
    found = _PATH.match(path)
    return campaign_id_of(found[1]) if found else 0


def address(campaign: str, tab: str = "sequence") -> str:
    """Return the address of one page of a campaign, by its public id."""
    return f"/campaigns/{campaign}" if tab == "sequence" else f"/campaigns/{campaign}/{tab}"


def list_with_standing(
    session: Session,
    workspace_id: int,
    now: datetime,
    *,
    status: str | None,
    search: str,
    page: int,
    sort: str,
    descending: bool,
) -> ListAnswer:
    """Return a page of campaigns with what each one waits for."""
    found = service.list_campaigns(
        session,
        workspace_id,
        status=status,
        search=search,
        page=page,
        per_page=PER_PAGE,
        sort=sort,
        descending=descending,
    )
    active = service.active_campaigns(session, workspace_id)
    paused = [line.id for line in found.lines if line.status == "paused"]
    standings = standings_of(session, [*active, *paused], now)
    rows = []
    for line in found.lines:
        points = len(lifecycle.start_check(session, workspace_id, line.id, now).faults) if line.status == "draft" else 0
        rows.append(Listed(line, standings.get(line.id), points))
    stopped = sum(standings[key].stands for key in active)
    return ListAnswer(tuple(rows), found.total, service.counts_by_campaign_status(session, workspace_id), stopped)


def create(
    session: Session, identity: Identity, name: str, template: str, template_language: str, now: datetime
) -> CampaignView:
    """Make a draft, empty or from a sequence; raises SettingsRefused, KeyError for an unknown sequence."""
    workflow = None
    if template:
        numbers = count(1)
        workflow = sequence_workflow(sequence(template, template_language), lambda: f"n{next(numbers)}")
    zone = workspaces.get_workspace(session, identity.workspace_id).timezone
    made = service.create_campaign(session, identity.workspace_id, name, now, workflow=workflow, timezone=zone)
    _audit(session, identity, "created", made.id, now)
    return made


def do(session: Session, identity: Identity, act: Act, campaign_id: int, now: datetime, copy_name: str = "") -> int:
    """Do one act on a campaign and return the id of the campaign to look at next.

    Raises CampaignNotFound, WrongState, CannotStart.
    """
    workspace_id = identity.workspace_id
    result = campaign_id
    if act == "pause":
        lifecycle.pause(session, workspace_id, campaign_id, now)
    elif act == "resume":
        lifecycle.resume(session, workspace_id, campaign_id, now)
    elif act == "archive":
        lifecycle.archive(session, workspace_id, campaign_id, now)
    elif act == "delete":
        service.delete_draft(session, workspace_id, campaign_id)
    else:
        result = service.duplicate_campaign(session, workspace_id, campaign_id, copy_name[: service.NAME_MAX], now).id
    _audit(session, identity, _DONE[act], campaign_id, now)
    return result


class Rehearsed(Exception):
    """Carries what a start would find out of a transaction that is to leave nothing behind."""

    def __init__(self, found: Readiness) -> None:
        super().__init__("rehearsed")
        self.found = found


def rehearse(session: Session, workspace_id: int, campaign_id: int, now: datetime) -> None:
    """Raise Rehearsed with what a start would find once the linked groups are enrolled; that enrolling is undone.

    Raises CampaignNotFound.
    """
    campaign = service.get_campaign(session, workspace_id, campaign_id)
    if campaign.status == "draft":
        lifecycle.prepare_audience(session, workspace_id, campaign_id, now, rng())
    raise Rehearsed(look_ahead(session, workspace_id, campaign_id, now))


def look_ahead(session: Session, workspace_id: int, campaign_id: int, now: datetime) -> Readiness:
    """Return what a start would find, and change nothing; raises CampaignNotFound."""
    campaign = service.get_campaign(session, workspace_id, campaign_id)
    check = lifecycle.start_check(session, workspace_id, campaign_id, now)
    places = tuple((risk.node_id or "", str(risk.params["place"])) for risk in unfilled_places(campaign.workflow))
    return Readiness(campaign, check, places)


def begin(session: Session, identity: Identity, campaign_id: int, now: datetime) -> None:
    """Enroll the linked groups and start a draft; raises CampaignNotFound, WrongState, CannotStart."""
    lifecycle.prepare_audience(session, identity.workspace_id, campaign_id, now, rng())
    lifecycle.start(session, identity.workspace_id, campaign_id, now)
    _audit(session, identity, "started", campaign_id, now)


_DONE: dict[str, str] = {
    "pause": "paused",
    "resume": "resumed",
    "archive": "archived",
    "delete": "deleted",
    "duplicate": "duplicated",
}


def _audit(session: Session, identity: Identity, done: str, campaign_id: int, now: datetime) -> None:
    audit.record(session, identity, identity.workspace_id, f"campaign.{done}", f"campaign:{campaign_id}", {}, now)
