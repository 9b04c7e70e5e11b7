"""The elements by which mail programs mark in HTML what they quote."""

from __future__ import annotations

from collections.abc import Collection

from fluenzr_app.mail.html_text import text_of_tree
from fluenzr_app.mail.page import Element, outermost, preformatted

# Everything that follows one of these was there before (Outlook).
_BEGINS_QUOTE = ("divRplyFwdMsg", "x_divRplyFwdMsg", "mail-editor-reference-message-container")
_ATTRIBUTIONS = ("gmail_attr", "moz-cite-prefix", "moz-email-headers-table")
_CONTAINERS = (
    "gmail_quote",
    "gmail_quote_container",
    "protonmail_quote",
    "yahoo_quoted",
    "tutanota_quote",
    "zmail_extra",
)
_MARK = "data-quoted"
_ATTRIBUTION_MAX = 400
# Nobody quotes more pieces; what lies beyond counts as new.
_MARKED_MAX = 1_000


def mark_quotes(tree: Element) -> None:
    """Replaces what is quoted by its words with `> ` before each line, so that plain text's rules find it."""
    for begins in outermost(tree, lambda one, _: one.get("id") in _BEGINS_QUOTE, _nowhere):
        begins.addprevious(preformatted("-----Original Message-----"))
    for one in outermost(tree, _is_citation, _is_container)[:_MARKED_MAX]:
        _quote(one)
    for one in outermost(tree, lambda one, _: _has_class(one, _ATTRIBUTIONS), _nowhere)[:_MARKED_MAX]:
        _quote(one)
    for one in outermost(tree, lambda one, _: _is_container(one), _nowhere)[:_MARKED_MAX]:
        quote = next((inner for inner in one.iter("pre") if inner.get(_MARK)), None)
        if quote is None:
            _quote(one)
        elif (one.text or "").strip().endswith(":") and len(one.text) < _ATTRIBUTION_MAX:
            quote.text = f"> {' '.join(one.text.split())}\n{quote.text}"
            one.text = ""


def _is_citation(one: Element, in_container: bool) -> bool:
    if one.tag != "blockquote":
        return False
    return in_container or (one.get("type") or "").lower() == "cite" or _has_class(one, _CONTAINERS)


def _is_container(one: Element) -> bool:
    return one.tag == "div" and _has_class(one, _CONTAINERS)


def _nowhere(_: Element) -> bool:
    return False


def _has_class(one: Element, names: Collection[str]) -> bool:
    return any(name in names for name in (one.get("class") or "").split())


def _quote(one: Element) -> None:
    parent = one.getparent()
    if parent is None:
        return
    # An attribution inside a quotation has gone into it.
    text = text_of_tree(one)
    made = preformatted("\n".join(f"> {line}" if not line.startswith(">") else f">{line}" for line in text.split("\n")))
    made.set(_MARK, "1")
    made.tail = one.tail
    parent.replace(one, made)
