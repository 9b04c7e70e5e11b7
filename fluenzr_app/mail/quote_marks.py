"""The lines by which mail programs announce what they quote, and the footers they add, by language."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WROTE = (
    r"wrote|writes|schrieb|a écrit|escribió|ha scritto|schreef|escreveu|skrev|napisał(?:\(?a\)?)?|napsal(?:\(a\))?"
    r"|kirjoitti|написала?|пишет"
)
_LEADS = r"On|Le|Am|El|Il|Op|Em|Den|Il giorno|W dniu|Dnia|Dne|Na"
_LED_BY = re.compile(rf"(?:{_LEADS})\b|\d{{1,4}}[./-]\d", re.IGNORECASE).match
# Only these may be broken over several lines: without the first word one cannot tell where they begin.
_LED = re.compile(rf"(?:(?:{_LEADS})\b|\d).{{3,300}}?\b(?:{_WROTE})\b.{{0,120}}:", re.IGNORECASE).fullmatch
_NOT_LED = (
    re.compile(rf".{{2,200}}?\b(?:{_WROTE})\b.{{0,120}}:", re.IGNORECASE).fullmatch,
    re.compile(r".{4,200}<[^<>\s]+@[^<>\s]+>\s*:").fullmatch,
    re.compile(r"\d{4}年\d{1,2}月\d{1,2}日.{0,200}:").fullmatch,
)
_ATTRIBUTION_MAX = 450
_ATTRIBUTION_LINES = 4
_EVIDENCE = re.compile(r"\d{1,2}[:.h]\d\d|\d{4}|\d{1,2}[./]\d{1,2}|<[^<>\s]+@[^<>\s]+>|\[mailto:")

_SEPARATOR = re.compile(
    r"\s*[-_*=]{2,}\s*(?:original (?:message|appointment|e-?mail)|reply message|forwarded (?:message|by .{1,80})"
    r"|message d[’']origine|message original|message initial|message transféré|message transmis|courriel original"
    r"|mensaje (?:original|reenviado)|mensagem (?:original|encaminhada)"
    r"|(?:ursprüngliche|weitergeleitete) (?:nachricht|mail)|original-?nachricht|urspr\. nachricht"
    r"|messaggio (?:originale|inoltrato)|(?:oorspronkelijk|doorgestuurd|origineel) bericht"
    r"|ursprungligt meddelande|oprindelig meddelelse|转发邮件|原始邮件|元のメッセージ)\s*[-_*=]{2,}\s*",
    re.IGNORECASE,
).fullmatch
_FORWARD_BEGINS = re.compile(
    r"\s*(?:begin forwarded message|début du (?:message transféré|message réexpédié)"
    r"|anfang der weitergeleiteten (?:nachricht|e-mail)|inicio del mensaje reenviado|inizio messaggio inoltrato"
    r"|begin doorgestuurd bericht)\s*:\s*",
    re.IGNORECASE,
).fullmatch
_RULE = re.compile(r"\s*_{10,}\s*|\s*-{8,}\s*").fullmatch

_LABEL = re.compile(r"[\s*]*([^\W\d_][\w .’'-]{0,20}?)[\s*]*[:：][\s*]*(.*)").fullmatch
_FROM = frozenset({"from", "de", "von", "da", "van", "från", "fra", "od", "差出人", "发件人", "от"})
_OTHERS = frozenset({
    "sent", "date", "to", "subject", "cc", "reply-to", "envoyé", "envoyé le", "à", "objet", "cci", "gesendet", "datum",
    "an", "betreff", "enviado", "enviado el", "fecha", "para", "asunto", "inviato", "data", "a", "oggetto", "verzonden",
    "aan", "onderwerp", "skickat", "till", "ämne", "sendt", "til", "emne", "wysłano", "do", "temat", "assunto",
    "送信日時", "宛先", "件名", "发送时间", "收件人", "主题", "répondre à", "antwort an", "отправлено", "кому", "тема",
    "дата",
})  # fmt: skip

_APPS = (
    r"(?:proton|outlook|spark|yahoo|gmail|aol|samsung|mail\b|l[’']application|iphone|ipad|android|mobile"
    r"|der .{0,20}app)"
)
_MOBILE = re.compile(
    rf"\s*(?:(?:sent|composed|written) (?:from my\b|(?:from|with|via|by|using) {_APPS})"
    rf"|(?:get|download|télécharge[zr]?|obten(?:ir|ez|er)|descargar|ottieni|scarica|hol(?:en)? sie sich) outlook\b"
    rf"|outlook (?:voor|für|pour|for|per|para) (?:ios|android|mac|windows)"
    rf"|(?:envoyé|expédié) (?:de(?:puis)? (?:mon|ma)\b|(?:depuis|à partir d[e’']|avec|via) ?(?:{_APPS}|mon\b|ma\b))"
    r"|provenance : courrier"
    rf"|von mein(?:em|er)\b.{{0,60}}\bgesendet|gesendet (?:von mein|(?:von|mit|aus|über) {_APPS})"
    r"|diese nachricht wurde von mein"
    rf"|enviado (?:desde mi\b|do meu\b|(?:desde|con|a partir d[eo]) {_APPS})"
    rf"|inviat[oa] da(?:l mio| mio|l|lla mia)? ?(?:{_APPS}|smart|telefono)"
    rf"|(?:verzonden|verstuurd) (?:vanaf|met|van(?:uit)?|via) (?:mijn\b|{_APPS})"
    r"|skickat från min|sendt fra min|wysłane z iphone|iphoneから送信|从我的 ?iphone)",
    re.IGNORECASE,
).match
_MOBILE_MAX = 160


def attribution_at(lines: Sequence[str], at: int) -> int:
    """How many lines, beginning at `at`, say who wrote what follows; 0 when none does.

    A date or an address must stand there: “On reflection she wrote:” is a sentence of somebody's own.
    """
    led = _LED_BY(lines[at].strip()) is not None
    joined = ""
    for count in range(1, min(_ATTRIBUTION_LINES if led else 1, len(lines) - at) + 1):
        line = lines[at + count - 1].strip()
        joined = f"{joined} {line}".strip()
        if not line or len(joined) > _ATTRIBUTION_MAX:
            return 0
        if line.endswith((":", "：")):
            text = joined.replace("：", ":").replace("\xa0", " ").replace("\u202f", " ")
            found = (led and _LED(text)) or any(matches(text) for matches in _NOT_LED)
            return count if found and _EVIDENCE.search(text) else 0
    return 0


def header_block_at(lines: Sequence[str], at: int) -> int:
    """How many lines, beginning at `at`, are the headers of a mail set out as text; 0 when they are none."""
    label = _label(lines[at])
    if label not in _FROM and label not in _OTHERS:
        return 0
    labels, last = {"from" if label in _FROM else label}, at
    for index in range(at + 1, min(at + 14, len(lines))):
        label = _label(lines[index])
        if label in _FROM or label in _OTHERS:
            labels.add("from" if label in _FROM else label)
            last = index
        elif not lines[index].strip() and index - last > 1:
            break
    return last - at + 1 if len(labels) >= 3 and "from" in labels else 0


def is_separator(line: str) -> bool:
    """Whether the line announces that another mail follows."""
    return len(line) < 200 and bool(_SEPARATOR(line) or _FORWARD_BEGINS(line))


def is_rule(line: str) -> bool:
    """Whether the line is a drawn rule, as Outlook puts above what it quotes."""
    return len(line) < 200 and _RULE(line) is not None


def is_mobile_footer(line: str) -> bool:
    """Whether the line is what a telephone or a mail program adds under everything: “Sent from my iPhone”."""
    return len(line) <= _MOBILE_MAX and _MOBILE(line) is not None


def _label(line: str) -> str:
    found = _LABEL(line[:300].replace("\xa0", " ").replace("\u202f", " "))
    return found[1].strip().lower() if found else ""
