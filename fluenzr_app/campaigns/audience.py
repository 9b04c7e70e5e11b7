"""Who a campaign writes to: adding contacts, groups and filters, taking contacts out, reading the walks."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlmodel import Session

from fluenzr_app.campaigns.content import CONTENT_FAULTS
from fluenzr_app.campaigns.enrollments import WALKING, Enrolled, Moves, count_moves, end_walks, enroll, revive
from fluenzr_app.campaigns.errors import WrongState
from fluenzr_app.campaigns.models import Enrollment
from fluenzr_app.campaigns.service import get_campaign, lock_campaign
from fluenzr_app.contacts.models import Group, GroupMember
from fluenzr_app.db.tables import table_of
from fluenzr_app.sending.models import Message

_ENROLLMENT = table_of(Enrollment)
_MESSAGE = table_of(Message)
_MEMBER = table_of(GroupMember)
_GROUP = table_of(Group)
_CHUNK = 1_000


@dataclass(frozen=True, slots=True)
class Added:
    """How many contacts were added (revived ones included) and skipped, and why each one was skipped."""

    added: int
    skipped: dict[int, str]


def add_contacts(
    session: Session,
    workspace_id: int,
    campaign_id: int,
    contact_ids: Sequence[int],
    now: datetime,
    rng: random.Random,
) -> Added:
    """Enroll contacts in a campaign that is not over; members of its excluded groups are skipped.

    Raises CampaignNotFound, and WrongState for a completed or archived campaign (duplicate it).
    """
    campaign = lock_campaign(session, workspace_id, campaign_id)
    if campaign.status in ("completed", "archived"):
        raise WrongState(campaign.status, "This campaign is over. Duplicate it to write to more contacts.")
    excluded = _members(
        session, workspace_id, get_campaign(session, workspace_id, campaign_id).settings.excluded_group_ids
    )
    skipped = {contact_id: "excluded_group" for contact_id in contact_ids if contact_id in excluded}
    wanted = [contact_id for contact_id in dict.fromkeys(contact_ids) if contact_id not in excluded]
    added = 0
    for begin in range(0, len(wanted), _CHUNK):
        result: Enrolled = enroll(session, workspace_id, campaign_id, wanted[begin : begin + _CHUNK], now, rng)
        added += len(result.added) + len(result.revived)
        skipped.update(result.skipped)
    return Added(added, skipped)


def enroll_groups(
    session: Session, workspace_id: int, campaign_id: int, group_ids: Sequence[int], now: datetime, rng: random.Random
) -> int:
    """Enroll the members of groups of the workspace; return how many were added."""
    members = sorted(_members(session, workspace_id, tuple(group_ids)))
    return add_contacts(session, workspace_id, campaign_id, members, now, rng).added if members else 0


def remove_contacts(
    session: Session, workspace_id: int, campaign_id: int, contact_ids: Sequence[int], now: datetime
) -> int:
    """Take contacts out of a campaign: their walks end as `removed`; return how many did. Raises CampaignNotFound."""
    lock_campaign(session, workspace_id, campaign_id)
    # An answer that is being stored does not ask for the campaign's row.
    rows = (
        session.connection()
        .execute(
            select(_ENROLLMENT.c.id, _ENROLLMENT.c.campaign_id, _ENROLLMENT.c.status)
            .where(
                _ENROLLMENT.c.campaign_id == campaign_id,
                _ENROLLMENT.c.workspace_id == workspace_id,
                _ENROLLMENT.c.contact_id.in_(list(contact_ids)),
                _ENROLLMENT.c.status.in_(WALKING),
            )
            .order_by(_ENROLLMENT.c.id)
            .with_for_update()
        )
        .all()
    )
    end_walks(session, [(row.id, row.campaign_id, row.status, "removed", "by_user") for row in rows], now)
    return len(rows)


def try_again(session: Session, workspace_id: int, campaign_id: int, now: datetime) -> int:
    """Let contacts whose mail could not be made go on where they stood, after its text was mended; return how many.

    Raises CampaignNotFound, and WrongState for a completed or archived campaign.
    """
    campaign = lock_campaign(session, workspace_id, campaign_id)
    if campaign.status in ("completed", "archived"):
        raise WrongState(campaign.status, "This campaign is over. Duplicate it to write to these contacts.")
    rows = (
        session.connection()
        .execute(
            select(_ENROLLMENT.c.id, _ENROLLMENT.c.contact_id, _ENROLLMENT.c.account_id)
            .where(
                _ENROLLMENT.c.campaign_id == campaign_id,
                _ENROLLMENT.c.status == "error",
                _ENROLLMENT.c.end_reason.in_(CONTENT_FAULTS),
            )
            .order_by(_ENROLLMENT.c.id)
            .with_for_update()
        )
        .all()
    )
    for begin in range(0, len(rows), _CHUNK):
        count_moves(session, revive(session, campaign_id, rows[begin : begin + _CHUNK], now, "error"))
    return len(rows)


def enrolled_among(session: Session, workspace_id: int, campaign_id: int, contact_ids: Sequence[int]) -> set[int]:
    """Return those of the contacts that are in the campaign and were not taken out again."""
    rows = session.connection().execute(
        select(_ENROLLMENT.c.contact_id).where(
            _ENROLLMENT.c.campaign_id == campaign_id,
            _ENROLLMENT.c.workspace_id == workspace_id,
            _ENROLLMENT.c.contact_id.in_(list(contact_ids)),
            _ENROLLMENT.c.status != "removed",
        )
    )
    return set(rows.scalars())


def contacts_deleted(session: Session, workspace_id: int, contact_ids: Sequence[int], now: datetime) -> None:
    """Let nothing point at contacts that are about to be deleted: their walks end and go with them."""
    connection = session.connection()
    rows = connection.execute(
        select(_ENROLLMENT.c.id, _ENROLLMENT.c.campaign_id, _ENROLLMENT.c.status)
        .where(_ENROLLMENT.c.workspace_id == workspace_id, _ENROLLMENT.c.contact_id.in_(list(contact_ids)))
        .order_by(_ENROLLMENT.c.id)
        .with_for_update()
    ).all()
    connection.execute(
        update(_MESSAGE)
        .where(_MESSAGE.c.enrollment_id.in_([row.id for row in rows]), _MESSAGE.c.status.in_(("queued", "claimed")))
        .values(status="cancelled", reason="contact_deleted", worker_id=None)
    )
    connection.execute(delete(_ENROLLMENT).where(_ENROLLMENT.c.id.in_([row.id for row in rows])))
    moves: Moves = Moves()
    for row in rows:
        moves[(row.campaign_id, row.status)] -= 1
    count_moves(session, moves)


def _members(session: Session, workspace_id: int, group_ids: Sequence[int]) -> set[int]:
    if not group_ids:
        return set()
    rows = session.connection().execute(
        select(_MEMBER.c.contact_id)
        .join_from(_MEMBER, _GROUP, _GROUP.c.id == _MEMBER.c.group_id)
        .where(_GROUP.c.workspace_id == workspace_id, _MEMBER.c.group_id.in_(list(group_ids)))
    )
    return set(rows.scalars())
