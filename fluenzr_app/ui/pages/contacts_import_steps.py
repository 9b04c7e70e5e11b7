"""The steps of an import between the file and the start: columns, options, preview."""

from __future__ import annotations

import reflex as rx

from fluenzr_app.contacts.encodings import ENCODINGS
from fluenzr_app.contacts.field_names import STANDARD_FIELDS
from fluenzr_app.ui.components.buttons import button, mend_button
from fluenzr_app.ui.components.forms import checkbox, choice, field, form, grid, radio_line, text_area, text_input
from fluenzr_app.ui.components.frame import block, stack
from fluenzr_app.ui.components.status import badge, callout, diagnosis_banner
from fluenzr_app.ui.components.values import icon, number, percent
from fluenzr_app.ui.kept import kept
from fluenzr_app.ui.language import t
from fluenzr_app.ui.pages.contacts_import_outcome import error_file, with_outcome
from fluenzr_app.ui.pages.contacts_import_state import ContactImportState
from fluenzr_app.ui.pages.contacts_import_view import Cell, ColumnRow, Count, Fault
from fluenzr_app.ui.pages.contacts_words import consent_choices

S = ContactImportState
_OPTIONS_FORM = "import-options"
_LINES = 10
# What a close look found, and how sure it is.
_HOW: dict[str, tuple[str, str]] = {
    "exact": ("good", "check"),
    "close": ("attention", "equal-approximately"),
    "values": ("attention", "equal-approximately"),
    "new": ("accent", "plus"),
    "empty": ("grey", ""),
    "none": ("grey", ""),
    "chosen": ("grey", "check"),
}


def mapping_step(failure: rx.Component) -> rx.Component:
    """Return the columns of the file with what each becomes, and the outcome beside them."""
    return with_outcome(
        failure,
        _reading(),
        _accents(),
        rx.cond(S.has_email, rx.fragment(), _no_email()),
        rx.el.div(
            rx.el.table(
                rx.el.thead(
                    rx.el.tr(
                        rx.el.th(t("contacts_import.column.file")),
                        rx.el.th(t("contacts_import.column.values")),
                        rx.el.th(t("contacts_import.column.becomes")),
                        rx.el.th(t("contacts_import.column.how")),
                        rx.el.th(t("contacts_import.column.filled"), class_name="fz-right"),
                    )
                ),
                rx.el.tbody(rx.foreach(S.columns, _column)),
                class_name="fz-table fzc-columns",
            ),
            class_name="fz-block fz-table-scroll",
        ),
        back=button(t("common.back"), href="/contacts/import"),
        go_on=button(
            t("contacts_import.go_on"),
            kind="solid",
            icon_name="arrow-right",
            disabled=~S.has_email,
            on_click=S.go_to("options"),
        ),
    )


def _reading() -> rx.Component:
    found = lambda words: rx.match(  # noqa: E731
        S.encoding_found,
        ("found", words + " (" + t("contacts_import.found") + ")"),
        ("guessed", words + " (" + t("contacts_import.guessed") + ")"),
        words,
    )
    encodings = [
        rx.el.option(
            rx.cond(
                S.encoding == code,
                found(t(f"contacts_import.encoding.{code.replace('-', '_')}")),
                t(f"contacts_import.encoding.{code.replace('-', '_')}"),
            ),
            value=code,
        )
        for code in ENCODINGS
    ]
    delimiters = [(";", "semicolon"), (",", "comma"), ("\t", "tab"), ("|", "pipe")]
    lines = [(str(line), t("contacts_import.line", n=line)) for line in range(1, _LINES + 1)]
    return rx.el.div(
        field(
            t("contacts_import.encoding.label"),
            rx.el.select(
                *encodings,
                value=S.encoding,
                on_change=lambda value: S.reread("encoding", value),
                disabled=S.checking,
                class_name="fz-input fz-choice",
            ),
        ),
        field(
            t("contacts_import.delimiter.label"),
            choice(
                [(sign, t(f"contacts_import.delimiter.{name}")) for sign, name in delimiters],
                value=S.delimiter,
                on_change=lambda value: S.reread("delimiter", value),
                disabled=S.checking,
            ),
        ),
        field(
            t("contacts_import.header"),
            choice(
                lines,
                value=S.header_line.to(str),
                on_change=lambda value: S.reread("header_line", value),
                disabled=S.checking,
            ),
        ),
        rx.el.p(t("contacts_import.guess_words"), class_name="fz-help fzc-reading-note"),
        class_name="fzc-reading",
    )


