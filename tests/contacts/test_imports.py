"""A CSV import from the file to the report, on both databases."""

import csv
import io
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlmodel import col, select

from fluenzr_app.clock import ManualClock
from fluenzr_app.contacts import counts, imports, labels, suppression
from fluenzr_app.contacts.custom_fields import create_custom_field, list_custom_fields
from fluenzr_app.contacts.errors import (
    ContactLimitReached,
    FileRefused,
    ImportNotFound,
    ImportNotReady,
    ImportRowsLimitReached,
    InvalidValue,
    NoHeader,
)
from fluenzr_app.contacts.import_files import FOLDER
from fluenzr_app.contacts.import_options import ImportOptions
from fluenzr_app.contacts.import_run import ImportRunner
from fluenzr_app.contacts.import_views import ImportView
from fluenzr_app.contacts.listing import ContactFilter, list_contacts
from fluenzr_app.contacts.models import Contact, ContactImport, ImportChunk
from fluenzr_app.contacts.service import archive_import, create_contact, find_by_email, get_contact
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from tests.people import People

FILE = (
    "Adresse e-mail;Prénom;Nom;Raison sociale;Effectif\r\n"
    "maud@alto.example;Maud;Dupont;Alto Conseil;48\r\n"
    "p.martin@;Philippe;LefÃ¨vre;SociÃ©tÃ© Brivet;120\r\n"
    "\r\n"
    "jr@alto.example;Jeanne;LefÃ¨vre;Keroman;15\r\n"
    "MAUD@alto.example;Maud;Encore;Alto;\r\n"
    "known@alto.example;Nouveau;Nom;;9\r\n"
    "never@alto.example;Non;Merci;;\r\n"
    "court@alto.example;Court\r\n"
)


class Desk:
    """The steps of an import as one workspace takes them."""

    def __init__(self, db: Database, data_dir: Path, keyring: KeyRing, clock: ManualClock, workspace_id: int) -> None:
        self.db, self.data_dir, self.keyring, self.clock, self.ws = db, data_dir, keyring, clock, workspace_id

    def begin(self, text: str | bytes, **how: object) -> ImportView:
        data = text.encode() if isinstance(text, str) else text
        return imports.begin(
            self.db,
            self.data_dir,
            self.ws,
            "contacts.csv",
            [data],
            self.clock.now(),
            **how,  # type: ignore[arg-type]
        )

    def options(self, view: ImportView, options: ImportOptions) -> ImportView:
        with self.db.transaction() as session:
            return imports.set_options(session, self.ws, view.id, options)

    def preview(self, view: ImportView) -> ImportView:
        return imports.preview(self.db, self.data_dir, self.keyring, self.ws, view.id)

    def start(self, view: ImportView, *, certified: bool = True, most: int | None = None) -> ImportView:
        with self.db.transaction() as session:
            return imports.start(
                session, self.ws, view.id, self.clock.now(), consent_certified=certified, most_contacts=most
            )

    def runner(self) -> ImportRunner:
        return ImportRunner(self.db, self.data_dir, self.keyring, self.clock, pause=lambda seconds: None)

    def run(self, text: str | bytes, options: ImportOptions | None = None) -> ImportView:
        view = self.begin(text)
        self.options(view, options or ImportOptions(consent_source="existing"))
        self.preview(view)
        self.start(view)
        return self.runner().run_to_end(self.ws, view.id)

    def errors(self, view: ImportView, language: str = "fr") -> list[list[str]]:
        with self.db.read() as session:
            data = b"".join(imports.error_file(session, self.data_dir, self.ws, view.id, language=language))
        return list(csv.reader(io.StringIO(data.decode(), newline=""), delimiter=";"))

    def emails(self) -> list[str]:
        with self.db.read() as session:
            statement = select(Contact.email_key).where(col(Contact.workspace_id) == self.ws).order_by(col(Contact.id))
            return list(session.exec(statement))


@pytest.fixture
def desk(database: Database, people: People, keyring: KeyRing, clock: ManualClock, tmp_path: Path) -> Desk:
    return Desk(database, tmp_path, keyring, clock, people.workspace_id)


