"""Conversations over the API: found, read with their mails and files, answered, marked, put off."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import col, select
from starlette.testclient import TestClient

from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.clock import ManualClock
from fluenzr_app.contacts.models import Contact
from fluenzr_app.contacts.suppression import suppress_contact
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.db.ids import parse_public_id, public_id
from fluenzr_app.inbox import answers, counts
from fluenzr_app.inbox.errors import AnswerRefused
from fluenzr_app.inbox.models import Answer, AnswerFile
from fluenzr_app.mail.compose import AttachedFile
from fluenzr_app.sending.models import Message
from tests.api.conftest import KeyMaker, with_key
from tests.api.seeded_inbox import Inbox, row_of
from tests.api.test_gate import error_of
from tests.campaigns.planted import Mail, clicked, opened
from tests.conftest import database_url
from tests.people import People

# Unlike the other routes' tests, on both kinds of database: the search differs on each.
__all__ = ["database_url"]

FIELDS = {
    "id", "contact", "account", "campaign", "subject", "preview", "status", "label", "lastKind", "lastAt",
    "lastInboundAt", "returnsOn", "stopAskedAt", "snoozedUntil", "createdAt", "updatedAt",
}  # fmt: skip
PDF = b"%PDF-1.4 the price list"


@pytest.fixture
def inbox(database: Database, people: People, keyring: KeyRing, clock: ManualClock) -> Inbox:
    made = Inbox(database, keyring, people.workspace_id, clock.now())
    made.open()
    return made


@pytest.fixture
def address(inbox: Inbox) -> str:
    """Where the one conversation of the inbox is."""
    key = inbox.reply_of("lea@atelier.example", "Oui, volontiers.", at=inbox.now, files={"prix 2026 é.pdf": PDF})
    return f"/v1/conversations/{public_id('cnv', key)}"


def ids_of(program: TestClient, query: str = "") -> list[int]:
    answer = program.get(f"/v1/conversations?{query}")
    assert answer.status_code == 200, answer.text
    return [parse_public_id("cnv", row["id"]) for row in answer.json()["data"]]


def test_a_conversation_is_read_with_its_mails_in_their_order(
    program: TestClient, inbox: Inbox, address: str, runtime: ApiRuntime
):
    inbox.campaign_mail(parse_public_id("cnv", address.rpartition("/")[2]), runtime, inbox.now - timedelta(days=1))
    found = program.get(address).json()["data"]
    assert set(found) == FIELDS | {"replyRefused", "messages"}
    assert found["contact"]["email"] == "lea@atelier.example"
    assert found["contact"]["id"].startswith("con_")
    assert found["account"] == {"id": public_id("acc", inbox.account_id), "email": "sarah@rivage.example"}
    assert found["campaign"] == {"id": public_id("cmp", inbox.campaign_id), "name": "Printemps"}
    assert (found["status"], found["label"], found["replyRefused"]) == ("unread", None, None)
    assert found["lastAt"] == "2026-03-02T08:00:00.000Z"
    sent, came = found["messages"]
    assert (sent["kind"], sent["status"], sent["step"], sent["text"].strip()) == ("mail", "sent", 1, "Bonjour Léa")
    assert sent["id"].startswith("msg_")
    assert (sent["openedAt"], sent["clickedAt"], came["openedAt"]) == (None, None, None)
    assert (came["kind"], came["status"], came["text"], came["quoted"]) == (
        "reply", None, "Oui, volontiers.", "> Bonjour",
    )  # fmt: skip
    assert came["id"].startswith("inb_")
    assert came["attachments"][0]["filename"] == "prix 2026 é.pdf"


def test_a_mail_says_when_a_person_opened_it_and_never_when_a_machine_did(
    program: TestClient, inbox: Inbox, address: str, runtime: ApiRuntime, database: Database
):
    inbox.campaign_mail(parse_public_id("cnv", address.rpartition("/")[2]), runtime, inbox.now - timedelta(days=1))
    at = inbox.now - timedelta(hours=20)
    with database.transaction() as session:
        row = session.exec(select(Message)).one()
        mail = Mail(inbox.workspace_id, row.id or 0, row.contact_id or 0, inbox.campaign_id, row.node_id or 0)
        opened(session, mail, at, "scanner", machine=True)
        clicked(session, mail, at, ["https://rivage.example/prix"], "all_links", machine=True)
    first = program.get(address).json()["data"]["messages"][0]
    assert (first["openedAt"], first["clickedAt"]) == (None, None)
    with database.transaction() as session:
        opened(session, mail, at + timedelta(hours=1))
        clicked(session, mail, at + timedelta(hours=2), ["https://rivage.example/prix"])
    first = program.get(address).json()["data"]["messages"][0]
    assert (first["openedAt"], first["clickedAt"]) == ("2026-03-01T13:00:00.000Z", "2026-03-01T14:00:00.000Z")


def test_a_file_that_came_downloads_as_it_is_and_never_opens(program: TestClient, address: str):
    came = program.get(address).json()["data"]["messages"][0]
    file = came["attachments"][0]
    answer = program.get(f"{address}/messages/{came['id']}/attachments/{file['id']}")
    assert (answer.status_code, answer.content, file["size"]) == (200, PDF, len(PDF))
    assert answer.headers["content-type"] == "application/pdf"
    assert answer.headers["content-disposition"].startswith('attachment; filename="prix_2026__.pdf"')
    assert answer.headers["x-content-type-options"] == "nosniff"
    other = public_id("fil", 1)
    assert program.get(f"{address}/messages/{came['id']}/attachments/{other}").status_code == 404


def test_a_type_that_is_none_does_not_become_a_header(program: TestClient, inbox: Inbox, address: str):
    file = {"filename": "a\r\nX-Evil: 1.txt", "contentType": "text/html; x=é", "content": "eA=="}
    made = program.post(f"{address}/reply", json={"body": "Voici", "attachments": [file]}).json()["data"]
    sent = program.get(address).json()["data"]["messages"][-1]
    answer = program.get(f"{address}/messages/{made['id']}/attachments/{sent['attachments'][0]['id']}")
    assert (answer.status_code, answer.content) == (200, b"x")
    assert answer.headers["content-type"] == "application/octet-stream"
    assert "x-evil" not in answer.headers


def test_lists_are_newest_first_paged_and_without_the_archived(program: TestClient, inbox: Inbox):
    keys = [
        inbox.reply_of(
            f"c{n}@atelier.example", f"Mot{n}", at=inbox.now + timedelta(hours=n), status=status
        )
        for n, status in enumerate(("unread", "read", "archived", "unread", "replied"))
    ]  # fmt: skip
    first = program.get("/v1/conversations?perPage=3").json()
    assert [parse_public_id("cnv", row["id"]) for row in first["data"]] == [keys[4], keys[3], keys[1]]
    assert set(first["data"][0]) == FIELDS
    assert first["meta"] == {"page": 1, "perPage": 3, "total": 4, "totalPages": 2}
    assert ids_of(program, "perPage=3&page=2") == [keys[0]]
    assert ids_of(program, "page=10000000&perPage=100") == []
    assert ids_of(program, "includeArchived=true") == keys[::-1]
    assert ids_of(program, "status=archived") == [keys[2]]
    assert ids_of(program, "query=mot3") == [keys[3]]
    assert ids_of(program, "query=achats&perPage=1&page=2") == [keys[3]]
    told = program.get("/v1/conversations?query=achats&perPage=1").json()["meta"]
    assert (told["total"], told["totalIsLowerBound"]) == (1, True)


def test_filters_must_all_hold(program: TestClient, inbox: Inbox, people: People):
    one = inbox.reply_of("a@atelier.example", "Bonjour", at=inbox.now)
    two = inbox.reply_of("b@atelier.example", "Bonsoir", at=inbox.now + timedelta(days=1))
    program.put(f"/v1/conversations/{public_id('cnv', two)}", json={"label": "interested"})
    contact = program.get(f"/v1/conversations/{public_id('cnv', one)}").json()["data"]["contact"]["id"]
    assert ids_of(program, f"contactId={contact}") == [one]
    assert ids_of(program, f"campaignId={public_id('cmp', inbox.campaign_id)}&label=interested") == [two]
    assert ids_of(program, f"accountId={public_id('acc', inbox.account_id)}&label=none") == [one]
    assert ids_of(program, f"accountId={public_id('acc', inbox.account_id + 1)}") == []
    assert ids_of(program, "from=2026-03-03") == [two]
    assert ids_of(program, "to=2026-03-02") == [one]
    assert ids_of(program, "from=2026-03-02&to=2026-03-03") == [two, one]
    assert ids_of(program, "to=2026-03-02T08:00:00Z") == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("status=open", "status"),
        ("label=hot", "label"),
        ("campaignId=con_x", "campaignId"),
        ("accountId=1", "accountId"),
        ("contactId=x", "contactId"),
        ("from=yesterday", "from"),
        ("to=2026-03-02T08:00:00", "to"),
        ("to=9999-12-31", "to"),
        ("perPage=101", "perPage"),
        ("includeArchived=perhaps", "includeArchived"),
    ],
)
def test_a_filter_that_cannot_be_is_named(program: TestClient, query: str, field: str):
    answer = program.get(f"/v1/conversations?{query}")
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (400, "VALIDATION_ERROR")
    assert [fault["field"] for fault in error["details"]] == [field]


def test_an_answer_leaves_ten_seconds_later_with_its_files(program: TestClient, inbox: Inbox, address: str):
    file = {"filename": "devis.pdf", "contentType": "application/pdf", "content": base64.encodebytes(PDF * 9).decode()}
    answer = program.post(f"{address}/reply", json={"body": "<p>Voici <b>le devis</b></p>", "attachments": [file]})
    assert answer.status_code == 201, answer.text
    made = answer.json()["data"]
    assert made == {
        "id": made["id"], "conversationId": address.rpartition("/")[2], "status": "queued",
        "dueAt": "2026-03-02T08:00:10.000Z",
    }  # fmt: skip
    key = parse_public_id("msg", made["id"])
    with inbox.database.read() as session:
        message, written = row_of(session, Message, key), row_of(session, Answer, key)
        kept = session.exec(select(AnswerFile)).one()
        assert (message.kind, message.status, message.to_address) == ("answer", "queued", "lea@atelier.example")
        assert message.due_at == inbox.now + timedelta(seconds=10)
        assert (written.subject, written.text.strip(), written.user_id) == ("Re: Vos achats", "Voici le devis", None)
        assert (kept.message_id, kept.filename, kept.content) == (key, "devis.pdf", PDF * 9)
    told = program.get(address).json()["data"]
    assert (told["status"], told["lastKind"], told["preview"]) == ("replied", "answer", "Voici le devis")
    last = told["messages"][-1]
    assert (last["id"], last["kind"], last["status"], last["dueAt"]) == (made["id"], "answer", "queued", made["dueAt"])
    assert [each["filename"] for each in last["attachments"]] == ["devis.pdf"]


def test_plain_text_stays_what_it_was_and_may_leave_later(program: TestClient, inbox: Inbox, address: str):
    body = {"body": "2 < 3 & <nom>\n\nÀ bientôt", "sendAt": "2026-03-04T10:00:00+01:00"}
    made = program.post(f"{address}/reply", json=body).json()["data"]
    assert made["dueAt"] == "2026-03-04T09:00:00.000Z"
    with inbox.database.read() as session:
        written = row_of(session, Answer, parse_public_id("msg", made["id"]))
        assert written.text.split() == ["2", "<", "3", "&", "<nom>", "À", "bientôt"]
    as_text = program.post(f"{address}/reply", json={"body": "<b>gras</b>", "format": "text"}).json()["data"]
    with inbox.database.read() as session:
        assert row_of(session, Answer, parse_public_id("msg", as_text["id"])).text.strip() == "<b>gras</b>"


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "body", "missing"),
        ({"body": " "}, "body", "empty"),
        ({"body": "<script>x</script><p></p>"}, "body", "empty"),
        ({"body": "x" * 200_001}, "body", "string_too_long"),
        ({"body": "x", "sendAt": "2026-03-02T07:00:00Z"}, "sendAt", "bad_time"),
        ({"body": "x", "sendAt": "2026-03-05T07:00:00"}, "sendAt", "timezone_aware"),
        ({"body": "x", "sendAt": "0001-01-01T00:00:00+14:00"}, "sendAt", "value_error"),
        ({"body": "x", "attachments": [{"filename": "a", "content": "é"}]}, "attachments.0.content", "no_base64"),
        ({"body": "x", "attachments": [{"filename": "a", "content": ""}]}, "attachments", "bad_file"),
        ({"body": "x", "attachments": [{"filename": "/", "content": "eA=="}]}, "attachments", "bad_file"),
        ({"body": "x", "attachments": [{"filename": "a", "content": "eA=="}] * 11}, "attachments", "too_long"),
    ],
)
def test_an_answer_that_cannot_leave_is_refused_and_leaves_nothing(
    program: TestClient, inbox: Inbox, address: str, body: Any, field: str, code: str
):
    answer = program.post(f"{address}/reply", json=body)
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (400, "VALIDATION_ERROR"), error
    assert [(fault["field"], fault["code"]) for fault in error["details"]] == [(field, code)]
    with inbox.database.read() as session:
        assert session.exec(select(Message)).all() == []
        assert session.exec(select(AnswerFile)).all() == []


def test_files_beyond_the_size_of_a_request_are_refused(program: TestClient, address: str):
    file = {"filename": "a.bin", "content": "A" * (8 * 1024 * 1024)}
    answer = program.post(f"{address}/reply", json={"body": "x", "attachments": [file]})
    assert (answer.status_code, error_of(answer)["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_files_that_no_mailbox_takes_are_refused(inbox: Inbox, address: str, runtime: ApiRuntime):
    key, half = parse_public_id("cnv", address.rpartition("/")[2]), bytes(answers.MOST_OCTETS // 2 + 1)
    files = [AttachedFile(name, "application/pdf", half) for name in ("a.pdf", "b.pdf")]
    with pytest.raises(AnswerRefused) as refused, inbox.database.transaction() as session:
        answers.send_answer(session, inbox.workspace_id, key, "x", inbox.now, runtime.rng, files=files)
    assert refused.value.code == "files_too_large"


@pytest.mark.parametrize("why", ["unsubscribed", "blocked", "suppressed"])
def test_nobody_writes_to_a_contact_that_may_not_be_written_to(
    program: TestClient, inbox: Inbox, address: str, why: str
):
    with inbox.database.transaction() as session:
        contact = session.exec(select(Contact).order_by(col(Contact.id))).one()
        if why == "suppressed":
            suppress_contact(session, inbox.workspace_id, contact.id or 0, "manual", inbox.now)
            contact.status = "replied"
        else:
            contact.status = why
    assert program.get(address).json()["data"]["replyRefused"] == why
    answer = program.post(f"{address}/reply", json={"body": "x"})
    error = error_of(answer)
    assert (answer.status_code, error["code"], error["details"]) == (409, "REPLY_REFUSED", {"code": why})


def test_an_answer_leaves_once_however_often_it_is_asked_for(program: TestClient, inbox: Inbox, address: str):
    once = {"idempotency-key": "reply-1"}
    first, again = (program.post(f"{address}/reply", json={"body": "Oui"}, headers=once) for _ in range(2))
    assert (first.status_code, again.status_code, again.json()) == (201, 201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    other = program.post(f"{address}/reply", json={"body": "Non"}, headers=once)
    assert other.status_code == 409
    with inbox.database.read() as session:
        assert len(session.exec(select(Message)).all()) == 1


def test_status_label_and_snooze_change_one_by_one(program: TestClient, inbox: Inbox, address: str):
    def put(**values: Any) -> dict[str, Any]:
        answer = program.put(f"{address}/status", json=values)
        assert answer.status_code == 200, answer.text
        assert set(answer.json()["data"]) == FIELDS
        return answer.json()["data"]

    assert put(status="read")["status"] == "read"
    labelled = put(label="later")
    assert (labelled["status"], labelled["label"]) == ("read", "later")
    away = put(snoozedUntil="2026-03-03T08:00:00Z")
    assert (away["status"], away["snoozedUntil"], away["label"]) == ("archived", "2026-03-03T08:00:00.000Z", "later")
    back = put(snoozedUntil=None, label=None)
    assert (back["status"], back["snoozedUntil"], back["label"]) == ("unread", None, None)
    assert put(snoozedUntil=None)["status"] == "unread"
    with inbox.database.read() as session:
        assert counts.counts(session, inbox.workspace_id) == {"unread": 1}
    assert program.put(address, json={}).json()["data"] == put()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"status": "open"}, "status"),
        ({"status": None}, "status"),
        ({"label": "hot"}, "label"),
        ({"snoozedUntil": "2026-03-02T07:00:00Z"}, "snoozedUntil"),
        ({"snoozedUntil": "2026-03-03T07:00:00Z", "status": "read"}, "snoozedUntil"),
        ({"subject": "x"}, "subject"),
    ],
)
def test_a_change_that_cannot_be_is_named(program: TestClient, address: str, body: Any, field: str):
    before = program.get(address).json()
    answer = program.put(address, json=body)
    error = error_of(answer)
    assert (answer.status_code, error["code"], error["details"][0]["field"]) == (400, "VALIDATION_ERROR", field)
    assert program.get(address).json() == before


def test_a_stranger_is_told_nothing_and_changes_nothing(
    program: TestClient, foreign_program: TestClient, inbox: Inbox, address: str
):
    before = program.get(address).json()
    came = before["data"]["messages"][0]
    file = f"{address}/messages/{came['id']}/attachments/{came['attachments'][0]['id']}"
    assert program.get(file).status_code == 200
    bad = {"body": "", "attachments": [{"filename": "", "content": "é"}]}
    for answer in (
        foreign_program.get(address),
        foreign_program.get(file),
        foreign_program.put(address, json={"status": "archived"}),
        foreign_program.put(f"{address}/status", json={"snoozedUntil": "2020-01-01T00:00:00Z"}),
        foreign_program.post(f"{address}/reply", json={"body": "x"}),
        foreign_program.post(f"{address}/reply", json=bad),
    ):
        assert (answer.status_code, error_of(answer)["code"]) == (404, "NOT_FOUND")
        assert "lea" not in answer.text
    contact = before["data"]["contact"]["id"]
    for query in (
        "",
        f"?contactId={contact}",
        "?query=volontiers",
        f"?campaignId={public_id('cmp', inbox.campaign_id)}",
    ):
        listed = foreign_program.get(f"/v1/conversations{query}").json()
        assert (listed["data"], listed["meta"]["total"]) == ([], 0)
    assert program.get(address).json() == before


def test_a_file_is_found_under_its_own_conversation_alone_and_never_beside_a_draft(
    program: TestClient, inbox: Inbox, address: str, people: People
):
    came = program.get(address).json()["data"]["messages"][0]
    other = inbox.reply_of("noe@atelier.example", "Non", at=inbox.now)
    place = f"messages/{came['id']}/attachments/{came['attachments'][0]['id']}"
    assert program.get(f"/v1/conversations/{public_id('cnv', other)}/{place}").status_code == 404
    with inbox.database.transaction() as session:
        user = people.owner.user_id
        kept = answers.add_file(session, inbox.workspace_id, other, user, "a.txt", "text/plain", b"x", inbox.now)
    lying = f"messages/{public_id('msg', 1)}/attachments/{public_id('fil', kept.index)}"
    assert program.get(f"/v1/conversations/{public_id('cnv', other)}/{lying}").status_code == 404


def test_a_reading_key_reads_and_does_not_write(api: FastAPI, make_key: KeyMaker, address: str):
    with with_key(api, make_key("read")) as reader:
        assert reader.get(address).status_code == 200
        for answer in (reader.post(f"{address}/reply", json={"body": "x"}), reader.put(address, json={})):
            assert (answer.status_code, error_of(answer)["code"]) == (403, "FORBIDDEN")


def test_the_reference_describes_every_call(program: TestClient):
    document = program.get("/v1/openapi.json").json()
    mine = {path for path in document["paths"] if path.startswith("/conversations")}
    assert mine == {
        "/conversations", "/conversations/{conversation_id}", "/conversations/{conversation_id}/reply",
        "/conversations/{conversation_id}/status",
        "/conversations/{conversation_id}/messages/{mail_id}/attachments/{attachment_id}",
    }  # fmt: skip
    page = program.get("/v1/docs").text
    assert "/conversations/{conversation_id}/reply" in page
    assert "includeArchived" in page
