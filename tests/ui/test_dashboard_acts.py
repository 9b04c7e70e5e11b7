"""What the dashboard does itself: bounced contacts are put away in one act, and come back in one."""

import random
from datetime import timedelta
from typing import Any

import pytest
from reflex.state import State
from sqlmodel import Session

from fluenzr_app.campaigns import service as campaigns
from fluenzr_app.campaigns.enrollments import enroll, stop_contact
from fluenzr_app.clock import ManualClock
from fluenzr_app.contacts.models import Contact
from fluenzr_app.db.ids import public_id
from fluenzr_app.events.record import NewEvent, record
from fluenzr_app.ui.pages.dashboard_state import DashboardState
from fluenzr_app.ui.runtime import Runtime
from tests.people import People, make_account, make_contact
from tests.ui.test_guard import carry, sign_in, tab

__all__ = ["sign_in", "tab"]


@pytest.fixture
def braked(installed: Runtime, people: People) -> tuple[str, list[int]]:
    """A campaign with two contacts whose mail came back for good, and these."""
    now, workspace = installed.clock.now(), people.workspace_id
    with installed.database.transaction() as session:
        account = make_account(session, workspace, "camille@rivage.example", now)
        campaign = campaigns.create_campaign(session, workspace, "Achats", now, account_ids=[account]).id
        contacts = [make_contact(session, installed.keyring, workspace, f"c{n}@old.example", now) for n in range(3)]
        enroll(session, workspace, campaign, contacts, now, random.Random(1))
        row = campaigns.get_campaign(session, workspace, campaign)
        assert row.status == "draft"
        for contact in contacts[:2]:
            stop_contact(session, workspace, contact, "bounced", "hard_bounce", now)
            set_status(session, contact, "bounced")
            event = NewEvent(
                workspace, "email.bounced", f"bounced:{contact}", now, contact_id=contact, campaign_id=campaign
            )
            record(session, [event])
    return public_id("cmp", campaign), contacts


def set_status(session: Session, contact_id: int, status: str) -> None:
    """Give a contact a status."""
    contact = session.get(Contact, contact_id)
    assert contact is not None
    contact.status = status
    session.flush()


def statuses(installed: Runtime, contacts: list[int]) -> list[str]:
    """The contacts' statuses as they are stored."""
    with installed.database.read() as session:
        rows = [session.get(Contact, key) for key in contacts]
        return [row.status for row in rows if row is not None]


async def dashboard(tab: State, token: str) -> Any:
    """The page's state, in the tab of whoever has this session."""
    carry(tab, token)
    return await tab.get_state(DashboardState)


async def run(state: Any, name: str, *arguments: Any) -> Any:
    """What a handler answers the browser with."""
    return await DashboardState.event_handlers[name].fn(state, *arguments)


async def test_bounced_contacts_are_archived_and_brought_back(
    installed: Runtime, people: People, tab: State, sign_in: Any, braked: tuple[str, list[int]]
):
    campaign, contacts = braked
    state = await dashboard(tab, sign_in(people.owner))
    await run(state, "archive_bounced", campaign)
    await run(state, "load")
    assert statuses(installed, contacts) == ["archived", "archived", "active"]
    assert state.archived == 2
    await run(state, "put_back")
    await run(state, "load")
    assert statuses(installed, contacts) == ["bounced", "bounced", "active"]
    assert state.archived == 0


async def test_the_offer_to_bring_them_back_ends_after_a_while(
    installed: Runtime,
    people: People,
    tab: State,
    sign_in: Any,
    braked: tuple[str, list[int]],
    clock: ManualClock,
):
    campaign, contacts = braked
    state = await dashboard(tab, sign_in(people.owner))
    await run(state, "archive_bounced", campaign)
    clock.advance(timedelta(minutes=6))
    await run(state, "load")
    assert state.archived == 0
    await run(state, "put_back")
    assert statuses(installed, contacts) == ["archived", "archived", "active"]


async def test_a_stranger_archives_nothing_of_ours(
    installed: Runtime, people: People, tab: State, sign_in: Any, braked: tuple[str, list[int]]
):
    campaign, contacts = braked
    state = await dashboard(tab, sign_in(people.stranger))
    for named in (campaign, "", "cmp_nothing"):
        await run(state, "archive_bounced", named)
    assert statuses(installed, contacts) == ["bounced", "bounced", "active"]
