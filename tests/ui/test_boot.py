"""What the browser writes by itself: numbers, shares and times in the reader's format."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from fluenzr_app.bundle import ROOT

BOOT = ROOT / "assets" / "boot.js"
NOW = "2026-11-24T15:18:00+00:00"
Ask = Callable[[str], Any]


@pytest.fixture
def ask(page: Page) -> Ask:
    """Evaluate an expression in a page that has only the script, at a server time of 16:18 in Paris."""
    page.route("http://site.test/", lambda route: route.fulfill(body="<main></main>", content_type="text/html"))
    page.goto("http://site.test/")
    page.add_script_tag(path=str(BOOT))
    page.evaluate(f"fz.setClock('{NOW}', 0.000001)")
    return page.evaluate


def test_numbers_shares_and_what_is_unknown(ask: Ask):
    assert ask("fz.number('fr', 12480)") == "12\u202f480"
    assert ask("fz.number('en', 12480)") == "12,480"
    assert ask("fz.percent('fr', 0.0612)") == "6,1\u202f%"
    assert ask("fz.percent('en', 0.0612)") == "6.1%"
    assert (
        ask("[fz.number('fr', null), fz.percent('fr', null), fz.time('fr', ''), fz.relative('en', null)]") == ["–"] * 4
    )
    assert ask("fz.number('fr', 0)") == "0"


def test_sizes_have_the_unit_of_the_language(ask: Ask):
    assert ask("[0, 999, 4800, 2450000].map((octets) => fz.size('fr', octets))") == [
        "0\u00a0o", "999\u00a0o", "5\u00a0Ko", "2,5\u00a0Mo",
    ]  # fmt: skip
    assert ask("fz.size('en', 4800)") == "5\u00a0KB"


@pytest.mark.parametrize(
    ("iso", "french", "english"),
    [
        ("2026-11-24T15:17:50+00:00", "à l’instant", "just now"),
        ("2026-11-24T15:11:00+00:00", "il y a 7 min", "7 min ago"),
        ("2026-11-24T15:21:00+00:00", "dans 3 min", "in 3 min"),
        ("2026-11-24T12:10:00+00:00", "il y a 3 h", "3 hr ago"),
        ("2026-11-23T15:10:00+00:00", "hier", "yesterday"),
        ("2026-11-10T15:10:00+00:00", "10 nov.", "10 Nov"),
        ("2025-11-10T15:10:00+00:00", "10 nov. 2025", "10 Nov 2025"),
    ],
)
def test_a_time_is_said_relative_to_the_servers_clock(ask: Ask, iso: str, french: str, english: str):
    assert ask(f"fz.relative('fr', '{iso}', 'Europe/Paris')").replace("\u202f", " ").replace("\xa0", " ") == french
    assert ask(f"fz.relative('en', '{iso}', 'Europe/Paris')") == english


def test_the_exact_time_is_the_workspaces_whatever_the_browsers_zone(ask: Ask):
    assert ask(f"fz.time('fr', '{NOW}', 'America/New_York')") == "10:18"
    assert "10:18:00" in ask(f"fz.exact('fr', '{NOW}', 'America/New_York')")


def test_a_shown_time_follows_the_servers_clock_and_a_change_of_its_value(page: Page, ask: Ask):
    ask("""document.querySelector("main").innerHTML =
        '<fz-when datetime="2026-11-24T15:11:00+00:00" zone="Europe/Paris" lang="fr"></fz-when>'""")
    shown = page.locator("fz-when")
    expect(shown).to_have_text("il y a 7 min")
    assert "16:11:00" in (shown.get_attribute("title") or "")
    ask("fz.setClock('2026-11-24T15:41:00+00:00', 0.000001)")
    expect(shown).to_have_text("il y a 30 min")
    ask("""document.querySelector("fz-when").setAttribute("datetime", "2026-11-24T15:40:50+00:00")""")
    expect(shown).to_have_text("à l’instant")


def test_the_strength_of_a_password_grows_with_its_length(ask: Ask):
    passwords = [
        "",
        "abc",
        "aaaaaaaaaaaaaaaa",
        "abcdefghij",
        "une phrase simple",
        "une phrase plus longue encore",
        "Aa1!Bb2?Cc3=",
    ]
    assert [ask(f"fz.strength({text!r})") for text in passwords] == [0, 1, 1, 2, 3, 4, 4]


def test_the_choice_of_a_language_outlasts_the_page(page: Page, ask: Ask):
    assert ask("fz.lang()") == "fr"
    ask("fz.setLang('en')")
    page.reload()
    page.add_script_tag(path=str(BOOT))
    assert ask("fz.lang()") == "en"
    assert "fluenzr_lang=en" in ask("document.cookie")
