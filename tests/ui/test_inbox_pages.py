"""The inbox as a person with a browser uses it: read, searched, answered, put away; nothing a sender wrote runs."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from sqlmodel import Session, select

from fluenzr_app.clock import SystemClock
from fluenzr_app.contacts.models import Contact
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.ids import public_id
from fluenzr_app.inbox.models import Answer, AnswerFile, Conversation
from fluenzr_app.sending.models import Message
from fluenzr_app.settings import load_settings
from tests.inbox.seed import InboxSeed, Mail, seed_inbox
from tests.people import PASSWORD, make_account
from tests.real.browser import NARROW, new_context, screenshot, without_faults
from tests.ui.conftest import Site

EMAIL = "camille@rivage.example"
WORKSPACE = 1
HOSTILE = """
<html><head><meta http-equiv="refresh" content="0;url=http://localhost:9/refresh"><base href="http://localhost:9/">
<style>@import url(http://localhost:9/import.css); body { background: url(http://localhost:9/background.png) }</style>
<link rel="stylesheet" href="http://localhost:9/style.css"><script>parent.document.title = "broken"</script></head>
<body onload="parent.document.title = 'broken'"><p>Bonjour <b>Camille</b></p>
<img src="http://localhost:9/pixel.png" onerror="parent.document.title = 'broken'"><img src="x">
<svg onload="parent.document.title = 'broken'"></svg><a href="javascript:parent.document.title='broken'">clic</a>
<iframe src="http://localhost:9/frame"></iframe><video src="http://localhost:9/video"></video>
<form action="http://localhost:9/form"><input name="password"><button>Envoyer</button></form>
<object data="http://localhost:9/object"></object></body></html>
"""


@pytest.fixture(autouse=True)
def no_fault_in_the_browser(page: Page) -> Iterator[None]:
    """No page may log an error or throw one, but for a connection or a picture that the test itself takes away."""
    with without_faults(
        page, "ERR_CONNECTION_REFUSED|ERR_INTERNET_DISCONNECTED|ERR_UNSAFE_PORT|Content Security Policy"
    ):
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
    """The site with a week in its inbox, and a mailbox that cannot be read."""
    now = SystemClock().now()
    with writing(site) as session:
        keyring = KeyRing.load(load_settings(_env_file=None, data_dir=site.data))
        seed = seed_inbox(session, keyring, WORKSPACE, now, user_id=1)
        other = make_account(session, WORKSPACE, "ines@nova-conseil.example", now, imap_host="127.0.0.1")
        why = "535 5.7.8 Authentication credentials invalid"
        seed.add_reading(other, failed_since=now - timedelta(hours=3), error_code="auth_refused", error_text=why)
        files = {"facture.exe": b"MZ" * 100}
        seed.conversation("Igor Hostile", [Mail("Bonjour", timedelta(hours=5), html=HOSTILE, files=files)])
    return site


@contextmanager
def seeding(site: Site) -> Iterator[InboxSeed]:
    """What adds one more conversation to the site."""
    with writing(site) as session:
        keyring = KeyRing.load(load_settings(_env_file=None, data_dir=site.data))
        row = session.exec(select(Conversation).order_by(Conversation.id)).first()  # type: ignore[arg-type]
        assert row is not None
        now = SystemClock().now()
        yield InboxSeed(session, keyring, WORKSPACE, now, row.account_id, row.campaign_id or 0)


def add(site: Site, name: str, *mails: Mail, **values: object) -> str:
    """Let somebody write; give the conversation's public id."""
    with seeding(site) as seed:
        sent = [Mail("Bonjour, parlons-en.", timedelta(minutes=2))]
        return public_id("cnv", seed.conversation(name, list(mails) or sent, **values))  # type: ignore[arg-type]


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


def row_of(page: Page, name: str) -> Locator:
    return page.locator(".fzi-row").filter(has_text=name)


def open_by_id(page: Page, site: Site, key: str) -> None:
    page.goto(f"{site.url}/inbox/{key}")
    expect(page.locator(".fzi-thread .fzi-mail").first).to_be_visible()


def box(page: Page) -> Locator:
    return page.get_by_role("textbox", name="Votre réponse")


def conversation(site: Site, key: str) -> Conversation:
    with writing(site) as session:
        for row in session.exec(select(Conversation)):
            if public_id("cnv", row.id or 0) == key:
                session.expunge(row)
                return row
    raise AssertionError(key)


def test_the_list_shows_what_waits_and_what_cannot_be_read(page: Page, stocked: Site):
    page.goto(f"{stocked.url}/inbox")
    expect(row_of(page, "Hélène Marchand")).to_contain_text("Ateliers Boréal")
    expect(row_of(page, "Hélène Marchand")).to_contain_text("Intéressé")
    expect(row_of(page, "Odile Pasquier")).to_contain_text("Réponse automatique")
    expect(row_of(page, "Grégory Simon")).to_contain_text("Désinscription à confirmer")
    expect(page.locator(".fzi-row").filter(has_text="Anaïs Petit")).to_have_count(0)
    banner = page.locator('.fz-finding[data-code="mailbox_not_read"]')
    expect(banner).to_contain_text("ines@nova-conseil.example")
    expect(banner).to_contain_text("535 5.7.8")
    expect(banner.get_by_role("link", name="Reconnecter")).to_have_attribute(
        "href", re.compile(r"/accounts\?open=reconnect&account=acc_")
    )
    expect(page.locator(".fz-nav .fz-unread:not(.fz-pressing)")).to_be_visible()
    page.get_by_role("tab", name="Toutes").click()
    expect(row_of(page, "Anaïs Petit")).to_contain_text("Vous : Bonjour Anaïs")
    page.get_by_role("tab", name="Archivées").click()
    expect(row_of(page, "Paul Archimbaud")).to_be_visible()
    screenshot(page, "inbox-list-light")


def test_a_search_looks_into_what_was_written_and_names_what_finds_nothing(page: Page, stocked: Site):
    page.goto(f"{stocked.url}/inbox?tab=all")
    search = page.get_by_role("searchbox")
    search.fill("décolletage")
    expect(page.locator(".fzi-row")).to_have_count(1)
    expect(page).to_have_url(re.compile("q=d%C3%A9colletage"))
    page.reload()
    expect(search).to_have_value("décolletage")
    expect(page.locator(".fzi-row")).to_contain_text("Hélène Marchand")
    search.fill("introuvable")
    expect(page.get_by_text("Aucune conversation pour « introuvable »")).to_be_visible()
    page.goto(f"{stocked.url}/inbox?tab=all&label=later")
    expect(page.locator(".fzi-row")).to_have_count(1)
    page.get_by_role("button", name="Filtrer, 1 filtre actif").click()
    page.locator("select[name=label]").select_option("not_interested")
    page.get_by_role("button", name="Appliquer").click()
    expect(page.get_by_text("Aucune conversation avec ces filtres")).to_be_visible()
    page.locator(".fzi-rows-box").get_by_role("button", name="Retirer les filtres").click()
    expect(page.locator(".fzi-row").nth(3)).to_be_visible()


def test_an_opened_conversation_is_read_and_shows_all_that_happened(page: Page, stocked: Site):
    page.goto(f"{stocked.url}/inbox")
    row_of(page, "Hélène Marchand").get_by_role("link").click()
    thread = page.locator(".fzi-thread")
    expect(thread).to_contain_text("Plutôt jeudi matin")
    expect(thread).to_contain_text("Texte cité masqué, 14 lignes")
    expect(thread.get_by_text("> ligne 3 du message cité")).to_be_hidden()
    thread.get_by_text("Texte cité masqué").click()
    expect(thread.get_by_text("> ligne 3 du message cité")).to_be_visible()
    expect(thread.locator(".fzi-dashed")).to_contain_text("La séquence a continué.")
    expect(thread.locator(".fzi-notice")).to_contain_text(re.compile("Séquence arrêtée à .*réponse reçue.*Proposition"))
    folded = thread.locator(".fzi-fold").first
    expect(folded.locator(".fzi-body")).to_be_hidden()
    folded.locator("summary").click()
    expect(folded.locator(".fzi-body")).to_contain_text("combien de commandes")
    # Read by now, and still in its place while it is open.
    expect(row_of(page, "Hélène Marchand").locator(".fzi-dot")).to_have_count(0)
    expect(page.locator(".fzi-card")).to_contain_text("02 41 00 00 87")
    expect(page.locator(".fzi-card select")).to_contain_text("Proposition")


def test_nothing_that_a_sender_wrote_runs_or_asks_anybody(page: Page, stocked: Site):
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if ":9/" in request.url else None)
    page.goto(f"{stocked.url}/inbox")
    row_of(page, "Igor Hostile").get_by_role("link").click()
    page.get_by_role("button", name="Afficher la mise en forme").click()
    frame = page.frame_locator(".fzi-frame")
    expect(frame.get_by_text("Bonjour Camille")).to_be_visible()
    assert page.title() != "broken"
    assert frame.locator("script, iframe, form, object").count() == 0
    assert asked == []
    answer = page.request.get(f"{stocked.url}{page.locator('.fzi-frame').get_attribute('src')}")
    policy = answer.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    page.get_by_role("button", name="Charger les images").click()
    expect(page.locator(".fzi-frame")).to_have_attribute("src", re.compile("images=true"))
    expect(frame.get_by_text("Bonjour Camille")).to_be_visible()
    page.wait_for_function("() => true")
    assert all(url.endswith("pixel.png") for url in asked)
    with page.expect_download() as started:
        page.locator(".fzi-mail a.fzi-file").click()
    assert started.value.suggested_filename == "facture.exe"
    file = page.request.get(f"{stocked.url}{page.locator('.fzi-mail a.fzi-file').get_attribute('href')}")
    assert file.headers["content-type"] == "application/octet-stream"
    assert file.headers["content-disposition"].startswith("attachment")


