"""What the section of tracking and privacy does itself: only an admin changes it, and only in their own workspace."""

from datetime import timedelta
from typing import Any

import pytest
from reflex.state import State

from fluenzr_app.tracking.models import Hit
from fluenzr_app.ui.pages.settings_privacy import PrivacyState
from fluenzr_app.ui.runtime import Runtime
from fluenzr_app.workspaces.errors import NotAllowed
from fluenzr_app.workspaces.tracking import TrackingSettings, change_tracking, tracking_settings
from tests.people import People
from tests.ui.test_guard import carry, sign_in, tab

__all__ = ["sign_in", "tab"]

DEFAULTS = TrackingSettings(True, True, False, 90, "on_open")
DETAILED = TrackingSettings(True, True, True, 90, "on_open")


async def section(tab: State, token: str) -> Any:
    """The section's state, in the tab of whoever has this session."""
    carry(tab, token)
    return await tab.get_state(PrivacyState)


async def run(state: Any, name: str, *arguments: Any) -> Any:
    """What a handler answers the browser with."""
    return await PrivacyState.event_handlers[name].fn(state, *arguments)


def settings_of(installed: Runtime, workspace: int) -> TrackingSettings:
    """What is stored."""
    with installed.database.read() as session:
        return tracking_settings(session, workspace)


def keep_details(installed: Runtime, people: People, *days: int) -> None:
    """Switch details on in the owner's workspace, with an opening kept of each of these days ago."""
    now = installed.clock.now()
    with installed.database.transaction() as session:
        change_tracking(session, people.owner.identity, people.workspace_id, now, details=True)
        for ago in days:
            at = now - timedelta(days=ago)
            hit = Hit(
                workspace_id=people.workspace_id, kind="open", message_id=1, contact_id=1, campaign_id=1, account_id=1,
                node_id=1, composed_at=at, at=at, machine=False, judged_at=at, ip="192.0.2.7",
            )  # fmt: skip
            session.add(hit)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("switch", ("track_opens", False)),
        ("choose_proxies", ("none",)),
        ("ask_details", ("details",)),
        ("keep_details", ({"days": "30"},)),
        ("forget_details", ()),
        ("set_days", ("30",)),
        ("shorten", ()),
    ],
)
async def test_a_member_reads_and_changes_nothing(
    installed: Runtime, people: People, tab: State, sign_in: Any, name: str, arguments: tuple[Any, ...]
):
    state = await section(tab, sign_in(people.teammate))
    await run(state, "load")
    assert (state.loaded, state.track_opens, state.days) == (True, True, "90")
    with pytest.raises(NotAllowed):
        await run(state, name, *arguments)
    assert settings_of(installed, people.workspace_id) == DEFAULTS


async def test_an_admin_of_another_workspace_changes_their_own_alone(
    installed: Runtime, people: People, tab: State, sign_in: Any
):
    keep_details(installed, people, 1, 80)
    state = await section(tab, sign_in(people.stranger))
    await run(state, "switch", "track_clicks", False)
    await run(state, "forget_details")
    assert settings_of(installed, people.workspace_id) == DETAILED
    assert settings_of(installed, people.other_workspace_id) == TrackingSettings(True, False, False, 90, "on_open")
    await run(state, "ask_details", "dates")
    assert state.doomed == 0


async def test_what_the_page_never_sends_changes_nothing(installed: Runtime, people: People, tab: State, sign_in: Any):
    state = await section(tab, sign_in(people.owner))
    await run(state, "switch", "tracking_details", True)
    await run(state, "choose_proxies", "some")
    await run(state, "ask_details", "dates")
    await run(state, "keep_details", {})
    assert state.error
    await run(state, "shorten")
    assert settings_of(installed, people.workspace_id) == DEFAULTS


async def test_fewer_days_are_asked_about_only_where_something_goes(
    installed: Runtime, people: People, tab: State, sign_in: Any
):
    keep_details(installed, people, 1, 80)
    state = await section(tab, sign_in(people.owner))
    await run(state, "load")
    await run(state, "set_days", "85")
    assert (state.asking, settings_of(installed, people.workspace_id).details_days) == ("", 85)
    await run(state, "set_days", "30")
    assert (state.asking, state.doomed, settings_of(installed, people.workspace_id).details_days) == ("shorten", 1, 85)
    await run(state, "close")
    await run(state, "set_days", "trente")
    assert (state.saved, settings_of(installed, people.workspace_id).details_days) == ("", 85)
    assert "730" in state.error
