"""`fluenzr demo` as somebody starts it: what it prints, how it signs in, how fast it sends, what it leaves behind."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, expect
from sqlalchemy import text

from fluenzr_app.bundle import ROOT, ensure_bundle
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.db.ids import public_id
from fluenzr_app.demo.browsing import press_at_server
from fluenzr_app.demo.reading import Ask
from fluenzr_app.demo.recipients import Visit
from fluenzr_app.settings import load_settings
from fluenzr_app.tracking.unsubscribe import UnsubscribeLink, unsubscribe_url
from tests.real.browser import new_context
from tests.real.ports import free_ports

PARIS = ZoneInfo("Europe/Paris")
# Pages may have to be built first, and the machine may be busy.
pytestmark = pytest.mark.timeout(600)


@dataclass
class Demo:
    """A running demonstration; `told` is its first line, `link` the one that signs in."""

    process: subprocess.Popen[str]
    scratch: Path
    log: Path
    told: dict[str, str]
    ready_at: float

    @property
    def link(self) -> str:
        """The address that signs a browser in, as the terminal shows it."""
        return next(line for line in self.log.read_text().splitlines() if "/auth/demo" in line).split(": ", 1)[1]

    def get(self, path: str) -> Any:
        """What the REST API answers."""
        asked = urllib.request.Request(
            self.told["url"] + path, headers={"authorization": f"Bearer {self.told['apiKey']}"}
        )
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return json.load(answer)["data"]

    def sent(self) -> int:
        """How many mails all campaigns have sent."""
        campaigns = self.get("/v1/campaigns")
        return sum(self.get(f"/v1/campaigns/{campaign['id']}/stats")["sent"] for campaign in campaigns)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One demonstration for all tests here; the last one ends it."""
    place = tmp_path_factory.mktemp("demo")
    ensure_bundle()
    own = {name: value for name, value in os.environ.items() if not name.startswith(("FLUENZR_", "REFLEX_"))}
    # Without Node on the path.
    own |= {"TMPDIR": str(place), "PATH": "/usr/bin:/bin"}
    # A real installation's settings, which the demonstration must not touch.
    own |= {"FLUENZR_DATABASE_URL": f"sqlite:///{place}/mine.sqlite3", "FLUENZR_DATA_DIR": str(place / "mine")}
    own |= {"FLUENZR_HOST": "0.0.0.0", "FLUENZR_PUBLIC_URL": "https://mail.firm.example"}
    with (place / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "fluenzr_app", "demo", "--json", "--port", str(free_ports(1)[0])],
            cwd=ROOT, env=own, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
    try:
        line = _first_line(process, place / "log")
        yield Demo(process, place, place / "log", json.loads(line), time.monotonic())
    finally:
        process.kill()
        process.wait()


def _first_line(process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        pytest.fail(log.read_text()[-4000:])
    return line


def test_more_than_twenty_mails_leave_in_the_first_minute(demo: Demo) -> None:
    before = demo.sent()
    while time.monotonic() - demo.ready_at < 60 and demo.sent() - before <= 20:
        time.sleep(1)
    assert demo.sent() - before > 20
    assert time.monotonic() - demo.ready_at < 60


def test_mails_are_opened_and_looked_through_by_machines_while_it_runs(demo: Demo) -> None:
    def counted() -> tuple[int, int]:
        """How many mails people opened, and how many had a link that a machine followed."""
        stats = [demo.get(f"/v1/campaigns/{campaign['id']}/stats") for campaign in demo.get("/v1/campaigns")]
        return sum(each["opened"] for each in stats), sum(each["machineClicked"] for each in stats)

    opened, by_machines = counted()
    assert opened > 50
    assert by_machines > 5
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and not (counted()[0] > opened and counted()[1] > by_machines):
        time.sleep(1)
    assert counted()[0] > opened
    assert counted()[1] > by_machines


def test_somebody_answers_in_the_first_minute(demo: Demo) -> None:
    def began() -> datetime:
        """When the clock stood still for the last time, on the Monday at nine in Paris."""
        newest = datetime.fromisoformat(demo.get("/v1/conversations?perPage=1")[0]["lastAt"]).astimezone(PARIS)
        return newest.replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=newest.weekday())

    def answered() -> list[str]:
        found = demo.get("/v1/conversations?status=unread&perPage=100")
        # A minute of the wall is four hours of the demonstration, which may be past by now.
        begin, end = began(), began() + timedelta(hours=4)
        return [each["preview"] for each in found if begin < datetime.fromisoformat(each["lastInboundAt"]) < end]

    while time.monotonic() - demo.ready_at < 90 and not answered():
        time.sleep(1)
    assert answered()


