"""The dashboard: what left today, what stands still and why, campaigns under way, accounts, first steps."""

from __future__ import annotations

from typing import Any

import reflex as rx

from fluenzr_app.ui.components.buttons import button
from fluenzr_app.ui.components.frame import (
    block,
    body,
    columns,
    empty_state,
    kpi,
    kpi_strip,
    page_header,
    skeleton_rows,
)
from fluenzr_app.ui.components.poll import poll
from fluenzr_app.ui.components.status import (
    Tone,
    badge,
    count_badge,
    progress_bar,
    status_badge,
    usage_bar,
)
from fluenzr_app.ui.components.table import Column, data_table, two_lines
from fluenzr_app.ui.components.values import chosen_icon, icon, link, long_date, number, percent, time_of_day, when
from fluenzr_app.ui.findings_state import FindingsState
from fluenzr_app.ui.findings_view import all_clear, aside_link, finding_rows
from fluenzr_app.ui.language import is_english, t
from fluenzr_app.ui.pages.accounts import STATUSES as ACCOUNT_STATUSES
from fluenzr_app.ui.pages.accounts_query import AccountsQuery
from fluenzr_app.ui.pages.campaign_figures import Followed, Kind, followed_cell, followed_kpi
from fluenzr_app.ui.pages.campaign_words import STATUSES as CAMPAIGN_STATUSES
from fluenzr_app.ui.pages.campaigns_new import NewCampaignState
from fluenzr_app.ui.pages.dashboard_data import AccountRow, CampaignRow, HourBar
from fluenzr_app.ui.pages.dashboard_state import DashboardState, Step
from fluenzr_app.ui.shell import ShellState

_SECONDS = 15
_JUDGEMENTS: dict[str, tuple[str, Tone, str]] = {
    "good": ("dashboard.judgement.good", "good", "thumbs-up"),
    "fair": ("dashboard.judgement.fair", "attention", "minus"),
    "poor": ("dashboard.judgement.poor", "error", "triangle-alert"),
    "early": ("dashboard.judgement.early", "grey", "hourglass"),
}


def page() -> rx.Component:
    """Return the dashboard."""
    state = DashboardState
    return rx.fragment(
        page_header(
            t("dashboard.title"),
            _state(),
            button(t("dashboard.new_campaign"), kind="solid", icon_name="plus", on_click=NewCampaignState.begin("")),
        ),
        body(
            rx.cond(
                state.loaded,
                rx.cond(
                    state.beginning,
                    rx.fragment(_steps(), rx.cond(FindingsState.seen > 0, _standstill())),
                    rx.fragment(
                        _figures(),
                        columns(rx.fragment(_standstill(), _campaigns()), _accounts()),
                    ),
                ),
                block(skeleton_rows(), padded=False),
            ),
        ),
        poll(_SECONDS, [state.load, FindingsState.look]),
    )


def _state() -> rx.Component:
    state = DashboardState
    moment = rx.cond(state.now != "", state.now, ShellState.server_now)
    return rx.fragment(
        rx.el.span(long_date(moment, ShellState.zone), class_name="fzd-capital"),
        ", ",
        time_of_day(moment, ShellState.zone),
        rx.match(
            state.window,
            ("open", rx.fragment(" · ", t("dashboard.window_open"), " ", _clock(state.window_at))),
            ("closed", rx.fragment(" · ", t("dashboard.window_closed"), " ", _said(state.window_at))),
            rx.fragment(),
        ),
    )


def _clock(moment: Any) -> rx.Component:
    return when(moment, ShellState.zone, mode="time")


def _said(moment: Any) -> rx.Component:
    return when(moment, ShellState.zone, mode="since")


