"""Campaigns and their contacts over the API, in the shape of the specification."""

import pytest
from starlette.testclient import TestClient

from fluenzr_app.campaigns.workflow_store import node_ids
from fluenzr_app.clock import ManualClock
from fluenzr_app.contacts import labels
from fluenzr_app.db.engine import Database
from fluenzr_app.db.ids import parse_public_id, public_id
from fluenzr_app.workspaces.audit import list_entries
from fluenzr_app.workspaces.service import get_workspace
from tests.api.test_contacts import create
from tests.api.test_gate import error_of
from tests.campaigns.planted import Mail, clicked, opened, sent
from tests.people import People, make_account

WORKFLOW = {
    "nodes": [
        {"id": "start", "type": "start", "data": {}},
        {"id": "n1", "type": "email", "data": {"name": "First", "subject": "Hello", "body": "Hello {{firstName}}"}},
        {"id": "n2", "type": "delay", "data": {"days": 3}},
        {"id": "n3", "type": "email", "data": {"name": "Second", "body": "Still there?"}},
        {"id": "end", "type": "end", "data": {}},
    ],
    "edges": [
        {"from": "start", "to": "n1"}, {"from": "n1", "to": "n2"}, {"from": "n2", "to": "n3"},
        {"from": "n3", "to": "end"},
    ],
}  # fmt: skip
FIELDS = {
    "id", "name", "description", "status", "emailAccountIds", "workflow", "settings", "stats", "createdAt", "startedAt",
    "updatedAt",
}  # fmt: skip


@pytest.fixture
def account(database: Database, people: People, clock: ManualClock) -> str:
    with database.transaction() as session:
        return public_id("acc", make_account(session, people.workspace_id, "camille@rivage.example", clock.now()))


def make(program: TestClient, **given) -> dict:
    answer = program.post("/v1/campaigns", json={"name": "Spring"} | given)
    assert answer.status_code == 201, answer.text
    return answer.json()["data"]


def ready(program: TestClient, account: str) -> tuple[str, str]:
    """A draft that can be started, with one contact: their ids."""
    campaign = make(program, emailAccountId=account, workflow=WORKFLOW)["id"]
    contact = create(program, "lea@atelier.example")["id"]
    program.post(f"/v1/campaigns/{campaign}/contacts", json={"contactIds": [contact]})
    return campaign, contact


