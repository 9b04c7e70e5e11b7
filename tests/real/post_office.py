"""A real post office: Postfix, Dovecot and Pigeonhole from one temporary directory on loopback.

Domains ending in `.test` and `.example` are delivered into a Maildir per address, made on first delivery;
mail for any other domain is refused, so that nothing ever leaves the machine. Addresses whose local part
begins with one of the words of `BEHAVIOURS` are treated as said there.
"""

import os
import shutil
import signal
import smtplib
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.real import post_office_configuration as configuration
from tests.real.certificates import make_certificates
from tests.real.daemon import Daemon, run
from tests.real.ports import answers, free_ports

SENDER_DOMAIN = "fluenzr.test"
RECIPIENT_DOMAIN = "recipients.test"
BEHAVIOURS = configuration.BEHAVIOURS


class PostOffice:
    """Running servers. Any address of `fluenzr.test` may sign in with `secret-<local part>`."""

    host = "127.0.0.1"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.chmod(0o755)
        self.smtp_port, self.smtps_port, self.imap_port, self.imaps_port, *others = free_ports(6)
        self._inbound_port, late_port = others
        certificates = make_certificates(folder / "tls")
        self.ca_file = certificates.ca_file
        self._passwords = folder / "passwords"
        plan = configuration.Plan(
            folder=folder,
            certificates=certificates,
            smtp_port=self.smtp_port,
            smtps_port=self.smtps_port,
            imap_port=self.imap_port,
            imaps_port=self.imaps_port,
            late_port=late_port,
            inbound_port=self._inbound_port,
        )
        configuration.write(plan)
        self._dovecot = Daemon(["dovecot", "-F", "-c", plan.dovecot_file], folder / "dovecot.out")
        programs = Path(run(["postconf", "-dh", "daemon_directory"]).strip())
        self._postfix = Daemon([programs / "master", "-d", "-c", plan.postfix_folder], folder / "postfix.out")
        try:
            self._dovecot.wait_until(lambda: answers(self.imaps_port) and plan.lmtp_socket.exists())
            self._postfix.wait_until(lambda: answers(self.smtp_port) and answers(self.smtps_port))
        except BaseException:
            self.stop()
            raise

    def user(self, address: str) -> tuple[str, str]:
        """The user name and the password with which this address of `fluenzr.test` signs in."""
        own = self._password_file(address)
        return address, own.read_text() if own.exists() else f"secret-{address.partition('@')[0]}"

    def set_password(self, address: str, password: str) -> None:
        """From the next sign-in on only this password is right for the address."""
        file = self._password_file(address)
        new = file.with_suffix(".new")
        new.write_text(password)
        shutil.chown(new, "dovecot")
        new.replace(file)

    def maildir(self, address: str, folder: str = "INBOX") -> Path:
        """Where the mails of a folder lie, in `new` and `cur`; `folder` in modified UTF-7, parents before a dot."""
        maildir = self._home(address) / "Maildir"
        return maildir if folder == "INBOX" else maildir / f".{folder}"

    def put_aside(self, address: str, mails: Iterable[tuple[str, bytes, datetime]], folder: str = "INBOX") -> None:
        """Lays mails into a folder as if they had long been there.

        Each as its file's name (unique; `cur` names end in `:2,` and flags), its content and when it arrived.
        """
        maildir = self.maildir(address, folder)
        for part in ("new", "cur", "tmp"):
            (maildir / part).mkdir(parents=True, exist_ok=True)
        for name, raw, at in mails:
            file = maildir / ("cur" if ":2," in name else "new") / name
            file.write_bytes(raw)
            os.utime(file, (at.timestamp(), at.timestamp()))
        run(["chown", "-R", f"{configuration.MAIL_ID}:{configuration.MAIL_ID}", self._home(address)])
        os.chown(self._home(address).parent, configuration.MAIL_ID, configuration.MAIL_ID)

    def kick(self, address: str) -> None:
        """Ends every connection under way of a mailbox's user."""
        self.doveadm("kick", address)

    def doveadm(self, *arguments: str) -> str:
        """What Dovecot's own tool prints; raises ServerDidNotStart when it fails."""
        return run(["doveadm", "-c", self.folder / "dovecot.conf", *arguments])

    def mailbox(self, address: str, folder: str = "INBOX") -> list[bytes]:
        """The raw messages that lie in a folder of this address, oldest first; none where it got no mail."""
        maildir = self.maildir(address, folder)
        files = [file for part in ("new", "cur") for file in (maildir / part).glob("*")]
        return [file.read_bytes() for file in sorted(files, key=lambda file: file.stat().st_mtime_ns)]

    def wait_for(self, address: str, count: int = 1, timeout: float = 10) -> list[bytes]:
        """The messages of the address once there are `count` of them; AssertionError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while len(found := self.mailbox(address)) < count:
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"{len(found)} of {count} messages for {address} after {timeout} s; Postfix says:\n"
                    + self.log()[-3000:]
                )
            time.sleep(0.02)
        return found

    def deliver(self, address: str, raw: bytes, sender: str = "somebody@elsewhere.example") -> None:
        """Hands a mail from outside to the post office, as another server would; raises SMTPException."""
        with smtplib.SMTP(self.host, self._inbound_port, timeout=10) as client:
            client.sendmail(sender, [address], raw)

    def addresses(self, domain: str = RECIPIENT_DOMAIN) -> list[str]:
        """Every address of the domain that has received mail."""
        homes = (self.folder / "mail" / domain).glob("*")
        return sorted(f"{home.name}@{domain}" for home in homes if (home / "Maildir").exists())

    def install_sieve(self, address: str, script: str) -> None:
        """A Sieve script (RFC 5228) that sees every mail delivered to the address from now on."""
        home = self._home(address)
        home.mkdir(parents=True, exist_ok=True)
        (home / ".dovecot.sieve").write_text(script)
        run(["sievec", "-c", self.folder / "dovecot.conf", home / ".dovecot.sieve"])
        for path in (home.parent, home, *home.iterdir()):
            os.chown(path, configuration.MAIL_ID, configuration.MAIL_ID)

    def trust(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Makes this process trust the post office's certificate, as an operator would: by SSL_CERT_FILE."""
        monkeypatch.setenv("SSL_CERT_FILE", str(self.ca_file))

    def log(self) -> str:
        """What Postfix has logged so far."""
        file = self.folder / "postfix.log"
        return file.read_text(errors="replace") if file.exists() else ""

    def stop(self) -> None:
        """Ends both servers; the mailboxes stay until the directory is removed."""
        self._postfix.stop()
        # Asked politely, Dovecot waits seconds for its idle children.
        self._dovecot.stop(signal.SIGKILL)

    def _home(self, address: str) -> Path:
        local, _, domain = address.lower().partition("@")
        return self.folder / "mail" / domain / local

    def _password_file(self, address: str) -> Path:
        return self._passwords / address.lower()


@pytest.fixture(scope="session")
def post_office() -> Iterator[PostOffice]:
    """One post office for each test process; tests keep apart by their addresses."""
    folder = Path(tempfile.mkdtemp(prefix="fz-post-"))
    try:
        office = PostOffice(folder)
        yield office
        office.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
