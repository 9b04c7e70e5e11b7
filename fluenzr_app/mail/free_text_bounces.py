"""Which addresses a report's own words name as failing, where no fields for programs tell it.

No provider's layout is known here: an address collects points for standing where reports put a failing one
(alone on its line, behind “could not be delivered to”, before an error) and loses them for standing where reports
put a sender, a postmaster or a help desk. What wins by far enough is taken.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from fluenzr_app.mail.plain_words import plain_words, words_pattern

ADDRESS = re.compile(
    r"(?:\"[^\"\s@<>]{1,64}\"|[A-Za-z0-9!#$%&*+/?^_`{|}~.='\-]{1,128})@"
    r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})\.){1,8}[A-Za-z][A-Za-z0-9-]{0,62}"
)
_IN_BRACKETS = re.compile(r"<([^<>\s@]{1,128}@[^<>\s@]{1,190})>")
_MOST_LINES = 400
_LONGEST_LINE = 1500
_MOST_ADDRESSES = 60
_REACH = 6

_INTRODUCTION = words_pattern(
    r"following (?:e-?mail )?(?:addresse?s?|recipient|user|destination|person|mailbox|organi)|recipient\(?s?\)?\b",
    r"addressee|addressed to|intended for",
    (
        r"(?:not|n.t|cannot|never|being) (?:be )?(?:able to )?(?:deliver|sent\b|send|reach|receive|process|accept"
        r"|forward)"
    ),
    r"undeliver|non-?deliver|not delivered|delivery (?:to|of|has|attempt|fail)",
    r"unable to (?:deliver|send|reach|forward)|fail(?:ed|ure|ing)?\b|permanent(?:ly)?|fatal error|did not reach",
    r"(?:had|with) (?:\w+ ){0,2}(?:error|problem)|bounced|returned|rejected|refused|no such|unknown|transcript",
    r"rcpt to|delayed|warning|still (?:trying|being)|not yet|error|problem|because|invalid|reason|destinataire",
    r"n.a pas (?:pu|été)|n.est pas parvenu|introuvable|n.a pu|n.ont pu|impossible|échec|echec",
    r"non (?:remis|distribu|délivr|livr)|erreur",
    r"nicht (?:\w+ ){0,3}(?:zugestellt|gesendet|ausgeliefert|übermittelt|erreich)|unzustellbar|empfänger",
    r"fehlgeschlagen|konnte|fehler|no se (?:pudo|ha podido|entreg)|destinatari|no entregad|no ha podido|fallid",
    r"falló|error|non (?:è stato|è|può|ha|sono) |recapit|consegn|errore",
    r"niet (?:\w+ ){0,3}(?:bezorgd|afgeleverd|verzonden|bereikt)|ontvanger|geadresseerd|mislukt",
    r"não (?:foi|pôde|pode|p[oô]de|entreg)|destinatári|falha|erro\b|配信|送信|送れ|宛先|届き|不達|エラー|お届け",
    r"收件人|收信人|无法|無法|退信|失败|失敗|未能|送达|投递|не (?:может|могло|могли|было|удалось|доставлен)",
    r"получател|адресат|недостав|ошибк|nie (?:mogła|może|został|można|udało)|odbiorc|adresat|niedostarcz|수신|발송",
    r"전송|반송|실패|kunde inte|mottagar|kunne ikke|modtager|mottaker",
)  # fmt: skip
_LABEL = words_pattern(
    (
        r"(?:rcpt to|recipient|addressee|failed|undeliverable(?: to| address)?|unknown user|invalid (?:user|address"
        r"|recipient)|deliver(?:ed|y|ing)?(?: \w+){0,3} (?:to|for)|(?:sent|message|mail|send) to|addressed to"
        r"|user(?:name)?|for|error-for|destinataires?|empfänger|an|destinatari[oa]s?|ontvangers?|destinatário|宛先"
        r"|受信者|收件人|收信人|получатель|odbiorca|수신자|address(?:es)?|to|à|adresse|rejected) ?(?:\(s\)|address"
        r"|name)?[ \t]*[:=]?[ \t]*(?:rfc822;)?[ \t]*[<\"'(\[]*$"
    ),
)
_SENDER_LABEL = words_pattern(
    (
        r"(?:moved to|new (?:e-?mail )?address|changed to|replaced by|neue adresse|nouvelle adresse|nueva direcci"
        r"|\bfrom|sender|reply[- ]to|return[- ]path|mail from|sent by|originator|envelope|\bde\b|\bvon\b|absender"
        r"|expéditeur|remitente|mittente|afzender|remetente|差出人|送信者|发件人|寄件人|отправител\w*|nadawca"
        r"|contact(?:er|ez)?|questions?|assistance|help(?:desk)?|support|please (?:e-?mail|write|send|notify|report"
        r"|forward)|(?:for|need) (?:further |more )?(?:help|assistance|information)|write to"
        r"|report(?:ed)? (?:this )?to|postmaster|admin\w*|abuse|webmaster|mailto|e-?mail(?: us)?(?: at)|message-id"
        r"|message id|\bid|by|via|kontakt\w*|wenden|contatt\w*|contact\w*)[^@]{0,40}$"
    ),
)  # fmt: skip
_HELP = words_pattern(
    r"moved to|new (?:e-?mail )?address|changed to|replaced by|neue adresse|nouvelle adresse|nueva direcci",
    r"help|support|assistance|question|contact|please (?:e-?mail|write|send|notify|forward)|report (?:this|it)",
    r"write to|further|kontakt|contatt|wenden|renseignement",
)
_PREFIX = re.compile(r"^(?:smtp|rfc822|mailto|to|rcpt|email|user|addr)=", re.IGNORECASE)
# `<address>: why`, as Postfix and qmail write it.
_THEN_WORDS = re.compile(r">?\)?:(?:\s|$)")
_FOOTER = re.compile(r"\s*(?:_{8,}|\*{4,})")
_OFFICE = re.compile(
    r"(?:postmaster|mailer-?daemon|mail-?daemon|abuse|noreply|no-reply|do-?not-?reply|hostmaster|mail-?admin|listserv"
    r"|majordomo|[\w.-]*-(?:bounces|owner|request|errors|admin)|owner-[\w.-]+)@",
)
_ERROR = words_pattern(
    r"(?<![\d.])[45]\d\d[ \-]|(?<![\d.])[45]\.\d\.\d|unknown|no such|not (?:exist|found|known|valid|listed|deliver)",
    r"does ?n.t|doesn't|invalid|full|quota|fail|error|reject|refus|denied|disabled|unavailable|undeliver|unable",
    r"can.?not|couldn|timed out|inconnu|unbekannt|nicht|存在|不|エラー|не |nie |onbekend|desconoc|no existe|inexist",
    r"não |piena|lleno|cheia|plein|voll|sconosciut|없|초과|満|已满",
)
_ALONE = re.compile(
    r"[\s>*|\-•·–+.\d)\"'<(\[]{0,12}(?:(?:smtp|mailto|rfc822"
    r"|to)[:;])?\s?[<\"'(\[]*@[>\"')\].,;:\s]*(?:\([^()]{0,80}\)|<mailto:[^<>]{0,200}>)?[\s:;,.]*$",
)
_TO_FIELD = words_pattern(r"[\s>*•-]*(?:to|an|à|para|a|aan)\s?:")
_OTHER_FIELD = words_pattern(
    (
        r"[\s>*•-]*(?:cc|subject|sent|date|from|betreff|gesendet|objet|envoyé|date|asunto|oggetto|onderwerp"
        r"|assunto)\s?:"
    ),
)
_BEGINS = re.compile(r"[\s>*|\-•·–<\"'(\[]{0,10}@")


@dataclass(frozen=True, slots=True)
class NamedAddress:
    """An address found in the words; `near` is what the report says next to it."""

    address: str
    points: int
    near: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an address scored best; `line` is where it stands first, `shape` how it stands on its line."""

    points: int
    line: int
    address: str
    shape: int


