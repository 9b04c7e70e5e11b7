"""The demonstration's clock: when it stands, how fast it goes and what it passes over."""

import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from fluenzr_app.campaigns import lifecycle, service
from fluenzr_app.campaigns.audience import add_contacts
from fluenzr_app.campaigns.nodes import EmailNode
from fluenzr_app.campaigns.workflow import linear_workflow
from fluenzr_app.clock import ManualClock
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.demo.clock import DemoClock, end_of_rest
from tests.people import People, make_account, make_contact

PARIS = ZoneInfo("Europe/Paris")
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=PARIS)


def _at(day: int, hour: int, minute: int) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=PARIS)


def test_it_stands_until_it_is_told_to_run() -> None:
    clock = DemoClock(MONDAY, 240)
    assert clock.now() == clock.now() == MONDAY
    clock.run()
    assert MONDAY <= clock.now() < MONDAY + timedelta(hours=1)


def test_a_virtual_hour_lasts_fifteen_seconds() -> None:
    assert DemoClock(MONDAY, 240).real_seconds(timedelta(hours=1)) == 15


def test_it_never_goes_back() -> None:
    clock = DemoClock(MONDAY, 240)
    clock.skip_to(MONDAY + timedelta(hours=2))
    clock.skip_to(MONDAY)
    assert clock.now() == MONDAY + timedelta(hours=2)


@pytest.mark.parametrize("factor", [0, -1])
def test_a_clock_that_would_not_advance_is_refused(factor: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        DemoClock(MONDAY, factor)


@pytest.fixture
def campaign(database: Database, people: People, keyring: KeyRing, clock: ManualClock) -> int:
    """An active campaign that writes from Monday to Friday, 9 to 18 in Paris; gives its id."""
    with database.transaction() as session:
        account_id = make_account(session, people.workspace_id, "lea@rivage.example", clock.now())
        contact_id = make_contact(session, keyring, people.workspace_id, "a@firm.example", clock.now())
        made = service.create_campaign(
            session,
            people.workspace_id,
            "Essai",
            clock.now(),
            account_ids=[account_id],
            workflow=linear_workflow([EmailNode("n1", "Un", "Bonjour", "<p>Bonjour</p>")]),
        )
        add_contacts(session, people.workspace_id, made.id, [contact_id], clock.now(), random.Random(1))
        lifecycle.start(session, people.workspace_id, made.id, clock.now())
        return made.id


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (_at(2, 12, 0), None),
        (_at(2, 18, 10), None),
        (_at(2, 18, 21), _at(3, 8, 55)),
        (_at(6, 19, 0), _at(9, 8, 55)),
        (_at(3, 8, 57), None),
    ],
)
def test_nights_and_weekends_are_passed_over_and_nothing_else(
    database: Database, campaign: int, now: datetime, expected: datetime | None
) -> None:
    with database.read() as session:
        found = end_of_rest(session, now)
    assert found == expected


def test_without_an_active_campaign_time_simply_passes(database: Database, campaign: int) -> None:
    with database.transaction() as session:
        session.connection().execute(text("UPDATE campaign SET status = 'paused'"))
    with database.read() as session:
        assert end_of_rest(session, datetime(2026, 3, 2, 22, 0, tzinfo=PARIS)) is None
