"""Tickets, cookies and foreign sites, over HTTP."""

from datetime import timedelta

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fluenzr_app.api.app import create_api
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.clock import ManualClock
from fluenzr_app.gate import KNOWN_BROWSER_COOKIE, NONCE_COOKIE, SESSION_COOKIE
from fluenzr_app.settings import load_settings
from fluenzr_app.workspaces import service as workspaces
from tests.api.conftest import NONCE, browser, sign_in
from tests.api.test_gate import error_of
from tests.people import PASSWORD, People

OURS = {"sec-fetch-site": "same-origin"}


@pytest.fixture
def ticket(runtime: ApiRuntime, people: People):
    """Give a ticket of the owner, bound to NONCE unless told otherwise."""

    def make(nonce: str = NONCE) -> str:
        return workspaces.sign_in(
            runtime.database, runtime.keyring, email=people.owner.email, password=PASSWORD, ip="203.0.113.7",
            nonce=nonce, now=runtime.now(),
        )  # fmt: skip

    return make


def identity_of(runtime: ApiRuntime, client: TestClient):
    return workspaces.who_is(runtime.database, client.cookies.get(SESSION_COOKIE, ""), runtime.now())


def test_a_ticket_becomes_a_cookie_that_no_script_can_read(nobody: TestClient, runtime, people, ticket):
    nobody.cookies.set(NONCE_COOKIE, NONCE)
    answer = nobody.get(f"/auth/ticket/{ticket()}?next=/campaigns?page=2", headers=OURS)
    assert (answer.status_code, answer.headers["location"]) == (303, "/campaigns?page=2")
    (session,) = [line for line in answer.headers.get_list("set-cookie") if line.startswith(SESSION_COOKIE)]
    assert "HttpOnly" in session
    assert "SameSite=lax" in session
    assert "Max-Age=2592000" in session
    assert "Secure" not in session
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert identity_of(runtime, nobody).user_id == people.owner.user_id
    assert nobody.cookies.get(KNOWN_BROWSER_COOKIE)
    assert any(line.startswith(NONCE_COOKIE) and NONCE not in line for line in answer.headers.get_list("set-cookie"))


def test_over_https_the_cookie_is_for_https_alone(runtime: ApiRuntime, ticket, people):
    settings = load_settings(
        _env_file=None, data_dir=runtime.settings.data_dir, public_url="https://mail.rivage.example"
    )
    api = create_api(ApiRuntime(settings, runtime.database, runtime.keyring, runtime.clock))
    with browser(api) as client:
        client.cookies.set(NONCE_COOKIE, NONCE)
        answer = client.get(f"/auth/ticket/{ticket()}", headers=OURS)
        assert all("Secure" in line for line in answer.headers.get_list("set-cookie"))
        assert "max-age" in answer.headers["strict-transport-security"]


@pytest.mark.parametrize("nonce", ["", "nonce-of-another-browser"])
def test_a_ticket_does_nothing_in_another_browser(nobody: TestClient, runtime, ticket, nonce):
    if nonce:
        nobody.cookies.set(NONCE_COOKIE, nonce)
    answer = nobody.get(f"/auth/ticket/{ticket()}", headers=OURS)
    assert answer.headers["location"] == "/sign-in?expired=1"
    assert SESSION_COOKIE not in nobody.cookies


def test_a_ticket_works_once_and_for_a_minute(api: FastAPI, runtime, ticket, clock: ManualClock):
    used, late = ticket(), ticket()
    with browser(api) as client:
        client.cookies.set(NONCE_COOKIE, NONCE)
        assert client.get(f"/auth/ticket/{used}", headers=OURS).headers["location"] == "/"
    clock.advance(timedelta(seconds=60))
    for dead in (used, late):
        with browser(api) as client:
            client.cookies.set(NONCE_COOKIE, NONCE)
            assert client.get(f"/auth/ticket/{dead}", headers=OURS).headers["location"] == "/sign-in?expired=1"
            assert SESSION_COOKIE not in client.cookies


