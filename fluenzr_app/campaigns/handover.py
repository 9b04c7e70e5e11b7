"""What becomes of the contacts of an account that is removed for good (accounts.md, Rotation)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, exists, func, select, update
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns.enrollments import WALKING, end_walks
from fluenzr_app.campaigns.errors import AccountRefused
from fluenzr_app.campaigns.models import Campaign, CampaignAccount, Enrollment
from fluenzr_app.campaigns.origin import unfeed
from fluenzr_app.db.tables import table_of
from fluenzr_app.sending.models import Message

_ACCOUNT = table_of(EmailAccount)
_CAMPAIGN = table_of(Campaign)
_LINK = table_of(CampaignAccount)
_ENROLLMENT = table_of(Enrollment)
_MESSAGE = table_of(Message)
_BATCH = 1_000
_OPEN = ("queued", "claimed", "sending", "uncertain")


@dataclass(frozen=True, slots=True)
class Waiting:
    """What hangs on an account: contacts it has written to and whose sequence goes on, messages in its queue."""

    contacts: int
    messages: int


def what_waits(session: Session, workspace_id: int, account_id: int) -> Waiting:
    """Return what would be handed over or ended if the account were removed."""
    connection = session.connection()
    contacts = connection.execute(
        select(func.count()).select_from(_ENROLLMENT).where(*_walks(workspace_id, account_id), ~_not_begun())
    ).scalar_one()
    messages = connection.execute(
        select(func.count()).select_from(_MESSAGE).where(*_messages(workspace_id, account_id))
    ).scalar_one()
    return Waiting(int(contacts), int(messages))


def hand_over(session: Session, workspace_id: int, account_id: int, to_account_id: int | None, now: datetime) -> int:
    """Move what waits on an account to another one, or end it; return how many open messages that were.

    New contacts whose first mail was never tried have no account of their own yet: they go back and wait for any
    account of their campaign. The others go on from `to_account_id`, which also takes the account's place in its
    campaigns, or end as `removed` for `account_removed`. Raises AccountRefused.
    """
    if to_account_id is not None:
        _check(session, workspace_id, account_id, to_account_id)
    connection = session.connection()
    mine = _messages(workspace_id, account_id)
    touched = int(connection.execute(select(func.count()).select_from(_MESSAGE).where(*mine)).scalar_one())
    # The mark looks for `claimed` and its own worker, so what is taken back here is not sent any more.
    connection.execute(
        update(_MESSAGE).where(*mine, _MESSAGE.c.status == "claimed").values(status="queued", worker_id=None)
    )
    _free_new_contacts(session, workspace_id, account_id, now)
    if to_account_id is None:
        _end(session, workspace_id, account_id, now)
    else:
        _move(session, workspace_id, account_id, to_account_id, now)
    _cancel_tests(session, workspace_id, account_id)
    _replace_in_campaigns(session, workspace_id, account_id, to_account_id)
    return touched


def _check(session: Session, workspace_id: int, account_id: int, to_account_id: int) -> None:
    found = (
        session.connection()
        .execute(
            select(_ACCOUNT.c.id).where(
                _ACCOUNT.c.id == to_account_id,
                _ACCOUNT.c.workspace_id == workspace_id,
                _ACCOUNT.c.removed_at.is_(None),
            )
        )
        .first()
    )
    if found is None or to_account_id == account_id:
        raise AccountRefused


def _free_new_contacts(session: Session, workspace_id: int, account_id: int, now: datetime) -> None:
    ids: Sequence[int] = (
        session.connection()
        .execute(
            select(_MESSAGE.c.id).where(
                *_messages(workspace_id, account_id),
                _MESSAGE.c.status == "queued",
                _MESSAGE.c.kind == "campaign",
                _MESSAGE.c.priority == 1,
                _MESSAGE.c.attempts == 0,
            )
        )
        .scalars()
        .all()
    )
    for start in range(0, len(ids), _BATCH):
        unfeed(session, ids[start : start + _BATCH], now)


def _move(session: Session, workspace_id: int, account_id: int, to_account_id: int, now: datetime) -> None:
    connection = session.connection()
    connection.execute(
        update(_MESSAGE)
        .where(*_messages(workspace_id, account_id), _MESSAGE.c.kind == "campaign")
        .values(account_id=to_account_id)
    )
    connection.execute(
        update(_ENROLLMENT).where(*_walks(workspace_id, account_id)).values(account_id=to_account_id, updated_at=now)
    )


def _end(session: Session, workspace_id: int, account_id: int, now: datetime) -> None:
    connection = session.connection()
    rows = connection.execute(
        select(_ENROLLMENT.c.id, _ENROLLMENT.c.campaign_id, _ENROLLMENT.c.status)
        .where(*_walks(workspace_id, account_id))
        .order_by(_ENROLLMENT.c.id)
        .with_for_update()
    ).all()
    for start in range(0, len(rows), _BATCH):
        part = rows[start : start + _BATCH]
        end_walks(session, [(row.id, row.campaign_id, row.status, "removed", "account_removed") for row in part], now)
    # Nobody could send them again, so there is nothing left to decide.
    connection.execute(
        update(_MESSAGE)
        .where(*_messages(workspace_id, account_id), _MESSAGE.c.status == "uncertain")
        .values(status="cancelled", reason="account_removed")
    )


def _cancel_tests(session: Session, workspace_id: int, account_id: int) -> None:
    session.connection().execute(
        update(_MESSAGE)
        .where(
            *_messages(workspace_id, account_id),
            _MESSAGE.c.kind != "campaign",
            _MESSAGE.c.status.in_(("queued", "uncertain")),
        )
        .values(status="cancelled", reason="account_removed")
    )


def _replace_in_campaigns(session: Session, workspace_id: int, account_id: int, to_account_id: int | None) -> None:
    connection = session.connection()
    ids = list(
        connection.execute(
            select(_LINK.c.campaign_id)
            .join(_CAMPAIGN, _CAMPAIGN.c.id == _LINK.c.campaign_id)
            .where(_LINK.c.account_id == account_id, _CAMPAIGN.c.workspace_id == workspace_id)
            .order_by(_LINK.c.campaign_id)
        ).scalars()
    )
    if not ids:
        return
    connection.execute(delete(_LINK).where(_LINK.c.account_id == account_id, _LINK.c.campaign_id.in_(ids)))
    if to_account_id is None:
        return
    linked = set(
        connection.execute(
            select(_LINK.c.campaign_id).where(_LINK.c.account_id == to_account_id, _LINK.c.campaign_id.in_(ids))
        ).scalars()
    )
    session.add_all(
        CampaignAccount(campaign_id=campaign_id, account_id=to_account_id)
        for campaign_id in ids
        if campaign_id not in linked
    )
    session.flush()


def _walks(workspace_id: int, account_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        _ENROLLMENT.c.workspace_id == workspace_id,
        _ENROLLMENT.c.account_id == account_id,
        _ENROLLMENT.c.status.in_(WALKING),
    )


def _messages(workspace_id: int, account_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        _MESSAGE.c.workspace_id == workspace_id,
        _MESSAGE.c.account_id == account_id,
        _MESSAGE.c.status.in_(_OPEN),
    )


def _not_begun() -> ColumnElement[bool]:
    return exists().where(
        _MESSAGE.c.enrollment_id == _ENROLLMENT.c.id,
        _MESSAGE.c.priority == 1,
        _MESSAGE.c.attempts == 0,
        _MESSAGE.c.status.in_(("queued", "claimed")),
    )
