"""The list of contacts: paged, searched, sorted and filtered in the database (contacts.md, List page)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, String, cast, exists, func, select
from sqlmodel import Session, SQLModel, col

from fluenzr_app.contacts import counts
from fluenzr_app.contacts.errors import InvalidValue
from fluenzr_app.contacts.folding import fold
from fluenzr_app.contacts.labels import name_key
from fluenzr_app.contacts.models import Contact, ContactTag, GroupMember, Tag
from fluenzr_app.contacts.service import ContactCard, cards

COUNTED_TO = 10_000
"""A filter whose matches are not kept counts so far, and then says “more than”."""
MOST_PER_PAGE = 100
_TABLE = SQLModel.metadata.tables[Contact.__tablename__]

SORTS: Mapping[str, Any] = {
    "created_at": col(Contact.created_at),
    "updated_at": col(Contact.updated_at),
    "email": col(Contact.email_key),
    "first_name": col(Contact.first_name),
    "last_name": col(Contact.last_name),
    "company": col(Contact.company),
    "job_title": col(Contact.job_title),
    "city": col(Contact.city),
    "country": col(Contact.country),
    "status": col(Contact.status),
}


@dataclass(frozen=True)
class ContactFilter:
    """What the contacts must match; everything given must hold. ``query`` looks in names, company and address."""

    query: str = ""
    statuses: tuple[str, ...] = ()
    group_ids: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    email: str = ""
    company: str = ""
    city: str = ""
    country: str = ""
    domain: str = ""
    language: str = ""
    consent_source: str = ""
    owner_id: int | None = None
    import_id: int | None = None
    ids: tuple[int, ...] | None = None
    custom: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ContactPage:
    """One page, and how many match in all; with ``total_is_lower_bound`` there are more than ``total``."""

    cards: tuple[ContactCard, ...]
    total: int
    total_is_lower_bound: bool
    page: int
    per_page: int

    @property
    def total_pages(self) -> int:
        """How many pages there are at least."""
        return max(1, -(-self.total // self.per_page))


def list_contacts(
    session: Session,
    workspace_id: int,
    filters: ContactFilter | None = None,
    *,
    page: int = 1,
    per_page: int = 20,
    sort: str = "created_at",
    order: Literal["asc", "desc"] = "desc",
) -> ContactPage:
    """Return a page of contacts, sorted by one of SORTS and then by id.

    ``per_page`` is held between 1 and 100, ``page`` starts at 1. Raises InvalidValue ``unknown_sort``.
    """
    if sort not in SORTS or order not in ("asc", "desc"):
        raise InvalidValue(
            "sort", "unknown_sort", f"Contacts are sorted by {', '.join(SORTS)}, asc or desc.", value=sort
        )
    wanted = filters or ContactFilter()
    page, per_page = max(page, 1), max(1, min(per_page, MOST_PER_PAGE))
    session.flush()
    direction = (SORTS[sort].asc(), col(Contact.id).asc()) if order == "asc" else (
        SORTS[sort].desc(), col(Contact.id).desc()
    )  # fmt: skip
    statement = (
        select(Contact)
        .where(*conditions(workspace_id, wanted))
        .order_by(*direction)
        .limit(per_page)
        .offset((page - 1) * per_page)
    )
    rows: Sequence[Contact] = session.execute(statement).scalars().all()
    if 0 < len(rows) < per_page or (not rows and page == 1):
        total, more = (page - 1) * per_page + len(rows), False
    else:
        total, more = count(session, workspace_id, wanted)
    return ContactPage(tuple(cards(session, workspace_id, rows)), total, more, page, per_page)


def count(session: Session, workspace_id: int, filters: ContactFilter) -> tuple[int, bool]:
    """Return how many contacts match, and whether that is a lower bound (there are more than COUNTED_TO)."""
    kept = _kept_count(session, workspace_id, filters)
    if kept is not None:
        return kept, False
    some = select(col(Contact.id)).where(*conditions(workspace_id, filters)).limit(COUNTED_TO + 1).subquery()
    found = session.connection().execute(select(func.count()).select_from(some)).scalar_one()
    return min(found, COUNTED_TO), found > COUNTED_TO


def matching_ids(
    session: Session, workspace_id: int, filters: ContactFilter, *, after: int = 0, most: int
) -> list[int]:
    """Return the ids that match, in key order, beyond ``after`` and at most ``most``: for work on a whole filter."""
    session.flush()
    statement = (
        select(col(Contact.id))
        .where(*conditions(workspace_id, filters), col(Contact.id) > after)
        .order_by(col(Contact.id))
        .limit(most)
    )
    return [key for key in session.connection().execute(statement).scalars() if key is not None]


def select_matching(workspace_id: int, filters: ContactFilter) -> Select[Any]:
    """Return a SELECT of the matching ids, for use inside another room's own statement."""
    return select(col(Contact.id)).where(*conditions(workspace_id, filters))


