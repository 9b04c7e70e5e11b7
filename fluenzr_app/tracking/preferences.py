"""What the person behind a mail decides about it: to be tracked or not, to be written to or not (tracking.md, Opens).

The token is the unsubscribe link's; like that one it works for ever, also after the contact was deleted.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from fluenzr_app.contacts import suppression
from fluenzr_app.contacts.models import Contact
from fluenzr_app.events.record import NewEvent, record
from fluenzr_app.tracking.errors import BadLink
from fluenzr_app.tracking.objections import object_to_tracking, objected_at, withdraw_objection
from fluenzr_app.tracking.unsubscribe import UnsubscribeLink
from fluenzr_app.workspaces.models import Workspace

OBJECTED = "contact.tracking_objected"
ALLOWED = "contact.tracking_allowed"


@dataclass(frozen=True, slots=True)
class Preferences:
    """What the page says: who writes, in which language, what was decided, and what is kept of openings and clicks.

    `zone` is the workspace's, for dates. `details_days` is for how many days the workspace keeps each opening and
    click with its address; None where it keeps the first dates alone.
    """

    workspace_name: str
    language: str
    zone: str
    objected_at: datetime | None
    unsubscribed: bool
    track_opens: bool
    track_clicks: bool
    details_days: int | None


def preferences_of(session: Session, link: UnsubscribeLink) -> Preferences:
    """Return how things stand for the person behind a link; raises BadLink when the workspace is gone."""
    workspace = session.get(Workspace, link.workspace_id)
    if workspace is None:
        raise BadLink
    contact = _contact_of(session, link)
    now_hash = link.email_hash if contact is None else contact[0]
    since = [
        at
        for email_hash in {link.email_hash, now_hash}
        if (at := objected_at(session, link.workspace_id, email_hash, link.contact_id or None)) is not None
    ]
    return Preferences(
        workspace_name=workspace.name,
        language=(contact[1] if contact else "") or workspace.language,
        zone=workspace.timezone,
        objected_at=min(since, default=None),
        unsubscribed=suppression.has_hash(session, link.workspace_id, link.email_hash),
        track_opens=workspace.track_opens,
        track_clicks=workspace.track_clicks,
        details_days=workspace.tracking_details_days if workspace.tracking_details else None,
    )


def object_by_link(session: Session, link: UnsubscribeLink, now: datetime) -> bool:
    """Let the person behind a link object, with a note in the contact's history; True unless they had before."""
    contact = _contact_of(session, link)
    known = None if contact is None else link.contact_id
    first = object_to_tracking(session, link.workspace_id, link.email_hash, now, known)
    if contact is not None and contact[0] != link.email_hash:
        # Also under the address that the contact has by now: should it be deleted and come back, it is known by that.
        first = object_to_tracking(session, link.workspace_id, contact[0], now) and first
    if first and contact is not None:
        record(session, [_event(link, OBJECTED, now)])
    return first


def allow_by_link(session: Session, link: UnsubscribeLink, now: datetime) -> bool:
    """Take the objection of the person behind a link back, with a note in the history; True if there was one."""
    contact = _contact_of(session, link)
    known = None if contact is None else link.contact_id
    hashes = {link.email_hash} if contact is None else {link.email_hash, contact[0]}
    taken_back = [withdraw_objection(session, link.workspace_id, each, known) for each in sorted(hashes)]
    if any(taken_back) and contact is not None:
        record(session, [_event(link, ALLOWED, now)])
    return any(taken_back)


def _contact_of(session: Session, link: UnsubscribeLink) -> tuple[bytes, str] | None:
    mine = col(Contact.workspace_id) == link.workspace_id, col(Contact.id) == link.contact_id
    row = session.exec(select(Contact.email_hash, Contact.language).where(*mine)).first()
    return None if row is None else (bytes(row[0]), row[1])


def _event(link: UnsubscribeLink, kind: str, now: datetime) -> NewEvent:
    # People change their minds: only the moment tells one change from the next.
    moment = now.isoformat(timespec="microseconds")
    return NewEvent(
        workspace_id=link.workspace_id,
        type=kind,
        dedupe_key=f"{kind}:contact:{link.contact_id}:{moment}",
        at=now,
        contact_id=link.contact_id,
    )
