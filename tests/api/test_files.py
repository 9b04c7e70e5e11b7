"""Files in and out: streamed, bounded, and only for the workspace they belong to."""

import stat

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fluenzr_app.api.app import create_api
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.contacts import imports
from fluenzr_app.contacts.mapping import Guess
from fluenzr_app.db.ids import parse_public_id, public_id
from fluenzr_app.settings import load_settings
from fluenzr_app.workspaces.audit import list_entries
from tests.api.conftest import sign_in
from tests.api.test_gate import error_of
from tests.people import People, make_contact

OURS = {"origin": "http://testserver"}
CSV = "E-mail;Prénom\nlea@atelier.example;Léa\nnot an address;Max\n".encode()


@pytest.fixture
def owner(api: FastAPI, runtime: ApiRuntime, people: People) -> TestClient:
    return sign_in(api, runtime, people.owner)


@pytest.fixture
def stranger(api: FastAPI, runtime: ApiRuntime, people: People) -> TestClient:
    return sign_in(api, runtime, people.stranger)


def upload(client: TestClient, content, name: str = "Kontakte%20%C3%A9t%C3%A9.csv"):
    return client.post("/uploads/imports", content=content, headers=OURS | {"x-file-name": name})


def files_of(runtime: ApiRuntime) -> list:
    return [path for path in (runtime.settings.data_dir / "imports").rglob("*") if path.is_file()]


def test_a_file_becomes_the_draft_of_an_import(owner: TestClient, runtime: ApiRuntime, people: People):
    answer = upload(owner, iter([CSV[:10], CSV[10:]]))
    assert answer.status_code == 201, answer.text
    data = answer.json()["data"]
    assert data == {"id": data["id"], "fileName": "Kontakte été.csv", "fileBytes": len(CSV), "rows": 2}
    (stored,) = files_of(runtime)
    assert stored.read_bytes() == CSV
    assert stat.S_IMODE(stored.stat().st_mode) == 0o600
    with runtime.database.read() as session:
        view = imports.get_import(session, people.workspace_id, parse_public_id("imp", data["id"]))
    assert view.status == "draft"


def test_a_name_leads_nowhere(owner: TestClient, runtime: ApiRuntime):
    answer = upload(owner, CSV, "..%2F..%2Fetc%2Fpasswd%00")
    assert answer.json()["data"]["fileName"] == "passwd"
    (stored,) = files_of(runtime)
    assert stored.name == "original.csv"


def test_a_file_over_the_bound_is_refused_and_nothing_stays(runtime: ApiRuntime, people: People):
    settings = load_settings(_env_file=None, data_dir=runtime.settings.data_dir, upload_max_bytes=1024)
    api = create_api(ApiRuntime(settings, runtime.database, runtime.keyring, runtime.clock))
    client = sign_in(api, runtime, people.owner)
    announced = upload(client, b"x" * 2000)
    streamed = upload(client, iter([b"email\n", b"x" * 600, b"x" * 600]))
    for answer in (announced, streamed):
        assert (answer.status_code, error_of(answer)["code"]) == (413, "PAYLOAD_TOO_LARGE")
    assert files_of(runtime) == []


@pytest.mark.parametrize("content", [b"", b"\x00\x01\x02" * 100, b"email\n"])
def test_what_is_no_table_is_refused_in_words(owner: TestClient, runtime: ApiRuntime, content):
    answer = upload(owner, content)
    assert answer.status_code == 400
    assert error_of(answer)["message"]
    assert files_of(runtime) == []


def test_nobody_uploads_or_downloads_without_a_session(nobody: TestClient, runtime: ApiRuntime, people: People):
    answers = [
        upload(nobody, CSV),
        nobody.get("/downloads/contacts.csv"),
        nobody.get("/downloads/imports/imp_x/errors.csv"),
    ]
    for answer in answers:
        assert (answer.status_code, error_of(answer)["code"]) == (401, "UNAUTHORIZED")
    assert files_of(runtime) == []


