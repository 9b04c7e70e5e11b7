"""Every page and state is free of what axe finds against WCAG 2.1 A and AA, in both modes and at both widths."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from playwright.sync_api import Browser, BrowserContext, Page

from fluenzr_app.ui.registry import PAGES
from tests.real.browser import NARROW, WIDE, new_context
from tests.ui.conftest import Site
from tests.ui.scenery import BUILDERS, Kind, Scenery
from tests.ui.scenes import SCENES, Scene, in_mode, show, sign_in, still, watch

_RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice")
_RUN = """(rules) => axe.run(document, { runOnly: rules, resultTypes: ['violations'], iframes: false })
    .then((found) => found.violations.flatMap((rule) => rule.nodes.map((node) =>
        [rule.id, node.target.join(' '), node.any.concat(node.all, node.none).map((each) => each.message).join()])))"""
# Every mode at every width in both installations; else each scene once wide and light, and once narrow and dark.
_THOROUGH = os.environ.get("FLUENZR_TEST_FULL") == "1"
# The dark mode is another set of colours and nothing else.
_COLOURS = {"type": "rule", "values": ["color-contrast"]}
_EVERYTHING = {"type": "tag", "values": list(_RULES)}
Passes = tuple[tuple[Literal["light", "dark"], dict[str, Any]], ...]
# An open menu lies outside of the landmarks, at the end of the page, and is no part of the text.
_NOT_OF_MENUS = "region"


@pytest.fixture(scope="module")
def installations(start_site: Callable[..., Site], tmp_path_factory: pytest.TempPathFactory) -> dict[Kind, Any]:
    """The installation in which much goes wrong, and the one that has just begun, each with its address."""
    made: dict[Kind, Any] = {}
    for kind in ("failing", "empty"):
        data = tmp_path_factory.mktemp(kind)
        scenery = BUILDERS[kind](data)
        made[kind] = (scenery, start_site(data=data).url)
    return made


@pytest.fixture(scope="module")
def readers(browser: Browser, installations: dict[Kind, Any]) -> Iterator[dict[tuple[Kind, bool], BrowserContext]]:
    """A profile for each installation, signed in or (True) not."""
    made = {}
    for kind, (scenery, url) in installations.items():
        for public in (False, True):
            context = new_context(browser)
            watch(context)
            context.add_init_script(AXE_SCRIPT)
            if not public:
                sign_in(context, url, scenery.people["fr"])
            made[kind, public] = context
    yield made
    for context in made.values():
        context.close()


def test_every_page_of_the_registry_is_among_the_scenes():
    assert {page.route for page in PAGES} - {scene.route for scene in SCENES} == set()


def _found(page: Page, rules: dict[str, Any], place: str) -> list[str]:
    menu = page.locator("[role=menu]").count() > 0
    found = [each for each in page.evaluate(_RUN, rules) if not (menu and each[0] == _NOT_OF_MENUS)]
    return [f"{place}: {rule}: {where}: {why}" for rule, where, why in found]


def _violations(page: Page, scene: Scene) -> list[str]:
    found = []
    both: Passes = (("light", _EVERYTHING), ("dark", _COLOURS))
    wide: Passes = both if _THOROUGH else (("light", _EVERYTHING),)
    narrow: Passes = both if _THOROUGH else (("dark", _EVERYTHING),)
    for size, passes in ((WIDE, wide), (NARROW, narrow)):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        still(page)
        for mode, rules in passes:
            in_mode(page, mode)
            found += _found(page, rules, f"{scene.name} {size[0]} {mode}")
    return found


@pytest.mark.parametrize("scene", SCENES, ids=[scene.name for scene in SCENES])
def test_nothing_bars_the_way(
    scene: Scene,
    installations: dict[Kind, tuple[Scenery, str]],
    readers: dict[tuple[Kind, bool], BrowserContext],
):
    found = []
    for kind, (scenery, url) in installations.items():
        address = scene.address(scenery)
        if address is None:
            continue
        context = readers[kind, scene.public]
        page = context.new_page()
        try:
            show(page, url, scene, address, "fr")
            found += [f"{kind} {line}" for line in _violations(page, scene)]
        finally:
            context.set_offline(False)
            page.close()
        if not _THOROUGH:
            break
    assert found == [], "\n".join([*found, str(Counter(line.split(": ")[1] for line in found))])