def _known_and_never(desk: Desk) -> None:
    with desk.db.transaction() as session:
        values = {"email": "Known@alto.example", "first_name": "Ancien", "city": "Vannes", "tags": ["old"]}
        create_contact(session, desk.keyring, desk.ws, values, desk.clock.now())
        suppression.add(session, desk.keyring, desk.ws, ["never@alto.example"], "unsubscribe", desk.clock.now())


def test_the_preview_tells_what_the_import_will_do_and_the_report_that_it_did(desk: Desk) -> None:
    _known_and_never(desk)
    view = desk.begin(FILE)
    assert (view.inspection.delimiter, view.inspection.rows, view.inspection.empty_lines) == (";", 7, 1)
    assert [(guess.target, guess.how) for guess in view.mapping] == [
        ("email", "exact"),
        ("first_name", "exact"),
        ("last_name", "exact"),
        ("company", "close"),
        ("effectif", "new"),
    ]
    assert view.inspection.broken_cells == 3
    desk.options(view, ImportOptions(consent_source="event", group_name="Salon", tags=("2026",), repair=True))
    found = desk.preview(view).preview
    assert found is not None
    assert (found.new, found.existing, found.suppressed) == (2, 1, 1)
    assert (found.checks.duplicates, found.checks.faults) == (1, 2)
    assert [(e.line, e.column, e.code) for e in found.checks.examples] == [
        (3, "Adresse e-mail", "email_invalid"),
        (9, "", "ragged_row"),
    ]
    assert found.advises_to_stop
    assert desk.start(view).status == "running"
    done = desk.runner().run_to_end(desk.ws, view.id)
    assert (done.status, done.imported, done.updated, done.duplicates, done.skipped, done.suppressed, done.errors) == (
        "done", 2, 0, 1, 2, 1, 2,
    )  # fmt: skip
    assert (done.rows_done, done.rows_total) == (7, 7)
    with desk.db.read() as session:
        jeanne = find_by_email(session, desk.ws, "jr@alto.example")
        assert jeanne is not None
        assert (jeanne.contact.last_name, jeanne.contact.fields) == ("Lefèvre", {"effectif": "15"})
        assert (jeanne.tags, [name for _, name in jeanne.groups]) == (("2026",), ["Salon"])
        assert (jeanne.contact.consent_source, jeanne.contact.consent_at) == ("event", desk.clock.now())
        known = find_by_email(session, desk.ws, "known@alto.example")
        assert known is not None
        assert (known.contact.first_name, known.tags) == ("Ancien", ("old",))
        assert find_by_email(session, desk.ws, "never@alto.example") is None
        assert counts.counts(session, desk.ws, "status") == {"active": 3}


def test_update_writes_the_filled_cells_and_revives_nobody(desk: Desk) -> None:
    _known_and_never(desk)
    with desk.db.transaction() as session:
        gone = create_contact(
            session, desk.keyring, desk.ws, {"email": "jr@alto.example", "status": "archived"}, desk.clock.now()
        )
    done = desk.run(FILE, ImportOptions(consent_source="referral", on_duplicate="update", tags=("new",)))
    assert (done.imported, done.updated, done.skipped) == (1, 2, 1)
    with desk.db.read() as session:
        known = find_by_email(session, desk.ws, "known@alto.example")
        assert known is not None
        contact = known.contact
        assert (contact.first_name, contact.city, contact.fields) == ("Nouveau", "Vannes", {"effectif": "9"})
        assert (contact.consent_source, known.tags, contact.revision) == ("referral", ("new", "old"), 2)
        assert get_contact(session, desk.ws, gone.contact.id or 0).contact.status == "archived"
        found = list_contacts(session, desk.ws, ContactFilter(query="nouveau"))
        assert [card.contact.id for card in found.cards] == [contact.id]


