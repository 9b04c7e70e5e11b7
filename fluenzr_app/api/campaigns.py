"""`/v1/campaigns`: make, read, list, change, and move from state to state (api.md)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from sqlmodel import Session

from fluenzr_app.api.caller import Asked, Caller
from fluenzr_app.api.campaign_shapes import (
    CampaignGiven,
    CampaignShape,
    MailStatsShape,
    RatesShape,
    campaign_shape,
    mail_stats_shapes,
    stats_shape,
)
from fluenzr_app.api.envelope import Answer, ApiError, Envelope, ListEnvelope, json_response, page_meta
from fluenzr_app.api.paging import Paged
from fluenzr_app.api.refusals import Translate, by_code, camel, invalid, not_found
from fluenzr_app.campaigns import errors, lifecycle, service
from fluenzr_app.campaigns.figures import campaign_stats, link_stats, mail_stats
from fluenzr_app.campaigns.lifecycle import StartCheck
from fluenzr_app.campaigns.views import CampaignView
from fluenzr_app.campaigns.workflow import parse_workflow
from fluenzr_app.db.ids import parse_public_id
from fluenzr_app.workspaces import audit
from fluenzr_app.workspaces.service import get_workspace

router = APIRouter(prefix="/campaigns", tags=["campaigns"])

Change = Callable[[Session, int, int, datetime], CampaignView]

_SORTS: Mapping[str, str] = {name: name for name in ("createdAt", "updatedAt", "name", "status")}
_WARNINGS: Mapping[str, str] = {
    "no_postal_address": "The workspace has no postal address, which the law of many countries asks for in each mail.",
    "account_not_connected": "An email account of the campaign is not connected; its contacts wait.",
    "replies_not_read": "An email account of the campaign has no IMAP server: replies are not seen, so its sequences "
    "do not stop by themselves.",
    "no_consent_source": "The source of the consent of some contacts is not known.",
    "blank_variable": "A variable without a fallback is empty for some contacts.",
}
_FIELDS_OUTSIDE_SETTINGS = frozenset({"name", "description", "sort", "status", "groupIds"})


@router.get("", response_model=ListEnvelope[CampaignShape])
async def list_(caller: Asked, page: Paged, status: Annotated[str, Query(max_length=20)] = "") -> Response:
    """List campaigns; archived ones only with `status=archived`."""
    sort = page.column(_SORTS)

    def ask(session: Session) -> Answer:
        found = service.list_campaigns(
            session, caller.workspace_id, status=status or None,
            page=page.number, per_page=page.per_page, sort=sort, descending=page.order == "desc",
        )  # fmt: skip
        shapes = [_shape(session, service.get_campaign(session, caller.workspace_id, line.id)) for line in found.lines]
        return Answer(shapes, meta=page_meta(page.number, page.per_page, found.total))

    return json_response((await caller.read(ask)).body())


@router.post("", status_code=201, response_model=Envelope[CampaignShape])
async def create(given: CampaignGiven, caller: Asked) -> Response:
    """Create a draft. Only `name` is needed; the workflow is looked at as a whole when the campaign starts."""
    if given.name is None:
        raise invalid("name", "This field is required.", "missing")
    accounts = given.account_ids() or []

    def act(session: Session) -> Answer:
        campaign = service.create_campaign(
            session, caller.workspace_id, given.name or "", caller.now,
            description=given.description or "",
            account_ids=accounts,
            settings=given.settings,
            workflow=parse_workflow(given.workflow) if given.workflow is not None else None,
            timezone=get_workspace(session, caller.workspace_id).timezone,
        )  # fmt: skip
        return Answer(_shape(session, campaign), 201)

    return await caller.write(act)


@router.get("/{campaign_id}", response_model=Envelope[CampaignShape])
async def get(campaign_id: str, caller: Asked) -> Response:
    """Read a campaign."""
    key = parse_public_id("cmp", campaign_id)

    def ask(session: Session) -> Answer:
        return Answer(_shape(session, service.get_campaign(session, caller.workspace_id, key)))

    return json_response((await caller.read(ask)).body())


@router.put("/{campaign_id}", response_model=Envelope[CampaignShape])
async def change(campaign_id: str, given: CampaignGiven, caller: Asked) -> Response:
    """Change a draft or a paused campaign: only what is given changes, settings one by one, a workflow as a whole."""
    key, accounts = parse_public_id("cmp", campaign_id), given.account_ids()

    def act(session: Session) -> Answer:
        campaign = service.update_campaign(
            session, caller.workspace_id, key, caller.now,
            name=given.name,
            description=given.description,
            account_ids=accounts,
            settings=given.settings,
            workflow=parse_workflow(given.workflow) if given.workflow is not None else None,
        )  # fmt: skip
        return Answer(_shape(session, campaign))

    return await caller.write(act)


@router.post("/{campaign_id}/start", response_model=Envelope[CampaignShape])
async def start(campaign_id: str, caller: Asked) -> Response:
    """Start a draft. Faults answer 400 and name each node; risks come back in `meta.warnings` and hinder nothing."""
    key = parse_public_id("cmp", campaign_id)

    def act(session: Session) -> Answer:
        lifecycle.prepare_audience(session, caller.workspace_id, key, caller.now, caller.runtime.rng)
        found = lifecycle.start_check(session, caller.workspace_id, key, caller.now)
        campaign = lifecycle.start(session, caller.workspace_id, key, caller.now)
        audit.record(session, caller.key, caller.workspace_id, "campaign.started", campaign_id, None, caller.now)
        return Answer(_shape(session, campaign), meta={"warnings": _warnings(found)})

    return await caller.write(act)


@router.post("/{campaign_id}/pause", response_model=Envelope[CampaignShape])
async def pause(campaign_id: str, caller: Asked) -> Response:
    """Pause an active campaign: nothing new leaves."""
    return await _move(caller, campaign_id, lifecycle.pause, "campaign.paused")


@router.post("/{campaign_id}/resume", response_model=Envelope[CampaignShape])
async def resume(campaign_id: str, caller: Asked) -> Response:
    """Let a paused campaign go on where every contact stands."""
    return await _move(caller, campaign_id, lifecycle.resume, "campaign.resumed")


@router.post("/{campaign_id}/archive", response_model=Envelope[CampaignShape])
async def archive(campaign_id: str, caller: Asked) -> Response:
    """Put a campaign away; an active one must be paused first."""
    return await _move(caller, campaign_id, lifecycle.archive, "campaign.archived")


@router.get("/{campaign_id}/stats", response_model=Envelope[RatesShape])
async def stats(campaign_id: str, caller: Asked) -> Response:
    """Read a campaign's figures, with rates in per cent."""
    key = parse_public_id("cmp", campaign_id)
    answer = await caller.read(lambda session: Answer(stats_shape(campaign_stats(session, caller.workspace_id, key))))
    return json_response(answer.body())


