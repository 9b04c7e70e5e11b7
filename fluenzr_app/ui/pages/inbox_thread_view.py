"""The open conversation: its head with the acts, its mails, what happened between them, the answer box."""

from __future__ import annotations

import reflex as rx
from reflex_components_core.react_router.dom import ReactRouterLink

from fluenzr_app.ui.components.buttons import button, icon_button, menu_item
from fluenzr_app.ui.components.frame import empty_state, row, skeleton_rows
from fluenzr_app.ui.components.status import badge, callout, diagnosis_banner, status_badge
from fluenzr_app.ui.components.values import file_size, icon, long_date, when
from fluenzr_app.ui.language import t
from fluenzr_app.ui.letter import SANDBOX
from fluenzr_app.ui.pages.inbox_answer import AnswerState
from fluenzr_app.ui.pages.inbox_conversation import ConversationState
from fluenzr_app.ui.pages.inbox_list import InboxState
from fluenzr_app.ui.pages.inbox_parts import ThreadEnd, answer_editor, countdown
from fluenzr_app.ui.pages.inbox_thread import FileRow, ThreadRow
from fluenzr_app.ui.pages.inbox_words import LABELS, mark, why_not_words
from fluenzr_app.ui.shell import SHOW_KEYS, ShellState

V = ConversationState


def pane() -> rx.Component:
    """Return the conversation, or what stands there while none is open."""
    nothing = empty_state("mail-open", t("inbox.choose"), t("inbox.choose_words"))
    gone = empty_state(
        "search-x", t("inbox.missing"), t("inbox.missing_words"),
        button(t("inbox.to_list"), on_click=InboxState.close), found_nothing=True,
    )  # fmt: skip
    shown = rx.cond(V.missing, gone, rx.cond(V.loaded, _conversation(), skeleton_rows(5)))
    return rx.el.section(
        rx.cond(InboxState.open != "", shown, rx.cond(InboxState.rows.length() > 0, nothing)),
        class_name="fzi-conversation",
        aria_label=t("inbox.conversation"),
    )


def _conversation() -> rx.Component:
    return rx.fragment(
        _head(),
        rx.el.div(
            rx.cond(
                V.older,
                rx.el.div(button(t("inbox.older"), size="small", on_click=V.show_older), class_name="fzi-more"),
            ),
            rx.foreach(V.items, _item),
            _stop(),
            _away(),
            class_name="fzi-thread",
            tab_index=0,
            role="log",
            aria_label=t("inbox.mails"),
        ),
        ThreadEnd.create(conversation=V.id, count=V.items.length()),
        rx.el.div(
            rx.cond(
                V.refused != "",
                _why_not(),
                # Never the box of another conversation, not even while this one's draft is on its way.
                rx.cond(
                    AnswerState.conversation == V.id, answer_editor(), rx.el.div(class_name="fzi-compose fzi-no-box")
                ),
            ),
            class_name="fzi-answer",
        ),
    )


def _head() -> rx.Component:
    from_campaign = rx.cond(V.campaign != "", V.campaign + " · ", "")
    return rx.el.header(
        icon_button(t("inbox.to_list"), "arrow-left", on_click=InboxState.close, class_name="fzi-back"),
        rx.el.div(
            rx.el.h2(rx.cond(V.subject != "", V.subject, V.name), class_name="fzi-subject"),
            rx.el.p(from_campaign, V.account, class_name="fz-second fz-small fzi-clip"),
            class_name="fzi-head-words",
        ),
        rx.cond(V.label != "", status_badge(V.label, LABELS)),
        rx.cond(
            V.status == "archived",
            icon_button(t("inbox.unarchive"), "archive-restore", on_click=V.mark("read")),
            icon_button(t("inbox.archive"), "archive", on_click=V.mark("archived")),
        ),
        icon_button(t("inbox.snooze"), "clock", on_click=V.show_snooze(True)),
        icon_button(t("inbox.contact"), "user-round", on_click=V.show_card(True), class_name="fzi-to-card"),
        _menu(),
        class_name="fzi-head",
    )


