"""What a reply stops: every walk of the contact, and by option those of the same company (campaigns.md, Settings)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, union
from sqlmodel import Session

from fluenzr_app.campaigns.enrollments import WALKING, end_walks
from fluenzr_app.campaigns.models import Campaign, Enrollment
from fluenzr_app.campaigns.settings import read_stored
from fluenzr_app.contacts.companies import company_of
from fluenzr_app.contacts.models import Contact
from fluenzr_app.contacts.statuses import set_statuses
from fluenzr_app.db.tables import table_of

_CAMPAIGN = table_of(Campaign)
_CONTACT = table_of(Contact)
_ENROLLMENT = table_of(Enrollment)
# What one statement takes as ids on every database.
_AT_ONCE = 5_000


def stop_on_reply(
    session: Session, workspace_id: int, contact_id: int, enrollment_id: int | None, now: datetime
) -> int:
    """End every walk of a contact who has answered, and mark the contact; return how many walks ended.

    The walk that was answered ends as `replied`, the others as `removed`; without one (an answer to a mail written by
    hand) all are `removed`. In campaigns that ask for it, whoever shares the company's domain is `removed` too, for
    `company_replied`.
    """
    contact = session.connection().execute(
        select(_CONTACT.c.domain, _CONTACT.c.status).where(
            _CONTACT.c.id == contact_id, _CONTACT.c.workspace_id == workspace_id
        )
    ).first()  # fmt: skip
    if contact is None:
        return 0
    ids = _own(workspace_id, contact_id)
    company = company_of(contact.domain)
    campaigns = _that_stop_companies(session, workspace_id) if company else []
    wanted = union(ids, _colleagues(workspace_id, contact_id, company, campaigns)) if campaigns else ids
    ends = []
    for row in _locked(session, wanted):
        status, reason = _end(row, contact_id, enrollment_id)
        if not (row.status == "completed" and status == "removed"):
            ends.append((row.id, row.campaign_id, row.status, status, reason))
    end_walks(session, ends, now)
    if contact.status == "active":
        set_statuses(session, workspace_id, [contact_id], "replied", now)
    return len(ends)


def _end(row: Any, contact_id: int, enrollment_id: int | None) -> tuple[str, str]:
    if row.contact_id != contact_id:
        return "removed", "company_replied"
    return ("replied", "replied") if row.id == enrollment_id else ("removed", "replied_elsewhere")


def _that_stop_companies(session: Session, workspace_id: int) -> list[int]:
    rows = session.connection().execute(
        select(_CAMPAIGN.c.id, _CAMPAIGN.c.settings).where(
            _CAMPAIGN.c.workspace_id == workspace_id, _CAMPAIGN.c.status.in_(("draft", "active", "paused"))
        )
    )
    return [row.id for row in rows if read_stored(row.settings).stop_company_on_reply]


def _own(workspace_id: int, contact_id: int) -> Select[Any]:
    return select(_ENROLLMENT.c.id).where(
        _ENROLLMENT.c.contact_id == contact_id,
        _ENROLLMENT.c.workspace_id == workspace_id,
        _ENROLLMENT.c.status.in_((*WALKING, "completed")),
    )


def _colleagues(workspace_id: int, contact_id: int, company: str, campaign_ids: Sequence[int]) -> Select[Any]:
    return (
        select(_ENROLLMENT.c.id)
        .select_from(_CONTACT.join(_ENROLLMENT, _ENROLLMENT.c.contact_id == _CONTACT.c.id))
        .where(
            _CONTACT.c.workspace_id == workspace_id,
            _CONTACT.c.domain == company,
            _CONTACT.c.id != contact_id,
            _ENROLLMENT.c.campaign_id.in_(list(campaign_ids)),
            _ENROLLMENT.c.status.in_(WALKING),
        )
    )


def _locked(session: Session, wanted: Any) -> list[Any]:
    """Lock all of them by ascending id: two colleagues who answer at once must not wait for each other.

    They are named by their ids: a planner without statistics of thousands of new rows would look through all of them
    once for each.
    """
    connection = session.connection()
    ids = sorted(connection.execute(wanted).scalars())
    found: list[Any] = []
    # Asked again: what was waited for may have ended meanwhile.
    still = _ENROLLMENT.c.status.in_((*WALKING, "completed"))
    for begin in range(0, len(ids), _AT_ONCE):
        found += connection.execute(
            select(_ENROLLMENT.c.id, _ENROLLMENT.c.contact_id, _ENROLLMENT.c.campaign_id, _ENROLLMENT.c.status)
            .where(_ENROLLMENT.c.id.in_(ids[begin : begin + _AT_ONCE]), still)
            .order_by(_ENROLLMENT.c.id)
            .with_for_update()
        ).all()  # fmt: skip
    return found
