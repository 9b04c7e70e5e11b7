"""Bounces, retries and mailboxes are found in what is stored, and gone once the remedy was done."""

import random
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns import bounced, lifecycle
from fluenzr_app.campaigns import service as campaigns
from fluenzr_app.campaigns.brake import BRAKE
from fluenzr_app.campaigns.enrollments import enroll, stop_contact
from fluenzr_app.campaigns.models import Campaign, Enrollment, Node
from fluenzr_app.clock import ManualClock
from fluenzr_app.contacts import labels
from fluenzr_app.contacts.models import Contact, ContactImport
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.diagnosis.facts import findings_of
from fluenzr_app.diagnosis.findings import Finding
from fluenzr_app.events.record import NewEvent, record
from fluenzr_app.inbox.models import MailboxReading
from fluenzr_app.sending.models import Message, Worker
from tests.people import People, make_account, make_contact

GONE = {"kind": "hard", "code": 550, "text": "5.1.1 user unknown"}


class Desk:
    """A workspace whose campaign has written to 40 contacts, half of them of an old domain and from one import."""

    def __init__(self, session: Session, people: People, keyring: KeyRing, clock: ManualClock) -> None:
        self.session, self.workspace_id, self.keyring = session, people.workspace_id, keyring
        # Monday noon: the sending window of a new campaign is open.
        self.now = clock.now() + timedelta(hours=3)
        self.started = self.now - timedelta(hours=2, minutes=30)
        self.account_id = make_account(session, self.workspace_id, "sarah@rivage.example", self.started)
        self.campaign_id = campaigns.create_campaign(
            session, self.workspace_id, "Achats", self.started, account_ids=[self.account_id]
        ).id
        imported = ContactImport(
            workspace_id=self.workspace_id, status="done", file_name="salon.csv", file_path="1", created_at=self.started
        )
        session.add(imported)
        session.flush()
        self.contacts = [
            make_contact(
                session, keyring, self.workspace_id, f"c{n}@{'old' if n % 2 else 'client'}.example", self.started,
                import_id=imported.id if n % 2 else None,
            )
            for n in range(40)
        ]  # fmt: skip
        enroll(session, self.workspace_id, self.campaign_id, self.contacts, self.started, random.Random(1))
        campaign = self.campaign()
        campaign.status, campaign.started_at = "active", self.started
        session.add(Worker(name="one", started_at=self.started, beat_at=self.now))
        session.flush()
        record(session, [self.event("email.sent", contact) for contact in self.contacts])

    def campaign(self) -> Campaign:
        """The campaign's row."""
        campaign = self.session.get(Campaign, self.campaign_id)
        assert campaign is not None
        return campaign

    def event(self, kind: str, contact: int, data: Mapping[str, Any] | None = None, before: int = 0) -> NewEvent:
        """Something that happened to a mail, some hours before now."""
        return NewEvent(
            workspace_id=self.workspace_id, type=kind, dedupe_key=f"{kind}:{contact}:{before}",
            at=self.now - timedelta(hours=before), contact_id=contact, campaign_id=self.campaign_id,
            account_id=self.account_id, data=data,
        )  # fmt: skip

    def bounce(self, contacts: list[int], data: Mapping[str, Any] = GONE, before: int = 0) -> None:
        """Let these contacts' mails come back for good."""
        record(self.session, [self.event("email.bounced", contact, data, before) for contact in contacts])
        for contact in contacts:
            stop_contact(self.session, self.workspace_id, contact, "bounced", "hard_bounce", self.now)
        self.set_status(contacts, "bounced")

    def set_status(self, contacts: list[int], status: str) -> None:
        """Give contacts a status."""
        for key in contacts:
            contact = self.session.get(Contact, key)
            assert contact is not None
            contact.status = status
        self.session.flush()

    def found(self) -> dict[str, Finding]:
        """What is found, by code."""
        self.session.flush()
        self.session.expire_all()
        return {finding.code: finding for finding in findings_of(self.session, self.workspace_id, self.now)}


@pytest.fixture
def desk(database: Database, people: People, keyring: KeyRing, clock: ManualClock) -> Iterator[Desk]:
    with database.transaction() as session:
        yield Desk(session, people, keyring, clock)


def test_bounces_are_told_before_the_brake_and_gone_after_a_resume(desk: Desk):
    assert desk.found() == {}
    desk.bounce(desk.contacts[1:4:2])
    assert "campaign_bounces" not in desk.found()
    desk.bounce(desk.contacts[5:6])
    found = desk.found()["campaign_bounces"]
    assert (found.params["sent"], found.params["bounced"], found.params["contacts"]) == (40, 3, 3)
    assert (found.params["worstKind"], found.params["worstName"]) == ("domain", "old.example")
    desk.campaign().resumed_at = desk.now + timedelta(seconds=1)
    assert "campaign_bounces" not in desk.found()


def test_the_worst_source_may_be_an_import_or_a_group(desk: Desk, clock: ManualClock):
    members = [contact for contact in desk.contacts if contact % 2 == 0][:4]
    desk.bounce([desk.contacts[0], desk.contacts[2], desk.contacts[4]])
    assert desk.found()["campaign_bounces"].params["worstName"] == "client.example"
    for number, contact in enumerate((desk.contacts[0], desk.contacts[2], desk.contacts[4])):
        row = desk.session.get(Contact, contact)
        assert row is not None
        row.domain = f"{number}.example"
    group = labels.create_group(desk.session, desk.workspace_id, "Salon", desk.now)
    labels.add_to_group(desk.session, desk.workspace_id, group, [*members, *desk.contacts[:6]])
    found = desk.found()["campaign_bounces"].params
    assert (found["worstKind"], found["worstId"], found["worstBounced"]) == ("group", group, 3)
    imported = desk.session.exec(select(ContactImport)).one()
    for contact in desk.contacts[:6]:
        row = desk.session.get(Contact, contact)
        assert row is not None
        row.import_id = imported.id
    found = desk.found()["campaign_bounces"].params
    assert (found["worstKind"], found["worstName"]) == ("import", "salon.csv")


