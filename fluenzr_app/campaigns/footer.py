"""The lines under every campaign mail: the postal address, how to unsubscribe, what the mail tells (tracking.md)."""

import html as markup
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class _Words:
    lead: str
    unsubscribe: str
    notice: str
    object: str
    colon: str


_WORDS = {
    "fr": _Words(
        "Ne plus recevoir ces messages",
        "se désinscrire",
        "Ce message contient une image qui nous indique s’il a été ouvert",
        "s’y opposer",
        "\u00a0: ",
    ),
    "en": _Words(
        "To stop these messages",
        "unsubscribe",
        "This message holds an image that tells us whether it was opened",
        "object to it",
        ": ",
    ),
}


@dataclass(frozen=True, slots=True)
class Footer:
    """What the footer says; `unsubscribe_url` is absent where the mail's own text has the link.

    `preferences_url` is where the reader can object to the pixel, present when the mail has one.
    """

    language: str
    postal_address: str
    unsubscribe_url: str | None
    preferences_url: str | None = None


def with_footer(html: str | None, text: str, footer: Footer) -> tuple[str | None, str]:
    """Return both parts of a mail with the footer under them."""
    words = _words(footer.language)
    # A mail of plain text alone has no image.
    objects = footer.preferences_url if html is not None else None
    lines = []
    if footer.postal_address:
        lines.append(" · ".join(part.strip() for part in footer.postal_address.splitlines() if part.strip()))
    if footer.unsubscribe_url is not None:
        lines.append(f"{words.lead}{words.colon}{footer.unsubscribe_url}")
    if objects is not None:
        lines.append(f"{words.notice}. {words.object.capitalize()}{words.colon}{objects}")
    if not lines:
        return html, text
    below = text.rstrip("\n") + "\n\n--\n" + "\n".join(lines) + "\n"
    return None if html is None else html + _html(
        footer.language, footer.postal_address, footer.unsubscribe_url, objects
    ), below


def _html(language: str, postal_address: str, unsubscribe_url: str | None, preferences_url: str | None) -> str:
    words = _words(language)
    lines = [_address(postal_address)] if postal_address else []
    if unsubscribe_url is not None:
        lines.append(f"{words.lead}{words.colon}{_link(unsubscribe_url, words.unsubscribe)}")
    if preferences_url is not None:
        lines.append(f"{words.notice}{words.colon}{_link(preferences_url, words.object)}")
    # Our words run from left to right under a text of any language; an address as its first letters do.
    style = "margin-top:24px;font-size:12px;line-height:1.5;color:#6b6b6b;overflow-wrap:anywhere"
    return f'<div dir="ltr" lang="{_spoken(language)}" style="{style}">{"<br>".join(lines)}</div>'


def _link(url: str, words: str) -> str:
    return f'<a href="{markup.escape(url)}" style="color:#6b6b6b">{words}</a>'


@lru_cache(maxsize=1024)
def _address(postal_address: str) -> str:
    parts = [markup.escape(part.strip()) for part in postal_address.splitlines() if part.strip()]
    return "<br>".join(f'<span dir="auto">{part}</span>' for part in parts)


def _words(language: str) -> _Words:
    return _WORDS[_spoken(language)]


def _spoken(language: str) -> str:
    return "fr" if language[:2].lower() == "fr" else "en"
