"""Mailboxes of servers that break off, fall silent, talk for ever or talk nonsense: each fails, none hangs."""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from fluenzr_app.mail.imap_client import token_login
from fluenzr_app.mail.imap_mailbox import ImapMailbox, open_mailbox
from fluenzr_app.mail.imap_session import ImapSettings
from fluenzr_app.mail.mailbox import Mailbox, MailboxFailure
from tests.mail.hostile_imap import CLOSE, EXAMINED, HANG, Endless, HostileImap, running
from tests.real.ports import free_ports

Reading = Callable[[Mailbox], object]


def never() -> bool:
    return False


def _failure_of(server: HostileImap, reading: Reading = lambda mailbox: None, timeout_s: float = 0.5) -> MailboxFailure:
    def read() -> None:
        mailbox = open_mailbox(server.settings(timeout_s))
        try:
            reading(mailbox)
        finally:
            mailbox.close()

    start = time.monotonic()
    with running(server), pytest.raises(MailboxFailure) as caught:
        read()
    assert time.monotonic() - start < 25
    return caught.value


@pytest.mark.parametrize(
    ("server", "code", "stage"),
    [
        (HostileImap(greeting=b"* BYE not today\r\n"), "disconnected", "connect"),
        (HostileImap(greeting=b"* BYE Too many connections from your address\r\n"), "rate_limited", "connect"),
        (HostileImap(greeting=b"220 mail.example ESMTP\r\n"), "tls_mode_mismatch", "connect"),
        (HostileImap(greeting=b"\x15\x03\x01\x00\x02\x02\x16\r\n"), "tls_mode_mismatch", "connect"),
        (HostileImap(greeting=CLOSE), "disconnected", "connect"),
        (HostileImap(greeting=HANG), "timeout", "connect"),
        (HostileImap(greeting=Endless(b"x" * 8192)), "protocol", "connect"),
        (HostileImap(greeting=Endless(b"x", pause_s=0.05)), "timeout", "connect"),
        (HostileImap(greeting=Endless(b"* OK hello\r\n" * 100)), "protocol", "connect"),
        (HostileImap(capabilities=b"IMAP4rev1 LOGINDISABLED"), "tls_mode_mismatch", "auth"),
        (HostileImap(answers={"LOGIN": CLOSE}), "disconnected", "auth"),
        (HostileImap(answers={"LOGIN": b"* BYE gone\r\n"}), "disconnected", "auth"),
        (HostileImap(answers={"LOGIN": HANG}), "timeout", "auth"),
        (HostileImap(answers={"LOGIN": b"TAG NO [AUTHENTICATIONFAILED] no\r\n"}), "auth_failed", "auth"),
        (HostileImap(answers={"LOGIN": b"TAG NO [ALERT] Application-specific password required\r\n"}),
         "app_password_required", "auth"),
        (HostileImap(answers={"LOGIN": b"TAG NO [ALERT] Too many simultaneous connections. (Failure)\r\n"}),
         "rate_limited", "auth"),
        (HostileImap(answers={"LOGIN": b"TAG NO [UNAVAILABLE] Temporary authentication failure.\r\n"}),
         "disconnected", "auth"),
        (HostileImap(answers={"LOGIN": b"TAG BAD what?\r\n"}), "auth_failed", "auth"),
        (HostileImap(capabilities=b"IMAP4rev1 AUTH=PLAIN", answers={"AUTHENTICATE": Endless(b"+ \r\n")}),
         "protocol", "auth"),
    ],
)  # fmt: skip
def test_each_way_of_not_opening_is_named(server: HostileImap, code: str, stage: str) -> None:
    # Short only where it is to run out: what breaks the rules is told at once, however busy the machine is.
    failure = _failure_of(server, timeout_s=0.5 if code == "timeout" else 5)
    assert (failure.code, failure.stage) == (code, stage)
    assert failure.permanent == (code in {"auth_failed", "app_password_required"} or "LOGINDISABLED" in repr(server))
    assert not failure.still_open


