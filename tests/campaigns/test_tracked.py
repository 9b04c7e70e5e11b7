"""What the summary before a start tells of tracking, and conditions that nothing would ever answer."""

from typing import Any

import pytest

from fluenzr_app.campaigns import lifecycle, service
from fluenzr_app.campaigns.nodes import ConditionNode, DelayNode, Edge, EmailNode, EndNode, StartNode, Workflow
from fluenzr_app.campaigns.steps import linear_workflow
from fluenzr_app.campaigns.tracked import Off
from fluenzr_app.clock import ManualClock
from fluenzr_app.db.engine import Database
from fluenzr_app.workspaces.tracking import change_tracking
from tests.people import People

FIRST = EmailNode("n1", "First", "Hello", "<p>Hi</p>")
SECOND = EmailNode("n2", "Second", "", "<p>Again</p>", track_opens=False)
SILENT = EmailNode("n3", "Third", "", "<p>Last</p>", track_opens=False, track_clicks=False)


def check(
    database: Database, people: People, clock: ManualClock, workflow: Workflow, **settings: bool
) -> lifecycle.StartCheck:
    with database.transaction() as session:
        made = service.create_campaign(
            session, people.workspace_id, "Spring", clock.now(), workflow=workflow, settings=settings
        )
        return lifecycle.start_check(session, people.workspace_id, made.id, clock.now())


def switch(database: Database, people: People, clock: ManualClock, **changes: Any) -> None:
    with database.transaction() as session:
        change_tracking(session, people.owner.identity, people.workspace_id, clock.now(), **changes)


@pytest.mark.parametrize(
    ("mails", "settings", "opens_in", "clicks_in", "off"),
    [
        ([FIRST, SECOND], {}, 1, 2, Off()),
        ([SECOND, SILENT], {}, 0, 1, Off(opens="mails")),
        ([SILENT], {}, 0, 0, Off("mails", "mails")),
        ([FIRST, SECOND], {"trackClicks": False}, 1, 0, Off(clicks="campaign")),
        ([FIRST, SECOND], {"firstMailPlain": True}, 0, 1, Off(opens="mails")),
        ([FIRST], {"firstMailPlain": True}, 0, 0, Off("plain_text", "plain_text")),
    ],
)
def test_a_start_tells_in_how_many_mails_opens_and_clicks_are_asked_after(
    database: Database, people: People, clock: ManualClock, mails: list[EmailNode], settings: dict[str, bool],
    opens_in: int, clicks_in: int, off: Off,
) -> None:  # fmt: skip
    found = check(database, people, clock, linear_workflow(mails), **settings)
    assert (found.emails, found.opens_in, found.clicks_in, found.off) == (len(mails), opens_in, clicks_in, off)


def test_the_switch_of_the_workspace_wins_over_the_campaign_and_its_mails(
    database: Database, people: People, clock: ManualClock
) -> None:
    switch(database, people, clock, track_opens=False)
    found = check(database, people, clock, linear_workflow([FIRST, SECOND]), trackOpens=True)
    assert (found.opens_in, found.clicks_in, found.off) == (0, 2, Off(opens="workspace"))


def test_a_condition_on_opens_is_refused_once_nobody_asks_whether_a_mail_was_opened(
    database: Database, people: People, clock: ManualClock
) -> None:
    nodes = StartNode("s"), FIRST, DelayNode("d", days=3), ConditionNode("c", "opened"), EndNode("e")
    ways = [("s", "n1", None), ("n1", "d", None), ("d", "c", None), ("c", "e", "yes"), ("c", "e", "no")]
    workflow = Workflow(nodes, tuple(Edge(*way) for way in ways))
    assert "tracking_off" not in {fault.code for fault in check(database, people, clock, workflow).faults}
    switch(database, people, clock, track_opens=False)
    (fault,) = (f for f in check(database, people, clock, workflow).faults if f.code == "tracking_off")
    assert (fault.node_id, fault.params) == ("c", {"mail": "n1", "tracked": "opens", "by": "workspace"})
