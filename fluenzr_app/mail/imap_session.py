"""The steps by which an IMAP connection opens, for the probe: connect, encrypt, sign in, see the inbox.

Reading mail is another matter; this speaks just enough of RFC 9051 to say which of those steps fails and why.
"""

from __future__ import annotations

import asyncio
import base64
import re
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from fluenzr_app.mail.causes import Cause, name_cause
from fluenzr_app.mail.network import Resolved, open_socket, tls_context
from fluenzr_app.mail.smtp_session import Encryption, LocalCause, raise_failure, resolved
from fluenzr_app.mail.transport import AccountErrorCode, SendFailure

_MAX_LINE = 65_536
_UNQUOTABLE = re.compile(r"[\x00\r\n]|[^\x00-\x7f]")
# RFC 9051, 7.1: nothing is wrong with the credentials, the server just cannot tell now.
_PASSING = re.compile(r"\[(?:UNAVAILABLE|INUSE|SERVERBUG)\]", re.IGNORECASE)
# What the words of a refused login come to; anything else is wrong credentials.
_LOGIN_CODES: dict[Cause, AccountErrorCode] = {
    Cause.APP_PASSWORD: "app_password_required",
    Cause.AUTH_DISABLED: "blocked_by_policy",
    Cause.ACCOUNT_BLOCKED: "blocked_by_policy",
    Cause.TLS_REQUIRED: "tls_mode_mismatch",
    Cause.RATE: "rate_limited",
    Cause.TOKEN_EXPIRED: "token_expired",
}


@dataclass(frozen=True, slots=True)
class ImapSettings:
    """Where and how one account is read. `timeout_s`: for each step. See SmtpSettings for the rest."""

    host: str
    port: int
    encryption: Encryption
    username: str
    password: str = field(repr=False)
    timeout_s: float = 30.0
    allow_private: bool = True
    ca_file: Path | None = None


