"""The page of a campaign's progress."""

from __future__ import annotations

from typing import Any

import reflex as rx

from fluenzr_app.ui.components.buttons import button, mend_button
from fluenzr_app.ui.components.forms import search_field
from fluenzr_app.ui.components.frame import block, body, empty_state, kpi, kpi_strip
from fluenzr_app.ui.components.status import diagnosis_banner, progress_bar, status_badge
from fluenzr_app.ui.components.table import Column, data_table, pager, toolbar, two_lines, under_row
from fluenzr_app.ui.components.values import chosen_icon, icon, link, number, percent, when
from fluenzr_app.ui.findings_state import FindingsState
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages.campaign_figures import by_machines, followed_cell, followed_kpi
from fluenzr_app.ui.pages.campaign_frame import CampaignState
from fluenzr_app.ui.pages.campaign_layout import campaign_page
from fluenzr_app.ui.pages.campaign_progress import PER_PAGE, ProgressState
from fluenzr_app.ui.pages.campaign_start import StartState
from fluenzr_app.ui.pages.campaign_words import WAIT_ICONS, WALK_STATUSES
from fluenzr_app.ui.shell import ShellState


def page() -> rx.Component:
    """Return the page that says how far a campaign is, and why each contact waits."""
    return campaign_page(
        "progress", body(_standstill(), _figures(), _doubts(), _table(), _mails()), live=[ProgressState.load]
    )


def _figures() -> rx.Component:
    head = CampaignState
    over = rx.cond(head.enrolled > 0, head.ended / head.enrolled, 0.0)
    unknown = rx.el.span(t("campaign_progress.none_sent"))
    nothing = head.sent == 0
    leaving = rx.cond(head.next_at != "", when(head.next_at, ShellState.zone), rx.el.span("–"))
    undelivered = rx.cond(nothing, t("campaign_progress.none_sent"), t("figures.nothing_delivered"))
    how_far = kpi_strip(
        kpi(
            t("campaign_progress.contacts"),
            number(head.enrolled),
            t("campaign_progress.done_n", share=percent(over, 0)),
        ),
        kpi(t("campaign_progress.sent"), number(head.sent), rx.cond(nothing, unknown)),
        kpi(
            t("campaign_progress.next"),
            leaving,
            rx.cond(
                (head.next_at == "") & head.has_wait,
                rx.cond(head.status == "paused", t("campaigns.suspended"), t("campaigns.held_up")),
                "",
            ),
        ),
    )
    what_came_of_it = kpi_strip(
        followed_kpi("opens", t("figures.opens"), head.opens, unknown=undelivered),
        followed_kpi("clicks", t("figures.clicks"), head.clicks, unknown=undelivered),
        kpi(
            t("campaign_progress.replies"),
            rx.cond(nothing, "–", number(head.replied)),
            rx.cond(nothing, unknown, t("campaign_progress.replied_n", n=head.replied)),
        ),
        kpi(
            t("campaign_progress.bounces"),
            rx.cond(nothing, "–", percent(head.bounced / rx.cond(nothing, 1, head.sent))),
            rx.cond(nothing, unknown, t("campaign_progress.bounced_n", n=head.bounced)),
        ),
        kpi(
            t("campaign_progress.unsubscribed"),
            rx.cond(nothing, "–", number(head.unsubscribed)),
            rx.cond(nothing, unknown),
        ),
    )
    return rx.fragment(how_far, what_came_of_it, _machines())


def _machines() -> rx.Component:
    """Say why what machines opened and clicked does not count, where some did."""
    head = CampaignState
    some = ((head.opens.off == "") & (head.opens.machines > 0)) | ((head.clicks.off == "") & (head.clicks.machines > 0))
    return rx.cond(
        some,
        rx.el.details(
            rx.el.summary(icon("bot", 14), t("figures.machines_title"), class_name="fz-machines-title"),
            rx.el.p(t("figures.machines_words"), class_name="fz-second"),
            class_name="fz-machines-words",
        ),
    )


def _standstill() -> rx.Component:
    head = CampaignState
    quiet = (head.wait.code == "turn") | (head.wait.code == "delay") | (head.wait.code == "leaving")
    mend = rx.match(
        head.wait.mend,
        ("", rx.fragment()),
        ("resume", mend_button(head.wait.mend_label, on_click=head.act("resume"))),
        ("timing", _to(head.wait, "timing")),
        ("choose_account", _to(head.wait, "timing")),
        ("decide", rx.fragment()),
        mend_button(head.wait.mend_label, urgent=head.wait.tone == "error", href=head.wait.href),
    )
    draft = diagnosis_banner(
        "pencil-line",
        "grey",
        t("campaign_waits.not_started.what"),
        t("campaign_waits.not_started.why"),
        mend=mend_button(t("campaign_waits.mend_start"), on_click=StartState.ask),
    )
    return rx.cond(
        head.status == "draft",
        draft,
        rx.cond(
            # What the frame tells already is not said twice.
            head.has_wait
            & ~quiet
            & (head.wait.code != "uncertain")
            & (FindingsState.here.length() == 0)
            & ~FindingsState.told.contains(head.wait.finding)
            & ~FindingsState.told.contains(head.wait.account),
            diagnosis_banner(
                chosen_icon(head.wait.code, WAIT_ICONS, "hourglass"),
                head.wait.tone,
                rx.fragment(head.wait.what, " · ", t("campaign_progress.waits_n", n=head.waiting)),
                rx.fragment(head.wait.why, " ", head.wait.until),
                mend=mend,
            ),
        ),
    )


