"""The pages of contacts as a person with a browser uses them, from the first contact to an import taken back."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import Session

from fluenzr_app.clock import SystemClock
from fluenzr_app.contacts import service, suppression
from fluenzr_app.contacts.bulk import bulk_upsert
from fluenzr_app.contacts.import_run import ImportRunner
from fluenzr_app.contacts.labels import create_group
from fluenzr_app.contacts.listing import ContactFilter, list_contacts
from fluenzr_app.contacts.service import ContactCard
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.ids import public_id
from fluenzr_app.settings import load_settings
from tests.people import PASSWORD
from tests.real.browser import NARROW, new_context, screenshot, without_faults
from tests.ui.conftest import Site

EMAIL = "camille@rivage.example"
WORKSPACE = 1
FILE = """\
Adresse e-mail;Prénom;Raison sociale;Effectif
maud@alto.example;Maud;SociÃ©tÃ© Alto;48
jeanne@alto.example;Jeanne;Alto;12
p.martin@;Philippe;Alto;7
maud@alto.example;Maud;Alto;48
helene.fabre@sogelia.example;Hélène;Sogelia;3
non@refus.example;Non;Refus;1
"""


@pytest.fixture(autouse=True)
def no_fault_in_the_browser(page: Page) -> Iterator[None]:
    """No page may log an error or throw one; a refused file is a 400 by design."""
    with without_faults(page, "ERR_CONNECTION_REFUSED|400"):
        yield


@pytest.fixture(scope="module")
def stocked(site: Site) -> Site:
    """The site with 120 contacts, two of them called Fabre, and an address that said no."""
    people: list[dict[str, Any]] = [
        {"email": "helene.fabre@sogelia.example", "first_name": "Hélène", "last_name": "Fabre", "company": "Sogelia"},
        {"email": "thomas.fabre@armor.example", "first_name": "Thomas", "last_name": "Fabre", "company": "Armor"},
        {"email": "bruno.castel@mécaform.example", "first_name": "Bruno", "last_name": "Castel", "company": "Mécaform"},
    ]
    people = [person | {"tags": ["ouest"] if person["last_name"] == "Fabre" else []} for person in people]
    people += [{"email": f"contact{n:03}@norsud.example", "last_name": f"Norsud {n:03}"} for n in range(117)]
    with writing(site) as (session, keyring):
        bulk_upsert(session, keyring, WORKSPACE, people, SystemClock().now())
        suppression.add(session, keyring, WORKSPACE, ["non@refus.example"], "unsubscribe", SystemClock().now())
    return site


@contextmanager
def writing(site: Site) -> Iterator[tuple[Session, KeyRing]]:
    """A transaction on the site's own database, and its key ring."""
    database = site.database()
    try:
        with database.transaction() as session:
            yield session, KeyRing.load(load_settings(_env_file=None, data_dir=site.data))
    finally:
        database.close()


def stored(site: Site, **filters: object) -> list[ContactCard]:
    with writing(site) as (session, _):
        cards = list(list_contacts(session, WORKSPACE, ContactFilter(**filters), per_page=100).cards)  # type: ignore[arg-type]
        session.expunge_all()
    return cards


@pytest.fixture(scope="module")
def session_cookies(browser: Browser, stocked: Site) -> list[dict[str, object]]:
    """The cookies of the owner, who signed in once for all tests of this module."""
    context = new_context(browser)
    page = context.new_page()
    page.goto(f"{stocked.url}/sign-in")
    page.locator("input[name=email]").fill(EMAIL)
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Tableau de bord")).to_be_visible()
    cookies = context.cookies()
    context.close()
    return [dict(cookie) for cookie in cookies]


@pytest.fixture(autouse=True)
def signed_in(page: Page, session_cookies: list[dict[str, object]]) -> None:
    """The page of each test is the owner's."""
    page.context.add_cookies(session_cookies)  # type: ignore[arg-type]


def rows(page: Page):
    return page.locator("tbody .fz-tr")


