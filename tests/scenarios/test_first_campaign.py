"""From an empty machine to a campaign that follows up in the thread: browser, real Postfix, real mailboxes."""

import asyncio
import email
import email.policy
import random
import re
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from email.message import EmailMessage
from itertools import product
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from fluenzr_app.assembly import Installation, SendingSide
from fluenzr_app.bundle import ensure_bundle
from fluenzr_app.clock import ManualClock, utc_now
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.settings import load_settings
from tests.real.post_office import SENDER_DOMAIN, PostOffice
from tests.scenarios.newcomer import PATIENCE_MS, Newcomer, Served

SENDER = f"camille@{SENDER_DOMAIN}"
DOMAIN = "acheteurs-ouest.example"
GROUP = "Acheteurs Ouest"
FIRST_NAMES = (
    "Élodie", "François", "Zoé", "Jérôme", "Noëlle", "Anaïs", "Benoît", "Chloé", "Gaël", "Hélène",
    "Inès", "Léa", "Maël", "Océane", "Régis", "Thaïs", "Cécile", "Aurélien", "Raphaël", "Solène",
)  # fmt: skip
LAST_NAMES = (
    "Lefèvre", "Béranger", "Châtelain", "d’Hervé", "Évrard", "Façon", "Guérin", "Lœuil", "Maréchal", "Noël",
    "Pélissier", "Rivière", "Sénéchal", "Tréguier", "Vœlkel",
)  # fmt: skip
COMPANIES = ("Ateliers Béraud", "Câbles & Cie", "Œnologie du Sud", "Forêt Bleue")


@dataclass(frozen=True)
class Buyer:
    """One row of the file."""

    number: int
    first_name: str
    last_name: str

    @property
    def address(self) -> str:
        """The mailbox of this person."""
        return f"acheteur{self.number:03}@{DOMAIN}"

    @property
    def company(self) -> str:
        """Where this person works."""
        return COMPANIES[self.number % len(COMPANIES)]


BUYERS = tuple(Buyer(number, first, last) for number, (last, first) in enumerate(product(LAST_NAMES, FIRST_NAMES)))
COUNT = len(BUYERS)


@pytest.fixture
def served(tmp_path: Path, post_office: PostOffice) -> Iterator[Served]:
    """A fresh installation with its pages on a port of its own."""
    ensure_bundle()
    running = Served(tmp_path, post_office)
    yield running
    running.stop()


