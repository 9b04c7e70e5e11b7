"""The switches of tracking, for a whole campaign and for each of its mails; what is off says by what."""

from __future__ import annotations

from typing import Any

import reflex as rx

from fluenzr_app.ui.components.forms import switch
from fluenzr_app.ui.components.frame import block
from fluenzr_app.ui.components.status import callout
from fluenzr_app.ui.components.values import link
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages.campaign_sequence import SequenceState
from fluenzr_app.ui.pages.campaign_timing import TimingState


def campaign_tracking() -> rx.Component:
    """Return the block of a campaign's own switches."""
    state = TimingState
    tracks = (state.track_opens & state.asks_opens) | (state.track_clicks & state.asks_clicks)

    def line(what: str, which: str, own: Any, asks: Any) -> rx.Component:
        return rx.el.div(
            switch(
                t(f"campaign_tracking.{what}"),
                help=t(f"campaign_tracking.{what}_help"),
                checked=own & asks,
                disabled=~state.editable | ~asks,
                on_change=lambda on: state.set_switch(which, on),
            ),
            rx.cond(~asks, _off_by_workspace()),
        )

    return block(
        rx.el.div(
            line("opens", "trackOpens", state.track_opens, state.asks_opens),
            line("clicks", "trackClicks", state.track_clicks, state.asks_clicks),
            rx.cond(state.plain & tracks, callout(t("campaign_tracking.plain"))),
            class_name="fz-stack",
        ),
        title=t("campaign_tracking.title"),
    )


def mail_tracking() -> rx.Component:
    """Return the switches of the mail that is open in the sequence."""
    state = SequenceState

    def line(what: str, own: Any, off: Any) -> rx.Component:
        kept_off = (off != "") & (off != "mail")
        return rx.el.div(
            switch(
                t(f"campaign_tracking.{what}"),
                checked=own & ~kept_off,
                disabled=~state.editable | kept_off,
                on_change=lambda on: state.set_tracking(what, on),
            ),
            rx.match(
                off,
                ("workspace", _off_by_workspace()),
                ("campaign", _off_by(state.campaign, "campaign")),
                ("plain_text", _off_by(state.campaign, "plain_text")),
                rx.fragment(),
            ),
            class_name="fz-mail-switch",
        )

    return rx.el.section(
        rx.el.h3(t("campaign_tracking.mail"), class_name="fz-label"),
        line("opens", state.mail_opens, state.opens_off),
        line("clicks", state.mail_clicks, state.clicks_off),
        class_name="fz-mail-tracking",
    )


def _off_by_workspace() -> rx.Component:
    return _note(t("campaign_tracking.off.workspace"), t("campaign_tracking.to.workspace"), "/settings?tab=privacy")


def _off_by(campaign: Any, why: str) -> rx.Component:
    to = "/campaigns/" + campaign + "/timing"
    return _note(t(f"campaign_tracking.off.{why}"), t("campaign_tracking.to.campaign"), to)


def _note(words: Any, label: Any, href: Any) -> rx.Component:
    return rx.el.p(words, " ", link(label, href), class_name="fz-tracking-off")
