"""Running imports: chunk by chunk, each one transaction, from wherever the last run stopped.

A chunk and the import's position change in one transaction, and only if the position is still the one that was
read: whoever is killed, and however many processes tick, no row is stored twice and none is left out.
"""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import ColumnElement, and_, update
from sqlalchemy.exc import OperationalError
from sqlmodel import Session, col, select

from fluenzr_app.clock import Clock
from fluenzr_app.contacts import imports
from fluenzr_app.contacts.checks import Plan, Staged
from fluenzr_app.contacts.custom_fields import list_custom_fields
from fluenzr_app.contacts.delimiters import parse_delimiter
from fluenzr_app.contacts.encodings import parse_encoding
from fluenzr_app.contacts.errors import ContactsError, FileRefused
from fluenzr_app.contacts.file_worker import stage_file
from fluenzr_app.contacts.import_chunk import ChunkResult, ChunkWork, store_chunk
from fluenzr_app.contacts.import_files import FOLDER, drop_all, drop_contacts, folder_of, original_of
from fluenzr_app.contacts.import_options import ImportOptions
from fluenzr_app.contacts.import_views import ImportView, view_of, without_people
from fluenzr_app.contacts.inspection import Inspection
from fluenzr_app.contacts.labels import list_groups
from fluenzr_app.contacts.mapping import from_data
from fluenzr_app.contacts.models import ContactImport, ImportChunk
from fluenzr_app.contacts.staging import STAGED, StageResult, read_staged
from fluenzr_app.contacts.suppression import hasher_of
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database

log = logging.getLogger(__name__)

AIM_S = 0.06
"""How long a chunk should hold the database; contacts.md allows 0.2."""
FIRST_ROWS, FEWEST_ROWS, MOST_ROWS = 200, 20, 1_000
KEPT_FOR = timedelta(days=30)
DRAFT_KEPT_FOR = timedelta(days=7)
_ORPHAN_AFTER_S = 86_400


@dataclass(frozen=True)
class _Position:
    """Where a running import stands."""

    import_id: int
    workspace_id: int
    file_path: str
    next_byte: int
    chunks: int


