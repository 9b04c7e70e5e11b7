"""The parts of the campaign pages that are written in JavaScript: the mail editor and the clock of a live page."""

from typing import Any

import reflex as rx


def _one(given: rx.Var[dict[str, Any]]) -> tuple[rx.Var[dict[str, Any]]]:
    return (given,)


class _Part(rx.NoSSRComponent):
    library = "$/public/editor/campaign_editor.jsx"


class Poll(_Part):
    """Calls `on_tick` every `every` ms while the page is looked at."""

    tag = "Poll"
    every: rx.Var[int]
    on_tick: rx.EventHandler[rx.event.no_args_event_spec]


class Rescue(_Part):
    """Sends once what an earlier visit of this browser typed into the campaign's mails and could not send."""

    tag = "Rescue"
    campaign: rx.Var[str]
    ack: rx.Var[dict[str, Any]]
    on_save: rx.EventHandler[_one]


class MailEditor(_Part):
    """The form of one mail. `value` is what the server has, `ack` its answer to the last `on_save`."""

    tag = "MailEditor"
    campaign: rx.Var[str]
    node: rx.Var[str]
    value: rx.Var[dict[str, Any]]
    ack: rx.Var[dict[str, Any]]
    read_only: rx.Var[bool]
    variables: rx.Var[list[dict[str, Any]]]
    custom: rx.Var[list[dict[str, str]]]
    faults: rx.Var[list[dict[str, str]]]
    thread_subject: rx.Var[str]
    words: rx.Var[dict[str, str]]
    on_save: rx.EventHandler[_one]
