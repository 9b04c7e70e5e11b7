"""From a SQLModel class to its Core table: the hot paths use Core statements."""

from typing import cast

from sqlalchemy import Table
from sqlmodel import SQLModel


def table_of(model: type[SQLModel]) -> Table:
    """Return the Core table behind a model."""
    return cast(Table, model.__table__)  # type: ignore[attr-defined]
