"""The frame: going anywhere by typing, keys, an old page after an upgrade, and what is typed and not saved."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlalchemy import update
from sqlmodel import Session

from fluenzr_app.bundle import name_bundle
from fluenzr_app.clock import SystemClock
from fluenzr_app.contacts import service as contacts
from fluenzr_app.contacts.listing import ContactFilter, list_contacts
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.ids import public_id
from fluenzr_app.settings import load_settings
from fluenzr_app.words.catalogue import Lang, words
from fluenzr_app.workspaces.models import User
from tests.people import PASSWORD, make_account
from tests.real.browser import NARROW, new_context, screenshot, without_faults
from tests.ui.conftest import Site

EMAIL = "camille@rivage.example"


@pytest.fixture(autouse=True)
def no_fault_in_the_browser(page: Page) -> Iterator[None]:
    """No page may log an error or throw one; what cannot be fetched while the server is away is meant."""
    with without_faults(page, "ERR_|404|dynamically imported|Error loading route module|Failed to load resource"):
        yield


@pytest.fixture(autouse=True)
def in_french(request: pytest.FixtureRequest) -> Iterator[None]:
    """What one test chose or left in the language of the person does not reach the next one."""
    yield
    if "stocked" in request.fixturenames:
        within(request.getfixturevalue("stocked"), speak_french)


@pytest.fixture(scope="module")
def stocked(start_site: Callable[..., Site]) -> Site:
    """A site with a contact, an account and a campaign."""
    site = start_site()
    within(site, stock)
    return site


def within(site: Site, act: Callable[[Session, KeyRing, int], None]) -> None:
    """Do something to the site's database as a tick or another page would."""
    database, keyring = site.database(), KeyRing.load(load_settings(_env_file=None, data_dir=site.data))
    try:
        with database.transaction() as session:
            act(session, keyring, 1)
    finally:
        database.close()


def stock(session: Session, keyring: KeyRing, workspace: int) -> None:
    now = SystemClock().now()
    for email, first, last in (("maelle@kerbrat.example", "Maëlle", "Kerbrat"), ("jo@brise.example", "Jo", "Brise")):
        contacts.create_contact(
            session, keyring, workspace, {"email": email, "first_name": first, "last_name": last}, now
        )
    make_account(session, workspace, "noa@kerbrat.example", now)


def speak_french(session: Session, _keyring: KeyRing, _workspace: int) -> None:
    session.connection().execute(update(User).values(language="fr"))


def sign_in(page: Page, site: Site, path: str = "/") -> None:
    page.goto(site.url + path)
    page.locator("input[name=email]").fill(EMAIL)
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    # Not by its role: what lies under a drawer has none.
    expect(page.locator(".fz-nav .fz-person")).to_contain_text("Atelier Rivage")


def palette(page: Page, lang: Lang = "fr") -> Locator:
    """The palette, opened by its keys."""
    expect(page.locator("fz-key[letter='ctrl+k']")).to_be_attached()
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name=words(lang, "palette.title"))
    expect(field).to_be_focused()
    return field


def test_typing_leads_to_a_page_and_the_focus_stays_inside_and_comes_back(page: Page, stocked: Site):
    sign_in(page, stocked)
    menu = page.get_by_role("link", name="Tableau de bord")
    menu.focus()
    field = palette(page)
    for _ in range(4):
        page.keyboard.press("Tab")
        assert page.evaluate("!!document.activeElement.closest('[role=dialog]')")
    page.keyboard.press("Escape")
    expect(field).to_be_hidden()
    expect(menu).to_be_focused()
    field = palette(page)
    page.keyboard.type("exclus")
    chosen = page.get_by_role("option", selected=True)
    expect(chosen).to_contain_text("Paramètres\u00a0:")
    assert field.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/settings\?tab=suppression$"))
    expect(page.get_by_role("heading", name="Paramètres")).to_be_visible()
    palette(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("option", selected=True)).to_contain_text("Campagnes")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/inbox/?$"))


