"""The findings of a workspace are computed from what is stored, and gone once the cause is."""

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlmodel import Session, select

from fluenzr_app.accounts import service as accounts
from fluenzr_app.accounts.health import report_fault
from fluenzr_app.campaigns import lifecycle
from fluenzr_app.campaigns import service as campaigns
from fluenzr_app.campaigns.enrollments import enroll
from fluenzr_app.campaigns.models import Campaign, Enrollment, Node
from fluenzr_app.clock import ManualClock
from fluenzr_app.contacts.models import ContactImport
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.diagnosis.facts import findings_of, waiting_messages
from fluenzr_app.mail.refusal import classify
from fluenzr_app.sending import generation
from fluenzr_app.sending.models import Message
from fluenzr_app.workspaces.users import update_workspace
from tests.people import People, make_account, make_contact

AUTH = classify("auth", 535, "5.7.8 authentication failed")
QUOTA = classify("mail", 550, "5.4.5 Daily user sending limit exceeded")


class Desk:
    """A workspace with one account and one active campaign of three contacts, one of them queued."""

    def __init__(self, session: Session, people: People, keyring: KeyRing, clock: ManualClock) -> None:
        # Monday noon: the sending window of a new campaign is open.
        self.session, self.workspace_id, self.now = session, people.workspace_id, clock.now() + timedelta(hours=3)
        self.account_id = make_account(session, self.workspace_id, "sarah@rivage.example", self.now)
        self.campaign_id = campaigns.create_campaign(
            session, self.workspace_id, "Achats", self.now, account_ids=[self.account_id]
        ).id
        contacts = [
            make_contact(session, keyring, self.workspace_id, f"c{n}@client.example", self.now) for n in range(3)
        ]
        enroll(session, self.workspace_id, self.campaign_id, contacts, self.now, random.Random(1))
        self.campaign().status = "active"
        node = session.exec(select(Node).where(Node.campaign_id == self.campaign_id, Node.kind == "email")).one()
        self.message = Message(
            workspace_id=self.workspace_id, account_id=self.account_id, contact_id=contacts[0],
            campaign_id=self.campaign_id, enrollment_id=1, node_id=node.id, to_address="c0@client.example",
            to_domain="client.example", rfc_id="<1@rivage.example>", due_at=self.now, created_at=self.now,
        )  # fmt: skip
        session.add(self.message)
        session.flush()

    def codes(self) -> list[str]:
        """What is found, in order."""
        self.session.flush()
        return [finding.code for finding in findings_of(self.session, self.workspace_id, self.now)]

    def campaign(self) -> Campaign:
        """The campaign's row."""
        campaign = self.session.get(Campaign, self.campaign_id)
        assert campaign is not None
        return campaign


@pytest.fixture
def desk(database: Database, people: People, keyring: KeyRing, clock: ManualClock) -> Iterator[Desk]:
    with database.transaction() as session:
        yield Desk(session, people, keyring, clock)


def test_a_workspace_in_which_everything_moves_has_no_findings(desk: Desk, people: People):
    assert desk.codes() == []
    assert findings_of(desk.session, people.other_workspace_id, desk.now) == []


def test_an_account_that_cannot_sign_in_is_told_once_and_gone_after_the_mend(desk: Desk, people: People):
    report_fault(desk.session, desk.account_id, AUTH, desk.now, random.Random(1))
    (found,) = findings_of(desk.session, desk.workspace_id, desk.now)
    assert (found.code, found.since, found.params["waiting"]) == ("account_error", desk.now, 1)
    assert findings_of(desk.session, people.other_workspace_id, desk.now) == []
    accounts.mark_mended(desk.session, desk.workspace_id, desk.account_id, desk.now)
    assert desk.codes() == []


def test_a_quota_says_when_sending_goes_on(desk: Desk):
    report_fault(desk.session, desk.account_id, QUOTA, desk.now, random.Random(1))
    (found,) = findings_of(desk.session, desk.workspace_id, desk.now)
    assert (found.code, found.resumes_at) == ("account_quota", desk.now + timedelta(hours=24))


def test_a_campaign_outside_its_window_waits_until_it_opens(desk: Desk):
    night = desk.now.replace(hour=21)
    (found,) = findings_of(desk.session, desk.workspace_id, night)
    assert (found.code, found.severity) == ("campaign_outside_window", "waits")
    assert found.resumes_at is not None
    assert found.resumes_at > night


def test_a_campaign_without_an_account_asks_for_one(desk: Desk):
    desk.session.delete(desk.message)
    lifecycle.pause(desk.session, desk.workspace_id, desk.campaign_id, desk.now)
    campaigns.update_campaign(desk.session, desk.workspace_id, desk.campaign_id, desk.now, account_ids=[])
    assert desk.codes() == []
    desk.campaign().status = "active"
    assert desk.codes() == ["campaign_no_account"]


def test_a_pause_by_the_brake_an_uncertain_message_and_a_failed_import_are_told(desk: Desk):
    desk.message.status = "uncertain"
    lifecycle.pause(desk.session, desk.workspace_id, desk.campaign_id, desk.now, "bounce_brake")
    failed = ContactImport(
        workspace_id=desk.workspace_id, status="failed", file_name="salon.csv", file_path="1", failure="disk_full",
        created_at=desk.now, finished_at=desk.now,
    )  # fmt: skip
    desk.session.add(failed)
    assert desk.codes() == ["campaign_paused", "import_failed", "campaign_uncertain"]
    failed.finished_at = desk.now - timedelta(days=8)
    assert desk.codes() == ["campaign_paused", "campaign_uncertain"]


def test_a_held_installation_is_told_in_place_of_what_each_campaign_waits_for(desk: Desk):
    generation.hold(desk.session, "restored", desk.now)
    (found,) = findings_of(desk.session, desk.workspace_id, desk.now)
    assert (found.code, found.params) == ("installation_held", {"reason": "restored", "waiting": 1})


def test_a_missing_postal_address_is_advice_while_a_campaign_is_active(desk: Desk):
    update_workspace(desk.session, desk.workspace_id, postal_address="")
    assert desk.codes() == ["workspace_no_address"]
    lifecycle.pause(desk.session, desk.workspace_id, desk.campaign_id, desk.now)
    assert desk.codes() == []


def test_waiting_messages_are_those_queued_and_the_follow_ups_that_are_due(desk: Desk, people: People):
    walk = desk.session.get(Enrollment, 2)
    assert walk is not None
    walk.status, walk.account_id, walk.due_at = "in_progress", desk.account_id, desk.now
    desk.session.flush()
    assert waiting_messages(desk.session, desk.workspace_id, desk.now) == {desk.account_id: 2}
    assert waiting_messages(desk.session, desk.workspace_id, desk.now - timedelta(minutes=1)) == {desk.account_id: 1}
    assert waiting_messages(desk.session, people.other_workspace_id, desk.now) == {}