def failing_addresses(notice: str, *, excluded: Collection[str], expected: Collection[str]) -> list[NamedAddress]:
    """The addresses named as failing, in order. `excluded` (senders) never win; `expected` (whom the returned mail
    went to) win more easily. Both in lower case."""
    lines = [line[:_LONGEST_LINE] for line in notice.split("\n")[:_MOST_LINES]]
    best: dict[str, _Place] = {}
    heat = 0
    for number, line in enumerate(lines):
        if not line.strip():
            continue
        heat -= 1
        for found in _addresses_in(line):
            address = found[0]
            if address.lower() in excluded or len(best) > _MOST_ADDRESSES:
                continue
            points = _points(lines, number, line, found, heat > 0) + (4 if address.lower() in expected else 0)
            if points >= _TAKEN:
                heat = max(heat, 3)
            known = best.get(address.lower())
            if known is None or known.points < points:
                best[address.lower()] = _Place(points, known.line if known else number, address, _shape(line, found))
        if _INTRODUCTION.search(plain_words(line)):
            heat = _REACH
    return _winners(lines, best)


_TAKEN = 5


def _winners(lines: list[str], best: dict[str, _Place]) -> list[NamedAddress]:
    if not best:
        return []
    first = max(best.values(), key=lambda place: place.points)
    alone = sum(place.points > 0 for place in best.values()) == 1
    least = 2 if alone else _TAKEN - 1
    if first.points < least:
        return []
    floor = max(least, first.points - 4)
    # Members of one list stand alike.
    chosen = [each for each in best.values() if each.points >= floor and each.shape == first.shape]
    chosen.sort(key=lambda place: place.line)
    starts = [place.line for place in chosen]
    return [NamedAddress(each.address, each.points, near_text(lines, each.line, starts)) for each in chosen]


