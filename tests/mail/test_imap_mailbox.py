"""Reading real mailboxes by IMAP: nothing in them is touched, and what breaks off is opened anew."""

from __future__ import annotations

import imaplib
import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fluenzr_app.mail.imap_mailbox import open_mailbox
from fluenzr_app.mail.imap_session import ImapSettings
from fluenzr_app.mail.mailbox import MAX_ENVELOPES, MAX_HEAD_OCTETS, Mailbox, MailboxFailure
from tests.real.post_office import PostOffice

# How many mails lie in a large mailbox: fifty thousand when there is time for everything.
_FULL = os.environ.get("FLUENZR_TEST_FULL") == "1"
_MANY = 50_000 if _FULL else 5_000
_numbers = itertools.count(1)


@pytest.fixture
def address() -> str:
    return f"imap-{next(_numbers)}@fluenzr.test"


def _settings(office: PostOffice, address: str) -> ImapSettings:
    username, password = office.user(address)
    return ImapSettings("localhost", office.imaps_port, "ssl", username, password, timeout_s=10, ca_file=office.ca_file)


@pytest.fixture
def opened(post_office: PostOffice, address: str) -> Iterator[Callable[[], Mailbox]]:
    """Opens the mailbox of `address`, as often as it is called."""
    mailboxes: list[Mailbox] = []

    def open_anew() -> Mailbox:
        mailboxes.append(open_mailbox(_settings(post_office, address)))
        return mailboxes[-1]

    yield open_anew
    for mailbox in mailboxes:
        mailbox.close()


def never() -> bool:
    return False


def _wait_for(mailbox: Mailbox, folder: str, messages: int) -> None:
    deadline = time.monotonic() + 10
    while mailbox.state(folder).messages < messages:
        assert time.monotonic() < deadline, "the mail did not arrive"


@pytest.mark.parametrize(("port", "encryption"), [("imaps_port", "ssl"), ("imap_port", "starttls")])
def test_both_ways_of_encryption_open_and_check_the_certificate(
    post_office: PostOffice, address: str, port: str, encryption: str
) -> None:
    settings = replace(_settings(post_office, address), port=getattr(post_office, port), encryption=encryption)  # type: ignore[arg-type]
    mailbox = open_mailbox(settings)
    assert mailbox.state("INBOX").messages == 0
    mailbox.close()
    with pytest.raises(MailboxFailure) as untrusted:
        open_mailbox(replace(settings, ca_file=None))
    assert (untrusted.value.code, untrusted.value.permanent) == ("tls_certificate_invalid", True)
    with pytest.raises(MailboxFailure) as wrong:
        open_mailbox(replace(settings, password="wrong"))
    assert (wrong.value.code, wrong.value.stage, wrong.value.permanent) == ("auth_failed", "auth", True)


def test_encryption_that_does_not_fit_the_port_is_a_mismatch(post_office: PostOffice, address: str) -> None:
    settings = _settings(post_office, address)
    with pytest.raises(MailboxFailure) as caught:
        open_mailbox(replace(settings, port=post_office.imap_port, timeout_s=2))
    assert caught.value.code == "tls_mode_mismatch"


def test_a_password_outside_ascii_is_taken(post_office: PostOffice, address: str) -> None:
    post_office.set_password(address, 'clé "x\\')
    mailbox = open_mailbox(_settings(post_office, address))
    assert mailbox.folders()[0].role == "inbox"
    mailbox.close()


def test_mail_that_sieve_filed_as_junk_is_read_there(
    post_office: PostOffice, address: str, opened: Callable[[], Mailbox]
) -> None:
    post_office.install_sieve(address, 'require "fileinto"; if header :contains "subject" "win" { fileinto "Junk"; }')
    mailbox = opened()
    post_office.deliver(address, b"Subject: win a car\r\n\r\nx\r\n")
    (junk,) = (folder for folder in mailbox.folders() if folder.role == "junk")
    _wait_for(mailbox, junk.name, 1)
    assert mailbox.envelopes("INBOX", 0, 10) == ()
    (found,) = mailbox.envelopes(junk.name, 0, 10)
    assert b"win a car" in mailbox.fetch(junk.name, found.uid, 10_000)


def test_a_connection_killed_while_it_waits_is_noticed_and_opened_anew(
    post_office: PostOffice, address: str, opened: Callable[[], Mailbox]
) -> None:
    mailbox = opened()
    late = threading.Timer(0.2, post_office.kick, (address,))
    late.start()
    start = time.monotonic()
    with pytest.raises(MailboxFailure) as caught:
        mailbox.wait_for_news("INBOX", 60, never)
    assert (caught.value.code, caught.value.stage) == ("disconnected", "idle")
    assert time.monotonic() - start < 30, "not for the minute that it might have waited"
    late.join()
    assert opened().state("INBOX").messages == 0


