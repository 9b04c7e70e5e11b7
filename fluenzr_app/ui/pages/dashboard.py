"""The dashboard: what left today, what stands still and why."""

from typing import Any

import reflex as rx

from fluenzr_app.ui.components.frame import body, page_header
from fluenzr_app.ui.components.values import long_date, time_of_day
from fluenzr_app.ui.guard import acting
from fluenzr_app.ui.language import t
from fluenzr_app.ui.shell import ShellState


class DashboardState(rx.State):
    """The figures of the day."""

    loaded: bool = False

    @rx.event
    async def load(self) -> Any:
        """Fill the page for the workspace of whoever asks."""
        await acting(self)
        self.loaded = True


def page() -> rx.Component:
    """Return the dashboard."""
    now = rx.el.span(
        long_date(ShellState.server_now, ShellState.zone), ", ", time_of_day(ShellState.server_now, ShellState.zone)
    )
    return rx.fragment(page_header(t("dashboard.title"), now), body())
