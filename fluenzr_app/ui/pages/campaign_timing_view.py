"""The page of a campaign's timing and accounts."""

from __future__ import annotations

from typing import Any

import reflex as rx

from fluenzr_app.campaigns.settings import DAYS
from fluenzr_app.ui.components.buttons import button, icon_button
from fluenzr_app.ui.components.forms import choice, field, form, grid, switch, text_area, text_input
from fluenzr_app.ui.components.frame import block, body, columns, empty_state
from fluenzr_app.ui.components.status import Tone, save_state, status_badge, usage_bar
from fluenzr_app.ui.components.values import link, long_date
from fluenzr_app.ui.kept import kept
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages.campaign_frame import CampaignState
from fluenzr_app.ui.pages.campaign_layout import campaign_page, read_only_banner
from fluenzr_app.ui.pages.campaign_timing import NUMBERS, ZONES, TimingState
from fluenzr_app.ui.pages.campaign_tracking_view import campaign_tracking

ACCOUNTS: dict[str, tuple[str, Tone, str]] = {
    "connected": ("campaign_timing.account.connected", "good", "circle-check"),
    "error": ("campaign_timing.account.error", "error", "unplug"),
    "paused": ("campaign_timing.account.paused", "attention", "circle-pause"),
}


def page() -> rx.Component:
    """Return the page on which one says when and from where a campaign writes."""
    return campaign_page(
        "timing",
        body(
            read_only_banner(),
            columns(rx.fragment(_window(), _pace(), campaign_tracking(), _stops()), rx.fragment(_accounts(), _about())),
            data_keeps="true",
        ),
        live=[TimingState.refresh],
    )


def _stored() -> rx.Var[dict[str, str]]:
    state = TimingState
    fields = (state.per_hour, state.new_per_day, state.per_company, state.name, state.description)
    return rx.Var.create(dict(zip((*NUMBERS, "name", "description"), fields, strict=True)))


def _wrong(name: str) -> Any:
    return rx.cond(TimingState.wrong == name, TimingState.error, "")


def _window() -> rx.Component:
    state = TimingState
    off = ~state.editable
    days = rx.el.div(
        *[
            rx.el.button(
                t(f"campaign_timing.day.{day}"),
                type="button",
                aria_pressed=state.days.contains(day),
                disabled=off,
                on_click=state.toggle_day(day),
                class_name="fz-day",
            )
            for day in DAYS
        ],
        class_name="fz-days",
        role="group",
    )
    hours = rx.el.div(
        grid(
            field(
                t("campaign_timing.from"),
                _hours("sendHoursStart", state.start, 0, 23),
                error=_wrong("sendHoursEnd"),
            ),
            field(t("campaign_timing.to"), _hours("sendHoursEnd", state.end, 1, 24)),
        ),
        rx.el.span(t("campaign_timing.hours_help"), class_name="fz-help"),
        class_name="fz-field fz-hours",
    )
    zone = field(
        t("campaign_timing.zone"),
        rx.fragment(
            text_input(
                key="zone" + state.zone,
                default_value=state.zone,
                list="zones",
                disabled=off,
                on_blur=lambda value: rx.cond(value != state.zone, state.set_zone(value), rx.noop()),
                auto_complete="off",
                spell_check=False,
            ),
            rx.el.datalist(*[rx.el.option(value=name) for name in ZONES], id="zones"),
        ),
        help=t("campaign_timing.zone_help"),
        error=_wrong("timezone"),
    )
    return block(
        rx.el.div(
            rx.el.div(
                rx.el.span(t("campaign_timing.days"), class_name="fz-label"),
                days,
                rx.cond(state.wrong == "sendDays", rx.el.span(state.error, class_name="fz-error")),
                class_name="fz-field",
            ),
            hours,
            zone,
            switch(
                t("campaign_timing.own_zone"),
                help=t("campaign_timing.own_zone_help"),
                checked=state.own_zone,
                disabled=off,
                on_change=lambda on: state.set_switch("useContactTimezone", on),
            ),
            _skip(),
            class_name="fz-stack",
        ),
        title=t("campaign_timing.window"),
        aside=rx.fragment(
            kept("timing." + CampaignState.id, stored=_stored(), settles=True, quiet=True),
            save_state(state.saved, state.saved_at),
        ),
    )


def _hours(which: str, value: Any, first: int, last: int) -> rx.Component:
    return choice(
        [(str(hour), f"{hour:02}:00") for hour in range(first, last + 1)],
        value=value.to_string(),
        disabled=~TimingState.editable,
        on_change=lambda hour: TimingState.set_hour(which, hour),
    )


