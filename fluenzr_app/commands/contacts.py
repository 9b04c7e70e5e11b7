"""`fluenzr contacts`: the same import as in the browser, and the export (platform.md, Command line).

What is asked for goes to stdout, everything else to stderr. The command line is the operator's: plans do not bind it,
and naming a consent source is the certificate that an import asks for.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlmodel import Session

from fluenzr_app.commands.context import CommandContext, CommandRefused, open_context
from fluenzr_app.contacts import imports
from fluenzr_app.contacts.custom_fields import list_custom_fields
from fluenzr_app.contacts.delimiters import parse_delimiter
from fluenzr_app.contacts.encodings import parse_encoding
from fluenzr_app.contacts.errors import ContactNotFound, ContactsError, InvalidValue
from fluenzr_app.contacts.export import export_csv
from fluenzr_app.contacts.field_names import API_NAME, CONSENT_SOURCES
from fluenzr_app.contacts.import_options import ImportOptions
from fluenzr_app.contacts.import_run import ImportRunner
from fluenzr_app.contacts.import_views import ImportView
from fluenzr_app.contacts.mapping import Guess, Known, parse_target
from fluenzr_app.contacts.reasons import sentence
from fluenzr_app.contacts.service import find_by_email
from fluenzr_app.crypto import CryptoError
from fluenzr_app.db.engine import DatabaseUnavailable
from fluenzr_app.db.ids import public_id
from fluenzr_app.db.migrations import SchemaError
from fluenzr_app.inbox.erasure import erase_people
from fluenzr_app.inbox.person_export import person_document
from fluenzr_app.settings import SettingsError
from fluenzr_app.workspaces import audit
from fluenzr_app.workspaces.service import get_workspace

app = typer.Typer(
    help="Import and export contacts, export and erase what is known of one person.", no_args_is_help=True
)

_BLOCK = 1 << 20


@app.command("import")
def import_contacts(
    file: Annotated[Path, typer.Argument(help="CSV file, or - for standard input.", allow_dash=True)],
    consent: Annotated[str, typer.Option(help="Where their consent comes from: " + ", ".join(CONSENT_SOURCES) + ".")],
    consent_notes: Annotated[str, typer.Option(help="More about the consent; needed with “other”.")] = "",
    group: Annotated[str, typer.Option(help="Put the contacts into this group; made if there is none.")] = "",
    tag: Annotated[list[str] | None, typer.Option(help="Put this tag on them; may be given several times.")] = None,
    on_duplicate: Annotated[str, typer.Option(help="skip or update contacts that exist already.")] = "skip",
    workspace: Annotated[str | None, typer.Option(help="Name or id of the workspace.")] = None,
    encoding: Annotated[str | None, typer.Option(help="Encoding of the file; found by itself.")] = None,
    delimiter: Annotated[str | None, typer.Option(help="Delimiter: , ; tab |; found by itself.")] = None,
    header_line: Annotated[int | None, typer.Option(help="Line of the column names; the first by itself.")] = None,
    column: Annotated[
        list[str] | None, typer.Option("--map", help="COLUMN=FIELD; FIELD may be ignore or new:name. Repeatable.")
    ] = None,
    repair: Annotated[bool, typer.Option(help="Repair broken accents (“Ã©” for “é”).")] = False,
    errors: Annotated[Path | None, typer.Option(help="Write the rows that were refused to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Import contacts from a CSV file."""
    with _telling(as_json):
        if on_duplicate not in ("skip", "update"):
            raise InvalidValue("on_duplicate", "unknown_on_duplicate", "Duplicates are skipped or updated.")
        options = ImportOptions(
            consent_source=consent,
            consent_notes=consent_notes,
            on_duplicate="update" if on_duplicate == "update" else "skip",
            group_name=group,
            tags=tuple(tag or ()),
            repair=repair,
        )
        with open_context(workspace) as context:
            work = _Import(context, as_json)
            view = work.run(file, options, column or [], encoding, delimiter, header_line)
            written = work.write_errors(view, errors) if errors is not None else None
            if as_json:
                _print_json(work.report(view, written))
            else:
                _print_report(view, written)
        if view.status != "done":
            raise typer.Exit(1)


