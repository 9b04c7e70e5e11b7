"""`make screenshots`: every page in every state, light and dark, wide and narrow, French and English, as pictures.

Writes `build/screenshots/<installation>/<page>-<mode>-<width>-<language>.png` and `build/screenshots/index.html` with
all of them. Ends with 1 and names the places when a page showed an error, its console had one, or a narrow page could
be pushed sideways. Names of pages after the command, or of installations, take those alone.
"""

import html
import itertools
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Error, Page, sync_playwright

from fluenzr_app.bundle import ROOT, ensure_bundle
from fluenzr_app.words.catalogue import Lang, words
from tests.real.browser import LAUNCH, NARROW, WIDE, new_context
from tests.real.ports import free_ports
from tests.ui.conftest import Site
from tests.ui.scenery import BUILDERS, Scenery
from tests.ui.scenes import SCENES, Scene, in_mode, scenes_of, show, sign_in, still, watch

FOLDER = ROOT / "build" / "screenshots"
LANGUAGES: tuple[Lang, ...] = ("fr", "en")
MODES = ("light", "dark")
_PROCESSES = 2
_HIGHEST = 4000
# What the browser says of a connection that a scene takes away, of an address that is nowhere, and of what watches the
# page (see `watch`) in a mail's frame, in which nothing may run.
_BY_DESIGN = {
    "no-connection": "ERR_INTERNET_DISCONNECTED|WebSocket",
    "not-found": "404",
    "campaign-preview": "Blocked script execution in 'about:srcdoc'",
}


@dataclass(frozen=True)
class Round:
    """What one process takes pictures of, and where it is served."""

    scenery: Scenery
    url: str
    lang: Lang
    size: tuple[int, int]
    names: tuple[str, ...]


def main(wanted: Sequence[str]) -> int:
    """Take the pictures; gives the exit code."""
    began = time.monotonic()
    kinds = [kind for kind in BUILDERS if kind in wanted] or list(BUILDERS)
    names = tuple(name for name in wanted if name not in BUILDERS)
    unknown = set(names) - {scene.name for scene in SCENES}
    if unknown:
        print(f"no such page: {', '.join(sorted(unknown))}", file=sys.stderr)
        return 2
    ensure_bundle(tell=print)
    with ExitStack() as stack:
        sites = []
        for kind in kinds:
            data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fluenzr-pictures-")))
            scenery = BUILDERS[kind](data)
            site = Site(free_ports(1)[0], data, at=scenery.at.isoformat() if scenery.at else "").start()
            stack.callback(site.stop)
            sites.append((scenery, site.url))
            shutil.rmtree(FOLDER / kind, ignore_errors=True)
            (FOLDER / kind).mkdir(parents=True)
        print(f"installations ready after {time.monotonic() - began:.0f} s", flush=True)
        rounds = [
            Round(scenery, url, lang, size, names)
            for (scenery, url), lang, size in itertools.product(sites, LANGUAGES, (WIDE, NARROW))
        ]
        with ProcessPoolExecutor(_PROCESSES) as pool:
            faults = [fault for found in pool.map(take, rounds) for fault in found]
    _write_index()
    print(f"{len(list(FOLDER.glob('*/*.png')))} pictures in {time.monotonic() - began:.0f} s: {FOLDER / 'index.html'}")
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


def take(this: Round) -> list[str]:
    """Take the pictures of a round; gives what was wrong, a line each."""
    faults: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**LAUNCH)
        signed_in, public = _context(browser, this), _context(browser, this)
        sign_in(signed_in, this.url, this.scenery.people[this.lang])
        for scene, address in scenes_of(this.scenery):
            if not this.names or scene.name in this.names:
                faults += _picture(public if scene.public else signed_in, this, scene, address)
        browser.close()
    return faults


def _context(browser: Browser, this: Round) -> BrowserContext:
    made = new_context(browser, this.size, language={"fr": "fr-FR", "en": "en-GB"}[this.lang])
    watch(made)
    return made


def _picture(context: BrowserContext, this: Round, scene: Scene, address: str) -> list[str]:
    place = f"{this.scenery.kind} {scene.name} {this.size[0]} {this.lang}"
    page = context.new_page()
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    try:
        show(page, this.url, scene, address, this.lang)
        for mode in MODES:
            in_mode(page, mode)
            _whole(page, this.size)
            name = f"{scene.name}-{mode}-{this.size[0]}-{this.lang}.png"
            page.screenshot(path=FOLDER / this.scenery.kind / name)
            page.set_viewport_size({"width": this.size[0], "height": this.size[1]})
        said += _errors_shown(page, this.lang)
        said += _sideways(page) if this.size == NARROW else []
    except (Error, AssertionError) as error:
        said.append(str(error).splitlines()[0])
    finally:
        context.set_offline(False)
        page.close()
    expected = _BY_DESIGN.get(scene.name)
    return [f"{place}: {line}" for line in said if not (expected and re.search(expected, line))]


def _whole(page: Page, size: tuple[int, int]) -> None:
    """Make the window as high as the page: what is fixed to its edges then covers nothing."""
    height = min(page.evaluate("document.documentElement.scrollHeight"), _HIGHEST)
    if height > size[1]:
        page.set_viewport_size({"width": size[0], "height": height})
        still(page)


def _errors_shown(page: Page, lang: Lang) -> list[str]:
    text = page.locator("body").inner_text()
    keys = ("failures.unexpected", "failures.not_allowed", "layout.page_failed")
    return [f"the page says “{words(lang, key)}”" for key in keys if words(lang, key) in text]


def _sideways(page: Page) -> list[str]:
    wide = page.evaluate("document.documentElement.scrollWidth")
    return [f"can be pushed sideways: {wide} px wide"] if wide > page.evaluate("innerWidth") else []


def _write_index() -> None:
    parts = ["<!doctype html><meta charset=utf-8><title>FluenzR</title><style>", _STYLE, "</style>"]
    for kind in BUILDERS:
        for scene in SCENES:
            files = sorted((FOLDER / kind).glob(f"{scene.name}-*.png"))
            mine = [file for file in files if re.fullmatch(rf"{re.escape(scene.name)}-(light|dark)-.*", file.name)]
            parts += _row(f"{kind} · {scene.name}", mine)
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "index.html").write_text("\n".join(parts), "utf-8")


def _row(title: str, files: Iterable[Path]) -> list[str]:
    shown = []
    for file in files:
        address = html.escape(file.relative_to(FOLDER).as_posix())
        shown.append(f'<a href="{address}"><img loading=lazy src="{address}" alt="{html.escape(file.stem)}"></a>')
    return [f"<h2>{html.escape(title)}</h2><p>", *shown, "</p>"] if shown else []


_STYLE = """
body { font: 14px sans-serif; margin: 24px; background: #ddd }
p { display: flex; gap: 12px; overflow-x: auto; align-items: flex-start }
img { height: 420px; border: 1px solid #999 }
"""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
