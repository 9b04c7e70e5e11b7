"""Test mails to oneself: they use the one queue and count towards the caps, but wait for no gap and no window."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns.errors import AccountRefused, SettingsRefused
from fluenzr_app.campaigns.models import Node
from fluenzr_app.campaigns.preview import draft_of_test
from fluenzr_app.campaigns.service import get_campaign
from fluenzr_app.campaigns.workflow_store import node_ids
from fluenzr_app.db.tables import table_of
from fluenzr_app.mail.addresses import check_syntax
from fluenzr_app.mail.compose import Draft
from fluenzr_app.sending.enqueue import enqueue
from fluenzr_app.sending.errors import ContentFault
from fluenzr_app.sending.models import Message
from fluenzr_app.sending.values import Authorised, Content, Go, QueuedMessage, Settlement, Stream

_MESSAGE = table_of(Message)
_NODE = table_of(Node)
_ACCOUNT = table_of(EmailAccount)


@dataclass(frozen=True, slots=True)
class DraftedTest(Content):
    """A test mail, drafted when it was claimed; `fault` is the code of why it cannot be made."""

    ready: Draft | None
    fault: str

    def draft(self, now: datetime) -> Draft:
        """Return the mail; raises ContentFault."""
        if self.ready is None:
            raise ContentFault(self.fault)
        return self.ready


class SelfTestOrigin:
    """Implements `sending.origin.Origin` for test mails."""

    kind = "test"

    def __init__(self, public_url: str) -> None:
        self._public_url = public_url

    def may_have_work(self, session: Session, account_ids: Sequence[int], now: datetime) -> set[int]:
        """Return the accounts with a test in their queue."""
        return set(
            session.connection()
            .execute(
                select(_MESSAGE.c.account_id).where(
                    _MESSAGE.c.account_id.in_(list(account_ids)),
                    _MESSAGE.c.campaign_id.is_(None),
                    _MESSAGE.c.kind == self.kind,
                    _MESSAGE.c.status == "queued",
                    _MESSAGE.c.due_at <= now,
                )
            )
            .scalars()
        )

    def streams(self, session: Session, account: EmailAccount, now: datetime) -> Sequence[Stream]:
        """Return the one stream of tests: always open, not paced."""
        return [Stream(key=None, revision=0, is_open=True, paced=False)]

    def feed(
        self, session: Session, account: EmailAccount, stream: Stream, limit: int, now: datetime, rng: random.Random
    ) -> int:
        """Return 0: tests are queued by those who ask for them."""
        return 0

    def authorise(self, session: Session, messages: Sequence[QueuedMessage], now: datetime) -> Mapping[int, Authorised]:
        """Return that each may leave: it goes to the user's own address."""
        return {message.id: Authorised(Go(), 0) for message in messages}

    def contents(self, session: Session, messages: Sequence[QueuedMessage], now: datetime) -> Mapping[int, Content]:
        """Return the drafted mails."""
        return {message.id: _drafted(session, message, self._public_url, now) for message in messages}

    def released(self, session: Session, messages: Sequence[QueuedMessage], now: datetime) -> None:
        """Leave a test in the queue of its account."""

    def cancelled(self, session: Session, messages: Mapping[QueuedMessage, str], now: datetime) -> None:
        """Nothing follows a test."""

    def settled(self, session: Session, settlements: Sequence[Settlement], now: datetime) -> None:
        """Nothing follows a test."""


def queue_test(
    session: Session,
    workspace_id: int,
    campaign_id: int,
    node_key: str,
    account_id: int,
    to_address: str,
    now: datetime,
    rng: random.Random,
) -> int:
    """Queue a test of one mail and return its message id.

    Raises CampaignNotFound, AccountRefused, SettingsRefused for an unknown step, BadAddress.
    """
    get_campaign(session, workspace_id, campaign_id)
    check_syntax(to_address)
    node_id = node_ids(session, campaign_id).get(node_key)
    account = (
        session.connection()
        .execute(
            select(_ACCOUNT.c.email_key).where(
                _ACCOUNT.c.id == account_id, _ACCOUNT.c.workspace_id == workspace_id, _ACCOUNT.c.removed_at.is_(None)
            )
        )
        .first()
    )
    if account is None:
        raise AccountRefused
    if node_id is None:
        raise SettingsRefused("nodeId", "There is no such mail in this campaign.")
    return enqueue(
        session, workspace_id=workspace_id, kind="test", account_id=account_id, sender_key=account.email_key,
        to_address=to_address, due_at=now, now=now, rng=rng, node_id=node_id,
    )  # fmt: skip


def state_of_test(session: Session, workspace_id: int, message_id: int) -> tuple[str, str]:
    """Return a test's state and, where it failed, the server's words; ("unknown", "") for a foreign one."""
    row = (
        session.connection()
        .execute(
            select(_MESSAGE.c.status, _MESSAGE.c.detail).where(
                _MESSAGE.c.id == message_id, _MESSAGE.c.workspace_id == workspace_id, _MESSAGE.c.kind == "test"
            )
        )
        .first()
    )
    return ("unknown", "") if row is None else (row.status, row.detail)


def _drafted(session: Session, message: QueuedMessage, public_url: str, now: datetime) -> DraftedTest:
    node = (
        session.connection()
        .execute(select(_NODE.c.key, _NODE.c.campaign_id).where(_NODE.c.id == message.node_id))
        .first()
    )
    if node is None:
        return DraftedTest(message, None, "step_gone")
    try:
        ready = draft_of_test(
            session,
            message.workspace_id,
            node.campaign_id,
            node.key,
            message.account_id,
            message.to_address,
            message.rfc_id,
            public_url,
            now,
        )
    except SettingsRefused:
        return DraftedTest(message, None, "step_gone")
    except ContentFault as fault:
        return DraftedTest(message, None, fault.code)
    return DraftedTest(message, ready, "")
