"""An incoming mail takes effect: classified, stored once, sequences stopped, all in one transaction (inbox.md).

The order of the rules is that of the page: unsubscribe by mail, delivery report, complaint, automatic answer, reply;
anything else is left alone and not stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session

from fluenzr_app.campaigns.bounces import Bounce, apply_report
from fluenzr_app.campaigns.enrollments import stop_contact
from fluenzr_app.campaigns.replies import stop_on_reply
from fluenzr_app.campaigns.uncertain import was_sent
from fluenzr_app.contacts import stages
from fluenzr_app.contacts.suppression import suppress_contact
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.tables import table_of
from fluenzr_app.events.models import Event
from fluenzr_app.events.record import NewEvent, record
from fluenzr_app.inbox import matching
from fluenzr_app.inbox.answer_origin import bring_back
from fluenzr_app.inbox.arrival import note_arrival
from fluenzr_app.inbox.matching import Match
from fluenzr_app.inbox.models import Inbound, InboundContent
from fluenzr_app.inbox.prepared import Prepared
from fluenzr_app.mail.bounces import BouncedRecipient
from fluenzr_app.mail.quoted import Split
from fluenzr_app.sending.origin import Origin
from fluenzr_app.tracking import unsubscribe
from fluenzr_app.tracking.errors import BadLink
from fluenzr_app.tracking.own_links import own_links

_INBOUND = table_of(Inbound)
_CONTENT = table_of(InboundContent)
_EVENT = table_of(Event)

_TEXT_KEPT = 100_000
_QUOTED_KEPT = 200_000


@dataclass(frozen=True, slots=True)
class Wiring:
    """What taking effect needs besides the session."""

    keyring: KeyRing
    origins: Mapping[str, Origin]
    public_url: str


@dataclass(frozen=True, slots=True)
class _Verdict:
    """What a mail is, by which rule, and about which mail of ours."""

    kind: str
    why: str
    match: Match | None
    bounced: BouncedRecipient | None = None


def store(session: Session, wiring: Wiring, prepared: Prepared, now: datetime) -> str | None:
    """Let a mail take effect and return its kind; None when it does not concern us or was stored before.

    Nothing is left half done: the mail's row, the end of the sequence, event, rollup and conversation are one.
    """
    if _known(session, prepared):
        return None
    verdict = _classify(session, wiring, prepared, now)
    if verdict is None:
        return None
    prepared = _untracked(session, wiring, prepared)
    inbound_id = _insert(session, prepared, verdict, now)
    if inbound_id is None:
        # Another process was faster; its transaction did all the rest.
        return None
    match = verdict.match
    if match is not None and match.status == "uncertain":
        # Somebody answers it, or reports on it: it did arrive.
        was_sent(session, match.message_id, wiring.origins, now)
    if verdict.kind == "unsubscribe":
        unsubscribe.apply(session, wiring.keyring, prepared.stop_token, now, "mailto", _stop)
    elif verdict.kind in ("bounce", "delay") and match is not None and verdict.bounced is not None:
        _report(session, match, verdict.bounced, now, another=match.how == "recipient" and bool(_named_by(prepared)))
    elif verdict.kind == "abuse" and match is not None:
        _complaint(session, match, prepared, now)
    elif match is not None:
        _answered(session, match, prepared, verdict, inbound_id, now)
    return verdict.kind


def _untracked(session: Session, wiring: Wiring, prepared: Prepared) -> Prepared:
    """Return the mail with what it quotes of ours as the author wrote it: who reads it here is not the recipient."""
    links, words = own_links(session, wiring.keyring, wiring.public_url), prepared.split
    return replace(
        prepared,
        split=Split(links.plain_text(words.new), links.plain_text(words.quoted), links.plain_text(words.signature)),
    )


def _classify(session: Session, wiring: Wiring, prepared: Prepared, now: datetime) -> _Verdict | None:
    place, mail = prepared.place, prepared.mail
    if prepared.stop_token and _is_ours(session, wiring, prepared.stop_token, place.workspace_id):
        return _Verdict("unsubscribe", "mailto", None)
    if prepared.report is not None:
        found = _reported(session, prepared, now)
        # A server's report about somebody else's mail is nobody's answer either, whatever thread that was in.
        if found is not None or mail.content_type == "multipart/report":
            return found
    if prepared.abuse is not None:
        ids, addresses = prepared.abuse.message_ids, prepared.abuse.recipients
        about = matching.by_thread(session, place.workspace_id, ids) or matching.by_recipient(
            session, place.workspace_id, place.account_id, addresses, now
        )
        return None if about is None else _Verdict("abuse", prepared.abuse.feedback_type, about)
    match = matching.by_thread(session, place.workspace_id, matching.thread_ids(mail)) or matching.by_subject(
        session, place.workspace_id, place.account_id, mail.sender.key, mail.subject, now
    )
    # What we sent ourselves (a copy in another folder, a test to oneself, a thread passed on) is no answer.
    if match is None or mail.sender.key == place.account_key:
        return None
    if matching.is_own(session, place.workspace_id, mail, match.contact_key):
        return None
    if prepared.automatic is not None:
        return _Verdict("automatic", prepared.automatic.why, match)
    return _Verdict("reply", match.how, match)


def _is_ours(session: Session, wiring: Wiring, token: str, workspace_id: int) -> bool:
    try:
        return unsubscribe.read_token(session, wiring.keyring, token).workspace_id == workspace_id
    except BadLink:
        return False


def _reported(session: Session, prepared: Prepared, now: datetime) -> _Verdict | None:
    """Return which of the reported recipients is one of ours; a person's own mail is never taken for a report."""
    report, place, mail = prepared.report, prepared.place, prepared.mail
    if report is None or not report.recipients:
        return None
    about = matching.by_thread(session, place.workspace_id, _named_by(prepared))
    addresses = [each for recipient in report.recipients for each in (recipient.address, recipient.final_address or "")]
    if about is None:
        about = matching.by_recipient(session, place.workspace_id, place.account_id, addresses, now)
    if about is None:
        return None
    if mail.sender.key == about.contact_key and mail.content_type != "multipart/report":
        return None
    bounced = _of_contact(report.recipients, about)
    return _Verdict("delay" if bounced.bounce_class == "delayed" else "bounce", report.reported_by, about, bounced)