def test_an_answer_with_a_file_is_taken_back_and_sent_again(page: Page, stocked: Site):
    key = add(stocked, "Bruno Retour")
    open_by_id(page, stocked, key)
    box(page).click()
    page.keyboard.type("Bonjour Bruno, voici le rapport.")
    page.locator(".fzi-compose input[type=file]").set_input_files(
        {"name": "rapport.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4 " * 2000}
    )
    expect(page.locator(".fzi-compose .fzi-file")).to_contain_text("rapport.pdf")
    page.get_by_role("button", name="Répondre", exact=True).click()
    sent = page.locator(".fzi-mail[data-kind=answer]")
    expect(sent).to_contain_text("voici le rapport")
    expect(sent).to_contain_text("rapport.pdf")
    expect(box(page)).to_have_text("")
    expect(row_of(page, "Bruno Retour")).to_contain_text("Vous : Bonjour Bruno")
    sent.get_by_role("button", name=re.compile(r"Annuler \(\d+")).click()
    expect(sent).to_have_count(0)
    expect(box(page)).to_have_text("Bonjour Bruno, voici le rapport.")
    expect(page.locator(".fzi-compose .fzi-file")).to_contain_text("rapport.pdf")
    page.get_by_role("button", name="Répondre", exact=True).click()
    expect(sent).to_have_count(1)
    with writing(stocked) as session:
        answers = [row for row in session.exec(select(Answer)) if "voici le rapport" in row.text]
        files = session.exec(select(AnswerFile).where(AnswerFile.message_id == answers[0].message_id)).all()
        message = session.get(Message, answers[0].message_id)
    assert len(answers) == 1
    assert [file.filename for file in files] == ["rapport.pdf"]
    assert message is not None
    assert message.status == "queued"


