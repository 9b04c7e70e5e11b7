"""A page of HTML from anywhere as a tree of bounded depth."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from lxml import etree  # type: ignore[import-untyped]

# Elements whose content is never words to read.
_UNSEEN = ("script", "style", "title", "head", "noscript", "template", "textarea", "svg", "math", "object", "iframe")

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
Element = Any  # lxml comes without types


def read_page(page: str) -> Element | None:
    """The page as a tree without comments; None when it is empty or nested deeper than libxml2 follows (256 levels).

    Slow parsers of HTML take minutes for a page of nothing but opening tags; libxml2 takes none, and what it
    writes can be given to them.
    """
    octets = _CONTROLS.sub("", page).encode("utf-8", "replace")
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, no_network=True)
    try:
        tree = etree.fromstring(octets, parser)
    except etree.XMLSyntaxError:
        return None
    if tree is None or any("depth" in error.message for error in parser.error_log[-3:]):
        return None
    return tree


def drop_unseen(tree: Element) -> None:
    """Takes out what no reader sees: scripts, styles, the head."""
    etree.strip_elements(tree, *_UNSEEN, with_tail=False)


def preformatted(text: str) -> Element:
    """A new `<pre>` with these words."""
    made = etree.Element("pre")
    made.text = text
    return made


def outermost(
    tree: Element, wanted: Callable[[Element, bool], bool], inside: Callable[[Element], bool]
) -> list[Element]:
    """The elements that `wanted` picks, without those inside another one, in document order.

    `wanted` is also told whether the element stands in one that `inside` picks. Takes one walk, whatever the nesting.
    """
    found: list[Element] = []
    depth = 0
    walk = etree.iterwalk(tree, events=("start", "end"))
    for event, one in walk:
        if inside(one):
            depth += 1 if event == "start" else -1
        if event == "start" and wanted(one, depth > 0):
            found.append(one)
            walk.skip_subtree()
    return found


def write_page(tree: Element) -> str:
    """The element with all it holds as well-formed HTML."""
    return str(etree.tostring(tree, encoding="unicode", method="html", with_tail=False))
