"""The real servers answer as the tests that stand on them expect."""

import asyncio
import imaplib
import smtplib
import socket
import ssl
from email.message import EmailMessage
from typing import Literal

import aiosmtplib
import psycopg
import pytest
import redis
from playwright.sync_api import Page

from fluenzr_app.clock import ManualClock
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from tests.people import People, make_account, make_contact
from tests.real.browser import screenshot
from tests.real.counting_smtp import Behaviour, StartCountingSmtp
from tests.real.guard import LeftLoopback
from tests.real.post_office import PostOffice


def _mail(sender: str, recipient: str, text: str = "Bonjour") -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, recipient, "Essai"
    message["Message-ID"] = f"<{recipient}>"
    message.set_content(text)
    return message.as_bytes()


def _sign_in(office: PostOffice, address: str) -> smtplib.SMTP:
    client = smtplib.SMTP(office.host, office.smtp_port, timeout=10)
    client.starttls(context=ssl.create_default_context(cafile=str(office.ca_file)))
    client.login(*office.user(address))
    return client


def test_a_mail_sent_with_starttls_and_password_lies_in_the_mailbox(post_office: PostOffice) -> None:
    recipient = "starttls@recipients.test"
    with _sign_in(post_office, "anna@fluenzr.test") as client:
        client.sendmail("anna@fluenzr.test", [recipient], _mail("anna@fluenzr.test", recipient))
    (found,) = post_office.wait_for(recipient)
    assert b"\nSubject: Essai" in found
    assert b"Return-Path: <anna@fluenzr.test>" in found
    assert recipient in post_office.addresses()


def test_a_mail_sent_over_tls_from_the_first_byte_is_read_by_imap(post_office: PostOffice) -> None:
    trust = ssl.create_default_context(cafile=str(post_office.ca_file))
    recipient = "reader@fluenzr.test"
    with smtplib.SMTP_SSL(post_office.host, post_office.smtps_port, context=trust, timeout=10) as client:
        client.login(*post_office.user("anna@fluenzr.test"))
        client.sendmail("anna@fluenzr.test", [recipient], _mail("anna@fluenzr.test", recipient))
    post_office.wait_for(recipient)
    with imaplib.IMAP4_SSL(post_office.host, post_office.imaps_port, ssl_context=trust, timeout=10) as reader:
        reader.login(*post_office.user(recipient))
        assert reader.select() == ("OK", [b"1"])


