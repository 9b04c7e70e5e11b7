"""Each cause is made for real, found by service, API and doctor with its words and time, mended, and gone."""

from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from fluenzr_app.accounts import service as accounts
from fluenzr_app.accounts.form import Server, SmtpForm
from fluenzr_app.api.app import create_api
from fluenzr_app.api.envelope import instant
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.assembly import Installation, SendingSide
from fluenzr_app.campaigns import audience, bounced, lifecycle, service
from fluenzr_app.campaigns.workflow import DelayNode, linear_workflow
from fluenzr_app.clock import ManualClock, utc_now
from fluenzr_app.commands.doctor import diagnoses
from fluenzr_app.contacts import imports, labels
from fluenzr_app.contacts.import_run import ImportRunner
from fluenzr_app.contacts.service import update_contact
from fluenzr_app.contacts.suppression import add as suppress
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.db.ids import public_id
from fluenzr_app.diagnosis.facts import findings_of
from fluenzr_app.events import nightly
from fluenzr_app.mail.refusal import classify
from fluenzr_app.sending import generation
from fluenzr_app.sending.workers import beat
from fluenzr_app.settings import Settings
from fluenzr_app.tracking import judge
from fluenzr_app.tracking.hits import NewHit, write_hits
from fluenzr_app.tracking.links import TrackedMail
from fluenzr_app.workspaces.api_keys import create_key
from fluenzr_app.workspaces.users import update_workspace
from tests.engine_world import ALWAYS, ON_SQLITE, ONE_MAIL, TWO_MAILS, EngineWorld, mail
from tests.real.post_office import PostOffice

FULL = classify("rcpt", 452, "4.2.2 Mailbox full")
GONE = classify("rcpt", 550, "5.1.1 User unknown")
DAY = timedelta(days=1)


class Views:
    """The three places that tell of a finding: the service, the API and `fluenzr doctor`."""

    def __init__(self, db: Database, clock: ManualClock, keyring: KeyRing, settings: Settings, workspace_id: int):
        self.db, self.clock, self.workspace_id = db, clock, workspace_id
        self.wall = ManualClock(utc_now())
        with db.transaction() as session:
            update_workspace(session, workspace_id, postal_address="1 quai de la Gare, 75013 Paris")
            made = create_key(session, workspace_id, name="T", permission="read", created_by=None, now=utc_now())
        runtime = ApiRuntime(settings, db, keyring, clock, wall=self.wall)
        self.client = TestClient(create_api(runtime), base_url="http://testserver")
        self.client.headers["authorization"] = f"Bearer {made.secret}"

    def codes(self) -> list[str]:
        """What is found, alike in all three places."""
        with self.db.read() as session:
            found = findings_of(session, self.workspace_id, self.clock.now(), self.wall.now())
            doctor = list(diagnoses(session, None, self.clock.now(), self.wall.now()))
        codes = [each.code for each in found]
        assert [each["code"] for each in self.asked()] == codes
        assert [each.code for each in doctor] == codes
        return codes

    def found(self, code: str, **expected: Any) -> dict[str, Any]:
        """The finding as the API tells it, after a look that doctor says the same; `expected` are parts of it."""
        assert code in self.codes()
        told: dict[str, Any] = next(each for each in self.asked() if each["code"] == code)
        with self.db.read() as session:
            doctor = list(diagnoses(session, None, self.clock.now(), self.wall.now()))
        line = next(each for each in doctor if each.code == code)
        assert line.words == f"{told['message']}. {told['explanation']}"
        assert (line.level == "error") == (told["severity"] == "broken")
        assert list(line.remedies) == [each["label"] for each in told["remedies"]]
        assert {name: told[name] for name in expected} == expected
        return told

    def asked(self) -> list[dict[str, Any]]:
        """What the API answers."""
        answer = self.client.get("/v1/diagnoses")
        assert answer.status_code == 200, answer.text
        return list(answer.json()["data"])

    def of_campaign(self, campaign_id: int) -> list[str]:
        """The codes that the API tells of one campaign."""
        answer = self.client.get(f"/v1/campaigns/{public_id('cmp', campaign_id)}/diagnosis")
        return [each["code"] for each in answer.json()["data"]]


@pytest.fixture
def views(world: EngineWorld, clock: ManualClock, keyring: KeyRing, settings: Settings) -> Iterator[Views]:
    made = Views(world.db, clock, keyring, settings, world.workspace_id)
    with made.client:
        yield made