def test_a_campaign_is_made_read_changed_and_listed(program: TestClient, account: str):
    made = make(
        program, description="For shops", emailAccountIds=[account], workflow=WORKFLOW,
        settings={"sendDays": ["monday"], "sendHoursStart": 8, "sendHoursEnd": 12, "maxEmailsPerHour": None},
    )  # fmt: skip
    assert set(made) == FIELDS
    assert (made["status"], made["emailAccountIds"], made["startedAt"]) == ("draft", [account], None)
    assert [node["id"] for node in made["workflow"]["nodes"]] == ["start", "n1", "n2", "n3", "end"]
    assert made["settings"]["sendDays"] == ["monday"]
    assert made["settings"]["maxEmailsPerHour"] is None
    assert set(made["stats"]) == {
        "totalContacts", "sent", "delivered", "opened", "clicked", "replied", "bounced", "unsubscribed",
        "machineOpened", "machineClicked", "tracking",
    }  # fmt: skip
    path = f"/v1/campaigns/{made['id']}"
    assert program.get(path).json()["data"] == made
    changed = program.put(path, json={"settings": {"sendHoursEnd": 17}, "name": "Summer"}).json()["data"]
    hours = changed["settings"]["sendHoursStart"], changed["settings"]["sendHoursEnd"]
    assert (changed["name"], hours) == ("Summer", (8, 17))
    assert changed["workflow"] == made["workflow"]
    other = make(program, name="Autumn")["id"]
    listed = program.get("/v1/campaigns?sort=name&order=asc").json()
    assert [row["id"] for row in listed["data"]] == [other, made["id"]]
    assert listed["meta"] == {"page": 1, "perPage": 20, "total": 2, "totalPages": 1}
    assert program.get("/v1/campaigns?status=active").json()["data"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x", "settings": {"sendDays": []}}, "settings.sendDays"),
        ({"name": "x", "settings": {"sendHoursStart": 25}}, "settings.sendHoursStart"),
        ({"name": "x", "settings": {"sendHoursStart": 9, "sendHoursEnd": 9}}, "settings.sendHoursEnd"),
        ({"name": "x", "settings": {"timezone": "Mars"}}, "settings.timezone"),
        ({"name": "x", "settings": {"stopCompanyOnReply": "yes"}}, "settings.stopCompanyOnReply"),
        ({"name": "x", "settings": {"trackOpens": "no"}}, "settings.trackOpens"),
        ({"name": "x", "settings": {"trackClicks": None}}, "settings.trackClicks"),
        ({"name": "x", "settings": {"unknown": 1}}, "settings.unknown"),
        ({"name": "x", "emailAccountIds": ["acc_none"]}, "emailAccountIds"),
        ({"name": "x", "emailAccountId": public_id("acc", 99)}, "emailAccountIds"),
        ({"name": "x", "workflow": {"nodes": [{"id": "a", "type": "email", "data": {"subject": 1}}], "edges": []}},
         "workflow.nodes[0].data.subject"),
        ({"name": "x", "workflow": {"nodes": [{"id": "a", "type": "email", "data": {"trackClicks": 0}}], "edges": []}},
         "workflow.nodes[0].data.trackClicks"),
        ({"name": "x", "workflow": {"nodes": 7, "edges": []}}, "workflow.nodes"),
        ({"name": "x", "colour": "blue"}, "colour"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_campaign_is_named(program: TestClient, body, field):
    answer = program.post("/v1/campaigns", json=body)
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (400, "VALIDATION_ERROR"), error
    assert field in [fault["field"] for fault in error["details"]]


def test_tracking_is_switched_off_for_a_campaign_and_for_one_of_its_mails(program: TestClient):
    made = make(program)
    assert (made["settings"]["trackOpens"], made["settings"]["trackClicks"]) == (True, True)
    nodes = [
        {**node, "data": {**node["data"], "trackOpens": False}} if node["id"] == "n1" else node
        for node in made["workflow"]["nodes"]
    ]
    given = {"settings": {"trackClicks": False}, "workflow": {**made["workflow"], "nodes": nodes}}
    changed = program.put(f"/v1/campaigns/{made['id']}", json=given).json()["data"]
    assert (changed["settings"]["trackOpens"], changed["settings"]["trackClicks"]) == (True, False)
    (mail,) = (node["data"] for node in changed["workflow"]["nodes"] if node["id"] == "n1")
    assert (mail["trackOpens"], mail["trackClicks"]) == (False, True)


def test_a_campaign_starts_pauses_resumes_and_is_archived(
    program: TestClient, account: str, database: Database, people: People
):
    campaign, _ = ready(program, account)
    path = f"/v1/campaigns/{campaign}"
    started = program.post(f"{path}/start")
    assert started.status_code == 200
    body = started.json()
    assert body["data"]["status"] == "active"
    assert body["data"]["startedAt"] == "2026-03-02T08:00:00.000Z"
    warnings = {warning["code"]: warning for warning in body["meta"]["warnings"]}
    assert set(warnings) == {"replies_not_read", "no_consent_source", "blank_variable"}
    assert warnings["replies_not_read"]["params"] == {"email": "camille@rivage.example"}
    assert warnings["blank_variable"]["params"] == {"nodeId": "n1", "variable": "firstName", "contacts": 1}
    assert all(warning["message"] for warning in warnings.values())

    refused = program.put(path, json={"name": "Other"})
    assert (refused.status_code, error_of(refused)["code"]) == (409, "CAMPAIGN_STATE")
    assert program.post(f"{path}/start").status_code == 409
    assert program.post(f"{path}/archive").status_code == 409
    for verb, status in (("pause", "paused"), ("resume", "active"), ("pause", "paused"), ("archive", "archived")):
        answer = program.post(f"{path}/{verb}")
        assert (answer.status_code, answer.json()["data"]["status"]) == (200, status)
    assert program.get("/v1/campaigns?status=archived").json()["meta"]["total"] == 1
    with database.read() as session:
        actions = [entry.action for entry in list_entries(session, people.workspace_id)]
    assert actions[:2] == ["campaign.archived", "campaign.paused"]
    assert "campaign.started" in actions


def test_faults_block_the_start_and_name_the_node(program: TestClient):
    campaign = make(program)["id"]
    answer = program.post(f"/v1/campaigns/{campaign}/start")
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (400, "VALIDATION_ERROR")
    found = {(fault["code"], fault["nodeId"]) for fault in error["details"]}
    assert ("no_account", None) in found
    assert ("no_contacts", None) in found
    assert any(node == "n1" for _, node in found)
    assert program.get(f"/v1/campaigns/{campaign}").json()["data"]["status"] == "draft"


def test_contacts_are_added_by_id_group_and_filter_and_each_skip_has_a_reason(
    program: TestClient, account: str, database: Database, people: People, clock: ManualClock
):
    with database.transaction() as session:
        group = labels.create_group(session, people.workspace_id, "Shops", clock.now())
    shops = public_id("grp", group)
    named = create(program, "a@atelier.example")["id"]
    gone = create(program, "gone@atelier.example", status="archived")["id"]
    create(program, "b@atelier.example", groupIds=[shops])
    create(program, "c@atelier.example", tags=["vip"])
    campaign = make(program, emailAccountId=account)["id"]
    path = f"/v1/campaigns/{campaign}/contacts"
    nobody, nonsense = public_id("con", 9999), "not an id"
    first = program.post(path, json={"contactIds": [named, named, gone, nobody, nonsense, "also none"]}).json()["data"]
    assert (first["added"], first["skipped"], first["skippedReasons"]) == (1, 1, {"archived": 1})
    assert {error["contactId"] for error in first["errors"]} == {nobody, nonsense, "also none"}
    assert program.post(path, json={"groupIds": [shops]}).json()["data"]["added"] == 1
    assert program.post(path, json={"filters": {"tags": ["vip"]}}).json()["data"]["added"] == 1
    again = program.post(path, json={"filters": {"status": "active"}}).json()["data"]
    assert (again["added"], again["skippedReasons"]) == (0, {"already_enrolled": 3})

    listed = program.get(f"{path}?perPage=2").json()
    assert listed["meta"] == {"page": 1, "perPage": 2, "total": 3, "totalPages": 2}
    assert set(listed["data"][0]) == {"contactId", "email", "status", "nodeId", "dueAt", "waiting"}
    assert listed["data"][0]["contactId"] == named
    assert listed["data"][0]["waiting"] == {
        "code": "not_started",
        "message": "Campaign not started yet.",
        "explanation": "Nothing leaves before the start.",
        "resumesAt": None,
        "mend": None,
    }
    french = program.get(path, headers={"accept-language": "fr"}).json()
    assert french["data"][0]["waiting"]["message"] == "Campagne pas encore démarrée."  # fmt: skip
    removed = program.request("DELETE", path, json={"contactIds": [named]}).json()["data"]
    assert removed == {"removed": 1}
    assert program.get(f"{path}?status=removed").json()["data"][0]["waiting"] is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"groupIds": ["grp_none"]}, 400),
        ({"groupIds": [public_id("grp", 99)]}, 404),
        ({"filters": {"status": "nice"}}, 400),
        ({"filters": {"colour": "blue"}}, 400),
        ({"contactIds": ["x"] * 10_001}, 400),
    ],
)
def test_an_audience_that_means_nothing_is_refused(program: TestClient, body, status):
    campaign = make(program)["id"]
    answer = program.post(f"/v1/campaigns/{campaign}/contacts", json=body)
    assert answer.status_code == status, answer.text
    assert program.get(f"/v1/campaigns/{campaign}/contacts").json()["meta"]["total"] == 0


