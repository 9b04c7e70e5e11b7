"""Answers written by hand as an origin of messages: one queue for all mail, held by no gap, window or ramp."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from sqlalchemy import select
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns.outcomes import bounce_if_theirs
from fluenzr_app.db.tables import table_of
from fluenzr_app.db.types import AnyRow
from fluenzr_app.events.record import NewEvent, record
from fluenzr_app.inbox.conversations import move
from fluenzr_app.inbox.models import Answer, AnswerFile, Inbound
from fluenzr_app.mail.compose import AttachedFile, Draft
from fluenzr_app.sending.errors import ContentFault
from fluenzr_app.sending.models import Message
from fluenzr_app.sending.values import (
    Authorised,
    Cancel,
    Content,
    Go,
    OutcomeKind,
    QueuedMessage,
    Settled,
    Settlement,
    Stream,
)

_MESSAGE = table_of(Message)
_ANSWER = table_of(Answer)
_FILE = table_of(AnswerFile)
_INBOUND = table_of(Inbound)
_ACCOUNT = table_of(EmailAccount)

_ANSWERS = (
    select(_ANSWER, _ACCOUNT.c.email, _ACCOUNT.c.display_name)
    .join_from(_ANSWER, _MESSAGE, _MESSAGE.c.id == _ANSWER.c.message_id)
    .join(_ACCOUNT, _ACCOUNT.c.id == _MESSAGE.c.account_id)
)


@dataclass(frozen=True, slots=True)
class AnswerContent(Content):
    """An answer with its files and the mail that it answers, read when it was claimed."""

    answer: AnyRow | None
    answered: AnyRow | None
    files: tuple[AttachedFile, ...]

    def draft(self, now: datetime) -> Draft:
        """Return the mail; raises ContentFault when the answer was taken back."""
        answer = self.answer
        if answer is None:
            raise ContentFault("taken_back")
        html, text = _with_quote(answer.html, answer.text, self.answered)
        return Draft(
            rfc_id=self.message.rfc_id,
            sender_address=answer.email,
            sender_name=answer.display_name,
            to_address=self.message.to_address,
            subject=answer.subject,
            text=text,
            html=f"<html><body>{html}</body></html>",
            date=now,
            in_reply_to=answer.in_reply_to or None,
            references=tuple(answer.references),
            attachments=self.files,
        )


class AnswerOrigin:
    """Implements `sending.origin.Origin` for answers."""

    kind = "answer"

    def may_have_work(self, session: Session, account_ids: Sequence[int], now: datetime) -> set[int]:
        """Return the accounts with an answer that is due."""
        rows = session.connection().execute(
            select(_MESSAGE.c.account_id).where(
                _MESSAGE.c.account_id.in_(list(account_ids)),
                _MESSAGE.c.campaign_id.is_(None),
                _MESSAGE.c.kind == self.kind,
                _MESSAGE.c.status == "queued",
                _MESSAGE.c.due_at <= now,
            )
        )
        return set(rows.scalars())

    def streams(self, session: Session, account: EmailAccount, now: datetime) -> Sequence[Stream]:
        """Return the one stream of answers: always open, not paced."""
        return [Stream(key=None, revision=0, is_open=True, paced=False)]

    def feed(
        self, session: Session, account: EmailAccount, stream: Stream, limit: int, now: datetime, rng: random.Random
    ) -> int:
        """Return 0: answers are queued by those who write them."""
        return 0

    def authorise(self, session: Session, messages: Sequence[QueuedMessage], now: datetime) -> Mapping[int, Authorised]:
        """Return whether each is still wanted: the contact's no was asked for by the engine itself."""
        ids = [message.id for message in messages]
        there = set(
            session.connection().execute(select(_ANSWER.c.message_id).where(_ANSWER.c.message_id.in_(ids))).scalars()
        )
        gone = Authorised(Cancel("taken_back"), 0)
        return {each: Authorised(Go(), 0) if each in there else gone for each in ids}

    def contents(self, session: Session, messages: Sequence[QueuedMessage], now: datetime) -> Mapping[int, Content]:
        """Return what is needed to compose each answer."""
        connection = session.connection()
        ids = [message.id for message in messages]
        answers = {row.message_id: row for row in connection.execute(_ANSWERS.where(_ANSWER.c.message_id.in_(ids)))}
        files: dict[int, tuple[AttachedFile, ...]] = {}
        for row in connection.execute(
            select(_FILE.c.message_id, _FILE.c.filename, _FILE.c.content_type, _FILE.c.content)
            .where(_FILE.c.message_id.in_(ids))
            .order_by(_FILE.c.id)
        ):
            attached = AttachedFile(row.filename, row.content_type, bytes(row.content))
            files[row.message_id] = (*files.get(row.message_id, ()), attached)
        return {
            message.id: AnswerContent(
                message,
                answers.get(message.id),
                _answered(session, message, answers.get(message.id)),
                files.get(message.id, ()),
            )
            for message in messages
        }

    def released(self, session: Session, messages: Sequence[QueuedMessage], now: datetime) -> None:
        """Leave an answer in the queue of its account."""

    def cancelled(self, session: Session, messages: Mapping[QueuedMessage, str], now: datetime) -> None:
        """Bring the conversation back among the unread: what was written there will not leave."""
        for message in messages:
            bring_back(session, message.workspace_id, message.id, now)

    def settled(self, session: Session, settlements: Sequence[Settlement], now: datetime) -> None:
        """Note an answer that left in the contact's history; one that was refused comes back among the unread.

        A contact whose address was refused for good is bounced like by any other mail.
        """
        record(
            session,
            [
                NewEvent(
                    workspace_id=each.outcome.message.workspace_id,
                    type="email.answered",
                    dedupe_key=f"answered:{each.outcome.message.id}",
                    at=each.outcome.at,
                    message_id=each.outcome.message.id,
                    contact_id=each.outcome.message.contact_id,
                    account_id=each.outcome.message.account_id,
                )
                for each in settlements
                if each.result is Settled.SENT
            ],
        )
        refused = (Settled.BOUNCED, Settled.REJECTED, Settled.UNCERTAIN)
        for each in settlements:
            message = each.outcome.message
            if each.result is Settled.BOUNCED and each.outcome.kind is OutcomeKind.HARD_BOUNCE:
                bounce_if_theirs(session, message, now)
            if each.result in refused:
                bring_back(session, message.workspace_id, message.id, now)


