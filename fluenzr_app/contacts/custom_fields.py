"""A workspace's own fields: which there are, and new ones."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from fluenzr_app.contacts.custom_values import FIELD_TYPES, FieldDefinition, FieldType
from fluenzr_app.contacts.errors import InvalidValue
from fluenzr_app.contacts.field_names import STANDARD_FIELDS
from fluenzr_app.contacts.models import CustomField

_NAME = re.compile(r"[a-z][a-z0-9_]{0,49}")
MOST_FIELDS = 200


def list_custom_fields(session: Session, workspace_id: int) -> tuple[FieldDefinition, ...]:
    """Return the workspace's custom fields in the order in which they were made."""
    rows = session.exec(
        select(CustomField).where(col(CustomField.workspace_id) == workspace_id).order_by(col(CustomField.id))
    )
    return tuple(_definition(row) for row in rows)


def create_custom_field(
    session: Session,
    workspace_id: int,
    name: str,
    label: str,
    now: datetime,
    *,
    field_type: FieldType = "text",
    options: Sequence[str] = (),
    required: bool = False,
    default: str = "",
) -> FieldDefinition:
    """Make a custom field; a field of that name that exists already is returned as it is.

    Raises InvalidValue ``bad_field_name``, ``field_name_taken``, ``unknown_field_type``, ``too_many_fields``.
    """
    if not _NAME.fullmatch(name):
        raise InvalidValue(
            "name",
            "bad_field_name",
            "A field's technical name has small letters, digits and underscores, and starts with a letter.",
            value=name,
        )
    if name in STANDARD_FIELDS:
        raise InvalidValue("name", "field_name_taken", f"There is a field “{name}” already.", value=name)
    if field_type not in FIELD_TYPES:
        raise InvalidValue("type", "unknown_field_type", f"“{field_type}” is no type of field.", value=field_type)
    known = {field.name: field for field in list_custom_fields(session, workspace_id)}
    if name in known:
        return known[name]
    if len(known) >= MOST_FIELDS:
        raise InvalidValue("name", "too_many_fields", f"A workspace has {MOST_FIELDS} fields of its own at most.")
    row = CustomField(
        workspace_id=workspace_id,
        name=name,
        label=label.strip()[:100] or name,
        type=field_type,
        required=required,
        default_value=default,
        options=list(options),
        created_at=now,
    )
    session.add(row)
    session.flush()
    return _definition(row)


def _definition(row: CustomField) -> FieldDefinition:
    known: FieldType = next((known for known in FIELD_TYPES if known == row.type), "text")
    return FieldDefinition(row.name, known, tuple(row.options), row.required, row.label, row.default_value)
