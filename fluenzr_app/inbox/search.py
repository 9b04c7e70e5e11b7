"""The words of conversations: contact, company, campaigns and what was written, found by their beginnings.

Each database brings its own index of words (see `models.SEARCH_TABLES`); both get the same words, cut and folded here,
so that both find the same conversations. The workspace is one of the words: nobody's search reads another's.
"""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, select, text
from sqlmodel import Session

from fluenzr_app.campaigns.models import Campaign, Enrollment
from fluenzr_app.contacts.folding import fold
from fluenzr_app.contacts.models import Contact
from fluenzr_app.db.tables import table_of
from fluenzr_app.inbox.models import Answer, Conversation, Inbound

_CONVERSATION = table_of(Conversation)
_CONTACT = table_of(Contact)
_CAMPAIGN = table_of(Campaign)
_ENROLLMENT = table_of(Enrollment)
_INBOUND = table_of(Inbound)
_ANSWER = table_of(Answer)

_WORD = re.compile(r"[^\W_]+")
_LONGEST_WORD = 60
# So much of a conversation is looked into, its newest mails first.
_MOST_LETTERS = 60_000
_MOST_WORDS = 8
# How many of the newest conversations are looked at one by one for words that stand in many of them.
_NEWEST = 2_000

_FORGET = {
    "sqlite": text("DELETE FROM conversation_search WHERE rowid = :id"),
    "postgresql": text("DELETE FROM conversation_search WHERE conversation_id = :id"),
}
_REMEMBER = {
    "sqlite": text("INSERT INTO conversation_search (rowid, place, words) VALUES (:id, :place, :words)"),
    "postgresql": text(
        "INSERT INTO conversation_search (conversation_id, words) VALUES (:id, to_tsvector('simple', :words)) "
        "ON CONFLICT (conversation_id) DO UPDATE SET words = excluded.words"
    ),
}
# Two plans for one question. A word that is everywhere is soon found among the newest conversations; one that is rare
# is found by the index of words. Neither costs more the more conversations there are.
_AMONG = {
    "sqlite": text(
        "EXISTS (SELECT 1 FROM conversation_search "
        "WHERE conversation_search.rowid = conversation.id AND conversation_search MATCH :query)"
    ),
    "postgresql": text(
        "EXISTS (SELECT 1 FROM conversation_search s "
        "WHERE s.conversation_id = conversation.id AND s.words @@ to_tsquery('simple', :query))"
    ),
}
_BY_WORDS = {
    "sqlite": text("conversation.id IN (SELECT rowid FROM conversation_search WHERE conversation_search MATCH :query)"),
    "postgresql": text(
        "conversation.id IN "
        "(SELECT conversation_id FROM conversation_search WHERE words @@ to_tsquery('simple', :query))"
    ),
}


def words_of(written: str) -> list[str]:
    """Return the words of a text as they are kept: folded, cut at 60 letters."""
    return [word[:_LONGEST_WORD] for word in _WORD.findall(fold(written))]


def remember(session: Session, conversation_id: int) -> None:
    """Keep the words of a conversation as it is now; a deleted one is forgotten."""
    session.flush()
    connection = session.connection()
    dialect = connection.dialect.name
    found = _written(session, conversation_id)
    if dialect == "sqlite" or found is None:
        connection.execute(_FORGET[dialect], {"id": conversation_id})
    if found is None:
        return
    workspace_id, written = found
    words = " ".join(dict.fromkeys(words_of(written[:_MOST_LETTERS])))
    place = _place(workspace_id)
    row: dict[str, Any] = {"id": conversation_id, "words": words, "place": place}
    if dialect == "postgresql":
        row = {"id": conversation_id, "words": f"{place} {words}"}
    connection.execute(_REMEMBER[dialect], row)


