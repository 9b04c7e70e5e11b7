"""`fluenzr contacts import` and `export`, run as commands on an installation of their own."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from fluenzr_app.clock import utc_now
from fluenzr_app.commands import contacts as cli_contacts
from fluenzr_app.commands.context import open_installation
from fluenzr_app.contacts.service import find_by_email
from fluenzr_app.workspaces.audit import list_entries
from fluenzr_app.workspaces.users import create_workspace


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FLUENZR_DATA_DIR", str(tmp_path / "data"))
    with open_installation() as (_, db, keyring), db.transaction() as session:
        create_workspace(session, keyring, name="Atelier", now=utc_now())
    return tmp_path


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(cli_contacts.app, list(arguments))


def test_a_windows_file_is_imported_and_told_in_json(installation: Path) -> None:
    source = installation / "export crm.csv"
    lines = ["Adresse e-mail;Prénom;Nom;Divers"]
    lines += [f"p{n}@x.example;Zoé;Lefèvre n° {n};x" for n in range(300)]
    lines += ["p.martin@;Hervé;M;", "P7@x.example;Zoé;Encore;"]
    source.write_bytes("\r\n".join(lines).encode("cp1252"))
    errors = installation / "errors.csv"
    result = _run(
        "import", str(source), "--consent", "existing", "--group", "Salon", "--tag", "a", "--tag", "b",
        "--map", "divers=ignore", "--errors", str(errors), "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert {name: report[name] for name in ("status", "encoding", "delimiter", "rows", "imported", "errors")} == {
        "status": "done", "encoding": "windows-1252", "delimiter": ";", "rows": 302, "imported": 300, "errors": 1,
    }  # fmt: skip
    assert report["duplicates"] == 1
    assert report["mapping"][1] == {"column": "Prénom", "field": "firstName", "how": "exact"}
    assert errors.read_text(encoding="utf-8").splitlines()[1].startswith("302;Adresse e-mail;")
    with open_installation() as (_, db, _), db.read() as session:
        card = find_by_email(session, 1, "p7@x.example")
        assert card is not None
        assert (card.contact.last_name, card.tags, card.contact.fields) == ("Lefèvre n° 7", ("a", "b"), {})
    assert not list((installation / "data" / "imports").rglob("original.csv"))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--consent", "luck"), "unknown_consent_source"),
        (("--consent", "other"), "consent_note_missing"),
        (("--consent", "event", "--map", "Nope=email"), "unknown_column"),
        (("--consent", "event", "--map", "email=hair"), "unknown_field"),
        (("--consent", "event", "--encoding", "klingon"), "unknown_encoding"),
        (("--consent", "event", "--workspace", "Ailleurs"), "not_possible_here"),
    ],
)
def test_what_is_refused_is_one_line_of_json_and_leaves_no_copy(
    installation: Path, arguments: tuple[str, ...], code: str
) -> None:
    source = installation / "c.csv"
    source.write_text("email,city\na@x.example,Brest\n")
    result = _run("import", str(source), *arguments, "--json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"]["code"] == code
    assert not list(installation.rglob("original.csv"))


def test_a_missing_file_is_told_in_plain_words(installation: Path) -> None:
    result = _run("import", "nowhere.csv", "--consent", "event")
    assert result.exit_code == 1
    assert "nowhere.csv" in result.stderr
    assert _run("import", "nowhere.csv").exit_code == 2


def test_export_writes_what_import_reads(installation: Path) -> None:
    source = installation / "c.csv"
    source.write_text("email,first name,effectif\na@x.example,=cmd,12\n")
    assert _run("import", str(source), "--consent", "existing").exit_code == 0
    shown = _run("export")
    assert shown.exit_code == 0
    assert "a@x.example,'=cmd" in shown.stdout
    target = installation / "out.csv"
    told = json.loads(_run("export", str(target), "--json").stdout)
    assert told["bytes"] == target.stat().st_size
    again = json.loads(_run("import", str(target), "--consent", "existing", "--json").stdout)
    assert (again["imported"], again["skipped"], again["errors"]) == (0, 1, 0)
    assert _run("export").stdout == shown.stdout


def test_one_person_is_exported_and_erased(installation: Path) -> None:
    source = installation / "c.csv"
    source.write_text("email,first name\nzoe@x.example,Zoé\nnora@x.example,Nora\n")
    assert _run("import", str(source), "--consent", "existing").exit_code == 0
    shown = json.loads(_run("export-person", "ZOE@x.example", "--json").stdout)
    assert (shown["contact"]["firstName"], "nora" in json.dumps(shown)) == ("Zoé", False)
    target = installation / "zoe.json"
    told = json.loads(_run("export-person", "zoe@x.example", str(target), "--json").stdout)
    assert told["bytes"] == target.stat().st_size
    assert json.loads(target.read_text())["contact"]["email"] == "zoe@x.example"
    assert _run("erase-person", "zoe@x.example").exit_code == 1, "asks first"
    assert json.loads(_run("erase-person", "zoe@x.example", "--yes", "--json").stdout)["erased"] is True
    gone = _run("export-person", "zoe@x.example", "--json")
    assert (gone.exit_code, json.loads(gone.stdout)["error"]["code"]) == (1, "contact_not_found")
    with open_installation() as (_, db, _keyring), db.read() as session:
        entries = list_entries(session, 1)
        assert [each.action for each in entries] == ["contact.deleted", "contact.exported", "contact.exported"]
        assert find_by_email(session, 1, "nora@x.example") is not None
