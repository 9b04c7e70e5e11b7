"""Numbers and times that the server writes into texts, in the reader's format."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from fluenzr_app.words import formats

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 11, 24, 15, 18, tzinfo=UTC)


def test_a_country_given_by_two_letters_has_its_name_and_any_other_text_stays():
    given = ("DE", "de", "Bretagne", "zq", "")
    assert [formats.country("fr", each) for each in given] == ["Allemagne", "Allemagne", "Bretagne", "zq", ""]
    assert formats.country("en", "DE") == "Germany"


def test_numbers_and_shares_follow_the_language():
    assert formats.number("fr", 12480) == "12\u202f480"
    assert formats.number("en", 12480.5, digits=1) == "12,480.5"
    assert formats.percent("fr", 0.073) == "7,3\u202f%"
    assert formats.percent("en", 0.073) == "7.3%"


@pytest.mark.parametrize(
    ("when", "french", "english"),
    [
        (NOW - timedelta(hours=2), "14:18", "14:18"),
        (NOW - timedelta(days=1), "hier, 16:18", "yesterday, 16:18"),
        (datetime(2026, 11, 24, 23, 30, tzinfo=UTC), "demain, 00:30", "tomorrow, 00:30"),
        (NOW + timedelta(days=23), "jeudi 17 décembre, 16:18", "Thursday 17 December, 16:18"),
        (NOW + timedelta(days=400), "mercredi 29 décembre 2027, 16:18", "Wednesday 29 December 2027, 16:18"),
    ],
)
def test_a_moment_is_said_as_in_a_sentence_in_the_workspaces_zone(when: datetime, french: str, english: str):
    assert formats.moment("fr", when, NOW, PARIS) == french
    assert formats.moment("en", when, NOW, PARIS) == english


def test_a_value_in_a_text_is_written_plainly():
    assert formats.plain("fr", 1000) == "1\u202f000"
    assert formats.plain("fr", 2.5) == "2,5"
    assert formats.plain("fr", 3.0) == "3"
    assert formats.plain("en", "ssl0.example") == "ssl0.example"
    assert formats.plain("en", True) == "True"
