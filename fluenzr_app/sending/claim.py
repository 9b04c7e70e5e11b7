"""The claim: one short transaction that decides what may leave an account now (campaigns.md, The engine)."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, func, select, update
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.db.hot import HotSelect
from fluenzr_app.db.tables import table_of
from fluenzr_app.sending import caps, pace, permission
from fluenzr_app.sending.models import Attempt, Message
from fluenzr_app.sending.origin import Origin
from fluenzr_app.sending.rows import OPEN, as_messages, select_messages
from fluenzr_app.sending.values import Cancel, Claimed, ClaimResult, Go, QueuedMessage, Stream, Verdict, Wait

_MESSAGE = table_of(Message)
_ACCOUNT = table_of(EmailAccount)
_ATTEMPT = table_of(Attempt)
FIRST_MAIL = 1
_WAITING = (
    select_messages()
    .where(
        _MESSAGE.c.account_id == bindparam("account"),
        _MESSAGE.c.kind == bindparam("kind"),
        _MESSAGE.c.status == "queued",
        _MESSAGE.c.priority == bindparam("priority"),
        _MESSAGE.c.due_at <= bindparam("now"),
    )
    .order_by(_MESSAGE.c.due_at, _MESSAGE.c.id)
    .limit(bindparam("most"))
)
_QUEUED = HotSelect(_WAITING.where(_MESSAGE.c.campaign_id.is_(None)))
_QUEUED_OF_CAMPAIGN = HotSelect(_WAITING.where(_MESSAGE.c.campaign_id == bindparam("campaign")))
_MOST_REFUSED = 100


@dataclass(frozen=True, slots=True)
class Claimer:
    """Who claims: a worker, with the origins it was wired to."""

    worker_id: int
    origins: Mapping[str, Origin]
    rng: random.Random


def claim_due(session: Session, claimer: Claimer, account_id: int, limit: int, now: datetime) -> ClaimResult:
    """Claim up to `limit` messages that may leave `account_id` at `now`, at most one where the account is paced.

    Locks the account row, then the campaign rows in order of id, so that two workers never count the same room.
    Messages that must never leave are cancelled on the way, those that have to wait are put off.
    """
    account = _lock_account(session, account_id)
    if account is None:
        return ClaimResult(wait_code="account_busy")
    held = _account_hold(account, now)
    if held is not None:
        return held
    used = caps.usage(session, account_id, now)
    room = caps.room(account, used, now)
    result: list[Claimed] = []
    more = False
    for origin in claimer.origins.values():
        streams = origin.streams(session, account, now)
        paced = any(stream.paced for stream in streams)
        allowed = min(limit - len(result), room.campaign if paced else room.any)
        if paced and not pace.may_send_now(session, account, streams, used, now, claimer.rng):
            allowed = 0
        gapped = paced and account.min_gap_seconds > 0
        if gapped:
            allowed = min(allowed, 1)
        if allowed <= 0 or not streams:
            continue
        picked = _pick(session, claimer, origin, account, streams, allowed, now)
        result.extend(picked)
        # With a gap the next turn comes later: another claim right after this one would find nothing.
        more = more or (len(picked) == allowed and not gapped)
        if gapped and picked:
            pace.move_to_next_slot(session, account, now)
        room = caps.Room(room.any - len(picked), room.campaign - (len(picked) if paced else 0))
    code = "" if result else _why_nothing(account, room, now)
    return ClaimResult(tuple(result), code, account.next_send_at, more)


def release(session: Session, claimer: Claimer, messages: Sequence[QueuedMessage], now: datetime) -> None:
    """Put claimed messages back: nothing of them was on the network."""
    if not messages:
        return
    session.connection().execute(
        update(_MESSAGE)
        .where(
            _MESSAGE.c.id.in_([message.id for message in messages]),
            _MESSAGE.c.status == "claimed",
            _MESSAGE.c.worker_id == claimer.worker_id,
        )
        .values(status="queued", worker_id=None)
    )
    for kind, origin in claimer.origins.items():
        own = [message for message in messages if message.kind == kind]
        if own:
            origin.released(session, own, now)


def cancel(session: Session, origin: Origin, reasons: Mapping[QueuedMessage, str], now: datetime) -> None:
    """End messages that must never leave, and tell their origin why."""
    connection = session.connection()
    for message, code in reasons.items():
        connection.execute(
            update(_MESSAGE)
            .where(_MESSAGE.c.id == message.id, _MESSAGE.c.status.in_(("queued", "claimed")))
            .values(status="cancelled", reason=code, worker_id=None)
        )
    if reasons:
        origin.cancelled(session, reasons, now)


def put_off(session: Session, waits: Mapping[QueuedMessage, Wait]) -> None:
    """Move messages that have to wait to the moment at which they are looked at again."""
    for message, wait in waits.items():
        session.connection().execute(
            update(_MESSAGE)
            .where(_MESSAGE.c.id == message.id, _MESSAGE.c.status.in_(("queued", "claimed")))
            .values(status="queued", due_at=wait.until, reason=wait.code, worker_id=None)
        )


def _lock_account(session: Session, account_id: int) -> EmailAccount | None:
    statement = select(EmailAccount).where(_ACCOUNT.c.id == account_id).with_for_update(skip_locked=True)
    return session.execute(statement).scalar_one_or_none()


def _account_hold(account: EmailAccount, now: datetime) -> ClaimResult | None:
    if account.status != "connected":
        return ClaimResult(wait_code=f"account_{account.status}", again_at=account.paused_until)
    if account.backoff_until is not None and account.backoff_until > now:
        return ClaimResult(wait_code="account_backing_off", again_at=account.backoff_until)
    return None


def _why_nothing(account: EmailAccount, room: caps.Room, now: datetime) -> str:
    if room.any <= 0:
        return "daily_cap"
    if room.campaign <= 0:
        return "ramp_cap"
    if account.min_gap_seconds and account.next_send_at is not None and account.next_send_at > now:
        return "gap"
    return "nothing_due"


def _pick(
    session: Session,
    claimer: Claimer,
    origin: Origin,
    account: EmailAccount,
    streams: Sequence[Stream],
    allowed: int,
    now: datetime,
) -> list[Claimed]:
    """Take follow-ups and retries of all open streams first, then new contacts, in turn between the streams."""
    rooms = _Rooms(session, streams, now)
    chosen: dict[int, QueuedMessage] = {}
    goes: dict[int, Go] = {}
    revisions: dict[int, int] = {}
    fed = False
    # A long row of people who may not be written to is passed over in several claims: the account's row, and on SQLite
    # the whole database, must not be held for all of it.
    while len(goes) < allowed and len(chosen) - len(goes) < _MOST_REFUSED:
        candidates = _candidates(session, origin.kind, account, streams, rooms, allowed - len(goes), set(chosen), now)
        if not candidates:
            if fed or not _feed(session, claimer, origin, account, streams, rooms, allowed - len(goes), now):
                break
            fed = True
            continue
        fed = False
        chosen.update({message.id: message for message in candidates})
        goes.update(_judge(session, origin, candidates, rooms, revisions, now))
    messages = [chosen[message_id] for message_id in goes]
    if not messages:
        return []
    session.connection().execute(
        update(_MESSAGE)
        .where(_MESSAGE.c.id.in_(list(goes)), _MESSAGE.c.status == "queued")
        .values(status="claimed", worker_id=claimer.worker_id, reason="")
    )
    contents = origin.contents(session, messages, now)
    return [
        Claimed(message, contents[message.id], account.revision, revisions[message.id], goes[message.id].not_after)
        for message in messages
    ]


class _Rooms:
    """What is left of each stream's own caps while a claim goes on."""

    def __init__(self, session: Session, streams: Sequence[Stream], now: datetime) -> None:
        self._session = session
        self._by_key = {stream.key: stream for stream in streams}
        self.left = {stream.key: stream.room for stream in streams}
        self.new_left = {stream.key: stream.new_room for stream in streams}
        self._domains: dict[int | None, Counter[str]] = {}

    def open_for(self, stream: Stream, priority: int) -> bool:
        left, new_left = self.left[stream.key], self.new_left[stream.key]
        return stream.is_open and left != 0 and not (priority == FIRST_MAIL and new_left == 0)

    def take(self, message: QueuedMessage) -> Wait | None:
        """Count `message` against its stream's caps, or say until when it has to wait."""
        stream = self._by_key[message.campaign_id]
        if stream.per_domain is not None and stream.day_end is not None:
            sent = self._domain_counts(stream)
            if sent[message.to_domain] >= stream.per_domain:
                return Wait("company_cap", stream.day_end)
            sent[message.to_domain] += 1
        left = self.left[stream.key]
        if left is not None:
            self.left[stream.key] = left - 1
        new_left = self.new_left[stream.key]
        if new_left is not None and message.priority == FIRST_MAIL:
            self.new_left[stream.key] = new_left - 1
        return None

    def limit(self, stream: Stream, wanted: int, priority: int) -> int:
        caps_left = [self.left[stream.key], self.new_left[stream.key] if priority == FIRST_MAIL else None]
        return min([wanted, *(value for value in caps_left if value is not None)])

    def _domain_counts(self, stream: Stream) -> Counter[str]:
        if stream.key not in self._domains:
            tried = select(_ATTEMPT.c.to_domain, func.count()).where(
                _ATTEMPT.c.campaign_id == stream.key, _ATTEMPT.c.started_at >= stream.day_start
            )
            held = select(_MESSAGE.c.to_domain, func.count()).where(
                _MESSAGE.c.campaign_id == stream.key, OPEN, _MESSAGE.c.status == "claimed"
            )
            counts: Counter[str] = Counter()
            # Claims before attempts, for the reason given in `sending.caps.usage`.
            for query in (held.group_by(_MESSAGE.c.to_domain), tried.group_by(_ATTEMPT.c.to_domain)):
                for domain, n in self._session.connection().execute(query):
                    counts[domain] += n
            self._domains[stream.key] = counts
        return self._domains[stream.key]