def test_a_draft_survives_a_reload_and_a_lost_connection(page: Page, stocked: Site):
    key = add(stocked, "Denise Brouillon")
    open_by_id(page, stocked, key)
    box(page).click()
    page.keyboard.type("Je réfléchis")
    expect(page.locator(".fzi-state")).to_contain_text("Brouillon gardé")
    page.reload()
    expect(box(page)).to_have_text("Je réfléchis")
    page.context.set_offline(True)
    box(page).click()
    page.keyboard.press("Control+End")
    page.keyboard.type(" encore, dans le train.")
    expect(page.locator(".fzi-state")).to_contain_text("Non enregistré, gardé ici")
    page.context.set_offline(False)
    expect(page.locator(".fzi-state")).to_contain_text("Brouillon gardé")
    page.goto(f"{stocked.url}/inbox")
    page.goto(f"{stocked.url}/inbox/{key}")
    expect(box(page)).to_have_text("Je réfléchis encore, dans le train.")


def test_an_answer_is_sent_later_and_what_is_written_is_kept_for_others(page: Page, stocked: Site):
    key = add(stocked, "Lucie Plus-Tard")
    open_by_id(page, stocked, key)
    box(page).click()
    page.keyboard.type("Bonjour {{firstName}}, à bientôt.")
    page.get_by_role("button", name="Réponses enregistrées").click()
    page.get_by_role("button", name="Enregistrer ce texte comme réponse").click()
    page.get_by_label("Nom de la réponse").fill("À bientôt")
    page.get_by_role("button", name="Enregistrer", exact=True).click()
    expect(page.get_by_text("Réponse « À bientôt » enregistrée")).to_be_visible()
    box(page).fill("")
    page.get_by_role("button", name="Réponses enregistrées").click()
    page.get_by_role("button", name="À bientôt", exact=True).click()
    expect(box(page)).to_have_text("Bonjour Lucie, à bientôt.")
    # Tomorrow where the workspace is: there the day begins before that of UTC.
    tomorrow = (SystemClock().now().astimezone(ZoneInfo("Europe/Paris")) + timedelta(days=1)).strftime("%Y-%m-%dT09:00")
    page.get_by_role("button", name="Envoyer plus tard").click()
    page.get_by_label("Date et heure de l’envoi").fill(tomorrow)
    page.get_by_role("button", name="Programmer l’envoi").click()
    sent = page.locator(".fzi-mail[data-kind=answer]")
    expect(sent).to_contain_text("Part\u00a0: demain, 09:00")
    expect(sent.get_by_role("button", name="Annuler l’envoi")).to_be_visible()


