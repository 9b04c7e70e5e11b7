"""An inbox with mails in it, stored as the reading of a mailbox stores them."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from hashlib import sha256
from typing import Any

from sqlmodel import Session, select

from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.campaigns import audience
from fluenzr_app.campaigns import service as campaigns
from fluenzr_app.campaigns.models import Enrollment, Node
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.inbox import counts, search
from fluenzr_app.inbox.models import Conversation, Inbound, InboundContent
from fluenzr_app.sending.models import Message, SentMail
from tests.people import make_account, make_contact


def a_mail(subject: str, words: str, files: Mapping[str, bytes] | None = None) -> bytes:
    """A mail as a mailbox holds it."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "Léa Martin <lea@atelier.example>", "sarah@rivage.example", subject
    mail["Message-ID"] = f"<{sha256(words.encode()).hexdigest()[:16]}@atelier.example>"
    mail.set_content(words)
    for name, content in (files or {}).items():
        mail.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return mail.as_bytes()


@dataclass
class Inbox:
    """The owner's workspace with one account and one campaign, whose contacts write back."""

    database: Database
    keyring: KeyRing
    workspace_id: int
    now: datetime
    account_id: int = 0
    campaign_id: int = 0

    def open(self) -> None:
        """Make account and campaign."""
        with self.database.transaction() as session:
            self.account_id = make_account(session, self.workspace_id, "sarah@rivage.example", self.now)
            self.campaign_id = campaigns.create_campaign(
                session, self.workspace_id, "Printemps", self.now, account_ids=[self.account_id]
            ).id

    def reply_of(
        self, email: str, words: str, *, at: datetime, status: str = "unread", files: Mapping[str, bytes] | None = None
    ) -> int:
        """Let a contact answer the campaign's mail at `at`; give the conversation's key."""
        with self.database.transaction() as session:
            contact = make_contact(session, self.keyring, self.workspace_id, email, self.now, first_name="Léa")
            conversation = Conversation(
                workspace_id=self.workspace_id, contact_id=contact, account_id=self.account_id,
                campaign_id=self.campaign_id, subject="Vos achats", preview=words[:200], status=status, last_at=at,
                last_inbound_at=at, created_at=at, updated_at=at,
            )  # fmt: skip
            session.add(conversation)
            session.flush()
            key = conversation.id or 0
            raw = a_mail("Re: Vos achats", words, files)
            inbound = Inbound(
                workspace_id=self.workspace_id, account_id=self.account_id, folder="INBOX", uidvalidity=1, uid=contact,
                rfc_id=f"<{contact}@atelier.example>", rfc_hash=sha256(raw).digest(), kind="reply", contact_id=contact,
                conversation_id=key, campaign_id=self.campaign_id, from_name="Léa Martin", from_address=email,
                subject="Re: Vos achats", text=words, quoted="> Bonjour",
                attachments=[
                    {"index": place, "filename": name, "content_type": "application/pdf", "size": len(content)}
                    for place, (name, content) in enumerate((files or {}).items())
                ],
                size=len(raw), arrived_at=at, stored_at=at,
            )  # fmt: skip
            session.add(inbound)
            session.flush()
            session.add(InboundContent(inbound_id=inbound.id or 0, content=zlib.compress(raw)))
            counts.add(session, self.workspace_id, {status: 1})
            search.remember(session, key)
        return key

    def campaign_mail(self, conversation_id: int, runtime: ApiRuntime, at: datetime) -> None:
        """Let the campaign's first mail have left for the contact of a conversation."""
        with self.database.transaction() as session:
            contact = row_of(session, Conversation, conversation_id).contact_id
            audience.add_contacts(session, self.workspace_id, self.campaign_id, [contact], at, runtime.rng)
            walk = session.exec(select(Enrollment).where(Enrollment.contact_id == contact)).one()
            node = session.exec(select(Node).where(Node.campaign_id == self.campaign_id, Node.kind == "email")).first()
            assert node is not None
            message = Message(
                workspace_id=self.workspace_id, account_id=self.account_id, contact_id=contact,
                campaign_id=self.campaign_id, enrollment_id=walk.id, node_id=node.id, to_address="lea@atelier.example",
                to_domain="atelier.example", rfc_id="<1@rivage.example>", subject="Vos achats", status="sent",
                due_at=at, sent_at=at, created_at=at,
            )  # fmt: skip
            session.add(message)
            session.flush()
            raw = zlib.compress(a_mail("Vos achats", "Bonjour Léa"))
            session.add(SentMail(message_id=message.id or 0, account_id=self.account_id, raw=raw, sent_at=at))


def row_of(session: Session, kind: Any, key: int) -> Any:
    """The row of a kind with this key."""
    row = session.get(kind, key)
    assert row is not None
    return row
