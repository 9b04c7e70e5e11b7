"""Guarantees 1 and 9: no step twice and nobody lost, whatever is removed, added again or rewritten on the way."""

import itertools
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from fluenzr_app.campaigns.audience import add_contacts, remove_contacts
from fluenzr_app.campaigns.nodes import DelayNode
from fluenzr_app.campaigns.origin import CampaignOrigin
from fluenzr_app.campaigns.uncertain import decide
from fluenzr_app.mail.transport import SendFailure
from tests.engine_world import ON_SQLITE, ONE_MAIL, THREE_MAILS, TWO_MAILS, EngineWorld, mail

SOFT = SendFailure("recipient", "4.2.2 Mailbox full", code=452)
SILENCE = SendFailure("connection", "no answer", certain=False)
NAMED = mail("n3", "About the spring")
OFFLINE = SendFailure("account", "4.3.2 not now", code=421)


def remove(world: EngineWorld, campaign: int, contacts: list[int]) -> int:
    with world.db.transaction() as session:
        return remove_contacts(session, world.workspace_id, campaign, contacts, world.clock.now())


def add(world: EngineWorld, campaign: int, contacts: list[int]) -> None:
    with world.db.transaction() as session:
        add_contacts(session, world.workspace_id, campaign, contacts, world.clock.now(), world.rng)


def steps_got(world: EngineWorld, recipient: str) -> list[str]:
    """The keys of the mails that somebody got, in order."""
    keys = world.rows("SELECT m.rfc_id, n.key FROM message m JOIN node n ON n.id = m.node_id")
    by_rfc = {row[0]: row[1] for row in keys}
    return [by_rfc[taken.rfc_id] for taken in world.office.mails_to(recipient)]


def settle_uncertain(world: EngineWorld, decision: str) -> None:
    origin = world.origins["campaign"]
    assert isinstance(origin, CampaignOrigin)
    for (message_id,) in world.rows("SELECT id FROM message WHERE status = 'uncertain'"):
        with world.db.transaction() as session:
            decide(session, world.workspace_id, message_id, decision, origin, world.clock.now())  # type: ignore[arg-type]


async def test_the_database_itself_refuses_a_second_message_of_a_step(world: EngineWorld) -> None:
    campaign = world.campaign([world.account()], world.people(1))
    await world.tick()
    columns = "workspace_id, kind, account_id, contact_id, campaign_id, enrollment_id, node_id, to_address, to_domain"
    rest = "subject, priority, status, due_at, attempts, soft_bounces, account_revision, campaign_revision, reason"
    rest += ", detail, created_at"
    with pytest.raises(IntegrityError):
        world.execute(
            f"INSERT INTO message ({columns}, {rest}, rfc_id) SELECT {columns}, {rest}, 'another' FROM message"
        )
    assert world.status_of(campaign) == "active"


async def test_a_sequence_runs_to_its_end_and_the_campaign_with_it(world: EngineWorld) -> None:
    campaign = world.campaign([world.account()], world.people(7), THREE_MAILS)
    await world.run_for(days=9)
    assert steps_got(world, "p0@firm0.example") == ["n1", "n3", "n5"]
    assert world.office.counted() == {f"p{n}@firm{n}.example": 3 for n in range(7)}
    assert world.walks() == {"completed": 7}
    assert world.status_of(campaign) == "completed"
    world.check_books()


async def test_every_retry_carries_the_same_message_id(world: EngineWorld) -> None:
    world.campaign([world.account()], world.people(1))
    world.office.script["p0@firm0.example"].extend([OFFLINE, SOFT, OFFLINE, SOFT])
    await world.run_for(days=3)
    assert len(world.office.offered) == 5
    assert len({rfc_id for _, rfc_id in world.office.offered}) == 1
    assert world.walks() == {"completed": 1}
    world.check_books()


async def test_the_same_message_id_outlives_crashes_and_another_decision(world: EngineWorld) -> None:
    world.campaign([world.account()], world.people(1))
    world.office.script["p0@firm0.example"].extend([SILENCE])
    await world.tick()
    await world.crash()
    settle_uncertain(world, "again")
    await world.run_for(hours=2)
    assert len(world.office.offered) == 2
    assert len({rfc_id for _, rfc_id in world.office.offered}) == 1
    world.check_books()


async def test_somebody_added_again_goes_on_where_they_stood_and_at_the_time_due(world: EngineWorld) -> None:
    people = world.people(2)
    campaign = world.campaign([world.account()], people, THREE_MAILS)
    begun = world.clock.now()
    await world.run_for(hours=1)
    assert remove(world, campaign, people[:1]) == 1
    world.clock.advance(timedelta(hours=1))
    add(world, campaign, people[:1])
    await world.run_for(days=2)
    assert steps_got(world, "p0@firm0.example") == ["n1"], "the delay before the next mail still holds"
    await world.run_until(begun + timedelta(days=8))
    assert steps_got(world, "p0@firm0.example") == ["n1", "n3", "n5"]
    assert world.walks() == {"completed": 2}
    world.check_books()


