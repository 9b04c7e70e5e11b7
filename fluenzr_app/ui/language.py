"""`t`: a text in a component, in the language the reader has chosen, without asking the server.

Both languages are in the bundle; `LANG` is the one in use. `assets/boot.js` chooses the
first one (this browser's last choice, else its preferred language, else French).
"""

from typing import Any

import reflex as rx
from reflex.experimental.client_state import ClientStateVar
from reflex_base.vars.base import LiteralVar

from fluenzr_app.words.catalogue import DEFAULT_LANGUAGE, Entry, Lang, message, split, words

LANG = ClientStateVar.create(
    "lang",
    default=rx.Var(
        f"(typeof window !== 'undefined' && window.fz ? window.fz.lang() : {DEFAULT_LANGUAGE!r})", _var_type=str
    ),
)

__all__ = ["LANG", "Lang", "is_english", "t", "words"]


def is_english() -> rx.Var[bool]:
    """Return the client's condition “the reader reads English”."""
    return LANG.value == "en"


def t(key: str, **values: Any) -> rx.Var[str]:
    """Return the message of `key` as a value for a component or one of its properties.

    `values` fill the places and may be state variables; numbers are written in the reader's
    format, and a message with two forms chooses by `n`. Raises CatalogueError at compile time
    if the key or a value is missing.
    """
    both = message(key)
    missing = (both["fr"].places | both["en"].places) - set(values)
    if missing:
        from fluenzr_app.words.catalogue import CatalogueError

        raise CatalogueError(f"“{key}” wants a value for {', '.join(sorted(missing))}")
    return rx.cond(is_english(), _text("en", both["en"], values), _text("fr", both["fr"], values)).to(str)


def _text(lang: Lang, entry: Entry, values: dict[str, Any]) -> Any:
    if entry.one is None or "n" not in values:
        return _filled(lang, entry.other, values)
    count = values["n"]
    if not isinstance(count, rx.Var):
        return _filled(lang, entry.form(lang, count), values)
    singular = count < 2 if lang == "fr" else count == 1
    return rx.cond(singular, _filled(lang, entry.one, values), _filled(lang, entry.other, values))


def _filled(lang: Lang, template: str, values: dict[str, Any]) -> Any:
    parts: list[Any] = []
    for part, is_place in split(template):
        parts.append(_value(lang, values[part]) if is_place else part)
    if all(isinstance(part, str) for part in parts):
        return "".join(parts)
    # JavaScript's + on strings: it starts with a text so that numbers are never added up.
    expression = " + ".join(["''", *(str(LiteralVar.create(part)) for part in parts)])
    data = rx.vars.VarData.merge(*(part._get_all_var_data() for part in parts if isinstance(part, rx.Var)))
    return rx.Var(f"({expression})", _var_type=str, _var_data=data)


def _value(lang: Lang, value: Any) -> Any:
    from fluenzr_app.words import formats

    if not isinstance(value, rx.Var):
        return formats.plain(lang, value)
    return value._replace(_js_expr=f"window.fz.plain({lang!r}, {value!s})", _var_type=str)
