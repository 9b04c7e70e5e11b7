"""Bodies of mails: rich text made safe, its plain alternative, and plain text as simple HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

import nh3
from inscriptis import get_text  # type: ignore[import-untyped]
from inscriptis.model.config import ParserConfig  # type: ignore[import-untyped]
from inscriptis.model.html_document_state import HtmlDocumentState  # type: ignore[import-untyped]
from inscriptis.model.tag import CustomHtmlTagHandlerMapping  # type: ignore[import-untyped]

_TAGS = frozenset({
    "a", "b", "blockquote", "br", "code", "div", "em", "h1", "h2", "h3", "hr", "i", "img", "li", "ol", "p", "pre", "s",
    "span", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "u", "ul",
})  # fmt: skip
_DROPPED_WITH_CONTENT = frozenset({"script", "style", "title", "textarea", "noscript", "svg", "math", "template"})
_ATTRIBUTES = {
    "*": {"style"},
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height"},
    "td": {"align", "valign", "width", "colspan", "rowspan"},
    "th": {"align", "valign", "width", "colspan", "rowspan"},
    "table": {"width", "cellpadding", "cellspacing", "border", "align", "role"},
    "ol": {"start"},
}
_STYLES = frozenset({
    "color", "background-color", "font-family", "font-size", "font-style", "font-weight", "line-height", "text-align",
    "text-decoration", "margin", "margin-top", "margin-bottom", "margin-left", "margin-right", "padding", "padding-top",
    "padding-bottom", "padding-left", "padding-right", "border", "border-left", "border-top", "border-bottom",
    "border-right", "border-radius", "border-collapse", "width", "max-width", "height", "vertical-align", "white-space",
})  # fmt: skip
_SCHEMES = frozenset({"http", "https", "mailto", "tel"})

_LINK = re.compile(r"(?P<url>https?://[^\s<>\"]+[^\s<>\".,;:!?)\]}'»])|(?P<mail>[\w.+-]+@[\w-]+(?:\.[\w-]+)+)")
_PARAGRAPHS = re.compile(r"\n[ \t]*\n\s*")
_TWICE = re.compile(r"(?P<shown>\S+) \((?:mailto:)?(?P=shown)/?\)")
_BLANK_LINES = re.compile(r"\n{3,}")


def sanitise(rich: str) -> str:
    """Rich text as the editor makes it, with everything that could run, load or overlay taken out.

    Links keep http, https, mailto and tel; variables in an address stay as they are.
    """
    return nh3.clean(
        rich,
        tags=set(_TAGS),
        clean_content_tags=set(_DROPPED_WITH_CONTENT),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        url_schemes=set(_SCHEMES),
        filter_style_properties=set(_STYLES),
        link_rel=None,
        strip_comments=True,
    )


def html_to_text(rich: str) -> str:
    """The plain alternative of an HTML body: paragraphs, lists, and each link as `words (address)`.

    Takes about a millisecond. HTML nested deeper than the converter can follow loses its layout, not its words.
    """
    if not rich.strip():
        return ""
    try:
        text = get_text(rich, _TEXT_RULES)
    except RecursionError:
        text = ""
    if not text.strip():
        # The parser gives up silently on some deep trees.
        text = html.unescape(nh3.clean(rich, tags=set(), clean_content_tags=set(_DROPPED_WITH_CONTENT)))
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return _BLANK_LINES.sub("\n\n", _TWICE.sub(lambda found: found["shown"], lines)).strip("\n")


def text_to_html(text: str) -> str:
    """Plain text as minimal HTML: paragraphs, line breaks, links to web and mail addresses, all else escaped."""
    paragraphs = _PARAGRAPHS.split(text.replace("\r\n", "\n").replace("\r", "\n").strip("\n"))
    return "\n".join(f"<p>{_linked(paragraph).replace(chr(10), '<br>' + chr(10))}</p>" for paragraph in paragraphs)


def _linked(text: str) -> str:
    parts, end = [], 0
    for found in _LINK.finditer(text):
        shown = html.escape(found[0])
        href = shown if found["url"] else f"mailto:{shown}"
        parts += [html.escape(text[end : found.start()], quote=False), f'<a href="{href}">{shown}</a>']
        end = found.end()
    return "".join([*parts, html.escape(text[end:], quote=False)])


def _remember_link(state: HtmlDocumentState, attributes: Mapping[str, str]) -> None:
    href = attributes.get("href", "").strip()
    state.link_target = href if href.lower().startswith(("http://", "https://", "mailto:", "tel:", "{{")) else ""


def _write_link(state: HtmlDocumentState) -> None:
    if state.link_target:
        state.tags[-1].write(f" ({state.link_target})")
    state.link_target = ""


_TEXT_RULES = ParserConfig(
    display_links=True,
    custom_html_tag_handler_mapping=CustomHtmlTagHandlerMapping(
        start_tag_mapping={"a": _remember_link}, end_tag_mapping={"a": _write_link}
    ),
)
