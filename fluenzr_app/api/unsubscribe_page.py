"""The page behind an unsubscribe link."""

from typing import Final

from fluenzr_app.api.recipient_page import Language, link, other_language, page, paragraph, shared_words

_WORDS: Final[dict[Language, dict[str, str]]] = {
    "fr": {
        "ask_title": "Ne plus recevoir les messages envoyés par {name}\u202f?",
        "ask": "Un clic suffit.",
        "done_title": "C’est fait, vous êtes désinscrit",
        "close": "Vous pouvez fermer cette page.",
        "choices": "Mes autres choix",
    },
    "en": {
        "ask_title": "Stop receiving messages from {name}?",
        "ask": "One click is enough.",
        "done_title": "Done, you are unsubscribed",
        "close": "You may close this page.",
        "choices": "My other choices",
    },
}


def asking(language: Language, name: str, token: str) -> str:
    """Return the page with the button; opening it has changed nothing."""
    words, shared = _WORDS[language], shared_words(language)
    form = f'<form method="post"><button type="submit">{shared["unsubscribe"]}</button></form>'
    told = paragraph(f"{words['ask']} {shared['promise'].format(name=name)}")
    return page(language, words["ask_title"].format(name=name), told + form, _links(language, token))


def done(language: Language, name: str, token: str) -> str:
    """Return the page that says that it is done."""
    words = _WORDS[language]
    told = paragraph(f"{shared_words(language)['done'].format(name=name)} {words['close']}")
    return page(language, words["done_title"], told, _links(language, token))


def _links(language: Language, token: str) -> str:
    return link(f"../p/{token}?lang={language}", _WORDS[language]["choices"]) + other_language(language)
