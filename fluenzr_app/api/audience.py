"""`/v1/campaigns/{id}/contacts`: who a campaign writes to, and where each of them stands."""

from collections import Counter
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlmodel import Session

from fluenzr_app.api.caller import Asked, Caller
from fluenzr_app.api.campaign_shapes import (
    AddedShape,
    AudienceErrorShape,
    AudienceGiven,
    EnrollmentShape,
    FilterGiven,
    RemovalGiven,
    RemovedShape,
    contact_keys,
    enrollment_shape,
    group_keys,
)
from fluenzr_app.api.diagnosis_shapes import language_of
from fluenzr_app.api.envelope import Answer, Envelope, ListEnvelope, json_response, page_meta
from fluenzr_app.api.refusals import invalid
from fluenzr_app.campaigns import audience, service
from fluenzr_app.campaigns.progress import list_walks
from fluenzr_app.contacts.field_names import STATUSES as CONTACT_STATUSES
from fluenzr_app.contacts.labels import check_groups
from fluenzr_app.contacts.listing import ContactFilter, matching_ids
from fluenzr_app.db.ids import parse_public_id, public_id

router = APIRouter(prefix="/campaigns", tags=["campaigns"])

STATUSES = ("pending", "in_progress", "completed", "replied", "bounced", "unsubscribed", "error", "removed")
_CHUNK = 1_000


@router.get("/{campaign_id}/contacts", response_model=ListEnvelope[EnrollmentShape])
async def list_(
    campaign_id: str,
    caller: Asked,
    request: Request,
    page: Annotated[int, Query(ge=1, le=10_000_000)] = 1,
    per_page: Annotated[int, Query(alias="perPage", ge=1, le=100)] = 20,
    status: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """List the campaign's enrollments in the order in which they were added, with the reason for which each waits."""
    key, lang = parse_public_id("cmp", campaign_id), language_of(request)
    if status and status not in STATUSES:
        raise invalid("status", f"A status is one of {', '.join(STATUSES)}.", "unknown_status")

    def ask(session: Session) -> Answer:
        found = list_walks(
            session, caller.workspace_id, key, caller.now, status=status or None, page=page, per_page=per_page
        )
        meta = page_meta(page, per_page, found.total, lower_bound=found.total_is_lower_bound)
        return Answer([enrollment_shape(walk, caller.now, lang) for walk in found.walks], meta=meta)

    return json_response((await caller.read(ask)).body())


@router.post("/{campaign_id}/contacts", response_model=Envelope[AddedShape])
async def add(campaign_id: str, given: AudienceGiven, caller: Asked) -> Response:
    """Add contacts by id, by group or by filter; whoever may not be written to is skipped, with the reason counted."""
    key = parse_public_id("cmp", campaign_id)
    if given.contact_ids is None and given.group_ids is None and given.filters is None:
        raise invalid("contactIds", "Give contactIds, groupIds or filters.", "missing")
    filters = _filters(given)

    async def act() -> Answer:
        return Answer(await caller.runtime.database.run(_add, caller, key, given, filters))

    return await caller.write_in_steps(act)


@router.delete("/{campaign_id}/contacts", response_model=Envelope[RemovedShape])
async def remove(campaign_id: str, given: RemovalGiven, caller: Asked) -> Response:
    """Take contacts out: their walks end, and what waits for them is not sent."""
    key = parse_public_id("cmp", campaign_id)
    keys = contact_keys(given.contact_ids)

    def act(session: Session) -> Answer:
        removed = audience.remove_contacts(session, caller.workspace_id, key, keys, caller.now)
        return Answer(RemovedShape(removed=removed))

    return await caller.write(act)


def _filters(given: AudienceGiven) -> list[ContactFilter]:
    found = [ContactFilter(group_ids=(group,)) for group in group_keys(given.group_ids or (), "groupIds")]
    if given.filters is not None:
        found.append(_filter(given.filters))
    return found


def _filter(given: FilterGiven) -> ContactFilter:
    statuses = [given.status] if isinstance(given.status, str) else given.status or []
    if not set(statuses) <= set(CONTACT_STATUSES):
        raise invalid("filters.status", f"A status is one of {', '.join(CONTACT_STATUSES)}.", "unknown_status")
    return ContactFilter(
        query=given.query,
        statuses=tuple(statuses),
        group_ids=tuple(group_keys(given.groups, "filters.groups")),
        tags=tuple(given.tags),
        custom=given.custom_fields,
    )


def _add(caller: Caller, campaign_id: int, given: AudienceGiven, filters: list[ContactFilter]) -> AddedShape:
    """Add in steps of a thousand, each a transaction of its own: a large group must not hold the database."""
    database = caller.runtime.database
    with database.read() as session:
        service.get_campaign(session, caller.workspace_id, campaign_id)
        check_groups(session, caller.workspace_id, [group for one in filters for group in one.group_ids])
    named = dict(zip(contact_keys(given.contact_ids or ()), given.contact_ids or (), strict=True))
    reasons: Counter[str] = Counter()
    errors: list[AudienceErrorShape] = []
    added = 0
    for step in _steps(caller, list(named), filters):
        with database.transaction() as session:
            result = audience.add_contacts(
                session, caller.workspace_id, campaign_id, step, caller.now, caller.runtime.rng
            )
        added += result.added
        for contact_id, reason in result.skipped.items():
            if reason == "not_found":
                shown = named[contact_id] if contact_id in named else public_id("con", contact_id)
                errors.append(AudienceErrorShape(contact_id=shown, code=reason, message="There is no such contact."))
            else:
                reasons[reason] += 1
    return AddedShape(added=added, skipped=reasons.total(), skipped_reasons=dict(reasons), errors=errors)


def _steps(caller: Caller, contact_ids: list[int], filters: list[ContactFilter]) -> Iterator[list[int]]:
    for start in range(0, len(contact_ids), _CHUNK):
        yield contact_ids[start : start + _CHUNK]
    for one in filters:
        after = 0
        while True:
            with caller.runtime.database.read() as session:
                found = matching_ids(session, caller.workspace_id, one, after=after, most=_CHUNK)
            if not found:
                break
            yield found
            after = found[-1]