def bring_back(session: Session, workspace_id: int, message_id: int, now: datetime) -> None:
    """Let the conversation of an answer that did not arrive be unread again; nothing for any other mail."""
    row = (
        session.connection()
        .execute(select(_ANSWER.c.conversation_id).where(_ANSWER.c.message_id == message_id))
        .first()
    )
    if row is not None:
        move(session, workspace_id, [row.conversation_id], "unread", now)


def _answered(session: Session, message: QueuedMessage, answer: AnyRow | None) -> AnyRow | None:
    if answer is None or not answer.in_reply_to:
        return None
    return (
        session.connection()
        .execute(
            select(_INBOUND.c.from_name, _INBOUND.c.from_address, _INBOUND.c.text, _INBOUND.c.arrived_at).where(
                _INBOUND.c.conversation_id == answer.conversation_id, _INBOUND.c.rfc_id == answer.in_reply_to
            )
        )
        .first()
    )


def _with_quote(html: str, text: str, answered: AnyRow | None) -> tuple[str, str]:
    """Return both alternatives with the answered words under them, as mail programs do."""
    if answered is None or not answered.text.strip():
        return html, text
    who = f"{answered.from_name} <{answered.from_address}>" if answered.from_name else answered.from_address
    heading = f"{answered.arrived_at:%Y-%m-%d %H:%M} UTC, {who}:"
    quoted = "\n".join(f"> {line}".rstrip() for line in answered.text.splitlines())
    quoted_html = "<br>\n".join(escape(line) for line in answered.text.splitlines())
    return (
        f'{html}\n<p>{escape(heading)}</p>\n<blockquote type="cite">{quoted_html}</blockquote>',
        f"{text}\n\n{heading}\n{quoted}",
    )
