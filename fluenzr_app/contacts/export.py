"""Contacts as CSV: what an import of this house reads back into the same bytes (contacts.md, CSV import)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlmodel import Session, col, select

from fluenzr_app.contacts.csv_write import csv_lines
from fluenzr_app.contacts.custom_fields import list_custom_fields
from fluenzr_app.contacts.custom_values import as_text
from fluenzr_app.contacts.field_names import API_NAME, STANDARD_FIELDS
from fluenzr_app.contacts.listing import ContactFilter, matching_ids
from fluenzr_app.contacts.models import Contact
from fluenzr_app.contacts.service import ContactCard, cards
from fluenzr_app.db.engine import Database

_BATCH = 1_000


def export_csv(
    db: Database, workspace_id: int, filters: ContactFilter | None = None, *, delimiter: str = ",", bom: bool = False
) -> Iterator[bytes]:
    """Yield the matching contacts as CSV, oldest first, in pieces; any number of contacts fits.

    Each thousand is read in a short transaction of its own, so that a slow download holds nothing. ``bom`` is for
    people who open the file in Excel.
    """
    wanted = filters or ContactFilter()
    with db.read() as session:
        names = [field.name for field in list_custom_fields(session, workspace_id)]
    header = [API_NAME[field] for field in STANDARD_FIELDS] + names
    if bom:
        yield b"\xef\xbb\xbf"
    yield from csv_lines(header, _rows(db, workspace_id, wanted, names), delimiter=delimiter)


def _rows(db: Database, workspace_id: int, filters: ContactFilter, names: list[str]) -> Iterator[list[str]]:
    after = 0
    while True:
        with db.read() as session:
            ids = matching_ids(session, workspace_id, filters, after=after, most=_BATCH)
            batch = _cards(session, workspace_id, ids)
        if not ids:
            return
        for card in batch:
            yield _row(card, names)
        after = ids[-1]


def _cards(session: Session, workspace_id: int, ids: list[int]) -> list[ContactCard]:
    statement = (
        select(Contact)
        .where(col(Contact.workspace_id) == workspace_id, col(Contact.id).in_(ids))
        .order_by(col(Contact.id))
    )
    return cards(session, workspace_id, session.exec(statement).all())


def _row(card: ContactCard, names: list[str]) -> list[str]:
    contact = card.contact
    special = {
        "tags": "; ".join(card.tags),
        "groups": "; ".join(name for _, name in card.groups),
        "consent_at": _moment(contact.consent_at),
    }
    standard = [special[field] if field in special else getattr(contact, field) for field in STANDARD_FIELDS]
    return standard + [as_text(contact.fields.get(name)) for name in names]


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat().replace("+00:00", "Z")
