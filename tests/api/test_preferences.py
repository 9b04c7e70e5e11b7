"""The page for choices of who got a mail: opening changes nothing, each button does its one thing at once."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from fastapi import FastAPI
from sqlmodel import select
from starlette.testclient import TestClient

from fluenzr_app.contacts import service as contacts
from fluenzr_app.contacts.models import Contact, Suppression
from fluenzr_app.events.models import Event
from fluenzr_app.tracking import unsubscribe
from fluenzr_app.tracking.models import TrackingObjection
from fluenzr_app.tracking.unsubscribe import UnsubscribeLink
from fluenzr_app.workspaces.models import Workspace
from tests.api.conftest import browser
from tests.people import make_contact


@pytest.fixture
def contact(database, keyring, clock, people) -> int:
    with database.transaction() as session:
        return make_contact(session, keyring, people.workspace_id, "lea@atelier.example", clock.now(), language="en")


@pytest.fixture
def token(database, keyring, contact, people) -> str:
    with database.read() as session:
        row = session.get(Contact, contact)
        return unsubscribe.make_token(keyring, UnsubscribeLink(people.workspace_id, contact, row.email_hash))


def standing(database, contact: int) -> tuple[str, int, int]:
    """The contact's status, how many objections there are, and how many addresses are suppressed."""
    with database.read() as session:
        objections = len(session.exec(select(TrackingObjection)).all())
        return session.get(Contact, contact).status, objections, len(session.exec(select(Suppression)).all())


def buttons(page: str) -> list[str]:
    return re.findall(r'name="choice" value="(\w+)"', page)


def test_opening_changes_nothing_however_often(nobody: TestClient, database, contact, token):
    for method in ("get", "get", "head"):
        answer = getattr(nobody, method)(f"/p/{token}?choice=object&choice=unsubscribe")
        assert answer.status_code == 200
        assert "set-cookie" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
    assert standing(database, contact) == ("active", 0, 0)
    page = nobody.get(f"/p/{token}").text
    assert 'lang="en"' in page
    assert "Atelier Rivage" in page
    assert "lea@" not in page
    assert buttons(page) == ["object", "unsubscribe"]


def test_objecting_and_unsubscribing_are_two_things(nobody: TestClient, database, contact, token):
    answer = nobody.post(f"/p/{token}", data={"choice": "object"}, headers={"origin": "null"})
    assert answer.status_code == 200
    assert standing(database, contact) == ("active", 1, 0)
    assert "Refused since March 2, 2026" in answer.text
    assert "The messages go on" in answer.text
    assert buttons(answer.text) == buttons(nobody.get(f"/p/{token}").text) == ["allow", "unsubscribe"]
    answer = nobody.post(f"/p/{token}", data={"choice": "unsubscribe"})
    assert standing(database, contact) == ("unsubscribed", 1, 1)
    assert buttons(answer.text) == ["allow"]
    assert "The messages go on" not in answer.text
    answer = nobody.post(f"/p/{token}", data={"choice": "allow"})
    # Allowing an image is not asking for mail again.
    assert standing(database, contact) == ("unsubscribed", 0, 1)
    assert buttons(answer.text) == ["object"]


@pytest.mark.parametrize(
    "send",
    [
        {},
        {"content": b""},
        {"data": {"choice": "everything"}},
        {"data": {"choice": ["object", "allow"]}},
        {"data": {"List-Unsubscribe": "One-Click"}},
        {"json": {"choice": "object"}},
        {"content": b"\xff\xfe%zz&&==choice"},
    ],
)
def test_a_request_that_names_no_choice_is_told_so_and_changes_nothing(
    nobody: TestClient, database, contact, token, send
):
    answer = nobody.post(f"/p/{token}", **send)
    assert answer.status_code == 400
    assert "Nothing was changed" in answer.text
    assert standing(database, contact) == ("active", 0, 0)


def test_two_clicks_at_once_object_once(api: FastAPI, database, contact, token):
    def press(_number: int) -> int:
        with browser(api) as client:
            return client.post(f"/p/{token}", data={"choice": "object"}).status_code

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(press, range(6))) == {200}
    assert standing(database, contact) == ("active", 1, 0)
    with database.read() as session:
        assert [event.type for event in session.exec(select(Event))] == ["contact.tracking_objected"]


def test_it_works_after_the_contact_was_deleted(nobody: TestClient, database, clock, people, contact, token):
    with database.transaction() as session:
        contacts.delete_contacts(session, people.workspace_id, [contact], clock.now())
    # Its language went with it; the workspace's is left, whatever the browser speaks.
    page = nobody.get(f"/p/{token}", headers={"accept-language": "en"}).text
    assert 'lang="fr"' in page
    assert buttons(page) == ["object", "unsubscribe"]
    assert buttons(nobody.post(f"/p/{token}", data={"choice": "object"}).text) == ["allow", "unsubscribe"]
    assert buttons(nobody.post(f"/p/{token}", data={"choice": "unsubscribe"}).text) == ["allow"]


