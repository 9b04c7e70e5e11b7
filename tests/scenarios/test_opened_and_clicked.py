"""Openings and clicks through real mail: read in Chromium, fetched by proxies, scanned in every manner of the table.

Every event holds the rule that judged it, the figures equal a recount, and by default nothing tells who asked.
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from fluenzr_app.campaigns.figures import campaign_stats, link_stats
from fluenzr_app.campaigns.nodes import EmailNode
from fluenzr_app.contacts.models import Contact
from fluenzr_app.events import figures
from fluenzr_app.tracking import privacy
from fluenzr_app.tracking.objections import object_to_tracking
from tests.real.ports import free_ports
from tests.real.post_office import PostOffice
from tests.scenarios.correspondence import Correspondence
from tests.scenarios.readers import SCANNER, Told, clicked, stories_of
from tests.scenarios.reading import (
    CHROME,
    Letter,
    OwnLoop,
    Web,
    ask,
    click,
    letter_in,
    open_mail,
    served,
)
from tests.tracking.agents_table import TABLE

SOON, THEN, SHORTLY = timedelta(seconds=2), timedelta(hours=1), timedelta(seconds=30)
WRITE = "mailto:camille@rivage.example"
PLACES = {"/offer": "L’offre", "/prices": "Les prix", "/about": "La maison"}


@dataclass
class Desk:
    """An installation whose public links are served, and a site elsewhere to which its mails lead."""

    letters: Correspondence
    web: Web
    loop: OwnLoop

    @property
    def written(self) -> tuple[str, str, str]:
        """The links of the mail, as its author wrote them."""
        return (f"{self.web.url}/offer?for={{{{firstName}}}}", f"{self.web.url}/prices", f"{self.web.url}/about#team")

    @property
    def mail(self) -> EmailNode:
        """The mail of which each of the campaigns here consists."""
        offer, prices, about = self.written
        return EmailNode(
            "n1",
            "First",
            "An offer",
            f'<p>Hello {{{{firstName|there}}}},</p><p>see <a href="{offer}">the offer</a>, <a href="{prices}">the '
            f'prices</a> and <a href="{about}">who we are</a>, or <a href="{WRITE}">write</a>.</p>',
        )

    def send(self) -> None:
        """Send what is due at this moment of the clock, and wait until it has arrived."""
        self.loop.run(self.letters.tick())

    def judge(self) -> None:
        """Let the installation look at what came, as it does every few seconds."""
        self.letters.clock.advance(timedelta(seconds=11))
        self.loop.run(self.letters.side.judge_hits())

    def told(self) -> dict[str, frozenset[Told]]:
        """The events of each reader."""
        found: dict[str, set[Told]] = {}
        count = 0
        for address, kind, machine, data in self.letters.rows(
            "SELECT c.email, e.type, e.machine, e.data FROM event e JOIN contact c ON c.id = e.contact_id"
            " WHERE e.type IN ('email.opened', 'email.clicked', 'email.link_clicked')"
        ):
            known = json.loads(data)
            assert set(known) <= {"rule", "link"}
            event = (kind.removeprefix("email."), bool(machine), known["rule"], known.get("link", ""))
            found.setdefault(address, set()).add(event)
            count += 1
        assert sum(map(len, found.values())) == count, "an event was stored twice"
        return {address: frozenset(events) for address, events in found.items()}


@pytest.fixture
def desk(tmp_path: Path, post_office: PostOffice, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """One account, nobody to write to yet, and the links served behind a proxy that is trusted."""
    post_office.trust(monkeypatch)
    port, elsewhere = free_ports(2)
    letters = Correspondence(
        tmp_path / "data",
        post_office,
        f"lectures-{port}",
        1,
        port=port,
        public_url=f"http://127.0.0.1:{port}",
        trusted_proxies="127.0.0.1",
    )
    web, loop = Web(elsewhere, PLACES), OwnLoop()
    try:
        loop.run(letters.side.engine.start())
        with served(letters):
            yield Desk(letters, web, loop)
        loop.run(letters.side.engine.stop())
    finally:
        loop.stop()
        web.stop()
        letters.close()


@pytest.mark.timeout(300)
def test_readers_proxies_and_scanners_are_told_apart_and_nothing_of_them_is_kept(
    desk: Desk, browser: Browser, tmp_path: Path
) -> None:
    letters = desk.letters
    stories = stories_of(desk.written)
    people = letters.add_people({"reader": len(stories) + 2})
    campaign = letters.add_campaign("Read", [desk.mail], people, start=True)
    desk.send()
    person, windowless, *others = sorted(letters.people)
    read = {address: letter_in(letters, address) for address in letters.people}
    _check_letters(desk, read)
    cast = dict(zip(others, stories, strict=True))

    letters.clock.advance(SOON)
    for address, story in cast.items():
        story.soon(read[address])
    desk.judge()
    letters.clock.advance(THEN)
    for address, story in cast.items():
        story.then(read[address])
    _read_in_chromium(desk, browser, person, read[person], CHROME.agent)
    _read_in_chromium(desk, browser, windowless, read[windowless], None)
    letters.clock.advance(SHORTLY)
    for address, story in cast.items():
        story.shortly(read[address])
    desk.judge()
    letters.clock.advance(timedelta(days=1))
    for address, story in cast.items():
        story.next_day(read[address])
    desk.judge()
    for letter in read.values():
        _scan_the_footer(letter)
    letters.clock.advance(timedelta(minutes=2))
    desk.judge()

    offer = desk.written[0]
    expected = {address: story.told for address, story in cast.items() if story.told} | {
        person: frozenset({("opened", False, "person", "")}) | clicked("person", offer),
        windowless: frozenset({("opened", True, "agent", "")}) | clicked("agent", offer),
    }
    told = desk.told()
    wrong = {
        cast[address].name if address in cast else address: (told.get(address), expected.get(address))
        for address in told.keys() | expected.keys()
        if told.get(address) != expected.get(address)
    }
    assert wrong == {}
    _check_figures(desk, campaign, expected)
    for table in ("hit", "suppression", "tracking_objection"):
        assert letters.rows(f"SELECT count(*) FROM {table}") == [(0,)], table
    assert letters.rows("SELECT DISTINCT status FROM contact") == [("active",)]
    assert _traces(tmp_path) == set()


@pytest.mark.timeout(120)
def test_with_details_on_every_request_is_kept_with_address_and_agent(desk: Desk, tmp_path: Path) -> None:
    letters = desk.letters
    with letters.db.transaction() as session:
        privacy.change(session, None, letters.workspace_id, letters.clock.now(), details=True)
    rows = [row for row in TABLE if row.method == "GET"][::6]
    letters.add_campaign("Read", [desk.mail], letters.add_people({"reader": len(rows)}), start=True)
    desk.send()
    letters.clock.advance(THEN)
    cast = dict(zip(sorted(letters.people), rows, strict=True))
    kept = []
    for address, row in cast.items():
        letter = letter_in(letters, address)
        for kind in row.kinds:
            open_mail(letter, row) if kind == "open" else click(letter.links[1], row)
            letters.clock.advance(SHORTLY)
            machine = row.rule != "" if kind == "click" else not row.person
            link = desk.written[1] if kind == "click" else ""
            kept.append((address, kind, row.rule or "person", machine, link, row.ip, row.agent.strip()))
        if row.rule == "":
            # Not the first one, and kept all the same.
            open_mail(letter, row)
            kept.append((address, "open", "person", False, "", row.ip, row.agent))
    desk.judge()

    found = letters.rows(
        "SELECT c.email, h.kind, h.rule, h.machine, h.link, h.ip, h.user_agent, h.judged_at FROM hit h"
        " JOIN contact c ON c.id = h.contact_id ORDER BY h.id"
    )
    assert [(*row[:3], bool(row[3]), *row[4:7]) for row in found] == kept
    assert all(row[7] is not None for row in found)
    assert {each for row in kept for each in row[5:7] if len(each) > len("Mozilla/5.0")} <= _traces(tmp_path)
    with letters.db.read() as session:
        assert figures.verify(session) == []


@pytest.mark.timeout(120)
def test_with_tracking_off_there_is_no_pixel_and_no_rewritten_link_where_clicks_are_off_too(desk: Desk) -> None:
    letters, mail = desk.letters, desk.mail
    people = letters.add_people({"reader": 8})
    neither = EmailNode("n1", "First", "An offer", mail.body, track_opens=False, track_clicks=False)
    campaigns = {
        "everything": (mail, {}, True, True),
        "campaign: no opens": (mail, {"trackOpens": False}, False, True),
        "campaign: no clicks": (mail, {"trackClicks": False}, True, False),
        "campaign: neither": (mail, {"trackOpens": False, "trackClicks": False}, False, False),
        "mail: neither": (neither, {}, False, False),
        "an objection": (mail, {}, False, False),
    }
    for contact_id, (name, (step, settings, _, _)) in zip(people, campaigns.items(), strict=False):
        letters.add_campaign(name, [step], [contact_id], start=True, **settings)
    with letters.db.transaction() as session:
        objecting = session.get(Contact, people[5])
        assert objecting is not None
        object_to_tracking(session, letters.workspace_id, bytes(objecting.email_hash), letters.clock.now())
    desk.send()
    by_id = {contact_id: address for address, contact_id in letters.people.items()}
    for contact_id, (name, (_, _, opens, clicks)) in zip(people, campaigns.items(), strict=False):
        _check_switches(desk, letter_in(letters, by_id[contact_id]), name, opens=opens, clicks=clicks)

    for contact_id, switches in zip(people[6:], ((False, True), (False, False)), strict=True):
        opens, clicks = switches
        with letters.db.transaction() as session:
            now = letters.clock.now()
            privacy.change(session, None, letters.workspace_id, now, track_opens=opens, track_clicks=clicks)
        letters.add_campaign(f"workspace {switches}", [mail], [contact_id], start=True)
        desk.send()
        letter = letter_in(letters, by_id[contact_id])
        _check_switches(desk, letter, f"workspace {switches}", opens=opens, clicks=clicks)


def _read_in_chromium(desk: Desk, browser: Browser, address: str, letter: Letter, agent: str | None) -> None:
    """Show the mail in a web mail, see that the pixel arrives and nothing else shows, and click on the first link."""
    context = browser.new_context() if agent is None else browser.new_context(user_agent=agent)
    try:
        page = context.new_page()
        page.goto(desk.web.show(f"/mail/{address}", letter.markup), wait_until="load")
        assert page.locator("img").evaluate("image => [image.naturalWidth, image.naturalHeight]") == [1, 1]
        assert [link.is_visible() for link in page.locator("a").all()].count(False) == len(letter.traps) == 1
        before = len(desk.web.visited)
        page.get_by_role("link", name="the offer").click()
        expect(page.locator("body")).to_have_text("L’offre")
        assert desk.web.visited[before:] == [f"/offer?for={address.partition('@')[0]}"]
        assert context.cookies() == []
    finally:
        context.close()


def _scan_the_footer(letter: Letter) -> None:
    """Look at the pages for leaving and objecting as a scanner does that follows every link."""
    assert len(letter.ways_out) == 2
    for link in letter.ways_out:
        for method in ("GET", "HEAD"):
            status, _, _ = ask(link, replace(SCANNER, method=method))
            assert status == 200


def _check_letters(desk: Desk, read: dict[str, Letter]) -> None:
    """Each mail has a pixel of its own, and each link leads where its author meant."""
    assert len({letter.pixels for letter in read.values()}) == len(read)
    for address, letter in read.items():
        _check_switches(desk, letter, address, opens=True, clicks=True)


def _check_switches(desk: Desk, letter: Letter, name: str, *, opens: bool, clicks: bool) -> None:
    """See in a mail as it arrived that it holds what it should, and nothing else that asks."""
    own = desk.letters.settings.public_url
    assert [pixel.startswith(f"{own}/o/") for pixel in letter.pixels] == [True] * opens, name
    assert len(letter.traps) == clicks, name
    *links, write = letter.links
    assert write == WRITE, name
    assert len(links) == len(desk.written), name
    assert [link.startswith(f"{own}/c/") for link in links] == [clicks] * len(links), name
    if not clicks:
        assert links[1:] == list(desk.written[1:]), name
    # The text part is the author's own in every case, but for the notice of the pixel.
    assert desk.written[1] in letter.text, name
    assert f"{own}/o/" not in letter.text, name
    assert f"{own}/c/" not in letter.text, name
    for part in (letter.markup, letter.text):
        assert (f"{own}/p/" in part) is opens, name
        assert f"{own}/u/" in part, name
    assert letter.markup.count(f"{own}/o/") == opens, name
    assert letter.markup.count(f"{own}/c/") == (len(links) + 1) * clicks, name


def _check_figures(desk: Desk, campaign: int, expected: dict[str, frozenset[Told]]) -> None:
    """What pages show equals the table, and a recount of the events."""
    letters = desk.letters
    counted = Counter((kind, machine) for told in expected.values() for kind, machine, _, _ in told)
    links = Counter(
        (link, machine) for told in expected.values() for kind, machine, _, link in told if kind == "link_clicked"
    )
    with letters.db.read() as session:
        assert figures.verify(session) == []
        stats = campaign_stats(session, letters.workspace_id, campaign)
        by_link = link_stats(session, letters.workspace_id, campaign)
    assert (stats.sent, stats.bounced) == (len(letters.people), 0)
    assert (stats.opened, stats.machine_opened) == (counted["opened", False], counted["opened", True])
    assert (stats.clicked, stats.machine_clicked) == (counted["clicked", False], counted["clicked", True])
    assert (stats.opens_off, stats.clicks_off) == ("", "")
    assert {each.link: (each.clicked, each.machine_clicked) for each in by_link} == {
        link: (links[link, False], links[link, True]) for link in desk.written
    }
    books = letters.books(campaign)
    for (kind, machine), n in counted.items():
        assert books[f"email.{kind}{':machine' * machine}"] == n


def _traces(folder: Path) -> set[str]:
    """The addresses and agents of the table that are in any file, also in what SQLite leaves behind in its own."""
    known = {row.ip for row in TABLE} | {row.agent for row in TABLE if len(row.agent) > len("Mozilla/5.0")}
    files = [file.read_bytes() for file in folder.rglob("*") if file.is_file()]
    return {each for each in (*known, "HeadlessChrome") if any(each.encode() in content for content in files)}
