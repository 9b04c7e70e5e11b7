"""The files of one conversation, told apart by the mail they belong to."""

from sqlalchemy import select
from sqlmodel import Session

from fluenzr_app.db.tables import table_of
from fluenzr_app.inbox.errors import ConversationNotFound
from fluenzr_app.inbox.models import AnswerFile, Inbound
from fluenzr_app.inbox.thread import FileView, incoming_file, outgoing_file

_INBOUND = table_of(Inbound)
_FILE = table_of(AnswerFile)


def file_that_came(
    session: Session, workspace_id: int, conversation_id: int, inbound_id: int, index: int
) -> tuple[FileView, bytes]:
    """Return a file of an incoming mail of this conversation, and its content; raises ConversationNotFound."""
    there = select(_INBOUND.c.id).where(
        _INBOUND.c.id == inbound_id,
        _INBOUND.c.conversation_id == conversation_id,
        _INBOUND.c.workspace_id == workspace_id,
    )
    if session.connection().execute(there).first() is None:
        raise ConversationNotFound("There is no such file.")
    file, content = incoming_file(session, workspace_id, inbound_id, index)
    return FileView(file.index, file.filename, file.content_type, file.size), content


def file_that_went(
    session: Session, workspace_id: int, conversation_id: int, message_id: int, file_id: int
) -> tuple[FileView, bytes]:
    """Return a file of an answer of this conversation, and its content; raises ConversationNotFound.

    One that lies beside somebody's draft is not there: it is theirs alone until they send it.
    """
    there = select(_FILE.c.id).where(
        _FILE.c.id == file_id,
        _FILE.c.message_id == message_id,
        _FILE.c.conversation_id == conversation_id,
        _FILE.c.workspace_id == workspace_id,
    )
    if session.connection().execute(there).first() is None:
        raise ConversationNotFound("There is no such file.")
    return outgoing_file(session, workspace_id, file_id)
