"""How a mailbox is read, whatever stands behind it: the protocol, its values, and the one way of failing.

Nothing here changes what the user sees in the mailbox: no mail is marked, moved or deleted, none ceases to be
recent. The one thing that is ever added is a copy in the folder of sent mail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, Self

from fluenzr_app.mail.errors import MailError
from fluenzr_app.mail.transport import AccountErrorCode, SendFailure

Role = Literal["inbox", "junk", "sent", "drafts", "trash", "archive", "other"]

MailboxCode = AccountErrorCode | Literal["disconnected", "protocol", "folder_missing", "message_gone", "refused"]
"""accounts.md's codes of an account's state, and what only a mailbox can say:

disconnected: the server said good-bye or the connection broke; open again.
protocol: the server said what cannot be understood or more than was asked for.
folder_missing: there is no such folder, or it cannot be opened.
message_gone: the mail was deleted or moved since its number was read.
refused: the server answered NO to something else.
"""

_MAX_WORDS = 500
_CONNECTION_SURVIVES = frozenset({"folder_missing", "message_gone", "quota_exceeded", "refused"})


class MailboxFailure(MailError):
    """A mailbox could not be opened or read.

    code: see MailboxCode.
    permanent: the same attempt would fail again until something else changes.
    text: the server's words, or ours when it said nothing; 500 characters at most.
    stage: the step that failed: resolve, connect, tls, auth, list, status, examine, search, fetch, append, idle.
    cause: the cause's name (`causes.Cause`, `smtp_session.LocalCause`), for words in the user's language, or None.
    """

    def __init__(
        self, code: MailboxCode, text: str, *, stage: str, permanent: bool = False, cause: str | None = None
    ) -> None:
        words = " ".join(text.split())[:_MAX_WORDS]
        super().__init__(words)
        self.code: MailboxCode = code
        self.permanent = permanent
        self.text = words
        self.stage = stage
        self.cause = cause

    @classmethod
    def of(cls, failure: SendFailure, stage: str) -> Self:
        """The same fault as found on the way to a server; `stage` for one that names none."""
        return cls(
            failure.error_code or "disconnected", failure.text, stage=failure.stage or stage,
            permanent=failure.permanent, cause=failure.cause,
        )  # fmt: skip

    @property
    def still_open(self) -> bool:
        """Whether the mailbox can be used further; otherwise it is closed and a new one must be opened."""
        return self.code in _CONNECTION_SURVIVES

    def __repr__(self) -> str:
        return f"MailboxFailure({self.code}, permanent={self.permanent}, cause={self.cause}, stage={self.stage})"


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder that can be opened. `name`: decoded, with the server's own delimiters; only good for asking again."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class FolderState:
    """What a folder holds. UIDs mean nothing any more once `uidvalidity` differs (RFC 9051, 2.3.1.1).

    `uidnext`: every mail that arrives from now on has this UID or a higher one. `messages`: their number.
    """

    uidvalidity: int
    uidnext: int
    messages: int


@dataclass(frozen=True, slots=True)
class Envelope:
    """A mail without its content. `size`: octets. `arrived_at`: when the server took it, aware UTC.

    `head`: the header block as it was sent, cut after `MAX_HEAD_OCTETS`.
    """

    uid: int
    size: int
    arrived_at: datetime
    head: bytes = field(repr=False)


MAX_HEAD_OCTETS = 65_536
MAX_ENVELOPES = 500
"""As many as one call of `Mailbox.envelopes` gives, whatever its limit."""


class Mailbox(Protocol):
    """An open mailbox. Used by one thread at a time. Every method but `close` raises MailboxFailure."""

    def folders(self) -> tuple[Folder, ...]:
        """The folders that can be opened, the inbox first; at most one of each role but `other`."""

    def state(self, folder: str) -> FolderState:
        """What the folder holds just now, without opening it."""

    def uids_since(self, folder: str, since: datetime) -> tuple[int, ...]:
        """UIDs, ascending, of all mails that arrived at `since` (aware) or later, and of some from two days before.

        Servers search by day and in their own zone; `Envelope.arrived_at` tells exactly.
        """

    def envelopes(self, folder: str, after_uid: int, limit: int) -> tuple[Envelope, ...]:
        """The next mails above `after_uid` by ascending UID: `limit` (MAX_ENVELOPES at most) unless fewer are there."""

    def fetch(self, folder: str, uid: int, max_octets: int) -> bytes:
        """The mail as it was sent, or its first `max_octets` octets when it is larger. Code `message_gone` if it is."""

    def find_message_id(self, folder: str, rfc_id: str) -> bool:
        """Whether a mail with exactly this Message-ID (`<left@right>`) lies in the folder."""

    def append_sent(self, folder: str, raw: bytes, at: datetime) -> None:
        """Puts a mail into the folder, marked as seen, as if it had arrived there at `at` (aware)."""

    def wait_for_news(self, folder: str, timeout_s: float, stopping: Callable[[], bool]) -> bool:
        """True as soon as a mail is there that came after the last `envelopes` of this folder.

        Before any `envelopes` the first look at the folder counts, such as its `state`.
        False after `timeout_s`, within about a second once `stopping` says so, and at once where `can_idle` is
        False. It may say True without cause, and is meant to be followed by `envelopes`.
        """

    @property
    def can_idle(self) -> bool:
        """Whether the server tells of new mail by itself."""

    def close(self) -> None:
        """Says good-bye and frees the connection. Never raises; may be called twice."""
