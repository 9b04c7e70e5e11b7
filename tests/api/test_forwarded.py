"""Forwarded headers count only when one of our own proxies sent them."""

import pytest
from starlette.requests import HTTPConnection

from fluenzr_app.api.forwarded import asked_host, client_ip

TRUSTED = ("10.0.0.0/8", "2001:db8::1")


def connection(peer: str, *forwarded: str, host: str = "") -> HTTPConnection:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded] + [(b"host", b"inside")]
    if host:
        headers.append((b"x-forwarded-host", host.encode()))
    return HTTPConnection({"type": "http", "client": (peer, 1), "headers": headers})


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4, 198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["1.2.3.4", "198.51.100.1"], "198.51.100.1"),
        ("2001:db8::1", ["2001:db8::99"], "2001:db8::99"),
        ("10.0.0.1", ["nonsense"], "nonsense"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
    ],
)
def test_the_address_is_the_last_one_that_no_proxy_of_ours_has(peer, forwarded, expected):
    assert client_ip(connection(peer, *forwarded), TRUSTED) == expected


def test_the_host_is_forwarded_by_trusted_proxies_only():
    assert asked_host(connection("10.0.0.1", host="mail.rivage.example"), TRUSTED) == "mail.rivage.example"
    assert asked_host(connection("203.0.113.7", host="evil.example"), TRUSTED) == "inside"
    assert asked_host(connection("10.0.0.1"), TRUSTED) == "inside"
