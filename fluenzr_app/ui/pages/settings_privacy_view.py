"""The section of tracking and privacy, and its questions."""

from __future__ import annotations

from typing import Any

import reflex as rx

from fluenzr_app.ui.components.buttons import button
from fluenzr_app.ui.components.forms import field, form, grid, radio_line, switch, text_input
from fluenzr_app.ui.components.frame import block, confirm_dialog, dialog, skeleton_rows, stack
from fluenzr_app.ui.components.status import badge, callout, save_state
from fluenzr_app.ui.components.values import icon, link
from fluenzr_app.ui.kept import kept
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages.settings_privacy import DAYS, PrivacyState
from fluenzr_app.ui.shell import ShellState

_PROXIES = ("on_open", "all", "none")


def section() -> rx.Component:
    """Return the section."""
    state = PrivacyState
    return rx.el.div(
        rx.cond(~ShellState.is_admin, callout(t("settings.only_admin"), "info", "lock")),
        rx.cond(
            state.loaded,
            rx.fragment(_asked(), _kept(), _proxies(), _recipients()),
            block(skeleton_rows(4), title=t("settings.privacy.asked")),
        ),
        class_name="fz-stack fzs-narrow",
    )


def _saved(where: str) -> rx.Component:
    state = PrivacyState
    return save_state(rx.cond(state.saved == where, "saved", ""), state.saved_at)


def _asked() -> rx.Component:
    state = PrivacyState

    def line(name: str, on: Any) -> rx.Component:
        return stack(
            switch(
                t(f"settings.privacy.{name}"),
                help=t(f"settings.privacy.{name}_help"),
                checked=on,
                disabled=~ShellState.is_admin,
                on_change=lambda wanted: state.switch(name, wanted),
            ),
            rx.cond(~on, callout(t(f"settings.privacy.{name}_off"), "attention", "eye-off")),
            gap=12,
        )

    return block(
        stack(line("track_opens", state.track_opens), line("track_clicks", state.track_clicks)),
        title=t("settings.privacy.asked"),
        aside=_saved("asked"),
    )


def _choice(title: Any, help: Any, *, recommended: bool = False) -> rx.Component:  # noqa: A002
    mark = [badge(t("settings.privacy.recommended"), "good", "circle-check")] if recommended else []
    return rx.fragment(
        rx.el.span(rx.el.span(title), *mark, class_name="fzs-choice-title"), rx.el.span(help, class_name="fz-help")
    )


def _kept() -> rx.Component:
    state = PrivacyState
    read_only = ~ShellState.is_admin
    dates = radio_line(
        _choice(t("settings.privacy.dates"), t("settings.privacy.dates_help"), recommended=True),
        name="kept",
        value="dates",
        checked=~state.details,
        disabled=read_only,
        on_change=state.ask_details,
    )
    details = radio_line(
        _choice(t("settings.privacy.details"), t("settings.privacy.details_help")),
        name="kept",
        value="details",
        checked=state.details,
        disabled=read_only,
        on_change=state.ask_details,
    )
    days = field(
        t("settings.privacy.days"),
        text_input(
            name="days",
            key="days" + state.version.to(str),
            default_value=state.days,
            input_mode="numeric",
            disabled=read_only,
            on_blur=lambda text: rx.cond(text != state.days, state.set_days(text), rx.noop()),
            class_name="fzs-days",
        ),
        help=t("settings.privacy.days_help"),
        error=rx.cond(state.asking == "", state.error, ""),
    )
    unsaved = kept(DAYS, stored=rx.Var.create({"days": state.days}), settles=True, quiet=True)
    return block(
        stack(
            dates,
            details,
            rx.cond(state.details, rx.el.div(days, unsaved, class_name="fzs-under", custom_attrs={"data-keeps": ""})),
        ),
        title=t("settings.privacy.kept"),
        aside=_saved("kept"),
    )


def _proxies() -> rx.Component:
    state = PrivacyState
    lines = [
        radio_line(
            _choice(
                t(f"settings.privacy.proxies_{choice}"),
                t(f"settings.privacy.proxies_{choice}_help"),
                recommended=choice == "on_open",
            ),
            name="proxies",
            value=choice,
            checked=state.proxy_opens == choice,
            disabled=~ShellState.is_admin,
            on_change=state.choose_proxies,
        )
        for choice in _PROXIES
    ]
    return block(
        stack(rx.el.p(t("settings.privacy.proxies_words"), class_name="fz-second"), *lines),
        title=t("settings.privacy.proxies"),
        aside=_saved("proxies"),
    )


def _recipients() -> rx.Component:
    state = PrivacyState
    objections = rx.el.div(
        icon("shield-check"),
        rx.el.div(
            rx.el.div(
                rx.cond(
                    state.objections > 0,
                    t("settings.privacy.objections", n=state.objections),
                    t("settings.privacy.no_objection"),
                ),
                class_name="fz-what",
            ),
            rx.el.div(t("settings.privacy.objections_words"), class_name="fz-second"),
        ),
        class_name="fzs-objections",
    )
    return block(
        stack(
            rx.el.p(
                rx.cond(state.track_opens, t("settings.privacy.footer_words"), t("settings.privacy.footer_silent")),
                class_name="fz-second",
            ),
            grid(_footer("fr", "Français", state.footer_fr), _footer("en", "English", state.footer_en)),
            rx.cond(
                ~state.has_address,
                rx.el.p(
                    t("settings.privacy.no_address"),
                    " ",
                    link(t("settings.privacy.give_address"), "/settings?tab=workspace"),
                    class_name="fz-second",
                ),
            ),
            objections,
        ),
        title=t("settings.privacy.recipients"),
    )


def _footer(lang: str, name: str, html: Any) -> rx.Component:
    return rx.el.figure(
        rx.el.figcaption(name, class_name="fz-label"),
        # Our own words and an escaped address; its links lead nowhere here.
        rx.el.div(rx.html(html), inert=True, class_name="fzs-paper"),
        lang=lang,
        class_name="fzs-footer",
    )


def dialogs() -> rx.Component:
    """Return the questions before more is kept, and before what is kept goes."""
    state = PrivacyState
    return rx.fragment(
        dialog(
            t("settings.privacy.keep_title"),
            form(
                field(
                    t("settings.privacy.days"),
                    text_input(
                        name="days",
                        default_value=state.days,
                        input_mode="numeric",
                        auto_complete="off",
                        class_name="fzs-days",
                    ),
                    help=t("settings.privacy.days_help"),
                    error=state.error,
                ),
                id="keep-details",
                on_submit=state.keep_details,
            ),
            words=t("settings.privacy.keep_words"),
            is_open=state.asking == "keep",
            on_close=state.close,
            actions=rx.fragment(
                button(t("common.cancel"), on_click=state.close),
                button(t("settings.privacy.keep_act"), kind="solid", submit=True, form="keep-details"),
            ),
        ),
        confirm_dialog(
            t("settings.privacy.forget_title"),
            rx.cond(
                state.doomed > 0,
                t("settings.privacy.forget_words", n=state.doomed),
                t("settings.privacy.forget_nothing"),
            ),
            is_open=state.asking == "forget",
            on_close=state.close,
            on_confirm=state.forget_details,
            act=t("settings.privacy.forget_act"),
        ),
        confirm_dialog(
            t("settings.privacy.shorten_title", n=state.asked_days),
            t("settings.privacy.forget_words", n=state.doomed),
            is_open=state.asking == "shorten",
            on_close=state.close,
            on_confirm=state.shorten,
            act=t("settings.privacy.forget_act"),
        ),
    )
