"""Pixels and links as strangers, mail programs and attackers ask for them."""

import base64
import random
import re
import socket
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from starlette.testclient import TestClient

from fluenzr_app.api import track
from fluenzr_app.api.app import create_api
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.api.track import PIXEL, TrackedLinks
from fluenzr_app.clock import ManualClock, utc_now
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.db.migrations import migrate
from fluenzr_app.gate import Gate
from fluenzr_app.settings import load_settings
from fluenzr_app.tracking import hits
from fluenzr_app.tracking.links import Click, TrackedMail, click_token_for, open_token_for
from fluenzr_app.workspaces import secrets
from tests.people import People, make_workspace
from tests.scenarios.link_process import LinkProcess, free_port

AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"
ADDRESS = "https://rivage.example/méthode?a=1&b=%C3%A9#là"
NEVER_KEPT = "no-store, no-cache, must-revalidate, private, max-age=0"


@pytest.fixture
def links(runtime: ApiRuntime) -> TrackedLinks:
    return TrackedLinks(runtime)


@pytest.fixture
def reader(runtime: ApiRuntime, links: TrackedLinks) -> Iterator[TestClient]:
    """Somebody's mail program, in front of the gate as it stands when the product is served."""
    with client_of(runtime, links) as client:
        yield client


def client_of(runtime: ApiRuntime, links: TrackedLinks) -> TestClient:
    gate = Gate(create_api(runtime, None, links), public_url=runtime.settings.public_url, ahead=links.ahead())
    return TestClient(
        gate, base_url="http://any.host.example", follow_redirects=False, raise_server_exceptions=False,
        headers={"user-agent": AGENT},
    )  # fmt: skip


@pytest.fixture
def mail(people: People, clock: ManualClock) -> TrackedMail:
    return TrackedMail(people.workspace_id, 11, 12, 13, 14, 15, clock.now() - timedelta(hours=1))


@pytest.fixture
def pixel(keyring: KeyRing, mail: TrackedMail) -> str:
    return "/o/" + open_token_for(keyring, mail)


@pytest.fixture
def link(keyring: KeyRing, mail: TrackedMail) -> str:
    return "/c/" + click_token_for(keyring, Click(mail, "https://rivage.example/{{x}}", ADDRESS, True))


@pytest.fixture
def trap(keyring: KeyRing, mail: TrackedMail) -> str:
    return "/c/" + click_token_for(keyring, Click(mail, "", "", True, trap=True))


def stored(database: Database) -> list[Any]:
    with database.read() as session:
        return list(session.connection().execute(text("SELECT * FROM hit ORDER BY id")).all())


def assert_tells_nothing(answer: Any) -> None:
    assert answer.status_code == 404
    assert "location" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert not re.search(r"https?:|href|<|rivage", answer.text)
    assert len(answer.content) < 200
    assert "no-store" in answer.headers["cache-control"]


def test_the_pixel_is_a_transparent_gif_that_nobody_keeps(reader: TestClient, database, pixel, mail, clock):
    answer = reader.get(pixel, headers={"origin": "https://webmail.example", "sec-fetch-site": "cross-site"})
    assert (answer.status_code, answer.content) == (200, PIXEL)
    assert answer.content[:6] == b"GIF89a"
    assert answer.content[6:10] == b"\x01\x00\x01\x00"
    headers = answer.headers
    assert headers["content-type"] == "image/gif"
    assert headers["content-length"] == str(len(PIXEL))
    assert headers["cache-control"] == NEVER_KEPT
    assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert headers["x-content-type-options"] == "nosniff"
    assert not {"set-cookie", "etag", "last-modified", "accept-ranges"} & set(headers)
    (hit,) = stored(database)
    assert (hit.kind, hit.rule, hit.message_id, hit.contact_id, hit.ip, hit.user_agent) == ("open", "", 11, 12, "", "")


def test_a_link_leads_to_the_address_in_it_and_nothing_else_is_told(reader: TestClient, database, link):
    answer = reader.get(link)
    assert answer.status_code == 302
    assert answer.headers["location"] == "https://rivage.example/m%C3%A9thode?a=1&b=%C3%A9#l%C3%A0"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == NEVER_KEPT
    assert answer.headers["content-type"].startswith("text/plain")
    assert "rivage" not in answer.text
    assert len(answer.content) < 100
    assert not {"set-cookie", "etag"} & set(answer.headers)
    (hit,) = stored(database)
    assert (hit.kind, hit.rule, hit.link, bool(hit.tracks_opens)) == ("click", "", "https://rivage.example/{{x}}", True)


