"""The drawer with an account's own settings: limits, gap, ramp, name, signature and the copy of sent mail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import reflex as rx

from fluenzr_app.accounts import service
from fluenzr_app.accounts.errors import AccountsError, BadAccountForm
from fluenzr_app.accounts.form import Limits
from fluenzr_app.accounts.limits import explain_limit
from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.db.ids import BadPublicId, parse_public_id
from fluenzr_app.ui.components.buttons import button
from fluenzr_app.ui.components.forms import field, form, grid, switch, text_area, text_input
from fluenzr_app.ui.components.frame import drawer, row
from fluenzr_app.ui.components.status import callout
from fluenzr_app.ui.components.values import when
from fluenzr_app.ui.failures import in_words
from fluenzr_app.ui.guard import acting
from fluenzr_app.ui.kept import kept, kept_is_saved
from fluenzr_app.ui.language import t, words
from fluenzr_app.ui.pages.accounts_list import AccountsState, iso
from fluenzr_app.ui.pages.accounts_probe import faults_in_words
from fluenzr_app.ui.pages.accounts_query import read_query
from fluenzr_app.ui.shell import ShellState

FORM = "account-settings"
_MANY_A_DAY = 100
_SHORT_GAP_S = 30


class AccountSettingsState(rx.State):
    """The settings of the account in the address."""

    account: str = ""
    email: str = ""
    display_name: str = ""
    signature: str = ""
    daily_limit: str = ""
    hourly_limit: str = ""
    gap: str = ""
    ramp: bool = True
    asks_about_ramp: bool = False
    copies: bool = True
    reads: bool = False
    version: int = 0
    limit: int = 0
    reason: str = ""
    week: int = 0
    next_limit: int = 0
    next_at: str = ""
    faults: dict[str, str] = {}
    failure: str = ""
    saving: bool = False

    @rx.event
    async def load(self) -> Any:
        """Show the settings of the account in the address."""
        me = await acting(self)
        asked = read_query(dict(self.router.url.query_parameters))
        if asked.drawer != "settings":
            return None
        try:
            account = await me.read(service.get_account, me.workspace_id, parse_public_id("acc", asked.account))
        except (BadPublicId, AccountsError):
            return [rx.toast.error(words(me.lang, "accounts.errors.unknown_account")), AccountsState.close]
        self.account = asked.account
        self._show(account)
        explained = explain_limit(account, me.now)
        self.limit, self.reason, self.week = explained.limit, explained.reason, explained.week or 0
        self.next_limit, self.next_at = explained.next_limit or 0, iso(explained.next_at)
        return None

    @rx.event
    async def turn_ramp(self, on: bool) -> None:
        """Switch the ramp on; switching it off asks to read first why it is there."""
        await acting(self, admin=True)
        self.asks_about_ramp = not on
        self.ramp = True

    @rx.event
    async def drop_ramp(self) -> None:
        """Switch the ramp off after its reason was read; saving makes it so."""
        await acting(self, admin=True)
        self.ramp, self.asks_about_ramp = False, False

    @rx.event
    async def keep_ramp(self) -> None:
        """Leave the ramp as it is."""
        await acting(self, admin=True)
        self.ramp, self.asks_about_ramp = True, False

    @rx.event
    async def turn_copies(self, on: bool) -> None:
        """Keep a copy of what was sent in the mailbox, or no more; saving makes it so."""
        await acting(self, admin=True)
        self.copies = bool(on)

    @rx.event
    async def save(self, given: dict[str, Any]) -> Any:
        """Store the settings; refusals stand at their fields."""
        me = await acting(self, admin=True)
        self.faults, self.failure = {}, ""
        try:
            account = await me.write(
                service.update_settings,
                me.workspace_id,
                parse_public_id("acc", self.account),
                _limits(given, self.ramp, self.copies),
                me.now,
                actor=me.identity,
            )
        except BadAccountForm as error:
            self.faults = faults_in_words(me.lang, error)
            return None
        except BadPublicId:
            self.failure = words(me.lang, "accounts.errors.unknown_account")
            return None
        except AccountsError as error:
            self.failure = in_words(me.lang, error, "accounts.errors")
            return None
        told = [rx.toast.success(words(me.lang, "accounts.settings_saved", email=account.email))]
        if account.daily_limit > _MANY_A_DAY:
            told.append(rx.toast.warning(words(me.lang, "accounts.advice.many", n=account.daily_limit), duration=12000))
        if account.min_gap_seconds < _SHORT_GAP_S:
            told.append(rx.toast.warning(words(me.lang, "accounts.advice.short_gap"), duration=12000))
        return [*told, kept_is_saved(f"account.{self.account}"), AccountsState.close]

    def _show(self, account: EmailAccount) -> None:
        self.email, self.display_name, self.signature = account.email, account.display_name, account.signature
        self.daily_limit = str(account.daily_limit)
        self.hourly_limit = "" if account.hourly_limit is None else str(account.hourly_limit)
        self.gap, self.ramp = str(account.min_gap_seconds), account.ramp_enabled
        self.copies, self.reads = account.copy_to_sent, bool(account.imap_host)
        self.asks_about_ramp, self.faults, self.failure = False, {}, ""
        self.version += 1


def _limits(given: Mapping[str, Any], ramp: bool, copies: bool) -> Limits:
    """Return what the form says; a text that is no number goes on as one that is refused at its field."""
    hourly = str(given.get("hourly_limit") or "").strip()
    return Limits(
        display_name=str(given.get("display_name") or ""),
        signature=str(given.get("signature") or "").replace("\r\n", "\n"),
        daily_limit=_number(given, "daily_limit"),
        hourly_limit=_number(given, "hourly_limit") if hourly else None,
        min_gap_seconds=_number(given, "min_gap_seconds"),
        ramp_enabled=ramp,
        copy_to_sent=copies,
    )


def _number(given: Mapping[str, Any], name: str) -> int:
    text = "".join(str(given.get(name) or "").split())
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else -1


def settings_drawer() -> rx.Component:
    """Return the drawer, open while the address says so."""
    state = AccountSettingsState
    return drawer(
        t("accounts.settings_title"),
        form(
            _limit_now(),
            grid(_text("daily_limit", "daily_limit"), _text("hourly_limit", "hourly_limit")),
            _text("min_gap_seconds", "gap"),
            _ramp(),
            _text("display_name", "display_name"),
            field(
                t("accounts.settings.signature"),
                text_area(
                    name="signature",
                    key=state.version.to(str) + "signature",
                    default_value=state.signature,
                    rows=5,
                ),
                help=t("accounts.settings.signature_help"),
                error=state.faults.get("signature", ""),
            ),
            _copies(),
            rx.cond(state.failure != "", callout(state.failure, "error", "circle-alert")),
            kept("account." + state.account),
            id=FORM,
            on_submit=state.save,
        ),
        is_open=AccountsState.drawer == "settings",
        on_close=AccountsState.close,
        subtitle=state.email,
        icon_name="settings-2",
        footer=rx.fragment(
            button(t("common.cancel"), on_click=AccountsState.close),
            button(t("common.save"), kind="solid", submit=True, form=FORM),
        ),
    )


def _text(name: str, value: str) -> rx.Component:
    state = AccountSettingsState
    numeric = {} if name == "display_name" else {"input_mode": "numeric", "max_length": 9}
    return field(
        t(f"accounts.settings.{name}"),
        text_input(
            name=name,
            key=state.version.to(str) + name,
            default_value=getattr(state, value),
            auto_complete="off",
            **numeric,
        ),
        help=t(f"accounts.settings.{name}_help"),
        error=state.faults.get(name, ""),
    )


def _limit_now() -> rx.Component:
    state = AccountSettingsState
    ramp = rx.fragment(
        t("accounts.limit.ramp", n=state.limit, week=state.week),
        " ",
        rx.cond(
            state.next_at != "",
            rx.fragment(
                t("accounts.limit.next", n=state.next_limit),
                " ",
                when(state.next_at, ShellState.zone, mode="date"),
                ".",
            ),
            t("accounts.limit.not_begun"),
        ),
    )
    return callout(
        rx.match(
            state.reason,
            ("ramp", ramp),
            ("warming_share", rx.fragment(t("accounts.limit.warming", n=state.limit))),
            rx.fragment(t("accounts.limit.own", n=state.limit)),
        ),
        "accent",
        "gauge",
    )


def _ramp() -> rx.Component:
    state = AccountSettingsState
    return rx.el.div(
        switch(
            t("accounts.settings.ramp"),
            help=t("accounts.settings.ramp_help"),
            checked=state.ramp,
            on_change=state.turn_ramp,
        ),
        rx.cond(
            state.asks_about_ramp,
            rx.el.div(
                callout(t("accounts.settings.ramp_why"), "attention", "triangle-alert"),
                row(
                    button(t("accounts.settings.ramp_keep"), kind="soft", size="small", on_click=state.keep_ramp),
                    button(t("accounts.settings.ramp_drop"), size="small", on_click=state.drop_ramp),
                ),
                class_name="fz-stack fza-none",
            ),
        ),
        class_name="fz-stack",
    )


def _copies() -> rx.Component:
    state = AccountSettingsState
    return switch(
        t("accounts.settings.copies"),
        help=rx.cond(state.reads, t("accounts.settings.copies_help"), t("accounts.settings.copies_no_imap")),
        checked=state.copies & state.reads,
        disabled=~state.reads,
        on_change=state.turn_copies,
    )
