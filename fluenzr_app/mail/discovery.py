"""The servers of a domain nobody wrote down: its SRV records (RFC 6186, RFC 8314), then the host of its MX."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Protocol

import dns.asyncresolver
import dns.exception
import dns.name
import dns.resolver
from dns.rdatatype import MX, SRV, RdataType

from fluenzr_app.mail.addresses import domain_of
from fluenzr_app.mail.presets import Endpoint, Preset, preset_of_exchangers
from fluenzr_app.mail.smtp_session import Encryption

# In the order of preference of RFC 8314, 3.3: encrypted from the start comes first.
_SENDING: tuple[tuple[str, Encryption], ...] = (("_submissions._tcp", "ssl"), ("_submission._tcp", "starttls"))
_READING: tuple[tuple[str, Encryption], ...] = (("_imaps._tcp", "ssl"), ("_imap._tcp", "starttls"))


class Resolver(Protocol):
    """What is asked of a DNS resolver; dnspython's asynchronous one fits."""

    async def resolve(self, qname: str, rdtype: RdataType, *, lifetime: float) -> dns.resolver.Answer:
        """The records of a name. Raises dns.exception.DNSException when there are none or nobody answered."""


@dataclass(frozen=True, slots=True)
class Discovered:
    """The servers found for a domain.

    `source`: `srv` when its owner published them, `mx` when they are those of the provider that receives its mail.
    `imap` None: none found. `preset` None unless found by MX.
    """

    smtp: Endpoint
    imap: Endpoint | None
    source: str
    preset: Preset | None = None


def system_resolver(servers: list[str] | None = None) -> dns.asyncresolver.Resolver:
    """A resolver that asks `servers`, or the system's name servers when there are none."""
    resolver = dns.asyncresolver.Resolver(configure=not servers)
    if servers:
        resolver.nameservers = list(servers)
    return resolver


async def discover(address: str, resolver: Resolver, *, timeout_s: float = 5.0) -> Discovered | None:
    """The servers of an address's domain, None when DNS tells none within `timeout_s`. Raises BadAddress.

    A record whose target is outside the domain is taken as it stands: the certificate check decides whether that
    host may be trusted, and the user sees its name before the password goes there.
    """
    domain = domain_of(address)
    sending, reading, exchangers = await asyncio.gather(
        _endpoint(domain, _SENDING, resolver, timeout_s),
        _endpoint(domain, _READING, resolver, timeout_s),
        _exchangers(domain, resolver, timeout_s),
    )
    if sending is not None:
        return Discovered(sending, reading, "srv")
    preset = preset_of_exchangers(exchangers)
    if preset is not None:
        return Discovered(preset.smtp, reading or preset.imap, "mx", preset)
    return None


async def _endpoint(
    domain: str, services: tuple[tuple[str, Encryption], ...], resolver: Resolver, timeout_s: float
) -> Endpoint | None:
    found = await asyncio.gather(*(_service(f"{name}.{domain}", mode, resolver, timeout_s) for name, mode in services))
    return next((each for each in found if each is not None), None)


async def _service(name: str, encryption: Encryption, resolver: Resolver, timeout_s: float) -> Endpoint | None:
    records = await _records(name, SRV, resolver, timeout_s)
    # RFC 2782: lowest priority first; within one the weights only share load, so that any may be taken.
    for record in sorted(records, key=lambda each: (each.priority, -each.weight)):
        # RFC 6186, 3.4: a single dot says that the service is not offered.
        if record.target != dns.name.root:
            return Endpoint(record.target.to_text(omit_final_dot=True).lower(), int(record.port), encryption)
    return None


async def _exchangers(domain: str, resolver: Resolver, timeout_s: float) -> list[str]:
    records = await _records(domain, MX, resolver, timeout_s)
    return [each.exchange.to_text(omit_final_dot=True) for each in sorted(records, key=lambda each: each.preference)]


async def _records(name: str, kind: RdataType, resolver: Resolver, timeout_s: float) -> list:  # type: ignore[type-arg]
    try:
        return list(await resolver.resolve(name, kind, lifetime=timeout_s))
    except (dns.exception.DNSException, OSError):
        # Absent and unreachable are alike here: nothing is claimed about the domain, another way is tried.
        return []
