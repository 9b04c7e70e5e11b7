"""Telling a few seconds later who made each hit, a person or a machine, and recording it as an event (tracking.md).

Rules, the first that holds: the hidden link; all links at once; what the request told by itself; too soon after the
mail left; the burst around a machine that fetched all links; an image proxy, which counts as the workspace says; a
person.

All links at once means: two links of the mail, or more, within three seconds. A link does not carry how many stand
beside it, as they are made one after the other; but a mail should have two at most (tracking.md, content check), for
which both are all. In a longer one scanners take a sample, while a person reads at least a line of the first page; and
should somebody open two at once, it costs the one minute after which they count again.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, bindparam, delete, func, select, update
from sqlmodel import Session

from fluenzr_app.contacts.models import Contact
from fluenzr_app.db.engine import Database
from fluenzr_app.db.tables import table_of
from fluenzr_app.db.types import AnyRow
from fluenzr_app.events.record import NewEvent, record
from fluenzr_app.tracking.machines import counts_as_machine
from fluenzr_app.tracking.models import Hit
from fluenzr_app.tracking.objections import objecting_contacts
from fluenzr_app.workspaces.models import Workspace

JUDGE_AFTER: Final = timedelta(seconds=10)
"""How long a hit waits for those that came with it."""
TOO_SOON: Final = timedelta(seconds=10)
ALL_AT_ONCE: Final = timedelta(seconds=3)
BURST: Final = timedelta(seconds=60)

OPENED: Final = "email.opened"
CLICKED: Final = "email.clicked"
LINK_CLICKED: Final = "email.link_clicked"

AT_ONCE: Final = 500
"""Hits per transaction: sending mail waits for the same lock on SQLite."""
# All hits of a mail are judged together; where somebody plays with links, so many of them.
_MOST_TOGETHER: Final = 5_000
# In detail, of one mail: the first ones. What somebody plays with would fill the table.
_MOST_KEPT: Final = 500
_MOST_ANCHORS: Final = 1_000
_ANCHORS: Final = ("trap", "all_links")
# A statement takes so many values at most.
_IN_ONE: Final = 5_000
# "judge", as a number: the lock that one judge at a time holds on PostgreSQL.
_LOCK: Final = 0x6A75646765

_HIT = table_of(Hit)
_CONTACT = table_of(Contact)
_WORKSPACE = table_of(Workspace)


@dataclass(frozen=True, slots=True)
class _Person:
    """Whether a contact is still there; `objects_since` is absent for somebody who does not object to tracking."""

    is_there: bool
    objects_since: datetime | None


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What a hit is known to be. No `contact_id`: the contact was deleted. `details`: the row is kept."""

    hit: AnyRow
    rule: str
    machine: bool
    contact_id: int | None
    tells_opening: bool
    details: bool


def tick(db: Database, now: datetime) -> int:
    """Judge some of what is due, in a transaction only where there is something, and return how many hits it were."""
    with db.read() as session:
        if not anything_due(session, now):
            return 0
    return db.transact(judge_due, now)


def anything_due(session: Session, now: datetime) -> bool:
    """Return whether `judge_due` would find something to do: two looks into indexes."""
    oldest = _oldest_unjudged(session)
    if oldest is not None and oldest <= now - JUDGE_AFTER:
        return True
    return session.connection().execute(select(_HIT.c.id).where(_spent(oldest, now)).limit(1)).scalar() is not None


def judge_due(session: Session, now: datetime, limit: int = AT_ONCE) -> int:
    """Judge hits that are at least 10 s old, oldest first, with all of their mails, and return how many.

    Events, counts and the hits' end change together in the caller's transaction, so that each happens once whatever
    crashes. 0 means that nothing is due, or that another judge is at work.
    """
    connection = session.connection()
    if (
        connection.dialect.name == "postgresql"
        and not connection.execute(select(func.pg_try_advisory_xact_lock(_LOCK))).scalar_one()
    ):
        return 0
    hits, until = _due(session, now, limit)
    if hits:
        due = [hit for hit in hits if hit.judged_at is None and hit.at <= until]
        verdicts = _judge(session, due, _Bursts(hits))
        record(session, [event for verdict in verdicts for event in _events(verdict)])
        _settle(session, due, verdicts, now)
    else:
        due = []
    _forget_spent(session, now)
    return len(due)


