"""Our own pixels and links where they come back to us: quoted in an answer, or in the copy of what was sent.

Whoever reads there is one of our users. What they load or follow must not count as the recipient's doing.
"""

import html as markup
import re
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import unquote

from sqlmodel import Session

from fluenzr_app.crypto import KeyRing
from fluenzr_app.tracking.errors import BadLink
from fluenzr_app.tracking.links import RetiredKeys, read_click
from fluenzr_app.workspaces.secrets import retired_link_keys

# With the brackets in which text shows the address of a link, without the marks of a sentence behind it.
_ADDRESS = re.compile(
    r"(?P<opens>[<(\[]?)(?P<address>https?://[^\s<>\"')\]]*[^\s<>\"')\].,;:!?])(?P<closes>[>)\]]?)", re.IGNORECASE
)
_IMAGE = re.compile(r"<img\b[^<>]*?\ssrc=\"([^\"<>]*)\"[^<>]*>", re.IGNORECASE)
_ANCHOR = re.compile(r"(?P<before><a\b[^<>]*?\shref=\")(?P<address>[^\"<>]*)(?P<after>\"[^<>]*>)(?P<ends></a>)?", re.I)


@dataclass(frozen=True, slots=True)
class OwnLinks:
    """Knows our pixels and links, and where the links lead."""

    keyring: KeyRing = field(repr=False)
    public_url: str
    retired: RetiredKeys = field(repr=False)

    def plain(self, address: str) -> str | None:
        """Return where an address leads without telling that it was followed; the address itself if it is not ours.

        None for a pixel, the trap, and a link of ours that is damaged. One that a mail program wrapped into an
        address of its own is ours too.
        """
        place = self._place
        if place not in address.casefold() and "%" not in address:
            return address
        found = re.search(re.escape(place) + r"/([oc])/([\w-]+)", unquote(address), re.IGNORECASE)
        if found is None:
            return address
        if found[1].lower() == "o":
            return None
        try:
            return read_click(self.keyring, found[2], self.retired).address or None
        except BadLink:
            return None

    def plain_text(self, text: str) -> str:
        """Return a text in which our links stand as the author wrote them."""
        return _ADDRESS.sub(self._in_text, text) if self._host in text.casefold() else text

    def plain_html(self, page: str) -> str:
        """Return HTML that this installation composed without pixel and trap, its links as the author wrote them."""
        page = _IMAGE.sub(lambda found: found[0] if self.plain(markup.unescape(found[1])) is not None else "", page)
        return _ANCHOR.sub(self._in_anchor, page)

    @property
    def _place(self) -> str:
        """Host and path of the installation: a mail may come back with another scheme before them."""
        return self.public_url.partition("://")[2].casefold()

    @property
    def _host(self) -> str:
        return self._place.partition("/")[0]

    def _in_text(self, found: re.Match[str]) -> str:
        plain = self.plain(found["address"])
        if plain is not None:
            return f"{found['opens']}{plain}{found['closes']}"
        return "" if found["opens"] and found["closes"] else found["opens"] + found["closes"]

    def _in_anchor(self, found: re.Match[str]) -> str:
        address = markup.unescape(found["address"])
        plain = self.plain(address)
        if plain == address:
            return found[0]
        if plain is None and found["ends"]:
            return ""
        return f"{found['before']}{markup.escape(plain or '#')}{found['after']}{found['ends'] or ''}"


def own_links(session: Session, keyring: KeyRing, public_url: str) -> OwnLinks:
    """Return what knows our links, also those from before a rotation of the key, while `session` is open."""
    return OwnLinks(keyring, public_url, partial(retired_link_keys, session, keyring))