@pytest.mark.parametrize(
    "answer",
    [
        b"* 1 FETCH (UID 11 BODY[]<0> {5000000}\r\n",
        b"* 1 FETCH (UID 11 BODY[]<0> {1001}\r\n" + b"x" * 1001 + b")\r\nTAG OK done\r\n",
        b"* 1 FETCH (UID 11 BODY[]<0> {" + b"9" * 5000 + b"}\r\n",
        b"nonsense\r\n",
        b"* 1 FETCH (UID eleven BODY[]<0> {3}\r\nabc)\r\nTAG OK\r\nTAG OK done\r\n",
        b"other OK done\r\n",
        Endless(b"* 1 FETCH (UID 11 FLAGS (\\Seen))\r\n" * 100),
        Endless(b"x" * 8192, start=b"* 1 FETCH (UID 11 "),
        Endless(b"* OK still at it\r\n" * 100),
    ],
)
def test_more_than_was_asked_for_and_nonsense_are_no_answer(answer: bytes | Endless) -> None:
    server = HostileImap(answers={"UID FETCH": answer})
    failure = _failure_of(server, lambda mailbox: mailbox.fetch("INBOX", 11, 1000))
    assert (failure.code, failure.stage, failure.permanent) == ("protocol", "fetch", False)
    # What the sockets of both ends hold, beside what was read.
    assert server.octets_sent < 12_000_000


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (HANG, "timeout"),
        (CLOSE, "disconnected"),
        (b"* BYE shutting down\r\n", "disconnected"),
        (Endless(b"a", start=b"* 1 FETCH (UID 11 BODY[]<0> {1000}\r\n", pause_s=0.05), "timeout"),
        (b"* 1 FETCH (UID 11 BODY[]<0> {1000}\r\nonly this", "timeout"),
    ],
)
def test_an_answer_that_breaks_off_or_trickles_is_given_up(answer: bytes | Endless, code: str) -> None:
    failure = _failure_of(
        HostileImap(answers={"UID FETCH": answer}), lambda mailbox: mailbox.fetch("INBOX", 11, 1000), timeout_s=0.3
    )
    assert (failure.code, failure.stage) == (code, "fetch")


@pytest.mark.parametrize(
    ("command", "reading"),
    [
        ("LIST", lambda mailbox: mailbox.folders()),
        ("STATUS", lambda mailbox: mailbox.state("INBOX")),
        ("EXAMINE", lambda mailbox: mailbox.envelopes("INBOX", 0, 10)),
        ("UID SEARCH", lambda mailbox: mailbox.uids_since("INBOX", datetime.now(UTC))),
        ("UID SEARCH", lambda mailbox: mailbox.find_message_id("INBOX", "<a@b.example>")),
        ("APPEND", lambda mailbox: mailbox.append_sent("Sent", b"x", datetime.now(UTC))),
    ],
)
@pytest.mark.parametrize(
    "answer",
    [HANG, CLOSE, b"nonsense\r\n", b"* STATUS INBOX (\r\n* SEARCH x\r\n* BYE\r\n", Endless(b"* LIST\r\n" * 99)],
)
def test_every_command_fails_in_time(command: str, reading: Reading, answer: bytes | Endless) -> None:
    failure = _failure_of(HostileImap(answers={command: answer}), reading, timeout_s=0.2)
    assert failure.code in {"timeout", "disconnected", "protocol"}
    assert not failure.still_open


def test_a_no_leaves_the_mailbox_open_and_a_failure_closes_it() -> None:
    server = HostileImap(
        answers={
            "STATUS": b"TAG NO [NONEXISTENT] no such mailbox\r\n",
            "UID SEARCH": b"TAG NO [UNAVAILABLE] index is being rebuilt\r\n",
            "APPEND": b"TAG NO [OVERQUOTA] full\r\n",
            "UID FETCH": b"TAG OK nothing there\r\n",
            "LIST": CLOSE,
        }
    )
    with running(server):
        mailbox = open_mailbox(server.settings())
        for code, reading in (
            ("folder_missing", lambda: mailbox.state("Nowhere")),
            ("refused", lambda: mailbox.uids_since("INBOX", datetime.now(UTC))),
            ("quota_exceeded", lambda: mailbox.append_sent("Sent", b"x", datetime.now(UTC))),
            ("message_gone", lambda: mailbox.fetch("INBOX", 11, 1000)),
            ("disconnected", mailbox.folders),
            ("disconnected", mailbox.folders),
        ):
            with pytest.raises(MailboxFailure) as caught:
                reading()  # type: ignore[no-untyped-call]
            assert caught.value.code == code
        assert not caught.value.still_open
        mailbox.close()
        mailbox.close()


def test_without_idle_nothing_is_waited_for() -> None:
    with running(HostileImap(capabilities=b"IMAP4rev1")) as server:
        mailbox = open_mailbox(server.settings())
        assert not mailbox.can_idle
        assert not mailbox.wait_for_news("INBOX", 60, never)
        mailbox.close()


