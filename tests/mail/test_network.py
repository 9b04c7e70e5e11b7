"""Which addresses are private, and that the checked address is the one connected to."""

from __future__ import annotations

import asyncio
import socket
import ssl
from pathlib import Path

import pytest

from fluenzr_app.mail.errors import NameNotResolved, PrivateAddressRefused
from fluenzr_app.mail.network import Resolved, is_public, open_socket, resolve_public, tls_context
from tests.real.certificates import make_certificates
from tests.real.ports import free_ports


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
        "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::",
    ],
)  # fmt: skip
def test_every_spelling_of_a_private_address_is_private(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "169.254.169.254", "::1"])
async def test_a_host_on_a_private_network_is_refused(host: str) -> None:
    with pytest.raises(PrivateAddressRefused):
        await resolve_public(host, allow_private=False)


async def test_a_private_host_is_found_where_it_is_allowed() -> None:
    found = await resolve_public("127.0.0.1", allow_private=True)
    assert found == (Resolved("127.0.0.1", socket.AF_INET),)


@pytest.mark.parametrize("host", ["mail.nowhere.invalid", "a" * 300 + ".example", "bad..name.example"])
async def test_a_name_that_leads_nowhere_is_not_resolved(host: str) -> None:
    with pytest.raises(NameNotResolved) as caught:
        await resolve_public(host, allow_private=True)
    assert not caught.value.temporary


async def test_the_first_address_that_answers_is_used() -> None:
    listener = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    dead, alive = Resolved("127.0.0.2", socket.AF_INET), Resolved("127.0.0.1", socket.AF_INET)
    async with listener:
        with await open_socket((dead, alive), port, timeout_s=2) as sock:
            assert sock.getpeername() == ("127.0.0.1", port)


async def test_the_first_error_is_told_when_no_address_answers() -> None:
    with pytest.raises(ConnectionRefusedError):
        await open_socket((Resolved("127.0.0.1", socket.AF_INET),), free_ports(1)[0], timeout_s=2)


async def test_silence_ends_at_the_time_limit() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        # One fills the queue of the listener; what else arrives the kernel drops.
        with socket.create_connection(("127.0.0.1", port), timeout=1), pytest.raises(TimeoutError):
            await open_socket((Resolved("127.0.0.1", socket.AF_INET),), port, timeout_s=0.3)


def test_contexts_check_certificates_and_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_certificates(tmp_path)
    first = tls_context(made.ca_file)
    assert first.verify_mode == ssl.CERT_REQUIRED
    assert first.check_hostname
    assert tls_context(made.ca_file) is first
    monkeypatch.setenv("SSL_CERT_FILE", str(made.ca_file))
    assert tls_context(None) is not first
    assert "FluenzR tests" in str(tls_context(None).get_ca_certs())
