"""Known providers, and the servers that unknown domains publish, asked of a real name server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import cast

import dns.asyncresolver
import dns.exception
import dns.message
import dns.rcode
import dns.rrset
import pytest

from fluenzr_app.mail.discovery import Discovered, Resolver, discover, system_resolver
from fluenzr_app.mail.errors import BadAddress
from fluenzr_app.mail.presets import (
    PRESETS,
    Endpoint,
    known_hosts,
    preset_for,
    preset_of_exchangers,
    preset_of_host,
)


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("anna@gmail.com", "gmail"),
        ("Anna@GMX.net", "gmx-net"),
        ("anna@gmx.fr", "gmx-com"),
        ("anna@wanadoo.fr", "orange"),
        ("anna@proton.me", "proton-bridge"),
        ("anna@zoho.eu", "zoho-eu"),
        ("anna@ik.me", "infomaniak"),
        ("anna@my-company.example", None),
    ],
)
def test_a_provider_is_known_by_the_domain_of_an_address(address: str, key: str | None) -> None:
    found = preset_for(address)
    assert (found.key if found else None) == key


def test_what_is_no_address_has_no_provider() -> None:
    with pytest.raises(BadAddress):
        preset_for("anna")


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("mx1.mail.ovh.net.", "ovh"),
        ("spool.mail.gandi.net", "gandi"),
        ("mta-gw.infomaniak.ch", "infomaniak"),
        ("ASPMX.L.GOOGLE.com", "gmail"),
        ("company-example.mail.protection.outlook.com", "microsoft-365"),
        ("inbound-smtp.eu-west-1.amazonaws.com", "workmail-eu-west-1"),
        ("mx.not-google.com.example", None),
        ("notgoogle.com", None),
    ],
)
def test_a_provider_is_known_by_where_a_domain_receives(host: str, key: str | None) -> None:
    found = preset_of_exchangers(["mx.own.example", host])
    assert (found.key if found else None) == key


def test_presets_are_consistent() -> None:
    assert len({preset.key for preset in PRESETS}) == len(PRESETS)
    domains = [domain for preset in PRESETS for domain in preset.domains]
    assert len(domains) == len(set(domains))
    for preset in PRESETS:
        assert preset.smtp.encryption == ("ssl" if preset.smtp.port == 465 else "starttls")
        assert preset.smtp.host == preset.smtp.host.lower().strip()
        assert preset.domains or preset.exchangers, preset.key
        assert preset.oauth is None or preset.smtp.port == 587


def test_the_form_of_a_user_name_is_the_providers() -> None:
    free, ovh = preset_for("anna@free.fr"), preset_of_host("SSL0.ovh.net")
    assert free is not None
    assert ovh is not None
    assert free.username_for("anna@free.fr") == "anna"
    assert ovh.username_for(" anna@my-company.example ") == "anna@my-company.example"


def test_loopback_is_no_providers_name() -> None:
    assert preset_of_host("127.0.0.1") is None
    assert "127.0.0.1" not in known_hosts()


# A name server of the tests' own.


class _NameServer(asyncio.DatagramProtocol):
    """Answers from a table of (name, kind) → records; everything else does not exist."""

    def __init__(self, records: Mapping[tuple[str, str], list[str]]) -> None:
        self.records = records
        self.asked: list[str] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        question = dns.message.from_wire(data)
        (asked,) = question.question
        name, kind = asked.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(asked.rdtype)
        self.asked.append(f"{name} {kind}")
        answer = dns.message.make_response(question)
        found = self.records.get((name, kind))
        if found:
            answer.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, *found))
        else:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(), address)


RECORDS = {
    ("_submissions._tcp.both.test", "SRV"): ["10 1 465 second.both.test.", "5 1 465 Mail.both.test."],
    ("_submission._tcp.both.test", "SRV"): ["0 1 587 starttls.both.test."],
    ("_imaps._tcp.both.test", "SRV"): ["0 1 993 imap.both.test."],
    ("_submissions._tcp.old.test", "SRV"): ["0 0 0 ."],
    ("_submission._tcp.old.test", "SRV"): ["0 1 2587 smtp.old.test."],
    ("_imap._tcp.old.test", "SRV"): ["0 1 143 imap.old.test."],
    ("hosted.test", "MX"): ["20 backup.hosted.test.", "10 mx1.mail.ovh.net."],
}


@pytest.fixture
async def resolver() -> AsyncIterator[dns.asyncresolver.Resolver]:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: _NameServer(RECORDS), local_addr=("127.0.0.1", 0)
    )
    made = system_resolver(["127.0.0.1"])
    made.port = transport.get_extra_info("sockname")[1]
    yield made
    transport.close()


@pytest.mark.parametrize(
    ("domain", "smtp", "imap", "source"),
    [
        ("both.test", Endpoint("mail.both.test", 465, "ssl"), Endpoint("imap.both.test", 993, "ssl"), "srv"),
        ("old.test", Endpoint("smtp.old.test", 2587, "starttls"), Endpoint("imap.old.test", 143, "starttls"), "srv"),
        ("hosted.test", Endpoint("ssl0.ovh.net", 465, "ssl"), Endpoint("ssl0.ovh.net", 993, "ssl"), "mx"),
    ],
)
async def test_the_servers_of_a_domain_are_found(
    resolver: Resolver, domain: str, smtp: Endpoint, imap: Endpoint, source: str
) -> None:
    found = await discover(f"anna@{domain}", resolver, timeout_s=2)
    assert isinstance(found, Discovered)
    assert (found.smtp, found.imap, found.source) == (smtp, imap, source)


async def test_a_domain_that_says_nothing_has_nothing_found(resolver: Resolver) -> None:
    assert await discover("anna@nothing.test", resolver, timeout_s=2) is None


async def test_a_silent_name_server_finds_nothing_in_time() -> None:
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        asyncio.DatagramProtocol, local_addr=("127.0.0.1", 0)
    )
    silent = system_resolver(["127.0.0.1"])
    silent.port = transport.get_extra_info("sockname")[1]
    start = asyncio.get_running_loop().time()
    assert await discover("anna@both.test", silent, timeout_s=0.3) is None
    assert asyncio.get_running_loop().time() - start < 2
    transport.close()
