"""What may be done with many contacts at once, one transaction per batch, all rooms in it that are concerned."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime
from typing import Literal, get_args

from sqlmodel import Session

from fluenzr_app.campaigns import audience
from fluenzr_app.campaigns.enrollments import stop_contact
from fluenzr_app.contacts import labels, suppression
from fluenzr_app.contacts.listing import ContactFilter, matching_ids
from fluenzr_app.contacts.service import archive_contacts
from fluenzr_app.events.record import NewEvent, record
from fluenzr_app.inbox.erasure import erase_people
from fluenzr_app.workspaces import audit
from fluenzr_app.workspaces.service import Identity

Act = Literal["campaign", "tag", "group", "archive", "unsubscribe", "block", "delete"]
ACTS: tuple[Act, ...] = get_args(Act)
BATCH = 250
"""Contacts per transaction: none holds the database long (contacts.md asks 200 ms of the import)."""


def next_batch(
    session: Session, workspace_id: int, filters: ContactFilter | None, chosen: Sequence[int], after: int
) -> list[int]:
    """Return the next ids to work on: of the whole filter, or of those chosen, beyond `after` and in key order."""
    if filters is not None:
        return matching_ids(session, workspace_id, filters, after=after, most=BATCH)
    return sorted(key for key in set(chosen) if key > after)[:BATCH]


def do_batch(
    session: Session,
    identity: Identity,
    act: Act,
    contact_ids: Sequence[int],
    now: datetime,
    *,
    tags: Sequence[str] = (),
    group_id: int = 0,
    campaign_id: int = 0,
) -> int:
    """Do one batch and return how many contacts were changed by it.

    Raises GroupNotFound, InvalidValue ``bad_tag``, CampaignNotFound, campaigns' WrongState.
    """
    workspace_id = identity.workspace_id
    if act == "tag":
        return labels.add_tags(session, workspace_id, tags, contact_ids)
    if act == "group":
        return labels.add_to_group(session, workspace_id, group_id, contact_ids)
    if act == "campaign":
        rng = random.Random()  # noqa: S311 - spreads the sends, keeps no secret
        return audience.add_contacts(session, workspace_id, campaign_id, contact_ids, now, rng).added
    mine = labels.own_contacts(session, workspace_id, contact_ids)
    if act == "archive":
        for contact_id in mine:
            stop_contact(session, workspace_id, contact_id, "removed", "contact_archived", now)
        return archive_contacts(session, workspace_id, mine, now)
    if act == "delete":
        deleted = erase_people(session, workspace_id, mine, now)
        audit.record(session, identity, workspace_id, "contacts.deleted", "contacts", {"count": deleted}, now)
        return deleted
    return sum(say_no(session, workspace_id, contact_id, act, now) for contact_id in mine)


def say_no(session: Session, workspace_id: int, contact_id: int, act: Act, now: datetime) -> bool:
    """Put a contact on the suppression list by hand and end its sequences; True unless it was on it before.

    `unsubscribe` is for somebody who asked for it by another way, `block` for somebody never to be written to.
    """
    asked = act == "unsubscribe"
    first = suppression.suppress_contact(session, workspace_id, contact_id, "unsubscribe" if asked else "manual", now)
    status, reason = ("unsubscribed", "unsubscribed_by_hand") if asked else ("removed", "contact_blocked")
    stop_contact(session, workspace_id, contact_id, status, reason, now)
    if first and asked:
        event = NewEvent(
            workspace_id=workspace_id,
            type="email.unsubscribed",
            dedupe_key=f"email.unsubscribed:contact:{contact_id}",
            at=now,
            contact_id=contact_id,
            data={"how": "by_hand"},
        )
        record(session, [event])
    return first
