"""What state a thing is in: badges, bars, rings, diagnoses, probes, progress, saving."""

from typing import Any, Literal

import reflex as rx

from fluenzr_app.ui.components.values import icon, number
from fluenzr_app.ui.language import t

Tone = Literal["good", "attention", "error", "info", "accent", "grey"]


def badge(label: Any, tone: Any = "grey", icon_name: str = "") -> rx.Component:
    """Return a soft badge: icon, word, colour. `tone` may be a state variable holding a Tone."""
    drawing = [icon(icon_name, 12)] if icon_name else []
    return rx.el.span(*drawing, rx.el.span(label), class_name="fz-badge", data_tone=tone)


def status_badge(code: rx.Var[str], kinds: dict[str, tuple[str, Tone, str]], *, bare: bool = False) -> rx.Component:
    """Return the badge of a state held as a code.

    `kinds` maps each code to (key of the word in the catalogues, tone, icon); a code that is not
    in it shows itself in grey. Give every state of a room one such table and use it everywhere.
    """
    css = "fz-badge fz-bare" if bare else "fz-badge"
    cases = [
        (value, rx.el.span(icon(drawing, 12), rx.el.span(t(key)), class_name=css, data_tone=tone))
        for value, (key, tone, drawing) in kinds.items()
    ]
    return rx.match(code, *cases, rx.el.span(code, class_name=css, data_tone="grey"))


def count_badge(value: Any, tone: Any = "attention") -> rx.Component:
    """Return a count beside a title or a menu entry; nothing at 0."""
    return rx.cond(value > 0, rx.el.span(number(value), class_name="fz-count", data_tone=tone))


def usage_bar(used: Any, cap: Any, *, stands: Any = False, wide: bool = False) -> rx.Component:
    """Return used against a cap with the figures beside it: amber when full, grey when the thing stands."""
    full = used >= cap
    tone = rx.cond(stands, "grey", rx.cond(full, "attention", "accent"))
    return rx.el.div(
        progress_bar(used, cap, tone=tone, thick=wide),
        rx.el.span(number(used), class_name="fz-usage-used"),
        rx.el.span(" / ", number(cap), class_name="fz-usage-cap"),
        class_name="fz-usage fz-usage-wide" if wide else "fz-usage",
    )


def progress_bar(done: Any, total: Any, *, tone: Any = "accent", thick: bool = True) -> rx.Component:
    """Return a bar: `done` of `total`. It is read aloud as a progress bar."""
    share = rx.Var(
        f"Math.min(100, 100 * ({rx.Var.create(done)!s}) / Math.max(1, {rx.Var.create(total)!s})) + '%'", _var_type=str
    )
    data = rx.vars.VarData.merge(*(v._get_all_var_data() for v in (done, total) if isinstance(v, rx.Var)))
    return rx.el.div(
        rx.el.div(class_name="fz-bar-fill", data_tone=tone, style={"width": share._replace(merge_var_data=data)}),
        class_name="fz-bar fz-bar-thick" if thick else "fz-bar",
        role="progressbar",
        aria_label=t("common.progress"),
        aria_valuenow=done,
        aria_valuemax=total,
    )


def long_work(
    title: Any,
    *,
    done: Any,
    total: Any,
    unit: Any,
    rate: Any = "",
    left: Any = "",
    tallies: list[tuple[Any, Any]] | None = None,
    action: Any = None,
) -> rx.Component:
    """Return the state of long work: bar, count of total, rate, time left, tallies, and that one may leave."""
    return rx.el.div(
        rx.el.h2(title, class_name="fz-panel-title"),
        rx.el.p(t("common.may_leave"), class_name="fz-second"),
        progress_bar(done, total),
        rx.el.div(
            rx.el.span(rx.el.strong(number(done)), " ", t("common.of_total", total=number(total)), " ", unit),
            rx.el.span(rate, rx.cond(left != "", rx.el.span(" · ", left))),
            class_name="fz-work-line",
        ),
        *([rx.el.div(*[tally(label, value) for label, value in tallies], class_name="fz-tallies")] if tallies else []),
        *([action] if action is not None else []),
        class_name="fz-work",
        aria_live="polite",
    )


def tally(label: Any, value: Any) -> rx.Component:
    """Return one running count of long work."""
    return rx.el.div(rx.el.div(label, class_name="fz-kpi-label"), rx.el.strong(number(value)), class_name="fz-tally")


