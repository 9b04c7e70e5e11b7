"""The API with real parts around it, and clients that ask as owner, teammate, stranger, nobody, or with a key."""

import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient

from fluenzr_app.api.app import create_api
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.clock import ManualClock
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.gate import NONCE_COOKIE, SESSION_COOKIE
from fluenzr_app.settings import Settings
from fluenzr_app.workspaces import service as workspaces
from fluenzr_app.workspaces.api_keys import Permission, create_key
from tests.people import People, Person

BASE = "http://testserver"
NONCE = "nonce-of-this-browser"


@pytest.fixture
def database_url(sqlite_template: Path, tmp_path: Path) -> str:
    """SQLite alone: what a route asks of a database is tested on both kinds where it is written."""
    copy = tmp_path / "fluenzr.sqlite3"
    shutil.copy(sqlite_template, copy)
    return f"sqlite:///{copy}"


@pytest.fixture
def runtime(settings: Settings, database: Database, keyring: KeyRing, clock: ManualClock) -> ApiRuntime:
    """The services that the routes work with."""
    return ApiRuntime(settings, database, keyring, clock)


@pytest.fixture
def api(runtime: ApiRuntime) -> FastAPI:
    """The application, without pages under it."""
    return create_api(runtime)


@pytest.fixture
def nobody(api: FastAPI) -> Iterator[TestClient]:
    """A browser that is not signed in."""
    with browser(api) as client:
        yield client


@pytest.fixture
def served_port(api: FastAPI) -> Iterator[int]:
    """The port of a real web server with the application."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(api, log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        listening.listen()
        thread.start()
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join()


def browser(api: FastAPI) -> TestClient:
    """A client with cookies of its own that follows no redirect and sees a fault as the answer it gives."""
    return TestClient(api, base_url=BASE, follow_redirects=False, raise_server_exceptions=False)


KeyMaker = Callable[..., str]


@pytest.fixture
def make_key(database: Database, people: People, clock: ManualClock) -> KeyMaker:
    """Make an API key of the owner's workspace (or another one) and give its secret."""

    def make(permission: Permission = "all", workspace_id: int | None = None) -> str:
        with database.transaction() as session:
            wanted = workspace_id or people.workspace_id
            return create_key(
                session, wanted, name="Test", permission=permission, created_by=None, now=clock.now()
            ).secret

    return make


def with_key(api: FastAPI, secret: str) -> TestClient:
    """A program that sends this key with every request."""
    client = browser(api)
    client.headers["authorization"] = f"Bearer {secret}"
    return client


@pytest.fixture
def program(api: FastAPI, make_key: KeyMaker) -> Iterator[TestClient]:
    """A program with a key that may do everything in the owner's workspace."""
    with with_key(api, make_key()) as client:
        yield client


@pytest.fixture
def foreign_program(api: FastAPI, make_key: KeyMaker, people: People) -> Iterator[TestClient]:
    """A program with a key that may do everything in the stranger's workspace."""
    with with_key(api, make_key(workspace_id=people.other_workspace_id)) as client:
        yield client


def sign_in(api: FastAPI, runtime: ApiRuntime, person: Person) -> TestClient:
    """A browser in which the person is signed in, the way the pages do it."""
    client = browser(api)
    client.cookies.set(NONCE_COOKIE, NONCE)
    now = runtime.now()
    with runtime.database.transaction() as session:
        ticket = workspaces.issue_ticket(
            session, user_id=person.user_id, workspace_id=person.workspace_id, nonce=NONCE, now=now
        )
    answer = client.get(f"/auth/ticket/{ticket}", headers={"sec-fetch-site": "same-origin"})
    assert answer.status_code == 303
    assert client.cookies.get(SESSION_COOKIE)
    return client
