"""What is asked after of openings and clicks, decided in the settings, in a campaign and in one of its mails."""

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import Session, col, select

from fluenzr_app.campaigns import audience, service
from fluenzr_app.campaigns.nodes import DelayNode, EmailNode
from fluenzr_app.campaigns.steps import linear_workflow
from fluenzr_app.clock import SystemClock
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.ids import parse_public_id, public_id
from fluenzr_app.settings import load_settings
from fluenzr_app.tracking.models import Hit
from fluenzr_app.tracking.objections import object_to_tracking
from fluenzr_app.workspaces import service as workspaces
from fluenzr_app.workspaces.models import Workspace
from fluenzr_app.workspaces.tracking import TrackingSettings, tracking_settings
from tests.people import PASSWORD, make_account, make_contact
from tests.real.browser import NARROW, new_context, screenshot, without_faults
from tests.scenarios.world import wait_until
from tests.ui.conftest import Site

EMAIL = "camille@rivage.example"
WORKSPACE = 1
DEFAULTS = TrackingSettings(True, True, False, 90, "on_open")


@pytest.fixture(autouse=True)
def no_fault_in_the_browser(page: Page) -> Iterator[None]:
    """No page may log an error or throw one."""
    with without_faults(page):
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


@pytest.fixture(autouse=True)
def as_at_first(site: Site) -> None:
    """Every test begins with the settings of a new workspace."""
    with writing(site) as session:
        row = session.get(Workspace, WORKSPACE)
        assert row is not None
        row.track_opens, row.track_clicks, row.tracking_details, row.tracking_details_days = True, True, False, 90
        row.proxy_opens, row.postal_address = "on_open", "1 quai du Port\n13000 <Marseille>"
        session.add(row)


@pytest.fixture(scope="module")
def sender(site: Site) -> tuple[int, int]:
    """An account and a contact, by their keys."""
    now = SystemClock().now()
    keyring = KeyRing.load(load_settings(_env_file=None, data_dir=site.data))
    with writing(site) as session:
        contact = make_contact(session, keyring, WORKSPACE, "alma@norsud.example", now)
        return make_account(session, WORKSPACE, EMAIL, now), contact


def campaign(site: Site, sender: tuple[int, int], **settings: bool) -> str:
    """A draft that could start; gives its public id."""
    now = SystemClock().now()
    steps = (
        EmailNode("n1", "Premier", "Bonjour", "<p>Bonjour</p>"),
        DelayNode("n2", days=3),
        EmailNode("n3", "Second", "", "<p>Encore</p>"),
    )
    with writing(site) as session:
        made = service.create_campaign(
            session, WORKSPACE, "Suivie", now, account_ids=[sender[0]], workflow=linear_workflow(steps),
            settings=settings,
        )  # fmt: skip
        audience.add_contacts(session, WORKSPACE, made.id, [sender[1]], now, random.Random(1))
    return public_id("cmp", made.id)


def mail_of(site: Site, key: str, node: str) -> EmailNode:
    with writing(site) as session:
        mail = service.get_campaign(session, WORKSPACE, parse_public_id("cmp", key)).workflow.by_id[node]
    assert isinstance(mail, EmailNode)
    return mail


def stored(site: Site) -> TrackingSettings:
    with writing(site) as session:
        return tracking_settings(session, WORKSPACE)


def keep_details(site: Site, *days: int) -> None:
    """Switch details on, with an opening kept of each of these days ago."""
    now = SystemClock().now()
    with writing(site) as session:
        row = session.get(Workspace, WORKSPACE)
        assert row is not None
        row.tracking_details = True
        session.add(row)
        for ago in days:
            at = now - timedelta(days=ago)
            values: dict[str, Any] = dict.fromkeys(
                ("message_id", "contact_id", "campaign_id", "account_id", "node_id", "workspace_id"), WORKSPACE
            )
            hit = Hit(
                **values, kind="open", composed_at=at, at=at, machine=False, judged_at=at, ip="192.0.2.7",
                user_agent="Mail/1.0",
            )  # fmt: skip
            session.add(hit)


def kept(site: Site) -> int:
    with writing(site) as session:
        return len(session.exec(select(Hit).where(col(Hit.workspace_id) == WORKSPACE)).all())


