"""What somebody typed in an editor and could not be saved: kept per user and place, so that it is never lost."""

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlmodel import Session

from fluenzr_app.campaigns.models import EditorDraft
from fluenzr_app.db.tables import table_of

_DRAFT = table_of(EditorDraft)


def place_of(campaign_id: int) -> str:
    """Return the place under which the drafts of a campaign's editor are kept."""
    return f"campaign:{campaign_id}"


def read_draft(session: Session, workspace_id: int, user_id: int, place: str) -> dict[str, Any]:
    """Return what the user's draft at a place holds; empty when there is none."""
    content = (
        session.connection()
        .execute(
            select(_DRAFT.c.content).where(
                _DRAFT.c.workspace_id == workspace_id, _DRAFT.c.user_id == user_id, _DRAFT.c.place == place
            )
        )
        .scalar_one_or_none()
    )
    return dict(content or {})


def keep_draft(
    session: Session, workspace_id: int, user_id: int, place: str, changes: dict[str, Any], now: datetime
) -> None:
    """Add `changes` to the user's draft at a place; a value of None takes an entry out, an empty draft goes away."""
    content = read_draft(session, workspace_id, user_id, place) | changes
    content = {key: value for key, value in content.items() if value is not None}
    session.connection().execute(
        delete(_DRAFT).where(
            _DRAFT.c.workspace_id == workspace_id, _DRAFT.c.user_id == user_id, _DRAFT.c.place == place
        )
    )
    if content:
        session.add(EditorDraft(user_id=user_id, workspace_id=workspace_id, place=place, content=content, at=now))
        session.flush()
