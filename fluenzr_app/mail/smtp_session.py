"""The steps by which an SMTP connection opens, one method each, so that a failure names its step.

Used by the transport, which takes them all in one go, and by the probe, which tells each one.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Literal, NoReturn, cast

import aiosmtplib

from fluenzr_app.mail.causes import Stage
from fluenzr_app.mail.errors import NameNotResolved, PrivateAddressRefused
from fluenzr_app.mail.network import Resolved, open_socket, resolve_public, tls_context
from fluenzr_app.mail.refusal import classify
from fluenzr_app.mail.transport import AccountErrorCode, Level, SendFailure

Encryption = Literal["starttls", "ssl", "none"]
Step = Literal["resolve"] | Stage

# OpenSSL's X509_V_ERR_*: expired and not yet valid; self-signed, alone or in a chain; wrong host or address.
_OUT_OF_DATE = frozenset({9, 10})
_SELF_SIGNED = frozenset({18, 19})
_OTHER_NAME = frozenset({62, 64})
_PLAIN_ANSWER = frozenset({"WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG"})
_MECHANISM_UNKNOWN = frozenset({500, 502, 504})


class LocalCause(StrEnum):
    """Causes found on this side of the connection; `causes.Cause` names those that a server tells."""

    NAME_UNKNOWN = "name_unknown"
    NAME_SERVER_SILENT = "name_server_silent"
    PRIVATE_ADDRESS = "private_address"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    SILENT = "silent"
    DISCONNECTED = "disconnected"
    NOT_SMTP = "not_smtp"
    NOT_IMAP = "not_imap"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_SELF_SIGNED = "certificate_self_signed"
    CERTIFICATE_OTHER_HOST = "certificate_other_host"
    CERTIFICATE_UNTRUSTED = "certificate_untrusted"
    PLAIN_WHERE_TLS_EXPECTED = "plain_where_tls_expected"
    TLS_TOO_OLD = "tls_too_old"
    STARTTLS_MISSING = "starttls_missing"
    AUTH_MISSING = "auth_missing"
    AUTH_ONLY_ENCRYPTED = "auth_only_encrypted"
    AUTH_METHOD_UNKNOWN = "auth_method_unknown"


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """Where and how one account sends.

    `username` None: no login. `password` is a value in flight, never stored or shown. `timeout_s`: for each step
    but the last. `answer_timeout_s`: for the answer after the final dot, long because giving up there leaves a
    mail uncertain (RFC 5321, 4.5.3.2.6 wants ten minutes). `idle_check_s`: a connection that rested longer is
    asked before it is used. `mails_per_connection`: many hosts close after 100. `ehlo_name` None: the address
    literal of our end, which needs no name server. `ca_file`: further authorities, beside the system's.
    """

    host: str
    port: int
    encryption: Encryption
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout_s: float = 30.0
    answer_timeout_s: float = 300.0
    idle_check_s: float = 20.0
    mails_per_connection: int = 100
    allow_private: bool = True
    ehlo_name: str | None = None
    ca_file: Path | None = None


class SmtpSession:
    """One connection while it opens. Each method is one step and raises SendFailure with that step's name."""

    def __init__(self, settings: SmtpSettings) -> None:
        self.settings = settings
        self._socket: socket.socket | None = None
        self._client: aiosmtplib.SMTP | None = None

    @property
    def client(self) -> aiosmtplib.SMTP:
        if self._client is None:
            raise RuntimeError("the session is not open")
        return self._client

    async def open(self) -> aiosmtplib.SMTP:
        """All steps in order; the client that comes back is ready for MAIL FROM."""
        try:
            await self.connect(await self.resolve())
            await self.greet()
            await self.login()
        except BaseException:
            self.abort()
            raise
        return self.client

    async def resolve(self) -> tuple[Resolved, ...]:
        """The addresses that may be connected to."""
        return await resolved(self.settings.host, self.settings.allow_private, self.settings.timeout_s)

    async def connect(self, addresses: tuple[Resolved, ...]) -> None:
        """A TCP connection to one of the addresses; nothing is said yet."""
        try:
            self._socket = await open_socket(addresses, self.settings.port, timeout_s=self.settings.timeout_s)
        except OSError as error:
            raise_failure(error, "connect")

    async def greet(self) -> None:
        """Encryption as the settings want it, greeting and EHLO."""
        sock, self._socket = self._socket, None
        if sock is None:
            raise RuntimeError("connect first")
        settings = self.settings
        step: Step = "tls" if settings.encryption == "ssl" else "connect"
        context = await asyncio.to_thread(tls_context, settings.ca_file)
        self._client = aiosmtplib.SMTP(
            hostname=settings.host,
            sock=sock,
            local_hostname=settings.ehlo_name or _address_literal(sock),
            timeout=settings.timeout_s,
            use_tls=settings.encryption == "ssl",
            start_tls=False,
            tls_context=context,
        )
        try:
            await self._client.connect()
            step = "ehlo"
            await self._hello()
            if settings.encryption == "starttls":
                step = "tls"
                await self._start_tls(context)
                step = "ehlo"
                await self._hello()
        except (OSError, aiosmtplib.SMTPException) as error:
            raise_failure(error, step)
        finally:
            if not self._client.is_connected:
                # The library leaves the socket open when the handshake fails.
                sock.close()

    async def login(self) -> None:
        """Authenticates when the settings hold a user name."""
        settings = self.settings
        if settings.username is None:
            return
        encrypted = settings.encryption != "none"
        methods = self._methods(encrypted)
        for position, method in enumerate(methods, start=1):
            try:
                await self._authenticate(method, settings.username, settings.password or "")
                return
            except aiosmtplib.SMTPAuthenticationError as error:
                # One wrong password tried with each method in turn would count as several and lock the account.
                if error.code in _MECHANISM_UNKNOWN and position < len(methods):
                    continue
                raise_failure(error, "auth")
            except (OSError, aiosmtplib.SMTPException) as error:
                raise_failure(error, "auth")

    def abort(self) -> None:
        """Frees the socket at once, whatever state it is in; what was not yet written is dropped."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._client is not None:
            drop(self._client)

    def _methods(self, encrypted: bool) -> list[str]:
        client = self.client
        if not client.supports_extension("auth"):
            if not encrypted and client.supports_extension("starttls"):
                _refuse("auth", "The server takes a login only over an encrypted connection.",
                        "tls_mode_mismatch", LocalCause.AUTH_ONLY_ENCRYPTED)  # fmt: skip
            _refuse("auth", "The server offers no login here.", "auth_failed", LocalCause.AUTH_MISSING)
        order = ("plain", "login", "cram-md5") if encrypted else ("cram-md5", "plain", "login")
        methods = [each for each in order if each in client.server_auth_methods]
        if not methods:
            offered = ", ".join(client.server_auth_methods).upper() or "none"
            _refuse("auth", f"The server takes no password, only: {offered}.", "auth_failed",
                    LocalCause.AUTH_METHOD_UNKNOWN)  # fmt: skip
        return methods

    async def _authenticate(self, method: str, username: str, password: str) -> None:
        if method == "plain":
            await self.client.auth_plain(username, password)
        elif method == "login":
            await self.client.auth_login(username, password)
        else:
            await self.client.auth_crammd5(username, password)

    async def _hello(self) -> None:
        try:
            await self.client.ehlo()
        except aiosmtplib.SMTPHeloError:
            if not self.client.is_connected:
                raise
            await self.client.helo()

    async def _start_tls(self, context: ssl.SSLContext) -> None:
        if not self.client.supports_extension("starttls"):
            _refuse("tls", "The server offers no STARTTLS.", "tls_mode_mismatch", LocalCause.STARTTLS_MISSING)
        await self.client.starttls(server_hostname=self.settings.host, tls_context=context)


async def resolved(host: str, allow_private: bool, timeout_s: float) -> tuple[Resolved, ...]:
    """The addresses of a host that may be connected to, as a step: raises SendFailure."""
    try:
        return await resolve_public(host, allow_private=allow_private, timeout_s=timeout_s)
    except NameNotResolved as error:
        cause = LocalCause.NAME_SERVER_SILENT if error.temporary else LocalCause.NAME_UNKNOWN
        raise SendFailure("connection", str(error), error_code="dns_failure", cause=cause, stage="resolve") from error
    except PrivateAddressRefused as error:
        raise SendFailure(
            "account", str(error), permanent=True, error_code="blocked_by_policy",
            cause=LocalCause.PRIVATE_ADDRESS, stage="resolve",
        ) from error  # fmt: skip


def drop(client: aiosmtplib.SMTP) -> None:
    """Closes the connection without flushing what is still in our buffers."""
    transport = client.transport
    with suppress(Exception):
        client.close()
    if transport is not None:
        with suppress(Exception):
            cast(asyncio.WriteTransport, transport).abort()


def raise_failure(error: BaseException, step: Step, *, certain: bool = True) -> NoReturn:
    """The SendFailure that a broken connection or a refusing reply at `step` means."""
    raise failure_of(error, step, certain=certain) from error


def failure_of(error: BaseException, step: Step, *, certain: bool = True) -> SendFailure:
    """The failure that `error` means at `step`; `certain` False after the final dot."""
    if isinstance(error, aiosmtplib.SMTPResponseException) and error.code > 0 and step != "resolve":
        return classify(step, error.code, error.message)
    level, text, permanent, error_code, cause = _meaning(error, _root(error), step)
    return SendFailure(
        level, text, permanent=permanent, certain=certain, error_code=error_code, cause=cause, stage=step
    )


_Meaning = tuple[Level, str, bool, AccountErrorCode | None, LocalCause]


def _meaning(error: BaseException, root: BaseException, step: Step) -> _Meaning:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return "connection", error.message, False, "tls_mode_mismatch", LocalCause.NOT_SMTP
    if isinstance(root, ssl.SSLError):
        return _tls_meaning(root)
    if isinstance(error, TimeoutError) or isinstance(root, TimeoutError):
        return "connection", f"No answer in time ({step}).", False, "timeout", LocalCause.SILENT
    if isinstance(root, ConnectionRefusedError):
        refused = "The server refuses connections on this port."
        return "connection", refused, False, "connection_refused", LocalCause.REFUSED
    if step == "connect" and isinstance(root, OSError) and not isinstance(root, ConnectionError):
        unreachable = f"The server cannot be reached: {root.strerror or root}"
        return "connection", unreachable, False, "connection_refused", LocalCause.UNREACHABLE
    return "connection", f"The server closed the connection ({step}).", False, None, LocalCause.DISCONNECTED


def _tls_meaning(error: ssl.SSLError) -> _Meaning:
    if isinstance(error, ssl.SSLCertVerificationError):
        words = error.verify_message or str(error)
        return "account", words, True, "tls_certificate_invalid", _certificate_cause(error)
    reason = error.reason or ""
    if reason in _PLAIN_ANSWER:
        plain = "The server does not speak TLS on this port from the start."
        return "account", plain, True, "tls_mode_mismatch", LocalCause.PLAIN_WHERE_TLS_EXPECTED
    if "PROTOCOL" in reason or "ALERT" in reason or "CIPHER" in reason:
        return "account", f"No common way to encrypt: {reason}", True, "tls_mode_mismatch", LocalCause.TLS_TOO_OLD
    return "connection", f"The server broke off the encryption: {reason}", False, None, LocalCause.DISCONNECTED


def _refuse(
    step: Step, text: str, error_code: Literal["tls_mode_mismatch", "auth_failed"], cause: LocalCause
) -> NoReturn:
    raise SendFailure("account", text, permanent=True, error_code=error_code, cause=cause, stage=step)


def _root(error: BaseException) -> BaseException:
    while error.__cause__ is not None and isinstance(error, aiosmtplib.SMTPException):
        error = error.__cause__
    return error


def _certificate_cause(error: ssl.SSLCertVerificationError) -> LocalCause:
    if error.verify_code in _OUT_OF_DATE:
        return LocalCause.CERTIFICATE_EXPIRED
    if error.verify_code in _SELF_SIGNED:
        return LocalCause.CERTIFICATE_SELF_SIGNED
    if error.verify_code in _OTHER_NAME:
        return LocalCause.CERTIFICATE_OTHER_HOST
    return LocalCause.CERTIFICATE_UNTRUSTED


def _address_literal(sock: socket.socket) -> str:
    """RFC 5321, 4.1.3: how a client without a name of its own says hello."""
    address = str(sock.getsockname()[0])
    return f"[IPv6:{address.partition('%')[0]}]" if ":" in address else f"[{address}]"
