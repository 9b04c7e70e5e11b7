"""Going anywhere by typing: pages, sections, acts, and what the workspace has by its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import reflex as rx
from reflex.style import set_color_mode
from sqlmodel import Session

from fluenzr_app.accounts import service as accounts
from fluenzr_app.campaigns import service as campaigns
from fluenzr_app.contacts.listing import ContactFilter, list_contacts
from fluenzr_app.db.ids import public_id
from fluenzr_app.inbox.conversations import Filters, list_conversations
from fluenzr_app.ui.components.keys import GO
from fluenzr_app.ui.guard import acting
from fluenzr_app.ui.language import LANG, t
from fluenzr_app.ui.pages.campaigns_new import NewCampaignState
from fluenzr_app.ui.pages.settings import TABS
from fluenzr_app.ui.shell import MENU, ShellState

_MOST_OF_A_KIND = 5
_SHORTEST, _LONGEST = 2, 100
_WORDS = (
    "title",
    "close",
    "searching",
    "hint",
    "contact",
    "campaign",
    "account",
    "conversation",
    "placeholder",
    "escape",
)


@dataclass(frozen=True)
class Found:
    """Something of the workspace by its name; `kind` is contact, campaign, account or conversation."""

    kind: str
    label: str
    note: str
    href: str
    icon: str
    act: str = ""


class PaletteState(rx.State):
    """What the server found last, and for which words."""

    found: list[Found] = []
    found_for: str = ""

    @rx.event
    async def ask(self, text: str) -> None:
        """Show what in the workspace is called by these words, a few of each kind."""
        me = await acting(self)
        asked = str(text)[:_LONGEST].strip()
        short = len(asked) < _SHORTEST
        self.found = [] if short else await me.read(named, me.workspace_id, asked)
        self.found_for = asked

    @rx.event
    async def new_campaign(self) -> Any:
        """Go to the campaigns and open the drawer of a new one."""
        await acting(self)
        return [rx.redirect("/campaigns"), NewCampaignState.show("")]


def named(session: Session, workspace_id: int, asked: str) -> list[Found]:
    """Return up to five contacts, campaigns, accounts and conversations of the workspace that `asked` finds."""
    contacts = list_contacts(session, workspace_id, ContactFilter(query=asked), per_page=_MOST_OF_A_KIND).cards
    told = list_conversations(session, workspace_id, Filters(query=asked, archived_too=True), per_page=_MOST_OF_A_KIND)
    low = asked.casefold()
    boxes = [
        box
        for box in accounts.list_accounts(session, workspace_id)
        if low in box.email.casefold() or low in box.display_name.casefold()
    ]
    people = [card.contact for card in contacts]
    return [
        *[
            Found(
                "contact",
                " ".join(part for part in (each.first_name, each.last_name) if part) or each.email,
                each.company or each.email,
                f"/contacts?open={public_id('con', each.id or 0)}",
                "contact",
            )
            for each in people
        ],
        *[
            Found("campaign", line.name, "", f"/campaigns/{public_id('cmp', line.id)}", "send")
            for line in campaigns.list_campaigns(session, workspace_id, search=asked, per_page=_MOST_OF_A_KIND).lines
        ],
        *[
            Found("account", box.email, box.display_name, f"/accounts?q={quote(box.email)}", "mail")
            for box in boxes[:_MOST_OF_A_KIND]
        ],
        *[
            Found(
                "conversation",
                line.contact_name or line.email,
                line.subject,
                f"/inbox/{public_id('cnv', line.id)}?tab=all",
                "message",
            )
            for line in told.lines
        ],
    ]


def _text(given: rx.Var[str]) -> tuple[rx.Var[str]]:
    return (given,)


class _Palette(rx.NoSSRComponent):
    library = "$/public/frame/palette.jsx"
    tag = "Palette"
    words: rx.Var[dict[str, str]]
    entries: rx.Var[list[dict[str, str]]]
    found: rx.Var[list[Found]]
    found_for: rx.Var[str]
    on_ask: rx.EventHandler[_text]
    on_new_campaign: rx.EventHandler[rx.event.no_args_event_spec]
    on_french: rx.EventHandler[rx.event.no_args_event_spec]
    on_english: rx.EventHandler[rx.event.no_args_event_spec]
    on_light: rx.EventHandler[rx.event.no_args_event_spec]
    on_dark: rx.EventHandler[rx.event.no_args_event_spec]
    on_system: rx.EventHandler[rx.event.no_args_event_spec]
    on_sign_out: rx.EventHandler[rx.event.no_args_event_spec]


class _Keys(rx.NoSSRComponent):
    library = "$/public/frame/palette.jsx"
    tag = "Keys"
    words: rx.Var[dict[str, str]]


def palette() -> rx.Component:
    """Return the palette and the list of keys, both closed until they are asked for."""
    words = {name: t(f"palette.{name}") for name in _WORDS} | {"nothing": t("palette.nothing", text="@text")}
    keys = {name: t(f"keys.{name}") for name in ("title", "about", "page", "frame")} | {"close": t("common.close")}
    return rx.fragment(
        _Palette.create(
            words=rx.Var.create(words),
            entries=rx.Var.create([*_pages(), *_acts()]),
            found=PaletteState.found,
            found_for=PaletteState.found_for,
            on_ask=PaletteState.ask,
            on_new_campaign=PaletteState.new_campaign,
            on_french=[LANG.set_value("fr"), ShellState.choose_language("fr")],
            on_english=[LANG.set_value("en"), ShellState.choose_language("en")],
            on_light=set_color_mode("light"),
            on_dark=set_color_mode("dark"),
            on_system=set_color_mode("system"),
            on_sign_out=ShellState.sign_out,
        ),
        _Keys.create(words=rx.Var.create(keys)),
    )


def _pages() -> list[dict[str, Any]]:
    pages = [
        _entry(
            t("palette.pages"),
            t(entry.key),
            entry.icon,
            href=entry.href,
            keys=f"g {GO[entry.href]}" if entry.href in GO else "",
        )
        for entry in MENU
    ]
    sections = [
        _entry(
            t("palette.pages"),
            t("palette.section", name=t(f"settings.tab.{tab}")),
            "settings",
            href=f"/settings?tab={tab}" if tab != TABS[0] else "/settings",
        )
        for tab in TABS
    ]
    return [*pages, *sections]


def _acts() -> list[dict[str, Any]]:
    part = t("palette.acts")
    return [
        _entry(part, t("palette.new_campaign"), "plus", act="onNewCampaign"),
        _entry(part, t("palette.new_contact"), "user-plus", href="/contacts?new=1"),
        _entry(part, t("palette.import"), "file-up", href="/contacts/import", more="csv"),
        _entry(part, t("palette.connect"), "at-sign", href="/accounts?open=connect", more="smtp imap"),
        _entry(part, "Français", "languages", act="onFrench", more=t("layout.language")),
        _entry(part, "English", "languages", act="onEnglish", more=t("layout.language")),
        _entry(part, t("palette.light"), "sun", act="onLight", more=t("layout.appearance")),
        _entry(part, t("palette.dark"), "moon", act="onDark", more=t("layout.appearance")),
        _entry(part, t("palette.system"), "monitor", act="onSystem", more=t("layout.appearance")),
        _entry(part, t("keys.title"), "keyboard", act="keys", keys="?"),
        _entry(part, t("layout.sign_out"), "log-out", act="onSignOut"),
    ]


def _entry(
    part: Any, label: Any, icon: str, *, href: str = "", act: str = "", more: Any = "", keys: str = ""
) -> dict[str, Any]:
    return {
        "part": part,
        "label": label,
        "icon": icon,
        "href": href,
        "act": act,
        "more": more,
        "keys": keys,
        "note": "",
    }
