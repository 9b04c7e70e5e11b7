"""`/v1/diagnoses`: what does not move in a workspace, why, and what mends it (symptoms.md)."""

from collections.abc import Sequence
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from sqlmodel import Session

from fluenzr_app.api.caller import Asked, Caller
from fluenzr_app.api.diagnosis_shapes import (
    PREFIXES,
    DiagnosisShape,
    SnoozedShape,
    SnoozeGiven,
    diagnosis_shape,
    language_of,
)
from fluenzr_app.api.envelope import Answer, ApiError, Envelope, ListEnvelope, json_response, page_meta
from fluenzr_app.api.refusals import Translate, invalid, not_found
from fluenzr_app.campaigns.service import get_campaign
from fluenzr_app.db.ids import BadPublicId, parse_public_id
from fluenzr_app.diagnosis import errors, snoozes
from fluenzr_app.diagnosis.facts import findings_of
from fluenzr_app.diagnosis.findings import SEVERITIES, Finding
from fluenzr_app.diagnosis.snoozes import Key
from fluenzr_app.diagnosis.symptoms import CODES
from fluenzr_app.words.catalogue import Lang
from fluenzr_app.workspaces.service import get_workspace

router = APIRouter(tags=["diagnoses"])

_OF_ONE = ("workspace", "installation")


@router.get("/diagnoses", response_model=ListEnvelope[DiagnosisShape])
async def list_(
    caller: Asked,
    request: Request,
    severity: Annotated[str, Query(max_length=20)] = "",
    subject: Annotated[str, Query(max_length=40)] = "",
    page: Annotated[int, Query(ge=1, le=10_000_000)] = 1,
    per_page: Annotated[int, Query(alias="perPage", ge=1, le=100)] = 100,
) -> Response:
    """List what does not move in the workspace, what is broken first; those put aside come last.

    `subject` is the id of an account, a campaign or an import. Words are in the language of `Accept-Language`, English
    or French.
    """
    if severity and severity not in SEVERITIES:
        raise invalid("severity", f"A severity is one of {', '.join(SEVERITIES)}.", "unknown_severity")
    wanted, lang = _subject(subject) if subject else None, language_of(request)

    def ask(session: Session) -> Answer:
        shapes = _shapes(session, caller, lang, wanted, severity)
        part = shapes[(page - 1) * per_page : page * per_page]
        return Answer(part, meta=page_meta(page, per_page, len(shapes)))

    return json_response((await caller.read(ask)).body())


@router.get("/campaigns/{campaign_id}/diagnosis", response_model=ListEnvelope[DiagnosisShape], tags=["campaigns"])
async def of_campaign(campaign_id: str, caller: Asked, request: Request) -> Response:
    """List what holds up one campaign, and what holds up the installation as a whole; empty where all moves."""
    key, lang = parse_public_id("cmp", campaign_id), language_of(request)

    def ask(session: Session) -> Answer:
        campaign = get_campaign(session, caller.workspace_id, key)
        # An account's fault stands on the account; here it is told for the campaigns that use it.
        things = {("campaign", key), ("installation", None), *(("account", each) for each in campaign.account_ids)}
        shapes = _shapes(session, caller, lang, things)
        return Answer(shapes, meta=page_meta(1, max(1, len(shapes)), len(shapes)))

    return json_response((await caller.read(ask)).body())


@router.post("/diagnoses/snooze", response_model=Envelope[SnoozedShape])
async def snooze(given: SnoozeGiven, caller: Asked) -> Response:
    """Put a diagnosis aside until a time, or show it again; it comes back by itself when its cause comes back."""
    if given.code not in CODES:
        raise invalid("code", "There is no diagnosis of this code.", "unknown_code")
    if given.until is not None and given.until.tzinfo is None:
        raise invalid("until", "Give the time with its zone, such as 2026-03-02T09:00:00Z.", "no_zone")
    keys = _keys(given)

    def act(session: Session) -> Answer:
        if given.until is None:
            for key in keys:
                snoozes.wake(session, caller.workspace_id, key)
        else:
            found = findings_of(session, caller.workspace_id, caller.now, caller.runtime.wall_now())
            standing = [each for each in found if snoozes.key_of(each) in keys]
            if not standing:
                raise errors.NoSuchFinding("There is no such diagnosis at present.")
            snoozes.snooze(session, caller.workspace_id, standing[0], given.until, caller.now)
        return Answer(SnoozedShape(code=given.code, subject_id=given.subject_id, snoozed_until=given.until))

    return await caller.write(act)


def _shapes(
    session: Session,
    caller: Caller,
    lang: Lang,
    wanted: set[tuple[str, int | None]] | None,
    severity: str = "",
) -> list[DiagnosisShape]:
    found = findings_of(session, caller.workspace_id, caller.now, caller.runtime.wall_now())
    asked = [each for each in found if _is_wanted(each, wanted, severity)]
    zone = ZoneInfo(get_workspace(session, caller.workspace_id).timezone)
    shown, aside = snoozes.parted(session, caller.workspace_id, asked, caller.now)
    return [
        *(diagnosis_shape(each, lang, caller.now, zone, None) for each in shown),
        *(diagnosis_shape(each.finding, lang, caller.now, zone, each.until) for each in aside),
    ]


def _is_wanted(finding: Finding, wanted: set[tuple[str, int | None]] | None, severity: str) -> bool:
    about = (finding.subject.kind, finding.subject.id)
    return (wanted is None or about in wanted) and severity in ("", finding.severity)


def _subject(text: str) -> set[tuple[str, int | None]]:
    for kind, prefix in PREFIXES.items():
        try:
            return {(kind, parse_public_id(prefix, text))}
        except BadPublicId:
            continue
    raise invalid("subject", "Give the id of an account, a campaign or an import.", "unknown_id")


def _keys(given: SnoozeGiven) -> list[Key]:
    if given.subject_id is None:
        return [(given.code, kind, 0) for kind in _OF_ONE]
    return [(given.code, kind, key or 0) for kind, key in _subject(given.subject_id)]


REFUSALS: Sequence[tuple[type[Exception], Translate]] = (
    (errors.NoSuchFinding, not_found),
    (errors.SnoozeRefused, lambda error: invalid("until", str(error), "out_of_range")),
    (errors.DiagnosisError, lambda error: ApiError(400, "VALIDATION_ERROR", str(error))),
)