def test_what_the_workspace_has_is_found_by_its_name(page: Page, stocked: Site):
    sign_in(page, stocked)
    palette(page)
    page.keyboard.type("kerbrat")
    expect(page.get_by_role("group", name="Contacts").get_by_role("option")).to_contain_text("Maëlle Kerbrat")
    expect(page.get_by_role("group", name="Comptes email").get_by_role("option")).to_contain_text("noa@kerbrat.example")
    screenshot(page, "palette")
    page.get_by_role("option", name="Maëlle Kerbrat").click()
    expect(page).to_have_url(re.compile(r"/contacts/?\?open=con_"))
    # The card comes with its own focus.
    expect(page.get_by_role("heading", name="Maëlle Kerbrat")).to_be_visible()
    palette(page)
    page.keyboard.type("zzzz nobody")
    expect(page.get_by_role("status").filter(has_text="Rien pour")).to_contain_text("zzzz nobody")


def test_acts_are_done_from_anywhere(page: Page, stocked: Site):
    sign_in(page, stocked)
    palette(page)
    page.keyboard.type("nouvelle camp")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog").get_by_text("Nouvelle campagne").first).to_be_visible()
    page.keyboard.press("Escape")
    palette(page)
    page.keyboard.type("english")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Campaigns")).to_be_visible()
    palette(page, "en")
    page.keyboard.type("sombre")
    expect(page.get_by_role("status").filter(has_text="Nothing for")).to_be_visible()
    page.keyboard.press("Control+a")
    page.keyboard.type("dark app")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_class(re.compile("dark"))
    palette(page, "en")
    page.keyboard.type("français")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Campagnes")).to_be_visible()
    palette(page)
    page.keyboard.type("deconnecter")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Bon retour")).to_be_visible()


def test_a_phone_opens_the_palette_by_a_button(browser: Browser, stocked: Site):
    phone = new_context(browser, NARROW)
    page = phone.new_page()
    page.goto(stocked.url)
    page.locator("input[name=email]").fill(EMAIL)
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Plus").click()
    page.get_by_role("menuitem", name="Rechercher ou aller à").click()
    field = page.get_by_role("combobox", name="Aller à une page")
    expect(field).to_be_focused()
    field.fill("maelle")
    expect(page.get_by_role("option", name="Maëlle Kerbrat")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
    screenshot(page, "palette-phone")
    page.get_by_role("option", name="Maëlle Kerbrat").click()
    expect(page).to_have_url(re.compile("open=con_"))
    phone.close()


def test_the_question_mark_lists_the_keys_that_work_here_and_none_works_while_somebody_types(page: Page, stocked: Site):
    sign_in(page, stocked, "/contacts")
    expect(page.get_by_role("row").filter(has_text="Kerbrat")).to_be_visible()
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Ligne suivante")
    expect(dialog).to_contain_text("Comptes email")
    screenshot(page, "keys")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("open=con_"))
    page.keyboard.press("/")
    search = page.get_by_role("searchbox")
    expect(search).to_be_focused()
    page.keyboard.type("g c?")
    expect(search).to_have_value("g c?")
    expect(dialog).to_be_hidden()
    # The list has been asked for what was typed: its new address would come after the one of the keys.
    expect(page).to_have_url(re.compile("q=g"))
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("g")
    page.keyboard.press("c")
    expect(page).to_have_url(re.compile("/campaigns/?$"))


def test_what_is_typed_for_a_new_contact_outlasts_a_lost_connection_and_a_reload(page: Page, stocked: Site):
    sign_in(page, stocked, "/contacts?new=1")
    drawer = page.get_by_role("dialog")
    drawer.get_by_label("Email").fill("zoe@voile.example")
    drawer.get_by_label("Prénom").fill("Zoé")
    kept = drawer.locator("fz-kept")
    expect(kept).to_contain_text("Non enregistré, gardé ici")
    page.context.set_offline(True)
    drawer.get_by_label("Nom", exact=True).fill("Marin")
    expect(kept).to_contain_text("Non enregistré, gardé ici")
    page.context.set_offline(False)
    page.reload()
    expect(drawer.get_by_label("Email")).to_have_value("zoe@voile.example")
    expect(drawer.get_by_label("Nom", exact=True)).to_have_value("Marin")
    expect(kept).to_contain_text("Non enregistré, gardé ici")
    screenshot(page, "kept")
    drawer.get_by_role("button", name="Créer le contact").click()
    expect(page).to_have_url(re.compile("open=con_"))
    assert kept_places(page) == []
    page.goto(f"{stocked.url}/contacts?new=1")
    expect(drawer.get_by_label("Email")).to_have_value("")


def kept_places(page: Page) -> list[str]:
    """The places of which this browser keeps something."""
    found: list[str] = page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('fz-kept:'))")
    return found


