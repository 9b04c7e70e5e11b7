"""`page`, `perPage`, `sort` and `order` of every list (api.md)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends, Query

from fluenzr_app.api.refusals import invalid


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for, and in which order."""

    number: int
    per_page: int
    sort: str
    order: Literal["asc", "desc"]

    @property
    def offset(self) -> int:
        """How many rows come before this page."""
        return (self.number - 1) * self.per_page

    def column(self, known: Mapping[str, str]) -> str:
        """Return the room's name for the wanted order; raises ApiError 400 for one that is not `known`."""
        if self.sort not in known:
            raise invalid("sort", f"Sort by one of {', '.join(sorted(known))}.", "unknown_sort")
        return known[self.sort]


def page_of(
    page: Annotated[int, Query(ge=1, le=10_000_000)] = 1,
    per_page: Annotated[int, Query(alias="perPage", ge=1, le=100)] = 20,
    sort: Annotated[str, Query(max_length=50)] = "createdAt",
    order: Annotated[Literal["asc", "desc"], Query()] = "desc",
) -> Page:
    """Return the page that the query asks for."""
    return Page(page, per_page, sort, order)


Paged = Annotated[Page, Depends(page_of)]
