"""What pages ask of all campaigns at once costs as many statements for many as for few, and says what each one says."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session, col, select

from fluenzr_app.campaigns import service as campaigns
from fluenzr_app.campaigns.brake import since_resume
from fluenzr_app.campaigns.enrollments import count_moves, enroll
from fluenzr_app.campaigns.gaps import Gap, Mailing, gaps_of, unguarded_gaps
from fluenzr_app.campaigns.models import Campaign, Enrollment, Node
from fluenzr_app.campaigns.nodes import EmailNode, EndNode, StartNode
from fluenzr_app.campaigns.standing import Standing, contacts_at_steps, standing_of, standings_of
from fluenzr_app.campaigns.workflow import Edge, Workflow
from fluenzr_app.campaigns.workflow_store import read_workflow, read_workflows
from fluenzr_app.clock import ManualClock
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.diagnosis.bounces import Source
from fluenzr_app.diagnosis.facts import campaign_facts, findings_of
from fluenzr_app.diagnosis.findings import Finding
from fluenzr_app.diagnosis.mail_facts import bounce_facts
from fluenzr_app.diagnosis.overdue_facts import overdue_facts
from fluenzr_app.events.record import NewEvent, record
from fluenzr_app.sending.caps import last_attempts, room_returns_at, usage, usages
from fluenzr_app.sending.models import Attempt, Message, Worker
from fluenzr_app.ui.pages.campaign_acts import ListAnswer, list_with_standing
from fluenzr_app.ui.pages.dashboard_data import Dashboard, read_dashboard
from tests.people import People, make_account, make_contact

HOUR = timedelta(hours=1)
TEXT = "<p>Bonjour {{firstName}} de {{company}},</p>"
TWO_MAILS = Workflow(
    (StartNode("start"), EmailNode("n1", "Un", "Bonjour", TEXT), EmailNode("n2", "Deux", "", TEXT), EndNode("end")),
    (Edge("start", "n1"), Edge("n1", "n2"), Edge("n2", "end")),
)  # fmt: skip


@dataclass
class House:
    """A workspace whose campaigns and accounts the tests make, and processes that run for a day."""

    session: Session
    workspace_id: int
    now: datetime
    keyring: KeyRing
    accounts: list[int] = field(default_factory=list)
    campaigns: list[int] = field(default_factory=list)
    people: int = 0
    messages: int = 0

    def account(self, **columns: Any) -> int:
        """A connected account that has been quiet for two hours."""
        address = f"a{len(self.accounts)}@rivage.example"
        columns = {"updated_at": self.now - 2 * HOUR, **columns}
        self.accounts.append(make_account(self.session, self.workspace_id, address, self.now - 2 * HOUR, **columns))
        return self.accounts[-1]

    def campaign(self, accounts: list[int], contacts: int, **settings: Any) -> int:
        """An active campaign of two mails; its contacts are new and have been due for two hours."""
        name = f"Campagne {len(self.campaigns)}"
        campaign_id = campaigns.create_campaign(
            self.session, self.workspace_id, name, self.now, account_ids=accounts, settings=settings,
            workflow=TWO_MAILS,
        ).id  # fmt: skip
        row = self.session.get_one(Campaign, campaign_id)
        row.status, row.started_at = "active", self.now - 24 * HOUR
        ids = [self.contact() for _ in range(contacts)]
        enroll(self.session, self.workspace_id, campaign_id, ids, self.now - 2 * HOUR, random.Random(1))
        self.session.flush()
        self.campaigns.append(campaign_id)
        return campaign_id

    def contact(self) -> int:
        """A contact whose company is known, and the first name of every other one."""
        self.people += 1
        first_name = "Ana" if self.people % 2 else " "
        return make_contact(
            self.session, self.keyring, self.workspace_id, f"c{self.people}@client.example", self.now,
            first_name=first_name, company="Rivage",
        )  # fmt: skip

    def walks(self, campaign_id: int) -> list[Enrollment]:
        """The walks of a campaign in their order."""
        query = select(Enrollment).where(Enrollment.campaign_id == campaign_id).order_by(col(Enrollment.id))
        return list(self.session.exec(query).all())

    def node(self, campaign_id: int, key: str) -> int:
        """The primary key of a mail."""
        query = select(Node).where(Node.campaign_id == campaign_id, Node.key == key)
        return self.session.exec(query).one().id or 0

    def has_begun(self, walk: Enrollment, account_id: int, due_at: datetime | None) -> None:
        """Let a contact have had the first mail, from this account."""
        walk.status, walk.account_id, walk.due_at = "in_progress", account_id, due_at
        walk.node_id = self.node(walk.campaign_id, "n2")
        count_moves(self.session, {(walk.campaign_id, "pending"): -1, (walk.campaign_id, "in_progress"): 1})
        self.session.flush()

    def message(self, walk: Enrollment, account_id: int, status: str, due_at: datetime) -> None:
        """A message of a walk; one that was sent has an attempt at `due_at`."""
        self.messages += 1
        message = Message(
            workspace_id=self.workspace_id, account_id=account_id, contact_id=walk.contact_id,
            campaign_id=walk.campaign_id, enrollment_id=walk.id, node_id=self.node(walk.campaign_id, "n1"),
            to_address="c@client.example", to_domain="client.example", rfc_id=f"<{self.messages}@rivage.example>",
            status=status, due_at=due_at, created_at=due_at,
        )  # fmt: skip
        self.session.add(message)
        self.session.flush()
        if status == "sent":
            self.session.add(
                Attempt(
                    message_id=message.id or 0, no=1, account_id=account_id, campaign_id=walk.campaign_id,
                    to_domain="client.example", first_mail=True, started_at=due_at, outcome="accepted",
                )
            )  # fmt: skip
            self.session.flush()

    def furnished(self, times: int) -> None:
        """So many accounts and campaigns with everything about them that a diagnosis looks at."""
        for _ in range(times):
            account = self.account()
            campaign = self.campaign([account], 6, newContactsPerDay=50, maxEmailsPerHour=30)
            walks = self.walks(campaign)
            self.has_begun(walks[0], account, self.now - 90 * timedelta(minutes=1))
            self.has_begun(walks[1], account, None)
            self.message(walks[1], account, "queued", self.now - 2 * HOUR)
            self.message(walks[2], account, "uncertain", self.now - 3 * HOUR)
            self.message(walks[3], account, "sent", self.now - 3 * HOUR)
            walks[4].status, walks[4].end_reason, walks[4].ended_at = "error", "empty_subject", self.now
            walks[4].node_id, walks[4].due_at = self.node(campaign, "n1"), None
            count_moves(self.session, {(campaign, "pending"): -1, (campaign, "error"): 1})
            self.bounces(walks, account)
            paused = self.session.get_one(Campaign, self.campaign([account], 2))
            paused.status, paused.pause_reason, paused.paused_at = "paused", "user", self.now
            self.session.flush()

    def bounces(self, walks: list[Enrollment], account_id: int) -> None:
        """Let all of them have been written to, and three of the mails have come back within the hour."""
        for kind, some, ago in (("email.sent", walks, 3 * HOUR), ("email.bounced", walks[:3], HOUR)):
            record(
                self.session,
                [
                    NewEvent(
                        self.workspace_id, kind, f"{kind}:{walk.id}", self.now - ago, contact_id=walk.contact_id,
                        campaign_id=walk.campaign_id, account_id=account_id,
                    )
                    for walk in some
                ],
            )  # fmt: skip


@pytest.fixture
def house(database: Database, people: People, keyring: KeyRing, clock: ManualClock) -> Iterator[House]:
    # Monday noon: the sending window of a new campaign has been open for three hours.
    now = clock.now() + 3 * HOUR
    with database.transaction() as session:
        session.add(Worker(name="one", started_at=now - 24 * HOUR, beat_at=now))
        session.flush()
        yield House(session, people.workspace_id, now, keyring)


@contextmanager
def statements(session: Session) -> Iterator[list[str]]:
    """Collect the SQL that is executed inside the block."""
    seen: list[str] = []

    def note(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    engine = session.connection().engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def dashboard(house: House) -> Dashboard:
    return read_dashboard(house.session, house.workspace_id, house.now)


def findings(house: House) -> list[Finding]:
    return findings_of(house.session, house.workspace_id, house.now, house.now)


@pytest.mark.parametrize("ask", [dashboard, findings])
def test_many_campaigns_and_accounts_cost_as_many_statements_as_few(house: House, ask: Callable[[House], object]):
    house.furnished(3)
    house.session.expire_all()
    with statements(house.session) as of_few:
        ask(house)
    house.furnished(9)
    house.session.expire_all()
    with statements(house.session) as of_many:
        ask(house)
    assert of_few
    assert len(of_many) == len(of_few)


def test_each_campaign_of_many_has_its_own_findings(house: House):
    house.furnished(3)
    found = findings(house)
    for code in (
        "campaign_contacts_overdue", "campaign_uncertain", "campaign_blank_variable", "campaign_text_fault",
    ):  # fmt: skip
        told = [each for each in found if each.code == code]
        assert sorted(each.subject.id or 0 for each in told) == house.campaigns[::2], code
        assert len({str(each.params) for each in told}) == 1, code


def test_each_campaign_of_many_has_its_own_bounces_and_their_sources(house: House):
    house.furnished(2)
    facts = campaign_facts(house.session, house.workspace_id, house.now)
    found = bounce_facts(house.session, house.workspace_id, facts)
    assert [each.campaign_id for each in found] == house.campaigns[-2::-2]
    assert {(each.sent, each.bounced, each.sources) for each in found} == {
        (6, 3, (Source("domain", None, "client.example", 3),))
    }


def test_the_standings_of_many_are_those_of_each(house: House):
    good, failing = house.account(), house.account(status="error", error_code="auth", error_since=None)
    full = house.account(daily_limit=1)
    gone = house.account(removed_at=house.now)
    turn = house.campaign([good], 3)
    mixed = house.campaign([good, failing], 5)
    for walk in house.walks(mixed)[:2]:
        house.has_begun(walk, failing, house.now - HOUR)
    for walk in house.walks(mixed)[2:]:
        house.has_begun(walk, good, house.now + HOUR)
    alone = house.campaign([failing], 2)
    removed = house.campaign([good], 1)
    house.has_begun(house.walks(removed)[0], gone, house.now - HOUR)
    capped = house.campaign([full], 4)
    house.message(house.walks(capped)[0], full, "sent", house.now - 2 * HOUR)
    hourly = house.campaign([good], 2, maxEmailsPerHour=1)
    house.message(house.walks(hourly)[0], good, "sent", house.now - HOUR / 2)
    paused = house.campaign([good], 2)
    house.session.get_one(Campaign, paused).status = "paused"
    nobody = house.campaign([good], 0)
    unsure = house.campaign([], 1)
    house.message(house.walks(unsure)[0], good, "uncertain", house.now)
    house.session.flush()

    found = standings_of(house.session, house.campaigns, house.now)

    def told(campaign_id: int) -> tuple[str | None, int, bool, int]:
        each = found[campaign_id]
        return each.waiting.code if each.waiting else None, each.contacts, each.stands, each.uncertain

    assert told(turn) == ("turn", 3, False, 0)
    assert told(mixed) == ("account_error", 2, False, 0)
    assert told(alone) == ("account_error", 2, True, 0)
    assert told(removed) == ("account_removed", 1, True, 0)
    assert told(capped) == ("daily_cap", 4, False, 0)
    assert told(hourly) == ("hourly_cap", 2, False, 0)
    assert told(paused) == ("campaign_paused", 2, False, 0)
    assert told(nobody) == (None, 0, False, 0)
    assert told(unsure) == ("no_account", 1, True, 1)
    assert found[mixed].next_at == house.now + HOUR
    assert found[capped].next_at == house.now - 2 * HOUR + timedelta(hours=24)
    assert found[hourly].next_at == house.now + HOUR / 2
    assert found == {key: standing_of(house.session, key, house.now) for key in house.campaigns}
    assert standings_of(house.session, [], house.now) == {}
    assert standings_of(house.session, [0], house.now) == {0: Standing(None, 0, False, None, 0)}


def listed(house: House, status: str | None = None, search: str = "") -> ListAnswer:
    return list_with_standing(
        house.session, house.workspace_id, house.now,
        status=status, search=search, page=1, sort="name", descending=False,
    )  # fmt: skip


def test_how_many_campaigns_stand_still_is_said_whatever_part_of_them_is_listed(house: House):
    good, failing = house.account(), house.account(status="error", error_code="auth", error_since=None)
    house.campaign([good], 2)
    house.campaign([failing], 2)
    house.campaign([failing], 1)
    house.session.get_one(Campaign, house.campaign([failing], 1)).status = "paused"
    house.session.flush()
    for answer in (listed(house), listed(house, "paused"), listed(house, search="nothing of that name")):
        assert (answer.stopped, answer.by_status["active"]) == (2, 3)


def test_who_has_not_begun_waits_for_the_first_mail(house: House):
    account = house.account()
    campaign = house.campaign([account], 5)
    for walk in house.walks(campaign)[:2]:
        house.has_begun(walk, account, house.now)
    assert contacts_at_steps(house.session, house.workspace_id, campaign, "n1") == {"n1": 3, "n2": 2}


def test_the_use_of_many_accounts_is_that_of_each(house: House):
    accounts = [house.account() for _ in range(3)]
    walks = house.walks(house.campaign(accounts, 8))
    for walk, (place, status, ago) in zip(
        walks,
        [
            (0, "sent", HOUR / 2), (0, "sent", 3 * HOUR), (0, "sent", 30 * HOUR), (0, "claimed", HOUR),
            (1, "sent", 26 * HOUR), (1, "sending", HOUR), (2, "queued", HOUR),
        ],
        strict=False,
    ):  # fmt: skip
        house.message(walk, accounts[place], status, house.now - ago)
    found = usages(house.session, accounts, house.now)
    assert found == {key: usage(house.session, key, house.now) for key in accounts}
    assert (found[accounts[0]].day, found[accounts[0]].hour, found[accounts[0]].claimed) == (2, 1, 1)
    assert room_returns_at(house.session, accounts, house.now) == {accounts[0]: house.now + 21 * HOUR}
    last = {accounts[0]: house.now - HOUR / 2, accounts[1]: house.now - 26 * HOUR}
    assert last_attempts(house.session, accounts) == last
    assert usages(house.session, [], house.now) == {}


def test_the_blank_variables_of_many_campaigns_are_those_of_each_and_of_so_many_contacts(house: House):
    account = house.account()
    small, large, other = house.campaign([account], 4), house.campaign([account], 9), house.campaign([account], 2)
    house.has_begun(house.walks(small)[1], account, house.now)
    mails = list(read_workflow(house.session, small).emails())
    plain = [EmailNode("n1", "Premier", "Bonjour", "<p>{{company}}</p>"), mails[1]]
    mailings = {small: Mailing(mails, 4), large: Mailing(mails, 9), other: Mailing(plain, 2)}

    found = unguarded_gaps(house.session, mailings, (), 5)

    assert found[small] == [Gap("n1", "firstName", 1, False), Gap("n2", "firstName", 2, False)]
    assert found[small] == gaps_of(house.session, small, mails, ())
    assert found[other] == gaps_of(house.session, other, plain, ()) == [Gap("n2", "firstName", 1, False)]
    # Five of nine contacts are looked at, of whom every other one has no first name.
    assert [gap.contacts in (2, 3) for gap in found[large]] == [True, True]
    assert [gap.contacts for gap in gaps_of(house.session, large, mails, ())] == [4, 4]


def test_the_workflows_of_many_campaigns_are_those_of_each(house: House):
    house.furnished(2)
    found = read_workflows(house.session, house.campaigns)
    assert found == dict.fromkeys(house.campaigns, TWO_MAILS)


def test_the_brake_goes_by_the_figures_of_each_of_many_campaigns_since_its_own_start(house: House):
    account = house.account()
    begun = [house.now - 24 * HOUR, house.now - 150 * timedelta(minutes=1), house.now - HOUR, house.now]
    ids = []
    for since in begun:
        ids.append(house.campaign([account], 6))
        house.bounces(house.walks(ids[-1]), account)
        row = house.session.get_one(Campaign, ids[-1])
        row.started_at, row.resumed_at = (None, since) if since == house.now - HOUR else (since, None)
    ids.append(house.campaign([account], 6))
    house.session.get_one(Campaign, ids[-1]).started_at = None
    house.session.flush()
    found = since_resume(house.session, ids)
    assert [(found[key].sent, found[key].bounced) for key in ids] == [(6, 3), (0, 3), (0, 3), (0, 0), (0, 0)]
    assert found == {key: since_resume(house.session, [key])[key] for key in ids}


def test_what_is_overdue_is_told_of_each_campaign_and_account(house: House):
    idle, other, busy = house.account(), house.account(daily_limit=0), house.account(next_send_at=house.now)
    new = house.campaign([other, idle], 3)
    full = house.campaign([idle], 2, newContactsPerDay=1)
    house.message(house.walks(full)[0], busy, "sent", house.now - HOUR / 2)
    queued = house.campaign([idle, other], 2)
    for walk, account in zip(house.walks(queued), (idle, other), strict=True):
        house.has_begun(walk, account, None)
        house.message(walk, account, "queued", house.now - 3 * HOUR)
    capped = house.campaign([busy], 3, maxEmailsPerHour=1)
    house.message(house.walks(capped)[0], busy, "sent", house.now - HOUR / 2)
    house.has_begun(house.walks(capped)[1], busy, house.now - 2 * HOUR)
    house.campaign([busy], 2)

    found = overdue_facts(house.session, house.workspace_id, house.now, running=True)

    assert [each.campaign_id for each in found] == [new, queued, capped]
    assert [(each.due, each.oldest, each.room > 0) for each in found[0].senders] == [(3, house.now - 2 * HOUR, True)]
    assert [(each.due, each.room > 0) for each in found[1].senders] == [(1, True), (1, False)]
    assert (found[2].senders, found[2].unplanned, found[2].capped) == ((), 1, True)
    assert not found[0].capped
    assert overdue_facts(house.session, house.workspace_id, house.now, running=False) == []