def _accents() -> rx.Component:
    broken = diagnosis_banner(
        "triangle-alert",
        "attention",
        t("contacts_import.broken", n=S.broken_cells),
        t("contacts_import.broken_words"),
        mend=mend_button(t("contacts_import.repair", n=S.broken_cells), on_click=S.mend_accents(True)),
    )
    mended = diagnosis_banner(
        "circle-check",
        "good",
        t("contacts_import.repaired", n=S.broken_cells),
        t("contacts_import.repaired_words"),
        mend=mend_button(t("contacts_import.unrepair"), on_click=S.mend_accents(False)),
    )
    return rx.cond(S.broken_cells > 0, rx.cond(S.repair, mended, broken))


def _no_email() -> rx.Component:
    return diagnosis_banner("at-sign", "error", t("contacts_import.no_email"), t("contacts_import.no_email_words"))


def _column(column: rx.Var[ColumnRow]) -> rx.Component:
    name = rx.cond(
        column.name != "", rx.el.span(column.name), rx.el.span(t("contacts_import.unnamed"), class_name="fz-second")
    )
    how = rx.match(
        column.how,
        *[(code, badge(t(f"contacts_import.how.{code}"), tone, drawing)) for code, (tone, drawing) in _HOW.items()],
        rx.fragment(),
    )
    return rx.el.tr(
        rx.el.td(name, class_name="fzc-column-name"),
        rx.el.td(rx.el.div(rx.foreach(column.cells, _cell), class_name="fzc-cells")),
        rx.el.td(_target(column)),
        rx.el.td(how),
        rx.el.td(percent(column.filled, rx.cond(column.filled % 1 == 0, 0, 1)), class_name="fz-right fz-second"),
        key=column.index.to(str),
    )


def _cell(cell: rx.Var[Cell]) -> rx.Component:
    shown = rx.match(
        cell.flag,
        ("error", rx.fragment(icon("circle-x", 12), rx.el.span(cell.text))),
        ("attention", rx.fragment(icon("triangle-alert", 12), rx.el.span(cell.text))),
        ("empty", rx.el.span(t("contacts_import.empty"))),
        rx.el.span(cell.text),
    )
    return rx.el.span(shown, class_name="fzc-cell", data_flag=cell.flag, title=cell.text)


def _target(column: rx.Var[ColumnRow]) -> rx.Component:
    fields = [rx.el.option(t(f"contacts.field.{name}"), value=f"field:{name}") for name in STANDARD_FIELDS]
    return rx.el.select(
        rx.el.option(t("contacts_import.ignore"), value="ignore"),
        rx.el.optgroup(*fields, label=t("contacts_import.standard_fields")),
        rx.cond(
            S.own.length() > 0,
            rx.el.optgroup(
                rx.foreach(S.own, lambda own: rx.el.option(own.label, value=own.value)),
                label=t("contacts_import.own_fields"),
            ),
        ),
        rx.el.option(t("contacts_import.new_field", name=column.new_name), value="new:" + column.new_name),
        value=column.target,
        on_change=lambda value: S.map_column(column.index, value),
        aria_label=t("contacts_import.becomes", name=column.name),
        class_name="fz-input fz-choice fzc-target",
    )


def options_step(failure: rx.Component) -> rx.Component:
    """Return where the contacts go, what happens to those that exist, and where their consent comes from."""
    groups = rx.el.select(
        rx.el.option(t("contacts.no_group"), value=""),
        rx.foreach(S.groups, lambda group: rx.el.option(group.name, value=group.id)),
        rx.el.option(t("contacts_import.new_group"), value="new"),
        name="group",
        default_value=S.group,
        key="group" + S.id,
        on_change=S.choose_group,
        class_name="fz-input fz-choice",
    )
    content = form(
        block(
            stack(
                grid(
                    field(
                        t("contacts_import.group"), groups, help=t("contacts_import.group_help"), error=_error("group")
                    ),
                    rx.cond(
                        S.group == "new",
                        field(
                            t("contacts_import.group_name"),
                            text_input(name="group_name", default_value=S.group_name, max_length=100),
                            error=_error("group_name"),
                        ),
                    ),
                ),
                field(
                    t("contacts.field.tags"),
                    text_input(name="tags", default_value=S.tags, list="import-tags", key="tags" + S.id),
                    help=t("contacts.tags_help"),
                    error=_error("tags"),
                ),
                rx.el.datalist(rx.foreach(S.known_tags, lambda tag: rx.el.option(value=tag)), id="import-tags"),
            ),
            title=t("contacts_import.where"),
        ),
        block(
            stack(
                radio_line(
                    _choice_words("skip"),
                    name="on_duplicate",
                    value="skip",
                    default_checked=S.on_duplicate == "skip",
                    key="skip" + S.id,
                    on_change=lambda _: S.choose_duplicates("skip"),
                ),
                radio_line(
                    _choice_words("update"),
                    name="on_duplicate",
                    value="update",
                    default_checked=S.on_duplicate == "update",
                    key="update" + S.id,
                    on_change=lambda _: S.choose_duplicates("update"),
                ),
                gap=12,
            ),
            title=t("contacts_import.duplicates"),
        ),
        block(
            stack(
                field(
                    t("contacts.field.consent_source"),
                    choice(
                        consent_choices(),
                        name="consent_source",
                        default_value=S.consent,
                        key="consent" + S.id,
                        on_change=S.choose_consent,
                    ),
                    help=t("contacts_import.consent_help"),
                    error=_error("consent_source"),
                ),
                rx.cond(
                    S.consent == "not_specified", callout(t("contacts.consent_warning"), "attention", "triangle-alert")
                ),
                field(
                    t("contacts.field.consent_notes"),
                    text_area(
                        name="consent_notes", default_value=S.consent_notes, key="notes" + S.id, max_length=2_000
                    ),
                    help=rx.cond(
                        S.consent == "other", t("contacts_import.notes_needed"), t("contacts_import.notes_help")
                    ),
                    error=_error("consent_notes"),
                ),
            ),
            title=t("contacts_card.consent"),
        ),
        kept("import." + S.id),
        on_submit=S.keep_options,
        id=_OPTIONS_FORM,
    )
    return with_outcome(
        failure,
        content,
        back=button(t("common.back"), on_click=S.go_to("mapping")),
        go_on=button(
            t("contacts_import.go_on"), kind="solid", icon_name="arrow-right", submit=True, form=_OPTIONS_FORM
        ),
    )