def test_the_contacts_of_the_own_workspace_are_exported_and_it_is_noted(
    owner: TestClient, stranger: TestClient, runtime: ApiRuntime, people: People
):
    now = runtime.now()
    with runtime.database.transaction() as session:
        for name, status in (("a", "active"), ("b", "active"), ("c", "archived")):
            make_contact(session, runtime.keyring, people.workspace_id, f"{name}@atelier.example", now, status=status)
    answer = owner.get("/downloads/contacts.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].startswith('attachment; filename="contacts-2026-03-02.csv"')
    assert ["a@atelier.example" in answer.text, "c@atelier.example" in answer.text] == [True, False]
    assert "c@atelier.example" in owner.get("/downloads/contacts.csv?status=any").text
    assert "a@atelier.example" not in owner.get("/downloads/contacts.csv?status=archived").text
    assert owner.get("/downloads/contacts.csv?bom=true").content.startswith(b"\xef\xbb\xbf")
    assert len(stranger.get("/downloads/contacts.csv?status=any").text.splitlines()) == 1
    for wrong in ("status=nice", "group=grp_x", "imported=7", "q=%00", f"q={'x' * 300}"):
        assert owner.get(f"/downloads/contacts.csv?{wrong}").status_code == 400
    with runtime.database.read() as session:
        actions = [entry.action for entry in list_entries(session, people.workspace_id)]
    assert actions == ["contacts.exported"] * 4


def test_an_error_file_is_for_the_workspace_of_its_import_alone(
    owner: TestClient, stranger: TestClient, runtime: ApiRuntime, people: People
):
    made = upload(owner, CSV).json()["data"]["id"]
    path = f"/downloads/imports/{made}/errors.csv"
    assert owner.get(path).status_code == 400
    key = parse_public_id("imp", made)
    data_dir = runtime.settings.data_dir
    view = imports.preview(runtime.database, data_dir, runtime.keyring, people.workspace_id, key)
    assert isinstance(view.mapping[0], Guess)
    answer = owner.get(path)
    assert answer.status_code == 200
    assert "not an address" in answer.text
    assert 'filename="Kontakte__t_-errors.csv"' in answer.headers["content-disposition"]
    assert "filename*=UTF-8''Kontakte%20%C3%A9t%C3%A9-errors.csv" in answer.headers["content-disposition"]
    foreign = stranger.get(path)
    assert (foreign.status_code, error_of(foreign)["code"]) == (404, "NOT_FOUND")
    assert owner.get("/downloads/imports/imp_none/errors.csv").status_code == 404


def test_all_that_is_known_of_one_person_is_a_download_and_noted(
    api: FastAPI, owner: TestClient, stranger: TestClient, runtime: ApiRuntime, people: People
):
    with runtime.database.transaction() as session:
        key = make_contact(
            session, runtime.keyring, people.workspace_id, "lea@atelier.example", runtime.now(), first_name="Léa"
        )
    path = f"/downloads/contacts/{public_id('con', key)}/person.json"
    answer = owner.get(path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith('attachment; filename="con_')
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["contact"]["firstName"] == "Léa"
    assert sign_in(api, runtime, people.teammate).get(path).json()["contact"]["email"] == "lea@atelier.example"
    with runtime.database.read() as session:
        entries = list_entries(session, people.workspace_id)
        assert [each.action for each in entries].count("contact.exported") == 2
        assert all("lea" not in each.subject for each in entries)
    refused = stranger.get(path)
    assert refused.status_code == 404
    assert "lea@" not in refused.text.lower()
    with runtime.database.read() as session:
        assert all(each.action != "contact.exported" for each in list_entries(session, people.other_workspace_id))
    assert TestClient(api).get(path).status_code == 401
    assert owner.get(path, headers={"origin": "https://elsewhere.example"}).status_code == 403
    assert owner.get(path.replace("con_", "cmp_")).status_code in (400, 404)
