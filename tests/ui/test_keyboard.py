"""Three whole jobs without a mouse: a file brought in, a campaign made and started, a reply answered."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from sqlmodel import col, select

from fluenzr_app.campaigns.models import Campaign
from fluenzr_app.contacts.models import ContactImport
from fluenzr_app.sending.models import Message
from tests.real.browser import NARROW, new_context
from tests.ui.conftest import Site
from tests.ui.scenery import Scenery, failing
from tests.ui.scenes import sign_in

_FOCUS = """() => {
    const at = document.activeElement;
    if (!at || at === document.body) return null;
    const style = getComputedStyle(at), after = getComputedStyle(at, '::after');
    const ring = (each) => each.outlineStyle !== 'none' && parseFloat(each.outlineWidth) > 0;
    const parent = at.parentElement && getComputedStyle(at.parentElement);
    return ring(style) || ring(after) || style.boxShadow !== 'none' || (parent && parent.boxShadow !== 'none')
        || at.matches('main, [role=dialog], .fz-main, [contenteditable]');
}"""
_MOST_STEPS = 120


@pytest.fixture(scope="module")
def place(start_site: Callable[..., Site], tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, Scenery]:
    """An installation with conversations, contacts, drafts and a working account."""
    data = tmp_path_factory.mktemp("keyboard")
    scenery = failing(data)
    return start_site(data=data), scenery


@pytest.fixture(scope="module")
def reader(browser: Browser, place: tuple[Site, Scenery]) -> Iterator[BrowserContext]:
    """The owner's profile, signed in, with little motion."""
    context = new_context(browser)
    sign_in(context, place[0].url, place[1].people["fr"])
    yield context
    context.close()


@pytest.fixture
def page(reader: BrowserContext) -> Iterator[Page]:
    """A page of the owner's, whose mouse nobody touches."""
    made = reader.new_page()
    made.emulate_media(reduced_motion="reduce")
    yield made
    made.close()


def tab_to(page: Page, target: Locator, *, back: bool = False) -> None:
    """Press Tab until `target` has the focus; each stop on the way must show that it has it."""
    expect(target).to_be_attached()
    wanted = target.element_handle()
    for _ in range(_MOST_STEPS):
        if page.evaluate("(wanted) => wanted === document.activeElement || wanted.contains(document.activeElement)",
                         wanted):  # fmt: skip
            return
        page.keyboard.press("Shift+Tab" if back else "Tab")
        assert page.evaluate(_FOCUS) is not False, page.evaluate("document.activeElement.outerHTML").split(">")[0]
    raise AssertionError(f"Tab never came to {target}")


def press(page: Page, target: Locator, key: str = "Enter") -> None:
    """Go there by Tab and press a key."""
    tab_to(page, target)
    page.keyboard.press(key)


def test_the_first_stop_leads_past_the_menu(page: Page, place: tuple[Site, Scenery]):
    page.goto(f"{place[0].url}/contacts")
    expect(page.get_by_role("heading", name="Contacts", level=1)).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Aller au contenu")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_be_focused()


def test_a_file_is_brought_in_without_a_mouse(page: Page, place: tuple[Site, Scenery], tmp_path: Path):
    file = tmp_path / "salon.csv"
    file.write_text("Email;Prénom\nana@clavier.example;Ana\nleo@clavier.example;Léo\n", "utf-8")
    page.goto(f"{place[0].url}/contacts/import")
    with page.expect_file_chooser() as chooser:
        press(page, page.locator("input[type=file]"))
    chooser.value.set_files(file)
    expect(page.locator(".fz-page-state")).to_contain_text("2 lignes, 2 colonnes")
    press(page, page.get_by_role("button", name="Continuer"))
    consent = page.locator("select[name=consent_source]")
    tab_to(page, consent)
    # Up from the last one, past the one that wants an explanation.
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(consent).to_have_value("existing")
    press(page, page.get_by_role("button", name="Continuer"))
    press(page, page.get_by_label("Je certifie"), "Space")
    press(page, page.get_by_role("button", name="Lancer l’import"))
    expect(page.get_by_text("Vous pouvez quitter cette page")).to_be_visible()
    with place[0].database().transaction() as session:
        newest = session.exec(select(ContactImport).order_by(col(ContactImport.id).desc())).first()
        assert newest is not None
        assert (newest.file_name, newest.status) == ("salon.csv", "running")


