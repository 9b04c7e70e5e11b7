"""Everything that is known about one person, as one document (tracking.md, Rights)."""

import base64
import zlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from pydantic.alias_generators import to_camel
from sqlalchemy import ColumnElement, Select, Table, or_, select
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns.models import Campaign, Enrollment, Node
from fluenzr_app.contacts.models import Contact, Suppression
from fluenzr_app.contacts.service import ContactCard, get_contact
from fluenzr_app.db.ids import public_id
from fluenzr_app.db.tables import table_of
from fluenzr_app.db.types import AnyRow
from fluenzr_app.events.models import Event
from fluenzr_app.inbox.models import Answer, AnswerDraft, AnswerFile, Conversation, Inbound, InboundContent
from fluenzr_app.mail.incoming import parse
from fluenzr_app.sending.models import Attempt, Message, SentMail
from fluenzr_app.tracking.models import Hit
from fluenzr_app.tracking.objections import objected_at
from fluenzr_app.workspaces.models import User

_ACCOUNT, _CAMPAIGN, _NODE, _ENROLLMENT = (
    table_of(each) for each in (EmailAccount, Campaign, Node, Enrollment)
)  # fmt: skip
_EVENT, _HIT, _SUPPRESSION, _USER = (table_of(each) for each in (Event, Hit, Suppression, User))
_MESSAGE, _ATTEMPT, _SENT = (table_of(each) for each in (Message, Attempt, SentMail))
_CONVERSATION, _INBOUND, _CONTENT = (table_of(each) for each in (Conversation, Inbound, InboundContent))
_ANSWER, _DRAFT, _FILE = (table_of(each) for each in (Answer, AnswerDraft, AnswerFile))

FORMAT: Final = 1
# What only our own machinery reads: hashes, folded copies, the place in a queue, keys that are told by a name instead.
_NOT_TOLD: Final = frozenset(
    (
        "workspace_id", "contact_id", "email_key", "email_hash", "domain_hash", "search", "search_rank", "revision",
        "rfc_hash", "folder", "uidvalidity", "uid", "dedupe_key", "worker_id", "account_revision", "campaign_revision",
        "seed", "stage_id", "import_id", "owner_id", "user_id", "account_id", "campaign_id", "node_id",
        "enrollment_id", "tracks_opens", "content",
    )
)  # fmt: skip


def person_document(session: Session, workspace_id: int, contact_id: int, now: datetime) -> dict[str, Any]:
    """Return all that is known about a contact, ready for JSON; raises ContactNotFound.

    Mails are told as they were sent and came, with their sources where those are kept (base64), oldest first.
    """
    card = get_contact(session, workspace_id, contact_id)
    told = _Told(session, workspace_id, contact_id)
    return {
        "format": FORMAT,
        "exportedAt": _value(now),
        "contact": _contact(told, card),
        "suppression": told.suppression(card.contact),
        "trackingObjectedAt": _value(objected_at(session, workspace_id, bytes(card.contact.email_hash), contact_id)),
        "enrollments": told.enrollments(),
        "messages": told.messages(),
        "receivedMails": told.received(),
        "conversations": told.conversations(),
        "events": told.events(),
        "opensAndClicks": told.hits(),
    }


def _contact(told: "_Told", card: ContactCard) -> dict[str, Any]:
    stage = card.stage
    row = {name: value for name, value in card.contact.model_dump().items() if name != "fields"}
    return {
        **_told(row, "con"),
        "customFields": dict(card.contact.fields),
        "groups": [name for _, name in card.groups],
        "tags": list(card.tags),
        "stage": None if stage is None else stage.name or stage.kind,
        "owner": told.user(card.contact.owner_id),
    }


