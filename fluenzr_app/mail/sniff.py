"""What listens on a port, found out without a password: how it is encrypted, and for which names.

Used by the probe to tell a mend that was seen to work, instead of guessing one. Certificates are not checked
here on purpose, and nothing secret is sent.
"""

from __future__ import annotations

import asyncio
import ssl
from contextlib import suppress
from typing import Literal

import aiosmtplib
from cryptography import x509

from fluenzr_app.mail.network import Resolved, open_socket
from fluenzr_app.mail.smtp_session import Encryption

Protocol = Literal["smtp", "imap"]
_GREETING: dict[Protocol, bytes] = {"smtp": b"220", "imap": b"* "}
_QUESTION: dict[Protocol, bytes] = {"smtp": b"EHLO probe.invalid\r\n", "imap": b"p CAPABILITY\r\n"}
_MAX_ANSWER = 8192


async def sniff(
    addresses: tuple[Resolved, ...], port: int, *, protocol: Protocol, timeout_s: float
) -> Encryption | None:
    """How a server on this port wants to be spoken to; None when no mail server answers in `timeout_s`.

    `ssl`: TLS from the first byte; `starttls`: plain greeting that offers STARTTLS; `none`: plain and nothing else.
    Both ways are tried side by side, since a TLS server is silent to a plain client.
    """
    tasks = [
        asyncio.create_task(_plain(addresses, port, protocol, timeout_s)),
        asyncio.create_task(_tls(addresses, port, timeout_s)),
    ]
    try:
        for next_done in asyncio.as_completed(tasks):
            found = await next_done
            if found is not None:
                return found
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return None


async def sniff_ports(
    addresses: tuple[Resolved, ...], ports: tuple[int, ...], *, protocol: Protocol, timeout_s: float
) -> tuple[int, Encryption] | None:
    """The first of `ports` on which an encrypted mail server answers, with its encryption; None when none does."""
    found = await asyncio.gather(*(sniff(addresses, port, protocol=protocol, timeout_s=timeout_s) for port in ports))
    return next(((port, mode) for port, mode in zip(ports, found, strict=True) if mode in ("ssl", "starttls")), None)


async def certificate_names(
    addresses: tuple[Resolved, ...], port: int, encryption: Encryption, *, protocol: Protocol, timeout_s: float
) -> tuple[str, ...]:
    """The DNS names in the server's certificate, as they stand there; empty when it shows none."""
    try:
        async with asyncio.timeout(timeout_s):
            if encryption == "ssl":
                return _names(await _certificate_at_once(addresses, port, timeout_s))
            if protocol == "smtp":
                return _names(await _certificate_after_starttls(addresses, port, timeout_s))
    except (OSError, aiosmtplib.SMTPException):
        pass
    return ()


def blind_context() -> ssl.SSLContext:
    """A context that takes any certificate: to look at one, never to send anything through."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def _plain(addresses: tuple[Resolved, ...], port: int, protocol: Protocol, timeout_s: float) -> Encryption | None:
    with suppress(OSError):
        async with asyncio.timeout(timeout_s):
            reader, writer = await asyncio.open_connection(
                sock=await open_socket(addresses, port, timeout_s=timeout_s), limit=_MAX_ANSWER
            )
            try:
                if not (await reader.readline()).startswith(_GREETING[protocol]):
                    return None
                writer.write(_QUESTION[protocol])
                answer = b""
                while chunk := await reader.readline():
                    answer += chunk
                    # The last line of either protocol's answer.
                    if chunk.startswith((b"250 ", b"p ")) or not chunk.startswith((b"250", b"*")):
                        break
                return "starttls" if b"STARTTLS" in answer.upper() else "none"
            except ValueError:
                # A line longer than any mail server's.
                return None
            finally:
                writer.close()
    return None


async def _tls(addresses: tuple[Resolved, ...], port: int, timeout_s: float) -> Encryption | None:
    with suppress(OSError):
        async with asyncio.timeout(timeout_s):
            await _certificate_at_once(addresses, port, timeout_s)
            return "ssl"
    return None


async def _certificate_at_once(addresses: tuple[Resolved, ...], port: int, timeout_s: float) -> bytes | None:
    sock = await open_socket(addresses, port, timeout_s=timeout_s)
    try:
        _, writer = await asyncio.open_connection(
            sock=sock, ssl=blind_context(), server_hostname="", ssl_handshake_timeout=timeout_s
        )
    except BaseException:
        sock.close()
        raise
    try:
        tls: ssl.SSLObject = writer.get_extra_info("ssl_object")
        return tls.getpeercert(binary_form=True)
    finally:
        writer.transport.abort()


async def _certificate_after_starttls(addresses: tuple[Resolved, ...], port: int, timeout_s: float) -> bytes | None:
    sock = await open_socket(addresses, port, timeout_s=timeout_s)
    client = aiosmtplib.SMTP(
        hostname="", sock=sock, local_hostname="probe.invalid", timeout=timeout_s, start_tls=False, use_tls=False
    )
    try:
        await client.connect()
        await client.starttls(tls_context=blind_context(), server_hostname="")
        tls: ssl.SSLObject = client.get_transport_info("ssl_object")
        return tls.getpeercert(binary_form=True)
    finally:
        client.close()
        sock.close()


def _names(certificate: bytes | None) -> tuple[str, ...]:
    if not certificate:
        return ()
    try:
        found = x509.load_der_x509_certificate(certificate).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except (ValueError, x509.ExtensionNotFound):
        return ()
    return tuple(found.value.get_values_for_type(x509.DNSName))
