"""The workspace: name, address, language, time zone, signature, automations; an admin changes it, others read it."""

from __future__ import annotations

from typing import Any

import reflex as rx
from sqlmodel import Session

from fluenzr_app.ui.components.buttons import button
from fluenzr_app.ui.components.forms import choice, field, form, grid, switch, text_area, text_input
from fluenzr_app.ui.components.frame import block, row, skeleton_rows, stack
from fluenzr_app.ui.components.status import callout, diagnosis_banner
from fluenzr_app.ui.failures import in_words
from fluenzr_app.ui.findings_state import FindingsState
from fluenzr_app.ui.guard import Acting, acting
from fluenzr_app.ui.kept import kept, kept_is_saved
from fluenzr_app.ui.language import t, words
from fluenzr_app.ui.shell import ShellState
from fluenzr_app.ui.zones import zones
from fluenzr_app.workspaces import audit
from fluenzr_app.workspaces import service as workspaces
from fluenzr_app.workspaces.errors import WorkspacesError

_FIELDS = ("name", "postal_address", "language", "timezone", "signature")
_AUTOMATIONS = ("lead_on_enrollment", "qualify_on_reply")
_MOST = {"name": 100, "postal_address": 500, "signature": 10_000}


class WorkspaceState(rx.State):
    """The workspace of whoever asks."""

    name: str = ""
    postal_address: str = ""
    language: str = "fr"
    timezone: str = "Europe/Paris"
    signature: str = ""
    lead_on_enrollment: bool = True
    qualify_on_reply: bool = True
    version: int = 0
    errors: dict[str, str] = {}
    loaded: bool = False
    # The field that a diagnosis led to.
    wanted: str = ""

    @rx.event
    async def load(self) -> None:
        """Show the workspace."""
        me = await acting(self)
        asked = str(dict(self.router.url.query_parameters).get("field", ""))
        self.wanted = asked if asked in _FIELDS else ""
        # Fields are made anew only for other values: what is typed meanwhile stays.
        self.version += await self._take(me)
        self.errors, self.loaded = {}, True

    @rx.event
    async def save(self, given: dict[str, Any]) -> Any:
        """Store what was changed."""
        me = await acting(self, admin=True)
        wanted = {name: str(given[name]).replace("\r\n", "\n") for name in _FIELDS if name in given}
        self.errors = {
            name: words(me.lang, "settings.errors.too_long", n=most)
            for name, most in _MOST.items()
            if len(wanted.get(name, "")) > most
        }
        if self.errors:
            return None
        try:
            await me.write(_store, me, wanted)
        except WorkspacesError as error:
            self.errors = {"name": in_words(me.lang, error, "settings.errors")}
            return None
        except ValueError:
            self.errors = {"timezone": words(me.lang, "settings.errors.unknown_choice")}
            return None
        await self._take(me)
        return [
            rx.toast.success(words(me.lang, "settings.workspace.saved")),
            kept_is_saved("settings.workspace"),
            ShellState.enter,
            FindingsState.look,
        ]

    async def _take(self, me: Acting) -> bool:
        """Take over what is stored; return whether anything of it is new here."""
        stored = await me.read(workspaces.get_workspace, me.workspace_id)
        changed = [name for name in _FIELDS if getattr(self, name) != getattr(stored, name)]
        for name in (*changed, *_AUTOMATIONS):
            setattr(self, name, getattr(stored, name))
        return bool(changed)

    @rx.event
    async def set_automation(self, name: str, on: bool) -> Any:
        """Switch one of the pipeline's automations on or off."""
        me = await acting(self, admin=True)
        if name not in _AUTOMATIONS:
            return None
        await me.write(_switch, me, name, on)
        setattr(self, name, on)
        return rx.toast.success(words(me.lang, "settings.workspace.saved"))


def _switch(session: Session, me: Acting, name: str, on: bool) -> None:
    if getattr(workspaces.get_workspace(session, me.workspace_id), name) is on:
        return
    workspaces.update_workspace(session, me.workspace_id, **{name: on})
    audit.record(session, me.identity, me.workspace_id, "workspace.changed", "", {"fields": [name]}, me.now)


def _store(session: Session, me: Acting, wanted: dict[str, str]) -> None:
    before = workspaces.get_workspace(session, me.workspace_id)
    changed = sorted(name for name, value in wanted.items() if getattr(before, name) != value.strip())
    workspaces.update_workspace(session, me.workspace_id, **wanted)
    if changed:
        audit.record(
            session,
            me.identity,
            me.workspace_id,
            "workspace.changed",
            wanted.get("name", ""),
            {"fields": changed},
            me.now,
        )


def section() -> rx.Component:
    """Return the section."""
    state = WorkspaceState
    return rx.el.div(
        rx.cond(
            state.loaded & (state.postal_address == ""),
            diagnosis_banner(
                "map-pin-off",
                "attention",
                t("settings.workspace.no_address"),
                t("settings.workspace.no_address_words"),
            ),
        ),
        rx.cond(~ShellState.is_admin, callout(t("settings.only_admin"), "info", "lock")),
        block(rx.cond(state.loaded, _form(), skeleton_rows(5)), title=t("settings.workspace.title")),
        rx.cond(state.loaded, block(_automations(), title=t("settings.workspace.pipeline"))),
        class_name="fz-stack fzs-narrow",
    )


def _automations() -> rx.Component:
    state = WorkspaceState

    def line(name: str) -> rx.Component:
        return switch(
            t(f"settings.workspace.{name}"),
            help=t(f"settings.workspace.{name}_help"),
            checked=getattr(state, name),
            disabled=~ShellState.is_admin,
            on_change=lambda on: state.set_automation(name, on),
        )

    return stack(*[line(name) for name in _AUTOMATIONS])


def _form() -> rx.Component:
    state = WorkspaceState
    version, errors, read_only = state.version.to(str), state.errors, ~ShellState.is_admin

    def props(name: str) -> dict[str, Any]:
        return {"name": name, "key": version + name, "default_value": getattr(state, name), "disabled": read_only}

    return form(
        field(
            t("settings.workspace.name"),
            text_input(**props("name"), max_length=100, auto_complete="organization"),
            help=t("settings.workspace.name_help"),
            error=errors.get("name", ""),
        ),
        field(
            t("settings.workspace.postal_address"),
            text_area(
                # A diagnosis that leads here puts the cursor into the field, also where the page was open already.
                **props("postal_address") | {"key": version + "postal_address" + state.wanted},
                auto_focus=state.wanted == "postal_address",
                rows=4,
                max_length=500,
                auto_complete="street-address",
                placeholder=t("settings.workspace.postal_address_example"),
            ),
            help=t("settings.workspace.postal_address_help"),
            error=errors.get("postal_address", ""),
        ),
        grid(
            field(
                t("settings.workspace.language"),
                choice([("fr", "Français"), ("en", "English")], **props("language")),
                help=t("settings.workspace.language_help"),
            ),
            field(
                t("settings.workspace.timezone"),
                choice([(name, name.replace("_", " ")) for name in zones()], **props("timezone")),
                help=t("settings.workspace.timezone_help"),
                error=errors.get("timezone", ""),
            ),
        ),
        field(
            t("settings.workspace.signature"),
            text_area(**props("signature"), rows=5),
            help=t("settings.workspace.signature_help"),
            error=errors.get("signature", ""),
        ),
        rx.cond(
            ShellState.is_admin, row(button(t("common.save"), kind="solid", submit=True), kept("settings.workspace"))
        ),
        on_submit=state.save,
    )
