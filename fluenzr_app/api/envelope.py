"""The one shape of every answer: `success`, `data`, `meta`, or `success`, `error` (api.md)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Generic, TypeVar

from fastapi import Response
from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

T = TypeVar("T")


class Shape(BaseModel):
    """A part of an answer: names in camelCase."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Given(BaseModel):
    """A part of a request: names in camelCase; an unknown one is a fault, for it is a slip that nobody would see."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", str_max_length=100_000)


class PageMeta(Shape):
    """Where a list stands. `total` is exact unless `totalIsLowerBound` says that there are more."""

    page: int
    per_page: int
    total: int
    total_pages: int
    total_is_lower_bound: bool | None = None


class Envelope(BaseModel, Generic[T]):
    """An answer that succeeded."""

    success: bool = True
    data: T
    meta: dict[str, Any] | None = None


class ListEnvelope(BaseModel, Generic[T]):
    """A page of a list."""

    success: bool = True
    data: list[T]
    meta: PageMeta


class ErrorPart(BaseModel):
    """What went wrong: `code` is stable, `message` is for people, `details` name the field or the values."""

    code: str
    message: str
    details: Any = None


class ErrorEnvelope(BaseModel):
    """An answer that did not succeed."""

    success: bool = False
    error: ErrorPart


@dataclass(frozen=True, slots=True)
class Answer:
    """What a route has to say: a status, the data (shapes, lists or plain values) and the meta."""

    data: Any
    status: int = 200
    meta: Mapping[str, Any] | Shape | None = None

    def body(self) -> str:
        """Return the JSON text of the envelope."""
        content: dict[str, Any] = {"success": True, "data": plain(self.data)}
        if self.meta is not None:
            content["meta"] = plain(self.meta)
        return _json(content)


class ApiError(Exception):
    """A refusal with its status; raised by routes and made of the rooms' own errors (refusals.py)."""

    def __init__(
        self, status: int, code: str, message: str, details: Any = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.headers = headers or {}

    def response(self) -> Response:
        """Return the refusal in the envelope."""
        content = {"code": self.code, "message": self.message, "details": plain(self.details)}
        return json_response(_json({"success": False, "error": content}), self.status, self.headers)


def json_response(body: str, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer that no cache keeps: every one of them holds a customer's data."""
    kept = {"cache-control": "no-store", **(headers or {})}
    return Response(body, status, kept, media_type="application/json")


def page_meta(page: int, per_page: int, total: int, *, lower_bound: bool = False) -> Mapping[str, Any]:
    """Return the meta of a list page; a lower bound is told only where it is one (contacts.md, List page)."""
    pages = -(-total // per_page)
    meta: dict[str, Any] = {"page": page, "perPage": per_page, "total": total, "totalPages": pages}
    if lower_bound:
        meta["totalIsLowerBound"] = True
    return meta


def instant(moment: datetime) -> str:
    """Return a time as the API writes it: ISO 8601 in UTC with Z."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def plain(value: Any) -> Any:
    """Return `value` as JSON can hold it; raises TypeError for what has no meaning there."""
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, BaseModel):
        by_alias = {info.serialization_alias or name: getattr(value, name) for name, info in _fields(value)}
        return {name: plain(part) for name, part in by_alias.items()}
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(part) for key, part in value.items()}
    if isinstance(value, Sequence | set | frozenset) and not isinstance(value, bytes):
        return [plain(part) for part in value]
    raise TypeError(f"{type(value).__name__} does not go into an answer")


def _fields(value: BaseModel) -> Sequence[tuple[str, Any]]:
    return list(type(value).model_fields.items())


def _json(content: Any) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
