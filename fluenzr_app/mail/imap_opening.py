"""From settings to a mailbox that is signed in, and what each way of failing over IMAP means."""

from __future__ import annotations

import asyncio
import imaplib
import socket
import ssl
from typing import cast

from imap_tools.errors import MailboxLoginError

from fluenzr_app.mail.causes import Cause, name_cause
from fluenzr_app.mail.imap_client import Allowance, BoundedClient, ImapBox, Login, SaidBye, TooMuch
from fluenzr_app.mail.imap_session import ImapSettings, login_refused
from fluenzr_app.mail.mailbox import MailboxFailure
from fluenzr_app.mail.network import open_socket, tls_context
from fluenzr_app.mail.smtp_session import LocalCause, Step, failure_of, raise_failure, resolved
from fluenzr_app.mail.transport import SendFailure

_OPENING = frozenset({"connect", "tls"})


def opened(settings: ImapSettings, login: Login) -> ImapBox:
    """A library's mailbox, signed in, no folder open. Raises MailboxFailure."""
    try:
        sock = _reached(settings)
    except SendFailure as failure:
        raise MailboxFailure.of(failure, "connect") from failure
    try:
        box = _greeted(settings, sock)
    except BaseException:
        sock.close()
        raise
    try:
        if box.client.state != "AUTH":
            _sign_in(settings, box, login)
        box.client.ask_capabilities()
    except MailboxFailure:
        box.client.shutdown()
        raise
    except Exception as error:
        box.client.shutdown()
        raise failure_from(error, "auth") from error
    return box


def failure_from(error: Exception, stage: str) -> MailboxFailure:
    """What a broken dialogue means. An error that is no fault of the server or the network comes back raised."""
    if isinstance(error, MailboxFailure):
        return error
    cause = _network_error(error)
    if isinstance(cause, SaidBye):
        crowded = name_cause(421, str(cause), stage="auth") is Cause.RATE
        words = str(cause) or "The server said good-bye."
        if crowded:
            return MailboxFailure("rate_limited", words, stage=stage, cause=Cause.RATE)
        return MailboxFailure("disconnected", words, stage=stage, cause=LocalCause.DISCONNECTED)
    if isinstance(cause, ssl.SSLError) and stage not in _OPENING:
        # Once it was agreed on, no way of encrypting is at fault.
        return MailboxFailure(
            "disconnected", f"The server broke off the encryption: {cause.reason}", stage=stage,
            cause=LocalCause.DISCONNECTED,
        )  # fmt: skip
    if cause is not None:
        # Only words are made of the step.
        return MailboxFailure.of(failure_of(cause, cast(Step, stage)), stage)
    if not isinstance(error, TooMuch | imaplib.IMAP4.error | ValueError | LookupError):
        raise error
    if stage in _OPENING and not isinstance(error, TooMuch):
        return MailboxFailure(
            "tls_mode_mismatch", f"This is no IMAP server: {error}", stage=stage, cause=LocalCause.NOT_IMAP
        )
    return MailboxFailure("protocol", f"The server answers what cannot be used: {error}", stage=stage)


def _network_error(error: BaseException | None) -> OSError | None:
    """The fault of the network behind an error: the library turns some of them into words of its own."""
    while error is not None:
        if isinstance(error, OSError):
            return error
        error = error.__context__ if isinstance(error, imaplib.IMAP4.abort) else None
    return None


def _reached(settings: ImapSettings) -> socket.socket:
    """A connected socket, from a thread without an event loop. Raises SendFailure."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(_reach(settings))
    finally:
        # Attempts that were given up close their sockets; a name server that hangs is not waited for.
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.wait(left))
        loop.close()


async def _reach(settings: ImapSettings) -> socket.socket:
    addresses = await resolved(settings.host, settings.allow_private, settings.timeout_s)
    try:
        return await open_socket(addresses, settings.port, timeout_s=settings.timeout_s)
    except OSError as error:
        raise_failure(error, "connect")


def _greeted(settings: ImapSettings, sock: socket.socket) -> ImapBox:
    encryption = settings.encryption
    stage = "tls" if encryption == "ssl" else "connect"
    try:
        context = tls_context(settings.ca_file)
        client = BoundedClient(sock, settings.host, settings.timeout_s, context if encryption == "ssl" else None)
        stage = "tls"
        if encryption == "starttls":
            _encrypt(client, settings)
        return ImapBox(client)
    except Exception as error:
        raise failure_from(error, stage) from error


def _encrypt(client: BoundedClient, settings: ImapSettings) -> None:
    try:
        # A greeting that signs in at once would carry the whole dialogue past the encryption (RFC 9051, 11.1).
        offered = "STARTTLS" in client.capabilities and client.state == "NONAUTH"
        if not offered or not client.encrypt(tls_context(settings.ca_file)):
            raise MailboxFailure(
                "tls_mode_mismatch", "The server offers no STARTTLS.", permanent=True, stage="tls",
                cause=LocalCause.STARTTLS_MISSING,
            )  # fmt: skip
    except BaseException:
        client.shutdown()
        raise


def _sign_in(settings: ImapSettings, box: ImapBox, login: Login) -> None:
    if "LOGINDISABLED" in box.client.capabilities and settings.encryption == "none":
        raise MailboxFailure(
            "tls_mode_mismatch", "The server takes a login only over an encrypted connection.", permanent=True,
            stage="auth", cause=LocalCause.AUTH_ONLY_ENCRYPTED,
        )  # fmt: skip
    # A dialogue of challenges (RFC 9051, 6.2.2) is short; one without an end would repeat the secret.
    box.client.allow(Allowance(seconds=2 * settings.timeout_s, octets=65_536))
    try:
        login(box)
    except imaplib.IMAP4.abort:
        raise
    except MailboxLoginError as error:
        words = b" ".join(part for part in error.command_result[1] if isinstance(part, bytes))
        raise MailboxFailure.of(login_refused(words.decode("utf-8", "replace")), "auth") from error
    except imaplib.IMAP4.error as error:
        raise MailboxFailure.of(login_refused(str(error)), "auth") from error
