"""The page behind an unsubscribe link: self-contained, without script, in French or English."""

import base64
import html
from hashlib import sha256
from typing import Final, Literal

Language = Literal["fr", "en"]

_STYLE: Final = """
:root{color-scheme:light dark;--text:#1f1f24;--soft:#5f6068;--page:#f7f7f9;--card:#fff;--line:#e3e3e8;--act:#5629c2}
@media(prefers-color-scheme:dark){:root{--text:#ededf2;--soft:#a3a4ad;--page:#141417;--card:#1c1c21;--line:#303038;--act:#7c5ae6}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--page);color:var(--text);
font:16px/1.5 system-ui,sans-serif;padding:24px}
main{max-width:30rem;width:100%;background:var(--card);border:1px solid var(--line);border-radius:12px;padding:32px}
h1{margin:0 0 12px;font-size:1.35rem;line-height:1.3;overflow-wrap:anywhere}
p{margin:0 0 16px;color:var(--soft);overflow-wrap:anywhere}
button{font:inherit;font-weight:600;color:#fff;background:var(--act);border:0;border-radius:8px;padding:12px 20px;
min-height:44px;cursor:pointer}
button:focus-visible,a:focus-visible{outline:3px solid var(--act);outline-offset:2px}
nav{margin-top:24px;font-size:.875rem}
a{color:var(--soft)}
"""
_HASH: Final = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_WORDS: Final[dict[Language, dict[str, str]]] = {
    "fr": {
        "ask_title": "Ne plus recevoir de messages de {name}\u00a0?",
        "ask": "Un clic suffit. Aucun autre message de prospection ne vous sera envoyé par {name}.",
        "act": "Me désinscrire",
        "done_title": "C’est fait, vous êtes désinscrit",
        "done": "{name} ne vous écrira plus. Vous pouvez fermer cette page.",
        "bad_title": "Ce lien est incomplet",
        "bad": "Ouvrez-le de nouveau depuis le message reçu, ou répondez à ce message pour ne plus rien recevoir.",
        "other": "Read this page in English",
    },
    "en": {
        "ask_title": "Stop receiving messages from {name}?",
        "ask": "One click is enough. {name} will send you no further prospecting message.",
        "act": "Unsubscribe",
        "done_title": "Done, you are unsubscribed",
        "done": "{name} will not write to you again. You may close this page.",
        "bad_title": "This link is incomplete",
        "bad": "Open it again from the message you received, or answer that message and ask to be unsubscribed.",
        "other": "Lire cette page en français",
    },
}


def choose_language(*wanted: str) -> Language:
    """Return the first language of `wanted` that the page speaks (tags and Accept-Language lists), else French."""
    for text in wanted:
        for part in text.split(","):
            tag = part.strip()[:2].lower()
            if tag == "fr" or tag == "en":
                return "fr" if tag == "fr" else "en"
    return "fr"


def asking(language: Language, name: str) -> str:
    """Return the page with the button; opening it has changed nothing."""
    words = _WORDS[language]
    form = f'<form method="post"><button type="submit">{words["act"]}</button></form>'
    return _page(language, words["ask_title"].format(name=name), words["ask"].format(name=name), form)


def done(language: Language, name: str) -> str:
    """Return the page that says that it is done."""
    words = _WORDS[language]
    return _page(language, words["done_title"], words["done"].format(name=name), "")


def broken(language: Language) -> str:
    """Return the page for a link that is damaged; it tells nothing and holds no link to follow."""
    words = _WORDS[language]
    return _page(language, words["bad_title"], words["bad"], "", switch=False)


def _page(language: Language, title: str, text: str, form: str, *, switch: bool = True) -> str:
    other: Language = "en" if language == "fr" else "fr"
    words = _WORDS[language]
    link = f'<nav><a href="?lang={other}" lang="{other}">{words["other"]}</a></nav>' if switch else ""
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{html.escape(title)}</h1><p>{html.escape(text)}</p>{form}{link}</main></body></html>"
    )
