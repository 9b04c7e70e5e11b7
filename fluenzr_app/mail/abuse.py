"""Reports of somebody who called a mail spam (ARF, RFC 5965, and what large providers send instead)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email.utils import getaddresses

from fluenzr_app.mail.addresses import email_key
from fluenzr_app.mail.mime import Headers, Part, decode_header, first, read_head, walk

# DMARC's forensic reports use the same form and tell of forgeries, not of complaints.
_NO_COMPLAINTS = frozenset({"auth-failure", "auth-failure-report", "dmarc"})
_RECIPIENT_FIELDS = ("original-rcpt-to", "removal-recipient", "redacted-address")
# Hotmail's Junk Mail Reporting Program names the recipient only here.
_HOTMAIL_RECIPIENT = "x-hmxmroriginalrecipient"
_COMPLAINT_SUBJECT = re.compile(
    r"complaint about message from|abuse report|spam (?:report|complaint)|e-?mail feedback", re.I
)
_MESSAGE_ID = re.compile(r"<[^<>\s\x00-\x1f\x7f]{1,900}>")


@dataclass(frozen=True, slots=True)
class AbuseReport:
    """`feedback_type` as sent, in lower case: `abuse`, `fraud`, `not-spam`, `opt-out` …

    `message_ids`: of the mails complained about, with angle brackets. `recipients`: who complains, as
    `addresses.email_key` has them; providers may have made them unreadable, then there are none.
    """

    feedback_type: str
    message_ids: tuple[str, ...]
    recipients: tuple[str, ...]

    @property
    def is_complaint(self) -> bool:
        """Whether somebody complains; `not-spam` says the contrary."""
        return self.feedback_type != "not-spam"


def abuse_report(raw: bytes) -> AbuseReport | None:
    """What a report of abuse says; None when the mail is none, or one about a failed authentication."""
    parts = list(walk(raw, into_messages=True))
    # A report that somebody passes on, or that came back, stands inside a mail inside the mail.
    own = [part for part in parts if not any(parent.startswith("message/rfc822") for parent in part.parents)]
    feedback = next((part for part in own if part.content_type == "message/feedback-report"), None)
    returned = [part.headers for part in parts if part.parents and _is_returned(part)]
    if feedback is not None:
        fields = _fields(raw, feedback)
        kind = decode_header(first(fields, "feedback-type")).strip().lower() or "abuse"
        return None if kind in _NO_COMPLAINTS else _report(kind, fields, returned)
    hotmail = any(first(headers, _HOTMAIL_RECIPIENT) for headers in returned)
    if hotmail and _COMPLAINT_SUBJECT.search(decode_header(parts[0].header("subject"))):
        return _report("abuse", (), returned)
    return None


def _is_returned(part: Part) -> bool:
    return part.parents[-1] in ("message/rfc822", "text/rfc822-headers")


def _fields(raw: bytes, part: Part) -> Headers:
    """The fields of the report, which stand in the body of its part, at times under an empty line."""
    start = part.start
    while start < part.end and raw[start] in b"\r\n":
        start += 1
    return read_head(raw, start, part.end)[0]


def _report(kind: str, fields: Headers, returned: list[Headers]) -> AbuseReport:
    found = [rfc_id for headers in returned for rfc_id in _MESSAGE_ID.findall(first(headers, "message-id"))]
    named = [value for key, value in fields if key in _RECIPIENT_FIELDS]
    named += [value for headers in returned for key, value in headers if key == _HOTMAIL_RECIPIENT]
    # What the complaint itself names weighs more than the mail's own header.
    recipients = _keys(named) or _keys(first(headers, "to") for headers in returned)
    return AbuseReport(kind, tuple(dict.fromkeys(found)), recipients)


def _keys(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(key for value in values for key in _addresses(value)))


def _addresses(value: str) -> Iterator[str]:
    try:
        found = getaddresses([re.sub(r"^\s*rfc822\s*;", "", value[:4_000], flags=re.IGNORECASE)])
    except (RecursionError, IndexError, ValueError):
        return
    for _, address in found[:50]:
        try:
            yield email_key(address)
        except ValueError:
            continue
