"""What can go wrong around the queue."""


class SendingError(Exception):
    """Something about the queue that a caller has to know."""


class UnknownMessage(SendingError):
    """There is no such message in this workspace."""


class NotUncertain(SendingError):
    """A decision was made about a message that does not wait for one any more."""


class SenderBusy(SendingError):
    """Another process sends from this SQLite database already; only one may."""


class ContentFault(SendingError):
    """A mail cannot be made from its step and contact; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code
