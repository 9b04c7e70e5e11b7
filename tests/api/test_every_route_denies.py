"""Walks every route of the application as nobody and as a stranger: nothing changes, nothing is told.

A new route is walked by itself. One that must be open to everybody goes on the list `PUBLIC`, where it is seen.
"""

import json
import re
from collections.abc import Iterator, Set
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from starlette.routing import BaseRoute, Mount, Route
from starlette.testclient import TestClient

from fluenzr_app.api.app import create_api
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.campaigns import audience
from fluenzr_app.campaigns import service as campaigns
from fluenzr_app.contacts import imports, labels, stages
from fluenzr_app.db.all_models import metadata
from fluenzr_app.db.engine import Database
from fluenzr_app.db.ids import public_id
from fluenzr_app.gate import NONCE_COOKIE, SESSION_COOKIE
from fluenzr_app.inbox import answers
from fluenzr_app.mail.compose import AttachedFile
from fluenzr_app.settings import load_settings
from fluenzr_app.workspaces import api_keys
from fluenzr_app.workspaces import service as workspaces
from tests.api.conftest import KeyMaker, browser, sign_in, with_key
from tests.api.seeded_inbox import Inbox
from tests.people import People, make_account, make_contact

# Open to everybody, on purpose: each with the reason why it can be.
PUBLIC = {
    ("GET", "/healthz"): "says that the process answers",
    ("GET", "/readyz"): "says that it can work, and what keeps it from it",
    ("GET", "/u/{token}"): "shows the unsubscribe page of a signed link",
    ("HEAD", "/u/{token}"): "the same",
    ("POST", "/u/{token}"): "unsubscribes whoever holds a signed link",
    ("GET", "/p/{token}"): "shows what whoever holds a signed link may decide",
    ("HEAD", "/p/{token}"): "the same",
    ("POST", "/p/{token}"): "does what whoever holds a signed link decides",
    ("GET", "/o/{token}"): "stores that a mail was opened, for whoever holds a closed link",
    ("HEAD", "/o/{token}"): "the same",
    ("GET", "/c/{token}"): "leads to where a closed link of a mail leads",
    ("HEAD", "/c/{token}"): "the same",
    ("POST", "/auth/nonce"): "gives a browser a random number",
    ("GET", "/auth/ticket/{ticket}"): "takes a one-time ticket",
    ("POST", "/auth/sign-out"): "ends the session whose cookie comes with it, if any",
    ("GET", "/v1/openapi.json"): "is the same for everybody",
    ("GET", "/v1/docs"): "is the same for everybody",
    ("GET", "/api/v1/openapi.json"): "is the same for everybody",
    ("GET", "/api/v1/docs"): "is the same for everybody",
}
# Words that stand in the owner's data and nowhere else.
SECRETS = ("zebulon", "quincaillerie", "camille@", "noa@")
# What a valid key or session of the stranger's own may touch.
NOTED = {("api_key", "last_used_at"), ("user_session", "seen_at")}