def test_keys_go_through_the_list_and_do_nothing_while_somebody_writes(page: Page, stocked: Site):
    first, second = add(stocked, "Zoé Première"), add(stocked, "Yann Second")
    page.goto(f"{stocked.url}/inbox")
    expect(page.locator(".fzi-row").nth(1)).to_contain_text("Zoé Première")
    expect(page.locator("fz-key[letter=j]")).to_be_attached()
    page.keyboard.press("j")
    expect(page).to_have_url(re.compile(second))
    expect(page.locator(".fzi-from").first).to_contain_text("Yann Second")
    page.keyboard.press("j")
    expect(page).to_have_url(re.compile(first))
    page.keyboard.press("k")
    expect(page).to_have_url(re.compile(f"{first}|{second}"))
    open_by_id(page, stocked, first)
    box(page).click()
    page.keyboard.type("je rue")
    expect(page).to_have_url(re.compile(first))
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Archiver et passer à la suivante")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("e")
    expect(page.get_by_text("Conversation avec Zoé Première archivée")).to_be_visible()
    expect(page).not_to_have_url(re.compile(first))
    assert conversation(stocked, first).status == "archived"
    add(stocked, "Xavier Troisième")
    page.goto(f"{stocked.url}/inbox")
    expect(row_of(page, "Xavier Troisième").locator(".fzi-dot")).to_have_count(1)
    row_of(page, "Xavier Troisième").click()
    expect(row_of(page, "Xavier Troisième").locator(".fzi-dot")).to_have_count(0)
    page.keyboard.press("u")
    expect(page).to_have_url(re.compile(r"/inbox/?$"))
    expect(row_of(page, "Xavier Troisième").locator(".fzi-dot")).to_have_count(1)


def test_a_conversation_is_labelled_put_away_and_a_stop_is_confirmed(page: Page, stocked: Site):
    key = add(stocked, "Gilles Arrêt", Mail("Stop", timedelta(minutes=4)), stop=True)
    open_by_id(page, stocked, key)
    page.get_by_role("button", name="Plus d’actions").click()
    page.get_by_role("menuitem", name="Pas intéressé").click()
    expect(page.locator(".fzi-head")).to_contain_text("Pas intéressé")
    stop = page.locator(".fzi-thread > .fz-banner")
    expect(stop).to_contain_text("la désinscription se fait d’elle-même")
    stop.get_by_role("button", name="Désinscrire").click()
    expect(page.get_by_text("Vous ne pouvez pas répondre ici.")).to_be_visible()
    expect(page.get_by_text("Ce contact s’est désinscrit.")).to_be_visible()
    expect(stop).to_have_count(0)
    page.locator(".fzi-head").get_by_role("button", name="Mettre de côté").click()
    page.get_by_role("button", name="Demain, 09:00").click()
    expect(page.get_by_text("Mise de côté jusqu’à : demain, 09:00")).to_be_visible()
    row = conversation(stocked, key)
    assert row.label == "not_interested"
    assert row.stop_asked_at is None
    assert row.status == "archived"
    assert row.snoozed_until is not None


