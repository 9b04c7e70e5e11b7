"""Conversations as the reading of mailboxes leaves them, for tests that look at them."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from email.message import EmailMessage
from hashlib import sha256
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, select

from fluenzr_app.campaigns import service as campaigns
from fluenzr_app.campaigns.models import Enrollment, Node
from fluenzr_app.campaigns.sequences import sequence, sequence_workflow
from fluenzr_app.contacts.models import Contact
from fluenzr_app.contacts.stages import make_stages, move_to_stage
from fluenzr_app.crypto import KeyRing
from fluenzr_app.events.record import NewEvent, record
from fluenzr_app.inbox import counts, search
from fluenzr_app.inbox.models import Answer, Conversation, Inbound, InboundContent, MailboxReading
from fluenzr_app.mail.addresses import domain_of, email_key
from fluenzr_app.sending.models import Message, SentMail
from tests.people import make_account, make_contact


@dataclass(frozen=True)
class Mail:
    """A mail that came. `ago`: how long before `InboxSeed.now`; `kind`: reply or automatic."""

    text: str
    ago: timedelta = timedelta(hours=1)
    kind: str = "reply"
    quoted: str = ""
    html: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)
    returns_on: date | None = None


@dataclass
class InboxSeed:
    """A workspace with an account, a campaign and stages, to which conversations are added."""

    session: Session
    keyring: KeyRing
    workspace_id: int
    now: datetime
    account_id: int = 0
    campaign_id: int = 0

    def prepare(
        self, email: str = "camille@nova-conseil.example", campaign: str = "Directeurs achats, industrie Ouest"
    ) -> "InboxSeed":
        """Make account, campaign and stages."""
        self.account_id = make_account(
            self.session, self.workspace_id, email, self.now, synced_at=self.now, imap_host="127.0.0.1"
        )
        self.add_reading(self.account_id)
        numbers = iter(range(1, 100))
        workflow = sequence_workflow(sequence("first_contact", "fr"), lambda: f"n{next(numbers)}")
        made = campaigns.create_campaign(
            self.session, self.workspace_id, campaign, self.now, account_ids=[self.account_id], workflow=workflow
        )
        self.campaign_id = made.id
        make_stages(self.session, self.workspace_id, self.now)
        return self

    def add_reading(self, account_id: int, **columns: Any) -> None:
        """Say how an account's mailbox is read; `columns` of MailboxReading say why it is not."""
        values: dict[str, Any] = {"since": self.now - timedelta(days=30)}
        self.session.add(MailboxReading(account_id=account_id, workspace_id=self.workspace_id, **values | columns))
        self.session.flush()

    def conversation(
        self, name: str, mails: Sequence[Mail], *, company: str = "", sent: int = 1, status: str = "unread",
        label: str = "", stop: bool = False, snoozed_until: datetime | None = None, **contact: Any,
    ) -> int:  # fmt: skip
        """Let a contact of this name have written `mails` after `sent` mails of the campaign; give the key."""
        first, _, last = name.partition(" ")
        email = contact.pop("email", f"{first}.{last}@{company or 'societe'}.example".lower().replace(" ", "-"))
        contact_id = make_contact(
            self.session, self.keyring, self.workspace_id, email, self.now, first_name=first, last_name=last,
            company=company, **{"status": "replied" if any(m.kind == "reply" for m in mails) else "active"} | contact,
        )  # fmt: skip
        latest = min(mails, key=lambda mail: mail.ago)
        last_at = self.now - latest.ago
        row = Conversation(
            workspace_id=self.workspace_id, contact_id=contact_id, account_id=self.account_id,
            campaign_id=self.campaign_id, subject="Vos délais d’achat",
            preview=" ".join(latest.text.split())[:200], status=status, label=label, last_kind=latest.kind,
            last_at=last_at, last_inbound_at=last_at, returns_on=latest.returns_on,
            stop_asked_at=last_at if stop else None, snoozed_until=snoozed_until, created_at=last_at,
            updated_at=last_at,
        )  # fmt: skip
        self.session.add(row)
        self.session.flush()
        key = row.id or 0
        oldest = max(mail.ago for mail in mails)
        for number in range(sent):
            self._campaign_mail(contact_id, email, number, self.now - oldest - timedelta(days=4 * (sent - number)))
        for mail in sorted(mails, key=lambda each: -each.ago):
            self.came(key, mail)
        counts.add(self.session, self.workspace_id, {status: 1})
        search.remember(self.session, key)
        return key

    def came(self, conversation_id: int, mail: Mail) -> int:
        """Store one more mail of a conversation, with its event; give the mail's key."""
        row = self.session.get(Conversation, conversation_id)
        assert row is not None
        contact = self._contact(row.contact_id)
        number = self._next(Inbound)
        raw = _raw(contact, mail)
        at = self.now - mail.ago
        inbound = Inbound(
            workspace_id=self.workspace_id, account_id=self.account_id, folder="INBOX", uidvalidity=1,
            uid=number, rfc_id=f"<{number}@seed.example>",
            rfc_hash=sha256(f"{number}".encode() + raw).digest(), kind=mail.kind, contact_id=row.contact_id,
            conversation_id=conversation_id, campaign_id=self.campaign_id,
            from_name=f"{contact.first_name} {contact.last_name}".strip(), from_address=contact.email,
            subject=f"Re: {row.subject}", text=mail.text, quoted=mail.quoted, has_html=bool(mail.html),
            attachments=[
                {"index": place, "filename": name, "content_type": "application/octet-stream", "size": len(content)}
                for place, (name, content) in enumerate(mail.files.items())
            ],
            returns_on=mail.returns_on, size=len(raw), arrived_at=at, stored_at=at,
        )  # fmt: skip
        self.session.add(inbound)
        self.session.flush()
        key = inbound.id or 0
        self.session.add(InboundContent(inbound_id=key, content=zlib.compress(raw)))
        if mail.kind == "reply":
            replied = NewEvent(
                workspace_id=self.workspace_id, type="email.replied", dedupe_key=f"email.replied:{key}",
                at=at + timedelta(seconds=1), contact_id=row.contact_id, campaign_id=self.campaign_id,
            )  # fmt: skip
            record(self.session, [replied])
        self.session.flush()
        return key

    def answered(
        self, conversation_id: int, text: str, *, ago: timedelta = timedelta(0), status: str = "sent", detail: str = ""
    ) -> int:
        """Let somebody have answered; a mail with this status. Give the message's key."""
        row = self.session.get(Conversation, conversation_id)
        assert row is not None
        at = self.now - ago
        message = self._message(
            row.contact_id, self._contact(row.contact_id).email, at, kind="answer", status=status, detail=detail
        )
        self.session.add(
            Answer(
                message_id=message, workspace_id=self.workspace_id, conversation_id=conversation_id,
                subject=f"Re: {row.subject}", html=f"<p>{text}</p>", text=text, created_at=at,
            )
        )  # fmt: skip
        row.last_kind, row.preview, row.last_at = "answer", text[:200], at
        self.session.add(row)
        self.session.flush()
        search.remember(self.session, conversation_id)
        return message

    def to_stage(self, conversation_id: int, kind: str, *, by: int | None, ago: timedelta = timedelta(0)) -> None:
        """Move the contact of a conversation to the stage of a kind."""
        row = self.session.get(Conversation, conversation_id)
        assert row is not None
        stage = next(each for each in make_stages(self.session, self.workspace_id, self.now) if each.kind == kind)
        move_to_stage(self.session, self.workspace_id, row.contact_id, stage.id, self.now - ago, by=by)

    def _campaign_mail(self, contact_id: int, email: str, number: int, at: datetime) -> None:
        nodes = self.session.exec(
            select(Node).where(Node.campaign_id == self.campaign_id, Node.kind == "email").order_by(Node.position)  # type: ignore[arg-type]
        ).all()
        walk = self.session.exec(select(Enrollment).where(Enrollment.contact_id == contact_id)).first()
        if walk is None:
            walk = Enrollment(
                workspace_id=self.workspace_id, campaign_id=self.campaign_id, contact_id=contact_id, status="replied",
                seed=number, ended_at=self.now, created_at=at, updated_at=at,
            )  # fmt: skip
            self.session.add(walk)
            self.session.flush()
        text = f"Bonjour,\n\ncombien de commandes partent en retard chez vous ? Message {number + 1}.\n\nCamille"
        key = self._message(
            contact_id, email, at, kind="campaign", status="sent", campaign_id=self.campaign_id,
            enrollment_id=walk.id, node_id=nodes[number].id, subject="Vos délais d’achat",
        )  # fmt: skip
        mail = EmailMessage()
        mail["Subject"] = "Vos délais d’achat"
        mail.set_content(text)
        raw = zlib.compress(mail.as_bytes())
        self.session.add(SentMail(message_id=key, account_id=self.account_id, raw=raw, sent_at=at))
        self.session.flush()

    def _message(self, contact_id: int, email: str, at: datetime, **columns: Any) -> int:
        values: dict[str, Any] = {
            "workspace_id": self.workspace_id,
            "account_id": self.account_id,
            "contact_id": contact_id,
            "to_address": email,
            "to_domain": domain_of(email_key(email)),
            "rfc_id": f"<{self._next(Message)}@nova-conseil.example>",
            "due_at": at,
            "sent_at": at if columns["status"] == "sent" else None,
            "created_at": at,
        }
        message = Message(**values | columns)
        self.session.add(message)
        self.session.flush()
        return message.id or 0

    def _next(self, kind: Any) -> int:
        return int(self.session.execute(select(func.coalesce(func.max(kind.id), 0))).scalar_one()) + 1

    def _contact(self, contact_id: int) -> Any:
        contact = self.session.get(Contact, contact_id)
        assert contact is not None
        return contact