def walk(routes: list[Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Every (method, path) that a list of routes answers."""
    for route in routes:
        if isinstance(route, Mount):
            yield from walk(route.routes, prefix + route.path)
        elif hasattr(route, "effective_candidates"):
            yield from walk(route.effective_candidates(), prefix)
        elif getattr(route, "methods", None) and getattr(route, "path", None):
            for method in sorted(route.methods):
                yield method, prefix + route.path
        else:
            raise AssertionError(f"a route of an unknown kind is not walked: {route!r}")


def dump(database: Database, *, but: Set[tuple[str, str]] = frozenset()) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, without the columns `but`."""
    found = {}
    with database.engine.connect() as connection:
        for table in metadata.sorted_tables:
            columns = [column.name for column in table.columns if (table.name, column.name) not in but]
            names = ", ".join(f'"{name}"' for name in columns)
            rows = connection.execute(text(f'SELECT {names} FROM "{table.name}"')).mappings()
            found[table.name] = sorted((dict(row) for row in rows), key=repr)
    return found


@pytest.fixture
def runtime(settings, database, keyring, clock) -> ApiRuntime:
    """The services, with a rate limit that the walk does not reach and servers that answer at once."""
    calm = load_settings(_env_file=None, data_dir=settings.data_dir, api_rate_limit=100_000, smtp_timeout_s=0.5)
    return ApiRuntime(calm, database, keyring, clock)


@pytest.fixture
def things(runtime: ApiRuntime, people: People, tmp_path) -> dict[str, str]:
    """One of each thing in the owner's workspace, by the name that a path gives its id."""
    now, ours = runtime.now(), people.workspace_id
    data_dir = runtime.settings.data_dir
    data_dir.mkdir(exist_ok=True)
    draft = imports.begin(
        runtime.database, data_dir, ours, "zebulon.csv", [b"email,name\nzebulon@q.example,Zebulon\n"], now
    )
    with runtime.database.transaction() as session:
        contact = make_contact(
            session, runtime.keyring, ours, "zebulon@quincaillerie.example", now, first_name="Zebulon"
        )
        account = make_account(session, ours, "camille@rivage.example", now)
        group = labels.create_group(session, ours, "Quincaillerie", now)
        stage = stages.make_stages(session, ours, now)[-1]
        campaign = campaigns.create_campaign(session, ours, "Zebulon spring", now, account_ids=[account])
        audience.add_contacts(session, ours, campaign.id, [contact], now, runtime.rng)
        key = api_keys.create_key(session, ours, name="zebulon", permission="all", created_by=None, now=now)
    inbox = Inbox(runtime.database, runtime.keyring, ours, now, account, campaign.id)
    files = {"zebulon.pdf": b"the prices of the quincaillerie"}
    conversation = inbox.reply_of("nestor@quincaillerie.example", "Zebulon says yes", at=now, files=files)
    with runtime.database.transaction() as session:
        sent = answers.send_answer(
            session, ours, conversation, "Zebulon, here they are", now, runtime.rng,
            files=[AttachedFile("zebulon.txt", "text/plain", b"quincaillerie")],
        )  # fmt: skip
    return {
        "contact_id": public_id("con", contact),
        "account_id": public_id("acc", account),
        "group_id": public_id("grp", group),
        "stage_id": public_id("stg", stage.id),
        "campaign_id": public_id("cmp", campaign.id),
        "import_id": public_id("imp", draft.id),
        "conversation_id": public_id("cnv", conversation),
        "mail_id": public_id("inb", 1),
        "attachment_id": public_id("fil", 0),
        "index": "0",
        "message_id": public_id("msg", sent),
        "file_id": public_id("fil", 1),
        "user_id": public_id("usr", people.owner.user_id),
        "key_id": public_id("key", key.key_id),
        "token": "A" * 80,
        "ticket": "A" * 43,
    }


def address(path: str, things: dict[str, str]) -> str:
    """The path with the owner's own things in its places; a place of an unknown name fails."""
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda match: things[match[1]], path)


def bodies(document: dict[str, Any], method: str, path: str, things: dict[str, str]) -> list[Any]:
    """What to send: nothing, an empty object, and an object that names the owner's things wherever it can."""
    bare = path.removeprefix("/api").removeprefix("/v1")
    operation = document["paths"].get(bare, {}).get(method.lower(), {})
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return [None]
    return [None, {}, sample(document, content["schema"], "", things)]


def sample(document: dict[str, Any], schema: dict[str, Any], name: str, things: dict[str, str]) -> Any:
    if "$ref" in schema:
        return sample(document, document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], name, things)
    if "anyOf" in schema:
        return sample(document, next(one for one in schema["anyOf"] if one.get("type") != "null"), name, things)
    if "enum" in schema:
        return schema["enum"][0]
    if "properties" in schema:
        chosen = {key: part for key, part in schema["properties"].items() if key != "emailAccountIds"}
        return {key: sample(document, part, key, things) for key, part in chosen.items()}
    if schema.get("type") == "array":
        return [sample(document, schema.get("items", {}), name, things)]
    if schema.get("type") in ("integer", "number"):
        return 587 if name == "port" else 1
    if schema.get("type") == "boolean":
        return True
    if schema.get("type") == "object":
        return {"email": "someone@elsewhere.example"} if name == "contacts" else {}
    known = {
        "contactIds": things["contact_id"], "emailAccountId": things["account_id"], "groupIds": things["group_id"],
        "groups": things["group_id"], "pipelineStageId": things["stage_id"], "owner": things["user_id"],
        "email": "someone@elsewhere.example", "status": "active", "consentSource": "event", "timezone": "Europe/Paris",
        "host": "127.0.0.1",
        "consentAt": "2026-01-01T00:00:00Z", "sendAt": "2026-03-05T08:00:00Z", "snoozedUntil": "2026-03-05T08:00:00Z",
        "content": "eA==", "const": "smtp", "provider": "smtp",
    }  # fmt: skip
    return schema.get("const", known.get(name, "x"))


