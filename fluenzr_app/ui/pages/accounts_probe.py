"""A staged connection test as a drawer shows it: the fields of both servers, the stages, and the likely mend."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import reflex as rx

from fluenzr_app.accounts.errors import BadAccountForm
from fluenzr_app.accounts.form import Server
from fluenzr_app.mail.probe import StageResult
from fluenzr_app.ui.components.buttons import button
from fluenzr_app.ui.components.forms import checkbox, choice, field, text_input
from fluenzr_app.ui.components.status import callout, probe_stage, probe_stages
from fluenzr_app.ui.language import t, words
from fluenzr_app.words.catalogue import Lang, catalogue, french
from fluenzr_app.words.formats import number

SERVER_FIELDS = ("host", "port", "encryption", "username", "imap_host", "imap_port", "imap_encryption")
MOST = 320
_SMTP = {
    "host": "smtp.host",
    "port": "smtp.port",
    "encryption": "smtp.encryption",
    "username": "smtp.username",
    "password": "smtp.password",
    "imap_host": "imap.host",
    "imap_port": "imap.port",
    "imap_encryption": "imap.encryption",
}
_FIELD_OF = {path: name for name, path in _SMTP.items()} | {"imap.username": "imap_host", "imap.password": "password"}


@dataclass(frozen=True)
class ProbeLine:
    """One stage as the page shows it: state is done, running, failed or waiting."""

    stage: str
    state: str
    title: str
    detail: str
    duration: str = ""
    remedy: str = ""
    has_change: bool = False
    server_words: str = ""
    code: str = ""


def line_of(result: StageResult, lang: Lang) -> ProbeLine:
    """Return a stage in the reader's language."""
    mend = result.mend_words
    states = {"ok": "done", "skipped": "done", "failed": "failed", "waiting": "waiting"}
    return ProbeLine(
        stage=result.stage,
        state=states[result.state],
        title=_in(lang, result.title),
        detail=_in(lang, result.detail),
        duration=_duration(lang, result.duration_ms) if result.state in ("ok", "failed") else "",
        remedy="" if mend is None else _in(lang, mend),
        has_change=result.mend is not None and bool(result.mend.change),
        server_words=result.server_words if result.state == "failed" else "",
        code=result.error_code or "",
    )


def lines_of(results: Sequence[StageResult], awaited: Sequence[StageResult], lang: Lang) -> list[ProbeLine]:
    """Return the stages that came in, then those awaited: the first of these is under way."""
    lines = [line_of(result, lang) for result in results]
    seen = {line.stage for line in lines}
    rest = [line_of(each, lang) for each in awaited if each.stage not in seen]
    if rest:
        rest[0] = replace(rest[0], state="running")
    return lines + rest


def change_of(results: Sequence[StageResult]) -> Mapping[str, Any]:
    """Return what the first failed stage proposes to change in the form, nothing where it proposes nothing."""
    for result in results:
        if result.state == "failed" and result.mend is not None and result.mend.change:
            return result.mend.change
    return {}


def marked_fields(results: Sequence[StageResult]) -> list[str]:
    """Return the names of the fields that the mend would change, so that they can be marked."""
    return [name for name in change_of(results) if name in SERVER_FIELDS]


def text_of(given: Mapping[str, Any], name: str) -> str:
    """Return a field of a form as text, cut to what any of them may hold."""
    return str(given.get(name) or "").strip()[:MOST]


def servers_given(given: Mapping[str, Any]) -> tuple[Server, Server | None]:
    """Return both servers as a form names them; no incoming one where its field is empty."""
    smtp = Server(
        text_of(given, "host"),
        _port(given, "port"),
        text_of(given, "encryption"),
        text_of(given, "username"),
        str(given.get("password") or ""),
    )
    if not text_of(given, "imap_host"):
        return smtp, None
    return smtp, Server(text_of(given, "imap_host"), _port(given, "imap_port"), text_of(given, "imap_encryption"))


def faults_in_words(lang: Lang, error: BadAccountForm) -> dict[str, str]:
    """Return what is wrong, by the name of the form's field."""
    found: dict[str, str] = {}
    for fault in error.faults:
        kind = "address_" if fault.field == "email" else ""
        key = f"accounts.faults.{kind}{fault.code}"
        told = words(lang, key, **fault.params) if key in catalogue() else fault.message
        found.setdefault(_FIELD_OF.get(fault.field, fault.field.replace(".", "_")), told)
    return found


def encryption_choice(name: str, value: Any, **props: Any) -> rx.Component:
    """Return the drop-down of the three ways to encrypt."""
    options = [
        ("ssl", t("accounts.encryption.ssl")),
        ("starttls", t("accounts.encryption.starttls")),
        ("none", t("accounts.encryption.none")),
    ]
    return choice(options, name=name, default_value=value, **props)


