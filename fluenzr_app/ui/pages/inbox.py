"""The inbox: conversations on the left, the open one in the middle, its contact on the right."""

from __future__ import annotations

import reflex as rx

from fluenzr_app.ui.components.frame import page_header
from fluenzr_app.ui.components.keys import key_act
from fluenzr_app.ui.components.poll import poll
from fluenzr_app.ui.components.values import when
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages import inbox_dialogs, inbox_list_view, inbox_person_view, inbox_thread_view
from fluenzr_app.ui.pages.inbox_answer import AnswerState
from fluenzr_app.ui.pages.inbox_conversation import ConversationState
from fluenzr_app.ui.pages.inbox_list import InboxState
from fluenzr_app.ui.pages.inbox_parts import AnswerRescue
from fluenzr_app.ui.pages.inbox_person import PersonState
from fluenzr_app.ui.shell import ShellState

LOAD = (InboxState.load, ConversationState.load, AnswerState.load, PersonState.load)
_EVERY_S = 10


def page() -> rx.Component:
    """Return the page."""
    S, V = InboxState, ConversationState
    return rx.fragment(
        page_header(t("inbox.title"), rx.cond(S.loaded, _state(), ""), *inbox_list_view.tools()),
        rx.el.div(
            inbox_list_view.pane(),
            inbox_thread_view.pane(),
            rx.cond((S.open != "") & ~V.missing, inbox_person_view.pane()),
            class_name="fzi",
            data_open=S.open != "",
            data_card=V.card_open,
        ),
        inbox_dialogs.dialogs(),
        inbox_person_view.dialogs(),
        poll(_EVERY_S, [InboxState.refresh, ConversationState.refresh]),
        key_act("inbox-next", InboxState.step(1)),
        key_act("inbox-previous", InboxState.step(-1)),
        key_act("inbox-read", ConversationState.mark("read")),
        key_act("inbox-unread", ConversationState.mark("unread")),
        key_act("inbox-archive", ConversationState.mark("archived")),
        key_act("inbox-send"),
        AnswerRescue.create(person=AnswerState.person, open=S.open, ack=AnswerState.ack, on_save=AnswerState.save),
    )


def _state() -> rx.Component:
    S = InboxState
    read = rx.fragment(
        " · ", t("inbox.last_read"), " ", when(S.read_at, ShellState.zone), " ",
        rx.el.span(
            t("inbox.on_accounts", n=S.accounts_read, all=S.accounts_all), class_name="fzi-wide"
        ),
    )  # fmt: skip
    return rx.fragment(
        rx.cond(S.unread > 0, t("inbox.to_read", n=S.unread), t("inbox.nothing_to_read")),
        rx.cond(
            S.accounts_all == 0,
            rx.fragment(" · ", t("inbox.no_mailbox")),
            rx.cond(S.read_at != "", read, rx.fragment(" · ", t("inbox.not_read_yet"))),
        ),
    )
