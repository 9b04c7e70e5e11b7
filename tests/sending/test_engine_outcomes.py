"""Guarantees 2 and 7: how an attempt ends, for the message, its walk and its account."""

import asyncio
import itertools
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlmodel import Session

from fluenzr_app.accounts import service as accounts
from fluenzr_app.campaigns.origin import CampaignOrigin
from fluenzr_app.campaigns.uncertain import Decision, decide
from fluenzr_app.mail.transport import SendFailure
from fluenzr_app.sending import lanes, ledger
from fluenzr_app.sending.errors import NotUncertain
from tests.engine_world import ON_SQLITE, THREE_MAILS, TWO_MAILS, EngineWorld

SOFT = SendFailure("recipient", "4.2.2 Mailbox full", code=452)
HARD = SendFailure("recipient", "5.1.1 No such user", permanent=True, code=550)
SILENCE = SendFailure("connection", "no answer", certain=False)
CUT = SendFailure("connection", "connection lost")
BUSY = SendFailure("account", "4.3.2 try later", code=421, error_code="rate_limited")
QUOTA = SendFailure("account", "5.4.5 quota", code=550, error_code="quota_exceeded")
WRONG_PASSWORD = SendFailure("account", "5.7.8 no", permanent=True, code=535, error_code="auth_failed")
P0, P1 = "p0@firm0.example", "p1@firm1.example"


def events(world: EngineWorld) -> list[str]:
    return [row[0] for row in world.rows("SELECT type FROM event WHERE type LIKE 'email.%' ORDER BY id")]


async def test_a_failure_before_the_dot_goes_back_and_loses_nobody(world: EngineWorld) -> None:
    campaign = world.campaign([world.account()], world.people(3))
    world.office.script[P0].append(CUT)
    await world.tick()
    assert world.messages().get("queued", 0) + world.messages().get("sent", 0) + world.walks()["pending"] >= 3
    world.check_books()
    await world.run_for(hours=2)
    assert world.office.counted() == {f"p{n}@firm{n}.example": 1 for n in range(3)}
    assert world.one("SELECT max(attempts) FROM message") == 2
    assert world.status_of(campaign) == "completed"
    assert events(world) == ["email.sent"] * 3
    world.check_books()


@pytest.mark.parametrize(("decision", "offered"), [("sent", 1), ("again", 2)])
async def test_silence_after_the_dot_waits_for_a_decision(world: EngineWorld, decision: Decision, offered: int) -> None:
    campaign = world.campaign([world.account()], world.people(2), TWO_MAILS)
    world.office.script[P0].append(SILENCE)
    await world.run_for(days=10)
    assert [recipient for recipient, _ in world.office.offered].count(P0) == 1
    assert world.messages()["uncertain"] == 1
    assert world.status_of(campaign) == "active", "never while something is uncertain"
    world.check_books()
    message = int(world.one("SELECT id FROM message WHERE status = 'uncertain'"))
    origin = world.origins["campaign"]
    assert isinstance(origin, CampaignOrigin)

    def decided() -> None:
        with world.db.transaction() as session:
            decide(session, world.workspace_id, message, decision, origin, world.clock.now())

    decided()
    with pytest.raises(NotUncertain):
        decided()
    await world.tick()
    assert [recipient for recipient, _ in world.office.offered].count(P0) == offered
    await world.run_for(days=4)
    assert world.walks() == {"completed": 2}
    assert world.status_of(campaign) == "completed"
    world.check_books()


async def test_soft_bounces_are_tried_after_1_4_24_and_48_hours_and_then_are_hard(world: EngineWorld) -> None:
    people = world.people(1)
    first = world.campaign([world.account()], people, TWO_MAILS)
    world.office.script[P0].extend([SOFT] * 9)
    await world.run_for(days=5)
    tried = world.attempts()
    assert [round((b - a) / timedelta(hours=1), 2) for a, b in itertools.pairwise(tried)] == [1, 4, 24, 48]
    assert len({rfc_id for _, rfc_id in world.office.offered}) == 1
    assert world.walks() == {"bounced": 1}
    assert world.one("SELECT status FROM contact") == "bounced"
    assert events(world) == ["email.deferred"] * 4 + ["email.bounced", "email.sent"]
    assert world.status_of(first) == "completed"
    world.check_books()


async def test_the_delay_after_a_soft_bounce_counts_from_the_acceptance(world: EngineWorld) -> None:
    world.campaign([world.account()], world.people(1), TWO_MAILS)
    begun = world.clock.now()
    world.office.script[P0].extend([SOFT, SOFT])
    await world.run_for(days=5)
    first, second = (taken.at for taken in world.office.mails_to(P0))
    assert first == begun + timedelta(hours=5)
    assert second == first + timedelta(days=3)