def at(moment: datetime) -> str:
    return instant(moment.astimezone(UTC))


@ON_SQLITE
async def test_a_password_changed_at_the_real_server_is_told_and_gone_after_reconnecting(
    database: Database,
    clock: ManualClock,
    keyring: KeyRing,
    settings: Settings,
    world: EngineWorld,
    views: Views,
    post_office: PostOffice,
    monkeypatch: pytest.MonkeyPatch,
):
    post_office.trust(monkeypatch)
    address = "diagnosed@fluenzr.test"
    username, password = post_office.user(address)
    server = Server(post_office.host, post_office.smtp_port, "starttls", username, password)
    form = SmtpForm(email=address, smtp=server, limits={"min_gap_seconds": 0, "ramp_enabled": False})
    with world.db.transaction() as session:
        account_id = accounts.connect_smtp(session, keyring, world.workspace_id, form, clock.now()).id or 0
    people = world.people(2, domain="recipients.test")
    side = SendingSide(Installation(settings, world.db, keyring, clock), world.rng)
    post_office.set_password(address, "another one")
    campaign = world.campaign([account_id], people)
    await side.engine.start()
    await side.send_due()
    await side.engine.drain()
    told = views.found("account_error", severity="broken", symptom=3, since=at(clock.now()))
    assert told["remedies"][0] == {"code": "reconnect", "label": "Reconnect"}
    assert told["explanation"].startswith("The server refuses the user name or the password.")
    assert views.of_campaign(campaign) == ["account_error"]
    with world.db.transaction() as session:
        accounts.reconnect(session, keyring, world.workspace_id, account_id, "another one", clock.now())
        accounts.mark_mended(session, world.workspace_id, account_id, clock.now())
    await side.send_due()
    await side.engine.drain()
    await side.engine.stop()
    assert world.messages() == {"sent": 2}
    assert "account_error" not in views.codes()


async def test_a_closed_window_says_until_when_and_is_gone_once_it_is_wider(world: EngineWorld, views: Views):
    campaign = world.campaign([world.account()], world.people(2), settings={**ALWAYS, "sendHoursStart": 14})
    await world.tick()
    views.found("campaign_outside_window", severity="waits", symptom=6, resumesAt="2026-03-02T14:00:00.000Z")
    assert views.of_campaign(campaign) == ["campaign_outside_window"]
    world.pause(campaign)
    world.settings(campaign, sendHoursStart=0)
    world.resume(campaign)
    await world.run_for(minutes=5)
    assert views.codes() == []


async def test_a_worker_that_stopped_is_told_since_when_and_gone_once_it_runs(world: EngineWorld, views: Views):
    world.campaign([world.account(min_gap_seconds=300)], world.people(9))
    await world.tick()
    assert views.codes() == []
    await world.engine.stop()
    views.wall.advance(timedelta(seconds=61))
    told = views.found("installation_not_sending", severity="broken", symptom=6)
    assert "fluenzr serve" in told["explanation"]
    assert abs(datetime.fromisoformat(told["since"]) - utc_now()) < timedelta(minutes=1)
    await world.engine.start()
    world.db.transact(beat, world.engine.worker_id, views.wall.now())
    assert views.codes() == []


async def test_a_clock_that_went_back_is_told_until_it_has_caught_up(world: EngineWorld, views: Views):
    world.campaign([world.account()], world.people(1), TWO_MAILS)
    await world.tick()
    ahead = world.clock.now() + timedelta(hours=2)
    # As the machine stored it while its clock was two hours ahead.
    world.execute("UPDATE attempt SET started_at = :at", at=ahead)
    told = views.found("installation_clock", severity="slowed", resumesAt=at(ahead))
    assert "120 min ahead" in told["explanation"]
    world.clock.set(ahead)
    assert "installation_clock" not in views.codes()