@app.command("export")
def export_contacts(
    file: Annotated[Path | None, typer.Argument(help="CSV file to write; standard output if left out.")] = None,
    workspace: Annotated[str | None, typer.Option(help="Name or id of the workspace.")] = None,
    delimiter: Annotated[str, typer.Option(help="Delimiter: , ; tab |")] = ",",
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Export all contacts as CSV."""
    with _telling(as_json):
        if file is None and as_json:
            raise InvalidValue("file", "file_missing", "With --json, name the file to write the contacts to.")
        with open_context(workspace) as context:
            pieces = export_csv(context.db, context.workspace_id, delimiter=parse_delimiter(delimiter))
            if file is None:
                for piece in pieces:
                    sys.stdout.buffer.write(piece)
                sys.stdout.buffer.flush()
                return
            size = _write(file, pieces)
        if as_json:
            _print_json({"file": str(file), "bytes": size})
        else:
            typer.echo(f"{file}: {size} bytes", err=True)


@app.command("export-person")
def export_person(
    email: Annotated[str, typer.Argument(help="Address of the person.")],
    file: Annotated[Path | None, typer.Argument(help="JSON file to write; standard output if left out.")] = None,
    workspace: Annotated[str | None, typer.Option(help="Name or id of the workspace.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Export everything that is known about one person, as JSON."""
    with _telling(as_json), open_context(workspace) as context:
        now = context.clock.now()
        with context.db.read() as session:
            key = _person(session, context.workspace_id, email)
            document = person_document(session, context.workspace_id, key, now)
        content = json.dumps(document, ensure_ascii=False, indent=1)
        with context.db.transaction() as session:
            subject = public_id("con", key)
            audit.record(session, None, context.workspace_id, "contact.exported", subject, None, now)
        if file is None:
            typer.echo(content)
            return
        size = _write(file, iter([content.encode()]))
        if as_json:
            _print_json({"file": str(file), "bytes": size})
        else:
            typer.echo(f"{file}: {size} bytes", err=True)


@app.command("erase-person")
def erase_person(
    email: Annotated[str, typer.Argument(help="Address of the person.")],
    workspace: Annotated[str | None, typer.Option(help="Name or id of the workspace.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Erase everything that is known about one person; who said no stays known by a keyed hash alone."""
    with _telling(as_json), open_context(workspace) as context:
        with context.db.read() as session:
            key = _person(session, context.workspace_id, email)
        if not yes:
            typer.confirm(f"Erase {email} for good, with all mails and answers?", abort=True, err=True)
        now, subject = context.clock.now(), public_id("con", key)

        def work(session: Session) -> int:
            erased = erase_people(session, context.workspace_id, [key], now)
            if erased:
                audit.record(session, None, context.workspace_id, "contact.deleted", subject, None, now)
            return erased

        erased = context.db.transact(work)
        if as_json:
            _print_json({"id": subject, "erased": bool(erased)})
        else:
            typer.echo(f"{subject}: erased", err=True)


def _person(session: Session, workspace_id: int, email: str) -> int:
    card = find_by_email(session, workspace_id, email)
    if card is None or card.contact.id is None:
        raise ContactNotFound
    return card.contact.id


class _Import:
    def __init__(self, context: CommandContext, quiet: bool) -> None:
        self._db, self._data_dir, self._workspace_id = context.db, context.settings.data_dir, context.workspace_id
        self._keyring, self._clock, self._quiet = context.keyring, context.clock, quiet

    def run(
        self,
        file: Path,
        options: ImportOptions,
        columns: list[str],
        encoding: str | None,
        delimiter: str | None,
        header_line: int | None,
    ) -> ImportView:
        view = imports.begin(
            self._db,
            self._data_dir,
            self._workspace_id,
            "stdin.csv" if str(file) == "-" else file.name,
            _blocks(file),
            self._clock.now(),
            encoding=parse_encoding(encoding) if encoding else None,
            delimiter=parse_delimiter(delimiter) if delimiter else None,
            header_line=header_line,
        )
        try:
            self._prepare(view, options, columns)
            return self._advance(view)
        except (ContactsError, KeyboardInterrupt):
            with self._db.transaction() as session:
                imports.cancel(session, self._workspace_id, view.id, self._clock.now())
            self._runner().sweep(self._clock.now())
            raise

    def _prepare(self, view: ImportView, options: ImportOptions, columns: list[str]) -> None:
        with self._db.transaction() as session:
            customs = [Known(d.name, d.label) for d in list_custom_fields(session, self._workspace_id)]
            for given in columns:
                heading, _, target = given.rpartition("=")
                action, name = parse_target(target, customs)
                index = _column(view.mapping, heading)
                imports.set_column(session, self._workspace_id, view.id, index, action, name)
            imports.set_options(session, self._workspace_id, view.id, options)
        self._note(f"{view.file_name}: {view.inspection.rows} rows, {view.inspection.encoding}; checking …")
        checked = imports.preview(self._db, self._data_dir, self._keyring, self._workspace_id, view.id).preview
        if checked is not None and checked.advises_to_stop:
            self._note(f"{checked.error_share:.0%} of the rows are faulty; mending the file first is the better way.")
        with self._db.transaction() as session:
            imports.start(session, self._workspace_id, view.id, self._clock.now(), consent_certified=True)

    def _advance(self, view: ImportView) -> ImportView:
        console = Console(stderr=True)
        words = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*words, console=console, disable=self._quiet or not console.is_terminal) as bar:
            task = bar.add_task("Importing", total=view.rows_total)

            def show(now: ImportView) -> None:
                bar.update(task, completed=now.rows_done, total=now.rows_total)

            return self._runner().run_to_end(self._workspace_id, view.id, show)

    def _runner(self) -> ImportRunner:
        return ImportRunner(self._db, self._data_dir, self._keyring, self._clock)

    def write_errors(self, view: ImportView, path: Path) -> Path:
        with self._db.read() as session:
            language = get_workspace(session, self._workspace_id).language
            pieces = imports.error_file(session, self._data_dir, self._workspace_id, view.id, language=language)
        _write(path, pieces)
        return path

    def report(self, view: ImportView, errors: Path | None) -> dict[str, Any]:
        checks = view.preview.checks if view.preview else None
        return {
            "id": view.id,
            "status": view.status,
            "failure": view.failure or None,
            "file": view.file_name,
            "encoding": view.inspection.encoding,
            "delimiter": view.inspection.delimiter,
            "headerLine": view.inspection.header_line,
            "mapping": [
                {"column": g.name, "field": API_NAME.get(g.target, g.target) or None, "how": g.how}  # type: ignore[call-overload]
                for g in view.mapping
            ],
            "rows": view.rows_total,
            "imported": view.imported,
            "updated": view.updated,
            "duplicates": view.duplicates,
            "skipped": view.skipped,
            "suppressed": view.suppressed,
            "errors": view.errors,
            "warnings": checks.warnings if checks else {},
            "errorFile": str(errors) if errors else None,
            "rowsPerSecond": round(view.rate(self._clock.now()) or 0.0, 1),
        }

    def _note(self, text: str) -> None:
        if not self._quiet:
            typer.echo(text, err=True)


@contextmanager
def _telling(as_json: bool) -> Iterator[None]:
    """Turn what was refused into one line and exit status 1."""
    try:
        yield
    except ContactsError as refused:
        _refuse(str(getattr(refused, "code", "refused")), str(refused), as_json)
    except (CommandRefused, SettingsError, CryptoError, DatabaseUnavailable, SchemaError) as refused:
        _refuse("not_possible_here", str(refused), as_json)
    except FileNotFoundError as missing:
        _refuse("file_missing", f"There is no file {missing.filename}.", as_json)
    except OSError as failed:
        _refuse("file_error", str(failed), as_json)


def _refuse(code: str, message: str, as_json: bool) -> NoReturn:
    if as_json:
        _print_json({"error": {"code": code, "message": message}})
    else:
        typer.echo(message, err=True)
    raise typer.Exit(1)


def _blocks(file: Path) -> Iterator[bytes]:
    if str(file) == "-":
        while block := sys.stdin.buffer.read(_BLOCK):
            yield block
        return
    with file.open("rb") as source:
        while block := source.read(_BLOCK):
            yield block


def _column(mapping: tuple[Guess, ...], heading: str) -> int:
    for guess in mapping:
        if guess.name.casefold() == heading.strip().casefold():
            return guess.index
    names = ", ".join(guess.name for guess in mapping if guess.name)
    raise InvalidValue("map", "unknown_column", f"The file has no column “{heading}”. Columns: {names}.")


def _write(path: Path, pieces: Iterator[bytes]) -> int:
    size = 0
    with path.open("wb") as file:
        for piece in pieces:
            size += file.write(piece)
    return size


def _print_json(data: dict[str, Any]) -> None:
    typer.echo(json.dumps(data, ensure_ascii=False))


def _print_report(view: ImportView, errors: Path | None) -> None:
    typer.echo(
        f"{view.status}: {view.imported} imported, {view.updated} updated, {view.duplicates} duplicates, "
        f"{view.skipped} skipped ({view.suppressed} suppressed), {view.errors} errors of {view.rows_total} rows"
    )
    for example in (view.preview.checks.examples if view.preview else ())[:5]:
        place = f"line {example.line}" + (f", {example.column}" if example.column else "")
        typer.echo(f"  {place}: {sentence(example.code, 'en', example.detail)}", err=True)
    if errors is not None and view.errors:
        typer.echo(f"The refused rows are in {errors}.", err=True)
