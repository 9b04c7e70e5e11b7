"""Exports, and that an import of one is the same again."""

from datetime import timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from fluenzr_app.clock import ManualClock
from fluenzr_app.contacts import imports, labels
from fluenzr_app.contacts.csv_read import open_csv, read_chunks
from fluenzr_app.contacts.csv_write import csv_lines
from fluenzr_app.contacts.custom_fields import create_custom_field
from fluenzr_app.contacts.export import export_csv
from fluenzr_app.contacts.formula_guard import guard, unguard
from fluenzr_app.contacts.import_options import ImportOptions
from fluenzr_app.contacts.import_run import ImportRunner
from fluenzr_app.contacts.listing import ContactFilter
from fluenzr_app.contacts.service import create_contact
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from tests.people import People


def test_export_import_export_is_byte_identical(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock, tmp_path: Path
) -> None:
    ws, other = people.workspace_id, people.other_workspace_id
    hostile: list[dict[str, object]] = [
        {"first_name": "=1+1", "last_name": "'=quoted", "company": "''@twice", "phone": "+33 2 97 00 00 41"},
        {"first_name": "a,b;c|d\te", "last_name": 'say "hi"', "notes": "two\nlines\n\n-and a dash", "city": "-Brest"},
        {"first_name": "Zoé", "company": "Société “L’Été”", "status": "unsubscribed", "language": "fr"},
        {"consent_source": "other", "consent_notes": "carte, salon", "timezone": "Europe/Paris", "tags": ["b", "A c"]},
        {"custom_fields": {"effectif": 12.5, "client": True, "note": "=SUM(A1)"}, "website": "https://x.example/?a=1"},
        {"status": "archived", "first_name": "'"},
    ]
    with database.transaction() as session:
        for name, kind in (("effectif", "number"), ("client", "checkbox"), ("note", "text")):
            create_custom_field(session, ws, name, name.title(), clock.now(), field_type=kind)  # type: ignore[arg-type]
        group = labels.create_group(session, ws, "Salon, Lyon", clock.now())
        for number, values in enumerate(hostile):
            moment = clock.now() + timedelta(microseconds=number)
            full = {"email": f"Person{number}@X.example", "group_ids": [group], **values}
            create_contact(session, keyring, ws, full, moment)
    first = b"".join(export_csv(database, ws))
    clock.advance(timedelta(days=3))
    view = imports.begin(database, tmp_path, other, "export.csv", [first], clock.now())
    assert [(g.action, g.target) for g in view.mapping][-3:] == [
        ("new", "effectif"),
        ("new", "client"),
        ("new", "note"),
    ]
    with database.transaction() as session:
        imports.set_options(session, other, view.id, ImportOptions())
    imports.preview(database, tmp_path, keyring, other, view.id)
    with database.transaction() as session:
        imports.start(session, other, view.id, clock.now(), consent_certified=True)
    done = ImportRunner(database, tmp_path, keyring, clock, pause=lambda _: None).run_to_end(other, view.id)
    assert (done.imported, done.errors) == (6, 0)
    assert b"".join(export_csv(database, other)) == first


def test_an_export_holds_the_filter_and_nobody_elses_contacts(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock
) -> None:
    with database.transaction() as session:
        for email, city in (("a@x.example", "Brest"), ("b@x.example", "Lyon")):
            create_contact(session, keyring, people.workspace_id, {"email": email, "city": city}, clock.now())
    text = b"".join(export_csv(database, people.workspace_id, ContactFilter(city="Brest"), bom=True)).decode(
        "utf-8-sig"
    )
    assert [line.split(",")[0] for line in text.splitlines()] == ["email", "a@x.example"]
    assert b"".join(export_csv(database, people.other_workspace_id)).count(b"\r\n") == 1


@given(st.text(alphabet="'=+-@\t\rab", max_size=8))
def test_the_quote_rule_undoes_itself(cell: str) -> None:
    assert unguard(guard(cell)) == cell
    assert not guard(cell).startswith(("=", "+", "-", "@", "\t", "\r"))


_CELL = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00\ufeff\ufffd"), max_size=20)


@given(rows=st.lists(st.tuples(_CELL, _CELL, st.sampled_from("abc")), min_size=1, max_size=5))
def test_whatever_is_written_is_read_back(tmp_path_factory, rows: list[tuple[str, str, str]]) -> None:
    path = tmp_path_factory.mktemp("cells") / "f.csv"
    path.write_bytes(b"".join(csv_lines(["one", "two", "three"], rows)))
    opened = open_csv(path, encoding="utf-8", delimiter=",")
    read = [row.cells for chunk in read_chunks(opened) for row in chunk.rows]
    assert read == rows