def test_a_wrong_link_answers_404_and_tells_nothing(nobody: TestClient, database, contact, token):
    for wrong in (token[:-2], token + "x", "x", "A" * 5_000):
        for method, body in (("get", None), ("post", b"choice=object"), ("post", b"")):
            answer = nobody.request(method, f"/p/{wrong}", content=body)
            assert answer.status_code == 404
            assert "Rivage" not in answer.text
            assert "<a " not in answer.text
            assert "<form" not in answer.text
    assert standing(database, contact) == ("active", 0, 0)


@pytest.mark.parametrize(
    ("contact_language", "accepted", "asked", "language"),
    [
        ("en", "fr", "", "en"),
        ("", "en", "", "fr"),
        ("de", "en-GB,fr;q=0.5", "", "en"),
        ("de", "fr-CA", "", "fr"),
        ("de", "de", "", "en"),
        ("fr", "fr", "en", "en"),
    ],
)
def test_the_language_is_the_recipient_s(
    nobody: TestClient, database, contact, token, contact_language, accepted, asked, language
):
    with database.transaction() as session:
        session.get(Contact, contact).language = contact_language
    for path in (f"/p/{token}", f"/u/{token}"):
        page = nobody.get(path, params={"lang": asked}, headers={"accept-language": accepted}).text
        assert page.startswith(f'<!doctype html><html lang="{language}">')


@pytest.mark.parametrize(
    ("switches", "said", "unsaid"),
    [
        ({}, ["une image", "des liens", "première ouverture", "premier clic", "Ni adresse IP"], ["90", "Désactivé"]),
        ({"track_clicks": False}, ["une image", "première ouverture"], ["des liens", "clic sur"]),
        ({"track_opens": False}, ["liens", "premier clic"], ["une image", "ouverture de"]),
        ({"track_opens": False, "track_clicks": False}, ["Désactivé par Atelier Rivage"], ["conservé", "une image"]),
        ({"tracking_details": True}, ["pendant 90\u00a0jours", "adresse IP"], ["Ni adresse IP"]),
        ({"tracking_details": True, "track_clicks": False}, ["chaque ouverture avec sa date"], ["clic avec", "Ni"]),
        ({"tracking_details": True, "tracking_details_days": 1}, ["pendant 1\u00a0jour,"], []),
    ],
)
def test_the_page_says_what_is_kept(nobody: TestClient, database, people, token, switches, said, unsaid):
    with database.transaction() as session:
        workspace = session.get(Workspace, people.workspace_id)
        for name, value in switches.items():
            setattr(workspace, name, value)
    page = nobody.get(f"/p/{token}?lang=fr").text
    for words in said:
        assert words in page
    for words in unsaid:
        # The promise of the button names both, whatever is on.
        assert words not in page.replace("le suivi des ouvertures et des clics", "")
    assert "object" in buttons(page)


def test_the_page_needs_nothing_from_elsewhere_and_allows_nothing(nobody: TestClient, database, people, token):
    with database.transaction() as session:
        session.get(Workspace, people.workspace_id).name = "<script>alert(1)</script>&"
    for path, data in ((f"/p/{token}", None), (f"/p/{token}", {"choice": "object"}), (f"/p/{token}", {"no": "1"})):
        answer = nobody.get(path) if data is None else nobody.post(path, data=data)
        assert "<script" not in answer.text
        assert " style=" not in answer.text
        assert not re.search(r"https?://", answer.text)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "form-action 'self'" in policy
        assert "unsafe" not in policy


def test_the_unsubscribe_page_leads_to_the_other_choices(nobody: TestClient, token):
    for page in (nobody.get(f"/u/{token}").text, nobody.post(f"/u/{token}").text):
        address = re.search(r'href="\.\./p/([^"?]+)\?lang=en"', page)
        assert address is not None
        assert address[1] == token


def test_a_flood_is_refused(nobody: TestClient, database, contact, token):
    assert nobody.post(f"/p/{token}", content=b"choice=object&" + b"x" * 1_000_000).status_code == 413
    assert standing(database, contact) == ("active", 0, 0)


def test_the_links_of_a_test_say_what_they_would_do_and_do_nothing(nobody: TestClient, database, contact):
    for path in ("/u/sample", "/p/sample"):
        for answer in (nobody.get(path), nobody.post(path, data={"choice": "object"})):
            assert answer.status_code == 200
            assert "Un lien d’essai" in answer.text
            assert "<form" not in answer.text
    assert standing(database, contact) == ("active", 0, 0)
