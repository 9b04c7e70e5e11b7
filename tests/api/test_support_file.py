"""The support file over the browser: for admins of a workspace, about this workspace, and noted."""

from fastapi import FastAPI
from starlette.testclient import TestClient

from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.campaigns import service as campaigns
from fluenzr_app.workspaces.audit import list_entries
from tests.api.conftest import sign_in
from tests.people import People

SUPPORT = "/downloads/support.json"


def test_an_admin_fetches_it_in_their_language_and_it_is_noted(api: FastAPI, runtime: ApiRuntime, people: People):
    with runtime.database.transaction() as session:
        campaigns.create_campaign(session, people.workspace_id, "Achats", runtime.now())
    with sign_in(api, runtime, people.owner) as browser:
        answer = browser.get(SUPPORT, params={"describe": "Rien ne part", "steps": "1. Ouvrir la page"})
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].startswith('attachment; filename="fluenzr-support-2026-03-02.json"')
    document = answer.json()
    assert (document["description"], document["steps"]) == ("Rien ne part", "1. Ouvrir la page")
    assert [each["name"] for each in document["campaigns"]] == ["Achats"]
    with runtime.database.read() as session:
        assert [each.action for each in list_entries(session, people.workspace_id)].count("support.fetched") == 1


def test_nobody_else_gets_it(api: FastAPI, runtime: ApiRuntime, people: People, nobody: TestClient):
    assert nobody.get(SUPPORT).status_code == 401
    with sign_in(api, runtime, people.teammate) as browser:
        assert browser.get(SUPPORT).status_code == 403
    with sign_in(api, runtime, people.owner) as browser:
        foreign = browser.get(SUPPORT, headers={"sec-fetch-site": "cross-site"})
        assert foreign.status_code == 403
    with runtime.database.read() as session:
        assert list_entries(session, people.workspace_id) == []
