"""The unsubscribe link: signed, opaque, good for ever, and what following it does (tracking.md, Unsubscribe).

A link carries keys and the hash of the address, nothing readable. The hash makes it work after the contact was
deleted: the suppression list knows addresses by the same hash.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlmodel import Session, col, select

from fluenzr_app.contacts import suppression
from fluenzr_app.contacts.models import Contact
from fluenzr_app.crypto import BadToken, KeyRing, verify_token
from fluenzr_app.events.record import NewEvent, record
from fluenzr_app.tracking.errors import BadLink
from fluenzr_app.tracking.numbers import pack, unpack
from fluenzr_app.workspaces.models import Workspace
from fluenzr_app.workspaces.secrets import LINK_PURPOSE, retired_link_keys

How = Literal["page", "one_click", "mailto"]
OnUnsubscribed = Callable[[Session, int, int, datetime], None]
"""Ends a contact's enrollments: called with session, workspace id, contact id and time, inside the transaction."""

# Stands in the place of a token in mails that only show how a real one will look; shorter than any token.
SAMPLE_TOKEN = "sample"  # noqa: S105 - no secret

_FORMAT = 1
_HASH_BYTES = 32
_NUMBERS = 6
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class UnsubscribeLink:
    """What a link carries. `email_hash` is the contact's at the time of sending; 0 stands for what the mail had not."""

    workspace_id: int
    contact_id: int
    email_hash: bytes
    message_id: int = 0
    campaign_id: int = 0
    account_id: int = 0
    node_id: int = 0


@dataclass(frozen=True, slots=True)
class Recipient:
    """What the page says: who had written, in which language, and whether it is done already."""

    workspace_name: str
    language: str
    done: bool


def unsubscribe_url(keyring: KeyRing, public_url: str, link: UnsubscribeLink) -> str:
    """Return the address for the footer and for List-Unsubscribe; the same link gives the same address."""
    return f"{public_url}/u/{make_token(keyring, link)}"


def sample_url(public_url: str) -> str:
    """Return an address that looks like an unsubscribe link, says what that does, and unsubscribes nobody."""
    return f"{public_url}/u/{SAMPLE_TOKEN}"


def preferences_url(unsubscribe_url: str) -> str:
    """Return the address of the page on which the same person objects to tracking, or unsubscribes."""
    before, _, token = unsubscribe_url.rpartition("/u/")
    return f"{before}/p/{token}"


def unsubscribe_mailto(address: str, token: str) -> str:
    """Return the `mailto:` URI for List-Unsubscribe: a mail with this subject, to whoever has written, is enough."""
    return f"mailto:{address}?subject=unsubscribe%20{token}"


def make_token(keyring: KeyRing, link: UnsubscribeLink) -> str:
    """Return the signed token of a link; raises ValueError for a hash that is not 32 bytes long."""
    if len(link.email_hash) != _HASH_BYTES:
        raise ValueError("an address hash has 32 bytes")
    numbers = (
        link.workspace_id, link.contact_id, link.message_id, link.campaign_id, link.account_id, link.node_id,
    )  # fmt: skip
    payload = bytes([_FORMAT]) + pack(numbers) + link.email_hash
    return keyring.sign(LINK_PURPOSE, payload)


def read_token(session: Session, keyring: KeyRing, token: str) -> UnsubscribeLink:
    """Return what a token carries, also when it was signed before the key was rotated; raises BadLink."""
    if len(token) > _LONGEST:
        raise BadLink
    try:
        return _parse(keyring.verify(LINK_PURPOSE, token))
    except BadToken:
        pass
    for key in retired_link_keys(session, keyring):
        try:
            return _parse(verify_token(key, token))
        except BadToken:
            continue
    raise BadLink


def recipient_of(session: Session, link: UnsubscribeLink) -> Recipient:
    """Return what the page needs to know; raises BadLink when the workspace is gone."""
    workspace = session.get(Workspace, link.workspace_id)
    if workspace is None:
        raise BadLink
    mine = col(Contact.workspace_id) == link.workspace_id, col(Contact.id) == link.contact_id
    language = session.exec(select(Contact.language).where(*mine)).first() or workspace.language
    done = suppression.has_hash(session, link.workspace_id, link.email_hash)
    return Recipient(workspace.name, language, done)


def apply(
    session: Session, keyring: KeyRing, token: str, now: datetime, how: How, on_unsubscribed: OnUnsubscribed
) -> bool:
    """Unsubscribe the person behind a token, all in the caller's transaction; True unless they had before.

    Suppression, contact status, event, rollups and the end of the contact's enrollments change together, in the tables
    that the next claim reads. Raises BadLink.
    """
    link = read_token(session, keyring, token)
    if session.get(Workspace, link.workspace_id) is None:
        raise BadLink
    workspace = col(Contact.workspace_id) == link.workspace_id
    by_id = select(Contact.id, Contact.email_hash).where(workspace, col(Contact.id) == link.contact_id)
    known = session.exec(by_id).first()
    contacts = {link.contact_id} if known else set()
    # Also under the address that the contact has by now: it is the person who said no.
    first = bool(known) and suppression.suppress_contact(
        session, link.workspace_id, link.contact_id, "unsubscribe", now
    )
    first = suppression.suppress_hash(session, link.workspace_id, link.email_hash, "unsubscribe", now) or first
    if first and (known is None or bytes(known[1]) != link.email_hash):
        # Deleted and imported again, or moved to another address since. No index leads here, so it is looked for
        # once, not at every visit.
        same = select(Contact.id).where(workspace, col(Contact.email_hash) == link.email_hash)
        for contact_id in [key for key in session.exec(same) if key is not None]:
            suppression.suppress_contact(session, link.workspace_id, contact_id, "unsubscribe", now)
            contacts.add(contact_id)
    for contact_id in sorted(contacts):
        on_unsubscribed(session, link.workspace_id, contact_id, now)
    if first:
        record(session, [_event(link, now, how)])
    return first


def _event(link: UnsubscribeLink, now: datetime, how: How) -> NewEvent:
    source = f"message:{link.message_id}" if link.message_id else f"contact:{link.contact_id}"
    return NewEvent(
        workspace_id=link.workspace_id,
        type="email.unsubscribed",
        dedupe_key=f"email.unsubscribed:{source}",
        at=now,
        message_id=link.message_id or None,
        contact_id=link.contact_id or None,
        campaign_id=link.campaign_id or None,
        account_id=link.account_id or None,
        node_id=link.node_id or None,
        data={"how": how},
    )


def _parse(payload: bytes) -> UnsubscribeLink:
    if len(payload) < 1 + _NUMBERS + _HASH_BYTES or payload[0] != _FORMAT:
        raise BadToken("the link is damaged")
    numbers, rest = unpack(payload[1:], _NUMBERS)
    if len(rest) != _HASH_BYTES:
        raise BadToken("the link is damaged")
    workspace_id, contact_id, message_id, campaign_id, account_id, node_id = numbers
    return UnsubscribeLink(workspace_id, contact_id, rest, message_id, campaign_id, account_id, node_id)
