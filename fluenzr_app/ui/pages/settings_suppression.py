"""The suppression list: who must never be written to, whole domains too."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import reflex as rx
from sqlmodel import Session

from fluenzr_app.contacts import suppression
from fluenzr_app.contacts.errors import ContactsError
from fluenzr_app.db.ids import BadPublicId, parse_public_id, public_id
from fluenzr_app.ui.components.buttons import button, icon_button
from fluenzr_app.ui.components.forms import field, form, search_field, text_area
from fluenzr_app.ui.components.frame import block, confirm_dialog, dialog, empty_state
from fluenzr_app.ui.components.status import Tone, callout, status_badge
from fluenzr_app.ui.components.table import Column, data_table, mark_tile, pager, toolbar, two_lines
from fluenzr_app.ui.components.values import icon, number, when
from fluenzr_app.ui.guard import Acting, acting
from fluenzr_app.ui.kept import kept, kept_is_saved
from fluenzr_app.ui.language import t, words
from fluenzr_app.ui.shell import ShellState
from fluenzr_app.workspaces import audit

PER_PAGE = 50
_MOST_AT_ONCE = 5_000
_MOST_TEXT = 400_000
_REASONS: dict[str, tuple[str, Tone, str]] = {
    "unsubscribe": ("settings.suppression.unsubscribe", "grey", "mail-x"),
    "hard_bounce": ("settings.suppression.hard_bounce", "error", "undo-2"),
    "complaint": ("settings.suppression.complaint", "error", "flag"),
    "manual": ("settings.suppression.manual", "accent", "hand"),
}


@dataclass(frozen=True)
class Entry:
    """An entry of the list; `shown` is empty where only its hash is kept."""

    id: str
    kind: str
    shown: str
    reason: str
    at: str


class SuppressionState(rx.State):
    """One page of the list."""

    entries: list[Entry] = []
    total: int = 0
    page_number: int = 0
    search: str = ""
    loaded: bool = False
    adding: bool = False
    error: str = ""
    refused: list[str] = []
    refused_more: int = 0
    removing: str = ""
    removing_name: str = ""
    removing_reason: str = ""

    @rx.event
    async def load(self) -> None:
        """Show a page of the list."""
        me = await acting(self)
        found = await me.read(
            suppression.list_suppressed,
            me.workspace_id,
            query=self.search,
            page=self.page_number + 1,
            per_page=PER_PAGE,
        )
        self.entries = [
            Entry(public_id("sup", line.id), line.kind, line.shown, line.reason, line.at.isoformat())
            for line in found.lines
        ]
        self.total, self.loaded = found.total, True

    @rx.event
    async def look_for(self, text: str) -> Any:
        """Search the entries."""
        await acting(self)
        self.search, self.page_number = text[:200], 0
        return SuppressionState.load

    @rx.event
    async def turn_to(self, number: int) -> Any:
        """Show another page, counted from 0."""
        await acting(self)
        self.page_number = max(0, int(number))
        return SuppressionState.load

    @rx.event
    async def start(self) -> None:
        """Open the form that adds entries."""
        await acting(self)
        self.adding, self.error, self.refused, self.refused_more = True, "", [], 0

    @rx.event
    async def add(self, given: dict[str, Any]) -> Any:
        """Add addresses and domains; what is neither is shown and not added."""
        me = await acting(self)
        text = str(given.get("entries") or "")
        entries = [part.strip() for part in re.split(r"[\r\n,;]+", text) if part.strip()]
        self.error, self.refused, self.refused_more = "", [], 0
        if not entries:
            self.error = words(me.lang, "settings.suppression.nothing")
            return None
        if len(entries) > _MOST_AT_ONCE or len(text) > _MOST_TEXT:
            self.error = words(me.lang, "settings.suppression.too_many", n=_MOST_AT_ONCE)
            return None
        done = await me.write(_add, me, entries)
        self.refused, self.refused_more = [each[:80] for each in done.refused[:5]], max(0, len(done.refused) - 5)
        self.adding = bool(done.refused)
        told = words(me.lang, "settings.suppression.added", n=done.added)
        if done.known:
            told += " " + words(me.lang, "settings.suppression.known", n=done.known)
        return [kept_is_saved("settings.suppression"), rx.toast.success(told), SuppressionState.load]

    @rx.event
    async def close(self) -> None:
        """Close the dialogs."""
        await acting(self)
        self.adding, self.removing = False, ""

    @rx.event
    async def ask_to_remove(self, entry: str) -> None:
        """Ask before an entry is taken off the list."""
        await acting(self, admin=True)
        line = next((each for each in self.entries if each.id == entry), None)
        if line is not None:
            self.removing, self.removing_name, self.removing_reason = line.id, line.shown, line.reason

    @rx.event
    async def remove(self) -> Any:
        """Take an entry off the list."""
        me = await acting(self, admin=True)
        try:
            await me.write(_remove, me, parse_public_id("sup", self.removing), self.removing_name)
        except (BadPublicId, ContactsError):
            self.removing = ""
            return [rx.toast.error(words(me.lang, "settings.suppression.gone")), SuppressionState.load]
        self.removing = ""
        return [rx.toast.success(words(me.lang, "settings.suppression.removed")), SuppressionState.load]


def _add(session: Session, me: Acting, entries: list[str]) -> suppression.Added:
    done = suppression.add(session, me.runtime.keyring, me.workspace_id, entries, "manual", me.now)
    if done.added:
        audit.record(
            session, me.identity, me.workspace_id, "suppression.added", "suppression", {"count": done.added}, me.now
        )
    return done


def _remove(session: Session, me: Acting, entry_id: int, name: str) -> None:
    suppression.remove(session, me.workspace_id, entry_id, me.now)
    audit.record(session, me.identity, me.workspace_id, "suppression.removed", name[:320], None, me.now)


def section() -> rx.Component:
    """Return the section."""
    state = SuppressionState
    columns = [
        Column(t("settings.suppression.entry"), _entry),
        Column(t("settings.suppression.reason"), lambda line: status_badge(line.reason, _REASONS), hide_on_phone=True),
        Column(t("settings.suppression.at"), lambda line: when(line.at, ShellState.zone), hide_on_phone=True),
        Column(
            "",
            lambda line: rx.cond(
                ShellState.is_admin,
                rx.fragment(
                    button(
                        t("settings.suppression.remove"),
                        size="small",
                        on_click=state.ask_to_remove(line.id),
                        class_name="fz-wide-only",
                    ),
                    icon_button(
                        t("settings.suppression.remove"),
                        "trash-2",
                        size="small",
                        on_click=state.ask_to_remove(line.id),
                        class_name="fzs-phone",
                    ),
                ),
            ),
            right=True,
        ),
    ]
    return rx.el.div(
        rx.el.p(t("settings.suppression.words"), class_name="fz-second"),
        toolbar(
            search_field(t("settings.suppression.search"), value=state.search, on_change=state.look_for),
            aside=button(t("settings.suppression.add"), kind="solid", icon_name="plus", on_click=state.start),
        ),
        block(
            data_table(
                columns,
                state.entries,
                loaded=state.loaded,
                key=lambda line: line.id,
                empty=rx.cond(
                    state.search != "",
                    empty_state(
                        "search-x",
                        t("settings.suppression.none_found", text=state.search),
                        t("settings.suppression.none_found_words"),
                        button(t("settings.suppression.show_all"), kind="soft", on_click=state.look_for("")),
                        found_nothing=True,
                    ),
                    empty_state("shield-check", t("settings.suppression.none"), t("settings.suppression.none_words")),
                ),
            ),
            rx.cond(
                state.total > 0,
                pager(page=state.page_number, page_size=PER_PAGE, total=state.total, on_page=state.turn_to),
            ),
            padded=False,
            class_name="fzs-entries",
        ),
        class_name="fz-stack fzs-narrow",
    )


def _entry(line: rx.Var[Entry]) -> rx.Component:
    kinds = rx.cond(line.kind == "domain", t("settings.suppression.domain"), t("settings.suppression.address"))
    name = rx.cond(line.shown != "", line.shown, t("settings.suppression.erased"))
    # A phone has no column for the reason.
    second = rx.fragment(
        rx.el.span(kinds, class_name="fz-wide-only"),
        rx.el.span(status_badge(line.reason, _REASONS, bare=True), class_name="fzs-phone"),
    )
    return two_lines(name, second, mark_tile(rx.cond(line.kind == "domain", icon("globe"), icon("at-sign"))))


def dialogs() -> rx.Component:
    """Return the dialogs of the section."""
    state = SuppressionState
    return rx.fragment(
        dialog(
            t("settings.suppression.add"),
            form(
                field(
                    t("settings.suppression.entries"),
                    text_area(name="entries", rows=7, placeholder=t("settings.suppression.example"), auto_focus=True),
                    help=t("settings.suppression.entries_help"),
                    error=state.error,
                ),
                rx.cond(state.refused.length() > 0, callout(_refused(), "attention", "triangle-alert")),
                kept("settings.suppression"),
                id="new-suppression",
                on_submit=state.add,
            ),
            is_open=state.adding,
            on_close=state.close,
            words=t("settings.suppression.add_words"),
            actions=rx.fragment(
                button(t("common.cancel"), on_click=state.close),
                button(t("settings.suppression.add_act"), kind="solid", submit=True, form="new-suppression"),
            ),
        ),
        confirm_dialog(
            rx.cond(
                state.removing_name != "",
                t("settings.suppression.remove_title", name=state.removing_name),
                t("settings.suppression.remove_title_erased"),
            ),
            rx.match(
                state.removing_reason,
                ("unsubscribe", t("settings.suppression.remove_unsubscribe")),
                ("hard_bounce", t("settings.suppression.remove_bounce")),
                ("complaint", t("settings.suppression.remove_complaint")),
                t("settings.suppression.remove_manual"),
            ),
            is_open=state.removing != "",
            on_close=state.close,
            on_confirm=state.remove,
            act=t("settings.suppression.remove_act"),
        ),
    )


def _refused() -> rx.Component:
    state = SuppressionState
    return rx.el.div(
        rx.el.div(t("settings.suppression.refused")),
        rx.el.ul(
            rx.foreach(state.refused, lambda text: rx.el.li(text, class_name="fz-mono")), class_name="fzs-refused"
        ),
        rx.cond(
            state.refused_more > 0, rx.el.div(t("settings.suppression.refused_more", n=number(state.refused_more)))
        ),
    )
