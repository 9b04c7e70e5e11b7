"""The words of conversations: contact, company, campaigns and what was written, found by their beginnings.

Each database brings its own index of words (see `models.SEARCH_TABLES`); both get the same words, cut and folded here,
so that both find the same conversations. The workspace is one of the words: nobody's search reads another's.
"""

import re
from collections.abc import Sequence

from sqlalchemy import ColumnElement, column, select, table, text, update
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
# PostgreSQL: a search with so many finds or fewer sorts them; one with more soon finds a page among the newest.
_FEW = 2_000

_FORGET = {
    "sqlite": text("DELETE FROM conversation_search WHERE rowid = :rank"),
    "postgresql": text("DELETE FROM conversation_search WHERE conversation_id = :id"),
}
_REMEMBER = {
    "sqlite": text("INSERT INTO conversation_search (rowid, place, words) VALUES (:rank, :place, :words)"),
    "postgresql": text(
        "INSERT INTO conversation_search (conversation_id, words) VALUES (:id, to_tsvector('simple', :words)) "
        "ON CONFLICT (conversation_id) DO UPDATE SET words = excluded.words"
    ),
}
_NEXT_RANK = text("SELECT coalesce(max(rowid), 0) + 1 FROM conversation_search")
_SOME = text(
    "SELECT count(*) FROM (SELECT 1 FROM conversation_search WHERE words @@ to_tsquery('simple', :query) LIMIT :most) s"
)
_AMONG = text(
    "EXISTS (SELECT 1 FROM conversation_search s "
    "WHERE s.conversation_id = conversation.id AND s.words @@ to_tsquery('simple', :query))"
)
_BY_WORDS = text(
    "conversation.id IN (SELECT conversation_id FROM conversation_search WHERE words @@ to_tsquery('simple', :query))"
)
_INDEX = table("conversation_search", column("rowid"))
_MATCH = text("conversation_search MATCH :query")


def words_of(written: str) -> list[str]:
    """Return the words of a text as they are kept: folded, cut at 60 letters."""
    return [word[:_LONGEST_WORD] for word in _WORD.findall(fold(written))]


def contacts_changed(session: Session, workspace_id: int, contact_ids: Sequence[int]) -> None:
    """Keep the words of the conversations of contacts whose names, company or address may be others now."""
    rows = session.connection().execute(
        select(_CONVERSATION.c.id)
        .where(_CONVERSATION.c.workspace_id == workspace_id, _CONVERSATION.c.contact_id.in_(list(contact_ids)))
        .order_by(_CONVERSATION.c.id)
    )
    for conversation_id in rows.scalars().all():
        remember(session, conversation_id, newest=False)


def remember(session: Session, conversation_id: int, *, newest: bool = True) -> None:
    """Keep the words of a conversation as it is now, as the `newest` one or in its place; forget a deleted one."""
    session.flush()
    connection = session.connection()
    dialect = connection.dialect.name
    rank = None if newest else _rank(session, conversation_id)
    found = _written(session, conversation_id)
    if dialect == "sqlite" or found is None:
        forget(session, [conversation_id])
    if found is None:
        return
    workspace_id, written = found
    words = " ".join(dict.fromkeys(words_of(written[:_MOST_LETTERS])))
    place = place_of(workspace_id)
    if dialect == "postgresql":
        connection.execute(_REMEMBER[dialect], {"id": conversation_id, "words": f"{place} {words}"})
        return
    if rank is None:
        rank = connection.execute(_NEXT_RANK).scalar_one()
    connection.execute(_REMEMBER[dialect], {"rank": rank, "place": place, "words": words})
    connection.execute(update(_CONVERSATION).where(_CONVERSATION.c.id == conversation_id).values(search_rank=rank))


def _rank(session: Session, conversation_id: int) -> int | None:
    statement = select(_CONVERSATION.c.search_rank).where(_CONVERSATION.c.id == conversation_id)
    return session.connection().execute(statement).scalar()


def forget(session: Session, conversation_ids: Sequence[int]) -> None:
    """Forget the words of conversations, such as those that are about to be deleted."""
    connection = session.connection()
    rows = connection.execute(
        select(_CONVERSATION.c.id, _CONVERSATION.c.search_rank).where(_CONVERSATION.c.id.in_(list(conversation_ids)))
    )
    for row in rows.all():
        connection.execute(_FORGET[connection.dialect.name], {"id": row.id, "rank": row.search_rank})


def find(
    session: Session, workspace_id: int, query: str, conditions: Sequence[ColumnElement[bool]], limit: int
) -> tuple[int, ...]:
    """Return up to `limit` conversations in which every word of `query` begins some word, newest first.

    `conditions` on the table of conversations must hold too. Nothing is found for a query without a word. What it
    costs depends on the page that is asked for, hardly on how many conversations there are.
    """
    connection = session.connection()
    dialect = connection.dialect.name
    asked = _query(dialect, workspace_id, query)
    if not asked:
        return ()
    mine = (_CONVERSATION.c.workspace_id == workspace_id, *conditions)
    if dialect == "sqlite":
        # The index of words gives its rows newest first, so that reading stops with the page.
        statement = (
            select(_CONVERSATION.c.id)
            .select_from(_INDEX.join(_CONVERSATION, _CONVERSATION.c.search_rank == _INDEX.c.rowid))
            .where(_MATCH.bindparams(query=asked), *mine)
            .order_by(_INDEX.c.rowid.desc())
            .limit(limit)
        )
        return tuple(connection.execute(statement).scalars())
    many = connection.execute(_SOME, {"query": asked, "most": _FEW + 1}).scalar_one() > _FEW
    found = (
        select(_CONVERSATION.c.id)
        .where((_AMONG if many else _BY_WORDS).bindparams(query=asked), *mine)
        .order_by(_CONVERSATION.c.last_at.desc(), _CONVERSATION.c.id.desc())
        .limit(limit)
    )
    return tuple(connection.execute(found).scalars())


def _query(dialect: str, workspace_id: int, query: str) -> str:
    words = list(dict.fromkeys(words_of(query)))[:_MOST_WORDS]
    if not words:
        return ""
    place = place_of(workspace_id)
    # Words hold letters and digits alone, so none can be taken for an operator.
    if dialect == "sqlite":
        return " AND ".join([f"place:{place}", *(f'words:"{word}"{_begins(word, "*")}' for word in words)])
    return " & ".join([place, *(f"{word}{_begins(word, ':*')}" for word in words)])


def _begins(word: str, mark: str) -> str:
    # Every second word begins with any one letter: a single letter stands for itself.
    return mark if len(word) > 1 else ""


def place_of(workspace_id: int) -> str:
    """Return the word by which the index tells the conversations of a workspace."""
    # Begins with a letter that no folded word has: no search for words begins with it.
    return f"é{workspace_id}"


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
