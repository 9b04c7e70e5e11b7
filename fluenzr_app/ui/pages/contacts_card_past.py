"""On the card of a contact: where it stands in its campaigns, and what happened so far."""

from __future__ import annotations

from typing import Any

import reflex as rx

from fluenzr_app.ui.components.buttons import button
from fluenzr_app.ui.components.forms import form, text_area
from fluenzr_app.ui.components.frame import row
from fluenzr_app.ui.components.stages import stage_word
from fluenzr_app.ui.components.status import status_badge
from fluenzr_app.ui.components.values import chosen_icon, icon, link, when
from fluenzr_app.ui.kept import kept
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages.campaign_words import WAIT_ICONS, WALK_STATUSES
from fluenzr_app.ui.pages.contacts_card_history import HistoryRow
from fluenzr_app.ui.pages.contacts_card_state import ContactCardState
from fluenzr_app.ui.pages.contacts_waits import WaitRow
from fluenzr_app.ui.shell import ShellState

C = ContactCardState
_EVENTS = {
    "email.sent": "send",
    "email.bounced": "circle-x",
    "email.deferred": "hourglass",
    "email.rejected": "circle-alert",
    "email.opened": "eye",
    "email.clicked": "mouse-pointer-click",
    "email.link_clicked": "mouse-pointer-click",
    "email.replied": "reply",
    "email.unsubscribed": "ban",
    "contact.noted": "sticky-note",
    "contact.tracking_objected": "eye-off",
    "contact.tracking_allowed": "eye",
}
# What programs did with a mail; nobody read it.
_BY_MACHINE = ("email.opened", "email.clicked")
_RULES = (
    "head", "prefetch", "proxy_apple", "proxy_gmail", "proxy_yahoo", "proxy_other", "scanner", "link_preview",
    "network", "agent", "no_agent", "trap", "all_links", "too_soon", "burst", "by_click",
)  # fmt: skip
_ICONS = _EVENTS | {"contact.stage_changed": "square-kanban"}


def waits() -> rx.Component:
    """Say where the contact stands in its campaigns: those under way in a card each, those over in a line each."""
    over = lambda wait: rx.cond(wait.under_way, rx.fragment(), _walk_over(wait))  # noqa: E731
    return rx.el.div(
        rx.foreach(C.waits, lambda wait: rx.cond(wait.under_way, _wait(wait), rx.fragment())),
        rx.foreach(C.waits, over),
        class_name="fzc-waits",
    )


def _wait(wait: rx.Var[WaitRow]) -> rx.Component:
    return rx.el.div(
        rx.el.div(
            chosen_icon(wait.code, WAIT_ICONS, "hourglass", 14),
            rx.el.strong(t("contacts_card.why")),
            class_name="fzc-wait-title",
        ),
        rx.el.p(wait.what, class_name="fz-what"),
        rx.cond(wait.until != "", rx.el.p(wait.until, class_name="fzc-until")),
        rx.el.p(wait.why, class_name="fz-second"),
        rx.cond(wait.mail != "", rx.el.p(t("contacts_card.next_mail", mail=wait.mail), class_name="fz-second")),
        rx.el.div(
            link(wait.campaign, "/campaigns/" + wait.campaign_id + "/progress"),
            rx.el.button(
                t("contacts_card.take_out"), type="button", on_click=C.take_out(wait.campaign_id), class_name="fz-link"
            ),
            class_name="fzc-wait-acts",
        ),
        class_name="fzc-wait",
        data_tone=wait.tone,
    )


def _walk_over(wait: rx.Var[WaitRow]) -> rx.Component:
    return rx.el.div(
        status_badge(wait.status, WALK_STATUSES),
        link(wait.campaign, "/campaigns/" + wait.campaign_id + "/progress", class_name="fzc-clip", title=wait.campaign),
        when(wait.ended_at, ShellState.zone),
        class_name="fzc-wait-over",
    )


def history() -> rx.Component:
    """Return what happened with the contact, newest first."""
    return section(
        t("contacts_card.history"),
        _new_note(),
        rx.cond(
            C.history.length() > 0,
            rx.el.ol(rx.foreach(C.history, _history_line), class_name="fzc-history"),
            rx.el.p(t("contacts_card.no_history"), class_name="fz-second"),
        ),
        rx.cond(C.history_more, row(button(t("contacts_card.older"), size="small", on_click=C.more_history))),
    )