def test_idle_that_is_offered_and_then_refused_is_not_tried_again() -> None:
    with running(HostileImap(answers={"IDLE": b"TAG NO not for you\r\n"})) as server:
        mailbox = open_mailbox(server.settings())
        assert not mailbox.wait_for_news("INBOX", 60, never)
        assert not mailbox.can_idle
        mailbox.close()
    assert server.commands.count("IDLE") == 1


@pytest.mark.parametrize(
    ("in_idle", "done", "code"),
    [
        (b"* BYE maintenance\r\n", b"", "disconnected"),
        (CLOSE, b"", "disconnected"),
        (b"", HANG, "timeout"),
        (Endless(b"* OK still here\r\n" * 100), b"", "protocol"),
        (Endless(b"x" * 8192), b"", "protocol"),
    ],
)
def test_idle_notices_that_the_other_end_is_gone(in_idle: bytes | Endless, done: bytes, code: str) -> None:
    server = HostileImap(in_idle=in_idle, answers={"DONE": done})
    failure = _failure_of(server, lambda mailbox: mailbox.wait_for_news("INBOX", 0.4, never))
    assert (failure.code, failure.stage) == (code, "idle")


def test_idle_is_renewed_and_hears_what_came_in_between() -> None:
    server = HostileImap()
    with running(server):
        opened = open_mailbox(server.settings())
        mailbox = ImapMailbox(opened._box, timeout_s=0.5, idle_renew_s=0.1)
        assert not mailbox.wait_for_news("INBOX", 0.35, never)
        assert 3 <= server.commands.count("IDLE") <= 4
        server.answers["EXAMINE"] = EXAMINED.replace(b"UIDNEXT 12", b"UIDNEXT 13")
        assert mailbox.wait_for_news("INBOX", 5, never)
        # Told once: a mail that was deleted again must not be told for ever.
        assert not mailbox.wait_for_news("INBOX", 0.05, never)
        server.answers["EXAMINE"] = EXAMINED.replace(b"UIDVALIDITY 7", b"UIDVALIDITY 8")
        assert mailbox.wait_for_news("INBOX", 5, never)
        mailbox.close()


def test_only_more_mails_than_before_are_news() -> None:
    for told, news in (
        (b"* OK still here\r\n* 2 EXISTS\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* 1 EXPUNGE\r\n* 1 EXISTS\r\n", False),
        (b"* 1 EXPUNGE\r\n* 2 EXISTS\r\n", True),
        (b"* 3 EXISTS\r\n", True),
    ):
        with running(HostileImap(in_idle=told)) as server:
            mailbox = open_mailbox(server.settings())
            assert mailbox.wait_for_news("INBOX", 0.2, never) is news
            mailbox.close()


def test_stop_does_not_wait_for_a_server_that_is_slow_to_leave_idle() -> None:
    stop = threading.Event()
    with running(HostileImap(answers={"DONE": HANG})) as server:
        mailbox = open_mailbox(server.settings(timeout_s=30))

        def stop_in_idle() -> None:
            server.idling.wait(10)
            stop.set()

        threading.Thread(target=stop_in_idle).start()
        start = time.monotonic()
        assert not mailbox.wait_for_news("INBOX", 60, stop.is_set)
        assert time.monotonic() - start < 25, "neither for the minute nor for the thirty seconds of a silent server"
        mailbox.close()


def test_a_large_header_is_cut_and_a_missing_date_hides_no_mail() -> None:
    fetched = (
        b'* 1 FETCH (UID 10 RFC822.SIZE 70 INTERNALDATE "17-Jul-2026 02:44:25 -0700" '
        b"BODY[HEADER]<0> {9}\r\nA: b\r\n\r\nc)\r\n"
        b'* 2 FETCH (BODY[HEADER]<0> "A: \\"UID 99\\"" FLAGS (\\Seen (x)) INTERNALDATE "never" UID 11)\r\n'
        b"* 2 FETCH (UID 11 FLAGS (\\Seen))\r\n* 3 FETCH (UID 12 BODY[HEADER]<0> NIL)\r\nTAG OK done\r\n"
    )
    searched = b"* SEARCH 11 10\r\n* SEARCH 9 11\r\nTAG OK done\r\n"
    server = HostileImap(answers={"UID SEARCH": searched, "UID FETCH": fetched})
    with running(server):
        mailbox = open_mailbox(server.settings())
        first, second = mailbox.envelopes("INBOX", 9, 10)
        mailbox.close()
    assert (first.uid, first.size, first.head) == (10, 70, b"A: b\r\n\r\nc")
    assert first.arrived_at == datetime(2026, 7, 17, 9, 44, 25, tzinfo=UTC)
    assert (second.uid, second.head) == (11, b'A: "UID 99"')
    assert abs((second.arrived_at - datetime.now(UTC)).total_seconds()) < 60
    assert any("UID FETCH 10,11 (UID RFC822.SIZE INTERNALDATE BODY.PEEK[HEADER]<0." in each for each in server.commands)


