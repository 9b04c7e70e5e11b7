"""What a workspace decides about openings and clicks, and what goes at once when it keeps less."""

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from fluenzr_app.clock import ManualClock
from fluenzr_app.db.engine import Database
from fluenzr_app.tracking import privacy
from fluenzr_app.tracking.models import Hit
from fluenzr_app.tracking.objections import object_to_tracking
from fluenzr_app.workspaces import audit
from fluenzr_app.workspaces.errors import TrackingRefused, UnknownWorkspace
from fluenzr_app.workspaces.tracking import TrackingSettings, tracking_settings
from tests.people import People


def keep_hit(session: Session, workspace: int, clock: ManualClock, *, days: int = 0, judged: bool = True) -> None:
    """A request as it is kept with all its detail, `days` old."""
    at = clock.now() - timedelta(days=days)
    hit = Hit(
        workspace_id=workspace, kind="open", message_id=1, contact_id=1, campaign_id=1, account_id=1, node_id=1,
        composed_at=at, at=at, rule="person", ip="192.0.2.7", user_agent="Mail/1.0",
        machine=False if judged else None, judged_at=at if judged else None,
    )  # fmt: skip
    session.add(hit)
    session.flush()


def change(database: Database, people: People, clock: ManualClock, **changes: Any) -> privacy.Changed:
    with database.transaction() as session:
        return privacy.change(session, people.owner.identity, people.workspace_id, clock.now(), **changes)


def kept(database: Database, workspace: int) -> list[tuple[str, str]]:
    with database.read() as session:
        rows = session.exec(select(Hit).where(col(Hit.workspace_id) == workspace).order_by(col(Hit.id)))
        return [(row.ip, row.user_agent) for row in rows]


def test_a_new_workspace_keeps_the_dates_alone_and_counts_proxies_that_fetch_when_a_mail_is_opened(
    database: Database, people: People
) -> None:
    with database.read() as session:
        found = tracking_settings(session, people.workspace_id)
    assert found == TrackingSettings(True, True, False, 90, "on_open")


def test_what_is_changed_is_noted_with_who_did_it_and_nothing_else_changes(
    database: Database, people: People, clock: ManualClock
) -> None:
    found = change(database, people, clock, track_opens=False, proxy_opens="none", track_clicks=True)
    assert found == privacy.Changed(TrackingSettings(False, True, False, 90, "none"), 0)
    with database.read() as session:
        assert tracking_settings(session, people.workspace_id) == found.settings
        assert tracking_settings(session, people.other_workspace_id).track_opens
        (entry,) = audit.list_entries(session, people.workspace_id)
    assert (entry.action, entry.who) == ("tracking.changed", "Camille")
    assert entry.data == {"track_opens": False, "proxy_opens": "none"}


def test_what_is_the_same_already_leaves_no_entry(database: Database, people: People, clock: ManualClock) -> None:
    change(database, people, clock, track_opens=True, details_days=90)
    with database.read() as session:
        assert list(audit.list_entries(session, people.workspace_id)) == []


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"details_days": 0}, "details_days"),
        ({"details_days": 731}, "details_days"),
        ({"details_days": True}, "details_days"),
        ({"details_days": "30"}, "details_days"),
        ({"proxy_opens": "some"}, "proxy_opens"),
        ({"track_opens": "no"}, "track_opens"),
        ({"track_clicks": False, "details": None}, "details"),
    ],
)
def test_what_no_setting_can_be_is_refused_and_nothing_of_it_is_stored(
    database: Database, people: People, clock: ManualClock, changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(TrackingRefused) as refused:
        change(database, people, clock, **changes)
    assert refused.value.field == field
    with database.read() as session:
        assert tracking_settings(session, people.workspace_id) == TrackingSettings(True, True, False, 90, "on_open")


@pytest.mark.parametrize("days", [1, 730])
def test_details_are_kept_for_a_day_to_two_years(
    database: Database, people: People, clock: ManualClock, days: int
) -> None:
    assert change(database, people, clock, details=True, details_days=days).settings.details_days == days


def test_a_workspace_that_is_not_there_is_told(database: Database, people: People, clock: ManualClock) -> None:
    with pytest.raises(UnknownWorkspace), database.transaction() as session:
        privacy.change(session, people.owner.identity, 999, clock.now(), track_opens=False)


def test_details_go_at_once_when_they_are_switched_off_and_those_of_others_stay(
    database: Database, people: People, clock: ManualClock
) -> None:
    change(database, people, clock, details=True)
    with database.transaction() as session:
        for days in (0, 5, 80):
            keep_hit(session, people.workspace_id, clock, days=days)
        keep_hit(session, people.workspace_id, clock, judged=False)
        keep_hit(session, people.other_workspace_id, clock)
    with database.read() as session:
        assert privacy.kept_details(session, people.workspace_id) == 3
    assert change(database, people, clock, details=False).forgotten == 3
    # What waits to be judged is still counted, but says of nobody where they were and with what.
    assert kept(database, people.workspace_id) == [("", "")]
    assert kept(database, people.other_workspace_id) == [("192.0.2.7", "Mail/1.0")]


def test_fewer_days_forget_what_is_older_and_more_days_nothing(
    database: Database, people: People, clock: ManualClock
) -> None:
    change(database, people, clock, details=True, details_days=90)
    with database.transaction() as session:
        for days in (0, 29, 31, 80):
            keep_hit(session, people.workspace_id, clock, days=days)
    with database.read() as session:
        before = clock.now() - timedelta(days=30)
        assert privacy.kept_details(session, people.workspace_id, before) == 2
    assert change(database, people, clock, details_days=30).forgotten == 2
    assert len(kept(database, people.workspace_id)) == 2
    assert change(database, people, clock, details_days=60).forgotten == 0
    assert len(kept(database, people.workspace_id)) == 2


def test_people_who_objected_are_counted_by_workspace(database: Database, people: People, clock: ManualClock) -> None:
    with database.transaction() as session:
        for who in (b"a" * 32, b"b" * 32, b"a" * 32):
            object_to_tracking(session, people.workspace_id, who, clock.now())
    with database.read() as session:
        assert privacy.count_objections(session, people.workspace_id) == 2
        assert privacy.count_objections(session, people.other_workspace_id) == 0
