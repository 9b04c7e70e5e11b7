"""Keeps the demo on this machine: on a clock that runs hundreds of times too fast, no cap means what it says."""

import errno
import ipaddress
import sys

_EVENTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})


def stay_on_loopback() -> None:
    """From now on a connection of this process to another machine fails as if the network were down.

    An account that a visitor connects to a real host is thus never used. Lasts as long as the process.
    """
    sys.addaudithook(_watch)


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event in _EVENTS:
        address = arguments[1]
        # Sockets of the file system have text for an address; a connected socket sends without one.
        if isinstance(address, tuple) and not is_loopback(str(address[0])):
            raise OSError(errno.ENETUNREACH, "the demonstration reaches no other machine")


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine as seen from itself; empty for one that was not named."""
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host in {"", "localhost"}