def _choice_words(which: str) -> rx.Component:
    return rx.el.span(
        rx.el.span(t(f"contacts_import.on_duplicate.{which}"), class_name="fz-what"),
        rx.el.span(t(f"contacts_import.on_duplicate.{which}_words"), class_name="fz-help"),
        class_name="fz-check-words",
    )


def preview_step(failure: rx.Component) -> rx.Component:
    """Return what would be stored and what not, the consent to certify, and the start."""
    advice = diagnosis_banner(
        "triangle-alert",
        "attention",
        t("contacts_import.stop_first", share=percent(S.outcome.error_share)),
        t("contacts_import.stop_first_words"),
        mend=mend_button(t("contacts_import.check_columns"), on_click=S.go_to("mapping")),
    )
    faulty = block(
        rx.el.div(
            rx.el.table(
                rx.el.thead(
                    rx.el.tr(
                        rx.el.th(t("contacts_import.fault.line"), class_name="fz-right"),
                        rx.el.th(t("contacts_import.fault.column")),
                        rx.el.th(t("contacts_import.fault.reason")),
                        rx.el.th(t("contacts_import.fault.cell")),
                    )
                ),
                rx.el.tbody(rx.foreach(S.faults, _fault)),
                class_name="fz-table fzc-compact",
            ),
            class_name="fz-table-scroll",
        ),
        title=t("contacts_import.fault.title"),
        count=number(S.outcome.faults),
        aside=error_file(),
        padded=False,
    )
    noticed = block(
        rx.foreach(S.warnings, _warning),
        title=t("contacts_import.warnings"),
        aside=t("contacts_import.warnings_words"),
        padded=False,
    )
    certify = block(
        stack(
            rx.cond(S.no_consent, callout(t("contacts.consent_warning"), "attention", "triangle-alert")),
            checkbox(
                t("contacts_import.certify"),
                help=t("contacts_import.certify_words"),
                checked=S.certified,
                on_change=S.certify,
            ),
        ),
        title=t("contacts_card.consent"),
    )
    return with_outcome(
        failure,
        rx.cond(
            S.has_outcome,
            stack(
                rx.cond(S.outcome.stop_first, advice),
                rx.cond(
                    S.outcome.ready > 0, rx.fragment(), callout(t("contacts_import.nothing_to_do"), "attention", "info")
                ),
                rx.cond(S.faults.length() > 0, faulty),
                rx.cond(S.warnings.length() > 0, noticed),
                certify,
            ),
            stack(rx.el.p(t("contacts_import.checking_rows", n=S.rows), class_name="fz-second")),
        ),
        back=button(t("common.back"), on_click=S.go_to("options")),
        go_on=button(
            t("contacts_import.start"),
            kind="solid",
            icon_name="upload",
            disabled=~(S.certified & S.has_outcome & (S.outcome.ready > 0)),
            loading=S.starting,
            on_click=S.start,
        ),
    )


def _fault(fault: rx.Var[Fault]) -> rx.Component:
    return rx.el.tr(
        rx.el.td(number(fault.line), class_name="fz-right"),
        rx.el.td(fault.column),
        rx.el.td(fault.reason),
        rx.el.td(rx.el.span(fault.cell, class_name="fzc-cell", data_flag="error")),
    )


def _warning(count: rx.Var[Count]) -> rx.Component:
    return rx.el.div(rx.el.span(count.text), rx.el.strong(number(count.n)), class_name="fzc-warning")


def _error(name: str) -> rx.Var[str]:
    return S.errors.get(name, "").to(str)
