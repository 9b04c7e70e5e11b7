"""An account that goes for good: its contacts are handed to another one, or their sequence ends; nobody is lost."""

import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import Session, col

from fluenzr_app.accounts import service as accounts
from fluenzr_app.campaigns import service as campaigns
from fluenzr_app.campaigns.enrollments import count_moves, counts_by_status, enroll
from fluenzr_app.campaigns.errors import AccountRefused
from fluenzr_app.campaigns.handover import hand_over, what_waits
from fluenzr_app.campaigns.models import Campaign, CampaignAccount, Enrollment, Node
from fluenzr_app.clock import ManualClock
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.sending.models import Message
from tests.people import People, make_account, make_contact


class Desk:
    """A workspace with two accounts and one running campaign that writes from the first of them."""

    def __init__(self, session: Session, people: People, keyring: KeyRing, clock: ManualClock) -> None:
        self.session, self.workspace_id, self.now = session, people.workspace_id, clock.now()
        self.keyring = keyring
        self.leaving = make_account(session, self.workspace_id, "sarah@rivage.example", self.now)
        self.staying = make_account(session, self.workspace_id, "julien@rivage.example", self.now)
        self.campaign_id = campaigns.create_campaign(
            session, self.workspace_id, "Achats", self.now, account_ids=[self.leaving]
        ).id
        campaign = session.get(Campaign, self.campaign_id)
        assert campaign is not None
        campaign.status = "active"
        node = session.exec(self._mail()).first()
        assert node is not None
        self.node_id = node[0].id or 0

    def walk(self, name: str, status: str = "in_progress", **message: Any) -> int:
        """A contact written to by the leaving account; with `message` there is one in its queue. Gives its walk."""
        contact_id = make_contact(self.session, self.keyring, self.workspace_id, f"{name}@client.example", self.now)
        enroll(self.session, self.workspace_id, self.campaign_id, [contact_id], self.now, random.Random(1))
        walk = self._walks()[-1]
        if status != "pending":
            self._move(walk, status)
        walk.account_id, walk.due_at = self.leaving, None if message else self.now + timedelta(days=3)
        self.session.add(walk)
        if message:
            values: dict[str, Any] = {"status": "queued", "priority": 0, "attempts": 0}
            self.session.add(
                Message(
                    workspace_id=self.workspace_id, account_id=self.leaving, contact_id=contact_id,
                    campaign_id=self.campaign_id, enrollment_id=walk.id, node_id=self.node_id,
                    to_address=f"{name}@client.example", to_domain="client.example", rfc_id=f"<{name}@rivage.example>",
                    due_at=self.now, created_at=self.now, **values | message,
                )
            )  # fmt: skip
        self.session.flush()
        assert walk.id is not None
        return walk.id

    def enrollment(self, walk_id: int) -> Enrollment:
        """The walk as it is stored now."""
        self.session.expire_all()
        walk = self.session.get(Enrollment, walk_id)
        assert walk is not None
        return walk

    def message(self, walk_id: int) -> Message | None:
        """The message of a walk, None if it is gone."""
        self.session.expire_all()
        found = self.session.execute(select(Message).where(col(Message.enrollment_id) == walk_id)).first()
        return None if found is None else found[0]

    def counts(self) -> dict[str, int]:
        """Enrollments by status, as the pages read them."""
        return counts_by_status(self.session, [self.campaign_id])[self.campaign_id]

    def linked(self) -> list[int]:
        """The accounts that the campaign sends from."""
        rows = self.session.execute(
            select(col(CampaignAccount.account_id)).where(col(CampaignAccount.campaign_id) == self.campaign_id)
        )
        return sorted(rows.scalars())

    def _walks(self) -> list[Enrollment]:
        return list(self.session.execute(select(Enrollment).order_by(col(Enrollment.id))).scalars())

    def _mail(self) -> Any:
        return select(Node).where(col(Node.campaign_id) == self.campaign_id, col(Node.kind) == "email")

    def _move(self, walk: Enrollment, status: str) -> None:
        count_moves(self.session, Counter({(self.campaign_id, "pending"): -1, (self.campaign_id, status): 1}))
        walk.status = status


@pytest.fixture
def desk(database: Database, people: People, keyring: KeyRing, clock: ManualClock) -> Iterator[Desk]:
    with database.transaction() as session:
        yield Desk(session, people, keyring, clock)


def test_contacts_under_way_and_their_messages_go_on_from_the_other_account(desk: Desk):
    waits, queued = desk.walk("ana"), desk.walk("bo", attempts=1)
    assert hand_over(desk.session, desk.workspace_id, desk.leaving, desk.staying, desk.now) == 1
    assert desk.enrollment(waits).account_id == desk.staying
    assert desk.enrollment(queued).account_id == desk.staying
    moved = desk.message(queued)
    assert moved is not None
    assert (moved.account_id, moved.status, moved.rfc_id) == (desk.staying, "queued", "<bo@rivage.example>")
    assert desk.counts() == {"in_progress": 2}
    assert desk.linked() == [desk.staying]


