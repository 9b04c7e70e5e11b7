"""The way in and the frame around the pages, as a person with a browser sees them."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from simple_websocket import Client  # type: ignore[import-untyped]
from sqlalchemy import text

from tests.people import PASSWORD
from tests.real.browser import NARROW, new_context, screenshot, without_faults
from tests.ui.conftest import Site

EMAIL = "camille@rivage.example"
SHELL = "reflex___state____state.fluenzr_app___ui___shell____shell_state"


@pytest.fixture(autouse=True)
def no_fault_in_the_browser(page: Page) -> Iterator[None]:
    """No page may log an error or throw one."""
    with without_faults(page, "ERR_CONNECTION_REFUSED|404"):
        yield


def sign_in(page: Page, site: Site, path: str = "/", password: str = PASSWORD) -> None:
    page.goto(site.url + path)
    page.locator("input[name=email]").fill(EMAIL)
    page.locator("input[name=password]").fill(password)
    page.keyboard.press("Enter")


def test_a_stranger_is_led_to_the_sign_in_and_after_it_to_where_he_wanted_to_go(page: Page, site: Site):
    page.goto(f"{site.url}/?from=mail")
    expect(page.get_by_role("heading", name="Bon retour")).to_be_visible()
    assert page.url == f"{site.url}/sign-in?next=%2F%3Ffrom%3Dmail"
    page.locator("input[name=email]").fill(EMAIL)
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Se connecter").click()
    expect(page.get_by_role("heading", name="Tableau de bord")).to_be_visible()
    assert page.url == f"{site.url}/?from=mail"
    expect(page.get_by_role("button", name="Votre compte")).to_contain_text("Atelier Rivage")
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert cookies["fluenzr_session"]["httpOnly"]
    assert cookies["fluenzr_session"]["sameSite"] == "Lax"


def test_a_wrong_password_is_told_without_telling_which_of_the_two_is_wrong(page: Page, site: Site):
    sign_in(page, site, password="not the password")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("Email ou mot de passe incorrect.")
    expect(page.locator("input[name=email]")).to_have_value(EMAIL)
    page.locator("input[name=email]").fill("nobody@rivage.example")
    page.keyboard.press("Enter")
    expect(alert).to_contain_text("Email ou mot de passe incorrect.")


@pytest.mark.parametrize(
    "address", ["//evil.example", "/\\evil.example", "https://evil.example", "javascript:alert(1)"]
)
def test_the_sign_in_leads_nowhere_else(page: Page, site: Site, address: str):
    page.goto(f"{site.url}/sign-in?next={address}")
    sign_in_again(page)
    expect(page.get_by_role("heading", name="Tableau de bord")).to_be_visible()
    assert page.url.startswith(site.url + "/")


def sign_in_again(page: Page) -> None:
    page.locator("input[name=email]").fill(EMAIL)
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")


def test_signing_out_ends_the_session_in_the_store_too(page: Page, site: Site):
    sign_in(page, site)
    page.get_by_role("button", name="Votre compte").click()
    token = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "fluenzr_session")
    page.get_by_role("menuitem", name="Se déconnecter").click()
    expect(page.get_by_role("heading", name="Bon retour")).to_be_visible()
    page.context.add_cookies([{"name": "fluenzr_session", "value": token, "url": site.url}])
    page.goto(site.url)
    expect(page.get_by_role("heading", name="Bon retour")).to_be_visible()


def test_the_language_is_the_browsers_until_a_person_has_chosen_and_then_the_persons(browser: Browser, site: Site):
    english = new_context(browser, language="en-GB")
    page = english.new_page()
    page.goto(f"{site.url}/sign-in")
    expect(page.get_by_role("heading", name="Welcome back")).to_be_visible()
    page.locator("input[name=email]").fill("typed@rivage.example")
    page.get_by_role("button", name="Français").click()
    expect(page.get_by_role("heading", name="Bon retour")).to_be_visible()
    expect(page.locator("input[name=email]")).to_have_value("typed@rivage.example")
    page.get_by_role("button", name="English").click()
    sign_in_again(page)
    # The owner was made in French: the person's language wins over the browser's.
    expect(page.get_by_role("heading", name="Tableau de bord")).to_be_visible()
    page.get_by_role("button", name="Votre compte").click()
    page.get_by_role("menuitem", name="English").click()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="Dashboard")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.get_by_role("button", name="Your account").click()
    page.get_by_role("menuitem", name="Français").click()
    expect(page.get_by_role("heading", name="Tableau de bord")).to_be_visible()
    english.close()


def test_the_page_goes_on_by_itself_after_the_server_was_started_again(page: Page, site: Site):
    sign_in(page, site)
    expect(page.get_by_role("button", name="Votre compte")).to_contain_text("Atelier Rivage")
    assert site.stop() == 0
    banner = page.get_by_text("Connexion perdue.")
    expect(banner).to_be_visible(timeout=20_000)
    site.start()
    expect(banner).to_be_hidden(timeout=30_000)
    expect(page.get_by_role("button", name="Votre compte")).to_contain_text("Atelier Rivage")
    page.get_by_role("button", name="Votre compte").click()
    page.get_by_role("menuitem", name="Se déconnecter").click()
    expect(page.get_by_role("heading", name="Bon retour")).to_be_visible()


def test_the_first_start_makes_the_owner_once(page: Page, start_site: Callable[..., Site]):
    site = start_site(fresh=True)
    page.goto(site.url)
    expect(page.get_by_text("Cette installation n’a pas encore de propriétaire.")).to_be_visible()
    page.goto(f"{site.url}/first-start?token=made-up")
    expect(page.get_by_text("Ce lien ne sert plus")).to_be_visible()
    link = f"{site.url}/first-start?token={site.setup_link}"
    page.goto(link)
    expect(page.get_by_text("SQLite, mode WAL")).to_be_visible()
    for name, typed in (
        ("first_name", "Camille"),
        ("last_name", "Rousseau"),
        ("email", EMAIL),
        ("password", "trop court"),
    ):
        page.locator(f"input[name={name}]").fill(typed)
    page.locator("input[name=workspace]").fill("Atelier Rivage")
    page.locator("input[name=email]").fill("camille")
    expect(page.get_by_text("Solide.")).to_be_hidden()
    page.get_by_role("button", name="Créer et continuer").click()
    expect(page.get_by_text("Il faut au moins 12 caractères.")).to_be_visible()
    expect(page.get_by_text("Ce n’est pas une adresse email.")).to_be_visible()
    expect(page.get_by_text("Enregistrement…")).to_be_hidden()
    page.locator("input[name=email]").fill(EMAIL)
    expect(page.locator("input[name=workspace]")).to_have_value("Atelier Rivage")
    page.locator("input[name=password]").fill(PASSWORD)
    page.get_by_role("button", name="Créer et continuer").click()
    expect(page.get_by_role("button", name="Votre compte")).to_contain_text("Atelier Rivage")
    page.goto(link)
    expect(page.get_by_text("Ce lien ne sert plus")).to_be_visible()


def test_a_phone_has_the_menu_at_the_bottom_and_nothing_runs_over_the_edge(browser: Browser, site: Site):
    phone: BrowserContext = new_context(browser, NARROW)
    page = phone.new_page()
    sign_in(page, site)
    bar = page.get_by_role("navigation").filter(has=page.get_by_text("Accueil"))
    expect(bar).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
    for target in [*bar.get_by_role("link").all(), bar.get_by_role("button", name="Plus")]:
        box = target.bounding_box()
        assert box is not None
        assert box["height"] >= 36
    bar.get_by_role("button", name="Plus").click()
    expect(page.get_by_role("menuitem", name="Paramètres")).to_be_visible()
    expect(page.get_by_role("menuitem", name="Se déconnecter")).to_be_visible()
    screenshot(page, "dashboard-phone")
    phone.close()


def test_an_address_that_is_nowhere_says_so(page: Page, site: Site):
    answer = page.goto(f"{site.url}/nowhere")
    assert answer is not None
    assert answer.status == 404
    expect(page.get_by_text("Cette page n’existe pas")).to_be_visible()


def call(site: Site, name: str, payload: dict[str, object], seconds: float = 2) -> list[str]:
    """Call a handler as a program without a cookie would, and give what comes back within `seconds`."""
    event = {"name": name, "payload": payload, "router_data": {"pathname": "/", "asPath": "/", "query": {}}}
    got: list[str] = []
    address = site.url.replace("http", "ws") + "/_event/?EIO=4&transport=websocket&token=a-token-of-mine"
    socket = Client(address)
    try:
        socket.receive(seconds)
        socket.send("40/_event,")
        socket.receive(seconds)
        socket.send("42/_event," + json.dumps(["event", event]))
        while (answer := socket.receive(seconds)) is not None:
            got.append(str(answer))
    finally:
        socket.close()
    return got


def test_a_program_without_a_session_gets_nothing_but_the_way_to_the_sign_in(site: Site):
    answers = call(site, f"{SHELL}.enter", {})
    assert any("_redirect" in answer for answer in answers)
    assert not any("Rivage" in answer or EMAIL in answer for answer in answers)
    assert call(site, f"{SHELL}.choose_language", {"lang": "en"}) != []
    assert not any("/sign-in" in answer for answer in call(site, "reflex___state____state.hydrate", {}))


def test_no_script_or_style_comes_from_elsewhere(page: Page, site: Site):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sign_in(page, site)
    expect(page.get_by_role("heading", name="Tableau de bord")).to_be_visible()
    page.evaluate("document.fonts.ready")
    assert [url for url in asked if not re.match(rf"{site.url}/|data:|blob:", url)] == []
    assert any(url.endswith(".woff2") for url in asked)


@contextmanager
def missing(site: Site, table: str) -> Iterator[None]:
    """A database without one of its tables, until the block ends."""
    database = site.database()

    def rename(before: str, after: str) -> None:
        with database.transaction() as session:
            session.connection().execute(text(f"ALTER TABLE {before} RENAME TO {after}"))

    rename(table, "somewhere_else")
    try:
        yield
    finally:
        rename("somewhere_else", table)
        database.close()


def test_a_handler_that_fails_says_so_in_the_readers_language_and_names_a_number(page: Page, site: Site):
    sign_in(page, site)
    expect(page.get_by_role("button", name="Votre compte")).to_contain_text("Atelier Rivage")
    with missing(site, "workspace"):
        page.reload()
        toast = page.get_by_text("L’action n’a pas abouti.").first
        expect(toast).to_be_visible()
        number = re.search(r"numéro (\w+)", page.get_by_text("Réessayez. Si cela continue").first.inner_text())
    assert number is not None
    log = (site.data / "log").read_text()
    assert number[1] in log
    assert "OperationalError" in log
