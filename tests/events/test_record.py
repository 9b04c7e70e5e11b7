"""Events are stored once, and the rollups change with them and only with them."""

import statistics
import threading
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session, select

from fluenzr_app.db.engine import Database
from fluenzr_app.events.figures import by_hour, totals, verify
from fluenzr_app.events.models import Event, Rollup
from fluenzr_app.events.record import NewEvent, hour_of, record, record_new

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def sent(number: int, **changes: object) -> NewEvent:
    values: dict[str, object] = {
        "workspace_id": 1, "type": "email.sent", "dedupe_key": f"sent:{number}", "at": NOON, "message_id": number,
        "contact_id": number, "campaign_id": 7, "account_id": 3, "node_id": 11,
    }  # fmt: skip
    return NewEvent(**{**values, **changes})  # type: ignore[arg-type]


def rollups(session: Session) -> dict[tuple[str, int, str], int]:
    return {(row.scope, row.scope_id, row.metric): row.n for row in session.exec(select(Rollup))}


def test_an_event_counts_in_every_scope_it_belongs_to(database: Database) -> None:
    with database.transaction() as session:
        assert record(session, [sent(1), sent(2), sent(3, campaign_id=None, node_id=None)]) == 3
    with database.read() as session:
        assert rollups(session) == {
            ("workspace", 1, "email.sent"): 3,
            ("account", 3, "email.sent"): 3,
            ("campaign", 7, "email.sent"): 2,
            ("node", 11, "email.sent"): 2,
        }


def test_everything_about_an_event_is_kept(database: Database) -> None:
    event = sent(1, type="email.bounced", data={"reason": "inconnu à cette adresse", "code": 550}, machine=True)
    with database.transaction() as session:
        record(session, [event])
    with database.read() as session:
        stored = session.exec(select(Event)).one()
        names = ("workspace_id", "type", "dedupe_key", "at", "message_id", "contact_id", "campaign_id", "account_id",
                 "node_id", "machine", "data")  # fmt: skip
        assert {name: getattr(stored, name) for name in names} == {name: getattr(event, name) for name in names}


def test_absent_data_is_stored_as_nothing(database: Database) -> None:
    with database.transaction() as session:
        record(session, [sent(1)])
        assert session.exec(select(Event).where(Event.data.is_(None))).one().message_id == 1  # type: ignore[union-attr]


def test_the_same_event_twice_counts_once(database: Database) -> None:
    for expected in (2, 0):
        with database.transaction() as session:
            assert record(session, [sent(1), sent(2)]) == expected
    with database.read() as session:
        assert rollups(session)["campaign", 7, "email.sent"] == 2


def test_of_a_batch_only_the_new_events_count(database: Database) -> None:
    with database.transaction() as session:
        record(session, [sent(2, campaign_id=8), sent(9)])
    with database.transaction() as session:
        new = record_new(session, [sent(number, campaign_id=8) for number in (4, 2, 1, 3)])
        assert [event.message_id for event in new] == [1, 3, 4]
    with database.read() as session:
        assert rollups(session)["campaign", 8, "email.sent"] == 4
        assert not verify(session)


def test_two_with_one_key_in_a_batch_are_one_and_the_first_wins(database: Database) -> None:
    with database.transaction() as session:
        assert record(session, [sent(1), sent(1, campaign_id=8)]) == 1
        assert ("campaign", 8, "email.sent") not in rollups(session)


def test_two_workspaces_may_use_the_same_key(database: Database) -> None:
    with database.transaction() as session:
        record(session, [sent(1)])
        assert record(session, [sent(1), sent(1, workspace_id=2)]) == 1
    with database.read() as session:
        assert totals(session, 1, "campaign", 7, ["email.sent"]) == {"email.sent": 1}
        assert totals(session, 2, "campaign", 7, ["email.sent"]) == {"email.sent": 1}


def test_what_a_machine_did_is_no_open(database: Database) -> None:
    with database.transaction() as session:
        record(session, [sent(1, type="email.opened", dedupe_key="a", machine=True)])
        record(session, [sent(1, type="email.opened", dedupe_key="b")])
    with database.read() as session:
        counted = totals(session, 1, "campaign", 7, ["email.opened", "email.opened:machine"])
        assert counted == {"email.opened": 1, "email.opened:machine": 1}


def test_hours_are_counted_in_utc_and_split_exactly(database: Database) -> None:
    last = timedelta(microseconds=1)
    edges = [NOON - last, NOON, NOON + timedelta(hours=1) - last, NOON + timedelta(hours=1)]
    paris = NOON.astimezone(ZoneInfo("Europe/Paris"))
    with database.transaction() as session:
        record(session, [sent(number, at=at) for number, at in enumerate([*edges, paris])])
    hour = hour_of(NOON)
    with database.read() as session:
        found = by_hour(session, 1, "workspace", 1, ["email.sent"])["email.sent"]
        assert found == {hour - 1: 1, hour: 3, hour + 1: 1}
        assert by_hour(session, 1, "workspace", 1, ["email.sent"], hour, hour + 1) == {"email.sent": {hour: 3}}
        assert totals(session, 1, "workspace", 1, ["email.sent"], since_hour=hour) == {"email.sent": 4}
        assert not verify(session)


def test_a_time_without_a_zone_is_refused(database: Database) -> None:
    with pytest.raises(ValueError), database.transaction() as session:
        record(session, [sent(1, at=NOON.replace(tzinfo=None))])
    with database.read() as session:
        assert session.exec(select(Event)).all() == []


def test_a_transaction_that_fails_leaves_neither_event_nor_count(database: Database) -> None:
    def record_and_fail() -> None:
        with database.transaction() as session:
            record(session, [sent(1)])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        record_and_fail()
    with database.read() as session:
        assert session.exec(select(Event)).all() == []
        assert rollups(session) == {}


def test_writers_at_the_same_time_lose_no_count_and_never_wait_for_each_other_in_a_circle(database: Database) -> None:
    """Eight writers, overlapping keys in opposite orders: on PostgreSQL, unordered locks would end in a deadlock."""
    failures: list[Exception] = []

    def write(writer: int) -> None:
        try:
            for batch in range(6):
                events = [sent(batch * 20 + n, campaign_id=n % 5, account_id=n % 3, node_id=n % 7) for n in range(20)]
                with database.transaction() as session:
                    record(session, events[::-1] if writer % 2 else events)
        except Exception as failure:
            failures.append(failure)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with database.read() as session:
        assert totals(session, 1, "workspace", 1, ["email.sent"]) == {"email.sent": 120}
        assert verify(session) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_recording_a_batch_costs_little(database: Database) -> None:
    costs = []
    with database.transaction() as session:
        for batch in range(60):
            events = [sent(batch * 10 + n) for n in range(10)]
            before = time.perf_counter()
            record(session, events)
            costs.append(time.perf_counter() - before)
    # Twice what is aimed at, so that a busy machine does not fail it; a query per event would be far above.
    assert statistics.median(costs) < 0.001
