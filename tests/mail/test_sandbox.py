"""The demo's post office, spoken to by the product's own transport and by Python's client."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from fluenzr_app.mail.compose import Composed, Draft, compose
from fluenzr_app.mail.errors import MailError
from fluenzr_app.mail.sandbox import SandboxPostOffice
from fluenzr_app.mail.smtp import SmtpTransport
from fluenzr_app.mail.smtp_session import SmtpSettings
from fluenzr_app.mail.transport import SendFailure

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def _mail(number: int = 1, to: str = "Zoe@client.example", text: str = "Hello") -> Composed:
    return compose(
        Draft(rfc_id=f"<{number}@anna.example>", sender_address="anna@anna.example", to_address=to, subject="x",
              text=text, date=NOON)
    )  # fmt: skip


def _transport(office: SandboxPostOffice, **changes: object) -> SmtpTransport:
    settings = SmtpSettings("127.0.0.1", office.port, "none", "anna@anna.example", "secret", timeout_s=5)
    return SmtpTransport(replace(settings, **changes))  # type: ignore[arg-type]


@pytest.fixture
async def office() -> AsyncIterator[SandboxPostOffice]:
    async with SandboxPostOffice(passwords={"anna@anna.example": "secret"}, keep=3, now=lambda: NOON) as running:
        yield running


async def test_mail_is_kept_by_recipient_and_counted(office: SandboxPostOffice) -> None:
    connection = await _transport(office).connect()
    for number in range(1, 6):
        await connection.send(_mail(number, text=".\n..dots"))
    await connection.send(_mail(6, to="joe@client.example"))
    await connection.close()
    assert (office.total, office.count("zoe@CLIENT.example"), office.count("joe@client.example")) == (6, 5, 1)
    kept = office.mails("zoe@client.example")
    assert [mail.number for mail in kept] == [4, 5]
    assert kept[0].raw == _mail(4, text=".\n..dots").raw
    assert (kept[0].at, kept[0].username, kept[0].sender) == (NOON, "anna@anna.example", "anna@anna.example")


async def test_what_came_since_is_given_once_and_in_order(office: SandboxPostOffice) -> None:
    assert office.since(0) == ()
    connection = await _transport(office).connect()
    for number in range(1, 6):
        await connection.send(_mail(number))
    await connection.close()
    assert [mail.number for mail in office.since(0)] == [3, 4, 5]
    assert [mail.number for mail in office.since(3, limit=1)] == [4]
    assert [mail.number for mail in office.since(4)] == [5]
    assert office.since(5) == ()


async def test_a_wrong_password_and_no_password_are_refused(office: SandboxPostOffice) -> None:
    with pytest.raises(SendFailure) as wrong:
        await _transport(office, password="wrong").connect()
    assert wrong.value.error_code == "auth_failed"
    connection = await _transport(office, username=None).connect()
    with pytest.raises(SendFailure) as missing:
        await connection.send(_mail())
    assert missing.value.error_code == "auth_failed"
    await connection.close()
    assert office.total == 0


async def test_a_recipient_can_be_refused() -> None:
    def refuse(key: str) -> str | None:
        return "550 5.1.1 User unknown" if key.startswith("gone") else None

    async with SandboxPostOffice(refuse=refuse) as office:
        connection = await _transport(office).connect()
        with pytest.raises(SendFailure) as caught:
            await connection.send(_mail(to="gone@client.example"))
        await connection.send(_mail())
        await connection.close()
    assert (caught.value.level, caught.value.permanent) == ("recipient", True)
    assert office.total == 1


async def test_the_answer_takes_its_time() -> None:
    async with SandboxPostOffice(latency_s=0.1) as office:
        connection = await _transport(office).connect()
        start = asyncio.get_running_loop().time()
        await connection.send(_mail())
        assert asyncio.get_running_loop().time() - start >= 0.09
        await connection.close()


async def test_another_client_is_understood_too(office: SandboxPostOffice) -> None:
    def talk() -> None:
        with smtplib.SMTP("127.0.0.1", office.port, timeout=5) as client:
            client.user, client.password = "anna@anna.example", "secret"
            client.ehlo()
            client.auth("LOGIN", client.auth_login)
            client.sendmail("anna@anna.example", ["a@client.example", "b@client.example"], b"Subject: x\r\n\r\nline")
            assert client.docmd("MAIL")[0] == 501
            assert client.docmd("RCPT TO:<a@client.example>")[0] == 503
            assert client.docmd("EXPN x")[0] == 502
            assert client.docmd("AUTH PLAIN !!")[0] == 501
            assert client.docmd("AUTH GSSAPI")[0] == 504

    await asyncio.to_thread(talk)
    assert [office.count(f"{each}@client.example") for each in "ab"] == [1, 1]


async def test_a_client_that_vanishes_in_the_content_leaves_nothing(office: SandboxPostOffice) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", office.port)
    login = "AUTH PLAIN AGFubmFAYW5uYS5leGFtcGxlAHNlY3JldA=="
    for command in (login, "MAIL FROM:<anna@anna.example>", "RCPT TO:<zoe@client.example>", "DATA"):
        writer.write(command.encode() + b"\r\n")
    await reader.readuntil(b"354 Go ahead\r\n")
    writer.write(b"Subject: half\r\n")
    writer.close()
    await writer.wait_closed()
    await office.stop()
    assert office.total == 0


async def test_a_closed_post_office_has_no_port(office: SandboxPostOffice) -> None:
    await office.stop()
    await office.stop()
    with pytest.raises(MailError):
        assert office.port