def forget_old_details(session: Session, now: datetime, limit: int = 5_000) -> int:
    """Delete up to `limit` judged hits that are older than their workspace keeps details; return how many there were.

    In workspaces that keep none, what was kept before goes with the next judgement.
    """
    connection = session.connection()
    deleted = 0
    keeping = connection.execute(
        select(_WORKSPACE.c.id, _WORKSPACE.c.tracking_details_days).where(_WORKSPACE.c.tracking_details)
    ).all()
    for workspace_id, days in keeping:
        old = (
            select(_HIT.c.id)
            .where(
                _HIT.c.judged_at.is_not(None), _HIT.c.workspace_id == workspace_id, _HIT.c.at < now - timedelta(days)
            )
            .order_by(_HIT.c.at)
            .limit(limit - deleted)
        )
        deleted += connection.execute(delete(_HIT).where(_HIT.c.id.in_(old))).rowcount
        if deleted >= limit:
            break
    return deleted


def _due(session: Session, now: datetime, limit: int) -> tuple[Sequence[AnyRow], datetime]:
    """Return the oldest due hits and with them what else is stored of their mails: due, younger, or an anchor.

    Those until the moment that stands beside them can be judged: what came with them is there as well.
    """
    connection = session.connection()
    oldest = connection.execute(
        select(_HIT.c.at, _HIT.c.contact_id, _HIT.c.message_id)
        .where(_HIT.c.judged_at.is_(None), _HIT.c.at <= now - JUDGE_AFTER)
        .order_by(_HIT.c.at, _HIT.c.id)
        .limit(limit)
    ).all()
    until = now - JUDGE_AFTER
    if not oldest:
        return [], until
    # By the contact first, since that has an index.
    theirs = (
        _HIT.c.contact_id.in_({row.contact_id for row in oldest}),
        _HIT.c.message_id.in_({row.message_id for row in oldest}),
    )
    anchors = connection.execute(
        select(_HIT)
        .where(*theirs, _HIT.c.judged_at.is_not(None), _HIT.c.rule.in_(_ANCHORS), _HIT.c.at >= oldest[0].at - BURST)
        .order_by(_HIT.c.at.desc(), _HIT.c.id.desc())
        .limit(_MOST_ANCHORS)
    ).all()
    unjudged = connection.execute(
        select(_HIT).where(*theirs, _HIT.c.judged_at.is_(None)).order_by(_HIT.c.at, _HIT.c.id).limit(_MOST_TOGETHER)
    ).all()
    if len(unjudged) == _MOST_TOGETHER:
        # Who came with the last of these may not be among them. Where so many come within seconds, all are judged.
        sure = unjudged[-1].at - JUDGE_AFTER
        until = min(until, sure if unjudged[0].at <= sure else unjudged[-1].at)
    return sorted([*anchors, *unjudged], key=lambda hit: (hit.at, hit.id)), until


class _Bursts:
    """When machines asked for a mail's trap or for all of its links; these clicks are called anchors."""

    def __init__(self, hits: Iterable[AnyRow]) -> None:
        clicks: dict[int, list[AnyRow]] = {}
        # In the order of their times.
        for hit in hits:
            if hit.kind == "click":
                clicks.setdefault(hit.message_id, []).append(hit)
        self._rules: dict[int, str] = {}
        self._times: dict[int, list[datetime]] = {}
        for message_id, of_mail in clicks.items():
            at_once = _at_once([click for click in of_mail if click.rule != "trap"])
            for click in of_mail:
                rule = click.rule if click.rule in _ANCHORS else "all_links" if click.id in at_once else ""
                if rule:
                    self._rules[click.id] = rule
                    self._times.setdefault(message_id, []).append(click.at)

    def anchor(self, hit: AnyRow) -> str:
        """Return `trap` or `all_links` for a hit that is one of those, else nothing."""
        return self._rules.get(hit.id, "")

    def around(self, hit: AnyRow) -> bool:
        """Return whether a machine took all links of the mail within a minute before or after this hit."""
        times = self._times.get(hit.message_id, [])
        later = bisect_left(times, hit.at)
        return any(abs(hit.at - at) <= BURST for at in times[max(later - 1, 0) : later + 1])


