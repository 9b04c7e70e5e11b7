"""From a host name to an open socket: names resolved once, private networks refused on demand.

The address that was checked is the address that is connected to: resolving a second time would let a name server
give a harmless answer to the check and another one to the connection.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import ssl
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from fluenzr_app.mail.errors import NameNotResolved, PrivateAddressRefused

# RFC 8305, 5: how long one address may stay silent before the next one is tried beside it.
_NEXT_ADDRESS_AFTER_S = 0.25
# RFC 6052, 2.1: an IPv4 address can hide in this one.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Resolved:
    """One address of a host, as text, in the order in which it should be tried."""

    address: str
    family: socket.AddressFamily


async def resolve_public(host: str, *, allow_private: bool, timeout_s: float = 10.0) -> tuple[Resolved, ...]:
    """The addresses of `host` that may be connected to, at least one.

    With `allow_private` False only addresses of the public internet are given. Raises PrivateAddressRefused
    when none is left, NameNotResolved when the name leads nowhere or nobody answered in `timeout_s`.
    """
    found = await _look_up(host, timeout_s)
    if allow_private:
        return found
    public = tuple(each for each in found if is_public(each.address))
    if not public:
        raise PrivateAddressRefused(host)
    return public


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet: not loopback, private, link-local, metadata, multicast."""
    return all(each.is_global and not each.is_multicast for each in _unwrapped(ipaddress.ip_address(address)))


async def open_socket(addresses: tuple[Resolved, ...], port: int, *, timeout_s: float) -> socket.socket:
    """A connected, non-blocking socket to whichever address answers first.

    Addresses are started one after the other, 0.25 s apart or as soon as one failed (RFC 8305). Raises OSError:
    that of the first address when all failed, TimeoutError when none answered in `timeout_s`.
    """
    attempts: list[asyncio.Task[socket.socket]] = []
    waiting = list(addresses)
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                if waiting:
                    attempts.append(asyncio.create_task(_connect(waiting.pop(0), port)))
                pending = [each for each in attempts if not each.done()]
                if pending:
                    pause = _NEXT_ADDRESS_AFTER_S if waiting else None
                    await asyncio.wait(pending, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                for each in attempts:
                    if each.done() and each.exception() is None:
                        attempts.remove(each)
                        return each.result()
                if not waiting and all(each.done() for each in attempts):
                    error = attempts[0].exception()
                    raise error if error is not None else OSError("no address")
    finally:
        for each in attempts:
            each.cancel()
            each.add_done_callback(_close_late)


@lru_cache(maxsize=16)
def _trusted(ca_file: str | None, cert_file: str | None, cert_dir: str | None) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=ca_file)
    return context


def tls_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """A client context that checks certificate and host name: system authorities, `SSL_CERT_FILE`, `ca_file`.

    Contexts are kept: reading the authorities takes longer than a whole TLS handshake.
    """
    return _trusted(
        None if ca_file is None else str(ca_file), os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")
    )


async def _look_up(host: str, timeout_s: float) -> tuple[Resolved, ...]:
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout_s):
            rows = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except TimeoutError as error:
        raise NameNotResolved(host, temporary=True) from error
    except socket.gaierror as error:
        raise NameNotResolved(host, temporary=error.errno == socket.EAI_AGAIN) from error
    except (UnicodeError, ValueError) as error:
        raise NameNotResolved(host, temporary=False) from error
    return tuple(dict.fromkeys(Resolved(str(row[4][0]), row[0]) for row in rows))


def _unwrapped(address: IpAddress) -> list[IpAddress]:
    """The address and every IPv4 address that travels inside it."""
    found: list[IpAddress] = [address]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return [address.ipv4_mapped]
        inner = [address.sixtofour, *(address.teredo or ())]
        if address in _NAT64:
            inner.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
        found += [each for each in inner if each is not None]
    return found


async def _connect(target: Resolved, port: int) -> socket.socket:
    sock = socket.socket(target.family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (target.address, port))
        with suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except BaseException:
        sock.close()
        raise
    return sock


def _close_late(attempt: asyncio.Task[socket.socket]) -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().close()
