"""Keeps the test process on loopback: no test may talk to the world, not even by asking a name server."""

import ipaddress
import socket
import sys

_EVENTS = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_LOOKUPS = {"socket.getaddrinfo", "socket.gethostbyname"}


class LeftLoopback(RuntimeError):
    """A test tried to reach something beyond 127.0.0.0/8 and ::1."""


def close_the_network() -> None:
    """From now on a connection, a datagram or a name look-up that would leave loopback raises.

    Names that can never exist (RFC 2606 and 6761) fail as a name server would answer; all others raise
    LeftLoopback. An audit hook cannot be removed again and sees what Python's own sockets do; servers in C
    (libpq, Chromium) are given loopback addresses by their fixtures.
    """
    sys.addaudithook(_watch)


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event in _EVENTS:
        address = arguments[1]
        # Unix sockets have text for an address; a connected socket sends without one.
        if isinstance(address, tuple) and not _is_loopback(str(address[0])):
            raise LeftLoopback(f"a test tried to reach {address[0]}:{address[1]}")
    elif event in _LOOKUPS:
        host = arguments[0]
        name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
        if not isinstance(name, str) or _needs_no_server(name):
            return
        if name.rstrip(".").lower().endswith((".test", ".example", ".invalid")):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        raise LeftLoopback(f"a test tried to look up {name}")


def _needs_no_server(name: str) -> bool:
    if name in {"", "localhost", socket.gethostname()}:
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    if host in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False
