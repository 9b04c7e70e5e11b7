"""The page of email accounts: the list, what is wrong with each, and the drawers over it."""

from __future__ import annotations

from typing import Any

import reflex as rx

from fluenzr_app.ui.components.buttons import button, menu_item, row_menu
from fluenzr_app.ui.components.forms import search_field
from fluenzr_app.ui.components.frame import block, body, empty_state, page_header
from fluenzr_app.ui.components.poll import poll
from fluenzr_app.ui.components.status import Tone, status_badge, usage_bar
from fluenzr_app.ui.components.table import Column, data_table, mark_tile, toolbar, two_lines, under_row
from fluenzr_app.ui.components.values import icon, when
from fluenzr_app.ui.findings_state import FindingsState
from fluenzr_app.ui.findings_view import banners_of
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages.accounts_connect import ConnectState
from fluenzr_app.ui.pages.accounts_connect_view import connect_drawer
from fluenzr_app.ui.pages.accounts_day import AccountDayState, day_drawer
from fluenzr_app.ui.pages.accounts_list import AccountLine, AccountsState
from fluenzr_app.ui.pages.accounts_reading import reading_banner, reading_line
from fluenzr_app.ui.pages.accounts_reconnect import ReconnectState, reconnect_drawer
from fluenzr_app.ui.pages.accounts_remove import RemoveAccountState, remove_dialog
from fluenzr_app.ui.pages.accounts_settings import AccountSettingsState, settings_drawer
from fluenzr_app.ui.shell import ShellState

S = AccountsState
# Drawers are filled before the list's own handler opens one: nobody types into what is about to be replaced.
LOAD = (
    ConnectState.load,
    ReconnectState.load,
    AccountSettingsState.load,
    AccountDayState.load,
    RemoveAccountState.load,
    AccountsState.load,
)
STATUSES: dict[str, tuple[str, Tone, str]] = {
    "connected": ("accounts.status.connected", "good", "circle-check"),
    "error": ("accounts.status.error", "error", "circle-x"),
    "paused": ("accounts.status.paused", "grey", "circle-pause"),
    "paused_quota": ("accounts.status.paused_quota", "attention", "gauge"),
    "backing_off": ("accounts.status.backing_off", "attention", "hourglass"),
}
_COLUMNS = 6


def page() -> rx.Component:
    """Return the page."""
    return rx.fragment(
        page_header(
            t("accounts.title"),
            rx.cond(S.loaded, rx.cond(S.total > 0, _state(), t("accounts.state_none")), ""),
            rx.cond(
                ShellState.is_admin & (S.total > 0),
                button(t("accounts.connect"), kind="solid", icon_name="plus", on_click=S.open_drawer("connect", "")),
            ),
        ),
        body(
            banners_of(""),
            rx.cond(
                S.total > 1,
                toolbar(search_field(t("accounts.search"), value=S.search, on_change=S.look_for)),
            ),
            block(_list(), padded=False, class_name="fza-list"),
            rx.cond(S.total > 0, _explanations()),
        ),
        poll(20, [S.refresh, FindingsState.look]),
        connect_drawer(),
        reconnect_drawer(),
        settings_drawer(),
        day_drawer(),
        remove_dialog(),
    )


def _state() -> rx.Component:
    return rx.fragment(
        t("accounts.state", n=S.total),
        rx.cond(S.errors > 0, rx.fragment(" · ", t("accounts.state_errors", n=S.errors))),
        " · ",
        t("accounts.state_sent", n=S.sent, possible=S.possible),
    )


def _list() -> rx.Component:
    columns = [
        Column(t("accounts.column.account"), _who, sort="email"),
        Column(t("accounts.column.status"), _status, sort="status"),
        Column(t("accounts.column.used"), _used, sort="used", width="210px"),
        Column(t("accounts.column.ramp"), _ramp, hide_on_phone=True),
        Column(t("accounts.column.next"), _next, hide_on_phone=True),
        Column("", _menu, right=True, width="40px"),
    ]
    return data_table(
        columns,
        S.rows,
        loaded=S.loaded,
        key=lambda line: line.id,
        sort=S.sort,
        on_sort=S.sort_by,
        below=lambda line: rx.cond(
            _unread(line) | FindingsState.things.contains(line.id),
            under_row(
                _COLUMNS,
                rx.cond(_unread(line), reading_banner(line.reading, _mend_reading(line))),
                banners_of(line.id),
            ),
        ),
        empty=rx.cond(
            S.search != "",
            empty_state(
                "search-x",
                t("accounts.none_found", text=S.search),
                t("accounts.none_found_words", n=S.total),
                button(t("accounts.show_all"), kind="soft", on_click=S.look_for("")),
                found_nothing=True,
            ),
            empty_state(
                "at-sign",
                t("accounts.none"),
                t("accounts.none_words"),
                rx.cond(
                    ShellState.is_admin,
                    button(
                        t("accounts.connect_first"),
                        kind="solid",
                        icon_name="plus",
                        on_click=S.open_drawer("connect", ""),
                    ),
                    rx.el.span(t("accounts.only_admin"), class_name="fz-second"),
                ),
            ),
        ),
    )


def _who(line: rx.Var[AccountLine]) -> rx.Component:
    return two_lines(line.email, line.provider, mark_tile(icon("server")))


