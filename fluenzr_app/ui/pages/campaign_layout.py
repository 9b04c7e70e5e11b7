"""The frame around each page of one campaign: head, tabs, start dialog, questions."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.react_router.dom import ReactRouterLink

from fluenzr_app.ui.components.buttons import button, mend_button, menu_item, row_menu
from fluenzr_app.ui.components.frame import body, confirm_dialog, empty_state, page_header, skeleton_rows
from fluenzr_app.ui.components.poll import poll
from fluenzr_app.ui.components.status import count_badge, diagnosis_banner, status_badge
from fluenzr_app.ui.components.values import icon, when
from fluenzr_app.ui.findings_state import FindingsState
from fluenzr_app.ui.findings_view import banners_here
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages.campaign_frame import CampaignState
from fluenzr_app.ui.pages.campaign_parts import Poll
from fluenzr_app.ui.pages.campaign_start import StartState, start_dialog
from fluenzr_app.ui.pages.campaign_words import STATUSES
from fluenzr_app.ui.shell import ShellState

TABS = ("sequence", "audience", "timing", "preview", "progress")


def campaign_page(tab: str, *content: Any, live: list[Any] | None = None) -> rx.Component:
    """Return one page of a campaign; `live` are events that read it again every five seconds."""
    state = CampaignState
    return rx.fragment(
        page_header(_title(), _state_line(), *_actions(), back="/campaigns"),
        rx.cond(
            state.loaded,
            rx.cond(
                state.found,
                rx.fragment(_tabs(tab), banners_here(class_name="fz-banners-page"), *content),
                body(
                    empty_state(
                        "search-x",
                        t("campaign.not_found"),
                        t("campaign.not_found_words"),
                        button(t("campaign.back"), kind="soft", href="/campaigns"),
                        found_nothing=True,
                    )
                ),
            ),
            body(skeleton_rows()),
        ),
        start_dialog(),
        *_questions(),
        poll(10, FindingsState.look),
        Poll.create(every=5_000, on_tick=[CampaignState.load, *(live or [])]),
    )


def read_only_banner() -> rx.Component:
    """Return why nothing can be changed here, and what opens it; nothing while it can."""
    state = CampaignState
    active = diagnosis_banner(
        "lock",
        "grey",
        t("campaign.read_only_active"),
        t("campaign.read_only_active_words"),
        mend=mend_button(t("campaign.pause"), on_click=state.act("pause")),
    )
    over = diagnosis_banner(
        "lock",
        "grey",
        t("campaign.read_only_over"),
        t("campaign.read_only_over_words"),
        mend=mend_button(t("campaign.duplicate"), on_click=state.act("duplicate")),
    )
    return rx.cond(state.loaded & ~state.editable, rx.cond(state.status == "active", active, over))


def _title() -> rx.Component:
    return rx.cond(CampaignState.found, CampaignState.name, t("campaign.not_found"))


def _state_line() -> rx.Component:
    state = CampaignState
    return rx.cond(
        state.found & state.loaded,
        rx.fragment(
            status_badge(state.badge, STATUSES, bare=True),
            " · ",
            t("campaign.mails_n", n=state.mails),
            " · ",
            t("campaign.contacts_n", n=state.enrolled),
            rx.cond(
                state.next_at != "",
                rx.fragment(" · ", t("campaign.next"), " ", when(state.next_at, ShellState.zone)),
            ),
        ),
    )


def _actions() -> list[rx.Component]:
    state = CampaignState
    points = rx.cond(
        (state.status == "draft") & (state.points > 0),
        rx.el.button(
            icon("circle-alert", 14),
            rx.el.span(t("campaign.points", n=state.points)),
            type="button",
            on_click=StartState.ask,
            class_name="fz-save fz-link fz-bad fz-wide-only",
        ),
    )
    main = rx.match(
        state.status,
        ("draft", button(t("campaign.start"), kind="solid", icon_name="play", on_click=StartState.ask)),
        ("active", button(t("campaign.pause"), icon_name="pause", on_click=state.act("pause"))),
        ("paused", button(t("campaign.resume"), kind="solid", icon_name="play", on_click=state.act("resume"))),
        rx.fragment(),
    )
    more = row_menu(
        t("campaign.more"),
        menu_item(t("campaign.duplicate"), "copy", on_select=state.act("duplicate")),
        rx.cond(
            (state.status != "active") & (state.status != "archived"),
            menu_item(t("campaign.archive"), "archive", on_select=state.ask("archive")),
        ),
        rx.cond(
            state.status == "draft",
            menu_item(t("campaign.delete"), "trash-2", danger=True, on_select=state.ask("delete")),
        ),
    )
    return [rx.cond(state.found & state.loaded, rx.fragment(points, main, more))]


def _tabs(tab: str) -> rx.Component:
    state = CampaignState
    base = "/campaigns/" + state.id
    links = []
    for each in TABS:
        counts = {"audience": state.enrolled, "progress": state.uncertain}
        count = count_badge(counts[each], "grey" if each == "audience" else "attention") if each in counts else None
        links.append(
            ReactRouterLink.create(
                rx.el.span(t(f"campaign.tab.{each}")),
                *([count] if count is not None else []),
                to=base if each == "sequence" else base + f"/{each}",
                class_name="fz-tab fz-tab-link",
                custom_attrs={"aria-current": "page"} if each == tab else {},
            )
        )
    return rx.el.div(rx.el.nav(*links, class_name="fz-tabs"), class_name="fz-tabs-line")


def _questions() -> list[rx.Component]:
    state = CampaignState
    return [
        confirm_dialog(
            t("campaigns.delete_title", name=state.name),
            t("campaigns.delete_words"),
            is_open=state.asking == "delete",
            on_close=state.spare,
            on_confirm=state.confirm,
            act=t("campaigns.delete"),
            type_this=state.name,
            typed=state.typed,
            on_type=state.type,
        ),
        confirm_dialog(
            t("campaigns.archive_title", name=state.name),
            t("campaigns.archive_words", n=state.walking),
            is_open=state.asking == "archive",
            on_close=state.spare,
            on_confirm=state.confirm,
            act=t("campaigns.archive"),
        ),
    ]