def requests_of(api: FastAPI, things: dict[str, str]) -> list[tuple[str, str, str, Any]]:
    """(method, path, address, body) of everything to be tried."""
    with browser(api) as client:
        document = client.get("/v1/openapi.json").json()
    return [
        (method, path, address(path, things), body)
        for method, path in walk(api.routes)
        for body in bodies(document, method, path, things)
    ]


def told(text_: str, path: str) -> list[str]:
    """The owner's words in an answer; what was asked for by name may be repeated."""
    return [word for word in SECRETS if word in text_.lower().replace(path.lower(), "")]


def test_the_public_list_names_only_routes_that_exist(api: FastAPI):
    assert set(PUBLIC) <= set(walk(api.routes))


def test_the_walk_finds_what_there_is_to_find(api: FastAPI):
    found = set(walk(api.routes))
    assert {("POST", "/v1/contacts"), ("POST", "/api/v1/campaigns/{campaign_id}/start")} <= found
    assert {("POST", "/uploads/imports"), ("GET", "/downloads/contacts.csv")} <= found
    with pytest.raises(AssertionError, match="unknown kind"):
        list(walk([BaseRoute()]))
    assert list(walk([Route("/new", lambda _: None)])) == [("GET", "/new"), ("HEAD", "/new")]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": "Bearer flz_sk_" + "a" * 32},
        {"authorization": "Bearer null"},
        {"origin": "http://testserver", "cookie": f"{SESSION_COOKIE}={'A' * 43}; {NONCE_COOKIE}={'A' * 32}"},
    ],
    ids=["nothing", "an invented key", "no key at all", "an invented session"],
)
def test_nobody_changes_or_learns_anything(api: FastAPI, runtime: ApiRuntime, things: dict[str, str], headers):
    before = dump(runtime.database)
    tried = 0
    with browser(api) as client:
        for method, path, target, body in requests_of(api, things):
            content = None if body is None else json.dumps(body)
            sent = headers if body is None else headers | {"content-type": "application/json"}
            answer = client.request(method, target, content=content, headers=sent)
            tried += 1
            if (method, path) not in PUBLIC:
                assert answer.status_code in (401, 403), (method, path, answer.status_code)
            assert told(answer.text, target) == [], (method, path)
    assert tried > 50
    assert dump(runtime.database) == before


def test_a_key_of_another_workspace_changes_and_learns_nothing(
    api: FastAPI, runtime: ApiRuntime, people: People, things: dict[str, str], make_key: KeyMaker
):
    secret = make_key(workspace_id=people.other_workspace_id)
    before = dump(runtime.database, but=NOTED)
    with with_key(api, secret) as client:
        try_all(client, api, things, origin=False)
    assert_ours_untouched(before, dump(runtime.database, but=NOTED), people)


def test_a_session_of_another_workspace_changes_and_learns_nothing(
    api: FastAPI, runtime: ApiRuntime, people: People, things: dict[str, str]
):
    client = sign_in(api, runtime, people.stranger)
    before = dump(runtime.database, but=NOTED)
    try_all(client, api, things, origin=True)
    assert_ours_untouched(before, dump(runtime.database, but=NOTED | {("user_session", "revoked_at")}), people)


