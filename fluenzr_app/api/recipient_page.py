"""The pages for people who got a mail: self-contained, without script, cookie or login, in French or English."""

import base64
import html
from hashlib import sha256
from typing import Final, Literal

from fastapi import Response
from fastapi.responses import HTMLResponse

Language = Literal["fr", "en"]

_STYLE: Final = """
:root{color-scheme:light dark;--text:#1f1f24;--soft:#5f6068;--page:#f7f7f9;--card:#fff;--line:#e3e3e8;--edge:#8a8b94;
--act:#5629c2;--on-act:#fff;--good:#17703f;--news:#f1edfc}
@media(prefers-color-scheme:dark){:root{--text:#ededf2;--soft:#a9aab4;--page:#141417;--card:#1c1c21;--line:#303038;
--edge:#777884;--act:#a48cf2;--on-act:#17131f;--good:#5fc98d;--news:#2a2540}}
*{box-sizing:border-box}
body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--page);color:var(--text);
font:16px/1.5 system-ui,sans-serif;padding:24px}
main{max-width:34rem;width:100%;min-width:0;background:var(--card);border:1px solid var(--line);border-radius:12px;
padding:32px;overflow-wrap:anywhere}
h1{margin:0 0 12px;font-size:1.35rem;line-height:1.3}
h2{margin:0 0 4px;font-size:1.05rem;line-height:1.4}
p{margin:0 0 16px;color:var(--soft)}
section{margin-top:24px;padding-top:24px;border-top:1px solid var(--line)}
main>p:last-child{margin-bottom:0}
section p{margin-bottom:12px}
.state{display:flex;gap:8px;align-items:baseline;color:var(--text);font-weight:600;font-size:.9375rem}
.state::before{content:"";flex:none;width:.6em;height:.6em;border-radius:50%;border:2px solid var(--edge)}
.state.on::before{border-color:var(--good);background:var(--good)}
.news{margin:0;padding:12px 16px;border-radius:8px;background:var(--news);color:var(--text);font-weight:600}
.small{font-size:.875rem;margin-bottom:0}
button{font:inherit;font-weight:600;color:var(--on-act);background:var(--act);border:1px solid var(--act);
border-radius:8px;padding:10px 20px;min-height:44px;max-width:100%;cursor:pointer}
button:hover{filter:brightness(1.08)}
button.quiet{color:var(--text);background:transparent;border-color:var(--edge)}
form+p{margin-top:12px}
button:focus-visible,a:focus-visible,.news:focus-visible{outline:3px solid var(--act);outline-offset:2px}
nav{display:flex;flex-wrap:wrap;gap:4px 24px;margin-top:24px;font-size:.875rem}
section+nav{padding-top:24px;border-top:1px solid var(--line)}
a{color:var(--soft)}
nav a{padding:4px 0}
@media(max-width:480px){body{padding:12px;place-items:start stretch}main{padding:24px 20px}form button{width:100%}}
@media(forced-colors:active){.state.on::before{background:CanvasText;forced-color-adjust:none}}
"""
_HASH: Final = base64.b64encode(sha256(_STYLE.encode()).digest()).decode()
_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {"content-security-policy": _POLICY, "cache-control": "no-store", "x-robots-tag": "noindex"}

_WORDS: Final[dict[Language, dict[str, str]]] = {
    "fr": {
        "unsubscribe": "Me désinscrire",
        "promise": "Aucun autre message de prospection ne vous sera envoyé par {name}.",
        "done": "{name} ne vous écrira plus.",
        "bad_title": "Ce lien est incomplet",
        "bad": "Ouvrez-le de nouveau depuis le message reçu, ou répondez à ce message pour ne plus rien recevoir.",
        "sample_title": "Un lien d’essai",
        "sample": "Dans le vrai message, ce lien mène son destinataire à la page où il décide de ne plus recevoir de "
        "messages, ou de ne plus être suivi. Rien n’a été changé.",
        "other_language": "Read this page in English",
    },
    "en": {
        "unsubscribe": "Unsubscribe",
        "promise": "{name} will send you no further prospecting message.",
        "done": "{name} will not write to you again.",
        "bad_title": "This link is incomplete",
        "bad": "Open it again from the message you received, or answer that message and ask to be unsubscribed.",
        "sample_title": "A sample link",
        "sample": "In the real message, this link leads its recipient to the page where they decide to receive no more "
        "messages, or not to be tracked. Nothing was changed.",
        "other_language": "Lire cette page en français",
    },
}


def choose_language(*wanted: str) -> Language:
    """Return the first language of `wanted` that the pages speak (tags and Accept-Language lists).

    Where none is, English for those who named another one, as under their mail; else French.
    """
    named = False
    for text in wanted:
        for part in text.split(","):
            tag = part.strip()[:2].lower()
            if tag == "fr" or tag == "en":
                return "fr" if tag == "fr" else "en"
            named = named or tag.isalpha()
    return "en" if named else "fr"


def shared_words(language: Language) -> dict[str, str]:
    """Return the words that more than one page says, by name."""
    return _WORDS[language]


def other_language(language: Language) -> str:
    """Return the link to the same page in the other language."""
    other: Language = "en" if language == "fr" else "fr"
    return link(f"?lang={other}", _WORDS[language]["other_language"], other)


def link(address: str, words: str, language: Language | None = None) -> str:
    """Return a link; `language` is that of its words where it is not the page's."""
    marked = f' lang="{language}" hreflang="{language}"' if language else ""
    return f'<a href="{html.escape(address)}"{marked}>{html.escape(words)}</a>'


def paragraph(text: str, kind: str = "") -> str:
    """Return a paragraph of plain words."""
    marked = f' class="{kind}"' if kind else ""
    return f"<p{marked}>{html.escape(text)}</p>"


def page(language: Language, title: str, body: str, links: str = "") -> str:
    """Return the whole page; `body` and `links` are markup, `title` is not. Without links it leads nowhere."""
    nav = f"<nav>{links}</nav>" if links else ""
    return (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1"><meta name="robots" content="noindex">'
        f"<title>{html.escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{html.escape(title)}</h1>{body}{nav}</main></body></html>"
    )


def broken(language: Language) -> str:
    """Return the page for a link that is damaged; it tells nothing and holds no link to follow."""
    words = _WORDS[language]
    return page(language, words["bad_title"], paragraph(words["bad"]))


def sample(language: Language) -> str:
    """Return the page behind a link of a test or a preview."""
    words = _WORDS[language]
    return page(language, words["sample_title"], paragraph(words["sample"]), other_language(language))


def answer(body: str, status: int = 200) -> Response:
    """Return a page as it is sent: never kept, never listed, and allowed nothing but its own form."""
    return HTMLResponse(body, status, _HEADERS)
