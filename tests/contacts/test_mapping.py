"""Which column becomes which field."""

import pytest

from fluenzr_app.contacts.errors import InvalidValue
from fluenzr_app.contacts.mapping import (
    Column,
    Guess,
    Known,
    as_data,
    check_mapping,
    choose,
    from_data,
    guess_mapping,
    parse_target,
)
from fluenzr_app.contacts.mojibake import is_broken, repair


def _guess(*columns: tuple[str, list[str]], known: tuple[Known, ...] = ()) -> list[tuple[str, str]]:
    guesses = guess_mapping([Column(at, name, tuple(values)) for at, (name, values) in enumerate(columns)], known)
    return [(guess.target, guess.how) for guess in guesses]


@pytest.mark.parametrize(
    ("heading", "field"),
    [
        ("Prénom", "first_name"), ("PRENOM", "first_name"), ("First Name", "first_name"), ("firstname", "first_name"),
        ("given_name", "first_name"), ("Nom", "last_name"), ("Nom de famille", "last_name"), ("Surname", "last_name"),
        ("LastName", "last_name"), ("Société", "company"), ("Entreprise", "company"), ("Organisation", "company"),
        ("Company Name", "company"), ("Nom de l’entreprise", "company"), ("Poste", "job_title"),
        ("Job Title", "job_title"), ("Intitulé du poste", "job_title"), ("Téléphone", "phone"), ("Mobile", "phone"),
        ("Site web", "website"), ("Website", "website"), ("LinkedIn", "linkedin_url"),
        ("Person Linkedin Url", "linkedin_url"), ("Ville", "city"), ("City", "city"), ("Pays", "country"),
        ("Country", "country"), ("Langue", "language"), ("Fuseau horaire", "timezone"), ("Étiquettes", "tags"),
        ("Commentaires", "notes"),
    ],
)  # fmt: skip
def test_names_in_french_and_english_are_known_exactly(heading: str, field: str) -> None:
    assert _guess((heading, ["abc"])) == [(field, "exact")]


@pytest.mark.parametrize("heading", ["Adresse e-mail", "E-mail", "EMAIL", "Courriel", "Mail", "Adresse mail", "e_mail"])
def test_the_address_goes_by_many_names(heading: str) -> None:
    assert _guess((heading, ["a@x.example"])) == [("email", "exact")]


@pytest.mark.parametrize(
    ("heading", "field"),
    [("Raison sociale", "company"), ("Fonction", "job_title"), ("Entreprize", "company"), ("Tél.", "phone"),
     ("Société du prospect", "company"), ("Courriel professionel", "email"), ("Prénoms", "first_name")],
)  # fmt: skip
def test_close_names_are_found(heading: str, field: str) -> None:
    [(target, how)] = _guess((heading, ["abc@" if field == "email" else "abc"]))
    assert target == field
    assert how in ("close", "exact")


@pytest.mark.parametrize(
    "heading",
    ["Code postal", "SIRET", "Civilité", "Email status", "Company LinkedIn Url", "Numéro SIRET", "Nom complet",
     "Date de naissance", "Region", "Adresse postale", "Industry"],
)  # fmt: skip
def test_a_name_that_only_resembles_a_field_is_not_taken_for_it(heading: str) -> None:
    [(target, how)] = _guess((heading, ["abc", "abd"]))
    assert how == "new"
    assert target not in ("email", "phone", "company", "last_name", "first_name", "linkedin_url")


def test_values_tell_what_a_name_does_not() -> None:
    assert _guess(
        ("Colonne 1", ["a@x.example", "b@y.example", "broken@"]),
        ("Colonne 2", ["02 97 00 00 41", "+33 6 00 00 00 01", ""]),
        ("Colonne 3", ["https://www.linkedin.com/in/ana", "linkedin.com/in/paul"]),
        ("Colonne 4", ["https://x.example", "www.y.example"]),
        ("Colonne 5", ["48", "120", "2026"]),
    ) == [
        ("email", "values"),
        ("phone", "values"),
        ("linkedin_url", "values"),
        ("website", "values"),
        ("colonne_5", "new"),
    ]


def test_a_misleading_name_loses_against_the_values() -> None:
    assert _guess(("Contact", ["a@x.example"]), ("Email", ["oui", "non"])) == [("email", "values"), ("", "none")]


