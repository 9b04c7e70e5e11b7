"""A mailbox over IMAP (RFC 9051), read without leaving a trace: EXAMINE and BODY.PEEK only."""

from __future__ import annotations

import imaplib
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from imap_tools.errors import UnexpectedCommandStatusError
from imap_tools.utils import encode_folder

from fluenzr_app.mail import imap_answers as answers
from fluenzr_app.mail.folder_roles import with_roles
from fluenzr_app.mail.imap_client import Allowance, Idle, ImapBox, Login, password_login
from fluenzr_app.mail.imap_opening import failure_from, opened
from fluenzr_app.mail.imap_session import ImapSettings
from fluenzr_app.mail.mailbox import (
    MAX_ENVELOPES,
    MAX_HEAD_OCTETS,
    Envelope,
    Folder,
    FolderState,
    MailboxCode,
    MailboxFailure,
)

# A server that delivers less in a second is not worth waiting for.
_OCTETS_PER_S = 16_384
# Enough for the numbers of a million mails.
_SEARCH_OCTETS = 12_000_000
_LIST_OCTETS = 4_000_000
_ENVELOPES_AT_ONCE = 50
_OVERHEAD = 4_096
# So many mails with the same Message-ID are more than anybody has; a search by part of it may find others.
_MAX_HITS = 50
_IDLE_SLICE_S = 1.0
# RFC 2177 wants a renewal before 29 minutes; boxes on the way forget quiet connections long before that.
_IDLE_RENEW_S = 540.0
_MAX_ID_OCTETS = 4_096
_FOLD = re.compile(rb"\r?\n[ \t]+")
_SEARCHABLE = re.compile(r"[ -~]+").fullmatch
_MISSING = re.compile(r"\[(?:NONEXISTENT|TRYCREATE|CANNOT|NOPERM)\]", re.IGNORECASE)
_PASSING = re.compile(r"\[(?:UNAVAILABLE|INUSE|SERVERBUG|LIMIT|CONTACTADMIN)\]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Examined:
    uidvalidity: int
    uidnext: int
    messages: int


def open_mailbox(settings: ImapSettings, login: Login | None = None) -> ImapMailbox:
    """An open mailbox. Raises MailboxFailure. Not to be called in a thread whose event loop runs.

    `login`: another way to sign in than by the settings' password, such as `imap_client.token_login`.
    """
    box = opened(settings, login or password_login(settings.username, settings.password))
    return ImapMailbox(box, settings.timeout_s)


class ImapMailbox:
    """The protocol `mailbox.Mailbox` over IMAP. `idle_renew_s`: how long one IDLE lasts before it is renewed."""

    def __init__(self, box: ImapBox, timeout_s: float, idle_renew_s: float = _IDLE_RENEW_S) -> None:
        self._box = box
        self._client = box.client
        self._timeout_s = timeout_s
        self._idle_renew_s = idle_renew_s
        self._can_idle = "IDLE" in self._client.capabilities
        self._selected: str | None = None
        self._open = True
        # By folder: its UIDVALIDITY and the UID above which the caller has heard of nothing.
        self._heard: dict[str, tuple[int, int]] = {}

    @property
    def can_idle(self) -> bool:
        """Whether the server tells of new mail by itself."""
        return self._can_idle

    def folders(self) -> tuple[Folder, ...]:
        """See Mailbox."""
        # RFC 6154, 2: special uses may be left out of a plain LIST.
        tells = {"SPECIAL-USE", "LIST-EXTENDED"} <= set(self._client.capabilities)
        with self._step("list", octets=_LIST_OCTETS):
            arguments = ('""', '"*"', "RETURN (SPECIAL-USE)") if tells else ('""', '"*"')
            verdict, data = self._client._simple_command("LIST", *arguments)
            parts = self._client._untagged_response(verdict, data, "LIST")[1]
            _demand_ok(verdict, data, "list")
            return with_roles(answers.listed(parts))

    def state(self, folder: str) -> FolderState:
        """See Mailbox."""
        self._unselect(folder)
        with self._step("status"):
            verdict, parts = self._client.status(_encoded(folder), "(MESSAGES UIDNEXT UIDVALIDITY)")
            _demand_ok(verdict, parts, "status", "folder_missing")
            counts = answers.counts(parts)
            self._heard.setdefault(folder, (counts["UIDVALIDITY"], counts["UIDNEXT"]))
            return FolderState(counts["UIDVALIDITY"], counts["UIDNEXT"], counts["MESSAGES"])

    def uids_since(self, folder: str, since: datetime) -> tuple[int, ...]:
        """See Mailbox."""
        # The day in the server's zone is at most one before the day in UTC.
        day = (since.astimezone(UTC) - timedelta(days=1)).date()
        self._examine(folder)
        return tuple(self._search("SINCE", f"{day.day}-{answers.MONTHS[day.month - 1]}-{day.year:04}"))

    def envelopes(self, folder: str, after_uid: int, limit: int) -> tuple[Envelope, ...]:
        """See Mailbox."""
        examined = self._examine(folder)
        above: list[int] = []
        if after_uid < answers.MAX_UID:
            # RFC 9051, 9, seq-range: `n:*` is the last mail even where that is below n.
            above = [uid for uid in self._search("UID", f"{after_uid + 1}:*") if uid > after_uid]
        self._heard[folder] = (examined.uidvalidity, max([examined.uidnext, *(uid + 1 for uid in above[-1:])]))
        wanted = above[: max(0, min(limit, MAX_ENVELOPES))]
        found: list[Envelope] = []
        for start in range(0, len(wanted), _ENVELOPES_AT_ONCE):
            found += self._envelopes_of(wanted[start : start + _ENVELOPES_AT_ONCE])
        return tuple(found)

    def fetch(self, folder: str, uid: int, max_octets: int) -> bytes:
        """See Mailbox."""
        if self._selected != folder:
            self._examine(folder)
        items = self._fetch([uid], f"BODY.PEEK[]<0.{max_octets}>", max_octets)
        if "BODY" not in items.get(uid, {}):
            raise MailboxFailure("message_gone", "This mail is not there any more.", stage="fetch", permanent=True)
        return items[uid]["BODY"]

    def find_message_id(self, folder: str, rfc_id: str) -> bool:
        """See Mailbox."""
        if not _SEARCHABLE(rfc_id):
            # No mail of ours has such a Message-ID, and a search for it could not be said in one line.
            return False
        self._examine(folder)
        # Some servers keep Message-IDs without their brackets.
        for words in dict.fromkeys((rfc_id, rfc_id.strip("<>"))):
            hits = self._search("HEADER", "Message-ID", _quoted(words)) if words else []
            if hits and self._any_has_id(hits[-_MAX_HITS:], rfc_id):
                return True
        return False

    def append_sent(self, folder: str, raw: bytes, at: datetime) -> None:
        """See Mailbox."""
        with self._step("append", seconds=len(raw) / _OCTETS_PER_S):
            try:
                self._box.append(raw, folder, dt=at, flag_set=[r"\Seen"])
            except UnexpectedCommandStatusError as error:
                words = _words(error.command_result[1])
                if "[OVERQUOTA]" in words.upper():
                    raise MailboxFailure("quota_exceeded", words, stage="append") from error
                raise _refusal(words, "append") from error

    def wait_for_news(self, folder: str, timeout_s: float, stopping: Callable[[], bool]) -> bool:
        """See Mailbox."""
        until = time.monotonic() + timeout_s
        news = False
        while self._can_idle and not news and not stopping() and time.monotonic() < until:
            news = self._idle_once(folder, until, stopping)
        return news

    def close(self) -> None:
        """See Mailbox."""
        if self._open:
            with suppress(Exception):
                self._client.allow(Allowance(seconds=1.0))
                self._client.sock.settimeout(1.0)
                self._client.sock.sendall(b"bye LOGOUT\r\n")
        self._drop()

    def _idle_once(self, folder: str, until: float, stopping: Callable[[], bool]) -> bool:
        examined = self._examine(folder)
        if self._is_unheard(folder, examined):
            return True
        with self._step("idle", seconds=self._idle_renew_s):
            idle = Idle(self._client, examined.messages)
            if not idle.begin():
                self._can_idle = False
                return False
            until = min(until, time.monotonic() + self._idle_renew_s)
            while not idle.news and not stopping() and (left := until - time.monotonic()) > 0:
                idle.listen(min(left, _IDLE_SLICE_S))
            if stopping():
                self._end_in_haste(idle)
            else:
                self._client.allow(self._allowance())
                idle.end()
            return idle.news

    def _is_unheard(self, folder: str, examined: _Examined) -> bool:
        """Whether mail came between what the caller last heard of and this EXAMINE; told once."""
        now = (examined.uidvalidity, examined.uidnext)
        before = self._heard[folder]
        self._heard[folder] = max(before, now) if before[0] == now[0] else now
        return before[0] != now[0] or before[1] < now[1]

    def _end_in_haste(self, idle: Idle) -> None:
        """Somebody waits for this thread to end: a server that is slow to leave IDLE loses the connection."""
        self._client.allow(Allowance(seconds=1.0))
        try:
            idle.end()
        except (OSError, imaplib.IMAP4.error):
            self._drop()

    def _envelopes_of(self, uids: list[int]) -> list[Envelope]:
        items = self._fetch(uids, f"RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER]<0.{MAX_HEAD_OCTETS}>", MAX_HEAD_OCTETS)
        found = []
        for uid, item in sorted(items.items()):
            head = item.get("BODY", b"")
            # A server that cannot say when a mail came must not hide it: it is there now at the latest.
            with suppress(KeyError, ValueError):
                arrived_at = answers.moment(item["INTERNALDATE"])
                found.append(Envelope(uid, int(item.get("RFC822.SIZE", len(head))), arrived_at, head))
                continue
            found.append(Envelope(uid, len(head), datetime.now(UTC), head))
        return found

    def _any_has_id(self, uids: list[int], rfc_id: str) -> bool:
        items = self._fetch(uids, f"BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)]<0.{_MAX_ID_OCTETS}>", _MAX_ID_OCTETS)
        heads = [_FOLD.sub(b" ", item.get("BODY", b"")) for item in items.values()]
        ids = (line.partition(b":")[2].strip() for head in heads for line in head.splitlines())
        return rfc_id.encode() in ids

    def _fetch(self, uids: list[int], what: str, literal: int) -> dict[int, dict[str, bytes]]:
        """The items of the mails asked for that are still there."""
        octets = len(uids) * (literal + _OVERHEAD)
        with self._step("fetch", octets=octets, seconds=octets / _OCTETS_PER_S, literal=literal):
            verdict, parts = self._client.uid("FETCH", ",".join(map(str, uids)), f"(UID {what})")
            _demand_ok(verdict, parts, "fetch")
            wanted, found = set(uids), dict[int, dict[str, bytes]]()
            for items in answers.fetched(cast(Iterable[answers.Part], parts)):
                # A change of flags may come as an answer of its own.
                uid = int(items.get("UID", b"0"))
                if uid in wanted:
                    found.setdefault(uid, {}).update(items)
            return found

    def _search(self, *criteria: str) -> list[int]:
        """UIDs in ascending order, in the open folder."""
        with self._step("search", octets=_SEARCH_OCTETS, seconds=2 * self._timeout_s, line=_SEARCH_OCTETS):
            verdict, parts = self._client.uid("SEARCH", *criteria)
            _demand_ok(verdict, parts, "search")
            return answers.numbers(cast(Iterable[answers.Part], parts))

    def _examine(self, folder: str) -> _Examined:
        """Opens the folder for reading only, anew each time: only so does every server show what has just come."""
        self._selected = None
        with self._step("examine"):
            verdict, parts = self._client.select(_encoded(folder), readonly=True)
            _demand_ok(verdict, parts, "examine", "folder_missing")
            values = {key: self._client.untagged_responses.get(key) for key in ("UIDVALIDITY", "UIDNEXT", "EXISTS")}
            numbers = {key: int(cast(bytes, found[-1])) if found else 0 for key, found in values.items()}
        self._selected = folder
        self._heard.setdefault(folder, (numbers["UIDVALIDITY"], numbers["UIDNEXT"]))
        return _Examined(numbers["UIDVALIDITY"], numbers["UIDNEXT"], numbers["EXISTS"])

    def _unselect(self, folder: str) -> None:
        """RFC 9051, 6.3.11: STATUS is not for the folder that is open, some servers then answer with old numbers.

        Never CLOSE, which would remove deleted mails where EXAMINE was not honoured.
        """
        if self._selected == folder and "UNSELECT" in self._client.capabilities:
            with self._step("status"):
                self._client.unselect()
            self._selected = None

    def _allowance(
        self, *, octets: int = 1_000_000, seconds: float = 0.0, line: int = 65_536, literal: int = 65_536
    ) -> Allowance:
        return Allowance(2 * self._timeout_s + seconds, octets, max(line, min(literal + _OVERHEAD, octets)), literal)

    @contextmanager
    def _step(
        self, stage: str, *, octets: int = 1_000_000, seconds: float = 0.0, line: int = 65_536, literal: int = 65_536
    ) -> Iterator[None]:
        """One command. What fails inside comes out as MailboxFailure; all but a mere NO closes the mailbox."""
        if not self._open:
            raise MailboxFailure("disconnected", "The mailbox is closed.", stage=stage)
        self._client.allow(self._allowance(octets=octets, seconds=seconds, line=line, literal=literal))
        try:
            yield
        except MailboxFailure as failure:
            if not failure.still_open:
                self._drop()
            raise
        except Exception as error:
            self._drop()
            raise failure_from(error, stage) from error
        except BaseException:
            self._drop()
            raise

    def _drop(self) -> None:
        if self._open:
            self._open = False
            with suppress(Exception):
                self._client.shutdown()


def _demand_ok(verdict: str, data: Iterable[object], stage: str, otherwise: MailboxCode = "refused") -> None:
    if verdict != "OK":
        raise _refusal(_words(data), stage, otherwise)


def _refusal(words: str, stage: str, otherwise: MailboxCode = "refused") -> MailboxFailure:
    if _PASSING.search(words):
        otherwise = "refused"
    elif _MISSING.search(words):
        otherwise = "folder_missing"
    return MailboxFailure(otherwise, words, stage=stage, permanent=otherwise == "folder_missing")


def _words(data: Iterable[object]) -> str:
    return b" ".join(part for part in data if isinstance(part, bytes)).decode("utf-8", "replace")


def _encoded(folder: str) -> str:
    return encode_folder(folder).decode("ascii")


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
