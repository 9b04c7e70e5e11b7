"""Help: what stands still and how it is mended, the guide's symptoms as a living list, and the guide itself."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.react_router.dom import ReactRouterLink

from fluenzr_app.ui.articles import FILES
from fluenzr_app.ui.components.buttons import button
from fluenzr_app.ui.components.forms import field, form, search_field, segments, text_area
from fluenzr_app.ui.components.frame import block, body, empty_state, page_header, row, skeleton_rows
from fluenzr_app.ui.components.poll import poll
from fluenzr_app.ui.components.status import callout, count_badge
from fluenzr_app.ui.components.table import toolbar
from fluenzr_app.ui.components.values import chosen_icon, icon, when
from fluenzr_app.ui.findings_state import FindingsState
from fluenzr_app.ui.findings_view import all_clear, aside_rows, done_row, finding_rows, rows_of
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages.help_state import MOST_DESCRIBED, WATCHED, HelpState, SymptomGroup
from fluenzr_app.ui.pages.help_watch import GROUPS, SymptomRow
from fluenzr_app.ui.shell import ShellState

LOAD = (HelpState.load,)
_SECONDS = 10
_SYMPTOMS = 26
_STATE_ICONS = {"seen": "triangle-alert", "clear": "check", "place": "message-square-text"}
_GUIDE = tuple(name for name in FILES if not name.startswith("problems-"))
_GUIDE_ICONS = {
    "getting-started": "rocket",
    "dashboard": "layout-dashboard",
    "accounts": "at-sign",
    "contacts": "users",
    "campaigns": "send",
    "tracking": "mouse-pointer-click",
    "inbox": "inbox",
    "settings": "settings",
    "api": "braces",
    "problems": "life-buoy",
}


def page() -> rx.Component:
    """Return the page: the list, one symptom, or an article."""
    H = HelpState
    return rx.fragment(
        rx.cond(
            (H.opened != "") | (H.article != "") | H.missing,
            rx.fragment(_read_header(), body(rx.cond(H.missing, _missing(), _reading()), class_name="fzh-reading")),
            rx.fragment(_header(), body(rx.cond(H.loaded, _list(), block(skeleton_rows(), padded=False)))),
        ),
        poll(_SECONDS, [HelpState.look, FindingsState.look]),
    )


def _header() -> rx.Component:
    S = FindingsState
    state = rx.cond(
        S.loaded,
        rx.fragment(
            rx.cond(S.seen > 0, t("help.seen_n", n=S.seen), t("help.none_seen")),
            " · ",
            t("help.state", n=WATCHED, total=_SYMPTOMS),
            " · ",
            t("help.checked"),
            " ",
            when(S.checked_at, ShellState.zone),
        ),
        "",
    )
    return page_header(
        t("help.title"),
        state,
        button(t("help.check_again"), icon_name="refresh-cw", on_click=HelpState.check_again),
        button(t("help.support"), kind="solid", icon_name="life-buoy", href="/help/support"),
    )


def _list() -> rx.Component:
    H, S = HelpState, FindingsState
    chosen = rx.cond(H.only_seen, "seen", "all")
    return rx.fragment(
        toolbar(
            rx.el.div(search_field(t("help.search"), value=H.search, on_change=H.look_for), class_name="fzh-search"),
            rx.el.div(
                segments([("all", t("help.all")), ("seen", t("help.only_seen"))], chosen, H.choose),
                aria_label=t("help.filter"),
                role="group",
            ),
        ),
        rx.cond(
            H.search == "",
            block(
                finding_rows(),
                rx.cond(S.loaded & (S.lines.length() == 0), all_clear()),
                title=_titled(t("help.standing"), S.seen, rx.cond(S.urgent, "attention", "grey")),
                padded=False,
            ),
        ),
        rx.cond(
            (H.search == "") & (S.aside.length() > 0),
            block(
                aside_rows(),
                title=_titled(t("help.aside"), S.aside.length(), "grey"),
                aside=rx.el.span(t("help.aside_words"), class_name="fz-wide-only"),
                padded=False,
                id="aside",
            ),
        ),
        block(
            rx.cond(H.shown > 0, rx.el.div(rx.foreach(H.groups, _group), class_name="fzh-groups"), _none()),
            title=t("help.list"),
            aside=rx.el.span(t("help.list_words"), class_name="fz-wide-only"),
            padded=False,
        ),
        _guide(),
    )


def _titled(title: Any, n: Any, tone: Any) -> rx.Component:
    return rx.el.span(title, count_badge(n, tone), class_name="fzd-title")


def _group(group: rx.Var[SymptomGroup]) -> rx.Component:
    names = [(key, t(f"help.group.{key}")) for key in GROUPS]
    return rx.el.section(
        rx.el.h3(rx.match(group.key, *names, ""), class_name="fz-kpi-label"),
        rx.el.ul(rx.foreach(group.rows, _symptom)),
        class_name="fzh-group",
    )


def _symptom(line: rx.Var[SymptomRow]) -> rx.Component:
    return rx.el.li(
        ReactRouterLink.create(
            rx.el.span(chosen_icon(line.state, _STATE_ICONS, "minus", 14), class_name="fzh-mark"),
            rx.el.span(line.title, class_name="fzh-title"),
            rx.el.span(line.said, class_name="fzh-said"),
            to=line.href,
            class_name="fzh-symptom",
            custom_attrs={"data-state": line.state, "data-number": line.number},
        )
    )


def _none() -> rx.Component:
    return empty_state(
        "search-x",
        t("help.none_found", text=HelpState.search),
        t("help.none_found_words"),
        button(t("help.show_all"), kind="soft", on_click=HelpState.show_all),
        found_nothing=True,
    )


def _guide() -> rx.Component:
    def one(name: str) -> rx.Component:
        return ReactRouterLink.create(
            icon(_GUIDE_ICONS[name]),
            rx.el.span(t(f"help.article.{name.replace('-', '_')}")),
            to=f"/help/{name}",
            class_name="fzh-article-link",
        )

    return block(
        rx.el.div(*[one(name) for name in _GUIDE], class_name="fzh-guide"),
        title=t("help.guide"),
        aside=rx.el.span(t("help.guide_words"), class_name="fz-wide-only"),
    )


def _read_header() -> rx.Component:
    H = HelpState
    states = [(state, t(f"help.state_of.{state}")) for state in ("seen", "clear", "place", "later")]
    return page_header(
        rx.cond(H.missing, t("help.not_found"), H.title),
        rx.cond(H.opened != "", rx.match(H.state, *states, ""), t("help.guide")),
        back="/help",
    )


def _reading() -> rx.Component:
    H = HelpState
    told = rx.match(
        H.state,
        ("clear", callout(t("help.clear.words"), "good", "circle-check")),
        ("place", callout(t("help.place.words"), "grey", "message-square-text")),
        ("later", callout(t("help.later.words"), "grey", "minus")),
        rx.fragment(),
    )
    return rx.fragment(
        rx.cond(
            H.opened != "",
            rx.fragment(
                rx.cond(
                    (H.state == "seen") | (FindingsState.done_words != ""),
                    block(done_row(), rows_of(H.number), padded=False),
                ),
                rx.cond(H.opened == "support", _support(), told),
                rx.cond(H.html == "", block(_in_short())),
            ),
        ),
        rx.cond(
            H.html != "",
            block(
                rx.el.article(rx.html(H.html), class_name="fzh-article"),
                title=rx.cond(H.opened != "", t("help.read_more"), t("help.guide")),
            ),
        ),
    )


def _in_short() -> rx.Component:
    """Return how the open symptom shows, what the software does about it, and what the reader can do."""
    H = HelpState
    parts = (("help.part.seen", H.sign), ("help.part.checks", H.checks), ("help.part.do", H.todo))
    return rx.el.dl(
        *[part for label, words in parts for part in (rx.el.dt(t(label)), rx.el.dd(words))], class_name="fzh-short"
    )


def _support() -> rx.Component:
    H = HelpState
    file = form(
        field(
            t("help.support_describe"),
            text_area(
                name="describe", rows=3, max_length=MOST_DESCRIBED, placeholder=t("help.support_describe_example")
            ),
        ),
        field(t("help.support_steps"), text_area(name="steps", rows=3, max_length=MOST_DESCRIBED)),
        row(button(t("help.support_button"), kind="solid", icon_name="download", submit=True)),
        on_submit=H.fetch_support,
    )
    return block(
        rx.el.p(t("help.support_words")),
        rx.cond(ShellState.is_admin, file, callout(t("help.support_admin"), "info", "lock")),
        rx.el.div(
            rx.el.span(t("help.support_server"), class_name="fz-second"),
            rx.el.code("fluenzr support support.json", class_name="fz-mono"),
            class_name="fz-row",
        ),
        rx.el.dl(
            rx.el.dt(t("help.version")),
            rx.el.dd(H.version),
            rx.el.dt(t("help.python")),
            rx.el.dd(H.python),
            class_name="fzh-versions",
        ),
        title=t("help.support_title"),
        class_name="fzh-support",
    )


def _missing() -> rx.Component:
    return empty_state(
        "file-question",
        t("help.not_found"),
        t("help.not_found_words"),
        button(t("help.back"), kind="soft", href="/help"),
        found_nothing=True,
    )
