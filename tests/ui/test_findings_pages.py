"""What stands still, seen in a browser: on the dashboard, on the thing, in Help and in the menu, until it is mended."""

import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect
from sqlmodel import Session, select

from fluenzr_app.accounts.health import report_fault
from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.bundle import ROOT
from fluenzr_app.campaigns import audience
from fluenzr_app.campaigns import service as campaigns
from fluenzr_app.campaigns.models import Campaign
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.ids import public_id
from fluenzr_app.mail.refusal import classify
from fluenzr_app.sending.models import Message, Worker
from fluenzr_app.settings import load_settings
from fluenzr_app.workspaces.users import update_workspace
from tests.people import make_contact
from tests.real.browser import NARROW, choose
from tests.real.ports import free_ports
from tests.real.post_office import PostOffice
from tests.ui.conftest import Site
from tests.ui.test_account_pages import connect
from tests.ui.test_site import sign_in

# Monday, 11:00 in Paris: the sending window of a new campaign is open.
MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
SUNDAY = MONDAY - timedelta(days=1)
WORKSPACE = 1


class HandSite(Site):
    """A site whose clock a test moves."""

    def set_clock(self, moment: datetime) -> None:
        """Make it that time there."""
        part = self.data / "clock.part"
        part.write_text(moment.isoformat())
        part.replace(self.data / "clock")

    def start(self) -> "HandSite":
        """Start it on Monday and wait until it takes connections."""
        self.set_clock(MONDAY)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("FLUENZR_", "REFLEX_", "__REFLEX_"))}
        environment |= {"FLUENZR_DATA_DIR": str(self.data), "FLUENZR_PORT": str(self.port)}
        command = [sys.executable, "-m", "tests.ui.hand_clock_process"]
        with (self.data / "log").open("a") as log:
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self._process.stdout is not None
        if "ready\n" not in iter(self._process.stdout.readline, ""):
            pytest.fail((self.data / "log").read_text()[-4000:])
        return self

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction on the site's own database."""
        database = self.database()
        try:
            with database.transaction() as session:
                yield session
        finally:
            database.close()


@pytest.fixture(scope="module")
def site(bundle: Path, post_office: PostOffice, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HandSite]:
    """A site at work: a process sends, its workspace has an address, nothing is wrong yet."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(post_office.ca_file))
        made = HandSite(free_ports(1)[0], tmp_path_factory.mktemp("site")).start()
    with made.writing() as session:
        # Its last sign lies ahead, so that no test has to keep a process alive.
        session.add(Worker(name="w", started_at=MONDAY, beat_at=MONDAY + timedelta(days=60)))
        update_workspace(session, WORKSPACE, postal_address="12 rue des Lilas, Paris")
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def signed_in(page: Page, site: HandSite) -> Iterator[None]:
    """Camille is signed in on Monday; no page may log an error or throw one."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    site.set_clock(MONDAY)
    sign_in(page, site)
    expect(page.get_by_role("heading", name="Tableau de bord")).to_be_visible()
    yield
    assert [fault for fault in faults if not re.search("ERR_CONNECTION_REFUSED|404", fault)] == []


def campaign(site: HandSite, name: str, account: int, at: datetime = MONDAY) -> str:
    """An active campaign of one mail with a contact that is due from `at` on, and its public id."""
    with site.writing() as session:
        keyring = KeyRing.load(load_settings(_env_file=None, data_dir=site.data))
        made = campaigns.create_campaign(session, WORKSPACE, name, at, account_ids=[account])
        contact = make_contact(session, keyring, WORKSPACE, f"{name.lower()}@norsud.example", at)
        audience.add_contacts(session, WORKSPACE, made.id, [contact], at, random.Random(1))
        row = session.get(Campaign, made.id)
        assert row is not None
        row.status, row.started_at = "active", at
    return public_id("cmp", made.id)


def archive_all(site: HandSite) -> None:
    """Nothing is under way any more."""
    with site.writing() as session:
        for row in session.exec(select(Campaign)):
            row.status = "archived"


