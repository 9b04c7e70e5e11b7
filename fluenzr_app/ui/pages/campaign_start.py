"""The summary before a campaign starts: figures, what blocks, what is at risk."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import reflex as rx

from fluenzr_app.campaigns.errors import CampaignsError, CannotStart, Fault
from fluenzr_app.db.ids import public_id
from fluenzr_app.ui.components.buttons import button
from fluenzr_app.ui.components.frame import dialog
from fluenzr_app.ui.components.values import icon, number, when
from fluenzr_app.ui.guard import acting, zone
from fluenzr_app.ui.language import t, words
from fluenzr_app.ui.pages import campaign_acts as acts
from fluenzr_app.ui.pages.campaign_acts import Readiness, address, key_of_path
from fluenzr_app.ui.pages.campaign_words import fault_words, refusal, tracking_words, variable_words, warning_words
from fluenzr_app.ui.shell import ShellState
from fluenzr_app.words import formats
from fluenzr_app.words.catalogue import Lang
from fluenzr_app.workspaces import service as workspaces

_PLACES = {"no_account": "timing", "window_never_opens": "timing", "no_contacts": "audience"}


@dataclass(frozen=True)
class Point:
    """One thing to settle, and the address of the place where it is settled."""

    text: str
    href: str


class StartState(rx.State):
    """The dialog in which a campaign is started."""

    is_open: bool = False
    busy: bool = False
    name: str = ""
    contacts: int = 0
    mails: int = 0
    accounts: int = 0
    per_day: int = 0
    days: int = 0
    first_at: str = ""
    points: list[Point] = []
    risks: list[str] = []
    tracking: str = ""

    @rx.event
    async def ask(self) -> Any:
        """Open the summary; its figures are those after the linked groups are added."""
        me = await acting(self)
        try:
            await me.write(acts.rehearse, me.workspace_id, self._key(), me.now)
        except CampaignsError as error:
            return rx.toast.error(refusal(me.lang, error))
        except acts.Rehearsed as rehearsed:
            self._show(rehearsed.found, me.lang)
        self.is_open, self.busy = True, False
        return None

    @rx.event
    async def close(self) -> None:
        """Close the summary."""
        self.is_open = False

    @rx.event
    async def go(self, href: str) -> Any:
        """Leave for the place where a point is settled."""
        self.is_open = False
        return rx.redirect(href) if href.startswith("/campaigns/") else None

    @rx.event
    async def start(self) -> Any:
        """Start the campaign."""
        me = await acting(self)
        try:
            await me.write(acts.begin, me.identity, self._key(), me.now)
        except CannotStart:
            return StartState.ask
        except CampaignsError as error:
            self.is_open = False
            return rx.toast.error(refusal(me.lang, error))
        self.is_open = False
        here = zone((await me.read(workspaces.get_workspace, me.workspace_id)).timezone)
        first = me.now if not self.first_at else max(me.now, _moment(self.first_at))
        told = words(me.lang, "campaign.begin.started", when=formats.moment(me.lang, first, me.now, here))
        return [rx.toast.success(told), rx.redirect(address(public_id("cmp", self._key()), "progress"))]

    def _key(self) -> int:
        return key_of_path(self.router.url.path)

    def _show(self, found: Readiness, lang: Lang) -> None:
        check, campaign = found.check, found.campaign
        key = public_id("cmp", campaign.id)
        names = {node.id: node.name for node in campaign.workflow.emails()}
        numbers = campaign.workflow.mail_numbers
        self.name, self.contacts, self.mails = campaign.name, check.contacts, check.mails
        self.accounts, self.per_day = check.accounts, check.per_day
        self.days = math.ceil(check.contacts / check.per_day) if check.per_day else 0
        self.first_at = "" if check.first_at is None else check.first_at.isoformat()
        steps = {
            node: name or words(lang, "campaign_sequence.mail_n", n=numbers.get(node, 0))
            for node, name in names.items()
        }
        self.tracking = tracking_words(lang, check)
        self.points = [_point(fault, key, steps, lang) for fault in check.faults]
        gaps = [
            warning_words(
                lang,
                "gap_guarded" if gap.guarded else "gap",
                {"n": gap.contacts, "variable": variable_words(lang, gap.variable), "mail": steps.get(gap.node_id, "")},
            )
            for gap in sorted(check.gaps, key=lambda gap: gap.guarded)
        ]
        blank = sum(not gap.guarded for gap in check.gaps)
        self.risks = [
            # What readers would see comes before what only the sender has to know.
            *(warning_words(lang, "unfilled_place", {"place": place}) for _, place in found.unfilled),
            *gaps[:blank],
            *(warning_words(lang, code, params) for code, params in check.warnings),
            *gaps[blank:],
        ]


def start_dialog() -> rx.Component:
    """Return the summary with its confirmation, or what blocks the start."""
    state = StartState
    blocked = state.points.length() > 0
    figures = rx.el.div(
        _figure(t("campaign.begin.contacts"), number(state.contacts)),
        _figure(t("campaign.begin.mails"), number(state.mails)),
        _figure(t("campaign.begin.accounts"), number(state.accounts)),
        _figure(t("campaign.begin.per_day"), number(state.per_day)),
        _figure(t("campaign.begin.first"), when(state.first_at, ShellState.zone)),
        _figure(t("campaign.begin.days"), rx.cond(state.days > 0, t("campaign.begin.days_n", n=state.days), "–")),
        class_name="fz-summary",
    )
    points = rx.el.div(
        rx.foreach(
            state.points,
            lambda point: rx.el.div(
                icon("circle-alert", 14),
                rx.el.span(point.text),
                rx.el.button(
                    t("campaign.begin.go"), type="button", on_click=state.go(point.href), class_name="fz-link"
                ),
                class_name="fz-risk",
                data_tone="error",
            ),
        ),
        class_name="fz-risks",
    )
    tracking = rx.cond(
        state.tracking != "",
        rx.el.p(icon("eye", 14), rx.el.span(state.tracking), class_name="fz-risk", data_tone="grey"),
    )
    risks = rx.cond(
        state.risks.length() > 0,
        rx.el.div(
            rx.el.span(t("campaign.begin.to_check"), class_name="fz-label"),
            rx.foreach(
                state.risks,
                lambda risk: rx.el.div(
                    icon("triangle-alert", 14), rx.el.span(risk), class_name="fz-risk", data_tone="attention"
                ),
            ),
            class_name="fz-risks",
        ),
    )
    return dialog(
        rx.cond(blocked, t("campaign.begin.title_blocked"), t("campaign.begin.title", name=state.name)),
        rx.cond(blocked, points, rx.fragment(figures, tracking, risks)),
        words=rx.cond(blocked, t("campaign.begin.words_blocked"), t("campaign.begin.words")),
        is_open=state.is_open,
        on_close=state.close,
        actions=rx.fragment(
            button(rx.cond(blocked, t("common.close"), t("common.cancel")), on_click=state.close),
            rx.cond(
                blocked,
                rx.fragment(),
                button(t("campaign.begin.act", n=state.contacts), kind="solid", icon_name="play", on_click=state.start),
            ),
        ),
    )


def _figure(label: Any, figure: Any) -> rx.Component:
    return rx.el.div(rx.el.div(label, class_name="fz-kpi-label"), rx.el.strong(figure))


def _point(fault: Fault, campaign: str, steps: dict[str, str], lang: Lang) -> Point:
    text = fault_words(lang, fault)
    if fault.node_id is None:
        return Point(text, address(campaign, _PLACES.get(fault.code, "sequence")))
    step = steps.get(fault.node_id) or words(lang, "campaign_sequence.delay")
    told = words(lang, "campaign_faults.in_step", step=step, fault=text)
    return Point(told, f"{address(campaign)}?step={fault.node_id}")


def _moment(iso: str) -> datetime:
    return datetime.fromisoformat(iso)