def _to(wait: Any, tab: str) -> rx.Component:
    return mend_button(wait.mend_label, urgent=wait.tone == "error", href="/campaigns/" + CampaignState.id + f"/{tab}")


def _doubts() -> rx.Component:
    state = ProgressState
    return rx.cond(
        state.doubts.length() > 0,
        block(
            rx.el.p(t("campaign_progress.uncertain.words"), class_name="fz-second fz-block-body"),
            rx.el.div(rx.foreach(state.doubts, _doubt)),
            title=t("campaign_progress.uncertain.title"),
            count=number(state.doubts.length()),
            padded=False,
        ),
    )


def _doubt(doubt: Any) -> rx.Component:
    state = ProgressState
    return rx.el.div(
        rx.el.div(
            rx.el.div(t("campaign_progress.uncertain.to", to=doubt.address), class_name="fz-first"),
            rx.el.div(doubt.subject, class_name="fz-second"),
            rx.el.div(doubt.rfc_id, class_name="fz-mono"),
            class_name="fz-grow",
        ),
        rx.el.div(
            _decision(
                button(
                    t("campaign_progress.uncertain.was_sent"), size="small", on_click=state.decide(doubt.id, "sent")
                ),
                t("campaign_progress.uncertain.was_sent_words"),
            ),
            _decision(
                button(t("campaign_progress.uncertain.again"), size="small", on_click=state.decide(doubt.id, "again")),
                t("campaign_progress.uncertain.again_words"),
            ),
            class_name="fz-decisions",
        ),
        class_name="fz-pick-row",
    )


def _decision(act: rx.Component, words: Any) -> rx.Component:
    return rx.el.div(act, rx.el.span(words, class_name="fz-help"), class_name="fz-decision")


def _table() -> rx.Component:
    state = ProgressState
    filters = rx.el.div(
        _filter("", t("campaign_progress.all"), number(state.everybody), True),
        *[
            _filter(status, t(key), number(state.counts[status]), state.counts[status] > 0)
            for status, (key, _, _) in WALK_STATUSES.items()
        ],
        class_name="fz-filters",
        role="group",
        aria_label=t("campaign_progress.filter"),
    )
    return block(
        toolbar(search_field(t("campaign_progress.search"), value=state.search, on_change=state.look_for), filters),
        data_table(
            _columns(),
            state.rows,
            loaded=state.loaded,
            key=lambda row: row.contact,
            on_open=state.toggle,
            opened=state.open,
            empty=_empty(),
            below=lambda row: rx.cond(state.open == row.contact, under_row(5, _card(row))),
        ),
        pager(page=state.page_number, page_size=PER_PAGE, total=state.total, on_page=state.turn_to),
        title=t("campaign_progress.table"),
        padded=False,
        id="walks",
        class_name="fz-with-toolbar",
    )


def _mails() -> rx.Component:
    state = ProgressState
    columns = [
        Column(t("campaign_progress.mails"), _mail_name),
        Column(t("campaign_progress.sent"), lambda mail: number(mail.sent), right=True, hide_on_phone=True),
        Column(t("campaigns.column.bounced"), lambda mail: percent(mail.bounce), right=True, hide_on_phone=True),
        Column(t("figures.opens_short"), lambda mail: followed_cell("opens", mail.opens, machines=True), right=True),
        Column(t("figures.clicks_short"), lambda mail: followed_cell("clicks", mail.clicks, machines=True), right=True),
        Column(t("campaign_progress.reply_rate"), lambda mail: percent(mail.reply), right=True, hide_on_phone=True),
    ]
    return rx.cond(
        CampaignState.sent > 0,
        block(
            data_table(
                columns,
                state.mails,
                loaded=state.loaded,
                key=lambda mail: mail.node,
                on_open=state.toggle_mail,
                opened=state.open_mail,
                empty=rx.fragment(),
                below=lambda mail: rx.cond(state.open_mail == mail.node, under_row(len(columns), _links(mail))),
            ),
            padded=False,
            class_name="fz-mails",
        ),
    )


def _mail_name(mail: Any) -> rx.Component:
    return rx.el.button(
        chosen_icon(
            rx.cond(ProgressState.open_mail == mail.node, "open", ""), {"open": "chevron-down"}, "chevron-right", 14
        ),
        rx.el.span(t("campaign_progress.mail_n", n=mail.number, name=mail.name)),
        type="button",
        aria_expanded=ProgressState.open_mail == mail.node,
        title=t("figures.show_links", name=mail.name),
        class_name="fz-mail-name",
    )


