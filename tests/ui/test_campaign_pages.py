"""The pages of campaigns as a person with a browser uses them: written, checked, started, followed."""

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import Session

from fluenzr_app.campaigns import audience, lifecycle, service
from fluenzr_app.campaigns.nodes import DelayNode, Step
from fluenzr_app.campaigns.sequences import sequence, sequence_workflow
from fluenzr_app.campaigns.steps import linear_steps
from fluenzr_app.clock import SystemClock
from fluenzr_app.contacts.bulk import bulk_upsert
from fluenzr_app.contacts.listing import ContactFilter, matching_ids
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.ids import public_id
from fluenzr_app.settings import load_settings
from tests.people import PASSWORD, make_account
from tests.real.browser import NARROW, new_context, screenshot, without_faults
from tests.scenarios.world import wait_until
from tests.ui.conftest import Site

EMAIL = "camille@rivage.example"
WORKSPACE = 1


@pytest.fixture(autouse=True)
def no_fault_in_the_browser(page: Page) -> Iterator[None]:
    """No page may log an error or throw one, but for a connection that the test itself takes away."""
    with without_faults(page, "ERR_CONNECTION_REFUSED|ERR_INTERNET_DISCONNECTED"):
        yield


@contextmanager
def writing(site: Site) -> Iterator[Session]:
    """A transaction on the site's own database."""
    database = site.database()
    try:
        with database.transaction() as session:
            yield session
    finally:
        database.close()


@pytest.fixture(scope="module")
def stocked(site: Site) -> Site:
    """The site with an account and 30 contacts, the third of them without a first name."""
    people = [
        {
            "email": f"contact{n:02}@norsud.example",
            "first_name": "" if n == 2 else "Alma",
            "last_name": f"Norsud {n:02}",
        }
        for n in range(30)
    ]
    with writing(site) as session:
        keyring = KeyRing.load(load_settings(_env_file=None, data_dir=site.data))
        bulk_upsert(session, keyring, WORKSPACE, people, SystemClock().now())
        make_account(session, WORKSPACE, "camille@rivage.example", SystemClock().now())
    return site


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


def draft(site: Site, name: str, *, contacts: int = 0, accounts: bool = True) -> str:
    """Make a draft of the sequence of a first contact and give its public id."""
    now = SystemClock().now()
    numbers = iter(range(1, 100))
    workflow = sequence_workflow(sequence("first_contact", "fr"), lambda: f"n{next(numbers)}")
    with writing(site) as session:
        chosen = [1] if accounts else []
        made = service.create_campaign(session, WORKSPACE, name, now, account_ids=chosen, workflow=workflow)
        ids = matching_ids(session, WORKSPACE, ContactFilter(), most=contacts)
        audience.add_contacts(session, WORKSPACE, made.id, ids, now, random.Random(1))
    return public_id("cmp", made.id)


def words_of_first_mail(site: Site, name: str) -> str:
    with writing(site) as session:
        page = service.list_campaigns(session, WORKSPACE, search=name)
        campaign = service.get_campaign(session, WORKSPACE, page.lines[0].id)
        return next(campaign.workflow.emails()).body


def steps_of(site: Site, name: str) -> list[Step]:
    with writing(site) as session:
        line = service.list_campaigns(session, WORKSPACE, search=name).lines[0]
        return list(linear_steps(service.get_campaign(session, WORKSPACE, line.id).workflow))


def first_delay(site: Site, name: str) -> int | None:
    return next(step.days for step in steps_of(site, name) if isinstance(step, DelayNode))


def letter(page: Page):
    return page.locator(".fz-write").first


def saved(page: Page):
    return expect(page.locator(".fz-mail-state"))


def test_a_campaign_is_made_from_nothing_and_a_wrong_variable_is_put_right_by_one_click(page: Page, stocked: Site):
    page.goto(f"{stocked.url}/campaigns")
    expect(page.get_by_text("Aucune campagne pour l’instant")).to_be_visible()
    page.get_by_role("button", name="Nouvelle campagne").first.click()
    page.locator("input[name=name]").fill("Directeurs achats")
    page.get_by_role("button", name="Créer le brouillon").click()
    expect(page.get_by_role("heading", name="Directeurs achats")).to_be_visible()
    page.get_by_label("Objet").fill("Bonjour {{prenom}}")
    letter(page).click()
    page.keyboard.type("Bonjour {{prenom}}, voici notre offre.")
    saved(page).to_contain_text("Enregistré à")
    expect(page.locator(".fz-mail-fault")).to_contain_text("Vouliez-vous dire firstName")
    page.locator(".fz-mail-fault").get_by_role("button", name="Remplacer").click()
    expect(page.locator(".fz-mail-fault")).to_have_count(0)
    expect(page.get_by_label("Objet")).to_have_value("Bonjour {{firstName}}")
    page.reload()
    expect(letter(page)).to_have_text("Bonjour {{firstName}}, voici notre offre.")
    assert "Bonjour {{firstName}}, voici" in words_of_first_mail(stocked, "Directeurs achats")