def _candidates(
    session: Session,
    kind: str,
    account: EmailAccount,
    streams: Sequence[Stream],
    rooms: _Rooms,
    wanted: int,
    seen: set[int],
    now: datetime,
) -> list[QueuedMessage]:
    for priority in (0, FIRST_MAIL):
        lists = [
            _queued(session, kind, account, stream, priority, rooms.limit(stream, wanted, priority), seen, now)
            for stream in streams
            if rooms.open_for(stream, priority)
        ]
        found = _in_turn(lists, wanted)
        if found:
            return found
    return []


def _queued(
    session: Session,
    kind: str,
    account: EmailAccount,
    stream: Stream,
    priority: int,
    limit: int,
    seen: set[int],
    now: datetime,
) -> list[QueuedMessage]:
    asked = _QUEUED if stream.key is None else _QUEUED_OF_CAMPAIGN
    given = {} if stream.key is None else {"campaign": stream.key}
    most = limit + len(seen)
    rows = asked.rows(
        session.connection(), account=account.id, kind=kind, priority=priority, now=now, most=most, **given
    )
    found = as_messages(rows)
    return [message for message in found if message.id not in seen][:limit]


def _in_turn(lists: Sequence[Sequence[QueuedMessage]], wanted: int) -> list[QueuedMessage]:
    """Merge so that no campaign has to wait until another one's queue is empty."""
    longest = max((len(each) for each in lists), default=0)
    merged = [each[index] for index in range(longest) for each in lists if index < len(each)]
    return merged[:wanted]