def _menu() -> rx.Component:
    labels = [
        rx.menu.item(
            rx.cond(V.label == each, icon("check", 14), icon(drawing, 14)),
            rx.el.span(t(key)),
            on_select=V.set_label(each),
        )
        for each, (key, _, drawing) in LABELS.items()
    ]
    return rx.menu.root(
        rx.menu.trigger(icon_button(t("common.more"), "ellipsis")),
        rx.menu.content(
            rx.el.div(t("inbox.label_as"), class_name="fz-menu-label"),
            *labels,
            rx.menu.separator(),
            menu_item(t("inbox.mark_unread"), "mail", on_select=V.mark("unread")),
            menu_item(t("keys.title"), "keyboard", on_select=SHOW_KEYS, class_name="fzi-wide"),
            size="2",
            align="end",
            class_name="fz-menu",
        ),
        modal=False,
    )


def _item(mail: rx.Var[ThreadRow]) -> rx.Component:
    return rx.el.div(
        rx.match(
            mail.kind,
            ("mail", _folded(mail)),
            ("automatic", _automatic(mail)),
            ("notice", _notice(mail)),
            ("note", _note(mail)),
            _mail(mail),
        ),
        key=mail.id,
        class_name="fzi-item",
    )


def _folded(mail: rx.Var[ThreadRow]) -> rx.Component:
    name = rx.cond(mail.step > 0, t("inbox.step", n=mail.step), t("inbox.campaign_mail"))
    wrong = rx.match(
        mail.status,
        ("failed", badge(t("inbox.not_sent"), "error", "circle-alert")),
        ("uncertain", badge(t("inbox.uncertain"), "attention", "circle-help")),
        rx.fragment(),
    )
    return rx.el.details(
        rx.el.summary(
            mark(mail.initials, mail.tone),
            rx.el.strong(name),
            rx.el.span(mail.snippet, class_name="fzi-snippet"),
            wrong,
            _read_mark(mail),
            when(mail.at, ShellState.zone, mode="stamp", class_name="fzi-ago"),
            class_name="fzi-summary",
        ),
        rx.el.div(
            rx.el.div(mail.subject, class_name="fzi-mail-subject"),
            rx.cond(
                mail.text != "",
                rx.el.div(mail.text, class_name="fzi-text"),
                rx.el.p(t("inbox.not_kept"), class_name="fz-second"),
            ),
            _whole(mail),
            rx.cond(mail.detail != "", rx.el.div(mail.detail, class_name="fz-server-words")),
            _read_words(mail),
            class_name="fzi-body",
        ),
        class_name="fzi-mail fzi-fold",
    )


def _read_mark(mail: rx.Var[ThreadRow]) -> rx.Component:
    """Return in a word what the contact did with a mail of ours; nothing where that is nothing, or not known."""
    clicked = rx.el.span(icon("mouse-pointer-click", 14), rx.el.span(t("inbox.clicked")), class_name="fzi-read")
    opened = rx.el.span(icon("eye", 14), rx.el.span(t("inbox.opened")), class_name="fzi-read")
    return rx.cond(mail.clicked_at != "", clicked, rx.cond(mail.opened_at != "", opened))


def _read_words(mail: rx.Var[ThreadRow]) -> rx.Component:
    """Return when the contact first opened a mail of ours, and when they followed which link first."""
    opened = rx.el.div(
        icon("eye", 14),
        rx.el.span(t("inbox.opened_on"), " ", when(mail.opened_at, ShellState.zone, mode="stamp")),
        class_name="fzi-read-line",
    )
    clicked = rx.el.div(
        icon("mouse-pointer-click", 14),
        rx.el.span(t("inbox.clicked_on"), " ", when(mail.clicked_at, ShellState.zone, mode="stamp")),
        rx.cond(
            mail.clicked_link != "",
            rx.el.span(mail.clicked_link, title=mail.clicked_link, class_name="fzi-clip fzi-followed"),
        ),
        class_name="fzi-read-line",
    )
    return rx.fragment(rx.cond(mail.opened_at != "", opened), rx.cond(mail.clicked_at != "", clicked))


