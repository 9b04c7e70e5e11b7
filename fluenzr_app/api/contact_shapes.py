"""Contacts as the API gives and takes them (api.md, Objects)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import field_validator
from sqlmodel import Session

from fluenzr_app.api.envelope import Given, Shape
from fluenzr_app.contacts.errors import GroupNotFound, InvalidValue, StageNotFound
from fluenzr_app.contacts.service import ContactCard
from fluenzr_app.db.ids import BadPublicId, parse_public_id, public_id
from fluenzr_app.tracking.objections import objecting_contacts
from fluenzr_app.workspaces.service import is_member


class Named(Shape):
    """A thing with an id and a name."""

    id: str
    name: str


class ContactShape(Shape):
    """A person who may be written to.

    `trackingObjection`: since when the person objects to their openings and clicks being followed; `null` if they do
    not. It wins over every setting.
    """

    id: str
    email: str
    first_name: str
    last_name: str
    company: str
    job_title: str
    phone: str
    website: str
    linkedin_url: str
    city: str
    country: str
    language: str
    timezone: str
    owner: str | None
    consent_source: str
    consent_at: datetime | None
    consent_notes: str
    status: str
    groups: list[Named]
    tags: list[str]
    custom_fields: dict[str, Any]
    pipeline_stage: Named | None
    tracking_objection: datetime | None
    created_at: datetime
    updated_at: datetime


class ContactGiven(Given):
    """A contact's values; what is absent stays as it is, `null` empties a field. `email` is needed to create one."""

    email: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company: str | None = None
    job_title: str | None = None
    phone: str | None = None
    website: str | None = None
    linkedin_url: str | None = None
    city: str | None = None
    country: str | None = None
    language: str | None = None
    timezone: str | None = None
    owner: str | None = None
    status: str | None = None
    consent_source: str | None = None
    consent_at: datetime | None = None
    consent_notes: str | None = None
    tags: list[str] | None = None
    group_ids: list[str] | None = None
    pipeline_stage_id: str | None = None
    custom_fields: dict[str, str | int | float | bool | None] | None = None

    @field_validator("consent_at")
    @classmethod
    def _within_reason(cls, moment: datetime | None) -> datetime | None:
        # Near the ends of the calendar a change of zone has no answer.
        if moment is not None and not 1900 <= moment.year <= 2200:
            raise ValueError("A date between 1900 and 2200 is expected.")
        return moment


class BulkGiven(Given):
    """Up to 1,000 contacts; each is looked at by itself, so that a wrong one hinders no other."""

    contacts: list[dict[str, Any]]
    on_duplicate: Literal["skip", "update"] = "skip"


class BulkErrorShape(Shape):
    """What was wrong with the contact at `index` of the list, counted from 0."""

    index: int
    email: str
    field: str
    code: str
    message: str


class BulkShape(Shape):
    """What became of the contacts: counts, and every error."""

    created: int
    updated: int
    skipped: int
    errors: list[BulkErrorShape]


class DeletedShape(Shape):
    """What was deleted."""

    id: str
    deleted: bool = True


def contact_shape(session: Session, card: ContactCard) -> ContactShape:
    """Return a contact in the API's form."""
    return contact_shapes(session, card.contact.workspace_id, [card])[0]


def contact_shapes(session: Session, workspace_id: int, cards: Sequence[ContactCard]) -> list[ContactShape]:
    """Return contacts of one workspace in the API's form."""
    hashes = {card.contact.id: card.contact.email_hash for card in cards if card.contact.id is not None}
    objections = objecting_contacts(session, workspace_id, hashes)
    return [_shape(card, objections.get(card.contact.id or 0)) for card in cards]


def _shape(card: ContactCard, objects_since: datetime | None) -> ContactShape:
    row = card.contact
    assert row.id is not None
    return ContactShape(
        id=public_id("con", row.id),
        email=row.email,
        first_name=row.first_name,
        last_name=row.last_name,
        company=row.company,
        job_title=row.job_title,
        phone=row.phone,
        website=row.website,
        linkedin_url=row.linkedin_url,
        city=row.city,
        country=row.country,
        language=row.language,
        timezone=row.timezone,
        owner=public_id("usr", row.owner_id) if row.owner_id is not None else None,
        consent_source=row.consent_source,
        consent_at=row.consent_at,
        consent_notes=row.consent_notes,
        status=row.status,
        groups=[Named(id=public_id("grp", group_id), name=name) for group_id, name in card.groups],
        tags=list(card.tags),
        custom_fields=dict(row.fields),
        pipeline_stage=_stage_shape(card),
        tracking_objection=objects_since,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def contact_values(session: Session, workspace_id: int, given: ContactGiven) -> Mapping[str, Any]:
    """Return what was given under the names of the contacts room; raises GroupNotFound, StageNotFound, InvalidValue."""
    values = given.model_dump(exclude_unset=True)
    for name in ("status", "consent_source"):
        if name in values and values[name] is None:
            raise InvalidValue(name, "missing", f"“{name}” cannot be empty.")
    if "group_ids" in values:
        values["group_ids"] = [_group(text) for text in values["group_ids"] or ()]
    if "pipeline_stage_id" in values:
        values["stage_id"] = _stage(values.pop("pipeline_stage_id"))
    if "owner" in values:
        values["owner_id"] = _owner(session, workspace_id, values.pop("owner"))
    return values


def _group(text: str) -> int:
    try:
        return parse_public_id("grp", text)
    except BadPublicId:
        raise GroupNotFound from None


def _stage(text: str | None) -> int | None:
    try:
        return None if text is None else parse_public_id("stg", text)
    except BadPublicId:
        raise StageNotFound from None


def _stage_shape(card: ContactCard) -> Named | None:
    return None if card.stage is None else Named(id=public_id("stg", card.stage.id), name=card.stage.title)


def _owner(session: Session, workspace_id: int, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        user_id = parse_public_id("usr", text)
    except BadPublicId:
        user_id = 0
    if not is_member(session, workspace_id, user_id):
        raise InvalidValue("owner", "unknown_owner", "There is no such user in this workspace.")
    return user_id
