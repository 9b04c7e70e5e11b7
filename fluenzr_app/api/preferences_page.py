"""The page on which somebody who got a mail objects to tracking, or unsubscribes: two actions (tracking.md, Opens)."""

import html
from datetime import datetime
from typing import Final, Literal
from zoneinfo import ZoneInfo

from babel.dates import format_date

from fluenzr_app.api.recipient_page import Language, link, other_language, page, paragraph, shared_words
from fluenzr_app.tracking.preferences import Preferences

Choice = Literal["object", "allow", "unsubscribe"]
CHOICES: Final[tuple[Choice, ...]] = ("object", "allow", "unsubscribe")
FIELD: Final = "choice"

_WORDS: Final[dict[Language, dict[str, str]]] = {
    "fr": {
        "title": "Vos choix",
        "lead": "{name} vous a écrit. Vous décidez ici de deux choses, indépendantes l’une de l’autre, sans compte ni "
        "mot de passe.",
        "tracking": "Le suivi des ouvertures et des clics",
        "is_on": "Actif",
        "is_off": "Désactivé par {name}",
        "is_refused": "Refusé depuis le {date}",
        "means_both": "Les messages contiennent une image invisible, qui indique à {name} qu’ils ont été ouverts, et "
        "des liens qui indiquent lesquels ont été suivis.",
        "means_opens": "Les messages contiennent une image invisible, qui indique à {name} qu’ils ont été ouverts.",
        "means_clicks": "Les liens des messages indiquent à {name} lesquels ont été suivis.",
        "means_none": "{name} ne regarde en ce moment ni les ouvertures ni les clics. Votre refus vaudra aussi si cela "
        "change.",
        "keeps": "Ce qui est conservé\u00a0: {what}. Ni adresse IP, ni appareil, ni lieu.",
        "what_both": "la date de la première ouverture de chaque message, et celle du premier clic sur chaque lien",
        "what_opens": "la date de la première ouverture de chaque message",
        "what_clicks": "la date du premier clic sur chaque lien",
        "keeps_details": "Ce qui est conservé\u00a0: pendant {days}, {each} avec sa date, l’adresse IP et le programme "
        "utilisé\u202f; ensuite, {what} seulement.",
        "each_both": "chaque ouverture et chaque clic",
        "each_opens": "chaque ouverture",
        "each_clicks": "chaque clic",
        "day": "{n}\u00a0jour",
        "days": "{n}\u00a0jours",
        "object": "Refuser le suivi",
        "object_means": "Dès maintenant, plus rien ne sera enregistré de vos ouvertures et de vos clics.",
        "go_on": "Les messages continuent, sans image ni lien de suivi.",
        "refused": "Plus rien n’est enregistré de vos ouvertures et de vos clics.",
        "allow": "Autoriser de nouveau",
        "messages": "Les messages",
        "receives": "Vous les recevez",
        "unsubscribed": "Vous ne les recevez plus",
        "news_object": "C’est noté\u00a0: le suivi est refusé.",
        "news_allow": "C’est noté\u00a0: le suivi est de nouveau autorisé.",
        "news_unsubscribe": "C’est fait\u00a0: vous ne recevrez plus ces messages.",
        "unknown_title": "Rien n’a été changé",
        "unknown": "La demande n’a pas été comprise. Servez-vous des boutons de la page.",
        "back": "Retour à vos choix",
    },
    "en": {
        "title": "Your choices",
        "lead": "{name} has written to you. Here you decide about two things, one independent of the other, without "
        "account or password.",
        "tracking": "Tracking of openings and clicks",
        "is_on": "On",
        "is_off": "Switched off by {name}",
        "is_refused": "Refused since {date}",
        "means_both": "The messages hold an invisible image, which tells {name} that they were opened, and links that "
        "tell which of them were followed.",
        "means_opens": "The messages hold an invisible image, which tells {name} that they were opened.",
        "means_clicks": "The links in the messages tell {name} which of them were followed.",
        "means_none": "{name} looks at neither openings nor clicks at present. Your refusal will hold if that changes, "
        "too.",
        "keeps": "What is kept: {what}. No IP address, no device, no place.",
        "what_both": "the date of the first opening of each message, and of the first click on each link",
        "what_opens": "the date of the first opening of each message",
        "what_clicks": "the date of the first click on each link",
        "keeps_details": "What is kept: for {days}, {each} with its date, the IP address and the program used; after "
        "that, only {what}.",
        "each_both": "each opening and each click",
        "each_opens": "each opening",
        "each_clicks": "each click",
        "day": "{n} day",
        "days": "{n} days",
        "object": "Refuse tracking",
        "object_means": "From now on, nothing about your openings and clicks will be recorded any more.",
        "go_on": "The messages go on, without image and tracking links.",
        "refused": "Nothing about your openings and clicks is recorded any more.",
        "allow": "Allow it again",
        "messages": "The messages",
        "receives": "You receive them",
        "unsubscribed": "You no longer receive them",
        "news_object": "Noted: tracking is refused.",
        "news_allow": "Noted: tracking is allowed again.",
        "news_unsubscribe": "Done: you will not receive these messages any more.",
        "unknown_title": "Nothing was changed",
        "unknown": "The request was not understood. Please use the buttons of the page.",
        "back": "Back to your choices",
    },
}


