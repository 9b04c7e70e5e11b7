"""Somebody who has just installed FluenzR: the real command `fluenzr serve`, and what a person does in its pages."""

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.people import PASSWORD
from tests.real.ports import free_ports
from tests.real.post_office import PostOffice

OWNER = "camille@rivage.example"
# What waits for a whole installation or a file, on a machine that is busy with other tests.
PATIENCE_MS = 30_000


class Served:
    """`fluenzr serve` as an operator starts it, in an empty data directory, trusting the post office's certificate."""

    def __init__(self, folder: Path, office: PostOffice) -> None:
        self.data, self.port = folder / "data", free_ports(1)[0]
        self._log = folder / "serve.log"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("FLUENZR_", "REFLEX_", "__REFLEX_"))}
        own = {
            "FLUENZR_DATA_DIR": str(self.data),
            "FLUENZR_PORT": str(self.port),
            "SSL_CERT_FILE": str(office.ca_file),
        }
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "fluenzr_app", "serve"], env=kept | own, cwd=folder, stdout=log, stderr=log
            )

    @property
    def url(self) -> str:
        """The address of the pages, which is also the one in the links of the mails."""
        return f"http://localhost:{self.port}"

    def first_start_link(self, timeout: float = 90) -> str:
        """The one-time link that the terminal shows once the pages are served."""
        deadline = time.monotonic() + timeout
        while not (found := re.search(r"http://\S+/first-start\?token=\S+", self.log())):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(self.log()[-3000:])
            time.sleep(0.05)
        return found[0]

    def log(self) -> str:
        """What it has written to the terminal so far."""
        return self._log.read_text()

    def stop(self) -> int:
        """SIGTERM, as a terminal or systemd would; gives the exit code."""
        if self._process.poll() is None:
            self._process.terminate()
        return self._process.wait(30)


