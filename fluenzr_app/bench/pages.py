"""`pages`: the sign-in and the dashboard in a cold browser on a slow processor, against a bare page of the same React.

The browser is the first of `CHROMIUMS` that is there, driven by Playwright, which is no part of the product: it comes
with the tests.
"""

import json
import os
import re
import statistics
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

from fluenzr_app.bench.track import free_port, serving
from fluenzr_app.bundle import ensure_bundle
from fluenzr_app.clock import utc_now
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.db.migrations import migrate
from fluenzr_app.settings import load_settings
from fluenzr_app.workspaces.users import create_owner

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUMS: Final = ("/usr/bin/chromium", "/usr/bin/chromium-headless-shell")
SLOWER: Final = 4
ROUNDS: Final = 7
_FLAGS: Final = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")
_EMAIL, _PASSWORD = "camille@bench.example", "a long bench password"
# Of each page: its address, what is there once its data is, a button, and what that button does.
_PAGES: Final = {
    "sign_in": ("/sign-in", "input[name=password]", ".fz-language[lang=en]", "html[lang=en]"),
    "dashboard": ("/", ".fz-body > :not(:has(.fz-skeleton))", ".fz-person", "[role=menu]"),
}
_WATCH: Final = """(() => {
const seen = window.seen = {fcp: 0, shown: 0, usable: 0, longTasks: 0, longest: 0, shift: 0};
const each = (type, act) => new PerformanceObserver(l => l.getEntries().forEach(act)).observe({type, buffered: true});
each("paint", e => { if (e.name === "first-contentful-paint") seen.fcp = e.startTime; });
each("longtask", e => { seen.longTasks += 1; seen.longest = Math.max(seen.longest, e.duration); });
each("layout-shift", e => { seen.shift += e.value; });
const press = () => { const button = document.querySelector(BUTTON);
  button.dispatchEvent(new PointerEvent("pointerdown", {bubbles: true, button: 0, pointerType: "mouse"}));
  button.click(); };
const look = () => {
  if (!seen.shown && document.querySelector(SHOWN) && document.querySelector(BUTTON)) {
    seen.shown = performance.now(); setTimeout(press); }
  if (seen.shown && document.querySelector(ANSWER)) seen.usable = performance.now();
  else requestAnimationFrame(look); };
requestAnimationFrame(look);
})()"""
# A static document that loads and runs the same React and router, and is kept from being filled by them.
_BARE: Final = """<!doctype html><html><head><link rel="modulepreload" href="ENTRY"></head><body><script type="module">
Object.defineProperty(document, "nodeType", {value: 0});
await import("ENTRY").catch(() => undefined);
document.body.innerHTML = "<p id=bare>FluenzR</p>";
</script></body></html>"""


def measure_pages(rounds: int = ROUNDS) -> dict[str, Any]:
    """Return medians of both pages: ms to the first paint, to the data and to a button's answer, kB and requests.

    `ratio` is the dashboard's time until a button answers to the bare page's until it shows, of rounds in turn.
    Raises ImportError without Playwright.
    """
    from playwright.sync_api import sync_playwright

    ensure_bundle()
    with _site() as url, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=next(filter(os.path.exists, CHROMIUMS), CHROMIUMS[0]), args=list(_FLAGS)
        )
        try:
            cookies = _signed_in(browser, url)
            found: dict[str, list[dict[str, float]]] = {name: [] for name in (*_PAGES, "bare")}
            for _ in range(rounds):
                found["bare"].append(_bare(browser, url))
                for name in _PAGES:
                    found[name].append(_open(browser, url, name, cookies if name == "dashboard" else []))
        finally:
            browser.close()
    pairs = zip(found["dashboard"], found["bare"], strict=True)
    ratio = statistics.median(page["usable_ms"] / bare["shown_ms"] for page, bare in pairs)
    return {**{name: _medians(runs) for name, runs in found.items()}, "ratio": round(ratio, 2)}


def _medians(runs: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(statistics.median(run[key] for run in runs), 3 if key == "shift" else 0) for key in runs[0]}