async def test_an_audience_of_suppressed_people_is_told_apart_from_none(world: EngineWorld, views: Views):
    people, now = world.people(3), world.clock.now()
    account = world.account()
    with world.db.transaction() as session:
        group = labels.create_group(session, world.workspace_id, "Salon", now)
        labels.add_to_group(session, world.workspace_id, group, people)
        emails = [f"p{n}@firm{n}.example" for n in range(3)]
        suppress(session, world.keyring, world.workspace_id, emails, "manual", now)
        made = service.create_campaign(
            session, world.workspace_id, "Achats", now, account_ids=[account], settings=ALWAYS,
            workflow=linear_workflow(list(ONE_MAIL))
        )  # fmt: skip
        service.update_campaign(session, world.workspace_id, made.id, now, group_ids=[group])
        lifecycle.prepare_audience(session, world.workspace_id, made.id, now, world.rng)
        lifecycle.start(session, world.workspace_id, made.id, now)
    await world.tick()
    told = views.found("campaign_all_excluded", severity="slowed", symptom=6)
    assert told["explanation"].startswith("3 contacts, all of them unsubscribed, bounced")
    newcomers = world.people(1, "new")
    with world.db.transaction() as session:
        audience.add_contacts(session, world.workspace_id, made.id, newcomers, now, world.rng)
    assert views.codes() == []


async def test_a_subject_that_renders_to_nothing_is_told_and_gone_once_it_is_mended(world: EngineWorld, views: Views):
    later = (DelayNode("n2", 3), mail("n3"))
    campaign = world.campaign([world.account()], world.people(2), [mail("n1", "{{company}}"), *later])
    assert "campaign_blank_variable" in views.codes()
    await world.tick()
    told = views.found("campaign_text_fault", severity="broken", symptom=6, since=at(world.clock.now()))
    assert told["explanation"].startswith("The subject was empty once its variables were filled in. 2 contacts stopped")
    assert [each["code"] for each in told["remedies"]] == ["edit_mail", "try_again"]
    world.clock.advance(timedelta(minutes=1))
    world.pause(campaign)
    world.rewrite(campaign, [mail("n1", "Hello {{company|you}}"), *later])
    world.resume(campaign)
    assert views.codes() == []
    with world.db.transaction() as session:
        assert audience.try_again(session, world.workspace_id, campaign, world.clock.now()) == 2
    await world.tick()
    assert len(world.office.taken) == 2
    world.check_books()


async def test_a_blank_variable_is_told_with_its_mail_and_gone_once_the_contacts_are_complete(
    world: EngineWorld, views: Views
):
    account, people = world.account(min_gap_seconds=300), world.people(3)
    campaign = world.campaign([account], people, [mail("n1", "For {{company}}")])
    await world.engine.start()
    told = views.found("campaign_blank_variable", severity="advice", symptom=8)
    assert told["message"] == "“Printemps”: {{company}} would be blank"
    assert "“Mail n1”, 3 contacts without a value" in told["explanation"]
    assert views.of_campaign(campaign) == ["campaign_blank_variable"]
    with world.db.transaction() as session:
        for contact in people:
            update_contact(
                session, world.keyring, world.workspace_id, contact, {"company": "Keroman"}, world.clock.now()
            )
    assert views.codes() == []


async def test_a_mail_refused_for_now_says_which_attempt_follows_and_when(world: EngineWorld, views: Views):
    world.office.script["p0@firm0.example"] = deque([FULL])
    world.campaign([world.account()], world.people(1))
    await world.tick()
    due = world.moment("SELECT due_at FROM message")
    assert due is not None
    told = views.found("campaign_soft_bounces", severity="waits", symptom=17, resumesAt=at(due), remedies=[])
    assert "Attempt 2 of 5 follows by itself" in told["explanation"]
    await world.run_until(due)
    assert views.codes() == []


async def test_hard_bounces_pause_the_campaign_and_are_gone_once_archived_and_resumed(world: EngineWorld, views: Views):
    campaign = world.campaign([world.account()], world.people(30, domain="old.example"), TWO_MAILS)
    world.office.whenever = lambda _account, recipient: GONE if recipient.startswith(("p1@", "p2")) else None
    await world.tick(2)
    told = views.found("campaign_paused", severity="broken", symptom=12, since=at(world.clock.now()))
    assert "old.example" in told["explanation"]
    gone = views.found("contacts_bounced", severity="advice", symptom=18)
    assert "unknown addresses" in gone["explanation"]
    world.office.whenever = lambda _account, _recipient: None
    with world.db.transaction() as session:
        ids = bounced.bounced_in(session, world.workspace_id, campaign)
        assert len(bounced.archive_bounced(session, world.workspace_id, ids, world.clock.now())) == len(ids)
    world.clock.advance(timedelta(minutes=1))
    world.resume(campaign)
    assert views.codes() == []


