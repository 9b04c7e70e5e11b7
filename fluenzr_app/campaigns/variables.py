"""The variables of campaigns.md: their names, which name was meant, and a contact's values for them.

The language itself is in `template`, a mail's body in `body`; what other rooms need of both is offered here.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from datetime import date, datetime, tzinfo
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date
from rapidfuzz import fuzz, process

from fluenzr_app.campaigns.body import (
    Body,
    Rendered,
    clean_html,
    compile_body,
    compile_subject,
    is_html,
    render_mail,
)
from fluenzr_app.campaigns.errors import TemplateFault
from fluenzr_app.campaigns.segments import VALUE_MAX, Values, clean, is_blank
from fluenzr_app.campaigns.template import Template, VariableUse, compile_template
from fluenzr_app.clock import require_aware

__all__ = [
    "CONTACT_VARIABLES",
    "SENDER_VARIABLES",
    "Body",
    "Rendered",
    "Template",
    "TemplateFault",
    "Values",
    "VariableUse",
    "clean_html",
    "compile_body",
    "compile_subject",
    "compile_template",
    "contact_values",
    "is_blank",
    "is_html",
    "known_variables",
    "nearest",
    "render_mail",
]

# Each variable of a contact, and the column of the contact's row that it shows.
CONTACT_VARIABLES: Mapping[str, str] = {
    "firstName": "first_name",
    "lastName": "last_name",
    "email": "email",
    "company": "company",
    "jobTitle": "job_title",
    "phone": "phone",
    "website": "website",
}
SENDER_VARIABLES = ("unsubscribe_link", "current_date", "current_year", "signature", "calendly_link")

# What people write when they do not use the menu, in French and English, folded by `_fold`.
_SYNONYMS: Mapping[str, str] = {
    **dict.fromkeys(("prenom", "givenname", "first", "name1"), "firstName"),
    **dict.fromkeys(("nom", "nomdefamille", "surname", "familyname", "last", "name"), "lastName"),
    **dict.fromkeys(("societe", "entreprise", "organisation", "organization", "companyname", "compagnie"), "company"),
    **dict.fromkeys(("poste", "fonction", "metier", "title", "job", "position", "role", "titre"), "jobTitle"),
    **dict.fromkeys(("telephone", "tel", "mobile", "portable", "phonenumber"), "phone"),
    **dict.fromkeys(("site", "siteweb", "siteinternet", "url", "web"), "website"),
    **dict.fromkeys(("mail", "courriel", "adresse", "adressemail", "emailaddress", "adresseemail"), "email"),
    **dict.fromkeys(("desinscription", "desabonnement", "unsubscribe", "unsubscribeurl", "optout"), "unsubscribe_link"),
    **dict.fromkeys(("date", "datedujour", "today", "aujourdhui"), "current_date"),
    **dict.fromkeys(("annee", "year", "anneeencours"), "current_year"),
    **dict.fromkeys(("calendly", "rendezvous", "rdv", "calendlyurl", "booking"), "calendly_link"),
}
_NEAR_ENOUGH = 65.0

_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_YES = {"fr": "oui", "en": "yes"}


def known_variables(custom_fields: Iterable[str] = ()) -> tuple[str, ...]:
    """Return every variable that a text may use, in the menu's order: the contact's, custom fields, the sender's."""
    return tuple(dict.fromkeys((*CONTACT_VARIABLES, *custom_fields, *SENDER_VARIABLES)))


def nearest(name: str, known: Collection[str]) -> str | None:
    """Return the variable of `known` that was probably meant by `name`, or None when nothing is close.

    Case, accents, blanks and underscores do not count; French and English words for a field lead to its variable.
    """
    words = {word: variable for word, variable in _SYNONYMS.items() if variable in known}
    # A workspace's own field comes before what its name would mean otherwise.
    words |= {_fold(variable): variable for variable in known}
    found = process.extractOne(_fold(name), words.keys(), scorer=fuzz.ratio, score_cutoff=_NEAR_ENOUGH)
    return words[found[0]] if found else None


def contact_values(
    contact: Mapping[str, object],
    *,
    now: datetime,
    zone: tzinfo,
    language: str,
    signature: str,
    unsubscribe_url: str,
    custom: Mapping[str, object],
    calendly_url: str = "",
) -> dict[str, str]:
    """Return the value of every variable for one contact, as text and not yet escaped.

    `contact` is a row of the contact table (``first_name`` …), `custom` its custom fields by technical name. Today is
    the date in `zone`. Dates, also those stored as ``2026-05-31``, are written in `language`, with a second entry
    ``name:short`` for their short form. A ticked box says yes, one that is not says nothing.
    """
    values: dict[str, str] = {}
    for name, value in custom.items():
        day = _as_date(value)
        if day is None:
            values[name] = _as_text(value, language)
        else:
            values[name], values[f"{name}:short"] = _long_and_short(day, language)
    # A custom field named like one of these does not stand in for it.
    for name, column in CONTACT_VARIABLES.items():
        values[name] = _as_text(contact.get(column), language)
    today = require_aware(now).astimezone(zone).date()
    values["current_date"], values["current_date:short"] = _long_and_short(today, language)
    values["current_year"] = str(today.year)
    values["signature"] = clean(signature)
    values["unsubscribe_link"] = unsubscribe_url
    values["calendly_link"] = calendly_url
    return values


def _fold(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", name)
    return "".join(letter for letter in decomposed if letter.isalnum()).casefold()


def _as_date(value: object) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str) and _ISO_DATE.fullmatch(value):
        try:
            return date.fromisoformat(value)
        except ValueError:
            return None
    return None


def _as_text(value: object, language: str) -> str:
    if isinstance(value, str):
        return value[:VALUE_MAX]
    if value is None or value is False:
        return ""
    if value is True:
        return _YES.get(language[:2].lower(), "yes")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, list | tuple):
        return ", ".join(filter(None, (_as_text(each, language) for each in value)))[:VALUE_MAX]
    return str(value)[:VALUE_MAX]


@lru_cache(maxsize=512)
def _long_and_short(day: date, language: str) -> tuple[str, str]:
    locale = _locale(language)
    return format_date(day, "long", locale=locale), format_date(day, "short", locale=locale)


@lru_cache(maxsize=64)
def _locale(language: str) -> Locale:
    """Return the locale of a contact's language; English for one that nobody knows."""
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError, TypeError):
        return Locale("en")