def _at_once(clicks: Sequence[AnyRow]) -> set[int]:
    """Return those of a mail's clicks, ordered by time, that came within three seconds of one on another link."""
    found: set[int] = set()
    for order in (clicks, clicks[::-1]):
        other: AnyRow | None = None
        for before, here in pairwise(order):
            if before.link != here.link:
                other = before
            if other is not None and abs(here.at - other.at) <= ALL_AT_ONCE:
                found.add(here.id)
    return found


def _judge(session: Session, due: Sequence[AnyRow], bursts: _Bursts) -> list[_Verdict]:
    """Return the verdicts on those hits that may be counted at all, oldest first."""
    workspaces = _workspaces(session, {hit.workspace_id for hit in due})
    people = _people(session, due)
    verdicts = []
    for hit in due:
        workspace = workspaces.get(hit.workspace_id)
        person = people[hit.workspace_id, hit.contact_id]
        if workspace is None or not (workspace.track_opens if hit.kind == "open" else workspace.track_clicks):
            continue
        if person.objects_since is not None and hit.at >= person.objects_since:
            continue
        rule = _rule(hit, bursts)
        machine = counts_as_machine(rule, hit.kind, workspace.proxy_opens)
        verdicts.append(
            _Verdict(
                hit=hit,
                rule=rule,
                machine=machine,
                contact_id=hit.contact_id if person.is_there else None,
                tells_opening=hit.kind == "click" and not machine and hit.tracks_opens and workspace.track_opens,
                # Of somebody who was deleted nothing is kept.
                details=person.is_there and workspace.tracking_details,
            )
        )
    return verdicts


def _rule(hit: AnyRow, bursts: _Bursts) -> str:
    anchor = bursts.anchor(hit)
    if anchor:
        return anchor
    proxy = hit.rule.startswith("proxy_")
    if hit.rule and not proxy:
        return str(hit.rule)
    # Long before the mail left means that the clock was set back since, and tells nothing.
    if abs(hit.at - hit.composed_at) < TOO_SOON:
        return "too_soon"
    if bursts.around(hit):
        return "burst"
    return str(hit.rule) if proxy else "person"


def _workspaces(session: Session, ids: Iterable[int]) -> Mapping[int, AnyRow]:
    rows = session.connection().execute(
        select(
            _WORKSPACE.c.id, _WORKSPACE.c.track_opens, _WORKSPACE.c.track_clicks, _WORKSPACE.c.tracking_details,
            _WORKSPACE.c.proxy_opens,
        ).where(_WORKSPACE.c.id.in_(list(ids)))
    )  # fmt: skip
    return {row.id: row for row in rows}


def _people(session: Session, due: Sequence[AnyRow]) -> dict[tuple[int, int], _Person]:
    """Return who is behind the hits; contacts that are still there are held until the end of the transaction.

    A contact that is deleted at this moment goes with its hits before or its events after, never between.
    """
    rows = session.connection().execute(
        select(_CONTACT.c.id, _CONTACT.c.workspace_id, _CONTACT.c.email_hash)
        .where(_CONTACT.c.id.in_({hit.contact_id for hit in due}))
        .order_by(_CONTACT.c.id)
        .with_for_update(read=True, key_share=True)
    )
    there = {(row.workspace_id, row.id): bytes(row.email_hash) for row in rows}
    hashes: dict[int, dict[int, bytes]] = {}
    for hit in due:
        # One that is gone has no hash any more, and is known by the number that the objection was made with.
        key = (hit.workspace_id, hit.contact_id)
        hashes.setdefault(hit.workspace_id, {})[hit.contact_id] = there.get(key, b"")
    people = {}
    for workspace_id, contacts in hashes.items():
        since = objecting_contacts(session, workspace_id, contacts)
        for contact_id in contacts:
            people[workspace_id, contact_id] = _Person((workspace_id, contact_id) in there, since.get(contact_id))
    return people


def _events(verdict: _Verdict) -> list[NewEvent]:
    hit = verdict.hit
    if hit.kind == "open":
        return [_event(verdict, OPENED, verdict.rule)]
    about = {"link": hit.link} if hit.link else {}
    events = [_event(verdict, CLICKED, verdict.rule, about)]
    if verdict.rule != "trap":
        key = hashlib.sha256(hit.link.encode()).hexdigest()[:16]
        events.append(_event(verdict, LINK_CLICKED, verdict.rule, {"link": hit.link}, f":{key}"))
    if verdict.tells_opening:
        events.append(_event(verdict, OPENED, "by_click"))
    return events


