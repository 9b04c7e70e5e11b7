"""The list of campaigns: what runs, how far it is, and what stands still and why."""

from __future__ import annotations

from typing import Any

import reflex as rx

from fluenzr_app.ui.components.buttons import button, mend_button, menu_item, row_menu
from fluenzr_app.ui.components.forms import search_field, tabs
from fluenzr_app.ui.components.frame import block, body, confirm_dialog, empty_state, page_header
from fluenzr_app.ui.components.status import diagnosis_banner, progress_bar, status_badge
from fluenzr_app.ui.components.table import Column, data_table, pager, toolbar, two_lines, under_row
from fluenzr_app.ui.components.values import chosen_icon, icon, number, percent, when
from fluenzr_app.ui.findings_state import FindingsState
from fluenzr_app.ui.findings_view import banners_of
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages.campaign_acts import PER_PAGE
from fluenzr_app.ui.pages.campaign_figures import followed_cell
from fluenzr_app.ui.pages.campaign_parts import Poll
from fluenzr_app.ui.pages.campaign_words import STATUSES, WAIT_ICONS
from fluenzr_app.ui.pages.campaigns_list import CampaignsState
from fluenzr_app.ui.pages.campaigns_new import NewCampaignState, new_campaign_dialog
from fluenzr_app.ui.shell import ShellState


def page() -> rx.Component:
    """Return the page of all campaigns."""
    state = CampaignsState
    counted: list[Any] = [
        # Those at a standstill are active too, and are said apart.
        rx.cond(state.moving | (state.stopped == 0), t("campaigns.active_n", n=state.active - state.stopped), ""),
        rx.cond(
            state.stopped > 0,
            rx.fragment(rx.cond(state.moving, " · ", ""), t("campaigns.stopped_n", n=state.stopped)),
        ),
        rx.cond(state.paused > 0, rx.fragment(" · ", t("campaigns.paused_n", n=state.paused))),
        rx.cond(state.drafts > 0, rx.fragment(" · ", t("campaigns.draft_n", n=state.drafts))),
    ]
    new = button(t("campaigns.new"), kind="solid", icon_name="plus", on_click=NewCampaignState.show(""))
    template = button(
        t("campaigns.from_template"), icon_name="layout-template", on_click=NewCampaignState.show("first_contact")
    )
    options = [
        ("all", t("campaigns.tab.all"), number(state.everything)),
        ("active", t("campaigns.tab.active"), number(state.active)),
        ("paused", t("campaigns.tab.paused"), number(state.paused)),
        ("draft", t("campaigns.tab.draft"), number(state.drafts)),
        ("completed", t("campaigns.tab.completed"), number(state.completed)),
        ("archived", t("campaigns.tab.archived"), number(state.archived)),
    ]
    return rx.fragment(
        page_header(t("campaigns.title"), rx.fragment(*counted), template, new),
        rx.el.div(tabs(options, state.tab, state.show_tab), class_name="fz-tabs-line"),
        body(
            banners_of(""),
            toolbar(search_field(t("campaigns.search"), value=state.search, on_change=state.look_for)),
            block(
                data_table(
                    _columns(),
                    state.rows,
                    loaded=state.loaded,
                    key=lambda row: row.id,
                    on_open=state.open,
                    sort=state.sort,
                    on_sort=state.sort_by,
                    empty=_empty(),
                    below=_below,
                ),
                pager(page=state.page_number, page_size=PER_PAGE, total=state.total, on_page=state.turn_to),
                padded=False,
                class_name="fz-campaigns",
            ),
        ),
        new_campaign_dialog(),
        *_questions(),
        Poll.create(every=10_000, on_tick=CampaignsState.load),
    )


def _columns() -> list[Column]:
    return [
        Column(t("campaigns.column.name"), _name, sort="name"),
        Column(t("campaigns.column.status"), lambda row: status_badge(row.badge, STATUSES), sort="status"),
        Column(t("campaigns.column.progress"), _progress, width="170px", hide_on_phone=True),
        Column(t("campaigns.column.sent"), lambda row: number(row.sent), right=True, hide_on_phone=True),
        Column(t("figures.opens_short"), lambda row: followed_cell("opens", row.opens), right=True, hide_on_phone=True),
        Column(
            t("figures.clicks_short"), lambda row: followed_cell("clicks", row.clicks), right=True, hide_on_phone=True
        ),
        Column(t("campaigns.column.bounced"), _bounced, right=True, hide_on_phone=True),
        Column(t("campaigns.column.next"), _next, right=True, hide_on_phone=True),
        Column("", _menu, right=True, width="24px"),
    ]


def _name(row: Any) -> rx.Component:
    accounts = rx.cond(row.accounts > 0, t("campaigns.accounts_n", n=row.accounts), t("campaigns.no_account"))
    return rx.el.div(
        two_lines(
            row.name,
            rx.fragment(
                rx.el.span(t("campaigns.mails_n", n=row.mails), " · ", accounts, class_name="fz-wide-only"),
                # A phone has no room for columns: how far it is and when it goes on stand under the name.
                rx.el.span(
                    rx.cond(row.enrolled > 0, rx.fragment(percent(row.share, 0), " · ")),
                    _next(row),
                    class_name="fz-narrow-only",
                ),
            ),
        ),
        class_name="fz-name-cell",
    )


def _progress(row: Any) -> rx.Component:
    tone = rx.match(
        row.badge, ("active", "accent"), ("completed", "good"), ("draft", "grey"), ("archived", "grey"), "grey"
    )
    words = rx.cond(
        row.enrolled > 0,
        t("campaigns.of", done=number(row.ended), total=number(row.enrolled)),
        t("campaigns.no_contacts"),
    )
    return rx.el.div(
        rx.el.div(rx.el.span(words), rx.el.span(percent(row.share, 0)), class_name="fz-progress-line"),
        progress_bar(row.ended, row.enrolled, tone=tone, thick=False),
        class_name="fz-progress",
    )


