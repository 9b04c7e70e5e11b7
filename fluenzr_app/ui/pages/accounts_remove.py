"""The question before an account is removed: what hangs on it, and where that goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import reflex as rx
from sqlmodel import Session

from fluenzr_app.accounts import service
from fluenzr_app.accounts.errors import AccountsError
from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns.errors import AccountRefused
from fluenzr_app.campaigns.handover import Waiting, hand_over, what_waits
from fluenzr_app.db.ids import BadPublicId, parse_public_id, public_id
from fluenzr_app.sending.caps import room, usage
from fluenzr_app.ui.components.forms import choice_of, radio_line
from fluenzr_app.ui.components.frame import confirm_dialog, stack
from fluenzr_app.ui.components.status import callout
from fluenzr_app.ui.failures import in_words
from fluenzr_app.ui.guard import acting
from fluenzr_app.ui.language import t, words
from fluenzr_app.ui.pages.accounts_list import AccountsState
from fluenzr_app.ui.pages.accounts_query import read_query
from fluenzr_app.workspaces.identity import Identity

_TYPED = rx._x.client_state("remove_account_typed", default="")


@dataclass(frozen=True)
class OtherAccount:
    """An account to which the contacts could be handed."""

    id: str
    email: str
    room: int
    stands: bool


@dataclass(frozen=True)
class _Asked:
    email: str
    waiting: Waiting
    others: list[OtherAccount]


class RemoveAccountState(rx.State):
    """The account in the address and what hangs on it."""

    account: str = ""
    email: str = ""
    word: str = ""
    contacts: int = 0
    messages: int = 0
    others: list[OtherAccount] = []
    hand_over: bool = True
    to: str = ""
    failure: str = ""
    removing: bool = False

    @rx.event
    async def load(self) -> Any:
        """Count what hangs on the account in the address."""
        me = await acting(self)
        asked = read_query(dict(self.router.url.query_parameters))
        if asked.drawer != "remove":
            return None
        try:
            found = await me.read(_ask, me.workspace_id, parse_public_id("acc", asked.account), me.now)
        except (BadPublicId, AccountsError):
            return [rx.toast.error(words(me.lang, "accounts.errors.unknown_account")), AccountsState.close]
        self.account, self.email, self.word = asked.account, found.email, found.email.partition("@")[0]
        self.contacts, self.messages = found.waiting.contacts, found.waiting.messages
        self.others, self.hand_over = found.others, bool(found.others)
        self.to = found.others[0].id if found.others else ""
        self.failure, self.removing = "", False
        return _TYPED.push("")

    @rx.event
    async def choose(self, hand: bool) -> None:
        """Hand the contacts over, or stop their sequence."""
        await acting(self)
        self.hand_over = bool(hand) and bool(self.others)

    @rx.event
    async def choose_account(self, account: str) -> None:
        """Choose who takes the contacts over."""
        await acting(self)
        self.to, self.hand_over = account[:40], True

    @rx.event
    async def remove(self, typed: str) -> Any:
        """Remove the account; what waited goes where it was said."""
        me = await acting(self, admin=True)
        if typed != self.word:
            return
        self.removing, self.failure = True, ""
        yield
        try:
            key = parse_public_id("acc", self.account)
            to = parse_public_id("acc", self.to) if self.hand_over and self.contacts + self.messages > 0 else None
            email = await me.write(_remove, me.identity, key, to, me.now)
        except BadPublicId:
            self.failure = words(me.lang, "accounts.errors.unknown_account")
        except (AccountsError, AccountRefused) as error:
            self.failure = in_words(me.lang, error, "accounts.errors")
        self.removing = False
        if not self.failure:
            yield rx.toast.success(words(me.lang, "accounts.removed_now", email=email))
            yield AccountsState.close


def _ask(session: Session, workspace_id: int, account_id: int, now: datetime) -> _Asked:
    account = service.get_account(session, workspace_id, account_id)
    others = [
        _other(session, other, now) for other in service.list_accounts(session, workspace_id) if other.id != account_id
    ]
    # The one with the most room first (accounts.md, Rotation); what stands still could not go on for them.
    others.sort(key=lambda other: (other.stands, -other.room))
    return _Asked(account.email, what_waits(session, workspace_id, account_id), others)


def _other(session: Session, account: EmailAccount, now: datetime) -> OtherAccount:
    account_id = account.id or 0
    left = room(account, usage(session, account_id, now), now).campaign
    return OtherAccount(public_id("acc", account_id), account.email, left, account.status != "connected")


def _remove(session: Session, identity: Identity, account_id: int, to: int | None, now: datetime) -> str:
    email = service.get_account(session, identity.workspace_id, account_id).email

    def release(inner: Session, leaving: int) -> int:
        return hand_over(inner, identity.workspace_id, leaving, to, now)

    service.remove(session, identity.workspace_id, account_id, now, release_queue=release, actor=identity)
    return email


def remove_dialog() -> rx.Component:
    """Return the question, open while the address says so."""
    state = RemoveAccountState
    return confirm_dialog(
        t("accounts.remove.title", email=state.email),
        rx.cond(
            state.contacts + state.messages > 0,
            t(
                "accounts.remove.words",
                contacts=t("accounts.remove.contacts", n=state.contacts),
                messages=t("accounts.remove.messages", n=state.messages),
            ),
            t("accounts.remove.words_nothing"),
        ),
        rx.cond(state.contacts + state.messages > 0, _where()),
        rx.cond(state.failure != "", callout(state.failure, "error", "circle-alert")),
        is_open=AccountsState.drawer == "remove",
        on_close=AccountsState.close,
        on_confirm=state.remove(_TYPED.value),
        act=t("accounts.remove.act"),
        type_this=state.word,
        typed=_TYPED.value,
        on_type=_TYPED.set_value,
        loading=state.removing,
    )


def _where() -> rx.Component:
    state = RemoveAccountState
    hand = rx.cond(
        state.others.length() > 0,
        stack(
            radio_line(
                t("accounts.remove.hand_over", n=state.contacts),
                name="where",
                value="hand",
                checked=state.hand_over,
                on_change=lambda _: state.choose(True),
            ),
            rx.el.div(
                choice_of(
                    state.others,
                    lambda other: other.id,
                    lambda other: rx.cond(
                        other.stands,
                        t("accounts.remove.stands", email=other.email),
                        t("accounts.remove.room", email=other.email, n=other.room),
                    ),
                    value=state.to,
                    on_change=state.choose_account,
                    aria_label=t("accounts.remove.to"),
                ),
                class_name="fza-indent",
            ),
            gap=8,
        ),
        callout(t("accounts.remove.nobody"), "info", "info"),
    )
    return stack(
        hand,
        radio_line(
            t("accounts.remove.stop"),
            name="where",
            value="stop",
            checked=~state.hand_over,
            on_change=lambda _: state.choose(False),
        ),
        rx.el.p(t("accounts.remove.new_ones"), class_name="fz-second"),
        gap=10,
    )
