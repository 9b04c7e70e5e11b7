"""The day on which somebody who is away says to be back, in French, English, German, Spanish, Italian and Dutch."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

_TEXT_MAX = 4_000
# Between “back in the office” and the date stand a few words; a further date belongs to another sentence.
_GAP_MAX = 45
_AHEAD_MAX = timedelta(days=400)
# A day without a year that passed longer ago than this is meant for next year.
_PAST_MAX = timedelta(days=60)

_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan janvier janv januar janner enero ene gennaio gen januari",
            "february feb fevrier fevr fev februar februari febrero febbraio feber",
            "march mar mars marz maerz mrz marzo maart mrt",
            "april apr avril avr abril abr aprile",
            "may mai mayo maggio mag mei",
            "june jun juin juni junio giugno giu",
            "july jul juillet juil juli julio luglio lug",
            "august aug aout agosto ago augustus",
            "september sept sep septembre septiembre settembre set",
            "october oct octobre oktober okt octubre ottobre ott",
            "november nov novembre noviembre",
            "december dec decembre dezember dez diciembre dic dicembre",
        ),
        start=1,
    )
    for name in names.split()
}
_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "monday lundi montag lunes lunedi maandag",
            "tuesday mardi dienstag martes martedi dinsdag",
            "wednesday mercredi mittwoch miercoles mercoledi woensdag",
            "thursday jeudi donnerstag jueves giovedi donderdag",
            "friday vendredi freitag viernes venerdi vrijdag",
            "saturday samedi samstag sonnabend sabado sabato zaterdag",
            "sunday dimanche sonntag domingo domenica zondag",
        )
    )
    for name in names.split()
}
_TOMORROW = ("tomorrow", "demain", "manana", "domani")
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DAY_OF_WEEK = "|".join(sorted(_WEEKDAYS, key=len, reverse=True))
_DATE = re.compile(
    rf"\b(?:(?P<iso>\d{{4}}-\d{{1,2}}-\d{{1,2}})"
    rf"|(?P<first>\d{{1,2}})\s?(?P<sign>[/.-])\s?(?P<second>\d{{1,2}})(?:\s?(?P=sign)\s?(?P<year>\d{{4}}"
    rf"|\d{{2}})?)?(?!\d|:|h\b)"
    rf"|(?P<day>\d{{1,2}})(?:st|nd|rd|th|er|e|\.)?\s?(?:de |of "
    rf"|di )?(?P<month>{_MONTH})\b\.?,?(?:\s(?:de |del )?(?P<year2>\d{{4}}))?"
    rf"|(?P<month3>{_MONTH})\.?\s(?P<day3>\d{{1,2}})(?:st|nd|rd|th)?\b(?:,?\s(?P<year3>\d{{4}}))?"
    rf"|(?P<weekday>{_DAY_OF_WEEK})\b(?!,?\s(?:the |den |dem |der |le |el |il )?(?:\d|(?:{_MONTH})\b))"
    rf"|(?P<tomorrow>{'|'.join(_TOMORROW)})\b)"
)
# Between them only what belongs to the sentence: a full stop is allowed inside “30. November” alone.
_GAP = re.compile(r"[^.!?;\n]*").fullmatch
_INCLUSIVE = re.compile(
    r"[^.!?\n]{0,12}\b(?:inclus(?:ive|ief)?|included|einschliesslich|einschl|incluido|inclusive|compreso|incluso)\b"
).match

# What says that the date is the day of being back.
_BACK = {
    "en": r"\b(?:(?<!get )back(?! to you)|(?<!your )return(?:ing|s)?|resum(?:e|ing)"
    r"|(?:available|reachable|in the office) again)\b",
    "fr": r"\b(?:de retour|(?<!votre )retour|reprise|reprendrai|reviens|reviendrai|rentre"
    r"|a nouveau (?:disponible|joignable|present)e?)\b",
    "de": r"\b(?:wieder|zuruck|ruckkehr)\b",
    "es": r"\b(?:de vuelta|regreso|regresare|vuelvo|vuelta|volvere|reincorporo|reincorporare|de nuevo|nuevamente)\b",
    "it": r"\b(?:rientro|rientrero|torno|tornero|ritorno|di ritorno|nuovamente|di nuovo)\b",
    "nl": r"\b(?:terug|weer|opnieuw)\b",
}  # fmt: skip
# What says that the date is the last day away. Where the next day is meant only with “inclusive”, see `_EXCLUSIVE`.
_UNTIL = {
    "en": r"\b(?:until|till|til|through|thru|from .{3,30}? to|between .{3,30}? and)\b",
    "fr": r"(?:\bjusqu ?(?:au|a)\b|\bdu .{1,30}? au\b)",
    "de": r"\bbis\b",
    "es": r"(?:\bhasta\b|\bdel .{1,30}? al\b)",
    "it": r"(?:\bfino a(?:l|ll)?\b|\bdal .{1,30}? al\b)",
    "nl": r"(?:\bt/m\b|\btot\b)",
}
_EXCLUSIVE = re.compile(r"until|till|til|tot").fullmatch
_NL_INCLUSIVE = re.compile(r"\s(?:en met|en)\b").match
_BACK_WORDS = {language: re.compile(pattern) for language, pattern in _BACK.items()}
_UNTIL_WORDS = {language: re.compile(pattern) for language, pattern in _UNTIL.items()}

# “Bis 30.11. bin ich nicht da, danach wieder”: the date is not that of the return.
_UNTIL_BEFORE = re.compile(
    r"\b(?:until|till|through|jusqu ?au|bis|hasta|fino al?|tot(?: en met)?|t/m|au|al|to)\b[^.!?]{0,14}$"
).search


@dataclass(frozen=True, slots=True)
class _Found:
    day: date
    end: int


def return_date(text: str, today: date, *, month_first: bool = False) -> date | None:
    """The first day of being back that a text names; None when none is named, or only one that is not ahead.

    `today`: the day on which the text was written. A year left out is inferred from it. `month_first`: how an English
    `05/06` is meant; other languages write the day first. The last day away counts as the day before the return.
    """
    plain = _plain(text[:_TEXT_MAX])
    back = [day for language in _BACK_WORDS for day in _back(plain, language, today, month_first=month_first)]
    if back:
        return min(back)
    until = [day for language in _UNTIL_WORDS for day in _until(plain, language, today, month_first=month_first)]
    return max(until, default=None)


def _back(text: str, language: str, today: date, *, month_first: bool) -> Iterator[date]:
    for word in _BACK_WORDS[language].finditer(text):
        found = _date_after(text, word.end(), today, month_first=month_first and language == "en")
        if found is None:
            # “À partir du 30 novembre je serai de retour”, “ab 30.11. wieder erreichbar”.
            found = _date_before(text, word.start(), today, month_first=month_first and language == "en")
        if found is not None and found.day > today:
            yield found.day


def _until(text: str, language: str, today: date, *, month_first: bool) -> Iterator[date]:
    for word in _UNTIL_WORDS[language].finditer(text):
        found = _date_after(text, word.end(), today, month_first=month_first and language == "en")
        if found is None:
            continue
        exclusive = (
            bool(_EXCLUSIVE(word[0])) and not _NL_INCLUSIVE(text, word.end()) and not _INCLUSIVE(text, found.end)
        )
        day = found.day if exclusive else found.day + timedelta(days=1)
        if day > today:
            yield day


def _date_after(text: str, at: int, today: date, *, month_first: bool) -> _Found | None:
    written = _DATE.search(text, at, at + _GAP_MAX + 30)
    if written is None or written.start() - at > _GAP_MAX or not _GAP(text, at, written.start()):
        return None
    return _read(written, today, month_first=month_first)


def _date_before(text: str, at: int, today: date, *, month_first: bool) -> _Found | None:
    begins = max(0, at - _GAP_MAX - 30)
    dates = list(_DATE.finditer(text, begins, at))
    last = dates[-1] if dates else None
    if last is None or not _GAP(text, last.end(), at) or _UNTIL_BEFORE(text[max(0, last.start() - 25) : last.start()]):
        return None
    return _read(last, today, month_first=month_first)


def _read(written: re.Match[str], today: date, *, month_first: bool) -> _Found | None:
    day = _day(written, today, month_first=month_first)
    return _Found(day, written.end()) if day is not None and day - today <= _AHEAD_MAX else None


def _day(written: re.Match[str], today: date, *, month_first: bool) -> date | None:
    if written["tomorrow"]:
        return today + timedelta(days=1)
    if written["weekday"]:
        return today + timedelta(days=(_WEEKDAYS[written["weekday"]] - today.weekday() - 1) % 7 + 1)
    if written["iso"]:
        year, month, day = (int(part) for part in written["iso"].split("-"))
        return _valid(year, month, day, today)
    if written["first"]:
        day, month = int(written["first"]), int(written["second"])
        if (month_first and day <= 12) or month > 12:
            day, month = month, day
        return _valid(_year(written["year"]), month, day, today)
    named = "3" if written["month3"] else ""
    year_written = written["year3"] if named else written["year2"]
    return _valid(_year(year_written), _MONTHS[written[f"month{named}"]], int(written[f"day{named}"]), today)


def _year(written: str | None) -> int | None:
    if not written:
        return None
    return int(written) + (2000 if len(written) == 2 else 0)


def _valid(year: int | None, month: int, day: int, today: date) -> date | None:
    try:
        if year is not None:
            return date(year, month, day)
        here = date(today.year, month, day)
        return here if today - here <= _PAST_MAX else date(today.year + 1, month, day)
    except ValueError:
        return None


def _plain(text: str) -> str:
    """Lower case, without accents and apostrophes, with single blanks; line breaks inside a "
    "sentence are blanks too."""
    bare = "".join(char for char in unicodedata.normalize("NFD", text.lower()) if not unicodedata.combining(char))
    bare = re.sub(r"[’'`´]", " ", bare.replace("ß", "ss"))
    return re.sub(r"[ \t\xa0\u202f]+", " ", re.sub(r"(?<![.!?\n])[ \t]*\n(?!\s*\n)", " ", bare))