async def test_somebody_added_again_before_the_first_mail_gets_it_once(world: EngineWorld) -> None:
    people = world.people(3)
    account = world.account()
    campaign = world.campaign([account], people)
    claims = await _claimed(world, account)
    remove(world, campaign, people)
    assert len(claims) == 3
    add(world, campaign, people)
    assert world.messages() == {"claimed": 3}, "whoever holds the claim goes on with it"
    await world.run_for(hours=1)
    await world.crash()
    await world.run_for(hours=1)
    assert world.office.counted() == {f"p{n}@firm{n}.example": 1 for n in range(3)}
    assert world.walks() == {"completed": 3}
    world.check_books()


async def _claimed(world: EngineWorld, account: int) -> list:  # type: ignore[type-arg]
    await world.engine.start()
    return list(world.claim(account).claimed)


async def test_a_first_mail_that_was_put_off_and_revived_moves_its_walk_on(world: EngineWorld) -> None:
    people = world.people(1)
    campaign = world.campaign([world.account()], people, TWO_MAILS)
    world.office.script["p0@firm0.example"].append(SOFT)
    await world.tick()
    remove(world, campaign, people)
    add(world, campaign, people)
    world.check_books()
    await world.run_for(days=4)
    assert steps_got(world, "p0@firm0.example") == ["n1", "n3"]
    assert world.walks() == {"completed": 1}
    world.check_books()


async def test_a_mail_that_arrived_while_its_contact_was_being_removed_is_not_repeated_and_the_walk_goes_on(
    world: EngineWorld,
) -> None:
    people = world.people(1)
    campaign = world.campaign([world.account()], people, TWO_MAILS)

    def removed_meanwhile(_account: int, _recipient: str) -> None:
        remove(world, campaign, people)

    world.office.whenever = removed_meanwhile
    await world.tick()
    assert world.walks() == {"removed": 1}
    assert len(world.office.taken) == 1
    world.office.whenever = lambda account_id, recipient: None
    add(world, campaign, people)
    await world.run_for(days=4)
    assert steps_got(world, "p0@firm0.example") == ["n1", "n3"]
    assert world.walks() == {"completed": 1}
    assert world.status_of(campaign) == "completed"
    world.check_books()


@pytest.mark.parametrize("decision", ["sent", "again"])
async def test_somebody_with_an_uncertain_mail_who_is_removed_and_added_again_is_neither_lost_nor_mailed_twice(
    world: EngineWorld, decision: str
) -> None:
    people = world.people(1)
    campaign = world.campaign([world.account()], people, TWO_MAILS)
    world.office.script["p0@firm0.example"].append(SILENCE)
    await world.tick()
    remove(world, campaign, people)
    add(world, campaign, people)
    await world.run_for(hours=3)
    assert len(world.office.offered) == 1
    world.check_books()
    settle_uncertain(world, decision)
    await world.run_for(days=4)
    assert world.walks() == {"completed": 1}
    assert len(world.office.taken) == (1 if decision == "sent" else 2)
    world.check_books()


async def test_the_first_mail_removed_while_people_wait_for_it(world: EngineWorld) -> None:
    people = world.people(6)
    account = world.account(daily_limit=2)
    campaign = world.campaign([account], people, TWO_MAILS)
    # Two got it; one more is in the queue of the account.
    await world.tick()
    world.execute("UPDATE email_account SET daily_limit = 100")
    claims = world.claim(account, 1).claimed
    assert len(claims) == 1
    world.pause(campaign)
    await world.crash()
    assert world.messages() == {"sent": 2, "queued": 1}
    world.rewrite(campaign, [mail("n9", "Another beginning"), DelayNode("n2", days=3), mail("n3")])
    world.resume(campaign)
    await world.run_for(days=8)
    assert world.walks() == {"completed": 6}
    assert world.status_of(campaign) == "completed"
    counted = world.office.counted()
    assert counted == {f"p{n}@firm{n}.example": 2 for n in range(6)}
    world.check_books()


async def test_a_mail_removed_while_it_was_claimed_loses_nobody(world: EngineWorld) -> None:
    people = world.people(4)
    account = world.account()
    campaign = world.campaign([account], people, TWO_MAILS)
    claims = await _claimed(world, account)
    world.pause(campaign)
    world.rewrite(campaign, [mail("n3", "Only this one")])
    world.resume(campaign)
    marks = world.mark(claims)
    assert all(type(answer).__name__ == "NotMarked" for answer in marks.values())
    await world.run_for(hours=1)
    await world.crash()
    await world.run_for(hours=1)
    assert world.office.counted() == {f"p{n}@firm{n}.example": 1 for n in range(4)}
    assert world.walks() == {"completed": 4}
    assert world.status_of(campaign) == "completed"
    world.check_books()


async def test_a_mail_removed_while_it_waited_for_a_retry_loses_nobody(world: EngineWorld) -> None:
    people = world.people(2)
    campaign = world.campaign([world.account()], people, THREE_MAILS)
    world.office.script["p0@firm0.example"].append(SOFT)
    await world.tick()
    world.pause(campaign)
    world.rewrite(campaign, [NAMED, *THREE_MAILS[3:]])
    world.resume(campaign)
    await world.run_for(days=9)
    assert steps_got(world, "p0@firm0.example") == ["n3", "n5"]
    assert steps_got(world, "p1@firm1.example") == ["n1", "n3", "n5"]
    assert world.walks() == {"completed": 2}
    assert world.status_of(campaign) == "completed"
    world.check_books()


