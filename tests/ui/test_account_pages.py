"""Connecting, mending and removing a mailbox in a browser, against a real mail server."""

import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect
from sqlmodel import select

from fluenzr_app.accounts.health import report_fault
from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns.models import EditorDraft
from fluenzr_app.inbox import reading
from fluenzr_app.mail.mailbox import MailboxFailure
from fluenzr_app.mail.refusal import classify
from tests.people import PASSWORD
from tests.real.browser import choose
from tests.real.post_office import PostOffice
from tests.scenarios.world import wait_until
from tests.ui.conftest import Site

EMAIL = "camille@rivage.example"


@pytest.fixture(scope="module")
def site(post_office: PostOffice, start_site: Callable[..., Site]) -> Site:
    """A site that trusts the post office's own authority."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(post_office.ca_file))
        return start_site()


@pytest.fixture
def received(page: Page) -> list[str]:
    """Everything the server sends to the page over its socket."""
    frames: list[str] = []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(str(frame))))
    return frames


@pytest.fixture(autouse=True)
def signed_in(page: Page, site: Site, received: list[str]) -> Iterator[None]:
    """Camille is signed in; no page may log an error or throw one."""
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.goto(site.url)
    page.locator("input[name=email]").fill(EMAIL)
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Tableau de bord")).to_be_visible()
    yield
    assert [fault for fault in faults if not re.search("ERR_CONNECTION_REFUSED|404", fault)] == []


def account_of(site: Site, email: str) -> EmailAccount | None:
    """The account as the database has it."""
    database = site.database()
    try:
        with database.read() as session:
            found = session.exec(select(EmailAccount).where(EmailAccount.email == email)).first()
            if found is not None:
                session.expunge(found)
            return found
    finally:
        database.close()


def drafts(site: Site) -> list[dict[str, object]]:
    """What is kept of forms that were begun."""
    database = site.database()
    try:
        with database.read() as session:
            return [dict(draft.content) for draft in session.exec(select(EditorDraft))]
    finally:
        database.close()


def fill_servers(page: Page, office: PostOffice, email: str, password: str, *, encryption: str) -> None:
    page.locator("input[name=email]").fill(email)
    page.locator("input[name=host]").fill("localhost")
    page.locator("input[name=port]").fill(str(office.smtp_port))
    page.locator("select[name=encryption]").select_option(encryption)
    page.locator("input[name=imap_host]").fill("localhost")
    page.locator("input[name=imap_port]").fill(str(office.imaps_port))
    page.locator("input[name=username]").fill(email)
    page.locator("input[name=password]").fill(password)


def connect(page: Page, site: Site, office: PostOffice, email: str) -> None:
    page.goto(f"{site.url}/accounts?open=connect")
    fill_servers(page, office, email, office.user(email)[1], encryption="starttls")
    page.get_by_role("button", name="Tester la connexion").click()
    expect(page.get_by_text("Tout répond.")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Connecter", exact=True).click()
    expect(page.get_by_role("row", name=re.compile(email))).to_be_visible()


def test_the_first_failed_stage_offers_its_mend_and_what_then_passes_can_be_connected(
    page: Page, site: Site, post_office: PostOffice, received: list[str]
):
    email, password = "devis@fluenzr.test", "secret-devis"
    page.goto(f"{site.url}/accounts")
    page.get_by_role("button", name="Connecter un compte SMTP").click()
    fill_servers(page, post_office, email, password, encryption="ssl")
    page.get_by_role("button", name="Tester la connexion").click()
    mend = page.get_by_role("button", name="Corriger et relancer")
    expect(mend).to_be_visible(timeout=30_000)
    expect(page.get_by_role("button", name="Connecter", exact=True)).to_be_disabled()
    mend.click()
    expect(page.get_by_text("Tout répond.")).to_be_visible(timeout=30_000)
    expect(page.locator("select[name=encryption]")).to_have_value("starttls")
    assert account_of(site, email) is None
    page.get_by_role("button", name="Connecter", exact=True).click()
    expect(page.get_by_role("row", name=re.compile(email)).get_by_text("Connecté")).to_be_visible()
    found = account_of(site, email)
    assert found is not None
    assert (found.status, found.smtp_encryption, found.smtp_port) == ("connected", "starttls", post_office.smtp_port)
    assert len(post_office.mailbox(email)) == 1
    assert not [frame for frame in received if password in frame]


def test_what_was_tested_must_not_change_before_it_is_connected(page: Page, site: Site, post_office: PostOffice):
    email = "ventes@fluenzr.test"
    page.goto(f"{site.url}/accounts?open=connect")
    fill_servers(page, post_office, email, "secret-ventes", encryption="starttls")
    page.get_by_role("button", name="Tester la connexion").click()
    expect(page.get_by_text("Tout répond.")).to_be_visible(timeout=30_000)
    # The password is no part of the page's state: only the server can tell that it is another one.
    page.locator("input[name=password]").fill("another one")
    page.get_by_role("button", name="Connecter", exact=True).click()
    expect(page.get_by_text("Le serveur refuse le nom d’utilisateur ou le mot de passe.").first).to_be_visible(
        timeout=30_000
    )
    assert account_of(site, email) is None


def test_a_draft_survives_a_reload_without_its_password(page: Page, site: Site, post_office: PostOffice):
    page.goto(f"{site.url}/accounts?open=connect")
    fill_servers(page, post_office, "brouillon@fluenzr.test", "not for the draft", encryption="starttls")
    page.locator("input[name=display_name]").fill("Atelier Rivage")
    page.keyboard.press("Tab")
    expect(page.get_by_text("Brouillon gardé")).to_be_visible()
    wait_until(lambda: "Atelier Rivage" in str(drafts(site)), 20)
    page.reload()
    expect(page.locator("input[name=host]")).to_have_value("localhost")
    expect(page.locator("input[name=display_name]")).to_have_value("Atelier Rivage")
    expect(page.locator("input[name=password]")).to_have_value("")
    assert "not for the draft" not in str(drafts(site))
    page.get_by_role("button", name="Effacer").click()
    expect(page.locator("input[name=host]")).to_have_value("")


def test_encryption_is_left_out_only_after_its_warning_was_read(page: Page, site: Site, post_office: PostOffice):
    page.goto(f"{site.url}/accounts?open=connect")
    fill_servers(page, post_office, "clair@fluenzr.test", "secret-clair", encryption="none")
    page.get_by_role("button", name="Tester la connexion").click()
    expect(page.get_by_text("Cochez cette case")).to_be_visible()
    expect(page.get_by_text("circulent en clair")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Comptes email")).to_be_visible()


def test_an_account_in_error_is_mended_by_its_new_password_and_stays_the_same_account(
    page: Page, site: Site, post_office: PostOffice
):
    email = "sarah@fluenzr.test"
    connect(page, site, post_office, email)
    before = account_of(site, email)
    assert before is not None
    assert before.id is not None
    database = site.database()
    with database.transaction() as session:
        refused = classify("auth", 535, "5.7.8 authentication failed")
        report_fault(session, before.id, refused, datetime.now(UTC), random.Random(1))
    database.close()
    post_office.set_password(email, "the new one")
    page.goto(f"{site.url}/accounts")
    expect(page.get_by_text("Le serveur refuse le nom d’utilisateur ou le mot de passe.")).to_be_visible()
    expect(page.get_by_text("Le serveur dit : 5.7.8 authentication failed")).to_be_visible()
    page.get_by_role("link", name="Reconnecter").click()
    page.locator("input[name=password]").fill("wrong again")
    page.get_by_role("button", name="Tester et reconnecter").click()
    expect(page.get_by_text("ressaisir le mot de passe")).to_be_visible(timeout=30_000)
    page.locator("input[name=password]").fill("the new one")
    page.get_by_role("button", name="Tester et reconnecter").click()
    expect(page.get_by_text("Tout répond.")).to_be_visible(timeout=30_000)
    after = account_of(site, email)
    assert after is not None
    assert (after.id, after.status, after.error_code) == (before.id, "connected", None)
    assert after.smtp_secret_id == before.smtp_secret_id


def test_pause_resume_and_settings_of_a_row(page: Page, site: Site, post_office: PostOffice):
    email = "paul@fluenzr.test"
    connect(page, site, post_office, email)
    row = page.get_by_role("row", name=re.compile(email))
    menu = page.get_by_role("button", name=f"Actions sur {email}")
    choose(menu, page.get_by_role("menuitem", name="Mettre en pause"))
    expect(row.get_by_text("En pause")).to_be_visible()
    # A menu that is still closing takes the press of its button for its own.
    expect(page.get_by_role("menu")).to_have_count(0)
    choose(menu, page.get_by_role("menuitem", name="Reprendre"))
    expect(row.get_by_text("Connecté")).to_be_visible()
    expect(page.get_by_role("menu")).to_have_count(0)
    choose(menu, page.get_by_role("menuitem", name="Réglages"))
    page.locator("input[name=daily_limit]").fill("beaucoup")
    page.get_by_role("button", name="Enregistrer").click()
    expect(page.get_by_text("Un nombre entier de 1 à")).to_be_visible()
    page.locator("input[name=daily_limit]").fill("60")
    page.get_by_label("Montée progressive").click()
    expect(page.get_by_text("Sans rampe, un compte récent")).to_be_visible()
    page.get_by_role("button", name="J’ai lu, désactiver").click()
    copies = page.get_by_label("Copie des messages envoyés")
    expect(copies).to_be_checked()
    copies.click()
    expect(copies).not_to_be_checked()
    page.get_by_role("button", name="Enregistrer").click()
    expect(row.get_by_text("/ 60")).to_be_visible()
    found = account_of(site, email)
    assert found is not None
    assert (found.daily_limit, found.ramp_enabled, found.copy_to_sent) == (60, False, False)


def note_reading(site: Site, account_id: int, failure: MailboxFailure | None) -> None:
    """What a process that reads mailboxes would note of its last look."""
    database, now = site.database(), datetime.now(UTC)
    try:
        with database.transaction() as session:
            assert reading.lease(session, account_id, "test", now) is not None
            if failure is None:
                reading.was_read(session, account_id, now)
                reading.give_back(session, account_id, "test", now)
            else:
                reading.failed(session, account_id, "test", failure, now, now)
    finally:
        database.close()


def test_the_list_tells_how_each_mailbox_is_read_and_mends_what_keeps_it_from_being(
    page: Page, site: Site, post_office: PostOffice
):
    email = "lecture@fluenzr.test"
    page.goto(f"{site.url}/accounts?open=connect")
    fill_servers(page, post_office, email, post_office.user(email)[1], encryption="starttls")
    page.locator("input[name=imap_host]").fill("")
    page.get_by_role("button", name="Tester la connexion").click()
    expect(page.get_by_text("Tout répond.")).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="Connecter", exact=True).click()
    row = page.get_by_role("row", name=re.compile(email))
    below = row.locator("xpath=following-sibling::tr[1]")
    expect(below).to_contain_text("Pas de lecture des réponses")
    expect(below).to_contain_text("une séquence ne s’arrête pas d’elle-même")

    below.get_by_role("button", name="Ajouter un serveur de réception").click()
    drawer = page.get_by_role("dialog", name=re.compile("^Reconnecter"))
    expect(drawer.get_by_text("Pas de lecture des réponses")).to_be_visible()
    drawer.locator("input[name=imap_host]").fill("localhost")
    drawer.locator("input[name=imap_port]").fill(str(post_office.imaps_port))
    drawer.get_by_role("button", name="Tester et reconnecter").click()
    expect(drawer.get_by_text("Tout répond.")).to_be_visible(timeout=30_000)
    expect(drawer.get_by_text("Pas de lecture des réponses")).to_have_count(0)
    drawer.get_by_role("button", name="Fermer").last.click()
    expect(row.get_by_text("Boîte pas encore relue")).to_be_visible()

    account = account_of(site, email)
    assert account is not None
    assert account.id is not None
    note_reading(site, account.id, MailboxFailure("auth_failed", "LOGIN failed.", stage="auth", permanent=True))
    page.reload()
    expect(below).to_contain_text(f"{email}\u00a0: boîte de réception illisible")
    expect(below).to_contain_text("Le serveur refuse le nom d’utilisateur ou le mot de passe.")
    expect(below).to_contain_text("LOGIN failed.")
    below.get_by_role("link", name="Reconnecter").click()
    expect(drawer.get_by_text("Boîte illisible")).to_be_visible()
    drawer.get_by_role("button", name="Annuler").click()
    expect(drawer).to_be_hidden()

    note_reading(site, account.id, None)
    page.reload()
    expect(row.get_by_text("Boîte relue")).to_be_visible()
    expect(page.get_by_text("Boîte illisible")).to_have_count(0)
    expect(page.get_by_text("boîte de réception illisible")).to_have_count(0)


def test_an_account_is_removed_only_after_its_name_was_typed(page: Page, site: Site, post_office: PostOffice):
    email = "adieu@fluenzr.test"
    connect(page, site, post_office, email)
    page.get_by_role("button", name=f"Actions sur {email}").click()
    page.get_by_role("menuitem", name="Supprimer").click()
    act = page.get_by_role("button", name="Supprimer le compte")
    expect(act).to_be_disabled()
    page.get_by_label("Écrivez").fill("adieu")
    act.click()
    expect(page.get_by_text(f"{email} est supprimé.")).to_be_visible()
    expect(page.get_by_role("row", name=re.compile(email))).to_have_count(0)
    found = account_of(site, email)
    assert found is not None
    assert (found.status, found.smtp_secret_id) == ("removed", None)