def pause(site: HandSite, email: str) -> int:
    """The account, paused by somebody while an answer waits to leave it; gives its key."""
    with site.writing() as session:
        account = account_of(session, email)
        row = session.get(EmailAccount, account)
        assert row is not None
        row.status, row.pause_reason = "paused", "user"
        if session.exec(select(Message).where(Message.kind == "answer")).first() is None:
            session.add(
                Message(
                    workspace_id=WORKSPACE, account_id=account, kind="answer", to_address="a@norsud.example",
                    to_domain="norsud.example", rfc_id="<1@fluenzr.test>", due_at=MONDAY, created_at=MONDAY,
                )
            )  # fmt: skip
        return account


def account_of(session: Session, email: str) -> int:
    found = session.exec(select(EmailAccount).where(EmailAccount.email == email)).one()
    assert found.id is not None
    return found.id


def shown(page: Page, code: str) -> Locator:
    """The finding of this code on the page that is open."""
    return page.locator(f'.fz-finding[data-code="{code}"]')


def badge(page: Page) -> Locator:
    """The count beside Help in the menu."""
    return page.locator(".fz-nav .fz-pressing")


def go(page: Page, entry: str) -> None:
    """Go to another page by the menu, without loading anything anew."""
    page.locator(".fz-nav").get_by_role("link", name=re.compile(f"^{entry}")).click()


def look_again(page: Page) -> None:
    """What a page does by itself every few seconds."""
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


@pytest.fixture(scope="module")
def email(post_office: PostOffice) -> str:
    return "camille@fluenzr.test"


def test_an_account_in_error_is_told_everywhere_and_gone_everywhere_once_it_is_reconnected(
    page: Page, site: HandSite, post_office: PostOffice, email: str
):
    connect(page, site, post_office, email)
    with site.writing() as session:
        account = account_of(session, email)
    name = campaign(site, "Erreur", account)
    with site.writing() as session:
        report_fault(session, account, classify("auth", 535, "5.7.8 refused"), MONDAY, random.Random(1))
    go(page, "Tableau de bord")
    look_again(page)
    told = shown(page, "account_error")
    expect(told).to_contain_text(f"{email}\u00a0: compte en erreur")
    expect(told).to_contain_text("depuis 11:00")
    expect(told.locator("fz-when")).to_have_attribute("title", re.compile("lundi 2 mars 2026"))
    expect(badge(page)).to_have_text("1")
    page.goto(f"{site.url}/campaigns/{name}/audience")
    expect(shown(page, "account_error")).to_contain_text("Le serveur refuse")
    go(page, "Campagnes")
    expect(shown(page, "account_error").get_by_role("link", name="Reconnecter")).to_have_attribute(
        "href", f"/accounts?open=reconnect&account={public_id('acc', account)}"
    )
    go(page, "Aide")
    expect(page.get_by_role("heading", name="Vu en ce moment")).to_be_visible()
    expect(page.locator('.fzh-symptom[data-number="3"]')).to_have_attribute("data-state", "seen")
    shown(page, "account_error").get_by_role("link", name="Reconnecter").click()
    drawer = page.get_by_role("dialog")
    drawer.locator("input[name=password]").fill(post_office.user(email)[1])
    drawer.get_by_role("button", name="Tester et reconnecter").click()
    expect(drawer).to_contain_text("Tout répond.", timeout=30_000)
    drawer.get_by_role("button", name="Fermer").last.click()
    expect(drawer).to_be_hidden()
    go(page, "Aide")
    expect(page.locator('.fzh-symptom[data-number="3"]')).to_have_attribute("data-state", "clear")
    expect(shown(page, "account_error")).to_have_count(0)
    expect(badge(page)).to_have_count(0)
    go(page, "Tableau de bord")
    expect(page.locator(".fz-all-clear")).to_be_visible()
    page.goto(f"{site.url}/campaigns/{name}/audience")
    expect(page.get_by_role("heading", name="Erreur")).to_be_visible()
    expect(shown(page, "account_error")).to_have_count(0)
    archive_all(site)


