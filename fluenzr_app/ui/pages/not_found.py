"""An address that leads nowhere."""

import reflex as rx

from fluenzr_app.ui.components.buttons import button
from fluenzr_app.ui.components.frame import empty_state
from fluenzr_app.ui.language import t


def page() -> rx.Component:
    """Return that there is no such page, and the way back."""
    return rx.el.main(
        empty_state(
            "compass",
            t("common.not_found"),
            t("common.not_found_words"),
            button(t("common.to_dashboard"), href="/"),
            found_nothing=True,
            alone=True,
        ),
        class_name="fz-alone",
    )