def _automatic(mail: rx.Var[ThreadRow]) -> rx.Component:
    return rx.el.details(
        rx.el.summary(
            icon("bot"),
            rx.el.strong(t("inbox.automatic")),
            rx.el.span(t("inbox.automatic_line", text=mail.snippet), class_name="fzi-snippet"),
            when(mail.at, ShellState.zone, mode="stamp", class_name="fzi-ago"),
            class_name="fzi-summary",
        ),
        rx.el.div(
            rx.el.p(t("inbox.automatic_words"), class_name="fz-second"),
            rx.el.div(mail.text, class_name="fzi-text"),
            _quoted(mail),
            _whole(mail),
            _html(mail),
            _files(mail),
            class_name="fzi-body",
        ),
        class_name="fzi-mail fzi-fold fzi-dashed",
    )


def _mail(mail: rx.Var[ThreadRow]) -> rx.Component:
    return rx.el.article(
        rx.el.header(
            mark(mail.initials, mail.tone),
            rx.el.div(
                rx.el.div(mail.name, class_name="fzi-from"),
                rx.el.div(t("inbox.to", address=mail.recipient), class_name="fz-second fz-small fzi-clip"),
                class_name="fzi-head-words",
            ),
            when(mail.at, ShellState.zone, mode="stamp", class_name="fzi-ago"),
            class_name="fzi-mail-head",
        ),
        rx.el.div(
            rx.cond(
                V.html_of == mail.id,
                _frame(mail),
                rx.fragment(
                    rx.cond(
                        mail.text != "",
                        rx.el.div(mail.text, class_name="fzi-text"),
                        rx.el.p(t("inbox.no_words"), class_name="fz-second"),
                    ),
                    _quoted(mail),
                    _whole(mail),
                ),
            ),
            rx.cond(mail.truncated, rx.el.p(t("inbox.truncated"), class_name="fz-second")),
            _files(mail),
            _html(mail),
            _sending(mail),
            class_name="fzi-body",
        ),
        class_name="fzi-mail",
        data_kind=mail.kind,
        aria_label=mail.name,
    )


def _quoted(mail: rx.Var[ThreadRow]) -> rx.Component:
    return rx.cond(
        mail.quoted != "",
        rx.el.details(
            rx.el.summary(
                rx.el.span(icon("ellipsis", 14), class_name="fzi-dots"),
                rx.el.span(t("inbox.quoted", n=mail.quoted_lines), class_name="fz-second"),
                class_name="fzi-quoted-summary",
            ),
            rx.el.div(mail.quoted, class_name="fzi-text fzi-quoted"),
        ),
    )


def _whole(mail: rx.Var[ThreadRow]) -> rx.Component:
    return rx.cond(mail.cut, row(button(t("inbox.show_whole"), size="small", on_click=V.show_whole(mail.id))))


def _html(mail: rx.Var[ThreadRow]) -> rx.Component:
    label = rx.cond(V.html_of == mail.id, t("inbox.show_text"), t("inbox.show_html"))
    return rx.cond(
        mail.has_html,
        row(
            rx.el.button(
                icon("code-xml", 14), label, type="button", on_click=V.show_html(mail.id), class_name="fz-link fzi-act"
            ),
            rx.cond(
                (V.html_of == mail.id) & ~V.with_images,
                rx.el.button(
                    icon("image", 14), t("inbox.show_images"), type="button", on_click=V.show_images,
                    class_name="fz-link fzi-act",
                ),
            ),
            gap=16,
        ),
    )  # fmt: skip


def _frame(mail: rx.Var[ThreadRow]) -> rx.Component:
    page = "/downloads/mails/" + mail.id + "/page"
    return rx.el.iframe(
        src=rx.cond(V.with_images, page + "?images=true", page),
        # The page's own policy says the same: whoever finds its address elsewhere gets no more.
        sandbox=SANDBOX,
        referrer_policy="no-referrer",
        title=t("inbox.frame", name=mail.name),
        class_name="fzi-frame",
    )


def _files(mail: rx.Var[ThreadRow]) -> rx.Component:
    return rx.cond(
        mail.files.length() > 0,
        rx.el.ul(rx.foreach(mail.files, _file), class_name="fzi-files", aria_label=t("inbox.write.files")),
    )


