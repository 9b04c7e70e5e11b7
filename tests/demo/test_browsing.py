"""What people and machines ask for takes effect at the real routes, and in the past as it would there."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta

import pytest
import uvicorn
from sqlmodel import col, select

from fluenzr_app.api.app import create_api
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.api.track import TrackedLinks
from fluenzr_app.clock import ManualClock
from fluenzr_app.contacts.models import Contact
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.demo.browsing import Press, press_at_server, press_without_server
from fluenzr_app.demo.everyday import carry_out, people_living
from fluenzr_app.demo.letter import Page, opened
from fluenzr_app.demo.post_office import DemoPostOffice
from fluenzr_app.demo.reading import Ask, Reading, has_gateway, looks_at
from fluenzr_app.demo.recipients import Recipients, Visit
from fluenzr_app.demo.temperament import Person, Reaction
from fluenzr_app.events import figures
from fluenzr_app.events.models import Event
from fluenzr_app.mail.compose import Draft, compose
from fluenzr_app.mail.sandbox import ReceivedMail
from fluenzr_app.server import pages_off
from fluenzr_app.settings import Settings, load_settings
from fluenzr_app.tracking import judge
from fluenzr_app.tracking.links import TrackedMail
from fluenzr_app.tracking.objections import objecting
from fluenzr_app.tracking.tracked_html import Tracking
from fluenzr_app.tracking.unsubscribe import UnsubscribeLink, preferences_url, unsubscribe_url
from tests.people import People, make_contact
from tests.real.ports import free_ports
from tests.serving import serving

ACCOUNT = "lea@nova-conseil.example"
CASE, TALK = "https://www.nova-conseil.example/cas?n=1&lang=fr", "https://www.nova-conseil.example/rendez-vous"
# By the clock of the fixtures a mail came an hour ago, so that nobody is too early.
SENT_BEFORE = timedelta(hours=1)
# Every request of an installation is decided there, so that one database will do.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def settings(tmp_path) -> Settings:
    """Those of the demonstration, as far as its people notice."""
    [port] = free_ports(1)
    return load_settings(
        _env_file=None, data_dir=tmp_path / "data", port=port, public_url=f"http://127.0.0.1:{port}",
        trusted_proxies="127.0.0.1",
    )  # fmt: skip


@pytest.fixture
def served(settings: Settings, database: Database, keyring: KeyRing, clock: ManualClock) -> Iterator[None]:
    """The public routes, on the clock of the test."""
    runtime = ApiRuntime(settings, database, keyring, clock)
    links = TrackedLinks(runtime)
    application = pages_off(
        settings, api_app=create_api(runtime, links=links), lifespans=(links.running,), ahead=links.ahead()
    )
    config = uvicorn.Config(application, "127.0.0.1", settings.port, log_config=None, forwarded_allow_ips=["127.0.0.1"])
    with serving(config):
        yield


class Post:
    """Mails of a campaign, and who gets them."""

    def __init__(self, settings: Settings, database: Database, keyring: KeyRing, clock: ManualClock, workspace: int):
        self.settings, self.db, self.keyring, self.clock, self.workspace = settings, database, keyring, clock, workspace
        self.count = 0

    def mail_to(self, address: str) -> ReceivedMail:
        """A mail with two links, tracked, an hour old."""
        self.count += 1
        at = self.clock.now() - SENT_BEFORE
        with self.db.transaction() as session:
            contact_id = make_contact(session, self.keyring, self.workspace, address, at)
            contact = session.get(Contact, contact_id)
            assert contact is not None
            email_hash = bytes(contact.email_hash)
        url = self.settings.public_url
        mail = TrackedMail(self.workspace, self.count, contact_id, 0, 0, 0, at)
        tracking = Tracking(self.keyring, url, mail, opens=True, clicks=True)
        leave = unsubscribe_url(self.keyring, url, UnsubscribeLink(self.workspace, contact_id, email_hash, self.count))
        links = "".join(f'<a href="{tracking.link(link, link)}">ici</a>' for link in (CASE, TALK))
        draft = Draft(
            sender_address=ACCOUNT, to_address=address, subject="Vos délais", text="Bonjour", sender_name="Léa",
            html=f'<p>Bonjour {links} <a href="{leave}">x</a> <a href="{preferences_url(leave)}">y</a></p>'
            f"{tracking.closing()}",
            rfc_id=f"<mail-{self.count}@nova-conseil.example>", date=at, to_name="Adèle", unsubscribe_url=leave,
            unsubscribe_mailto=f"mailto:{ACCOUNT}?subject=unsubscribe",
        )  # fmt: skip
        return ReceivedMail(self.count, at, ACCOUNT, ACCOUNT, address, compose(draft).raw)

    def events(self) -> list[tuple[str, bool, str]]:
        """All hits are judged; the types and rules of what was recorded."""
        with self.db.transaction() as session:
            judge.judge_due(session, self.clock.now() + timedelta(days=400))
        with self.db.read() as session:
            assert figures.verify(session) == []
            found = session.exec(select(Event).order_by(col(Event.id))).all()
        return [(event.type, event.machine, str((event.data or {}).get("rule", ""))) for event in found]

    def objecting(self) -> int:
        """How many people object."""
        with self.db.read() as session:
            hashes = [bytes(each) for each in session.exec(select(Contact.email_hash))]
            return len(objecting(session, self.workspace, hashes))


@pytest.fixture
def post(settings: Settings, database: Database, keyring: KeyRing, clock: ManualClock, people: People) -> Post:
    """Whoever writes mails to the people of these tests."""
    return Post(settings, database, keyring, clock, people.workspace_id)


@pytest.fixture
def office() -> DemoPostOffice:
    """A post office with one account."""
    made = DemoPostOffice()
    made.set_password(ACCOUNT, "secret")
    return made


@pytest.fixture
def give(office: DemoPostOffice, monkeypatch: pytest.MonkeyPatch) -> Callable[[ReceivedMail], None]:
    """Put a mail into the post office as if it had come over SMTP."""
    mails: list[ReceivedMail] = []
    monkeypatch.setattr(
        office.sandbox, "since", lambda number, limit=1000: tuple(mail for mail in mails if mail.number > number)
    )
    return mails.append


def _press(way: str, request: pytest.FixtureRequest, database: Database, keyring: KeyRing) -> Press:
    if way == "past":
        return press_without_server(database, keyring)
    request.getfixturevalue("served")
    return press_at_server


def _look(post: Post, rfc_id: str, *asks: Ask) -> Visit:
    return Visit(post.clock.now(), 1, asks, rfc_id)


def test_a_mail_shows_its_pixel_its_links_and_what_only_machines_find(post: Post) -> None:
    page = opened(post.mail_to("adele@firm.example")).page
    url = post.settings.public_url
    assert page.pixel.startswith(f"{url}/o/")
    assert len(page.links) == 2
    assert len(page.hidden) == 1
    assert all(link.startswith(f"{url}/c/") for link in page.links + page.hidden)
    assert page.preferences.startswith(f"{url}/p/")
    assert Page() == Page("", (), (), "")


@pytest.mark.parametrize("way", ["served", "past"])
async def test_opens_and_clicks_become_events_with_the_rule_that_told_who_it_was(
    way: str, request: pytest.FixtureRequest, post: Post, database: Database, keyring: KeyRing
) -> None:
    press = _press(way, request, database, keyring)
    outlook = next(p for n in range(500) if (p := Person(7, f"p{n}@a{n}.example")).program == "outlook"
                   and not has_gateway(p))  # fmt: skip
    behind = next(p for n in range(500) if has_gateway(p := Person(7, f"p{n}@b{n}.example")))
    reader, scanned = (opened(post.mail_to(person.address)) for person in (outlook, behind))
    [at_once] = [
        look for look in looks_at(behind, 1, scanned.page, scanned.at, Reading(scanned.at)) if len(look.asks) > 2
    ]
    browser = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
    assert await press(_look(post, reader.rfc_id, Ask("GET", reader.page.pixel, browser, "203.0.113.9")))
    assert await press(_look(post, reader.rfc_id, Ask("GET", reader.page.links[0], browser, "203.0.113.9")))
    assert await press(_look(post, scanned.rfc_id, *at_once.asks))
    events = post.events()
    assert {event for event in events if not event[1]} == {
        ("email.opened", False, "person"),
        ("email.clicked", False, "person"),
        ("email.link_clicked", False, "person"),
    }
    machines = {kind for kind, machine, _ in events if machine}
    assert machines >= {"email.clicked", "email.link_clicked"}
    assert all(rule for _, machine, rule in events if machine)


@pytest.mark.parametrize("way", ["served", "past"])
async def test_somebody_objects_on_the_page_that_the_footer_names(
    way: str, request: pytest.FixtureRequest, post: Post, database: Database, keyring: KeyRing,
    office: DemoPostOffice, give: Callable[[ReceivedMail], None],
) -> None:  # fmt: skip
    press = _press(way, request, database, keyring)
    recipients = Recipients(office, seed=7)
    recipients.expect(["adele@firm.example"], [ACCOUNT], Reaction("object", post.clock.now()))
    give(post.mail_to("adele@firm.example"))
    recipients.look()
    await carry_out(recipients, office, post.clock.now() + timedelta(days=9), press, at_their_time=way == "past")
    assert post.objecting() == 1
    assert ("contact.tracking_objected", False, "") in post.events()


async def test_a_whole_campaign_is_read_as_people_read(
    post: Post, office: DemoPostOffice, give: Callable[[ReceivedMail], None], served: None
) -> None:
    recipients = Recipients(office, seed=4)
    for number in range(80):
        give(post.mail_to(f"p{number}@firm-{number // 3}.example"))
    recipients.look()
    for _ in range(100):
        await carry_out(recipients, office, post.clock.now(), press_at_server)
        post.clock.advance(timedelta(minutes=40))
    events = post.events()
    opened_by = {machine: [e for e in events if e[:2] == ("email.opened", machine)] for machine in (False, True)}
    assert 25 < len(opened_by[False]) < 56
    assert opened_by[True]
    assert 0 < len([e for e in events if e[:2] == ("email.clicked", False)]) < 15
    assert [e for e in events if e[:2] == ("email.clicked", True)]


async def test_two_looks_at_one_mail_that_waited_through_the_night_come_one_after_the_other(
    post: Post, office: DemoPostOffice, give: Callable[[ReceivedMail], None]
) -> None:
    made: list[Visit] = []

    async def press(visit: Visit) -> bool:
        made.append(visit)
        return True

    recipients = Recipients(office, seed=7)
    for number in range(40):
        give(post.mail_to(f"p{number}@firm.example"))
    recipients.look()
    now = post.clock.now() + timedelta(days=20)
    await carry_out(recipients, office, now, press)
    mails = [visit.rfc_id for visit in made if visit.rfc_id]
    assert mails
    assert len(mails) == len(set(mails))
    await carry_out(recipients, office, now + timedelta(minutes=5), press)
    assert len([visit for visit in made if visit.rfc_id]) > len(mails)


async def test_a_request_that_was_refused_for_now_is_made_again_and_one_for_good_is_not(
    post: Post, office: DemoPostOffice, give: Callable[[ReceivedMail], None]
) -> None:
    [mute] = free_ports(1)
    nobody = Ask("GET", f"http://127.0.0.1:{mute}/o/token")
    assert not await press_at_server(_look(post, "<a>", nobody))
    for status, is_done in ((503, False), (429, False), (404, True), (302, True)):
        async with _answering(status) as port:
            assert await press_at_server(_look(post, "<a>", Ask("GET", f"http://127.0.0.1:{port}/c/x"))) is is_done
    # An author's own link, which is not ours to answer.
    assert await press_at_server(_look(post, "<a>", Ask("GET", CASE)))


async def test_a_server_that_is_away_breaks_nothing_and_is_asked_later(
    post: Post, office: DemoPostOffice, give: Callable[[ReceivedMail], None], request: pytest.FixtureRequest
) -> None:
    recipients = Recipients(office, seed=7)
    recipients.expect(["adele@firm.example"], [ACCOUNT], Reaction("object", post.clock.now()))
    give(post.mail_to("adele@firm.example"))
    recipients.look()
    now = post.clock.now()
    await carry_out(recipients, office, now, press_at_server)
    assert post.objecting() == 0
    request.getfixturevalue("served")
    await carry_out(recipients, office, now + timedelta(minutes=20), press_at_server)
    assert post.objecting() == 1


async def test_what_fails_in_a_way_that_nobody_thought_of_is_done_later_and_everybody_goes_on(
    post: Post, office: DemoPostOffice, give: Callable[[ReceivedMail], None], caplog: pytest.LogCaptureFixture
) -> None:
    failed: list[Visit] = []
    made: list[Visit] = []

    async def press(visit: Visit) -> bool:
        if not failed:
            failed.append(visit)
            raise RuntimeError("no thread was left")
        made.append(visit)
        return True

    recipients = Recipients(office, seed=7)
    for number in range(30):
        give(post.mail_to(f"p{number}@firm.example"))
    post.clock.advance(timedelta(days=3))
    async with people_living(recipients, office, post.clock, press):
        async with asyncio.timeout(10):
            while len(made) < 5:
                await asyncio.sleep(0.02)
            while failed[0].number not in {visit.number for visit in made}:
                post.clock.advance(timedelta(minutes=20))
                await asyncio.sleep(0.02)
    assert "no thread was left" in caplog.text


@contextlib.asynccontextmanager
async def _answering(status: int) -> AsyncIterator[int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status} So\r\nLocation: {CASE}\r\nContent-Length: 0\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