@pytest.mark.timeout(600)
def test_a_newcomer_writes_to_300_people_and_each_gets_every_mail_once(
    page: Page, served: Served, post_office: PostOffice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    newcomer = Newcomer(page, served)
    newcomer.make_owner()
    newcomer.sign_out_and_in()
    newcomer.give_postal_address("3 quai des Chantiers, 44000 Nantes")
    _connect_with_a_wrong_password_first(newcomer, post_office)
    newcomer.send_without_gap(SENDER, 1000)
    newcomer.import_contacts(_file(tmp_path), GROUP, COUNT)
    _write_and_start(newcomer)

    first = {buyer: _only_mail(post_office, buyer) for buyer in BUYERS}
    for buyer, mail in first.items():
        _check_first_mail(buyer, mail, served.url)
    expect(page.locator("main")).to_contain_text(re.compile(rf"Envoyés\s*{COUNT}"), timeout=PATIENCE_MS)

    quitter, *others = BUYERS
    _unsubscribe_by_one_click(first[quitter])
    assert served.stop() == 0
    assert "Traceback" not in served.log()

    post_office.trust(monkeypatch)
    # Playwright holds this thread's event loop.
    with ThreadPoolExecutor(1) as apart:
        apart.submit(asyncio.run, _follow_up(served, post_office, others)).result()
    for buyer in others:
        _check_thread(buyer, first[buyer], post_office)
    assert len(post_office.mailbox(quitter.address)) == 1


def _connect_with_a_wrong_password_first(newcomer: Newcomer, office: PostOffice) -> None:
    drawer = newcomer.try_account(SENDER, office, "not the password")
    expect(drawer.get_by_text("étape 4 sur 9")).to_be_visible(timeout=PATIENCE_MS)
    expect(drawer.get_by_text("Le serveur refuse le nom d’utilisateur ou le mot de passe.")).to_have_count(2)
    expect(drawer.get_by_text("ressaisir le mot de passe").first).to_be_visible()
    expect(drawer.get_by_role("button", name="Connecter", exact=True)).to_be_disabled()
    newcomer.test_again(drawer, office.user(SENDER)[1])
    expect(drawer.get_by_text("Tout répond.")).to_be_visible(timeout=PATIENCE_MS)
    newcomer.connect(drawer)
    assert len(office.wait_for(SENDER)) == 1


def _write_and_start(newcomer: Newcomer) -> None:
    newcomer.draft_from_template("Acheteurs de l’Ouest", "Premier contact")
    newcomer.write_mail(
        "Prise de contact",
        "Bonjour {{firstName|à vous}}, un mot sur {{company}}. Madame, Monsieur {{lastName:uppercase}}.",
        subject="Une question pour {{company|vous}}",
    )
    newcomer.write_mail("Un exemple", "{{firstName|Bonjour}}, avez-vous lu mon message ?")
    newcomer.write_mail("La bonne personne", "Un dernier mot sur {{company|votre activité}}.")
    newcomer.link_group(GROUP)
    newcomer.send_at_any_time_from(SENDER)
    newcomer.look_at_the_preview(BUYERS[0].address)
    summary = newcomer.start(COUNT)
    expect(summary).to_contain_text(str(COUNT * 3))
    expect(summary.get_by_text("À vérifier")).not_to_be_visible()
    summary.get_by_role("button", name=f"Démarrer pour {COUNT} contacts").click()
    expect(newcomer.page.get_by_text("Campagne démarrée")).to_be_visible(timeout=PATIENCE_MS)
    newcomer.page.get_by_role("tab", name="Suivi").or_(newcomer.page.get_by_role("link", name="Suivi")).first.click()


async def _follow_up(served: Served, office: PostOffice, others: list[Buyer]) -> None:
    """Drive the same database over the delays of the sequence: three business days, then five."""
    settings = load_settings(_env_file=None, data_dir=served.data, public_url=served.url)
    db, clock = Database.open(settings), ManualClock(utc_now())
    side = SendingSide(Installation(settings, db, KeyRing.load(settings), clock), random.Random(7))
    try:
        await side.engine.start()
        clock.advance(timedelta(days=2))
        await _send_all(side)
        assert {len(office.mailbox(buyer.address)) for buyer in others} == {1}
        for number, days in ((2, 4), (3, 8)):
            clock.advance(timedelta(days=days))
            await _send_all(side)
            for buyer in others:
                await asyncio.to_thread(office.wait_for, buyer.address, number, 60)
        clock.advance(timedelta(days=30))
        await _send_all(side)
    finally:
        await side.engine.stop()
        db.close()


async def _send_all(side: SendingSide) -> None:
    """Read the mailbox and tick until nothing is due any more at this moment of the clock."""
    for _ in range(5):
        await asyncio.to_thread(side.mailboxes.read_now)
        await side.send_due()
        await side.engine.drain()


def _file(folder: Path) -> Path:
    """The export of a French spreadsheet: semicolons, Windows-1252, line ends of Windows."""
    lines = ["Prénom;Nom;Adresse e-mail;Société"]
    lines += [f"{each.first_name};{each.last_name};{each.address};{each.company}" for each in BUYERS]
    file = folder / "acheteurs.csv"
    file.write_bytes("".join(f"{line}\r\n" for line in lines).encode("windows-1252"))
    return file


def _only_mail(office: PostOffice, buyer: Buyer) -> EmailMessage:
    found = office.wait_for(buyer.address, timeout=120)
    assert len(found) == 1, buyer
    return _parsed(found[0])


def _parsed(raw: bytes) -> EmailMessage:
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def _text(mail: EmailMessage) -> str:
    plain = mail.get_body(("plain",))
    assert plain is not None
    return str(plain.get_content())


def _check_first_mail(buyer: Buyer, mail: EmailMessage, url: str) -> None:
    assert mail["To"].addresses[0].addr_spec == buyer.address
    assert mail["From"].addresses[0].addr_spec == SENDER
    assert mail["From"].addresses[0].display_name == "Camille Rousseau"
    assert mail["Subject"] == f"Une question pour {buyer.company}"
    text = _text(mail)
    expected = f"Bonjour {buyer.first_name}, un mot sur {buyer.company}. Madame, Monsieur {buyer.last_name.upper()}."
    assert expected in text
    assert "3 quai des Chantiers, 44000 Nantes" in text
    assert _unsubscribe_link(mail).startswith(f"{url}/u/")
    assert mail["In-Reply-To"] is None


def _unsubscribe_link(mail: EmailMessage) -> str:
    found = re.search(r"<(http[^>]+)>", "".join(str(mail["List-Unsubscribe"]).split()))
    assert found is not None, mail["List-Unsubscribe"]
    return found[1]


def _unsubscribe_by_one_click(mail: EmailMessage) -> None:
    """What a mail program sends when its own button is pressed (RFC 8058)."""
    request = urllib.request.Request(_unsubscribe_link(mail), b"List-Unsubscribe=One-Click", method="POST")
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 200


def _check_thread(buyer: Buyer, first: EmailMessage, office: PostOffice) -> None:
    mails = [_parsed(raw) for raw in office.mailbox(buyer.address)]
    assert len(mails) == 3, buyer
    ids = [str(mail["Message-ID"]) for mail in mails]
    assert len(set(ids)) == 3
    assert ids[0] == first["Message-ID"]
    for number in (1, 2):
        assert mails[number]["In-Reply-To"] == ids[number - 1]
        assert str(mails[number]["References"]).split() == ids[:number]
        assert mails[number]["Subject"] == f"Re: {first['Subject']}"
        assert mails[number]["To"].addresses[0].addr_spec == buyer.address
    assert f"{buyer.first_name}, avez-vous lu mon message" in _text(mails[1])
    assert f"Un dernier mot sur {buyer.company}." in _text(mails[2])
