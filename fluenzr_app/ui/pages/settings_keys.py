"""API keys: made, shown once, revoked. They are the admin's: a key opens everything the workspace has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx
from sqlmodel import Session

from fluenzr_app.db.ids import BadPublicId, parse_public_id, public_id
from fluenzr_app.ui.components.buttons import button
from fluenzr_app.ui.components.forms import field, form, segments, text_input
from fluenzr_app.ui.components.frame import block, confirm_dialog, dialog, empty_state, row, stack
from fluenzr_app.ui.components.poll import poll
from fluenzr_app.ui.components.status import Tone, callout, status_badge
from fluenzr_app.ui.components.table import Column, data_table, mark_tile, two_lines
from fluenzr_app.ui.components.values import icon, number, when
from fluenzr_app.ui.failures import in_words
from fluenzr_app.ui.guard import Acting, acting
from fluenzr_app.ui.kept import kept, kept_is_saved
from fluenzr_app.ui.language import t, words
from fluenzr_app.ui.shell import ShellState
from fluenzr_app.workspaces import api_keys, audit
from fluenzr_app.workspaces.errors import WorkspacesError

# The only copy there will ever be; it lives in the browser that asked for it until its dialog closes.
_SECRET = rx._x.client_state("new_api_key", default="")
_COPIED = rx._x.client_state("new_api_key_copied", default=False)
_COUNTED_EVERY_S = 10
_PERMISSIONS: dict[str, tuple[str, Tone, str]] = {
    "all": ("settings.keys.all", "accent", "pencil"),
    "read": ("settings.keys.read", "grey", "eye"),
}


@dataclass(frozen=True)
class KeyLine:
    """A key of the list; `hint` are its last four characters, `used` its requests of the last minute of `limit`."""

    id: str
    name: str
    permission: str
    hint: str
    created_at: str
    last_used_at: str
    used: int
    limit: int
    at_limit: bool


class KeysState(rx.State):
    """The keys of the workspace."""

    keys: list[KeyLine] = []
    loaded: bool = False
    creating: bool = False
    permission: str = "all"
    error: str = ""
    revoking: str = ""
    revoking_name: str = ""

    @rx.event
    async def load(self) -> None:
        """Show the keys to an admin; others see none."""
        me = await acting(self)
        rows = await me.read(api_keys.list_keys, me.workspace_id) if me.is_admin else []
        self.keys = [await _line(row, me) for row in rows]
        self.loaded = True

    @rx.event
    async def start(self) -> Any:
        """Open the form of a new key."""
        await acting(self, admin=True)
        self.creating, self.permission, self.error = True, "all", ""
        return _SECRET.push("")

    @rx.event
    async def choose_permission(self, permission: str) -> None:
        """Choose what the new key may do."""
        await acting(self)
        self.permission = "read" if permission == "read" else "all"

    @rx.event
    async def create(self, given: dict[str, Any]) -> Any:
        """Make a key and show it, this once."""
        me = await acting(self, admin=True)
        self.error = ""
        try:
            secret = await me.write(_create, me, str(given.get("name") or ""), self.permission)
        except WorkspacesError as error:
            self.error = in_words(me.lang, error, "settings.errors")
            return None
        self.creating = False
        return [kept_is_saved("settings.keys"), _SECRET.push(secret), _COPIED.push(False), KeysState.load]

    @rx.event
    async def close(self) -> Any:
        """Close the dialogs; the key that was shown is gone for good."""
        await acting(self)
        self.creating, self.revoking, self.error = False, "", ""
        return [_SECRET.push(""), _COPIED.push(False)]

    @rx.event
    async def ask_to_revoke(self, key: str) -> None:
        """Ask before a key is revoked."""
        await acting(self, admin=True)
        self.revoking = key[:40]
        self.revoking_name = next((line.name for line in self.keys if line.id == key), "")

    @rx.event
    async def revoke(self) -> Any:
        """End a key at once."""
        me = await acting(self, admin=True)
        try:
            name = await me.write(_revoke, me, parse_public_id("key", self.revoking))
        except (BadPublicId, WorkspacesError):
            name = ""
        self.revoking = ""
        told = words(me.lang, "settings.keys.revoked", name=name) if name else words(me.lang, "settings.keys.gone")
        return [rx.toast.success(told) if name else rx.toast.error(told), KeysState.load]


async def _line(row: api_keys.KeyRow, me: Acting) -> KeyLine:
    counting = me.runtime.rate_limit
    window = None if counting is None else await counting.standing(row.key_id)
    return KeyLine(
        public_id("key", row.key_id),
        row.name,
        row.permission,
        row.hint,
        row.created_at.isoformat(),
        row.last_used_at.isoformat() if row.last_used_at is not None else "",
        used=0 if window is None else window.used,
        limit=me.runtime.settings.api_rate_limit if window is None else window.limit,
        at_limit=window is not None and not window.allowed,
    )


def _create(session: Session, me: Acting, name: str, permission: str) -> str:
    made = api_keys.create_key(
        session,
        me.workspace_id,
        name=name,
        permission="read" if permission == "read" else "all",
        created_by=me.identity.user_id,
        now=me.now,
    )
    shown = " ".join(name.split())
    audit.record(session, me.identity, me.workspace_id, "api_key.created", shown, {"permission": permission}, me.now)
    return made.secret


def _revoke(session: Session, me: Acting, key_id: int) -> str:
    row = api_keys.revoke_key(session, me.workspace_id, key_id, me.now)
    audit.record(session, me.identity, me.workspace_id, "api_key.revoked", row.name, None, me.now)
    return row.name


def section() -> rx.Component:
    """Return the section."""
    state = KeysState
    columns = [
        Column(t("settings.keys.name"), _name),
        Column(t("settings.keys.permission"), lambda line: status_badge(line.permission, _PERMISSIONS)),
        Column(t("settings.keys.created"), lambda line: when(line.created_at, ShellState.zone), hide_on_phone=True),
        Column(t("settings.keys.used"), _used, hide_on_phone=True),
        Column(t("settings.keys.minute"), _minute, hide_on_phone=True),
        Column(
            "",
            lambda line: button(t("settings.keys.revoke"), size="small", on_click=state.ask_to_revoke(line.id)),
            right=True,
        ),
    ]
    docs = rx.el.a(
        t("settings.keys.docs"),
        icon("external-link", 12),
        href="/v1/docs",
        target="_blank",
        rel="noreferrer",
        class_name="fz-link fzs-out",
    )
    table = data_table(
        columns,
        state.keys,
        loaded=state.loaded,
        key=lambda line: line.id,
        empty=empty_state(
            "key-round",
            t("settings.keys.none"),
            t("settings.keys.none_words"),
            button(t("settings.keys.create"), kind="solid", icon_name="plus", on_click=state.start),
            docs,
        ),
    )
    return rx.el.div(
        rx.cond(
            ShellState.is_admin,
            block(
                table,
                title=t("settings.keys.title"),
                aside=rx.cond(
                    state.keys.length() > 0,
                    rx.fragment(
                        docs,
                        button(
                            t("settings.keys.create"),
                            kind="solid",
                            size="small",
                            icon_name="plus",
                            on_click=state.start,
                        ),
                    ),
                ),
                padded=False,
            ),
            callout(t("settings.only_admin"), "info", "lock"),
        ),
        rx.cond(ShellState.is_admin, poll(_COUNTED_EVERY_S, KeysState.load)),
        class_name="fz-stack fzs-narrow",
    )


def _name(line: rx.Var[KeyLine]) -> rx.Component:
    return two_lines(line.name, rx.el.span("flz_sk_…", line.hint, class_name="fz-mono"), mark_tile(icon("key-round")))


def _used(line: rx.Var[KeyLine]) -> rx.Component:
    return rx.cond(
        line.last_used_at != "",
        when(line.last_used_at, ShellState.zone),
        rx.el.span(t("settings.keys.never"), class_name="fz-second"),
    )


def _minute(line: rx.Var[KeyLine]) -> rx.Component:
    said = t("settings.keys.of_minute", used=number(line.used), limit=number(line.limit))
    return rx.cond(
        line.at_limit,
        rx.el.span(icon("gauge", 12), said, class_name="fz-rate fz-bad"),
        rx.el.span(said, class_name="fz-second"),
    )


def dialogs() -> rx.Component:
    """Return the dialogs of the section."""
    state = KeysState
    return rx.fragment(
        dialog(
            t("settings.keys.create"),
            form(
                field(
                    t("settings.keys.name"),
                    text_input(name="name", max_length=100, auto_complete="off", auto_focus=True),
                    help=t("settings.keys.name_help"),
                    error=state.error,
                ),
                stack(
                    rx.el.span(t("settings.keys.permission"), class_name="fz-label"),
                    segments(
                        [("all", t("settings.keys.all")), ("read", t("settings.keys.read"))],
                        state.permission,
                        state.choose_permission,
                    ),
                    rx.el.span(
                        rx.cond(state.permission == "all", t("settings.keys.all_words"), t("settings.keys.read_words")),
                        class_name="fz-help",
                    ),
                    gap=6,
                ),
                kept("settings.keys"),
                id="new-key",
                on_submit=state.create,
            ),
            is_open=state.creating,
            on_close=state.close,
            words=t("settings.keys.create_words"),
            actions=rx.fragment(
                button(t("common.cancel"), on_click=state.close),
                button(t("settings.keys.create_act"), kind="solid", submit=True, form="new-key"),
            ),
        ),
        dialog(
            t("settings.keys.made"),
            rx.el.div(
                rx.el.code(_SECRET.value, class_name="fzs-secret"),
                button(
                    rx.cond(_COPIED.value, t("settings.keys.copied"), t("settings.keys.copy")),
                    kind="soft",
                    icon_name="copy",
                    on_click=[rx.set_clipboard(_SECRET.value), _COPIED.set_value(True)],
                ),
                class_name="fzs-secret-line",
            ),
            callout(t("settings.keys.once"), "attention", "triangle-alert"),
            is_open=_SECRET.value != "",
            on_close=state.close,
            words=t("settings.keys.made_words"),
            actions=row(button(t("settings.keys.kept"), kind="solid", on_click=state.close)),
        ),
        confirm_dialog(
            t("settings.keys.revoke_title", name=state.revoking_name),
            t("settings.keys.revoke_words"),
            is_open=state.revoking != "",
            on_close=state.close,
            on_confirm=state.revoke,
            act=t("settings.keys.revoke"),
        ),
    )
