"""What happens to campaigns by itself: due follow-ups are queued, stranded contacts freed, finished ones closed."""

import logging
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, exists, func, select, update
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns.brake import apply_brake, to_brake
from fluenzr_app.campaigns.models import Campaign, CampaignGroup, Enrollment, EnrollmentCount
from fluenzr_app.campaigns.origin import unfeed
from fluenzr_app.campaigns.planner import queue_follow_ups
from fluenzr_app.campaigns.plans import PLAN_ROWS, Plans
from fluenzr_app.clock import Clock
from fluenzr_app.contacts.models import Group
from fluenzr_app.db.engine import Database
from fluenzr_app.db.tables import table_of
from fluenzr_app.sending.models import Message
from fluenzr_app.sending.rows import OPEN

log = logging.getLogger(__name__)
_CAMPAIGN = table_of(Campaign)
_ENROLLMENT = table_of(Enrollment)
_COUNT = table_of(EnrollmentCount)
_MESSAGE = table_of(Message)
_ACCOUNT = table_of(EmailAccount)
_GROUP = table_of(Group)
_LINK = table_of(CampaignGroup)
# One transaction's share: the database must never be held for long.
CHUNK = 500


@dataclass(frozen=True, slots=True)
class Ticked:
    """What one tick did: follow-ups queued, contacts freed from a failed account, campaigns completed and braked."""

    queued: int = 0
    freed: int = 0
    completed: int = 0
    braked: int = 0


def tick(db: Database, clock: Clock, plans: Plans, rng: random.Random) -> Ticked:
    """Do everything that is due in all active campaigns, in short transactions."""
    now = clock.now()
    with db.read() as session:
        due = campaigns_with_due_follow_ups(session, now)
        stranded = _stranded(session)
        finished = _finished(session)
        bouncing = to_brake(session)
    # First of all: what has to stop must not be given more to send.
    braked = sum(_apart(each, db.transact, apply_brake, workspace, each, now) for workspace, each in bouncing)
    queued = sum(_apart(campaign_id, _queue_all, db, plans, campaign_id, now, rng) for campaign_id in due)
    freed = db.transact(unfeed, stranded, now) if stranded else 0
    completed = sum(_apart(each, db.transact, complete_if_finished, each, now) for each in finished)
    return Ticked(queued, freed, completed, braked)


def _apart(campaign_id: int, work: Callable[..., int], *arguments: Any) -> int:
    """Return what `work` returns, 0 when it fails: one campaign's fault must not stop the others, nor the heartbeat."""
    try:
        return work(*arguments)
    except Exception:
        log.exception("a campaign's tick failed", extra={"campaign_id": campaign_id})
        return 0


def complete_if_finished(session: Session, campaign_id: int, now: datetime) -> bool:
    """Complete an active campaign whose walks have all ended and that has nothing queued, in flight or uncertain."""
    locked = select(_CAMPAIGN.c.id).where(_CAMPAIGN.c.id == campaign_id, _CAMPAIGN.c.status == "active")
    if session.connection().execute(locked.with_for_update()).first() is None:
        return False
    if campaign_id not in _finished(session):
        return False
    session.connection().execute(
        update(_CAMPAIGN)
        .where(_CAMPAIGN.c.id == campaign_id, _CAMPAIGN.c.status == "active")
        .values(status="completed", completed_at=now, updated_at=now, revision=_CAMPAIGN.c.revision + 1)
    )
    return True


def _queue_all(db: Database, plans: Plans, campaign_id: int, now: datetime, rng: random.Random) -> int:
    total = 0
    while True:
        queued = db.transact(queue_some, plans, campaign_id, now, rng)
        total += queued
        if queued < CHUNK:
            return total


def queue_some(session: Session, plans: Plans, campaign_id: int, now: datetime, rng: random.Random) -> int:
    """Queue one chunk of a campaign's due follow-ups; return how many walks were worked on."""
    row = (
        session.connection()
        .execute(PLAN_ROWS.where(_CAMPAIGN.c.id == campaign_id, _CAMPAIGN.c.status == "active").with_for_update())
        .first()
    )
    return 0 if row is None else queue_follow_ups(session, plans.of_row(session, row), CHUNK, now, rng)


def campaigns_with_due_follow_ups(session: Session, now: datetime) -> Sequence[int]:
    """Return the active campaigns in which a follow-up is due."""
    due = exists().where(
        _ENROLLMENT.c.campaign_id == _CAMPAIGN.c.id,
        _ENROLLMENT.c.account_id.is_not(None),
        _ENROLLMENT.c.due_at.is_not(None),
        _ENROLLMENT.c.due_at <= now,
    )
    return list(
        session.connection()
        .execute(select(_CAMPAIGN.c.id).where(_CAMPAIGN.c.status == "active", due).order_by(_CAMPAIGN.c.id))
        .scalars()
    )


def _stranded(session: Session) -> Sequence[int]:
    """Return first mails, never attempted, that wait for an account which cannot send."""
    statement = (
        select(_MESSAGE.c.id)
        .join_from(_MESSAGE, _ACCOUNT, _ACCOUNT.c.id == _MESSAGE.c.account_id)
        .join(_CAMPAIGN, _CAMPAIGN.c.id == _MESSAGE.c.campaign_id)
        .where(
            _ACCOUNT.c.status != "connected",
            _CAMPAIGN.c.status == "active",
            _MESSAGE.c.status == "queued",
            _MESSAGE.c.priority == 1,
            _MESSAGE.c.attempts == 0,
        )
        .limit(CHUNK)
    )
    return list(session.connection().execute(statement).scalars())


def _finished(session: Session) -> Sequence[int]:
    walking = (
        select(func.coalesce(func.sum(_COUNT.c.n), 0))
        .where(_COUNT.c.campaign_id == _CAMPAIGN.c.id, _COUNT.c.status.in_(("pending", "in_progress")))
        .scalar_subquery()
    )
    some = exists().where(_COUNT.c.campaign_id == _CAMPAIGN.c.id, _COUNT.c.n > 0)
    open_message = exists().where(
        and_(
            _MESSAGE.c.campaign_id == _CAMPAIGN.c.id,
            OPEN,
        )
    )
    dynamic = exists().where(
        _LINK.c.campaign_id == _CAMPAIGN.c.id, _LINK.c.group_id == _GROUP.c.id, _GROUP.c.kind == "dynamic"
    )
    statement = select(_CAMPAIGN.c.id).where(
        _CAMPAIGN.c.status == "active", walking == 0, some, ~open_message, ~dynamic
    )
    return list(session.connection().execute(statement).scalars())
