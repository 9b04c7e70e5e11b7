"""The page of a campaign's audience."""

from __future__ import annotations

from typing import Any

import reflex as rx

from fluenzr_app.ui.components.buttons import button, icon_button
from fluenzr_app.ui.components.forms import choice, search_field
from fluenzr_app.ui.components.frame import block, body, columns, empty_state, kpi, kpi_strip
from fluenzr_app.ui.components.status import badge, long_work, status_badge
from fluenzr_app.ui.components.table import Column, data_table, pager, toolbar, two_lines
from fluenzr_app.ui.components.values import link, number
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages.campaign_audience import PER_PAGE, SHOWN, AudienceState
from fluenzr_app.ui.pages.campaign_frame import CampaignState
from fluenzr_app.ui.pages.campaign_layout import campaign_page, read_only_banner
from fluenzr_app.ui.pages.campaign_words import WALK_STATUSES


def page() -> rx.Component:
    """Return the page on which one chooses who a campaign writes to."""
    head, state = CampaignState, AudienceState
    consent = rx.cond(
        state.without_consent > 0,
        rx.el.span(t("campaign_audience.figures.consent_note"), class_name="fz-attention"),
        rx.cond(head.enrolled > 0, rx.el.span(t("campaign_audience.figures.consent_none"))),
    )
    return campaign_page(
        "audience",
        body(
            read_only_banner(),
            kpi_strip(
                kpi(t("campaign_audience.figures.contacts"), number(head.enrolled)),
                kpi(t("campaign_audience.figures.waiting"), number(head.walking)),
                kpi(t("campaign_audience.figures.ended"), number(head.ended)),
                kpi(t("campaign_audience.figures.consent"), number(state.without_consent), consent),
            ),
            columns(_members(), rx.fragment(_groups(), rx.cond(head.status != "archived", _add()))),
        ),
    )


def _groups() -> rx.Component:
    state = AudienceState
    now = rx.cond(
        (state.linked > 0) & CampaignState.editable,
        button(t("campaign_audience.enroll_now"), kind="soft", size="small", on_click=state.enroll_groups),
    )
    none = rx.el.div(
        rx.el.p(t("campaign_audience.no_groups"), class_name="fz-second"),
        link(t("campaign_audience.to_contacts"), "/contacts"),
        class_name="fz-block-body fz-stack",
    )
    return block(
        rx.cond(
            state.groups.length() > 0,
            rx.fragment(
                rx.el.p(t("campaign_audience.groups_words"), class_name="fz-second fz-block-body"),
                rx.el.div(rx.foreach(state.groups, _group)),
            ),
            rx.cond(state.loaded, none),
        ),
        rx.cond((state.linked > 0) & CampaignState.editable, rx.el.div(now, class_name="fz-block-body")),
        title=t("campaign_audience.groups"),
        padded=False,
    )


def _group(group: Any) -> rx.Component:
    editable = CampaignState.editable
    role = choice(
        [
            ("", t("campaign_audience.neither")),
            ("linked", t("campaign_audience.link")),
            ("excluded", t("campaign_audience.exclude")),
        ],
        value=group.role,
        disabled=~editable,
        on_change=lambda value: AudienceState.set_role(group.id, value),
        aria_label=t("campaign_audience.role_of", name=group.name),
        class_name="fz-role",
    )
    return rx.el.div(
        rx.el.div(
            rx.el.div(group.name, class_name="fz-first"),
            rx.el.div(t("campaign_audience.members_n", n=group.contacts), class_name="fz-second fz-small"),
            class_name="fz-grow",
        ),
        role,
        class_name="fz-pick-row",
    )


def _add() -> rx.Component:
    state = AudienceState
    found = rx.el.div(rx.foreach(state.found, _found), class_name="fz-results")
    more = rx.cond(
        state.found_total > SHOWN,
        rx.el.p(t("campaign_audience.found_more", n=state.found_total - SHOWN), class_name="fz-second"),
    )
    everybody = button(
        rx.cond(
            state.query == "",
            t("campaign_audience.add_everybody", n=state.found_total),
            t("campaign_audience.add_all", n=state.found_total),
        ),
        kind="soft",
        size="small",
        icon_name="user-plus",
        on_click=state.add_all,
    )
    working = long_work(
        t("campaign_audience.working"),
        done=state.work_done,
        total=state.work_total,
        unit=t("campaign_audience.unit"),
    )
    results = rx.cond(
        state.found.length() > 0,
        rx.el.div(found, more, everybody, class_name="fz-stack"),
        rx.el.p(t("campaign_audience.found_none"), class_name="fz-second"),
    )
    return block(
        rx.el.div(
            rx.el.p(t("campaign_audience.add_words"), class_name="fz-second"),
            search_field(t("campaign_audience.search_add"), value=state.query, on_change=state.find),
            rx.cond(state.is_working, working, rx.cond(state.searched, results)),
            class_name="fz-stack",
        ),
        title=t("campaign_audience.add"),
    )


def _found(contact: Any) -> rx.Component:
    return rx.el.div(
        rx.el.div(
            rx.el.div(rx.cond(contact.name != "", contact.name, contact.email), class_name="fz-first"),
            rx.el.div(
                rx.cond(contact.company != "", contact.company + " · ", ""),
                contact.email,
                class_name="fz-second fz-small",
            ),
            class_name="fz-grow",
        ),
        rx.cond(
            contact.is_in,
            badge(t("campaign_audience.already"), "grey"),
            button(t("campaign_audience.add_one"), size="small", on_click=AudienceState.add_one(contact.id)),
        ),
        class_name="fz-pick-row",
    )


def _members() -> rx.Component:
    state = AudienceState
    out = t("campaign_audience.remove")
    table_columns = [
        Column(
            t("campaign_audience.contact"),
            lambda row: two_lines(rx.cond(row.name != "", row.name, row.email), row.email),
        ),
        Column(t("campaign_audience.company"), lambda row: row.company, hide_on_phone=True),
        Column(t("campaign_audience.status"), lambda row: status_badge(row.status, WALK_STATUSES), hide_on_phone=True),
        Column(
            "",
            lambda row: rx.cond(
                row.is_walking, icon_button(out, "user-minus", size="small", on_click=state.remove(row.id))
            ),
            right=True,
            width="24px",
        ),
    ]
    empty = rx.cond(
        state.search != "",
        empty_state(
            "search-x",
            t("campaign_audience.none_found"),
            t("campaign_audience.none_found_words"),
            found_nothing=True,
        ),
        rx.cond(
            (state.linked > 0) & (CampaignState.status == "draft"),
            empty_state("users", t("campaign_audience.none_yet"), t("campaign_audience.none_yet_words")),
            empty_state("users", t("campaign_audience.none"), t("campaign_audience.none_words")),
        ),
    )
    return block(
        toolbar(search_field(t("campaign_audience.search"), value=state.search, on_change=state.look_for)),
        data_table(table_columns, state.members, loaded=state.loaded, key=lambda row: row.id, empty=empty),
        pager(page=state.page_number, page_size=PER_PAGE, total=state.total, on_page=state.turn_to),
        title=t("campaign_audience.members"),
        count=number(state.total),
        padded=False,
        class_name="fz-with-toolbar fz-members",
    )
