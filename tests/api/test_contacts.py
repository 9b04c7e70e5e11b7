"""Contacts over the API, in the shape of the specification."""

from datetime import timedelta

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fluenzr_app.clock import ManualClock
from fluenzr_app.contacts import custom_fields, labels
from fluenzr_app.contacts.suppression import hasher_of
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.db.ids import public_id
from fluenzr_app.tracking.objections import object_to_tracking
from fluenzr_app.workspaces.audit import list_entries
from tests.api.conftest import KeyMaker, with_key
from tests.api.test_gate import error_of
from tests.people import People

FIELDS = {
    "id", "email", "firstName", "lastName", "company", "jobTitle", "phone", "website", "linkedinUrl", "city", "country",
    "language", "timezone", "owner", "consentSource", "consentAt", "consentNotes", "status", "groups", "tags",
    "customFields", "pipelineStage", "trackingObjection", "createdAt", "updatedAt",
}  # fmt: skip


def create(program: TestClient, email: str, **more) -> dict:
    answer = program.post("/v1/contacts", json={"email": email, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


def test_a_contact_is_created_read_changed_and_deleted(
    program: TestClient, database: Database, people: People, clock: ManualClock
):
    with database.transaction() as session:
        group = labels.create_group(session, people.workspace_id, "Salon", clock.now())
        custom_fields.create_custom_field(
            session, people.workspace_id, "score", "Score", clock.now(), field_type="number"
        )
    owner = public_id("usr", people.owner.user_id)
    made = create(
        program, "Lea.Martin@Atelier.example", firstName="Léa", jobTitle="Gérante", tags=["vip"], owner=owner,
        groupIds=[public_id("grp", group)], customFields={"score": 7}, consentSource="event", timezone="Europe/Paris",
    )  # fmt: skip
    assert set(made) == FIELDS
    assert made["id"].startswith("con_")
    assert (made["email"], made["firstName"], made["tags"], made["owner"]) == (
        "Lea.Martin@atelier.example", "Léa", ["vip"], owner,
    )  # fmt: skip
    assert made["groups"] == [{"id": public_id("grp", group), "name": "Salon"}]
    assert made["customFields"] == {"score": 7}
    assert made["createdAt"] == "2026-03-02T08:00:00.000Z"
    assert made["consentAt"] == "2026-03-02T08:00:00.000Z"

    path = f"/v1/contacts/{made['id']}"
    assert program.get(path).json() == {"success": True, "data": made}
    changed = program.put(path, json={"company": "Rivage", "tags": []}).json()["data"]
    assert changed == made | {"company": "Rivage", "tags": [], "updatedAt": changed["updatedAt"]}
    assert program.delete(path).json()["data"] == {"id": made["id"], "deleted": True}
    assert (program.get(path).status_code, program.delete(path).status_code) == (404, 404)
    with database.read() as session:
        entries = list_entries(session, people.workspace_id)
    assert [(entry.action, entry.subject) for entry in entries] == [("contact.deleted", made["id"])]


def test_an_objection_to_tracking_is_told_with_its_date(
    program: TestClient, database: Database, people: People, keyring: KeyRing, clock: ManualClock
):
    objects, fine = create(program, "lea@atelier.example"), create(program, "luc@atelier.example")
    assert objects["trackingObjection"] is None
    with database.transaction() as session:
        email_hash, _ = hasher_of(session, keyring, people.workspace_id).of_address("lea@atelier.example")
        object_to_tracking(session, people.workspace_id, email_hash, clock.now())
    told = program.get(f"/v1/contacts/{objects['id']}").json()["data"]["trackingObjection"]
    assert told == "2026-03-02T08:00:00.000Z"
    listed = {row["id"]: row["trackingObjection"] for row in program.get("/v1/contacts").json()["data"]}
    assert listed == {objects["id"]: told, fine["id"]: None}


def test_an_address_is_taken_once_whatever_its_case(program: TestClient):
    made = create(program, "lea@atelier.example")
    answer = program.post("/v1/contacts", json={"email": "LEA@Atelier.example"})
    error = error_of(answer)
    assert (answer.status_code, error["code"], error["details"]["contactId"]) == (409, "EMAIL_TAKEN", made["id"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "email"),
        ({"email": "nobody"}, "email"),
        ({"email": "a@b.example", "nmae": "x"}, "nmae"),
        ({"email": "a@b.example", "firstName": 7}, "firstName"),
        ({"email": "a@b.example", "firstName": "x" * 50_000}, "firstName"),
        ({"email": "a@b.example", "timezone": "Mars/Olympus"}, "timezone"),
        ({"email": "a@b.example", "customFields": {"unknown_one": 1}}, "customFields.unknown_one"),
        ({"email": "a@b.example", "tags": "vip"}, "tags"),
        ({"email": "a@b.example", "tags": ["a,b"]}, "tags"),
        ({"email": "a@b.example", "consentAt": "0001-01-01T00:00:00+14:00"}, "consentAt"),
        ({"email": "a@b.example", "consentSource": "invented"}, "consentSource"),
        ({"email": "a@b.example", "status": None}, "status"),
        ({"email": "a@b.example", "owner": "usr_nobody"}, "owner"),
    ],
)
def test_a_value_that_cannot_be_kept_is_named(program: TestClient, body, field):
    answer = program.post("/v1/contacts", json=body)
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (400, "VALIDATION_ERROR"), error
    assert [fault["field"] for fault in error["details"]] == [field]


def test_nothing_of_another_workspace_can_be_named(
    program: TestClient, foreign_program: TestClient, database: Database, people: People, clock: ManualClock
):
    made = create(program, "lea@atelier.example")
    path = f"/v1/contacts/{made['id']}"
    for answer in (foreign_program.get(path), foreign_program.put(path, json={}), foreign_program.delete(path)):
        assert (answer.status_code, error_of(answer)["code"]) == (404, "NOT_FOUND")
        assert "atelier" not in answer.text
    assert foreign_program.get("/v1/contacts").json()["data"] == []
    with database.transaction() as session:
        theirs = labels.create_group(session, people.other_workspace_id, "Theirs", clock.now())
    answer = program.put(path, json={"groupIds": [public_id("grp", theirs)]})
    assert answer.status_code == 404
    stranger = public_id("usr", people.stranger.user_id)
    assert program.put(path, json={"owner": stranger}).status_code == 400


def test_lists_are_paged_sorted_and_filtered(program: TestClient, clock: ManualClock):
    for number in range(5):
        tags = ["even"] if number % 2 == 0 else []
        create(program, f"p{number}@atelier.example", lastName="ZABCD"[number], tags=tags)
    first = program.get("/v1/contacts?perPage=2").json()
    # All were made at the same moment: then the id decides, newest first.
    assert [row["email"][:2] for row in first["data"]] == ["p4", "p3"]
    assert first["meta"] == {"page": 1, "perPage": 2, "total": 5, "totalPages": 3}
    last = program.get("/v1/contacts?perPage=2&page=3&sort=lastName&order=asc").json()
    assert [row["lastName"] for row in last["data"]] == ["Z"]
    assert program.get("/v1/contacts?tag=even").json()["meta"]["total"] == 3
    assert program.get("/v1/contacts?email=P1@").json()["data"][0]["email"] == "p1@atelier.example"
    assert program.get("/v1/contacts?status=archived").json()["meta"]["total"] == 0
    assert program.get("/v1/contacts?page=99").json()["data"] == []


@pytest.mark.parametrize(
    "query",
    ["page=0", "page=x", "page=99999999999", "perPage=101", "perPage=0", "sort=password", "order=up", "status=nice"],
)
def test_a_wrong_query_is_refused(program: TestClient, query):
    answer = program.get(f"/v1/contacts?{query}")
    assert (answer.status_code, error_of(answer)["code"]) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("contact_id", ["con_", "1", "con_%00", "cmp_x", "con_" + "a" * 500, "con_..", "null"])
def test_an_id_that_is_none_answers_404(program: TestClient, contact_id):
    assert program.get(f"/v1/contacts/{contact_id}").status_code in (400, 404)


def test_bulk_tells_what_became_of_each(program: TestClient):
    create(program, "known@atelier.example", company="Before")
    items = [
        {"email": "new@atelier.example", "tags": ["vip"]},
        {"email": "KNOWN@atelier.example", "company": "After"},
        {"email": "not an address"},
        {"email": "new2@atelier.example", "unknownField": 1},
        {"email": "new3@atelier.example", "groupIds": ["grp_none"]},
        {"email": "new@atelier.example"},
    ]
    answer = program.post("/v1/contacts/bulk", json={"contacts": items, "onDuplicate": "update"})
    assert answer.status_code == 200
    data = answer.json()["data"]
    assert (data["created"], data["updated"], data["skipped"]) == (1, 2, 0)
    assert [(error["index"], error["field"]) for error in data["errors"]] == [
        (2, "email"), (3, "unknownField"), (4, "groupIds"),
    ]  # fmt: skip
    assert program.get("/v1/contacts?email=known").json()["data"][0]["company"] == "After"
    skipped = program.post("/v1/contacts/bulk", json={"contacts": items[:2]}).json()["data"]
    assert (skipped["created"], skipped["updated"], skipped["skipped"]) == (0, 0, 2)


def test_bulk_takes_a_thousand_and_no_more(program: TestClient):
    items = [{"email": f"b{number}@atelier.example"} for number in range(1_001)]
    assert program.post("/v1/contacts/bulk", json={"contacts": items}).status_code == 400
    assert program.post("/v1/contacts/bulk", json={"contacts": items[:1_000]}).json()["data"]["created"] == 1_000


def test_the_same_write_under_one_idempotency_key_is_done_once(
    program: TestClient, api: FastAPI, make_key: KeyMaker, database: Database, clock: ManualClock
):
    headers = {"idempotency-key": "order-1"}
    first = program.post("/v1/contacts", json={"email": "lea@atelier.example"}, headers=headers)
    again = program.post("/v1/contacts", json={"email": "lea@atelier.example"}, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.content == again.content
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    same_under_other_base = program.post("/api/v1/contacts", json={"email": "lea@atelier.example"}, headers=headers)
    assert same_under_other_base.headers["idempotent-replayed"] == "true"

    other = program.post("/v1/contacts", json={"email": "max@atelier.example"}, headers=headers)
    assert (other.status_code, error_of(other)["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")
    with with_key(api, make_key()) as second:
        assert second.post("/v1/contacts", json={"email": "lea@atelier.example"}, headers=headers).status_code == 409

    with database.engine.connect() as connection:
        stored = connection.exec_driver_sql("SELECT sealed FROM idempotency").scalars().all()
    assert not any(b"atelier" in bytes(sealed) for sealed in stored)


def test_a_refused_write_can_be_tried_again_under_its_key(program: TestClient):
    headers = {"idempotency-key": "order-2"}
    create(program, "lea@atelier.example")
    body = {"email": "lea@atelier.example"}
    assert program.post("/v1/contacts", json=body, headers=headers).status_code == 409
    contact_id = program.get("/v1/contacts").json()["data"][0]["id"]
    program.delete(f"/v1/contacts/{contact_id}")
    assert program.post("/v1/contacts", json=body, headers=headers).status_code == 201


def test_a_stored_answer_is_forgotten_after_a_day(program: TestClient, clock: ManualClock):
    headers = {"idempotency-key": "order-3"}
    made = program.post("/v1/contacts", json={"email": "lea@atelier.example"}, headers=headers).json()["data"]
    program.delete(f"/v1/contacts/{made['id']}")
    clock.advance(timedelta(hours=24))
    answer = program.post("/v1/contacts", json={"email": "lea@atelier.example"}, headers=headers)
    assert answer.json()["data"]["id"] != made["id"]
