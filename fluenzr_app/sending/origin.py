"""The protocol by which a message's owner is asked and told; implemented above, wired at the roof."""

import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.sending.values import Authorised, Content, QueuedMessage, Settlement, Stream


class Origin(Protocol):
    """The owner of one kind of message. Every call happens inside the engine's transaction and only uses `session`."""

    kind: str

    def may_have_work(self, session: Session, account_ids: Sequence[int], now: datetime) -> set[int]:
        """Return which of the accounts might send something now; read only, cheap, may say yes too often."""
        ...

    def streams(self, session: Session, account: EmailAccount, now: datetime) -> Sequence[Stream]:
        """Return the streams that may use `account`, their rows locked in order of id."""
        ...

    def feed(
        self, session: Session, account: EmailAccount, stream: Stream, limit: int, now: datetime, rng: random.Random
    ) -> int:
        """Put up to `limit` new messages of `stream` into the queue for `account`; return how many."""
        ...

    def authorise(self, session: Session, messages: Sequence[QueuedMessage], now: datetime) -> Mapping[int, Authorised]:
        """Return for each message id whether it may leave; asked at the claim and again at the mark."""
        ...

    def contents(self, session: Session, messages: Sequence[QueuedMessage], now: datetime) -> Mapping[int, Content]:
        """Return for each message id what is needed to compose it."""
        ...

    def released(self, session: Session, messages: Sequence[QueuedMessage], now: datetime) -> None:
        """Be told that claimed messages went back to the queue without an attempt (the account failed)."""
        ...

    def cancelled(self, session: Session, messages: Mapping[QueuedMessage, str], now: datetime) -> None:
        """Be told that messages will never leave, and the code of why."""
        ...

    def settled(self, session: Session, settlements: Sequence[Settlement], now: datetime) -> None:
        """Be told how attempts ended; the message rows are settled already."""
        ...
