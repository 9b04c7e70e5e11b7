"""The frames things lie in: page header, block, key figures, panels, drawers, dialogs."""

from typing import Any

import reflex as rx

from fluenzr_app.ui.components.buttons import button, icon_button
from fluenzr_app.ui.components.values import Text, icon
from fluenzr_app.ui.language import t


def page_header(title: Any, state: Any = "", *actions: rx.Component, back: Text = "") -> rx.Component:
    """Return the head of a page: title, one line of state (figures, not slogans), actions on the right."""
    return rx.el.header(
        *([rx.link(icon("arrow-left"), href=back, class_name="fz-back", aria_label=t("common.back"))] if back else []),
        rx.el.div(
            rx.el.h1(title, class_name="fz-page-title"),
            rx.el.p(state, class_name="fz-page-state"),
            class_name="fz-header-words",
        ),
        rx.el.div(*actions, class_name="fz-header-actions"),
        class_name="fz-header",
    )


def body(*children: Any, **props: Any) -> rx.Component:
    """Return the content of a page below its head: blocks with 16 px between them."""
    return rx.el.div(*children, class_name=f"fz-body {props.pop('class_name', '')}", **props)


def columns(main: Any, aside: Any) -> rx.Component:
    """Return a wide column and a narrow one beside it; one below the other on phones."""
    return rx.el.div(
        rx.el.div(main, class_name="fz-stack"), rx.el.div(aside, class_name="fz-stack"), class_name="fz-columns"
    )


def stack(*children: Any, gap: int = 16, **props: Any) -> rx.Component:
    """Return children one below the other, `gap` px apart."""
    return rx.el.div(*children, class_name="fz-stack", style={"gap": f"{gap}px"}, **props)


def row(*children: Any, gap: int = 8, **props: Any) -> rx.Component:
    """Return children side by side, `gap` px apart, that wrap where there is no room."""
    return rx.el.div(*children, class_name=f"fz-row {props.pop('class_name', '')}", style={"gap": f"{gap}px"}, **props)


def block(
    *children: Any, title: Any = None, count: Any = None, aside: Any = None, padded: bool = True, **props: Any
) -> rx.Component:
    """Return a box with an optional head: title, a count beside it, a note or link on the right.

    `padded=False` is for rows and tables, which bring their own space.
    """
    head = []
    if title is not None:
        head = [
            rx.el.div(
                rx.el.h2(title, class_name="fz-block-title"),
                *([rx.el.span(count, class_name="fz-count")] if count is not None else []),
                *([rx.el.div(aside, class_name="fz-block-aside")] if aside is not None else []),
                class_name="fz-block-head",
            )
        ]
    inside = "fz-block-body" if padded else "fz-block-rows"
    return rx.el.section(
        *head, rx.el.div(*children, class_name=inside), class_name=f"fz-block {props.pop('class_name', '')}", **props
    )


def kpi_strip(*cells: rx.Component) -> rx.Component:
    """Return three to six key figures in one bordered strip; each from `kpi`."""
    return rx.el.div(*cells, class_name="fz-kpis")


def kpi(label: Any, figure: Any, *notes: Any, unit: Any = "", chart: Any = None) -> rx.Component:
    """Return one key figure: label, figure, then a judgement or comparison.

    A figure that is not known is “–” with the reason in `notes`, never 0.
    """
    words = rx.el.div(
        rx.el.div(label, class_name="fz-kpi-label"),
        rx.el.div(
            rx.el.span(figure, class_name="fz-figure"),
            rx.el.span(unit, class_name="fz-kpi-unit"),
            class_name="fz-kpi-line",
        ),
        rx.el.div(*notes, class_name="fz-kpi-notes"),
    )
    return rx.el.div(
        words,
        *([chart] if chart is not None else []),
        class_name="fz-kpi fz-kpi-wide" if chart is not None else "fz-kpi",
    )


def empty_state(
    icon_name: str, title: Any, words: Any, *actions: rx.Component, found_nothing: bool = False, alone: bool = False
) -> rx.Component:
    """Return what stands where nothing is yet: what this is for, and the next step.

    `found_nothing` is for a search or filter without a match: grey, and `words` name the filters. `alone` is for a page
    that has nothing else, not even a title.
    """
    tile = "fz-empty-tile fz-grey" if found_nothing else "fz-empty-tile"
    return rx.el.div(
        rx.el.div(icon(icon_name, 24), class_name=tile),
        (rx.el.h1 if alone else rx.el.h2)(title, class_name="fz-empty-title"),
        rx.el.p(words, class_name="fz-empty-words"),
        rx.el.div(*actions, class_name="fz-empty-actions"),
        class_name="fz-empty",
    )


