"""Stages of the pipeline as a page shows them: the coloured dot, the word, and the choice of one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import reflex as rx

from fluenzr_app.contacts.stages import DEFAULTS, StageView
from fluenzr_app.db.ids import public_id
from fluenzr_app.ui.components.values import Text
from fluenzr_app.ui.language import t


@dataclass(frozen=True)
class StageChoice:
    """A stage to choose: its public id, and what `stage_word` makes its word of."""

    id: str
    kind: str
    name: str
    color: str


def stage_choices(stages: Iterable[StageView]) -> list[StageChoice]:
    """Return the stages as a State holds them."""
    return [StageChoice(public_id("stg", stage.id), stage.kind, stage.name, stage.color) for stage in stages]


def stage_word(kind: rx.Var[str], name: rx.Var[str]) -> rx.Var[str]:
    """Return what a stage is called: its own name, else that of its kind in the reader's language."""
    of_kind = rx.match(kind, *[(each, t(f"pipeline.kind.{each}")) for each, _ in DEFAULTS], kind)
    return rx.cond(name != "", name, of_kind).to(str)


def stage_dot(color: Text = "") -> rx.Component:
    """Return the dot of a stage's colour; an empty ring where there is no stage."""
    return rx.el.span(class_name="fz-dot", data_color=color, aria_hidden="true")


def stage_select(stages: rx.Var[list[StageChoice]], value: rx.Var[str], on_change: Any, **props: Any) -> rx.Component:
    """Return the choice of a contact's stage with its dot: `value` is the stage's public id, "" for none.

    `on_change` takes the public id that was chosen, "" for none.
    """
    dot = lambda stage: rx.cond(stage.id == value, stage_dot(stage.color))  # noqa: E731
    props["class_name"] = f"fz-input fz-choice {props.get('class_name', '')}"
    return rx.el.span(
        rx.foreach(stages, dot),
        rx.cond(value == "", stage_dot()),
        rx.el.select(
            rx.el.option(t("pipeline.no_stage"), value=""),
            rx.foreach(stages, lambda stage: rx.el.option(stage_word(stage.kind, stage.name), value=stage.id)),
            value=value,
            on_change=on_change,
            **({"aria_label": t("pipeline.stage")} | props),
        ),
        class_name="fz-with-dot",
    )
