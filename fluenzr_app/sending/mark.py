"""The mark: the attempt is stored before the network is touched, after everybody was asked once more."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, insert, update
from sqlmodel import Session

from fluenzr_app.db.hot import HotStatement
from fluenzr_app.db.tables import table_of
from fluenzr_app.db.types import AnyRow
from fluenzr_app.sending import permission
from fluenzr_app.sending.claim import FIRST_MAIL, Claimer, cancel, decide, put_off
from fluenzr_app.sending.models import Attempt, Message
from fluenzr_app.sending.origin import Origin
from fluenzr_app.sending.values import Cancel, Claimed, Go, Marked, NotMarked, QueuedMessage, Wait

_MESSAGE = table_of(Message)
_ATTEMPT = table_of(Attempt)

_TO_SENDING = HotStatement(
    lambda _: (
        update(_MESSAGE)
        .where(_MESSAGE.c.id == bindparam("message_id"))
        .values(status="sending", attempts=bindparam("attempt_no"))
    )
)
_BACK = (
    update(_MESSAGE)
    .where(_MESSAGE.c.id == bindparam("message_id"), _MESSAGE.c.status == "claimed")
    .values(status="queued", worker_id=None)
)
_INSERT_ATTEMPT = HotStatement(
    lambda _: insert(_ATTEMPT),
    ("message_id", "no", "account_id", "campaign_id", "to_domain", "first_mail", "started_at", "text"),
)


def mark(session: Session, claimer: Claimer, claims: Sequence[Claimed], now: datetime) -> dict[int, Marked | NotMarked]:
    """Store an attempt for each claim that may still leave; return by message id which may and which may not.

    Asks again for suppression, contact, account, campaign and window: minutes may lie between a claim and its turn
    (guarantees 3 and 4). A claim made under settings that have changed since goes back to be claimed anew, because
    its room was counted under the old ones.
    """
    facts = permission.facts(session, [claim.message.id for claim in claims], lock=True)
    result: dict[int, Marked | NotMarked] = {}
    for kind, origin in claimer.origins.items():
        own = [claim for claim in claims if claim.message.kind == kind]
        if own:
            result.update(_mark_of_origin(session, claimer, origin, own, facts, now))
    marked = [claim for claim in claims if isinstance(result[claim.message.id], Marked)]
    if marked:
        _store(session, marked, now)
    return result


def _mark_of_origin(
    session: Session,
    claimer: Claimer,
    origin: Origin,
    claims: Sequence[Claimed],
    facts: Mapping[int, AnyRow],
    now: datetime,
) -> dict[int, Marked | NotMarked]:
    messages = [claim.message for claim in claims]
    verdicts = origin.authorise(session, messages, now)
    result: dict[int, Marked | NotMarked] = {}
    cancels: dict[QueuedMessage, str] = {}
    waits: dict[QueuedMessage, Wait] = {}
    back: list[int] = []
    for claim in claims:
        message = claim.message
        row = facts.get(message.id)
        if row is None or row.status != "claimed" or row.worker_id != claimer.worker_id:
            result[message.id] = NotMarked("claim_lost")
            continue
        verdict = decide(permission.refusal(row), verdicts[message.id].verdict)
        changed = (
            row.account_revision != claim.account_revision or verdicts[message.id].revision != claim.campaign_revision
        )
        if isinstance(verdict, Cancel):
            cancels[message] = verdict.code
            result[message.id] = NotMarked(verdict.code)
        elif isinstance(verdict, Wait):
            waits[message] = verdict
            result[message.id] = NotMarked(verdict.code)
        elif changed or row.account_status != "connected" or _too_late(claim, verdict, now):
            back.append(message.id)
            result[message.id] = NotMarked("claim_outdated")
        else:
            result[message.id] = Marked(message.attempts + 1)
    cancel(session, origin, cancels, now)
    put_off(session, waits)
    if back:
        session.connection().execute(_BACK, [{"message_id": message_id} for message_id in back])
    return result


def _too_late(claim: Claimed, verdict: Go, now: datetime) -> bool:
    return any(limit is not None and now >= limit for limit in (claim.not_after, verdict.not_after))


def _store(session: Session, claims: Sequence[Claimed], now: datetime) -> None:
    connection = session.connection()
    _TO_SENDING.run(
        connection,
        [{"message_id": claim.message.id, "attempt_no": claim.message.attempts + 1} for claim in claims],
    )
    _INSERT_ATTEMPT.run(
        connection,
        [
            {
                "message_id": claim.message.id,
                "no": claim.message.attempts + 1,
                "account_id": claim.message.account_id,
                "campaign_id": claim.message.campaign_id,
                "to_domain": claim.message.to_domain,
                "first_mail": claim.message.priority == FIRST_MAIL and claim.message.attempts == 0,
                "started_at": now,
                "text": "",
            }
            for claim in claims
        ],
    )