def skeleton_rows(rows: int = 6) -> rx.Component:
    """Return grey shapes where rows will be; they appear after 200 ms and only at the first load."""
    line = rx.el.div(
        rx.el.div(class_name="fz-bone fz-bone-round"),
        rx.el.div(
            rx.el.div(class_name="fz-bone fz-bone-long"),
            rx.el.div(class_name="fz-bone fz-bone-short"),
            class_name="fz-bone-words",
        ),
        rx.el.div(class_name="fz-bone fz-bone-badge"),
        class_name="fz-bone-row",
    )
    return rx.el.div(
        *[line for _ in range(rows)], class_name="fz-skeleton", aria_busy="true", aria_label=t("common.loading")
    )


def side_panel(title: Any, *children: Any, on_close: Any, wide: bool = False) -> rx.Component:
    """Return the panel on the right in which one row's detail opens; it lies beside the list, not over it."""
    return rx.el.aside(
        rx.el.div(
            rx.el.h2(title, class_name="fz-panel-title"),
            icon_button(t("common.close"), "x", on_click=on_close),
            class_name="fz-panel-head",
        ),
        rx.el.div(*children, class_name="fz-panel-body"),
        class_name="fz-panel fz-panel-wide" if wide else "fz-panel",
    )


def with_panel(content: Any, panel: rx.Component, is_open: Any) -> rx.Component:
    """Return a page's content with the side panel beside it while `is_open`."""
    return rx.el.div(rx.el.div(content, class_name="fz-beside-main"), rx.cond(is_open, panel), class_name="fz-beside")


def drawer(
    title: Any, *children: Any, is_open: Any, on_close: Any, subtitle: Any = "", footer: Any = None, icon_name: str = ""
) -> rx.Component:
    """Return a form with its own steps in a drawer (560) over the dimmed page.

    It traps and returns focus and closes by Escape; `on_close` is a handler without arguments.
    """
    return rx.dialog.root(
        rx.dialog.content(
            rx.el.div(
                *([rx.el.div(icon(icon_name), class_name="fz-drawer-icon")] if icon_name else []),
                rx.el.div(
                    rx.dialog.title(title, class_name="fz-panel-title"),
                    rx.dialog.description(subtitle, class_name="fz-page-state"),
                    class_name="fz-header-words",
                ),
                icon_button(t("common.close"), "x", on_click=on_close),
                class_name="fz-drawer-head",
            ),
            rx.el.div(*children, class_name="fz-drawer-body"),
            *([rx.el.div(footer, class_name="fz-drawer-foot")] if footer is not None else []),
            class_name="fz-drawer",
            on_escape_key_down=on_close,
            on_pointer_down_outside=on_close,
        ),
        open=is_open,
    )


def dialog(
    title: Any, *children: Any, is_open: Any, on_close: Any, actions: Any = None, words: Any = ""
) -> rx.Component:
    """Return a small dialog in the middle: title, sentence, content, actions on the right."""
    return rx.dialog.root(
        rx.dialog.content(
            rx.dialog.title(title, class_name="fz-panel-title"),
            rx.dialog.description(words, class_name="fz-dialog-words"),
            *children,
            *([rx.el.div(actions, class_name="fz-dialog-foot")] if actions is not None else []),
            class_name="fz-dialog",
            on_escape_key_down=on_close,
            on_pointer_down_outside=on_close,
        ),
        open=is_open,
    )


def confirm_dialog(
    title: Any,
    words: Any,
    *children: Any,
    is_open: Any,
    on_close: Any,
    on_confirm: Any,
    act: Any,
    type_this: Any = None,
    typed: Any = None,
    on_type: Any = None,
    loading: Any = False,
) -> rx.Component:
    """Return the question before a destructive act: `words` say what goes and how much.

    With `type_this` the button waits until `typed` is the same; `on_type` takes what is typed.
    """
    field = []
    refused: Any = False
    if type_this is not None:
        refused = typed != type_this
        field = [
            rx.el.label(
                rx.el.span(t("common.type_to_confirm", word=type_this), class_name="fz-label"),
                rx.el.input(
                    value=typed, on_change=on_type, class_name="fz-input", auto_complete="off", spell_check=False
                ),
                class_name="fz-field",
            )
        ]
    actions = rx.fragment(
        button(t("common.cancel"), on_click=on_close),
        button(act, kind="danger", on_click=on_confirm, disabled=refused, loading=loading),
    )
    return dialog(title, *children, *field, is_open=is_open, on_close=on_close, words=words, actions=actions)
