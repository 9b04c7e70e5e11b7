"""The page that shows a campaign's messages as they will arrive."""

from __future__ import annotations

from typing import Any

import reflex as rx

from fluenzr_app.ui.components.buttons import button, icon_button, mend_button
from fluenzr_app.ui.components.forms import choice_of, field, form, segments, text_input
from fluenzr_app.ui.components.frame import block, body, columns, empty_state, skeleton_rows
from fluenzr_app.ui.components.status import callout, diagnosis_banner
from fluenzr_app.ui.components.values import number
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages.campaign_frame import CampaignState
from fluenzr_app.ui.pages.campaign_layout import campaign_page
from fluenzr_app.ui.pages.campaign_parts import Poll
from fluenzr_app.ui.pages.campaign_preview import PreviewState


def page() -> rx.Component:
    """Return the page of the preview."""
    state = PreviewState
    nothing = block(empty_state("mail-x", t("campaign_preview.none"), t("campaign_preview.none_words")))
    return campaign_page(
        "preview",
        body(
            rx.cond(
                state.loaded,
                rx.cond(state.mails.length() > 0, columns(_letter(), rx.fragment(_checks(), _test())), nothing),
                skeleton_rows(),
            )
        ),
        rx.cond(
            (state.test_state == "queued") | (state.test_state == "claimed") | (state.test_state == "sending"),
            Poll.create(every=2_000, on_tick=state.ask_test),
        ),
    )


def _letter() -> rx.Component:
    state = PreviewState
    chooser = choice_of(
        state.mails,
        lambda mail: mail.id,
        lambda mail: t("campaign_preview.mail_n", n=mail.number, name=mail.name),
        value=state.mail,
        on_change=state.choose,
        aria_label=t("campaign_preview.mail"),
        class_name="fz-mail-choice",
    )
    walk = rx.el.div(
        icon_button(
            t("campaign_preview.previous"),
            "chevron-left",
            kind="plain",
            disabled=state.position <= 0,
            on_click=state.go(-1),
        ),
        rx.el.span(
            rx.cond(
                state.is_sample,
                t("campaign_preview.sample"),
                rx.cond(
                    CampaignState.enrolled > state.total,
                    t("campaign_preview.position_first", n=state.position + 1, total=number(state.total)),
                    t("campaign_preview.position", n=state.position + 1, total=number(state.total)),
                ),
            ),
            class_name="fz-second",
        ),
        icon_button(
            t("campaign_preview.next"),
            "chevron-right",
            kind="plain",
            disabled=state.position + 1 >= state.total,
            on_click=state.go(1),
        ),
        class_name="fz-row",
    )
    head = rx.el.dl(
        rx.el.dt(t("campaign_preview.from")),
        rx.el.dd(_person(state.from_name, state.from_address)),
        rx.el.dt(t("campaign_preview.to")),
        rx.el.dd(_person(state.to_name, state.to_address)),
        rx.el.dt(t("campaign_preview.subject")),
        rx.el.dd(state.subject, class_name="fz-letter-subject"),
        class_name="fz-letter-head",
    )
    frame = rx.el.iframe(
        src_doc=state.page, sandbox="", title=t("campaign_preview.frame"), class_name="fz-letter-frame"
    )
    content = rx.cond(
        (state.shown == "text") | (state.page == ""), rx.el.div(state.text, class_name="fz-letter-text"), frame
    )
    broken = empty_state(
        "circle-alert",
        t("campaign_preview.fault"),
        t("campaign_preview.fault_words"),
        button(t("campaign_preview.write"), kind="soft", href=_write()),
    )
    shown = segments(
        [("html", t("campaign_preview.html")), ("text", t("campaign_preview.text"))], state.shown, state.show_as
    )
    return rx.fragment(
        rx.el.div(chooser, rx.el.div(shown, walk, class_name="fz-row"), class_name="fz-spread"),
        block(rx.cond(state.fault != "", broken, rx.el.div(head, content, class_name="fz-letter")), padded=False),
    )


def _person(name: Any, address: Any) -> rx.Component:
    return rx.fragment(
        rx.cond(name != "", rx.fragment(name, " ")), rx.el.span("<", address, ">", class_name="fz-second")
    )


def _write() -> Any:
    return "/campaigns/" + CampaignState.id + "?step=" + PreviewState.mail


def _checks() -> rx.Component:
    state = PreviewState
    blanks = diagnosis_banner(
        "triangle-alert",
        "attention",
        t("campaign_preview.blanks"),
        t("campaign_preview.blanks_words", names=state.missing),
        mend=mend_button(t("campaign_preview.write"), href=_write()),
    )
    unfilled = diagnosis_banner(
        "triangle-alert",
        "attention",
        t("campaign_preview.unfilled"),
        t("campaign_preview.unfilled_words", places=state.unfilled),
        mend=mend_button(t("campaign_preview.write"), href=_write()),
    )
    complete = callout(t("campaign_preview.complete"), "good", "circle-check")
    return rx.fragment(
        rx.cond(state.is_sample, callout(t("campaign_preview.sample_words"))),
        rx.cond(~state.has_sender, callout(t("campaign_preview.no_sender"))),
        rx.cond((state.fault == "") & (state.unfilled != ""), unfilled),
        rx.cond(state.fault == "", rx.cond(state.missing != "", blanks, rx.cond(state.unfilled == "", complete))),
        rx.cond((state.page == "") & (state.fault == ""), callout(t("campaign_preview.plain_only"))),
    )


def _test() -> rx.Component:
    state = PreviewState
    asked = form(
        field(
            t("campaign_preview.test.account"),
            choice_of(state.senders, lambda each: each.id, lambda each: each.email, name="account"),
        ),
        field(
            t("campaign_preview.test.to"),
            text_input(name="to", type="email", default_value=state.own_address, key=state.own_address),
            error=state.test_error,
        ),
        button(t("campaign_preview.test.act"), kind="soft", icon_name="send", submit=True),
        on_submit=state.send_test,
    )
    without = rx.el.div(
        rx.el.p(t("campaign_preview.test.no_account"), class_name="fz-second"),
        button(t("campaign_preview.test.choose"), size="small", href="/campaigns/" + CampaignState.id + "/timing"),
        class_name="fz-stack",
    )
    waiting = rx.cond(state.test_asks > 10, t("campaign_preview.test.queued_long"), t("campaign_preview.test.queued"))
    failed = diagnosis_banner(
        "circle-x",
        "error",
        t("campaign_preview.test.failed"),
        t("campaign_preview.test.failed_words"),
        detail=state.test_detail,
    )
    told = rx.match(
        state.test_state,
        ("", rx.fragment()),
        ("queued", callout(waiting, "info", "clock")),
        ("claimed", callout(t("campaign_preview.test.sending"), "info", "loader-circle")),
        ("sending", callout(t("campaign_preview.test.sending"), "info", "loader-circle")),
        ("sent", callout(t("campaign_preview.test.sent", to=state.test_to), "good", "circle-check")),
        ("uncertain", callout(t("campaign_preview.test.uncertain"), "attention", "circle-help")),
        failed,
    )
    return block(
        rx.el.div(
            rx.el.p(t("campaign_preview.test.words"), class_name="fz-second"),
            rx.cond(state.has_sender, asked, without),
            rx.el.div(told, aria_live="polite"),
            class_name="fz-stack",
        ),
        title=t("campaign_preview.test.title"),
    )
