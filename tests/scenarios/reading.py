"""Reading real mail: the installation's public links served on its virtual clock, and whoever asks for them."""

import asyncio
import contextlib
import html
import http.client
import http.server
import re
import threading
from collections.abc import Coroutine, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import uvicorn

from fluenzr_app.api.app import create_api
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.api.track import PIXEL, TrackedLinks
from fluenzr_app.server import pages_off
from tests.scenarios.correspondence import Correspondence, parsed_mail
from tests.serving import serving
from tests.tracking.agents_table import PEOPLE, Row

CHROME = next(row for row in PEOPLE if row.name == "Chrome")


@dataclass(frozen=True)
class Letter:
    """A mail as it lies in its reader's mailbox. `links` are those of its text in order, `ways_out` the footer's."""

    markup: str
    text: str
    links: tuple[str, ...]
    ways_out: tuple[str, ...]
    pixels: tuple[str, ...]
    traps: tuple[str, ...]


def letter_in(letters: Correspondence, address: str) -> Letter:
    """The last mail in a mailbox."""
    mail = parsed_mail(letters.office.mailbox(address)[-1])
    parts = {kind: mail.get_body((kind,)) for kind in ("html", "plain")}
    markup, text = ("" if part is None else str(part.get_content()) for part in parts.values())
    links: list[str] = []
    traps: list[str] = []
    for tag in re.findall(r"<a\b[^>]*>", markup):
        target = re.search(r'href="([^"]*)"', tag)
        if target is not None:
            (traps if "display:none" in tag else links).append(html.unescape(target[1]))
    ways_out = [link for link in links if re.search(r"/[up]/[^/]+$", link)]
    links = [link for link in links if link not in ways_out]
    pixels = [html.unescape(each) for each in re.findall(r'<img\b[^>]*src="([^"]*)"', markup)]
    return Letter(markup, text, tuple(links), tuple(ways_out), tuple(pixels), tuple(traps))


@contextlib.contextmanager
def served(letters: Correspondence) -> Iterator[None]:
    """Serve the routes of the installation as `fluenzr serve` does, on its own clock, until the block ends."""
    settings = letters.settings
    runtime = ApiRuntime(settings, letters.db, letters.keyring, letters.clock)
    links = TrackedLinks(runtime)
    application = pages_off(
        settings, api_app=create_api(runtime, links=links), lifespans=(links.running,), ahead=links.ahead()
    )
    config = uvicorn.Config(
        application,
        settings.host,
        settings.port,
        log_config=None,
        access_log=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
    )
    with serving(config):
        yield


def ask(url: str, row: Row = CHROME) -> tuple[int, Mapping[str, str], bytes]:
    """Ask for an address in a row's manner, through a proxy that tells from where; give status, headers and body."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=20)
    try:
        connection.putrequest(row.method, place.path, skip_accept_encoding=True)
        # An agent of blanks arrives as an empty one.
        if row.agent:
            connection.putheader("User-Agent", row.agent)
        connection.putheader("X-Forwarded-For", row.ip)
        for name, value in row.headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def open_mail(letter: Letter, row: Row = CHROME) -> None:
    """Fetch the pixel."""
    (pixel,) = letter.pixels
    status, headers, body = ask(pixel, row)
    assert (status, headers["content-type"]) == (200, "image/gif")
    assert "no-store" in headers["cache-control"]
    assert "set-cookie" not in headers
    assert body == (b"" if row.method == "HEAD" else PIXEL)


def click(link: str, row: Row = CHROME) -> str:
    """Follow a link and give where it leads to."""
    status, headers, _ = ask(link, row)
    assert status == 302
    assert "no-store" in headers["cache-control"]
    assert "set-cookie" not in headers
    return headers["location"]


def step_into_trap(letter: Letter, row: Row = CHROME) -> None:
    """Ask for the link that no person sees; it leads nowhere."""
    (trap,) = letter.traps
    status, headers, body = ask(trap, row)
    assert (status, body) == (204, b"")
    assert "location" not in headers


class Web:
    """A site elsewhere: shows what it is given, as a web mail shows a mail, and the places to which links lead."""

    def __init__(self, port: int, places: Mapping[str, str]) -> None:
        self.url = f"http://localhost:{port}"
        self.shown: dict[str, str] = {}
        self.visited: list[str] = []
        web = self

        class Pages(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = self.path.partition("?")[0]
                page = web.shown.get(path) or places.get(path)
                if path in places:
                    web.visited.append(self.path)
                self.send_response(200 if page is not None else 404)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write((page or "").encode())

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Pages)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def show(self, path: str, markup: str) -> str:
        """Show a page at this path from now on; gives its address."""
        self.shown[path] = markup
        return f"{self.url}{path}"

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()


class OwnLoop:
    """An event loop on a thread of its own: while a browser runs, Playwright holds the test's."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Wait until this is done."""
        asyncio.run_coroutine_threadsafe(work, self._loop).result(120)

    def stop(self) -> None:
        """End the loop and the thread."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