def _open(browser: "Browser", url: str, name: str, cookies: list[Any]) -> dict[str, float]:
    path, shown, button, answer = _PAGES[name]
    script = _WATCH
    for place, value in (("SHOWN", shown), ("BUTTON", button), ("ANSWER", answer)):
        script = script.replace(place, json.dumps(value))
    with _cold(browser, cookies) as (page, devtools):
        loaded = {"bytes": 0.0, "requests": 0}

        def count(event: dict[str, Any]) -> None:
            loaded["bytes"] += event["encodedDataLength"]
            loaded["requests"] += 1

        devtools.on("Network.loadingFinished", count)
        page.add_init_script(script)
        page.goto(url + path, wait_until="commit")
        page.wait_for_function("window.seen.usable && window.seen.fcp", timeout=60_000)
        seen = page.evaluate("window.seen")
        metrics = {each["name"]: each["value"] for each in devtools.send("Performance.getMetrics")["metrics"]}
    return {
        "first_paint_ms": seen["fcp"], "shown_ms": seen["shown"], "usable_ms": seen["usable"],
        "script_ms": 1000 * metrics["ScriptDuration"], "busy_ms": 1000 * metrics["TaskDuration"],
        "long_tasks": seen["longTasks"], "longest_ms": seen["longest"], "shift": seen["shift"],
        "kb": loaded["bytes"] / 1024, "requests": loaded["requests"],
    }  # fmt: skip


def _bare(browser: "Browser", url: str) -> dict[str, float]:
    with urllib.request.urlopen(url + "/sign-in") as answer:  # noqa: S310 - our own server
        found = re.search(r"/assets/entry\.client-[\w-]+\.js", answer.read().decode())
    if found is None:
        raise AssertionError("the built page names no entry script; is this the pinned version of Reflex?")
    body = _BARE.replace("ENTRY", found[0])
    with _cold(browser, []) as (page, _):
        page.route(url + "/bare", lambda route: route.fulfill(body=body, content_type="text/html"))
        page.goto(url + "/bare", wait_until="commit")
        page.wait_for_function("document.querySelector('#bare') && performance.getEntriesByType('paint').length > 1")
        return {"shown_ms": page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")}


@contextmanager
def _cold(browser: "Browser", cookies: list[Any]) -> Iterator[tuple["Page", Any]]:
    """Give a page of a browser that has never been here, on a processor that is `SLOWER` times as slow."""
    context = browser.new_context(locale="fr-FR", viewport={"width": 1440, "height": 900})
    try:
        context.add_cookies(cookies)
        page = context.new_page()
        devtools = context.new_cdp_session(page)
        devtools.send("Network.enable")
        devtools.send("Performance.enable")
        devtools.send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})
        yield page, devtools
    finally:
        context.close()


def _signed_in(browser: "Browser", url: str) -> list[Any]:
    """Return the cookies of a browser that has signed in; the server is warm afterwards."""
    context = browser.new_context(locale="fr-FR")
    try:
        page = context.new_page()
        page.goto(url + "/sign-in")
        page.locator("input[name=email]").fill(_EMAIL)
        page.locator("input[name=password]").fill(_PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_selector(".fz-person")
        return list(context.cookies())
    finally:
        context.close()


@contextmanager
def _site() -> Iterator[str]:
    with TemporaryDirectory(prefix="fluenzr-bench-") as folder:
        settings = load_settings(_env_file=None, data_dir=Path(folder), secret_key="bench " * 8, port=free_port())
        db = Database.open(settings)
        try:
            migrate(db)
            with db.transaction() as session:
                create_owner(
                    session, KeyRing.load(settings), email=_EMAIL, password=_PASSWORD, first_name="Camille",
                    last_name="Rousseau", workspace_name="Bench", language="fr", now=utc_now(),
                )  # fmt: skip
        finally:
            db.close()
        with serving(settings, "fluenzr_app", "serve") as port:
            yield f"http://localhost:{port}"
