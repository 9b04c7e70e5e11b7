"""Where a campaign stands as a whole: what holds it up, when its next mail leaves, and who stands at which step."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlmodel import Session

from fluenzr_app.campaigns.enrollments import IS_WALKING, WALKING
from fluenzr_app.campaigns.models import Enrollment, Node
from fluenzr_app.campaigns.progress import facts_of_campaigns
from fluenzr_app.campaigns.waiting import CampaignFacts, Waiting, WalkFacts, why_waiting
from fluenzr_app.contacts.models import Contact
from fluenzr_app.db.tables import table_of
from fluenzr_app.sending.models import Message
from fluenzr_app.sending.rows import OPEN

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
    return standings_of(session, [campaign_id], now)[campaign_id]


def standings_of(session: Session, campaign_ids: Sequence[int], now: datetime) -> dict[int, Standing]:
    """Return `standing_of` of several campaigns by id, in as many statements for all as for one."""
    if not campaign_ids:
        return {}
    groups = _groups(session, campaign_ids)
    uncertain = _uncertain(session, campaign_ids)
    more = {key: [group.account_id for group in waiters] for key, waiters in groups.items()}
    facts = facts_of_campaigns(session, more, now)
    return {
        key: _standing(groups[key], facts[key], uncertain.get(key, 0), now)
        if key in groups
        else Standing(None, 0, False, None, uncertain.get(key, 0))
        for key in campaign_ids
    }


def _standing(groups: Sequence[_Waiters], facts: CampaignFacts, uncertain: int, now: datetime) -> Standing:
    reasons = [(group, _reason(group, facts, now)) for group in groups]
    broken = [(group, reason) for group, reason in reasons if _is_to_mend(reason)]
    waiting = [(group, reason) for group, reason in reasons if not _is_to_mend(reason)]
    next_at = min((at for _, reason in waiting if (at := reason.resumes_at) is not None), default=None)
    shown = broken or [min(waiting, key=lambda each: (each[1].code not in MOVING, each[1].resumes_at or now))]
    contacts = sum(group.contacts for group, reason in reasons if reason.code == shown[0][1].code)
    return Standing(shown[0][1], contacts, bool(broken) and not waiting, next_at, uncertain)


def contacts_at_steps(session: Session, workspace_id: int, campaign_id: int, first: str = "") -> dict[str, int]:
    """Return for each mail, by its key, how many contacts get it next; mails for nobody are left out.

    Who has not begun stands at no step yet and gets the mail `first`.
    """
    rows = session.connection().execute(
        select(_NODE.c.key, func.count())
        .join_from(_ENROLLMENT, _NODE, _NODE.c.id == _ENROLLMENT.c.node_id, isouter=True)
        .where(
            _ENROLLMENT.c.campaign_id == campaign_id,
            _ENROLLMENT.c.workspace_id == workspace_id,
            _ENROLLMENT.c.status.in_(WALKING),
        )
        .group_by(_NODE.c.key)
    )
    found: dict[str, int] = {}
    for key, n in rows:
        found[key or first] = found.get(key or first, 0) + int(n)
    return {key: n for key, n in found.items() if key}


def _is_to_mend(reason: Waiting) -> bool:
    return reason.code in TO_MEND or (reason.code == "account_paused" and reason.resumes_at is None)


def _reason(group: _Waiters, facts: CampaignFacts, now: datetime) -> Waiting:
    walk = WalkFacts("in_progress" if group.account_id else "pending", group.account_id, group.due_at)
    held = why_waiting(WalkFacts(walk.status, walk.account_id, now), facts, now)
    # What has to be mended is said even while the first of them still waits for a delay.
    if held is not None and _is_to_mend(held):
        return held
    return why_waiting(walk, facts, now) or Waiting("turn", now)


def _groups(session: Session, campaign_ids: Iterable[int]) -> Mapping[int, Sequence[_Waiters]]:
    """Return for each campaign with contacts under way by which account these wait, most of them first."""
    rows = session.connection().execute(
        select(_ENROLLMENT.c.campaign_id, _ENROLLMENT.c.account_id, func.count(), func.min(_ENROLLMENT.c.due_at))
        .where(_ENROLLMENT.c.campaign_id.in_(list(campaign_ids)), IS_WALKING)
        .group_by(_ENROLLMENT.c.campaign_id, _ENROLLMENT.c.account_id)
    )
    found: dict[int, list[_Waiters]] = {}
    for campaign_id, account_id, contacts, due_at in rows:
        found.setdefault(campaign_id, []).append(_Waiters(account_id, int(contacts), due_at))
    return {key: sorted(waiters, key=_most_first) for key, waiters in found.items()}


def _most_first(group: _Waiters) -> tuple[int, int]:
    return -group.contacts, group.account_id or 0


def _uncertain(session: Session, campaign_ids: Iterable[int]) -> Mapping[int, int]:
    rows = session.connection().execute(
        select(_MESSAGE.c.campaign_id, func.count())
        .where(_MESSAGE.c.campaign_id.in_(list(campaign_ids)), OPEN, _MESSAGE.c.status == "uncertain")
        .group_by(_MESSAGE.c.campaign_id)
    )
    return {campaign_id: int(n) for campaign_id, n in rows}


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
