"""Openings and clicks as a person with a browser sees them: counted, set apart as a machine's, off, refused."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import Session, col, select

from fluenzr_app.campaigns import service
from fluenzr_app.campaigns.models import Campaign
from fluenzr_app.campaigns.sequences import sequence, sequence_workflow
from fluenzr_app.campaigns.workflow_store import node_ids
from fluenzr_app.clock import SystemClock
from fluenzr_app.contacts.models import Contact
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.ids import public_id
from fluenzr_app.inbox.models import Conversation
from fluenzr_app.sending.models import Message
from fluenzr_app.settings import load_settings
from fluenzr_app.tracking.objections import object_to_tracking
from fluenzr_app.workspaces.service import get_workspace
from tests.campaigns.planted import Mail, clicked, opened, sent
from tests.inbox.seed import seed_inbox
from tests.people import PASSWORD
from tests.real.browser import NARROW, new_context, screenshot, without_faults
from tests.ui.conftest import Site

EMAIL = "camille@rivage.example"
WORKSPACE = 1
LINKS = ("https://rivage.example/tarifs", "https://rivage.example/rapport")


@pytest.fixture(autouse=True)
def no_fault_in_the_browser(page: Page) -> Iterator[None]:
    """No page may log an error or throw one."""
    with without_faults(page, "ERR_CONNECTION_REFUSED"):
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
    """A week in an inbox, and a campaign of 200 mails: 60 opened, 10 clicked, 20 more opened by a proxy."""
    now = SystemClock().now()
    with writing(site) as session:
        seed_inbox(session, KeyRing.load(load_settings(_env_file=None, data_dir=site.data)), WORKSPACE, now, user_id=1)
        campaign = a_campaign(session, "Printemps")
        node = node_ids(session, campaign)["n2"]
        mails = [Mail(WORKSPACE, 9000 + n, 9000 + n, campaign, node) for n in range(200)]
        at = now - timedelta(days=1)
        sent(session, mails, at)
        for place, mail in enumerate(mails[:60]):
            opened(session, mail, at)
            if place < 10:
                clicked(session, mail, at, LINKS[: 1 + (place < 4)])
        for mail in mails[60:80]:
            opened(session, mail, at, "proxy_apple", machine=True)
        clicked(session, mails[0], at, LINKS, "all_links", machine=True)
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


def a_campaign(session: Session, name: str, **settings: bool) -> int:
    """A running campaign; gives its key."""
    numbers = iter(range(1, 100))
    workflow = sequence_workflow(sequence("first_contact", "fr"), lambda: f"n{next(numbers)}")
    now = SystemClock().now()
    made = service.create_campaign(session, WORKSPACE, name, now, account_ids=[1], workflow=workflow, settings=settings)
    row = session.get(Campaign, made.id)
    assert row is not None
    row.status, row.started_at = "active", now
    return made.id


def progress_of(site: Site, name: str) -> str:
    with writing(site) as session:
        key = service.list_campaigns(session, WORKSPACE, search=name).lines[0].id
    return f"{site.url}/campaigns/{public_id('cmp', key)}/progress"


def figure(page: Page, label: str):
    return page.locator(".fz-kpi", has=page.locator(".fz-kpi-label", has_text=label))


def test_a_campaign_shows_rates_with_their_class_machines_apart_and_the_links_clicked(page: Page, stocked: Site):
    page.goto(progress_of(stocked, "Printemps"))
    expect(figure(page, "Taux d’ouverture")).to_contain_text("30,0\u202f%")
    expect(figure(page, "Taux d’ouverture")).to_contain_text("Bon")
    expect(figure(page, "Taux d’ouverture")).to_contain_text("20 par des machines, non comptées")
    expect(figure(page, "Taux de clic")).to_contain_text("5,0\u202f%")
    page.get_by_text("Pourquoi des machines ne comptent pas").click()
    expect(page.get_by_text("Des filtres de sécurité, des aperçus de liens")).to_be_visible()
    page.locator(".fz-mail-name").first.focus()
    page.keyboard.press("Enter")
    links = page.locator(".fz-links > li")
    expect(links).to_have_count(2)
    expect(links.first).to_contain_text("https://rivage.example/tarifs")
    expect(links.first).to_contain_text("10 clics")
    expect(links.last).to_contain_text("4 clics")
    expect(links.last).to_contain_text("1 par des machines, non compté")
    screenshot(page, "campaign-figures")
    page.set_viewport_size({"width": NARROW[0], "height": NARROW[1]})
    expect(links.first).to_be_visible()
    assert page.evaluate("document.querySelector('.fz-mails .fz-table-scroll').scrollWidth <= innerWidth")
    page.goto(f"{stocked.url}/campaigns")
    page.set_viewport_size({"width": 1440, "height": 900})
    row = page.locator("tbody .fz-tr", has_text="Printemps")
    expect(row).to_contain_text("30,0\u202f%")
    expect(row.get_by_title("60 sur 200 délivrés · 20 par des machines, non comptées")).to_be_visible()
    page.goto(f"{stocked.url}/")
    expect(figure(page, "Taux d’ouverture, 30 j")).to_contain_text("20 par des machines, non comptées")


def test_what_is_off_says_so_with_the_reason_and_leads_to_the_switch(page: Page, stocked: Site):
    with writing(stocked) as session:
        key = a_campaign(session, "Discrète", trackOpens=False)
        mail = Mail(WORKSPACE, 8000, 8000, key, node_ids(session, key)["n2"])
        sent(session, [mail], SystemClock().now())
    page.goto(progress_of(stocked, "Discrète"))
    opens = figure(page, "Taux d’ouverture")
    expect(opens).to_contain_text("Désactivé")
    expect(opens).to_contain_text("par le réglage de la campagne")
    expect(opens).not_to_contain_text("0")
    expect(figure(page, "Taux de clic")).to_contain_text("0,0\u202f%")
    expect(opens.get_by_role("link", name="Modifier")).to_have_attribute(
        "href", f"/campaigns/{public_id('cmp', key)}/timing"
    )
    with writing(stocked) as session:
        get_workspace(session, WORKSPACE).track_opens = False
    try:
        page.goto(f"{stocked.url}/")
        opens = figure(page, "Taux d’ouverture, 30 j")
        expect(opens).to_contain_text("Désactivé")
        expect(opens).to_contain_text("par le réglage de l’espace")
        opens.get_by_role("link", name="Modifier").click()
        expect(page).to_have_url(re.compile(r"/settings/?\?tab=privacy$"))
        page.goto(f"{stocked.url}/campaigns")
        row = page.locator("tbody .fz-tr", has_text="Printemps")
        # The link in a row leads to the switch, not to the campaign.
        row.get_by_role("link", name="Désactivé").click()
        expect(page).to_have_url(re.compile(r"/settings/?\?tab=privacy$"))
    finally:
        with writing(stocked) as session:
            get_workspace(session, WORKSPACE).track_opens = True


def test_the_card_and_the_thread_tell_what_a_person_did_and_by_what_a_machine_was_known(page: Page, stocked: Site):
    now = SystemClock().now()
    with writing(stocked) as session:
        contact = session.exec(select(Contact).where(col(Contact.email) == "h.marchand@boreal.example")).one()
        first, second = session.exec(
            select(Message).where(col(Message.contact_id) == contact.id).order_by(col(Message.id))
        ).all()
        for row in (first, second):
            mail = Mail(WORKSPACE, row.id or 0, contact.id or 0, row.campaign_id or 0, row.node_id or 0)
            opened(session, mail, now - timedelta(minutes=40), "scanner", machine=True)
        mail = Mail(WORKSPACE, first.id or 0, contact.id or 0, first.campaign_id or 0, first.node_id or 0)
        opened(session, mail, now - timedelta(minutes=30), "proxy_gmail")
        clicked(session, mail, now - timedelta(minutes=29), LINKS[:1])
        object_to_tracking(session, WORKSPACE, contact.email_hash, now, contact.id)
        conversation = session.exec(select(Conversation).where(col(Conversation.contact_id) == contact.id)).one()
        card, thread = public_id("con", contact.id or 0), public_id("cnv", conversation.id or 0)
    page.goto(f"{stocked.url}/contacts?open={card}")
    objection = page.locator(".fzc-objection")
    expect(objection).to_contain_text("Refuse le suivi")
    expect(objection).to_contain_text("Depuis le")
    expect(objection).to_contain_text("quels que soient vos réglages")
    history = page.locator(".fzc-history > li")
    expect(history.filter(has_text="A cliqué un lien")).to_contain_text("https://rivage.example/tarifs")
    expect(history.filter(has_text="A ouvert l’email")).to_contain_text("relais d’images de Gmail")
    machine = history.filter(has_text="Ouverture par un filtre ou un relais")
    expect(machine).to_have_count(2)
    expect(machine.first).to_contain_text("Un filtre de sécurité connu a examiné l’email.")
    expect(machine.first).to_contain_text("Non compté.")
    expect(history.filter(has_text="A cliqué dans l’email")).to_have_count(0)

    page.goto(f"{stocked.url}/inbox/{thread}")
    folded = page.locator(".fzi-fold:not(.fzi-dashed)")
    expect(folded.first.locator("summary")).to_contain_text("lien cliqué")
    expect(folded.nth(1).locator(".fzi-read, .fzi-read-line")).to_have_count(0)
    folded.first.locator("summary").click()
    expect(folded.first.locator(".fzi-read-line").first).to_contain_text("Ouvert")
    expect(folded.first.locator(".fzi-read-line").last).to_contain_text("https://rivage.example/tarifs")