async def test_hits_that_nobody_judges_are_told_after_two_minutes_and_gone_once_judged(
    world: EngineWorld, views: Views
):
    (contact,) = world.people(1)
    came = world.clock.now()
    tracked = TrackedMail(world.workspace_id, 1, contact, 7, 5, 11, came - timedelta(hours=1))
    with world.db.transaction() as session:
        write_hits(session, [NewHit("open", tracked, came, "")])
    assert views.codes() == []
    world.clock.advance(timedelta(minutes=3))
    views.found("figures_behind", severity="slowed", symptom=9, since=at(came))
    while judge.tick(world.db, world.clock.now()):
        pass
    assert views.codes() == []


async def test_a_figure_that_went_wrong_is_repaired_at_night_told_for_a_week_and_then_gone(
    world: EngineWorld, views: Views
):
    world.campaign([world.account()], world.people(2))
    await world.tick()
    world.execute("UPDATE rollup SET n = n + 5 WHERE scope = 'campaign' AND metric = 'email.sent'")
    ids = [world.workspace_id]
    assert nightly.tick(world.db, ids, world.clock.now()) == 0
    night = (world.clock.now() + DAY).replace(hour=2)
    world.clock.set(night)
    assert nightly.tick(world.db, ids, night) == 1
    world.check_books()
    told = views.found("figures_repaired", severity="advice", symptom=21, since=at(night))
    assert told["message"] == "1 figure corrected that night"
    assert nightly.tick(world.db, ids, night + timedelta(hours=1)) == 0
    world.clock.advance(7 * DAY)
    assert views.codes() == []


async def test_an_import_with_bad_rows_is_told_for_a_week_with_the_file_to_download(
    world: EngineWorld, views: Views, settings: Settings, clock: ManualClock
):
    data = b"email,firstName\nlea@atelier.example,Lea\np.martin@,Philippe\n"
    begun = imports.begin(world.db, settings.data_dir, world.workspace_id, "salon.csv", [data], clock.now())
    seen = imports.preview(world.db, settings.data_dir, world.keyring, world.workspace_id, begun.id)
    with world.db.transaction() as session:
        imports.start(session, world.workspace_id, seen.id, clock.now(), consent_certified=True)
    runner = ImportRunner(world.db, settings.data_dir, world.keyring, clock)
    while runner.tick():
        pass
    told = views.found("import_rows_refused", severity="advice", symptom=10)
    assert told["subject"] == {"type": "import", "id": public_id("imp", begun.id), "name": "salon.csv"}
    assert told["remedies"][0]["code"] == "download_errors"
    world.clock.advance(8 * DAY)
    assert views.codes() == []


async def test_a_held_installation_is_told_and_gone_after_its_release(world: EngineWorld, views: Views):
    world.campaign([world.account()], world.people(2))
    with world.db.transaction() as session:
        generation.hold(session, "restored", world.clock.now())
    told = views.found("installation_held", severity="broken", symptom=6)
    assert "fluenzr release" in told["explanation"]
    with world.db.transaction() as session:
        generation.release(session, world.data_dir, utc_now())
    assert "installation_held" not in views.codes()


async def test_a_walk_that_nothing_moves_on_is_told_and_an_ordinary_queue_is_not(world: EngineWorld, views: Views):
    account = world.account(min_gap_seconds=300)
    world.campaign([account], world.people(40), TWO_MAILS)
    await world.tick()
    # The process has run for hours.
    world.execute("UPDATE worker SET started_at = :at", at=utc_now() - timedelta(hours=9))
    for _ in range(6):
        await world.run_for(minutes=20)
        world.db.transact(beat, world.engine.worker_id, views.wall.now())
        assert "campaign_contacts_overdue" not in views.codes()
    due = world.clock.now()
    world.execute(
        "UPDATE enrollment SET due_at = :at WHERE id = (SELECT min(id) FROM enrollment WHERE status = 'in_progress')",
        at=due,
    )
    # The planner's tick fails from now on.
    world.clock.advance(timedelta(minutes=61))
    told = views.found("campaign_contacts_overdue", severity="slowed", symptom=7, since=at(due))
    assert told["explanation"].startswith("1 contact should have had an email more than an hour ago.")
    await world.tick()
    assert "campaign_contacts_overdue" not in views.codes()