def _figures() -> rx.Component:
    state = DashboardState
    today = kpi_strip(
        kpi(
            t("dashboard.sent_today"),
            number(state.sent),
            rx.cond(
                state.planned > 0,
                rx.cond(
                    state.window_at != "",
                    rx.el.span(t("dashboard.planned_until", n=state.planned), " ", _clock(state.window_at)),
                    t("dashboard.planned", n=state.planned),
                ),
                t("dashboard.nothing_planned"),
            ),
            unit=t("dashboard.of_possible", n=state.possible),
            chart=_chart(),
        ),
        kpi(t("dashboard.walking"), number(state.walking), _not_written_to()),
        kpi(
            t("dashboard.active"),
            number(state.active),
            rx.cond(
                state.stopped > 0,
                badge(t("dashboard.stopped", n=state.stopped), "attention", "hourglass"),
                rx.cond(state.paused > 0, t("dashboard.paused", n=state.paused), t("dashboard.all_move")),
            ),
        ),
    )
    month = kpi_strip(
        followed_kpi("opens", t("figures.opens_30"), state.opens, unknown=_no_rate("opens", state.opens)),
        followed_kpi("clicks", t("figures.clicks_30"), state.clicks, unknown=_no_rate("clicks", state.clicks)),
        kpi(
            t("dashboard.bounces"),
            percent(state.bounce_share),
            rx.cond(
                state.judgement != "",
                rx.fragment(
                    status_badge(state.judgement, _JUDGEMENTS),
                    t("dashboard.of_sent", n=state.bounced, total=state.bounce_sent),
                ),
                t("dashboard.nothing_sent"),
            ),
        ),
    )
    return rx.fragment(today, month)


def _not_written_to() -> rx.Var[str]:
    state = DashboardState
    some = rx.cond(state.new > 0, t("dashboard.walking_new", n=state.new), t("dashboard.walking_none_new"))
    known = rx.cond(state.new < state.walking, some, t("dashboard.walking_all_new"))
    return rx.cond(state.walking > 0, known, t("dashboard.walking_nobody")).to(str)


def _no_rate(kind: Kind, shown: rx.Var[Followed]) -> rx.Var[str]:
    older = t("figures.older_opens", n=shown.count) if kind == "opens" else t("figures.older_clicks", n=shown.count)
    return rx.cond(shown.count > 0, older, t("dashboard.nothing_sent")).to(str)


def _chart() -> rx.Component:
    state = DashboardState
    return rx.el.div(
        rx.foreach(state.bars, _bar),
        class_name="fzd-chart",
        data_empty=(state.sent + state.planned) == 0,
        role="img",
        aria_label=t("dashboard.chart", sent=state.sent, planned=state.planned),
    )


def _bar(bar: rx.Var[HourBar]) -> rx.Component:
    hour = rx.cond(is_english(), bar.hour.to(str) + ":00", bar.hour.to(str) + "\u00a0h")
    return rx.el.div(
        rx.el.div(
            rx.cond(
                bar.planned > 0,
                rx.el.div(class_name="fzd-planned", style={"height": bar.planned_share.to(str) + "%"}),
            ),
            rx.cond(bar.sent > 0, rx.el.div(class_name="fzd-sent", style={"height": bar.sent_share.to(str) + "%"})),
            class_name="fzd-bar",
        ),
        rx.el.div(rx.cond(bar.labelled, hour, ""), class_name="fzd-tick"),
        title=t("dashboard.bar", hour=bar.hour, sent=bar.sent, planned=bar.planned),
        class_name="fzd-column",
    )


def _standstill() -> rx.Component:
    S = FindingsState
    return block(
        finding_rows(),
        rx.cond(S.loaded & (S.lines.length() == 0), all_clear()),
        aside_link(),
        title=rx.el.span(
            t("dashboard.standstill"),
            count_badge(S.seen, rx.cond(S.urgent, "attention", "grey")),
            class_name="fzd-title",
        ),
        aside=rx.el.span(t("dashboard.checked"), " ", when(S.checked_at, ShellState.zone), class_name="fz-wide-only"),
        padded=False,
    )


def _campaigns() -> rx.Component:
    state = DashboardState
    table = data_table(
        [
            Column(t("dashboard.column.campaign"), _name),
            Column(t("dashboard.column.state"), lambda row: status_badge(row.badge, CAMPAIGN_STATUSES)),
            Column(t("dashboard.column.progress"), _progress, hide_on_phone=True),
            Column(
                t("figures.opens_short"), lambda row: followed_cell("opens", row.opens), right=True, hide_on_phone=True
            ),
            Column(
                t("figures.clicks_short"),
                lambda row: followed_cell("clicks", row.clicks),
                right=True,
                hide_on_phone=True,
            ),
            Column(t("dashboard.column.next"), _next, right=True, hide_on_phone=True),
        ],
        state.campaigns,
        loaded=state.loaded,
        key=lambda row: row.id,
        empty=empty_state(
            "send",
            t("dashboard.no_campaigns"),
            t("dashboard.no_campaigns_words"),
            button(t("dashboard.to_campaigns"), href="/campaigns"),
        ),
    )
    return block(
        table,
        title=t("dashboard.campaigns"),
        aside=link(t("common.see_all"), "/campaigns"),
        padded=False,
        class_name="fzd-campaigns",
    )


