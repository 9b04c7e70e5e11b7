"""The keys of the pages: which there are, and what tells the browser and the list behind `?` that one works here.

A page names its key once, `key_act("inbox-next", InboxState.step(1))`: the key works while that stands on the page, and
`?` lists what stands there. None works while somebody types or a dialog is open (assets/frame.js).
"""

from dataclasses import dataclass
from typing import Any, Final, Literal

import reflex as rx
from reflex_components_core.el.element import Element

from fluenzr_app.ui.language import t


@dataclass(frozen=True)
class Key:
    """A key and the words for what it does: `letter` is one key, two in turn ("g c"), or "ctrl+k"."""

    letter: str
    words: str
    place: Literal["page", "frame"] = "page"


KEYS: Final[dict[str, Key]] = {
    "inbox-next": Key("j", "inbox.keys_of.next"),
    "inbox-previous": Key("k", "inbox.keys_of.previous"),
    "inbox-read": Key("r", "inbox.keys_of.read"),
    "inbox-unread": Key("u", "inbox.keys_of.unread"),
    "inbox-archive": Key("e", "inbox.keys_of.archive"),
    "inbox-send": Key("ctrl+Enter", "inbox.keys_of.send"),
    "list-next": Key("j", "keys.next_row"),
    "list-previous": Key("k", "keys.previous_row"),
    "list-open": Key("Enter", "keys.open_row"),
    "list-search": Key("/", "keys.search"),
    "frame-palette": Key("ctrl+k", "keys.palette", "frame"),
    "frame-keys": Key("?", "keys.this", "frame"),
}
# After `g`: where the menu's entries lead.
GO: Final[dict[str, str]] = {
    "/": "d",
    "/inbox": "i",
    "/campaigns": "c",
    "/contacts": "p",
    "/accounts": "a",
    "/settings": "s",
    "/help": "h",
}


class _KeyElement(Element):
    """`<fz-key>` of assets/frame.js: clicks itself when its key is pressed, unless it is only `listed`."""

    tag = "keypress"
    alias = "fz-key"
    letter: rx.Var[str]
    words: rx.Var[str]
    place: rx.Var[str]
    listed: rx.Var[str]


def key_act(name: str, on_press: Any = None) -> rx.Component:
    """Return what makes the key `name` of KEYS do `on_press` while it stands on the page.

    Without `on_press` it is only listed: something else on the page answers it.
    """
    key = KEYS[name]
    return _key(key.letter, t(key.words), key.place, on_press)


def go_key(href: str, words: Any) -> rx.Component:
    """Return what makes `g` and a letter lead to the menu's entry `href`; nothing if it has no letter."""
    if href not in GO:
        return rx.fragment()
    return _key(f"g {GO[href]}", words, "frame", rx.redirect(href))


def _key(letter: str, words: Any, place: str, on_press: Any) -> rx.Component:
    own: dict[str, Any] = {"listed": "true"} if on_press is None else {"on_click": on_press}
    return _KeyElement.create(letter=letter, words=words, place=place, custom_attrs={"hidden": True}, **own)


def list_keys() -> rx.Component:
    """Return the keys of a list whose rows open: up, down, open."""
    return rx.fragment(
        key_act("list-next", rx.call_script("window.fz.row(1)")),
        key_act("list-previous", rx.call_script("window.fz.row(-1)")),
        key_act("list-open"),
    )
