"""A contact's stage and notes on its card, and what moves it by itself, as a person with a browser uses them."""

import random
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from fluenzr_app.campaigns import audience
from fluenzr_app.campaigns import service as campaigns
from fluenzr_app.campaigns.history import history_of_contact
from fluenzr_app.clock import SystemClock
from fluenzr_app.contacts.service import create_contact, get_contact
from fluenzr_app.contacts.stages import answered, list_stages
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.ids import public_id
from fluenzr_app.settings import load_settings
from fluenzr_app.words.catalogue import words
from fluenzr_app.workspaces.service import get_workspace, update_workspace
from tests.people import PASSWORD, make_account
from tests.real.browser import without_faults
from tests.ui.conftest import Site

EMAIL = "camille@rivage.example"
WORKSPACE = 1


@pytest.fixture(autouse=True)
def no_fault_in_the_browser(page: Page) -> Iterator[None]:
    """No page may log an error or throw one."""
    with without_faults(page, "ERR_CONNECTION_REFUSED|404"):
        yield


@pytest.fixture
def contact(site: Site, request: pytest.FixtureRequest) -> int:
    """A contact of the test's own."""
    email = f"{request.node.name[:40].replace('_', '-').strip('-')}@sogelia.example"
    keyring = KeyRing.load(load_settings(_env_file=None, data_dir=site.data))
    database = site.database()
    with database.transaction() as session:
        values = {"email": email, "first_name": "Hélène", "last_name": "Fabre"}
        key = create_contact(session, keyring, WORKSPACE, values, SystemClock().now()).contact.id or 0
    database.close()
    return key


def open_page(page: Page, site: Site, path: str) -> None:
    page.goto(site.url + path)
    page.locator("input[name=email]").fill(EMAIL)
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")


def card_of(contact: int) -> str:
    return f"/contacts?open={public_id('con', contact)}"


def test_the_words_of_the_pages_are_those_of_the_api(site: Site, page: Page, contact: int):
    # The card makes the stages of a workspace that has none.
    open_page(page, site, card_of(contact))
    expect(page.locator(".fz-panel").get_by_label("Étape")).to_have_value("")
    database = site.database()
    with database.transaction() as session:
        for lang in ("fr", "en"):
            update_workspace(session, WORKSPACE, language=lang)
            titles = [stage.title for stage in list_stages(session, WORKSPACE)]
            assert titles == [words(lang, f"pipeline.kind.{stage.kind}") for stage in list_stages(session, WORKSPACE)]
            assert len(titles) == 6
        update_workspace(session, WORKSPACE, language="fr")
    database.close()


def test_a_stage_is_changed_on_the_card_and_the_history_says_who_did(site: Site, page: Page, contact: int):
    open_page(page, site, card_of(contact))
    panel = page.locator(".fz-panel")
    stage, history = panel.get_by_label("Étape"), panel.locator(".fzc-history")
    stage.select_option(label="Proposition")
    expect(history.get_by_text("Étape : Proposition".replace(" :", "\u00a0:"))).to_be_visible()
    expect(history).to_contain_text("Par Camille Rousseau")
    expect(panel.get_by_text("Entré à cette étape")).to_be_visible()
    stage.select_option(label="Gagné")
    expect(history).to_contain_text("Proposition → Gagné")
    page.reload()
    expect(stage.locator("option:checked")).to_have_text("Gagné")
    expect(panel.locator(".fz-with-dot > .fz-dot")).to_have_attribute("data-color", "green")
    stage.select_option(label="Aucune étape")
    expect(history).to_contain_text("Sorti du pipeline, était à l’étape Gagné")
    database = site.database()
    with database.read() as session:
        assert get_contact(session, WORKSPACE, contact).contact.stage_id is None
    database.close()


def test_a_note_joins_the_history_and_a_refused_one_stays_as_typed(site: Site, page: Page, contact: int):
    open_page(page, site, card_of(contact))
    panel = page.locator(".fz-panel")
    note, add = panel.locator("textarea[name=note]"), panel.get_by_role("button", name="Ajouter une note")
    add.click()
    expect(panel.get_by_role("alert")).to_have_text("Écrivez d’abord la note.")
    note.fill("x" * 5_001)
    add.click()
    expect(panel.get_by_role("alert")).to_contain_text("caractères au plus")
    assert len(note.input_value()) == 5_001
    note.fill("Rappeler mardi\n<b>après</b> 14 h")
    add.click()
    expect(panel.locator(".fzc-note")).to_have_text("Rappeler mardi\n<b>après</b> 14 h")
    expect(note).to_have_value("")
    expect(panel.get_by_role("alert")).to_have_count(0)
    database = site.database()
    with database.read() as session:
        (line,) = history_of_contact(session, WORKSPACE, contact)
        assert line.data["text"] == "Rappeler mardi\n<b>après</b> 14 h"
    database.close()


def test_what_moves_a_contact_by_itself_is_told_and_can_be_switched_off(site: Site, page: Page, contact: int):
    now = SystemClock().now()
    database = site.database()
    with database.transaction() as session:
        account = make_account(session, WORKSPACE, EMAIL, now)
        campaign = campaigns.create_campaign(session, WORKSPACE, "Printemps", now, account_ids=[account])
        audience.add_contacts(session, WORKSPACE, campaign.id, [contact], now, random.Random(1))
        assert answered(session, WORKSPACE, contact, now)
    open_page(page, site, card_of(contact))
    history = page.locator(".fzc-history")
    expect(history.get_by_role("listitem")).to_have_count(2)
    expect(history).to_contain_text("Lead → Qualifié")
    expect(history).to_contain_text("Automatique\u00a0: a répondu")
    expect(history).to_contain_text("Automatique\u00a0: ajouté à une campagne")
    page.goto(f"{site.url}/settings?tab=workspace")
    for name in ("Ajouté à une campagne", "A répondu"):
        switch = page.get_by_role("switch", name=re.compile(name))
        expect(switch).to_be_checked()
        switch.click()
        expect(switch).not_to_be_checked()
    page.reload()
    expect(page.get_by_role("switch", name=re.compile("A répondu"))).not_to_be_checked()
    with database.transaction() as session:
        workspace = get_workspace(session, WORKSPACE)
        assert (workspace.lead_on_enrollment, workspace.qualify_on_reply) == (False, False)
        update_workspace(session, WORKSPACE, lead_on_enrollment=True, qualify_on_reply=True)
    database.close()