def conditions(workspace_id: int, filters: ContactFilter) -> list[ColumnElement[bool]]:
    """Return the WHERE of a filter, the workspace first."""
    found: list[ColumnElement[bool]] = [col(Contact.workspace_id) == workspace_id]
    for word in fold(filters.query).split()[:8]:
        found.append(col(Contact.search).contains(word, autoescape=True))
    if filters.statuses:
        found.append(col(Contact.status).in_(filters.statuses))
    for group in filters.group_ids:
        found.append(exists().where(col(GroupMember.group_id) == group, col(GroupMember.contact_id) == col(Contact.id)))
    for tag in filters.tags:
        found.append(_carries(workspace_id, tag))
    if filters.email.strip():
        found.append(col(Contact.email_key).contains(filters.email.strip().lower(), autoescape=True))
    for column, value in (
        (Contact.company, filters.company),
        (Contact.city, filters.city),
        (Contact.country, filters.country),
        (Contact.domain, filters.domain.lower()),
        (Contact.language, filters.language),
        (Contact.consent_source, filters.consent_source),
    ):
        if value:
            found.append(col(column) == value)
    if filters.owner_id is not None:
        found.append(col(Contact.owner_id) == filters.owner_id)
    if filters.import_id is not None:
        found.append(col(Contact.import_id) == filters.import_id)
    if filters.ids is not None:
        found.append(col(Contact.id).in_(filters.ids))
    found.extend(_custom_equals(name, value) for name, value in filters.custom.items())
    return found


def _carries(workspace_id: int, tag: str) -> ColumnElement[bool]:
    return exists().where(
        col(ContactTag.contact_id) == col(Contact.id),
        col(ContactTag.tag_id) == col(Tag.id),
        col(Tag.workspace_id) == workspace_id,
        col(Tag.name_key) == name_key(tag),
    )


def _custom_equals(name: str, value: Any) -> ColumnElement[bool]:
    """Compared as text: a cast to a number would fail on PostgreSQL for a contact whose value is a word."""
    stored = cast(_TABLE.c.fields[name].as_string(), String)
    if isinstance(value, bool):
        return stored.in_(["true", "1"] if value else ["false", "0"])
    if isinstance(value, int | float) and float(value).is_integer():
        return stored.in_([str(int(value)), str(float(value))])
    return stored == str(value)


def _kept_count(session: Session, workspace_id: int, filters: ContactFilter) -> int | None:
    """The count of a filter by status, by one group or by one tag alone; None for any other."""
    if filters == ContactFilter(statuses=filters.statuses):
        kept = counts.counts(session, workspace_id, "status")
        return sum(kept.get(status, 0) for status in set(filters.statuses)) if filters.statuses else sum(kept.values())
    if len(filters.group_ids) == 1 and filters == ContactFilter(group_ids=filters.group_ids):
        return counts.counts(session, workspace_id, "group").get(str(filters.group_ids[0]), 0)
    if len(filters.tags) == 1 and filters == ContactFilter(tags=filters.tags):
        statement = select(col(Tag.id)).where(
            col(Tag.workspace_id) == workspace_id, col(Tag.name_key) == name_key(filters.tags[0])
        )
        tag = session.connection().execute(statement).scalar()
        return counts.counts(session, workspace_id, "tag").get(str(tag), 0)
    return None
