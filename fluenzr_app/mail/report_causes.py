"""Why a delivery failed for good, read from a report's words, and whether that makes the bounce hard or soft.

| cause                                                        | class | because                                      |
| ------------------------------------------------------------ | ----- | -------------------------------------------- |
| no such user, mailbox closed, moved away, no such domain     | hard  | no later attempt can succeed                 |
| mailbox full, busy, greylisted, host unreachable, time out   | soft  | the address exists; another day may do       |
| size, spam, virus, policy, relay, rate, sender, content      | soft  | said of the mail or of us, not of the address |
| no word at all: 5.0.x, 5.1.x, 5.2.x                          | hard  | permanent, and said of the address           |
| words never met that speak of a recipient, 5.x.x             | hard  | permanent, and said of the address           |
| other words never met, other codes, no code                  | soft  | nothing says that it is the address          |

Words come first, since 5.x is given for all of these. Replies during a send are judged by `causes.name_cause`
alone; reports quote other programs, expire in queues and speak many languages, hence these signs before it.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from fluenzr_app.mail.causes import Cause, Stage, enhanced_code, name_cause
from fluenzr_app.mail.plain_words import plain_words, words_pattern
from fluenzr_app.mail.report_words import SIGNS

BounceClass = Literal["hard", "soft", "delayed"]

_HARD = frozenset({Cause.UNKNOWN_USER, Cause.MAILBOX_DISABLED, Cause.BAD_DOMAIN})
_CODES = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.]*\d)|(?<![\d.\-:])[45]\d\d(?=[ \-:,;)\]#]|$)")
_REPLY_CODE = re.compile(r"(?<![\d.\-:@/=])([45][0-5]\d)(?=[ \-:,;)\]#]|$)")
_LONGEST = 2500


_TROUBLE = words_pattern(
    r"mailer error|procmail|x-unix; ?\d|exit \d|local error|interrupted|misconfigured|config(?:uration)? error",
    r"encountered an error|could not load|temporary (?:local )?(?:problem|failure)|transaction failed|timeout",
    r"delivery error|try again|unexpected|can(?:no|')t (?:create|open|lock|write)",
    r"local (?:configuration|delivery) (?:error|fail)|configuration (?:error|problem)|command (?:died|failed|timed)",
    r"internal (?:server )?error|system (?:error|problem|is unable)|i/o error|permission denied",
    r"pipe (?:to|returned)|child (?:process|crash)|core dump|out of memory",
    r"service (?:is |currently |temporarily )*(?:unavailable|not available)|server error|software (?:error|caused)",
    r"not accepting network|unable to open|lock ?file|no such file or directory|resources temporarily",
    r"exit (?:code|status)|signal \d",
)  # fmt: skip
_REFUSED = words_pattern(
    r"requires? (?:confirmation|verification)|white ?list|pre-?approved|blocked|black ?list|denied|rejected|refused",
    r"not (?:accepted|allowed|permitted|authori[sz]ed)|prohibited|polic(?:y|ies)|forbidden|administrative",
    r"restricted|relay|filter|disallowed|abgelehnt|verweigert|refusé|rejeté|rechazad|rifiutat|recusad|rejeitad",
    r"geweigerd|拒否|拒绝|拒收|отклонен|odrzucon",
)

_OF_RECIPIENT = words_pattern(r"recipient|address|user|mailbox|account|rcpt|destinat|empfänger|alias|customer|person")
_NARROW_STATUS = re.compile(r"[45]\.[1-7]\.[1-9]\d{0,2}")
_TELLING_STATUS = re.compile(r"[45]\.[12]\.[1-9]\d?")
# Cisco's gateways say this of every refusal, and quote the refusal itself behind it.
_GATEWAY_PREFIX = re.compile(r"unknown address error (?=\d{3})")
_LETTERS = re.compile(r"[^\W\d_]{3}")
_FOR_EVER = words_pattern(r"permanent|fatal|dauerhaft|définiti|permanente|永久|恒久|постоянн")

# Refused before any recipient was named: whatever is unknown there is the sender.
_BEFORE_RECIPIENT = re.compile(
    r"(?:reply to|after|response to) (?:pipelined )?(?:mail from|helo|ehlo)|\[mail_from\]", re.IGNORECASE
)
_AFTER_CONTENT = re.compile(
    r"(?:reply to|after|response to).{0,20}(?:end of data|sending message|\bdata\b)|>>> (?:data|\.)|\[(?:data"
    r"|data_end|eom|message)\]|end of data|after .{0,12}\bdata\b|in data\b",
    re.I,
)
_AFTER_MAIL = re.compile(
    r"(?:reply to|after|response to|>>>)[ :]{0,3}(?:pipelined )?(?:end of )?(?:<?mail from|mail\b|helo|ehlo)"
    r"|\[mail_from\]",
    re.I,
)


def cause_of_report(words: str, near: str, status: str) -> Cause | None:
    """The cause told by the diagnostic `words`, by what stands `near` the address, or by the codes of either.

    `status` is the report's own RFC 3463 code, empty when it has none.
    """
    if not words and _TELLING_STATUS.fullmatch(status):
        # What stands near may be a footer; a code this narrow is not.
        return name_cause(_code_of(status), "", stage="rcpt", enhanced=status)
    told = cause_in_words(words) or (cause_in_words(near) if near != words else None)
    if told in _HARD and _BEFORE_RECIPIENT.search(words):
        return Cause.SENDER_REFUSED
    if told is not None:
        return told
    said = _flat(words or near)
    if _REFUSED.search(said) and not _OF_RECIPIENT.search(said) and not status.startswith("5.1."):
        return Cause.POLICY
    if (
        said.strip(" .0123456789-:;")
        and not _OF_RECIPIENT.search(said)
        and not _NARROW_STATUS.fullmatch(best_status(words, near, status))
    ):
        # 550 and 5.0.0 are said of anything. What speaks of nobody's mailbox, in words never met, is not about one.
        return None
    stage = stage_of_report(f"{words} {near}")
    code = reply_code(words) or reply_code(near) or _code_of(status)
    best = best_status(words, near, status)
    return name_cause(code, _flat(words) or _flat(near), stage=stage, enhanced=best or None)


@lru_cache(maxsize=256)
def cause_in_words(text: str) -> Cause | None:
    """The cause that the words alone tell, codes left aside."""
    words = _CODES.sub(" ", _GATEWAY_PREFIX.sub(" ", _flat(text)))
    if not words.strip():
        return None
    for cause, pattern in SIGNS:
        if pattern.search(words):
            return cause
    # Code 0 and no enhanced code: only signs made of words fit.
    told = name_cause(0, words, stage=stage_of_report(text))
    if told is not None and told is not Cause.POLICY:
        return told
    if _TROUBLE.search(words):
        return Cause.SERVER_TROUBLE
    return Cause.UNREACHABLE if told is None and "giving up on" in words else told


def class_of_failure(cause: Cause | None, status: str, words: str, near: str) -> BounceClass:
    """Hard or soft, for a delivery that was given up; the arguments are those of `cause_of_report`."""
    if cause is not None:
        return "hard" if cause in _HARD else "soft"
    text = _flat(f"{words} {near}")
    if _REFUSED.search(text):
        return "soft"
    lasting = status[:1] == "5" or reply_code(text) >= 500 or (not status and _FOR_EVER.search(text) is not None)
    if not lasting:
        return "soft"
    if _FOR_EVER.search(text) or _OF_RECIPIENT.search(_flat(words)):
        return "hard"
    return "soft" if _LETTERS.search(words) or not status else _class_of_code(status)


def _class_of_code(status: str) -> BounceClass:
    # RFC 3463, 3: from the third subject on it is about systems, networks, protocols, contents and policies.
    return "hard" if status[0] == "5" and status[2] in "012" else "soft"


def best_status(words: str, near: str, status: str) -> str:
    """The most telling RFC 3463 code: the server's own when the report's is a catch-all such as 5.0.0."""
    if status and not status.endswith(".0"):
        return status
    digit = int(status[0]) * 100 if status else 500
    found = enhanced_code(digit, words) or enhanced_code(digit, near) or status
    return found if found[:1] in ("4", "5") else status


def reply_code(text: str) -> int:
    """The first SMTP reply code in the text; 0 when there is none."""
    found = _REPLY_CODE.search(text[:_LONGEST])
    return int(found[1]) if found else 0


def stage_of_report(text: str) -> Stage:
    """The step of the dialogue at which the server refused, `rcpt` unless the words say otherwise."""
    if _AFTER_CONTENT.search(text):
        return "content"
    if _AFTER_MAIL.search(text):
        return "mail"
    return "rcpt"


def _code_of(status: str) -> int:
    return int(status[0]) * 100 if status else 0


def _flat(text: str) -> str:
    return " ".join(plain_words(text[:_LONGEST]).split())