def _event(
    verdict: _Verdict, kind: str, rule: str, about: Mapping[str, Any] | None = None, ending: str = ""
) -> NewEvent:
    hit = verdict.hit
    whose = "machine:message" if verdict.machine else "message"
    return NewEvent(
        workspace_id=hit.workspace_id,
        type=kind,
        dedupe_key=f"{kind}:{whose}:{hit.message_id}{ending}",
        at=hit.at,
        message_id=hit.message_id or None,
        contact_id=verdict.contact_id or None,
        campaign_id=hit.campaign_id or None,
        account_id=hit.account_id or None,
        node_id=hit.node_id or None,
        machine=verdict.machine,
        data={"rule": rule, **(about or {})},
    )


def _settle(session: Session, due: Sequence[AnyRow], verdicts: Sequence[_Verdict], now: datetime) -> None:
    """Keep what is to be kept, with its verdict, and delete the rest.

    The last anchor of a mail stays for a minute also where nothing is kept: those that follow in its burst are judged
    later. Such a row says no more than its event.
    """
    last_anchors = {
        verdict.hit.message_id: verdict.hit.id
        for verdict in verdicts
        if verdict.rule in _ANCHORS and verdict.contact_id is not None
    }
    anchors = set(last_anchors.values())
    room = _room_for_details(session, verdicts)
    kept: dict[int, dict[str, Any]] = {}
    for verdict in verdicts:
        hit = verdict.hit
        in_detail = verdict.details and room[hit.message_id] > 0
        room[hit.message_id] -= in_detail
        if in_detail or hit.id in anchors:
            # An anchor may have been stored when details were still kept.
            ip, agent = (hit.ip, hit.user_agent) if in_detail else ("", "")
            kept[hit.id] = {
                "hit": hit.id, "rule_": verdict.rule, "machine_": verdict.machine, "now": now, "ip_": ip,
                "agent_": agent,
            }  # fmt: skip
    connection = session.connection()
    if kept:
        connection.execute(_KEEP, list(kept.values()))
    gone = sorted({hit.id for hit in due} - kept.keys())
    for start in range(0, len(gone), _IN_ONE):
        connection.execute(delete(_HIT).where(_HIT.c.id.in_(gone[start : start + _IN_ONE])))


def _room_for_details(session: Session, verdicts: Sequence[_Verdict]) -> dict[int, int]:
    """Return how many more hits of each mail are kept in detail."""
    room = {verdict.hit.message_id: _MOST_KEPT for verdict in verdicts}
    contacts = {verdict.hit.contact_id for verdict in verdicts if verdict.details}
    if contacts:
        rows = session.connection().execute(
            select(_HIT.c.message_id, func.count())
            .where(_HIT.c.contact_id.in_(contacts), _HIT.c.message_id.in_(room), _HIT.c.judged_at.is_not(None))
            .group_by(_HIT.c.message_id)
        )
        for message_id, count in rows:
            room[message_id] -= count
    return room


def _forget_spent(session: Session, now: datetime) -> None:
    spent = select(_HIT.c.id).where(_spent(_oldest_unjudged(session), now)).limit(_IN_ONE)
    session.connection().execute(delete(_HIT).where(_HIT.c.id.in_(spent)))


def _oldest_unjudged(session: Session) -> datetime | None:
    oldest: datetime | None = (
        session.connection()
        .execute(select(_HIT.c.at).where(_HIT.c.judged_at.is_(None)).order_by(_HIT.c.at, _HIT.c.id).limit(1))
        .scalar()
    )
    return oldest


def _spent(oldest_unjudged: datetime | None, now: datetime) -> ColumnElement[bool]:
    """Return the condition for judged hits that nobody wants to keep and that no unjudged one can belong to."""
    waiting = now - JUDGE_AFTER if oldest_unjudged is None else min(oldest_unjudged, now - JUDGE_AFTER)
    private = select(_WORKSPACE.c.id).where(_WORKSPACE.c.tracking_details.is_(False))
    return and_(_HIT.c.judged_at.is_not(None), _HIT.c.workspace_id.in_(private), _HIT.c.at < waiting - BURST)


_KEEP = (
    update(_HIT)
    .where(_HIT.c.id == bindparam("hit"))
    .values(
        rule=bindparam("rule_"),
        machine=bindparam("machine_"),
        judged_at=bindparam("now"),
        ip=bindparam("ip_"),
        user_agent=bindparam("agent_"),
    )
)