def test_a_session_planted_before_the_sign_in_is_worth_nothing_after_it(
    api: FastAPI, runtime: ApiRuntime, people: People, ticket
):
    planted = sign_in(api, runtime, people.stranger).cookies[SESSION_COOKIE]
    with browser(api) as victim:
        victim.cookies.set(SESSION_COOKIE, planted)
        victim.cookies.set(NONCE_COOKIE, NONCE)
        answer = victim.get(f"/auth/ticket/{ticket()}", headers=OURS)
        fresh = [line for line in answer.headers.get_list("set-cookie") if line.startswith(SESSION_COOKIE)]
        assert planted not in fresh[0]
    assert workspaces.who_is(runtime.database, planted, runtime.now()) is None


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "evil",
     "/a\r\nset-cookie: x=1", "", "https:evil.example", "/\t/evil.example"],
)  # fmt: skip
def test_no_sign_in_leads_out_of_the_installation(nobody: TestClient, ticket, target):
    nobody.cookies.set(NONCE_COOKIE, NONCE)
    answer = nobody.get(f"/auth/ticket/{ticket()}", params={"next": target}, headers=OURS)
    assert answer.headers["location"] == "/"


FOREIGN = [
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://testserver.evil.example"},
    {"origin": "http://testserver:8001"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    # Forwarded by nobody that is trusted.
    {"origin": "https://evil.example", "x-forwarded-host": "evil.example"},
]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/auth/sign-out"), ("POST", "/auth/nonce"), ("GET", "/auth/ticket/x"), ("POST", "/uploads/imports"),
     ("GET", "/downloads/contacts.csv"), ("GET", "/downloads/imports/imp_x/errors.csv")],
)  # fmt: skip
def test_a_foreign_site_cannot_use_a_cookie(api: FastAPI, runtime, people, method, path, headers):
    client = sign_in(api, runtime, people.owner)
    answer = client.request(method, path, headers=headers)
    assert (answer.status_code, error_of(answer)["code"]) == (403, "FORBIDDEN")
    assert identity_of(runtime, client) is not None


def test_a_changing_request_that_names_no_origin_at_all_is_refused(api: FastAPI, runtime, people):
    client = sign_in(api, runtime, people.owner)
    assert client.post("/auth/sign-out").status_code == 403


@pytest.mark.parametrize("origin", ["http://testserver", "http://localhost:8000"])
def test_the_host_that_was_asked_and_the_public_address_are_ours(api: FastAPI, runtime, people, origin):
    client = sign_in(api, runtime, people.owner)
    answer = client.post("/auth/sign-out", headers={"origin": origin})
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert identity_of(runtime, client) is None
    assert SESSION_COOKIE not in client.cookies


def test_a_trusted_proxy_may_say_which_host_was_asked(runtime: ApiRuntime, people):
    settings = load_settings(_env_file=None, data_dir=runtime.settings.data_dir, trusted_proxies="192.0.2.0/24")
    api = create_api(ApiRuntime(settings, runtime.database, runtime.keyring, runtime.clock))
    headers = {"origin": "https://mail.rivage.example", "x-forwarded-host": "mail.rivage.example"}
    for peer, status in (("192.0.2.5", 204), ("198.51.100.5", 403)):
        with TestClient(api, base_url="http://inside", client=(peer, 5000)) as client:
            assert client.post("/auth/nonce", headers=headers).status_code == status


def test_a_nonce_is_given_once(nobody: TestClient):
    first = nobody.post("/auth/nonce", headers=OURS)
    nonce = nobody.cookies[NONCE_COOKIE]
    assert first.status_code == 204
    assert "HttpOnly" in first.headers["set-cookie"]
    assert "set-cookie" not in nobody.post("/auth/nonce", headers=OURS).headers
    assert len(nonce) >= 30


def test_a_ticket_is_not_redeemed_by_a_look_ahead(nobody: TestClient, ticket):
    nobody.cookies.set(NONCE_COOKIE, NONCE)
    path = f"/auth/ticket/{ticket()}"
    assert nobody.head(path, headers=OURS).status_code == 405
    assert nobody.get(path, headers=OURS).headers["location"] == "/"
