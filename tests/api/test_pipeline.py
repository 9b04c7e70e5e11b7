"""Stages of the pipeline over the API, and contacts that move between them."""

import pytest
from starlette.testclient import TestClient

from fluenzr_app.campaigns.history import history_of_contact
from fluenzr_app.db.engine import Database
from fluenzr_app.db.ids import parse_public_id
from fluenzr_app.workspaces.service import update_workspace
from tests.api.test_contacts import create
from tests.api.test_gate import error_of
from tests.people import People


def stages(program: TestClient) -> list[dict]:
    answer = program.get("/v1/pipelineStages")
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def test_the_six_stages_are_there_at_the_first_question_and_stay_the_same(
    program: TestClient, foreign_program: TestClient, database: Database, people: People
):
    with database.transaction() as session:
        update_workspace(session, people.other_workspace_id, language="en")
    found = stages(program)
    assert [(stage["name"], stage["kind"], stage["color"]) for stage in found] == [
        ("Lead", "lead", "gray"), ("Qualifié", "qualified", "blue"), ("Proposition", "proposal", "yellow"),
        ("Négociation", "negotiation", "orange"), ("Gagné", "won", "green"), ("Perdu", "lost", "red"),
    ]  # fmt: skip
    assert {stage["id"][:4] for stage in found} == {"stg_"}
    assert stages(program) == found
    assert program.get("/v1/pipelineStages").json()["meta"] == {"page": 1, "perPage": 6, "total": 6, "totalPages": 1}
    theirs = stages(foreign_program)
    assert [stage["name"] for stage in theirs][1:3] == ["Qualified", "Proposal"]
    assert not {stage["id"] for stage in theirs} & {stage["id"] for stage in found}


def test_a_contact_is_made_in_a_stage_moved_and_taken_out(program: TestClient, database: Database, people: People):
    by_kind = {stage["kind"]: stage for stage in stages(program)}
    won, lost = by_kind["won"], by_kind["lost"]
    made = create(program, "lea@atelier.example", pipelineStageId=won["id"])
    assert made["pipelineStage"] == {"id": won["id"], "name": "Gagné"}
    path = f"/v1/contacts/{made['id']}"
    assert program.get("/v1/contacts").json()["data"][0]["pipelineStage"] == made["pipelineStage"]
    assert program.put(path, json={"city": "Brest"}).json()["data"]["pipelineStage"] == made["pipelineStage"]
    moved = program.put(path, json={"pipelineStageId": lost["id"]}).json()["data"]
    assert moved["pipelineStage"] == {"id": lost["id"], "name": "Perdu"}
    assert program.put(path, json={"pipelineStageId": lost["id"]}).json()["data"] == moved
    assert program.put(path, json={"pipelineStageId": None}).json()["data"]["pipelineStage"] is None
    assert program.get(path).json()["data"]["pipelineStage"] is None
    with database.read() as session:
        lines = history_of_contact(session, people.workspace_id, parse_public_id("con", made["id"]))
    assert [line.type for line in lines] == ["contact.stage_changed"] * 3
    assert {key for line in lines for key in line.data} == {"from", "to"}


def test_a_stage_of_another_workspace_or_of_none_is_not_found_and_nothing_is_kept(
    program: TestClient, foreign_program: TestClient
):
    theirs = stages(foreign_program)[0]["id"]
    made = create(program, "lea@atelier.example")
    for wrong in (theirs, "stg_none", "grp_x", "", made["id"]):
        for answer in (
            program.put(f"/v1/contacts/{made['id']}", json={"pipelineStageId": wrong, "city": "Brest"}),
            program.post("/v1/contacts", json={"email": "max@atelier.example", "pipelineStageId": wrong}),
        ):
            assert (answer.status_code, error_of(answer)["code"]) == (404, "NOT_FOUND"), wrong
    assert program.put(f"/v1/contacts/{made['id']}", json={"pipelineStageId": 7}).status_code == 400
    assert program.get("/v1/contacts").json()["data"] == [made]


@pytest.mark.parametrize("on_duplicate", ["skip", "update"])
def test_bulk_takes_stages_and_tells_which_are_unknown(
    program: TestClient, foreign_program: TestClient, on_duplicate: str
):
    stage, theirs = stages(program)[2], stages(foreign_program)[2]
    create(program, "known@atelier.example")
    items = [
        {"email": "new@atelier.example", "pipelineStageId": stage["id"]},
        {"email": "known@atelier.example", "pipelineStageId": stage["id"]},
        {"email": "odd@atelier.example", "pipelineStageId": "stg_none"},
        {"email": "foreign@atelier.example", "pipelineStageId": theirs["id"]},
    ]
    answer = program.post("/v1/contacts/bulk", json={"contacts": items, "onDuplicate": on_duplicate})
    data = answer.json()["data"]
    assert [(error["index"], error["code"]) for error in data["errors"]] == [
        (2, "stage_not_found"), (3, "stage_not_found"),
    ]  # fmt: skip
    assert data["errors"][0]["field"] == "pipelineStageId"
    found = {each["email"]: each["pipelineStage"] for each in program.get("/v1/contacts").json()["data"]}
    placed = {"id": stage["id"], "name": "Proposition"}
    assert found == {
        "new@atelier.example": placed,
        "known@atelier.example": placed if on_duplicate == "update" else None,
    }
