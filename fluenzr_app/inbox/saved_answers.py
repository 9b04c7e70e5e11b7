"""Texts kept for use in answers, with the same variables as mails (campaigns.md, Variables)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session, col

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns.content import contacts_by_id
from fluenzr_app.campaigns.errors import TemplateFault
from fluenzr_app.campaigns.variables import compile_body, compile_subject, contact_values, render_mail
from fluenzr_app.contacts.folding import fold
from fluenzr_app.inbox.answers import MOST_LETTERS
from fluenzr_app.inbox.conversations import get_conversation
from fluenzr_app.inbox.errors import SavedAnswerRefused
from fluenzr_app.inbox.models import SavedAnswer
from fluenzr_app.workspaces.models import Workspace

_LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class SavedAnswerView:
    """A saved text; `html` may hold variables."""

    id: int
    name: str
    html: str


def list_saved(session: Session, workspace_id: int) -> tuple[SavedAnswerView, ...]:
    """Return the workspace's saved answers in order of their names."""
    statement = (
        select(SavedAnswer).where(col(SavedAnswer.workspace_id) == workspace_id).order_by(col(SavedAnswer.name_key))
    )
    return tuple(SavedAnswerView(row.id or 0, row.name, row.html) for row in session.execute(statement).scalars())


def save(
    session: Session, workspace_id: int, name: str, html: str, now: datetime, *, saved_id: int | None = None
) -> SavedAnswerView:
    """Keep a text under a name, or change the one with `saved_id`; raises SavedAnswerRefused."""
    name = " ".join(name.split())
    if not name or len(name) > _LONGEST_NAME:
        raise SavedAnswerRefused("no_name", f"A saved answer has a name of {_LONGEST_NAME} characters at most.")
    if len(html) > MOST_LETTERS:
        raise SavedAnswerRefused("too_long", f"A saved answer has {MOST_LETTERS} characters at most.")
    try:
        blank = compile_body(html).is_blank
    except TemplateFault as fault:
        raise SavedAnswerRefused("template_fault", str(fault)) from None
    if blank:
        raise SavedAnswerRefused("empty", "The saved answer is empty.")
    row = _own(session, workspace_id, saved_id) if saved_id is not None else None
    twin = select(col(SavedAnswer.id)).where(
        col(SavedAnswer.workspace_id) == workspace_id, col(SavedAnswer.name_key) == fold(name)
    )
    found = session.execute(twin).scalar_one_or_none()
    if found is not None and found != saved_id:
        raise SavedAnswerRefused("taken", f"“{name}” exists already.")
    if row is None:
        row = SavedAnswer(
            workspace_id=workspace_id, name=name, name_key=fold(name), html=html, created_at=now, updated_at=now
        )
    row.name, row.name_key, row.html, row.updated_at = name, fold(name), html, now
    session.add(row)
    session.flush()
    return SavedAnswerView(row.id or 0, row.name, row.html)


def delete_saved(session: Session, workspace_id: int, saved_id: int) -> None:
    """Delete a saved answer; raises SavedAnswerRefused ``gone``."""
    session.delete(_own(session, workspace_id, saved_id))
    session.flush()


def filled_in(session: Session, workspace_id: int, conversation_id: int, saved_id: int, now: datetime) -> str:
    """Return a saved answer's HTML with the contact's values in it.

    Raises ConversationNotFound, SavedAnswerRefused ``gone`` or ``template_fault``.
    """
    line = get_conversation(session, workspace_id, conversation_id)
    saved = _own(session, workspace_id, saved_id)
    contact = contacts_by_id(session, [line.contact_id])[line.contact_id]
    workspace = session.get_one(Workspace, workspace_id)
    account = session.get_one(EmailAccount, line.account_id)
    language = contact.language or workspace.language
    values = contact_values(
        cast(Mapping[str, object], contact._mapping),
        now=now,
        zone=ZoneInfo(workspace.timezone),
        language=language,
        signature=account.signature or workspace.signature,
        unsubscribe_url="",
        custom=contact.fields,
    )
    try:
        mail = render_mail(compile_subject(""), compile_body(saved.html), values, plain_only=False)
    except TemplateFault as fault:
        raise SavedAnswerRefused("template_fault", str(fault)) from None
    return mail.html or ""


def _own(session: Session, workspace_id: int, saved_id: int) -> SavedAnswer:
    statement = select(SavedAnswer).where(
        col(SavedAnswer.workspace_id) == workspace_id, col(SavedAnswer.id) == saved_id
    )
    row: SavedAnswer | None = session.execute(statement).scalar_one_or_none()
    if row is None:
        raise SavedAnswerRefused("gone", "There is no such saved answer.")
    return row
