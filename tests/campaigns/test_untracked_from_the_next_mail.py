"""Who objects to tracking, or is not asked after any more, gets no pixel from the next mail on, also one in hand."""

from collections import deque
from collections.abc import Callable

import pytest

from fluenzr_app.contacts.models import Contact
from fluenzr_app.mail.transport import SendFailure
from fluenzr_app.sending.values import Marked
from fluenzr_app.tracking.objections import object_to_tracking
from fluenzr_app.tracking.privacy import change
from tests.engine_world import PUBLIC_URL, EngineWorld, Taken

Says = Callable[[EngineWorld, int], None]


def objects(world: EngineWorld, contact: int) -> None:
    with world.db.transaction() as session:
        found = session.get_one(Contact, contact)
        object_to_tracking(session, world.workspace_id, bytes(found.email_hash), world.clock.now(), contact)


def objects_under_the_address(world: EngineWorld, contact: int) -> None:
    with world.db.transaction() as session:
        email_hash = bytes(session.get_one(Contact, contact).email_hash)
        object_to_tracking(session, world.workspace_id, email_hash, world.clock.now())


def objected_under_another_address(world: EngineWorld, contact: int) -> None:
    with world.db.transaction() as session:
        object_to_tracking(session, world.workspace_id, bytes(32), world.clock.now(), contact)


def workspace_asks_no_more(world: EngineWorld, contact: int) -> None:
    with world.db.transaction() as session:
        change(session, None, world.workspace_id, world.clock.now(), track_opens=False, track_clicks=False)


PERSONAL = [objects, objects_under_the_address, objected_under_another_address]


def is_tracked(taken: Taken) -> bool:
    html = next(part for part in taken.mail.walk() if part.get_content_type() == "text/html")
    payload = html.get_payload(decode=True)
    assert isinstance(payload, bytes)
    return f"{PUBLIC_URL}/o/".encode() in payload


@pytest.mark.parametrize("says", [*PERSONAL, workspace_asks_no_more], ids=lambda says: says.__name__)
async def test_a_mail_that_was_claimed_with_a_pixel_leaves_without(world: EngineWorld, says: Says) -> None:
    account, people = world.account(), world.people(3)
    world.campaign([account], people)
    await world.engine.start()
    claims = world.claim(account).claimed
    assert len(claims) == 3
    says(world, people[1])
    marks = world.mark(claims)
    back = {claim.message.contact_id for claim in claims if not isinstance(marks[claim.message.id], Marked)}
    assert back == (set(people) if says is workspace_asks_no_more else {people[1]})
    await world.tick()
    assert [is_tracked(each) for each in world.office.taken] == [False] * len(back)
    assert world.one("SELECT count(*) FROM attempt") == 3
    await world.crash()
    world.check_books()


@pytest.mark.parametrize("says", PERSONAL, ids=lambda says: says.__name__)
async def test_a_mail_that_is_tried_again_is_made_again(world: EngineWorld, says: Says) -> None:
    account, people = world.account(), world.people(2)
    world.campaign([account], people)
    world.office.script["p1@firm1.example"] = deque([SendFailure("recipient", "4.3.0 later", code=451)])
    await world.tick()
    assert [is_tracked(each) for each in world.office.taken] == [True]
    says(world, people[1])
    await world.run_for(days=2)
    assert [(each.recipient, is_tracked(each)) for each in world.office.taken] == [
        ("p0@firm0.example", True),
        ("p1@firm1.example", False),
    ]
    world.check_books()
