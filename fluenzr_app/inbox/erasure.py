"""Erasing people: everything that any room knows of them goes, but for the keyed hash of an address that said no.

Counts stay right, since they are counts of events and mails without a name (tracking.md, Rights).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlmodel import Session

from fluenzr_app.campaigns import audience
from fluenzr_app.contacts.models import Contact
from fluenzr_app.contacts.service import OnDelete, delete_contacts
from fluenzr_app.db.tables import table_of
from fluenzr_app.inbox import conversations
from fluenzr_app.sending import erase as sending
from fluenzr_app.tracking import erase as tracking
from fluenzr_app.workspaces import audit

_CONTACT = table_of(Contact)


def erase_people(session: Session, workspace_id: int, contact_ids: Sequence[int], now: datetime) -> int:
    """Delete contacts of the workspace with all that is known of them and return how many there were."""
    return delete_contacts(session, workspace_id, contact_ids, now, before=_PARTS)


def _forget_audited(session: Session, workspace_id: int, contact_ids: Sequence[int], now: datetime) -> None:
    rows = session.connection().execute(
        select(_CONTACT.c.email, _CONTACT.c.email_key).where(
            _CONTACT.c.workspace_id == workspace_id, _CONTACT.c.id.in_(list(contact_ids))
        )
    )
    audit.forget_subjects(session, workspace_id, [name for row in rows for name in row])


# Walks end first, so that nothing of theirs is queued anew.
_PARTS: Final[tuple[OnDelete, ...]] = (
    audience.contacts_deleted,
    conversations.contacts_deleted,
    sending.contacts_deleted,
    tracking.contacts_deleted,
    _forget_audited,
)
