"""Column types that mean the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import JSON, BigInteger, DateTime, Integer, LargeBinary, Row
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# SQLite only gives a self-counting primary key to the type INTEGER.
BigId = BigInteger().with_variant(Integer(), "sqlite")
# An absent value is NULL, not the JSON word null, so that IS NULL finds it.
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
Bytes = LargeBinary()
# A row of a Core select, whatever its columns: they are read by name.
AnyRow: TypeAlias = Row[*tuple[Any, ...]]


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment: `timestamptz` on PostgreSQL, microseconds since 1970 as an integer on SQLite.

    Integers sort, compare and index as time does, and cost a tenth of parsing text. Naive values are refused.
    """

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that the database really stores."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(BigInteger())
        return dialect.type_descriptor(DateTime(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Return what is sent to the database; raises ValueError for a naive time."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone was about to be stored")
        if dialect.name == "sqlite":
            return (value - _EPOCH) // _MICROSECOND
        return value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return the stored moment, aware, in UTC."""
        if value is None:
            return None
        if dialect.name == "sqlite":
            return _EPOCH + timedelta(microseconds=value)
        moment: datetime = value
        return moment.astimezone(UTC)
