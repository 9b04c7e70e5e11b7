"""An installation on a virtual clock whose mail really travels: accounts and contacts at the post office.

What a contact does is told by the first word of its address. Some of it the post office does by itself (it refuses,
bounces, delays), some is a script of the contact's own mailbox (out of office, forwarding), the rest is done here.
"""

import asyncio
import email
import email.policy
import itertools
import random
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from sqlalchemy import text
from sqlmodel import Session

from fluenzr_app.accounts.form import Limits, Server, SmtpForm
from fluenzr_app.accounts.service import connect_smtp
from fluenzr_app.assembly import Installation, SendingSide
from fluenzr_app.campaigns import lifecycle, service
from fluenzr_app.campaigns.audience import add_contacts
from fluenzr_app.campaigns.enrollments import stop_contact
from fluenzr_app.campaigns.nodes import Step
from fluenzr_app.campaigns.workflow import linear_workflow
from fluenzr_app.clock import ManualClock, utc_now
from fluenzr_app.contacts.bulk import bulk_upsert
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.db.migrations import migrate
from fluenzr_app.settings import load_settings
from fluenzr_app.tracking import unsubscribe
from tests.people import make_workspace
from tests.real.post_office import SENDER_DOMAIN, PostOffice
from tests.scenarios.world import ALWAYS, wait_until

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NEXT_MOMENT = """
    SELECT min(due) FROM (
        SELECT min(due_at) AS due FROM enrollment WHERE due_at > :now
        UNION ALL SELECT min(due_at) FROM message WHERE status = 'queued' AND due_at > :now
        UNION ALL SELECT min(copy_due_at) FROM sent_mail WHERE copy_due_at > :now
    )
"""
# Dovecot gives no automatic answer to a mail with List- headers (RFC 5230, 4.6); Exchange and others do.
_AWAY = """
require ["editheader", "vacation"];
deleteheader "List-Unsubscribe";
deleteheader "List-Unsubscribe-Post";
vacation :days 0 "Je suis absente du bureau et lirai votre message à mon retour.";
"""
_JUNK = """
require "fileinto";
if header :contains "Subject" "[junk]" { fileinto "Junk"; }
"""
_FOLDERS = ("INBOX", "Junk")


@dataclass(frozen=True)
class Arrived:
    """A mail that lies in a mailbox. `kind`: report, automatic, unsubscribe, reply, old (from before the connection).

    `about` are the Message-IDs of its thread, or of the mail that it reports on; `status` is a report's RFC 3463 code.
    """

    rfc_id: str
    sender: str
    to: str
    kind: str
    subject: str
    about: frozenset[str]
    status: str
    action: str


