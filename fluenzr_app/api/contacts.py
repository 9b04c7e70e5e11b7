"""`/v1/contacts`: list, read, create, change, delete, and many at once (api.md)."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import ValidationError
from pydantic.alias_generators import to_camel
from sqlmodel import Session

from fluenzr_app.api.caller import Asked, Caller
from fluenzr_app.api.contact_shapes import (
    BulkErrorShape,
    BulkGiven,
    BulkShape,
    ContactGiven,
    ContactShape,
    DeletedShape,
    contact_shape,
    contact_shapes,
    contact_values,
)
from fluenzr_app.api.envelope import Answer, ApiError, Envelope, ListEnvelope, json_response, page_meta
from fluenzr_app.api.paging import Paged
from fluenzr_app.api.refusals import Translate, invalid, not_found
from fluenzr_app.contacts import errors, service
from fluenzr_app.contacts.bulk import MOST, BulkError, BulkResult, bulk_upsert
from fluenzr_app.contacts.contact_values import ACCEPTED
from fluenzr_app.contacts.field_names import STATUSES
from fluenzr_app.contacts.listing import SORTS, ContactFilter, list_contacts
from fluenzr_app.db.ids import parse_public_id, public_id
from fluenzr_app.inbox import search
from fluenzr_app.inbox.erasure import erase_people
from fluenzr_app.workspaces import audit

router = APIRouter(prefix="/contacts", tags=["contacts"])

_SORTS: Mapping[str, str] = {to_camel(name): name for name in SORTS}


@router.get("", response_model=ListEnvelope[ContactShape])
async def list_(
    caller: Asked,
    page: Paged,
    email: Annotated[str, Query(max_length=254)] = "",
    status: Annotated[str, Query(max_length=20)] = "",
    group_id: Annotated[str, Query(alias="groupId", max_length=40)] = "",
    tag: Annotated[str, Query(max_length=50)] = "",
) -> Response:
    """List contacts. `email` looks inside the address; what is given must all hold."""
    if status and status not in STATUSES:
        raise invalid("status", f"A status is one of {', '.join(STATUSES)}.", "unknown_status")
    filters = ContactFilter(
        email=email,
        statuses=(status,) if status else (),
        group_ids=(parse_public_id("grp", group_id),) if group_id else (),
        tags=(tag,) if tag else (),
    )
    sort = page.column(_SORTS)

    def ask(session: Session) -> Answer:
        found = list_contacts(
            session, caller.workspace_id, filters,
            page=page.number, per_page=page.per_page, sort=sort, order=page.order,
        )  # fmt: skip
        meta = page_meta(page.number, page.per_page, found.total, lower_bound=found.total_is_lower_bound)
        return Answer(contact_shapes(session, caller.workspace_id, found.cards), meta=meta)

    return json_response((await caller.read(ask)).body())


@router.post("", status_code=201, response_model=Envelope[ContactShape])
async def create(given: ContactGiven, caller: Asked) -> Response:
    """Create a contact. An address that is a contact already answers 409 with its id."""

    def act(session: Session) -> Answer:
        values = contact_values(session, caller.workspace_id, given)
        card = service.create_contact(session, caller.runtime.keyring, caller.workspace_id, values, caller.now)
        return Answer(contact_shape(session, card), 201)

    return await caller.write(act)


@router.post("/bulk", response_model=Envelope[BulkShape])
async def bulk(given: BulkGiven, caller: Asked) -> Response:
    """Create up to 1,000 contacts at once; one that exists is skipped or updated. Errors tell the place in the list."""
    return await caller.write(lambda session: Answer(_bulk(session, caller, given)))


@router.get("/{contact_id}", response_model=Envelope[ContactShape])
async def get(contact_id: str, caller: Asked) -> Response:
    """Read a contact."""
    key = parse_public_id("con", contact_id)

    def ask(session: Session) -> Answer:
        return Answer(contact_shape(session, service.get_contact(session, caller.workspace_id, key)))

    return json_response((await caller.read(ask)).body())


@router.put("/{contact_id}", response_model=Envelope[ContactShape])
async def change(contact_id: str, given: ContactGiven, caller: Asked) -> Response:
    """Change a contact: only what is given changes; `tags` and `groupIds`, if given, replace those there were.

    `pipelineStageId` moves the contact, `null` takes it out of the pipeline.
    """
    key = parse_public_id("con", contact_id)

    def act(session: Session) -> Answer:
        values = contact_values(session, caller.workspace_id, given)
        card = service.update_contact(session, caller.runtime.keyring, caller.workspace_id, key, values, caller.now)
        search.contacts_changed(session, caller.workspace_id, [key])
        return Answer(contact_shape(session, card))

    return await caller.write(act)


@router.delete("/{contact_id}", response_model=Envelope[DeletedShape])
async def delete(contact_id: str, caller: Asked) -> Response:
    """Delete a contact for good, with all that is known of the person.

    Whoever is on the suppression list stays on it, as a hash alone.
    """
    key = parse_public_id("con", contact_id)

    def act(session: Session) -> Answer:
        if erase_people(session, caller.workspace_id, [key], caller.now) == 0:
            raise errors.ContactNotFound
        audit.record(session, caller.key, caller.workspace_id, "contact.deleted", contact_id, None, caller.now)
        return Answer(DeletedShape(id=contact_id))

    return await caller.write(act)


def _bulk(session: Session, caller: Caller, given: BulkGiven) -> BulkShape:
    if len(given.contacts) > MOST:
        raise invalid("contacts", f"At most {MOST} contacts go in one call.", "too_many_items", limit=MOST)
    values: list[Mapping[str, Any]] = []
    places: list[int] = []
    refused: list[BulkErrorShape] = []
    for index, item in enumerate(given.contacts):
        try:
            values.append(contact_values(session, caller.workspace_id, ContactGiven.model_validate(item)))
            places.append(index)
        except ValidationError as bad:
            fault = bad.errors()[0]
            field = ".".join(str(part) for part in fault["loc"])
            refused.append(_error(index, item, field, fault["type"], fault["msg"]))
        except errors.ContactsError as bad:
            refused.append(_error(index, item, _field_of(bad), bad.code, str(bad)))
    result = bulk_upsert(
        session, caller.runtime.keyring, caller.workspace_id, values, caller.now, on_duplicate=given.on_duplicate
    )
    search.contacts_changed(session, caller.workspace_id, result.updated)
    return _bulk_shape(result, places, refused)


def _field_of(error: errors.ContactsError) -> str:
    if isinstance(error, errors.InvalidValue):
        return field_name(error)
    return "pipelineStageId" if isinstance(error, errors.StageNotFound) else "groupIds"


def _bulk_shape(result: BulkResult, places: Sequence[int], refused: Sequence[BulkErrorShape]) -> BulkShape:
    told = [_told(error, places[error.index]) for error in result.errors]
    return BulkShape(
        created=len(result.created),
        updated=len(result.updated),
        skipped=len(result.skipped),
        errors=sorted([*refused, *told], key=lambda error: error.index),
    )


def _told(error: BulkError, index: int) -> BulkErrorShape:
    field = api_field(error.field, error.code) if error.field else ""
    return BulkErrorShape(index=index, email=error.email, field=field, code=error.code, message=error.message)


def _error(index: int, item: Mapping[str, Any], field: str, code: str, message: str) -> BulkErrorShape:
    email = item.get("email")
    shown = email[:254] if isinstance(email, str) else ""
    return BulkErrorShape(index=index, email=shown, field=field, code=code, message=message)


def api_field(name: str, code: str) -> str:
    """Return the API's name of a contact's field; a custom one keeps its technical name under `customFields`."""
    if "custom" in code and name not in ACCEPTED:
        return f"customFields.{name}"
    return to_camel(name)


def field_name(error: errors.InvalidValue) -> str:
    """Return the API's name of the field that an error is about."""
    return api_field(error.field, error.code)


