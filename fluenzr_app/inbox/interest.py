"""Whether a mail may concern us, told from its headers alone: what does not is never fetched (private by default)."""

import re
from dataclasses import dataclass

from fluenzr_app.mail.incoming import IncomingMail

_ROBOTS = re.compile(
    r"(?:mailer-?daemon|mail-?daemon|postmaster|post-?master|mailsystem|mail-?delivery|mailerdaemon|mdaemon|bounce|"
    r"no-?reply|abuse|complaints?|fbl|feedback|staff|scomp|administrator|antispam|mail-?admin|e?mail-?agent|"
    r"double-bounce|mtaadmin|listserv|system)",
    re.IGNORECASE,
)
_SUBJECTS = re.compile(
    r"undeliver|deliver|returned|return(?:ed)? mail|failure|failed|fail(?:ed)? to send|bounce|rejected|non ?remis|"
    r"échec|echec|retour|impossible|unzustellbar|nicht zugestellt|zustell|devuelto|entrega|mancata|consegna|"
    r"niet bezorgd|onbestel|não entregue|mail system|warning|delay|unsubscribe|abuse|complaint|配信|退信|反송|反送",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Known:
    """Which of the Message-IDs, addresses and domains named in some headers are ours or our contacts'."""

    rfc_ids: frozenset[str]
    keys: frozenset[str]
    domains: frozenset[str]


def is_interesting(head: IncomingMail, known: Known) -> bool:
    """Return whether the whole mail has to be read; says yes too often rather than too seldom."""
    if any(each in known.rfc_ids for each in (*head.in_reply_to, *head.references)):
        return True
    if head.sender.key and (head.sender.key in known.keys or head.sender.key.rpartition("@")[2] in known.domains):
        return True
    if head.content_type in ("multipart/report", "message/delivery-status", "message/feedback-report"):
        return True
    if head.header("X-Failed-Recipients") or head.header("Return-Path").strip() in ("<>", "< >"):
        return True
    submitted = head.header("Auto-Submitted").strip().lower()
    if submitted and submitted != "no":
        return True
    local = head.sender.address.rpartition("@")[0]
    return not head.sender.key or _ROBOTS.search(local) is not None or _SUBJECTS.search(head.subject) is not None