@pytest.mark.parametrize(
    ("address", "location"),
    [
        ("https://a.example/x?y=[1]&z={2}|3#%20", "https://a.example/x?y=[1]&z={2}|3#%20"),
        ("HTTP://A.example/%zz'\"", "HTTP://A.example/%zz'\""),
        ("https://a.example/a b", "https://a.example/a%20b"),
        ("https://a.example/\r\nset-cookie: x=1", "https://a.example/set-cookie:%20x=1"),
        ("https://été.example/", "https://%C3%A9t%C3%A9.example/"),
    ],
)
def test_an_address_comes_out_as_it_went_in_where_a_header_can_hold_it(
    reader: TestClient, keyring, mail, address, location
):
    answer = reader.get("/c/" + click_token_for(keyring, Click(mail, address, address)))
    assert answer.headers["location"] == location
    assert "set-cookie" not in answer.headers


def test_the_hidden_link_leads_nowhere_and_is_known_for_what_it_is(reader: TestClient, database, trap):
    answer = reader.get(trap)
    assert (answer.status_code, answer.content) == (204, b"")
    assert "location" not in answer.headers
    assert "no-store" in answer.headers["cache-control"]
    (hit,) = stored(database)
    assert (hit.kind, hit.rule) == ("click", "trap")


def test_head_is_answered_alike_without_a_body_and_stored_as_what_it_was(reader: TestClient, database, pixel, link):
    for path, status in ((pixel, 200), (link, 302)):
        got, asked = reader.get(path), reader.head(path)
        assert (asked.status_code, asked.content) == (status, b"")
        assert dict(asked.headers) == dict(got.headers)
    assert [hit.rule for hit in stored(database)] == ["", "head", "", "head"]


@pytest.mark.parametrize(
    "headers",
    [{"range": "bytes=0-3"}, {"if-none-match": "*"}, {"if-modified-since": "Mon, 02 Mar 2026 08:00:00 GMT"}],
)
def test_the_whole_pixel_comes_whatever_part_or_version_is_asked_for(reader: TestClient, database, pixel, headers):
    answer = reader.get(pixel, headers=headers)
    assert (answer.status_code, answer.content) == (200, PIXEL)
    assert len(stored(database)) == 1


def test_a_program_that_fetches_ahead_is_answered_and_known(reader: TestClient, database, pixel, link):
    for headers in ({"sec-purpose": "prefetch"}, {"purpose": "prefetch"}, {"x-moz": "prefetch"}):
        assert reader.get(pixel, headers=headers).status_code == 200
    assert reader.get(link, headers={"sec-purpose": "prefetch;prerender"}).status_code == 302
    assert {hit.rule for hit in stored(database)} == {"prefetch"}


def test_what_a_client_appends_to_a_link_is_passed_over(reader: TestClient, database, pixel, link):
    assert reader.get(pixel + "?x=1&y=%00").status_code == 200
    assert reader.get(link + "?utm_source=mail").headers["location"].endswith("#l%C3%A0")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_other_methods_are_refused_and_change_nothing(reader: TestClient, database, pixel, link, method):
    for path in (pixel, link):
        answer = reader.request(method, path)
        assert answer.status_code == 405
        assert "location" not in answer.headers
    assert stored(database) == []


