"""Guarantees 3 and 4 at both gates: what changes between the claim and the mark is seen at the mark."""

from collections.abc import Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from fluenzr_app.accounts import service as accounts
from fluenzr_app.campaigns import lifecycle
from fluenzr_app.campaigns.audience import contacts_deleted
from fluenzr_app.contacts.models import Contact
from fluenzr_app.contacts.suppression import suppress_contact
from fluenzr_app.sending.values import Marked, NotMarked
from tests.engine_world import OFFICE_HOURS, TWO_MAILS, EngineWorld

PARIS = ZoneInfo("Europe/Paris")
Change = Callable[[EngineWorld, int, int], None]


def suppress_address(world: EngineWorld, contact: int, campaign: int) -> None:
    with world.db.transaction() as session:
        suppress_contact(session, world.workspace_id, contact, "unsubscribe", world.clock.now())


def suppress_domain(world: EngineWorld, contact: int, campaign: int) -> None:
    with world.db.transaction() as session:
        hashed = session.get_one(Contact, contact).domain_hash
        session.connection().execute(
            text(
                "INSERT INTO suppression (workspace_id, kind, hash, shown, reason, at)"
                " SELECT workspace_id, 'domain', :hash, '', 'manual', created_at FROM contact WHERE id = :id"
            ),
            {"hash": hashed, "id": contact},
        )


def contact_becomes(status: str) -> Change:
    def change(world: EngineWorld, contact: int, campaign: int) -> None:
        world.execute("UPDATE contact SET status = :status WHERE id = :id", status=status, id=contact)

    change.__name__ = f"contact_{status}"
    return change


def delete_contact(world: EngineWorld, contact: int, campaign: int) -> None:
    with world.db.transaction() as session:
        contacts_deleted(session, world.workspace_id, [contact], world.clock.now())
        session.delete(session.get_one(Contact, contact))


def pause_campaign(world: EngineWorld, contact: int, campaign: int) -> None:
    world.pause(campaign)


def archive_campaign(world: EngineWorld, contact: int, campaign: int) -> None:
    world.pause(campaign)
    with world.db.transaction() as session:
        lifecycle.archive(session, world.workspace_id, campaign, world.clock.now())


def pause_account(world: EngineWorld, contact: int, campaign: int) -> None:
    account = int(world.one("SELECT min(id) FROM email_account"))
    with world.db.transaction() as session:
        accounts.pause(session, world.workspace_id, account, world.clock.now())


def lower_the_limit(world: EngineWorld, contact: int, campaign: int) -> None:
    account = int(world.one("SELECT min(id) FROM email_account"))
    with world.db.transaction() as session:
        accounts.update_settings(session, world.workspace_id, account, {"daily_limit": 1}, world.clock.now())


def close_the_window(world: EngineWorld, contact: int, campaign: int) -> None:
    world.clock.set(datetime(2026, 3, 2, 18, tzinfo=PARIS))


# What happens, and whether nobody at all may be written to then, or everybody but the one contact.
PERSONAL = [
    suppress_address,
    suppress_domain,
    *(contact_becomes(status) for status in ("unsubscribed", "bounced", "blocked", "archived")),
    delete_contact,
]
GENERAL = [pause_campaign, archive_campaign, pause_account, close_the_window]


@pytest.mark.parametrize("change", PERSONAL, ids=lambda change: change.__name__)
async def test_somebody_who_says_no_before_the_claim_is_not_claimed(world: EngineWorld, change: Change) -> None:
    account, people = world.account(), world.people(3)
    campaign = world.campaign([account], people)
    change(world, people[1], campaign)
    await world.tick(2)
    assert sorted(world.office.recipients()) == ["p0@firm0.example", "p2@firm2.example"]
    assert world.walks().get("pending", 0) == 0
    world.check_books()


