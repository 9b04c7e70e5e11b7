"""The checks of a file's rows: addresses, duplicates, values, warnings."""

import random
from pathlib import Path

import pytest

from fluenzr_app.contacts.checks import Checked, Checker, Plan, is_disposable, is_role
from fluenzr_app.contacts.csv_read import open_csv, read_chunks
from fluenzr_app.contacts.inspection import inspect
from fluenzr_app.contacts.mapping import Guess, guess_mapping
from fluenzr_app.contacts.reasons import SEVERITY, WORDS, sentence
from fluenzr_app.mail.addresses import check_syntax
from fluenzr_app.mail.errors import BadAddress


def _check(tmp_path: Path, text: str, *, repair: bool = False, size: int = 5_000) -> Checked:
    path = tmp_path / "c.csv"
    path.write_text(text, encoding="utf-8")
    opened = open_csv(path)
    seen = inspect(opened)
    checker = Checker(Plan(guess_mapping([column.as_column(seen.rows) for column in seen.columns]), (), repair))
    whole = Checked()
    for chunk in read_chunks(opened, size=size):
        part = checker.check(chunk, len(opened.names))
        whole.rows += part.rows
        whole.ready += part.ready
        whole.faults += part.faults
        whole.duplicates += part.duplicates
        whole.warnings.update(part.warnings)
    return whole


@pytest.mark.parametrize(
    "address",
    [
        "plain@x.example", "First.Last+tag@Sub.X.example", "o'brien@x.example", "a_b-c@x-y.example", "hélène@x.example",
        "ana@bücher.example", "ana@xn--bcher-kva.example", "p.martin@", "@x.example", "no at sign", "two@@x.example",
        "dot.@x.example", ".dot@x.example", "do..t@x.example", "a@x", "a@-x.example", "a@x-.example", "a@x..example",
        "a b@x.example", "a@x.example.", "a@127.0.0.1", "a@" + "x" * 64 + ".example", "l" * 65 + "@x.example",
        "a@x.123", "a@x_y.example", "é@é.example", "a@ab--c.example", "a,b@x.example", "(c)@x.example", "%@x.example",
    ],
)  # fmt: skip
def test_the_quick_look_and_the_thorough_one_agree(tmp_path: Path, address: str) -> None:
    try:
        expected: tuple[str, str] | None = (check_syntax(address).address, check_syntax(address).key)
    except BadAddress:
        expected = None
    checked = _check(tmp_path, f'email\nok@x.example\n"{address}"\n')
    rows = [(row.email, row.key) for row in checked.ready][1:]
    if expected is None:
        assert rows == []
        assert [fault.code for fault in checked.faults] == ["email_invalid"]
    else:
        assert [key for _, key in rows] == [expected[1]]


def test_addresses_are_freed_of_what_surrounds_them(tmp_path: Path) -> None:
    text = "email\nmailto:a@x.example\n<b@x.example>\n c@x.example \n\u200bd@x.example\u200b\n"
    assert [row.key for row in _check(tmp_path, text).ready] == [f"{n}@x.example" for n in "abcd"]


def test_the_first_of_equal_addresses_counts_across_chunks_and_spellings(tmp_path: Path) -> None:
    rng = random.Random(3)
    lines = [
        rng.choice(["P{0}@X.example", "p{0}@x.example", " p{0}@x.EXAMPLE "]).format(rng.randrange(300))
        for _ in range(2_000)
    ]
    lines += ["ana@bücher.example", "ana@xn--bcher-kva.example"]
    for size in (7, 500, 5_000):
        checked = _check(tmp_path, "email\n" + "\n".join(lines), size=size)
        keys = [row.key for row in checked.ready]
        assert len(keys) == len(set(keys))
        assert set(keys) == {check_syntax(line).key for line in lines}
        assert len(keys) + len(checked.duplicates) == 2_002
        first: dict[str, int] = {}
        for number, line in enumerate(lines, start=2):
            first.setdefault(check_syntax(line).key, number)
        assert {row.key: row.line for row in checked.ready} == first


def test_every_row_ends_in_exactly_one_place(tmp_path: Path) -> None:
    text = "email;nom\na@x.example;A\n;B\nbad;C\nA@x.example;D\nragged\ne@x.example;" + "x" * 300 + "\nf@x.example;F\n"
    checked = _check(tmp_path, text)
    assert [row.line for row in checked.ready] == [2, 8]
    assert [(fault.line, fault.column, fault.code) for fault in checked.faults] == [
        (3, 0, "email_missing"), (4, 0, "email_invalid"), (6, -1, "ragged_row"), (7, 1, "value_too_long"),
    ]  # fmt: skip
    assert checked.duplicates == [5]
    assert checked.rows == 7


def test_warnings_are_counted_and_hinder_nothing(tmp_path: Path) -> None:
    text = (
        "email;nom;tél;fuseau horaire;langue\n"
        "contact@x.example;Lefèvre;02 97 00 00 41;Europe/Paris;Français\n"
        "a@mailinator.com;LefÃ¨vre;6,12E+08;Mars/Base;en\n"
        "b@sub.mailinator.com;Roy;;;\n"
    )
    checked = _check(tmp_path, text)
    assert {code: n for code, n in checked.warnings.items() if n} == {
        "role_address": 1, "disposable_domain": 2, "mojibake": 1, "damaged_number": 1, "unknown_timezone": 1,
    }  # fmt: skip
    assert checked.ready[0].values["language"] == "fr"
    assert "timezone" not in checked.ready[1].values
    assert checked.ready[1].values["last_name"] == "LefÃ¨vre"
    assert _check(tmp_path, text, repair=True).ready[1].values["last_name"] == "Lefèvre"


def test_roles_and_throw_away_domains_are_known() -> None:
    assert is_role("info@x.example")
    assert is_role("contact+fr@x.example")
    assert not is_role("ana.info@x.example")
    assert is_disposable("a@mailinator.com")
    assert not is_disposable("a@x.example")


def test_every_reason_has_words_in_both_languages() -> None:
    assert set(WORDS["fr"]) == set(WORDS["en"]) == set(SEVERITY)
    assert sentence("email_invalid", "en", "no @ sign").endswith("no @ sign")
    assert sentence("ragged_row", "fr", "3 / 5") == (
        "La ligne n’a pas le même nombre de cellules que l’en-tête (3 / 5)."
    )


def test_a_file_of_nothing_but_the_address_is_enough(tmp_path: Path) -> None:
    checker = Checker(Plan((Guess(0, "x", "field", "email", "chosen"),)))
    path = tmp_path / "c.csv"
    path.write_text("x\na@x.example\n")
    opened = open_csv(path)
    [chunk] = read_chunks(opened)
    assert checker.check(chunk, 1).ready[0].values == {}
