"""The fields of a contact, and the names that people give them as column headings, in French and English."""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

StandardField = Literal[
    "email",
    "first_name",
    "last_name",
    "company",
    "job_title",
    "phone",
    "website",
    "linkedin_url",
    "city",
    "country",
    "language",
    "timezone",
    "tags",
    "groups",
    "notes",
    "status",
    "consent_source",
    "consent_at",
    "consent_notes",
]

STANDARD_FIELDS: tuple[StandardField, ...] = (
    "email",
    "first_name",
    "last_name",
    "company",
    "job_title",
    "phone",
    "website",
    "linkedin_url",
    "city",
    "country",
    "language",
    "timezone",
    "tags",
    "groups",
    "notes",
    "status",
    "consent_source",
    "consent_at",
    "consent_notes",
)

# Headings per field. The first of each is the one that exports write.
SYNONYMS: dict[StandardField, tuple[str, ...]] = {
    "email": (
        "email", "e-mail", "mail", "email address", "e-mail address", "adresse email", "adresse e-mail",
        "adresse mail", "adresse électronique", "adresse de courriel", "courriel", "mél", "emails", "mails",
        "email 1", "e-mail 1", "email1", "email pro", "e-mail pro", "mail pro", "email professionnel",
        "e-mail professionnel", "adresse email professionnelle", "adresse mail pro", "work email", "work e-mail",
        "business email", "professional email", "primary email", "email principal", "e-mail principal",
        "primary e-mail", "contact email", "email contact", "e-mail du contact", "email du contact",
        "e-mail 1 - value", "personal email", "email personnel", "email work", "adresse de messagerie",
        "adresse messagerie", "verified email", "valid email", "person email",
    ),
    "first_name": (
        "firstName", "first name", "first", "given name", "givenname", "forename", "fname", "prénom", "prenom",
        "prénoms", "prénom du contact", "prénom contact", "contact first name", "prénom 1", "person first name",
    ),
    "last_name": (
        "lastName", "last name", "last", "surname", "family name", "familyname", "lname", "nom", "nom de famille",
        "nom du contact", "nom contact", "contact last name", "patronyme", "nom usuel", "person last name", "sn",
    ),
    "company": (
        "company", "company name", "organization", "organisation", "organization name", "organisation name",
        "organization 1 - name", "business", "business name", "account", "account name", "employer", "firm",
        "société", "societe", "entreprise", "nom de la société", "nom société", "nom de société",
        "nom de l'entreprise", "nom entreprise", "nom d'entreprise", "compte", "établissement", "structure",
        "employeur", "enseigne", "nom du compte", "current company", "company / account", "cabinet", "agence",
    ),
    "job_title": (
        "jobTitle", "job title", "title", "job", "position", "role", "occupation", "poste", "intitulé du poste",
        "intitulé de poste", "titre du poste", "titre de poste", "poste occupé", "métier", "titre", "profession",
        "emploi", "qualité", "current position", "current title", "headline", "organization 1 - title",
    ),
    "phone": (
        "phone", "phone number", "telephone", "telephone number", "téléphone", "téléphone fixe", "numéro de téléphone",
        "n° de téléphone", "n° téléphone", "num téléphone", "numéro", "mobile", "mobile phone", "mobile number",
        "cell", "cell phone", "cellphone", "portable", "téléphone portable", "téléphone mobile", "gsm", "direct phone",
        "work phone", "business phone", "work direct phone", "corporate phone", "company phone", "ligne directe",
        "phone 1 - value", "phone numbers", "primary phone", "standard",
    ),
    "website": (
        "website", "web site", "site", "site web", "site internet", "url", "web", "homepage", "home page", "domain",
        "domaine", "company website", "company domain", "site de la société", "site de l'entreprise", "www",
        "url du site", "adresse web", "website url", "website 1 - value", "company url", "nom de domaine",
    ),
    "linkedin_url": (
        "linkedinUrl", "linkedin", "linkedin url", "url linkedin", "profil linkedin", "linkedin profile",
        "linkedin profile url", "person linkedin url", "lien linkedin", "linkedin link", "page linkedin",
        "contact linkedin url", "linkedin person url",
    ),
    "city": (
        "city", "town", "locality", "ville", "commune", "localité", "city name", "person city", "work city",
        "business city", "ville du contact", "nom de la ville", "address 1 - city",
    ),
    "country": (
        "country", "country name", "nation", "pays", "pays de résidence", "country code", "code pays",
        "person country", "work country", "business country", "country/region", "country region",
        "pays/région", "address 1 - country",
    ),
    "language": (
        "language", "lang", "langue", "locale", "preferred language", "langue préférée", "langue du contact",
        "language code", "code langue", "idioma",
    ),
    "timezone": ("timezone", "time zone", "tz", "fuseau", "fuseau horaire", "timezone name"),
    "tags": (
        "tags", "tag", "labels", "label", "étiquettes", "étiquette", "libellés", "mots-clés", "mots clés", "keywords",
        "segments",
    ),
    "groups": ("groups", "group", "groupes", "groupe", "lists", "list", "listes", "liste"),
    "notes": (
        "notes", "note", "comment", "comments", "commentaire", "commentaires", "remarque", "remarques", "remarks",
        "observation", "observations",
    ),
    "status": ("status", "statut"),
    "consent_source": (
        "consentSource", "consent source", "source du consentement", "source de consentement", "opt-in source",
        "source opt-in",
    ),
    "consent_at": (
        "consentAt", "consent date", "consent at", "date du consentement", "date de consentement", "opt-in date",
        "date opt-in", "opt-in time",
    ),
    "consent_notes": ("consentNotes", "consent notes", "notes de consentement", "notes sur le consentement"),
}  # fmt: skip

