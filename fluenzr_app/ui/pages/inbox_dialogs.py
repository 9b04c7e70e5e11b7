"""The questions of the inbox: until when to put a conversation away, the name of a saved answer."""

from __future__ import annotations

import reflex as rx

from fluenzr_app.ui.components.buttons import button
from fluenzr_app.ui.components.forms import field, form, text_input
from fluenzr_app.ui.components.frame import dialog, row
from fluenzr_app.ui.kept import kept
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages.inbox_answer import AnswerState
from fluenzr_app.ui.pages.inbox_conversation import ConversationState

V = ConversationState


def dialogs() -> rx.Component:
    """Return the questions of the page, each shown where its state asks it."""
    snooze = dialog(
        t("inbox.snooze"),
        row(
            button(t("inbox.tomorrow"), icon_name="sun", on_click=V.snooze("tomorrow")),
            button(t("inbox.monday"), icon_name="calendar", on_click=V.snooze("monday")),
        ),
        form(
            field(
                t("inbox.until_day"),
                text_input(type="date", name="day", min=V.first_day),
                help=t("inbox.until_help"),
                error=V.snooze_wrong,
            ),
            rx.el.div(
                button(t("common.cancel"), on_click=V.show_snooze(False)),
                button(t("inbox.snooze_act"), kind="solid", submit=True),
                class_name="fz-dialog-foot",
            ),
            on_submit=V.snooze_to_day,
        ),
        is_open=V.snoozing,
        on_close=V.show_snooze(False),
        words=t("inbox.snooze_words"),
    )
    keep = dialog(
        t("inbox.write.keep_as"),
        form(
            field(
                t("inbox.saved_name"),
                text_input(name="name", auto_focus=True, max_length=80),
                help=t("inbox.saved_help"),
                error=AnswerState.name_wrong,
            ),
            rx.el.div(
                kept("answer-name." + AnswerState.conversation),
                button(t("common.cancel"), on_click=AnswerState.spare),
                button(t("common.save"), kind="solid", submit=True),
                class_name="fz-dialog-foot",
            ),
            on_submit=AnswerState.keep_as,
        ),
        is_open=AnswerState.naming,
        on_close=AnswerState.spare,
    )
    return rx.fragment(snooze, keep)
