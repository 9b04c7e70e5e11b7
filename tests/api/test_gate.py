"""Keys, permission, envelope and hostile requests, before any resource is asked."""

import json

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fluenzr_app.api import key_gate
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.clock import ManualClock
from fluenzr_app.db.engine import Database
from fluenzr_app.workspaces import api_keys
from tests.api.conftest import KeyMaker, with_key
from tests.people import People


def error_of(answer) -> dict:
    """The error in an answer, whose envelope must hold nothing else."""
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"success", "error"}
    assert body["success"] is False
    assert set(body["error"]) == {"code", "message", "details"}
    return body["error"]


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer flz_sk_x", f"Bearer flz_sk_{'a' * 32}", f"flz_sk_{'a' * 32}"],
)
@pytest.mark.parametrize("path", ["/v1/contacts", "/api/v1/contacts", "/v1/nothing-here", "/v1/"])
def test_without_a_valid_key_every_path_answers_the_same_401(nobody: TestClient, people, header, path):
    answer = nobody.get(path, headers={} if header is None else {"authorization": header})
    assert answer.status_code == 401
    assert error_of(answer) == {"code": "UNAUTHORIZED", "message": "Invalid or missing API key", "details": None}
    assert "x-ratelimit-limit" not in answer.headers


def test_a_revoked_key_stops_at_once_and_is_named_in_the_log_only(
    api: FastAPI, database: Database, clock: ManualClock, people: People, make_key: KeyMaker, caplog
):
    secret = make_key()
    with with_key(api, secret) as client:
        assert client.get("/v1/nothing").status_code == 404
        with database.transaction() as session:
            key_id = api_keys.list_keys(session, people.workspace_id)[0].key_id
            api_keys.revoke_key(session, people.workspace_id, key_id, clock.now())
        caplog.set_level("INFO")
        answer = client.get("/v1/nothing")
    assert answer.status_code == 401
    assert error_of(answer)["message"] == "Invalid or missing API key"
    refused = [record for record in caplog.records if "refused" in record.message]
    assert [(record.reason, record.key_id) for record in refused] == [("revoked", key_id)]
    assert secret not in caplog.text


