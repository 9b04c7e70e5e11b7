"""A contact's zone: told, else that of a country with one zone, else the campaign's."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from fluenzr_app.campaigns.zones import country_code, known_zone, zone_of_contact


@pytest.mark.parametrize(
    ("explicit", "country", "expected"),
    [
        ("America/Denver", "France", "America/Denver"),
        ("  America/Denver ", None, "America/Denver"),
        ("Mars/Olympus", "France", "Europe/Paris"),
        ("", "France", "Europe/Paris"),
        (None, "fr", "Europe/Paris"),
        (None, "FRANCE", "Europe/Paris"),
        (None, "Allemagne", "Europe/Berlin"),
        (None, "Germany", "Europe/Berlin"),
        (None, "Royaume-Uni", "Europe/London"),
        (None, "UK", "Europe/London"),
        (None, "Suisse", "Europe/Zurich"),
        (None, "Côte d’Ivoire", "Africa/Abidjan"),
        (None, "cote d'ivoire", "Africa/Abidjan"),
        (None, "Inde", "Asia/Kolkata"),
        (None, "Japan", "Asia/Tokyo"),
        (None, "La Réunion", "Indian/Reunion"),
        # Several zones, or no country: the campaign's.
        (None, "États-Unis", "Europe/Madrid"),
        (None, "US", "Europe/Madrid"),
        (None, "Canada", "Europe/Madrid"),
        (None, "Espagne", "Europe/Madrid"),
        (None, "Atlantis", "Europe/Madrid"),
        (None, "zz", "Europe/Madrid"),
        (None, None, "Europe/Madrid"),
        ("", "  ", "Europe/Madrid"),
        # Neither a path nor a directory is a zone.
        ("../../etc/passwd", None, "Europe/Madrid"),
        ("Europe", None, "Europe/Madrid"),
        ("x\x00y", None, "Europe/Madrid"),
    ],
)
def test_the_zone_of_a_contact(explicit: str | None, country: str | None, expected: str) -> None:
    assert zone_of_contact(explicit, country, "Europe/Madrid") == ZoneInfo(expected)


def test_an_unknown_campaign_zone_is_an_error() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        zone_of_contact(None, None, "Nowhere/Land")


@pytest.mark.parametrize(
    ("country", "code"),
    [("Pays-Bas", "NL"), ("the Netherlands", "NL"), ("Türkiye", "TR"), ("turquie", "TR"), ("USA", "US"), ("", None)],
)
def test_countries_are_known_by_their_names(country: str, code: str | None) -> None:
    assert country_code(country) == code


def test_a_zone_is_known_or_not() -> None:
    assert known_zone("Europe/Paris") == ZoneInfo("Europe/Paris")
    assert known_zone("Europe/Nowhere") is None
    assert known_zone("") is None