def test_a_closed_window_waits_by_itself_can_be_put_aside_and_is_gone_once_it_opens(
    page: Page, site: HandSite, email: str
):
    with site.writing() as session:
        account = account_of(session, email)
    name = campaign(site, "Fenetre", account, SUNDAY - timedelta(hours=1))
    site.set_clock(SUNDAY)
    # A page's own clock only goes forward.
    page.goto(site.url)
    told = shown(page, "campaign_outside_window")
    expect(told).to_contain_text("«\u202fFenetre\u202f»\u00a0: fenêtre d’envoi fermée")
    expect(told).to_contain_text("jusqu’à demain, 09:00")
    expect(badge(page)).to_have_count(0)
    page.goto(f"{site.url}/campaigns/{name}/timing")
    expect(shown(page, "campaign_outside_window")).to_contain_text("jusqu’à demain, 09:00")
    go(page, "Aide")
    expect(page.locator('.fzh-symptom[data-number="6"]')).to_have_attribute("data-state", "seen")
    aside = shown(page, "campaign_outside_window").get_by_role("button", name=re.compile("Mettre de côté"))
    choose(aside, page.get_by_role("menuitem", name="Pendant un jour"))
    aside = page.locator("#aside")
    expect(aside).to_contain_text("de côté jusqu’à demain, 11:00")
    go(page, "Tableau de bord")
    expect(page.get_by_role("link", name="1 constat mis de côté")).to_be_visible()
    expect(shown(page, "campaign_outside_window")).to_have_count(0)
    page.get_by_role("link", name="1 constat mis de côté").click()
    aside.get_by_role("button", name="Montrer à nouveau").click()
    expect(aside).to_have_count(0)
    expect(shown(page, "campaign_outside_window")).to_be_visible()
    go(page, "Tableau de bord")
    expect(shown(page, "campaign_outside_window")).to_be_visible()
    site.set_clock(MONDAY)
    look_again(page)
    expect(shown(page, "campaign_outside_window")).to_have_count(0)
    expect(page.locator(".fz-all-clear")).to_be_visible()
    archive_all(site)


def test_a_missing_postal_address_leads_to_its_very_field_and_is_gone_once_it_is_filled(
    page: Page, site: HandSite, email: str
):
    with site.writing() as session:
        account = account_of(session, email)
        update_workspace(session, WORKSPACE, postal_address="")
    campaign(site, "Adresse", account)
    go(page, "Aide")
    told = shown(page, "workspace_no_address")
    expect(told).to_contain_text("L’adresse postale manque")
    expect(page.locator('.fzh-symptom[data-number="13"]')).to_have_attribute("data-state", "seen")
    go(page, "Tableau de bord")
    told.get_by_role("link", name="Compléter").click()
    field = page.locator("textarea[name=postal_address]")
    expect(field).to_be_focused()
    field.fill("12 rue des Lilas, Paris")
    page.get_by_role("button", name="Enregistrer").first.click()
    go(page, "Tableau de bord")
    expect(page.locator(".fz-all-clear")).to_be_visible()
    go(page, "Aide")
    expect(page.locator('.fzh-symptom[data-number="13"]')).to_have_attribute("data-state", "clear")
    archive_all(site)


def test_an_act_done_here_is_told_with_what_it_changed_and_taken_back_by_one_click(
    page: Page, site: HandSite, email: str
):
    name = campaign(site, "Pause", pause(site, email))
    page.goto(f"{site.url}/campaigns/{name}/progress")
    told = shown(page, "account_paused")
    expect(told).to_contain_text("1 message attend sa reprise.")
    expect(badge(page)).to_have_text("1")
    told.get_by_role("button", name="Reprendre").click()
    toast = page.locator("[data-sonner-toast]").filter(has_text="1 compte\u00a0: en pause → connecté")
    expect(toast).to_be_visible()
    expect(told).to_have_count(0)
    expect(badge(page)).to_have_count(0)
    toast.get_by_role("button", name="Annuler").click()
    expect(told).to_be_visible()
    expect(badge(page)).to_have_text("1")
    go(page, "Comptes email")
    expect(told).to_be_visible()
    told.get_by_role("button", name="Reprendre").click()
    expect(told).to_have_count(0)
    archive_all(site)


