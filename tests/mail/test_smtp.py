"""Sending over SMTP to servers that behave, and to servers that break off at every step."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fluenzr_app.mail.compose import Composed, Draft, compose
from fluenzr_app.mail.smtp import SmtpTransport
from fluenzr_app.mail.smtp_session import SmtpSettings
from fluenzr_app.mail.transport import SendFailure, Transport
from tests.mail.hostile_smtp import CLOSE, HANG, RESET, Behaviour, HostileSmtp, hostile_smtp
from tests.real.certificates import make_certificates
from tests.real.ports import free_ports
from tests.real.post_office import PostOffice


def _mail(to: str = "joe@client.example", text: str = "Hello", token: str = "one") -> Composed:
    return compose(
        Draft(
            rfc_id=f"<{token}@anna.example>", sender_address="anna@fluenzr.test", to_address=to, subject="Hello",
            text=text, date=datetime(2026, 3, 2, 9, tzinfo=UTC),
        )
    )  # fmt: skip


def _settings(port: int, **changes: object) -> SmtpSettings:
    plain = SmtpSettings("127.0.0.1", port, "none", timeout_s=2.0, answer_timeout_s=2.0)
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.fixture
async def server() -> AsyncIterator[HostileSmtp]:
    async with hostile_smtp() as running:
        yield running


async def _failure(server: HostileSmtp, behaviour: Behaviour, **changes: object) -> SendFailure:
    """What a send comes to when the server starts to misbehave once the connection is open."""
    connection = await SmtpTransport(_settings(server.port, **changes)).connect()
    server.behaviour = behaviour
    try:
        with pytest.raises(SendFailure) as caught:
            await connection.send(_mail())
    finally:
        await connection.close()
    return caught.value


async def test_an_accepted_mail_gives_the_servers_words(server: HostileSmtp) -> None:
    transport: Transport = SmtpTransport(_settings(server.port))
    connection = await transport.connect()
    accepted = await connection.send(_mail())
    await connection.close()
    assert (accepted.code, accepted.text) == (250, "2.0.0 queued as 4711")
    assert connection.sent_count == 1
    assert not connection.alive
    assert server.mails == [_mail().raw]


@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("way", [CLOSE, RESET, HANG, "421 4.3.2 closing"])
async def test_a_break_before_the_content_is_a_certain_fault_of_the_connection(
    server: HostileSmtp, step: str, way: str
) -> None:
    failure = await _failure(server, Behaviour().at(step, way), timeout_s=0.2)
    assert (failure.level, failure.certain, failure.permanent, failure.stage) == ("connection", True, False, step)
    assert failure.error_code == ("timeout" if way == HANG else None)
    assert server.mails == []


@pytest.mark.parametrize("way", [CLOSE, RESET, HANG])
async def test_silence_after_the_final_dot_is_uncertain(server: HostileSmtp, way: str) -> None:
    failure = await _failure(server, Behaviour(content=way), answer_timeout_s=0.2)
    assert (failure.level, failure.certain, failure.stage) == ("connection", False, "content")
    assert len(server.mails) == 1


async def test_an_unreadable_answer_after_the_final_dot_is_uncertain(server: HostileSmtp) -> None:
    failure = await _failure(server, Behaviour(content="hello there, this is no reply"))
    assert not failure.certain


async def test_a_421_after_the_final_dot_is_an_answer_and_therefore_certain(server: HostileSmtp) -> None:
    failure = await _failure(server, Behaviour(content="421 4.3.2 shutting down"))
    assert (failure.level, failure.certain, failure.code) == ("connection", True, 421)


async def test_a_break_in_the_middle_of_the_content_is_certain(server: HostileSmtp) -> None:
    server.behaviour = Behaviour(close_in_content_after=100_000, capabilities=("SIZE 0",))
    connection = await SmtpTransport(_settings(server.port)).connect()
    with pytest.raises(SendFailure) as caught:
        # More than any socket buffer holds, so that the break comes while content is still on our side.
        await connection.send(_mail(text="A line of text.\n" * 1_000_000))
    assert caught.value.certain
    assert caught.value.level == "connection"
    assert server.mails == []
    await connection.close()


async def test_a_refused_recipient_leaves_the_connection_usable(server: HostileSmtp) -> None:
    connection = await SmtpTransport(_settings(server.port)).connect()
    server.behaviour = Behaviour(rcpt="550 5.1.1 User unknown")
    with pytest.raises(SendFailure) as caught:
        await connection.send(_mail("nobody@client.example"))
    server.behaviour = Behaviour()
    await connection.send(_mail())
    await connection.close()
    assert (caught.value.level, caught.value.permanent, caught.value.enhanced) == ("recipient", True, "5.1.1")
    assert server.connections == 1
    assert server.commands.index("RSET") < len(server.commands) - 3
    assert len(server.mails) == 1


async def test_many_mails_use_one_connection_and_no_command_too_many(server: HostileSmtp) -> None:
    connection = await SmtpTransport(_settings(server.port)).connect()
    for number in range(5):
        await connection.send(_mail(token=f"n{number}"))
    await connection.close()
    assert server.connections == 1
    assert [each.split()[0] for each in server.commands] == ["EHLO", *["MAIL", "RCPT", "DATA"] * 5, "QUIT"]


async def test_a_connection_that_rested_is_asked_before_it_is_used(server: HostileSmtp) -> None:
    connection = await SmtpTransport(_settings(server.port, idle_check_s=0.0)).connect()
    await connection.send(_mail())
    server.behaviour = Behaviour(noop="421 4.4.2 idle for too long")
    await connection.send(_mail(token="two"))
    await connection.close()
    assert server.connections == 2
    assert len(server.mails) == 2
    assert connection.sent_count == 2


async def test_a_connection_that_the_server_closed_while_it_rested_is_opened_again(server: HostileSmtp) -> None:
    connection = await SmtpTransport(_settings(server.port)).connect()
    await connection.send(_mail())
    server.behaviour = Behaviour(rcpt="421 4.7.0 one is enough")
    with pytest.raises(SendFailure):
        await connection.send(_mail(token="two"))
    alive = [connection.alive]
    server.behaviour = Behaviour()
    await connection.send(_mail(token="three"))
    assert [*alive, connection.alive] == [False, True]
    assert server.connections == 2
    await connection.close()


async def test_a_connection_is_renewed_after_its_share_of_mails(server: HostileSmtp) -> None:
    connection = await SmtpTransport(_settings(server.port, mails_per_connection=2)).connect()
    for number in range(5):
        await connection.send(_mail(token=f"n{number}"))
    await connection.close()
    assert server.connections == 3
    assert len(server.mails) == 5


async def test_cancelling_after_the_final_dot_is_uncertain(server: HostileSmtp) -> None:
    connection = await SmtpTransport(_settings(server.port, answer_timeout_s=60.0)).connect()
    server.behaviour = Behaviour(content=HANG)
    sending = asyncio.create_task(connection.send(_mail()))
    await server.at("content").wait()
    sending.cancel()
    with pytest.raises(SendFailure) as caught:
        await sending
    assert not caught.value.certain
    assert not connection.alive


async def test_a_deadline_around_the_send_that_strikes_after_the_final_dot_is_uncertain(server: HostileSmtp) -> None:
    connection = await SmtpTransport(_settings(server.port, answer_timeout_s=60.0)).connect()
    server.behaviour = Behaviour(content=HANG)
    with pytest.raises(SendFailure) as caught:
        async with asyncio.timeout(0.2):
            await connection.send(_mail())
    assert not caught.value.certain


@pytest.mark.parametrize("step", ["mail", "rcpt", "data"])
async def test_cancelling_before_the_content_is_a_plain_cancellation(server: HostileSmtp, step: str) -> None:
    connection = await SmtpTransport(_settings(server.port)).connect()
    server.behaviour = Behaviour().at(step, HANG)
    sending = asyncio.create_task(connection.send(_mail()))
    await server.at(step).wait()
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert not connection.alive
    assert server.mails == []


async def test_lines_that_begin_with_a_dot_arrive_whole(server: HostileSmtp) -> None:
    text = ".first\n..second\n.\nlast"
    connection = await SmtpTransport(_settings(server.port)).connect()
    await connection.send(_mail(text=text))
    await connection.close()
    assert server.mails == [_mail(text=text).raw]


async def test_a_content_cannot_smuggle_an_end_of_mail(server: HostileSmtp) -> None:
    raw = b"Subject: x\r\n\r\nline\n.\nMAIL FROM:<evil@x.example>\r.\r\r\n.\r\n"
    connection = await SmtpTransport(_settings(server.port)).connect()
    await connection.send(Composed(raw, "anna@fluenzr.test", "joe@client.example"))
    await connection.close()
    assert len(server.mails) == 1
    assert b"\r\n.\r\n" in server.mails[0]
    assert not any(command.startswith("MAIL FROM:<evil") for command in server.commands)


async def test_a_mail_larger_than_the_server_takes_is_not_offered(server: HostileSmtp) -> None:
    server.behaviour = Behaviour(capabilities=("SIZE 300",))
    connection = await SmtpTransport(_settings(server.port)).connect()
    with pytest.raises(SendFailure) as caught:
        await connection.send(_mail(text="x" * 500))
    assert (caught.value.level, caught.value.permanent, caught.value.cause) == ("message", True, "too_large")
    assert not any(command.startswith("MAIL") for command in server.commands)
    await connection.close()


async def test_an_address_outside_ascii_needs_a_server_that_takes_it(server: HostileSmtp) -> None:
    connection = await SmtpTransport(_settings(server.port)).connect()
    await connection.send(_mail("jörg@müller.example"))
    assert any("SMTPUTF8" in command and "BODY=8BITMIME" in command for command in server.commands)
    assert "RCPT TO:<jörg@xn--mller-kva.example>" in server.commands
    await connection.close()
    server.behaviour = Behaviour(capabilities=("8BITMIME",))
    old = await SmtpTransport(_settings(server.port)).connect()
    with pytest.raises(SendFailure) as caught:
        await old.send(_mail("jörg@müller.example"))
    assert (caught.value.level, caught.value.cause) == ("message", "utf8_unsupported")
    await old.close()


async def test_a_connection_refuses_two_mails_at_a_time(server: HostileSmtp) -> None:
    connection = await SmtpTransport(_settings(server.port)).connect()
    first = asyncio.create_task(connection.send(_mail()))
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError):
        await connection.send(_mail(token="two"))
    await first
    await connection.close()


# Opening a connection.


async def _refused(settings: SmtpSettings) -> SendFailure:
    with pytest.raises(SendFailure) as caught:
        await SmtpTransport(settings).connect()
    return caught.value


@pytest.mark.parametrize(
    ("behaviour", "level", "error_code", "stage"),
    [
        (Behaviour(connect=CLOSE), "connection", None, "connect"),
        (Behaviour(connect=HANG), "connection", "timeout", "connect"),
        (Behaviour(connect="421 4.7.0 Too many connections"), "account", "rate_limited", "connect"),
        (Behaviour(connect="554 5.7.1 Your IP address is on a blacklist"), "account", "blocked_by_policy", "connect"),
        (Behaviour(junk=b"HTTP/1.1 400 Bad Request\r\n"), "connection", "tls_mode_mismatch", "connect"),
        (Behaviour(ehlo="421 4.3.2 not now"), "connection", None, "ehlo"),
        (Behaviour(ehlo=CLOSE), "connection", None, "ehlo"),
        (Behaviour(auth="535 5.7.8 no"), "account", "auth_failed", "auth"),
        (Behaviour(auth="534 5.7.9 Application-specific password required"), "account", "app_password_required",
         "auth"),
        (Behaviour(auth=CLOSE), "connection", None, "auth"),
        (Behaviour(capabilities=("SIZE",)), "account", "auth_failed", "auth"),
        (Behaviour(capabilities=("AUTH XOAUTH2 GSSAPI",)), "account", "auth_failed", "auth"),
        (Behaviour(capabilities=("STARTTLS",)), "account", "tls_mode_mismatch", "auth"),
    ],
)  # fmt: skip
async def test_a_connection_that_cannot_open_says_at_which_step(
    behaviour: Behaviour, level: str, error_code: str | None, stage: str
) -> None:
    async with hostile_smtp(behaviour) as server:
        failure = await _refused(_settings(server.port, username="anna", password="secret", timeout_s=0.3))
    assert (failure.level, failure.error_code, failure.stage) == (level, error_code, stage)
    assert failure.certain


async def test_a_wrong_password_is_tried_once(server: HostileSmtp) -> None:
    await _refused(_settings(server.port, username="anna", password="wrong"))
    assert len([command for command in server.commands if command.startswith("AUTH")]) == 1


async def test_a_login_method_that_the_server_does_not_know_after_all_is_followed_by_the_next() -> None:
    behaviour = Behaviour(auth="504 5.5.4 mechanism not supported")
    async with hostile_smtp(behaviour) as server:
        await _refused(_settings(server.port, username="anna", password="secret"))
        assert [each.split()[1] for each in server.commands if each.startswith("AUTH")] == ["PLAIN", "LOGIN"]


async def test_a_closed_port_is_a_refused_connection() -> None:
    failure = await _refused(_settings(free_ports(1)[0]))
    assert (failure.level, failure.error_code, failure.cause) == ("connection", "connection_refused", "refused")


async def test_an_unknown_name_is_a_dns_failure() -> None:
    failure = await _refused(_settings(25, host="mail.nowhere.invalid"))
    assert (failure.level, failure.error_code, failure.stage) == ("connection", "dns_failure", "resolve")


async def test_a_private_network_is_refused_when_the_installation_says_so(server: HostileSmtp) -> None:
    failure = await _refused(_settings(server.port, allow_private=False))
    assert (failure.level, failure.error_code, failure.cause) == ("account", "blocked_by_policy", "private_address")
    assert server.connections == 0


async def test_starttls_that_the_server_lacks_is_a_mismatch(server: HostileSmtp) -> None:
    failure = await _refused(_settings(server.port, encryption="starttls"))
    assert (failure.error_code, failure.cause) == ("tls_mode_mismatch", "starttls_missing")


async def test_tls_towards_a_plain_port_is_a_mismatch(server: HostileSmtp) -> None:
    failure = await _refused(_settings(server.port, encryption="ssl"))
    assert (failure.error_code, failure.cause) == ("tls_mode_mismatch", "plain_where_tls_expected")


@pytest.mark.parametrize("encryption", ["ssl", "starttls"])
@pytest.mark.parametrize(
    ("names", "days", "trusted", "cause"),
    [
        (("localhost",), 30, True, None),
        (("localhost",), -1, True, "certificate_expired"),
        (("other.test",), 30, True, "certificate_other_host"),
        (("localhost",), 30, False, "certificate_untrusted"),
    ],
)
async def test_the_certificate_is_checked(
    tmp_path: Path, encryption: str, names: tuple[str, ...], days: int, trusted: bool, cause: str | None
) -> None:
    made = make_certificates(tmp_path, names, (), days=days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate_file, made.key_file)
    behaviour = Behaviour(tls=context, tls_at_once=encryption == "ssl", capabilities=("STARTTLS", "AUTH PLAIN"))
    async with hostile_smtp(behaviour) as server:
        settings = _settings(
            server.port, host="localhost", encryption=encryption, username="anna", password="secret",
            ca_file=made.ca_file if trusted else None,
        )  # fmt: skip
        if cause is None:
            connection = await SmtpTransport(settings).connect()
            await connection.send(_mail())
            await connection.close()
            assert len(server.mails) == 1
        else:
            failure = await _refused(settings)
            assert (failure.level, failure.error_code, failure.cause, failure.stage) == (
                "account", "tls_certificate_invalid", cause, "tls",
            )  # fmt: skip


def test_settings_do_not_show_the_password() -> None:
    assert "hunter2" not in repr(SmtpSettings("mail.example", 587, "starttls", "anna", "hunter2"))


# The real post office.


def _office(post_office: PostOffice, port: int, encryption: str, user: str = "anna@fluenzr.test") -> SmtpSettings:
    username, password = post_office.user(user)
    return SmtpSettings(
        post_office.host, port, encryption, username, password, timeout_s=10, ca_file=post_office.ca_file  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize("encryption", ["starttls", "ssl"])
async def test_postfix_delivers_what_was_composed(post_office: PostOffice, encryption: str) -> None:
    port = post_office.smtp_port if encryption == "starttls" else post_office.smtps_port
    to = f"joe-{encryption}@recipients.test"
    connection = await SmtpTransport(_office(post_office, port, encryption)).connect()
    for number in range(3):
        await connection.send(_mail(to, text=f"Bonjour Zoé\n.\nn°{number}", token=f"{encryption}-{number}"))
    await connection.close()
    raws = await asyncio.to_thread(post_office.wait_for, to, 3)
    assert sorted(_id_of(raw) for raw in raws) == [f"<{encryption}-{number}@anna.example>" for number in range(3)]


@pytest.mark.parametrize(
    ("local", "level", "permanent", "cause"),
    [
        ("unknown-a", "recipient", True, "unknown_user"),
        ("full-a", "recipient", False, "mailbox_full"),
        ("overquota-a", "recipient", False, "mailbox_full"),
        ("greylisted-a", "recipient", False, "greylisted"),
        ("policy-a", "message", True, "policy"),
        ("spam-a", "message", True, "spam"),
        ("closing-a", "connection", False, "server_trouble"),
        ("dataunknown-a", "recipient", True, "unknown_user"),
        ("datapolicy-a", "message", True, "policy"),
        ("datatemporary-a", "message", False, None),
    ],
)
async def test_postfix_refusals_are_understood(
    post_office: PostOffice, local: str, level: str, permanent: bool, cause: str | None
) -> None:
    connection = await SmtpTransport(_office(post_office, post_office.smtp_port, "starttls")).connect()
    with pytest.raises(SendFailure) as caught:
        await connection.send(_mail(f"{local}@recipients.test"))
    failure = caught.value
    assert (failure.level, failure.permanent, failure.certain) == (level, permanent, True)
    if cause is not None:
        assert failure.cause == cause
    # Whatever was refused, the next mail passes.
    await connection.send(_mail(f"after-{local}@recipients.test", token=local))
    await connection.close()


async def test_postfix_refuses_a_wrong_password(post_office: PostOffice) -> None:
    settings = replace(_office(post_office, post_office.smtp_port, "starttls"), password="wrong")
    failure = await _refused(settings)
    assert (failure.level, failure.error_code) == ("account", "auth_failed")


def _id_of(raw: bytes) -> str:
    return next(line for line in raw.decode().splitlines() if line.startswith("Message-ID: "))[12:]