def test_a_connection_killed_while_it_reads_is_noticed_and_opened_anew(
    post_office: PostOffice, address: str, opened: Callable[[], Mailbox]
) -> None:
    raw = b"Subject: large\r\n\r\n" + b"0123456789abcdef" * 60 + b"\r\n"
    post_office.put_aside(address, [("1.large.host", raw * 10_000, datetime.now(UTC))])
    mailbox = opened()
    reading = threading.Event()

    def kick() -> None:
        reading.wait(20)
        post_office.kick(address)

    def read_on() -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            mailbox.fetch("INBOX", 1, 20_000_000)
            reading.set()

    killer = threading.Thread(target=kick)
    killer.start()
    with pytest.raises(MailboxFailure) as caught:
        read_on()
    killer.join()
    assert (caught.value.code, caught.value.still_open) == ("disconnected", False)
    assert len(opened().fetch("INBOX", 1, 20_000_000)) > 9_000_000


def test_a_folder_made_anew_under_the_same_name_has_another_validity(
    post_office: PostOffice, address: str, opened: Callable[[], Mailbox]
) -> None:
    post_office.doveadm("mailbox", "create", "-u", address, "Clients")
    mailbox = opened()
    for number in range(3):
        mailbox.append_sent("Clients", b"Subject: %d\r\n\r\n" % number, datetime.now(UTC))
    before = mailbox.state("Clients")
    assert [each.uid for each in mailbox.envelopes("Clients", 0, 10)] == [1, 2, 3]
    post_office.doveadm("mailbox", "delete", "-u", address, "Clients")
    post_office.doveadm("mailbox", "create", "-u", address, "Clients")
    again = opened()
    again.append_sent("Clients", b"Subject: new\r\n\r\n", datetime.now(UTC))
    after = again.state("Clients")
    assert after.uidvalidity != before.uidvalidity
    assert (before.uidnext, after.uidnext) == (4, 2)
    # A number read before the change may lie above all there are now: that is no mail, not the last one.
    assert again.envelopes("Clients", 3, 10) == ()
    assert b"Subject: new" in again.envelopes("Clients", 0, 10)[0].head


def test_names_of_folders_in_any_script_go_there_and_back(
    post_office: PostOffice, address: str, opened: Callable[[], Mailbox]
) -> None:
    names = ["Éléments envoyés", "R&D", "日本 & Co", 'say "hi" \\ (ok) 100%', "Clients.Zoé", "Plain"]
    for name in names:
        post_office.doveadm("mailbox", "create", "-u", address, name)
    mailbox = opened()
    listed = {folder.name: folder.role for folder in mailbox.folders()}
    assert set(names) <= set(listed)
    assert listed["Éléments envoyés"] == "other", "the server names another folder for sent mail"
    for number, name in enumerate(names):
        rfc_id = f"<{number}@out.example>"
        mailbox.append_sent(name, f"Message-ID: {rfc_id}\r\n\r\n".encode(), datetime.now(UTC))
        assert mailbox.find_message_id(name, rfc_id)
        assert mailbox.state(name).messages == 1


def test_a_copy_of_sent_mail_is_marked_as_seen_and_kept_as_it_is(
    post_office: PostOffice, address: str, opened: Callable[[], Mailbox]
) -> None:
    raw = "Message-ID: <1@out.example>\r\nSubject: x\r\n\r\n.\r\nTexte é\r\n".encode()
    at = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
    mailbox = opened()
    mailbox.append_sent("Sent", raw, at)
    assert mailbox.fetch("Sent", 1, 10_000) == raw
    assert mailbox.envelopes("Sent", 0, 1)[0].arrived_at == at
    (file,) = (post_office.maildir(address, "Sent") / "cur").iterdir()
    assert file.name.endswith(":2,S")


def test_a_mail_of_twenty_megabytes_is_cut_and_its_header_too(
    post_office: PostOffice, address: str, opened: Callable[[], Mailbox]
) -> None:
    head = b"Subject: large\r\n" + b"X-Filler: %s\r\n" % (b"y" * 900) * 200 + b"\r\n"
    raw = head + b"0123456789abcdef" * 60 + b"\r\n"
    raw += (b"z" * 998 + b"\r\n") * 20_000
    post_office.put_aside(address, [("1.large.host", raw, datetime.now(UTC)), ("2.empty.host", b"", datetime.now(UTC))])
    mailbox = opened()
    found = {each.size: each for each in mailbox.envelopes("INBOX", 0, 10)}
    assert set(found) == {len(raw), 0}
    large, empty = found[len(raw)], found[0]
    assert large.head == raw[:MAX_HEAD_OCTETS]
    assert mailbox.fetch("INBOX", large.uid, 1_000_000) == raw[:1_000_000]
    assert mailbox.fetch("INBOX", large.uid, 30_000_000) == raw
    assert empty.head.strip() == b""
    assert mailbox.fetch("INBOX", empty.uid, 1_000) == b""