def test_adding_contacts_under_one_idempotency_key_answers_alike(program: TestClient):
    campaign = make(program)["id"]
    contact = create(program, "a@atelier.example")["id"]
    send = {"url": f"/v1/campaigns/{campaign}/contacts", "json": {"contactIds": [contact]}}
    first = program.post(**send, headers={"idempotency-key": "add"})
    again = program.post(**send, headers={"idempotency-key": "add"})
    assert first.json()["data"]["added"] == 1
    assert again.content == first.content
    wrong = {"url": "/v1/campaigns/cmp_none/contacts", "json": {"contactIds": [contact]}}
    for _ in range(2):
        # A refusal gives the key back, else the second try would be told that the first still runs.
        assert program.post(**wrong, headers={"idempotency-key": "wrong"}).status_code == 404


def test_statistics_have_counts_and_rates(program: TestClient, account: str):
    campaign, _ = ready(program, account)
    stats = program.get(f"/v1/campaigns/{campaign}/stats").json()["data"]
    assert (stats["totalContacts"], stats["sent"], stats["openRate"]) == (1, 0, None)
    assert stats["contactsByStatus"] == {"pending": 1}
    assert stats["tracking"] == {"opens": "on", "opensOffReason": None, "clicks": "on", "clicksOffReason": None}