def _status(line: rx.Var[AccountLine]) -> rx.Component:
    return rx.el.div(
        status_badge(line.status, STATUSES),
        rx.cond(
            (line.until != "") & ~line.has_error,
            rx.el.div(t("accounts.resumes"), " ", when(line.until, ShellState.zone), class_name="fz-second fz-small"),
        ),
        rx.cond(_unread(line), rx.fragment(), reading_line(line.reading)),
    )


def _unread(line: rx.Var[AccountLine]) -> rx.Var[bool]:
    """Return whether the row itself says that its mailbox is not read: no finding does, here or put aside.

    Where the account is in error, that is told, and its mailbox comes back with it.
    """
    told = FindingsState.told
    with_account = (line.reading.state == "failing") & told.contains("account_error:" + line.id)
    return line.unread & ~told.contains("mailbox_not_read:" + line.id) & ~with_account


def _used(line: rx.Var[AccountLine]) -> rx.Component:
    return usage_bar(line.used, line.limit, stands=line.stands)


def _ramp(line: rx.Var[AccountLine]) -> rx.Component:
    climbing = two_lines(
        t("accounts.ramp.week", n=line.ramp_week),
        rx.fragment(
            t("accounts.ramp.then", n=line.ramp_next), " ", when(line.ramp_next_at, ShellState.zone, mode="day")
        ),
    )
    return rx.match(
        line.ramp,
        ("climbing", climbing),
        ("waiting", two_lines(t("accounts.ramp.waiting"), t("accounts.ramp.first_week", n=line.limit))),
        ("off", two_lines(t("accounts.ramp.off"), t("accounts.ramp.per_day", n=line.limit))),
        two_lines(t("accounts.ramp.done"), t("accounts.ramp.per_day", n=line.limit)),
    )


def _next(line: rx.Var[AccountLine]) -> rx.Component:
    return rx.cond(
        line.stands,
        rx.el.span(t("accounts.next.stands"), class_name="fz-second"),
        rx.cond(
            line.next_at != "",
            two_lines(
                when(line.next_at, ShellState.zone, mode="time"),
                rx.el.button(
                    t("accounts.next.slots", n=line.slots_left),
                    type="button",
                    on_click=S.open_drawer("day", line.id),
                    class_name="fz-link fza-small-link",
                ),
            ),
            rx.el.span(
                rx.cond(line.spread, t("accounts.next.none"), t("accounts.next.at_once")), class_name="fz-second"
            ),
        ),
    )


def _menu(line: rx.Var[AccountLine]) -> rx.Component:
    def opens(drawer: str) -> Any:
        return S.open_drawer(drawer, line.id)

    return row_menu(
        t("accounts.menu.of", email=line.email),
        menu_item(t("accounts.menu.day"), "calendar-clock", on_select=opens("day")),
        rx.cond(
            ShellState.is_admin,
            rx.fragment(
                menu_item(t("accounts.menu.settings"), "settings-2", on_select=opens("settings")),
                menu_item(t("accounts.menu.test"), "plug-zap", on_select=opens("reconnect")),
                rx.cond(
                    (line.status == "paused") | (line.status == "paused_quota") | (line.status == "backing_off"),
                    menu_item(t("accounts.menu.resume"), "play", on_select=S.resume(line.id)),
                    rx.cond(
                        line.status == "connected",
                        menu_item(t("accounts.menu.pause"), "pause", on_select=S.pause(line.id)),
                    ),
                ),
                rx.menu.separator(),
                menu_item(t("accounts.menu.remove"), "trash-2", danger=True, on_select=opens("remove")),
            ),
        ),
    )


def _mend_reading(line: rx.Var[AccountLine]) -> rx.Component:
    label = rx.match(
        line.reading.act,
        ("reconnect", t("accounts.mend.reconnect")),
        ("edit_servers", t("accounts.mend.edit_servers")),
        t("accounts.mend.test"),
    )
    add = line.reading.state == "none"
    return rx.cond(
        ShellState.is_admin,
        button(
            rx.cond(add, t("accounts.mend.add_imap"), label),
            kind="soft",
            icon_name="refresh-cw",
            on_click=S.open_drawer("reconnect", line.id),
        ),
    )


def _explanations() -> rx.Component:
    first = S.rows[0]
    links = ShellState.is_admin & (S.rows.length() > 0)
    return rx.el.div(
        block(
            _explained("trending-up", t("accounts.why_ramp")),
            rx.el.p(
                t("accounts.why_ramp_words"),
                " ",
                rx.cond(
                    links,
                    rx.el.button(
                        t("accounts.set_ramp"),
                        type="button",
                        on_click=S.open_drawer("settings", first.id),
                        class_name="fz-link",
                    ),
                ),
                class_name="fz-second",
            ),
        ),
        block(
            _explained("timer", t("accounts.why_gap")),
            rx.el.p(
                t("accounts.why_gap_words"),
                " ",
                rx.cond(
                    S.rows.length() > 0,
                    rx.el.button(
                        t("accounts.see_day"),
                        type="button",
                        on_click=S.open_drawer("day", first.id),
                        class_name="fz-link",
                    ),
                ),
                class_name="fz-second",
            ),
        ),
        class_name="fz-grid fza-cards",
        style={"--columns": "2"},
    )


def _explained(drawing: str, title: Any) -> rx.Component:
    return rx.el.div(
        rx.el.span(icon(drawing), class_name="fza-accent"),
        rx.el.h2(title, class_name="fz-block-title"),
        class_name="fza-explained",
    )