def _named_by(prepared: Prepared) -> list[str]:
    """Return the Message-IDs of the mail reported on, without those of the mails before it in its thread.

    A report about what the user wrote by hand in the thread of one of ours is none about ours.
    """
    mail = prepared.mail
    older = set(mail.references[:-1]) - set(mail.in_reply_to)
    return [each for each in prepared.report.message_ids if each not in older] if prepared.report else []


def _of_contact(recipients: tuple[BouncedRecipient, ...], about: Match) -> BouncedRecipient:
    wanted = about.to_address.casefold()
    for recipient in recipients:
        if wanted in (recipient.address.casefold(), (recipient.final_address or "").casefold()):
            return recipient
    # Each of our mails has one recipient: whatever name a forwarding gave it, it is that one.
    return recipients[0]


def _report(session: Session, match: Match, bounced: BouncedRecipient, now: datetime, *, another: bool) -> None:
    """Let a report take effect; one that names `another` mail than ours tells about the address alone.

    That our own mail did not arrive is not in it, so that nothing is sent again for it (guarantee 1).
    """
    if another and bounced.bounce_class == "soft":
        return
    bounce = Bounce(bounced.bounce_class, bounced.status or "", str(bounced.cause or ""), bounced.text)
    apply_report(session, match.message_id, bounce, now)
    if match.kind == "answer" and bounced.bounce_class != "delayed":
        bring_back(session, match.workspace_id, match.message_id, now)


def _complaint(session: Session, match: Match, prepared: Prepared, now: datetime) -> None:
    """Whoever calls it spam has said no (contacts.md, Suppression list)."""
    suppress_contact(session, match.workspace_id, match.contact_id, "complaint", now)
    stop_contact(session, match.workspace_id, match.contact_id, "unsubscribed", "complaint", now)
    event = _event(match, "email.complained", f"email.complained:{match.message_id}", now, {})
    record(session, [event])


def _answered(
    session: Session, match: Match, prepared: Prepared, verdict: _Verdict, inbound_id: int, now: datetime
) -> None:
    is_reply = verdict.kind == "reply"
    if is_reply:
        stop_on_reply(session, match.workspace_id, match.contact_id, match.enrollment_id, now)
        stages.answered(session, match.workspace_id, match.contact_id, now)
        _stop_who_wrote(session, match, prepared.mail.sender.key, now)
    kind = "email.replied" if is_reply else "email.auto_replied"
    record(session, [_answer_event(session, match, kind, inbound_id, now)])
    note_arrival(session, match, prepared, inbound_id, now)


def _stop_who_wrote(session: Session, match: Match, sender_key: str, now: datetime) -> None:
    """End the walks of a contact who answered a mail to somebody else: a colleague, or their own second address."""
    if sender_key != match.contact_key:
        contact_id = matching.contact_of(session, match.workspace_id, sender_key)
        if contact_id is not None:
            stop_on_reply(session, match.workspace_id, contact_id, None, now)