def test_every_field_is_used_once_and_goes_to_the_better_name() -> None:
    mails = ("Email pro", ["a@x.example"]), ("Email", ["b@x.example"])
    assert _guess(*mails, ("Mobile", ["x"]), ("Téléphone", ["y"])) == [
        ("", "none"), ("email", "exact"), ("", "none"), ("phone", "exact"),
    ]  # fmt: skip


def test_sparse_unknown_and_empty_columns_are_left_out() -> None:
    columns = [Column(0, "Effectif", ("48",), 0.9), Column(1, "Notes internes", ("x",), 0.1), Column(2, "", (), 0.0)]
    assert [(g.action, g.target, g.how) for g in guess_mapping(columns)] == [
        ("new", "effectif", "new"), ("ignore", "", "none"), ("ignore", "", "empty"),
    ]  # fmt: skip


def test_own_fields_are_known_by_name_and_label() -> None:
    known = (Known("ca_annuel", "Chiffre d’affaires"),)
    assert _guess(("chiffre d'affaires", ["1"]), known=known) == [("ca_annuel", "exact")]
    assert _guess(("Chiffre d’affaire", ["1"]), known=known) == [("ca_annuel", "close")]


def test_somebody_elses_statuses_are_not_ours() -> None:
    assert _guess(("Statut", ["Client", "Prospect"]))[0][0] == ""
    assert _guess(("Status", ["active", "bounced"])) == [("status", "exact")]


def test_a_choice_moves_a_field_and_is_remembered() -> None:
    guesses = guess_mapping([Column(0, "Email", ("a@x.example",)), Column(1, "Autre", ("b@x.example",), 0.1)])
    changed = choose(guesses, 1, "field", "email")
    assert [(g.action, g.target, g.how) for g in changed] == [("ignore", "", "chosen"), ("field", "email", "chosen")]
    assert from_data(as_data(changed)) == changed
    assert choose(guesses, 1, "new")[1].target == "autre"


@pytest.mark.parametrize(
    ("guesses", "code"),
    [
        ([Guess(0, "A", "field", "city", "exact")], "no_email_column"),
        ([Guess(0, "A", "field", "email", "exact"), Guess(1, "B", "field", "email", "chosen")], "field_mapped_twice"),
        ([Guess(0, "A", "field", "email", "exact"), Guess(1, "B", "new", "Bad Name", "chosen")], "bad_field_name"),
        ([Guess(0, "A", "field", "email", "exact"), Guess(1, "B", "new", "city", "chosen")], "field_name_taken"),
        ([Guess(0, "A", "field", "email", "exact"), Guess(1, "B", "custom", "gone", "chosen")], "unknown_field"),
    ],
)
def test_a_mapping_that_cannot_run_is_refused(guesses: list[Guess], code: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        check_mapping(guesses)
    assert refused.value.code == code


def test_fields_are_named_as_people_write_them() -> None:
    known = [Known("effectif", "Effectif")]
    assert parse_target("lastName") == ("field", "last_name")
    assert parse_target("Prénom") == ("field", "first_name")
    assert parse_target("job_title") == ("field", "job_title")
    assert parse_target("ignore") == ("ignore", "")
    assert parse_target("new:taille") == ("new", "taille")
    assert parse_target("effectif", known) == ("custom", "effectif")
    with pytest.raises(InvalidValue):
        parse_target("hair")


@pytest.mark.parametrize(
    ("broken", "mended"),
    [
        ("LefÃ¨vre", "Lefèvre"), ("SociÃ©tÃ© Brivet", "Société Brivet"), ("Ã‰mile", "Émile"), ("lâ€™Ã©tÃ©", "l’été"),
        ("10 â‚¬", "10 €"), ("ÃƒÂ©", "é"), ("√©t√©", "été"), ("NoÃ«l Ã  Paris".replace(" P", "\u00a0P"), None),
    ],
)  # fmt: skip
def test_broken_accents_are_mended(broken: str, mended: str | None) -> None:
    assert is_broken(broken)
    if mended is not None:
        assert repair(broken) == mended
    assert not is_broken(repair(broken))


@pytest.mark.parametrize("honest", ["Été", "CAFÉ»", "São Paulo", "Ångström", "10 €", "Ça", "“Noël”", "Ã", "x²", "√2"])
def test_honest_text_is_left_alone(honest: str) -> None:
    assert not is_broken(honest)
    assert repair(honest) == honest
