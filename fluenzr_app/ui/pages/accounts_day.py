"""The plan of an account's day: when it may send, drawn once, and why not more (campaigns.md, guarantee 5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import reflex as rx
from sqlmodel import Session

from fluenzr_app.accounts import service
from fluenzr_app.accounts.errors import AccountsError
from fluenzr_app.accounts.limits import explain_limit
from fluenzr_app.db.ids import BadPublicId, parse_public_id
from fluenzr_app.sending.caps import room, usage
from fluenzr_app.ui.components.buttons import button
from fluenzr_app.ui.components.frame import drawer, empty_state
from fluenzr_app.ui.components.status import tally
from fluenzr_app.ui.components.values import number, when
from fluenzr_app.ui.guard import acting
from fluenzr_app.ui.language import t, words
from fluenzr_app.ui.pages.accounts_list import AccountsState, day_of, iso
from fluenzr_app.ui.pages.accounts_query import read_query
from fluenzr_app.ui.shell import ShellState


@dataclass(frozen=True)
class Slot:
    """A moment at which the account may send; `past` is behind us, `next` the one that comes."""

    at: str
    past: bool
    next: bool


@dataclass(frozen=True)
class _Day:
    email: str
    gap: int
    limit: int
    used: int
    room: int
    opens_at: str
    closes_at: str
    rolled_at: str
    slots: list[Slot]


class AccountDayState(rx.State):
    """The plan of the account in the address."""

    email: str = ""
    gap: int = 90
    limit: int = 0
    used: int = 0
    room: int = 0
    opens_at: str = ""
    closes_at: str = ""
    rolled_at: str = ""
    slots: list[Slot] = []
    coming: int = 0

    @rx.event
    async def load(self) -> Any:
        """Show the plan of the account in the address."""
        me = await acting(self)
        asked = read_query(dict(self.router.url.query_parameters))
        if asked.drawer != "day":
            return None
        try:
            day = await me.read(_ask, me.workspace_id, parse_public_id("acc", asked.account), me.now)
        except (BadPublicId, AccountsError):
            return [rx.toast.error(words(me.lang, "accounts.errors.unknown_account")), AccountsState.close]
        self.email, self.gap, self.limit, self.used, self.room = day.email, day.gap, day.limit, day.used, day.room
        self.opens_at, self.closes_at, self.rolled_at = day.opens_at, day.closes_at, day.rolled_at
        self.slots, self.coming = day.slots, sum(not slot.past for slot in day.slots)
        return None


def _ask(session: Session, workspace_id: int, account_id: int, now: datetime) -> _Day:
    account = service.get_account(session, workspace_id, account_id)
    used = usage(session, account_id, now)
    day = day_of(session, account_id, now)
    stored = [] if day is None else day.slots
    following = next((slot for slot in stored if slot > now.timestamp()), None)
    slots = [
        Slot(datetime.fromtimestamp(slot, UTC).isoformat(), slot <= now.timestamp(), slot == following)
        for slot in stored
    ]
    return _Day(
        account.email,
        account.min_gap_seconds,
        explain_limit(account, now).limit,
        used.campaign_day,
        room(account, used, now).campaign,
        iso(day.opens_at if day is not None else None),
        iso(day.closes_at if day is not None else None),
        iso(day.rolled_at if day is not None else None),
        slots,
    )


def day_drawer() -> rx.Component:
    """Return the drawer, open while the address says so."""
    state = AccountDayState
    return drawer(
        t("accounts.day_title"),
        rx.el.div(
            tally(t("accounts.day.used"), state.used),
            tally(t("accounts.day.limit"), state.limit),
            tally(t("accounts.day.room"), state.room),
            class_name="fz-tallies",
        ),
        rx.cond(
            state.slots.length() > 0,
            rx.fragment(
                rx.el.p(
                    t("accounts.day.window"),
                    " ",
                    when(state.opens_at, ShellState.zone, mode="time"),
                    " – ",
                    when(state.closes_at, ShellState.zone, mode="time"),
                    ". ",
                    t("accounts.day.drawn", n=state.slots.length()),
                    " ",
                    when(state.rolled_at, ShellState.zone, mode="time"),
                    ". ",
                    t("accounts.day.coming", n=state.coming),
                    class_name="fz-second",
                ),
                rx.el.ol(rx.foreach(state.slots, _slot), class_name="fza-slots"),
                rx.el.p(t("accounts.day.rule", gap=number(state.gap)), class_name="fz-second"),
            ),
            rx.cond(
                state.gap == 0,
                empty_state("timer-off", t("accounts.day.no_gap"), t("accounts.day.no_gap_words"), found_nothing=True),
                empty_state("moon", t("accounts.day.none"), t("accounts.day.none_words"), found_nothing=True),
            ),
        ),
        is_open=AccountsState.drawer == "day",
        on_close=AccountsState.close,
        subtitle=state.email,
        icon_name="calendar-clock",
        footer=button(t("common.close"), on_click=AccountsState.close),
    )


def _slot(slot: rx.Var[Slot]) -> rx.Component:
    return rx.el.li(
        when(slot.at, ShellState.zone, mode="time"), data_past=slot.past, data_next=slot.next, class_name="fza-slot"
    )
