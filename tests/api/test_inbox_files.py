"""Files for a draft and files of a conversation, as the pages send and fetch them."""

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fluenzr_app.api.app import create_api
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.db.ids import public_id
from fluenzr_app.inbox import answers
from tests.api.conftest import sign_in
from tests.inbox.seed import InboxSeed, Mail
from tests.people import People

ORIGIN = {"origin": "http://testserver"}
HTML = '<p>Bonjour</p><script>alert(1)</script><img src="https://pixel.example/1.png">'


@pytest.fixture
def conversation(runtime: ApiRuntime, people: People) -> int:
    """A conversation of the owner's workspace: a mail with HTML and a file that a browser could run."""
    with runtime.database.transaction() as session:
        seed = InboxSeed(session, runtime.keyring, people.workspace_id, runtime.now()).prepare()
        mail = Mail("Bonjour", html=HTML, files={"page.html": b"<script>alert(1)</script>"})
        return seed.conversation("Léa Martin", [mail])


@pytest.fixture
def client(runtime: ApiRuntime, people: People, conversation: int) -> TestClient:
    """The owner's browser."""
    return sign_in(create_api(runtime), runtime, people.owner)


def upload(client: TestClient, conversation: int, content: bytes, name: str = "rapport.pdf"):
    headers = ORIGIN | {"x-file-name": name, "content-type": "application/pdf"}
    return client.post(f"/uploads/answers/{public_id('cnv', conversation)}", content=content, headers=headers)


def draft(runtime: ApiRuntime, people: People, conversation: int) -> list[tuple[str, int]]:
    with runtime.database.read() as session:
        found = answers.draft_of(session, people.workspace_id, conversation, people.owner.user_id)
    return [(file.filename, file.size) for file in found.files]


def test_a_file_comes_in_beside_the_draft_under_its_own_name(
    client: TestClient, runtime: ApiRuntime, people: People, conversation: int
):
    answer = upload(client, conversation, b"%PDF-1.4", "..%2F..%2Fd%C3%A9lais.pdf")
    assert answer.status_code == 201
    assert answer.json()["data"]["filename"] == "délais.pdf"
    assert draft(runtime, people, conversation) == [("délais.pdf", 8)]


def test_what_no_mailbox_would_take_is_refused_and_not_kept(
    client: TestClient, runtime: ApiRuntime, people: People, conversation: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(answers, "MOST_OCTETS", 1_000)
    too_large = upload(client, conversation, b"x" * 1_001)
    assert (too_large.status_code, too_large.json()["error"]["details"]["why"]) == (413, "file_too_large")
    assert upload(client, conversation, b"x" * 900).status_code == 201
    together = upload(client, conversation, b"x" * 200)
    assert (together.status_code, together.json()["error"]["details"]["why"]) == (413, "files_too_large")
    empty = upload(client, conversation, b"")
    assert (empty.status_code, empty.json()["error"]["details"]["why"]) == (400, "bad_file")
    assert draft(runtime, people, conversation) == [("rapport.pdf", 900)]


def test_a_file_without_an_announced_length_is_cut_off_at_the_bound(
    client: TestClient, runtime: ApiRuntime, people: People, conversation: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(answers, "MOST_OCTETS", 1_000)
    answer = client.post(
        f"/uploads/answers/{public_id('cnv', conversation)}",
        content=(b"x" * 100 for _ in range(100)),
        headers=ORIGIN | {"x-file-name": "a.bin"},
    )
    assert answer.status_code == 413
    assert draft(runtime, people, conversation) == []


def test_a_mails_html_runs_nothing_and_loads_pictures_only_when_asked(client: TestClient):
    page = f"/downloads/mails/{public_id('inb', 1)}/page"
    plain, pictures = client.get(page, headers=ORIGIN), client.get(f"{page}?images=true", headers=ORIGIN)
    for answer in (plain, pictures):
        policy = answer.headers["content-security-policy"]
        assert answer.status_code == 200
        assert "<script" not in answer.text
        assert policy.startswith("sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'")
        assert "frame-ancestors 'self'" in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
    assert "pixel.example" not in plain.text
    assert "img-src data:;" in plain.headers["content-security-policy"]
    assert "https://pixel.example/1.png" in pictures.text


def test_a_file_that_a_browser_could_run_comes_as_octets_to_be_kept(client: TestClient, conversation: int):
    place = f"/downloads/conversations/{public_id('cnv', conversation)}/mails/{public_id('inb', 1)}/files"
    answer = client.get(f"{place}/0", headers=ORIGIN)
    assert answer.content == b"<script>alert(1)</script>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith('attachment; filename="page.html"')
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert client.get(f"{place}/1", headers=ORIGIN).status_code == 404


def test_a_teammate_does_not_get_a_file_beside_somebody_elses_draft(
    client: TestClient, runtime: ApiRuntime, people: People, conversation: int
):
    upload(client, conversation, b"%PDF-1.4")
    api: FastAPI = create_api(runtime)
    teammate = sign_in(api, runtime, people.teammate)
    place = f"/downloads/conversations/{public_id('cnv', conversation)}/answers/{public_id('msg', 1)}/files"
    assert teammate.get(f"{place}/{public_id('fil', 1)}", headers=ORIGIN).status_code == 404
