"""The parts of the inbox that are written in JavaScript: the answer box, countdowns, the thread's end."""

from typing import Any

import reflex as rx

from fluenzr_app.inbox.answers import MOST_OCTETS
from fluenzr_app.ui.components.values import Text
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages.inbox_answer import AnswerState, DraftFile, SavedRow

_WORDS = (
    "label", "placeholder", "send", "send_keys", "later", "later_at", "later_help", "later_send", "format", "bold",
    "italic", "bullets", "numbers", "link", "link_address", "link_put", "attach", "files", "saved_answers", "no_saved",
    "keep_as", "cancel", "saved", "saving", "unsaved", "refused", "unsent",
)  # fmt: skip


def _one(given: rx.Var[dict[str, Any]]) -> tuple[rx.Var[dict[str, Any]]]:
    return (given,)


def _text(given: rx.Var[str]) -> tuple[rx.Var[str]]:
    return (given,)


def _two_texts(one: rx.Var[str], other: rx.Var[str]) -> tuple[rx.Var[str], rx.Var[str]]:
    return (one, other)


class _Part(rx.NoSSRComponent):
    library = "$/public/editor/answer_editor.jsx"


class AnswerRescue(_Part):
    """Sends once what an earlier visit of this browser typed into other conversations and could not send."""

    tag = "AnswerRescue"
    person: rx.Var[str]
    open: rx.Var[str]
    ack: rx.Var[dict[str, Any]]
    on_save: rx.EventHandler[_one]


class ThreadEnd(_Part):
    """Keeps the thread at its end."""

    tag = "ThreadEnd"
    conversation: rx.Var[str]
    count: rx.Var[int]


class _Countdown(_Part):
    tag = "Countdown"
    until: rx.Var[str]
    label: rx.Var[str]
    words: rx.Var[str]
    on_press: rx.EventHandler[rx.event.no_args_event_spec]
    on_over: rx.EventHandler[rx.event.no_args_event_spec]


class _AnswerEditor(_Part):
    tag = "AnswerEditor"
    person: rx.Var[str]
    value: rx.Var[dict[str, Any]]
    ack: rx.Var[dict[str, Any]]
    insert: rx.Var[dict[str, Any]]
    files: rx.Var[list[DraftFile]]
    saved: rx.Var[list[SavedRow]]
    most_bytes: rx.Var[int]
    words: rx.Var[dict[str, str]]
    on_save: rx.EventHandler[_one]
    on_send: rx.EventHandler[_one]
    on_files: rx.EventHandler[_text]
    on_refused: rx.EventHandler[_two_texts]
    on_remove_file: rx.EventHandler[_text]
    on_put_saved: rx.EventHandler[_text]
    on_ask_name: rx.EventHandler[_text]
    on_delete_saved: rx.EventHandler[_text]


def countdown(until: Text, *, on_press: Any, on_over: Any) -> rx.Component:
    """Return the button that takes an answer back until it leaves, with the seconds that are left."""
    return _Countdown.create(
        until=until, label=t("inbox.take_back"), words=t("inbox.take_back_in", n="@n"), on_press=on_press,
        on_over=on_over,
    )  # fmt: skip


def answer_editor() -> rx.Component:
    """Return the box in which an answer is written."""
    words = {key: t(f"inbox.write.{key}") for key in _WORDS}
    words |= {key: t(f"inbox.write.{key}", name="@name") for key in ("remove_file", "delete_saved")}
    return _AnswerEditor.create(
        person=AnswerState.person,
        value=AnswerState.value,
        ack=AnswerState.ack,
        insert=AnswerState.insert,
        files=AnswerState.files,
        saved=AnswerState.saved,
        most_bytes=MOST_OCTETS,
        words=rx.Var.create(words),
        on_save=AnswerState.save,
        on_send=AnswerState.send,
        on_files=AnswerState.files_changed,
        on_refused=AnswerState.refuse_file,
        on_remove_file=AnswerState.remove_file,
        on_put_saved=AnswerState.put_saved,
        on_ask_name=AnswerState.ask_name,
        on_delete_saved=AnswerState.delete_saved,
    )
