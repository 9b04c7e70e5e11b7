"""Why a row of a file is refused, passed over or worth a look: a code and its words in French and English."""

from __future__ import annotations

from typing import Literal

Severity = Literal["error", "skipped", "warning"]

SEVERITY: dict[str, Severity] = {
    "ragged_row": "error",
    "nul_byte": "error",
    "cell_too_long": "error",
    "line_too_long": "error",
    "undecodable": "error",
    "open_quote": "error",
    "email_missing": "error",
    "email_invalid": "error",
    "value_too_long": "error",
    "custom_value_invalid": "error",
    "duplicate_in_file": "skipped",
    "already_a_contact": "skipped",
    "suppressed": "skipped",
    "role_address": "warning",
    "disposable_domain": "warning",
    "mojibake": "warning",
    "damaged_number": "warning",
    "unknown_timezone": "warning",
    "consent_not_specified": "warning",
}

WORDS: dict[str, dict[str, str]] = {
    "fr": {
        "ragged_row": "La ligne n’a pas le même nombre de cellules que l’en-tête ({detail}).",
        "nul_byte": "La ligne contient un caractère nul : le fichier est abîmé à cet endroit.",
        "cell_too_long": "Une cellule est trop longue (32 767 caractères au plus).",
        "line_too_long": "La ligne est trop longue pour être lue.",
        "undecodable": "Des caractères sont illisibles dans l’encodage choisi.",
        "open_quote": "Un guillemet ouvert n’est pas refermé.",
        "email_missing": "L’adresse e-mail manque.",
        "email_invalid": "L’adresse e-mail n’est pas valide : {detail}",
        "value_too_long": "La valeur est trop longue ({detail} caractères au plus).",
        "custom_value_invalid": "La valeur ne convient pas à ce champ : {detail}",
        "duplicate_in_file": "L’adresse figure déjà plus haut dans le fichier ; la première ligne compte.",
        "already_a_contact": "L’adresse est déjà dans vos contacts.",
        "suppressed": "L’adresse est dans votre liste d’exclusion ; elle n’est jamais réimportée.",
        "role_address": "Adresse de fonction (contact@, info@…) : peu de réponses, plus de plaintes.",
        "disposable_domain": "Adresse jetable : elle cessera bientôt d’exister.",
        "mojibake": "Accents abîmés (« Ã© » au lieu de « é »), déjà présents dans le fichier.",
        "damaged_number": "Nombre abîmé par un tableur (« 6,12E+08 ») : le numéro d’origine est perdu.",
        "unknown_timezone": "Fuseau horaire inconnu ; il n’est pas repris.",
        "consent_not_specified": "La source du consentement n’est pas précisée.",
    },
    "en": {
        "ragged_row": "The row has not as many cells as the header ({detail}).",
        "nul_byte": "The row holds a NUL character: the file is damaged there.",
        "cell_too_long": "A cell is too long (32,767 characters at most).",
        "line_too_long": "The line is too long to be read.",
        "undecodable": "Some characters cannot be read in the chosen encoding.",
        "open_quote": "An opening quote is never closed.",
        "email_missing": "The e-mail address is missing.",
        "email_invalid": "The e-mail address is not valid: {detail}",
        "value_too_long": "The value is too long ({detail} characters at most).",
        "custom_value_invalid": "The value does not suit this field: {detail}",
        "duplicate_in_file": "The address stands further up in the file already; the first row counts.",
        "already_a_contact": "The address is one of your contacts already.",
        "suppressed": "The address is on your suppression list and is never imported again.",
        "role_address": "Role address (contact@, info@…): few replies, more complaints.",
        "disposable_domain": "Disposable address: it will soon cease to exist.",
        "mojibake": "Broken accents (“Ã©” for “é”), already in the file.",
        "damaged_number": "Number damaged by a spreadsheet (“6.12E+08”): the original digits are lost.",
        "unknown_timezone": "Unknown time zone; it is left out.",
        "consent_not_specified": "The source of the consent is not specified.",
    },
}


def sentence(code: str, language: str = "fr", detail: str = "") -> str:
    """Return the words for a code, in French unless ``language`` is ``en``."""
    return WORDS["en" if language == "en" else "fr"].get(code, code).format(detail=detail or "–")