def server_fields(state: Any, keep: Callable[[str], Any], **typing: Any) -> rx.Component:
    """Return the fields of both servers; `state` has a variable for each, `keep(name)` is what leaving one does.

    `typing` goes to every field in which one types.
    """
    version = state.version.to(str)

    def one(name: str, label: str, control: Callable[..., rx.Component], **props: Any) -> rx.Component:
        made = control(
            name=name,
            default_value=getattr(state, name),
            key=version + name,
            aria_invalid=state.marked.contains(name),
            auto_complete="off",
            spell_check=False,
            **props,
        )
        return field(t(label), made, error=state.faults.get(name, ""))

    def encryption(name: str) -> rx.Component:
        made = encryption_choice(
            name,
            getattr(state, name),
            key=version + name,
            aria_invalid=state.marked.contains(name),
            on_change=keep(name),
        )
        return field(t("accounts.form.encryption"), made, error=state.faults.get(name, ""))

    def text(name: str) -> Callable[..., rx.Component]:
        return lambda **props: text_input(**props, **typing, on_blur=keep(name))

    def port(name: str) -> Callable[..., rx.Component]:
        return lambda **props: text_input(**props, **typing, input_mode="numeric", on_blur=keep(name))

    return rx.fragment(
        rx.el.div(
            one("host", "accounts.form.host", text("host"), placeholder=t("accounts.form.host_example")),
            one("port", "accounts.form.port", port("port"), max_length=5),
            encryption("encryption"),
            class_name="fza-server",
        ),
        rx.cond((state.encryption == "none") | (state.imap_encryption == "none"), _why_not_none(state)),
        rx.el.div(
            one("imap_host", "accounts.form.imap_host", text("imap_host"), placeholder=t("accounts.form.imap_example")),
            one("imap_port", "accounts.form.port", port("imap_port"), max_length=5),
            encryption("imap_encryption"),
            class_name="fza-server",
        ),
    )


def needs_consent(given: Mapping[str, Any]) -> bool:
    """Return whether the form asks for a connection in the clear without its warning having been read."""
    used = [text_of(given, "encryption")]
    if text_of(given, "imap_host"):
        used.append(text_of(given, "imap_encryption"))
    return "none" in used and not given.get("none_read")


def stages_in_sight() -> Any:
    """Return the event that brings the stages of a test into sight, for in a small window they stand below."""
    return rx.call_script(
        "setTimeout(() => document.querySelector('[role=dialog] .fza-probe')?.scrollIntoView({ block: 'start' }), 100)"
    )


def probe_section(state: Any, on_mend: Any, before: Any) -> rx.Component:
    """Return the stages of the test; `on_mend` is what “correct and retry” does, `before` stands there until a test."""
    return rx.el.section(
        rx.el.div(
            rx.el.h2(t("accounts.probe.title"), class_name="fz-block-title"),
            rx.cond(
                state.stages.length() > 0,
                rx.el.span(t("accounts.probe.step", n=state.step, total=state.stages.length()), class_name="fz-since"),
            ),
            class_name="fza-probe-head",
        ),
        rx.cond(state.failure != "", callout(state.failure, "error", "circle-alert")),
        rx.cond(state.passed, callout(t("accounts.probe.passed"), "good", "circle-check")),
        rx.cond(
            state.stages.length() > 0,
            probe_stages(state.stages, lambda line: _stage(line, on_mend, state.testing)),
            rx.el.p(before, class_name="fz-second"),
        ),
        class_name="fza-probe",
        aria_live="polite",
    )


def _stage(line: rx.Var[ProbeLine], on_mend: Any, testing: rx.Var[bool]) -> rx.Component:
    remedy = rx.cond(
        (line.remedy != "") | (line.server_words != ""),
        rx.el.div(
            rx.cond(
                line.remedy != "",
                rx.el.div(
                    rx.el.div(
                        rx.el.strong(t("accounts.probe.remedy")),
                        " ",
                        line.remedy,
                        class_name="fza-remedy-words",
                    ),
                    rx.cond(
                        line.has_change,
                        button(t("accounts.probe.mend"), kind="solid", size="small", loading=testing, on_click=on_mend),
                    ),
                    class_name="fza-remedy-line",
                ),
            ),
            rx.cond(
                line.server_words != "",
                rx.el.div(
                    line.server_words,
                    rx.cond(line.code != "", rx.el.span(" (", line.code, ")")),
                    class_name="fz-server-words",
                ),
                rx.cond(line.code != "", rx.el.div(line.code, class_name="fz-server-words")),
            ),
            class_name="fz-banner fza-remedy",
            data_tone="error",
        ),
    )
    return probe_stage(line.state, line.title, duration=line.duration, words=line.detail, remedy=remedy)


def _why_not_none(state: Any) -> rx.Component:
    return rx.el.div(
        callout(t("accounts.form.none_why"), "attention", "triangle-alert"),
        # Read and ticked anew after a reload: what is agreed to is no text.
        checkbox(t("accounts.form.none_read"), name="none_read", value="yes", custom_attrs={"data-unkept": "true"}),
        rx.cond(
            state.faults.contains("none_read"),
            rx.el.span(state.faults["none_read"], class_name="fz-error", role="alert"),
        ),
        class_name="fz-stack fza-none",
    )


def _port(given: Mapping[str, Any], name: str) -> int:
    text = text_of(given, name)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0


def _in(lang: Lang, said: Any) -> str:
    return french(said.fr) if lang == "fr" else str(said.en)


def _duration(lang: Lang, milliseconds: int) -> str:
    if milliseconds < 1000:
        return f"{number(lang, milliseconds)} ms"
    return f"{number(lang, milliseconds / 1000, digits=1)} s"
