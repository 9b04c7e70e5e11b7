"""How the drawer that connects a mailbox looks."""

from __future__ import annotations

from typing import Any

import reflex as rx

from fluenzr_app.ui.components.buttons import button
from fluenzr_app.ui.components.forms import field, form, grid, password_input, text_input
from fluenzr_app.ui.components.frame import drawer
from fluenzr_app.ui.components.status import callout
from fluenzr_app.ui.components.values import icon
from fluenzr_app.ui.kept import kept
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages.accounts_connect import KEPT, ConnectState
from fluenzr_app.ui.pages.accounts_list import AccountsState
from fluenzr_app.ui.pages.accounts_probe import probe_section, server_fields

FORM = "connect-smtp"
_EYE = rx._x.client_state("connect_eye", default=False)


def submit_as(intent: str) -> Any:
    """Return the event that sends the form with another meaning: the fields go with it, the password too."""
    return rx.call_script(
        f"(() => {{ const form = document.getElementById({FORM!r}); form.elements.intent.value = {intent!r};"
        " form.requestSubmit(); form.elements.intent.value = 'test'; })()"
    )


def connect_drawer() -> rx.Component:
    """Return the drawer, open while the address says so."""
    state = ConnectState
    return drawer(
        t("accounts.connect_title"),
        form(
            rx.el.input(type="hidden", name="intent", default_value="test"),
            _who(),
            server_fields(
                state,
                lambda name: lambda value: state.keep(name, value),
                # From the first letter on, and not only once the field is left, nothing is filled in any more.
                on_change=lambda _: rx.cond(state.by_hand, rx.noop(), state.begin_by_hand()),
            ),
            _login(),
            kept("accounts.connect", stored=_stored(), settles=True, quiet=True),
            id=FORM,
            on_submit=state.submit,
        ),
        probe_section(state, submit_as("mend"), t("accounts.probe.before")),
        is_open=AccountsState.drawer == "connect",
        on_close=state.stop,
        subtitle=_known_from(),
        icon_name="server",
        footer=_foot(),
    )


def _stored() -> rx.Var[dict[str, str]]:
    return rx.Var.create({name: getattr(ConnectState, name) for name in KEPT})


def _who() -> rx.Component:
    state = ConnectState
    version = state.form_version.to(str)
    return rx.fragment(
        grid(
            field(
                t("accounts.form.email"),
                text_input(
                    name="email",
                    type="email",
                    key=version + "email",
                    default_value=state.email,
                    auto_complete="off",
                    auto_focus=True,
                    on_blur=state.suggest,
                    placeholder=t("accounts.form.email_example"),
                ),
                error=state.faults.get("email", ""),
            ),
            field(
                t("accounts.form.display_name"),
                text_input(
                    name="display_name",
                    key=version + "display_name",
                    default_value=state.display_name,
                    auto_complete="off",
                    on_blur=lambda value: state.keep("display_name", value),
                ),
                error=state.faults.get("display_name", ""),
            ),
        ),
        rx.cond(
            state.app_password,
            callout(t("accounts.form.app_password", provider=state.preset), "info", "key-round"),
        ),
        rx.cond(state.oauth != "", callout(t("accounts.form.oauth_later", provider=state.preset), "info", "info")),
    )


def _login() -> rx.Component:
    state = ConnectState
    return grid(
        field(
            t("accounts.form.username"),
            text_input(
                name="username",
                key=state.version.to(str) + "username",
                default_value=state.username,
                placeholder=state.email,
                aria_invalid=state.marked.contains("username"),
                auto_complete="off",
                spell_check=False,
                on_blur=lambda value: state.keep("username", value),
            ),
            help=t("accounts.form.username_help"),
            error=state.faults.get("username", ""),
        ),
        field(
            t("accounts.form.password"),
            password_input(visible=_EYE.value, on_toggle=_EYE.set_value(~_EYE.value), auto_complete="new-password"),
            help=t("accounts.form.password_help"),
            error=state.faults.get("password", ""),
        ),
    )


def _known_from() -> rx.Var[str]:
    state = ConnectState
    return rx.cond(
        state.preset != "",
        t("accounts.known_preset", provider=state.preset),
        rx.match(
            state.source,
            ("srv", t("accounts.known_dns")),
            ("mx", t("accounts.known_dns")),
            ("unknown", t("accounts.known_not")),
            t("accounts.connect_subtitle"),
        ),
    ).to(str)


def _foot() -> rx.Component:
    state = ConnectState
    return rx.fragment(
        rx.cond(
            state.kept,
            rx.el.span(
                icon("cloud-check", 14),
                rx.el.span(t("accounts.draft_kept")),
                rx.cond(
                    ~state.testing,
                    rx.el.button(
                        t("accounts.draft_drop"),
                        type="button",
                        on_click=state.forget,
                        class_name="fz-link fza-small-link",
                    ),
                ),
                class_name="fz-save",
            ),
        ),
        button(t("common.cancel"), on_click=state.stop),
        rx.cond(
            state.stages.length() > 0,
            button(
                t("accounts.probe.again"),
                kind="soft",
                icon_name="refresh-cw",
                loading=state.testing,
                on_click=submit_as("test"),
            ),
            button(
                t("accounts.probe.start"),
                kind="solid",
                icon_name="plug-zap",
                loading=state.testing,
                on_click=submit_as("test"),
            ),
        ),
        rx.cond(
            state.stages.length() > 0,
            button(t("accounts.connect_act"), kind="solid", disabled=~state.passed, on_click=submit_as("connect")),
        ),
    )
