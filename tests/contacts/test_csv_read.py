"""Reading CSV files: any usual encoding and delimiter, and nothing that crashes the reader."""

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fluenzr_app.contacts import csv_read
from fluenzr_app.contacts.csv_read import Row, open_csv, read_chunks
from fluenzr_app.contacts.encodings import Encoding, find_encoding, parse_encoding
from fluenzr_app.contacts.errors import FileRefused, NoHeader
from fluenzr_app.contacts.inspection import inspect

FRENCH = (
    "Prénom;Email;Société;Notes\r\n"
    "Émile;e@x.example;Café “Noël”;à rappeler… 10 €\r\n"
    "Hélène;h@x.example;L’Été à Nîmes;ça va où ? dès août\r\n"
    "FRANÇOIS;f@x.example;SOCIÉTÉ GÉNÉRALE;N° 12 – très pressé\r\n"
)
PLAIN = "Prénom;Email\r\nZoé;z@x.example\r\nFrançois;f@x.example\r\nAndrée;a@x.example\r\nLÉA;l@x.example\r\n"


def _file(tmp_path: Path, data: bytes) -> Path:
    path = tmp_path / "contacts.csv"
    path.write_bytes(data)
    return path


def _rows(path: Path, **how: object) -> list[Row]:
    opened = open_csv(path, **how)  # type: ignore[arg-type]
    return [row for chunk in read_chunks(opened) for row in chunk.rows]


def _cells(path: Path, **how: object) -> list[tuple[str, ...]]:
    return [row.cells for row in _rows(path, **how)]


@pytest.mark.parametrize(
    ("codec", "text", "found"),
    [
        ("utf-8", FRENCH, "utf-8"),
        ("utf-8-sig", FRENCH, "utf-8-bom"),
        ("utf-16", FRENCH, "utf-16-le"),
        ("utf-16-le", FRENCH, "utf-16-le"),
        ("utf-16-be", FRENCH, "utf-16-be"),
        ("cp1252", FRENCH, "windows-1252"),
        ("cp1252", PLAIN, "windows-1252"),
        ("mac_roman", FRENCH, "mac-roman"),
        ("mac_roman", PLAIN, "mac-roman"),
        ("ascii", "email,name\na@x.example,Zoe\n", "utf-8"),
    ],
)
def test_the_encoding_is_found_and_the_text_is_right(tmp_path: Path, codec: str, text: str, found: Encoding) -> None:
    path = _file(tmp_path, text.encode(codec))
    assert find_encoding(path).encoding == found
    lines = text.replace("\r\n", "\n").splitlines()
    opened = open_csv(path)
    assert ";".join(opened.names) == lines[0].replace(",", ";")
    assert [";".join(cells) for cells in _cells(path)] == [line.replace(",", ";") for line in lines[1:]]


def test_a_latin_1_file_reads_right_whatever_it_is_called(tmp_path: Path) -> None:
    path = _file(tmp_path, PLAIN.encode("latin-1"))
    assert find_encoding(path).encoding in ("windows-1252", "latin-1")
    assert _cells(path)[0] == ("Zoé", "z@x.example")


def test_a_few_damaged_bytes_do_not_turn_utf_8_into_something_else(tmp_path: Path) -> None:
    good = "".join(f"Hélène Lefèvre {n};h{n}@x.example\r\n" for n in range(20)).encode()
    path = _file(tmp_path, b"nom;email\r\n" + good + b"Z\xe9;z@x.example\r\n")
    assert find_encoding(path).encoding == "utf-8"
    rows = _rows(path)
    assert rows[0].cells == ("Hélène Lefèvre 0", "h0@x.example")
    assert [row.line for row in rows if row.problem == "undecodable"] == [22]


def test_a_chosen_encoding_wins_over_the_found_one(tmp_path: Path) -> None:
    path = _file(tmp_path, "nom;email\r\nZoé;z@x.example\r\n".encode())
    assert _cells(path, encoding="windows-1252") == [("ZoÃ©", "z@x.example")]
    for name, encoding in (("Mac", "mac-roman"), ("ISO-8859-1", "latin-1"), ("CP1252", "windows-1252")):
        assert parse_encoding(name) == encoding
    with pytest.raises(FileRefused):
        parse_encoding("ebcdic")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_although_others_stand_in_the_cells(tmp_path: Path, delimiter: str) -> None:
    rows = [["Nom, prénom", "Email", "Montant"], ["Roy, Ana", "a@x.example", "1,50"], ["Le; Roux", "b@x.example", "2"]]
    text = "\n".join(delimiter.join(f'"{c}"' if delimiter in c else c for c in row) for row in rows)
    path = _file(tmp_path, text.encode())
    assert open_csv(path).dialect.delimiter == delimiter
    assert _cells(path) == [tuple(row) for row in rows[1:]]


