"""What a reader is told when a handler fails, and what the log is."""

import json
import logging
import secrets
import traceback

import reflex as rx
from reflex.event import EventSpec

from fluenzr_app.ui.guard import SIGN_IN, SignedOut
from fluenzr_app.words.catalogue import Lang, catalogue, words
from fluenzr_app.workspaces.errors import NotAllowed

_log = logging.getLogger(__name__)


def on_backend_failure(exception: Exception) -> EventSpec:
    """Return the event that tells the reader of an error no handler caught; log it with a number both can quote."""
    if isinstance(exception, SignedOut):
        return rx.redirect(SIGN_IN)
    if isinstance(exception, NotAllowed):
        return rx.toast.error(_in_browser("failures.not_allowed"))
    number = secrets.token_hex(4)
    # The kind of the error and its places, never its words: a database error quotes the row it failed on.
    places = "".join(traceback.format_tb(exception.__traceback__))
    _log.error("a page's handler failed", extra={"failure": number, "kind": type(exception).__name__, "places": places})
    return rx.toast.error(
        _in_browser("failures.unexpected"), description=_in_browser("failures.quote", number=number), duration=15000
    )


def on_frontend_failure(exception: Exception) -> None:
    """Log what went wrong in a browser, without the reader's data: the first line only, cut short."""
    first = str(exception).strip().splitlines()[:1]
    _log.warning("a page failed in a browser", extra={"detail": first[0][:300] if first else ""})


def in_words(lang: Lang, error: Exception, area: str) -> str:
    """Return a room's error in the reader's language: the message `<area>.<code>` of the catalogues.

    `error` has a `code` and `details` for the places; without such a message its own words are returned.
    """
    code = getattr(error, "code", "")
    key = f"{area}.{code}"
    if code and key in catalogue():
        return words(lang, key, **getattr(error, "details", {}))
    return str(error)


def _in_browser(key: str, **values: str) -> rx.Var[str]:
    # Reflex calls the handlers above outside of the failed event, where nothing is known of the reader.
    english, french = (json.dumps(words(lang, key, **values)) for lang in ("en", "fr"))
    return rx.Var(f"(window.fz.lang() === 'en' ? {english} : {french})", _var_type=str)