def test_a_start_names_what_is_missing_and_leads_there(page: Page, stocked: Site):
    key = draft(stocked, "Pas prête", accounts=False)
    page.goto(f"{stocked.url}/campaigns/{key}")
    page.get_by_role("button", name="Démarrer").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Aucun compte d’envoi")
    expect(dialog).to_contain_text("aucun contact")
    expect(dialog.get_by_role("button", name="Démarrer pour")).to_have_count(0)
    dialog.get_by_role("button", name="Y aller").first.click()
    expect(page).to_have_url(re.compile(r"/timing/?$"))
    page.get_by_label("camille@rivage.example").click()
    expect(page.get_by_text("1 choisi")).to_be_visible()
    page.reload()
    expect(page.get_by_label("camille@rivage.example")).to_be_checked()


def test_a_campaign_is_started_paused_and_tells_of_each_contact_why_it_waits(page: Page, stocked: Site):
    key = draft(stocked, "Relance salon", contacts=30)
    page.goto(f"{stocked.url}/campaigns/{key}")
    page.get_by_role("button", name="Démarrer").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("1 contact n’a rien dans « Prénom »")
    expect(dialog).to_contain_text("Les réponses à camille@rivage.example ne sont pas lues")
    dialog.get_by_role("button", name="Démarrer pour 30 contacts").click()
    expect(page).to_have_url(re.compile(r"/progress/?$"))
    expect(page.locator("tbody .fz-tr")).to_have_count(25)
    page.get_by_role("button", name="Mettre en pause").click()
    expect(page.locator("tbody .fz-tr").first).to_contain_text("Campagne en pause")
    page.locator("tbody .fz-tr").first.click()
    card = page.locator(".fz-why-card")
    expect(card).to_contain_text("Pourquoi ce contact attend")
    card.get_by_role("button", name="Retirer de la campagne").click()
    expect(page.get_by_role("button", name="Retiré 1")).to_be_visible()
    screenshot(page, "campaign-progress-light")


def test_steps_are_moved_and_a_delay_is_changed_but_not_to_an_impossible_one(page: Page, stocked: Site):
    key = draft(stocked, "Autre rythme")
    page.goto(f"{stocked.url}/campaigns/{key}")
    days = page.get_by_label("Durée du délai")
    for wanted, kept in (("4", "4"), ("99", "4")):
        days.first.fill(wanted)
        page.keyboard.press("Tab")
        expect(days.first).to_have_value(kept)
        wait_until(lambda: first_delay(stocked, "Autre rythme") == 4, 20)
    page.locator(".fz-seq-mail").first.get_by_role("button", name="Descendre").click()
    expect(page.locator(".fz-seq-steps > :nth-child(3)")).to_have_class(re.compile("fz-seq-delay"))
    page.reload()
    expect(days.first).to_have_value("4")
    assert [step.kind for step in steps_of(stocked, "Autre rythme")[:2]] == ["delay", "email"]


def test_a_reply_stops_the_colleagues_once_that_is_switched_on(page: Page, stocked: Site):
    key = draft(stocked, "Un par société")
    page.goto(f"{stocked.url}/campaigns/{key}/timing")
    switch = page.get_by_role("switch", name=re.compile("^Arrêter aussi les collègues"))
    expect(switch).not_to_be_checked()
    switch.click()
    expect(page.get_by_text(re.compile("Enregistré à")).filter(visible=True)).to_be_visible()
    page.reload()
    expect(switch).to_be_checked()


def test_an_active_campaign_cannot_be_written_in(page: Page, stocked: Site):
    key = draft(stocked, "En marche", contacts=3)
    with writing(stocked) as session:
        line = service.list_campaigns(session, WORKSPACE, search="En marche").lines[0]
        lifecycle.start(session, WORKSPACE, line.id, SystemClock().now())
    page.goto(f"{stocked.url}/campaigns/{key}")
    expect(page.get_by_text("Campagne active : lecture seule")).to_be_visible()
    expect(letter(page)).to_have_attribute("contenteditable", "false")
    expect(page.locator(".fz-seq-add")).to_have_count(0)


def test_what_was_typed_without_a_connection_is_kept_and_saved_when_it_is_back(page: Page, stocked: Site):
    key = draft(stocked, "Sans réseau")
    page.goto(f"{stocked.url}/campaigns/{key}")
    expect(letter(page)).to_contain_text("Bonjour")
    page.context.set_offline(True)
    letter(page).click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" Écrit dans le train.")
    saved(page).to_contain_text("Non enregistré, gardé ici")
    page.context.set_offline(False)
    expect(page.locator(".fz-mail-state")).to_contain_text("Enregistré à", timeout=20_000)
    assert "Écrit dans le train." in words_of_first_mail(stocked, "Sans réseau")


