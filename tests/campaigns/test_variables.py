"""Variables: their names, what was meant by a wrong one, and a contact's values."""

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from fluenzr_app.campaigns.variables import compile_template, contact_values, known_variables, nearest

KNOWN = known_variables(["team_size", "renewal"])
NOW = datetime(2026, 11, 23, 23, 30, tzinfo=UTC)
ADA = {
    "first_name": "Ada",
    "last_name": "Martin",
    "email": "ada@acme.example",
    "company": "Acme",
    "job_title": "CTO",
    "phone": "+33 1 00 00 00 00",
    "website": "acme.example",
}


def values(language: str = "fr", zone: str = "Europe/Paris", **custom: Any) -> dict[str, str]:
    return contact_values(
        ADA,
        now=NOW,
        zone=ZoneInfo(zone),
        language=language,
        signature="Zoé\r\nVentes",
        unsubscribe_url="https://go.acme.example/u/x",
        custom=custom,
    )


def test_every_variable_of_the_menu_has_a_value() -> None:
    assert {*known_variables()} <= {*values()}
    assert KNOWN[:2] == ("firstName", "lastName")
    assert "team_size" in KNOWN


def test_a_contact_is_shown_by_its_columns() -> None:
    shown = values()
    assert (shown["firstName"], shown["jobTitle"], shown["website"]) == ("Ada", "CTO", "acme.example")
    assert shown["signature"] == "Zoé\nVentes"
    assert shown["unsubscribe_link"] == "https://go.acme.example/u/x"
    assert shown["calendly_link"] == ""


@pytest.mark.parametrize(
    ("language", "zone", "long", "short"),
    [
        ("fr", "Europe/Paris", "24 novembre 2026", "24/11/2026"),
        ("fr", "America/New_York", "23 novembre 2026", "23/11/2026"),
        ("en", "Europe/Paris", "November 24, 2026", "11/24/26"),
        ("en-GB", "Europe/London", "23 November 2026", "23/11/2026"),
        ("de_DE", "Europe/Berlin", "24. November 2026", "24.11.26"),
        ("", "Europe/Paris", "November 24, 2026", "11/24/26"),
        ("klingon!", "Europe/Paris", "November 24, 2026", "11/24/26"),
    ],
)
def test_today_is_written_in_the_language_and_taken_in_the_zone(
    language: str, zone: str, long: str, short: str
) -> None:
    shown = values(language, zone)
    assert (shown["current_date"], shown["current_date:short"], shown["current_year"]) == (long, short, "2026")


def test_the_year_turns_in_the_contacts_zone() -> None:
    shown = contact_values(
        ADA, now=datetime(2026, 12, 31, 23, 30, tzinfo=UTC), zone=ZoneInfo("Europe/Paris"), language="fr",
        signature="", unsubscribe_url="", custom={},
    )  # fmt: skip
    assert shown["current_year"] == "2027"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("words", "words"),
        (None, ""),
        (12, "12"),
        (12.0, "12"),
        (12.5, "12.5"),
        (True, "oui"),
        (False, ""),
        (["a", None, "b"], "a, b"),
        (date(2026, 5, 1), "1 mai 2026"),
        (datetime(2026, 5, 1, 8, tzinfo=UTC), "1 mai 2026"),
        ("2026-05-01", "1 mai 2026"),
        ("2026-02-31", "2026-02-31"),
        ("x" * 20_000, "x" * 10_000),
    ],
)
def test_custom_fields_are_written_as_words(value: object, shown: str) -> None:
    assert values(field=value)["field"] == shown


def test_dates_of_custom_fields_have_a_short_form() -> None:
    shown = values(renewal="2026-05-01")
    assert compile_template("{{renewal:short}} {{renewal}}").render(shown, escape="text") == "01/05/2026 1 mai 2026"


def test_a_custom_field_never_stands_in_for_a_variable_of_the_product() -> None:
    shown = values(email="eve@evil.example", unsubscribe_link="https://evil.example", current_year="1999")
    assert shown["email"] == "ada@acme.example"
    assert shown["unsubscribe_link"] == "https://go.acme.example/u/x"
    assert shown["current_year"] == "2026"
    assert len(known_variables(["email"])) == len(known_variables())


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError):
        contact_values(
            ADA, now=datetime(2026, 1, 1), zone=UTC, language="fr", signature="", unsubscribe_url="", custom={}  # noqa: DTZ001
        )  # fmt: skip


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("firstname", "firstName"),
        ("first_name", "firstName"),
        ("First Name", "firstName"),
        ("fristName", "firstName"),
        ("prenom", "firstName"),
        ("Prénom", "firstName"),
        ("nom", "lastName"),
        ("societe", "company"),
        ("Société", "company"),
        ("entreprise", "company"),
        ("entreprises", "company"),
        ("poste", "jobTitle"),
        ("telephone", "phone"),
        ("téléphone", "phone"),
        ("site", "website"),
        ("site_web", "website"),
        ("unsubscribeLink", "unsubscribe_link"),
        ("désinscription", "unsubscribe_link"),
        ("TeamSize", "team_size"),
        ("teamsizes", "team_size"),
        ("qwertz", None),
        ("", None),
        ("…", None),
    ],
)
def test_the_variable_that_was_meant_is_found(written: str, meant: str | None) -> None:
    assert nearest(written, KNOWN) == meant


def test_only_a_known_variable_is_ever_proposed() -> None:
    assert nearest("prenom", ["company"]) is None
    assert nearest("prenom", ["prenom"]) == "prenom"
    assert nearest("Poste", [*KNOWN, "poste"]) == "poste"
