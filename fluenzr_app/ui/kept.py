"""What is typed into a form and not saved: kept in this browser, said beside the form, gone once it is saved.

    form(…, kept("contacts-new"), on_submit=NewContactState.save)
    return [rx.toast.success(…), kept_is_saved("contacts-new")]

A form that saves each field as it is left stands in an element with `data-keeps` and names what is stored by now:
`kept("contact", stored=C.values)`. Passwords are never kept, nor what has `data-unkept` (assets/frame.js).
"""

import json
from typing import Any

import reflex as rx
from reflex_components_core.el.element import Element

from fluenzr_app.ui.components.values import Text, icon
from fluenzr_app.ui.language import t
from fluenzr_app.ui.shell import ShellState


class _Kept(Element):
    tag = "kept"
    alias = "fz-kept"
    place: rx.Var[str]
    person: rx.Var[str]
    zone: rx.Var[str]
    stored: rx.Var[str]
    settles: rx.Var[str]


def kept(
    place: Text,
    *,
    stored: rx.Var[Any] | None = None,
    settles: bool = False,
    quiet: bool = False,
    person: Text = ShellState.email,
) -> rx.Component:
    """Return what keeps the form around it and says so: saving, saved, refused, or not saved and kept here.

    `stored` holds by name what the server has, for fields that are saved one by one; with `settles` a field that was
    brought back is left again at once, so that it is saved. `quiet` is for where something else says “saved”. What is
    kept belongs to `person`; a page for nobody in particular gives a name of its own.
    """
    given: dict[str, Any] = {}
    if stored is not None:
        data = stored._get_all_var_data()
        given["stored"] = rx.Var(f"JSON.stringify({stored!s})", _var_type=str, _var_data=data)
    if settles:
        given["settles"] = "true"
    return _Kept.create(
        _line(
            "saved", icon("cloud-check", 14), t("common.saved_at", time=""), rx.el.span(custom_attrs={"data-at": ""})
        ),
        _line("saving", icon("loader-circle", 14, class_name="fz-spin"), t("common.saving")),
        _line("refused", icon("circle-alert", 14), t("common.save_refused")),
        _line(
            "unsaved",
            icon("cloud-off", 14),
            rx.el.span(t("common.unsaved")),
            rx.el.button(t("common.drop_kept"), type="button", custom_attrs={"data-drop": ""}, class_name="fz-link"),
        ),
        place=place,
        person=person,
        zone=ShellState.zone,
        class_name="fz-save fz-kept fz-kept-quiet" if quiet else "fz-save fz-kept",
        custom_attrs={"role": "status"},
        **given,
    )


def kept_is_saved(place: str) -> Any:
    """Return the event by which a handler tells the browser that what was typed at `place` is stored now."""
    return rx.call_script(f"window.fz.kept.saved({json.dumps(place)})")


def kept_is_dropped(place: str) -> Any:
    """Return the event by which a handler tells the browser that what was typed at `place` is not wanted any more."""
    return rx.call_script(f"window.fz.kept.dropped({json.dumps(place)})")


def _line(state: str, *children: Any) -> rx.Component:
    return rx.el.span(*children, class_name="fz-kept-line", data_of=state)