def test_a_tie_is_decided_by_the_addresses(tmp_path: Path) -> None:
    path = _file(tmp_path, b"Nom, prenom;Email\nRoy, Ana;a@x.example\nRoux, Paul;p@x.example\n")
    assert _cells(path)[0] == ("Roy, Ana", "a@x.example")


def test_excels_own_first_line_names_the_delimiter(tmp_path: Path) -> None:
    path = _file(tmp_path, b"sep=|\r\nemail|a,b\r\nx@x.example|1,2\r\n")
    assert _cells(path) == [("x@x.example", "1,2")]
    assert _rows(path)[0].line == 3


# After the manner of csv-spectrum: one peculiarity each.
@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('email,note\na@x.example,"one,two"\n', [("a@x.example", "one,two")]),
        ('email,note\na@x.example,"say ""hi"""\n', [("a@x.example", 'say "hi"')]),
        ('email,note\na@x.example,""\n', [("a@x.example", "")]),
        ('email,note\na@x.example,"two\nlines"\n', [("a@x.example", "two\nlines")]),
        ('email,note\r\na@x.example,"two\r\nlines"\r\n', [("a@x.example", "two\r\nlines")]),
        ("email,note\ra@x.example,mac\rb@x.example,ends\r", [("a@x.example", "mac"), ("b@x.example", "ends")]),
        ("email,note\na@x.example,no line end", [("a@x.example", "no line end")]),
        ("\n\nemail,note\n\na@x.example,x\n,\n   ,  \nb@x.example,y\n", [("a@x.example", "x"), ("b@x.example", "y")]),
        ('email,note\na@x.example,{"k": "v"}\n', [("a@x.example", '{"k": "v"}')]),
        ("email,note\na@x.example,x,,\n", [("a@x.example", "x")]),
        ("email,note\na@x.example,'=1+1\nb@x.example,''-x\nc@x.example,'tis\n",
         [("a@x.example", "=1+1"), ("b@x.example", "'-x"), ("c@x.example", "'tis")]),
        ("email\na@x.example\nb@x.example\n", [("a@x.example",), ("b@x.example",)]),
    ],
)  # fmt: skip
def test_peculiar_but_right_files_are_read_right(tmp_path: Path, text: str, rows: list[tuple[str, ...]]) -> None:
    assert _cells(_file(tmp_path, text.encode())) == rows


def test_row_faults_name_the_physical_line_and_spare_the_rows_around(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        b"email,note\n"
        b'a@x.example,"two\nlines"\n'  # 2 and 3
        b"\n"  # 4
        b"short\n"  # 5
        b"long@x.example,a,b\n"  # 6
        b"nul\x00@x.example,x\n"  # 7
        b'b@x.example,"never closed\n'  # 8
        b"c@x.example,x\n"  # 9
        b"d@x.example,"
        + b"x" * 40_000
        + b"\n"  # 10
        + b"e" * 10_000_000
        + b",x\n"  # 11
        b"f@x.example,end\n",  # 12
    )
    assert [(row.line, row.problem) for row in _rows(path)] == [
        (2, None), (5, "ragged_row"), (6, "ragged_row"), (7, "nul_byte"), (8, "open_quote"), (9, None),
        (10, "cell_too_long"), (11, "line_too_long"), (12, None),
    ]  # fmt: skip
    assert all(len(cell) <= csv_read.MAX_CELL for row in _rows(path) for cell in row.cells)


def test_a_stray_quote_costs_its_own_row_only(tmp_path: Path) -> None:
    lines = ["email,company,size\n", 'a@x.example,"12 screens,3\n']
    lines += [f"p{n}@x.example,Alto,{n}\n" for n in range(5_000)]
    lines += ['z@x.example,"13 screens,3\n', "last@x.example,Alto,1\n"]
    rows = _rows(_file(tmp_path, "".join(lines).encode()))
    assert [row.line for row in rows if row.problem] == [2, 5_003]
    assert sum(1 for row in rows if row.problem is None) == 5_001


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"\xef\xbb\xbf", "empty_file"),
        (b"\n\r\n  \n", "empty_file"),
        (b"PK\x03\x04" + b"\x00" * 100, "spreadsheet"),
        (b"\xd0\xcf\x11\xe0" + b"\x00" * 100, "spreadsheet"),
        (b"%PDF-1.7 ...", "not_text"),
        (bytes(range(256)) * 20, "not_text"),
        ("email,nom\n".encode("utf-32"), "not_text"),
        (",".join(f"c{n}" for n in range(501)).encode(), "too_many_columns"),
        (b'"email,name\na@x.example,b\n', "unreadable_header"),
    ],
)
def test_what_is_no_contact_file_is_refused_with_a_reason(tmp_path: Path, data: bytes, code: str) -> None:
    with pytest.raises(FileRefused) as refused:
        open_csv(_file(tmp_path, data))
    assert refused.value.code == code
    assert len(str(refused.value)) > 15