class ImportRunner:
    """Advances imports. One per process; the size of its chunks follows how long the last ones took."""

    def __init__(
        self,
        db: Database,
        data_dir: Path,
        keyring: KeyRing,
        clock: Clock,
        *,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._db, self._data_dir, self._keyring, self._clock, self._pause = db, data_dir, keyring, clock, pause
        self._rows = FIRST_ROWS
        self.typical_s = 0.0
        """How long chunks hold the database of late, in seconds (a moving mean)."""

    def tick(self, *, budget_s: float = 2.0) -> bool:
        """Advance the running imports in turn for about ``budget_s``; True when there is more to do.

        Blocks, so call it in a thread. Raises OperationalError when the database cannot be reached; the next tick
        goes on from the same place.
        """
        end = time.monotonic() + budget_s
        while running := self._running():
            for position in running:
                self._advance(position)
                if time.monotonic() >= end:
                    return True
        return False

    def run_to_end(
        self, workspace_id: int, import_id: int, progress: Callable[[ImportView], None] | None = None
    ) -> ImportView:
        """Run one import to its end in this thread, and return it; ``progress`` is told after each chunk.

        Raises ImportNotFound.
        """
        while True:
            with self._db.read() as session:
                row = imports.load(session, workspace_id, import_id)
                view = view_of(row)
                position = _position(row)
            if progress is not None:
                progress(view)
            if view.status != "running":
                return view
            self._advance(position)

    def sweep(self, now: datetime) -> int:
        """Delete the files of imports that are long over or were never started; returns how many imports that were."""
        with self._db.transaction() as session:
            old = session.exec(
                select(ContactImport).where(
                    col(ContactImport.status).in_(["draft", "ready"]),
                    col(ContactImport.created_at) < now - DRAFT_KEPT_FOR,
                )
            ).all()
            for row in old:
                row.status, row.finished_at = "cancelled", now
                row.analysis = without_people(row.analysis, examples=True)
            cancelled = session.exec(
                select(ContactImport.file_path).where(col(ContactImport.status) == "cancelled")
            ).all()
            over = session.exec(
                select(ContactImport).where(
                    col(ContactImport.status).in_(["done", "cancelled"]),
                    col(ContactImport.finished_at) < now - KEPT_FOR,
                )
            ).all()
            for row in over:
                if self._has_folder(row.file_path):
                    row.analysis = without_people(row.analysis, examples=True)
        for path in cancelled:
            drop_contacts(self._data_dir, path)
        present = [path for path in {row.file_path for row in (*over, *old)} if self._has_folder(path)]
        for path in present:
            drop_all(self._data_dir, path)
        self._drop_orphans()
        return len(present)

    def _has_folder(self, file_path: str) -> bool:
        return folder_of(self._data_dir, file_path).is_dir()

    def _running(self) -> list[_Position]:
        with self._db.read() as session:
            statement = (
                select(ContactImport).where(col(ContactImport.status) == "running").order_by(col(ContactImport.id))
            )
            return [_position(row) for row in session.exec(statement)]

    def _advance(self, position: _Position) -> None:
        try:
            rows, end = self._next_rows(position)
            if rows:
                self._store(position, rows, end)
            else:
                self._finish(position)
        except OperationalError:
            raise
        except ContactsError as refused:
            self._fail(position, refused.code)
        except Exception:
            log.exception("an import stopped")
            self._fail(position, "unexpected")

    def _next_rows(self, position: _Position) -> tuple[list[Staged], int]:
        path = folder_of(self._data_dir, position.file_path) / STAGED
        if not path.is_file():
            # Lost with a scratch disk or a restored backup; the checks give the same bytes again.
            self._stage_again(position)
        return read_staged(path, position.next_byte, self._rows)

    def _stage_again(self, position: _Position) -> None:
        with self._db.read() as session:
            row = imports.load(session, position.workspace_id, position.import_id)
            definitions = list_custom_fields(session, position.workspace_id)
        inspection = Inspection.from_data(row.analysis["inspection"])
        checks = stage_file(
            original_of(self._data_dir, row.file_path),
            folder_of(self._data_dir, row.file_path),
            Plan(from_data(row.mapping), definitions, ImportOptions.from_data(row.options).repair),
            encoding=parse_encoding(inspection.encoding),
            delimiter=parse_delimiter(inspection.delimiter),
            header_line=inspection.header_line,
        )
        if checks != StageResult.from_data(row.analysis["preview"]["checks"]):
            raise FileRefused("file_changed", "The file is not the one that was checked; import it anew.")

    def _store(self, position: _Position, rows: list[Staged], end: int) -> None:
        work = self._work(position)
        now = self._clock.now()
        began = time.perf_counter()
        with self._db.transaction() as session:
            if not _claim(session, position, end):
                return
            result = store_chunk(session, work, rows, now)
            _record(session, position, len(rows), result, now)
        took = time.perf_counter() - began
        self.typical_s = took if not self.typical_s else 0.8 * self.typical_s + 0.2 * took
        self._rows = max(FEWEST_ROWS, min(MOST_ROWS, int(self._rows * max(0.25, min(2.0, AIM_S / took)))))
        # SQLite gives its lock to whoever asks first; without a breath between chunks others would hardly get it.
        self._pause(max(0.01, took / 4))

    def _work(self, position: _Position) -> ChunkWork:
        with self._db.read() as session:
            row = imports.load(session, position.workspace_id, position.import_id)
            options = ImportOptions.from_data(row.options)
            groups = {group.id for group in list_groups(session, position.workspace_id)}
            if options.group_id not in groups:
                # Deleted while the import runs: the contacts come in all the same.
                options = replace(options, group_id=None)
            return ChunkWork(
                position.workspace_id,
                position.import_id,
                options,
                hasher_of(session, self._keyring, position.workspace_id),
                list_custom_fields(session, position.workspace_id),
            )

    def _finish(self, position: _Position) -> None:
        with self._db.transaction() as session:
            row = imports.load(session, position.workspace_id, position.import_id, lock=True)
            ended = row.status == "running" and row.next_byte == position.next_byte
            if ended:
                row.status, row.finished_at = "done", self._clock.now()
                row.analysis = without_people(row.analysis)
        if ended:
            drop_contacts(self._data_dir, position.file_path)

    def _fail(self, position: _Position, code: str) -> None:
        with self._db.transaction() as session:
            session.connection().execute(
                update(ContactImport)
                .where(_still_at(position))
                .values(status="failed", failure=code, finished_at=self._clock.now())
            )

    def _drop_orphans(self) -> None:
        """Directories that no import knows: their process was killed between storing the file and the row."""
        home = self._data_dir / FOLDER
        if not home.is_dir():
            return
        for folder in home.iterdir():
            if time.time() - folder.stat().st_mtime < _ORPHAN_AFTER_S:
                continue
            with self._db.read() as session:
                known = session.exec(
                    select(ContactImport.id).where(
                        col(ContactImport.file_path).startswith(f"{FOLDER}/{folder.name}/", autoescape=True)
                    )
                ).first()
            if known is None:
                shutil.rmtree(folder, ignore_errors=True)


def _position(row: ContactImport) -> _Position:
    assert row.id is not None
    return _Position(row.id, row.workspace_id, row.file_path, row.next_byte, row.chunks)


def _still_at(position: _Position) -> ColumnElement[bool]:
    return and_(
        col(ContactImport.id) == position.import_id,
        col(ContactImport.workspace_id) == position.workspace_id,
        col(ContactImport.status) == "running",
        col(ContactImport.next_byte) == position.next_byte,
    )


def _claim(session: Session, position: _Position, end: int) -> bool:
    """Move the position; False when the import was cancelled, or another process stored this chunk."""
    moved = session.connection().execute(
        update(ContactImport).where(_still_at(position)).values(next_byte=end, chunks=position.chunks + 1)
    )
    return moved.rowcount == 1


def _record(session: Session, position: _Position, rows: int, result: ChunkResult, now: datetime) -> None:
    session.add(ImportChunk(import_id=position.import_id, no=position.chunks + 1, rows=rows, at=now))
    session.flush()
    session.connection().execute(
        update(ContactImport)
        .where(col(ContactImport.workspace_id) == position.workspace_id, col(ContactImport.id) == position.import_id)
        .values(
            rows_done=col(ContactImport.rows_done) + rows,
            imported=col(ContactImport.imported) + result.imported,
            updated=col(ContactImport.updated) + result.updated,
            skipped=col(ContactImport.skipped) + result.skipped,
            suppressed=col(ContactImport.suppressed) + result.suppressed,
        )
    )
