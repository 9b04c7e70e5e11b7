"""A scanner opens every link of every mail, and nobody is unsubscribed; one click of a mail program, and somebody is.

The mails are the engine's own, the answers those of the whole API on the same database.
"""

import asyncio
import os
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

import httpx
import pytest

from fluenzr_app.api.app import create_api
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.campaigns import tick as campaign_tick
from fluenzr_app.campaigns.nodes import DelayNode, EmailNode, Step
from fluenzr_app.mail.incoming import parse
from fluenzr_app.sending.values import Marked
from fluenzr_app.settings import Settings, load_settings
from tests.engine_world import ON_SQLITE, PUBLIC_URL, EngineWorld, Taken

_MAILS = 1_000 if os.environ.get("FLUENZR_TEST_FULL") == "1" else 100
_AT_ONCE = 20
_BODY = (
    '<p>Hello {{firstName}}, see <a href="https://rivage.example/offer?for={{email}}">our offer</a> and'
    ' <a href="https://rivage.example/about">who we are</a>. {{unsubscribe_link}}</p>'
)
STEPS: Final[tuple[Step, ...]] = (
    EmailNode("n1", "First", "An offer", _BODY),
    DelayNode("n2", days=3),
    EmailNode("n3", "Second", "", "<p>Did you see <a href='https://rivage.example/offer'>it</a>?</p>"),
)
# Gateways, a preview, a browser that a sandbox drives, and one that says nothing.
_AGENTS = (
    "Mozilla/5.0 (compatible; Barracuda Sentinel (EE))",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/125.0.0.0 Safari/537.36",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "python-requests/2.32.3",
    "",
)
_ADDRESS = re.compile(re.escape(PUBLIC_URL) + r"/[a-z]/[\w-]+")
_STANDING = (
    "SELECT (SELECT count(*) FROM contact WHERE status <> 'active'), (SELECT count(*) FROM suppression),"
    " (SELECT count(*) FROM tracking_objection), (SELECT count(*) FROM event WHERE type <> 'email.sent')"
)