def test_the_list_is_searched_sorted_turned_and_filtered_and_the_address_keeps_it(page: Page, stocked: Site):
    page.goto(f"{stocked.url}/contacts")
    expect(page.locator(".fz-page-state")).to_contain_text("120 contacts")
    expect(rows(page)).to_have_count(50)
    page.get_by_role("button", name="Contact", exact=True).click()
    expect(rows(page).first).to_contain_text("Castel")
    page.get_by_role("button", name="Page suivante").click()
    expect(page.get_by_text("51 à 100 sur 120")).to_be_visible()
    page.get_by_role("searchbox").fill("fabre")
    expect(rows(page)).to_have_count(2)
    page.get_by_role("button", name="Filtre", exact=True).click()
    page.locator("select[name=kind]").select_option("company")
    page.locator("form input[name=value]").fill("Sogelia")
    page.get_by_role("button", name="Appliquer").click()
    expect(rows(page)).to_have_count(1)
    assert "q=fabre" in page.url
    assert "company=Sogelia" in page.url
    page.reload()
    expect(rows(page)).to_have_count(1)
    expect(page.get_by_role("searchbox")).to_have_value("fabre")
    page.go_back()
    expect(rows(page)).to_have_count(2)


def test_what_is_not_found_names_the_search_and_the_filters_that_hide_it(page: Page, stocked: Site):
    page.goto(f"{stocked.url}/contacts?q=castel&tag=ouest")
    nothing = page.locator(".fz-empty")
    expect(nothing).to_contain_text("Aucun contact pour « castel »".replace("« ", "«\u202f").replace(" »", "\u202f»"))
    expect(nothing).to_contain_text("1 contact correspond")
    nothing.get_by_role("button", name="Retirer les filtres").click()
    expect(rows(page)).to_have_count(1)


def test_a_new_contact_is_stored_and_opens(page: Page, stocked: Site):
    page.goto(f"{stocked.url}/contacts")
    page.get_by_role("button", name="Ajouter", exact=True).click()
    drawer = page.get_by_role("dialog")
    drawer.locator("input[name=email]").fill("pas une adresse")
    drawer.get_by_role("button", name="Créer le contact").click()
    expect(drawer.get_by_role("alert")).to_contain_text("Il manque le @")
    drawer.locator("input[name=email]").fill("nadia@plastival.example")
    drawer.locator("input[name=first_name]").fill("Nadia")
    drawer.locator("input[name=tags]").fill("ouest, décideur")
    drawer.locator("select[name=consent_source]").select_option("event")
    drawer.get_by_role("button", name="Créer le contact").click()
    expect(page.locator(".fz-panel h2")).to_have_text("Nadia")
    assert "open=con_" in page.url
    (card,) = stored(stocked, email="nadia@plastival.example")
    assert card.contact.consent_source == "event"
    assert set(card.tags) == {"ouest", "décideur"}


def test_an_address_that_exists_leads_to_its_contact(page: Page, stocked: Site):
    page.goto(f"{stocked.url}/contacts?new=1")
    drawer = page.get_by_role("dialog")
    drawer.locator("input[name=email]").fill("Helene.FABRE@Sogelia.example")
    drawer.get_by_role("button", name="Créer le contact").click()
    expect(drawer.get_by_text("fait déjà partie de vos contacts")).to_be_visible()
    drawer.get_by_role("button", name="Ouvrir ce contact").click()
    expect(page.locator(".fz-panel h2")).to_have_text("Hélène Fabre")


def test_the_card_keeps_each_field_as_it_is_left_and_says_so(page: Page, stocked: Site):
    (card,) = stored(stocked, email="thomas.fabre")
    page.goto(f"{stocked.url}/contacts?open={public_id('con', card.contact.id or 0)}")
    panel = page.locator(".fz-panel")
    title = panel.get_by_label("Poste")
    title.fill("Directeur achats")
    title.press("Tab")
    expect(panel.get_by_text("Enregistré à").filter(visible=True)).to_be_visible()
    panel.get_by_label("Email").fill("Bruno.Castel@mécaform.example")
    panel.get_by_label("Email").press("Tab")
    expect(panel.get_by_role("alert")).to_contain_text("déjà celle d’un contact")
    expect(panel.get_by_label("Email")).to_have_value("Bruno.Castel@mécaform.example")
    panel.get_by_label("Ajouter un tag").fill("décideur")
    panel.get_by_label("Ajouter un tag").press("Enter")
    expect(panel.get_by_role("button", name="Retirer le tag décideur")).to_be_visible()
    (card,) = stored(stocked, email="thomas.fabre")
    assert card.contact.job_title == "Directeur achats"
    assert card.tags == ("décideur", "ouest")


