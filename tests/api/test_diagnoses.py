"""`/v1/diagnoses`: what does not move, said in two languages, filtered, put aside and shown again."""

from datetime import timedelta

import pytest
from fastapi import FastAPI
from httpx import Response
from starlette.testclient import TestClient

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.api.envelope import instant
from fluenzr_app.campaigns import service as campaigns
from fluenzr_app.campaigns.models import Campaign
from fluenzr_app.clock import ManualClock
from fluenzr_app.db.engine import Database
from fluenzr_app.db.ids import public_id
from fluenzr_app.sending.models import Worker
from fluenzr_app.workspaces.users import update_workspace
from tests.api.conftest import KeyMaker, with_key
from tests.people import People, make_account


class Trouble:
    """An account that may not sign in, and an active campaign of another account without contacts."""

    def __init__(self, database: Database, people: People, clock: ManualClock) -> None:
        now = clock.now()
        with database.transaction() as session:
            update_workspace(session, people.workspace_id, postal_address="1 quai de la Gare, 75013 Paris")
            broken = make_account(session, people.workspace_id, "sarah@rivage.example", now)
            works = make_account(session, people.workspace_id, "lea@rivage.example", now)
            account = session.get_one(EmailAccount, broken)
            account.status, account.error_code, account.error_since = "error", "auth_failed", now - timedelta(hours=2)
            made = campaigns.create_campaign(session, people.workspace_id, "Achats", now, account_ids=[works])
            session.get_one(Campaign, made.id).status = "active"
            session.add(Worker(name="one", started_at=now, beat_at=now))
        self.account, self.campaign = public_id("acc", broken), public_id("cmp", made.id)


@pytest.fixture
def trouble(database: Database, people: People, clock: ManualClock) -> Trouble:
    return Trouble(database, people, clock)


def codes(client: TestClient, query: str = "") -> list[str]:
    answer = client.get(f"/v1/diagnoses{query}")
    assert answer.status_code == 200, answer.text
    return [each["code"] for each in answer.json()["data"]]


def refusal(answer: Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_diagnosis_says_what_why_since_when_and_what_mends_it(
    program: TestClient, trouble: Trouble, clock: ManualClock
):
    answer = program.get("/v1/diagnoses").json()
    assert answer["meta"] == {"page": 1, "perPage": 100, "total": 2, "totalPages": 1}
    first, second = answer["data"]
    since = instant(clock.now() - timedelta(hours=2))
    assert first == {
        "code": "account_error",
        "severity": "broken",
        "symptom": 3,
        "subject": {"type": "account", "id": trouble.account, "name": "sarah@rivage.example"},
        "message": "sarah@rivage.example: account in error",
        "explanation": "The server refuses the user name or the password. No message waiting, nothing is lost. "
        "Enter the password again. With most hosts the user name is the whole address.",
        "remedies": [{"code": "reconnect", "label": "Reconnect"}],
        "since": since,
        "resumesAt": None,
        "snoozedUntil": None,
    }
    assert (second["code"], second["symptom"]) == ("campaign_no_contacts", 6)


@pytest.mark.parametrize(
    ("accepted", "label"),
    [
        ("fr", "Reconnecter"),
        ("fr-CA,en;q=0.5", "Reconnecter"),
        ("en;q=0.9, fr;q=0.2", "Reconnect"),
        ("de", "Reconnect"),
        ("", "Reconnect"),
        ("fr;q=0", "Reconnect"),
        (";;q=,x;q=nan", "Reconnect"),
    ],
)
def test_words_are_in_the_language_that_is_asked_for(program: TestClient, trouble: Trouble, accepted: str, label: str):
    found = program.get("/v1/diagnoses", headers={"accept-language": accepted}).json()["data"]
    assert found[0]["remedies"][0]["label"] == label


def test_diagnoses_are_filtered_by_severity_and_by_what_they_are_about(program: TestClient, trouble: Trouble):
    assert codes(program, "?severity=slowed") == ["campaign_no_contacts"]
    assert codes(program, f"?subject={trouble.account}") == ["account_error"]
    assert codes(program, f"?subject={trouble.campaign}&severity=broken") == []
    assert codes(program, "?perPage=1&page=2") == ["campaign_no_contacts"]
    assert refusal(program.get("/v1/diagnoses?severity=bad")) == (400, "VALIDATION_ERROR")
    assert refusal(program.get("/v1/diagnoses?subject=con_x")) == (400, "VALIDATION_ERROR")


def test_a_campaign_tells_what_holds_it_up_and_nobody_elses_is_there(
    program: TestClient, foreign_program: TestClient, trouble: Trouble
):
    path = f"/v1/campaigns/{trouble.campaign}/diagnosis"
    assert [each["code"] for each in program.get(path).json()["data"]] == ["campaign_no_contacts"]
    assert refusal(foreign_program.get(path)) == (404, "NOT_FOUND")
    assert codes(foreign_program) == []


def test_what_is_put_aside_says_until_when_comes_last_and_is_shown_again(
    program: TestClient, foreign_program: TestClient, trouble: Trouble, clock: ManualClock
):
    until = instant(clock.now() + timedelta(days=2))
    given = {"code": "account_error", "subjectId": trouble.account, "until": until}
    assert refusal(foreign_program.post("/v1/diagnoses/snooze", json=given)) == (404, "NOT_FOUND")
    assert program.post("/v1/diagnoses/snooze", json=given).json()["data"]["snoozedUntil"] == until
    found = program.get("/v1/diagnoses").json()["data"]
    assert [(each["code"], each["snoozedUntil"]) for each in found] == [
        ("campaign_no_contacts", None), ("account_error", until),
    ]  # fmt: skip
    assert program.post("/v1/diagnoses/snooze", json={**given, "until": None}).status_code == 200
    assert codes(program) == ["account_error", "campaign_no_contacts"]


def test_a_snooze_that_cannot_be_is_refused_in_words(program: TestClient, trouble: Trouble, clock: ManualClock):
    def refused(status: int, **changes: str | None) -> None:
        given = {"code": "account_error", "subjectId": trouble.account, "until": "2026-03-03T09:00:00Z", **changes}
        assert refusal(program.post("/v1/diagnoses/snooze", json=given))[0] == status

    refused(400, until="2026-03-01T09:00:00Z")
    refused(400, until="2026-09-01T09:00:00Z")
    refused(400, until="2026-03-03T09:00:00")
    refused(400, code="no_such_code")
    refused(400, subjectId="x")
    refused(404, code="account_quota")
    refused(404, subjectId=None)


def test_a_key_that_may_only_read_reads_diagnoses_and_puts_none_aside(
    api: FastAPI, make_key: KeyMaker, trouble: Trouble
):
    with with_key(api, make_key("read")) as reader:
        assert codes(reader) == ["account_error", "campaign_no_contacts"]
        given = {"code": "account_error", "subjectId": trouble.account, "until": None}
        assert refusal(reader.post("/v1/diagnoses/snooze", json=given)) == (403, "FORBIDDEN")
