"""The lines under every campaign mail: how to unsubscribe, and the postal address (tracking.md, Unsubscribe)."""

import html as markup
from dataclasses import dataclass
from functools import lru_cache

_WORDS = {
    "fr": ("Ne plus recevoir ces messages", "se désinscrire"),
    "en": ("To stop these messages", "unsubscribe"),
}


@dataclass(frozen=True, slots=True)
class Footer:
    """What the footer says; `unsubscribe_url` is absent where the mail's own text has the link."""

    language: str
    postal_address: str
    unsubscribe_url: str | None


def with_footer(html: str | None, text: str, footer: Footer) -> tuple[str | None, str]:
    """Return both parts of a mail with the footer under them."""
    lines = []
    if footer.postal_address:
        lines.append(" · ".join(part.strip() for part in footer.postal_address.splitlines() if part.strip()))
    lead, _ = _words(footer.language)
    if footer.unsubscribe_url is not None:
        lines.append(
            f"{lead}\u00a0: {footer.unsubscribe_url}"
            if footer.language[:2] == "fr"
            else f"{lead}: {footer.unsubscribe_url}"
        )
    if not lines:
        return html, text
    below = text.rstrip("\n") + "\n\n--\n" + "\n".join(lines) + "\n"
    return (
        None if html is None else html + _html(footer.language, footer.postal_address, footer.unsubscribe_url)
    ), below


def _html(language: str, postal_address: str, unsubscribe_url: str | None) -> str:
    before, after = _frame(language, postal_address, unsubscribe_url is not None)
    return before + (markup.escape(unsubscribe_url) + after if unsubscribe_url is not None else "")


@lru_cache(maxsize=1024)
def _frame(language: str, postal_address: str, linked: bool) -> tuple[str, str]:
    lead, verb = _words(language)
    address = "<br>".join(markup.escape(part.strip()) for part in postal_address.splitlines() if part.strip())
    opening = '<div style="margin-top:24px;font-size:12px;color:#6b6b6b">' + address
    if not linked:
        return opening + "</div>", ""
    colon = "\u00a0: " if language[:2] == "fr" else ": "
    between = "<br>" if address else ""
    return f'{opening}{between}{lead}{colon}<a href="', f'" style="color:#6b6b6b">{verb}</a></div>'


def _words(language: str) -> tuple[str, str]:
    return _WORDS["fr" if language[:2].lower() == "fr" else "en"]