def test_a_password_is_never_kept_and_nothing_stays_after_signing_out(page: Page, stocked: Site):
    sign_in(page, stocked, "/accounts?open=connect")
    drawer = page.get_by_role("dialog")
    drawer.locator("input[name=password]").fill("a secret of mine")
    drawer.locator("input[name=display_name]").fill("Zoé de Rivage")
    page.evaluate("window.dispatchEvent(new Event('pagehide'))")
    stored = page.evaluate("JSON.stringify({...localStorage})")
    assert "Zoé de Rivage" in stored
    assert "a secret of mine" not in stored
    page.goto(f"{stocked.url}/settings?tab=suppression")
    page.get_by_role("button", name="Ajouter").first.click()
    page.locator("textarea[name=entries]").fill("someone@nowhere.example")
    expect(page.get_by_role("dialog").locator("fz-kept")).to_contain_text("Non enregistré")
    page.keyboard.press("Escape")
    assert len(kept_places(page)) > 0
    page.get_by_role("button", name="Votre compte").click()
    page.get_by_role("menuitem", name="Se déconnecter").click()
    expect(page.get_by_role("heading", name="Bon retour")).to_be_visible()
    assert kept_places(page) == []


def test_what_is_typed_to_reconnect_an_account_outlasts_a_reload_and_its_password_does_not(page: Page, stocked: Site):
    sign_in(page, stocked, f"/accounts?open=reconnect&account={public_id('acc', 1)}")
    drawer = page.get_by_role("dialog")
    host, password, kept = (drawer.locator(each) for each in ("input[name=host]", "input[name=password]", "fz-kept"))
    expect(host).to_have_value(re.compile("."))
    before = host.input_value()
    host.fill("smtp.nowhere.invalid")
    password.fill("a secret of mine")
    expect(kept).to_contain_text("Non enregistré, gardé ici")
    page.reload()
    expect(host).to_have_value("smtp.nowhere.invalid")
    expect(password).to_have_value("")
    assert "a secret of mine" not in page.evaluate("JSON.stringify({...localStorage})")
    kept.get_by_role("button", name="Oublier").click()
    expect(host).to_have_value(before)
    host.fill("smtp.nowhere.invalid")
    password.fill("a secret of mine")
    drawer.get_by_role("button", name="Reconnecter").click()
    # Stored before the test of the connection ends, which fails here.
    expect(kept).to_contain_text(re.compile(r"Enregistré à \d\d:\d\d"))
    assert kept_places(page) == []
    page.reload()
    expect(host).to_have_value("smtp.nowhere.invalid")
    expect(kept).to_be_hidden()


def test_settings_say_that_they_are_saving_and_saved_and_a_refusal_keeps_the_text(page: Page, stocked: Site):
    sign_in(page, stocked, "/settings?tab=workspace")
    name = page.locator("input[name=name]")
    kept = page.locator("form", has=name).locator("fz-kept")
    expect(name).to_have_value("Atelier Rivage")
    name.fill("")
    page.get_by_role("button", name="Enregistrer").click()
    expect(kept).to_contain_text("Enregistrement refusé")
    name.fill("Atelier Rivage Nord")
    expect(kept).to_contain_text("Non enregistré, gardé ici")
    page.reload()
    expect(name).to_have_value("Atelier Rivage Nord")
    kept.get_by_role("button", name="Oublier").click()
    expect(name).to_have_value("Atelier Rivage")
    expect(kept).to_be_hidden()
    name.fill("Atelier Rivage")
    page.get_by_role("button", name="Enregistrer").click()
    expect(kept).to_contain_text(re.compile(r"Enregistré à \d\d:\d\d"))
    page.reload()
    expect(name).to_have_value("Atelier Rivage")
    expect(kept).to_be_hidden()


def test_a_field_of_a_contact_that_could_not_go_is_saved_when_the_server_is_back(page: Page, stocked: Site):
    sign_in(page, stocked, "/contacts")
    page.get_by_role("row").filter(has_text="Brise").click()
    company = page.get_by_role("complementary").get_by_label("Société")
    expect(company).to_be_visible()
    assert stocked.stop() == 0
    company.fill("Brise et fils")
    company.press("Tab")
    expect(page.locator("fz-kept").filter(has_text="Non enregistré").first).to_contain_text("gardé ici")
    expect(page.get_by_text("Connexion perdue.")).to_be_visible()
    within(stocked, rename_jo)
    stocked.start()
    expect(page.get_by_text("Connexion perdue.")).to_be_hidden(timeout=40_000)
    # What somebody else changed meanwhile is there without a reload, and what was typed has been stored.
    expect(page.get_by_role("row").filter(has_text="Joséphine")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="Brise et fils")).to_be_visible()
    page.reload()
    expect(company).to_have_value("Brise et fils")
    assert kept_places(page) == []