def test_a_first_mail_that_was_never_tried_goes_back_and_its_contact_waits_for_any_account(desk: Desk):
    new = desk.walk("cy", status="pending", priority=1)
    hand_over(desk.session, desk.workspace_id, desk.leaving, desk.staying, desk.now)
    walk = desk.enrollment(new)
    assert (walk.status, walk.account_id, walk.due_at) == ("pending", None, desk.now)
    assert desk.message(new) is None


def test_a_first_mail_that_was_claimed_and_not_yet_tried_is_taken_back_from_the_worker(desk: Desk):
    claimed = desk.walk("di", status="pending", priority=1)
    message = desk.message(claimed)
    assert message is not None
    message.status = "claimed"
    desk.session.add(message)
    desk.session.flush()
    assert hand_over(desk.session, desk.workspace_id, desk.leaving, desk.staying, desk.now) == 1
    assert desk.message(claimed) is None
    assert desk.enrollment(claimed).account_id is None


def test_without_another_account_the_sequences_end_and_say_why(desk: Desk):
    waits, queued, new = desk.walk("ana"), desk.walk("bo", attempts=2), desk.walk("cy", status="pending", priority=1)
    assert hand_over(desk.session, desk.workspace_id, desk.leaving, None, desk.now) == 2
    for walk_id in (waits, queued):
        walk = desk.enrollment(walk_id)
        assert (walk.status, walk.end_reason, walk.due_at) == ("removed", "account_removed", None)
    ended = desk.message(queued)
    assert ended is not None
    assert (ended.status, ended.reason) == ("cancelled", "account_removed")
    assert desk.enrollment(new).status == "pending"
    assert desk.counts() == {"removed": 2, "pending": 1}
    assert desk.linked() == []


def test_an_uncertain_message_is_decided_at_the_other_account_or_not_at_all(desk: Desk):
    doubt = desk.walk("ed", status="in_progress", attempts=1)
    message = desk.message(doubt)
    assert message is not None
    message.status = "uncertain"
    desk.session.add(message)
    desk.session.flush()
    hand_over(desk.session, desk.workspace_id, desk.leaving, desk.staying, desk.now)
    moved = desk.message(doubt)
    assert moved is not None
    assert (moved.status, moved.account_id) == ("uncertain", desk.staying)
    hand_over(desk.session, desk.workspace_id, desk.staying, None, desk.now)
    ended = desk.message(doubt)
    assert ended is not None
    assert (ended.status, ended.reason) == ("cancelled", "account_removed")


def test_what_was_sent_and_who_has_finished_stays_with_the_account_that_wrote(desk: Desk):
    over = desk.walk("fa", status="completed")
    sent = desk.walk("gil", attempts=1)
    message = desk.message(sent)
    assert message is not None
    message.status = "sent"
    desk.session.add(message)
    desk.session.flush()
    assert hand_over(desk.session, desk.workspace_id, desk.leaving, desk.staying, desk.now) == 0
    assert desk.enrollment(over).account_id == desk.leaving
    kept = desk.message(sent)
    assert kept is not None
    assert kept.account_id == desk.leaving


def test_what_waits_counts_contacts_under_way_and_open_messages(desk: Desk):
    desk.walk("ana")
    desk.walk("bo", attempts=1)
    desk.walk("cy", status="pending", priority=1)
    found = what_waits(desk.session, desk.workspace_id, desk.leaving)
    assert (found.contacts, found.messages) == (2, 2)


def test_an_account_of_another_workspace_takes_nothing_over(desk: Desk, people: People):
    walk = desk.walk("ana")
    foreign = make_account(desk.session, people.other_workspace_id, "sacha@lointain.example", desk.now)
    for target in (foreign, desk.leaving, 999_999):
        with pytest.raises(AccountRefused):
            hand_over(desk.session, desk.workspace_id, desk.leaving, target, desk.now)
    assert hand_over(desk.session, people.other_workspace_id, desk.leaving, None, desk.now) == 0
    assert desk.enrollment(walk).status == "in_progress"


def test_removing_an_account_hands_its_queue_over_in_the_same_transaction(desk: Desk):
    queued = desk.walk("bo", attempts=1)

    def release(session: Session, leaving: int) -> int:
        return hand_over(session, desk.workspace_id, leaving, desk.staying, desk.now)

    assert accounts.remove(desk.session, desk.workspace_id, desk.leaving, desk.now, release_queue=release) == 1
    message = desk.message(queued)
    assert message is not None
    assert message.account_id == desk.staying