def test_a_campaign_is_made_and_started_without_a_mouse(page: Page, place: tuple[Site, Scenery]):
    page.goto(f"{place[0].url}/campaigns")
    opener = page.get_by_role("button", name="Nouvelle campagne").first
    press(page, opener)
    drawer = page.get_by_role("dialog")
    expect(drawer).to_be_visible()
    for _ in range(30):
        page.keyboard.press("Tab")
        assert page.evaluate("!!document.activeElement.closest('[role=dialog]')"), "the drawer let the focus out"
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()
    expect(opener).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, drawer.locator("input[name=name]"))
    page.keyboard.type("Sans souris")
    press(page, drawer.locator("button[aria-pressed]").nth(1), "Space")
    press(page, drawer.get_by_role("button", name=re.compile("Créer")))
    expect(page).to_have_url(re.compile("/campaigns/cmp_"))
    press(page, page.get_by_role("link", name="Envoi"))
    press(page, page.get_by_label("camille@nova-conseil.example"), "Space")
    expect(page.get_by_text("1 choisi")).to_be_visible()
    press(page, page.get_by_role("link", name="Audience"))
    add_everybody(page)
    starter = page.get_by_role("button", name="Démarrer")
    tab_to(page, starter, back=True)
    page.keyboard.press("Enter")
    press(page, page.get_by_role("dialog").get_by_role("button", name=re.compile("^Démarrer pour")))
    expect(page).to_have_url(re.compile(r"/progress/?$"))
    with place[0].database().transaction() as session:
        made = session.exec(select(Campaign).where(Campaign.name == "Sans souris")).one()
        assert made.status == "active"


def add_everybody(page: Page) -> None:
    """Look for contacts and put all that were found into the campaign."""
    tab_to(page, page.get_by_role("searchbox", name="Nom, email, société"))
    page.keyboard.type("menuiserie")
    press(page, page.get_by_role("button", name=re.compile("^Ajouter les")))
    expect(page.locator("tbody .fz-tr").first).to_be_visible()


def test_a_reply_is_answered_without_a_mouse(page: Page, place: tuple[Site, Scenery]):
    page.goto(f"{place[0].url}/inbox?tab=all")
    press(page, page.locator(".fzi-open").filter(has_text="Thomas Le Goff"))
    box = page.get_by_role("textbox", name="Votre réponse")
    tab_to(page, box)
    page.keyboard.type("Bonjour Thomas, voici nos tarifs.")
    press(page, page.get_by_role("button", name="Répondre", exact=True))
    expect(page.locator(".fzi-thread")).to_contain_text("voici nos tarifs")
    with place[0].database().transaction() as session:
        assert session.exec(select(Message).where(Message.kind == "answer", Message.status == "queued")).first()


def test_twice_as_large_and_on_a_phone_nothing_runs_over_the_edge(page: Page, place: tuple[Site, Scenery]):
    for width in (720, NARROW[0]):
        page.set_viewport_size({"width": width, "height": 450})
        for path in ("/", "/inbox?tab=all", "/contacts", "/campaigns", "/accounts", "/settings"):
            page.goto(place[0].url + path)
            expect(page.locator("h1")).to_be_visible()
            page.wait_for_load_state("networkidle")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (path, width)


def test_little_motion_is_asked_for_and_nothing_slides(page: Page, place: tuple[Site, Scenery]):
    page.goto(f"{place[0].url}/campaigns")
    press(page, page.get_by_role("button", name="Nouvelle campagne").first)
    drawer = page.get_by_role("dialog")
    expect(drawer).to_be_visible()
    assert "slide" not in drawer.evaluate("(at) => getComputedStyle(at).animationName")