def test_a_certificate_of_the_tests_own_authority_is_not_trusted_by_itself(post_office: PostOffice) -> None:
    with (
        smtplib.SMTP(post_office.host, post_office.smtp_port, timeout=10) as client,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        client.starttls(context=ssl.create_default_context())


@pytest.mark.parametrize(
    ("recipient", "code", "status"),
    [
        ("unknown-1@recipients.test", 550, b"5.1.1"),
        ("full-1@recipients.test", 452, b"4.2.2"),
        ("overquota-1@recipients.test", 552, b"5.2.2"),
        ("greylisted-1@recipients.test", 450, b"4.2.0"),
        ("policy-1@recipients.test", 554, b"5.7.1"),
        ("closing-1@recipients.test", 421, b"4.3.2"),
        ("somebody@real-domain.com", 550, b"5.4.4"),
    ],
)
def test_special_recipients_are_refused_with_their_own_code(
    post_office: PostOffice, recipient: str, code: int, status: bytes
) -> None:
    with _sign_in(post_office, "anna@fluenzr.test") as client:
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            client.sendmail("anna@fluenzr.test", [recipient], _mail("anna@fluenzr.test", recipient))
        told = refused.value.recipients[recipient]
        assert (told[0], told[1].split()[0]) == (code, status)


def test_some_recipients_are_refused_only_after_the_final_dot(post_office: PostOffice) -> None:
    with _sign_in(post_office, "anna@fluenzr.test") as client, pytest.raises(smtplib.SMTPDataError) as refused:
        client.sendmail("anna@fluenzr.test", ["datatemporary-1@recipients.test"], b"Subject: x\r\n\r\nx")
    assert refused.value.smtp_code == 451


def test_a_late_bounce_comes_back_as_a_delivery_report(post_office: PostOffice) -> None:
    with _sign_in(post_office, "reports@fluenzr.test") as client:
        client.sendmail("reports@fluenzr.test", ["late-1@recipients.test"], b"Subject: x\r\n\r\nx")
    (report,) = post_office.wait_for("reports@fluenzr.test")
    assert b"multipart/report" in report
    assert b"Status: 5.1.1" in report


def test_nobody_sends_without_password_or_as_somebody_elses_domain(post_office: PostOffice) -> None:
    mail = _mail("anna@fluenzr.test", "a@recipients.test")
    anonymous = smtplib.SMTP(post_office.host, post_office.smtp_port, timeout=10)
    with anonymous, pytest.raises(smtplib.SMTPRecipientsRefused):
        anonymous.sendmail("anna@fluenzr.test", ["a@recipients.test"], mail)
    with _sign_in(post_office, "anna@fluenzr.test") as anna, pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        anna.sendmail("boss@recipients.test", ["a@recipients.test"], mail)
    assert refused.value.recipients["a@recipients.test"][0] == 553


def test_a_changed_password_makes_the_old_one_wrong(post_office: PostOffice) -> None:
    address = "changes@fluenzr.test"
    _sign_in(post_office, address).close()
    old = post_office.user(address)
    post_office.set_password(address, "another one")
    _sign_in(post_office, address).close()
    client = smtplib.SMTP(post_office.host, post_office.smtp_port, timeout=10)
    client.starttls(context=ssl.create_default_context(cafile=str(post_office.ca_file)))
    with pytest.raises(smtplib.SMTPAuthenticationError):
        client.login(*old)
    client.close()


def test_a_sieve_script_answers_in_somebodys_absence(post_office: PostOffice) -> None:
    post_office.install_sieve("away@recipients.test", 'require ["vacation"]; vacation "Je suis absente.";')
    mail = _mail("asks@fluenzr.test", "away@recipients.test")
    post_office.deliver("away@recipients.test", mail, sender="asks@fluenzr.test")
    (answer,) = post_office.wait_for("asks@fluenzr.test")
    assert b"Auto-Submitted: auto-replied" in answer


def test_postgresql_gives_each_test_an_empty_database(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        assert tables.fetchone() == (0,)


def test_redis_starts_empty(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.dbsize() == 0
        client.set("seen", "yes")
        assert client.get("seen") == b"yes"


@pytest.mark.parametrize("round_", [1, 2])
def test_people_of_two_workspaces_live_in_a_fresh_database(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock, round_: int
) -> None:
    with database.transaction() as session:
        # The same rows in both rounds: a second test sees nothing of the first.
        account = make_account(session, people.workspace_id, "camille@fluenzr.test", clock.now())
        contact = make_contact(session, keyring, people.workspace_id, "a@b.example", clock.now())
    assert (account, contact) == (1, 1)
    assert people.owner.workspace_id == people.teammate.workspace_id != people.stranger.workspace_id


def test_chromium_renders_a_local_page(page: Page) -> None:
    page.set_content("<h1>Bonjour</h1><script>document.title = 'prêt'</script>")
    assert page.title() == "prêt"
    assert page.evaluate("navigator.language") == "fr-FR"
    assert screenshot(page, "Real parts").read_bytes().startswith(b"\x89PNG")


async def _send(port: int, recipients: list[str], username: str | None = None, password: str | None = None) -> None:
    async with aiosmtplib.SMTP(
        hostname="127.0.0.1", port=port, start_tls=False, username=username, password=password
    ) as client:
        for recipient in recipients:
            await client.sendmail("a@fluenzr.test", [recipient], _mail("a@fluenzr.test", recipient))


async def test_the_counting_server_counts_each_recipient_and_message_id(
    counting_smtp: StartCountingSmtp,
) -> None:
    server = counting_smtp(Behaviour(latency_ms=(1, 5), user="a", password="b", keep=True))
    with pytest.raises(aiosmtplib.SMTPException):
        await _send(server.port, ["no@x.test"])
    recipients = [f"r{number}@x.test" for number in range(20)]
    await asyncio.gather(*(_send(server.port, part, username="a", password="b") for part in (recipients, recipients)))
    assert server.accepted() == dict.fromkeys(recipients, 2)
    assert server.accepted_ids()["<r3@x.test>"] == 2
    assert len(server.messages()) == 40
    assert b"Bonjour" in server.messages()[0]


@pytest.mark.parametrize(("orphans", "outcome"), [("accept", "orphan"), ("drop", "dropped")])
async def test_the_counting_server_tells_mail_whose_sender_died_before_the_answer(
    counting_smtp: StartCountingSmtp, orphans: Literal["accept", "drop"], outcome: str
) -> None:
    server = counting_smtp(Behaviour(latency_ms=(10_000, 10_000), orphans=orphans))
    reader, writer = await asyncio.open_connection(server.host, server.port)
    writer.write(b"EHLO x\r\nMAIL FROM:<a@x.test>\r\nRCPT TO:<b@x.test>\r\nDATA\r\n")
    await reader.readuntil(b"354")
    writer.write(b"Message-ID: <1@x.test>\r\n\r\nx\r\n.\r\n")
    await writer.drain()
    writer.transport.abort()
    while not server.mails():
        await asyncio.sleep(0.01)
    assert [mail.outcome for mail in server.mails()] == [outcome]
    assert server.accepted().total() == (1 if orphans == "accept" else 0)


async def test_the_counting_server_refuses_closes_and_knows_a_quota(counting_smtp: StartCountingSmtp) -> None:
    server = counting_smtp(Behaviour(refuse=("no@x.test",), close_after=2, quota=3))
    with pytest.raises(aiosmtplib.SMTPRecipientsRefused):
        await _send(server.port, ["no@x.test"])
    with pytest.raises(aiosmtplib.SMTPException) as closed:
        await _send(server.port, ["1@x.test", "2@x.test", "3@x.test"])
    assert "421" in str(closed.value)
    with pytest.raises(aiosmtplib.SMTPSenderRefused) as full:
        await _send(server.port, ["3@x.test", "4@x.test"])
    assert full.value.code == 550
    assert server.accepted().total() == 3
    server.stop()
    server.start(Behaviour())
    await _send(server.port, ["5@x.test"])
    assert server.accepted()["5@x.test"] == 1


async def test_a_hanging_server_keeps_only_its_own_clients_waiting(counting_smtp: StartCountingSmtp) -> None:
    hanging, quick = counting_smtp(Behaviour(hang_at="mail", hang_s=60)), counting_smtp()
    reader, writer = await asyncio.open_connection(hanging.host, hanging.port)
    writer.write(b"NOOP\r\nMAIL FROM:<a@x.test>\r\n")
    await reader.readuntil(b"250 2.0.0 Ok\r\n")
    await _send(quick.port, ["a@x.test"])
    assert quick.accepted().total() == 1
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(1), 0.1)
    writer.transport.abort()


def test_no_test_reaches_beyond_loopback() -> None:
    with pytest.raises(LeftLoopback):
        socket.create_connection(("192.0.2.1", 80), timeout=1)
    with pytest.raises(LeftLoopback):
        socket.getaddrinfo("real-domain.com", 25)
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("mail.nowhere.test", 25)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams, pytest.raises(LeftLoopback):
        datagrams.sendto(b"x", ("192.0.2.1", 53))
