"""Networks from which no recipient asks for anything: those of mail filters, and Apple's, whose proxies fetch pictures.

Only ranges that filter mail are here. A provider's whole cloud is not: people work in it, and its web mail shows
pictures through it. A range that is missing costs little, since time and behaviour tell a filter as well; one too many
takes a person's click away.
"""

import socket
from bisect import bisect_right
from functools import lru_cache
from ipaddress import ip_network
from typing import Literal

Owner = Literal["", "gateway", "gateway_clicks", "apple"]
"""Whose an address is; `gateway_clicks`: where a filter works beside what shows pictures to people."""

_GATEWAYS = (
    # Microsoft, Exchange Online Protection with Safe Links: endpoint sets 9 and 10 (*.protection.outlook.com) of
    # learn.microsoft.com/microsoft-365/enterprise/urls-and-ip-address-ranges; the same as its SPF record,
    # spf.protection.outlook.com. Exchange Online itself is left out: Outlook on the web fetches pictures from there.
    "40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/14", "52.238.78.88/32", "104.47.0.0/17",
    "2a01:111:f400::/48", "2a01:111:f403::/48",
    # Barracuda Email Gateway Defense: campus.barracuda.com, “Email Gateway Defense IP Ranges”; the second is
    # Barracuda Networks' own block.
    "209.222.80.0/21", "64.235.144.0/20", "3.24.133.128/25", "13.200.136.128/25", "15.222.16.128/25",
    "18.133.136.96/27", "18.133.136.128/26", "18.184.203.224/27", "18.185.115.192/26", "35.157.190.224/27",
    "35.176.92.96/27",
    # Mimecast: its SPF record, _netblocks.mimecast.com, region by region.
    "41.74.192.0/21", "41.74.200.0/22", "41.74.204.0/23", "41.74.206.0/24", "51.163.158.0/24", "62.140.7.0/24",
    "63.128.21.0/24", "91.220.42.0/24", "103.13.69.0/24", "103.96.21.0/24", "103.96.23.0/24", "124.47.150.0/24",
    "124.47.189.0/24", "146.101.78.0/24", "170.10.129.0/24", "170.10.133.0/24", "180.189.28.0/24", "185.58.85.0/24",
    "185.58.86.0/24", "193.7.206.0/25", "193.7.207.0/25", "194.104.109.0/24", "194.104.111.0/24", "195.130.217.0/24",
    "205.139.110.0/24", "207.82.80.0/24", "207.211.30.64/26", "207.211.30.128/25", "207.211.31.0/25",
    "213.167.75.0/25", "213.167.81.0/25", "216.205.24.0/24",
    # Proofpoint: its support page's list for firewalls, and the ranges of Proofpoint Essentials and of its hosted
    # service (help.proofpoint.com, “Connection details”).
    "62.209.50.0/23", "66.159.224.0/19", "67.231.144.0/20", "91.207.212.0/23", "91.209.104.0/24", "148.163.128.0/19",
    "185.132.180.0/22", "185.183.28.0/22", "205.220.160.0/19", "208.84.64.0/22", "208.86.200.0/22",
    # Symantec Email Security.cloud (MessageLabs): Broadcom's “Cloud security services IP ranges”; its SPF record,
    # spf.messagelabs.com.
    "46.226.48.0/21", "67.219.240.0/20", "85.158.136.0/21", "95.131.104.0/21", "103.9.96.0/22", "117.120.16.0/21",
    "193.109.254.0/23", "194.106.220.0/23", "195.245.230.0/23", "216.82.240.0/20",
    # Cisco Secure Email Cloud Gateway (IronPort, *.iphmx.com): the blocks of its own network, AS16417.
    "68.232.128.0/19", "139.138.32.0/19", "216.71.128.0/19",
    # Trend Micro: its own blocks, AS16880, from which its web reputation service visits links.
    "150.70.0.0/16", "216.104.0.0/19",
)  # fmt: skip
_GATEWAYS_FOR_CLICKS = (
    # Microsoft Safe Links opens links from here; Microsoft does not list it (asked about in its documentation in
    # 2019), so pictures get the benefit of the doubt. Safe Links sends a person's own browser on, it is no proxy.
    "40.94.0.0/16",
)
# Apple's own allocations at ARIN, RIPE and APNIC.
_APPLE = ("17.0.0.0/8", "2403:300::/32", "2620:149::/32", "2a01:b740::/32")

_MAPPED = bytes(10) + b"\xff\xff"
_Table = tuple[list[bytes], list[bytes], list[Owner]]


def owner_of(ip: str) -> Owner:
    """Return whose network an address is in; empty for everybody else's, and for what is no address."""
    try:
        packed = socket.inet_pton(socket.AF_INET6 if ":" in ip else socket.AF_INET, ip)
    except (OSError, ValueError):
        return ""
    if packed.startswith(_MAPPED):
        packed = packed[12:]
    begins, ends, owners = _tables()[len(packed)]
    place = bisect_right(begins, packed) - 1
    return owners[place] if place >= 0 and packed <= ends[place] else ""


@lru_cache(maxsize=1)
def _tables() -> dict[int, _Table]:
    """Return by an address's length in bytes the ranges in order: first addresses, last ones, whose they are."""
    tables: dict[int, _Table] = {4: ([], [], []), 16: ([], [], [])}
    for begin, end, owner in sorted(_ranges()):
        begins, ends, owners = tables[len(begin)]
        begins.append(begin)
        ends.append(end)
        owners.append(owner)
    return tables


def _ranges() -> list[tuple[bytes, bytes, Owner]]:
    owned: tuple[tuple[Owner, tuple[str, ...]], ...] = (
        ("gateway", _GATEWAYS),
        ("gateway_clicks", _GATEWAYS_FOR_CLICKS),
        ("apple", _APPLE),
    )
    ranges: list[tuple[bytes, bytes, Owner]] = []
    for owner, networks in owned:
        for each in map(ip_network, networks):
            ranges.append((each.network_address.packed, each.broadcast_address.packed, owner))
    return ranges
