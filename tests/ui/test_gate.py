"""What is let through before any route or page is asked."""

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect

from fluenzr_app.gate import NONCE_COOKIE, Gate, Pages, cookie, same_origin

PUBLIC_URL = "https://mail.rivage.example"
HOST = {"host": "box.example:8000"}


async def _accept(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


def inside() -> Starlette:
    async def page(_request: object) -> PlainTextResponse:
        return PlainTextResponse("inside")

    routes = [WebSocketRoute("/_event/", _accept), Route("/{path:path}", page, methods=["GET", "POST"])]
    return Starlette(routes=routes)


@pytest.fixture
def client() -> TestClient:
    return TestClient(Gate(Pages(inside(), secure=False), public_url=PUBLIC_URL), base_url="http://box.example:8000")


@pytest.mark.parametrize("path", ["/_upload", "/_upload/x.csv", "/_all_routes", "/_health", "/ping", "/auth-codespace"])
def test_what_reflex_brings_along_is_closed(client: TestClient, path: str):
    assert client.get(path).status_code == 404
    assert client.post(path, content=b"x" * 1000).status_code == 404


def test_a_page_whose_name_only_begins_alike_stays_open(client: TestClient):
    assert client.get("/pinged").text == "inside"


@pytest.mark.parametrize("origin", ["http://box.example:8000", PUBLIC_URL])
def test_a_socket_from_one_of_our_pages_is_taken(client: TestClient, origin: str):
    with client.websocket_connect("/_event/", headers=HOST | {"origin": origin}) as socket:
        assert socket.receive_text() == "hello"


@pytest.mark.parametrize("origin", ["https://evil.example", "http://box.example:8001", "null", "file://", ""])
def test_a_socket_from_a_foreign_page_is_refused(client: TestClient, origin: str):
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/_event/", headers=HOST | {"origin": origin}):
        pass


def test_a_browser_gets_a_nonce_with_its_first_page_and_keeps_it(client: TestClient):
    first = client.get("/", headers={"accept": "text/html"})
    assert NONCE_COOKIE in first.cookies
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(first.headers["set-cookie"].split("; "))
    assert "set-cookie" not in client.get("/", headers={"accept": "text/html"}).headers
    assert "set-cookie" not in TestClient(Pages(inside(), secure=False)).get("/boot.js").headers


def test_the_nonce_of_an_installation_behind_tls_never_travels_in_the_clear():
    answer = TestClient(Pages(inside(), secure=True)).get("/", headers={"accept": "text/html"})
    assert "Secure" in answer.headers["set-cookie"].split("; ")


def test_pages_are_asked_for_anew_and_files_with_a_hash_are_kept(client: TestClient):
    assert client.get("/contacts").headers["cache-control"] == "no-cache"
    assert "immutable" in client.get("/assets/root-abc.js").headers["cache-control"]


def test_a_cookie_is_found_beside_odd_ones():
    assert cookie('a={"x": 1}; fluenzr_nonce="abc"; b', NONCE_COOKIE) == "abc"
    assert cookie("xfluenzr_nonce=abc", NONCE_COOKIE) == ""
    assert cookie("", NONCE_COOKIE) == ""


def test_the_origin_of_the_public_address_counts_with_its_scheme():
    assert same_origin(PUBLIC_URL, "127.0.0.1:8000", PUBLIC_URL)
    assert not same_origin("http://mail.rivage.example", "127.0.0.1:8000", PUBLIC_URL)
