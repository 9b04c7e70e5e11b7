"""A finding as every page shows it: a row in a list, a banner on the thing itself, what mends it, how it is put aside.

A page gives the acts; the same finding looks, reads and mends alike wherever it is met.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx
from reflex_components_core.react_router.dom import ReactRouterLink

from fluenzr_app.ui.components.buttons import button, icon_button, mend_button, menu_item
from fluenzr_app.ui.components.status import diagnosis_banner, diagnosis_row
from fluenzr_app.ui.components.values import chosen_icon, icon, when
from fluenzr_app.ui.findings import ICONS, FindingLine, Thing
from fluenzr_app.ui.language import t

SNOOZES = ("day", "week", "back")


@dataclass(frozen=True)
class Acts:
    """Handlers of the page: `mend(act, key)`, `explain(remedy)`, `put_aside(how, key)`, `show_again(key)`.

    `zone` is the time zone in which moments are said.
    """

    mend: Any
    explain: Any
    put_aside: Any
    show_again: Any
    zone: Any


def finding_row(line: rx.Var[FindingLine], acts: Acts) -> rx.Component:
    """Return one entry of a list; one that tells of several things opens and names each."""
    row = diagnosis_row(
        chosen_icon(line.code, ICONS, "circle-alert"),
        line.tone,
        line.what,
        line.why,
        since=_time(line, acts),
        mend=_ways(line, acts),
    )
    return rx.el.div(
        row,
        rx.cond(line.things.length() > 0, _things(line, acts)),
        class_name="fz-finding",
        data_code=line.code,
    )


def finding_banner(line: rx.Var[FindingLine], acts: Acts) -> rx.Component:
    """Return a finding boxed on the thing itself; one that waits by itself is grey and has no button but the clock."""
    return rx.el.div(
        diagnosis_banner(
            chosen_icon(line.code, ICONS, "circle-alert"),
            line.tone,
            rx.fragment(line.what, " ", rx.el.span(_time(line, acts), class_name="fz-since")),
            line.why,
            mend=_ways(line, acts),
            detail=rx.cond(line.detail != "", rx.el.span(t("accounts.server_says"), " ", line.detail)),
        ),
        class_name="fz-finding",
        data_code=line.code,
    )


def aside_row(line: rx.Var[FindingLine], acts: Acts) -> rx.Component:
    """Return a finding that was put aside: until when, and the button that shows it again."""
    until = rx.fragment(t("findings.aside_until"), " ", when(line.aside_until, acts.zone, mode="since"))
    return rx.el.div(
        diagnosis_row(
            "alarm-clock",
            "grey",
            line.what,
            line.why,
            since=until,
            mend=button(t("findings.show_again"), size="small", on_click=acts.show_again(line.key)),
        ),
        class_name="fz-finding",
        data_code=line.code,
    )


def snooze_menu(line: rx.Var[FindingLine], acts: Acts) -> rx.Component:
    """Return the small menu that puts a finding aside for a while."""
    return rx.menu.root(
        rx.menu.trigger(icon_button(t("findings.put_aside", what=line.what), "alarm-clock", size="small")),
        rx.menu.content(
            *[menu_item(t(f"findings.snooze.{how}"), on_select=acts.put_aside(how, line.key)) for how in SNOOZES],
            size="2",
            align="end",
            class_name="fz-menu",
        ),
        modal=False,
    )


def _time(line: rx.Var[FindingLine], acts: Acts) -> rx.Component:
    return rx.cond(
        line.until_at != "",
        rx.fragment(t("findings.until"), " ", when(line.until_at, acts.zone, mode="since")),
        rx.cond(
            line.since_at != "",
            rx.fragment(t("findings.since"), " ", when(line.since_at, acts.zone, mode="since")),
        ),
    )


def _ways(line: rx.Var[FindingLine], acts: Acts) -> rx.Component:
    quiet = rx.cond(
        line.also == "",
        rx.fragment(),
        rx.cond(
            line.also_act != "",
            button(line.also, kind="quiet", size="small", on_click=acts.mend(line.also_act, line.key)),
            rx.cond(
                line.also_told != "",
                button(line.also, kind="quiet", size="small", on_click=acts.explain(line.also_told)),
                button(line.also, kind="quiet", size="small", href=line.also_href),
            ),
        ),
    )
    return rx.el.div(
        rx.cond(line.note != "", rx.el.span(icon("lock", 12), line.note, class_name="fz-finding-note")),
        quiet,
        rx.cond(line.mend != "", _mend(line, acts)),
        snooze_menu(line, acts),
        class_name="fz-mends",
    )


def _mend(line: rx.Var[FindingLine], acts: Acts) -> rx.Component:
    file = _file(line, "fz-plain")
    return rx.cond(
        line.act != "",
        mend_button(line.mend, urgent=line.urgent, on_click=acts.mend(line.act, line.key)),
        rx.cond(
            line.told != "",
            mend_button(line.mend, urgent=line.urgent, on_click=acts.explain(line.told)),
            rx.cond(line.file, file, mend_button(line.mend, urgent=line.urgent, href=line.href)),
        ),
    )


def _file(line: Any, kind: str) -> rx.Component:
    """Return the link to a file of the server, which the router leaves to the browser."""
    return ReactRouterLink.create(
        icon("download", 14),
        rx.el.span(line.mend),
        to=line.href,
        reload_document=True,
        download="",
        class_name=f"fz-button {kind} fz-size-small",
    )


def _things(line: rx.Var[FindingLine], acts: Acts) -> rx.Component:
    def one(thing: rx.Var[Thing]) -> rx.Component:
        mend = rx.cond(
            thing.act != "",
            button(thing.mend, size="small", kind="quiet", on_click=acts.mend(thing.act, thing.key)),
            rx.cond(
                thing.href != "",
                rx.cond(
                    thing.file,
                    _file(thing, "fz-quiet"),
                    button(thing.mend, size="small", kind="quiet", href=thing.href),
                ),
            ),
        )
        return rx.el.li(
            rx.el.div(
                rx.el.div(thing.what, class_name="fz-thing-what"),
                rx.el.div(thing.why, class_name="fz-second"),
                class_name="fz-grow",
            ),
            mend,
            class_name="fz-thing",
        )

    return rx.el.details(
        rx.el.summary(t("findings.each", n=line.things.length())),
        rx.el.ul(rx.foreach(line.things, one)),
        class_name="fz-things",
    )