def choices(language: Language, found: Preferences, done: Choice | None = None) -> str:
    """Return the page with both choices as they stand; `done` is what was just decided."""
    words = _WORDS[language]
    news = f'<p class="news" role="status" tabindex="-1" autofocus>{words[f"news_{done}"]}</p>' if done else ""
    body = paragraph(words["lead"].format(name=found.workspace_name)) + news
    body += _tracking(language, found) + _messages(language, found)
    return page(language, words["title"], body, other_language(language))


def not_understood(language: Language) -> str:
    """Return the page for a request that names none of the choices; nothing has changed."""
    words = _WORDS[language]
    return page(language, words["unknown_title"], paragraph(words["unknown"]), link(f"?lang={language}", words["back"]))


def _tracking(language: Language, found: Preferences) -> str:
    words, name = _WORDS[language], found.workspace_name
    kind, refused = _kind(found), found.objected_at is not None
    # Who is not written to any more is not told that messages go on.
    rest = "" if found.unsubscribed else f" {words['go_on']}"
    if found.objected_at is not None:
        state = words["is_refused"].format(date=_date(language, found.objected_at, found.zone))
        body = paragraph(words["refused"] + rest) + _form("allow", words["allow"], quiet=True)
    elif kind == "none":
        state = words["is_off"].format(name=name)
        body = paragraph(words["means_none"].format(name=name)) + _form("object", words["object"], quiet=True)
    else:
        state = words["is_on"]
        told = paragraph(words[f"means_{kind}"].format(name=name)) + paragraph(_kept(language, found, kind))
        body = told + _form("object", words["object"]) + paragraph(words["object_means"] + rest, "small")
    return _section("tracking", words["tracking"], state, kind != "none" and not refused, body)


def _messages(language: Language, found: Preferences) -> str:
    words, shared, name = _WORDS[language], shared_words(language), found.workspace_name
    if found.unsubscribed:
        state, rest = words["unsubscribed"], paragraph(shared["done"].format(name=name))
    else:
        state = words["receives"]
        rest = _form("unsubscribe", shared["unsubscribe"]) + paragraph(shared["promise"].format(name=name), "small")
    return _section("messages", words["messages"], state, not found.unsubscribed, rest)


def _section(key: str, title: str, state: str, on: bool, body: str) -> str:
    shown = paragraph(state, "state on" if on else "state")
    return f'<section aria-labelledby="{key}"><h2 id="{key}">{html.escape(title)}</h2>{shown}{body}</section>'


def _form(choice: Choice, words: str, *, quiet: bool = False) -> str:
    kind = ' class="quiet"' if quiet else ""
    return f'<form method="post"><button name="{FIELD}" value="{choice}"{kind}>{words}</button></form>'


def _kind(found: Preferences) -> Literal["both", "opens", "clicks", "none"]:
    if found.track_opens:
        return "both" if found.track_clicks else "opens"
    return "clicks" if found.track_clicks else "none"


def _kept(language: Language, found: Preferences, kind: str) -> str:
    words = _WORDS[language]
    what = words[f"what_{kind}"]
    if found.details_days is None:
        return words["keeps"].format(what=what)
    days = words["day" if found.details_days == 1 else "days"].format(n=found.details_days)
    return words["keeps_details"].format(days=days, each=words[f"each_{kind}"], what=what)


def _date(language: Language, moment: datetime, zone: str) -> str:
    return format_date(moment.astimezone(ZoneInfo(zone)).date(), "long", locale=language)