def _invalid_value(error: errors.InvalidValue) -> ApiError:
    return invalid(field_name(error), str(error), error.code)


def _email_taken(error: errors.EmailTaken) -> ApiError:
    details = {"contactId": public_id("con", error.contact_id), "email": error.details["email"]}
    return ApiError(409, "EMAIL_TAKEN", str(error), details)


def _limit_reached(error: errors.ContactLimitReached) -> ApiError:
    return ApiError(403, "FORBIDDEN", str(error), error.details)


def _file_refused(error: errors.FileRefused) -> ApiError:
    if error.code == "too_large":
        return ApiError(413, "PAYLOAD_TOO_LARGE", str(error), error.details)
    return ApiError(400, error.code.upper(), str(error), error.details or None)


def _conflict(error: errors.ContactsError) -> ApiError:
    return ApiError(409, error.code.upper(), str(error))


REFUSALS: Sequence[tuple[type[Exception], Translate]] = (
    (errors.InvalidValue, _invalid_value),
    (errors.EmailTaken, _email_taken),
    (errors.ContactLimitReached, _limit_reached),
    (errors.StaleContact, _conflict),
    (errors.ContactInUse, _conflict),
    (errors.ContactNotFound, not_found),
    (errors.ImportNotFound, not_found),
    (errors.FileRefused, _file_refused),
    (errors.GroupNotFound, lambda error: ApiError(404, "NOT_FOUND", str(error))),
    (errors.StageNotFound, lambda error: ApiError(404, "NOT_FOUND", str(error))),
    (errors.ContactsError, lambda error: ApiError(400, error.code.upper(), str(error))),
)