def _feed(
    session: Session,
    claimer: Claimer,
    origin: Origin,
    account: EmailAccount,
    streams: Sequence[Stream],
    rooms: _Rooms,
    wanted: int,
    now: datetime,
) -> int:
    open_streams = [stream for stream in streams if rooms.open_for(stream, FIRST_MAIL)]
    fed = 0
    # A random one first: with a paced account only one contact is taken at a time, and each campaign gets its turn.
    claimer.rng.shuffle(open_streams)
    for stream in open_streams:
        if fed < wanted:
            limit = rooms.limit(stream, wanted - fed, FIRST_MAIL)
            fed += origin.feed(session, account, stream, limit, now, claimer.rng)
    return fed


def _judge(
    session: Session,
    origin: Origin,
    candidates: Sequence[QueuedMessage],
    rooms: _Rooms,
    revisions: dict[int, int],
    now: datetime,
) -> dict[int, Go]:
    """Ask everybody who may say no; cancel and put off what may not leave, return what may."""
    facts = permission.facts(session, [message.id for message in candidates])
    verdicts = origin.authorise(session, candidates, now)
    goes: dict[int, Go] = {}
    cancels: dict[QueuedMessage, str] = {}
    waits: dict[QueuedMessage, Wait] = {}
    for message in candidates:
        verdict = decide(permission.refusal(facts[message.id]), verdicts[message.id].verdict)
        if isinstance(verdict, Go):
            wait = rooms.take(message)
            if wait is None:
                goes[message.id] = verdict
                revisions[message.id] = verdicts[message.id].revision
            else:
                waits[message] = wait
        elif isinstance(verdict, Cancel):
            cancels[message] = verdict.code
        else:
            waits[message] = verdict
    cancel(session, origin, cancels, now)
    put_off(session, waits)
    return goes


def decide(refusal: str | None, verdict: Verdict) -> Verdict:
    """Return the verdict on a message: a person's no outranks what its origin says."""
    return Cancel(refusal) if refusal is not None else verdict