def test_unsubscribing_by_hand_says_what_follows_and_keeps_the_person_out(page: Page, stocked: Site):
    with writing(stocked) as (session, keyring):
        made = service.create_contact(
            session, keyring, WORKSPACE, {"email": "stop@norsud.example"}, SystemClock().now()
        ).contact.id
    page.goto(f"{stocked.url}/contacts?open={public_id('con', made or 0)}")
    page.get_by_role("button", name="Actions sur ce contact").click()
    page.get_by_role("menuitem", name="Désinscrire").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("liste d’exclusion")
    question.get_by_role("button", name="Désinscrire").click()
    expect(page.locator(".fz-panel")).to_contain_text("Cette personne a dit non")
    with writing(stocked) as (session, keyring):
        assert suppression.check(session, keyring, WORKSPACE, "stop@norsud.example") == "unsubscribe"


def test_all_that_is_known_of_a_person_is_a_file_away(page: Page, stocked: Site):
    with writing(stocked) as (session, keyring):
        made = service.create_contact(
            session,
            keyring,
            WORKSPACE,
            {"email": "tout@norsud.example", "last_name": "Fabre-Loué"},
            SystemClock().now(),
        ).contact.id
    page.goto(f"{stocked.url}/contacts?open={public_id('con', made or 0)}")
    page.get_by_role("button", name="Actions sur ce contact").click()
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="Exporter tout sur cette personne").click()
    document = json.loads(Path(download.value.path()).read_text())
    assert document["contact"]["lastName"] == "Fabre-Loué"
    with writing(stocked) as (session, keyring):
        assert service.delete_contacts(session, WORKSPACE, [made or 0], SystemClock().now()) == 1


def test_a_whole_filter_is_tagged_and_a_deletion_waits_for_the_word(page: Page, stocked: Site):
    page.goto(f"{stocked.url}/contacts?q=norsud")
    expect(rows(page)).to_have_count(50)
    rows(page).first.get_by_role("checkbox").click()
    page.locator(".fzc-take-all").click()
    bar = page.get_by_role("toolbar")
    bar.get_by_role("button", name="Tag").click()
    page.get_by_role("dialog").locator("input[name=name]").fill("relance")
    page.keyboard.press("Enter")
    expect(page.get_by_text("tags posés")).to_be_visible()
    everybody = len(stored(stocked, query="norsud", statuses=("active",)))
    assert everybody == 100
    page.goto(f"{stocked.url}/contacts?q=norsud&tag=relance&sort=email")
    expect(page.get_by_text("1 à 50 sur 11")).to_be_visible()
    rows(page).first.get_by_role("checkbox").click()
    bar.get_by_role("button", name="Supprimer").click()
    question = page.get_by_role("dialog")
    expect(question.get_by_role("button", name="Supprimer")).to_be_disabled()
    question.locator("input").fill("supprimer")
    question.get_by_role("button", name="Supprimer").click()
    expect(page.get_by_text("1 contact supprimé.")).to_be_visible()
    assert stored(stocked, email="contact000@norsud.example") == []


