"""The frozen values that walk through claim, mark, send and settle."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from fluenzr_app.mail.compose import Draft


@dataclass(frozen=True, slots=True)
class QueuedMessage:
    """A message row as the engine works with it; `attempts` counts those already stored."""

    id: int
    workspace_id: int
    kind: str
    account_id: int
    contact_id: int | None
    campaign_id: int | None
    enrollment_id: int | None
    node_id: int | None
    to_address: str
    to_domain: str
    rfc_id: str
    priority: int
    attempts: int
    soft_bounces: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Stream:
    """Messages of one origin that share a window and caps: a campaign, or (key None) all tests, or answers, of an
    account.

    `is_open`: may leave now; `closes_at`: end of the present opening.
    `room` and `new_room`: how many more (of these: first mails) may leave now, None for no cap. `paced`: held by the
    account's gap, ramp and plan of the day. `per_domain`: at most so many to one recipient domain from `day_start` to
    `day_end`.
    """

    key: int | None
    revision: int
    is_open: bool
    closes_at: datetime | None = None
    room: int | None = None
    new_room: int | None = None
    per_domain: int | None = None
    day_start: datetime | None = None
    day_end: datetime | None = None
    paced: bool = True


@dataclass(frozen=True, slots=True)
class Go:
    """The message may leave, before `not_after` (absent: at any time)."""

    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """The message has to wait: `code` says for what, `until` when to ask again."""

    code: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Cancel:
    """The message must never leave: `code` says why."""

    code: str


Verdict = Go | Wait | Cancel


@dataclass(frozen=True, slots=True)
class Authorised:
    """An origin's verdict on a message, with the present revision of what it is made under (0: it has none)."""

    verdict: Verdict
    revision: int


@dataclass(frozen=True, slots=True)
class Content:
    """What is needed to compose a message: called once, outside any transaction. Raises ContentFault."""

    message: QueuedMessage

    def draft(self, now: datetime) -> Draft:
        """Return the mail as it would leave at `now`."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message in this worker's hands: nothing of it was on the network yet."""

    message: QueuedMessage
    content: Content
    account_revision: int
    campaign_revision: int
    not_after: datetime | None


@dataclass(frozen=True, slots=True)
class Marked:
    """The attempt is stored: the message may go to the network now."""

    attempt_no: int


@dataclass(frozen=True, slots=True)
class NotMarked:
    """The message was taken out of this worker's hands, put back or cancelled; it must not be sent."""

    code: str


class OutcomeKind(StrEnum):
    """How an attempt ended."""

    ACCEPTED = "accepted"
    # The recipient was refused for good, or for now.
    HARD_BOUNCE = "hard_bounce"
    SOFT_BOUNCE = "soft_bounce"
    # The mail itself was refused, whoever it was for.
    REJECTED = "rejected"
    # The account, its provider or the connection failed before the final dot: no fault of the contact.
    FAULT = "fault"
    # The final dot may have arrived and no answer came.
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How the attempt `attempt_no` of `message` ended; `text` is the server's words.

    `raw` is the mail as it left, where it is kept for the conversation; `copied` says whether it goes to Sent too.
    """

    message: QueuedMessage
    attempt_no: int
    kind: OutcomeKind
    at: datetime
    subject: str = ""
    code: int | None = None
    text: str = ""
    raw: bytes | None = field(default=None, repr=False)
    copied: bool = False


class Settled(StrEnum):
    """What became of a message with an outcome; its origin is told."""

    SENT = "sent"
    RETRY = "retry"
    BOUNCED = "bounced"
    REJECTED = "rejected"
    REQUEUED = "requeued"
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Settlement:
    """A settled message as its origin is told of it; `retry_at` only with RETRY."""

    outcome: Outcome
    result: Settled
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """What a claim brought; `wait_code` says why it brought nothing, `again_at` when to look again (if known)."""

    claimed: tuple[Claimed, ...] = ()
    wait_code: str = ""
    again_at: datetime | None = None
    more: bool = field(default=False)
