"""Mailboxes for the demo and `simulate`: in memory, and read by the same protocol as any other."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fluenzr_app.mail.addresses import email_key
from fluenzr_app.mail.mailbox import (
    MAX_ENVELOPES,
    MAX_HEAD_OCTETS,
    Envelope,
    Folder,
    FolderState,
    Mailbox,
    MailboxFailure,
)

_FOLDERS = (Folder("INBOX", "inbox"), Folder("Junk", "junk"), Folder("Sent", "sent"))
_NAMES = frozenset(folder.name for folder in _FOLDERS)
_END_OF_HEAD = re.compile(rb"\r?\n\r?\n")
_MESSAGE_ID = re.compile(rb"^message-id:\s*(\S.*?)\s*$", re.IGNORECASE | re.MULTILINE)
_SLICE_S = 1.0


@dataclass(frozen=True, slots=True)
class _Kept:
    uid: int
    arrived_at: datetime
    raw: bytes = field(repr=False)

    @property
    def head(self) -> bytes:
        end = _END_OF_HEAD.search(self.raw)
        return self.raw[: end.end() if end else len(self.raw)][:MAX_HEAD_OCTETS]


@dataclass(slots=True)
class _Shelf:
    """One folder of one address. UIDs go on where mails were thrown away."""

    uidnext: int = 1
    octets: int = 0
    mails: deque[_Kept] = field(default_factory=deque)


class SandboxMailboxes:
    """The mailboxes of all addresses; each has the folders INBOX, Junk and Sent. For use by any number of threads.

    `keep` and `keep_octets`: what each folder holds at most, the oldest mails go first. `uidvalidity`: a number that
    no earlier process has used, since UIDs begin anew with each.
    """

    def __init__(self, *, uidvalidity: int, keep: int = 1_000, keep_octets: int = 50_000_000) -> None:
        self.uidvalidity = uidvalidity
        self._keep = keep
        self._keep_octets = keep_octets
        self._shelves: dict[tuple[str, str], _Shelf] = {}
        self._changed = threading.Condition()

    def deliver(self, address: str, raw: bytes, at: datetime, folder: str = "INBOX") -> int:
        """Puts a mail that arrived at `at` (aware) into a folder; its UID. Raises BadAddress, MailboxFailure."""
        key = (email_key(address), _existing(folder, "append"))
        with self._changed:
            shelf = self._shelves.setdefault(key, _Shelf())
            uid = shelf.uidnext
            shelf.uidnext += 1
            shelf.octets += len(raw)
            shelf.mails.append(_Kept(uid, at.astimezone(UTC), raw))
            while len(shelf.mails) > 1 and (len(shelf.mails) > self._keep or shelf.octets > self._keep_octets):
                shelf.octets -= len(shelf.mails.popleft().raw)
            self._changed.notify_all()
        return uid

    def open(self, address: str) -> Mailbox:
        """The mailbox of an address, empty when nothing was delivered yet. Raises BadAddress."""
        return SandboxMailbox(self, email_key(address))

    def kept(self, key: str, folder: str) -> tuple[tuple[_Kept, ...], int]:
        """The mails of a folder, oldest first, and the UID that the next one gets."""
        with self._changed:
            shelf = self._shelves.get((key, folder))
            return (tuple(shelf.mails), shelf.uidnext) if shelf else ((), 1)

    def wait_above(self, key: str, folder: str, uidnext: int, timeout_s: float) -> bool:
        """Whether a mail came to the folder with this UID or a higher one, at once or within `timeout_s`."""

        def came() -> bool:
            shelf = self._shelves.get((key, folder))
            return shelf is not None and shelf.uidnext > uidnext

        with self._changed:
            return self._changed.wait_for(came, timeout_s)


class SandboxMailbox:
    """The protocol `mailbox.Mailbox` over one address of SandboxMailboxes."""

    def __init__(self, mailboxes: SandboxMailboxes, key: str) -> None:
        self._mailboxes = mailboxes
        self._key = key
        self._heard: dict[str, int] = {}
        self._open = True

    @property
    def can_idle(self) -> bool:
        """Whether new mail is told of by itself."""
        return True

    def folders(self) -> tuple[Folder, ...]:
        """See Mailbox."""
        self._demand_open("list")
        return _FOLDERS

    def state(self, folder: str) -> FolderState:
        """See Mailbox."""
        mails, uidnext = self._read(folder, "status")
        return FolderState(self._mailboxes.uidvalidity, uidnext, len(mails))

    def uids_since(self, folder: str, since: datetime) -> tuple[int, ...]:
        """See Mailbox."""
        mails, _ = self._read(folder, "search")
        return tuple(mail.uid for mail in mails if mail.arrived_at >= since)

    def envelopes(self, folder: str, after_uid: int, limit: int) -> tuple[Envelope, ...]:
        """See Mailbox."""
        mails, self._heard[folder] = self._read(folder, "fetch")
        above = [mail for mail in mails if mail.uid > after_uid][: max(0, min(limit, MAX_ENVELOPES))]
        return tuple(Envelope(mail.uid, len(mail.raw), mail.arrived_at, mail.head) for mail in above)

    def fetch(self, folder: str, uid: int, max_octets: int) -> bytes:
        """See Mailbox."""
        mails, _ = self._read(folder, "fetch")
        for mail in mails:
            if mail.uid == uid:
                return mail.raw[:max_octets]
        raise MailboxFailure("message_gone", "This mail is not there any more.", stage="fetch", permanent=True)

    def find_message_id(self, folder: str, rfc_id: str) -> bool:
        """See Mailbox."""
        mails, _ = self._read(folder, "search")
        return any(rfc_id.encode() in _MESSAGE_ID.findall(mail.head) for mail in mails)

    def append_sent(self, folder: str, raw: bytes, at: datetime) -> None:
        """See Mailbox."""
        self._demand_open("append")
        self._mailboxes.deliver(self._key, raw, at, folder)

    def wait_for_news(self, folder: str, timeout_s: float, stopping: Callable[[], bool]) -> bool:
        """See Mailbox."""
        self._read(folder, "idle")
        heard = self._heard[folder]
        until = time.monotonic() + timeout_s
        while not stopping() and (left := until - time.monotonic()) > 0:
            if self._mailboxes.wait_above(self._key, folder, heard, min(left, _SLICE_S)):
                return True
        return False

    def close(self) -> None:
        """See Mailbox."""
        self._open = False

    def _read(self, folder: str, stage: str) -> tuple[tuple[_Kept, ...], int]:
        self._demand_open(stage)
        mails, uidnext = self._mailboxes.kept(self._key, _existing(folder, stage))
        self._heard.setdefault(folder, uidnext)
        return mails, uidnext

    def _demand_open(self, stage: str) -> None:
        if not self._open:
            raise MailboxFailure("disconnected", "The mailbox is closed.", stage=stage)


def _existing(folder: str, stage: str) -> str:
    if folder not in _NAMES:
        raise MailboxFailure("folder_missing", f"There is no folder {folder}.", stage=stage, permanent=True)
    return folder
