"""Figures, times, icons and links: the smallest things a page shows.

What is formatted here is formatted in the browser, in the language in use, and keeps itself right.
"""

from typing import Any

import reflex as rx
from reflex_components_core.el.element import Element
from reflex_components_core.react_router.dom import ReactRouterLink

from fluenzr_app.ui.language import LANG

Text = str | rx.Var[str]


def icon(name: str, size: int = 16, **props: Any) -> rx.Component:
    """Return a lucide drawing by its fixed name; 16 px, 14 in small buttons and rows, 12 in badges."""
    return rx.icon(name, size=size, stroke_width=2 if size <= 12 else 1.75, aria_hidden="true", **props)


def chosen_icon(which: rx.Var[str], icons: dict[str, str], otherwise: str, size: int = 16) -> rx.Component:
    """Return the drawing that belongs to the present value of `which`."""
    cases = [(value, icon(name, size)) for value, name in icons.items()]
    return rx.match(which, *cases, icon(otherwise, size))


def link(label: Any, href: Text, **props: Any) -> rx.Component:
    """Return a link to another page, or out of FluenzR with `is_external=True`, in a new tab."""
    props["class_name"] = f"fz-link {props.get('class_name', '')}"
    if props.pop("is_external", False):
        return rx.el.a(label, href=href, target="_blank", rel="noreferrer", **props)
    return ReactRouterLink.create(label, to=href, **props)


def number(value: Any, digits: int = 0) -> rx.Var[str]:
    """Return a number in the reader's format; an en dash if it is None."""
    return _in_browser("number", value, digits)


def percent(share: Any, digits: Any = 1) -> rx.Var[str]:
    """Return a share (0.064) as a percentage in the reader's format; an en dash if it is None."""
    return _in_browser("percent", share, digits)


def file_size(octets: Any) -> rx.Var[str]:
    """Return a size in the reader's format: 412 Ko; an en dash if it is None."""
    return _in_browser("size", octets)


def time_of_day(moment: Any, zone: Any = "") -> rx.Var[str]:
    """Return the hour and minute of an ISO moment in `zone`."""
    return _in_browser("time", moment, zone)


def long_date(moment: Any, zone: Any = "") -> rx.Var[str]:
    """Return the day of an ISO moment in `zone`: “mardi 24 novembre”."""
    return _in_browser("date", moment, zone)


def short_date(moment: Any, zone: Any = "") -> rx.Var[str]:
    """Return the day of an ISO moment in `zone` in few letters: “2 déc.”."""
    return _in_browser("day", moment, zone)


def when(moment: Any, zone: Any = "", *, mode: str = "relative", **props: Any) -> rx.Component:
    """Return an ISO moment as “il y a 3 min”, kept right, with the exact time of `zone` on hover.

    `mode="time"` shows 14:52 instead, `mode="date"` the day. An empty moment shows an en dash.
    """
    return _When.create(datetime=moment, zone=zone, mode=mode, reader=LANG.value, **props)


def kbd(keys: Text) -> rx.Component:
    """Return the drawing of keys."""
    return rx.el.kbd(keys, class_name="fz-kbd")


class _When(Element):
    """`<fz-when>` of assets/boot.js. Reflex makes JavaScript names from tags, which must not have a hyphen."""

    tag = "when"
    alias = "fz-when"
    datetime: rx.Var[str]
    zone: rx.Var[str]
    mode: rx.Var[str]
    reader: rx.Var[str]

    @classmethod
    def create(cls, *children: Any, **props: Any) -> rx.Component:
        props["custom_attrs"] = {"lang": props.pop("reader")} | props.pop("custom_attrs", {})
        return super().create(*children, **props)


class DemoClock(Element):
    """`<fz-demo-clock>` of assets/boot.js: day and time of the demonstration, which run fast."""

    tag = "democlock"
    alias = "fz-demo-clock"
    zone: rx.Var[str]
    reader: rx.Var[str]

    @classmethod
    def create(cls, *children: Any, **props: Any) -> rx.Component:
        props["custom_attrs"] = {"lang": props.pop("reader")} | props.pop("custom_attrs", {})
        return super().create(*children, **props)


class ServerClock(Element):
    """`<fz-clock>` of assets/boot.js: hands the server's time to the page."""

    tag = "clock"
    alias = "fz-clock"
    now: rx.Var[str]
    rate: rx.Var[float]


class ConnectionLost(Element):
    """`<fz-lost>` of assets/frame.js: stands in front of the page while the socket is away."""

    tag = "lost"
    alias = "fz-lost"


class PageVersion(Element):
    """`<fz-version>` of assets/frame.js: hands the name of the server's bundle to the page."""

    tag = "version"
    alias = "fz-version"
    bundle: rx.Var[str]


def _in_browser(function: str, *arguments: Any) -> rx.Var[str]:
    given = [LANG.value, *(rx.Var.create(argument) for argument in arguments)]
    data = rx.vars.VarData.merge(*(argument._get_all_var_data() for argument in given))
    inside = ", ".join(str(argument) for argument in given)
    return rx.Var(f"window.fz.{function}({inside})", _var_type=str, _var_data=data)