def diagnosis_row(icon_name: Any, tone: Any, what: Any, why: Any, *, since: Any = "", mend: Any = None) -> rx.Component:
    """Return one diagnosis in a list: what, since or until when, why, and the button that mends it."""
    return rx.el.div(
        rx.el.div(
            icon_name if isinstance(icon_name, rx.Component) else icon(icon_name), class_name="fz-tile", data_tone=tone
        ),
        rx.el.div(
            rx.el.div(
                rx.el.span(what, class_name="fz-what"),
                rx.el.span(since, class_name="fz-since"),
                class_name="fz-what-line",
            ),
            rx.el.div(why, class_name="fz-second"),
            class_name="fz-diagnosis-words",
        ),
        *([rx.el.div(mend, class_name="fz-mend")] if mend is not None else []),
        class_name="fz-diagnosis",
    )


def diagnosis_banner(
    icon_name: Any, tone: Any, what: Any, why: Any, *, mend: Any = None, detail: Any = None
) -> rx.Component:
    """Return a diagnosis boxed on the thing itself.

    `tone` is error for broken, attention for slowed, info for advice, grey for what waits by itself.
    """
    return rx.el.div(
        rx.el.div(icon_name if isinstance(icon_name, rx.Component) else icon(icon_name), class_name="fz-banner-icon"),
        rx.el.div(
            rx.el.div(what, class_name="fz-what"),
            rx.el.div(why, class_name="fz-second"),
            *([rx.el.div(detail, class_name="fz-server-words")] if detail is not None else []),
            class_name="fz-diagnosis-words",
        ),
        *([rx.el.div(mend, class_name="fz-mend")] if mend is not None else []),
        class_name="fz-banner",
        data_tone=tone,
        role=rx.cond(tone == "error", "alert", "status") if isinstance(tone, rx.Var) else _role(tone),
    )


def _role(tone: str) -> str:
    return "alert" if tone == "error" else "status"


def callout(words: Any, tone: Any = "info", icon_name: str = "info") -> rx.Component:
    """Return a sentence in a tinted box, without a button."""
    return rx.el.div(icon(icon_name), rx.el.div(words), class_name="fz-banner fz-callout", data_tone=tone)


def probe_stages(stages: rx.Var[list[Any]], render: Any) -> rx.Component:
    """Return the vertical line of a probe; `render` makes one `probe_stage` from each element."""
    return rx.el.ol(rx.foreach(stages, render), class_name="fz-stages")


def probe_stage(state: Any, label: Any, *, duration: Any = "", words: Any = "", remedy: Any = None) -> rx.Component:
    """Return one stage: `state` is done, running, failed or waiting; a failed one opens with its `remedy`."""
    mark = rx.match(
        state,
        ("done", icon("circle-check", 20)),
        ("running", icon("loader-circle", 20, class_name="fz-spin")),
        ("failed", icon("circle-x", 20)),
        icon("circle-dashed", 20),
    )
    opened = [rx.cond(state == "failed", rx.el.div(remedy, class_name="fz-remedy"))] if remedy is not None else []
    return rx.el.li(
        rx.el.div(mark, class_name="fz-stage-mark"),
        rx.el.div(
            rx.el.div(
                rx.el.span(label, class_name="fz-what"),
                rx.el.span(duration, class_name="fz-since"),
                class_name="fz-stage-line",
            ),
            rx.el.div(words, class_name="fz-second"),
            *opened,
            class_name="fz-stage-words",
        ),
        class_name="fz-stage",
        data_state=state,
    )


def save_state(state: Any, at: Any = "") -> rx.Component:
    """Return whether a form is kept: `state` is saved, saving, unsaved or refused; `at` the time as text."""
    return rx.el.span(
        rx.match(
            state,
            ("saved", rx.fragment(icon("cloud-check", 14), rx.el.span(t("common.saved_at", time=at)))),
            ("saving", rx.fragment(icon("loader-circle", 14, class_name="fz-spin"), rx.el.span(t("common.saving")))),
            ("unsaved", rx.fragment(icon("cloud-off", 14), rx.el.span(t("common.unsaved")))),
            ("refused", rx.fragment(icon("circle-alert", 14), rx.el.span(t("common.save_refused")))),
            rx.fragment(),
        ),
        class_name="fz-save",
        data_state=state,
        aria_live="polite",
    )