def open_page(page: Page, site: Site, path: str, email: str = EMAIL) -> None:
    page.goto(site.url + path)
    page.locator("input[name=email]").fill(email)
    page.locator("input[name=password]").fill(PASSWORD)
    page.keyboard.press("Enter")


def opens(page: Page):
    return page.get_by_role("switch", name=re.compile("^Suivre les ouvertures"))


def clicks(page: Page):
    return page.get_by_role("switch", name=re.compile("^Suivre les clics"))


def test_opens_are_switched_off_and_the_footer_no_longer_tells_of_them(page: Page, site: Site):
    open_page(page, site, "/settings?tab=privacy")
    footer = page.locator(".fzs-paper")
    expect(footer.first).to_contain_text("13000 <Marseille>")
    expect(footer.first).to_contain_text("Ce message contient une image")
    expect(footer.last).to_contain_text("This message holds an image")
    expect(page.get_by_text("Personne ne s’est opposé au suivi")).to_be_visible()
    opens(page).click()
    expect(page.get_by_text("Plus aucun pixel dans les emails")).to_be_visible()
    expect(page.get_by_text(re.compile("Enregistré à")).filter(visible=True)).to_be_visible()
    expect(footer.first).not_to_contain_text("image")
    expect(footer.last).not_to_contain_text("image")
    assert stored(site) == TrackingSettings(False, True, False, 90, "on_open")
    page.reload()
    expect(opens(page)).not_to_be_checked()
    expect(clicks(page)).to_be_checked()


def test_details_are_kept_only_after_the_consequence_was_read_and_for_days_that_make_sense(page: Page, site: Site):
    open_page(page, site, "/settings?tab=privacy")
    detail = page.get_by_role("radio", name=re.compile("^Le détail"))
    detail.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("consentement")
    page.keyboard.press("Escape")
    expect(detail).not_to_be_checked()
    assert stored(site) == DEFAULTS
    detail.click()
    for wrong in ("0", "731", "dix"):
        dialog.get_by_label("Durée en jours").fill(wrong)
        dialog.get_by_role("button", name="Garder le détail").click()
        expect(dialog.get_by_role("alert")).to_contain_text("Un nombre entier de jours, de 1 à 730.")
    dialog.get_by_label("Durée en jours").fill("60")
    dialog.get_by_role("button", name="Garder le détail").click()
    expect(detail).to_be_checked()
    expect(page.get_by_label("Durée en jours")).to_have_value("60")
    assert stored(site) == TrackingSettings(True, True, True, 60, "on_open")


def test_fewer_days_and_no_details_say_how_much_goes_before_it_goes(page: Page, site: Site):
    keep_details(site, 1, 20, 40, 80)
    open_page(page, site, "/settings?tab=privacy")
    days, dialog = page.get_by_label("Durée en jours"), page.get_by_role("dialog")
    days.fill("30")
    page.keyboard.press("Tab")
    expect(dialog).to_contain_text("Le détail de 2 ouvertures et clics sera supprimé")
    dialog.get_by_role("button", name="Annuler").click()
    expect(days).to_have_value("90")
    assert kept(site) == 4
    days.fill("30")
    page.keyboard.press("Tab")
    dialog.get_by_role("button", name="Supprimer le détail").click()
    expect(page.get_by_text("Le détail de 2 ouvertures et clics est supprimé.")).to_be_visible()
    assert (kept(site), stored(site).details_days) == (2, 30)
    dates = page.get_by_role("radio", name=re.compile("^La date de la première"))
    dates.click()
    dialog.get_by_role("button", name="Supprimer le détail").click()
    expect(dates).to_be_checked()
    wait_until(lambda: kept(site) == 0, 10)
    assert not stored(site).details


def test_which_proxies_count_is_chosen_and_people_who_objected_are_counted(page: Page, site: Site):
    with writing(site) as session:
        for who in (b"a" * 32, b"b" * 32):
            object_to_tracking(session, WORKSPACE, who, SystemClock().now())
    open_page(page, site, "/settings?tab=privacy")
    expect(page.get_by_text("2 personnes se sont opposées au suivi")).to_be_visible()
    none = page.get_by_role("radio", name=re.compile("^Aucune"))
    none.click()
    expect(none).to_be_checked()
    wait_until(lambda: stored(site).proxy_opens == "none", 10)


