"""The dialog in which a campaign begins: empty, or from a proven sequence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx

from fluenzr_app.campaigns.errors import CampaignsError
from fluenzr_app.campaigns.sequences import sequences
from fluenzr_app.db.ids import public_id
from fluenzr_app.ui.components.buttons import button
from fluenzr_app.ui.components.forms import field, form, segments, text_input
from fluenzr_app.ui.components.frame import drawer
from fluenzr_app.ui.guard import acting
from fluenzr_app.ui.kept import kept, kept_is_saved
from fluenzr_app.ui.language import t, words
from fluenzr_app.ui.pages import campaign_acts as acts
from fluenzr_app.ui.pages.campaign_words import refusal


@dataclass(frozen=True)
class Template:
    """A sequence to begin with, as the dialog shows it."""

    key: str
    name: str
    words: str
    mails: int


class NewCampaignState(rx.State):
    """The dialog of a new campaign."""

    is_open: bool = False
    language: str = "fr"
    template: str = ""
    templates: list[Template] = []
    error: str = ""
    busy: bool = False

    @rx.event
    async def show(self, template: str) -> None:
        """Open the dialog, with a template chosen or none."""
        me = await acting(self)
        self.is_open, self.error, self.busy = True, "", False
        self._fill(me.lang)
        self.template = template if template in {each.key for each in self.templates} else ""

    @rx.event
    async def begin(self, template: str) -> Any:
        """Go to the campaigns and open the dialog there, with a template chosen or none."""
        await acting(self)
        return [rx.redirect("/campaigns"), NewCampaignState.show(template)]

    @rx.event
    async def close(self) -> None:
        """Close the dialog."""
        self.is_open = False

    @rx.event
    async def choose(self, template: str) -> None:
        """Choose what to begin with; "" is an empty sequence."""
        if template in {"", *(each.key for each in self.templates)}:
            self.template = template

    @rx.event
    async def speak(self, language: str) -> None:
        """Show the sequences of another language."""
        self._fill("en" if language == "en" else "fr")

    @rx.event
    async def create(self, given: dict[str, Any]) -> Any:
        """Make the draft and open it."""
        me = await acting(self)
        name = str(given.get("name", "")).strip()
        if not 1 <= len(name) <= 120:
            self.error = words(me.lang, "campaigns.create.name_missing")
            return None
        try:
            made = await me.write(acts.create, me.identity, name, self.template, self.language, me.now)
        except (CampaignsError, KeyError) as error:
            self.error = refusal(me.lang, error) if isinstance(error, CampaignsError) else str(error)
            return None
        self.is_open = False
        return [kept_is_saved("campaigns.new"), rx.redirect(f"/campaigns/{public_id('cmp', made.id)}")]

    def _fill(self, language: str) -> None:
        self.language = language
        self.templates = [
            Template(each.key, each.name, each.description, len(each.mails)) for each in sequences(language)
        ]


def new_campaign_dialog() -> rx.Component:
    """Return the drawer of a new campaign."""
    state = NewCampaignState
    return drawer(
        t("campaigns.create.title"),
        form(
            field(
                t("campaigns.create.name"),
                text_input(
                    name="name", placeholder=t("campaigns.create.name_example"), max_length=120, auto_focus=True
                ),
                help=t("campaigns.create.name_help"),
                error=state.error,
            ),
            rx.el.div(
                rx.el.span(t("campaigns.create.start_from"), class_name="fz-label"),
                rx.el.div(
                    _card("", t("campaigns.create.empty"), t("campaigns.create.empty_words"), 1),
                    rx.foreach(state.templates, lambda each: _card(each.key, each.name, each.words, each.mails)),
                    class_name="fz-templates",
                ),
                class_name="fz-field",
            ),
            rx.el.div(
                rx.el.span(t("campaigns.create.language"), class_name="fz-label"),
                segments([("fr", "Français"), ("en", "English")], state.language, state.speak),
                class_name="fz-row",
            ),
            kept("campaigns.new"),
            on_submit=state.create,
            id="new-campaign",
        ),
        subtitle=t("campaigns.create.words"),
        icon_name="send",
        is_open=state.is_open,
        on_close=state.close,
        footer=rx.fragment(
            button(t("common.cancel"), on_click=state.close),
            button(t("campaigns.create.act"), kind="solid", submit=True, custom_attrs={"form": "new-campaign"}),
        ),
    )


def _card(key: Any, name: Any, text: Any, mails: Any) -> rx.Component:
    return rx.el.button(
        rx.el.span(name, class_name="fz-what"),
        rx.el.span(text, class_name="fz-second"),
        rx.el.span(t("campaigns.mails_n", n=mails), class_name="fz-since"),
        type="button",
        aria_pressed=NewCampaignState.template == key,
        on_click=NewCampaignState.choose(key),
        class_name="fz-template",
    )
