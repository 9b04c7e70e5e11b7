"""The field that takes a file to import: it goes to the app's own route, bounded and streamed, with its progress."""

from typing import Any

import reflex as rx

from fluenzr_app.ui.language import t

_ASSET = rx.asset("contacts_upload.jsx", shared=True)


def _stored(public_id: rx.Var[str]) -> tuple[rx.Var[str]]:
    return (public_id,)


def _refused(code: rx.Var[str], details: rx.Var[str]) -> tuple[rx.Var[str], rx.Var[str]]:
    return (code, details)


class _FileDrop(rx.NoSSRComponent):
    library = _ASSET.importable_path
    tag = "FileDrop"

    words: rx.Var[dict[str, str]]
    most_bytes: rx.Var[int]
    on_stored: rx.EventHandler[_stored]
    on_refused: rx.EventHandler[_refused]


class _Pulse(rx.NoSSRComponent):
    library = _ASSET.importable_path
    tag = "Pulse"

    every: rx.Var[int]
    on_beat: rx.EventHandler[rx.event.no_args_event_spec]


def file_drop(*, most_bytes: Any, on_stored: Any, on_refused: Any) -> rx.Component:
    """Return the field; `on_stored` gets the import's public id, `on_refused` a code and its values as JSON."""
    keys = ("title", "hint", "choose", "sending", "reading", "unit", "cancel")
    words = rx.Var.create({key: t(f"contacts_import.drop.{key}") for key in keys})
    return _FileDrop.create(words=words, most_bytes=most_bytes, on_stored=on_stored, on_refused=on_refused)


def pulse(every_ms: int, on_beat: Any) -> rx.Component:
    """Return nothing to see: `on_beat` runs every so often while this is on a page that is looked at."""
    return _Pulse.create(every=every_ms, on_beat=on_beat)