class Correspondence:
    """One workspace with accounts at the post office; `run_until` lets it live, the rest looks into the mailboxes."""

    def __init__(self, folder: Path, office: PostOffice, name: str, accounts: int, **other_settings: Any) -> None:
        self.office, self.domain = office, f"{name}.example"
        # Few connections, so that the first account does not take all the work in one claim.
        self.settings = load_settings(
            data_dir=folder,
            secret_key="scenario " * 5,
            connections_per_account=1,
            _env_file=None,
            **other_settings,
        )
        self.db, self.keyring = Database.open(self.settings), KeyRing.load(self.settings)
        migrate(self.db)
        # Dovecot stamps what arrives with the time of the wall: the virtual time begins there and is ahead ever after.
        self.clock = ManualClock(utc_now())
        self.senders = [f"{name}-{number}@{SENDER_DOMAIN}" for number in range(accounts)]
        for sender in self.senders:
            self._put_old_mails(sender)
        with self.db.transaction() as session:
            self.workspace_id = make_workspace(session, self.keyring, "Atelier Rivage", self.clock.now())
        self.account_ids = [self._connect(sender) for sender in self.senders]
        self.side = SendingSide(Installation(self.settings, self.db, self.keyring, self.clock), random.Random(7))
        self.people: dict[str, int] = {}
        self._numbers = itertools.count(1)
        self._own_mails: Counter[str] = Counter()
        self._forwarded: Counter[tuple[str, str]] = Counter()

    # -- filling it

    def add_people(self, roles: Mapping[str, int]) -> list[int]:
        """Add so many contacts of each role, in an order that mixes them; return their ids in that order."""
        addresses = [f"{role}-{number}@{self.domain}" for role, count in roles.items() for number in range(count)]
        random.Random(3).shuffle(addresses)
        rows = [{"email": each, "first_name": each.partition("@")[0], "consent_source": "event"} for each in addresses]
        with self.db.transaction() as session:
            bulk_upsert(session, self.keyring, self.workspace_id, rows, self.clock.now())
        found = {row[0]: int(row[1]) for row in self.rows("SELECT email, id FROM contact")}
        self.people |= {each: found[each] for each in addresses}
        for each in addresses:
            if each.startswith("away-"):
                self.office.install_sieve(each, _AWAY)
            if each.startswith(("moved-", "shared-")):
                self.office.install_sieve(each, f'redirect "late-full-{each}";{" keep;" * each.startswith("shared-")}')
        return [found[each] for each in addresses]

    def add_campaign(
        self, name: str, steps: Sequence[Step], contact_ids: Sequence[int], *, start: bool, **settings: Any
    ) -> int:
        """Make a campaign that writes to the contacts from all accounts; return its id."""
        now = self.clock.now()
        with self.db.transaction() as session:
            made = service.create_campaign(
                session, self.workspace_id, name, now, account_ids=self.account_ids,
                settings={**ALWAYS, **settings}, workflow=linear_workflow(list(steps)),
            )  # fmt: skip
            add_contacts(session, self.workspace_id, made.id, contact_ids, now, random.Random(5))
            if start:
                lifecycle.start(session, self.workspace_id, made.id, now)
        return made.id

    def of_role(self, *roles: str) -> list[str]:
        """The addresses of the contacts of these roles."""
        pattern = re.compile(rf"(?:{'|'.join(roles)})-\d+@")
        return [each for each in self.people if pattern.match(each)]

    # -- letting it live

    async def tick(self) -> None:
        """Read the mailboxes, send what is due, and wait until everything that this brings about has arrived."""
        await asyncio.to_thread(self.side.mailboxes.read_now)
        # A pass settles, the next one sends what that made due at the same moment.
        for _ in range(2):
            await self.side.send_due()
            await self.side.engine.drain()
        await asyncio.to_thread(self._wait_for_the_post)
        await asyncio.to_thread(self.side.mailboxes.read_now)

    async def run_until(self, end: datetime) -> None:
        """Jump from one stored moment to the next one and tick at each."""
        await self.tick()
        while (now := self.clock.now()) < end:
            self.clock.set(min(self._next_moment(now) or end, end))
            await self.tick()

    def unsubscribe_by_one_click(self, address: str) -> None:
        """What the public route does with the link of the contact's last mail."""
        token = re.search(r"/u/([^>]+)>", self._unsubscribe_header(address))
        assert token is not None

        def stop(session: Session, workspace_id: int, contact_id: int, now: datetime) -> None:
            stop_contact(session, workspace_id, contact_id, "unsubscribed", "unsubscribed", now)

        with self.db.transaction() as session:
            assert unsubscribe.apply(session, self.keyring, token[1], self.clock.now(), "one_click", stop)

    def unsubscribe_by_mail(self, address: str) -> None:
        """What a mail program does with the `mailto:` of the contact's last mail."""
        found = re.search(r"mailto:([^?>]+)\?subject=([^>&]+)", self._unsubscribe_header(address))
        assert found is not None
        self._post(address, found[1], unquote(found[2]), "")

    def answer(self, address: str, words: str = "Oui, volontiers.", *, in_thread: bool = True, mark: str = "") -> None:
        """Let a contact answer its last mail; without the thread's headers only the subject tells what it answers."""
        last = parsed_mail(self.office.mailbox(address)[-1])
        thread = {"In-Reply-To": str(last["Message-ID"]), "References": str(last["Message-ID"])} if in_thread else {}
        sender = _address(last, "From")
        body = f"{words}\n\nLe lundi 2 mars 2026, {sender} a écrit :\n> Bonjour\n"
        self._post(address, sender, f"Re: {last['Subject']}{mark}", body, **thread)

    def open_forwarded_again(self) -> None:
        """The people whose mail went on to a full mailbox take it themselves from now on."""
        self._forwarded = self._accepted_of_forwarding()
        for address in self.of_role("moved", "shared"):
            self.office.install_sieve(address, "keep;")

    def number_mails_anew(self, uidvalidity: int) -> None:
        """The server of every account forgets which mail had which number, as after a restored backup."""
        for sender, folder in itertools.product(self.senders, _FOLDERS):
            self.office.doveadm("mailbox", "update", "-u", sender, "--uid-validity", str(uidvalidity), folder)

    def close(self) -> None:
        """Close the database."""
        self.db.close()

    # -- looking at it

    def rows(self, statement: str, **values: Any) -> list[Any]:
        with self.db.read() as session:
            return list(session.connection().execute(text(statement), values).all())

    def mails_of(self, address: str, folder: str = "INBOX") -> list[Arrived]:
        """What lies in a mailbox, oldest first."""
        return [_arrived(raw) for raw in self.office.mailbox(address, folder)]

    def incoming(self) -> list[tuple[str, Arrived]]:
        """What has come back since the accounts were connected, wherever it lies: account and mail."""
        return [
            (sender, each)
            for sender, folder in itertools.product(self.senders, _FOLDERS)
            for each in self.mails_of(sender, folder)
            if each.kind != "old"
        ]

    def flags(self) -> list[str]:
        """Account, folder, UID, flags and Message-ID of every mail that no copy of ours is, as Dovecot tells them."""
        fields, folders = "mailbox uid flags hdr.message-id", ("mailbox", "INBOX", "OR", "mailbox", "Junk")
        lines = [
            f"{sender}\t{line}"
            for sender in self.senders
            for line in self.office.doveadm("-f", "tab", "fetch", "-u", sender, fields, *folders).splitlines()[1:]
        ]
        return sorted(re.sub(r" ?\\Recent", "", line) for line in lines)

    def postfix_refusals(self) -> Counter[tuple[str, str]]:
        """How often Postfix refused a recipient at RCPT: address and code; what it refuses late is not meant."""
        line = re.compile(rf"reject: RCPT from \S+ (\d{{3}}) .* to=<(\S+@{re.escape(self.domain)})>")
        found = ((each[2], each[1]) for each in line.finditer(self.office.log()))
        return Counter((address, code) for address, code in found if not address.startswith("late-"))

    def moments(self, statement: str, **values: Any) -> list[datetime]:
        """The times that a statement finds."""
        return [_EPOCH + timedelta(microseconds=int(row[0])) for row in self.rows(statement, **values)]

    def books(self, campaign_id: int) -> dict[str, int]:
        """The campaign's figures as the product keeps them."""
        return {
            row[0]: int(row[1])
            for row in self.rows(
                "SELECT metric, sum(n) FROM rollup WHERE scope = 'campaign' AND scope_id = :id GROUP BY metric",
                id=campaign_id,
            )
        }

    def walks(self, campaign_id: int) -> dict[str, str]:
        """The state of each contact in a campaign."""
        return dict(
            self.rows(
                "SELECT c.email, e.status FROM enrollment e JOIN contact c ON c.id = e.contact_id"
                " WHERE e.campaign_id = :id",
                id=campaign_id,
            )
        )

    def kept_walks(self, campaign_id: int) -> dict[str, int]:
        """How many contacts are in each state, as the product keeps it."""
        return dict(
            self.rows("SELECT status, n FROM enrollment_count WHERE campaign_id = :id AND n <> 0", id=campaign_id)
        )

    def accepted(self) -> dict[str, Counter[str]]:
        """How often the server accepted something for each address, by account."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for sender, address, n in self.rows(
            "SELECT ea.email, m.to_address, count(*) FROM attempt a JOIN message m ON m.id = a.message_id"
            " JOIN email_account ea ON ea.id = m.account_id WHERE a.outcome = 'accepted'"
            " GROUP BY ea.email, m.to_address"
        ):
            found[sender][address] = n
        return found

    def _wait_for_the_post(self) -> None:
        there: Counter[str] = Counter()
        back = self._own_mails.copy()
        for sender, taken in self.accepted().items():
            for address, n in taken.items():
                there[address] += 0 if address.startswith("late-") else n
                back[sender] += n if address.startswith(("late-", "away-")) else 0
        for (sender, address), n in (self._forwarded or self._accepted_of_forwarding()).items():
            there[address] -= n if address.startswith("moved-") else 0
            back[sender] += n
        for address, n in there.items():
            self.office.wait_for(address, n, 60)
        wait_until(lambda: all(self._lying(sender) >= n + len(_OLD) for sender, n in back.items()), 60)

    def _lying(self, sender: str) -> int:
        parts = (self.office.maildir(sender, folder) / part for folder in _FOLDERS for part in ("new", "cur"))
        return sum(len(list(part.glob("*"))) for part in parts)

    def _accepted_of_forwarding(self) -> Counter[tuple[str, str]]:
        forwarding = set(self.of_role("moved", "shared"))
        return Counter(
            {
                (sender, address): n
                for sender, taken in self.accepted().items()
                for address, n in taken.items()
                if address in forwarding
            }
        )

    def _unsubscribe_header(self, address: str) -> str:
        return "".join(str(parsed_mail(self.office.mailbox(address)[-1])["List-Unsubscribe"]).split())

    def _post(self, sender: str, to: str, subject: str, body: str, **headers: str) -> None:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = sender, to, subject
        mail["Date"] = format_datetime(utc_now())
        mail["Message-ID"] = f"<own-{next(self._numbers)}@{self.domain}>"
        for name, value in headers.items():
            mail[name] = value
        mail.set_content(body)
        self.office.deliver(to, mail.as_bytes(), sender)
        self._own_mails[to] += 1

    def _connect(self, sender: str) -> int:
        user, password = self.office.user(sender)
        form = SmtpForm(
            email=sender,
            smtp=Server(self.office.host, self.office.smtp_port, "starttls", user, password),
            imap=Server(self.office.host, self.office.imaps_port, "ssl", user, password),
            limits=Limits(daily_limit=100_000, min_gap_seconds=0, ramp_enabled=False),
        )
        with self.db.transaction() as session:
            account_id = connect_smtp(session, self.keyring, self.workspace_id, form, self.clock.now()).id
        assert account_id is not None
        return account_id

    def _put_old_mails(self, sender: str) -> None:
        self.office.install_sieve(sender, _JUNK)
        at = self.clock.now() - timedelta(days=3)
        for number, (folder, flags) in enumerate(_OLD):
            raw = (
                f"From: answers-0@{self.domain}\r\nTo: {sender}\r\nSubject: Re: A first word\r\n"
                f"Message-ID: <old-{number}@{self.domain}>\r\n\r\nOui.\r\n"
            )
            self.office.put_aside(sender, [(f"old-{number}{flags}", raw.encode(), at)], folder)

    def _next_moment(self, now: datetime) -> datetime | None:
        stored = self.rows(_NEXT_MOMENT, now=(now - _EPOCH) // timedelta(microseconds=1))[0][0]
        return None if stored is None else _EPOCH + timedelta(microseconds=int(stored))


# What lay in each account's mailbox before it was connected: folder and flags of Maildir.
_OLD = (("INBOX", ""), ("INBOX", ":2,FS"), ("Junk", ":2,S"))


def _arrived(raw: bytes) -> Arrived:
    mail = parsed_mail(raw)
    rfc_id, subject = str(mail["Message-ID"]), str(mail["Subject"])
    status = re.search(rb"^Status: (\S+)", raw, re.MULTILINE)
    action = re.search(rb"^Action: (\S+)", raw, re.MULTILINE)
    if rfc_id.startswith("<old-"):
        kind = "old"
    elif mail.get_content_type() == "multipart/report":
        kind = "report"
    elif mail["Auto-Submitted"]:
        kind = "automatic"
    else:
        kind = "unsubscribe" if subject.startswith("unsubscribe") else "reply"
    # A report returns the headers of what it is about, whose own thread is not meant.
    returned = re.findall(r"^Message-ID:\s*(<[^<>\s]+>)", raw.decode("utf-8", "replace"), re.MULTILINE | re.IGNORECASE)
    named = returned if kind == "report" else _thread(mail)
    return Arrived(
        rfc_id, _address(mail, "From"), _address(mail, "To"), kind, subject, frozenset(named) - {rfc_id},
        status[1].decode() if status else "", action[1].decode() if action else "",
    )  # fmt: skip


def _thread(mail: EmailMessage) -> list[str]:
    return f"{mail['In-Reply-To'] or ''} {mail['References'] or ''}".split()


def _address(mail: EmailMessage, name: str) -> str:
    return str(mail[name].addresses[0].addr_spec)


def parsed_mail(raw: bytes) -> EmailMessage:
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)
    return mail
