"""Sending over SMTP: one reused connection, and exact knowledge of what had been written when something failed.

MAIL, RCPT and DATA are separate steps, and the final dot is written apart from the content and only after the
content has left our buffers. Whatever goes wrong before that write surely did not send the mail; whatever goes
wrong after it without an answer is uncertain (campaigns.md, The engine).
"""

from __future__ import annotations

import asyncio
import re
import time
from typing import cast

import aiosmtplib

from fluenzr_app.mail.addresses import wire_address
from fluenzr_app.mail.causes import Stage
from fluenzr_app.mail.compose import Composed
from fluenzr_app.mail.refusal import classify
from fluenzr_app.mail.smtp_session import SmtpSession, SmtpSettings, drop, failure_of, raise_failure
from fluenzr_app.mail.transport import Accepted, SendFailure

_LONE_BREAK = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_START_INPUT = 354
_CLOSING = 421
_MAX_WORDS = 500
_POLL_S = 0.01
_GOODBYE_S = 2.0


class SmtpTransport:
    """Sends for one account over SMTP. See `SmtpSettings` for what each setting means."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings

    async def connect(self) -> SmtpConnection:
        """An open, encrypted (as set) and authenticated connection. Raises SendFailure."""
        return SmtpConnection(self._settings, await SmtpSession(self._settings).open())


class SmtpConnection:
    """One connection that is used again and again, by one task at a time.

    It reopens by itself before MAIL FROM when it has rested, was closed, or has carried its share of mails; never
    later, so that no mail is offered twice within one `send`.
    """

    def __init__(self, settings: SmtpSettings, client: aiosmtplib.SMTP) -> None:
        self._settings = settings
        self._client = client
        self._used_at = time.monotonic()
        self._carried = 0
        self._sent = 0
        self._dirty = False
        self._busy = False

    @property
    def alive(self) -> bool:
        """False once the socket is known to be closed; a `send` then opens another one first."""
        return self._client.is_connected

    @property
    def sent_count(self) -> int:
        """Mails accepted since `SmtpTransport.connect`, reopened sockets included."""
        return self._sent

    async def send(self, composed: Composed) -> Accepted:
        """The server's acceptance (code 250, its words). Raises SendFailure; see `transport.Connection.send`."""
        if self._busy:
            raise RuntimeError("a connection carries one mail at a time")
        self._busy = True
        try:
            await self._make_ready()
            self._check_capabilities(composed)
            accepted = await self._transaction(composed)
        finally:
            self._busy = False
        self._sent += 1
        self._carried += 1
        return accepted

    async def offer(self, sender: str, recipient: str) -> None:
        """Asks whether the server would take a mail between these addresses, and sends none.

        Raises SendFailure. Many servers judge the sender only once a recipient is named (Postfix's
        `smtpd_delay_reject`), hence both.
        """
        await self._make_ready()
        await self._command("mail", b"MAIL", f"FROM:<{wire_address(sender).address}>".encode())
        await self._command("rcpt", b"RCPT", f"TO:<{wire_address(recipient).address}>".encode())
        self._dirty = True

    async def close(self) -> None:
        """QUIT, answered or not, and the socket freed."""
        if self._client.is_connected:
            try:
                async with asyncio.timeout(_GOODBYE_S):
                    await self._client.quit()
            except (OSError, aiosmtplib.SMTPException):
                pass
            finally:
                drop(self._client)

    async def _make_ready(self) -> None:
        """An idle, clean session: the one at hand if it still answers, else a new one."""
        if self._carried >= self._settings.mails_per_connection:
            await self.close()
        if self._client.is_connected and not await self._still_answers():
            drop(self._client)
        if not self._client.is_connected:
            self._client = await SmtpSession(self._settings).open()
            self._carried = 0
        self._dirty = False

    async def _still_answers(self) -> bool:
        rested = time.monotonic() - self._used_at
        if not self._dirty and rested < self._settings.idle_check_s:
            return True
        try:
            await (self._client.rset() if self._dirty else self._client.noop())
        except asyncio.CancelledError:
            # The answer still to come would be taken for that of the next command.
            drop(self._client)
            raise
        except (OSError, aiosmtplib.SMTPException):
            return False
        return self._client.is_connected

    def _check_capabilities(self, composed: Composed) -> None:
        limit = self._client.esmtp_extensions.get("size", "")
        if limit.isdigit() and 0 < int(limit) < len(composed.raw):
            raise SendFailure(
                "message", f"The mail has {len(composed.raw)} octets; the server takes {limit} at most.",
                permanent=True, cause="too_large", stage="mail",
            )  # fmt: skip
        if composed.smtputf8 and not self._client.supports_extension("smtputf8"):
            raise SendFailure(
                "message", "The server takes no address with letters outside ASCII before the @ sign (SMTPUTF8).",
                permanent=True, cause="utf8_unsupported", stage="mail",
            )  # fmt: skip

    async def _transaction(self, composed: Composed) -> Accepted:
        encoding = "utf-8" if composed.smtputf8 else "ascii"
        sender, recipient = (f"<{each}>".encode(encoding) for each in (composed.envelope_from, composed.envelope_to))
        try:
            await self._command("mail", b"MAIL", b"FROM:" + sender, *self._mail_options(composed))
            await self._command("rcpt", b"RCPT", b"TO:" + recipient)
            await self._command("data", b"DATA")
            await self._write_content(composed.raw)
        except (SendFailure, asyncio.CancelledError):
            raise
        except BaseException:
            drop(self._client)
            raise
        return await self._finish()

    def _mail_options(self, composed: Composed) -> list[bytes]:
        options = []
        if self._client.supports_extension("size"):
            options.append(b"SIZE=%d" % len(composed.raw))
        if self._client.supports_extension("8bitmime") and not composed.raw.isascii():
            options.append(b"BODY=8BITMIME")
        if composed.smtputf8:
            options.append(b"SMTPUTF8")
        return options

    async def _command(self, step: Stage, *words: bytes) -> None:
        """One command and its answer; raises SendFailure unless it is the answer that lets the dialogue go on."""
        try:
            answer = await self._client.execute_command(*words)
        except asyncio.CancelledError:
            drop(self._client)
            raise
        except (OSError, aiosmtplib.SMTPException) as error:
            drop(self._client)
            raise_failure(error, step)
        self._used_at = time.monotonic()
        if answer.code == _START_INPUT if step == "data" else 200 <= answer.code < 300:
            return
        self._after_refusal(answer.code)
        raise classify(step, answer.code, answer.message)

    async def _write_content(self, raw: bytes) -> None:
        """Content without its final dot, handed over to the kernel to the last octet."""
        protocol, transport = self._client.protocol, self._client.transport
        try:
            if protocol is None or transport is None:
                raise aiosmtplib.SMTPServerDisconnected("Connection lost")
            protocol.write(_stuffed(raw))
            async with asyncio.timeout(self._settings.timeout_s):
                # Almost always empty at once. Polled, since a transport tells nobody when its buffer runs dry, and
                # a mail whose end is still here surely was not sent.
                while _unwritten(transport):  # noqa: ASYNC110
                    await asyncio.sleep(_POLL_S)
        except asyncio.CancelledError:
            drop(self._client)
            raise
        except (OSError, aiosmtplib.SMTPException) as error:
            drop(self._client)
            raise_failure(error, "data")

    async def _finish(self) -> Accepted:
        """The final dot and its answer. From here on silence means uncertain, whatever its reason."""
        protocol = self._client.protocol
        try:
            if protocol is None:
                raise aiosmtplib.SMTPServerDisconnected("Connection lost")
            protocol.write(b".\r\n")
        except (OSError, aiosmtplib.SMTPException) as error:
            drop(self._client)
            raise_failure(error, "data")
        try:
            answer = await protocol.read_response(timeout=self._settings.answer_timeout_s)
        except BaseException as error:
            drop(self._client)
            if isinstance(error, asyncio.CancelledError):
                raise SendFailure(
                    "connection", "Sending was broken off before the server answered.", certain=False, stage="content"
                ) from error
            if isinstance(error, (OSError, aiosmtplib.SMTPException)):
                raise _unanswered(error) from error
            raise
        self._used_at = time.monotonic()
        if 200 <= answer.code < 300:
            return Accepted(answer.code, " ".join(answer.message.split())[:_MAX_WORDS])
        self._after_refusal(answer.code)
        if not 400 <= answer.code < 600:
            raise SendFailure("connection", answer.message, certain=False, code=answer.code, stage="content")
        raise classify("content", answer.code, answer.message)

    def _after_refusal(self, code: int) -> None:
        if code == _CLOSING or not 400 <= code < 600:
            drop(self._client)
        else:
            # RFC 5321, 4.1.1.5: what remains of the transaction is cleared before the next one.
            self._dirty = True


def _unwritten(transport: asyncio.BaseTransport) -> bool:
    return not transport.is_closing() and cast(asyncio.WriteTransport, transport).get_write_buffer_size() > 0


def _unanswered(error: OSError | aiosmtplib.SMTPException) -> SendFailure:
    found = failure_of(error, "content", certain=False)
    # An unreadable answer is as good as none.
    return SendFailure(
        "connection", found.text, certain=False, error_code=found.error_code, cause=found.cause, stage="content"
    )


def _stuffed(raw: bytes) -> bytes:
    """RFC 5321, 4.5.2: a dot at the start of a line is doubled; lone CR and LF, which could end a mail early, go."""
    if raw.count(b"\r\n") * 2 != raw.count(b"\r") + raw.count(b"\n"):
        raw = _LONE_BREAK.sub(b"\r\n", raw)
    if not raw.endswith(b"\r\n"):
        raw += b"\r\n"
    stuffed = raw.replace(b"\r\n.", b"\r\n..")
    return b"." + stuffed if stuffed.startswith(b".") else stuffed
