"""Everything that can be told of an incoming mail from its bytes alone: worked out before the database is held."""

import hashlib
import re
import zlib
from dataclasses import dataclass
from datetime import datetime

from fluenzr_app.mail.abuse import AbuseReport, abuse_report
from fluenzr_app.mail.automatic import Automatic, automatic
from fluenzr_app.mail.bounces import DeliveryReport, delivery_report
from fluenzr_app.mail.incoming import IncomingMail, parse
from fluenzr_app.mail.quoted import Split, split
from fluenzr_app.mail.stop_words import asks_to_stop

# What List-Unsubscribe asks mail programs to put into the subject (see `tracking.unsubscribe.unsubscribe_mailto`).
# A token may begin with a hyphen: one in 64 does.
_STOP_SUBJECT = re.compile(r"\bunsubscribe(?:\s*:\s*|\s+-\s+|\s+)([A-Za-z0-9_.~-]{20,400})", re.IGNORECASE)

_LARGE = 1_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a mail lies: its account, folder and UID, and when it arrived there."""

    workspace_id: int
    account_id: int
    account_key: str
    folder: str
    uidvalidity: int
    uid: int
    arrived_at: datetime


@dataclass(frozen=True, slots=True)
class Prepared:
    """A mail and what its words say. `deflated` is the mail, or its beginning where it was too large to fetch.

    `stop_token` is the signed token of an unsubscribe mail, as yet unverified.
    """

    place: Place
    deflated: bytes
    mail: IncomingMail
    rfc_hash: bytes
    split: Split
    stop_token: str
    report: DeliveryReport | None
    abuse: AbuseReport | None
    automatic: Automatic | None
    asks_to_stop: bool


def prepare(place: Place, raw: bytes, size: int, now: datetime) -> Prepared:
    """Return what the mail says; takes about a second at most, whatever its bytes are."""
    mail = parse(raw, whole_size=size)
    words = split(mail)
    token = _STOP_SUBJECT.search(mail.subject)
    abuse = abuse_report(raw)
    report = None if abuse is not None else delivery_report(raw)
    automatically = automatic(mail, words.new, now)
    return Prepared(
        place=place,
        # A large one takes a second, in which nobody else could write.
        deflated=zlib.compress(raw, 6 if len(raw) < _LARGE else 1),
        mail=mail,
        rfc_hash=hash_of(mail.rfc_id, raw),
        split=words,
        stop_token="" if token is None else token[1],
        report=report,
        abuse=abuse,
        automatic=automatically,
        asks_to_stop=automatically is None and asks_to_stop(words.new),
    )


def prepare_head(place: Place, head: bytes, size: int) -> Prepared:
    """Return what the headers alone say of a mail whose rest cannot be read: whose thread it answers, and no words."""
    mail = parse(head, whole_size=size)
    return Prepared(
        place=place,
        deflated=zlib.compress(head),
        mail=mail,
        rfc_hash=hash_of(mail.rfc_id, head),
        split=Split("", ""),
        stop_token="",
        report=None,
        abuse=None,
        automatic=None,
        asks_to_stop=False,
    )


def hash_of(rfc_id: str, raw: bytes) -> bytes:
    """Return what a mail is known by in its account: SHA-256 of its Message-ID, or of all of it where it has none."""
    return hashlib.sha256(rfc_id.encode("utf-8", "replace") if rfc_id else raw).digest()
