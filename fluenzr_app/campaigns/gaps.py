"""Variables that would stay blank: in which mail, and for how many of the contacts who have still to get it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, String, case, cast, func, or_, select
from sqlmodel import Session

from fluenzr_app.campaigns.enrollments import WALKING
from fluenzr_app.campaigns.errors import TemplateFault
from fluenzr_app.campaigns.models import Enrollment, Node
from fluenzr_app.campaigns.variables import CONTACT_VARIABLES, compile_body, compile_subject
from fluenzr_app.campaigns.workflow import EmailNode
from fluenzr_app.contacts.models import Contact
from fluenzr_app.db.tables import table_of

_CONTACT = table_of(Contact)
_ENROLLMENT = table_of(Enrollment)
_NODE = table_of(Node)


@dataclass(frozen=True, slots=True)
class Gap:
    """A variable that would stay blank: in which mail, for how many contacts, and whether something stands in."""

    node_id: str
    variable: str
    contacts: int
    guarded: bool


def gaps_of(
    session: Session,
    campaign_id: int,
    mails: Sequence[EmailNode],
    custom: Sequence[str],
    *,
    most: int | None = None,
    unguarded_only: bool = False,
) -> list[Gap]:
    """Return the variables that are blank for contacts under way, in the mails that these have still to get.

    `mails` are those of the workflow in their order, `custom` the names of the workspace's own fields. With `most` only
    so many contacts are looked at, whichever come first. A text that cannot be read is passed over: others tell of it.
    """
    uses = {mail.id: _uses(mail, custom, unguarded_only) for mail in mails}
    names = sorted({name for of_mail in uses.values() for name in of_mail})
    if not names:
        return []
    blanks = _blanks_by_step(session, campaign_id, names, most)
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


def _blanks_by_step(
    session: Session, campaign_id: int, names: Sequence[str], most: int | None
) -> dict[str | None, Mapping[str, int]]:
    """Return for each step, by its key, how many of those who stand there have no value for each variable."""
    walking = (
        select(_NODE.c.key.label("step"), *(_value(name).label(f"v{no}") for no, name in enumerate(names)))
        .select_from(
            _ENROLLMENT.join(_CONTACT, _CONTACT.c.id == _ENROLLMENT.c.contact_id).outerjoin(
                _NODE, _NODE.c.id == _ENROLLMENT.c.node_id
            )
        )
        .where(_ENROLLMENT.c.campaign_id == campaign_id, _ENROLLMENT.c.status.in_(WALKING))
    )
    if most is not None:
        walking = walking.limit(most)
    looked_at = walking.subquery()
    counts = [func.sum(case((_is_blank(looked_at.c[f"v{no}"]), 1), else_=0)) for no in range(len(names))]
    rows = session.connection().execute(select(looked_at.c.step, *counts).group_by(looked_at.c.step))
    return {row[0]: {name: int(row[no + 1]) for no, name in enumerate(names)} for row in rows}


def _value(name: str) -> ColumnElement[Any]:
    column = CONTACT_VARIABLES.get(name)
    if column is not None:
        return _CONTACT.c[column]
    return cast(_CONTACT.c.fields[name].as_string(), String)


def _is_blank(value: ColumnElement[Any]) -> ColumnElement[bool]:
    return or_(value.is_(None), func.trim(value) == "")
