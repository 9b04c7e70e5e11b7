"""The errors of the mail room. Each message can be read by a user."""

from __future__ import annotations


class MailError(Exception):
    """Something about a mail, an address or a mail server is not as it must be."""


class BadAddress(MailError, ValueError):
    """This is not an e-mail address.

    `code` names the fault for catalogues: `empty`, `no_at`, `bad_local`, `bad_domain`, `no_dot`, `too_long`.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class BadHeader(MailError, ValueError):
    """A value cannot stand in a mail header: it would break out of its line, or no server would take it."""


class NotComposable(MailError, ValueError):
    """The draft lacks something that every mail must have (RFC 5322, 3.6)."""


class NameNotResolved(MailError):
    """The host name could not be turned into an address.

    `temporary` is true when the name server did not answer: unknown, rather than absent.
    """

    def __init__(self, host: str, *, temporary: bool) -> None:
        why = "the name server did not answer" if temporary else "this name does not exist"
        super().__init__(f"{host}: {why}")
        self.host = host
        self.temporary = temporary


class PrivateAddressRefused(MailError):
    """The host leads to a private network, and the installation refuses those."""

    def __init__(self, host: str) -> None:
        super().__init__(f"{host} leads to a private network, which this installation does not allow")
        self.host = host


class AttachmentMissing(MailError, KeyError):
    """The mail has no attachment of this number."""

    def __init__(self, index: int) -> None:
        super().__init__(f"The mail has no attachment number {index}.")
