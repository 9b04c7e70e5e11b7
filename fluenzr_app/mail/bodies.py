"""Bodies of mails: HTML made safe, and plain text as simple HTML."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import nh3

_TAGS = set(nh3.ALLOWED_TAGS)
_ATTRIBUTES = {tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items()} | {"*": {"style", "title", "dir"}}
_SCHEMES = {"http", "https", "mailto", "tel", "sms", "cid"}
_STYLES = {
    *("color", "background-color", "font-family", "font-size", "font-style", "font-weight", "line-height"),
    *("text-align", "text-decoration", "vertical-align", "margin", "margin-top", "margin-bottom", "margin-left"),
    *("margin-right", "padding", "padding-top", "padding-bottom", "padding-left", "padding-right"),
    *("border", "border-radius", "border-collapse", "border-spacing", "width", "max-width", "height", "display"),
}
# What other people's mail programs write and the editor does not.
_FOREIGN_TAGS = {"font"}
_FOREIGN_ATTRIBUTES = {
    "font": {"color", "size", "face"},
    "table": {"border", "bgcolor"},
    "td": {"bgcolor", "valign", "width"},
    "th": {"bgcolor", "valign", "width"},
    "tr": {"bgcolor", "valign"},
}

_LINK = re.compile(
    r"(?P<url>https?://[^\s<>\"]{1,1000}[^\s<>\".,;:!?)\]}'»])"
    r"|(?<![\w.+-])(?P<mail>[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8})"
)
_PARAGRAPHS = re.compile(r"\n(?:[ \t]*\n)+")


def clean_html(markup: str) -> str:
    """Return HTML that can stand in a mail and in a page: no scripts, forms, foreign schemes or unknown attributes."""
    return nh3.clean(
        markup, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, filter_style_properties=_STYLES, link_rel=None
    )


def clean_foreign_html(markup: str, attribute_filter: Callable[[str, str, str], str | None]) -> str:
    """Return somebody else's HTML under the same rules as `clean_html`, for a page: links open elsewhere.

    `attribute_filter` gets element, attribute and value, and gives the value to keep, None for none. `data:` passes
    the schemes, for images that the filter puts in; the filter must refuse it elsewhere.
    """
    attributes = {tag: set(names) for tag, names in _ATTRIBUTES.items()}
    for tag, names in _FOREIGN_ATTRIBUTES.items():
        attributes[tag] = attributes.get(tag, set()) | names
    return nh3.clean(
        markup,
        tags=_TAGS | _FOREIGN_TAGS,
        attributes=attributes,
        attribute_filter=attribute_filter,
        url_schemes=_SCHEMES | {"data"},
        filter_style_properties=_STYLES,
        link_rel="noopener noreferrer",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )


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