def _new_note() -> rx.Component:
    wrong = C.errors.get("note", "").to(str)
    return form(
        text_area(
            name="note",
            rows=2,
            placeholder=t("contacts_card.note_hint"),
            aria_label=t("contacts_card.add_note"),
            aria_invalid=wrong != "",
            # Emptied once the note is kept, and for another contact; never after a refusal.
            key="note-" + C.id + C.notes_added.to(str),
            class_name="fzc-new-note",
        ),
        rx.cond(wrong != "", rx.el.span(icon("circle-alert", 12), wrong, class_name="fz-error", role="alert")),
        row(button(t("contacts_card.add_note"), size="small", submit=True), kept("note." + C.id)),
        on_submit=C.add_note,
        class_name="fzc-note-form",
    )


def _history_line(line: rx.Var[HistoryRow]) -> rx.Component:
    said = rx.match(
        line.kind,
        *[(kind, t(f"contacts_card.event.{kind.partition('.')[2]}")) for kind in _EVENTS],
        ("contact.stage_changed", _stage_change(line)),
        line.kind,
    )
    machine = rx.match(
        line.kind,
        *[(kind, t(f"contacts_card.machine_event.{kind.partition('.')[2]}")) for kind in _BY_MACHINE],
        said,
    )
    where = rx.cond(
        line.campaign != "", link(line.campaign, "/campaigns/" + line.campaign_id, class_name="fzc-soft-link")
    )
    return rx.el.li(
        rx.el.span(
            rx.cond(line.machine, icon("bot", 12), chosen_icon(line.kind, _ICONS, "circle-dot", 12)),
            class_name="fzc-event",
        ),
        rx.el.div(
            rx.el.div(
                rx.el.span(rx.cond(line.machine, machine, said), class_name="fzc-said"),
                when(line.at, ShellState.zone, class_name="fz-since"),
                class_name="fzc-history-line",
            ),
            rx.cond(line.subject != "", rx.el.div(line.subject, class_name="fz-second fz-small")),
            rx.cond(line.note != "", rx.el.div(line.note, class_name="fzc-note")),
            rx.cond(line.detail != "", rx.el.div(line.detail, class_name="fz-server-words")),
            rx.cond(line.link != "", rx.el.div(line.link, title=line.link, class_name="fzc-link-followed")),
            rx.cond(line.rule != "", rx.el.div(_rule(line.rule), class_name="fz-second fz-small fzc-rule")),
            rx.cond(line.machine, rx.el.div(t("contacts_card.machine"), class_name="fz-second fz-small")),
            rx.cond(line.who != "", rx.el.div(_who(line), class_name="fz-second fz-small")),
            rx.el.div(where, class_name="fz-second fz-small"),
            class_name="fzc-history-words",
        ),
        data_machine=line.machine,
    )


def _rule(code: rx.Var[str]) -> rx.Var[str]:
    """Return what an opening or a click was known by; nothing of one that simply looks like a person's."""
    return rx.match(code, *[(each, t(f"figures.rule.{each}")) for each in _RULES], "").to(str)


def _stage_change(line: rx.Var[HistoryRow]) -> rx.Var[str]:
    before, after = stage_word(line.from_kind, line.from_name), stage_word(line.to_kind, line.to_name)
    return rx.cond(
        before == "",
        t("contacts_card.event.stage_entered", after=after),
        rx.cond(
            after == "",
            t("contacts_card.event.stage_left", before=before),
            t("contacts_card.event.stage_moved", before=before, after=after),
        ),
    ).to(str)


def _who(line: rx.Var[HistoryRow]) -> rx.Var[str]:
    cases = [(who, t(f"contacts_card.who.{who}")) for who in ("former", "program", "enrolled", "answered")]
    return rx.match(line.who, ("person", t("contacts_card.who.person", name=line.name)), *cases, "").to(str)


def section(title: Any, *children: Any, aside: Any = None) -> rx.Component:
    """Return a part of the card under its title."""
    return rx.el.section(
        rx.el.div(
            rx.el.h3(title, class_name="fz-block-title"),
            *([aside] if aside is not None else []),
            class_name="fzc-section-head",
        ),
        *children,
        class_name="fzc-section",
    )
