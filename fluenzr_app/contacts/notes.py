"""Notes on a contact: each is an event `contact.noted` in its history (contacts.md, Fields)."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlmodel import Session

from fluenzr_app.contacts.custom_values import storable
from fluenzr_app.contacts.errors import ContactNotFound, InvalidValue
from fluenzr_app.contacts.models import Contact
from fluenzr_app.db.tables import table_of
from fluenzr_app.events.record import NewEvent, record

NOTED: Final = "contact.noted"
LONGEST: Final = 5_000
_CONTACT = table_of(Contact)


def add_note(session: Session, workspace_id: int, contact_id: int, text: str, now: datetime, *, by: int | None) -> None:
    """Put a note into a contact's history; `by` is the user who writes it, None a program with an API key.

    The event's data hold `text` and `by`. Raises ContactNotFound, InvalidValue ``note_missing`` for a blank one and
    ``value_too_long`` for one of more than 5,000 characters.
    """
    words = clean_note(text)
    if not words:
        raise InvalidValue("note", "note_missing", "Write something in the note first.")
    session.flush()
    # Held until the end of the transaction: a note must not outlive a contact that is deleted at the same moment.
    mine = (
        select(_CONTACT.c.id)
        .where(_CONTACT.c.workspace_id == workspace_id, _CONTACT.c.id == contact_id)
        .with_for_update(read=True, key_share=True)
    )
    if session.connection().execute(mine).first() is None:
        raise ContactNotFound
    event = NewEvent(
        workspace_id=workspace_id,
        type=NOTED,
        # The same words may be noted twice; nothing of a note tells it from another.
        dedupe_key=f"{NOTED}:{contact_id}:{secrets.token_hex(12)}",
        at=now,
        contact_id=contact_id,
        data={"text": words} if by is None else {"text": words, "by": by},
    )
    record(session, [event])


def clean_note(text: str) -> str:
    """Return a note without outer space, "" for a blank one; raises InvalidValue ``value_too_long``."""
    words = storable(text).replace("\r\n", "\n").strip()
    if len(words) > LONGEST:
        raise InvalidValue("note", "value_too_long", f"A note takes {LONGEST} characters at most.", limit=LONGEST)
    return words
