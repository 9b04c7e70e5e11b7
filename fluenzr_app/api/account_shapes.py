"""Email accounts as the API gives and takes them; passwords go in and never come out (api.md, Objects)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import Field
from pydantic.alias_generators import to_snake

from fluenzr_app.accounts.form import Limits, Server, SmtpForm
from fluenzr_app.accounts.mailbox_words import mailbox_words
from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.accounts.words import words_for
from fluenzr_app.api.envelope import Given, Shape
from fluenzr_app.db.ids import public_id
from fluenzr_app.inbox.reading import ReadingView

_LIMITS = ("display_name", "daily_limit", "hourly_limit", "min_gap_seconds", "ramp_enabled")


class ServerShape(Shape):
    """How a server is reached."""

    host: str
    port: int
    encryption: str
    username: str


class AccountErrorShape(Shape):
    """What is wrong with an account, and since when."""

    code: str
    message: str
    since: datetime | None


class MailboxShape(Shape):
    """How the account's incoming mail is read, which is how replies and bounces are seen.

    `readAt`: when it was last read to its end, null before the first time. While it cannot be read, `failingSince`,
    `code` and `message` say since when and why; it is tried again by itself.
    """

    read_at: datetime | None
    failing_since: datetime | None
    code: str | None
    message: str | None


class AccountShape(Shape):
    """A connected mailbox that sends. `sentLast24h` counts every attempt of the last 24 hours.

    `mailbox` is null without an IMAP server: replies are not seen then, and sequences do not stop by themselves.
    """

    id: str
    email: str
    display_name: str
    provider: str
    status: str
    error: AccountErrorShape | None
    paused_until: datetime | None
    smtp: ServerShape
    imap: ServerShape | None
    mailbox: MailboxShape | None
    daily_limit: int
    hourly_limit: int | None
    min_gap_seconds: int
    ramp_enabled: bool
    sent_last24h: int = Field(serialization_alias="sentLast24h")
    reputation: int | None


class ServerGiven(Given):
    """A server. Without `username` the address is meant; without `encryption` what is usual for the port."""

    host: str
    port: int
    encryption: Literal["starttls", "ssl", "none"] | None = None
    username: str = ""
    password: str = ""

    def server(self) -> Server:
        """Return the server as the accounts room takes it."""
        usual = "ssl" if self.port in (465, 993) else "starttls"
        return Server(self.host, self.port, self.encryption or usual, self.username, self.password)


class AccountGiven(Given):
    """A mailbox to be connected by SMTP, and by IMAP where answers are to be read."""

    email: str
    smtp: ServerGiven
    imap: ServerGiven | None = None
    provider: Literal["smtp"] = "smtp"
    display_name: str | None = None
    daily_limit: int | None = None
    hourly_limit: int | None = None
    min_gap_seconds: int | None = None
    ramp_enabled: bool | None = None

    def form(self) -> SmtpForm:
        """Return what was given as the accounts room takes it; a limit that is null takes its default."""
        given = {name: getattr(self, name) for name in _LIMITS}
        limits = Limits(**{name: value for name, value in given.items() if value is not None})  # type: ignore[typeddict-item]
        return SmtpForm(self.email, self.smtp.server(), self.imap.server() if self.imap else None, limits)


def account_shape(account: EmailAccount, sent_last_24h: int, reading: ReadingView | None) -> AccountShape:
    """Return an account in the API's form; `reading` is how its mailbox is read."""
    assert account.id is not None
    return AccountShape(
        id=public_id("acc", account.id),
        email=account.email,
        display_name=account.display_name,
        provider=account.provider,
        status=account.status,
        error=_error(account),
        paused_until=account.paused_until,
        smtp=_server(account, "smtp"),
        imap=_server(account, "imap") if account.imap_host else None,
        mailbox=_mailbox(reading) if account.imap_host else None,
        daily_limit=account.daily_limit,
        hourly_limit=account.hourly_limit,
        min_gap_seconds=account.min_gap_seconds,
        ramp_enabled=account.ramp_enabled,
        sent_last24h=sent_last_24h,
        reputation=None,
    )


def api_field(field: str) -> str:
    """Return the API's name of a form's field (`daily_limit` → `dailyLimit`, `smtp.port` stays)."""
    names: Mapping[str, str] = {to_snake(alias): alias for alias in _aliases()}
    return names.get(field, field)


def _aliases() -> list[str]:
    return [field.alias or name for name, field in AccountGiven.model_fields.items()]


def _error(account: EmailAccount) -> AccountErrorShape | None:
    if account.error_code is None:
        return None
    message = words_for(account.error_code).what("en")
    return AccountErrorShape(code=account.error_code, message=message, since=account.error_since)


def _mailbox(reading: ReadingView | None) -> MailboxShape:
    if reading is None or reading.failed_since is None:
        read_at = None if reading is None else reading.synced_at
        return MailboxShape(read_at=read_at, failing_since=None, code=None, message=None)
    message = mailbox_words(reading.error_code).what("en")
    return MailboxShape(
        read_at=reading.synced_at, failing_since=reading.failed_since, code=reading.error_code, message=message
    )


def _server(account: EmailAccount, path: str) -> ServerShape:
    values: dict[str, Any] = {name: getattr(account, f"{path}_{name}") for name in ServerShape.model_fields}
    return ServerShape(**values)