def near_text(lines: list[str], number: int, starts: Collection[int]) -> str:
    """What is said at line `number` and below, up to the next failing address, a dozen lines at most."""
    taken = []
    for each in range(number, min(len(lines), number + 14)):
        if each != number and (each in starts or _FOOTER.match(lines[each])):
            break
        taken.append(lines[each])
    return "\n".join(taken).strip()


def _points(lines: list[str], number: int, line: str, found: tuple[str, int, int], introduced: bool) -> int:
    address, start, end = found
    before, after = plain_words(line[max(0, start - 90) : start]), plain_words(line[end : end + 200])
    marked = f"{line[:start]}@{line[end:]}"
    points = 0
    if _ALONE.match(marked):
        points += 4
    elif _BEGINS.match(marked):
        points += 5 if _THEN_WORDS.match(line[end:]) else 3
    if introduced or _INTRODUCTION.search(plain_words(line[:start])):
        points += 3
    if _LABEL.search(before):
        points += 3
    below = plain_words(" ".join(lines[number + 1 : number + 4])[:400])
    if _ERROR.search(after):
        points += 2
    elif _ERROR.search(below):
        points += 1
    if _SENDER_LABEL.search(before) and (not _LABEL.search(before[-14:]) or _HELP.search(before)):
        points -= 6
    elif _SENDER_LABEL.search(before):
        points -= 2
    if _OFFICE.match(address):
        points -= 5
    if _TO_FIELD.match(plain_words(line)) and _OTHER_FIELD.match(plain_words(" ".join(lines[number + 1 : number + 2]))):
        # Part of the lines by which Exchange says which mail it means.
        points -= 10
    return points


def _shape(line: str, found: tuple[str, int, int]) -> int:
    marked = f"{line[: found[1]]}@{line[found[2] :]}"
    return 2 if _ALONE.match(marked) or _BEGINS.match(marked) else 1


def _addresses_in(line: str) -> list[tuple[str, int, int]]:
    """Addresses with where they begin and end, whatever clings to them taken off."""
    found: list[tuple[str, int, int]] = []
    if "@" not in line:
        return found
    for match in ADDRESS.finditer(line):
        address, start = match[0], match.start()
        bare = _PREFIX.sub("", address.lstrip("'`=.-*|/"))
        start += len(address) - len(bare)
        if bare.count("'") and line[start - 1 : start] == "'":
            bare = bare.split("'")[-1]
        found.append((bare.rstrip(".-"), start, match.end()))
    for match in _IN_BRACKETS.finditer(line):
        inner = match[1]
        if not any(match.start(1) <= start < match.end(1) for _, start, _ in found) and not inner.isascii():
            found.append((inner, match.start(1), match.end(1)))
    return [(address, start, end) for address, start, end in found if address.partition("@")[0]]
