"""A finding that was put aside stays away until its time is over, or until its cause has ended and comes again."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.clock import ManualClock
from fluenzr_app.db.engine import Database
from fluenzr_app.diagnosis import snoozes
from fluenzr_app.diagnosis.errors import NoSuchFinding, SnoozeRefused
from fluenzr_app.diagnosis.facts import findings_of
from fluenzr_app.diagnosis.findings import Finding, Subject
from tests.people import People, make_account

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


class Desk:
    """A workspace with an account that may not sign in."""

    def __init__(self, session: Session, people: People, now: datetime) -> None:
        self.session, self.workspace_id, self.now = session, people.workspace_id, now
        self.account_id = make_account(session, people.workspace_id, "sarah@rivage.example", now)
        self.key = ("account_error", "account", self.account_id)
        self.fails(now - HOUR)

    def fails(self, since: datetime | None) -> None:
        """Put the account in error since then, or out of it."""
        account = self.session.get_one(EmailAccount, self.account_id)
        account.status = "error" if since else "connected"
        account.error_code, account.error_since = ("auth_failed", since) if since else (None, None)
        self.session.add(account)
        self.session.flush()

    def shown(self, later: timedelta = timedelta()) -> tuple[list[str], list[str]]:
        """The codes that are shown, and those put aside."""
        now = self.now + later
        shown, aside = snoozes.parted(
            self.session, self.workspace_id, findings_of(self.session, self.workspace_id, now), now
        )
        return [each.code for each in shown], [each.finding.code for each in aside]


@pytest.fixture
def desk(database: Database, people: People, clock: ManualClock) -> Iterator[Desk]:
    with database.transaction() as session:
        yield Desk(session, people, clock.now())


def test_what_is_put_aside_stays_away_until_its_time_is_over_or_it_is_woken(desk: Desk):
    assert desk.shown() == (["account_error"], [])
    snoozes.snooze_found(desk.session, desk.workspace_id, desk.key, desk.now + DAY, desk.now)
    assert desk.shown() == ([], ["account_error"])
    assert desk.shown(DAY) == (["account_error"], [])
    assert snoozes.wake(desk.session, desk.workspace_id, desk.key)
    assert desk.shown() == (["account_error"], [])
    assert not snoozes.wake(desk.session, desk.workspace_id, desk.key)


def test_a_cause_that_ended_and_came_again_is_shown(desk: Desk):
    snoozes.snooze_found(desk.session, desk.workspace_id, desk.key, desk.now + DAY, desk.now)
    desk.fails(desk.now)
    assert desk.shown() == (["account_error"], [])


def test_the_same_is_put_aside_anew_with_another_time(desk: Desk):
    snoozes.snooze_found(desk.session, desk.workspace_id, desk.key, desk.now + HOUR, desk.now)
    desk.fails(desk.now)
    snoozes.snooze_found(desk.session, desk.workspace_id, desk.key, desk.now + DAY, desk.now)
    assert desk.shown(2 * HOUR) == ([], ["account_error"])


def test_what_tells_no_beginning_is_forgotten_once_it_is_gone(desk: Desk):
    blank = Finding("campaign_blank_variable", "advice", Subject("campaign", 7, "Achats"))
    snoozes.snooze(desk.session, desk.workspace_id, blank, desk.now + DAY, desk.now)
    snoozes.snooze_found(desk.session, desk.workspace_id, desk.key, desk.now + DAY, desk.now)
    assert snoozes.parted(desk.session, desk.workspace_id, [blank], desk.now)[0] == []
    assert snoozes.forget_ended(desk.session, desk.workspace_id, desk.now) == 1
    assert snoozes.parted(desk.session, desk.workspace_id, [blank], desk.now)[0] == [blank]
    assert desk.shown() == ([], ["account_error"])
    assert snoozes.forget_ended(desk.session, desk.workspace_id, desk.now + DAY) == 1


def test_bounced_contacts_stay_away_although_the_oldest_of_them_goes(desk: Desk):
    first = Finding("contacts_bounced", "advice", Subject("workspace", None, ""), since=desk.now - DAY)
    snoozes.snooze(desk.session, desk.workspace_id, first, desk.now + DAY, desk.now)
    later = Finding("contacts_bounced", "advice", Subject("workspace", None, ""), since=desk.now)
    assert snoozes.parted(desk.session, desk.workspace_id, [later], desk.now)[0] == []


def test_nobody_puts_aside_what_is_not_there_or_another_workspaces(desk: Desk, people: People):
    until = desk.now + DAY
    with pytest.raises(NoSuchFinding):
        snoozes.snooze_found(desk.session, people.other_workspace_id, desk.key, until, desk.now)
    with pytest.raises(NoSuchFinding):
        snoozes.snooze_found(desk.session, desk.workspace_id, ("account_quota", "account", 1), until, desk.now)
    snoozes.snooze_found(desk.session, desk.workspace_id, desk.key, until, desk.now)
    assert not snoozes.wake(desk.session, people.other_workspace_id, desk.key)
    assert desk.shown() == ([], ["account_error"])


@pytest.mark.parametrize("span", [timedelta(), -HOUR, timedelta(days=91)])
def test_a_time_that_is_over_or_too_far_is_refused(desk: Desk, span: timedelta):
    with pytest.raises(SnoozeRefused):
        snoozes.snooze_found(desk.session, desk.workspace_id, desk.key, desk.now + span, desk.now)
    assert desk.shown() == (["account_error"], [])


def test_the_tick_looks_after_every_workspace(database: Database, people: People, clock: ManualClock):
    now = clock.now()
    with database.transaction() as session:
        desk = Desk(session, people, now)
        snoozes.snooze_found(session, desk.workspace_id, desk.key, now + DAY, now)
    assert snoozes.tick(database, now, now) == 0
    with database.transaction() as session:
        desk.session = session
        desk.fails(None)
    assert snoozes.tick(database, now, now) == 1
    assert snoozes.tick(database, now, now) == 0
