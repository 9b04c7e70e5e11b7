"""The settings: one's own account, workspace, tracking, API keys, suppression list; the address names the section."""

from __future__ import annotations

from typing import Any

import reflex as rx

from fluenzr_app.ui.components.forms import tabs
from fluenzr_app.ui.components.frame import body, page_header
from fluenzr_app.ui.guard import acting
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages import (
    settings_keys,
    settings_person,
    settings_privacy,
    settings_privacy_view,
    settings_suppression,
    settings_workspace,
)
from fluenzr_app.ui.shell import ShellState

# On a phone the chosen one of these may lie beyond the edge.
_SHOW_TAB = (
    "setTimeout(() => document.querySelector('[role=tab][aria-selected=true]')"
    "?.scrollIntoView({ block: 'nearest', inline: 'nearest' }), 100)"
)
TABS = ("person", "workspace", "privacy", "keys", "suppression")


class SettingsState(rx.State):
    """Which section the address asks for."""

    tab: str = "person"

    @rx.event
    async def load(self) -> Any:
        """Show the section that the address names, and its tab."""
        await acting(self)
        asked = str(dict(self.router.url.query_parameters).get("tab", ""))
        self.tab = asked if asked in TABS else TABS[0]
        return rx.call_script(_SHOW_TAB)

    @rx.event
    async def choose(self, tab: str) -> Any:
        """Go to another section."""
        await acting(self)
        return rx.redirect(f"/settings?tab={tab}" if tab in TABS[1:] else "/settings")


LOAD = (
    SettingsState.load,
    settings_person.PersonState.load,
    settings_workspace.WorkspaceState.load,
    settings_privacy.PrivacyState.load,
    settings_keys.KeysState.load,
    settings_suppression.SuppressionState.load,
)


def page() -> rx.Component:
    """Return the page."""
    state = SettingsState
    sections = {
        "workspace": settings_workspace.section(),
        "privacy": settings_privacy_view.section(),
        "keys": settings_keys.section(),
        "suppression": settings_suppression.section(),
    }
    return rx.fragment(
        page_header(t("settings.title"), rx.fragment(ShellState.workspace, " · ", ShellState.email)),
        rx.el.div(
            tabs([(tab, t(f"settings.tab.{tab}"), None) for tab in TABS], state.tab, state.choose),
            class_name="fzs-tabs",
        ),
        body(
            rx.match(
                state.tab,
                *list(sections.items()),
                settings_person.section(),
            ),
            class_name="fzs-body",
        ),
        settings_privacy_view.dialogs(),
        settings_keys.dialogs(),
        settings_suppression.dialogs(),
    )