def _file(file: rx.Var[FileRow]) -> rx.Component:
    return rx.el.li(
        ReactRouterLink.create(
            icon("paperclip", 12),
            rx.el.span(file.name),
            rx.el.span(file_size(file.size), class_name="fzi-size"),
            to=file.href,
            # A file of the server, not a page: the router leaves it to the browser.
            reload_document=True,
            download=file.name,
            class_name="fzi-file",
        )
    )


def _sending(mail: rx.Var[ThreadRow]) -> rx.Component:
    """Say of an answer that has not simply left where it stands, and what can be done."""
    waits = rx.el.div(
        icon("clock", 14),
        rx.el.span(t("inbox.leaves"), " ", when(mail.due_at, ShellState.zone, mode="since")),
        rx.cond(
            mail.can_undo,
            countdown(mail.due_at, on_press=AnswerState.take_back(mail.id), on_over=ConversationState.refresh),
        ),
        class_name="fzi-leaves",
        role="status",
    )
    going = rx.el.div(
        icon("loader-circle", 14, class_name="fz-spin"), t("inbox.leaving"), class_name="fzi-leaves", role="status"
    )
    uncertain = diagnosis_banner(
        "circle-help", "attention", t("inbox.uncertain"), t("inbox.uncertain_words"), detail=mail.detail,
        mend=row(
            button(t("inbox.it_left"), size="small", on_click=V.decide_uncertain(mail.id, "sent")),
            button(t("inbox.send_again"), size="small", on_click=V.decide_uncertain(mail.id, "again")),
        ),
    )  # fmt: skip
    failed = diagnosis_banner(
        "circle-alert", "error", t("inbox.failed"), t("inbox.failed_words"), detail=mail.detail,
        mend=button(t("inbox.reuse"), size="small", kind="solid", on_click=AnswerState.reuse(mail.id)),
    )  # fmt: skip
    return rx.match(
        mail.status,
        ("queued", waits),
        ("claimed", waits),
        ("sending", going),
        ("uncertain", uncertain),
        ("failed", failed),
        ("cancelled", failed),
        rx.fragment(),
    )


def _notice(mail: rx.Var[ThreadRow]) -> rx.Component:
    return rx.el.div(icon("circle-dot", 14), rx.el.span(mail.text), class_name="fzi-notice", title=mail.at, role="note")


def _note(mail: rx.Var[ThreadRow]) -> rx.Component:
    return rx.el.div(
        icon("sticky-note", 14),
        rx.el.div(
            rx.el.div(
                rx.el.strong(t("inbox.note")),
                rx.cond(mail.name != "", rx.el.span(mail.name)),
                when(mail.at, ShellState.zone, mode="stamp", class_name="fzi-ago"),
                class_name="fzi-note-head",
            ),
            rx.el.div(mail.text, class_name="fzi-text"),
            class_name="fzi-head-words",
        ),
        class_name="fzi-note",
        role="note",
    )


def _stop() -> rx.Component:
    """Ask whether an answer that said nothing but “stop” is to be followed; say when it is by itself."""
    return rx.cond(
        V.stop_asked,
        diagnosis_banner(
            "ban",
            "error",
            t("inbox.stop", name=V.name),
            rx.el.span(t("inbox.stop_words"), " ", when(V.stops_at, ShellState.zone, mode="since"), "."),
            mend=row(
                button(t("inbox.stop_confirm"), kind="solid", size="small", on_click=V.decide_stop(True)),
                button(t("inbox.stop_dismiss"), size="small", on_click=V.decide_stop(False)),
            ),
        ),
    )


def _away() -> rx.Component:
    """Offer to hold the next mails back until the day that an automatic answer named."""
    return rx.cond(
        V.returns_day != "",
        diagnosis_banner(
            "calendar-clock",
            "info",
            t("inbox.away", name=V.name, day=long_date(V.returns_day, "UTC")),
            t("inbox.away_words"),
            mend=button(t("inbox.wait"), size="small", on_click=V.wait_for_return(V.id)),
        ),
    )


def _why_not() -> rx.Component:
    return callout(rx.fragment(rx.el.strong(t("inbox.no_answer")), " ", why_not_words(V.refused)), "grey", "ban")
