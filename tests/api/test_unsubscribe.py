"""The public unsubscribe page: opening changes nothing, POST does it at once."""

import re

import pytest
from fastapi import FastAPI
from sqlmodel import col, select
from starlette.testclient import TestClient

from fluenzr_app.api.recipient_page import choose_language
from fluenzr_app.contacts.models import Contact
from fluenzr_app.tracking import unsubscribe
from fluenzr_app.tracking.unsubscribe import UnsubscribeLink
from fluenzr_app.workspaces import service as workspaces
from tests.api.conftest import KeyMaker, browser, with_key
from tests.people import make_account, make_contact


@pytest.fixture
def contact(database, keyring, clock, people) -> int:
    with database.transaction() as session:
        return make_contact(session, keyring, people.workspace_id, "lea@atelier.example", clock.now(), language="en")


@pytest.fixture
def path(database, keyring, contact, people) -> str:
    with database.read() as session:
        row = session.get(Contact, contact)
        return "/u/" + unsubscribe.make_token(keyring, UnsubscribeLink(people.workspace_id, contact, row.email_hash))


def status(database, contact: int) -> str:
    with database.read() as session:
        return session.exec(select(Contact.status).where(col(Contact.id) == contact)).one()


def test_opening_the_page_changes_nothing_however_often(nobody: TestClient, database, contact, path):
    for method in ("get", "get", "head"):
        answer = getattr(nobody, method)(path)
        assert answer.status_code == 200
    assert status(database, contact) == "active"
    page = nobody.get(path).text
    assert 'lang="en"' in page
    assert "Atelier Rivage" in page
    assert '<form method="post">' in page
    assert "lea@" not in page
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_the_button_does_it_at_once_without_cookie_or_origin(nobody: TestClient, database, contact, path):
    answer = nobody.post(path, headers={"origin": "null", "sec-fetch-site": "cross-site"})
    assert answer.status_code == 200
    assert status(database, contact) == "unsubscribed"
    assert "<form" not in answer.text
    assert "<form" not in nobody.get(path).text
    assert nobody.post(path).status_code == 200


@pytest.mark.parametrize(
    "send",
    [
        {"data": {"List-Unsubscribe": "One-Click"}},
        # RFC 8058, 3.1 allows multipart/form-data as well.
        {"files": {"List-Unsubscribe": (None, "One-Click")}},
        {"content": b""},
    ],
)
def test_a_mail_program_s_one_click_does_it(nobody: TestClient, database, contact, path, send):
    assert nobody.post(path, **send).status_code == 200
    assert status(database, contact) == "unsubscribed"


def test_a_wrong_link_answers_404_and_tells_nothing(nobody: TestClient, path, people):
    for wrong in (path[:-2], path + "x", "/u/x", "/u/" + "A" * 5_000):
        for method in ("get", "post"):
            answer = getattr(nobody, method)(wrong)
            assert answer.status_code == 404
            assert "Rivage" not in answer.text
            assert "<a " not in answer.text
            assert "<form" not in answer.text


def test_the_page_needs_nothing_from_elsewhere_and_allows_nothing(nobody: TestClient, path):
    answer = nobody.get(path)
    assert "<script" not in answer.text
    assert not re.search(r"https?://", answer.text)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_name_of_a_workspace_cannot_become_markup(nobody: TestClient, database, people, path):
    with database.transaction() as session:
        workspaces.update_workspace(session, people.workspace_id, name="<script>alert(1)</script>&")
    assert "<script" not in nobody.get(path).text


@pytest.mark.parametrize(
    ("wanted", "language"),
    [(("en",), "en"), (("", "fr-CA,en;q=0.5"), "fr"), (("", "de", "en-GB"), "en"), (("", ""), "fr"), (("ru",), "en")],
)
def test_the_language_is_the_first_that_the_page_speaks(wanted, language):
    assert choose_language(*wanted) == language


def test_another_language_can_be_asked_for(nobody: TestClient, path):
    assert 'lang="fr"' in nobody.get(f"{path}?lang=fr").text
    assert "désinscrit" in nobody.post(f"{path}?lang=fr").text


def test_a_flood_of_form_data_is_refused(nobody: TestClient, database, contact, path):
    answer = nobody.post(path, content=b"x" * 1_000_000)
    assert answer.status_code == 413
    assert status(database, contact) == "active"


def test_the_contact_s_enrollments_end_with_the_click(
    api: FastAPI, make_key: KeyMaker, database, people, clock, contact, path
):
    from fluenzr_app.db.ids import public_id

    with database.transaction() as session:
        account = make_account(session, people.workspace_id, "camille@rivage.example", clock.now())
    with with_key(api, make_key()) as program, browser(api) as client:
        given = {"name": "Spring", "emailAccountId": public_id("acc", account)}
        campaign = program.post("/v1/campaigns", json=given).json()["data"]["id"]
        program.post(f"/v1/campaigns/{campaign}/contacts", json={"contactIds": [public_id("con", contact)]})
        client.post(path)
        walk = program.get(f"/v1/campaigns/{campaign}/contacts").json()["data"][0]
        assert (walk["status"], walk["dueAt"], walk["waiting"]) == ("unsubscribed", None, None)
