"""Email accounts over the API, probed against a real mail server."""

import json
from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from fluenzr_app.clock import ManualClock
from fluenzr_app.db.engine import Database
from fluenzr_app.db.ids import public_id
from fluenzr_app.inbox import reading
from fluenzr_app.mail.mailbox import MailboxFailure
from tests.api.test_gate import error_of
from tests.people import People, make_account
from tests.real.post_office import PostOffice

FIELDS = {
    "id", "email", "displayName", "provider", "status", "error", "pausedUntil", "smtp", "imap", "dailyLimit",
    "hourlyLimit", "minGapSeconds", "rampEnabled", "sentLast24h", "reputation", "mailbox",
}  # fmt: skip


def body(post_office: PostOffice, address: str = "camille@fluenzr.test", **changes) -> dict:
    username, password = post_office.user(address)
    return {
        "email": address,
        "displayName": "Camille",
        "smtp": {
            "host": post_office.host, "port": post_office.smtp_port, "encryption": "starttls", "username": username,
            "password": password,
        },
        "imap": {"host": post_office.host, "port": post_office.imaps_port, "encryption": "ssl"},
        "dailyLimit": 120,
    } | changes  # fmt: skip


@pytest.fixture
def trusted(post_office: PostOffice, monkeypatch) -> PostOffice:
    post_office.trust(monkeypatch)
    return post_office


def test_an_account_is_connected_with_the_stages_of_its_probe_and_no_password(program: TestClient, trusted: PostOffice):
    answer = program.post("/v1/accounts", json=body(trusted), headers={"idempotency-key": "connect"})
    assert answer.status_code == 201, answer.text
    made, probe = answer.json()["data"], answer.json()["meta"]["probe"]
    assert set(made) == FIELDS
    assert (made["status"], made["error"], made["dailyLimit"], made["sentLast24h"]) == ("connected", None, 120, 0)
    assert made["smtp"] == {
        "host": trusted.host, "port": trusted.smtp_port, "encryption": "starttls", "username": "camille@fluenzr.test",
    }  # fmt: skip
    assert made["mailbox"] == {"readAt": None, "failingSince": None, "code": None, "message": None}
    stages = {stage["stage"]: stage["state"] for stage in probe}
    assert list(stages)[:5] == ["name", "port", "tls", "login", "sender"]
    assert set(stages.values()) == {"ok"}, probe
    _, password = trusted.user("camille@fluenzr.test")
    again = program.post("/v1/accounts", json=body(trusted), headers={"idempotency-key": "connect"})
    assert again.content == answer.content
    listed = program.get("/v1/accounts")
    assert listed.json()["data"] == [made]
    assert program.get(f"/v1/accounts/{made['id']}").json()["data"] == made
    assert password not in answer.text + listed.text
    taken = program.post("/v1/accounts", json=body(trusted))
    assert (taken.status_code, error_of(taken)["code"]) == (409, "ADDRESS_IN_USE")


