"""Fields of a delivery report (RFC 3464, RFC 6533), read from whatever real servers make of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_FIELD = re.compile(r"[ \t>]{0,4}([A-Za-z][A-Za-z0-9-]{1,40})[ \t]{0,4}:[ \t]{0,20}(.*)")
_RECIPIENT_FIELDS = ("final-recipient", "original-recipient")
_OF_A_RECIPIENT = frozenset({
    "final-recipient", "original-recipient", "action", "status", "remote-mta", "diagnostic-code", "last-attempt-date",
    "will-retry-until", "final-log-id", "x-actual-recipient", "x-display-name", "x-supplementary-info",
    "x-failed-recipient", "x-powermta-bouncecategory", "x-notes", "x-outcome", "x-smtp-server-diagnostic",
})  # fmt: skip
_OF_THE_MAIL = frozenset({
    "reporting-mta", "original-envelope-id", "received-from-mta", "dsn-gateway", "arrival-date",
    "x-original-message-id", "x-postfix-queue-id", "x-postfix-sender",
})  # fmt: skip
# PowerMTA's own judgement, in the words that servers use.
_CATEGORIES = {
    "bad-mailbox": "user unknown",
    "inactive-mailbox": "mailbox disabled",
    "bad-domain": "domain not found",
    "quota-issues": "mailbox full",
    "no-answer-from-host": "connection timed out",
    "bad-connection": "connection refused",
    "spam-related": "spam detected",
    "virus-related": "virus detected",
    "policy-related": "refused by policy",
    "content-related": "refused by policy",
    "routing-errors": "connection timed out",
    "relaying-issues": "relaying denied",
    "message-expired": "message expired",
}
_TYPED = re.compile(r"\s*(rfc822|rfc822-addr|utf-8|utf8|x400|unknown|local|system|smtp|x-[a-z0-9-]+|dns)\s*;\s*", re.I)
_CODE_POINT = re.compile(r"\\x\{([0-9a-fA-F]{1,6})\}")
_STATUS = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\d)")
_BARE_ADDRESS = re.compile(r"[^\s<>\",;:()\[\]]{1,256}@[^\s<>\",;:()\[\]@]{1,255}")
_QUOTED_ADDRESS = re.compile(r"\"[^\"\r\n]{1,64}\"@[A-Za-z0-9.-]{1,255}")
_MOST_RECIPIENTS = 100
_LONGEST_VALUE = 4000


@dataclass(frozen=True, slots=True)
class StatusGroup:
    """What the report says of one recipient. Addresses are cleaned, and empty when the field holds none."""

    final: str
    original: str
    action: str
    status: str
    diagnostic: str
    named: str = ""


def read_status(text: str) -> tuple[list[StatusGroup], dict[str, str]]:
    """One group for each recipient, and the fields that speak of the whole mail, names in lower case."""
    mail: dict[str, str] = {}
    groups: list[dict[str, str]] = []
    current: dict[str, str] = {}
    gap = False
    for name, value in _fields(text):
        if not name:
            gap = True
            continue
        if name in _OF_THE_MAIL:
            mail.setdefault(name, value)
            continue
        if name not in _OF_A_RECIPIENT:
            continue
        if _opens_a_group(current, name, gap):
            groups.append(current)
            current = {}
        gap = False
        if name == "diagnostic-code" and name in current:
            current[name] = f"{current[name]} {value}"[:_LONGEST_VALUE]
        else:
            current.setdefault(name, value)
    groups.append(current)
    return [_group(each) for each in groups if _names_somebody(each)][:_MOST_RECIPIENTS], mail


def _opens_a_group(current: dict[str, str], name: str, gap: bool) -> bool:
    if not current:
        return False
    if name in ("final-recipient", "original-recipient", "action", "status") and name in current:
        return True
    # A blank line inside one recipient's fields is a common fault; one before its address is the rule.
    return (
        gap and name in _RECIPIENT_FIELDS and any(each in current for each in _RECIPIENT_FIELDS) and "action" in current
    )


def _names_somebody(fields: dict[str, str]) -> bool:
    return any(name in fields for name in ("final-recipient", "original-recipient", "x-failed-recipient"))


def _fields(text: str) -> list[tuple[str, str]]:
    """Unfolded fields in order; a blank line is a field without a name."""
    found: list[tuple[str, str]] = []
    for line in text.split("\n")[:4000]:
        bare = line.rstrip()
        if not bare.strip(" >\t"):
            found.append(("", ""))
            continue
        match = _FIELD.match(bare[:_LONGEST_VALUE])
        if match and (line[:1] not in " \t" or match[1].lower() in _OF_A_RECIPIENT | _OF_THE_MAIL):
            found.append((match[1].lower(), match[2].strip()))
        elif found and found[-1][0] and (line[:1] in " \t" or found[-1][0] == "diagnostic-code"):
            name, value = found[-1]
            if len(value) < _LONGEST_VALUE:
                found[-1] = (name, f"{value} {bare.strip()}")
    return found


def _group(fields: dict[str, str]) -> StatusGroup:
    final = fields.get("final-recipient", "") or fields.get("x-failed-recipient", "")
    diagnostic = fields.get("diagnostic-code", "") or fields.get("x-smtp-server-diagnostic", "")
    comment = fields.get("status", "").partition("(")[2].rstrip(") ")
    notes = comment or fields.get("x-notes", "") or fields.get("x-supplementary-info", "")
    category = _CATEGORIES.get(fields.get("x-powermta-bouncecategory", "").strip().lower(), "")
    notes = f"{notes} {category}".strip()
    found = _STATUS.search(fields.get("status", ""))
    return StatusGroup(
        final=clean_address(final),
        original=clean_address(fields.get("original-recipient", "")),
        action=fields.get("action", "").strip().lower(),
        status=found[0] if found else _undotted(fields.get("status", "")),
        diagnostic=_TYPED.sub("", f"{diagnostic} {notes}".strip(), count=1),
        named=_TYPED.sub("", final, count=1).strip().strip("<>"),
    )


def _undotted(value: str) -> str:
    digits = value.strip()[:3]
    return ".".join(digits) if digits.isascii() and digits.isdigit() and len(digits) == 3 and digits[0] in "245" else ""


def clean_address(value: str) -> str:
    """The address in a recipient field such as `rfc822; <a@b.example> (Anna)`; empty when there is none."""
    typed = _TYPED.match(value)
    kind = typed[1].lower() if typed else ""
    text = value[typed.end() :] if typed else value
    if kind in ("utf-8", "utf8"):
        text = _CODE_POINT.sub(lambda found: _character(found[1]), text)
    if "@" not in text and "+40" in text:
        # RFC 3461, 4: xtext that nobody decoded.
        text = text.replace("+40", "@", 1)
    found = _QUOTED_ADDRESS.search(text) or _BARE_ADDRESS.search(text)
    return found[0].strip("'`.=") if found else ""


def _character(digits: str) -> str:
    point = int(digits, 16)
    return chr(point) if 0x20 < point < 0x110000 and not 0xD800 <= point < 0xE000 else "?"
