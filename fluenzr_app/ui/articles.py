"""The user's guide in the application: the Markdown of `docs/` as clean HTML, and what it says of each symptom."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from fluenzr_app.bundle import ROOT
from fluenzr_app.words.catalogue import Lang

GUIDE: Final = ROOT / "docs"
# The name of an article in its address, and its file in each language.
FILES: Final[Mapping[str, Mapping[Lang, str]]] = {
    "getting-started": {"fr": "premiers-pas", "en": "getting-started"},
    "dashboard": {"fr": "tableau-de-bord", "en": "dashboard"},
    "accounts": {"fr": "comptes-email", "en": "accounts"},
    "contacts": {"fr": "contacts", "en": "contacts"},
    "campaigns": {"fr": "campagnes", "en": "campaigns"},
    "tracking": {"fr": "suivi", "en": "tracking"},
    "inbox": {"fr": "boite-de-reception", "en": "inbox"},
    "settings": {"fr": "parametres", "en": "settings"},
    "api": {"fr": "api", "en": "api"},
    "problems": {"fr": "problemes", "en": "problems"},
    "problems-accounts": {"fr": "problemes-comptes", "en": "problems-accounts"},
    "problems-campaigns": {"fr": "problemes-campagnes", "en": "problems-campaigns"},
    "problems-contacts": {"fr": "problemes-contacts", "en": "problems-contacts"},
    "problems-delivery": {"fr": "problemes-remise", "en": "problems-delivery"},
    "problems-pages": {"fr": "problemes-pages", "en": "problems-pages"},
    "problems-api": {"fr": "problemes-api", "en": "problems-api"},
}
_TAGS: Final = {
    "a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "hr", "li", "ol", "p", "pre", "strong", "table", "tbody",
    "td", "th", "thead", "tr", "ul",
}  # fmt: skip
_ATTRIBUTES: Final = {"a": {"href", "id"}, "ol": {"start"}}
_HEADING: Final = re.compile(r"^# (.+)$", re.MULTILINE)
_ANCHOR: Final = re.compile(r'^<a id="symptom-(\d+)"></a>\s*$', re.MULTILINE)
_SECTION: Final = re.compile(r"^## (?:\d+\. )?(.+)$", re.MULTILINE)
_LOCAL: Final = re.compile(r"^([\w-]+)\.md(#[\w-]+)?$")


@dataclass(frozen=True)
class Article:
    """A page of the guide, or its part about one symptom: its title, its HTML, and its plain text for searching."""

    title: str
    html: str
    text: str


def article(lang: Lang, name: str) -> Article | None:
    """Return an article of the guide by the name in its address; None where there is none of that name."""
    return _read(lang, name) if name in FILES else None


@functools.cache
def symptoms_told(lang: Lang) -> Mapping[int, Article]:
    """Return what the guide says of each symptom, by its number; one that it leaves out is not in it."""
    found: dict[int, Article] = {}
    for name in FILES:
        if name.startswith("problems"):
            found |= _symptoms_in(lang, name)
    return found


def _symptoms_in(lang: Lang, name: str) -> dict[int, Article]:
    text = _text(lang, name)
    marks = list(_ANCHOR.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    found = {}
    for mark, end in zip(marks, ends, strict=True):
        part = text[mark.end() : end]
        heading = _SECTION.search(part)
        if heading:
            body = part[heading.end() :]
            found[int(mark[1])] = Article(heading[1], _html(lang, body), body)
    return found


@functools.cache
def _read(lang: Lang, name: str) -> Article | None:
    text = _text(lang, name)
    heading = _HEADING.search(text)
    if heading is None:
        return None
    body = text[heading.end() :]
    return Article(heading[1], _html(lang, body), body)


def _text(lang: Lang, name: str) -> str:
    path = Path(GUIDE, lang, f"{FILES[name][lang]}.md")
    return path.read_text("utf-8") if path.is_file() else ""


def _html(lang: Lang, markdown: str) -> str:
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    tokens = parser.parse(markdown)
    for token in tokens:
        _lead_into_the_application(lang, token.children or [])
    drawn = str(parser.renderer.render(tokens, parser.options, {}))
    return nh3.clean(drawn, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes={"http", "https", "mailto"}, link_rel=None)


def _lead_into_the_application(lang: Lang, tokens: list[Token]) -> None:
    """Make links between files of the guide lead to its pages here; what is not shown here loses its link."""
    for token in tokens:
        if token.type == "link_open":
            address = str(token.attrGet("href") or "")
            inside = _inside(lang, address)
            if inside:
                token.attrSet("href", inside)
            elif not address.startswith(("http://", "https://", "mailto:", "#")):
                token.attrs.pop("href", None)


def _inside(lang: Lang, address: str) -> str:
    local = _LOCAL.match(address)
    if local is None:
        return ""
    names = (name for name, files in FILES.items() if files[lang] == local[1])
    name = next(names, "")
    return f"/help/{name}{local[2] or ''}" if name else "/help" if local[1] == "README" else ""