def test_a_wrong_password_is_told_by_the_stage_that_failed(program: TestClient, trusted: PostOffice):
    given = body(trusted)
    given["smtp"]["password"] = "wrong password"
    answer = program.post("/v1/accounts", json=given)
    assert answer.status_code == 201
    stages = {stage["stage"]: stage for stage in answer.json()["meta"]["probe"]}
    assert (stages["login"]["state"], stages["login"]["errorCode"]) == ("failed", "auth_failed")
    assert stages["sender"]["state"] == "waiting"
    account = answer.json()["data"]
    assert (account["status"], account["error"]["code"]) == ("error", "auth_failed")
    assert account["error"]["message"]
    assert account["error"]["since"].endswith("Z")
    assert "wrong password" not in answer.text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"email": "nobody"}, "email"),
        ({"dailyLimit": 0}, "dailyLimit"),
        ({"dailyLimit": 10**30}, "dailyLimit"),
        ({"minGapSeconds": -1}, "minGapSeconds"),
        ({"provider": "gmail"}, "provider"),
        ({"smtp": {"host": "", "port": 587, "password": "x"}}, "smtp.host"),
        ({"smtp": {"host": "a b", "port": 587, "password": "x"}}, "smtp.host"),
        ({"smtp": {"host": "mail.example", "port": 99999, "password": "x"}}, "smtp.port"),
        ({"smtp": {"host": "mail.example", "port": 587}}, "smtp.password"),
        ({"smtp": {"host": "mail.example", "port": 587, "password": "x", "encryption": "tls"}}, "smtp.encryption"),
        ({"smtp": {"host": "mail.example", "port": 587, "password": "x", "secret": 1}}, "smtp.secret"),
        ({"unknown": 1}, "unknown"),
    ],
)
def test_a_form_that_cannot_work_is_refused_before_any_server_is_asked(program: TestClient, change, field):
    given = {"email": "a@b.example", "smtp": {"host": "mail.example", "port": 587, "password": "hunter22"}} | change
    answer = program.post("/v1/accounts", json=given)
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (400, "VALIDATION_ERROR")
    assert field in [fault["field"] for fault in error["details"]]
    assert "hunter22" not in answer.text


def test_accounts_are_listed_by_page_and_only_one_s_own(
    program: TestClient, foreign_program: TestClient, database: Database, people: People, clock: ManualClock
):
    with database.transaction() as session:
        for name in "bca":
            make_account(session, people.workspace_id, f"{name}@rivage.example", clock.now())
    page = program.get("/v1/accounts?sort=email&order=asc&perPage=2").json()
    assert [row["email"][0] for row in page["data"]] == ["a", "b"]
    assert page["meta"] == {"page": 1, "perPage": 2, "total": 3, "totalPages": 2}
    newest = program.get("/v1/accounts").json()["data"]
    assert [row["email"][0] for row in newest] == ["a", "c", "b"]
    assert foreign_program.get("/v1/accounts").json()["data"] == []
    assert foreign_program.get(f"/v1/accounts/{newest[0]['id']}").status_code == 404
    assert program.get("/v1/accounts?sort=smtpSecretId").status_code == 400


def test_an_account_tells_how_its_mailbox_is_read(
    program: TestClient, database: Database, people: People, clock: ManualClock
):
    read_at = clock.now() - timedelta(minutes=3)
    with database.transaction() as session:
        imap = {"imap_host": "imap.rivage.example", "imap_username": "x"}
        well = make_account(session, people.workspace_id, "a@rivage.example", clock.now(), synced_at=read_at, **imap)
        ill = make_account(session, people.workspace_id, "b@rivage.example", clock.now(), synced_at=read_at, **imap)
        make_account(session, people.workspace_id, "c@rivage.example", clock.now())
        for account in (well, ill):
            assert reading.lease(session, account, "test", clock.now()) is not None
        refused = MailboxFailure("auth_failed", "LOGIN failed for b", stage="auth", permanent=True)
        reading.failed(session, ill, "test", refused, clock.now(), clock.now())
    told = {row["email"][0]: row["mailbox"] for row in program.get("/v1/accounts").json()["data"]}
    nothing = {"failingSince": None, "code": None, "message": None}
    assert told == {
        "a": {"readAt": "2026-03-02T07:57:00.000Z", **nothing},
        "b": {
            "readAt": "2026-03-02T07:57:00.000Z", "failingSince": "2026-03-02T08:00:00.000Z", "code": "auth_failed",
            "message": "The server refuses the user name or the password.",
        },
        "c": None,
    }  # fmt: skip
    assert program.get(f"/v1/accounts/{public_id('acc', ill)}").json()["data"]["mailbox"] == told["b"]


def test_no_answer_holds_a_secret(program: TestClient, trusted: PostOffice):
    text = json.dumps(program.post("/v1/accounts", json=body(trusted)).json()) + program.get("/v1/openapi.json").text
    assert "secret_id" not in text
    assert "secretId" not in text