def _contents(maildir: Path) -> dict[str, tuple[bytes, int]]:
    """Every mail's file with its flags in its name, its content and the time of its last change."""
    files = [file for part in ("new", "cur", "tmp") for file in (maildir / part).iterdir()]
    return {str(file.relative_to(maildir)): (file.read_bytes(), file.stat().st_mtime_ns) for file in files}


def _recent(office: PostOffice, address: str) -> tuple[bytes, ...]:
    """What another client is told: how many mails are recent, unseen and there at all."""
    with imaplib.IMAP4("localhost", office.imap_port, timeout=10) as client:
        client.starttls()
        client.login(*office.user(address))
        return tuple(client.status("INBOX", "(RECENT UNSEEN MESSAGES)")[1])  # type: ignore[arg-type]


def _look_in_as_its_owner(office: PostOffice, address: str) -> None:
    with imaplib.IMAP4("localhost", office.imap_port, timeout=10) as client:
        client.starttls()
        client.login(*office.user(address))
        client.select("INBOX")


def test_reading_everything_leaves_the_mailbox_as_it_was(
    post_office: PostOffice, address: str, opened: Callable[[], Mailbox]
) -> None:
    old = datetime(2025, 12, 1, tzinfo=UTC)
    names = ["3.cur.host:2,", "4.cur.host:2,S", "5.cur.host:2,FRST", "6.cur.host:2,DT", "1.new.host", "2.new.host"]
    mails = [
        (name, f"Message-ID: <{name[0]}@x.example>\r\nSubject: {name}\r\n\r\nText".encode(), old) for name in names
    ]
    post_office.put_aside(address, mails[:4])
    _look_in_as_its_owner(post_office, address)
    post_office.put_aside(address, mails[4:])
    maildir = post_office.maildir(address)
    before, seen_by_others = _contents(maildir), _recent(post_office, address)
    assert b"RECENT 2" in seen_by_others[0]
    mailbox = opened()
    mailbox.folders()
    mailbox.state("INBOX")
    assert len(mailbox.uids_since("INBOX", old)) == 6
    uids = [each.uid for each in mailbox.envelopes("INBOX", 0, 100)]
    assert len([mailbox.fetch("INBOX", uid, 1000) for uid in uids]) == 6
    assert mailbox.find_message_id("INBOX", "<1@x.example>")
    assert not mailbox.wait_for_news("INBOX", 0.1, never)
    mailbox.state("INBOX")
    mailbox.close()
    opened().fetch("INBOX", uids[0], 1000)
    assert _contents(maildir) == before
    assert _recent(post_office, address) == seen_by_others


def test_a_large_old_mailbox_opens_at_once_and_is_left_alone(
    post_office: PostOffice, address: str, opened: Callable[[], Mailbox]
) -> None:
    old, connected = datetime(2025, 6, 1, tzinfo=UTC), datetime.now(UTC) - timedelta(hours=1)
    post_office.put_aside(
        address,
        (
            (f"{number:06}.old.host:2,{'S' * (number % 2)}", b"Subject: %d\r\n\r\nold\r\n" % number, old)
            for number in range(_MANY)
        ),
    )
    maildir = post_office.maildir(address)
    before = _contents(maildir)
    start = time.monotonic()
    mailbox = opened()
    state = mailbox.state("INBOX")
    assert (state.messages, state.uidnext) == (_MANY, _MANY + 1)
    counted = time.monotonic()
    assert mailbox.uids_since("INBOX", connected) == ()
    searched = time.monotonic()
    post_office.deliver(address, b"Subject: the first new one\r\n\r\nx\r\n")
    assert mailbox.wait_for_news("INBOX", 20, never)
    (new,) = mailbox.envelopes("INBOX", state.uidnext - 1, 10)
    assert mailbox.uids_since("INBOX", connected) == (new.uid,)
    listed = time.monotonic()
    assert len(mailbox.envelopes("INBOX", 0, 100_000)) == MAX_ENVELOPES
    paged = time.monotonic()
    assert len(mailbox.uids_since("INBOX", old)) == _MANY + 1
    print(
        f"{_MANY} mails: open and state {counted - start:.2f} s, first search {searched - counted:.2f} s, "
        f"new mail {listed - searched:.2f} s, {MAX_ENVELOPES} envelopes {paged - listed:.2f} s, "
        f"all UIDs {time.monotonic() - paged:.2f} s"
    )
    assert paged - start < (40 if _FULL else 15)
    mailbox.close()
    after = _contents(maildir)
    assert {name: after.get(name) for name in before} == before
    assert len(after) == _MANY + 1