class ImapSession:
    """One connection while it opens. Each method is one step and raises SendFailure with that step's name."""

    def __init__(self, settings: ImapSettings) -> None:
        self.settings = settings
        self._socket: socket.socket | None = None
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._tag = 0
        self._capabilities: frozenset[str] = frozenset()

    @property
    def tls_version(self) -> str | None:
        """Such as "TLSv1.3"; None while the connection is not encrypted."""
        tls = self._writer.get_extra_info("ssl_object") if self._writer is not None else None
        return str(tls.version()) if tls is not None else None

    async def resolve(self) -> tuple[Resolved, ...]:
        """The addresses that may be connected to."""
        return await resolved(self.settings.host, self.settings.allow_private, self.settings.timeout_s)

    async def connect(self, addresses: tuple[Resolved, ...]) -> None:
        """A TCP connection to one of the addresses."""
        try:
            self._socket = await open_socket(addresses, self.settings.port, timeout_s=self.settings.timeout_s)
        except OSError as error:
            raise_failure(error, "connect")

    async def greet(self) -> None:
        """Encryption as the settings want it, greeting and capabilities."""
        sock, self._socket = self._socket, None
        if sock is None:
            raise RuntimeError("connect first")
        try:
            async with asyncio.timeout(self.settings.timeout_s):
                await self._greet(sock)
        except OSError as error:
            raise_failure(error, "tls")
        finally:
            if self._writer is None:
                sock.close()

    async def login(self) -> None:
        """Signs in and opens the inbox for reading only."""
        settings = self.settings
        if "LOGINDISABLED" in self._capabilities and settings.encryption == "none":
            raise SendFailure(
                "account", "The server takes a login only over an encrypted connection.", permanent=True,
                error_code="tls_mode_mismatch", cause=LocalCause.AUTH_ONLY_ENCRYPTED, stage="auth",
            )  # fmt: skip
        try:
            async with asyncio.timeout(settings.timeout_s):
                ok, words = await self._sign_in(settings.username, settings.password)
                if not ok:
                    raise login_refused(words)
                ok, words = await self._command("EXAMINE INBOX")
        except (OSError, EOFError, ValueError) as error:
            raise_failure(error, "auth")
        if not ok:
            raise SendFailure("account", words, permanent=True, error_code="auth_failed", stage="auth")

    async def close(self) -> None:
        """LOGOUT, unheard, and the socket freed."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.write(b"bye LOGOUT\r\n")
            writer.close()

    async def _greet(self, sock: socket.socket) -> None:
        settings = self.settings
        context = await asyncio.to_thread(tls_context, settings.ca_file)
        at_once: dict[str, object] = {}
        if settings.encryption == "ssl":
            at_once = {"ssl": context, "server_hostname": settings.host}
        self._reader, self._writer = await asyncio.open_connection(sock=sock, limit=_MAX_LINE, **at_once)  # type: ignore[arg-type]
        greeting = await self._line()
        if not greeting.upper().startswith(("* OK", "* PREAUTH")):
            raise SendFailure(
                "connection", greeting, error_code="tls_mode_mismatch", cause=LocalCause.NOT_IMAP, stage="connect"
            )
        await self._ask_capabilities()
        if settings.encryption == "starttls":
            await self._start_tls(context)

    async def _start_tls(self, context: ssl.SSLContext) -> None:
        ok = "STARTTLS" in self._capabilities
        if ok:
            ok, _ = await self._command("STARTTLS")
        if not ok:
            raise SendFailure(
                "account", "The server offers no STARTTLS.", permanent=True, error_code="tls_mode_mismatch",
                cause=LocalCause.STARTTLS_MISSING, stage="tls",
            )  # fmt: skip
        assert self._writer is not None
        await self._writer.start_tls(context, server_hostname=self.settings.host)
        # RFC 9051, 6.2.1: what was said before the encryption counts for nothing.
        await self._ask_capabilities()

    async def _ask_capabilities(self) -> None:
        lines: list[str] = []
        await self._command("CAPABILITY", lines)
        words = [line.upper().split()[2:] for line in lines if line.upper().startswith("* CAPABILITY ")]
        self._capabilities = frozenset(word for each in words for word in each)

    async def _sign_in(self, username: str, password: str) -> tuple[bool, str]:
        if "AUTH=PLAIN" in self._capabilities and "SASL-IR" in self._capabilities:
            secret = base64.b64encode(f"\0{username}\0{password}".encode()).decode()
            return await self._command(f"AUTHENTICATE PLAIN {secret}")
        if _UNQUOTABLE.search(username + password):
            return False, "The server takes no letters outside ASCII in user name or password."
        return await self._command(f"LOGIN {_quoted(username)} {_quoted(password)}")

    async def _command(self, command: str, untagged: list[str] | None = None) -> tuple[bool, str]:
        """Whether the server said OK, and its words."""
        assert self._writer is not None
        self._tag += 1
        tag = f"f{self._tag}"
        self._writer.write(f"{tag} {command}\r\n".encode())
        while True:
            line = await self._line()
            if line.startswith(f"{tag} "):
                verdict, _, words = line[len(tag) + 1 :].partition(" ")
                return verdict.upper() == "OK", words
            if line.upper().startswith("* BYE"):
                raise EOFError(line)
            if untagged is not None:
                untagged.append(line)

    async def _line(self) -> str:
        assert self._reader is not None
        try:
            line = await self._reader.readline()
        except ValueError as error:
            raise ConnectionError("a line without an end") from error
        if not line.endswith(b"\n"):
            raise ConnectionResetError("the server closed the connection")
        return line.decode("utf-8", "replace").strip()


def login_refused(words: str) -> SendFailure:
    """What a server's NO to a login means, by its words."""
    if _PASSING.search(words):
        return SendFailure("connection", words, cause=Cause.SERVER_TROUBLE, stage="auth")
    cause = name_cause(535, words, stage="auth") or Cause.BAD_CREDENTIALS
    return SendFailure(
        "account", words, permanent=cause is not Cause.RATE, error_code=_LOGIN_CODES.get(cause, "auth_failed"),
        cause=cause, stage="auth",
    )  # fmt: skip


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