def test_a_file_becomes_contacts_and_can_be_taken_back(page: Page, stocked: Site, tmp_path: Path):
    file = tmp_path / "export-crm.csv"
    file.write_text(FILE, "utf-8")
    page.goto(f"{stocked.url}/contacts/import")
    page.locator("input[type=file]").set_input_files(file)
    expect(page.locator(".fz-page-state")).to_contain_text("6 lignes, 4 colonnes")
    outcome = page.locator(".fzc-outcome")
    expect(outcome).to_contain_text("prêts sur 6")
    expect(page.locator(".fzc-cell[data-flag=error]")).to_have_text("p.martin@")
    page.get_by_role("button", name="Réparer").click()
    expect(page.get_by_text("sera réparée à l’import")).to_be_visible()
    page.get_by_role("button", name="Continuer").click()
    page.locator("select[name=group]").select_option("new")
    page.locator("input[name=group_name]").fill("CRM 2026")
    page.locator("select[name=consent_source]").select_option("existing")
    page.get_by_role("button", name="Continuer").click()
    start = page.get_by_role("button", name="Lancer l’import")
    expect(page.get_by_text("n’est pas un nom de domaine")).to_be_visible()
    expect(start).to_be_disabled()
    page.get_by_label("Je certifie").click()
    start.click()
    expect(page.get_by_text("Vous pouvez quitter cette page")).to_be_visible()
    page.reload()
    expect(page.get_by_text("Import de export-crm.csv")).to_be_visible()
    advance_imports(stocked)
    expect(page.get_by_text("2 contacts importés")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_text("Fichier des erreurs").click()
    assert "p.martin@" in Path(download.value.path()).read_text("utf-8-sig")
    maud, jeanne = sorted(stored(stocked, query="alto"), key=lambda card: card.contact.email, reverse=True)
    assert (maud.contact.company, maud.contact.consent_source, maud.contact.fields) == (
        "Société Alto",
        "existing",
        {"effectif": "48"},
    )
    assert [name for _, name in jeanne.groups] == ["CRM 2026"]
    assert stored(stocked, email="non@refus.example") == []
    page.get_by_role("button", name="Archiver les contacts créés").click()
    page.get_by_role("dialog").get_by_role("button", name="Archiver").click()
    expect(page.get_by_text("2 contacts archivés.")).to_be_visible()
    assert {card.contact.status for card in stored(stocked, query="alto")} == {"archived"}


def advance_imports(site: Site) -> None:
    """Do what the scheduler's tick does."""
    database = site.database()
    try:
        keyring = KeyRing.load(load_settings(_env_file=None, data_dir=site.data))
        ImportRunner(database, site.data, keyring, SystemClock()).tick()
    finally:
        database.close()


def test_a_file_that_cannot_be_read_says_why_and_what_to_do(page: Page, stocked: Site, tmp_path: Path):
    workbook, headless = tmp_path / "classeur.xlsx", tmp_path / "sans.csv"
    workbook.write_bytes(b"PK\x03\x04" + bytes(range(200)))
    headless.write_text("jean@alto.example,Jean\nluc@alto.example,Luc\n")
    page.goto(f"{stocked.url}/contacts/import")
    page.locator("input[type=file]").set_input_files(workbook)
    expect(page.get_by_role("alert")).to_contain_text("C’est un classeur, pas un fichier CSV")
    page.locator("input[type=file]").set_input_files(headless)
    expect(page.get_by_role("alert")).to_contain_text("La ligne d’en-têtes manque")
    expect(page.get_by_role("alert")).to_contain_text("jean@alto.example")


def test_on_a_phone_the_card_takes_the_screen_and_nothing_runs_over_its_edge(
    browser: Browser, stocked: Site, session_cookies: list[dict[str, object]]
):
    context = new_context(browser, NARROW)
    context.add_cookies(session_cookies)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{stocked.url}/contacts")
    rows(page).first.locator("td").nth(1).click()
    expect(page.locator(".fz-panel")).to_be_visible()
    # Once it has slid in.
    page.wait_for_function("document.querySelector('.fz-panel').getBoundingClientRect().x === 0")
    box = page.locator(".fz-panel").bounding_box()
    assert box is not None
    assert box["width"] == NARROW[0]
    screenshot(page, "contacts-card-phone")
    for path in ("/contacts", "/contacts?new=1", "/contacts/import"):
        page.goto(stocked.url + path)
        expect(page.get_by_role("heading").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
    context.close()


def test_a_group_is_there_to_choose(page: Page, stocked: Site):
    with writing(stocked) as (session, _):
        create_group(session, WORKSPACE, "Salon de Lyon", SystemClock().now())
    page.goto(f"{stocked.url}/contacts?new=1")
    expect(page.get_by_role("dialog").locator("select[name=group]")).to_contain_text("Salon de Lyon")