def test_whoever_presses_the_button_of_their_mail_program_is_unsubscribed(demo: Demo) -> None:
    [data_dir] = demo.scratch.glob("fluenzr-demo-*")
    settings = load_settings(_env_file=None, data_dir=data_dir)
    keyring, db = KeyRing.load(settings), Database.open(settings)
    statement = "SELECT workspace_id, id, email_hash FROM contact WHERE status = 'active' ORDER BY id DESC LIMIT 1"
    with db.read() as session:
        workspace_id, contact_id, email_hash = session.connection().execute(text(statement)).one()
    db.close()
    link = UnsubscribeLink(workspace_id, contact_id, bytes(email_hash))
    nobody = f"http://127.0.0.1:{free_ports(1)[0]}/u/token"

    def press(url: str) -> bool:
        ask = Ask("POST", url, form=b"List-Unsubscribe=One-Click")
        return asyncio.run(press_at_server(Visit(datetime.now(PARIS), 1, (ask,))))

    assert press(unsubscribe_url(keyring, demo.told["url"], link))
    assert demo.get(f"/v1/contacts/{public_id('con', contact_id)}")["status"] == "unsubscribed"
    # A link that is good for nothing is not tried again, a server that is away is.
    assert press(f"{demo.told['url']}/u/token")
    assert not press(nobody)


def test_the_first_line_says_where_it_is_and_how_to_come_in(demo: Demo) -> None:
    assert set(demo.told) == {"url", "email", "password", "apiKey"}
    assert demo.told["url"].startswith("http://127.0.0.1:")
    assert {campaign["status"] for campaign in demo.get("/v1/campaigns")} >= {"active", "paused", "draft", "completed"}


def test_the_users_own_installation_is_left_alone(demo: Demo) -> None:
    names = {path.name for path in demo.scratch.iterdir()}
    assert not names & {"mine", "mine.sqlite3"}
    assert [name for name in names if name.startswith("fluenzr-demo-")]


def test_it_listens_on_this_machine_only(demo: Demo) -> None:
    port = int(demo.told["url"].rpartition(":")[2])
    listening = [
        line.split()[1] for line in Path(f"/proc/{demo.process.pid}/net/tcp").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and int(line.split()[1].rpartition(":")[2], 16) == port
    ]  # fmt: skip
    # 127.0.0.1, the way the kernel writes it.
    assert {address.partition(":")[0] for address in listening} == {"0100007F"}


def test_a_link_without_the_right_token_leads_to_the_sign_in(demo: Demo) -> None:
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: Any) -> None:
            return None

    with pytest.raises(urllib.error.HTTPError) as told:
        urllib.request.build_opener(Stay).open(f"{demo.told['url']}/auth/demo?token=guess", timeout=30)
    with told.value as answer:
        assert (answer.code, answer.headers["location"]) == (303, "/sign-in")
        assert answer.headers["set-cookie"] is None


def test_the_link_signs_one_browser_in_and_no_other(browser: Browser, demo: Demo) -> None:
    first, second = new_context(browser), new_context(browser)
    page, other = first.new_page(), second.new_page()
    page.goto(demo.link)
    expect(page.get_by_text("Camille Rostand")).to_be_visible(timeout=30_000)
    expect(page.get_by_text("Démonstration", exact=True)).to_be_visible()
    other.goto(demo.link)
    expect(other).to_have_url(f"{demo.told['url']}/sign-in", timeout=30_000)
    # The same browser may use the link again.
    page.goto(demo.link)
    expect(page.get_by_text("Camille Rostand")).to_be_visible(timeout=30_000)
    first.close()
    second.close()


# With the browser's tests, which run last: it is the end of the demonstration.
@pytest.mark.usefixtures("browser")
def test_it_leaves_nothing_behind_when_it_is_stopped(demo: Demo) -> None:
    demo.process.send_signal(signal.SIGTERM)
    assert demo.process.wait(30) == 0
    assert not list(demo.scratch.glob("fluenzr-demo-*"))
