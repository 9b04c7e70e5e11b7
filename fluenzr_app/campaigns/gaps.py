"""Variables that would stay blank: in which mail, and for how many of the contacts who have still to get it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, String, case, cast, func, or_, select, union_all
from sqlmodel import Session

from fluenzr_app.campaigns.enrollments import IS_WALKING
from fluenzr_app.campaigns.errors import TemplateFault
from fluenzr_app.campaigns.models import Enrollment, Node
from fluenzr_app.campaigns.variables import CONTACT_VARIABLES, compile_body, compile_subject
from fluenzr_app.campaigns.workflow import EmailNode
from fluenzr_app.contacts.models import Contact
from fluenzr_app.db.tables import table_of

_CONTACT = table_of(Contact)
_ENROLLMENT = table_of(Enrollment)
_NODE = table_of(Node)

# SQLite takes 500 parts of a union at most.
_PARTS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class Gap:
    """A variable that would stay blank: in which mail, for how many contacts, and whether something stands in."""

    node_id: str
    variable: str
    contacts: int
    guarded: bool


@dataclass(frozen=True, slots=True)
class Mailing:
    """The mails of a campaign in their order; `walking` is how many contacts are under way in it."""

    mails: Sequence[EmailNode]
    walking: int


def gaps_of(session: Session, campaign_id: int, mails: Sequence[EmailNode], custom: Sequence[str]) -> list[Gap]:
    """Return the variables that are blank for contacts under way, in the mails that these have still to get.

    `mails` are those of the workflow in their order, `custom` the names of the workspace's own fields. A text that
    cannot be read is passed over: others tell of it.
    """
    uses = {mail.id: _uses(mail, custom, unguarded_only=False) for mail in mails}
    return _gaps(mails, uses, _blanks(session, {campaign_id: _names(uses)}, {}).get(campaign_id, {}))


def unguarded_gaps(
    session: Session, mailings: Mapping[int, Mailing], custom: Sequence[str], most: int
) -> dict[int, list[Gap]]:
    """Return `gaps_of` of several campaigns by id, without the variables for which something stands in.

    Of a campaign with more contacts than `most` only so many are looked at, whichever come first.
    """
    uses = {
        key: {mail.id: _uses(mail, custom, unguarded_only=True) for mail in mailing.mails}
        for key, mailing in mailings.items()
    }
    limits = {key: most for key, mailing in mailings.items() if mailing.walking > most}
    blanks = _blanks(session, {key: _names(of_mails) for key, of_mails in uses.items()}, limits)
    return {key: _gaps(mailing.mails, uses[key], blanks.get(key, {})) for key, mailing in mailings.items()}


def _names(uses: Mapping[str, Mapping[str, bool]]) -> frozenset[str]:
    return frozenset(name for of_mail in uses.values() for name in of_mail)


def _gaps(
    mails: Sequence[EmailNode],
    uses: Mapping[str, Mapping[str, bool]],
    blanks: Mapping[str | None, Mapping[str, int]],
) -> list[Gap]:
    found = []
    for place, mail in enumerate(mails):
        # Who has not begun has no step yet; the mail of a step is still to come.
        steps: list[str | None] = [None, *(earlier.id for earlier in mails[: place + 1])]
        for name, guarded in uses[mail.id].items():
            contacts = sum(blanks.get(step, {}).get(name, 0) for step in steps)
            if contacts:
                found.append(Gap(mail.id, name, contacts, guarded))
    return found


def _uses(mail: EmailNode, custom: Sequence[str], unguarded_only: bool) -> dict[str, bool]:
    try:
        uses = {use.name: use.guarded for use in compile_subject(mail.subject).variables}
        for use in compile_body(mail.body).variables:
            uses[use.name] = uses.get(use.name, True) and use.guarded
    except TemplateFault:
        return {}
    known = {*CONTACT_VARIABLES, *custom} - {"email"}
    return {name: guarded for name, guarded in uses.items() if name in known and not (unguarded_only and guarded)}


def _blanks(
    session: Session, names: Mapping[int, Collection[str]], limits: Mapping[int, int]
) -> dict[int, dict[str | None, Mapping[str, int]]]:
    """Return for each campaign and step, by its key, how many who stand there have no value for each variable."""
    asked = sorted({name for of_campaign in names.values() for name in of_campaign})
    whole = [key for key, of_campaign in names.items() if of_campaign and key not in limits]
    parts = [_walking(names, asked, whole)] if whole else []
    parts += [
        # Wrapped, since a part of a union takes no limit of its own.
        select(_walking(names, asked, [key]).limit(most).subquery())
        for key, most in limits.items()
        if names[key]
    ]
    found: dict[int, dict[str | None, Mapping[str, int]]] = {}
    for begin in range(0, len(parts), _PARTS_AT_ONCE):
        looked_at = union_all(*parts[begin : begin + _PARTS_AT_ONCE]).subquery()
        blank = [_is_blank(looked_at.c[f"v{no}"]) for no in range(len(asked))]
        rows = session.connection().execute(
            select(looked_at.c.campaign_id, _NODE.c.key, *(func.sum(case((each, 1), else_=0)) for each in blank))
            .select_from(looked_at.outerjoin(_NODE, _NODE.c.id == looked_at.c.node_id))
            # Hardly anybody lacks anything: only those who do are sorted by their steps.
            .where(or_(*blank))
            .group_by(looked_at.c.campaign_id, _NODE.c.key)
        )
        for campaign_id, step, *counts in rows:
            found.setdefault(campaign_id, {})[step] = {name: int(n) for name, n in zip(asked, counts, strict=True)}
    return found


def _walking(names: Mapping[int, Collection[str]], asked: Sequence[str], campaign_ids: Sequence[int]) -> Select[Any]:
    """Return the contacts under way in the campaigns, with their values of those of `asked` that the campaign uses."""
    values = []
    for no, name in enumerate(asked):
        users = [key for key in campaign_ids if name in names[key]]
        # What a campaign does not use is not read for it, and never blank.
        used = (
            _value(name)
            if len(users) == len(campaign_ids)
            else case((_ENROLLMENT.c.campaign_id.in_(users), _value(name)), else_="-")
        )
        values.append(used.label(f"v{no}"))
    return (
        select(_ENROLLMENT.c.campaign_id, _ENROLLMENT.c.node_id, *values)
        .select_from(_ENROLLMENT.join(_CONTACT, _CONTACT.c.id == _ENROLLMENT.c.contact_id))
        .where(_ENROLLMENT.c.campaign_id.in_(campaign_ids), IS_WALKING)
    )


def _value(name: str) -> ColumnElement[Any]:
    column = CONTACT_VARIABLES.get(name)
    if column is not None:
        return _CONTACT.c[column]
    return cast(_CONTACT.c.fields[name].as_string(), String)


def _is_blank(value: ColumnElement[Any]) -> ColumnElement[bool]:
    return or_(value.is_(None), func.trim(value) == "")