def _skip() -> rx.Component:
    state = TimingState
    chips = rx.foreach(
        state.skip,
        lambda day: rx.el.span(
            long_date(day + "T12:00:00Z", "UTC"),
            " ",
            day[:4],
            rx.cond(
                state.editable,
                icon_button(t("campaign_timing.skip_remove"), "x", size="small", on_click=state.unskip(day)),
            ),
            class_name="fz-chip",
        ),
    )
    return rx.el.div(
        rx.el.span(t("campaign_timing.skip"), class_name="fz-label"),
        rx.cond(state.skip.length() > 0, rx.el.div(chips, class_name="fz-row")),
        rx.cond(
            state.editable,
            form(
                rx.el.div(
                    text_input(
                        name="date", type="date", aria_label=t("campaign_timing.skip_date"), class_name="fz-date"
                    ),
                    button(t("campaign_timing.skip_add"), submit=True),
                    class_name="fz-row",
                ),
                on_submit=state.skip_date,
                reset_on_submit=True,
            ),
        ),
        rx.cond(
            state.wrong == "skipDates",
            rx.el.span(state.error, class_name="fz-error"),
            rx.el.span(t("campaign_timing.skip_help"), class_name="fz-help"),
        ),
        class_name="fz-field",
    )


def _pace() -> rx.Component:
    state = TimingState
    return block(
        rx.el.div(
            grid(
                _number("per_hour", "maxEmailsPerHour", state.per_hour),
                _number("new_per_day", "newContactsPerDay", state.new_per_day),
                _number("per_company", "maxPerCompanyPerDay", state.per_company),
                columns=3,
            ),
            switch(
                t("campaign_timing.plain"),
                help=t("campaign_timing.plain_help"),
                checked=state.plain,
                disabled=~state.editable,
                on_change=lambda on: state.set_switch("firstMailPlain", on),
            ),
            class_name="fz-stack",
        ),
        title=t("campaign_timing.pace"),
    )


def _stops() -> rx.Component:
    state = TimingState
    return block(
        rx.el.div(
            rx.el.p(t("campaign_timing.stops_always"), class_name="fz-second"),
            switch(
                t("campaign_timing.stops_company"),
                help=t("campaign_timing.stops_company_help"),
                checked=state.stops_company,
                disabled=~state.editable,
                on_change=lambda on: state.set_switch("stopCompanyOnReply", on),
            ),
            class_name="fz-stack",
        ),
        title=t("campaign_timing.stops"),
    )


def _number(key: str, which: str, value: Any) -> rx.Component:
    return field(
        t(f"campaign_timing.{key}"),
        text_input(
            key=which + value,
            name=which,
            default_value=value,
            input_mode="numeric",
            placeholder=t("campaign_timing.no_limit"),
            disabled=~TimingState.editable,
            on_blur=lambda text: rx.cond(text != value, TimingState.set_number(which, text), rx.noop()),
        ),
        help=t(f"campaign_timing.{key}_help"),
        error=_wrong(which),
    )


def _accounts() -> rx.Component:
    state = TimingState
    empty = empty_state(
        "at-sign",
        t("campaign_timing.no_accounts"),
        t("campaign_timing.no_accounts_words"),
        button(t("campaign_timing.connect"), kind="solid", href="/accounts"),
    )
    return block(
        rx.cond(
            state.accounts.length() > 0,
            rx.fragment(
                rx.el.p(t("campaign_timing.accounts_words"), class_name="fz-second fz-block-body"),
                rx.el.div(rx.foreach(state.accounts, _account)),
                rx.el.div(
                    rx.el.span(
                        t("campaign_timing.chosen_n", n=state.chosen),
                        rx.cond(state.chosen > 0, rx.fragment(", ", t("campaign_timing.total_room", n=state.room))),
                        class_name="fz-second",
                    ),
                    link(t("campaign_timing.see_accounts"), "/accounts"),
                    class_name="fz-block-body fz-spread",
                ),
            ),
            rx.cond(state.loaded, empty),
        ),
        title=t("campaign_timing.accounts"),
        padded=False,
    )


def _account(account: Any) -> rx.Component:
    state = TimingState
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            checked=account.is_chosen,
            disabled=~state.editable,
            on_change=lambda _: state.toggle_account(account.id),
            class_name="fz-check",
        ),
        rx.el.div(
            rx.el.div(account.email, class_name="fz-first"),
            usage_bar(account.used, account.cap, stands=account.status != "connected"),
            class_name="fz-grow fz-account-words",
        ),
        status_badge(account.status, ACCOUNTS),
        class_name="fz-pick-row",
    )


def _about() -> rx.Component:
    state = TimingState
    return block(
        rx.el.div(
            field(
                t("campaign_timing.name"),
                text_input(
                    key="name" + state.name,
                    name="name",
                    default_value=state.name,
                    max_length=120,
                    disabled=~state.editable,
                    on_blur=lambda text: rx.cond(text != state.name, state.rename(text), rx.noop()),
                ),
                error=_wrong("name"),
            ),
            field(
                t("campaign_timing.description"),
                text_area(
                    key="about" + state.description,
                    name="description",
                    default_value=state.description,
                    max_length=2000,
                    disabled=~state.editable,
                    on_blur=lambda text: rx.cond(text != state.description, state.describe(text), rx.noop()),
                ),
                help=t("campaign_timing.description_help"),
            ),
            class_name="fz-stack",
        ),
        title=t("campaign_timing.about"),
    )
