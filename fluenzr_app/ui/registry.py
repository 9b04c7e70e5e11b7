"""The list of pages. Writing one:

1. `ui/pages/<name>.py` with a State and `page()`, words in `words/locales/*/<name>.po`, a line in `PAGES` below.
2. A handler begins with `me = await acting(self)` (`admin=True` for settings) and asks the rooms through
   `await me.read(service.function, me.workspace_id, …)` or `await me.write(…)`: one call, one transaction.
   Every handler can be called by any signed-in browser with any arguments: check them, take nothing on trust
   from the State, limit each query to `me.workspace_id`. A helper method starts with `_`: it cannot be called.
3. A State holds what is on the screen and no more: one page of rows as frozen dataclasses of plain fields (public
   ids, codes, ISO moments, numbers), never models. It may vanish at any time: `load` fills it from the address.
4. Words: `t("area.entry", n=State.count)` in components, both languages at once; `words(me.lang, "area.entry", …)`
   for a text a handler writes (errors, toasts). Numbers, shares and times are shown with `values.number`, `percent`,
   `when(State.iso, ShellState.zone)`, so that they follow the language.
5. Looks come from `ui/components/` only: buttons, forms, frame, status, table, values. A page sets no styles.

A whole page with a list:

    @dataclass(frozen=True)
    class Line:
        id: str
        name: str
        status: str
        seen_at: str

    class PeopleState(rx.State):
        rows: list[Line] = []
        total: int = 0
        page_number: int = 0
        sort: str = "name"
        search: str = ""
        loaded: bool = False

        @rx.event
        async def load(self):
            me = await acting(self)
            found = await me.read(people.page_of, me.workspace_id, search=self.search, sort=self.sort,
                                  offset=self.page_number * 50, limit=50)
            self.rows, self.total, self.loaded = [_line(p) for p in found.rows], found.total, True

        @rx.event
        async def look_for(self, text: str):
            self.search, self.page_number = text[:200], 0
            return PeopleState.load

        @rx.event
        async def sort_by(self, column: str):
            self.sort, self.page_number = (f"-{column}" if self.sort == column else column), 0
            return PeopleState.load

        @rx.event
        async def turn_to(self, number: int):
            self.page_number = max(0, number)
            return PeopleState.load

    STATUSES = {"active": ("people.active", "good", "circle-check"), "blocked": ("people.blocked", "error", "ban")}

    def page() -> rx.Component:
        columns = [
            Column(t("people.name"), lambda row: row.name, sort="name"),
            Column(t("people.status"), lambda row: status_badge(row.status, STATUSES)),
            Column(t("people.seen"), lambda row: when(row.seen_at, ShellState.zone), right=True),
        ]
        return rx.fragment(
            page_header(t("people.title"), t("people.state", n=PeopleState.total),
                        button(t("people.add"), kind="solid", icon_name="plus", on_click=PeopleState.add)),
            body(
                toolbar(search_field(t("people.search"), value=PeopleState.search, on_change=PeopleState.look_for)),
                block(
                    data_table(columns, PeopleState.rows, loaded=PeopleState.loaded, key=lambda row: row.id,
                               sort=PeopleState.sort, on_sort=PeopleState.sort_by, on_open=PeopleState.open,
                               empty=empty_state("users", t("people.none"), t("people.none_words"))),
                    pager(page=PeopleState.page_number, page_size=50, total=PeopleState.total,
                          on_page=PeopleState.turn_to),
                    padded=False,
                ),
            ),
        )
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import reflex as rx

from fluenzr_app.ui.findings_state import FindingsState
from fluenzr_app.ui.findings_view import explanation
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages import (
    accounts,
    campaign_audience_view,
    campaign_preview_view,
    campaign_progress_view,
    campaign_sequence_view,
    campaign_timing_view,
    campaigns,
    campaigns_list,
    contacts,
    contacts_import,
    dashboard,
    first_start,
    help_center,
    inbox,
    settings,
    sign_in,
)
from fluenzr_app.ui.pages.campaign_audience import AudienceState
from fluenzr_app.ui.pages.campaign_frame import CampaignState
from fluenzr_app.ui.pages.campaign_preview import PreviewState
from fluenzr_app.ui.pages.campaign_progress import ProgressState
from fluenzr_app.ui.pages.campaign_sequence import SequenceState
from fluenzr_app.ui.pages.campaign_start import StartState
from fluenzr_app.ui.pages.campaign_timing import TimingState
from fluenzr_app.ui.pages.not_found import page as not_found
from fluenzr_app.ui.palette import palette
from fluenzr_app.ui.shell import ShellState, old_page_banner, shell


@dataclass(frozen=True)
class Page:
    """One page: its address, the key of its title, what it shows, and the handlers that fill it."""

    route: str
    title: str
    show: Callable[[], rx.Component]
    load: tuple[Any, ...] = ()
    is_public: bool = False


PAGES: tuple[Page, ...] = (
    Page("/", "dashboard.title", dashboard.page, (dashboard.DashboardState.load,)),
    Page("/inbox/[[conversation]]", "inbox.title", inbox.page, inbox.LOAD),
    Page("/accounts", "accounts.title", accounts.page, accounts.LOAD),
    Page("/contacts", "contacts.title", contacts.page, contacts.LOAD),
    Page("/contacts/import", "contacts_import.title", contacts_import.page, contacts_import.LOAD),
    Page("/campaigns", "campaigns.title", campaigns.page, (campaigns_list.CampaignsState.load,)),
    Page(
        "/campaigns/[campaign]",
        "campaign.title",
        campaign_sequence_view.page,
        (CampaignState.load, StartState.close, SequenceState.load),
    ),
    Page(
        "/campaigns/[campaign]/audience",
        "campaign.title",
        campaign_audience_view.page,
        (CampaignState.load, StartState.close, AudienceState.load, AudienceState.find("")),
    ),
    Page(
        "/campaigns/[campaign]/timing",
        "campaign.title",
        campaign_timing_view.page,
        (CampaignState.load, StartState.close, TimingState.load),
    ),
    Page(
        "/campaigns/[campaign]/preview",
        "campaign.title",
        campaign_preview_view.page,
        (CampaignState.load, StartState.close, PreviewState.load),
    ),
    Page(
        "/campaigns/[campaign]/progress",
        "campaign.title",
        campaign_progress_view.page,
        (CampaignState.load, StartState.close, ProgressState.load),
    ),
    Page("/help/[[topic]]", "help.title", help_center.page, help_center.LOAD),
    Page("/settings", "settings.title", settings.page, settings.LOAD),
    Page("/sign-in", "sign_in.document", sign_in.page, (sign_in.SignInState.open,), is_public=True),
    Page("/first-start", "first_start.document", first_start.page, (first_start.FirstStartState.open,), is_public=True),
)


def register(app: rx.App) -> None:
    """Add every page to `app`; those for signed-in people inside the frame that `ShellState.enter` fills."""
    for page in PAGES:
        app.add_page(
            _public(page) if page.is_public else _framed(page),
            route=page.route,
            title=_title(page),
            on_load=list(page.load) if page.is_public else [ShellState.enter, *page.load, FindingsState.look],
        )
    app.add_page(not_found, route="404", title=_document_title("common.not_found"))


def _framed(page: Page) -> Callable[[], rx.Component]:
    def framed() -> rx.Component:
        return shell(page.show(), palette(), explanation())

    # Reflex writes the parts of a page into a script named by the module its function is of:
    # were it this one, every page would load the parts of all.
    framed.__module__ = page.show.__module__
    return framed


def _public(page: Page) -> Callable[[], rx.Component]:
    def public() -> rx.Component:
        return rx.fragment(page.show(), old_page_banner())

    public.__module__ = page.show.__module__
    return public


def _title(page: Page) -> rx.Var[str]:
    return _document_title(page.title)


def _document_title(key: str) -> rx.Var[str]:
    return t(key) + " · FluenzR"
