"""The addresses by which a mail tells that it was opened and where it was clicked: opaque, and good for ever.

A link carries everything that is needed to answer it and to store what happened, closed under a derived key: nothing
is looked up, nothing can be read or made by others, and only an address that was in the mail is redirected to.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fluenzr_app.crypto import BadToken, KeyRing, open_token
from fluenzr_app.tracking.errors import BadLink
from fluenzr_app.tracking.numbers import pack, unpack
from fluenzr_app.workspaces.secrets import CLICK_PURPOSE, OPEN_PURPOSE

RetiredKeys = Callable[[str], Sequence[bytes]]
"""Gives the keys with which links for a purpose were closed before a rotation."""

# Some programs cut off what is longer; a link that would become so stays as its author wrote it.
LONGEST_URL = 2000
_LONGEST_TOKEN = 6000
_FORMAT = 1
_NUMBERS = 8
_OPENS_TOO, _TRAP = 1, 2


@dataclass(frozen=True, slots=True)
class TrackedMail:
    """The mail that a link stood in. `composed_at` is the second in which it left; 0 stands for what it had not."""

    workspace_id: int
    message_id: int
    contact_id: int
    campaign_id: int
    account_id: int
    node_id: int
    composed_at: datetime


@dataclass(frozen=True, slots=True)
class Click:
    """What a link in a mail leads to. `source` is the address as the author wrote it, by which clicks are counted.

    `tracks_opens`: the mail had a pixel too, so that a click also tells of an opening. A `trap` leads nowhere.
    """

    mail: TrackedMail
    source: str
    address: str
    tracks_opens: bool = False
    trap: bool = False


def open_token_for(keyring: KeyRing, mail: TrackedMail) -> str:
    """Return the token of a mail's pixel."""
    return keyring.close_token(OPEN_PURPOSE, _packed(mail, 0))


def click_token_for(keyring: KeyRing, click: Click) -> str:
    """Return the token of a link; the same link gives the same token."""
    flags = _OPENS_TOO * click.tracks_opens | _TRAP * click.trap
    address = click.address.encode()
    written = b"" if click.source == click.address else click.source.encode()
    return keyring.close_token(CLICK_PURPOSE, _packed(click.mail, flags) + pack([len(address)]) + address + written)


def read_open(keyring: KeyRing, token: str, retired: RetiredKeys) -> TrackedMail:
    """Return the mail behind a pixel's token, also one from before a rotation; raises BadLink."""
    mail, _, rest = _opened(keyring, OPEN_PURPOSE, token, retired)
    if rest:
        raise BadLink
    return mail


def read_click(keyring: KeyRing, token: str, retired: RetiredKeys) -> Click:
    """Return what a link's token leads to, also one from before a rotation; raises BadLink."""
    mail, flags, rest = _opened(keyring, CLICK_PURPOSE, token, retired)
    try:
        (length,), texts = unpack(rest, 1)
        address = texts[:length].decode()
        source = texts[length:].decode() or address
    except (BadToken, UnicodeDecodeError):
        raise BadLink from None
    return Click(mail, source, address, bool(flags & _OPENS_TOO), bool(flags & _TRAP))


def _packed(mail: TrackedMail, flags: int) -> bytes:
    return bytes([_FORMAT]) + pack(
        (
            mail.workspace_id, mail.message_id, mail.contact_id, mail.campaign_id, mail.account_id, mail.node_id,
            int(mail.composed_at.timestamp()), flags,
        )
    )  # fmt: skip


def _opened(keyring: KeyRing, purpose: str, token: str, retired: RetiredKeys) -> tuple[TrackedMail, int, bytes]:
    if len(token) > _LONGEST_TOKEN:
        raise BadLink
    try:
        return _parsed(keyring.open_token(purpose, token))
    except BadToken:
        pass
    for key in retired(purpose):
        try:
            return _parsed(open_token(key, token))
        except BadToken:
            continue
    raise BadLink


def _parsed(payload: bytes) -> tuple[TrackedMail, int, bytes]:
    if payload[:1] != bytes([_FORMAT]):
        raise BadToken("the link is damaged")
    numbers, rest = unpack(payload[1:], _NUMBERS)
    workspace_id, message_id, contact_id, campaign_id, account_id, node_id, seconds, flags = numbers
    composed_at = datetime.fromtimestamp(seconds, UTC)
    mail = TrackedMail(workspace_id, message_id, contact_id, campaign_id, account_id, node_id, composed_at)
    return mail, flags, rest