def seed_inbox(session: Session, keyring: KeyRing, workspace_id: int, now: datetime, user_id: int | None) -> InboxSeed:
    """A week in an inbox: replies, an automatic answer, a request to stop, one for later, read and archived ones."""
    seed = InboxSeed(session, keyring, workspace_id, now).prepare()
    quoted = "\n".join(f"> ligne {n} du message cité" for n in range(14))
    first = seed.conversation(
        "Hélène Marchand",
        [
            Mail("Absente le 17, retour mercredi 18.", timedelta(days=7), "automatic", returns_on=now.date()),
            Mail(
                "Bonjour Camille,\n\nOui, volontiers. Plutôt jeudi matin si cela vous convient, avant 11 h. Notre "
                "directeur industriel, Pierre Nguyen, se joindra à nous : les retards de décolletage sont son "
                "sujet.\n\nPouvez-vous nous envoyer un exemple de rapport d’ici là ?\n\nBien à vous,\nHélène Marchand",
                timedelta(minutes=12),
                quoted=quoted,
                files={"cahier-des-charges.pdf": b"%PDF-1.4 seed" * 400},
            ),
        ],
        company="Ateliers Boréal", email="h.marchand@boreal.example", sent=2, label="interested",
        job_title="Responsable achats", phone="02 41 00 00 87", city="Angers", country="France",
    )  # fmt: skip
    seed.to_stage(first, "qualified", by=None, ago=timedelta(minutes=11))
    seed.to_stage(first, "proposal", by=user_id, ago=timedelta(minutes=5))
    seed.conversation(
        "Thomas Le Goff", [Mail("Pouvez-vous m’envoyer vos tarifs pour 40 postes ?", timedelta(minutes=48))],
        company="Armor Logistique",
    )  # fmt: skip
    seed.conversation(
        "Odile Pasquier",
        [
            Mail(
                "Je suis absente jusqu’au lundi 30 novembre inclus.", timedelta(minutes=70), "automatic",
                returns_on=(now + timedelta(days=6)).date(),
            )
        ],
        company="Groupe Tessier",
    )  # fmt: skip
    seed.conversation(
        "Inès Carpentier", [Mail("Je transmets à notre responsable achats, Mme Roux.", timedelta(hours=3))],
        company="Cabinet Valmont",
    )  # fmt: skip
    seed.conversation(
        "Grégory Simon", [Mail("Merci de me retirer de votre liste.", timedelta(hours=20))], company="Lumeo", stop=True
    )
    seed.conversation(
        "Marc Duvivier", [Mail("Pas ce trimestre, mais recontactez-moi en février.", timedelta(hours=26))],
        company="Sogelia", label="later",
    )  # fmt: skip
    answered = seed.conversation(
        "Anaïs Petit", [Mail("Bonjour, qui d’autre équipez-vous dans la région ?", timedelta(days=2))],
        company="Hydrotec", status="replied",
    )  # fmt: skip
    seed.answered(answered, "Bonjour Anaïs, trois ateliers à Nantes et un à Rennes.", ago=timedelta(days=1))
    seed.conversation(
        "Paul Archimbaud", [Mail("Non merci.", timedelta(days=5))], company="Fonderie du Lay", status="archived",
        label="not_interested",
    )  # fmt: skip
    return seed


def _raw(contact: Any, mail: Mail) -> bytes:
    made = EmailMessage()
    made["From"] = f"{contact.first_name} {contact.last_name} <{contact.email}>"
    made["Subject"] = "Re: Vos délais d’achat"
    made.set_content(mail.text)
    if mail.html:
        made.add_alternative(mail.html, subtype="html")
    for name, content in mail.files.items():
        made.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return made.as_bytes()
