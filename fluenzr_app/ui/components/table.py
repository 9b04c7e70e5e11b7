"""The list: server paging, sorting, search, selection, count, empty state, skeleton.

A page keeps in its State: the rows of one page, `total`, `page` (from 0), `sort` (a column's key,
with a leading "-" for descending), the search text and `loaded`. See `ui/registry.py` for a whole one.
"""

from dataclasses import dataclass, replace
from typing import Any

import reflex as rx

from fluenzr_app.ui.components.buttons import icon_button
from fluenzr_app.ui.components.frame import skeleton_rows
from fluenzr_app.ui.components.keys import list_keys
from fluenzr_app.ui.components.values import icon
from fluenzr_app.ui.language import t


@dataclass(frozen=True)
class Column:
    """One column: its head, how a row shows in it, and what it is sorted by ("" for not at all)."""

    head: Any
    cell: Any
    sort: str = ""
    right: bool = False
    width: str = ""
    hide_on_phone: bool = False


def data_table(
    columns: list[Column],
    rows: rx.Var[list[Any]],
    *,
    loaded: Any,
    empty: rx.Component,
    sort: Any = "",
    on_sort: Any = None,
    on_open: Any = None,
    key: Any = None,
    opened: Any = None,
    selected: Any = None,
    on_select: Any = None,
    all_selected: Any = None,
    on_select_all: Any = None,
    below: Any = None,
) -> rx.Component:
    """Return a table over the rows of one page.

    `key(row)` is what identifies a row; `on_open(key)` opens it, `opened` is the key of the one that
    is; `selected` is a list of keys with `on_select(key)`; `on_sort(column.sort)` sorts. `below(row)`
    gives an explanation that opens under the row (None-able component).
    """
    heads = [_head(column, sort, on_sort) for column in columns]
    if selected is not None:
        heads.insert(
            0,
            rx.el.th(
                rx.el.input(
                    type="checkbox",
                    class_name="fz-check",
                    checked=all_selected,
                    on_change=lambda _: on_select_all(),
                    aria_label=t("common.select_all"),
                ),
                class_name="fz-select-cell",
            ),
        )

    def line(row: Any) -> rx.Component:
        cells = [rx.el.td(column.cell(row), class_name=_css(column)) for column in columns]
        props: dict[str, Any] = {"class_name": "fz-tr"}
        identity = key(row) if key else None
        if selected is not None:
            box = rx.el.input(
                type="checkbox",
                class_name="fz-check",
                checked=selected.contains(identity),
                on_change=lambda _: on_select(identity),
                aria_label=t("common.select_row"),
            )
            cells.insert(0, rx.el.td(box, class_name="fz-select-cell", on_click=rx.stop_propagation))
            props["aria_selected"] = selected.contains(identity)
        if on_open is not None:
            props |= {"class_name": "fz-tr fz-opens", "on_click": on_open(identity)}
        if opened is not None:
            props["data_open"] = opened == identity
        shown = rx.el.tr(*cells, **props)
        if below is None:
            return shown
        # Both move together with their row: known by its place alone, an open menu would close when the order changes.
        return rx.fragment(shown, below(row), key=identity)

    body = rx.cond(
        rows.length() > 0,
        rx.el.div(
            rx.el.table(rx.el.thead(rx.el.tr(*heads)), rx.el.tbody(rx.foreach(rows, line)), class_name="fz-table"),
            class_name="fz-table-scroll",
        ),
        empty,
    )
    keys = [list_keys()] if on_open is not None else []
    return rx.el.div(rx.cond(loaded, body, skeleton_rows()), *keys, class_name="fz-table-box")


def under_row(columns: int, *children: Any) -> rx.Component:
    """Return the line under a row in which its explanation stands, indented to the row's name."""
    return rx.el.tr(rx.el.td(*children, col_span=columns, class_name="fz-under"), class_name="fz-under-row")


def two_lines(first: Any, second: Any, mark: Any = None) -> rx.Component:
    """Return a name with its second line below it and an optional mark (avatar, provider) before it."""
    return rx.el.div(
        *([mark] if mark is not None else []),
        rx.el.div(
            rx.el.div(first, class_name="fz-first"),
            rx.el.div(second, class_name="fz-second fz-small"),
            class_name="fz-two-lines-words",
        ),
        class_name="fz-two-lines",
    )


def mark_tile(*children: Any) -> rx.Component:
    """Return the outlined square in which a provider's mark or an icon stands."""
    return rx.el.div(*children, class_name="fz-mark-tile")


def avatar(letters: Any) -> rx.Component:
    """Return a round mark with a person's initials."""
    return rx.el.span(letters, class_name="fz-avatar", aria_hidden="true")


def toolbar(*children: Any, aside: Any = None) -> rx.Component:
    """Return what stands above a list: search, filters, and a note on the right."""
    return rx.el.div(
        *children,
        *([rx.el.div(aside, class_name="fz-toolbar-aside")] if aside is not None else []),
        class_name="fz-toolbar",
    )


def pager(*, page: Any, page_size: int, total: Any, on_page: Any) -> rx.Component:
    """Return the foot of a list: which rows of how many, back and forth; nothing at all under an empty one."""
    first = page * page_size + 1
    last = rx.cond((page + 1) * page_size < total, (page + 1) * page_size, total)
    shown = rx.el.div(
        rx.el.span(t("common.range", first=first.to(int), last=last.to(int), total=total), class_name="fz-second"),
        rx.cond(
            total > page_size,
            rx.el.div(
                icon_button(
                    t("common.previous_page"),
                    "chevron-left",
                    kind="plain",
                    disabled=page <= 0,
                    on_click=on_page(page - 1),
                ),
                icon_button(
                    t("common.next_page"),
                    "chevron-right",
                    kind="plain",
                    disabled=(page + 1) * page_size >= total,
                    on_click=on_page(page + 1),
                ),
                class_name="fz-row",
            ),
        ),
        class_name="fz-pager",
    )
    return rx.cond(total > 0, shown)


def selection_bar(count: Any, *acts: rx.Component, on_clear: Any, take_all: Any = None) -> rx.Component:
    """Return the dark bar that floats at the bottom from one selected row on: count, acts, close."""
    return rx.cond(
        count > 0,
        rx.el.div(
            rx.el.strong(t("common.selected", n=count)),
            *([take_all] if take_all is not None else []),
            rx.el.span(class_name="fz-bar-line"),
            *acts,
            icon_button(t("common.clear_selection"), "x", size="small", on_click=on_clear),
            class_name="fz-selection",
            role="toolbar",
        ),
    )


def _head(column: Column, sort: Any, on_sort: Any) -> rx.Component:
    if not column.sort or on_sort is None:
        if isinstance(column.head, str) and not column.head:
            # Read aloud, not seen: what stands below is the acts of each row.
            column = replace(column, head=rx.el.span(t("common.acts"), class_name="fz-unseen"))
        return rx.el.th(column.head, class_name=_css(column), style={"width": column.width} if column.width else {})
    up, down = sort == column.sort, sort == f"-{column.sort}"
    return rx.el.th(
        rx.el.button(
            column.head,
            rx.cond(up, icon("arrow-up", 12), rx.cond(down, icon("arrow-down", 12))),
            type="button",
            on_click=on_sort(column.sort),
            class_name="fz-sort",
        ),
        aria_sort=rx.cond(up, "ascending", rx.cond(down, "descending", "none")),
        class_name=_css(column),
        style={"width": column.width} if column.width else {},
    )


def _css(column: Column) -> str:
    return " ".join(name for name, on in (("fz-right", column.right), ("fz-wide-only", column.hide_on_phone)) if on)