def test_the_last_words_are_saved_by_whoever_leaves_at_once(page: Page, stocked: Site):
    key = draft(stocked, "Vite parti")
    page.goto(f"{stocked.url}/campaigns/{key}")
    expect(letter(page)).to_contain_text("Bonjour")
    letter(page).click()
    page.keyboard.press("Control+End")
    page.keyboard.insert_text(" Dernier mot.")
    page.get_by_role("link", name="Campagnes").first.click()
    expect(page.get_by_role("heading", name="Campagnes")).to_be_visible()
    wait_until(lambda: "Dernier mot." in words_of_first_mail(stocked, "Vite parti"), 20)


def test_two_people_at_one_mail_overwrite_nothing(
    page: Page, browser: Browser, stocked: Site, session_cookies: list[dict[str, object]]
):
    key = draft(stocked, "Quatre mains")
    page.goto(f"{stocked.url}/campaigns/{key}")
    expect(letter(page)).to_contain_text("Bonjour")
    other_context = new_context(browser)
    other_context.add_cookies(session_cookies)  # type: ignore[arg-type]
    other = other_context.new_page()
    other.goto(f"{stocked.url}/campaigns/{key}")
    expect(letter(other)).to_contain_text("Bonjour")
    # Both begin from the same version; the first one's pause is still running when the second one is saved.
    letter(page).click()
    page.keyboard.press("Control+End")
    letter(other).click()
    other.keyboard.press("Control+End")
    other.keyboard.type(" De l’autre.")
    page.keyboard.type(" De moi.", delay=150)
    expect(page.get_by_text("Quelqu’un d’autre a modifié cet email")).to_be_visible()
    assert "De l’autre." in words_of_first_mail(stocked, "Quatre mains")
    page.get_by_role("button", name="Mettre ma version").click()
    expect(page.get_by_text("Quelqu’un d’autre a modifié cet email")).to_have_count(0)
    expect(letter(page)).to_contain_text("De moi.")
    assert "De moi." in words_of_first_mail(stocked, "Quatre mains")
    other_context.close()


def test_the_preview_shows_the_message_of_one_contact_after_the_other(page: Page, stocked: Site):
    key = draft(stocked, "À relire", contacts=5)
    page.goto(f"{stocked.url}/campaigns/{key}/preview")
    frame = page.frame_locator(".fz-letter-frame")
    expect(frame.locator("body")).to_contain_text("Bonjour Alma,")
    for _ in range(2):
        page.get_by_role("button", name="Contact suivant").click()
    expect(page.get_by_text("Contact 3 sur 5")).to_be_visible()
    expect(frame.locator("body")).to_contain_text("Bonjour,")
    # What the sequence leaves to be filled in is said where the message is read over.
    expect(page.get_by_text("[votre sujet], [résultat concret] : mettez-y vos propres mots")).to_be_visible()
    assert page.locator(".fz-letter-frame").get_attribute("sandbox") == ""


def test_the_pages_fit_a_phone_in_the_dark(browser: Browser, stocked: Site, session_cookies: list[dict[str, object]]):
    key = draft(stocked, "Ateliers et manufactures de la région, reprise de contact", contacts=12)
    context = new_context(browser, NARROW, dark=True)
    context.add_cookies(session_cookies)  # type: ignore[arg-type]
    page = context.new_page()
    for tab in ("", "/audience", "/timing", "/preview", "/progress"):
        page.goto(f"{stocked.url}/campaigns/{key}{tab}")
        expect(page.get_by_role("heading", name="Ateliers et manufactures")).to_be_visible()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0], tab
        screenshot(page, f"campaign{tab.replace('/', '-')}-phone-dark")
    context.close()


def test_whoever_has_no_group_adds_everybody_and_a_state_named_in_the_address_is_shown_alone(page: Page, stocked: Site):
    key = draft(stocked, "Sans groupe")
    page.goto(f"{stocked.url}/campaigns/{key}/audience")
    page.get_by_role("button", name="Ajouter vos 30 contacts actifs").click()
    expect(page.get_by_text("30 contacts ajoutés")).to_be_visible()
    page.goto(f"{stocked.url}/campaigns/{key}/progress?status=pending")
    expect(page.get_by_role("button", name=re.compile("À commencer"))).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name=re.compile("Tous")).click()
    expect(page.get_by_role("button", name=re.compile("Tous"))).to_have_attribute("aria-pressed", "true")