def test_notes_and_blocks_are_made_beside_the_conversation(page: Page, stocked: Site):
    key = add(stocked, "Nadia Notée", email="nadia@notee.example")
    open_by_id(page, stocked, key)
    page.get_by_role("button", name="Ajouter une note").click()
    page.get_by_role("dialog").get_by_label("Note").fill("Rappeler après le salon.")
    page.get_by_role("dialog").get_by_role("button", name="Enregistrer").click()
    expect(page.locator(".fzi-note")).to_contain_text("Rappeler après le salon.")
    page.get_by_role("button", name="Ajouter à une campagne").click()
    expect(page.get_by_role("dialog")).to_contain_text("Nadia Notée a répondu")
    page.get_by_role("dialog").get_by_role("button", name="Annuler").click()
    page.get_by_role("button", name="Bloquer ce contact").click()
    page.get_by_role("dialog").get_by_role("button", name="Bloquer ce contact").click()
    expect(page.get_by_text("Ce contact est bloqué.")).to_be_visible()
    with writing(stocked) as session:
        contact = session.exec(select(Contact).where(Contact.email == "nadia@notee.example")).one()
        assert contact.status == "blocked"


def test_what_could_not_leave_says_so_and_what_can_be_done(page: Page, stocked: Site):
    key = add(stocked, "Félix Refusé")
    number = conversation(stocked, key).id or 0
    with seeding(stocked) as seed:
        seed.answered(number, "Bonjour Félix.", status="failed", detail="550 5.1.1 User unknown")
    open_by_id(page, stocked, key)
    banner = page.locator(".fzi-mail[data-kind=answer] .fz-banner")
    expect(banner).to_contain_text("550 5.1.1 User unknown")
    expect(row_of(page, "Félix Refusé")).to_contain_text("Non envoyé")
    banner.get_by_role("button", name="Reprendre le texte").click()
    expect(box(page)).to_have_text("Bonjour Félix.")


def test_new_mail_appears_without_a_reload_and_the_menu_counts_it_on_every_page(page: Page, stocked: Site):
    page.clock.install()
    page.goto(f"{stocked.url}/inbox")
    expect(page.locator(".fzi-row").first).to_be_visible()
    add(stocked, "Victor Nouveau")
    page.clock.fast_forward(11_000)
    expect(row_of(page, "Victor Nouveau")).to_be_visible()
    page.goto(f"{stocked.url}/contacts")
    badge = page.locator(".fz-nav .fz-unread:not(.fz-pressing)")
    expect(badge).to_be_visible()
    before = int(badge.inner_text())
    add(stocked, "Wanda Nouvelle")
    page.clock.fast_forward(31_000)
    expect(badge).to_have_text(str(before + 1))
    expect(page.get_by_text("1 nouvelle réponse")).to_be_visible()


def test_a_phone_shows_one_thing_at_a_time(browser: Browser, stocked: Site, session_cookies: list[dict[str, object]]):
    key = add(stocked, "Paula Mobile")
    context = new_context(browser, NARROW)
    context.add_cookies(session_cookies)  # type: ignore[arg-type]
    phone = context.new_page()
    phone.goto(f"{stocked.url}/inbox")
    row_of(phone, "Paula Mobile").get_by_role("link").click()
    expect(phone).to_have_url(re.compile(key))
    expect(phone.locator(".fzi-thread")).to_be_visible()
    expect(phone.locator(".fzi-list")).to_be_hidden()
    phone.get_by_role("button", name="Contact", exact=True).click()
    expect(phone.locator(".fzi-card")).to_contain_text("Paula Mobile")
    phone.get_by_role("button", name="Retour à la conversation").click()
    expect(phone.locator(".fzi-card")).to_be_hidden()
    assert phone.evaluate("document.documentElement.scrollWidth") <= NARROW[0]
    phone.get_by_role("button", name="Retour à la liste").click()
    expect(phone.locator(".fzi-list")).to_be_visible()
    expect(phone.locator(".fz-tab-bar .fz-unread")).to_be_visible()
    context.close()