@pytest.mark.parametrize("change", PERSONAL, ids=lambda change: change.__name__)
async def test_somebody_who_says_no_between_claim_and_mark_is_not_marked(world: EngineWorld, change: Change) -> None:
    account, people = world.account(), world.people(3)
    campaign = world.campaign([account], people)
    await world.engine.start()
    claims = world.claim(account).claimed
    assert len(claims) == 3
    change(world, people[1], campaign)
    marks = world.mark(claims)
    assert {claim.message.contact_id for claim in claims if isinstance(marks[claim.message.id], Marked)} == {
        people[0],
        people[2],
    }
    assert world.one("SELECT count(*) FROM attempt") == 2
    await world.crash()
    world.check_books()


@pytest.mark.parametrize("change", [*GENERAL, lower_the_limit], ids=lambda change: change.__name__)
async def test_what_stops_everybody_between_claim_and_mark_stops_everybody(world: EngineWorld, change: Change) -> None:
    account, people = world.account(), world.people(3)
    campaign = world.campaign([account], people, settings=OFFICE_HOURS)
    await world.engine.start()
    claims = world.claim(account).claimed
    assert len(claims) == 3
    change(world, people[1], campaign)
    marks = world.mark(claims)
    assert all(isinstance(answer, NotMarked) for answer in marks.values())
    assert world.one("SELECT count(*) FROM attempt") == 0
    assert "claimed" not in world.messages()
    await world.tick()
    assert len(world.office.taken) == (1 if change is lower_the_limit else 0)
    world.check_books()


@pytest.mark.parametrize("change", GENERAL, ids=lambda change: change.__name__)
async def test_what_stops_everybody_before_the_claim_stops_everybody(world: EngineWorld, change: Change) -> None:
    account, people = world.account(), world.people(2)
    campaign = world.campaign([account], people, settings=OFFICE_HOURS)
    change(world, people[0], campaign)
    await world.tick(2)
    assert world.office.taken == []


async def test_a_pause_and_a_resume_between_claim_and_mark_send_everybody_once(world: EngineWorld) -> None:
    account = world.account()
    campaign = world.campaign([account], world.people(3))
    await world.engine.start()
    claims = world.claim(account).claimed
    world.pause(campaign)
    world.resume(campaign)
    assert all(isinstance(answer, NotMarked) for answer in world.mark(claims).values())
    await world.tick()
    assert world.messages() == {"sent": 3}
    assert set(world.office.counted().values()) == {1}
    world.check_books()


async def test_a_claim_that_was_taken_back_cannot_be_marked(world: EngineWorld) -> None:
    account = world.account()
    world.campaign([account], world.people(3))
    await world.engine.start()
    claimer = world.claimer()
    claims = world.claim(account, claimer=claimer).claimed
    await world.crash()
    marks = world.mark(claims, claimer)
    assert {answer.code for answer in marks.values() if isinstance(answer, NotMarked)} == {"claim_lost"}
    assert len(world.mark(world.claim(account).claimed)) == 3


async def test_an_unsubscribe_between_two_mails_ends_the_walk(world: EngineWorld) -> None:
    account, people = world.account(), world.people(2)
    campaign = world.campaign([account], people, TWO_MAILS)
    await world.tick()
    suppress_address(world, people[0], campaign)
    await world.run_for(days=4)
    assert world.office.counted() == {"p0@firm0.example": 1, "p1@firm1.example": 2}
    assert world.walks() == {"completed": 1, "unsubscribed": 1}
    assert world.status_of(campaign) == "completed"
    world.check_books()


async def test_a_long_row_of_people_who_said_no_is_passed_over_in_several_claims(world: EngineWorld) -> None:
    account = world.account(min_gap_seconds=60)
    people = world.people(450, domain="same.example")
    campaign = world.campaign([account], people)
    world.execute("UPDATE contact SET status = 'blocked' WHERE id <> :id", id=people[-1])
    await world.engine.start()
    world.clock.advance(timedelta(hours=1))
    world.execute("UPDATE email_account SET next_send_at = NULL")
    world.claim(account)
    world.clock.advance(timedelta(hours=1))
    with world.statements() as seen:
        assert world.claim(account).claimed == ()
    assert seen[""] < 100 * 20
    await world.tick(5)
    assert world.office.recipients() == ["p449@same.example"]
    assert world.status_of(campaign) == "completed"
    world.check_books()