async def test_a_mail_removed_while_it_was_uncertain_does_not_end_the_walk_early(world: EngineWorld) -> None:
    people = world.people(1)
    campaign = world.campaign([world.account()], people, THREE_MAILS)
    world.office.script["p0@firm0.example"].append(SILENCE)
    await world.tick()
    world.pause(campaign)
    world.rewrite(campaign, [THREE_MAILS[1], NAMED, *THREE_MAILS[3:]])
    world.resume(campaign)
    settle_uncertain(world, "sent")
    await world.run_for(days=9)
    assert steps_got(world, "p0@firm0.example") == ["n3", "n5"]
    assert world.walks() == {"completed": 1}
    world.check_books()


async def test_an_uncertain_mail_that_was_removed_meanwhile_can_be_decided_as_not_sent(world: EngineWorld) -> None:
    people = world.people(1)
    campaign = world.campaign([world.account()], people, THREE_MAILS)
    world.office.script["p0@firm0.example"].append(SILENCE)
    await world.tick()
    world.pause(campaign)
    world.rewrite(campaign, [THREE_MAILS[1], NAMED, *THREE_MAILS[3:]])
    world.resume(campaign)
    settle_uncertain(world, "again")
    await world.run_for(days=9)
    assert steps_got(world, "p0@firm0.example")[-2:] == ["n3", "n5"]
    assert world.walks() == {"completed": 1}
    assert world.status_of(campaign) == "completed"
    world.check_books()


@ON_SQLITE
@pytest.mark.parametrize("order", list(itertools.permutations(("n1", "n3", "n5"))))
async def test_reordering_a_workflow_repeats_nothing_and_loses_nobody(
    world: EngineWorld, order: tuple[str, ...]
) -> None:
    account = world.account()
    people = world.people(6)
    mails = {step.id: step for step in THREE_MAILS if step.id in order}
    campaign = world.campaign([account], people[:2], THREE_MAILS)
    begun = world.clock.now()
    await world.run_until(begun + timedelta(days=3, hours=1))
    add(world, campaign, people[2:4])
    await world.run_for(hours=1)
    world.pause(campaign)
    add(world, campaign, people[4:])
    first, second, third = (mails[key] for key in order)
    subject = "About the spring"
    named = [mail(step.id, subject) for step in (first, second, third)]
    world.rewrite(campaign, [named[0], DelayNode("n2", days=3), named[1], DelayNode("n4", days=4), named[2]])
    world.resume(campaign)
    await world.run_for(days=16)
    assert set(world.walks()) == {"completed"}
    assert world.status_of(campaign) == "completed"
    for number in range(6):
        got = steps_got(world, f"p{number}@firm{number}.example")
        assert len(got) == len(set(got)), got
    assert steps_got(world, "p5@firm5.example") == list(order)
    world.check_books()


@ON_SQLITE
async def test_a_mail_inserted_before_and_after_where_people_stand(world: EngineWorld) -> None:
    people = world.people(2)
    campaign = world.campaign([world.account()], people, TWO_MAILS)
    await world.run_for(hours=1)
    world.pause(campaign)
    world.rewrite(
        campaign,
        [mail("n0", "Before all"), *TWO_MAILS[:2], mail("n8"), DelayNode("n7", days=1), TWO_MAILS[2], mail("n9")],
    )
    world.resume(campaign)
    await world.run_for(days=9)
    got = steps_got(world, "p0@firm0.example")
    assert got in (["n1", "n3", "n9"], ["n1", "n8", "n3", "n9"])
    assert world.walks() == {"completed": 2}
    world.check_books()


async def test_the_last_mail_removed_while_people_wait_for_it_ends_their_walks(world: EngineWorld) -> None:
    campaign = world.campaign([world.account()], world.people(3), TWO_MAILS)
    await world.run_for(hours=1)
    world.pause(campaign)
    world.rewrite(campaign, ONE_MAIL)
    world.resume(campaign)
    await world.tick()
    assert world.walks() == {"completed": 3}
    assert world.status_of(campaign) == "completed"
    world.check_books()


async def test_removing_two_mails_one_edit_after_the_other_still_finds_the_way_on(world: EngineWorld) -> None:
    people = world.people(1)
    campaign = world.campaign([world.account()], people, THREE_MAILS)
    world.office.script["p0@firm0.example"].append(SILENCE)
    await world.tick()
    world.pause(campaign)
    world.rewrite(campaign, [THREE_MAILS[1], NAMED, *THREE_MAILS[3:]])
    world.rewrite(campaign, [mail("n5", "The last one")])
    world.resume(campaign)
    settle_uncertain(world, "sent")
    await world.run_for(days=9)
    assert steps_got(world, "p0@firm0.example") == ["n5"]
    assert world.walks() == {"completed": 1}
    world.check_books()