def test_a_session_is_no_key_and_a_key_no_session(
    api: FastAPI, runtime: ApiRuntime, people: People, things: dict[str, str], make_key: KeyMaker
):
    token = sign_in(api, runtime, people.owner).cookies[SESSION_COOKIE]
    secret = make_key()
    before = dump(runtime.database)
    crossed = {
        "authorization": f"Bearer {token}",
        "cookie": f"{SESSION_COOKIE}={secret}",
        "origin": "http://testserver",
    }
    with browser(api) as client:
        for method, path, target, _body in requests_of(api, things):
            answer = client.request(method, target, headers=crossed)
            if (method, path) not in PUBLIC:
                assert answer.status_code == 401, (method, path, answer.status_code)
    assert dump(runtime.database) == before


def test_a_reading_key_changes_nothing_of_its_own_workspace_either(
    api: FastAPI, runtime: ApiRuntime, things: dict[str, str], make_key: KeyMaker
):
    secret = make_key("read")
    before = dump(runtime.database, but=NOTED)
    with with_key(api, secret) as client:
        for method, path, target, body in requests_of(api, things):
            if path.startswith(("/v1", "/api/v1")) and method != "GET":
                answer = client.request(method, target, json=body)
                assert answer.status_code == 403, (method, path)
    assert dump(runtime.database, but=NOTED) == before


def try_all(client: TestClient, api: FastAPI, things: dict[str, str], *, origin: bool) -> None:
    """Send everything with the owner's ids in it."""
    headers = {"origin": "http://testserver"} if origin else {}
    for method, path, target, body in requests_of(api, things):
        if path.endswith(("/sign-out", "/ticket/{ticket}")):
            continue
        answer = client.request(method, target, json=body, headers=headers)
        # A fault would be a hole too: who knows what was done before it.
        assert answer.status_code < 500 or path == "/readyz", (method, path, body, answer.text)
        assert told(answer.text, target) == [], (method, path)
        if "{" in path and (method, path) not in PUBLIC:
            assert answer.status_code in (400, 401, 403, 404), (method, path, answer.status_code)


def is_strangers(table: str, row: dict[str, Any], people: People) -> bool:
    """Whether a row is the stranger's to change: their workspace, what is in it, and themselves."""
    if table == "workspace":
        return bool(row["id"] == people.other_workspace_id)
    if table == "user_account":
        return bool(row["id"] == people.stranger.user_id)
    if "workspace_id" in row:
        return bool(row["workspace_id"] == people.other_workspace_id)
    return False


def assert_ours_untouched(before: dict[str, Any], after: dict[str, Any], people: People) -> None:
    """What was there is there unchanged, but for the stranger's own; what is new belongs to the stranger."""
    for table, rows in before.items():
        names = set(after[table][0]) if after[table] else set()
        for row in rows:
            if not is_strangers(table, row, people):
                assert {key: row[key] for key in names} in after[table], (table, row)
    ours = ("contact", "campaign", "email_account", "enrollment", "event", "audit_entry", "contact_import", "message")
    for table in ours:
        fresh = [row for row in after[table] if row["id"] not in {old["id"] for old in before[table]}]
        assert {row["workspace_id"] for row in fresh} <= {people.other_workspace_id}, table


def test_every_cookie_route_is_behind_the_look_at_where_it_came_from(
    runtime: ApiRuntime, people: People, things: dict[str, str]
):
    api = create_api(runtime)
    client = sign_in(api, runtime, people.owner)
    before = dump(runtime.database, but=NOTED)
    for method, path, target, body in requests_of(api, things):
        # An unsubscribe and an objection work from anywhere; keys are no cookies, and no browser sends them by itself.
        if path.startswith(("/v1", "/api/v1", "/u/", "/o/", "/c/", "/p/", "/healthz", "/readyz")):
            continue
        answer = client.request(method, target, json=body, headers={"origin": "https://evil.example"})
        assert answer.status_code == 403, (method, path)
    assert dump(runtime.database, but=NOTED) == before
    assert workspaces.who_is(runtime.database, client.cookies[SESSION_COOKIE], runtime.now()) is not None
