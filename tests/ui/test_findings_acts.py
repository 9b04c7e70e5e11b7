"""What pages do themselves about findings: one act mends, one takes it back; what is put aside comes back."""

import random
from datetime import timedelta
from typing import Any

import pytest
from reflex.state import State
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns import service as campaigns
from fluenzr_app.campaigns.enrollments import enroll, stop_contact
from fluenzr_app.campaigns.models import Campaign
from fluenzr_app.clock import ManualClock
from fluenzr_app.contacts.models import Contact
from fluenzr_app.db.ids import public_id
from fluenzr_app.events.record import NewEvent, record
from fluenzr_app.sending.models import Message
from fluenzr_app.ui.findings_state import FindingsState
from fluenzr_app.ui.runtime import Runtime
from fluenzr_app.workspaces.errors import NotAllowed
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
        started = session.get(Campaign, campaign)
        assert started is not None
        started.status = "active"
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


async def findings(tab: State, token: str) -> Any:
    """What stands still, in the tab of whoever has this session."""
    carry(tab, token)
    return await tab.get_state(FindingsState)


async def run(state: Any, name: str, *arguments: Any) -> Any:
    """What a handler answers the browser with."""
    return await FindingsState.event_handlers[name].fn(state, *arguments)


def set_account(installed: Runtime, account: int, status: str) -> None:
    """Give an account a status, as its owner or a provider would."""
    with installed.database.transaction() as session:
        row = session.get(EmailAccount, account)
        assert row is not None
        row.status, row.pause_reason = status, "user" if status == "paused" else ""


def status_of(installed: Runtime, account: int) -> str:
    """The account's status as it is stored."""
    with installed.database.read() as session:
        row = session.get(EmailAccount, account)
        assert row is not None
        return row.status


@pytest.fixture
def waiting(installed: Runtime, people: People) -> list[int]:
    """Four paused accounts, each with a mail that waits for it."""
    now, workspace = installed.clock.now(), people.workspace_id
    found = []
    with installed.database.transaction() as session:
        for n in range(4):
            account = make_account(session, workspace, f"camille{n}@rivage.example", now)
            contact = make_contact(session, installed.keyring, workspace, f"w{n}@old.example", now)
            session.add(
                Message(
                    workspace_id=workspace, account_id=account, contact_id=contact, kind="manual",
                    to_address=f"w{n}@old.example", to_domain="old.example", rfc_id=f"<{n}@rivage.example>", due_at=now,
                    created_at=now,
                )
            )  # fmt: skip
            found.append(account)
    for account in found:
        set_account(installed, account, "paused")
    return found


async def test_bounced_contacts_are_archived_and_brought_back(
    installed: Runtime, people: People, tab: State, sign_in: Any, braked: tuple[str, list[int]]
):
    _campaign, contacts = braked
    state = await findings(tab, sign_in(people.owner))
    await run(state, "look")
    line = next(line for line in state.lines if line.code == "contacts_bounced")
    await run(state, "mend", "archive_bounced", line.key)
    assert statuses(installed, contacts) == ["archived", "archived", "active"]
    await run(state, "look")
    assert (state.can_undo, state.done_words) == (True, "2 contacts : en rebond → archivés")
    assert "contacts_bounced" not in [line.code for line in state.lines]
    await run(state, "undo")
    assert statuses(installed, contacts) == ["bounced", "bounced", "active"]
    assert (state.can_undo, state.done_words) == (False, "")


async def test_the_offer_to_bring_them_back_ends_after_a_while(
    installed: Runtime, people: People, tab: State, sign_in: Any, braked: tuple[str, list[int]], clock: ManualClock
):
    _campaign, contacts = braked
    state = await findings(tab, sign_in(people.owner))
    await run(state, "mend", "archive_bounced", "contacts_bounced:")
    clock.advance(timedelta(minutes=6))
    await run(state, "look")
    assert not state.can_undo
    await run(state, "undo")
    assert statuses(installed, contacts) == ["archived", "archived", "active"]


async def test_a_stranger_archives_nothing_of_ours(
    installed: Runtime, people: People, tab: State, sign_in: Any, braked: tuple[str, list[int]]
):
    campaign, contacts = braked
    state = await findings(tab, sign_in(people.stranger))
    for named in (f"campaign_paused:{campaign}", "contacts_bounced:", "campaign_bounces:cmp_nothing", ""):
        await run(state, "mend", "archive_bounced", named)
        await run(state, "put_aside", "week", named)
        await run(state, "show_again", named)
    assert statuses(installed, contacts) == ["bounced", "bounced", "active"]


async def test_all_paused_accounts_are_resumed_in_one_act_and_paused_again_in_one(
    installed: Runtime, people: People, tab: State, sign_in: Any, waiting: list[int]
):
    state = await findings(tab, sign_in(people.owner))
    await run(state, "look")
    line = next(line for line in state.lines if line.code == "account_paused")
    assert (line.what, len(line.things), state.pressing) == ("4 comptes en pause", 4, 4)
    await run(state, "mend", "resume", line.key)
    assert {status_of(installed, account) for account in waiting} == {"connected"}
    await run(state, "look")
    assert (state.pressing, state.done_words) == (0, "4 comptes : en pause → connectés")
    await run(state, "undo")
    assert {status_of(installed, account) for account in waiting} == {"paused"}


async def test_a_member_may_not_resume_an_account(
    installed: Runtime, people: People, tab: State, sign_in: Any, waiting: list[int]
):
    state = await findings(tab, sign_in(people.teammate))
    await run(state, "look")
    line = next(line for line in state.lines if line.code == "account_paused")
    assert (line.act, line.mend) == ("", "")
    with pytest.raises(NotAllowed):
        await run(state, "mend", "resume", line.key)
    assert {status_of(installed, account) for account in waiting} == {"paused"}


async def test_an_act_that_a_finding_does_not_ask_for_is_not_done(
    installed: Runtime, people: People, tab: State, sign_in: Any, waiting: list[int]
):
    state = await findings(tab, sign_in(people.owner))
    await run(state, "look")
    line = next(line for line in state.lines if line.code == "account_paused")
    for act in ("archive_bounced", "try_again", "remove", "undo"):
        await run(state, "mend", act, line.key)
    assert {status_of(installed, account) for account in waiting} == {"paused"}


async def test_what_is_put_aside_leaves_list_and_count_and_comes_back_in_time(
    installed: Runtime, people: People, tab: State, sign_in: Any, waiting: list[int], clock: ManualClock
):
    state = await findings(tab, sign_in(people.owner))
    await run(state, "look")
    line = next(line for line in state.lines if line.code == "account_paused")
    await run(state, "put_aside", "day", line.key)
    await run(state, "look")
    assert ([line.code for line in state.lines], state.pressing, len(state.aside)) == ([], 0, 4)
    assert state.aside[0].aside_until == (clock.now() + timedelta(days=1)).isoformat()
    await run(state, "show_again", state.aside[0].key)
    await run(state, "look")
    assert (state.pressing, len(state.aside)) == (1, 3)
    clock.advance(timedelta(hours=25))
    await run(state, "look")
    assert (state.pressing, len(state.aside)) == (4, 0)
    await run(state, "put_aside", "for ever", state.lines[0].key)
    await run(state, "look")
    assert state.pressing == 4


async def test_only_what_an_explanation_exists_for_is_explained(tab: State, sign_in: Any, people: People):
    state = await findings(tab, sign_in(people.owner))
    for asked, shown in (("release", "release"), ("resume", ""), ("check_clock", "check_clock"), ("", "")):
        await run(state, "explain", asked)
        assert state.explained == shown