async def test_a_hard_bounce_ends_every_walk_of_the_contact_and_suppresses_it(world: EngineWorld) -> None:
    account, people = world.account(), world.people(2)
    one = world.campaign([account], people, TWO_MAILS)
    await world.tick()
    two = world.campaign([account], people, TWO_MAILS)
    world.office.script[P0].append(HARD)
    await world.run_for(days=4)
    assert world.office.counted() == {P0: 1, P1: 4}
    assert world.walks(one) == world.walks(two) == {"bounced": 1, "completed": 1}
    assert world.one("SELECT count(*) FROM suppression") == 1
    assert events(world).count("email.bounced") == 1
    assert world.status_of(one) == world.status_of(two) == "completed"
    world.check_books()


async def test_a_mail_refused_for_its_content_is_no_bounce(world: EngineWorld) -> None:
    world.campaign([world.account()], world.people(1), TWO_MAILS)
    world.office.script[P0].append(SendFailure("message", "5.7.1 spam", permanent=True, code=554))
    await world.run_for(days=4)
    assert world.walks() == {"error": 1}
    assert world.one("SELECT status FROM contact") == "active"
    assert events(world) == ["email.rejected"]
    world.check_books()


async def test_follow_ups_are_answers_in_the_thread(world: EngineWorld) -> None:
    world.campaign([world.account()], world.people(1, company="Alpha"), THREE_MAILS)
    await world.run_for(days=8)
    first, second, third = (taken.mail for taken in world.office.mails_to(P0))
    assert first["Subject"] == "About Alpha"
    assert first["In-Reply-To"] is None
    assert second["Subject"] == third["Subject"] == "Re: About Alpha"
    assert second["In-Reply-To"] == first["Message-ID"]
    assert third["In-Reply-To"] == second["Message-ID"]
    assert third["References"].split() == [first["Message-ID"], second["Message-ID"]]


async def test_421_backs_off_only_that_account(world: EngineWorld) -> None:
    slow, good = world.account("lea"), world.account("tom")
    people = world.people(30)
    world.campaign([slow], people[:10])
    world.campaign([good], people[10:])
    world.office.whenever = lambda account, _recipient: BUSY if account == slow else None
    await world.tick(3)
    assert len(world.office.taken) == 20
    assert len(world.office.offered) == 21, "one try until the back-off is over"
    assert world.one("SELECT count(*) FROM email_account WHERE backoff_until IS NOT NULL") == 1
    world.office.whenever = lambda account, recipient: None
    await world.run_for(hours=1)
    assert set(world.office.counted().values()) == {1}
    assert len(world.office.taken) == 30
    world.check_books()


@pytest.mark.parametrize("where", ["connecting", "sending"])
async def test_new_contacts_of_a_failed_account_move_by_themselves_and_follow_ups_stay(
    world: EngineWorld, where: str
) -> None:
    first, second = world.account("lea", daily_limit=4), world.account("tom", daily_limit=3)
    people = world.people(14)
    campaign = world.campaign([first, second], people, TWO_MAILS)
    await world.tick()
    assert len(world.office.taken) == 7
    mine = {taken.recipient for taken in world.office.taken if taken.account_id == first}
    if where == "connecting":
        world.office.closed[first] = WRONG_PASSWORD
    else:
        world.office.whenever = lambda account, _recipient: WRONG_PASSWORD if account == first else None
    await world.run_for(days=9)
    counted = world.office.counted()
    assert len(counted) >= 13
    assert all(counted[recipient] == 1 for recipient in mine)
    assert {taken.account_id for taken in world.office.taken if taken.recipient not in mine} == {second}
    assert world.one("SELECT status FROM email_account WHERE id = :id", id=first) == "error"
    world.check_books()
    with world.db.transaction() as session:
        accounts.resume(session, world.workspace_id, first, world.clock.now())
    world.office.closed.clear()
    world.office.whenever = lambda account, recipient: None
    await world.run_for(days=6)
    assert world.walks() == {"completed": 14}
    assert set(world.office.counted().values()) == {2}
    assert world.status_of(campaign) == "completed"
    world.check_books()


async def test_a_pause_for_the_quota_ends_by_itself(world: EngineWorld) -> None:
    account = world.account()
    world.campaign([account], world.people(3))
    world.office.script[P0].append(QUOTA)
    await world.tick(2)
    assert world.one("SELECT status FROM email_account") == "paused"
    sent = len(world.office.taken)
    await world.run_for(hours=23)
    assert len(world.office.taken) == sent
    await world.run_for(hours=2)
    assert len(world.office.taken) == 3
    world.check_books()