def test_the_brake_is_told_and_its_contacts_are_put_away_and_back_in_one_act_each(desk: Desk, people: People):
    gone = desk.contacts[1:12:2]
    desk.bounce(gone)
    lifecycle.pause(desk.session, desk.workspace_id, desk.campaign_id, desk.now, BRAKE)
    found = desk.found()
    assert (found["campaign_paused"].severity, found["campaign_paused"].remedies[0]) == ("broken", "archive_bounced")
    assert found["contacts_bounced"].params["contacts"] == 6

    ids = bounced.bounced_in(desk.session, desk.workspace_id, desk.campaign_id)
    assert ids == gone
    assert bounced.bounced_in(desk.session, people.other_workspace_id, desk.campaign_id) == []
    assert bounced.archive_bounced(desk.session, people.other_workspace_id, ids, desk.now) == ()
    assert bounced.archive_bounced(desk.session, desk.workspace_id, [*ids, desk.contacts[0]], desk.now) == tuple(gone)
    assert set(desk.found()) == {"campaign_paused"}
    assert desk.found()["campaign_paused"].remedies == ("see_bounces",)
    assert bounced.put_back(desk.session, desk.workspace_id, ids, desk.now) == 6
    assert bounced.put_back(desk.session, desk.workspace_id, ids, desk.now) == 0
    assert desk.found()["contacts_bounced"].params["contacts"] == 6


def test_contacts_that_bounced_lately_are_told_by_cause(desk: Desk, people: People):
    desk.bounce(desk.contacts[:2])
    desk.bounce(desk.contacts[2:3], {"kind": "hard", "code": None, "cause": "mailbox_full", "text": "full"})
    desk.bounce(desk.contacts[3:4], before=24 * 7 + 1)
    found = desk.found()["contacts_bounced"]
    assert [(each["cause"], each["contacts"]) for each in found.params["causes"]] == [
        ("unknown_user", 2), ("mailbox_full", 1),
    ]  # fmt: skip
    assert found.params["causes"][0]["text"] == "5.1.1 user unknown"
    assert findings_of(desk.session, people.other_workspace_id, desk.now) == []
    desk.set_status(desk.contacts[:3], "archived")
    assert "contacts_bounced" not in desk.found()


def test_soft_bounces_of_a_campaign_are_one_finding_with_the_next_attempt(desk: Desk):
    node = desk.session.exec(select(Node).where(Node.campaign_id == desk.campaign_id, Node.kind == "email")).one()
    walks = desk.session.exec(select(Enrollment).order_by(Enrollment.id)).all()  # type: ignore[arg-type]
    for number, (hours, soft_bounces) in enumerate(((4, 2), (1, 1), (1, 1))):
        walk = walks[number]
        message = Message(
            workspace_id=desk.workspace_id, account_id=desk.account_id, contact_id=walk.contact_id,
            campaign_id=desk.campaign_id, enrollment_id=walk.id, node_id=node.id, to_address=f"{number}@client.example",
            to_domain="client.example", rfc_id=f"<{number}@rivage.example>", status="queued", reason="soft_bounce",
            soft_bounces=soft_bounces, due_at=desk.now + timedelta(hours=hours), created_at=desk.started,
        )  # fmt: skip
        desk.session.add(message)
    found = desk.found()["campaign_soft_bounces"]
    assert found.params == {"contacts": 3, "attempt": 2, "attempts": 5}
    assert found.resumes_at == desk.now + timedelta(hours=1)
    desk.campaign().status = "paused"
    assert "campaign_soft_bounces" not in desk.found()


def test_a_mailbox_that_cannot_be_read_is_told_with_its_follow_ups_and_gone_once_it_is_read(desk: Desk):
    account = desk.session.get(EmailAccount, desk.account_id)
    assert account is not None
    account.imap_host, account.synced_at = "imap.rivage.example", desk.now
    assert desk.found() == {}
    account.synced_at = desk.now - timedelta(minutes=11)
    silent = desk.found()["mailbox_not_read"]
    assert (silent.severity, silent.params["waiting"], silent.since) == ("slowed", 0, account.synced_at)

    reading = MailboxReading(
        account_id=desk.account_id, workspace_id=desk.workspace_id, since=desk.started, failures=1,
        failed_since=desk.now - timedelta(minutes=1), error_code="auth_failed", error_text="NO",
    )  # fmt: skip
    desk.session.add(reading)
    walk = desk.session.exec(select(Enrollment).limit(1)).one()
    desk.session.add(
        Message(
            workspace_id=desk.workspace_id, account_id=desk.account_id, contact_id=walk.contact_id,
            campaign_id=desk.campaign_id, enrollment_id=walk.id, node_id=1, to_address="c0@client.example",
            to_domain="client.example", rfc_id="<1@rivage.example>", status="queued", reason="mailbox_not_synced",
            due_at=desk.now, created_at=desk.started,
        )
    )  # fmt: skip
    found = desk.found()["mailbox_not_read"]
    assert (found.severity, found.params["waiting"], found.params["serverWords"]) == ("broken", 1, "NO")
    reading.failed_since, account.synced_at = None, desk.now
    assert "mailbox_not_read" not in desk.found()