def test_a_finding_is_put_aside_on_the_thing_itself_and_then_told_nowhere_but_among_those(
    page: Page, site: HandSite, email: str
):
    name = campaign(site, "Cote", pause(site, email))
    go(page, "Campagnes")
    row = page.get_by_role("row").filter(has_text="Cote").first
    expect(row).to_be_visible()
    told = shown(page, "account_paused")
    expect(told).to_have_count(1)
    go(page, "Comptes email")
    aside = told.get_by_role("button", name=re.compile("Mettre de côté"))
    choose(aside, page.get_by_role("menuitem", name="Pendant un jour"))
    expect(told).to_have_count(0)
    go(page, "Campagnes")
    expect(row).to_be_visible()
    expect(told).to_have_count(0)
    expect(page.get_by_role("row").filter(has_text="en pause")).to_have_count(0)
    page.goto(f"{site.url}/campaigns/{name}/progress")
    expect(page.get_by_role("heading", name="Cote")).to_be_visible()
    expect(told).to_have_count(0)
    page.goto(f"{site.url}/help#aside")
    page.locator("#aside").get_by_role("button", name="Montrer à nouveau").click()
    go(page, "Campagnes")
    told.get_by_role("button", name="Reprendre").click()
    expect(told).to_have_count(0)
    archive_all(site)


def test_a_sending_process_that_stands_is_told_on_every_page_with_the_command_that_starts_it(
    page: Page, site: HandSite, email: str
):
    with site.writing() as session:
        account = account_of(session, email)
        session.exec(select(Worker)).one().beat_at = MONDAY - timedelta(hours=1)
    name = campaign(site, "Arret", account)
    for place in ("/", "/help", "/campaigns", f"/campaigns/{name}/audience", "/accounts"):
        page.goto(site.url + place)
        shown(page, "installation_not_sending").first.get_by_role("button", name="Redémarrer l’envoi").click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("fluenzr serve")
        expect(dialog.get_by_role("button", name="Copier")).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
    with site.writing() as session:
        session.exec(select(Worker)).one().beat_at = MONDAY + timedelta(days=60)
    look_again(page)
    expect(shown(page, "installation_not_sending")).to_have_count(0)
    archive_all(site)


def test_the_list_of_symptoms_is_searched_by_what_one_sees_and_each_opens_with_its_part_of_the_guide(
    page: Page, site: HandSite
):
    page.goto(f"{site.url}/help")
    expect(page.locator(".fzh-symptom")).to_have_count(26)
    page.get_by_placeholder(re.compile("Décrivez ce que vous voyez")).fill("rien ne part")
    expect(page.locator('.fzh-symptom[data-number="6"]')).to_be_visible()
    expect(page.locator('.fzh-symptom[data-number="23"]')).to_have_count(0)
    page.locator('.fzh-symptom[data-number="6"]').click()
    expect(page.locator(".fzh-article")).to_contain_text("Ce que vous pouvez faire.")
    page.get_by_role("link", name="Retour").click()
    page.get_by_role("link", name="Premiers pas").click()
    expect(page.get_by_role("heading", name="Premiers pas", level=1)).to_be_visible()
    expect(page.locator(".fzh-article script")).to_have_count(0)
    # One that the guide leaves out, since this version has no such part, is told in short.
    page.goto(f"{site.url}/help/webhook")
    expect(page.get_by_text("Ce que vous pouvez faire")).to_be_visible()
    expect(page.get_by_text("pas encore la partie")).to_be_visible()
    page.goto(f"{site.url}/help/nowhere")
    expect(page.get_by_role("heading", name="Cette page du guide n’existe pas").first).to_be_visible()


def test_the_support_file_is_fetched_from_help_with_what_was_described(page: Page, site: HandSite):
    page.goto(f"{site.url}/help/support")
    page.locator("textarea[name=describe]").fill("Rien ne part depuis ce matin.")
    with page.expect_download() as fetched:
        page.get_by_role("button", name="Télécharger le dossier").click()
    assert "Rien ne part depuis ce matin." in fetched.value.path().read_text("utf-8")


def test_on_a_phone_help_is_behind_more_with_its_count_and_everything_can_be_pressed(
    page: Page, site: HandSite, email: str
):
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    pause(site, email)
    page.goto(site.url)
    page.get_by_role("button", name="Plus").click()
    page.get_by_role("menuitem", name=re.compile("Aide")).click()
    expect(page.get_by_role("heading", name="Vu en ce moment")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    shown(page, "account_paused").get_by_role("button", name="Reprendre").click()
    expect(shown(page, "account_paused")).to_have_count(0)
