"""How a mail leaves, whatever carries it: the protocols, what comes back, and the one way of failing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from fluenzr_app.mail.compose import Composed
from fluenzr_app.mail.errors import MailError

Level = Literal["account", "connection", "recipient", "message"]

AccountErrorCode = Literal[
    "token_expired",
    "consent_revoked",
    "admin_consent_required",
    "auth_failed",
    "app_password_required",
    "dns_failure",
    "connection_refused",
    "timeout",
    "tls_certificate_invalid",
    "tls_mode_mismatch",
    "quota_exceeded",
    "rate_limited",
    "sender_refused",
    "blocked_by_policy",
]

_MAX_WORDS = 500


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the mail over.

    `code`: the SMTP reply code or HTTP status. `text`: the provider's words, 500 characters at most.
    `remote_id`: the provider's own name for the mail (Gmail, Microsoft); None over SMTP.
    """

    code: int
    text: str
    remote_id: str | None = None


class SendFailure(MailError):
    """A mail, or the connection it should have used, failed. All facts a caller needs to decide what follows.

    level: whose fault it is, and therefore what may be tried next.
        `account`     nothing will leave from this account until somebody or some time mends it; no contact pays.
        `connection`  this connection, host or network; the account backs off and tries again; no contact pays.
        `recipient`   this address. The only level that counts as a bounce.
        `message`     this content for this recipient (spam, size, policy); no bounce of the contact.
    permanent: the same attempt would fail again. With `account`: the account turns to error until it is mended;
        without: it pauses until `retry_after`, or backs off. With `recipient`: hard bounce; without: soft.
        With `message`: the message failed; without: a later attempt may pass.
    certain: True when the mail surely did not leave. False when the final dot may have reached the server
        and no answer came: the mail must then be treated as uncertain, never as unsent.
    code: SMTP reply code or HTTP status. None when nobody answered.
    enhanced: RFC 3463 code such as "5.1.1". None when the server gave none.
    text: the server's words, or ours when it said nothing; 500 characters at most.
    error_code: accounts.md's code of the account's state. None for the recipient and message levels, and for
        a connection fault that needs no name.
    retry_after: seconds before another attempt makes sense. None when nobody said; the caller's back-off rules.
    cause: the cause found by `refusal` (its `Cause` value), for words in the user's language. None when unnamed.
    stage: the step that failed: resolve, connect, tls, ehlo, auth, mail, rcpt, data, content. None outside SMTP.
    """

    def __init__(
        self,
        level: Level,
        text: str,
        *,
        permanent: bool = False,
        certain: bool = True,
        code: int | None = None,
        enhanced: str | None = None,
        error_code: AccountErrorCode | None = None,
        retry_after: float | None = None,
        cause: str | None = None,
        stage: str | None = None,
    ) -> None:
        words = " ".join(text.split())[:_MAX_WORDS]
        super().__init__(words)
        self.level: Level = level
        self.permanent = permanent
        self.certain = certain
        self.code = code
        self.enhanced = enhanced
        self.text = words
        self.error_code: AccountErrorCode | None = error_code
        self.retry_after = retry_after
        self.cause = cause
        self.stage = stage

    def __repr__(self) -> str:
        return (
            f"SendFailure({self.level}, permanent={self.permanent}, certain={self.certain}, code={self.code}, "
            f"enhanced={self.enhanced}, error_code={self.error_code}, cause={self.cause}, stage={self.stage})"
        )


class Connection(Protocol):
    """An open way out of one account. Used by one task at a time."""

    @property
    def alive(self) -> bool:
        """False once it is known to be closed; the next send then opens a new one or fails with certainty."""

    @property
    def sent_count(self) -> int:
        """Mails accepted over this connection since it was opened by `Transport.connect`."""

    async def send(self, composed: Composed) -> Accepted:
        """The provider's acceptance. Raises SendFailure.

        A CancelledError that comes out of here means that the mail surely did not leave; a cancellation
        after the final dot comes out as SendFailure with `certain` False instead.
        """

    async def close(self) -> None:
        """Says good-bye and frees the socket. Never raises; may be called twice."""


class Transport(Protocol):
    """How one account sends. Holds settings and secrets, no socket."""

    async def connect(self) -> Connection:
        """An open, authenticated connection. Raises SendFailure (levels `account` and `connection` only)."""