def test_openings_and_clicks_are_told_for_the_campaign_and_for_each_mail(
    program: TestClient, account: str, database: Database, people: People, clock: ManualClock
):
    campaign, contact = ready(program, account)
    key, now = parse_public_id("cmp", campaign), clock.now()
    with database.transaction() as session:
        node = node_ids(session, key)["n1"]
        person = parse_public_id("con", contact)
        read, scanned = (Mail(people.workspace_id, number, person, key, node) for number in (1, 2))
        sent(session, [read, scanned], now)
        opened(session, read, now)
        clicked(session, read, now, ["https://rivage.example/prix"])
        opened(session, scanned, now, "scanner", machine=True)
        clicked(session, scanned, now, ["https://rivage.example/prix"], "all_links", machine=True)
    path = f"/v1/campaigns/{campaign}"
    stats = program.get(f"{path}/stats").json()["data"]
    assert [stats[name] for name in ("opened", "clicked", "machineOpened", "machineClicked")] == [1, 1, 1, 1]
    assert (stats["openRate"], stats["clickRate"]) == (50.0, 50.0)
    first, second = program.get(f"{path}/stats/emails").json()["data"]
    assert set(first) == {
        "nodeId", "name", "number", "sent", "delivered", "opened", "clicked", "replied", "bounced", "unsubscribed",
        "machineOpened", "machineClicked", "tracking", "openRate", "clickRate", "replyRate", "bounceRate",
        "unsubscribeRate", "links",
    }  # fmt: skip
    assert (first["nodeId"], first["name"], first["number"], first["openRate"]) == ("n1", "First", 1, 50.0)
    assert first["links"] == [{"url": "https://rivage.example/prix", "clicked": 1, "machineClicked": 1}]
    assert (second["nodeId"], second["sent"], second["openRate"], second["links"]) == ("n3", 0, None, [])

    with database.transaction() as session:
        get_workspace(session, people.workspace_id).track_opens = False
    program.put(path, json={"settings": {"trackClicks": False}})
    off = {"opens": "off", "opensOffReason": "workspace", "clicks": "off", "clicksOffReason": "campaign"}
    stats = program.get(f"{path}/stats").json()["data"]
    assert (stats["tracking"], stats["openRate"], stats["clickRate"], stats["opened"]) == (off, None, None, 1)
    assert program.get(path).json()["data"]["stats"]["tracking"] == off
    assert {mail["openRate"] for mail in program.get(f"{path}/stats/emails").json()["data"]} == {None}


def test_nothing_of_another_workspace_can_be_reached(
    program: TestClient, foreign_program: TestClient, account: str, database: Database
):
    campaign, contact = ready(program, account)
    path = f"/v1/campaigns/{campaign}"
    for method, suffix, body in [
        ("GET", "", None), ("PUT", "", {"name": "Mine"}), ("POST", "/start", None), ("POST", "/pause", None),
        ("POST", "/resume", None), ("POST", "/archive", None), ("GET", "/stats", None), ("GET", "/stats/emails", None),
        ("GET", "/contacts", None),
        ("POST", "/contacts", {"contactIds": [contact]}), ("DELETE", "/contacts", {"contactIds": [contact]}),
    ]:  # fmt: skip
        answer = foreign_program.request(method, path + suffix, json=body)
        assert (answer.status_code, error_of(answer)["code"]) == (404, "NOT_FOUND"), (method, suffix)
    assert foreign_program.get("/v1/campaigns").json()["data"] == []
    assert error_of(foreign_program.post("/v1/campaigns", json={"name": "x", "emailAccountId": account}))
    theirs = foreign_program.post("/v1/campaigns", json={"name": "Theirs"}).json()["data"]["id"]
    added = foreign_program.post(f"/v1/campaigns/{theirs}/contacts", json={"contactIds": [contact]}).json()["data"]
    assert (added["added"], added["errors"][0]["contactId"]) == (0, contact)


def test_deleting_a_contact_takes_it_out_of_its_campaigns(program: TestClient, account: str):
    campaign, contact = ready(program, account)
    assert program.delete(f"/v1/contacts/{contact}").status_code == 200
    assert program.get(f"/v1/campaigns/{campaign}/contacts").json()["meta"]["total"] == 0