@asynccontextmanager
async def web(world: EngineWorld, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """The installation's public address, asked without cookies; redirects are not followed."""
    chosen = load_settings(_env_file=None, data_dir=settings.data_dir, public_url=PUBLIC_URL)
    transport = httpx.ASGITransport(create_api(ApiRuntime(chosen, world.db, world.keyring, world.clock)))
    async with httpx.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        yield client


def addresses_in(taken: Taken) -> list[str]:
    """Every address of ours in a mail's headers, text and HTML."""
    mail = parse(taken.raw)
    found = _ADDRESS.findall("\n".join((mail.header("List-Unsubscribe"), mail.text, mail.html)))
    return list(dict.fromkeys(found))


def one_click_address(taken: Taken) -> str:
    mail = parse(taken.raw)
    assert mail.header("List-Unsubscribe-Post") == "List-Unsubscribe=One-Click"
    found = re.search(r"<(https://[^>]+)>", mail.header("List-Unsubscribe"))
    assert found is not None
    return found[1]


@pytest.mark.parametrize("how", ["GET", "HEAD", "both", "every way"])
@ON_SQLITE
async def test_a_scanner_that_opens_every_link_unsubscribes_nobody(
    world: EngineWorld, settings: Settings, how: str
) -> None:
    count = _MAILS if how == "both" else _MAILS // 10
    world.campaign([world.account()], world.people(count), STEPS)
    while len(world.office.taken) < count:
        await world.tick()
    addresses = [address for taken in world.office.taken for address in addresses_in(taken)]
    kinds = Counter(address.removeprefix(PUBLIC_URL)[:3] for address in addresses)
    # In each mail the pixel, two links and the trap, the way out and the choices.
    assert kinds == {"/o/": count, "/c/": 3 * count, "/u/": count, "/p/": count}
    methods = {
        "GET": ["GET"],
        "HEAD": ["HEAD"],
        "both": ["HEAD", "GET"],
        "every way": ["GET", "OPTIONS", "HEAD", "GET"],
    }
    before = world.rows(_STANDING)
    statuses: Counter[tuple[str, int]] = Counter()
    gate = asyncio.Semaphore(_AT_ONCE)
    async with web(world, settings) as client:

        async def scan(number: int, address: str) -> None:
            async with gate:
                for method in methods[how]:
                    agent = _AGENTS[number % len(_AGENTS)]
                    # Some put a mark of their own behind an address.
                    scanned = f"{address}?choice=unsubscribe&List-Unsubscribe=One-Click" if number % 3 == 0 else address
                    answer = await client.request(method, scanned, headers={"user-agent": agent})
                    assert "set-cookie" not in answer.headers
                    statuses[method, answer.status_code] += 1

        await asyncio.gather(*(scan(number, address) for number, address in enumerate(addresses)))
    assert {status for method, status in statuses if method != "OPTIONS"} == {200, 204, 302}
    # Two links of each mail lead on; the trap and all the pages do not.
    for method in {"GET", "HEAD"} & set(methods[how]):
        assert statuses[method, 302] == 2 * count * methods[how].count(method)
    assert world.rows(_STANDING) == before
    if how == "GET":
        # The engine sees it as we do: everybody gets the next mail.
        await world.run_for(days=4)
        assert set(world.office.counted().values()) == {2}
        assert world.walks() == {"completed": count}
    world.check_books()


async def test_one_click_is_in_force_before_the_next_claim(world: EngineWorld, settings: Settings) -> None:
    world.campaign([world.account()], world.people(3), STEPS)
    await world.tick()
    leaver = world.office.mails_to("p1@firm1.example")[0]
    async with web(world, settings) as client:
        answer = await client.post(one_click_address(leaver), data={"List-Unsubscribe": "One-Click"})
        assert answer.status_code == 200
    await world.run_for(days=4)
    assert world.office.counted() == {"p0@firm0.example": 2, "p1@firm1.example": 1, "p2@firm2.example": 2}
    assert world.walks() == {"completed": 2, "unsubscribed": 1}
    world.check_books()


async def test_one_click_between_the_claim_and_the_mark_is_in_force_at_the_mark(
    world: EngineWorld, settings: Settings
) -> None:
    account, people = world.account(), world.people(3)
    world.campaign([account], people, STEPS)
    await world.tick()
    leaver = world.office.mails_to("p1@firm1.example")[0]
    world.clock.advance(timedelta(days=3, minutes=1))
    campaign_tick.tick(world.db, world.clock, world.plans, world.rng)
    claims = world.claim(account).claimed
    assert {claim.message.contact_id for claim in claims} == set(people)
    async with web(world, settings) as client:
        await client.post(one_click_address(leaver), data={"List-Unsubscribe": "One-Click"})
    marks = world.mark(claims)
    left = {claim.message.contact_id for claim in claims if isinstance(marks[claim.message.id], Marked)}
    assert left == {people[0], people[2]}
    await world.crash()
    await world.run_for(days=4)
    assert world.office.counted()["p1@firm1.example"] == 1
    world.check_books()


async def test_an_objection_holds_from_the_next_mail_on(world: EngineWorld, settings: Settings) -> None:
    world.campaign([world.account()], world.people(2), STEPS)
    await world.tick()
    first = world.office.mails_to("p0@firm0.example")[0]
    choices = next(address for address in addresses_in(first) if "/p/" in address)
    async with web(world, settings) as client:
        assert (await client.post(choices, data={"choice": "object"})).status_code == 200
    await world.run_for(days=4)
    kinds = {
        taken.recipient: Counter(address.removeprefix(PUBLIC_URL)[:3] for address in addresses_in(taken))
        for taken in world.office.taken[2:]
    }
    assert kinds == {
        "p0@firm0.example": {"/u/": 1},
        "p1@firm1.example": {"/o/": 1, "/c/": 2, "/u/": 1, "/p/": 1},
    }
    assert "https://rivage.example/offer" in parse(world.office.mails_to("p0@firm0.example")[1].raw).html
    world.check_books()