class _Told:
    """What each table says about one contact of a workspace, in the order in which it happened."""

    def __init__(self, session: Session, workspace_id: int, contact_id: int) -> None:
        self._connection = session.connection()
        self._workspace_id, self._contact_id = workspace_id, contact_id
        self._accounts = self._names(_ACCOUNT, _ACCOUNT.c.email)
        self._campaigns = self._names(_CAMPAIGN, _CAMPAIGN.c.name)

    def user(self, user_id: int | None) -> str | None:
        """Return the address of a colleague."""
        found: str | None = self._connection.execute(select(_USER.c.email).where(_USER.c.id == user_id)).scalar()
        return found

    def suppression(self, contact: Contact) -> list[dict[str, Any]]:
        """Return the entries of the suppression list that hold for the contact's address or its domain."""
        hashes = [bytes(contact.email_hash), bytes(contact.domain_hash)]
        rows = self._rows(
            select(_SUPPRESSION.c.kind, _SUPPRESSION.c.reason, _SUPPRESSION.c.at)
            .where(_SUPPRESSION.c.workspace_id == self._workspace_id, _SUPPRESSION.c.hash.in_(hashes))
            .order_by(_SUPPRESSION.c.id)
        )
        return [_told(row._mapping) for row in rows]

    def enrollments(self) -> list[dict[str, Any]]:
        """Return the contact's walks through campaigns."""
        return [self._placed(row) for row in self._of_contact(_ENROLLMENT)]

    def messages(self) -> list[dict[str, Any]]:
        """Return the mails to the contact with every attempt, what was written by hand, and what was kept."""
        rows = self._of_contact(_MESSAGE)
        ids = [row.id for row in rows]
        sources = {row.message_id: row.raw for row in self._among(_SENT, _SENT.c.message_id, ids)}
        answers = {row.message_id: row for row in self._among(_ANSWER, _ANSWER.c.message_id, ids)}
        attempts = self._grouped(self._among(_ATTEMPT, _ATTEMPT.c.message_id, ids), "message_id")
        files = self._grouped(self._among(_FILE, _FILE.c.message_id, ids), "message_id")
        return [
            {
                **self._placed(row, "msg"),
                **_answer(answers.get(row.id)),
                **_source(sources.get(row.id)),
                "attempts": [_told(each._mapping) for each in attempts.get(row.id, ())],
                "files": [_file(each) for each in files.get(row.id, ())],
            }
            for row in rows
        ]

    def received(self) -> list[dict[str, Any]]:
        """Return what came back: answers, automatic ones, reports of servers."""
        rows = self._of_contact(_INBOUND)
        kept = self._among(_CONTENT, _CONTENT.c.inbound_id, [row.id for row in rows])
        sources = {row.inbound_id: row.content for row in kept}
        return [{**self._placed(row, "inb"), **_source(sources.get(row.id), words=False)} for row in rows]

    def conversations(self) -> list[dict[str, Any]]:
        """Return the conversations with what colleagues are writing in them."""
        rows = self._of_contact(_CONVERSATION)
        ids = [row.id for row in rows]
        drafts = self._grouped(self._among(_DRAFT, _DRAFT.c.conversation_id, ids), "conversation_id")
        beside = [each for each in self._among(_FILE, _FILE.c.conversation_id, ids) if each.message_id is None]
        files = self._grouped(beside, "conversation_id")
        return [
            {
                **self._placed(row, "cnv"),
                "drafts": [
                    {"html": each.html, "updatedAt": _value(each.updated_at)} for each in drafts.get(row.id, ())
                ],
                "draftFiles": [_file(each) for each in files.get(row.id, ())],
            }
            for row in rows
        ]

    def events(self) -> list[dict[str, Any]]:
        """Return the history: mails, openings, clicks, answers, notes, stages."""
        return [self._placed(row, "evt") for row in self._of_contact(_EVENT)]

    def hits(self) -> list[dict[str, Any]]:
        """Return the requests for pixels and links that are kept, with address and agent where the workspace asks."""
        return [self._placed(row) for row in self._of_contact(_HIT)]

    def _placed(self, row: AnyRow, prefix: str = "") -> dict[str, Any]:
        """Return a row with the names of the account and the campaign that it belongs to."""
        values = row._mapping
        told = _told(values, prefix)
        if "account_id" in values:
            told["account"] = self._accounts.get(values["account_id"])
        if "campaign_id" in values:
            told["campaign"] = self._campaigns.get(values["campaign_id"])
        if values.get("message_id") is not None:
            told["messageId"] = public_id("msg", values["message_id"])
        return told

    def _of_contact(self, table: Table) -> Sequence[AnyRow]:
        mine = table.c.workspace_id == self._workspace_id, table.c.contact_id == self._contact_id
        return self._rows(select(table).where(*mine).order_by(table.c.id))

    def _among(self, table: Table, column: ColumnElement[int], ids: Sequence[int]) -> Sequence[AnyRow]:
        found: list[AnyRow] = []
        for start in range(0, len(ids), 500):
            wanted = select(table).where(column.in_(ids[start : start + 500]))
            # In the order in which they came: PostgreSQL gives changed rows last.
            found += self._rows(wanted.order_by(*table.primary_key.columns))
        return found

    def _names(self, table: Table, name: ColumnElement[str]) -> Mapping[int, str]:
        used = or_(
            *(
                table.c.id.in_(select(other).where(workspace == self._workspace_id, contact == self._contact_id))
                for other, workspace, contact in _uses(table)
            )
        )
        rows = self._rows(select(table.c.id, name).where(table.c.workspace_id == self._workspace_id, used))
        return {row[0]: row[1] for row in rows}

    def _rows(self, statement: Select[Any]) -> Sequence[AnyRow]:
        return self._connection.execute(statement).all()

    @staticmethod
    def _grouped(rows: Iterable[AnyRow], name: str) -> dict[int, list[AnyRow]]:
        found: dict[int, list[AnyRow]] = {}
        for row in rows:
            found.setdefault(row._mapping[name], []).append(row)
        return found


def _uses(table: Table) -> Iterable[tuple[Any, Any, Any]]:
    name = "account_id" if table is _ACCOUNT else "campaign_id"
    for other in (_ENROLLMENT, _MESSAGE, _INBOUND, _CONVERSATION, _EVENT, _HIT):
        yield other.c[name], other.c.workspace_id, other.c.contact_id


def _told(values: Mapping[Any, Any], prefix: str = "") -> dict[str, Any]:
    told = {to_camel(name): _value(value) for name, value in values.items() if name not in (*_NOT_TOLD, "id")}
    told.pop("messageId", None)
    return {"id": public_id(prefix, values["id"]), **told} if prefix else told


def _answer(row: AnyRow | None) -> dict[str, Any]:
    if row is None:
        return {}
    return {name: getattr(row, name) for name in ("subject", "text", "html", "references")}


def _source(deflated: bytes | None, *, words: bool = True) -> dict[str, Any]:
    if deflated is None:
        return {}
    raw = zlib.decompress(deflated)
    source = {"source": base64.b64encode(raw).decode("ascii")}
    return {"text": parse(raw).text, **source} if words else source


def _file(row: AnyRow) -> dict[str, Any]:
    content = base64.b64encode(row.content).decode("ascii")
    return {"filename": row.filename, "contentType": row.content_type, "content": content}


def _value(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else value