@router.get("/{campaign_id}/stats/emails", response_model=Envelope[list[MailStatsShape]])
async def stats_of_mails(campaign_id: str, caller: Asked) -> Response:
    """Read the figures of each mail of the sequence, in its order, and the links clicked in each.

    Clicks by link come from the campaign's latest 50,000.
    """
    key = parse_public_id("cmp", campaign_id)

    def ask(session: Session) -> Answer:
        mails = mail_stats(session, caller.workspace_id, key)
        return Answer(mail_stats_shapes(mails, link_stats(session, caller.workspace_id, key)))

    return json_response((await caller.read(ask)).body())


async def _move(caller: Caller, campaign_id: str, move: Change, action: str) -> Response:
    key = parse_public_id("cmp", campaign_id)

    def act(session: Session) -> Answer:
        campaign = move(session, caller.workspace_id, key, caller.now)
        audit.record(session, caller.key, caller.workspace_id, action, campaign_id, None, caller.now)
        return Answer(_shape(session, campaign))

    return await caller.write(act)


def _shape(session: Session, campaign: CampaignView) -> CampaignShape:
    return campaign_shape(campaign, campaign_stats(session, campaign.workspace_id, campaign.id))


def _warnings(found: StartCheck) -> list[dict[str, Any]]:
    told = [(code, dict(params)) for code, params in found.warnings]
    told += [
        ("blank_variable", {"node_id": gap.node_id, "variable": gap.variable, "contacts": gap.contacts})
        for gap in found.gaps
        if not gap.guarded
    ]
    return [
        {"code": code, "message": _WARNINGS.get(code, code.replace("_", " ")), "params": camel(params)}
        for code, params in told
    ]


def _faults(error: errors.WorkflowFaults | errors.CannotStart) -> ApiError:
    """Name every fault by node; `field` is where it stands in the request."""
    details = [
        {
            "field": f"workflow.{fault.path}" if fault.path else "",
            "nodeId": fault.node_id,
            "code": fault.code,
            "message": fault.message,
            "params": camel(dict(fault.params)),
        }
        for fault in error.faults
    ]
    return ApiError(400, "VALIDATION_ERROR", str(error), details)


def _setting(error: errors.SettingsRefused) -> ApiError:
    field = str(error.details["field"])
    return invalid(field if field in _FIELDS_OUTSIDE_SETTINGS else f"settings.{field}", str(error))


REFUSALS: Sequence[tuple[type[Exception], Translate]] = (
    (errors.CampaignNotFound, not_found),
    (errors.WorkflowFaults, _faults),
    (errors.CannotStart, _faults),
    (errors.SettingsRefused, _setting),
    (errors.AccountRefused, lambda error: invalid("emailAccountIds", str(error), "unknown_id")),
    (errors.WrongState, by_code(409)),
    (errors.Stale, by_code(409)),
    (errors.CampaignsError, by_code(400)),
)