def test_a_link_of_another_route_key_or_shape_is_not_found_and_tells_nothing(
    reader: TestClient, database, keyring, mail, pixel, link
):
    foreign = KeyRing(b"another installation's key, 32 b.")
    stranger = Click(mail, ADDRESS, ADDRESS)
    cut = [path[: len(path) * part // 4] for path in (pixel, link) for part in (1, 2, 3)]
    wrong = [
        pixel.replace("/o/", "/c/"), link.replace("/c/", "/o/"), link.replace("/c/", "/u/").replace("/u/", "/c/A"),
        "/o/" + open_token_for(foreign, mail), "/c/" + click_token_for(foreign, stranger),
        "/c/" + keyring.sign("click", b"\x01"), "/o/" + keyring.close_token("open", b""),
        "/c/" + keyring.close_token("click", b"\x02" + b"\x01" * 40),
        pixel[:-1], link[:-1], pixel + "A", link + "=", pixel + "/", link + "/x", "/o/", "/c/", "/o/A" + pixel[3:],
        "/c/" + "A" * 7_000, "/c/%F0%9F%98%80", "/o/../c/" + link[3:], "/c/%00" + link[3:], *cut,
    ]  # fmt: skip
    for path in wrong:
        for method in ("GET", "HEAD"):
            if not path.startswith("/o/.."):
                assert_tells_nothing(reader.request(method, path))
    assert stored(database) == []


def test_a_hit_of_another_workspace_counts_there_and_of_one_that_is_gone_nowhere(
    reader: TestClient, database, keyring, people, mail
):
    theirs = TrackedMail(people.other_workspace_id, 1, 1, 1, 1, 1, mail.composed_at)
    gone = TrackedMail(4_711, 1, 1, 1, 1, 1, mail.composed_at)
    for each in (theirs, gone):
        assert reader.get("/o/" + open_token_for(keyring, each)).status_code == 200
    assert [hit.workspace_id for hit in stored(database)] == [people.other_workspace_id]


async def test_none_of_ten_thousand_changed_links_leads_anywhere(
    runtime: ApiRuntime, links: TrackedLinks, database, link
):
    # Without a client in between, which would take most of the time.
    gate = Gate(create_api(runtime, None, links), public_url="http://x.example", ahead=links.ahead())
    rng = random.Random(31)
    token = link.removeprefix("/c/")
    whole = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert await _asked(gate, link) == (302, True)
    began, tried = time.thread_time(), 0
    while tried < 10_000:
        changed = _changed(rng, token, whole)
        if changed != token:
            tried += 1
            assert await _asked(gate, f"/{rng.choice('cccco')}/{changed}") == (404, False), changed
    assert len(stored(database)) == 1
    # A tenth of a millisecond each; the rest is room for a slow machine.
    assert time.thread_time() - began < 10


async def _asked(gate: Gate, path: str) -> tuple[int, bool]:
    """The status of the answer, and whether it leads on."""
    told: list[Any] = []

    async def send(message: Any) -> None:
        told.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http", "method": "GET", "path": unquote(path), "raw_path": path.encode(), "query_string": b"",
        "headers": [(b"host", b"x.example"), (b"user-agent", AGENT.encode())], "client": ("203.0.113.5", 4_711),
        "http_version": "1.1", "scheme": "http", "server": ("x.example", 80), "root_path": "",
    }  # fmt: skip
    await gate(scope, receive, send)
    return told[0]["status"], any(name == b"location" for name, _ in told[0]["headers"])


def _changed(rng: random.Random, token: str, whole: bytes) -> str:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    at = rng.randrange(len(token))
    match rng.randrange(6):
        case 0:
            return token[:at] + rng.choice(alphabet) + token[at + 1 :]
        case 1:
            return token[:at] + token[at + rng.randint(1, 5) :]
        case 2:
            return token[:at] + rng.choice(alphabet) * rng.randint(1, 4) + token[at:]
        case 3:
            other = rng.randrange(len(token))
            swapped = list(token)
            swapped[at], swapped[other] = swapped[other], swapped[at]
            return "".join(swapped)
        case 4:
            flipped = bytearray(whole)
            flipped[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
            return base64.urlsafe_b64encode(flipped).rstrip(b"=").decode()
        case _:
            return token[:at] + rng.choice(["%0a", "=", "+", ".", "%2F", "é", " ", "~", "%ff"]) + token[at:]


def test_rubbish_does_not_make_the_database_work(reader: TestClient, runtime: ApiRuntime, monkeypatch):
    calls: list[str] = []
    real = secrets.retired_link_keys

    def counted(session: Any, keyring: KeyRing, purpose: str) -> list[bytes]:
        calls.append(purpose)
        return real(session, keyring, purpose)

    monkeypatch.setattr("fluenzr_app.tracking.link_keys.retired_link_keys", counted)
    for number in range(100):
        assert reader.get(f"/o/{number:080d}").status_code == 404
        assert reader.get(f"/c/{number:080d}").status_code == 404
    assert sorted(calls) == ["click", "open"]


def test_links_from_before_a_rotation_work_after_the_restart(
    runtime: ApiRuntime, database, keyring, clock, people, pixel, link, trap
):
    new = KeyRing(b"a new key of the installation, 32 b.")
    with database.transaction() as session:
        secrets.reseal_all(session, keyring, new, clock.now())
    restarted = ApiRuntime(runtime.settings, database, new, clock)
    with client_of(restarted, TrackedLinks(restarted)) as client:
        assert client.get(link).status_code == 302
        assert client.get(pixel).status_code == 200
        assert client.get(trap).status_code == 204
        assert_tells_nothing(client.get(link[:-1]))
    assert len(stored(database)) == 3


def test_when_nothing_can_be_stored_the_person_goes_on_and_the_loss_is_logged(
    reader: TestClient, database, pixel, link, trap, caplog
):
    with database.transaction() as session:
        session.connection().execute(text("ALTER TABLE hit RENAME TO hit_elsewhere"))
    answer = reader.get(pixel)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    # A second one within the second is counted, not told.
    assert reader.get(pixel).status_code == 503
    assert "no-store" in answer.headers["cache-control"]
    assert reader.get(link).headers["location"].startswith("https://rivage.example/")
    assert reader.get(trap).status_code == 204
    lost = [record for record in caplog.records if "could not be stored" in record.message]
    assert len(lost) == 3
    assert {vars(record)["kind"] for record in lost} == {"OperationalError"}
    assert [vars(record).get("message_id") for record in lost] == [None, 11, 11]
    assert "rivage" not in caplog.text
    with database.transaction() as session:
        session.connection().execute(text("ALTER TABLE hit_elsewhere RENAME TO hit"))
    assert reader.get(pixel).status_code == 200


async def test_openings_lost_in_a_flood_are_told_in_few_lines_and_all_counted(runtime: ApiRuntime, caplog):
    links = TrackedLinks(runtime)
    async with links.running():
        for _ in range(1_000):
            links._lost.note(hits.TooManyHits())
    lines = [vars(record)["count"] for record in caplog.records if "could not be stored" in record.message]
    assert sum(lines) == 1_000
    assert len(lines) < 10


def test_a_person_waits_a_while_only_and_the_click_is_stored_all_the_same(
    reader: TestClient, database, link, monkeypatch
):
    monkeypatch.setattr(track, "_PATIENCE_S", 0.05)
    with database.transaction():
        assert reader.get(link).status_code == 302
        assert stored(database) == []
    until = time.monotonic() + 10
    while not stored(database) and time.monotonic() < until:
        time.sleep(0.01)
    assert len(stored(database)) == 1


def test_a_flood_is_refused_with_a_time_to_come_back(runtime: ApiRuntime, people, pixel, link):
    links = TrackedLinks(runtime)
    links._hits = hits.HitStore(runtime.database, most_waiting=0)
    with client_of(runtime, links) as client:
        assert client.get(pixel).status_code == 503
        assert client.get(link).status_code == 302


def test_the_address_of_the_person_is_kept_for_details_alone_and_not_what_they_claim(
    runtime: ApiRuntime, database, people, pixel
):
    with database.transaction() as session:
        session.connection().execute(
            text("UPDATE workspace SET tracking_details = 1 WHERE id = :id"), {"id": people.workspace_id}
        )
    claimed = {"x-forwarded-for": "198.51.100.7"}
    behind = load_settings(_env_file=None, data_dir=runtime.settings.data_dir, trusted_proxies="192.0.2.0/24")
    for settings, peer, expected in (
        (runtime.settings, "192.0.2.1", "192.0.2.1"),
        (behind, "192.0.2.1", "198.51.100.7"),
        (behind, "203.0.113.5", "203.0.113.5"),
    ):
        served = ApiRuntime(settings, database, runtime.keyring, runtime.clock)
        links = TrackedLinks(served)
        gate = Gate(create_api(served, None, links), public_url="http://x.example", ahead=links.ahead())
        with TestClient(gate, client=(peer, 4_711), headers={"user-agent": AGENT}) as client:
            assert client.get(pixel, headers=claimed).status_code == 200
        assert stored(database)[-1].ip == expected
        assert stored(database)[-1].user_agent == AGENT


def test_without_the_gate_the_routes_answer_alike(api: FastAPI, nobody: TestClient, database, pixel, link, trap):
    assert nobody.get(pixel).content == PIXEL
    assert nobody.get(link).status_code == 302
    assert nobody.get(trap).status_code == 204
    assert_tells_nothing(nobody.get(link[:-1]))
    assert nobody.post(link).status_code == 405
    assert len(stored(database)) == 3


def test_https_is_asked_for_from_the_next_time_on_where_the_installation_has_it(
    runtime: ApiRuntime, database, keyring, clock, pixel, link
):
    settings = load_settings(
        _env_file=None, data_dir=runtime.settings.data_dir, public_url="https://mail.rivage.example"
    )
    served = ApiRuntime(settings, database, keyring, clock)
    with client_of(served, TrackedLinks(served)) as client:
        for path in (pixel, link, "/o/x"):
            assert "max-age" in client.get(path).headers["strict-transport-security"]


def test_a_fault_that_nobody_foresaw_tells_none_of_its_words(reader: TestClient, pixel, monkeypatch, caplog):
    def fails(*_: object) -> str:
        raise RuntimeError("secret words of camille@rivage.example")

    monkeypatch.setattr(track, "rule_of", fails)
    answer = reader.get(pixel)
    assert answer.status_code == 500
    assert "secret words" not in answer.text + caplog.text


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str, str]]:
    """A real server: its port, a pixel and a link."""
    settings = load_settings(_env_file=None, data_dir=tmp_path_factory.mktemp("links"), secret_key="raw sockets " * 4)
    database, keyring = Database.open(settings), KeyRing.load(settings)
    migrate(database)
    with database.transaction() as session:
        workspace_id = make_workspace(session, keyring, "Atelier Rivage", utc_now())
    database.close()
    mail = TrackedMail(workspace_id, 1, 1, 1, 1, 1, utc_now() - timedelta(hours=1))
    process = LinkProcess(settings, free_port())
    click = Click(mail, "https://rivage.example/", "https://rivage.example/")
    yield process.port, "/o/" + open_token_for(keyring, mail), "/c/" + click_token_for(keyring, click)
    process.stop()


