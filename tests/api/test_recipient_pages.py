"""The pages for who got a mail, in a real browser without script: by keyboard, on a telephone, in the dark."""

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from fluenzr_app.contacts.models import Contact
from fluenzr_app.tracking import unsubscribe
from fluenzr_app.tracking.unsubscribe import UnsubscribeLink
from fluenzr_app.workspaces.models import Workspace
from tests.people import make_contact
from tests.real.browser import NARROW, WIDE

# WCAG 2.2, 1.4.3 and 1.4.11.
_LEAST_FOR_WORDS, _LEAST_FOR_EDGES = 4.5, 3.0
_CONTRASTS = """() => {
  const parse = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const [R, G, B] = [r, g, b].map(v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * R + 0.7152 * G + 0.0722 * B;
  };
  const behind = one => {
    for (; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + .05) / (y + .05); };
  return [...document.querySelectorAll('h1,h2,p,a,button')].map(one => {
    const style = getComputedStyle(one);
    const edge = one.tagName === 'BUTTON' ? ratio(parse(style.borderTopColor), behind(one.parentElement)) : 21;
    return [one.textContent, ratio(parse(style.color), behind(one)), edge];
  });
}"""


@pytest.fixture
def addresses(database: Any, keyring: Any, clock: Any, people: Any, served_port: int) -> tuple[str, str]:
    """The page of choices and the way out of a contact whose sender has the longest of names."""
    with database.transaction() as session:
        session.get(Workspace, people.workspace_id).name = "Saint-" + "Barthélemy" * 9
        contact = make_contact(session, keyring, people.workspace_id, "lea@atelier.example", clock.now())
        row = session.get(Contact, contact)
        token = unsubscribe.make_token(keyring, UnsubscribeLink(people.workspace_id, contact, bytes(row.email_hash)))
    here = f"http://127.0.0.1:{served_port}"
    return f"{here}/p/{token}", f"{here}/u/{token}"


@pytest.fixture(params=product((WIDE, NARROW), ("light", "dark")), ids=lambda p: f"{p[0][0]}-{p[1]}")
def window(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A browser window in which no script runs and nothing may be complained of."""
    (width, height), scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, java_script_enabled=False
    )
    context.set_default_timeout(20_000)
    expect.set_options(timeout=20_000)
    page, complaints = context.new_page(), list[str]()

    def complain(message: ConsoleMessage) -> None:
        # That a page for a broken link answers 404 is meant so.
        if "404" not in message.text:
            complaints.append(message.text)

    page.on("console", complain)
    yield page
    assert complaints == []
    assert context.cookies() == []
    context.close()


def assert_it_can_be_read(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found = page.evaluate(_CONTRASTS)
    assert len(found) >= 2
    for words, contrast, edge in found:
        assert contrast >= _LEAST_FOR_WORDS, words
        assert edge >= _LEAST_FOR_EDGES, words


def test_every_page_can_be_read_and_used_by_keyboard_alone(window: Page, addresses: tuple[str, str]) -> None:
    choices, way_out = addresses
    window.goto(choices)
    assert_it_can_be_read(window)
    window.keyboard.press("Tab")
    expect(window.get_by_role("button", name="Refuser le suivi")).to_be_focused()
    window.keyboard.press("Enter")
    # What was done has the focus, so that it is what a screen reader says first.
    expect(window.get_by_role("status")).to_be_focused()
    assert_it_can_be_read(window)
    tracking = window.get_by_role("region", name="Le suivi des ouvertures et des clics")
    expect(tracking).to_contain_text("Refusé depuis le 2 mars 2026")
    window.keyboard.press("Tab")
    expect(window.get_by_role("button", name="Autoriser de nouveau")).to_be_focused()
    window.get_by_role("link", name="Read this page in English").click()
    expect(window.locator("html")).to_have_attribute("lang", "en")
    expect(window.get_by_role("region", name="Tracking of openings and clicks")).to_contain_text("Refused since")
    assert_it_can_be_read(window)
    window.goto(way_out)
    assert_it_can_be_read(window)
    window.get_by_role("button", name="Me désinscrire").click()
    expect(window.get_by_role("heading")).to_have_text("C’est fait, vous êtes désinscrit")
    assert_it_can_be_read(window)
    window.get_by_role("link", name="Mes autres choix").click()
    messages = window.get_by_role("region", name="Les messages")
    expect(messages).to_contain_text("Vous ne les recevez plus")
    expect(messages.get_by_role("button")).to_have_count(0)
    window.goto(choices + "x")
    expect(window.get_by_role("link")).to_have_count(0)
    assert_it_can_be_read(window)