# Headings that usually, but not always, mean a field: offered like a close name, to be looked at.
RELATED: dict[str, StandardField] = {
    "raison sociale": "company",
    "denomination": "company",
    "denomination sociale": "company",
    "fonction": "job_title",
    "function": "job_title",
    "intitule": "job_title",
    "responsabilite": "job_title",
    "tel": "phone",
    "tel fixe": "phone",
    "tel portable": "phone",
    "tel mobile": "phone",
    "tel pro": "phone",
    "adresse web": "website",
}

# A heading with one of these words speaks about something else than the field it resembles (“Email status”).
OTHER_MEANING: frozenset[str] = frozenset(
    {"status", "statut", "siret", "siren", "siege", "id", "confidence", "confiance", "score", "date", "source", "type"}
    | {"count", "nombre", "nb", "valid", "verified", "verifie", "unsubscribed", "postal", "postale", "postaux", "zip"}
    | {"complet", "full", "prenom", "nom", "naissance", "birth", "fax"}
)

# The columns that an error file puts before the original row; they come back with the corrected file.
ERROR_FILE_HEADINGS: dict[str, tuple[str, str, str]] = {
    "fr": ("Ligne du fichier", "Colonne en cause", "Raison du refus"),
    "en": ("Line in the file", "Column at fault", "Reason for refusal"),
}

STATUSES: tuple[str, ...] = ("active", "unsubscribed", "bounced", "replied", "blocked", "archived")
CONSENT_SOURCES: tuple[str, ...] = (
    "web_opt_in",
    "event",
    "business_card",
    "social_network",
    "referral",
    "existing",
    "other",
    "not_specified",
)

API_NAME: dict[StandardField, str] = {field: SYNONYMS[field][0] for field in STANDARD_FIELDS}
"""The name of each field in exports, variables and the API."""


MAX_LENGTH: dict[str, int] = {
    "email": 254,
    "notes": 10_000,
    "consent_notes": 2_000,
    "website": 2_000,
    "linkedin_url": 2_000,
    "tags": 2_000,
    "groups": 2_000,
}
"""Characters per field; DEFAULT_LENGTH for the others."""
DEFAULT_LENGTH = 255
CUSTOM_LENGTH = 5_000


def heading_key(heading: str) -> str:
    """Return a heading as compared: lower case, no accents, words parted by one space ("firstName" → "first name")."""
    spaced = re.sub(r"(?<=[a-zà-ÿ])(?=[A-ZÀ-Ý])", " ", heading)
    plain = unicodedata.normalize("NFKD", spaced.replace("œ", "oe").replace("Œ", "OE").replace("n°", "numero "))
    letters = "".join(char for char in plain if not unicodedata.combining(char)).lower()
    return " ".join(re.sub(r"[^a-z0-9]+", " ", letters).split())


def technical_name(heading: str) -> str:
    """Return a custom field's technical name made from a heading (``[a-z][a-z0-9_]*``; contacts.md, Custom fields)."""
    name = re.sub(r"[^a-z0-9]+", "_", heading_key(heading)).strip("_")[:50]
    if not name:
        return "field"
    return name if name[0].isalpha() else f"field_{name}"
