"""From due enrollments to queued messages; the cost follows what is due, not who is enrolled (guarantee 8)."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from sqlalchemy import bindparam, select, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns.enrollments import Moves, count_moves
from fluenzr_app.campaigns.models import Enrollment
from fluenzr_app.campaigns.plans import NextStep, Plan
from fluenzr_app.campaigns.timing import is_open, next_opening
from fluenzr_app.campaigns.zones import zone_of_contact
from fluenzr_app.contacts.models import Contact
from fluenzr_app.db.hot import HotSelect, HotStatement
from fluenzr_app.db.tables import table_of
from fluenzr_app.db.types import AnyRow, UtcDateTime
from fluenzr_app.sending.enqueue import fresh_rfc_id, new_message
from fluenzr_app.sending.models import Message

_ENROLLMENT = table_of(Enrollment)
_CONTACT = table_of(Contact)
_MESSAGE = table_of(Message)
_ACCOUNT = table_of(EmailAccount)
FOLLOW_UP, FIRST_MAIL = 0, 1
# How many closed time zones one look into the queue of new contacts passes over.
_SCAN = 500
_NEVER_OPENS = timedelta(days=1)

_DUE = (
    select(
        _ENROLLMENT.c.id,
        _ENROLLMENT.c.workspace_id,
        _ENROLLMENT.c.contact_id,
        _ENROLLMENT.c.account_id,
        _ENROLLMENT.c.node_id,
        _ENROLLMENT.c.status,
        _ENROLLMENT.c.created_at,
        _CONTACT.c.email,
        _CONTACT.c.domain,
        _CONTACT.c.timezone,
        _CONTACT.c.country,
    )
    .join_from(_ENROLLMENT, _CONTACT, _CONTACT.c.id == _ENROLLMENT.c.contact_id)
    .where(
        _ENROLLMENT.c.campaign_id == bindparam("campaign"),
        _ENROLLMENT.c.due_at.is_not(None),
        _ENROLLMENT.c.due_at <= bindparam("now", type_=UtcDateTime()),
    )
    .order_by(_ENROLLMENT.c.due_at, _ENROLLMENT.c.id)
    .limit(bindparam("most"))
)
_DUE_FOLLOW_UPS = HotSelect(_DUE.where(_ENROLLMENT.c.account_id.is_not(None)).with_for_update(of=_ENROLLMENT))
_DUE_NEW = HotSelect(_DUE.where(_ENROLLMENT.c.account_id.is_(None)).with_for_update(of=_ENROLLMENT))
_SENDER_DOMAINS = select(_ACCOUNT.c.id, _ACCOUNT.c.email_key).where(_ACCOUNT.c.id.in_(bindparam("ids", expanding=True)))
_QUEUED = HotStatement(
    lambda _: (
        update(_ENROLLMENT)
        .where(_ENROLLMENT.c.id == bindparam("row_id"))
        .values(account_id=bindparam("account"), node_id=bindparam("node"), due_at=None, wait_code="queued")
    )
)
_INSERT_MESSAGE = HotStatement(
    lambda dialect: (sqlite_insert if dialect == "sqlite" else postgresql_insert)(_MESSAGE).on_conflict_do_nothing(
        index_elements=["enrollment_id", "node_id"]
    ),
    (
        *("workspace_id", "kind", "account_id", "contact_id", "campaign_id", "enrollment_id", "node_id", "to_address"),
        *("to_domain", "rfc_id", "subject", "priority", "status", "due_at", "attempts", "soft_bounces"),
        *("account_revision", "campaign_revision", "reason", "detail", "created_at"),
    ),
)
_EXISTING = select(
    _MESSAGE.c.id,
    _MESSAGE.c.enrollment_id,
    _MESSAGE.c.node_id,
    _MESSAGE.c.account_id,
    _MESSAGE.c.status,
    _MESSAGE.c.rfc_id,
).where(_MESSAGE.c.enrollment_id.in_(bindparam("ids", expanding=True)))
_LATER = (
    update(_ENROLLMENT)
    .where(_ENROLLMENT.c.id == bindparam("row_id"))
    .values(node_id=bindparam("node"), due_at=bindparam("at", type_=UtcDateTime()), wait_code=bindparam("code"))
)
_COMPLETE = (
    update(_ENROLLMENT)
    .where(_ENROLLMENT.c.id == bindparam("row_id"))
    .values(
        status="completed",
        due_at=None,
        wait_code="",
        ended_at=bindparam("at", type_=UtcDateTime()),
        updated_at=bindparam("at", type_=UtcDateTime()),
    )
)


def queue_follow_ups(session: Session, plan: Plan, limit: int, now: datetime, rng: random.Random) -> int:
    """Queue the mails of up to `limit` walks whose delay is over; return how many walks were worked on."""
    rows = _DUE_FOLLOW_UPS.rows(session.connection(), campaign=plan.campaign_id, now=now, most=limit)
    if not rows:
        return 0
    ready = [row for row in rows if row.node_id in plan.mails]
    domains = _sender_domains(session, sorted({row.account_id for row in ready}))
    queue_mails(session, plan, [(row, row.node_id, row.account_id) for row in ready], domains, now, rng)
    # Their step went away in the meantime: what is left of the workflow decides.
    _send_on(session, plan, [row for row in rows if row.node_id not in plan.mails], now)
    return len(rows)


def feed_new(session: Session, plan: Plan, account: EmailAccount, limit: int, now: datetime, rng: random.Random) -> int:
    """Queue the first mails of up to `limit` new contacts for `account`; return how many.

    They get their account only here, when it has room: nobody has to be moved when an account fails, and each
    contact goes to the account with the most room by itself (accounts.md, Rotation).
    """
    most = limit if not plan.settings.use_contact_timezone else max(limit, _SCAN)
    rows = _DUE_NEW.rows(session.connection(), campaign=plan.campaign_id, now=now, most=most)
    ready: list[tuple[AnyRow, int, int]] = []
    later: list[dict[str, object]] = []
    ended: list[AnyRow] = []
    for row in rows:
        zone = _zone(plan, row)
        step = _entry(plan, row, zone)
        if step.node_id is None:
            ended.append(row)
        elif step.due_at is not None and step.due_at > now:
            later.append({"row_id": row.id, "node": step.node_id, "at": step.due_at, "code": "delay"})
        elif not is_open(plan.window, now, zone):
            opens = next_opening(plan.window, now, zone) or now + _NEVER_OPENS
            later.append({"row_id": row.id, "node": step.node_id, "at": opens, "code": "outside_window"})
        elif len(ready) < limit:
            ready.append((row, step.node_id, account.id or 0))
    if later:
        session.connection().execute(_LATER, later)
    _settle_stray(session, ended, now)
    queue_mails(session, plan, ready, {account.id or 0: _domain(account.email_key)}, now, rng, priority=FIRST_MAIL)
    return len(ready)


def queue_mails(
    session: Session,
    plan: Plan,
    steps: Sequence[tuple[AnyRow, int, int]],
    domains: dict[int, str],
    now: datetime,
    rng: random.Random,
    *,
    priority: int = FOLLOW_UP,
) -> None:
    """Put one message for each (enrollment, node, account) into the queue, with a Message-ID that it keeps for ever.

    A step that has its message already keeps that one: unique (enrollment, node) is guarantee 1.
    """
    if not steps:
        return
    connection = session.connection()
    rfc_ids = [fresh_rfc_id(domains[account_id], rng) for _, _, account_id in steps]
    inserted = _INSERT_MESSAGE.run(
        connection,
        [
            new_message(
                workspace_id=row.workspace_id,
                kind="campaign",
                account_id=account_id,
                rfc_id=rfc_id,
                to_address=row.email,
                to_domain=row.domain,
                due_at=now,
                created_at=now,
                priority=priority,
                contact_id=row.contact_id,
                campaign_id=plan.campaign_id,
                enrollment_id=row.id,
                node_id=node_id,
            )
            for (row, node_id, account_id), rfc_id in zip(steps, rfc_ids, strict=True)
        ],
    )
    _QUEUED.run(
        connection,
        [{"row_id": row.id, "node": node_id, "account": account_id} for row, node_id, account_id in steps],
    )
    if inserted != len(steps):
        _go_on_from_existing(session, plan, steps, set(rfc_ids), now)


def _go_on_from_existing(
    session: Session, plan: Plan, steps: Sequence[tuple[AnyRow, int, int]], fresh: set[str], now: datetime
) -> None:
    """Move on the walks that have had this step's message before: in a reordered workflow, or revived (guarantee 1).

    What was sent is passed over, what was withdrawn goes back as the same message, what is open is waited for.
    """
    connection = session.connection()
    wanted = {(row.id, node_id): row for row, node_id, _ in steps}
    found = connection.execute(_EXISTING, {"ids": [row.id for row, _, _ in steps]}).all()
    later: list[dict[str, object]] = []
    ended: list[AnyRow] = []
    for message in found:
        row = wanted.get((message.enrollment_id, message.node_id))
        if row is None or message.rfc_id in fresh:
            continue
        if message.status in ("sent", "failed"):
            step = plan.step_after(message.node_id, now, _zone(plan, row))
            if step.node_id is None:
                ended.append(row)
            else:
                later.append({"row_id": row.id, "node": step.node_id, "at": step.due_at, "code": "delay"})
        else:
            if message.status == "cancelled":
                connection.execute(
                    update(_MESSAGE).where(_MESSAGE.c.id == message.id).values(status="queued", due_at=now, reason="")
                )
            connection.execute(
                update(_ENROLLMENT).where(_ENROLLMENT.c.id == row.id).values(account_id=message.account_id)
            )
    if later:
        connection.execute(_LATER, later)
    _settle_stray(session, ended, now)


def _send_on(session: Session, plan: Plan, rows: Sequence[AnyRow], now: datetime) -> None:
    """Let walks on a removed mail go on with the one that comes after it, or end where none does."""
    found = [(row, plan.mail_after(row.node_id) if row.node_id is not None else None) for row in rows]
    later = [
        {"row_id": row.id, "node": node_id, "at": now, "code": ""} for row, node_id in found if node_id is not None
    ]
    if later:
        session.connection().execute(_LATER, later)
    _settle_stray(session, [row for row, node_id in found if node_id is None], now)


def _entry(plan: Plan, row: AnyRow, zone: tzinfo) -> NextStep:
    if row.node_id is not None and row.node_id in plan.mails:
        return NextStep(row.node_id, None)
    return plan.first_step(row.created_at, zone)


def _zone(plan: Plan, row: AnyRow) -> tzinfo:
    if plan.settings.use_contact_timezone:
        return zone_of_contact(row.timezone, row.country, plan.settings.timezone)
    return plan.zone


def _settle_stray(session: Session, rows: Sequence[AnyRow], now: datetime) -> None:
    if not rows:
        return
    session.connection().execute(_COMPLETE, [{"row_id": row.id, "at": now} for row in rows])
    moves: Moves = Moves()
    found = session.connection().execute(
        select(_ENROLLMENT.c.id, _ENROLLMENT.c.campaign_id).where(_ENROLLMENT.c.id.in_([row.id for row in rows]))
    )
    campaign_of = {row.id: row.campaign_id for row in found}
    for row in rows:
        moves[(campaign_of[row.id], row.status)] -= 1
        moves[(campaign_of[row.id], "completed")] += 1
    count_moves(session, moves)


def _sender_domains(session: Session, account_ids: Sequence[int]) -> dict[int, str]:
    rows = session.connection().execute(_SENDER_DOMAINS, {"ids": list(account_ids)})
    return {row.id: _domain(row.email_key) for row in rows}


def _domain(email_key: str) -> str:
    return email_key.rpartition("@")[2]
