"""What tests ask of the seeded installation."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text

from fluenzr_app.db.engine import Database
from fluenzr_app.demo.sample import Sample

MONDAY = date(2026, 3, 30)  # the day after the clocks of Europe went forward
KEY = b"tests only: 32 bytes of key, ok."
PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Seeded:
    """The installation as it stands when the demonstration begins."""

    db: Database
    sample: Sample

    def rows(self, statement: str, **values: object) -> list[tuple[Any, ...]]:
        """The rows of an SQL query."""
        with self.db.read() as session:
            return [tuple(row) for row in session.connection().execute(text(statement), values)]

    def counts(self, statement: str) -> dict[str, int]:
        """The rows of a query of names and numbers."""
        return {str(name): int(str(n)) for name, n in self.rows(statement)}