def test_the_error_file_can_be_corrected_and_imported_again(desk: Desk) -> None:
    view = desk.run(FILE)
    lines = desk.errors(view)
    assert lines[0] == [
        "Ligne du fichier", "Colonne en cause", "Raison du refus",
        "Adresse e-mail", "Prénom", "Nom", "Raison sociale", "Effectif",
    ]  # fmt: skip
    assert lines[1][:2] == ["3", "Adresse e-mail"]
    assert lines[1][3:] == ["p.martin@", "Philippe", "LefÃ¨vre", "SociÃ©tÃ© Brivet", "120"]
    assert lines[2][:2] == ["9", ""]
    assert "cellules" in lines[2][2]
    assert desk.errors(view, "en")[0][0] == "Line in the file"
    lines[1][3] = "p.martin@brivet.example"
    lines[2] += ["", "", ""]
    corrected = "".join(";".join(line) + "\r\n" for line in lines)
    again = desk.begin(corrected)
    assert [guess.action for guess in again.mapping][:3] == ["ignore"] * 3
    assert [guess.target for guess in again.mapping][3:] == ["email", "first_name", "last_name", "company", "effectif"]
    done = desk.run(corrected)
    assert (done.imported, done.errors) == (2, 0)


def test_nothing_starts_without_preview_and_certified_consent(desk: Desk) -> None:
    view = desk.begin("email\na@x.example\n")
    assert view.warns_about_consent
    with pytest.raises(ImportNotReady) as refused:
        desk.start(view)
    assert refused.value.code == "not_previewed"
    desk.preview(view)
    with pytest.raises(ImportNotReady) as refused:
        desk.start(view, certified=False)
    assert refused.value.code == "consent_not_certified"
    with pytest.raises(InvalidValue) as note:
        desk.options(view, ImportOptions(consent_source="other"))
    assert note.value.code == "consent_note_missing"
    assert not desk.runner().tick()
    assert desk.emails() == []


def test_a_changed_mapping_asks_for_a_new_preview(desk: Desk) -> None:
    view = desk.begin("Mail;Divers\na@x.example;Brest\nb@x.example;Lorient\n")
    desk.preview(view)
    with desk.db.transaction() as session:
        changed = imports.set_column(session, desk.ws, view.id, 1, "field", "city")
        assert (changed.status, changed.preview) == ("draft", None)
        assert (changed.mapping[1].target, changed.mapping[1].how) == ("city", "chosen")
        with pytest.raises(InvalidValue):
            imports.set_column(session, desk.ws, view.id, 7, "field", "city")
    with desk.db.transaction() as session:
        imports.set_column(session, desk.ws, view.id, 0, "ignore")
    with pytest.raises(InvalidValue) as refused:
        desk.preview(view)
    assert refused.value.code == "no_email_column"


def test_the_user_may_say_how_the_file_is_written(desk: Desk) -> None:
    data = "Liste 2026\r\nemail;prénom\r\nréné@x.example;Zoé\r\n".encode("mac_roman")
    view = desk.begin(data)
    read = imports.reread(desk.db, desk.data_dir, desk.ws, view.id, encoding="macintosh", delimiter=";", header_line=2)
    assert (read.inspection.encoding, read.inspection.header_line) == ("mac-roman", 2)
    assert read.inspection.encoding_how == "chosen"
    assert [guess.target for guess in read.mapping] == ["email", "first_name"]


@pytest.mark.parametrize(
    ("text", "error", "code"),
    [
        ("", FileRefused, "empty_file"),
        ("email;name\r\n", FileRefused, "no_rows"),
        ("a@x.example;Jean\r\nb@x.example;Paul\r\n", NoHeader, "no_header"),
    ],
)
def test_a_file_that_cannot_be_imported_leaves_nothing_behind(
    desk: Desk, text: str, error: type[FileRefused], code: str
) -> None:
    with pytest.raises(error) as refused:
        desk.begin(text)
    assert refused.value.code == code
    assert list((desk.data_dir / FOLDER).iterdir()) == []


def test_limits_are_told_before_the_work(desk: Desk) -> None:
    text = "email\n" + "".join(f"p{n}@x.example\n" for n in range(5))
    with pytest.raises(ImportRowsLimitReached):
        desk.begin(text, most_rows=4)
    with pytest.raises(FileRefused) as refused:
        desk.begin(text, most_bytes=10)
    assert refused.value.code == "too_large"
    view = desk.begin(text)
    desk.preview(view)
    with pytest.raises(ContactLimitReached):
        desk.start(view, most=4)


class _Killed(BaseException):
    """Stands for the end of the process: nothing after it runs, nothing catches it."""


