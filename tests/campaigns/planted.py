"""Openings and clicks as the judgement of hits records them, for tests of what is made of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sqlmodel import Session

from fluenzr_app.events.record import NewEvent, record


@dataclass(frozen=True)
class Mail:
    """One message that left, by its key and those of what it belongs to."""

    workspace_id: int
    message_id: int
    contact_id: int
    campaign_id: int
    node_id: int
    account_id: int = 1

    def happened(
        self, kind: str, key: str, at: datetime, *, machine: bool = False, data: dict[str, str] | None = None
    ) -> NewEvent:
        """An event of this message."""
        return NewEvent(
            self.workspace_id, kind, key, at, message_id=self.message_id, contact_id=self.contact_id,
            campaign_id=self.campaign_id, account_id=self.account_id, node_id=self.node_id, machine=machine, data=data,
        )  # fmt: skip


def sent(session: Session, mails: Sequence[Mail], at: datetime) -> None:
    """Let all of them have left."""
    record(session, [mail.happened("email.sent", f"email.sent:{mail.message_id}", at) for mail in mails])


def bounced(session: Session, mail: Mail, at: datetime) -> None:
    """Let the mail have come back."""
    record(session, [mail.happened("email.bounced", f"email.bounced:{mail.message_id}", at, data={"class": "hard"})])


def opened(session: Session, mail: Mail, at: datetime, rule: str = "person", *, machine: bool = False) -> int:
    """Let the mail have been opened; gives how many events were new."""
    key = f"email.opened:{'machine:' if machine else ''}message:{mail.message_id}"
    return record(session, [mail.happened("email.opened", key, at, machine=machine, data={"rule": rule})])


def clicked(
    session: Session, mail: Mail, at: datetime, links: Sequence[str], rule: str = "person", *, machine: bool = False
) -> int:
    """Let links of the mail have been followed, a second apart; gives how many events were new."""
    by = "machine:" if machine else ""
    first = {"rule": rule} | ({"link": links[0]} if links else {})
    events = [
        mail.happened("email.clicked", f"email.clicked:{by}message:{mail.message_id}", at, machine=machine, data=first)
    ]
    for place, link in enumerate(links):
        key = f"email.link_clicked:{by}message:{mail.message_id}:{sha256(link.encode()).hexdigest()[:16]}"
        when = at + timedelta(seconds=place)
        events.append(
            mail.happened("email.link_clicked", key, when, machine=machine, data={"rule": rule, "link": link})
        )
    return record(session, events)
