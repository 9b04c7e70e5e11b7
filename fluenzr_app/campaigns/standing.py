"""Where a campaign stands as a whole: what holds it up, when its next mail leaves, and who stands at which step."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session

from fluenzr_app.campaigns.enrollments import WALKING
from fluenzr_app.campaigns.models import Enrollment, Node
from fluenzr_app.campaigns.progress import campaign_facts
from fluenzr_app.campaigns.waiting import CampaignFacts, Waiting, WalkFacts, why_waiting
from fluenzr_app.contacts.models import Contact
from fluenzr_app.db.tables import table_of
from fluenzr_app.sending.models import Message

_ENROLLMENT = table_of(Enrollment)
_MESSAGE = table_of(Message)
_NODE = table_of(Node)
_CONTACT = table_of(Contact)

# Reasons that do not end by themselves: somebody has to mend something (symptoms.md, 6).
TO_MEND = frozenset({"account_error", "account_removed", "no_account", "window_never_opens", "held"})
MOVING = frozenset({"turn", "leaving"})


@dataclass(frozen=True, slots=True)
class Standing:
    """What a campaign's contacts wait for.

    `waiting` is the reason that matters most (one to mend first), `contacts` how many it concerns. `stands` says that
    nothing leaves until somebody mends it. `next_at` is when the next mail may leave, None when nobody knows or nobody
    waits. `uncertain` counts messages that wait for a decision.
    """

    waiting: Waiting | None
    contacts: int
    stands: bool
    next_at: datetime | None
    uncertain: int


@dataclass(frozen=True, slots=True)
class _Waiters:
    """Contacts of a campaign that write from the same account, or have none yet: how many, and who is due first."""

    account_id: int | None
    contacts: int
    due_at: datetime | None


def standing_of(session: Session, campaign_id: int, now: datetime) -> Standing:
    """Return where an active or paused campaign stands; the caller has checked whose campaign it is."""
    groups = _groups(session, campaign_id)
    uncertain = _uncertain(session, campaign_id)
    if not groups:
        return Standing(None, 0, False, None, uncertain)
    facts = campaign_facts(session, campaign_id, now, [group.account_id for group in groups])
    reasons = [(group, _reason(group, facts, now)) for group in groups]
    broken = [(group, reason) for group, reason in reasons if _is_to_mend(reason)]
    waiting = [(group, reason) for group, reason in reasons if not _is_to_mend(reason)]
    next_at = min((at for _, reason in waiting if (at := reason.resumes_at) is not None), default=None)
    shown = broken or [min(waiting, key=lambda each: (each[1].code not in MOVING, each[1].resumes_at or now))]
    contacts = sum(group.contacts for group, reason in reasons if reason.code == shown[0][1].code)
    return Standing(shown[0][1], contacts, bool(broken) and not waiting, next_at, uncertain)


def contacts_at_steps(session: Session, workspace_id: int, campaign_id: int) -> dict[str, int]:
    """Return for each mail, by its key, how many contacts get it next; mails for nobody are left out."""
    rows = session.connection().execute(
        select(_NODE.c.key, func.count())
        .join_from(_ENROLLMENT, _NODE, _NODE.c.id == _ENROLLMENT.c.node_id)
        .where(
            _ENROLLMENT.c.campaign_id == campaign_id,
            _ENROLLMENT.c.workspace_id == workspace_id,
            _ENROLLMENT.c.status.in_(WALKING),
        )
        .group_by(_NODE.c.key)
    )
    return {key: int(n) for key, n in rows}


def _is_to_mend(reason: Waiting) -> bool:
    return reason.code in TO_MEND or (reason.code == "account_paused" and reason.resumes_at is None)


def _reason(group: _Waiters, facts: CampaignFacts, now: datetime) -> Waiting:
    walk = WalkFacts("in_progress" if group.account_id else "pending", group.account_id, group.due_at)
    held = why_waiting(WalkFacts(walk.status, walk.account_id, now), facts, now)
    # What has to be mended is said even while the first of them still waits for a delay.
    if held is not None and _is_to_mend(held):
        return held
    return why_waiting(walk, facts, now) or Waiting("turn", now)


def _groups(session: Session, campaign_id: int) -> Sequence[_Waiters]:
    rows: Sequence[Any] = (
        session.connection()
        .execute(
            select(_ENROLLMENT.c.account_id, func.count(), func.min(_ENROLLMENT.c.due_at))
            .where(_ENROLLMENT.c.campaign_id == campaign_id, _ENROLLMENT.c.status.in_(WALKING))
            .group_by(_ENROLLMENT.c.account_id)
            .order_by(func.count().desc())
        )
        .all()
    )
    return [_Waiters(*row) for row in rows]


def _uncertain(session: Session, campaign_id: int) -> int:
    statement = select(func.count()).where(_MESSAGE.c.campaign_id == campaign_id, _MESSAGE.c.status == "uncertain")
    return int(session.connection().execute(statement).scalar_one())


def waiting_without_consent(session: Session, workspace_id: int, campaign_id: int) -> int:
    """Return how many contacts under way have no source of consent."""
    statement = (
        select(func.count())
        .select_from(_ENROLLMENT.join(_CONTACT, _CONTACT.c.id == _ENROLLMENT.c.contact_id))
        .where(
            _ENROLLMENT.c.campaign_id == campaign_id,
            _ENROLLMENT.c.workspace_id == workspace_id,
            _ENROLLMENT.c.status.in_(WALKING),
            _CONTACT.c.consent_source == "not_specified",
        )
    )
    return int(session.connection().execute(statement).scalar_one())
