"""Somebody else's HTML as a document that can be shown in a sandboxed frame.

The frame's `srcdoc` takes the document; its `sandbox` holds no `allow-scripts`, and `allow-popups
allow-popups-to-escape-sandbox` so that links can open. Three walls stand one behind the other: what is taken out
here, the document's own content policy, and the sandbox.
"""

from __future__ import annotations

import html
import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fluenzr_app.mail.bodies import clean_foreign_html, text_to_html
from fluenzr_app.mail.html_text import text_of_page
from fluenzr_app.mail.page import drop_unseen, read_page, write_page

PAGE_MAX = 2_000_000
IMAGE_MAX = 2 * 1024 * 1024
IMAGES_MAX = 8 * 1024 * 1024

# SVG is no picture but a program.
_RASTER = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "image/bmp", "image/avif"})
_DATA = re.compile(r"data:(image/[a-z+.-]{2,20});base64,[A-Za-z0-9+/=\s]*", re.IGNORECASE | re.ASCII).fullmatch
_REMOTE = re.compile(r"https?://", re.IGNORECASE).match
_LINK = re.compile(r"(?:https?://|mailto:|tel:|sms:)", re.IGNORECASE).match
# The only functions whose result can be no address; a backslash could spell any other.
_STYLE_DANGER = re.compile(r"\\|@|(?<!rgb)(?<!rgba)(?<!hsl)(?<!hsla)\(", re.IGNORECASE).search
_PAPER = (
    "html{background:#fff;color:#1b1b1f;color-scheme:light}"
    "body{margin:0;padding:16px;font:15px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;"
    "overflow-wrap:anywhere;overflow-x:auto}"
    "img{max-width:100%!important;height:auto}table{max-width:100%}pre{white-space:pre-wrap}"
    "blockquote{margin:0 0 0 8px;padding-left:12px;border-left:3px solid #d5d7dd;color:#52555f}"
)


@dataclass(frozen=True, slots=True)
class ShownHtml:
    """A whole HTML document for `srcdoc`. `blocked_images`: remote ones left out. `shortened`: the end is missing."""

    document: str
    blocked_images: int
    shortened: bool


def for_display(
    page: str,
    *,
    remote_images: bool,
    inline: Mapping[str, tuple[str, bytes]],
    note: str = "[…]",
    plain: Callable[[str], str | None] = str,
) -> ShownHtml:
    """The document to show for a mail's HTML; never raises, takes well under a second.

    `inline`: for each Content-ID without brackets the type and the octets of an image in the mail. Only raster images
    of at most 2 MB are shown, 8 MB in all. `note` stands at the end of what was cut after two million characters.
    `plain` gives the address to use in the place of one from the page, None for one that is not even to be mentioned.
    """
    shortened = len(page) > PAGE_MAX
    page = page[:PAGE_MAX].encode("utf-8", "replace").decode("utf-8")
    images = _Images(remote_images, inline, plain)
    tree = read_page(page)
    if tree is None:
        body = clean_foreign_html(text_to_html(text_of_page(page)), images.keep)
    else:
        drop_unseen(tree)
        body = clean_foreign_html(write_page(tree), images.keep)
    if shortened:
        body += f"<p>{html.escape(note)}</p>"
    return ShownHtml(_document(body, remote_images=remote_images), images.blocked, shortened)


def _document(body: str, *, remote_images: bool) -> str:
    sources = "data: https: http:" if remote_images else "data:"
    policy = (
        f"default-src 'none'; img-src {sources}; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; "
        "frame-src 'none'"
    )
    return (
        f'<!doctype html><html><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" '
        f'content="{policy}"><meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light">'
        f"<style>{_PAPER}</style></head><body>{body}</body></html>"
    )


@dataclass(slots=True)
class _Images:
    """Decides about each attribute; counts what is left out, and what room is left for images in the page."""

    remote: bool
    inline: Mapping[str, tuple[str, bytes]]
    plain: Callable[[str], str | None]
    blocked: int = 0
    room: int = IMAGES_MAX
    written: dict[str, str | None] = field(default_factory=dict)

    def keep(self, element: str, attribute: str, value: str) -> str | None:
        """The value to keep, None for none."""
        if attribute == "style":
            return ";".join(rule for rule in value.split(";") if not _STYLE_DANGER(rule))
        if element == "img" and attribute == "src":
            return self._source(value.strip())
        if attribute in ("href", "src", "cite", "longdesc"):
            return self.plain(value) if attribute == "href" and _LINK(value.strip()) else None
        return value

    def _source(self, address: str) -> str | None:
        if _REMOTE(address):
            if self.plain(address) is None:
                return None
            if self.remote:
                return address
            self.blocked += 1
            return None
        if address[:4].lower() == "cid:":
            name = address[4:].strip("<>")
            if name not in self.written:
                self.written[name] = self._embedded(name)
            return self.written[name]
        found = _DATA(address)
        if found and found[1].lower() in _RASTER and self._takes(len(address) * 3 // 4):
            return address
        return None

    def _embedded(self, name: str) -> str | None:
        kind, octets = self.inline.get(name, ("", b""))
        if kind.lower() not in _RASTER or not self._takes(len(octets)):
            return None
        return f"data:{kind.lower()};base64,{b64encode(octets).decode('ascii')}"

    def _takes(self, octets: int) -> bool:
        if octets > IMAGE_MAX or octets > self.room:
            return False
        self.room -= octets
        return True
