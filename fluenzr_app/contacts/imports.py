"""The steps of an import from the file to the start: read, map, choose, preview, start (contacts.md, CSV import).

These functions open their own short transactions, because reading a file stands between them: nothing of the
database is held meanwhile. Call them from a thread (``Database.run``). The run itself is in ``import_run``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

from sqlmodel import Session, col, select

from fluenzr_app.contacts.checks import Plan
from fluenzr_app.contacts.csv_write import csv_lines
from fluenzr_app.contacts.custom_fields import create_custom_field, list_custom_fields
from fluenzr_app.contacts.delimiters import Delimiter, parse_delimiter
from fluenzr_app.contacts.encodings import Encoding, parse_encoding
from fluenzr_app.contacts.errors import (
    FileRefused,
    ImportNotFound,
    ImportNotReady,
    ImportRowsLimitReached,
)
from fluenzr_app.contacts.field_names import ERROR_FILE_HEADINGS
from fluenzr_app.contacts.file_worker import inspect_file, stage_file
from fluenzr_app.contacts.import_files import drop_all, folder_of, original_of, store_file
from fluenzr_app.contacts.import_options import ImportOptions, checked_options
from fluenzr_app.contacts.import_views import ImportView, Preview, view_of, without_people
from fluenzr_app.contacts.inspection import Inspection
from fluenzr_app.contacts.labels import check_groups, group_named
from fluenzr_app.contacts.mapping import Action, Guess, Known, as_data, check_mapping, choose, from_data, guess_mapping
from fluenzr_app.contacts.models import ContactImport
from fluenzr_app.contacts.reasons import sentence
from fluenzr_app.contacts.service import archive_import, check_limit
from fluenzr_app.contacts.staging import FAULTS, STAGED, read_faults, read_staged
from fluenzr_app.contacts.store import existing
from fluenzr_app.contacts.suppression import hasher_of, is_suppressed
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database

_BATCH = 2_000
_ARCHIVED_AT_ONCE = 500
_OPEN = ("draft", "ready")


def begin(
    db: Database,
    data_dir: Path,
    workspace_id: int,
    file_name: str,
    blocks: Iterable[bytes],
    now: datetime,
    *,
    user_id: int | None = None,
    most_bytes: int | None = None,
    most_rows: int | None = None,
    encoding: Encoding | None = None,
    delimiter: Delimiter | None = None,
    header_line: int | None = None,
) -> ImportView:
    """Store a file, find out how it is written and what its columns are, and return the draft of an import.

    Raises FileRefused, NoHeader, ImportRowsLimitReached; nothing is kept then.
    """
    stored = store_file(data_dir, blocks, most_bytes=most_bytes)
    try:
        path = original_of(data_dir, stored.relative)
        inspection = inspect_file(path, encoding=encoding, delimiter=delimiter, header_line=header_line)
        _check_rows(inspection, most_rows)
        with db.transaction() as session:
            row = ContactImport(
                workspace_id=workspace_id,
                user_id=user_id,
                file_name=Path(file_name).name[:255] or "contacts.csv",
                file_path=stored.relative,
                file_bytes=stored.size,
                analysis={"inspection": inspection.as_data()},
                mapping=as_data(_guess(session, workspace_id, inspection)),
                options=ImportOptions().as_data(),
                rows_total=inspection.rows,
                created_at=now,
            )
            session.add(row)
            session.flush()
            return view_of(row)
    except BaseException:
        drop_all(data_dir, stored.relative)
        raise


def reread(
    db: Database,
    data_dir: Path,
    workspace_id: int,
    import_id: int,
    *,
    encoding: str | None = None,
    delimiter: str | None = None,
    header_line: int | None = None,
) -> ImportView:
    """Read the file again the way the user says, and return the draft with a new mapping.

    What is not given is found anew. Raises ImportNotFound, ImportNotReady, FileRefused, NoHeader.
    """
    with db.read() as session:
        row = _open_import(session, workspace_id, import_id)
        path = original_of(data_dir, row.file_path)
    inspection = inspect_file(
        path,
        encoding=parse_encoding(encoding) if encoding else None,
        delimiter=parse_delimiter(delimiter) if delimiter else None,
        header_line=header_line,
    )
    with db.transaction() as session:
        row = _open_import(session, workspace_id, import_id, lock=True)
        row.analysis = {"inspection": inspection.as_data()}
        row.mapping = as_data(_guess(session, workspace_id, inspection))
        row.status, row.rows_total = "draft", inspection.rows
        return view_of(row)


def set_column(
    session: Session, workspace_id: int, import_id: int, index: int, action: Action, target: str = ""
) -> ImportView:
    """Let the column at ``index`` become another field, a custom one, a new one, or nothing; the preview lapses.

    Raises ImportNotFound, ImportNotReady, InvalidValue.
    """
    row = _open_import(session, workspace_id, import_id, lock=True)
    _set_mapping(row, choose(from_data(row.mapping), index, action, target))
    return view_of(row)


def set_options(session: Session, workspace_id: int, import_id: int, options: ImportOptions) -> ImportView:
    """Keep the options; only a change of ``repair`` makes the preview lapse.

    Raises ImportNotFound, ImportNotReady, InvalidValue, GroupNotFound.
    """
    row = _open_import(session, workspace_id, import_id, lock=True)
    clean = checked_options(options)
    if clean.group_id is not None:
        check_groups(session, workspace_id, [clean.group_id])
    if clean.repair != ImportOptions.from_data(row.options).repair:
        _set_mapping(row, from_data(row.mapping))
    row.options = clean.as_data()
    return view_of(row)


def preview(db: Database, data_dir: Path, keyring: KeyRing, workspace_id: int, import_id: int) -> ImportView:
    """Check every row, compare with the contacts and the suppression list, and return the import, now ready.

    Raises ImportNotFound, ImportNotReady, InvalidValue (mapping), FileRefused.
    """
    with db.read() as session:
        row = _open_import(session, workspace_id, import_id)
        definitions = list_custom_fields(session, workspace_id)
        hasher = hasher_of(session, keyring, workspace_id)
        mapping, repair = from_data(row.mapping), ImportOptions.from_data(row.options).repair
        check_mapping(mapping, [Known(d.name, d.label) for d in definitions])
        inspection = Inspection.from_data(row.analysis["inspection"])
        relative, mapping_then = row.file_path, row.mapping
    checks = stage_file(
        original_of(data_dir, relative),
        folder_of(data_dir, relative),
        Plan(mapping, definitions, repair),
        encoding=parse_encoding(inspection.encoding),
        delimiter=parse_delimiter(inspection.delimiter),
        header_line=inspection.header_line,
    )
    known = suppressed = at = 0
    while True:
        staged, at = read_staged(folder_of(data_dir, relative) / STAGED, at, _BATCH)
        if not staged:
            break
        keys = [row.key for row in staged]
        with db.read() as session:
            blocked = is_suppressed(session, hasher, workspace_id, keys)
            known += len(existing(session, workspace_id, [key for key in keys if key not in blocked]))
        suppressed += len(blocked)
    found = Preview(checks, checks.ready - known - suppressed, known, suppressed)
    with db.transaction() as session:
        row = _open_import(session, workspace_id, import_id, lock=True)
        if row.mapping != mapping_then or ImportOptions.from_data(row.options).repair != repair:
            raise ImportNotReady(
                "changed_meanwhile", "The mapping was changed while the rows were checked; look again."
            )
        row.analysis = {**row.analysis, "preview": found.as_data()}
        row.status = "ready"
        return view_of(row)


def start(
    session: Session,
    workspace_id: int,
    import_id: int,
    now: datetime,
    *,
    consent_certified: bool,
    most_contacts: int | None = None,
) -> ImportView:
    """Set the import running; the next tick stores its first chunk.

    New custom fields and the destination group are made here. Raises ImportNotFound, ImportNotReady
    (``not_previewed``, ``consent_not_certified``, ``already_started``), ContactLimitReached.
    """
    row = _open_import(session, workspace_id, import_id, lock=True)
    found = view_of(row).preview
    if row.status != "ready" or found is None:
        raise ImportNotReady("not_previewed", "Look at the preview first.")
    if not consent_certified:
        raise ImportNotReady(
            "consent_not_certified", "Certify that these people agreed to hear from you before the import starts."
        )
    check_limit(session, workspace_id, most_contacts, found.new)
    for guess in from_data(row.mapping):
        if guess.action == "new":
            create_custom_field(session, workspace_id, guess.target, guess.name, now)
    options = ImportOptions.from_data(row.options)
    if options.group_id is None and options.group_name:
        group_id = group_named(session, workspace_id, options.group_name, now)
        row.options = {**row.options, "group_id": group_id}
    row.consent_certified = True
    row.status, row.started_at = "running", now
    row.rows_total = found.checks.rows
    row.duplicates, row.errors = found.checks.duplicates, found.checks.faults
    row.rows_done = row.duplicates + row.errors
    row.chunks = row.next_byte = row.imported = row.updated = row.skipped = row.suppressed = 0
    session.flush()
    return view_of(row)


def cancel(session: Session, workspace_id: int, import_id: int, now: datetime) -> ImportView:
    """Stop an import for good; what it stored so far stays, and can be archived with ``take_back``.

    Raises ImportNotFound, ImportNotReady ``already_over``.
    """
    row = load(session, workspace_id, import_id, lock=True)
    if row.status not in (*_OPEN, "running", "failed"):
        raise ImportNotReady("already_over", "This import is over already.")
    row.status, row.finished_at = "cancelled", now
    row.analysis = without_people(row.analysis)
    session.flush()
    return view_of(row)


def take_back(db: Database, workspace_id: int, import_id: int, now: datetime) -> int:
    """Archive every contact that the import created, in short transactions, and return how many that were.

    Raises ImportNotFound.
    """
    with db.read() as session:
        load(session, workspace_id, import_id)
    archived = 0
    while True:
        with db.transaction() as session:
            part = archive_import(session, workspace_id, import_id, now, most=_ARCHIVED_AT_ONCE)
        if not part:
            return archived
        archived += part


def resume(session: Session, workspace_id: int, import_id: int) -> ImportView:
    """Let an import that failed go on where it stopped; raises ImportNotFound, ImportNotReady ``not_failed``."""
    row = load(session, workspace_id, import_id, lock=True)
    if row.status != "failed":
        raise ImportNotReady("not_failed", "Only an import that failed can be resumed.")
    row.status, row.failure, row.finished_at = "running", "", None
    session.flush()
    return view_of(row)


def get_import(session: Session, workspace_id: int, import_id: int) -> ImportView:
    """Return an import; raises ImportNotFound."""
    return view_of(load(session, workspace_id, import_id))


def list_imports(session: Session, workspace_id: int, *, most: int = 50) -> list[ImportView]:
    """Return the newest imports of the workspace."""
    statement = (
        select(ContactImport)
        .where(col(ContactImport.workspace_id) == workspace_id)
        .order_by(col(ContactImport.created_at).desc(), col(ContactImport.id).desc())
        .limit(most)
    )
    return [view_of(row) for row in session.exec(statement)]


def error_file(
    session: Session, data_dir: Path, workspace_id: int, import_id: int, *, language: str = "fr", bom: bool = False
) -> Iterator[bytes]:
    """Return the faulty rows as CSV in pieces: line, column, reason, and the original row under its own headings.

    Ready to be corrected and imported again: the first three columns are ignored then. ``bom`` is for people
    who open it in Excel. Raises ImportNotFound, ImportNotReady ``no_error_file``.
    """
    row = load(session, workspace_id, import_id)
    path = folder_of(data_dir, row.file_path) / FAULTS
    if "preview" not in row.analysis or not path.is_file():
        raise ImportNotReady("no_error_file", "There is no error file; it is kept for 30 days after the import.")
    inspection = Inspection.from_data(row.analysis["inspection"])
    return _error_lines(path, [column.name for column in inspection.columns], inspection.delimiter, language, bom)


def load(session: Session, workspace_id: int, import_id: int, *, lock: bool = False) -> ContactImport:
    """Return the stored import; raises ImportNotFound."""
    statement = select(ContactImport).where(
        col(ContactImport.workspace_id) == workspace_id, col(ContactImport.id) == import_id
    )
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    row = session.exec(statement).first()
    if row is None:
        raise ImportNotFound
    return row


def _open_import(session: Session, workspace_id: int, import_id: int, *, lock: bool = False) -> ContactImport:
    row = load(session, workspace_id, import_id, lock=lock)
    if row.status not in _OPEN:
        raise ImportNotReady("already_started", "This import has started; its file and options are fixed now.")
    return row


def _set_mapping(row: ContactImport, mapping: tuple[Guess, ...]) -> None:
    row.mapping = as_data(mapping)
    row.analysis = {"inspection": row.analysis["inspection"]}
    row.status = "draft"


def _guess(session: Session, workspace_id: int, inspection: Inspection) -> tuple[Guess, ...]:
    known = [Known(field.name, field.label) for field in list_custom_fields(session, workspace_id)]
    return guess_mapping([column.as_column(inspection.rows) for column in inspection.columns], known)


def _check_rows(inspection: Inspection, most_rows: int | None) -> None:
    if inspection.rows == 0:
        raise FileRefused("no_rows", "The file has column names, but no rows below them.")
    if most_rows is not None and inspection.rows > most_rows:
        raise ImportRowsLimitReached(most_rows, inspection.rows)


def _error_lines(path: Path, names: list[str], delimiter: str, language: str, bom: bool) -> Iterator[bytes]:
    headings = ERROR_FILE_HEADINGS["en" if language == "en" else "fr"]

    def rows() -> Iterator[list[str]]:
        for fault in read_faults(path):
            column = names[fault.column] if 0 <= fault.column < len(names) else ""
            yield [str(fault.line), column, sentence(fault.code, language, fault.detail), *fault.cells]

    if bom:
        yield b"\xef\xbb\xbf"
    yield from csv_lines([*headings, *names], rows(), delimiter=delimiter)