def _links(mail: Any) -> rx.Component:
    """Return the links clicked in the mail that is open."""
    state = ProgressState
    line = lambda row: rx.el.li(  # noqa: E731
        rx.el.div(
            rx.el.span(row.link, class_name="fz-link-address", title=row.link),
            rx.el.span(t("figures.link_clicks", n=row.clicked), " · ", percent(row.share), class_name="fz-link-count"),
            class_name="fz-link-line",
        ),
        progress_bar(row.width, 100, thick=False),
        rx.cond(row.machines > 0, rx.el.div(by_machines("clicks", row.machines), class_name="fz-machines")),
    )
    none = rx.el.p(
        rx.cond(mail.clicks.off != "", t("figures.links_off"), t("figures.no_links")), class_name="fz-second"
    )
    return rx.el.div(
        rx.el.h3(t("figures.links"), class_name="fz-block-title"),
        rx.cond(state.links.length() > 0, rx.el.ul(rx.foreach(state.links, line), class_name="fz-links"), none),
        class_name="fz-mail-links",
    )


def _filter(status: str, label: Any, count: Any, shown: Any) -> rx.Component:
    state = ProgressState
    chip = rx.el.button(
        rx.el.span(label),
        rx.el.span(count),
        type="button",
        aria_pressed=state.status == status,
        on_click=state.filter(status),
        class_name="fz-filter",
    )
    return chip if shown is True else rx.cond(shown | (state.status == status), chip)


def _columns() -> list[Column]:
    return [
        Column(
            t("campaign_progress.contact"),
            lambda row: two_lines(
                rx.cond(row.name != "", row.name, row.email),
                rx.fragment(
                    rx.el.span(rx.cond(row.company != "", row.company, row.email), class_name="fz-wide-only"),
                    # Why it waits is what one looks for here; a phone has no column for it.
                    rx.el.span(rx.cond(row.has_wait, row.wait.what, row.ended), class_name="fz-narrow-only"),
                ),
            ),
        ),
        Column(t("campaign_progress.status"), lambda row: status_badge(row.status, WALK_STATUSES)),
        Column(
            t("campaign_progress.next_mail"), lambda row: rx.cond(row.mail != "", row.mail, "–"), hide_on_phone=True
        ),
        Column(t("campaign_progress.why"), _why, hide_on_phone=True),
        Column(
            t("campaign_progress.account"),
            lambda row: rx.cond(
                row.account != "",
                rx.el.div(row.account, title=row.account, class_name="fz-sender"),
                rx.cond(
                    row.has_wait, rx.el.span(t("campaign_progress.not_yet"), class_name="fz-second fz-sender"), "–"
                ),
            ),
            hide_on_phone=True,
        ),
    ]


def _why(row: Any) -> rx.Component:
    return rx.cond(
        row.has_wait,
        rx.el.span(
            rx.el.span(
                chosen_icon(row.wait.code, WAIT_ICONS, "hourglass", 14),
                row.wait.what,
                class_name="fz-wait-what",
                data_tone=row.wait.tone,
            ),
            rx.el.span(row.wait.until, class_name="fz-second fz-small"),
            class_name="fz-wait",
        ),
        rx.el.span(row.ended, class_name="fz-second fz-wait"),
    )


def _card(row: Any) -> rx.Component:
    state = ProgressState
    acts = rx.el.div(
        link(t("campaign_progress.card"), "/contacts?open=" + row.contact),
        rx.cond(
            row.has_wait,
            rx.el.button(
                t("campaign_progress.remove"), type="button", on_click=state.remove(row.contact), class_name="fz-link"
            ),
        ),
        class_name="fz-row fz-card-acts",
    )
    waiting = rx.fragment(
        rx.el.div(icon("hourglass", 14), t("campaign_progress.why_title"), class_name="fz-what fz-wait-what"),
        rx.el.div(rx.el.strong(row.wait.what, ". "), row.wait.until, class_name="fz-wait-line"),
        rx.el.div(row.wait.why, class_name="fz-second"),
        rx.cond(row.mail != "", rx.el.div(t("campaign_progress.next_mail_is", name=row.mail), class_name="fz-second")),
    )
    over = rx.fragment(
        rx.el.div(icon("flag", 14), t("campaign_progress.over_title"), class_name="fz-what fz-wait-what"),
        rx.el.div(
            row.ended,
            rx.cond(row.ended_at != "", rx.el.span(" ", when(row.ended_at, ShellState.zone), class_name="fz-second")),
            class_name="fz-wait-line",
        ),
    )
    return rx.el.div(rx.cond(row.has_wait, waiting, over), acts, class_name="fz-why-card")


def _empty() -> rx.Component:
    state = ProgressState
    found_nothing = empty_state(
        "search-x",
        t("campaign_progress.none_found"),
        t("campaign_progress.none_found_words"),
        button(t("campaign_progress.show_all"), kind="soft", on_click=state.show_everybody),
        found_nothing=True,
    )
    nobody = empty_state(
        "users",
        t("campaign_progress.none"),
        t("campaign_progress.none_words"),
        button(t("campaign_progress.to_audience"), kind="soft", href="/campaigns/" + CampaignState.id + "/audience"),
    )
    return rx.cond((state.search != "") | (state.status != ""), found_nothing, nobody)
