"""Who really asked: forwarded headers count only when a trusted proxy sent them (platform.md, Users)."""

import ipaddress
from collections.abc import Sequence

from starlette.requests import HTTPConnection

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def client_ip(connection: HTTPConnection, trusted: Sequence[str]) -> str:
    """Return the address of the person who asks.

    The list in X-Forwarded-For is read from its end, where our own proxies wrote; whatever stands before the first
    address that is not one of them was written by the client and proves nothing.
    """
    peer = connection.client.host if connection.client else ""
    if not trusted or not is_trusted(peer, trusted):
        return peer
    hops = [part.strip() for part in ",".join(connection.headers.getlist("x-forwarded-for")).split(",")]
    for hop in reversed([hop for hop in hops if hop]):
        if not is_trusted(hop, trusted):
            return hop
        peer = hop
    return peer


def asked_host(connection: HTTPConnection, trusted: Sequence[str]) -> str:
    """Return the host that the browser asked for: Host, or what a trusted proxy forwards of it."""
    peer = connection.client.host if connection.client else ""
    forwarded = connection.headers.get("x-forwarded-host", "")
    if forwarded and is_trusted(peer, trusted):
        return forwarded.rpartition(",")[2].strip()
    return connection.headers.get("host", "")


def is_trusted(address: str, trusted: Sequence[str]) -> bool:
    """Return whether `address` belongs to one of our own proxies (addresses or networks)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in _network(part) for part in trusted if _network(part).version == parsed.version)


def _network(text: str) -> Network:
    return ipaddress.ip_network(text, strict=False)
