"""Openings and clicks as pages show them: rate, class in words, machines beside; “off” and why, never 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import reflex as rx

from fluenzr_app.campaigns.counts import Counts
from fluenzr_app.campaigns.rates import judge_of
from fluenzr_app.ui.components.frame import kpi
from fluenzr_app.ui.components.status import Tone, badge
from fluenzr_app.ui.components.values import link, percent
from fluenzr_app.ui.language import t

Kind = Literal["opens", "clicks"]
TRACKING_SETTINGS = "/settings?tab=privacy"
_JUDGEMENTS: Mapping[str, tuple[Tone, str]] = {
    "excellent": ("good", ""),
    "good": ("good", ""),
    "average": ("attention", ""),
    "low": ("error", ""),
    "early": ("grey", "hourglass"),
}
_REASONS = ("workspace", "campaign", "mail", "mails", "plain_text")


@dataclass(frozen=True)
class Followed:
    """Openings or clicks, of `delivered` mails. `share` is 0 to 1, None where there is none or they are off.

    `off` is the code of why they are not asked after, empty where they are; `href` is where that is changed.
    """

    count: int = 0
    delivered: int = 0
    share: float | None = None
    judgement: str = ""
    machines: int = 0
    off: str = ""
    href: str = ""


def opens_of(counts: Counts, campaign: str = "") -> Followed:
    """Return the openings in some counts; `campaign` is the public id of the campaign they are of."""
    rate, delivered = counts.open_rate, counts.delivered
    return Followed(
        counts.opened, delivered, _share(rate), judge_of("open", rate, delivered), counts.machine_opened,
        counts.opens_off, _switch(counts.opens_off, campaign),
    )  # fmt: skip


def clicks_of(counts: Counts, campaign: str = "") -> Followed:
    """Return the clicks in some counts; `campaign` is the public id of the campaign they are of."""
    rate, delivered = counts.click_rate, counts.delivered
    return Followed(
        counts.clicked, delivered, _share(rate), judge_of("click", rate, delivered), counts.machine_clicked,
        counts.clicks_off, _switch(counts.clicks_off, campaign),
    )  # fmt: skip


def judgement(code: rx.Var[str]) -> rx.Component:
    """Return the class of a rate as a soft badge; nothing where there is none."""
    cases = [
        (name, badge(t(f"figures.judgement.{name}"), tone, drawing)) for name, (tone, drawing) in _JUDGEMENTS.items()
    ]
    return rx.match(code, *cases, rx.fragment())


def followed_kpi(kind: Kind, label: Any, shown: rx.Var[Followed], *, unknown: Any) -> rx.Component:
    """Return openings or clicks as a key figure; `unknown` says why there is no rate although they are asked after."""
    off = rx.fragment(
        rx.el.span(why_off(shown.off), rx.cond(shown.count > 0, before_off(shown), "")),
        link(t("figures.change"), shown.href),
    )
    on = rx.fragment(
        rx.cond(
            shown.judgement != "",
            rx.fragment(
                judgement(shown.judgement),
                rx.el.span(
                    t("dashboard.of_sent", n=shown.count, total=shown.delivered),
                    title=t("figures.of_delivered", count=shown.count, delivered=shown.delivered),
                ),
            ),
            rx.el.span(unknown),
        ),
        rx.cond(shown.machines > 0, rx.el.span(by_machines(kind, shown.machines), class_name="fz-machines")),
    )
    figure = rx.cond(
        shown.off != "", rx.el.span(t("figures.off"), class_name="fz-off-figure"), rx.el.span(percent(shown.share))
    )
    return kpi(label, figure, rx.cond(shown.off != "", off, on))


def followed_cell(kind: Kind, shown: rx.Var[Followed], *, machines: bool = False) -> rx.Component:
    """Return openings or clicks as a table's cell; those of machines stand below with `machines`, else on hover."""
    off = rx.el.span(
        link(t("figures.off"), shown.href, title=why_off(shown.off), on_click=rx.stop_propagation),
        class_name="fz-off",
    )
    aside = rx.cond(shown.machines > 0, by_machines(kind, shown.machines), "")
    told = t("figures.of_delivered", count=shown.count, delivered=shown.delivered)
    on = rx.el.div(
        rx.el.div(percent(shown.share)),
        rx.cond(
            shown.judgement != "",
            rx.el.div(_class_word(shown.judgement), class_name="fz-class"),
        ),
        *([_machines_below(kind, shown)] if machines else []),
        title=rx.cond(shown.judgement != "", rx.cond(shown.machines > 0, told + " · " + aside, told), aside),
    )
    return rx.cond(shown.off != "", off, on)


def by_machines(kind: Kind, n: Any) -> rx.Var[str]:
    """Return how many openings or clicks machines made, in words."""
    return t("figures.machine_opens", n=n) if kind == "opens" else t("figures.machine_clicks", n=n)


def why_off(code: rx.Var[str]) -> rx.Var[str]:
    """Return why openings or clicks are not asked after."""
    return rx.match(code, *[(each, t(f"figures.off_because.{each}")) for each in _REASONS], code).to(str)


def before_off(shown: rx.Var[Followed]) -> rx.Var[str]:
    """Return how many were counted before they were switched off."""
    return ", " + t("figures.counted_before", n=shown.count)


def _machines_below(kind: Kind, shown: rx.Var[Followed]) -> rx.Component:
    short = t("figures.machines_short", n=shown.machines)
    return rx.cond(
        shown.machines > 0, rx.el.div(short, title=by_machines(kind, shown.machines), class_name="fz-machines")
    )


def _class_word(code: rx.Var[str]) -> rx.Component:
    cases = [
        (name, rx.el.span(t(f"figures.judgement.{name}"), data_tone=tone)) for name, (tone, _) in _JUDGEMENTS.items()
    ]
    return rx.match(code, *cases, rx.fragment())


def _share(rate: float | None) -> float | None:
    return None if rate is None else rate / 100


def _switch(off: str, campaign: str) -> str:
    if off == "workspace":
        return TRACKING_SETTINGS
    # Plain text is chosen among the campaign's settings as well; a mail's own switches stand where it is written.
    return f"/campaigns/{campaign}" if off in ("mail", "mails") else f"/campaigns/{campaign}/timing" if off else ""
