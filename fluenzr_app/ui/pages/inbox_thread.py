"""A conversation as the page shows it: its mails and, between them, what happened with the contact."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session

from fluenzr_app.campaigns.history import HistoryLine, history_of_contact
from fluenzr_app.contacts.stages import StageView, list_stages
from fluenzr_app.db.ids import public_id
from fluenzr_app.inbox.answers import why_not
from fluenzr_app.inbox.conversations import ConversationLine, get_conversation
from fluenzr_app.inbox.thread import FileView, ThreadItem, thread
from fluenzr_app.ui.language import words
from fluenzr_app.ui.pages.inbox_words import initials, mark_tone
from fluenzr_app.words.catalogue import Lang, catalogue
from fluenzr_app.words.formats import time_of_day
from fluenzr_app.workspaces.service import get_workspace
from fluenzr_app.workspaces.users import names_of

# A message to the browser must stay well under a megabyte: long texts are cut, the whole follows on demand.
_LETTERS = 6_000
_QUOTED_LETTERS = 4_000
_WHOLE_LETTERS = 200_000
_SNIPPET = 160
_EVENTS = 60
_LINK_LETTERS = 300
_NOTICES = frozenset(("email.replied", "email.unsubscribed", "email.bounced", "contact.stage_changed", "contact.noted"))


@dataclass(frozen=True)
class FileRow:
    """A file beside a mail, with the address that downloads it."""

    name: str
    size: int
    href: str


@dataclass(frozen=True)
class ThreadRow:
    """A mail, or what happened between two of them.

    Kind: mail, answer, reply, automatic; notice (`text` says what happened), note (`text` is what somebody wrote).
    """

    id: str
    kind: str
    at: str
    name: str = ""
    initials: str = ""
    tone: str = ""
    recipient: str = ""
    subject: str = ""
    text: str = ""
    snippet: str = ""
    quoted: str = ""
    quoted_lines: int = 0
    cut: bool = False
    has_html: bool = False
    truncated: bool = False
    files: tuple[FileRow, ...] = ()
    status: str = ""
    detail: str = ""
    due_at: str = ""
    step: int = 0
    campaign: str = ""
    can_undo: bool = False
    opened_at: str = ""
    clicked_at: str = ""
    clicked_link: str = ""


@dataclass(frozen=True)
class ThreadRead:
    """What a page needs of a conversation, read in one transaction."""

    line: ConversationLine
    items: tuple[ThreadItem, ...]
    history: tuple[HistoryLine, ...]
    stages: tuple[StageView, ...]
    names: Mapping[int, str]
    refused: str
    zone: ZoneInfo


def read_thread(session: Session, workspace_id: int, conversation_id: int) -> ThreadRead:
    """Return a conversation with everything around it; raises ConversationNotFound."""
    line = get_conversation(session, workspace_id, conversation_id)
    history = history_of_contact(session, workspace_id, line.contact_id, limit=_EVENTS, types=_NOTICES)
    users = {int(each.data["by"]) for each in history if isinstance(each.data.get("by"), int)}
    return ThreadRead(
        line,
        thread(session, workspace_id, conversation_id),
        history,
        list_stages(session, workspace_id),
        names_of(session, workspace_id, users),
        why_not(session, line) or "",
        ZoneInfo(get_workspace(session, workspace_id).timezone),
    )


def thread_rows(read: ThreadRead, lang: Lang, me: int, *, most: int, whole: str = "") -> tuple[list[ThreadRow], bool]:
    """Return the latest `most` rows, oldest first, and whether there are older ones; `whole` is the one not cut."""
    rows = [_mail(read.line, item, whole) for item in read.items]
    begun = read.items[0].at if read.items else read.line.created_at
    # What was before the first mail has nothing to do with this conversation.
    rows += [_happened(read, each, lang, me) for each in read.history if each.at >= begun]
    rows = [row for row in rows if row.kind != "notice" or row.text]
    rows.sort(key=lambda row: (row.at, row.kind in ("notice", "note")))
    rows = _merged(rows)
    return rows[-most:], len(rows) > most


def _mail(line: ConversationLine, item: ThreadItem, whole: str) -> ThreadRow:
    came = item.kind in ("reply", "automatic")
    key = public_id("inb" if came else "msg", item.id)
    is_whole = whole == key
    letters = _WHOLE_LETTERS if is_whole else _LETTERS
    quoted = item.quoted.strip("\n")
    name = item.from_name or (line.contact_name if came else "") or item.from_address
    return ThreadRow(
        id=key,
        kind=item.kind,
        at=item.at.isoformat(),
        name=name,
        initials=initials(name, item.from_address),
        tone=mark_tone(line.contact_id) if came else "accent",
        recipient=item.to_address,
        subject=item.subject,
        text=item.text.strip("\n")[:letters],
        snippet=" ".join(item.text.split())[:_SNIPPET] or item.subject,
        quoted=quoted[: _WHOLE_LETTERS if is_whole else _QUOTED_LETTERS],
        quoted_lines=quoted.count("\n") + 1 if quoted else 0,
        cut=not is_whole and (len(item.text) > letters or len(quoted) > _QUOTED_LETTERS),
        has_html=item.has_html,
        truncated=item.truncated,
        files=tuple(_file(line, key, file, came) for file in item.files),
        status=item.status,
        detail=item.detail[:500],
        due_at=item.due_at.isoformat() if item.due_at else "",
        step=item.step,
        campaign=item.campaign_name,
        can_undo=item.can_undo,
        opened_at=item.opened_at.isoformat() if item.opened_at else "",
        clicked_at=item.clicked_at.isoformat() if item.clicked_at else "",
        clicked_link=item.clicked_link[:_LINK_LETTERS],
    )


def _file(line: ConversationLine, mail: str, file: FileView, came: bool) -> FileRow:
    place = f"/downloads/conversations/{public_id('cnv', line.id)}"
    named = f"mails/{mail}/files/{file.index}" if came else f"answers/{mail}/files/{public_id('fil', file.index)}"
    return FileRow(file.filename, file.size, f"{place}/{named}")


def _happened(read: ThreadRead, line: HistoryLine, lang: Lang, me: int) -> ThreadRow:
    by = line.data.get("by")
    who = read.names.get(by, "") if isinstance(by, int) else ""
    key, at = public_id("evt", line.id), line.at.isoformat()
    if line.type == "contact.noted":
        author = words(lang, "inbox.notice.you") if by == me else who
        return ThreadRow(key, "note", at, name=author, text=str(line.data.get("text", ""))[:_LETTERS])
    return ThreadRow(key, "notice", at, text=_notice(read, line, lang, "me" if by == me else who))


def _notice(read: ThreadRead, line: HistoryLine, lang: Lang, who: str) -> str:
    clock = time_of_day(lang, line.at, read.zone)
    if line.type == "contact.stage_changed":
        return _stage_notice(read, line.data, lang, clock, who)
    if line.type == "email.replied":
        return words(lang, "inbox.notice.replied", time=clock) if line.campaign_id else ""
    return words(lang, f"inbox.notice.{line.type.partition('.')[2]}", time=clock)


def _stage_notice(read: ThreadRead, data: Mapping[str, Any], lang: Lang, clock: str, who: str) -> str:
    before, to = (_stage(read.stages, data.get(end), lang) for end in ("from", "to"))
    if not to:
        return words(lang, "inbox.notice.stage_left", before=before, time=clock) if before else ""
    kind = "stage_moved" if before else "stage_entered"
    told = words(lang, f"inbox.notice.{kind}", before=before, to=to, time=clock)
    if not who:
        return told
    by = words(lang, "inbox.notice.by_you") if who == "me" else words(lang, "inbox.notice.by", name=who)
    return words(lang, "inbox.notice.with_author", told=told.removesuffix("."), by=by)


def _stage(stages: Iterable[StageView], told: Any, lang: Lang) -> str:
    if not isinstance(told, Mapping):
        return ""
    known = next((stage for stage in stages if stage.id == told.get("id")), None)
    name, kind = (known.name, known.kind) if known else (str(told.get("name", "")), str(told.get("kind", "")))
    # A stage without a name of its own is called by its kind, in the reader's language.
    key = f"pipeline.kind.{kind}"
    return name or (words(lang, key) if key in catalogue() else kind)


def _merged(rows: Sequence[ThreadRow]) -> list[ThreadRow]:
    """Put notices that follow one another into one line."""
    merged: list[ThreadRow] = []
    for row in rows:
        last = merged[-1] if merged else None
        if last is not None and row.kind == "notice" == last.kind and _same_day(last.at, row.at):
            merged[-1] = replace(last, text=f"{last.text} {row.text}")
        else:
            merged.append(row)
    return merged


def _same_day(one: str, other: str) -> bool:
    return abs(datetime.fromisoformat(one) - datetime.fromisoformat(other)).total_seconds() < 43_200
