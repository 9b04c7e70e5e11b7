"""The list of contacts, with the card of the open one beside it."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.react_router.dom import ReactRouterLink

from fluenzr_app.contacts.field_names import CONSENT_SOURCES
from fluenzr_app.contacts.listing import COUNTED_TO
from fluenzr_app.ui.components.buttons import button, icon_button
from fluenzr_app.ui.components.forms import choice, choice_of, field, form, search_field, text_input
from fluenzr_app.ui.components.frame import body, empty_state, page_header, row, with_panel
from fluenzr_app.ui.components.status import status_badge
from fluenzr_app.ui.components.table import Column, data_table, two_lines
from fluenzr_app.ui.components.values import icon, number, when
from fluenzr_app.ui.findings_view import banners_here
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages import contacts_bulk, contacts_card
from fluenzr_app.ui.pages.contacts_card_state import ContactCardState
from fluenzr_app.ui.pages.contacts_create import NewContactState, new_drawer
from fluenzr_app.ui.pages.contacts_list import Chip, ContactLine, ContactsState
from fluenzr_app.ui.pages.contacts_query import PER_PAGE
from fluenzr_app.ui.pages.contacts_words import STATUSES, consent_word, status_word
from fluenzr_app.ui.shell import ShellState

S = ContactsState
# The card is filled before the list opens it: nobody types into what is about to be replaced.
LOAD = (ContactCardState.load, ContactsState.load, NewContactState.load)
_KINDS = ("status", "group", "tag", "company", "city", "country", "domain", "language", "consent")


def page() -> rx.Component:
    """Return the page."""
    return rx.fragment(
        page_header(
            t("contacts.title"),
            rx.cond(S.loaded, _state(), ""),
            button(t("contacts.import"), icon_name="upload", href="/contacts/import"),
            # With nobody yet, the main act is in the middle of the page.
            rx.cond(
                S.loaded & (S.everybody == 0),
                button(t("contacts.add"), icon_name="plus", on_click=ContactsState.start_new),
                button(t("contacts.add"), kind="solid", icon_name="plus", on_click=ContactsState.start_new),
            ),
        ),
        with_panel(
            body(
                banners_here(class_name="fz-banners-page"),
                rx.cond(S.everybody > 0, _tools()),
                _list(),
                class_name=rx.cond(S.open != "", "fzc-body fzc-beside-panel", "fzc-body"),
            ),
            contacts_card.panel(),
            S.open != "",
        ),
        new_drawer(),
        contacts_bulk.bar(),
        contacts_bulk.dialogs(),
        contacts_card.dialogs(),
    )


def _state() -> rx.Var[str]:
    return t(
        "contacts.state",
        all=t("contacts.state_all", n=S.everybody),
        active=t("contacts.state_active", n=S.active),
        replied=t("contacts.state_replied", n=S.replied),
    )


def _tools() -> rx.Component:
    return rx.el.div(
        rx.el.div(
            search_field(t("contacts.search"), value=S.search, on_change=ContactsState.look_for),
            rx.el.div(_range(), class_name="fzc-range"),
            class_name="fzc-tools",
        ),
        row(rx.foreach(S.chips, _chip), _filter_form(), gap=8),
        class_name="fzc-toolbar",
    )


def _range() -> rx.Component:
    first = rx.cond(S.rows.length() > 0, S.page_number * PER_PAGE + 1, 0).to(int)
    last = (S.page_number * PER_PAGE + S.rows.length()).to(int)
    counted = rx.cond(
        S.more,
        t("contacts.range_more", first=first, last=last, total=COUNTED_TO),
        t("common.range", first=first, last=last, total=S.total),
    )
    return rx.fragment(
        rx.cond(S.rows.length() > 0, rx.el.span(counted, class_name="fz-second fzc-figures")),
        icon_button(
            t("common.previous_page"),
            "chevron-left",
            disabled=S.page_number <= 0,
            on_click=ContactsState.turn_to(S.page_number - 1),
        ),
        icon_button(
            t("common.next_page"),
            "chevron-right",
            disabled=S.last_page,
            on_click=ContactsState.turn_to(S.page_number + 1),
        ),
        ReactRouterLink.create(
            icon("download"),
            to=S.export,
            # A file of the server, not a page: the router leaves it to the browser.
            reload_document=True,
            download="",
            class_name="fz-button fz-icon-button fz-quiet fz-size-normal",
            aria_label=t("contacts.export"),
            title=t("contacts.export"),
        ),
    )


def _chip(chip: rx.Var[Chip]) -> rx.Component:
    text = lambda value: rx.match(  # noqa: E731
        chip.kind, ("status", status_word(value)), ("consent", consent_word(value)), value
    )
    verb = rx.cond(chip.negated, t("contacts.is_not"), t("contacts.is"))
    name = rx.match(chip.kind, *[(kind, t(f"contacts.filter.{kind}")) for kind in (*_KINDS, "imported")], chip.kind)
    return rx.el.span(
        rx.el.span(name),
        rx.el.span(verb, class_name="fzc-chip-verb"),
        rx.el.strong(rx.foreach(chip.texts, lambda value: rx.el.span(text(value)))),
        rx.el.button(
            icon("x", 12),
            type="button",
            aria_label=t("contacts.drop_filter"),
            title=t("contacts.drop_filter"),
            on_click=ContactsState.drop_filter(chip.kind, chip.value),
        ),
        class_name="fzc-chip",
    )


def _filter_form() -> rx.Component:
    return rx.popover.root(
        rx.popover.trigger(button(t("contacts.add_filter"), kind="quiet", size="small", icon_name="plus")),
        rx.popover.content(
            form(
                field(
                    t("contacts.filter_by"),
                    choice(
                        [(kind, t(f"contacts.filter.{kind}")) for kind in _KINDS],
                        name="kind",
                        default_value=S.filter_kind,
                        on_change=ContactsState.choose_filter_kind,
                    ),
                ),
                rx.cond(
                    S.filter_kind == "status",
                    choice(
                        [("is", t("contacts.is")), ("not", t("contacts.is_not"))],
                        name="how",
                        aria_label=t("contacts.operator"),
                    ),
                ),
                field(t("contacts.filter_value"), _filter_value()),
                button(t("contacts.apply_filter"), kind="solid", submit=True),
                on_submit=ContactsState.add_filter,
            ),
            class_name="fzc-popover",
            aria_label=t("contacts.add_filter"),
            align="start",
        ),
        open=S.adding_filter,
        on_open_change=ContactsState.show_filter_form,
    )


def _filter_value() -> rx.Component:
    return rx.match(
        S.filter_kind,
        ("status", choice([(code, t(key)) for code, (key, _, _) in STATUSES.items()], name="value")),
        ("group", choice_of(S.groups, lambda group: group.id, lambda group: group.name, name="value")),
        ("tag", choice_of(S.tags, lambda tag: tag, lambda tag: tag, name="value")),
        ("consent", choice([(source, t(f"contacts.consent.{source}")) for source in CONSENT_SOURCES], name="value")),
        text_input(name="value", auto_focus=True, max_length=200),
    )


def _list() -> rx.Component:
    columns = [
        Column(t("contacts.column.contact"), _who, sort="last_name"),
        Column(
            t("contacts.column.company"),
            lambda line: rx.el.span(line.company, class_name="fzc-clip-2"),
            sort="company",
            hide_on_phone=True,
        ),
        Column(t("contacts.column.status"), lambda line: status_badge(line.status, STATUSES), sort="status"),
        Column(t("contacts.column.tags"), _tags, hide_on_phone=True),
        Column(
            t("contacts.column.created"),
            lambda line: when(line.created_at, ShellState.zone),
            sort="created_at",
            right=True,
            hide_on_phone=True,
        ),
        Column(
            t("contacts.column.updated"),
            lambda line: when(line.updated_at, ShellState.zone),
            sort="updated_at",
            right=True,
            hide_on_phone=True,
        ),
    ]
    return rx.el.div(
        data_table(
            columns,
            S.rows,
            loaded=S.loaded,
            key=lambda line: line.id,
            sort=S.sort,
            on_sort=ContactsState.sort_by,
            on_open=ContactsState.open_contact,
            opened=S.open,
            selected=S.selected,
            on_select=ContactsState.toggle,
            all_selected=S.all_here | S.whole,
            on_select_all=ContactsState.toggle_all,
            empty=rx.cond(S.everybody > 0, _found_nothing(), _nobody()),
        ),
        class_name="fzc-list",
    )


def _who(line: rx.Var[ContactLine]) -> rx.Component:
    # The row opens by a click anywhere on it; this is for the keyboard and for who listens.
    name = rx.el.button(
        rx.cond(line.name != "", line.name, line.email),
        type="button",
        on_click=[rx.stop_propagation, ContactsState.open_contact(line.id)],
        class_name="fzc-open",
    )
    return two_lines(name, rx.cond(line.name != "", line.email, t("contacts.no_name")))


def _tags(line: rx.Var[ContactLine]) -> rx.Component:
    return rx.el.div(
        rx.foreach(line.tags, lambda tag: rx.el.span(tag, class_name="fzc-tag")),
        rx.cond(line.more_tags > 0, rx.el.span("+", number(line.more_tags), class_name="fzc-tag", title=line.all_tags)),
        class_name="fzc-tags",
    )


def _nobody() -> rx.Component:
    return empty_state(
        "users",
        t("contacts.none"),
        t("contacts.none_words"),
        button(t("contacts.import_file"), kind="solid", icon_name="upload", href="/contacts/import"),
        button(t("contacts.add_one"), on_click=ContactsState.start_new),
    )


def _found_nothing() -> rx.Component:
    title = rx.cond(S.search != "", t("contacts.found_nothing", text=S.search), t("contacts.filtered_nothing"))
    many = rx.cond(S.others_more, t("contacts.others_more", total=COUNTED_TO), t("contacts.others", n=S.others))
    named = rx.el.span(
        t("contacts.filters_set", n=S.chips.length()),
        " ",
        rx.cond(
            S.search == "",
            t("contacts.drop_to_see", n=S.chips.length()),
            rx.cond(S.others > 0, many, t("contacts.without_filters")),
        ),
    )
    explained: Any = rx.cond(S.chips.length() > 0, named, t("contacts.search_words"))
    return empty_state(
        "search-x",
        title,
        explained,
        rx.cond(
            (S.chips.length() > 0) & ((S.search == "") | (S.others > 0)),
            button(t("contacts.drop_filters", n=S.chips.length()), kind="soft", on_click=ContactsState.drop_filters),
            button(t("contacts.clear_search"), kind="soft", on_click=ContactsState.look_for("")),
        ),
        button(t("contacts.create_this"), on_click=ContactsState.start_new),
        found_nothing=True,
    )
