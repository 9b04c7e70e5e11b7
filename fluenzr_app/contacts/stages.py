"""Stages of the pipeline: the six that a workspace begins with, and contacts that move between them (contacts.md).

Every move is an event `contact.stage_changed` of the contact: `from` and `to` hold each stage's id, kind and name as
they were then, `by` the user, `automation` what moved it by itself (`enrolled`, `answered`), `note` the words given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, insert, select, update
from sqlmodel import Session

from fluenzr_app.contacts.errors import ContactNotFound, StageNotFound
from fluenzr_app.contacts.models import Contact, PipelineStage
from fluenzr_app.contacts.notes import clean_note
from fluenzr_app.contacts.statuses import forget_loaded
from fluenzr_app.db.tables import table_of
from fluenzr_app.db.types import AnyRow
from fluenzr_app.events.record import NewEvent, record
from fluenzr_app.workspaces.models import Workspace

STAGE_CHANGED: Final = "contact.stage_changed"
# Kind and colour of the stages that a workspace begins with, in their order.
DEFAULTS: Final = (
    ("lead", "gray"),
    ("qualified", "blue"),
    ("proposal", "yellow"),
    ("negotiation", "orange"),
    ("won", "green"),
    ("lost", "red"),
)
_TITLES: Final[Mapping[str, Mapping[str, str]]] = {
    "fr": {
        "lead": "Lead",
        "qualified": "Qualifié",
        "proposal": "Proposition",
        "negotiation": "Négociation",
        "won": "Gagné",
        "lost": "Perdu",
    },
    "en": {
        "lead": "Lead",
        "qualified": "Qualified",
        "proposal": "Proposal",
        "negotiation": "Negotiation",
        "won": "Won",
        "lost": "Lost",
    },
}
_WORKSPACE = table_of(Workspace)
_STAGE = table_of(PipelineStage)
_CONTACT = table_of(Contact)
_BATCH = 1_000


@dataclass(frozen=True, slots=True)
class StageView:
    """A stage; `name` is empty while it is that of its kind, `title` is never: a word in the workspace's language."""

    id: int
    kind: str
    name: str
    color: str
    position: int
    title: str


@dataclass(frozen=True, slots=True)
class _Pipeline:
    stages: tuple[StageView, ...]
    lead_on_enrollment: bool
    qualify_on_reply: bool

    def of_kind(self, kind: str) -> StageView | None:
        return next((stage for stage in self.stages if stage.kind == kind), None)

    def of_id(self, stage_id: int | None) -> StageView | None:
        return next((stage for stage in self.stages if stage.id == stage_id), None)


def list_stages(session: Session, workspace_id: int) -> tuple[StageView, ...]:
    """Return the workspace's stages in their order; none if they were not made yet (see ``make_stages``)."""
    return _pipeline(session, workspace_id).stages


def make_stages(session: Session, workspace_id: int, now: datetime) -> tuple[StageView, ...]:
    """Return the workspace's stages in their order; the six defaults are made if it has none."""
    stages = list_stages(session, workspace_id)
    if stages:
        return stages
    connection = session.connection()
    # Two processes may both find none: they take turns at the workspace's row, and the second finds the first's.
    locked = select(_WORKSPACE.c.id).where(_WORKSPACE.c.id == workspace_id).with_for_update(key_share=True)
    if connection.execute(locked).first() is None:
        return ()
    if not list_stages(session, workspace_id):
        connection.execute(
            insert(_STAGE),
            [
                {"workspace_id": workspace_id, "kind": kind, "name": "", "color": color, "position": position,
                 "created_at": now}
                for position, (kind, color) in enumerate(DEFAULTS)
            ],
        )  # fmt: skip
    return list_stages(session, workspace_id)


def check_stage(session: Session, workspace_id: int, stage_id: int) -> None:
    """Raise StageNotFound unless the stage belongs to the workspace."""
    session.flush()
    mine = select(_STAGE.c.id).where(_STAGE.c.workspace_id == workspace_id, _STAGE.c.id == stage_id)
    # Held until the end of the transaction, so that nobody deletes the stage while a contact moves into it.
    if session.connection().execute(mine.with_for_update(read=True, key_share=True)).first() is None:
        raise StageNotFound


def move_to_stage(
    session: Session,
    workspace_id: int,
    contact_id: int,
    stage_id: int | None,
    now: datetime,
    *,
    by: int | None,
    note: str = "",
) -> bool:
    """Move a contact to a stage, or out of the pipeline with None; return whether it stood elsewhere before.

    `by` is the user who does it, None a program with an API key. A contact that stands there already is left alone,
    and nothing is noted. Raises ContactNotFound, StageNotFound, InvalidValue ``value_too_long``.
    """
    words = clean_note(note)
    if stage_id is not None:
        check_stage(session, workspace_id, stage_id)
    row = _locked(session, workspace_id, contact_id)
    if row is None:
        raise ContactNotFound
    if row.stage_id == stage_id:
        return False
    pipeline = _pipeline(session, workspace_id)
    to = pipeline.of_id(stage_id)
    _move(session, workspace_id, row, pipeline.of_id(row.stage_id), to, now, {"by": by, "note": words})
    return True


def became_lead(session: Session, workspace_id: int, contact_ids: Sequence[int], now: datetime) -> int:
    """Make those of the contacts that have no stage a Lead, as they enter a campaign; return how many that were.

    Nothing happens where the workspace has switched this off, or has no stage of that kind any more.
    """
    pipeline = _pipeline(session, workspace_id)
    if not contact_ids or not pipeline.lead_on_enrollment:
        return 0
    lead = _with_stages(session, workspace_id, pipeline, now).of_kind("lead")
    if lead is None:
        return 0
    session.flush()
    ids = sorted(set(contact_ids))
    moved: list[AnyRow] = []
    for start in range(0, len(ids), _BATCH):
        moved += _enter(session, workspace_id, ids[start : start + _BATCH], lead, now)
    told = {"automation": "enrolled"}
    record(session, [_changed(workspace_id, row.id, row.revision, None, lead, now, told) for row in moved])
    forget_loaded(session, {row.id for row in moved})
    return len(moved)


