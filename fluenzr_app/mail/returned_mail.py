"""The mail that a report is about: its Message-IDs, whom it went to, who sent it."""

from __future__ import annotations

import re
from email.utils import getaddresses

from fluenzr_app.mail.report_parts import ReportParts, decoded

_MESSAGE_ID = re.compile(r"<[^<>\s]{1,500}>")
_NAMED_ID = re.compile(
    r"(?:message[ -]?id(?:entifier)?|nachrichten-?id|id del mensaje|identificateur du message|メッセージ ?id|邮件 ?id)"
    r"[ \t]*[:=]?[ \t\r\n>]{0,8}(<[^<>\s@]{1,400}@[^<>\s]{1,200}>)",
    re.IGNORECASE,
)
_FIELD = re.compile(
    r"^[ \t>|]{0,8}([A-Za-z][A-Za-z0-9-]{1,40})[ \t]{0,4}:[ \t]*(.*(?:\n[ \t]+\S.*){0,30})", re.MULTILINE
)
_MOST_IDS = 20


def returned_addresses(parts: ReportParts, *names: str) -> list[str]:
    """Addresses in these header fields of the returned mail, in order, as they are written there."""
    header = parts.returned[:32_000].split("\n\n", 1)[0]
    values = [decoded(found[2]) for found in _FIELD.finditer(header) if found[1].lower() in names]
    return addresses_in(values)


def addresses_in(values: list[str]) -> list[str]:
    """The addresses of header values, without names; whatever has no @ left out."""
    try:
        found = getaddresses([value[:4000] for value in values])
    except (ValueError, IndexError, RecursionError):
        return []
    return [address.strip() for _, address in found if "@" in address]


def message_ids_about(parts: ReportParts, fields: dict[str, str]) -> tuple[str, ...]:
    """Message-IDs of the mail reported on, most trustworthy first, the report's own left out."""
    own = parts.header("Message-ID").strip()
    found = [match[1] for match in _NAMED_ID.finditer(parts.returned[:64_000])]
    found += [match[1] for match in _NAMED_ID.finditer(parts.notice)]
    found += _MESSAGE_ID.findall(fields.get("x-original-message-id", ""))
    for name in ("X-Original-Message-ID", "X-MS-Exchange-Message-Original-Message-ID", "In-Reply-To", "References"):
        found += _MESSAGE_ID.findall(parts.header(name))
    return tuple(dict.fromkeys(each for each in found if each != own and "@" in each))[:_MOST_IDS]