@dataclass(frozen=True)
class Newcomer:
    """A person at a browser, in French."""

    page: Page
    served: Served

    def make_owner(self) -> None:
        """Follow the link of the terminal and become the owner."""
        page = self.page
        page.goto(self.served.first_start_link())
        page.get_by_label("Prénom").fill("Camille")
        page.get_by_label("Nom", exact=True).fill("Rousseau")
        page.get_by_label("Email").fill(OWNER)
        page.locator("input[name=password]").fill(PASSWORD)
        page.get_by_label("Espace de travail").fill("Atelier Rivage")
        self._press("Créer et continuer")
        expect(page.get_by_role("heading", name="Comptes email")).to_be_visible()

    def sign_out_and_in(self) -> None:
        """Leave, and come back with the password."""
        page = self.page
        page.get_by_role("button", name="Votre compte").click()
        page.get_by_role("menuitem", name="Se déconnecter").click()
        expect(page.get_by_role("heading", name="Bon retour")).to_be_visible()
        page.locator("input[name=email]").fill(OWNER)
        page.locator("input[name=password]").fill(PASSWORD)
        self._press("Se connecter")
        expect(page.get_by_role("heading", name="Tableau de bord")).to_be_visible()

    def give_postal_address(self, address: str) -> None:
        """Fill in what stands at the foot of every mail."""
        self.page.goto(f"{self.served.url}/settings?tab=workspace")
        field = self.page.get_by_label(re.compile("^Adresse postale"))
        field.fill(address)
        self.page.locator("form").filter(has=field).get_by_role("button", name="Enregistrer").click()
        expect(self.page.get_by_text("L’espace de travail est à jour.")).to_be_visible()

    def try_account(self, email: str, office: PostOffice, password: str) -> Locator:
        """Fill the form for a mailbox that is read, too, test it, and give the drawer with the test's stages."""
        page = self.page
        page.goto(f"{self.served.url}/accounts?open=connect")
        drawer = page.get_by_role("dialog", name="Connecter un compte SMTP")
        drawer.get_by_label("Adresse email").fill(email)
        drawer.get_by_label("Nom affiché").fill("Camille Rousseau")
        drawer.get_by_label("Serveur d’envoi").fill(office.host)
        drawer.get_by_label("Port").first.fill(str(office.smtp_port))
        drawer.get_by_label("Chiffrement").first.select_option("starttls")
        drawer.get_by_label("Serveur de réception").fill(office.host)
        drawer.get_by_label("Port").nth(1).fill(str(office.imaps_port))
        drawer.get_by_label("Chiffrement").nth(1).select_option("ssl")
        return self.test_again(drawer, password)

    def test_again(self, drawer: Locator, password: str) -> Locator:
        """Give the password and run the test of the connection."""
        drawer.locator("input[name=password]").fill(password)
        drawer.get_by_role("button", name=re.compile("Tester la connexion|Relancer le test")).click()
        return drawer

    def connect(self, drawer: Locator) -> None:
        """Connect the mailbox whose test has passed."""
        drawer.get_by_role("button", name="Connecter", exact=True).click()
        expect(self.page.get_by_role("table").get_by_text("Connecté", exact=True)).to_be_visible()

    def send_without_gap(self, email: str, daily_limit: int) -> None:
        """Let the account send as fast as its server takes it, after reading what the ramp is for."""
        page = self.page
        page.goto(f"{self.served.url}/accounts")
        page.get_by_role("button", name=f"Actions sur {email}").click()
        page.get_by_role("menuitem", name="Réglages").click()
        drawer = page.get_by_role("dialog", name="Réglages du compte")
        drawer.get_by_label("Limite par 24 h").fill(str(daily_limit))
        drawer.get_by_label(re.compile("^Écart moyen")).fill("0")
        drawer.get_by_text("Montée progressive").click()
        drawer.get_by_role("button", name="J’ai lu, désactiver").click()
        drawer.get_by_role("button", name="Enregistrer").click()
        expect(page.get_by_text("sans écart, dès que possible")).to_be_visible()

    def import_contacts(self, file: Path, group: str, count: int) -> None:
        """Walk a file through the wizard into a new group, with the consent certified."""
        page = self.page
        page.goto(f"{self.served.url}/contacts/import")
        page.locator("input[type=file]").first.set_input_files(file)
        expect(page.get_by_label("Encodage").locator("option:checked")).to_contain_text(
            "Windows-1252", timeout=PATIENCE_MS
        )
        expect(page.get_by_label("Séparateur").locator("option:checked")).to_contain_text("Point-virgule")
        self._press("Continuer")
        page.get_by_label("Groupe").first.select_option(label="Nouveau groupe…")
        page.get_by_label("Nom du nouveau groupe").fill(group)
        page.get_by_label("Source du consentement").select_option(label="Événement")
        self._press("Continuer")
        start = page.get_by_role("button", name="Lancer l’import")
        expect(start).to_be_disabled()
        certificate = page.get_by_label("Je certifie que ces personnes")
        certificate.click()
        expect(certificate).to_be_checked()
        start.click()
        expect(page.get_by_text(f"{count} contacts importés")).to_be_visible(timeout=PATIENCE_MS)

    def draft_from_template(self, name: str, template: str) -> None:
        """Make a campaign out of one of the templates."""
        page = self.page
        page.goto(f"{self.served.url}/campaigns")
        page.get_by_role("banner").or_(page.locator("header")).get_by_text("Nouvelle campagne").first.click()
        drawer = page.get_by_role("dialog")
        drawer.get_by_label(re.compile("^Nom")).fill(name)
        drawer.get_by_text(template, exact=True).click()
        self._press("Créer le brouillon")
        page.wait_for_url("**/campaigns/cmp_*")

    def write_mail(self, named: str, body: str, subject: str = "") -> None:
        """Open one of the mails and replace what it says; an empty subject stays as it is."""
        page = self.page
        page.locator(".fz-seq-steps").get_by_text(named, exact=True).click()
        expect(page.get_by_role("heading", name=re.compile(re.escape(named)))).to_be_visible()
        if subject:
            page.get_by_label(re.compile("^Objet")).fill(subject)
        text = page.get_by_role("textbox", name="Message")
        text.click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(body)
        expect(page.get_by_text(re.compile("Enregistré à"))).to_be_visible()

    def link_group(self, group: str) -> None:
        """Let the group's members be the audience."""
        self._tab("Audience")
        role = self.page.get_by_label(f"Rôle du groupe {group}")
        role.select_option(label="Relié")
        expect(self.page.get_by_role("button", name="Ajouter leurs contacts maintenant")).to_be_visible()

    def send_at_any_time_from(self, email: str) -> None:
        """Open the window round the clock on every day, take the hourly cap away, and choose the account."""
        page = self.page
        self._tab("Envoi")
        for day in ("Sam", "Dim"):
            page.get_by_role("button", name=day, exact=True).click()
            expect(page.get_by_role("button", name=day, exact=True)).to_have_attribute("aria-pressed", "true")
        page.get_by_label(re.compile("^De")).select_option(label="00:00")
        page.get_by_label(re.compile("^À")).select_option(label="24:00")
        page.get_by_label(re.compile("^Emails par heure")).fill("")
        page.keyboard.press("Tab")
        page.get_by_text(email, exact=True).click()
        expect(page.get_by_text("1 choisi")).to_be_visible()

    def look_at_the_preview(self, address: str) -> None:
        """See the first mail as this first contact of the linked group will get it."""
        self._tab("Aperçu")
        main = self.page.locator("main")
        expect(main.get_by_text(f"<{address}>")).to_be_visible()
        expect(main.get_by_text("Contact 1 sur 100")).to_be_visible()

    def start(self, contacts: int) -> Locator:
        """Ask for the start and give the dialog that sums up what will happen."""
        self.page.locator("header").get_by_role("button", name="Démarrer").click()
        dialog = self.page.get_by_role("dialog").or_(self.page.get_by_role("alertdialog"))
        expect(dialog.get_by_role("button", name=f"Démarrer pour {contacts} contacts")).to_be_visible()
        return dialog

    def _press(self, name: str) -> None:
        button = self.page.get_by_role("button", name=name, exact=True)
        expect(button).to_be_enabled(timeout=PATIENCE_MS)
        button.click()

    def _tab(self, name: str) -> None:
        self.page.get_by_role("tab", name=name).or_(self.page.get_by_role("link", name=name, exact=True)).first.click()
