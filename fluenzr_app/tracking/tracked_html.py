"""What tracking puts into a mail: links that lead through this installation, and a pixel at the end (tracking.md)."""

import html as markup
import re
from dataclasses import dataclass

from fluenzr_app.crypto import KeyRing
from fluenzr_app.tracking.links import LONGEST_URL, Click, TrackedMail, click_token_for, open_token_for

_WEB = re.compile(r"https?://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Tracking:
    """How one mail is tracked: by its opening, by its links, by both. A mail of which neither holds has none."""

    keyring: KeyRing
    public_url: str
    mail: TrackedMail
    opens: bool
    clicks: bool

    def link(self, source: str, address: str) -> str:
        """Return what stands in the place of a link; `source` is the address as the author wrote it.

        Left as they are: mailto and tel, our own pages for leaving and objecting, and what would become too long
        for some programs.
        """
        if not self.clicks or not _WEB.match(address) or len(address) > LONGEST_URL or self._is_own(address):
            return address
        url = self._click_url(Click(self.mail, source, address, self.opens))
        return url if len(url) <= LONGEST_URL else address

    def closing(self) -> str:
        """Return the HTML for a mail's end: a link that no person sees, and the pixel."""
        parts = []
        if self.clicks:
            trap = markup.escape(self._click_url(Click(self.mail, "", "", self.opens, trap=True)))
            parts.append(f'<a href="{trap}" style="display:none" aria-hidden="true" tabindex="-1"></a>')
        if self.opens:
            pixel = markup.escape(f"{self.public_url}/o/{open_token_for(self.keyring, self.mail)}")
            parts.append(f'<img src="{pixel}" width="1" height="1" alt="" style="width:1px;height:1px;border:0">')
        return "".join(parts)

    def _is_own(self, address: str) -> bool:
        return address.startswith((f"{self.public_url}/u/", f"{self.public_url}/p/"))

    def _click_url(self, click: Click) -> str:
        return f"{self.public_url}/c/{click_token_for(self.keyring, click)}"