def _bounced(row: Any) -> rx.Component:
    return rx.cond(
        row.many_bounces,
        rx.el.span(icon("triangle-alert", 12), percent(row.bounce), class_name="fz-rate fz-bad"),
        rx.el.span(percent(row.bounce)),
    )


def _next(row: Any) -> rx.Component:
    said = rx.match(
        row.status,
        ("draft", rx.cond(row.points > 0, t("campaigns.points", n=row.points), t("campaigns.ready"))),
        ("paused", t("campaigns.suspended")),
        ("completed", t("campaigns.ended")),
        ("archived", t("campaigns.put_away")),
        rx.cond(row.has_wait, t("campaigns.held_up"), t("campaigns.nobody_left")),
    )
    return rx.cond(
        (row.status == "active") & (row.next_at != ""),
        when(row.next_at, ShellState.zone),
        rx.el.span(said, class_name="fz-second"),
    )


def _menu(row: Any) -> rx.Component:
    state = CampaignsState
    return rx.el.div(
        row_menu(
            t("campaigns.menu"),
            menu_item(t("campaigns.open"), "arrow-right", on_select=state.open(row.id)),
            rx.cond(
                row.status == "active",
                menu_item(t("campaigns.pause"), "circle-pause", on_select=state.act("pause", row.id)),
            ),
            rx.cond(
                row.status == "paused",
                menu_item(t("campaigns.resume"), "circle-play", on_select=state.act("resume", row.id)),
            ),
            menu_item(t("campaigns.duplicate"), "copy", on_select=state.act("duplicate", row.id)),
            rx.cond(
                (row.status == "paused") | (row.status == "completed") | (row.status == "draft"),
                menu_item(t("campaigns.archive"), "archive", on_select=state.ask("archive", row.id)),
            ),
            rx.cond(
                row.status == "draft",
                menu_item(t("campaigns.delete"), "trash-2", danger=True, on_select=state.ask("delete", row.id)),
            ),
        ),
        on_click=rx.stop_propagation,
    )


def _below(row: Any) -> rx.Component:
    uncertain = diagnosis_banner(
        "circle-help",
        "attention",
        t("campaigns.uncertain_n", n=row.uncertain),
        t("campaigns.uncertain_why"),
        mend=mend_button(t("campaigns.decide"), href=row.href),
    )
    wait = diagnosis_banner(
        chosen_icon(row.wait.code, WAIT_ICONS, "hourglass"),
        row.wait.tone,
        rx.fragment(row.wait.what, " · ", t("campaigns.waiting_n", n=row.waiting)),
        rx.fragment(row.wait.why, " ", row.wait.until),
        mend=rx.cond(row.wait.mend != "", _mend(row)),
    )
    findings, account = FindingsState, row.wait.account
    of_account = (account != "") & findings.things.contains(account)
    told = findings.told.contains(row.wait.finding) | findings.told.contains(account)
    return rx.fragment(
        rx.cond(
            findings.things.contains(row.id) | of_account,
            under_row(9, rx.cond(of_account, banners_of(account)), banners_of(row.id)),
        ),
        # What a finding tells, here or put aside, is not said twice.
        rx.cond(row.has_wait & findings.of_campaigns & ~told, under_row(9, wait)),
        rx.cond(
            (row.uncertain > 0) & findings.of_campaigns & ~findings.told.contains("campaign_uncertain:" + row.id),
            under_row(9, uncertain),
        ),
    )


def _mend(row: Any) -> rx.Component:
    urgent = row.wait.tone == "error"
    return rx.match(
        row.wait.mend,
        ("resume", mend_button(row.wait.mend_label, on_click=CampaignsState.act("resume", row.id))),
        ("timing", mend_button(row.wait.mend_label, urgent=urgent, href=f"/campaigns/{row.id}/timing")),
        ("choose_account", mend_button(row.wait.mend_label, urgent=urgent, href=f"/campaigns/{row.id}/timing")),
        ("decide", mend_button(row.wait.mend_label, href=row.href)),
        mend_button(row.wait.mend_label, urgent=urgent, href=row.wait.href),
    )


def _empty() -> rx.Component:
    nothing_found = empty_state(
        "search-x",
        t("campaigns.none_found"),
        t("campaigns.none_found_words"),
        button(t("campaigns.show_all"), kind="soft", on_click=CampaignsState.show_everything),
        found_nothing=True,
    )
    nothing_yet = empty_state(
        "send",
        t("campaigns.none"),
        t("campaigns.none_words"),
        button(t("campaigns.new"), kind="solid", icon_name="plus", on_click=NewCampaignState.show("")),
        button(t("campaigns.from_template"), on_click=NewCampaignState.show("first_contact")),
    )
    return rx.cond((CampaignsState.search != "") | (CampaignsState.tab != "all"), nothing_found, nothing_yet)


def _questions() -> list[rx.Component]:
    state = CampaignsState
    return [
        confirm_dialog(
            t("campaigns.delete_title", name=state.doomed_name),
            t("campaigns.delete_words"),
            is_open=state.doomed_act == "delete",
            on_close=state.spare,
            on_confirm=state.confirm,
            act=t("campaigns.delete"),
            type_this=state.doomed_name,
            typed=state.typed,
            on_type=state.type,
        ),
        confirm_dialog(
            t("campaigns.archive_title", name=state.doomed_name),
            t("campaigns.archive_words", n=state.doomed_waiting),
            is_open=state.doomed_act == "archive",
            on_close=state.spare,
            on_confirm=state.confirm,
            act=t("campaigns.archive"),
        ),
    ]
