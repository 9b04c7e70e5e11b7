"""Buttons, and links that look like one. At most one solid violet button on a page."""

from typing import Any, Literal

import reflex as rx
from reflex_components_core.react_router.dom import ReactRouterLink

from fluenzr_app.ui.components.values import Text, icon

Kind = Literal["solid", "plain", "soft", "quiet", "danger"]
Size = Literal["small", "", "large"]


def button(
    label: Text,
    *,
    kind: Kind = "plain",
    size: Size = "",
    icon_name: str = "",
    href: Text = "",
    loading: Any = False,
    disabled: Any = False,
    submit: bool = False,
    **props: Any,
) -> rx.Component:
    """Return a button with a verb on it; with `href` a link that looks the same.

    `solid` is the page's one main act, `danger` a destructive one, `soft` and `quiet` are lesser
    ones. While `loading` it turns a spinner and takes no click.
    """
    css = f"fz-button fz-{kind} fz-size-{size or 'normal'} {props.pop('class_name', '')}"
    small = 14 if size == "small" else 16
    drawing = [icon(icon_name, small)] if icon_name else []
    if href is not None and not (isinstance(href, str) and not href):
        return ReactRouterLink.create(*drawing, rx.el.span(label), to=href, class_name=css, **props)
    if isinstance(loading, rx.Var):
        drawing = [
            rx.cond(
                loading, icon("loader-circle", small, class_name="fz-spin"), drawing[0] if drawing else rx.fragment()
            )
        ]
        disabled = loading | disabled
    return rx.el.button(
        *drawing, rx.el.span(label), type="submit" if submit else "button", disabled=disabled, class_name=css, **props
    )


def icon_button(label: Text, icon_name: str, *, kind: Kind = "quiet", size: Size = "", **props: Any) -> rx.Component:
    """Return a square button with a drawing; `label` is read aloud and shown on hover."""
    css = f"fz-button fz-icon-button fz-{kind} fz-size-{size or 'normal'} {props.pop('class_name', '')}"
    return rx.el.button(
        icon(icon_name, 14 if size == "small" else 16),
        type="button",
        aria_label=label,
        title=label,
        class_name=css,
        **props,
    )


def mend_button(label: Text, *, urgent: Any = False, **props: Any) -> rx.Component:
    """Return the small button that ends a diagnosis and names the act; solid only where `urgent`."""
    if isinstance(urgent, rx.Var):
        return rx.cond(urgent, button(label, kind="solid", size="small", **props), button(label, size="small", **props))
    return button(label, kind="solid" if urgent else "plain", size="small", **props)


def row_menu(label: Text, *items: rx.Component) -> rx.Component:
    """Return the “…” of a row; `items` come from `menu_item`."""
    return rx.menu.root(
        rx.menu.trigger(icon_button(label, "ellipsis", size="small")),
        rx.menu.content(*items, size="2", align="end", class_name="fz-menu"),
        modal=False,
    )


def menu_item(label: Text, icon_name: str = "", *, danger: bool = False, **props: Any) -> rx.Component:
    """Return one act in a menu; `on_select` or `on_click` says what it does."""
    drawing = [icon(icon_name, 14)] if icon_name else []
    return rx.menu.item(*drawing, rx.el.span(label), color_scheme="red" if danger else None, **props)


def menu_download(label: Text, href: Any) -> rx.Component:
    """Return the entry of a menu that fetches a file of the server, not a page."""
    link = ReactRouterLink.create(icon("download", 14), rx.el.span(label), to=href, reload_document=True, download="")
    return rx.menu.item(link, as_child=True)
