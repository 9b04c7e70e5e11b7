"""The settlement: message, attempt, event, rollup and the origin's next step change in one transaction."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, bindparam, literal_column, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.db.hot import HotSelect, HotStatement
from fluenzr_app.db.tables import table_of
from fluenzr_app.db.types import UtcDateTime
from fluenzr_app.events.record import NewEvent, record
from fluenzr_app.sending.erase import forget_words
from fluenzr_app.sending.models import Attempt, Message, SentMail
from fluenzr_app.sending.origin import Origin
from fluenzr_app.sending.rows import IN_HAND, as_messages, select_messages
from fluenzr_app.sending.values import Outcome, OutcomeKind, Settled, Settlement

_MESSAGE = table_of(Message)
_ATTEMPT = table_of(Attempt)
_SENT_MAIL = table_of(SentMail)
_ACCOUNT = table_of(EmailAccount)

# campaigns.md, Soft bounce: not before 1 h, 4 h, 24 h, 48 h; five attempts in all, then hard.
SOFT_BOUNCE_GAPS = (timedelta(hours=1), timedelta(hours=4), timedelta(hours=24), timedelta(hours=48))
# Providers that put a copy into Sent by themselves have done so by then.
_COPY_AFTER = timedelta(seconds=30)

_OUTCOMES = {
    OutcomeKind.ACCEPTED: "accepted",
    OutcomeKind.HARD_BOUNCE: "refused",
    OutcomeKind.REJECTED: "refused",
    OutcomeKind.SOFT_BOUNCE: "deferred",
    OutcomeKind.FAULT: "fault",
    OutcomeKind.UNCERTAIN: "uncertain",
}
_STATUSES = {
    Settled.SENT: "sent",
    Settled.RETRY: "queued",
    Settled.BOUNCED: "failed",
    Settled.REJECTED: "failed",
    Settled.REQUEUED: "queued",
    Settled.UNCERTAIN: "uncertain",
}
_REASONS = {
    Settled.SENT: "",
    Settled.RETRY: "soft_bounce",
    Settled.BOUNCED: "hard_bounce",
    Settled.REJECTED: "rejected",
    Settled.REQUEUED: "account_fault",
    Settled.UNCERTAIN: "uncertain",
}

# An `uncertain` row may still learn its real end: a stalled worker whose messages were taken from it knows better.
# Two comparisons, because an IN list cannot be part of a statement that is run for many rows at once.
_UNDER_WAY = or_(_MESSAGE.c.status == "sending", _MESSAGE.c.status == "uncertain")
_SENT = HotStatement(
    lambda _: (
        update(_MESSAGE)
        .where(_MESSAGE.c.id == bindparam("message_id"), _MESSAGE.c.attempts == bindparam("attempt_no"), _UNDER_WAY)
        .values(
            status="sent",
            sent_at=bindparam("at", type_=UtcDateTime()),
            subject=bindparam("subject_text"),
            worker_id=None,
            reason="",
        )
    )
)
_OTHER = (
    update(_MESSAGE)
    .where(_MESSAGE.c.id == bindparam("message_id"), _MESSAGE.c.attempts == bindparam("attempt_no"), _UNDER_WAY)
    .values(
        status=bindparam("new_status"),
        due_at=bindparam("new_due_at", type_=UtcDateTime()),
        soft_bounces=bindparam("new_soft_bounces"),
        subject=bindparam("subject_text"),
        reason=bindparam("new_reason"),
        detail=bindparam("new_detail"),
        worker_id=None,
    )
)
_CLOSE_ATTEMPT = HotStatement(
    lambda _: (
        update(_ATTEMPT)
        .where(_ATTEMPT.c.message_id == bindparam("message_id_"), _ATTEMPT.c.no == bindparam("attempt_no"))
        .values(
            finished_at=bindparam("at", type_=UtcDateTime()),
            outcome=bindparam("new_outcome"),
            code=bindparam("new_code"),
            text=bindparam("new_text"),
        )
    )
)
_STILL_UNDER_WAY = select(_MESSAGE.c.id, _MESSAGE.c.attempts).where(
    _MESSAGE.c.id.in_(bindparam("ids", expanding=True)), _UNDER_WAY
)

_ERASED = HotSelect(
    select(_MESSAGE.c.id).where(
        _MESSAGE.c.id.in_(bindparam("ids", expanding=True)), _MESSAGE.c.to_address == literal_column("''")
    )
)


def settle(
    session: Session, origins: Mapping[str, Origin], outcomes: Sequence[Outcome], now: datetime
) -> list[Settlement]:
    """Write how attempts ended and tell the origins; return what became of each message that was still under way.

    An outcome of a message that somebody has decided about in the meantime changes nothing.
    """
    settlements = [_judge(outcome) for outcome in outcomes]
    connection = session.connection()
    accepted = [each for each in settlements if each.result is Settled.SENT]
    others = [each for each in settlements if each.result is not Settled.SENT]
    changed = 0
    if accepted:
        changed += _SENT.run(connection, [_sent_row(each) for each in accepted])
    if others:
        # Read first: an executemany only tells the sum of the rows it changed.
        alive = _under_way(session, others)
        others = [each for each in others if each.outcome.message.id in alive]
        if others:
            connection.execute(_OTHER, [_other_row(each, now) for each in others])
    if accepted and changed != len(accepted):
        accepted = _really_sent(session, accepted)
    live = _without_erased(session, accepted + others)
    if live:
        _CLOSE_ATTEMPT.run(connection, [_attempt_row(each) for each in live])
        _keep_mails(session, [each.outcome for each in live if _is_kept(each.outcome)])
        _record_events(session, live)
        for kind, origin in origins.items():
            own = [each for each in live if each.outcome.message.kind == kind]
            if own:
                origin.settled(session, own, now)
    return live


def note_first_campaign_sends(session: Session, settlements: Sequence[Settlement]) -> None:
    """Start the ramp of accounts whose first campaign mail was accepted (accounts.md, Limits)."""
    firsts: dict[int, datetime] = {}
    for each in settlements:
        message = each.outcome.message
        if each.result is Settled.SENT and message.campaign_id is not None:
            firsts[message.account_id] = min(firsts.get(message.account_id, each.outcome.at), each.outcome.at)
    for account_id in sorted(firsts):
        session.connection().execute(
            update(_ACCOUNT)
            .where(_ACCOUNT.c.id == account_id, _ACCOUNT.c.first_campaign_send_at.is_(None))
            .values(first_campaign_send_at=firsts[account_id])
        )


def _judge(outcome: Outcome) -> Settlement:
    message = outcome.message
    match outcome.kind:
        case OutcomeKind.ACCEPTED:
            return Settlement(outcome, Settled.SENT)
        case OutcomeKind.HARD_BOUNCE:
            return Settlement(outcome, Settled.BOUNCED)
        case OutcomeKind.REJECTED:
            return Settlement(outcome, Settled.REJECTED)
        case OutcomeKind.FAULT:
            return Settlement(outcome, Settled.REQUEUED)
        case OutcomeKind.UNCERTAIN:
            return Settlement(outcome, Settled.UNCERTAIN)
        case OutcomeKind.SOFT_BOUNCE:
            if message.soft_bounces >= len(SOFT_BOUNCE_GAPS):
                return Settlement(outcome, Settled.BOUNCED)
            return Settlement(outcome, Settled.RETRY, outcome.at + SOFT_BOUNCE_GAPS[message.soft_bounces])


def _without_erased(session: Session, live: Sequence[Settlement]) -> list[Settlement]:
    """Return the settlements, without words where the contact was deleted while the mail was on its way.

    Asked when the rows are changed, and thus held: a deletion that comes later empties them itself.
    """
    if not live:
        return []
    found = _ERASED.rows(session.connection(), [each.outcome.message.id for each in live])
    erased = {row.id for row in found}
    if not erased:
        return list(live)
    forget_words(session, erased)
    return [
        replace(each, outcome=replace(each.outcome, subject="", text="", raw=None))
        if each.outcome.message.id in erased
        else each
        for each in live
    ]


def _is_kept(outcome: Outcome) -> bool:
    # A test reads as some contact's mail does, and nobody finds it by that contact: only its copy is made.
    return outcome.raw is not None and (outcome.message.kind != "test" or outcome.copied)


def _subject_of(outcome: Outcome) -> str:
    return "" if outcome.message.kind == "test" else outcome.subject


def _sent_row(each: Settlement) -> dict[str, object]:
    outcome = each.outcome
    return {
        "message_id": outcome.message.id,
        "attempt_no": outcome.attempt_no,
        "at": outcome.at,
        "subject_text": _subject_of(outcome),
    }


def _other_row(each: Settlement, now: datetime) -> dict[str, object]:
    outcome = each.outcome
    return {
        "message_id": outcome.message.id,
        "attempt_no": outcome.attempt_no,
        "new_status": _STATUSES[each.result],
        "new_due_at": each.retry_at or now,
        "new_soft_bounces": outcome.message.soft_bounces + (outcome.kind is OutcomeKind.SOFT_BOUNCE),
        "subject_text": _subject_of(outcome),
        "new_reason": _REASONS[each.result],
        "new_detail": outcome.text[:500],
    }


def _attempt_row(each: Settlement) -> dict[str, object]:
    outcome = each.outcome
    return {
        "message_id_": outcome.message.id,
        "attempt_no": outcome.attempt_no,
        "at": outcome.at,
        "new_outcome": _OUTCOMES[outcome.kind],
        "new_code": outcome.code,
        "new_text": outcome.text[:500],
    }


def _keep_mails(session: Session, outcomes: Sequence[Outcome]) -> None:
    """Keep mails as they left; a retry that arrived takes the place of what was tried before."""
    if not outcomes:
        return
    connection = session.connection()
    insertion = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(_SENT_MAIL)
    connection.execute(
        insertion.on_conflict_do_update(
            index_elements=["message_id"],
            set_={name: insertion.excluded[name] for name in ("raw", "sent_at", "copy_due_at")},
        ),
        [
            {
                "message_id": outcome.message.id,
                "account_id": outcome.message.account_id,
                "raw": zlib.compress(outcome.raw or b"", 1),
                "sent_at": outcome.at,
                "copy_due_at": outcome.at + _COPY_AFTER if outcome.copied else None,
                "copy_tries": 0,
            }
            for outcome in outcomes
        ],
    )


def _under_way(session: Session, settlements: Sequence[Settlement]) -> set[int]:
    expected = {each.outcome.message.id: each.outcome.attempt_no for each in settlements}
    rows = session.connection().execute(_STILL_UNDER_WAY, {"ids": list(expected)})
    return {row.id for row in rows if row.attempts == expected[row.id]}


def _really_sent(session: Session, accepted: Sequence[Settlement]) -> list[Settlement]:
    """Return those whose row took this very settlement; the rest had been decided about before."""
    times = {each.outcome.message.id: each for each in accepted}
    rows = session.connection().execute(
        select(_MESSAGE.c.id, _MESSAGE.c.attempts, _MESSAGE.c.sent_at).where(
            _MESSAGE.c.id.in_(list(times)), _MESSAGE.c.status == "sent"
        )
    )
    return [
        times[row.id]
        for row in rows
        if row.attempts == times[row.id].outcome.attempt_no and row.sent_at == times[row.id].outcome.at
    ]


def _record_events(session: Session, settlements: Sequence[Settlement]) -> None:
    events = []
    for each in settlements:
        outcome, message = each.outcome, each.outcome.message
        if message.kind != "campaign":
            continue
        if each.result is Settled.SENT:
            events.append(_event(each, "email.sent", f"sent:{message.id}", None))
        elif each.result is Settled.BOUNCED or each.result is Settled.RETRY:
            hardness = "hard" if each.result is Settled.BOUNCED else "soft"
            kind = "email.bounced" if hardness == "hard" else "email.deferred"
            data = {"kind": hardness, "code": outcome.code, "text": outcome.text[:200]}
            if hardness == "hard":
                # A refusal counts like a report that comes later (inbox.md, Bounces): it was sent, and bounced.
                events.append(_event(each, "email.sent", f"sent:{message.id}", None))
            events.append(_event(each, kind, f"{kind}:{message.id}:{outcome.attempt_no}", data))
        elif each.result is Settled.REJECTED:
            data = {"code": outcome.code, "text": outcome.text[:200]}
            events.append(_event(each, "email.rejected", f"rejected:{message.id}", data))
    if events:
        record(session, events)


def _event(each: Settlement, kind: str, key: str, data: Mapping[str, object] | None) -> NewEvent:
    message = each.outcome.message
    return NewEvent(
        workspace_id=message.workspace_id,
        type=kind,
        dedupe_key=key,
        at=each.outcome.at,
        message_id=message.id,
        contact_id=message.contact_id,
        campaign_id=message.campaign_id,
        account_id=message.account_id,
        node_id=message.node_id,
        data=data,
    )


def mark_lost_attempts_uncertain(
    session: Session, origins: Mapping[str, Origin], held: Sequence[ColumnElement[bool]], now: datetime
) -> int:
    """Turn what is in `sending` under the conditions `held` (of dead workers) into `uncertain`; return how many.

    Nobody can know whether the server took them, so they are never sent again by themselves (guarantee 2).
    """
    rows = session.connection().execute(
        select_messages().where(IN_HAND, _MESSAGE.c.status == "sending", *held).with_for_update()
    )
    outcomes = [Outcome(message, message.attempts, OutcomeKind.UNCERTAIN, now) for message in as_messages(rows.all())]
    return len(settle(session, origins, outcomes, now)) if outcomes else 0
