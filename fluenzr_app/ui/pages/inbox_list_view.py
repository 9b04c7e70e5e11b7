"""The list of conversations: tabs, search, filters, rows, and what stands there while there is none."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.react_router.dom import ReactRouterLink

from fluenzr_app.ui.components.buttons import button, icon_button
from fluenzr_app.ui.components.forms import choice, choice_of, field, form, grid, search_field, text_input
from fluenzr_app.ui.components.frame import empty_state, row
from fluenzr_app.ui.components.status import badge, diagnosis_banner, status_badge
from fluenzr_app.ui.components.values import icon, kbd, link, number, short_date, when
from fluenzr_app.ui.findings_state import FindingsState
from fluenzr_app.ui.findings_view import banners_of, banners_with
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages.inbox_conversation import ConversationState
from fluenzr_app.ui.pages.inbox_list import InboxRow, InboxState, Unread
from fluenzr_app.ui.pages.inbox_query import STATUSES, TABS
from fluenzr_app.ui.pages.inbox_words import LABELS, mark
from fluenzr_app.ui.shell import ShellState

S = InboxState


def pane() -> rx.Component:
    """Return the list with everything above it."""
    return rx.el.section(
        rx.el.div(
            rx.el.div(
                search_field(t("inbox.search"), value=S.search, on_change=InboxState.look_for),
                class_name="fzi-search",
            ),
            _filters(),
            class_name="fzi-tools-line",
        ),
        _tabs(),
        rx.el.div(
            banners_with("mailbox_not_read"),
            rx.foreach(S.failing, _failing),
            rx.cond(
                (S.more_failing > 0) & (FindingsState.told.length() == 0),
                rx.el.p(
                    t("inbox.more_unreadable", n=S.more_failing),
                    " ",
                    link(t("inbox.see_accounts"), "/accounts"),
                    class_name="fzi-end",
                ),
            ),
            rx.cond(S.loaded, rx.cond(S.rows.length() > 0, _rows(), _nothing()), _skeleton()),
            class_name="fzi-rows-box",
        ),
        class_name="fzi-list",
        aria_label=t("inbox.list"),
        data_searching=S.searching | (S.search != ""),
    )


def _tabs() -> rx.Component:
    return rx.el.div(
        *[
            rx.el.button(
                t(f"inbox.tab.{tab}"),
                *([rx.cond(S.unread > 0, rx.el.span(number(S.unread)))] if tab == "unread" else []),
                type="button",
                role="tab",
                aria_selected=S.tab == tab,
                on_click=InboxState.choose_tab(tab),
                class_name="fzi-tab",
            )
            for tab in TABS
        ],
        role="tablist",
        class_name="fzi-tabs",
    )


def _filters() -> rx.Component:
    label = rx.cond(S.filters_set > 0, t("inbox.filters_set", n=S.filters_set), t("inbox.filter"))
    trigger = rx.el.button(
        icon("list-filter"),
        rx.cond(S.filters_set > 0, rx.el.span(number(S.filters_set), class_name="fzi-filter-count")),
        type="button",
        aria_label=label,
        title=label,
        class_name="fz-button fz-icon-button fz-plain fz-size-normal fzi-filter",
    )
    every = {name: ("", t(f"inbox.every.{name}")) for name in ("campaign", "account", "status", "label")}
    return rx.popover.root(
        rx.popover.trigger(trigger),
        rx.popover.content(
            form(
                field(
                    t("inbox.by.campaign"),
                    choice_of(S.campaigns, lambda each: each.id, lambda each: each.name, first=every["campaign"],
                              name="campaign", default_value=S.campaign),
                ),
                field(
                    t("inbox.by.account"),
                    choice_of(S.accounts, lambda each: each.id, lambda each: each.name, first=every["account"],
                              name="account", default_value=S.account),
                ),
                grid(
                    field(
                        t("inbox.by.status"),
                        choice([every["status"], *((each, t(f"inbox.status.{each}")) for each in STATUSES)],
                               name="status", default_value=S.status),
                    ),
                    field(
                        t("inbox.by.label"),
                        choice([every["label"], *((each, t(key)) for each, (key, _, _) in LABELS.items())],
                               name="label", default_value=S.label),
                    ),
                    field(t("inbox.by.since"), text_input(type="date", name="since", default_value=S.since)),
                    field(t("inbox.by.until"), text_input(type="date", name="until", default_value=S.until)),
                ),
                row(
                    button(t("inbox.apply"), kind="solid", submit=True),
                    rx.cond(S.filters_set > 0, button(t("inbox.drop_filters"), on_click=InboxState.drop_filters)),
                ),
                on_submit=InboxState.set_filters,
                # The choices come after the form has opened; it is made again with them.
                key=S.campaigns.length().to_string() + "-" + S.accounts.length().to_string(),
            ),
            class_name="fzi-popover",
            align="start",
            aria_label=t("inbox.filter"),
        ),
        open=S.filtering,
        on_open_change=InboxState.show_filters,
    )  # fmt: skip


def _rows() -> rx.Component:
    return rx.fragment(
        rx.el.ul(rx.foreach(S.rows, _row), class_name="fzi-rows"),
        rx.cond(
            S.more,
            rx.el.div(button(t("inbox.load_more"), size="small", on_click=InboxState.load_more), class_name="fzi-more"),
            rx.el.p(t("inbox.all_seen"), class_name="fzi-end"),
        ),
    )


def _row(line: rx.Var[InboxRow]) -> rx.Component:
    unread = line.status == "unread"
    return rx.el.li(
        ReactRouterLink.create(
            mark(line.initials, line.tone),
            rx.el.div(
                rx.el.div(
                    rx.el.span(line.name, class_name="fzi-name"),
                    when(line.last_at, ShellState.zone, mode="ago", class_name="fzi-ago"),
                    rx.cond(unread, rx.el.span(class_name="fzi-dot", role="img", aria_label=t("inbox.status.unread"))),
                    class_name="fzi-row-head",
                ),
                rx.cond(line.company != "", rx.el.div(line.company, class_name="fzi-company")),
                rx.el.div(
                    rx.cond(line.ours_last, rx.el.span(t("inbox.you"), class_name="fzi-you")),
                    line.preview,
                    class_name="fzi-preview",
                ),
                class_name="fzi-row-words",
            ),
            to=line.href,
            replace=S.open != "",
            class_name="fzi-open",
            aria_current=rx.cond(S.open == line.id, "true", "false"),
        ),
        _badges(line),
        class_name="fzi-row",
        data_open=S.open == line.id,
        data_unread=unread,
        key=line.id,
    )


def _badges(line: rx.Var[InboxRow]) -> rx.Component:
    automatic = line.last_kind == "automatic"
    return rx.el.div(
        rx.cond(automatic, badge(t("inbox.automatic"), "grey", "bot")),
        rx.cond(
            automatic & (line.returns_day != ""),
            rx.el.button(
                t("inbox.wait_until", day=short_date(line.returns_day, "UTC")),
                type="button",
                on_click=ConversationState.wait_for_return(line.id),
                class_name="fz-link fzi-wait",
            ),
        ),
        rx.cond(line.stop_asked, badge(t("inbox.stop_to_confirm"), "error", "ban")),
        rx.match(
            line.not_sent,
            ("", rx.fragment()),
            ("uncertain", badge(t("inbox.uncertain"), "attention", "circle-help")),
            badge(t("inbox.not_sent"), "error", "circle-alert"),
        ),
        rx.cond(line.label != "", status_badge(line.label, LABELS)),
        rx.cond(
            line.snoozed_until != "",
            rx.el.span(
                icon("alarm-clock", 12),
                when(line.snoozed_until, ShellState.zone, mode="since"),
                class_name="fz-badge",
                data_tone="info",
            ),
        ),
        class_name="fzi-badges",
    )


def _failing(unread: rx.Var[Unread]) -> rx.Component:
    """Say that a mailbox is not read: by the finding about its account where there is one, and then only once."""
    told = FindingsState.told
    itself = diagnosis_banner(
        "unplug",
        "error",
        rx.el.span(t("inbox.unreadable", account=unread.email)),
        rx.el.span(
            t("inbox.since"), " ", when(unread.since, ShellState.zone, mode="since"), ". ", t("inbox.unreadable_words")
        ),
        detail=unread.text,
        mend=rx.cond(ShellState.is_admin, button(t("inbox.reconnect"), kind="solid", size="small", href=unread.href)),
    )
    return rx.cond(
        told.contains("mailbox_not_read:" + unread.account),
        rx.fragment(),
        rx.cond(told.contains("account_error:" + unread.account), banners_of(unread.account), itself),
    )


def _nothing() -> rx.Component:
    nobody = rx.cond(
        (S.accounts_all == 0) & ShellState.is_admin,
        empty_state("inbox", t("inbox.none"), t("inbox.none_connected_words"),
                    button(t("inbox.connect"), kind="solid", icon_name="plus", href="/accounts")),
        empty_state("inbox", t("inbox.none"), t("inbox.none_words"),
                    button(t("inbox.to_campaigns"), kind="soft", icon_name="send", href="/campaigns")),
    )  # fmt: skip
    found = empty_state(
        "search-x",
        rx.cond(S.search != "", t("inbox.found_nothing", text=S.search), t("inbox.filtered_nothing")),
        rx.cond(
            S.filters_set > 0,
            rx.cond(S.others > 0, t("inbox.others", n=S.others), t("inbox.without_filters")),
            t("inbox.search_words"),
        ),
        rx.cond(S.filters_set > 0, button(t("inbox.drop_filters"), kind="soft", on_click=InboxState.drop_filters)),
        rx.cond(S.tab != "all", button(t("inbox.search_all"), on_click=InboxState.choose_tab("all"))),
        found_nothing=True,
    )
    done = empty_state("inbox", t("inbox.all_read"), t("inbox.all_read_words"),
                       button(t("inbox.show_all"), on_click=InboxState.choose_tab("all")))  # fmt: skip
    no_archive = empty_state("archive", t("inbox.no_archive"), t("inbox.no_archive_words"))
    empty_tab = rx.match(S.tab, ("unread", done), ("archived", no_archive), done)
    return rx.cond((S.search != "") | (S.filters_set > 0), found, rx.cond(S.everything > 0, empty_tab, nobody))


def _skeleton() -> rx.Component:
    line = rx.el.div(
        rx.el.div(class_name="fz-bone fz-bone-round"),
        rx.el.div(
            rx.el.div(class_name="fz-bone fz-bone-long"),
            rx.el.div(class_name="fz-bone fz-bone-short"),
            rx.el.div(class_name="fz-bone fzi-bone-whole"),
            class_name="fz-bone-words",
        ),
        class_name="fz-bone-row fzi-bone-row",
    )
    return rx.el.div(
        *[line for _ in range(6)], class_name="fz-skeleton", aria_busy="true", aria_label=t("common.loading")
    )


def tools() -> list[rx.Component]:
    """Return what stands in the page's head: the keys on wide screens, the search of a phone, “all read”."""

    def keys(*names: str, words: Any) -> rx.Component:
        return rx.el.span(*[kbd(name) for name in names], rx.el.span(words), class_name="fzi-key")

    return [
        rx.cond(
            S.rows.length() > 0,
            rx.el.span(
                keys("J", "K", words=t("inbox.key.follow")),
                keys("E", words=t("inbox.key.archive")),
                keys("R", words=t("inbox.key.read")),
                class_name="fzi-keys",
            ),
        ),
        icon_button(t("inbox.search"), "search", on_click=InboxState.show_search, class_name="fzi-phone"),
        rx.cond(S.unread > 0, button(t("inbox.all_read_act"), icon_name="check-check", on_click=InboxState.all_read)),
    ]