@pytest.mark.parametrize("moment", ["before the commit", "after the commit"])
def test_a_run_killed_between_chunks_goes_on_with_nothing_twice_and_nothing_lost(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    text = "email,first name\n" + "".join(f"p{n:04}@x{n % 7}.example,P{n}\n" for n in range(1_000))
    view = desk.begin(text)
    desk.options(view, ImportOptions(consent_source="existing", group_name="G", tags=("t",)))
    desk.preview(view)
    desk.start(view)
    monkeypatch.setattr("fluenzr_app.contacts.import_run.FIRST_ROWS", 90)
    rng = random.Random(7)
    from fluenzr_app.contacts import import_run

    kills = 0
    stored = import_run._record

    def dying(*arguments: object) -> None:
        nonlocal kills
        stored(*arguments)  # type: ignore[arg-type]
        if moment == "before the commit" and rng.random() < 0.5:
            kills += 1
            raise _Killed

    def breath(seconds: float) -> None:
        nonlocal kills
        if moment == "after the commit":
            kills += 1
            raise _Killed

    monkeypatch.setattr(import_run, "_record", dying)
    for _ in range(200):
        # A new runner each time: nothing of the old process's memory is left.
        runner = ImportRunner(desk.db, desk.data_dir, desk.keyring, desk.clock, pause=breath)
        try:
            done = runner.run_to_end(desk.ws, view.id)
            break
        except _Killed:
            continue
    else:
        pytest.fail("the import never came to its end")
    assert kills > 2
    assert (done.status, done.imported, done.skipped, done.rows_done) == ("done", 1_000, 0, 1_000)
    assert desk.emails() == [f"p{n:04}@x{n % 7}.example" for n in range(1_000)]
    with desk.db.read() as session:
        chunks = session.exec(select(ImportChunk).order_by(col(ImportChunk.no))).all()
        assert [chunk.no for chunk in chunks] == list(range(1, len(chunks) + 1))
        assert sum(chunk.rows for chunk in chunks) == 1_000
        assert counts.counts(session, desk.ws, "status") == {"active": 1_000}
        assert [group.contacts for group in labels.list_groups(session, desk.ws)] == [1_000]
        assert [tag.contacts for tag in labels.list_tags(session, desk.ws)] == [1_000]


def test_two_processes_share_an_import_without_storing_a_row_twice(desk: Desk) -> None:
    text = "email\n" + "".join(f"p{n}@x.example\n" for n in range(600))
    view = desk.begin(text)
    desk.preview(view)
    desk.start(view)
    one, two = desk.runner(), desk.runner()
    # Both read the same position; the second must see that the chunk is taken.
    position = one._running()[0]
    one._advance(position)
    two._advance(position)
    while one.tick(budget_s=0.0) | two.tick(budget_s=0.0):
        pass
    with desk.db.read() as session:
        done = imports.get_import(session, desk.ws, view.id)
    assert (done.status, done.imported, done.skipped) == ("done", 600, 0)
    assert len(desk.emails()) == 600


def test_staged_rows_that_were_lost_are_made_again_and_a_missing_file_is_told(desk: Desk) -> None:
    text = "email\n" + "".join(f"p{n}@x.example\n" for n in range(500))
    folders: list[Path] = []
    views = []
    for _ in range(2):
        view = desk.begin(text)
        desk.preview(view)
        desk.start(view)
        with desk.db.read() as session:
            folders.append(desk.data_dir / Path(imports.load(session, desk.ws, view.id).file_path).parent)
        views.append(view)
    desk.runner()._advance(desk.runner()._running()[0])
    (folders[0] / "staged.jsonl").unlink()
    (folders[1] / "staged.jsonl").unlink()
    (folders[1] / "original.csv").unlink()
    assert not desk.runner().tick()
    with desk.db.read() as session:
        first, second = (imports.get_import(session, desk.ws, view.id) for view in views)
    assert (first.status, first.imported) == ("done", 500)
    assert (second.status, second.failure) == ("failed", "file_missing")
    assert not (folders[0] / "original.csv").exists()


def test_a_cancelled_import_stops_and_can_be_taken_back(desk: Desk) -> None:
    text = "email\n" + "".join(f"p{n}@x.example\n" for n in range(600))
    view = desk.begin(text)
    desk.preview(view)
    desk.start(view)
    runner = desk.runner()
    assert runner.tick(budget_s=0.0)
    with desk.db.transaction() as session:
        imports.cancel(session, desk.ws, view.id, desk.clock.now())
    assert not runner.tick()
    stored = len(desk.emails())
    assert 0 < stored < 600
    with desk.db.transaction() as session, pytest.raises(ImportNotReady):
        imports.cancel(session, desk.ws, view.id, desk.clock.now())
    assert imports.take_back(desk.db, desk.ws, view.id, desk.clock.now()) == stored
    with desk.db.read() as session:
        assert counts.counts(session, desk.ws, "status") == {"archived": stored}
    desk.runner().sweep(desk.clock.now())
    assert not list(desk.data_dir.rglob("original.csv"))


def test_files_are_kept_no_longer_than_needed(desk: Desk) -> None:
    from datetime import timedelta

    done = desk.run(FILE)
    assert not list(desk.data_dir.rglob("original.csv"))
    assert not list(desk.data_dir.rglob("staged.jsonl"))
    with desk.db.read() as session:
        kept = imports.load(session, desk.ws, done.id).analysis
        assert "maud" not in str(kept)
        assert "p.martin@" in str(kept)
    draft = desk.begin(FILE)
    assert desk.runner().sweep(desk.clock.now() + timedelta(days=6)) == 0
    assert desk.runner().sweep(desk.clock.now() + timedelta(days=8)) == 1
    assert desk.runner().sweep(desk.clock.now() + timedelta(days=31)) == 1
    with desk.db.read() as session:
        assert "p.martin@" not in str(imports.load(session, desk.ws, done.id).analysis)
    with desk.db.read() as session:
        assert imports.get_import(session, desk.ws, draft.id).status == "cancelled"
        with pytest.raises(ImportNotReady):
            imports.error_file(session, desk.data_dir, desk.ws, done.id)


def test_custom_fields_of_a_type_are_checked_row_by_row(desk: Desk) -> None:
    with desk.db.transaction() as session:
        create_custom_field(session, desk.ws, "effectif", "Effectif", desk.clock.now(), field_type="number")
        create_custom_field(session, desk.ws, "rdv", "Rendez-vous", desk.clock.now(), field_type="date")
    done = desk.run("Email;Effectif;Rendez-vous\na@x.example;1 200;31/03/2026\nb@x.example;many;\nc@x.example;;soon\n")
    assert (done.imported, done.errors) == (1, 2)
    assert [line[:2] for line in desk.errors(done)[1:]] == [["3", "Effectif"], ["4", "Rendez-vous"]]
    with desk.db.read() as session:
        card = find_by_email(session, desk.ws, "a@x.example")
        assert card is not None
        assert card.contact.fields == {"effectif": 1200, "rdv": "2026-03-31"}


def test_a_strangers_workspace_cannot_see_or_touch_the_import(desk: Desk, people: People) -> None:
    view = desk.begin(FILE)
    desk.preview(view)
    other = people.other_workspace_id
    now = desk.clock.now()
    with desk.db.transaction() as session:
        attempts: list[Callable[[], object]] = [
            lambda: imports.get_import(session, other, view.id),
            lambda: imports.set_column(session, other, view.id, 0, "ignore"),
            lambda: imports.set_options(session, other, view.id, ImportOptions()),
            lambda: imports.start(session, other, view.id, now, consent_certified=True),
            lambda: imports.cancel(session, other, view.id, now),
            lambda: imports.resume(session, other, view.id),
            lambda: imports.error_file(session, desk.data_dir, other, view.id),
        ]
        for attempt in attempts:
            with pytest.raises(ImportNotFound):
                attempt()
        assert imports.list_imports(session, other) == []
    with pytest.raises(ImportNotFound):
        imports.preview(desk.db, desk.data_dir, desk.keyring, other, view.id)
    with pytest.raises(ImportNotFound):
        imports.reread(desk.db, desk.data_dir, other, view.id)
    with pytest.raises(ImportNotFound):
        imports.take_back(desk.db, other, view.id, now)
    with desk.db.transaction() as session:
        assert archive_import(session, other, view.id, now, most=10) == 0
        assert session.exec(select(ContactImport.status)).all() == ["ready"]
        assert list_custom_fields(session, other) == ()
