"""Numbers, dates and times for texts that the server writes, in the reader's format.

What a component shows is formatted in the browser instead (`components.values`), so that
it follows a change of language at once.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_time
from babel.numbers import format_decimal

from fluenzr_app.words.catalogue import Lang, words

_LOCALE: dict[Lang, str] = {"fr": "fr_FR", "en": "en_GB"}


def number(lang: Lang, value: float, *, digits: int = 0) -> str:
    """Return `value` with thousands separated and `digits` decimals."""
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(value, format=pattern, locale=_LOCALE[lang])


def percent(lang: Lang, share: float, *, digits: int = 1) -> str:
    """Return a share (0.064) as a percentage: 6,4 % with a narrow space in French, 6.4% in English."""
    figure = number(lang, share * 100, digits=digits)
    return f"{figure}\u202f%" if lang == "fr" else f"{figure}%"


def time_of_day(lang: Lang, moment: datetime, zone: ZoneInfo) -> str:
    """Return the hour and minute of `moment` in `zone`, such as 14:52."""
    return format_time(moment, "HH:mm", tzinfo=zone, locale=_LOCALE[lang])


def day(lang: Lang, moment: datetime, zone: ZoneInfo, *, year: bool = False) -> str:
    """Return the day of `moment` in `zone`, such as “mardi 24 novembre” or “Tuesday 24 November”."""
    return format_date(moment.astimezone(zone), "EEEE d MMMM y" if year else "EEEE d MMMM", locale=_LOCALE[lang])


def moment(lang: Lang, when: datetime, now: datetime, zone: ZoneInfo) -> str:
    """Return `when` as said in a sentence: 14:52, “hier, 16:40”, “demain, 09:14” or “mardi 24 novembre, 10:40”."""
    clock = time_of_day(lang, when, zone)
    days = (when.astimezone(zone).date() - now.astimezone(zone).date()).days
    if days == 0:
        return clock
    if days in (-1, 1):
        return words(lang, "common.yesterday_at" if days < 0 else "common.tomorrow_at", time=clock)
    return words(lang, "common.day_at", day=day(lang, when, zone, year=abs(days) > 300), time=clock)


def country(lang: Lang, named: str) -> str:
    """Return the name of a country given by its two letters, FR as France; any other text as it stands."""
    return Locale.parse(_LOCALE[lang]).territories.get(named.upper(), named) if len(named) == 2 else named


def plain(lang: Lang, value: Any) -> str:
    """Return a value as it stands in a text: numbers in the reader's format, the rest as they are."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return number(lang, value, digits=0 if isinstance(value, int) or value == int(value) else 1)