def ask(port: int, request: str) -> tuple[bytes, bytes]:
    """Send bytes and give what comes back until the server closes: head and body."""
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(request.encode())
        received = b""
        while part := connection.recv(4096):
            received += part
    head, _, body = received.partition(b"\r\n\r\n")
    return head.lower(), body


def test_an_old_client_gets_the_whole_answer_and_a_closed_connection(served: tuple[int, str, str]):
    port, pixel, link = served
    # HTTP/1.0 knows neither Host nor kept connections.
    head, body = ask(port, f"GET {pixel} HTTP/1.0\r\n\r\n")
    assert head.startswith(b"http/1.1 200")
    assert b"transfer-encoding" not in head
    assert f"content-length: {len(PIXEL)}".encode() in head
    assert body == PIXEL
    head, body = ask(port, f"GET {pixel} HTTP/1.0\r\nRange: bytes=0-3\r\nIf-None-Match: *\r\n\r\n")
    assert (head.split(b" ")[1], body) == (b"200", PIXEL)
    head, body = ask(port, f"HEAD {pixel} HTTP/1.0\r\n\r\n")
    assert (head.split(b" ")[1], body) == (b"200", b"")
    assert f"content-length: {len(PIXEL)}".encode() in head
    head, _ = ask(port, f"GET {link} HTTP/1.0\r\n\r\n")
    assert b"\r\nlocation: https://rivage.example/\r\n" in head + b"\r\n"


def test_the_real_server_says_nothing_more_than_the_routes_do(served: tuple[int, str, str]):
    port, pixel, _ = served
    head, _ = ask(port, f"GET {pixel} HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n")
    names = {line.partition(b":")[0] for line in head.split(b"\r\n")[1:]}
    assert names == {
        b"date", b"cache-control", b"x-content-type-options", b"content-type", b"cross-origin-resource-policy",
        b"content-length", b"connection",
    }  # fmt: skip
