"""What the user decides about an import besides the mapping (contacts.md, CSV import, Options)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from fluenzr_app.contacts.contact_values import check_consent, clean_tag
from fluenzr_app.contacts.errors import InvalidValue
from fluenzr_app.contacts.labels import clean_group_name

OnDuplicate = Literal["skip", "update"]


@dataclass(frozen=True)
class ImportOptions:
    """``group_id`` or ``group_name`` (made at the start if there is none) is where the contacts go, if anywhere."""

    consent_source: str = "not_specified"
    consent_notes: str = ""
    on_duplicate: OnDuplicate = "skip"
    group_id: int | None = None
    group_name: str = ""
    tags: tuple[str, ...] = ()
    repair: bool = False

    def as_data(self) -> dict[str, Any]:
        """Return a form for JSON."""
        return asdict(self)

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> ImportOptions:
        """Return what ``as_data`` was made from."""
        return cls(**{**data, "tags": tuple(data.get("tags", ()))})


def checked_options(options: ImportOptions) -> ImportOptions:
    """Return the options in clean form; raises InvalidValue (consent, group name, tags, ``unknown_on_duplicate``)."""
    check_consent(options.consent_source, options.consent_notes)
    if options.on_duplicate not in ("skip", "update"):
        raise InvalidValue("on_duplicate", "unknown_on_duplicate", "Duplicates are skipped or updated.")
    return ImportOptions(
        options.consent_source,
        options.consent_notes.strip()[:2_000],
        options.on_duplicate,
        options.group_id,
        clean_group_name(options.group_name) if options.group_name.strip() else "",
        clean_tags(options.tags),
        options.repair,
    )


def clean_tags(tags: Sequence[str]) -> tuple[str, ...]:
    """Return tags in clean form, each once; raises InvalidValue ``bad_tag``."""
    return tuple(dict.fromkeys(clean_tag(tag) for tag in tags))