def rename_jo(session: Session, keyring: KeyRing, workspace: int) -> None:
    (card,) = list_contacts(session, workspace, ContactFilter(query="brise")).cards
    contacts.update_contact(
        session, keyring, workspace, card.contact.id or 0, {"first_name": "Joséphine"}, SystemClock().now()
    )


@pytest.fixture
def serve_as(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let sites be started with a copy of the bundle under another name, whose pages may say yet another one."""

    def copy(name: str, *, says: str = "") -> None:
        shutil.copytree(bundle, tmp_path / name)
        name_bundle(tmp_path / name / "build" / "client", says or name)
        monkeypatch.setenv("SITE_BUNDLE", str(tmp_path / name))

    return copy


def loads_of(page: Page) -> list[str]:
    """The addresses for which the page was fetched from now on."""
    found: list[str] = []
    page.on("request", lambda request: found.append(request.url) if request.is_navigation_request() else None)
    return found


def test_a_page_of_the_version_before_loads_itself_anew_once_and_nothing_typed_is_lost(
    page: Page, start_site: Callable[..., Site], serve_as: Callable[..., None]
):
    site = start_site()
    sign_in(page, site, "/contacts?new=1")
    drawer = page.get_by_role("dialog")
    drawer.get_by_label("Email").fill("zoe@voile.example")
    loads = loads_of(page)
    assert site.stop() == 0
    expect(page.get_by_text("Connexion perdue.")).to_be_visible()
    drawer.get_by_label("Prénom").fill("Zoé")
    serve_as("the-next-version")
    site.start()
    page.wait_for_function("window.fz && window.fz.bundle === 'the-next-version'", timeout=40_000)
    expect(drawer.get_by_label("Prénom")).to_have_value("Zoé")
    expect(drawer.get_by_label("Email")).to_have_value("zoe@voile.example")
    expect(drawer.locator("fz-kept")).to_contain_text("Non enregistré, gardé ici")
    expect(page.get_by_text("FluenzR a été mis à jour.")).to_be_hidden()
    assert len(loads) == 1


def test_a_page_that_stays_of_another_version_says_so_and_never_loops(
    page: Page, start_site: Callable[..., Site], serve_as: Callable[..., None]
):
    serve_as("the-servers", says="the-pages")
    site = start_site()
    page.goto(f"{site.url}/sign-in")
    loads = loads_of(page)
    sign_in_here(page)
    banner = page.get_by_text("FluenzR a été mis à jour.")
    expect(banner).to_be_visible()
    # The page after the sign-in, and once more because the server is of another version.
    so_far = len(loads)
    page.get_by_role("link", name="Contacts").click()
    expect(page.get_by_role("heading", name="Contacts")).to_be_visible()
    expect(banner).to_be_visible()
    assert len(loads) == so_far
    page.context.clear_cookies()
    page.goto(f"{site.url}/sign-in")
    expect(page.get_by_role("heading", name="Bon retour")).to_be_visible()
    expect(banner).to_be_hidden()
    # What a page does once its connection is back and the server has told its version.
    page.evaluate("window.fz.serverIs('the-servers')")
    expect(banner).to_be_visible()


def sign_in_here(page: Page) -> None:
    page.locator("input[name=email]").fill(EMAIL)
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")


def test_a_part_of_the_page_that_is_gone_is_got_by_loading_the_address(page: Page, stocked: Site):
    sign_in(page, stocked)
    expect(page.get_by_role("heading", name="Tableau de bord")).to_be_visible()
    page.route("**/assets/_campaigns_._index-*.js", lambda route: route.abort())
    page.once("load", lambda _: page.unroute("**/assets/_campaigns_._index-*.js"))
    page.get_by_role("link", name="Campagnes").first.click()
    expect(page.get_by_role("heading", name="Campagnes")).to_be_visible()
    expect(page).to_have_url(re.compile("/campaigns/?$"))
