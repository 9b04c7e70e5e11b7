"""HTML as plain text: the plain alternative of what is sent, and the words of what comes in as HTML only."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from html.parser import HTMLParser

from fluenzr_app.mail.page import Element, drop_unseen, read_page, write_page

# What somebody wrote stands at the top; beyond this are threads years long.
_PAGE_MAX = 250_000
_TAG = re.compile(r"<[^<>]*>")
_BLOCKS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "table", "blockquote", "pre", "figure", "dl"})
_LINES = frozenset({"div", "li", "tr", "section", "article", "header", "footer", "dt", "dd", "center", "figcaption"})
# Deeper lists stay at this depth: markup of nothing but lists must not grow into a text of nothing but blanks.
_INDENTS_MAX = 6
_BLANKS = re.compile(r"[ \t\r\n\f\xa0]+")
_MANY_BREAKS = re.compile(r"[ \t]*\n[ \t]*\n(?:[ \t]*\n)+")


def text_of_page(page: str) -> str:
    """Return HTML from anywhere as plain text, of at most its first 250,000 characters.

    HTML nested deeper than anybody writes loses its layout, not its words.
    """
    if not page.strip("\0 \t\r\n"):
        return ""
    tree = read_page(page[: 4 * _PAGE_MAX])
    if tree is None:
        return " ".join(html.unescape(_TAG.sub(" ", page[:_PAGE_MAX])).split())
    return text_of_tree(tree)


def text_of_tree(tree: Element) -> str:
    """Return a page as plain text; takes out of the tree what no reader sees."""
    drop_unseen(tree)
    return html_to_text(write_page(tree)[:_PAGE_MAX])


def html_to_text(markup: str, write_address: Callable[[str], str] = " ({})".format) -> str:
    """Return clean HTML as plain text: paragraphs apart, lists with marks, links as ``words (address)``.

    `write_address` gives what stands behind a link's words for its address.
    """
    reader = _Reader(write_address)
    reader.feed(markup)
    reader.close()
    return squeeze("".join(reader.out)).strip()


def squeeze(text: str) -> str:
    """Return a text with at most one empty line in a row: an if-block that shows nothing leaves its breaks behind."""
    # Looking twice for plain characters costs a tenth of the expression, and most mails need neither.
    return _MANY_BREAKS.sub("\n\n", text) if "\n\n\n" in text or "\n " in text or " \n" in text else text


class _Reader(HTMLParser):
    """Writes text while it reads tags; blanks collapse as a browser would show them."""

    def __init__(self, write_address: Callable[[str], str]) -> None:
        super().__init__(convert_charrefs=True)
        self._write_address = write_address
        self.out: list[str] = []
        # One entry for each open list: the next number, or None for bullets.
        self._lists: list[int | None] = []
        self._links: list[tuple[str, int]] = []
        self._preformatted = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag in _BLOCKS:
            # A list inside a list only begins a line.
            self._break(1 if self._lists and tag in ("ul", "ol") else 2)
        elif tag in _LINES:
            self._break(1)
        match tag:
            case "br":
                self.out.append("\n")
            case "hr":
                self._break(2)
                self.out.append("--------\n\n")
            case "img" if values.get("alt"):
                self.handle_data(values["alt"])
            case "a":
                self._links.append((values.get("href", "").strip(), len(self.out)))
            case "ul":
                self._lists.append(None)
            case "ol":
                start = values.get("start", "")
                self._lists.append(int(start) if start.isdecimal() and len(start) < 6 else 1)
            case "li":
                self.out.append(self._mark())
            case "pre":
                self._preformatted += 1
            case "td" | "th" if not self._at_line_start():
                self.out.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("ul", "ol") and self._lists:
            self._lists.pop()
        if tag == "pre" and self._preformatted:
            self._preformatted -= 1
        if tag == "a" and self._links:
            self._close_link(*self._links.pop())
        if tag in _BLOCKS:
            self._break(1 if self._lists else 2)
        elif tag in _LINES:
            self._break(1)

    def handle_data(self, data: str) -> None:
        text = data if self._preformatted else _BLANKS.sub(" ", data)
        if self._at_line_start() or (text[:1] == " " and self.out[-1].endswith(" ")):
            text = text if self._preformatted else text.lstrip(" ")
        if text:
            self.out.append(text)

    def _mark(self) -> str:
        indent = "  " * min(max(len(self._lists) - 1, 0), _INDENTS_MAX)
        if not self._lists or self._lists[-1] is None:
            return f"{indent}- "
        number = self._lists[-1]
        self._lists[-1] = number + 1
        return f"{indent}{number}. "

    def _close_link(self, address: str, begins: int) -> None:
        words = "".join(self.out[begins:]).strip()
        if not address or address.startswith("#") or _same_place(words, address):
            return
        self.out.append(self._write_address(address))

    def _at_line_start(self) -> bool:
        return not self.out or self.out[-1].endswith("\n")

    def _break(self, wanted: int) -> None:
        """End the line, and leave `wanted` - 1 empty lines; nothing at the very beginning or right behind a mark."""
        while self.out and self.out[-1].strip(" ") == "":
            self.out.pop()
        if not self.out or re.fullmatch(r" *(?:-|\d+\.) ", self.out[-1]):
            return
        self.out[-1] = self.out[-1].rstrip(" ") if not self._preformatted else self.out[-1]
        tail = "".join(self.out[-2:])
        missing = wanted - (len(tail) - len(tail.rstrip("\n")))
        if missing > 0:
            self.out.append("\n" * missing)


def _same_place(words: str, address: str) -> bool:
    """Return whether a link's words are its address already."""

    def bare(text: str) -> str:
        return re.sub(r"^(?:https?://|mailto:|tel:)", "", text.strip(), flags=re.IGNORECASE).rstrip("/").casefold()

    return bare(words) == bare(address)
