"""The settings and the dashboard in a browser: what is stored, what is shown once, what only an admin may do."""

import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, Page, expect

from fluenzr_app.contacts.suppression import list_suppressed
from fluenzr_app.crypto import KeyRing
from fluenzr_app.settings import load_settings
from fluenzr_app.workspaces import service as workspaces
from tests.people import PASSWORD
from tests.real.browser import new_context, without_faults
from tests.ui.conftest import Site

EMAIL = "camille@rivage.example"
OWNERS_WORKSPACE = 1


@pytest.fixture(autouse=True)
def no_fault_in_the_browser(page: Page) -> Iterator[None]:
    """No page may log an error or throw one."""
    with without_faults(page, "ERR_CONNECTION_REFUSED|404"):
        yield


def sign_in(page: Page, site: Site, path: str, email: str = EMAIL, password: str = PASSWORD) -> None:
    page.goto(site.url + path)
    page.locator("input[name=email]").fill(email)
    page.locator("input[name=password]").fill(password)
    page.keyboard.press("Enter")


def status_with(site: Site, key: str) -> int:
    """The status that the API answers to this key."""
    request = urllib.request.Request(f"{site.url}/v1/accounts", headers={"Authorization": f"Bearer {key}"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_key_is_shown_once_works_and_stops_when_it_is_revoked(page: Page, site: Site):
    sign_in(page, site, "/settings?tab=keys")
    page.get_by_role("button", name="Créer une clé").click()
    page.get_by_role("button", name="Créer la clé").click()
    expect(page.get_by_text("Donnez un nom de 1 à 100 caractères.")).to_be_visible()
    page.get_by_role("dialog").locator("input[name=name]").fill("CRM")
    page.get_by_role("button", name="Lecture seule").click()
    page.get_by_role("button", name="Créer la clé").click()
    shown = page.get_by_role("dialog").locator("code")
    expect(shown).to_contain_text(re.compile("flz_sk_[A-Za-z0-9]{32}"))
    key = shown.inner_text()
    page.get_by_role("button", name="Je l’ai gardée").click()
    row = page.get_by_role("row", name=re.compile("CRM"))
    expect(row).to_contain_text("Lecture seule")
    expect(row).to_contain_text("0 sur 1\u202f000")
    assert status_with(site, key) == 200
    page.reload()
    expect(row).to_contain_text("1 sur 1\u202f000")
    expect(row).to_contain_text(key[-4:])
    assert key not in page.content()
    row.get_by_role("button", name="Révoquer").click()
    page.get_by_role("dialog").get_by_role("button", name="Révoquer").click()
    expect(page.get_by_text("Aucune clé pour l’instant")).to_be_visible()
    assert status_with(site, key) == 401


def test_the_postal_address_is_asked_for_and_kept(page: Page, site: Site):
    sign_in(page, site, "/settings?tab=workspace")
    expect(page.get_by_text("L’adresse postale manque.")).to_be_visible()
    page.locator("textarea[name=postal_address]").fill("1 quai du Port\n13000 Marseille")
    page.locator("select[name=timezone]").select_option("Europe/Lisbon")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_text("L’adresse postale manque.")).to_have_count(0)
    database = site.database()
    with database.read() as session:
        workspace = workspaces.get_workspace(session, OWNERS_WORKSPACE)
        assert (workspace.postal_address, workspace.timezone) == ("1 quai du Port\n13000 Marseille", "Europe/Lisbon")
    database.close()


def add_person(site: Site, first_name: str) -> str:
    """A member of the owner's workspace, who changes what is theirs without changing it for other tests."""
    email = f"{first_name.lower()}@rivage.example"
    database = site.database()
    keyring = KeyRing.load(load_settings(_env_file=None, data_dir=site.data))
    with database.transaction() as session:
        workspaces.add_user(
            session, keyring, email=email, password=PASSWORD, first_name=first_name, last_name="Rousseau",
            now=datetime.now(UTC), workspace_id=OWNERS_WORKSPACE,
        )  # fmt: skip
    database.close()
    return email


def test_ones_own_name_and_language_change_at_once(page: Page, site: Site):
    sign_in(page, site, "/settings", add_person(site, "Lou"))
    page.locator("input[name=first_name]").fill("Camille-Anne")
    page.locator("select[name=language]").select_option("en")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_role("heading", name="Settings")).to_be_visible()
    expect(page.get_by_role("button", name="Your account")).to_contain_text("Camille-Anne Rousseau")
    page.locator("select[name=language]").select_option("fr")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="Paramètres")).to_be_visible()