@pytest.mark.parametrize(
    "first", ["a@x.example;Ana;Brest", "Ana;a@x.example", "0612345678;12;2026", "https://x.example;33 1 02 03"]
)
def test_a_missing_header_is_recognised_and_what_to_do_is_said(tmp_path: Path, first: str) -> None:
    with pytest.raises(NoHeader) as refused:
        open_csv(_file(tmp_path, f"{first}\n{first}\n".encode()))
    assert refused.value.code == "no_header"
    assert "first row" in str(refused.value)


def test_thousands_of_empty_columns_of_a_spreadsheet_are_passed_over(tmp_path: Path) -> None:
    tail = ";" * 16_000
    path = _file(tmp_path, f"email;nom{tail}\na@x.example;Ana{tail}\n".encode())
    opened = open_csv(path)
    assert len(opened.names) == csv_read.MAX_COLUMNS
    assert _rows(path)[0].cells[:2] == ("a@x.example", "Ana")
    assert _rows(path)[0].problem is None


def test_columns_of_the_same_name_are_told_apart(tmp_path: Path) -> None:
    assert open_csv(_file(tmp_path, b"email,tel,tel,\na@x.example,1,2,\n")).names == ("email", "tel", "tel (2)", "")


def test_the_header_may_stand_further_down(tmp_path: Path) -> None:
    path = _file(tmp_path, b"Export du CRM;\n\nEmail;Nom\na@x.example;Ana\n")
    opened = open_csv(path, header_line=3)
    assert (opened.names, opened.dialect.header_line) == (("Email", "Nom"), 3)
    assert [row.line for chunk in read_chunks(opened) for row in chunk.rows] == [4]


def test_chunks_hold_no_more_than_asked_for(tmp_path: Path) -> None:
    path = _file(tmp_path, b"email\n" + b"".join(b"p%d@x.example\n\n" % n for n in range(250)))
    chunks = list(read_chunks(open_csv(path), size=100))
    assert [len(chunk.rows) for chunk in chunks] == [100, 100, 50]
    assert sum(chunk.empty_lines for chunk in chunks) == 250


def test_first_sight_tells_columns_values_and_damage(tmp_path: Path) -> None:
    text = "Email;Nom;;Vide\na@x.example;LefÃ¨vre;;\nb@x.example;Roy;;\nragged\n;Dupont;;\n"
    seen = inspect(open_csv(_file(tmp_path, text.encode())))
    assert (seen.rows, seen.problems, seen.broken_cells) == (4, {"ragged_row": 1}, 1)
    assert seen.columns[0].first_values == ("a@x.example", "b@x.example", "")
    assert [column.filled for column in seen.columns] == [2, 3, 0, 0]
    assert inspect(open_csv(_file(tmp_path, text.encode()))).from_data(seen.as_data()) == seen


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.binary(max_size=400),
        st.text(alphabet="ab@.é\"\n\r,;\t|\x00'= ", max_size=300).map(lambda text: text.encode()),
        st.text(max_size=200).map(lambda text: text.encode("utf-16", "surrogatepass")),
    )
)
@example(b'a,b\n"')
@example(b"\xff\xfe\x00")
@example(b"a\r\n\r\n\x00\x00\x00\x00")
def test_no_input_crashes_the_reader(tmp_path: Path, data: bytes) -> None:
    path = _file(tmp_path, data)
    for prefix in (b"", b"email,name\n"):
        path.write_bytes(prefix + data)
        try:
            opened = open_csv(path)
        except FileRefused:
            continue
        rows = [row for chunk in read_chunks(opened, size=7) for row in chunk.rows]
        lines = [row.line for row in rows]
        assert lines == sorted(set(lines))
        assert all(row.problem or len(row.cells) == len(opened.names) for row in rows)


def test_damage_at_random_places_never_crashes_and_loses_few_rows(tmp_path: Path) -> None:
    rng = random.Random(20260302)
    clean = "email;nom;note\r\n" + "".join(f'p{n}@x.example;Hélène;"a, b{n}"\r\n' for n in range(300))
    for _ in range(40):
        data = bytearray(clean.encode(rng.choice(["utf-8", "cp1252", "mac_roman"])))
        for _ in range(3):
            data[rng.randrange(20, len(data))] = rng.randrange(256)
        rows = _rows(_file(tmp_path, bytes(data)), delimiter=";")
        assert sum(1 for row in rows if row.problem is None) >= 280
