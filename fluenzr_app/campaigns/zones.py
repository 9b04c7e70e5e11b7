"""Which time zone a contact lives in: told, or that of a country that has only one."""

import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale

_LANGUAGES = ("fr", "en")

# Names in daily use that the tables of territories do not list.
_OTHER_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("uk", "greatbritain", "england", "scotland", "wales", "northernireland"), "GB"),
    **dict.fromkeys(("grandebretagne", "angleterre", "ecosse", "paysdegalles", "irlandedunord"), "GB"),
    **dict.fromkeys(("usa", "us", "unitedstatesofamerica", "etatsunisdamerique", "amerique"), "US"),
    **dict.fromkeys(("hollande", "holland", "thenetherlands"), "NL"),
    **dict.fromkeys(("czechrepublic", "republiquetcheque"), "CZ"),
    **dict.fromkeys(("eire", "republicofireland", "republiquedirlande"), "IE"),
    **dict.fromkeys(("uae", "emirats", "eau"), "AE"),
    **dict.fromkeys(("turkey", "turkiye"), "TR"),
    **dict.fromkeys(("ivorycoast",), "CI"),
    **dict.fromkeys(("southkorea", "koreadusud", "coreedusud"), "KR"),
    **dict.fromkeys(("francemetropolitaine",), "FR"),
}


def zone_of_contact(explicit: str | None, country: str | None, campaign_zone: str) -> ZoneInfo:
    """Return a contact's zone: the explicit one, else that of a country with one zone, else the campaign's.

    `country` is a name in French or English or an ISO 3166 code. An explicit zone or a country that nobody knows
    counts as none. Raises ZoneInfoNotFoundError for an unknown `campaign_zone`. Source: campaigns.md, Times.
    """
    return _zone_of_contact((explicit or "").strip(), (country or "").strip(), campaign_zone)


# A million contacts share some hundred pairs of zone and country.
@lru_cache(maxsize=4096)
def _zone_of_contact(explicit: str, country: str, campaign_zone: str) -> ZoneInfo:
    for name in (explicit, _zone_of_country(country)):
        zone = known_zone(name) if name else None
        if zone is not None:
            return zone
    return ZoneInfo(campaign_zone)


def known_zone(name: str) -> ZoneInfo | None:
    """Return the zone of an IANA name such as ``Europe/Paris``; None for a name that nobody knows."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def country_code(country: str) -> str | None:
    """Return the ISO 3166 code of a country given as a code or by its French or English name; None if not known."""
    folded = _fold(country)
    if len(folded) == 2 and folded.upper() in _zones_by_country():
        return folded.upper()
    return _country_names().get(folded)


def _zone_of_country(country: str) -> str | None:
    code = country_code(country) if country else None
    zones = _zones_by_country().get(code, ()) if code else ()
    # Büsingen keeps Berlin's time: what counts is whether clocks in the country differ from now on.
    rules = {_rule_from_now_on(zone) for zone in zones}
    return zones[0] if len(rules) == 1 else None


def _fold(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(letter for letter in decomposed if letter.isalnum())


@lru_cache(maxsize=1)
def _country_names() -> Mapping[str, str]:
    names: dict[str, str] = {}
    for language in _LANGUAGES:
        for code, name in Locale(language).territories.items():
            if code in _zones_by_country():
                names.setdefault(_fold(name), code)
    return MappingProxyType({**names, **_OTHER_NAMES})


@lru_cache(maxsize=1)
def _zones_by_country() -> Mapping[str, tuple[str, ...]]:
    """Each country's zones, its most populous first, from the table that comes with the time-zone data."""
    zones: dict[str, list[str]] = {}
    for columns in _rows("zone.tab"):
        zones.setdefault(columns[0], []).append(columns[2])
    return MappingProxyType({code: tuple(names) for code, names in zones.items()})


def _rows(table: str) -> Iterator[list[str]]:
    text = (resources.files("tzdata") / "zoneinfo" / table).read_text(encoding="utf-8")
    return (line.split("\t") for line in text.splitlines() if line and not line.startswith("#"))


def _rule_from_now_on(zone: str) -> str:
    """Return the rule by which a zone's clock goes on for ever: the last line of its file (RFC 9636, 3.3)."""
    content = resources.files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes()
    return content.rstrip(b"\n").rsplit(b"\n", 1)[-1].decode("ascii")