def _name(row: rx.Var[CampaignRow]) -> rx.Component:
    return two_lines(
        link(row.name, "/campaigns/" + row.id + "/progress", class_name="fzd-plain-link"),
        rx.fragment(t("dashboard.sent_n", n=row.sent), " · ", t("campaigns.accounts_n", n=row.accounts)),
    )


def _progress(row: rx.Var[CampaignRow]) -> rx.Component:
    return rx.el.div(
        progress_bar(row.ended, row.enrolled, tone=rx.cond(row.badge == "active", "accent", "grey"), thick=True),
        rx.el.span(percent(row.share, 0), class_name="fz-usage-cap"),
        class_name="fz-usage fzd-progress",
    )


def _next(row: rx.Var[CampaignRow]) -> rx.Component:
    return rx.cond(
        row.next_at != "",
        rx.cond(row.leaves_now, t("dashboard.now"), rx.fragment(when(row.next_at, ShellState.zone))),
        rx.el.span(
            rx.cond(row.status == "paused", t("campaigns.suspended"), t("dashboard.nothing_next")),
            class_name="fz-second",
        ),
    )


def _accounts() -> rx.Component:
    state = DashboardState
    return block(
        rx.cond(
            state.accounts.length() > 0,
            rx.foreach(state.accounts, _account),
            empty_state(
                "at-sign",
                t("dashboard.no_accounts"),
                t("dashboard.no_accounts_words"),
                button(t("accounts.connect_first"), href=AccountsQuery(drawer="connect").address()),
            ),
        ),
        title=t("dashboard.accounts"),
        aside=rx.cond(
            state.accounts_total > state.accounts.length(),
            link(t("dashboard.all_accounts", n=state.accounts_total), "/accounts"),
            link(t("common.see_all"), "/accounts"),
        ),
        padded=False,
    )


def _account(row: rx.Var[AccountRow]) -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.div(row.email, class_name="fz-first fzd-clip"),
            usage_bar(row.used, row.limit, stands=row.stands),
            class_name="fzd-account-words",
        ),
        status_badge(row.status, ACCOUNT_STATUSES, bare=True),
        class_name="fzd-account",
    )


def _steps() -> rx.Component:
    state = DashboardState
    return block(
        rx.el.p(t("dashboard.steps.words"), class_name="fz-second fzd-steps-words"),
        rx.el.ol(rx.foreach(state.steps, _step), class_name="fzd-steps"),
        title=t("dashboard.steps.title"),
        aside=rx.el.span(t("dashboard.steps.done", n=state.steps_done, total=state.steps.length())),
        padded=False,
        class_name="fzd-steps-block",
    )


def _step(step: rx.Var[Step]) -> rx.Component:
    keys = ("account", "contacts", "address", "campaign")
    label = rx.match(step.key, *[(key, t(f"dashboard.steps.{key}")) for key in keys], "")
    why = rx.match(step.key, *[(key, t(f"dashboard.steps.{key}_words")) for key in keys], "")
    act = rx.match(step.key, *[(key, t(f"dashboard.steps.{key}_act")) for key in keys], "")
    mark = rx.cond(
        step.done,
        rx.el.span(icon("circle-check", 20), class_name="fz-good"),
        rx.el.span(
            chosen_icon(step.icon, {"at-sign": "at-sign", "users": "users", "map-pin": "map-pin"}, "send", 20),
            class_name="fza-accent",
        ),
    )
    return rx.el.li(
        mark,
        rx.el.div(
            rx.el.div(label, class_name="fz-what"),
            rx.el.div(why, class_name="fz-second"),
            class_name="fzd-step-words",
        ),
        rx.cond(
            step.done,
            badge(t("dashboard.steps.is_done"), "good"),
            rx.cond(
                step.key == "campaign",
                button(act, size="small", on_click=NewCampaignState.begin("first_contact")),
                button(act, size="small", href=step.href),
            ),
        ),
        class_name="fzd-step",
        data_done=step.done,
    )