def test_a_password_changes_only_for_who_knows_the_present_one_and_ends_other_sessions(
    page: Page, site: Site, browser: Browser
):
    elsewhere = new_context(browser)
    other = elsewhere.new_page()
    sign_in(other, site, "/")
    expect(other.get_by_role("heading", name="Tableau de bord")).to_be_visible()
    sign_in(page, site, "/settings")
    expect(page.get_by_text("Celui-ci")).to_be_visible()
    page.locator("input[name=current]").fill("not it")
    page.locator("input[name=new]").fill("another long sentence")
    page.get_by_role("button", name="Changer le mot de passe").click()
    expect(page.get_by_text("Ce n’est pas votre mot de passe actuel.")).to_be_visible()
    page.locator("input[name=current]").fill(PASSWORD)
    page.locator("input[name=new]").fill("court")
    page.get_by_role("button", name="Changer le mot de passe").click()
    expect(page.get_by_text("caractères au moins.")).to_be_visible()
    page.locator("input[name=new]").fill("another long sentence")
    page.get_by_role("button", name="Changer le mot de passe").click()
    expect(page.get_by_text("Mot de passe changé.")).to_be_visible()
    other.goto(f"{site.url}/settings")
    expect(other.get_by_role("heading", name="Bon retour")).to_be_visible()
    elsewhere.close()
    page.locator("input[name=current]").fill("another long sentence")
    page.locator("input[name=new]").fill(PASSWORD)
    page.get_by_role("button", name="Changer le mot de passe").click()
    expect(page.locator("input[name=current]")).to_have_value("")


def test_addresses_and_domains_are_suppressed_and_what_is_neither_is_told(page: Page, site: Site):
    sign_in(page, site, "/settings?tab=suppression")
    expect(page.get_by_text("La liste est vide")).to_be_visible()
    page.get_by_role("button", name="Ajouter à la liste").click()
    page.locator("textarea[name=entries]").fill("Paul@Client.example\nlointain.example; nobody at all")
    page.get_by_role("button", name="Ajouter", exact=True).click()
    expect(page.get_by_text("nobody at all", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("row", name=re.compile("lointain.example"))).to_contain_text("Domaine entier")
    page.get_by_placeholder("Rechercher une adresse").fill("paul")
    expect(page.get_by_role("row", name=re.compile("lointain.example"))).to_have_count(0)
    row = page.get_by_role("row", name=re.compile("paul@client.example"))
    row.get_by_role("button", name="Retirer").first.click()
    expect(page.get_by_text("Le retrait est noté au journal.")).to_be_visible()
    page.get_by_role("button", name="Retirer de la liste").click()
    expect(page.get_by_text("Rien pour « paul »")).to_be_visible()
    database = site.database()
    with database.read() as session:
        assert [line.shown for line in list_suppressed(session, OWNERS_WORKSPACE).lines] == ["lointain.example"]
    database.close()


def test_a_member_sees_no_keys_and_changes_nothing_of_the_workspace(page: Page, site: Site):
    sign_in(page, site, "/settings?tab=workspace", add_person(site, "Noa"))
    expect(page.get_by_text("Seul un administrateur de l’espace peut modifier cette section.")).to_be_visible()
    expect(page.locator("input[name=name]")).to_be_disabled()
    expect(page.get_by_role("button", name="Enregistrer")).to_have_count(0)
    page.get_by_role("tab", name="Clés d’API").click()
    expect(page.get_by_role("button", name="Créer une clé")).to_have_count(0)
    page.goto(f"{site.url}/accounts")
    expect(page.get_by_text("Un administrateur de l’espace peut connecter un compte.")).to_be_visible()
    expect(page.get_by_role("button", name="Connecter un compte")).to_have_count(0)


def test_an_empty_installation_shows_the_first_steps_with_what_is_done(page: Page, site: Site):
    database = site.database()
    with database.transaction() as session:
        workspaces.update_workspace(session, OWNERS_WORKSPACE, postal_address="1 quai du Port\n13000 Marseille")
    database.close()
    sign_in(page, site, "/")
    steps = page.get_by_role("listitem")
    expect(page.get_by_text("Premiers pas")).to_be_visible()
    expect(steps.filter(has_text="Connecter une boîte d’envoi").get_by_role("link", name="Connecter")).to_be_visible()
    expect(steps.filter(has_text="Donner votre adresse postale")).to_contain_text("Fait")
    steps.filter(has_text="Connecter une boîte d’envoi").get_by_role("link", name="Connecter").click()
    expect(page.get_by_role("heading", name="Connecter un compte SMTP")).to_be_visible()