def test_a_password_outside_ascii_goes_by_sasl_and_none_breaks_out_of_its_command() -> None:
    with running(HostileImap()) as server:
        for password in ("a\r\nx DELETE INBOX", "clé"):
            with pytest.raises(MailboxFailure) as caught:
                open_mailbox(ImapSettings("127.0.0.1", server.port, "none", "anna", password, timeout_s=0.5))
            assert caught.value.code == "auth_failed"
        open_mailbox(ImapSettings("127.0.0.1", server.port, "none", "anna", 'a"b\\c d', timeout_s=0.5)).close()
    assert [each for each in server.commands if "LOGIN" in each] == ['LOGIN "anna" "a\\"b\\\\c d"']


def test_a_token_is_said_once_and_its_refusal_is_heard() -> None:
    server = HostileImap(
        challenges=(b"+ \r\n", b"+ eyJzdGF0dXMiOiI0MDAifQ==\r\n"),
        answers={"AUTHENTICATE": b"TAG NO [AUTHENTICATIONFAILED] Invalid credentials (Failure)\r\n"},
    )
    with running(server), pytest.raises(MailboxFailure) as caught:
        open_mailbox(server.settings(), token_login("anna", "token-1"))
    assert (caught.value.code, caught.value.stage, caught.value.permanent) == ("auth_failed", "auth", True)
    said = base64.b64encode(b"user=anna\1auth=Bearer token-1\1\1").decode()
    assert server.commands == ["CAPABILITY", "AUTHENTICATE XOAUTH2", said, ""]


def test_a_token_signs_in() -> None:
    with running(HostileImap(challenges=(b"+ \r\n",))) as server:
        mailbox = open_mailbox(server.settings(), token_login("anna", "token-1"))
        assert mailbox.can_idle
        mailbox.close()


def test_a_closed_port_and_an_unknown_name_are_named() -> None:
    with pytest.raises(MailboxFailure) as refused:
        open_mailbox(ImapSettings("127.0.0.1", free_ports(1)[0], "ssl", "anna", "secret"))
    assert (refused.value.code, refused.value.stage) == ("connection_refused", "connect")
    with pytest.raises(MailboxFailure) as unknown:
        open_mailbox(ImapSettings("nowhere.invalid", 993, "ssl", "anna", "secret", timeout_s=5))
    assert (unknown.value.code, unknown.value.stage) == ("dns_failure", "resolve")
    with pytest.raises(MailboxFailure) as private:
        open_mailbox(ImapSettings("127.0.0.1", 993, "ssl", "anna", "secret", allow_private=False))
    assert (private.value.code, private.value.permanent) == ("blocked_by_policy", True)


@pytest.mark.parametrize(
    ("server", "code", "cause"),
    [
        (HostileImap(), "tls_mode_mismatch", "starttls_missing"),
        (HostileImap(greeting=b"* PREAUTH welcome\r\n", capabilities=b"IMAP4rev1 STARTTLS"), "tls_mode_mismatch",
         "starttls_missing"),
        (HostileImap(capabilities=b"IMAP4rev1 STARTTLS", answers={"STARTTLS": b"TAG NO not now\r\n"}),
         "tls_mode_mismatch", "starttls_missing"),
        (HostileImap(capabilities=b"IMAP4rev1 STARTTLS", answers={
            "STARTTLS": b"TAG OK go ahead\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n"}), "protocol", None),
    ],
)  # fmt: skip
def test_starttls_is_demanded_and_nothing_slips_in_before_it(server: HostileImap, code: str, cause: str | None) -> None:
    with running(server), pytest.raises(MailboxFailure) as caught:
        open_mailbox(ImapSettings("127.0.0.1", server.port, "starttls", "anna", "secret", timeout_s=0.5))
    assert (caught.value.code, caught.value.stage, caught.value.cause) == (code, "tls", cause)
    assert not any("LOGIN" in each or "AUTHENTICATE" in each for each in server.commands)