def test_paths_and_methods_that_do_not_exist_answer_404_and_405_in_the_envelope(program: TestClient):
    missing = program.get("/v1/nothing")
    assert (missing.status_code, error_of(missing)["code"]) == (404, "NOT_FOUND")
    wrong = program.patch("/v1/openapi.json")
    assert (wrong.status_code, error_of(wrong)["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert wrong.headers["allow"] == "GET"


def test_every_answer_to_a_known_key_tells_the_rate_limit(program: TestClient):
    first, second = program.get("/v1/nothing"), program.get("/v1/nothing")
    assert first.headers["x-ratelimit-limit"] == "1000"
    assert int(first.headers["x-ratelimit-remaining"]) == int(second.headers["x-ratelimit-remaining"]) + 1
    assert int(first.headers["x-ratelimit-reset"]) > 1_700_000_000


def test_a_read_only_key_may_not_write(api: FastAPI, make_key: KeyMaker):
    with with_key(api, make_key("read")) as client:
        for method in ("post", "put", "patch", "delete"):
            answer = getattr(client, method)("/v1/contacts")
            assert (answer.status_code, error_of(answer)["code"]) == (403, "FORBIDDEN")
        assert client.get("/v1/nothing").status_code == 404


@pytest.mark.parametrize(
    ("body", "media", "status", "code"),
    [
        (b"{", "application/json", 400, "VALIDATION_ERROR"),
        (b"[" * 100_000, "application/json", 400, "VALIDATION_ERROR"),
        (b"\xff\xfe", "application/json", 400, "VALIDATION_ERROR"),
        (b'{"firstName": "\\u0000"}', "application/json", 400, "VALIDATION_ERROR"),
        (b'{"firstName": "\\ud800"}', "application/json", 400, "VALIDATION_ERROR"),
        (b'{"\\u0000": 1}', "application/json", 400, "VALIDATION_ERROR"),
        (b'{"a": NaN}', "application/json", 400, "VALIDATION_ERROR"),
        (b'{"a": 1e999}', "application/json", 400, "VALIDATION_ERROR"),
        (b'{"a": ' + b"9" * 5000 + b"}", "application/json", 400, "VALIDATION_ERROR"),
        (b"email=a@b.example", "application/x-www-form-urlencoded", 415, "UNSUPPORTED_MEDIA_TYPE"),
        (b"<a/>", "", 415, "UNSUPPORTED_MEDIA_TYPE"),
    ],
)
def test_hostile_bodies_are_refused_before_any_route_sees_them(program: TestClient, body, media, status, code):
    answer = program.post("/v1/contacts", content=body, headers={"content-type": media})
    assert (answer.status_code, error_of(answer)["code"]) == (status, code)


def test_a_body_over_the_bound_is_refused_whether_announced_or_not(program: TestClient, monkeypatch):
    monkeypatch.setattr(key_gate, "MAX_BODY", 1000)
    announced = program.post("/v1/contacts", content=b"x" * 1001, headers={"content-type": "application/json"})
    streamed = program.post("/v1/contacts", content=iter([b"x" * 600, b"x" * 600]))
    lying = program.post("/v1/contacts", content=b"{}", headers={"content-length": "9" * 30})
    for answer in (announced, streamed, lying):
        assert (answer.status_code, error_of(answer)["code"]) == (413, "PAYLOAD_TOO_LARGE")


def test_a_nul_in_the_query_is_refused(program: TestClient):
    for query in ("email=%00", "email=a%00b"):
        assert program.get(f"/v1/contacts?{query}").status_code == 400


@pytest.mark.parametrize("key", ["x" * 256, "a\tb"])
def test_an_idempotency_key_has_a_form(program: TestClient, key):
    answer = program.post("/v1/contacts", json={}, headers={"idempotency-key": key})
    assert (answer.status_code, error_of(answer)["code"]) == (400, "VALIDATION_ERROR")


def test_an_unforeseen_fault_answers_500_with_a_number_and_none_of_its_words(
    runtime: ApiRuntime, api: FastAPI, make_key: KeyMaker, monkeypatch, caplog
):
    async def fails(*_arguments, **_named):
        raise RuntimeError("secret words of camille@rivage.example")

    with with_key(api, make_key()) as client:
        monkeypatch.setattr(key_gate, "read_body", fails)
        answer = client.get("/v1/contacts")
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (500, "INTERNAL_ERROR")
    assert error["details"]["requestId"] == answer.headers["x-request-id"]
    assert "secret words" not in answer.text + caplog.text
    assert any(getattr(record, "kind", "") == "RuntimeError" for record in caplog.records)


def test_both_bases_answer_alike(program: TestClient):
    assert program.get("/v1/nothing").json() == program.get("/api/v1/nothing").json()


def test_last_used_is_noted_at_most_once_a_minute(
    program: TestClient, database: Database, clock: ManualClock, people: People
):
    def used():
        with database.read() as session:
            return api_keys.list_keys(session, people.workspace_id)[0].last_used_at

    program.get("/v1/nothing")
    first = used()
    assert first == clock.now()
    clock.advance(api_keys.USED_EVERY / 2)
    program.get("/v1/nothing")
    assert used() == first
    clock.advance(api_keys.USED_EVERY / 2)
    program.get("/v1/nothing")
    assert used() == clock.now()


def test_every_answer_carries_the_security_headers(nobody: TestClient, people):
    for path in ("/v1/contacts", "/v1/docs", "/v1/openapi.json", "/healthz", "/auth/nonce", "/u/x", "/p/x", "/unknown"):
        headers = nobody.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["referrer-policy"] in {"no-referrer", "same-origin"}
        assert headers["x-request-id"]


def test_the_description_and_its_page_need_no_key_and_nothing_from_elsewhere(nobody: TestClient, people):
    document = nobody.get("/v1/openapi.json").json()
    assert document["openapi"].startswith("3.")
    assert "422" not in json.dumps(document["paths"])
    page = nobody.get("/v1/docs")
    assert page.status_code == 200
    assert "http://" not in page.text.replace("http://localhost:8000", "")
    assert "<script" not in page.text
    assert "unsafe" not in page.headers["content-security-policy"]
