"""What simulated people write, in French: answers to a first mail, to an answer, notices of absence."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final, Literal

Topic = Literal["interested", "price", "date", "colleague", "not_now", "not_interested", "stop", "back"]

_DAYS: Final = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_MONTHS: Final = (
    "janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
    "décembre",
)  # fmt: skip

# `{who}` is the first name of whoever had written, `{day}` a working day some days ahead, `{colleague}` and `{address}`
# somebody of the same firm.
_FIRST: Final[Mapping[Topic, tuple[str, ...]]] = {
    "interested": (
        "Bonjour {who},\n\nLe sujet nous parle, nous perdons du temps au même endroit. Comment procédez-vous ?",
        "Bonjour,\n\nPourquoi pas. Pouvez-vous m’envoyer un exemple avant que nous en parlions ?",
        (
            "Bonjour {who},\n\nVotre message tombe bien, nous en discutions la semaine dernière. Combien de temps"
            " faut-il prévoir de notre côté ?"
        ),
        "Oui, cela m’intéresse. Qui faut-il réunir chez nous ?",
        (
            "Bonjour,\n\nJe veux bien la fiche. Nous sommes une trentaine à l’atelier, en deux équipes : est-ce que"
            " cela change quelque chose ?"
        ),
    ),
    "price": (
        "Bonjour {who},\n\nAvant d’aller plus loin : quel est votre tarif ?",
        "Bonjour,\n\nCombien cela coûte-t-il pour une équipe de dix personnes ? Y a-t-il des frais de déplacement ?",
        "Merci pour votre message. Pouvez-vous m’indiquer un ordre de prix ? Notre budget se décide ce mois-ci.",
        "Bonjour,\n\nEst-ce payant, et si oui combien ?",
    ),
    "date": (
        "Bonjour {who},\n\nD’accord pour en parler quinze minutes. Le {day} à 10 h vous irait-il ?",
        "Bonjour,\n\nJe suis disponible le {day} après 14 h. Appelez-moi au bureau.",
        "Volontiers. Plutôt le {day} au matin, nous serons sur place tous les deux.",
        "Bonjour {who},\n\nBonne idée. Envoyez-moi une invitation pour le {day}, 9 h 30.",
    ),
    "colleague": (
        "Bonjour,\n\nCe n’est pas moi qui suis ce sujet. Voyez avec {colleague} ({address}), qui dirige la production.",
        "Bonjour {who},\n\nJe transmets à {colleague}, {address}, qui reviendra vers vous si cela l’intéresse.",
        "Je ne m’en occupe plus depuis janvier. Votre interlocuteur est désormais {colleague} : {address}.",
    ),
    "not_now": (
        (
            "Bonjour,\n\nCe n’est pas le bon moment : nous changeons de logiciel jusqu’à l’été. Recontactez-moi"
            " à la rentrée."
        ),
        (
            "Bonjour {who},\n\nLe sujet est réel, mais rien ne se décidera avant le prochain budget. Reparlons-en"
            " dans trois mois."
        ),
        "Pas avant septembre, nous sommes en pleine saison.",
        "Bonjour,\n\nNous avons d’autres priorités ce trimestre. Je garde votre message de côté.",
    ),
    "not_interested": (
        "Bonjour,\n\nMerci, mais nous avons déjà quelqu’un pour cela.",
        "Bonjour {who},\n\nCela ne correspond pas à notre activité, nous ne produisons plus sur place.",
        "Cela ne nous intéresse pas, merci.",
        "Non merci, nous traitons ces questions en interne.",
    ),
    "stop": (
        "STOP",
        "Bonjour,\n\nMerci de me retirer de votre liste.",
        "Désinscription svp",
        "Merci de ne plus me contacter.",
    ),
    "back": (
        "Bonjour {who},\n\nJe rentre de congés et je trouve votre message. Est-ce encore d’actualité ?",
        "Bonjour,\n\nDe retour au bureau, je vous réponds avec retard : oui, envoyez-moi quelques précisions.",
        "Bonjour {who},\n\nPardon pour le délai, j’étais en congés. Pouvez-vous m’appeler le {day} ?",
    ),
}
_FROM_COLLEAGUE: Final = (
    "Bonjour {who},\n\n{first} m’a transmis votre message. Pouvez-vous m’en dire plus sur le déroulement ?",
    "Bonjour,\n\nJe reprends la discussion à la place de {first}. Que faut-il préparer de notre côté ?",
)
_WITH_FILE: Final = (
    "Bonjour {who},\n\nVoici nos relevés de la semaine dernière, poste par poste. Est-ce ce qu’il vous faut ?",
)
# In the order of a conversation: what is written to the first answer, to the second, and so on.
_THEN: Final = (
    (
        "Merci, c’est plus clair. Proposez-moi deux créneaux, nous serons trois autour de la table.",
        "Merci pour ces précisions. Le {day} à 10 h me convient.",
        "Très bien. Faut-il que le chef d’atelier soit présent ?",
    ),
    (
        "C’est noté. Pouvez-vous m’envoyer un devis que je puisse montrer à ma direction ?",
        "Parfait, je réserve la salle. Apportez un exemple, cela parlera davantage qu’une présentation.",
    ),
    (
        "Bien reçu, je reviens vers vous après notre réunion du {day}.",
        "Merci, va pour le {day}.",
    ),
    ("Merci à vous, tout est clair.",),
)
LONGEST_TALK: Final = len(_THEN)
_CLOSINGS: Final = ("Cordialement,", "Bien cordialement,", "Bonne journée,", "Bien à vous,", "Merci d’avance,")

_AWAY: Final = (
    (
        "Bonjour,\n\nJe suis en congés jusqu’au {last} inclus. Je serai de retour le {back} et vous répondrai à ce"
        " moment-là.\n\nCordialement,\n{name}"
    ),
    (
        "Bonjour,\n\nActuellement en congés, je serai de retour au bureau le {back}.\n\nPour toute urgence,"
        " adressez-vous à l’accueil.\n\n{name}"
    ),
    (
        "Merci pour votre message.\n\nEn déplacement sans accès régulier à mes courriels, je suis de retour le {back}."
        "\n\n{name}"
    ),
)
_AWAY_SUBJECTS: Final = ("Réponse automatique : {subject}", "Absence du bureau : {subject}")


def first_answer(
    topic: Topic, rng: random.Random, today: date, *, who: str, colleague: tuple[str, str], with_file: bool = False
) -> str:
    """Return what somebody writes to a first mail, without signature; `colleague` is a name and an address."""
    text = rng.choice(_WITH_FILE if with_file else _FIRST[topic])
    filled = _filled(text, rng, today, who=who, colleague=colleague[0], address=colleague[1])
    # Whoever says no seldom signs.
    return filled if topic in ("stop", "not_interested") else f"{filled}\n\n{rng.choice(_CLOSINGS)}"


def colleagues_answer(rng: random.Random, today: date, *, who: str, first: str) -> str:
    """Return what a colleague writes to whom a mail was passed on by `first`, without signature."""
    filled = _filled(rng.choice(_FROM_COLLEAGUE), rng, today, who=who, first=first)
    return f"{filled}\n\n{rng.choice(_CLOSINGS)}"


def next_answer(turn: int, rng: random.Random, today: date) -> str:
    """Return what somebody writes to the answer number `turn` (from 0, below LONGEST_TALK) that they got."""
    return _filled(rng.choice(_THEN[turn]), rng, today)


def absence(rng: random.Random, subject: str, name: str, returns_on: date) -> tuple[str, str]:
    """Return subject and text of a notice of absence that ends on the day before `returns_on`."""
    last = returns_on - timedelta(days=1)
    text = rng.choice(_AWAY).format(last=in_words(last), back=in_words(returns_on), name=name)
    return rng.choice(_AWAY_SUBJECTS).format(subject=subject), text


def in_words(day: date) -> str:
    """Return a day as one writes it, such as `3 mars 2026`."""
    number = "1er" if day.day == 1 else str(day.day)
    return f"{number} {_MONTHS[day.month - 1]} {day.year}"


def with_weekday(day: date, *, short: bool = False) -> str:
    """Return a day with that of the week, such as `mardi 3 mars 2026`, or `mar. 3 mars 2026`."""
    name = _DAYS[day.weekday()]
    return f"{name[:3] + '.' if short else name} {in_words(day)}"


def _filled(text: str, rng: random.Random, today: date, **values: str) -> str:
    day = today + timedelta(days=rng.randint(2, 6))
    while day.weekday() > 4:
        day += timedelta(days=1)
    return text.format(day=f"{_DAYS[day.weekday()]} {day.day}", **values)
