"""Fields of a form: label, help under the field, error at the field in plain words."""

from typing import Any

import reflex as rx

from fluenzr_app.ui.components.keys import key_act
from fluenzr_app.ui.components.values import icon
from fluenzr_app.ui.language import t


def field(
    label: Any,
    control: rx.Component,
    *,
    help: Any = "",  # noqa: A002
    error: Any = "",
    aside: Any = None,
) -> rx.Component:
    """Return a labelled control; `error` replaces the help while it is not empty."""
    has_error = (error != "") if isinstance(error, rx.Var) else bool(error)
    wrong = rx.el.span(icon("circle-alert", 12), error, class_name="fz-error", role="alert")
    return rx.el.label(
        rx.el.span(
            rx.el.span(label, class_name="fz-label"),
            *([aside] if aside is not None else []),
            class_name="fz-label-line",
        ),
        control,
        rx.cond(has_error, wrong, rx.el.span(help, class_name="fz-help"))
        if isinstance(has_error, rx.Var)
        else (wrong if has_error else rx.el.span(help, class_name="fz-help")),
        class_name="fz-field",
        data_wrong=has_error,
    )


def text_input(**props: Any) -> rx.Component:
    """Return a one-line field; give `name`, and `value` with `on_change` or `default_value`."""
    props["class_name"] = f"fz-input {props.get('class_name', '')}"
    return rx.el.input(**({"type": "text"} | props))


def text_area(**props: Any) -> rx.Component:
    """Return a field of several lines."""
    props["class_name"] = f"fz-input fz-area {props.get('class_name', '')}"
    return rx.el.textarea(**props)


def choice(options: list[tuple[str, Any]], **props: Any) -> rx.Component:
    """Return a drop-down of (value, label); the browser's own, so that keyboard and phone work."""
    props["class_name"] = f"fz-input fz-choice {props.get('class_name', '')}"
    return rx.el.select(*[rx.el.option(label, value=value) for value, label in options], **props)


def choice_of(options: rx.Var[list[Any]], value_of: Any, label_of: Any, **props: Any) -> rx.Component:
    """Return a drop-down over a state variable; `value_of` and `label_of` take one element."""
    props["class_name"] = f"fz-input fz-choice {props.get('class_name', '')}"
    first = props.pop("first", None)
    return rx.el.select(
        *([rx.el.option(first[1], value=first[0])] if first else []),
        rx.foreach(options, lambda option: rx.el.option(label_of(option), value=value_of(option))),
        **props,
    )


def password_input(name: str = "password", *, visible: Any, on_toggle: Any, **props: Any) -> rx.Component:
    """Return a password field whose eye shows what was typed; `visible` and `on_toggle` hold its state."""
    shown = rx.cond(visible, t("common.hide_password"), t("common.show_password"))
    return rx.el.span(
        text_input(name=name, type=rx.cond(visible, "text", "password"), **props),
        rx.el.button(
            rx.cond(visible, icon("eye-off"), icon("eye")),
            type="button",
            on_click=on_toggle,
            aria_label=shown,
            title=shown,
            class_name="fz-eye",
        ),
        class_name="fz-with-eye",
    )


def checkbox(label: Any, *, help: Any = "", **props: Any) -> rx.Component:  # noqa: A002
    """Return a box to tick with its words; `checked` and `on_change` hold its state."""
    return rx.el.label(
        rx.el.input(type="checkbox", class_name="fz-check", **props),
        rx.el.span(rx.el.span(label), rx.el.span(help, class_name="fz-help"), class_name="fz-check-words"),
        class_name="fz-check-line",
    )


def switch(label: Any, *, help: Any = "", **props: Any) -> rx.Component:  # noqa: A002
    """Return a switch that acts at once; `checked` and `on_change` hold its state."""
    return rx.el.label(
        rx.switch(size="1", **props),
        rx.el.span(rx.el.span(label), rx.el.span(help, class_name="fz-help"), class_name="fz-check-words"),
        class_name="fz-check-line",
    )


def radio_line(label: Any, *, name: str, value: Any, on_change: Any, **props: Any) -> rx.Component:
    """Return one of several choices with its words; `default_checked` in a form, `checked` where it acts at once."""
    return rx.el.label(
        rx.el.input(type="radio", name=name, value=value, on_change=on_change, class_name="fz-check", **props),
        rx.el.span(label, class_name="fz-check-words"),
        class_name="fz-check-line",
    )


def segments(options: list[tuple[str, Any]], value: rx.Var[str], on_choose: Any) -> rx.Component:
    """Return a segmented choice; `on_choose` is a handler taking the chosen value."""
    return rx.el.div(
        *[
            rx.el.button(
                label, type="button", on_click=on_choose(option), aria_pressed=value == option, class_name="fz-segment"
            )
            for option, label in options
        ],
        class_name="fz-segments",
        role="group",
    )


def tabs(options: list[tuple[str, Any, Any]], value: rx.Var[str], on_choose: Any) -> rx.Component:
    """Return tabs of (value, label, count or None); `on_choose` is a handler taking the chosen value."""
    return rx.el.div(
        *[
            rx.el.button(
                rx.el.span(label),
                *([rx.el.span(count, class_name="fz-count")] if count is not None else []),
                type="button",
                role="tab",
                on_click=on_choose(option),
                aria_selected=value == option,
                class_name="fz-tab",
            )
            for option, label, count in options
        ],
        class_name="fz-tabs",
        role="tablist",
    )


def search_field(placeholder: Any, *, value: Any, on_change: Any) -> rx.Component:
    """Return the search field of a list; it asks 300 ms after the last key."""
    return rx.el.label(
        icon("search", 14),
        rx.debounce_input(
            rx.el.input(
                type="search",
                value=value,
                on_change=on_change,
                placeholder=placeholder,
                aria_label=placeholder,
                class_name="fz-input",
            ),
            debounce_timeout=300,
        ),
        key_act("list-search", rx.call_script("document.querySelector('.fz-search input')?.focus()")),
        class_name="fz-search",
    )


def grid(*fields: rx.Component, columns: int = 2) -> rx.Component:
    """Return fields side by side, one below the other on phones."""
    return rx.el.div(*fields, class_name="fz-grid", style={"--columns": str(columns)})


def form(*children: Any, on_submit: Any, **props: Any) -> rx.Component:
    """Return a form; `on_submit` takes the fields by their names. Enter submits it."""
    return rx.el.form(
        *children, on_submit=on_submit, class_name=f"fz-form {props.pop('class_name', '')}", no_validate=True, **props
    )