def answered(session: Session, workspace_id: int, contact_id: int, now: datetime) -> bool:
    """Move a contact that answered to Qualified unless it is there or further; return whether it moved.

    Nothing happens where the workspace has switched this off or has no stage of that kind any more, and to a contact
    that is gone. A stage is further when it comes later in the pipeline, Lost included.
    """
    pipeline = _pipeline(session, workspace_id)
    if not pipeline.qualify_on_reply:
        return False
    pipeline = _with_stages(session, workspace_id, pipeline, now)
    qualified = pipeline.of_kind("qualified")
    row = _locked(session, workspace_id, contact_id) if qualified is not None else None
    if qualified is None or row is None:
        return False
    before = pipeline.of_id(row.stage_id)
    if before is not None and before.position >= qualified.position:
        return False
    _move(session, workspace_id, row, before, qualified, now, {"automation": "answered"})
    return True


def _pipeline(session: Session, workspace_id: int) -> _Pipeline:
    session.flush()
    mine = and_(_STAGE.c.workspace_id == _WORKSPACE.c.id, _STAGE.c.workspace_id == workspace_id)
    rows = (
        session.connection()
        .execute(
            select(
                _WORKSPACE.c.language, _WORKSPACE.c.lead_on_enrollment, _WORKSPACE.c.qualify_on_reply,
                _STAGE.c.id, _STAGE.c.kind, _STAGE.c.name, _STAGE.c.color, _STAGE.c.position,
            )
            .outerjoin_from(_WORKSPACE, _STAGE, mine)
            .where(_WORKSPACE.c.id == workspace_id)
            .order_by(_STAGE.c.position, _STAGE.c.id)
        )
        .all()
    )  # fmt: skip
    if not rows:
        return _Pipeline((), False, False)
    stages = tuple(_view(row) for row in rows if row.id is not None)
    return _Pipeline(stages, rows[0].lead_on_enrollment, rows[0].qualify_on_reply)


def _view(row: AnyRow) -> StageView:
    titles = _TITLES.get(row.language, _TITLES["en"])
    title = row.name or titles.get(row.kind, row.kind)
    return StageView(row.id, row.kind, row.name, row.color, row.position, title)


def _with_stages(session: Session, workspace_id: int, pipeline: _Pipeline, now: datetime) -> _Pipeline:
    if pipeline.stages:
        return pipeline
    stages = make_stages(session, workspace_id, now)
    return _Pipeline(stages, pipeline.lead_on_enrollment, pipeline.qualify_on_reply)


def _enter(
    session: Session, workspace_id: int, contact_ids: Sequence[int], stage: StageView, now: datetime
) -> Sequence[AnyRow]:
    connection = session.connection()
    mine = (_CONTACT.c.workspace_id == workspace_id, _CONTACT.c.stage_id.is_(None))
    # Locked in key order: two transactions that move contacts never wait for each other in a ring.
    locked = select(_CONTACT.c.id).where(*mine, _CONTACT.c.id.in_(contact_ids)).order_by(_CONTACT.c.id)
    without = connection.execute(locked.with_for_update(key_share=True)).scalars().all()
    if not without:
        return ()
    return connection.execute(
        update(_CONTACT)
        .where(*mine, _CONTACT.c.id.in_(without))
        .values(stage_id=stage.id, stage_at=now, updated_at=now, revision=_CONTACT.c.revision + 1)
        .returning(_CONTACT.c.id, _CONTACT.c.revision)
    ).all()


def _locked(session: Session, workspace_id: int, contact_id: int) -> AnyRow | None:
    session.flush()
    statement = (
        select(_CONTACT.c.id, _CONTACT.c.stage_id, _CONTACT.c.revision)
        .where(_CONTACT.c.workspace_id == workspace_id, _CONTACT.c.id == contact_id)
        .with_for_update(key_share=True)
    )
    return session.connection().execute(statement).one_or_none()


def _move(
    session: Session,
    workspace_id: int,
    row: AnyRow,
    before: StageView | None,
    to: StageView | None,
    now: datetime,
    told: Mapping[str, Any],
) -> None:
    session.connection().execute(
        update(_CONTACT)
        .where(_CONTACT.c.workspace_id == workspace_id, _CONTACT.c.id == row.id)
        .values(
            stage_id=to.id if to else None,
            stage_at=now if to else None,
            updated_at=now,
            revision=row.revision + 1,
        )
    )
    record(session, [_changed(workspace_id, row.id, row.revision + 1, before, to, now, told)])
    forget_loaded(session, {row.id})


def _changed(
    workspace_id: int,
    contact_id: int,
    revision: int,
    before: StageView | None,
    to: StageView | None,
    now: datetime,
    told: Mapping[str, Any],
) -> NewEvent:
    return NewEvent(
        workspace_id=workspace_id,
        type=STAGE_CHANGED,
        # A revision of a contact is made once.
        dedupe_key=f"{STAGE_CHANGED}:{contact_id}:{revision}",
        at=now,
        contact_id=contact_id,
        data={"from": _as_told(before), "to": _as_told(to), **{key: value for key, value in told.items() if value}},
    )


def _as_told(stage: StageView | None) -> dict[str, Any] | None:
    return None if stage is None else {"id": stage.id, "kind": stage.kind, "name": stage.name}
