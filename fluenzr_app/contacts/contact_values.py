"""A contact's values as they come in (forms, API, files), checked and made fit to be stored."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import available_timezones

from fluenzr_app.contacts.custom_values import FieldDefinition, Value, parse_value, storable
from fluenzr_app.contacts.errors import InvalidValue
from fluenzr_app.contacts.field_names import CONSENT_SOURCES, DEFAULT_LENGTH, MAX_LENGTH
from fluenzr_app.contacts.statuses import check_status
from fluenzr_app.mail.addresses import check_syntax
from fluenzr_app.mail.errors import BadAddress

TEXT_COLUMNS = (
    "first_name",
    "last_name",
    "company",
    "job_title",
    "phone",
    "website",
    "linkedin_url",
    "city",
    "country",
    "language",
    "timezone",
    "consent_notes",
    "notes",
)
_OTHERS = frozenset(
    {"email", "status", "consent_source", "consent_at", "owner_id", "custom_fields", "tags", "group_ids", "stage_id"}
)
ACCEPTED = frozenset(TEXT_COLUMNS) | _OTHERS


@dataclass(frozen=True)
class Address:
    """An address as typed, and the key under which it is unique."""

    email: str
    key: str


@dataclass(frozen=True)
class ContactValues:
    """What is to be stored: ``columns`` holds only what was given; custom values that are None are taken away.

    ``stage_id`` counts only with ``has_stage``; then None means out of the pipeline.
    """

    address: Address | None = None
    columns: dict[str, Any] = field(default_factory=dict)
    custom: dict[str, Value | None] = field(default_factory=dict)
    tags: tuple[str, ...] | None = None
    group_ids: tuple[int, ...] | None = None
    stage_id: int | None = None
    has_stage: bool = False


def parse_values(values: Mapping[str, Any], definitions: Iterable[FieldDefinition]) -> ContactValues:
    """Return the values checked one by one; names are those of the columns, plus custom_fields, tags, group_ids.

    Raises InvalidValue with the field and why: ``unknown_field``, ``email_invalid``, ``value_too_long``,
    ``unknown_status``, ``unknown_timezone``, ``unknown_consent_source``, ``consent_note_missing``, ``bad_date``,
    ``custom_value_invalid``, ``bad_tag``.
    """
    for name in values:
        if name not in ACCEPTED:
            raise InvalidValue(name, "unknown_field", f"A contact has no field “{name}”.")
    columns: dict[str, Any] = {name: _text(name, values[name]) for name in TEXT_COLUMNS if name in values}
    _check_timezone(columns.get("timezone", ""))
    if "status" in values:
        check_status(str(values["status"]))
        columns["status"] = values["status"]
    if "owner_id" in values:
        columns["owner_id"] = values["owner_id"]
    _consent(values, columns)
    return ContactValues(
        parse_address(values["email"]) if "email" in values else None,
        columns,
        _custom(values.get("custom_fields") or {}, definitions),
        tuple(clean_tag(tag) for tag in values["tags"] or ()) if "tags" in values else None,
        tuple(values["group_ids"] or ()) if "group_ids" in values else None,
        values.get("stage_id"),
        "stage_id" in values,
    )


def parse_address(given: Any) -> Address:
    """Return an address with its key; raises InvalidValue ``email_missing`` or ``email_invalid``."""
    text = given.strip() if isinstance(given, str) else ""
    if not text:
        raise InvalidValue("email", "email_missing", "The e-mail address is missing.")
    try:
        checked = check_syntax(text)
    except BadAddress as bad:
        raise InvalidValue("email", "email_invalid", str(bad)) from bad
    return Address(checked.address, checked.key)


def clean_tag(tag: Any) -> str:
    """Return a tag without outer space; raises InvalidValue ``bad_tag``.

    Commas and semicolons part tags in files, so a tag holds none.
    """
    text = " ".join(storable(tag).split()) if isinstance(tag, str) else ""
    if not text or len(text) > 50 or "," in text or ";" in text:
        raise InvalidValue("tags", "bad_tag", "A tag has 1 to 50 characters, without comma or semicolon.")
    return text


def parse_moment(given: Any) -> datetime:
    """Return an aware moment from a datetime or an ISO 8601 text (a bare date means midnight UTC).

    Raises InvalidValue ``bad_date``.
    """
    try:
        moment = given if isinstance(given, datetime) else datetime.fromisoformat(str(given).strip())
    except ValueError:
        raise InvalidValue("consent_at", "bad_date", "A date such as 2026-03-31 is expected.") from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def check_consent(source: str, notes: str) -> None:
    """Raise InvalidValue for an unknown source, or for ``other`` without a note (contacts.md, Consent)."""
    if source not in CONSENT_SOURCES:
        raise InvalidValue(
            "consent_source",
            "unknown_consent_source",
            f"“{source}” is no consent source; choose one of {', '.join(CONSENT_SOURCES)}.",
            value=source,
        )
    if source == "other" and not notes.strip():
        raise InvalidValue("consent_notes", "consent_note_missing", "Say in a note where the consent comes from.")


def _text(name: str, given: Any) -> str:
    if given is not None and not isinstance(given, str):
        raise InvalidValue(name, "not_a_text", f"“{name}” takes a text.")
    text = storable(given or "").strip().replace("\r\n", "\n")
    limit = MAX_LENGTH.get(name, DEFAULT_LENGTH)
    if len(text) > limit:
        raise InvalidValue(name, "value_too_long", f"“{name}” takes {limit} characters at most.", limit=limit)
    return text


def _check_timezone(name: str) -> None:
    if name and name not in available_timezones():
        raise InvalidValue(
            "timezone", "unknown_timezone", f"“{name}” is no time zone such as Europe/Paris.", value=name
        )


def _consent(values: Mapping[str, Any], columns: dict[str, Any]) -> None:
    if values.get("consent_source") is not None:
        source = str(values["consent_source"])
        if source not in CONSENT_SOURCES:
            check_consent(source, "")
        columns["consent_source"] = source
    if "consent_at" in values:
        given = values["consent_at"]
        columns["consent_at"] = parse_moment(given) if given not in (None, "") else None


def _custom(given: Any, definitions: Iterable[FieldDefinition]) -> dict[str, Value | None]:
    if not isinstance(given, Mapping):
        raise InvalidValue("custom_fields", "custom_value_invalid", "Custom fields come as names with values.")
    known = {definition.name: definition for definition in definitions}
    found: dict[str, Value | None] = {}
    for name, value in given.items():
        if name not in known:
            raise InvalidValue(str(name), "unknown_custom_field", f"There is no custom field “{name}”.")
        found[name] = parse_value(known[name], value)
    return found