def forget(session: Session, conversation_ids: Sequence[int]) -> None:
    """Forget the words of conversations that are about to be deleted."""
    connection = session.connection()
    for conversation_id in conversation_ids:
        connection.execute(_FORGET[connection.dialect.name], {"id": conversation_id})


def find(
    session: Session, workspace_id: int, query: str, conditions: Sequence[ColumnElement[bool]], limit: int
) -> tuple[int, ...]:
    """Return up to `limit` conversations in which every word of `query` begins some word, newest first.

    `conditions` on the table of conversations must hold too. Nothing is found for a query without a word.
    """
    connection = session.connection()
    dialect = connection.dialect.name
    asked = _query(dialect, workspace_id, query)
    if not asked:
        return ()
    mine = (_CONVERSATION.c.workspace_id == workspace_id, *conditions)
    newest_first = (_CONVERSATION.c.last_at.desc(), _CONVERSATION.c.id.desc())
    newest = select(_CONVERSATION.c.id, _CONVERSATION.c.last_at).where(*mine).order_by(*newest_first).limit(_NEWEST)
    # Named as the table, so that the fragment finds its column.
    among = newest.subquery("conversation")
    look_at_newest = (
        select(among.c.id)
        .where(_AMONG[dialect].bindparams(query=asked))
        .order_by(among.c.last_at.desc(), among.c.id.desc())
        .limit(limit)
    )
    found = tuple(connection.execute(look_at_newest).scalars())
    if len(found) == limit:
        return found
    by_words = (
        select(_CONVERSATION.c.id)
        .where(_BY_WORDS[dialect].bindparams(query=asked), *mine)
        .order_by(*newest_first)
        .limit(limit)
    )
    return tuple(connection.execute(by_words).scalars())


def _query(dialect: str, workspace_id: int, query: str) -> str:
    words = list(dict.fromkeys(words_of(query)))[:_MOST_WORDS]
    if not words:
        return ""
    place = _place(workspace_id)
    # Words hold letters and digits alone, so none can be taken for an operator.
    if dialect == "sqlite":
        return " AND ".join([f"place:{place}", *(f'words:"{word}"*' for word in words)])
    return " & ".join([place, *(f"{word}:*" for word in words)])


def _place(workspace_id: int) -> str:
    return f"workspace{workspace_id}"


def _written(session: Session, conversation_id: int) -> tuple[int, str] | None:
    connection = session.connection()
    row = connection.execute(
        select(
            _CONVERSATION.c.workspace_id,
            _CONVERSATION.c.subject,
            _CONTACT.c.first_name,
            _CONTACT.c.last_name,
            _CONTACT.c.company,
            _CONTACT.c.email,
        )
        .join_from(_CONVERSATION, _CONTACT, _CONTACT.c.id == _CONVERSATION.c.contact_id)
        .where(_CONVERSATION.c.id == conversation_id)
    ).first()
    if row is None:
        return None
    campaigns = connection.execute(
        select(_CAMPAIGN.c.name)
        .join_from(_ENROLLMENT, _CAMPAIGN, _CAMPAIGN.c.id == _ENROLLMENT.c.campaign_id)
        .join(_CONVERSATION, _CONVERSATION.c.contact_id == _ENROLLMENT.c.contact_id)
        .where(_CONVERSATION.c.id == conversation_id)
    ).scalars()
    came = connection.execute(
        select(_INBOUND.c.subject, _INBOUND.c.from_name, _INBOUND.c.from_address, _INBOUND.c.text)
        .where(_INBOUND.c.conversation_id == conversation_id)
        .order_by(_INBOUND.c.id.desc())
        .limit(50)
    )
    went = connection.execute(
        select(_ANSWER.c.text)
        .where(_ANSWER.c.conversation_id == conversation_id)
        .order_by(_ANSWER.c.message_id.desc())
        .limit(50)
    )
    parts = [*row[1:], *campaigns, *(part for mail in came for part in mail), *went.scalars()]
    return row.workspace_id, "\n".join(part for part in parts if part)
