"""Figures come from the rollups and equal a recount of the events, or `verify` says where they do not."""

import random
from datetime import UTC, datetime, timedelta

from sqlalchemy import text
from sqlmodel import Session

from fluenzr_app.db.engine import Database
from fluenzr_app.events.figures import Drift, rebuild, recount, totals, totals_of_many, verify
from fluenzr_app.events.models import Rollup
from fluenzr_app.events.record import NewEvent, hour_of, record

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def fill(session: Session, rng: random.Random, workspace_id: int, many: int = 60) -> None:
    for batch in range(4):
        record(
            session,
            [
                NewEvent(
                    workspace_id,
                    rng.choice(["email.sent", "email.opened", "email.clicked"]),
                    f"{batch}:{number}",
                    NOON + timedelta(minutes=rng.randrange(-3000, 3000), microseconds=rng.randrange(10**6)),
                    contact_id=number,
                    campaign_id=rng.choice([None, 1, 2, 3]),
                    account_id=rng.choice([None, 1, 2]),
                    node_id=rng.choice([None, 5, 6]),
                    machine=rng.random() < 0.2,
                )
                for number in range(many // 4)
            ],
        )


def test_the_rollups_equal_a_recount_of_the_events(database: Database, rng: random.Random) -> None:
    with database.transaction() as session:
        fill(session, rng, 1)
        fill(session, rng, 2)
    with database.read() as session:
        counted = recount(session)
        assert sum(n for key, n in counted.items() if key[1] == "workspace") == 120
        assert verify(session) == []
        assert {key[0] for key in recount(session, 2)} == {2}


def test_drift_of_every_kind_is_found_and_repaired(database: Database, rng: random.Random) -> None:
    hour = hour_of(NOON)
    with database.transaction() as session:
        fill(session, rng, 1)
        record(session, [NewEvent(1, "email.sent", f"k{n}", NOON, account_id=9, campaign_id=8) for n in range(3)])
    with database.transaction() as session:
        session.execute(text("UPDATE rollup SET n = 5 WHERE scope = 'account' AND scope_id = 9"))
        session.execute(text("DELETE FROM rollup WHERE scope = 'campaign' AND scope_id = 8"))
        session.add(Rollup(workspace_id=1, scope="node", scope_id=77, metric="email.sent", hour=hour, n=4))
        session.add(Rollup(workspace_id=2, scope="node", scope_id=77, metric="email.sent", hour=hour, n=4))
    drift = [
        Drift(1, "account", 9, "email.sent", hour, stored=5, counted=3),
        Drift(1, "campaign", 8, "email.sent", hour, stored=0, counted=3),
        Drift(1, "node", 77, "email.sent", hour, stored=4, counted=0),
    ]
    other = Drift(2, "node", 77, "email.sent", hour, stored=4, counted=0)
    with database.read() as session:
        assert verify(session, 1) == drift
        assert verify(session) == [*drift, other]
    with database.transaction() as session:
        assert rebuild(session, 1) == drift
    with database.read() as session:
        assert verify(session) == [other]
    with database.transaction() as session:
        assert rebuild(session) == [other]
        assert rebuild(session) == []
    with database.read() as session:
        assert totals(session, 1, "campaign", 8, ["email.sent"]) == {"email.sent": 3}


def test_a_count_that_says_nothing_is_no_drift_and_can_be_set_right(database: Database) -> None:
    with database.transaction() as session:
        session.add(Rollup(workspace_id=1, scope="workspace", scope_id=1, metric="email.sent", hour=hour_of(NOON), n=0))
    with database.transaction() as session:
        assert verify(session) == []
        record(session, [NewEvent(1, "email.sent", "a", NOON)])
        session.execute(text("UPDATE rollup SET n = 0"))
        assert [found.counted for found in rebuild(session)] == [1]
        assert verify(session) == []


def test_what_never_happened_counts_nought(database: Database) -> None:
    with database.transaction() as session:
        record(session, [NewEvent(1, "email.sent", f"k{n}", NOON, campaign_id=4) for n in range(2)])
    with database.read() as session:
        found = totals(session, 1, "campaign", 4, ["email.sent", "email.replied"])
        assert found == {"email.sent": 2, "email.replied": 0}
        assert totals_of_many(session, 1, "campaign", [4, 5], ["email.sent"]) == {
            4: {"email.sent": 2}, 5: {"email.sent": 0}
        }  # fmt: skip
        assert totals(session, 2, "campaign", 4, ["email.sent"]) == {"email.sent": 0}