def _answer_event(session: Session, match: Match, kind: str, inbound_id: int, now: datetime) -> NewEvent:
    """Return the event; a campaign's figures count a contact's first answer alone, the history shows every one."""
    data = {"inbound": inbound_id}
    if match.enrollment_id is None:
        return _event(match, kind, f"{kind}:inbound:{inbound_id}", now, data)
    first = f"{kind}:enrollment:{match.enrollment_id}"
    if not _happened(session, match.workspace_id, first):
        return _event(match, kind, first, now, data)
    again = _event(match, kind, f"{kind}:inbound:{inbound_id}", now, data | {"again": True})
    return NewEvent(
        workspace_id=again.workspace_id, type=again.type, dedupe_key=again.dedupe_key, at=now,
        message_id=again.message_id, contact_id=again.contact_id, account_id=again.account_id, data=again.data,
    )  # fmt: skip


def _happened(session: Session, workspace_id: int, key: str) -> bool:
    statement = select(_EVENT.c.id).where(_EVENT.c.workspace_id == workspace_id, _EVENT.c.dedupe_key == key)
    return session.connection().execute(statement).first() is not None


def _event(match: Match, kind: str, key: str, now: datetime, data: Mapping[str, Any]) -> NewEvent:
    return NewEvent(
        workspace_id=match.workspace_id, type=kind, dedupe_key=key, at=now, message_id=match.message_id,
        contact_id=match.contact_id, campaign_id=match.campaign_id, account_id=match.account_id,
        node_id=match.node_id, data=data,
    )  # fmt: skip


def _stop(session: Session, workspace_id: int, contact_id: int, now: datetime) -> None:
    stop_contact(session, workspace_id, contact_id, "unsubscribed", "unsubscribed", now)


def _known(session: Session, prepared: Prepared) -> bool:
    place = prepared.place
    here = (
        (_INBOUND.c.folder == place.folder)
        & (_INBOUND.c.uidvalidity == place.uidvalidity)
        & (_INBOUND.c.uid == place.uid)
    )
    statement = select(_INBOUND.c.id).where(
        _INBOUND.c.account_id == place.account_id, here | (_INBOUND.c.rfc_hash == prepared.rfc_hash)
    )
    return session.connection().execute(statement).first() is not None


def _insert(session: Session, prepared: Prepared, verdict: _Verdict, now: datetime) -> int | None:
    place, mail, match = prepared.place, prepared.mail, verdict.match
    shown = verdict.kind in ("reply", "automatic")
    words = prepared.split
    row: dict[str, Any] = {
        "workspace_id": place.workspace_id,
        "account_id": place.account_id,
        "folder": place.folder,
        "uidvalidity": place.uidvalidity,
        "uid": place.uid,
        "rfc_id": mail.rfc_id,
        "rfc_hash": prepared.rfc_hash,
        "kind": verdict.kind,
        "why": verdict.why[:200],
        "contact_id": None if match is None else match.contact_id,
        "conversation_id": None,
        "message_id": None if match is None else match.message_id,
        "campaign_id": None if match is None else match.campaign_id,
        "enrollment_id": None if match is None else match.enrollment_id,
        "from_name": mail.sender.name[:200] if shown else "",
        "from_address": (mail.reply_to or mail.sender).address if shown else "",
        "subject": mail.subject if shown else "",
        "text": words.new[:_TEXT_KEPT] if shown else "",
        "quoted": "\n\n".join(filter(None, (words.signature, words.quoted)))[:_QUOTED_KEPT] if shown else "",
        "has_html": shown and bool(mail.html),
        "attachments": _files(prepared) if shown else [],
        "references": _references(prepared) if shown else [],
        "returns_on": None if prepared.automatic is None or not shown else prepared.automatic.returns_on,
        "size": mail.size,
        "truncated": mail.truncated,
        "data": _data(verdict),
        "arrived_at": min(place.arrived_at, now),
        "stored_at": now,
    }
    connection = session.connection()
    insertion: Any = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(_INBOUND)
    statement = insertion.on_conflict_do_nothing().returning(_INBOUND.c.id)
    found = connection.execute(statement, row).first()
    if found is None:
        return None
    if shown:
        connection.execute(_CONTENT.insert(), {"inbound_id": found.id, "content": prepared.deflated})
    return int(found.id)


def _files(prepared: Prepared) -> list[dict[str, Any]]:
    return [
        {"index": file.index, "filename": file.filename, "content_type": file.content_type, "size": file.size}
        for file in prepared.mail.attachments
        if not (file.inline and file.content_id)
    ]


def _references(prepared: Prepared) -> list[str]:
    mail = prepared.mail
    return list(dict.fromkeys((*mail.references, *mail.in_reply_to)))[-50:]


def _data(verdict: _Verdict) -> dict[str, Any] | None:
    if verdict.bounced is None:
        return None
    bounced = verdict.bounced
    return {
        "class": bounced.bounce_class,
        "status": bounced.status or "",
        "cause": str(bounced.cause or ""),
        "text": bounced.text[:500],
    }
