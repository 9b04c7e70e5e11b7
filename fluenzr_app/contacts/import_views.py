"""An import as pages, API and command line show it: facts, progress, preview, report."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fluenzr_app.contacts.import_options import ImportOptions
from fluenzr_app.contacts.inspection import Inspection
from fluenzr_app.contacts.mapping import Guess, from_data
from fluenzr_app.contacts.models import ContactImport
from fluenzr_app.contacts.staging import StageResult

ADVICE_FROM = 0.10
"""Share of faulty rows above which stopping first is advised (contacts.md, CSV import, Report)."""


@dataclass(frozen=True)
class Preview:
    """What the import will do if it runs now; new + existing + suppressed + duplicates + faults = rows."""

    checks: StageResult
    new: int
    existing: int
    suppressed: int

    @property
    def error_share(self) -> float:
        """Faulty rows among all, 0–1."""
        return self.checks.faults / self.checks.rows if self.checks.rows else 0.0

    @property
    def advises_to_stop(self) -> bool:
        """True when so many rows are faulty that mending the file first is the better way."""
        return self.error_share > ADVICE_FROM

    def as_data(self) -> dict[str, Any]:
        """Return a form for JSON."""
        return {
            "checks": self.checks.as_data(),
            "new": self.new,
            "existing": self.existing,
            "suppressed": self.suppressed,
        }

    @classmethod
    def from_data(cls, data: dict[str, Any]) -> Preview:
        """Return what ``as_data`` was made from."""
        return cls(StageResult.from_data(data["checks"]), data["new"], data["existing"], data["suppressed"])


@dataclass(frozen=True)
class ImportView:
    """An import with everything a page needs. ``rows_done`` of ``rows_total``; ``skipped`` holds ``suppressed``."""

    id: int
    status: str
    file_name: str
    file_bytes: int
    inspection: Inspection
    mapping: tuple[Guess, ...]
    options: ImportOptions
    preview: Preview | None
    consent_certified: bool
    rows_total: int
    rows_done: int
    imported: int
    updated: int
    duplicates: int
    skipped: int
    suppressed: int
    errors: int
    failure: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    def rate(self, now: datetime) -> float | None:
        """Rows a second since the start, or None before there is anything to tell."""
        if self.started_at is None:
            return None
        seconds = ((self.finished_at or now) - self.started_at).total_seconds()
        # What was refused before the start was not this run's work.
        stored = self.imported + self.updated + self.skipped
        return stored / seconds if seconds > 0 and stored else None

    def seconds_left(self, now: datetime) -> float | None:
        """Seconds until the end at the present rate, or None when it cannot be told."""
        rate = self.rate(now)
        if self.status != "running" or not rate:
            return None
        return (self.rows_total - self.rows_done) / rate

    @property
    def warns_about_consent(self) -> bool:
        """True when no source of the consent is given for the file."""
        return self.options.consent_source == "not_specified" and not any(
            guess.action == "field" and guess.target == "consent_source" for guess in self.mapping
        )


def without_people(analysis: dict[str, Any], *, examples: bool = False) -> dict[str, Any]:
    """Return the analysis of an import that is over without the cells it shows; with ``examples`` also the faults'."""
    inspection = analysis["inspection"]
    columns = [{**column, "first_values": [], "sample": []} for column in inspection["columns"]]
    kept = {**analysis, "inspection": {**inspection, "columns": columns}}
    if examples and "preview" in analysis:
        checks = {**analysis["preview"]["checks"], "examples": []}
        kept["preview"] = {**analysis["preview"], "checks": checks}
    return kept


def view_of(row: ContactImport) -> ImportView:
    """Return the view of a stored import."""
    preview = row.analysis.get("preview")
    return ImportView(
        id=row.id or 0,
        status=row.status,
        file_name=row.file_name,
        file_bytes=row.file_bytes,
        inspection=Inspection.from_data(row.analysis["inspection"]),
        mapping=from_data(row.mapping),
        options=ImportOptions.from_data(row.options),
        preview=Preview.from_data(preview) if preview else None,
        consent_certified=row.consent_certified,
        rows_total=row.rows_total,
        rows_done=row.rows_done,
        imported=row.imported,
        updated=row.updated,
        duplicates=row.duplicates,
        skipped=row.skipped,
        suppressed=row.suppressed,
        errors=row.errors,
        failure=row.failure,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )
