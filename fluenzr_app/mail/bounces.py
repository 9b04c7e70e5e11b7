"""Delivery reports: whom a mail did not reach, whether for good, and why.

Fields for programs (RFC 3464) come first, then flufl.bounce for the layouts it knows, then the report's own words
(`free_text_bounces`). Whatever names the recipient, the class comes from the cause (`report_causes`).
"""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from email.message import Message

from fluenzr_app.mail.causes import Cause
from fluenzr_app.mail.delivery_status import StatusGroup, clean_address, read_status
from fluenzr_app.mail.free_text_bounces import NamedAddress, failing_addresses, near_text
from fluenzr_app.mail.report_causes import BounceClass, best_status, cause_of_report, class_of_failure
from fluenzr_app.mail.report_parts import ReportParts, read_report
from fluenzr_app.mail.report_signs import Kind, kind_of_mail, says_delayed
from fluenzr_app.mail.returned_mail import addresses_in, message_ids_about, returned_addresses

_LONGEST_TEXT = 500
# Characters that are searched for causes, shared by all recipients: a hostile report can make each cost.
_MOST_WORDS, _LEAST_WORDS = 12_000, 120
_MOST_FOR_LIBRARY = 32_000
_BOILERPLATE = re.compile(r"[45]\.0\.0|delivery (?:not authorized|failed)|undeliverable|other|unknown", re.IGNORECASE)
_EXPANDED = re.compile(
    r"(?:expanded from:?|generated from|originally addressed to|forwarded from|was forwarded (?:from|by)"
    r"|ultimately generated from)"
    r"[ \t\r\n]{0,4}:?[ \t]*<?([^\s<>()]{1,128}@[^\s<>()]{1,190})",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class BouncedRecipient:
    """One recipient that a mail did not reach.

    `address` is the one the mail was sent to as far as the report tells; `final_address` the one it was forwarded
    to, when that differs. `text`: the server's words, 500 characters at most.
    """

    address: str
    final_address: str | None
    bounce_class: BounceClass
    status: str | None
    cause: Cause | None
    text: str


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """`message_ids` name the mail it is about, with their brackets, most trustworthy first."""

    recipients: tuple[BouncedRecipient, ...]
    message_ids: tuple[str, ...]
    reported_by: str


@dataclass(frozen=True, slots=True)
class _Named:
    """A failing recipient before it is judged."""

    address: str
    final: str | None
    status: str
    words: str
    near: str
    delayed: bool | None


def delivery_report(raw: bytes) -> DeliveryReport | None:
    """What a mail reports about a failed or delayed delivery; None when it is no such report.

    Never raises. A mail of any size takes well under a second: only its first part is read.
    """
    parts = read_report(raw)
    kind = kind_of_mail(parts)
    if kind is Kind.OTHER:
        return None
    groups, fields = read_status(parts.status) if parts.status else ([], {})
    named = _from_fields(parts, groups)
    if named is None:
        return None
    if not named:
        named = _from_words(parts, kind)
    if not named:
        return None
    recipients: dict[str, BouncedRecipient] = {}
    room = max(_LEAST_WORDS, _MOST_WORDS // len(named))
    for each in (_judged(one, parts, room) for one in named):
        recipients.setdefault(each.address.lower(), each)
    return DeliveryReport(
        recipients=tuple(recipients.values()),
        message_ids=message_ids_about(parts, fields),
        reported_by=_reporter(parts, fields),
    )


def _from_fields(parts: ReportParts, groups: list[StatusGroup]) -> list[_Named] | None:
    """Recipients named by fields; None when the report is about successes alone."""
    failing = [each for each in groups if not each.action.startswith(("delivered", "relay", "expand", "success"))]
    if groups and not failing:
        return None
    found = [_from_group(each, parts, alone=len(failing) == 1) for each in failing if not each.status.startswith("2")]
    if failing and not found:
        return None
    return [each for each in found if each is not None]


def _from_group(group: StatusGroup, parts: ReportParts, *, alone: bool) -> _Named | None:
    address, final = group.original or group.final, group.final
    if "." not in address.rpartition("@")[2] and alone:
        # A bare user name or an X.400 address: the words or the returned mail know the one that was written to.
        address = _written_to(parts, group.named) or address
    if not address:
        return None
    lines = parts.notice.split("\n")
    number = next((n for n, line in enumerate(lines) if address.lower() in line.lower()), None)
    near = near_text(lines, number, ()) if number is not None else parts.notice[:1500] if alone else ""
    delayed = True if group.action.startswith("delay") else False if group.action else None
    other = final if final and final.lower() != address.lower() else None
    return _Named(address, other, group.status, group.diagnostic, near, delayed)


def _written_to(parts: ReportParts, named: str) -> str:
    to = returned_addresses(parts, "to")
    if len(to) == 1:
        return to[0]
    local = named.partition("@")[0].lower()
    for each in to:
        if local and each.partition("@")[0].lower() == local:
            return each
    found = _failing_in_words(parts)
    return found[0].address if len(found) == 1 else ""


def _from_words(parts: ReportParts, kind: Kind) -> list[_Named]:
    delayed = says_delayed(parts)
    failed = addresses_in(parts.headers("X-Failed-Recipients"))
    lines = parts.notice.split("\n")
    if failed:
        return [_with_words(each, lines, parts, delayed=delayed) for each in failed]
    found = _failing_in_words(parts)
    library = _by_library(parts)
    if library and not {each.address.lower() for each in found} & {each.lower() for each in library}:
        # Layouts that it knows by their provider tell more than places do.
        return [_with_words(each, lines, parts, delayed=delayed) for each in library]
    if not found and kind is Kind.FAILURE:
        senders = _senders(parts)
        returned = returned_addresses(parts, "to", "x-original-to", "cc")
        to = {each.lower(): each for each in returned if each.lower() not in senders}
        if len(to) == 1:
            return [_with_words(next(iter(to.values())), lines, parts, delayed=delayed)]
    return [_Named(each.address, None, "", each.near, parts.notice, delayed) for each in found]


def _with_words(address: str, lines: list[str], parts: ReportParts, *, delayed: bool) -> _Named:
    number = next((n for n, line in enumerate(lines) if address.lower() in line.lower()), None)
    near = near_text(lines, number, ()) if number is not None else ""
    return _Named(address, None, "", near, parts.notice, delayed)


def _failing_in_words(parts: ReportParts) -> list[NamedAddress]:
    expected = {each.lower() for each in returned_addresses(parts, "to", "cc", "delivered-to", "x-original-to")}
    found = failing_addresses(parts.notice, excluded=_senders(parts) - expected, expected=expected)
    if found:
        return found
    # Some reports carry the failing address in a header of their own that usually names the reader.
    reader = {each.lower() for each in addresses_in([parts.header("To"), parts.header("From")])}
    return failing_addresses(parts.notice, excluded=reader, expected=expected)


def _senders(parts: ReportParts) -> set[str]:
    """Addresses that a report names without saying that they fail: its own reader's, and its author's."""
    own = [
        parts.header(name)
        for name in ("To", "Delivered-To", "X-Original-To", "From", "Reply-To", "Errors-To", "Sender")
    ]
    found = addresses_in(own) + returned_addresses(parts, "from", "sender", "reply-to", "return-path", "errors-to")
    return {each.lower() for each in found}


def _by_library(parts: ReportParts) -> list[str]:
    """What flufl.bounce finds in the report's own words."""
    from flufl.bounce import all_failures

    mail = Message()
    for name in ("From", "Subject", "X-Mailer", "Received", "Auto-Submitted"):
        for value in parts.head.get_all(name, [])[:3]:
            mail[name] = " ".join(str(value).split())
    mail.set_payload(parts.notice[:_MOST_FOR_LIBRARY].encode("ascii", "replace").decode("ascii"))
    try:
        logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)
        temporary, permanent = all_failures(mail)
    except Exception:
        return []
    excluded = _senders(parts)
    cleaned = (clean_address(each.decode("ascii", "replace")) for each in (*temporary, *permanent))
    return sorted(each for each in cleaned if each and each.lower() not in excluded)


def _judged(named: _Named, parts: ReportParts, room: int) -> BouncedRecipient:
    words, near = named.words[:room], named.near[:room]
    status = best_status(words, near, named.status)
    cause = cause_of_report(words, near, named.status)
    delayed = named.delayed
    if delayed is None:
        delayed = status.startswith("4") and says_delayed(parts)
    bounce_class: BounceClass = "delayed" if delayed else class_of_failure(cause, status, words, near)
    text = " ".join((words or near).split())[:_LONGEST_TEXT]
    address, final = named.address, named.final
    expanded = _EXPANDED.search(near[:600]) if final is None else None
    if expanded is not None and clean_address(expanded[1]) and clean_address(expanded[1]).lower() != address.lower():
        address, final = clean_address(expanded[1]), address
    return BouncedRecipient(address, final, bounce_class, status or None, cause, text)


def _reporter(parts: ReportParts, fields: dict[str, str]) -> str:
    mta = fields.get("reporting-mta", "").rpartition(";")[2].strip()
    return (mta or next(iter(addresses_in([parts.header("From")])), "") or parts.header("From"))[:255]