@ON_SQLITE
async def test_the_ledger_keeps_what_it_knows_while_the_database_cannot_be_written(
    world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.parallel = 3
    world.account()
    world.campaign([1], world.people(12))
    monkeypatch.setattr(ledger, "_RETRY_S", 0.001)
    whole, failures = world.db.transact, iter([True] * 5 + [False] + [True] * 4)

    def sometimes(work: Any, *arguments: Any) -> Any:
        if getattr(work, "__name__", "") == "_apply" and next(failures, False):
            if world.rng.random() < 0.5:
                raise OSError("disk full")
            raise OperationalError("COMMIT", {}, Exception("database or disk is full"))
        return whole(work, *arguments)

    monkeypatch.setattr(world.db, "transact", sometimes)
    await world.tick()
    monkeypatch.undo()
    assert world.messages() == {"sent": 12}
    assert set(world.office.counted().values()) == {1}
    world.check_books()


async def test_an_entry_that_cannot_be_written_takes_no_other_with_it(
    world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.parallel = 4
    account = world.account()
    world.campaign([account], world.people(12))
    whole = ledger.mark  # type: ignore[attr-defined]
    poison: list[int] = []

    def refuses(session: Session, claimer: Any, claims: Any, now: Any) -> Any:
        if not poison:
            poison.append(claims[-1].message.id)
        if any(claim.message.id == poison[0] for claim in claims):
            raise ValueError("a row nobody foresaw")
        return whole(session, claimer, claims, now)

    monkeypatch.setattr(ledger, "mark", refuses)
    await world.tick(2)
    monkeypatch.undo()
    assert "sending" not in world.messages()
    assert "uncertain" not in world.messages()
    await world.tick(2)
    assert world.messages() == {"sent": 12}
    assert set(world.office.counted().values()) == {1}
    world.check_books()


async def test_the_end_of_a_mail_is_kept_when_the_mark_of_the_next_one_fails(
    world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.campaign([world.account()], world.people(2))
    whole, calls = ledger.mark, iter([False])  # type: ignore[attr-defined]

    def fails_from_the_second_on(*arguments: Any) -> Any:
        if next(calls, True):
            raise ValueError("a row nobody foresaw")
        return whole(*arguments)

    monkeypatch.setattr(ledger, "mark", fails_from_the_second_on)
    await world.tick()
    monkeypatch.undo()
    assert len(world.office.taken) == 1
    assert "uncertain" not in world.messages()
    await world.tick()
    assert set(world.office.counted().values()) == {1}
    assert world.messages() == {"sent": 2}
    world.check_books()


async def test_a_mail_that_cannot_be_composed_holds_up_nobody(
    world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = world.campaign([world.account()], world.people(4))
    whole = lanes.compose  # type: ignore[attr-defined]

    def compose(draft: Any) -> Any:
        if draft.to_address == P1:
            raise RecursionError("nobody foresaw this")
        return whole(draft)

    monkeypatch.setattr(lanes, "compose", compose)
    await world.tick(2)
    assert len(world.office.taken) == 3
    assert world.walks() == {"completed": 3, "error": 1}
    assert world.status_of(campaign) == "completed"
    world.check_books()


async def test_a_claim_that_fails_while_a_mark_is_stored_leaves_nothing_uncertain(
    world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "CLAIMS_PER_LANE", 1)
    world.campaign([world.account()], world.people(3))
    whole, calls = lanes.claim_due, iter([False, True])  # type: ignore[attr-defined]

    def fails_at_the_second(*arguments: Any) -> Any:
        if next(calls, False):
            raise ValueError("the database was away")
        return whole(*arguments)

    monkeypatch.setattr(lanes, "claim_due", fails_at_the_second)
    await world.tick()
    assert "uncertain" not in world.messages()
    await world.tick(2)
    assert world.messages() == {"sent": 3}
    assert set(world.office.counted().values()) == {1}
    world.check_books()


async def test_claims_of_a_failed_run_are_put_back_as_soon_as_the_database_can_be_written(
    world: EngineWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.campaign([world.account()], world.people(3))
    await world.engine.start()
    whole, broken = lanes.AccountRun._lane, [True]
    tidy = world.engine._clean_up

    async def lane(run: Any) -> None:
        if broken[0]:
            raise RuntimeError("a lane broke")
        await whole(run)

    def clean_up(session: Session, account_id: int) -> None:
        if broken[0]:
            raise OperationalError("UPDATE", {}, Exception("the database was away"))
        tidy(session, account_id)

    monkeypatch.setattr(lanes.AccountRun, "_lane", lane)
    monkeypatch.setattr(lanes.AccountRun, "_put_back", lambda run: asyncio.sleep(0))
    monkeypatch.setattr(world.engine, "_clean_up", clean_up)
    await world.tick()
    assert world.messages() == {"claimed": 3}
    broken[0] = False
    await world.tick(2)
    assert world.messages() == {"sent": 3}
    world.check_books()


async def test_a_stop_while_a_connection_is_being_made_hands_everything_back(world: EngineWorld) -> None:
    account = world.account()
    world.campaign([account], world.people(3))
    await world.engine.start()
    gate = asyncio.Event()

    async def slow(self: Any) -> Any:
        await gate.wait()
        raise CUT

    patched = pytest.MonkeyPatch()
    patched.setattr("tests.engine_world._Transport.connect", slow)
    try:
        await world.engine.tick()
        while "claimed" not in world.messages():
            await asyncio.sleep(0)
        stopping = asyncio.create_task(world.engine.stop())
        await asyncio.sleep(0)
        gate.set()
        await stopping
    finally:
        patched.undo()
    assert "claimed" not in world.messages()
    assert "sending" not in world.messages()
    assert world.one("SELECT count(*) FROM attempt") == 0
    world.engine = world.new_engine()
    await world.run_for(hours=1)
    assert set(world.office.counted().values()) == {1}
    assert len(world.office.taken) == 3
    world.check_books()
