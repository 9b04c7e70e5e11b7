"""Every page compiles, is in the list, and is closed to strangers unless the list says otherwise."""

import json
from pathlib import Path

from fluenzr_app.fluenzr_app import app
from fluenzr_app.ui.registry import PAGES
from fluenzr_app.ui.shell import MENU, ShellState
from fluenzr_app.words.catalogue import catalogue


def test_every_page_compiles(bundle: Path):
    """The bundle is made of all pages at once: one that does not compile leaves none."""
    compiled = json.loads((bundle / "routes.json").read_text())
    assert set(compiled) >= {page.route.strip("/") or "index" for page in PAGES}


def test_every_page_has_an_address_of_its_own_and_a_title():
    routes = [page.route for page in PAGES]
    assert len(routes) == len(set(routes))
    assert all(page.title in catalogue() for page in PAGES)


def test_only_the_ways_in_are_public():
    assert {page.route for page in PAGES if page.is_public} == {"/sign-in", "/first-start"}


def test_opening_a_page_asks_who_is_there_before_anything_is_shown():
    for page in PAGES:
        first = app.get_load_events(page.route)[0]
        assert (first == ShellState.enter) != page.is_public, page.route


def test_the_menu_leads_to_pages_that_are_there():
    # A part of an address that may be missing stands in double brackets.
    assert {entry.href for entry in MENU} <= {page.route.partition("/[[")[0] for page in PAGES}