def test_a_member_reads_the_settings_and_changes_none(page: Page, site: Site):
    keyring = KeyRing.load(load_settings(_env_file=None, data_dir=site.data))
    with writing(site) as session:
        workspaces.add_user(
            session, keyring, email="noa@rivage.example", password=PASSWORD, first_name="Noa",
            now=SystemClock().now(), workspace_id=WORKSPACE,
        )  # fmt: skip
    open_page(page, site, "/settings?tab=privacy", "noa@rivage.example")
    expect(page.get_by_text("Seul un administrateur de l’espace peut modifier cette section.")).to_be_visible()
    expect(opens(page)).to_be_disabled()
    for radio in page.get_by_role("radio").all():
        expect(radio).to_be_disabled()


def test_a_mail_has_switches_of_its_own_and_what_is_typed_beside_them_stays(
    page: Page, site: Site, sender: tuple[int, int]
):
    key = campaign(site, sender)
    open_page(page, site, f"/campaigns/{key}?step=n3")
    page.locator(".fz-write").first.click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" Un mot de plus.")
    opens(page).click()
    expect(opens(page)).not_to_be_checked()
    wait_until(lambda: "Un mot de plus." in mail_of(site, key, "n3").body, 20)
    mail = mail_of(site, key, "n3")
    assert (mail.track_opens, mail.track_clicks, mail_of(site, key, "n1").track_opens) == (False, True, True)
    page.reload()
    expect(opens(page)).not_to_be_checked()
    page.get_by_role("button", name="Démarrer").click()
    expect(page.get_by_role("dialog")).to_contain_text("Ouvertures suivies dans 1 email sur 2. Clics suivis.")
    # What it said may hold no longer: it is asked for anew.
    page.reload()
    expect(opens(page)).not_to_be_checked()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_switch_that_another_one_overrides_is_off_and_says_by_which_one(
    page: Page, site: Site, sender: tuple[int, int]
):
    key = campaign(site, sender, firstMailPlain=True)
    open_page(page, site, f"/campaigns/{key}/timing")
    expect(page.get_by_text("Le premier email part en texte simple")).to_be_visible()
    clicks(page).click()
    expect(page.get_by_text(re.compile("Enregistré à")).filter(visible=True)).to_be_visible()
    with writing(site) as session:
        row = session.get(Workspace, WORKSPACE)
        assert row is not None
        row.track_opens = False
        session.add(row)
    # The page is read again by itself.
    expect(opens(page)).to_be_disabled(timeout=15_000)
    expect(page.get_by_text("Désactivé pour tout l’espace.")).to_be_visible()
    page.goto(f"{site.url}/campaigns/{key}?step=n3")
    for switch in (opens(page), clicks(page)):
        expect(switch).to_be_disabled()
        expect(switch).not_to_be_checked()
    expect(page.get_by_text("Désactivé pour cette campagne.")).to_be_visible()
    assert mail_of(site, key, "n3").track_opens
    page.get_by_role("link", name="Voir les paramètres").click()
    expect(page.get_by_role("heading", name="Ouvertures et clics")).to_be_visible()
    page.goto(f"{site.url}/campaigns/{key}")
    page.get_by_role("button", name="Démarrer").click()
    told = "Ouvertures non suivies (désactivées pour l’espace). Clics non suivis (désactivés pour la campagne)."
    expect(page.get_by_role("dialog")).to_contain_text(told)


def test_the_first_mail_as_plain_text_cannot_be_tracked(page: Page, site: Site, sender: tuple[int, int]):
    key = campaign(site, sender, firstMailPlain=True)
    open_page(page, site, f"/campaigns/{key}?step=n1")
    expect(page.get_by_text("Impossible ici").first).to_be_visible()
    expect(opens(page)).to_be_disabled()
    page.goto(f"{site.url}/campaigns/{key}?step=n3")
    expect(opens(page)).to_be_enabled()


def test_the_section_fits_a_phone_in_the_dark(browser: Browser, site: Site):
    keep_details(site)
    context = new_context(browser, NARROW, dark=True)
    page = context.new_page()
    open_page(page, site, "/settings?tab=privacy")
    expect(page.get_by_label("Durée en jours")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
    screenshot(page, "settings-privacy-phone-dark")
    context.close()
