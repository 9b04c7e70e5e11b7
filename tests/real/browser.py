"""A real Chromium, driven by Playwright."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.real.installed import CHROMIUM

# Headless and quiet: nothing of its own may go out, and neither sandbox nor graphics card is there in CI.
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    # Every name but loopback's fails at once, so that a page cannot load anything from elsewhere.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)
LAUNCH: dict[str, Any] = {"executable_path": CHROMIUM, "args": list(_FLAGS)}
_SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
WIDE = (1440, 900)
NARROW = (390, 844)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for each module: while it runs, Playwright holds the thread's event loop.

    Asynchronous tests therefore run before it starts or after it ends; conftest orders them so.
    """
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(**LAUNCH)
        yield launched
        launched.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser profile of the test's own: no cookies, French, Paris time, 1440 pixels wide."""
    own = new_context(browser)
    yield own
    own.close()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """An empty page in the test's own profile."""
    return context.new_page()


def new_context(
    browser: Browser,
    size: tuple[int, int] = WIDE,
    *,
    dark: bool = False,
    language: str = "fr-FR",
) -> BrowserContext:
    """One more profile, for a second person or another size, language or colour scheme; the caller closes it."""
    width, height = size
    made = browser.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if dark else "light",
        locale=language,
        timezone_id="Europe/Paris",
        accept_downloads=True,
    )
    made.set_default_timeout(20_000)
    # Two browsers and two servers share a small machine; what is there at once is not waited for.
    expect.set_options(timeout=20_000)
    return made


@contextmanager
def without_faults(page: Page, meant: str = "") -> Iterator[None]:
    """No page may log an error or throw one meanwhile, but for those that match the pattern `meant`."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    yield
    assert [fault for fault in faults if not (meant and re.search(meant, fault))] == []


def screenshot(page: Page, name: str) -> Path:
    """Saves the whole page under build/screenshots and gives the file."""
    _SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    file = _SCREENSHOTS / f"{re.sub(r'[^a-z0-9.-]+', '-', name.lower())}.png"
    page.screenshot(path=file, full_page=True)
    return file


def choose(button: Locator, item: Locator) -> None:
    """Press an entry of a menu that a button opens, again where the page brought itself up to date and closed it."""
    for _ in range(5):
        button.click()
        try:
            return item.click(timeout=4_000)
        except PlaywrightTimeout:
            # What is still open would take the next press of the button for its end.
            button.page.keyboard.press("Escape")
    return item.click()
