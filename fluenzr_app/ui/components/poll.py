"""A page that brings itself up to date while somebody looks at it."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.el.element import Element


class _Poll(Element):
    """`<fz-poll>` of assets/boot.js: clicks itself every so many seconds while its tab is seen."""

    tag = "poll"
    alias = "fz-poll"
    seconds: rx.Var[int]


def poll(seconds: int, on_due: Any) -> rx.Component:
    """Return what asks `on_due` every `seconds` while the page is in front, and once when it comes back there."""
    return _Poll.create(seconds=seconds, on_click=on_due, custom_attrs={"hidden": True})
