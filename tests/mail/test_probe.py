"""The staged probe against servers that have, for real, each of the faults it must name."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
import string
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fluenzr_app.mail import probe_findings, probe_words
from fluenzr_app.mail.imap_session import ImapSettings
from fluenzr_app.mail.probe import ProbeTarget, StageResult, probe, stages_of
from fluenzr_app.mail.smtp_session import LocalCause, SmtpSettings
from tests.mail.hostile_smtp import HANG, Behaviour, hostile_smtp
from tests.real.certificates import make_certificates
from tests.real.ports import free_ports
from tests.real.post_office import PostOffice

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
EMAIL = "anna@fluenzr.test"


def _target(port: int, *, imap: ImapSettings | None = None, email: str = EMAIL, **changes: object) -> ProbeTarget:
    settings = SmtpSettings("127.0.0.1", port, "none", EMAIL, "secret", timeout_s=1.0)
    return ProbeTarget(email, replace(settings, **changes), imap)  # type: ignore[arg-type]


async def _run(target: ProbeTarget, time_limit_s: float = 30.0) -> dict[str, StageResult]:
    results = [each async for each in probe(target, token="probe-1", now=NOW, time_limit_s=time_limit_s)]
    assert [each.stage for each in results] == [each.stage for each in stages_of(target)]
    for each in results:
        assert each.to_json("fr")["detail"]
        assert json.dumps(each.to_json("en"))
    return {each.stage: each for each in results}


async def _failed(target: ProbeTarget, stage: str) -> StageResult:
    """The stage that failed, when it is the first that did; those behind it were not tried."""
    results = await _run(target)
    states = [each.state for each in results.values()]
    at = list(results).index(stage)
    assert set(states[:at]) <= {"ok", "skipped"}
    assert states[at] == "failed"
    assert set(states[at + 1 : len(states) if target.imap is None else 6]) <= {"waiting"}
    return results[stage]


def _change(result: StageResult) -> dict[str, object] | None:
    assert result.mend is not None
    return dict(result.mend.change) if result.mend.change is not None else None


@pytest.fixture
def certificates(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    return _certificates(tmp_path)


def _certificates(folder: Path, names: tuple[str, ...] = ("localhost",), days: int = 30) -> tuple[ssl.SSLContext, Path]:
    made = make_certificates(folder, names, ("127.0.0.1",) if "localhost" in names else (), days=days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made.certificate_file, made.key_file)
    return context, made.ca_file


# All is well.


@pytest.mark.parametrize("encryption", ["starttls", "ssl"])
async def test_a_right_account_passes_every_stage_and_gets_its_message(
    post_office: PostOffice, encryption: str
) -> None:
    email = f"probe-{encryption}@fluenzr.test"
    username, password = post_office.user(email)
    port = post_office.smtp_port if encryption == "starttls" else post_office.smtps_port
    imap_port = post_office.imap_port if encryption == "starttls" else post_office.imaps_port
    smtp = SmtpSettings(post_office.host, port, encryption, username, password, ca_file=post_office.ca_file)  # type: ignore[arg-type]
    imap = ImapSettings(post_office.host, imap_port, encryption, username, password, ca_file=post_office.ca_file)  # type: ignore[arg-type]
    results = await _run(ProbeTarget(email, smtp, imap, "Anna Weiß"))
    assert {each.state for each in results.values()} == {"ok"}, results
    assert results["tls"].params["version"] == "TLSv1.3"
    (raw,) = await asyncio.to_thread(post_office.wait_for, email)
    assert b"Message-ID: <probe-1@fluenzr.test>" in raw


async def test_the_message_can_be_left_out() -> None:
    async with hostile_smtp() as server:
        results = await _run(replace(_target(server.port), send_message=False))
    assert results["message"].state == "skipped"
    assert results["tls"].state == "skipped"
    assert results["tls"].detail_key == "tls_off"
    assert server.mails == []


async def test_a_wrong_imap_password_is_told_after_smtp_has_passed(post_office: PostOffice) -> None:
    email = "probe-imap@fluenzr.test"
    username, password = post_office.user(email)
    smtp = SmtpSettings(post_office.host, post_office.smtp_port, "starttls", username, password,
                        ca_file=post_office.ca_file)  # fmt: skip
    imap = ImapSettings(post_office.host, post_office.imaps_port, "ssl", username, "wrong", ca_file=post_office.ca_file)
    result = await _failed(ProbeTarget(email, smtp, imap, send_message=False), "imap_login")
    assert (result.detail_key, result.error_code) == ("bad_credentials", "auth_failed")
    assert "AUTHENTICATIONFAILED" in result.server_words


async def test_imap_with_the_wrong_encryption_names_the_right_one(post_office: PostOffice) -> None:
    username, password = post_office.user(EMAIL)
    smtp = SmtpSettings(post_office.host, post_office.smtp_port, "starttls", username, password,
                        ca_file=post_office.ca_file)  # fmt: skip
    for port, wrong, right in ((post_office.imaps_port, "starttls", "ssl"), (post_office.imap_port, "ssl", "starttls")):
        imap = ImapSettings(post_office.host, port, wrong, username, password, 1.0, ca_file=post_office.ca_file)  # type: ignore[arg-type]
        result = await _failed(ProbeTarget(EMAIL, smtp, imap, send_message=False), "imap_tls")
        assert result.error_code == "tls_mode_mismatch"
        assert _change(result) == {"imap_encryption": right}


# Name.


async def test_an_unknown_name_of_a_known_mailbox_proposes_its_providers_settings() -> None:
    result = await _failed(_target(587, host="smtp.nowhere.invalid", email="anna@gmx.net"), "name")
    assert (result.detail_key, result.error_code) == ("name_unknown", "dns_failure")
    assert _change(result) == {"host": "mail.gmx.net", "port": 587, "encryption": "starttls"}


async def test_a_mistyped_name_proposes_the_nearest_known_one(monkeypatch: pytest.MonkeyPatch) -> None:
    # A name under a reserved ending, since the tests ask no name server; the rest is what a user mistypes.
    monkeypatch.setattr(probe_findings, "known_hosts", lambda: ("ssl0.ovh.net", "mail.gandi.net"))
    subject = probe_findings.Subject("smtp", "ssl0.ovh.nt", 465, "ssl", "", EMAIL)
    mend = probe_findings._right_name(subject)
    assert mend.change == {"host": "ssl0.ovh.net", "port": 465, "encryption": "ssl"}
    assert probe_findings._right_name(replace(subject, host="mail.my-own-company.example")).change is None


async def test_a_private_network_is_refused_where_the_installation_says_so() -> None:
    result = await _failed(_target(25, allow_private=False), "name")
    assert (result.detail_key, result.error_code) == ("private_address", "blocked_by_policy")


# Port.


async def test_a_closed_port_proposes_the_one_that_answers(certificates: tuple[ssl.SSLContext, Path]) -> None:
    behaviour = Behaviour(tls=certificates[0], capabilities=("STARTTLS", "AUTH PLAIN"))
    async with hostile_smtp(behaviour, host="127.0.0.77", port=2525):
        result = await _failed(_target(free_ports(1)[0], host="127.0.0.77"), "port")
    assert (result.detail_key, result.error_code) == ("refused", "connection_refused")
    assert _change(result) == {"port": 2525, "encryption": "starttls"}


async def test_a_closed_port_with_nothing_beside_it_proposes_nothing() -> None:
    result = await _failed(_target(free_ports(1)[0], host="127.0.0.78"), "port")
    assert result.detail_key == "refused"
    assert _change(result) is None


async def test_a_port_that_swallows_everything_is_a_firewall() -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.79", 0))
        full.listen(0)
        port = full.getsockname()[1]
        # One fills the queue; what comes after is dropped, as a firewall does.
        with socket.create_connection(("127.0.0.79", port)):
            result = await _failed(_target(port, host="127.0.0.79", timeout_s=0.3), "port")
    assert (result.detail_key, result.error_code) == ("port_silent", "timeout")
    assert result.mend is not None
    assert result.mend.key == "mend_firewall"


# Encryption.


@pytest.mark.parametrize("wrong", ["starttls", "none"])
async def test_a_server_that_wants_tls_at_once_is_found_out(
    certificates: tuple[ssl.SSLContext, Path], wrong: str
) -> None:
    async with hostile_smtp(Behaviour(tls=certificates[0], tls_at_once=True)) as server:
        result = await _failed(_target(server.port, encryption=wrong, timeout_s=0.3), "tls")
        assert (result.detail_key, result.error_code) == ("expects_tls_at_once", "tls_mode_mismatch")
        assert _change(result) == {"encryption": "ssl"}
        mended = await _run(_target(server.port, encryption="ssl", ca_file=certificates[1]))
    assert {each.state for each in mended.values()} == {"ok"}


async def test_a_server_that_greets_in_the_clear_is_found_out(certificates: tuple[ssl.SSLContext, Path]) -> None:
    behaviour = Behaviour(tls=certificates[0], capabilities=("STARTTLS", "AUTH PLAIN"))
    async with hostile_smtp(behaviour) as server:
        result = await _failed(_target(server.port, encryption="ssl"), "tls")
        assert (result.detail_key, result.error_code) == ("plain_where_tls_expected", "tls_mode_mismatch")
        assert _change(result) == {"encryption": "starttls"}
        mended = await _run(_target(server.port, encryption="starttls", ca_file=certificates[1]))
    assert {each.state for each in mended.values()} == {"ok"}


async def test_a_server_without_starttls_on_this_machine_may_go_without_encryption() -> None:
    async with hostile_smtp() as server:
        result = await _failed(_target(server.port, encryption="starttls"), "tls")
    assert result.detail_key == "starttls_missing"
    assert _change(result) == {"encryption": "none"}


async def test_a_port_of_something_else_is_told() -> None:
    async with hostile_smtp(Behaviour(junk=b"HTTP/1.1 400 Bad Request\r\n", connect=HANG), host="127.0.0.80") as server:
        result = await _failed(_target(server.port, host="127.0.0.80", encryption="ssl"), "tls")
        assert result.detail_key == "not_smtp"
        result = await _failed(_target(server.port, host="127.0.0.80"), "tls")
    assert (result.detail_key, result.error_code) == ("not_smtp", "tls_mode_mismatch")


async def test_a_server_that_never_greets_is_told_from_one_that_wants_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fluenzr_app.mail.probe._LOOK_AGAIN_S", 0.3)
    async with hostile_smtp(Behaviour(connect=HANG)) as server:
        result = await _failed(_target(server.port, timeout_s=0.3), "tls")
    assert (result.detail_key, result.error_code) == ("silent", "timeout")


@pytest.mark.parametrize(
    ("names", "days", "trusted", "key", "change"),
    [
        (("localhost",), -1, True, "certificate_expired", None),
        (("mail.other.test",), 30, True, "certificate_other_host", {"host": "mail.other.test"}),
        (("*.ovh.net",), 30, True, "certificate_other_host", {"host": "ssl0.ovh.net"}),
        (("localhost",), 30, False, "certificate_untrusted", None),
    ],
)
@pytest.mark.parametrize("encryption", ["ssl", "starttls"])
async def test_each_fault_of_a_certificate_is_told(
    tmp_path: Path, encryption: str, names: tuple[str, ...], days: int, trusted: bool, key: str, change: object
) -> None:
    context, ca_file = _certificates(tmp_path, names, days)
    behaviour = Behaviour(tls=context, tls_at_once=encryption == "ssl", capabilities=("STARTTLS", "AUTH PLAIN"))
    async with hostile_smtp(behaviour) as server:
        target = _target(server.port, host="localhost", encryption=encryption, ca_file=ca_file if trusted else None)
        result = await _failed(target, "tls")
    assert (result.detail_key, result.error_code) == (key, "tls_certificate_invalid")
    assert _change(result) == change


async def test_a_bridge_on_this_machine_with_its_own_certificate_may_go_without(tmp_path: Path) -> None:
    made = make_certificates(tmp_path)
    # The authority's certificate is signed by itself; its key is gone, so it is shown by a server that has its own.
    context = _self_signed(tmp_path)
    async with hostile_smtp(Behaviour(tls=context, tls_at_once=True)) as server:
        result = await _failed(_target(server.port, encryption="ssl", ca_file=made.ca_file), "tls")
    assert result.detail_key == "certificate_self_signed"
    assert _change(result) == {"encryption": "none"}


def _self_signed(folder: Path) -> ssl.SSLContext:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2120, 1, 1, tzinfo=UTC))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = folder / "self.pem"
    file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


# Sign-in, sender, message.


@asynccontextmanager
async def _misbehaving(step: str, reply: str) -> AsyncIterator[int]:
    async with hostile_smtp(Behaviour().at(step, reply)) as server:
        yield server.port


async def test_a_user_name_without_its_domain_is_completed() -> None:
    async with _misbehaving("auth", "535 5.7.8 no") as port:
        result = await _failed(_target(port, username="anna"), "login")
    assert (result.detail_key, result.error_code) == ("bad_credentials", "auth_failed")
    assert _change(result) == {"username": EMAIL}
    assert result.server_words == "5.7.8 no"


async def test_a_wrong_password_asks_for_the_password() -> None:
    async with hostile_smtp() as server:
        result = await _failed(_target(server.port, password="wrong"), "login")
    assert result.mend is not None
    assert (result.detail_key, result.mend.key) == ("bad_credentials", "mend_password")


async def test_an_app_password_is_asked_for_where_the_provider_wants_one() -> None:
    async with _misbehaving("auth", "534 5.7.9 Application-specific password required") as port:
        told = await _failed(_target(port), "login")
    async with _misbehaving("auth", "535 5.7.8 no") as port:
        known = await _failed(_target(port, email="anna@yahoo.fr", username="anna@yahoo.fr"), "login")
    assert (told.detail_key, told.error_code) == ("app_password", "app_password_required")
    assert told.mend is not None
    assert known.mend is not None
    assert told.mend.key == known.mend.key == "mend_app_password"


@pytest.mark.parametrize(
    ("capabilities", "key", "error_code", "mend"),
    [
        (("SIZE 1000000",), "auth_missing", "auth_failed", "mend_check_port"),
        (("STARTTLS",), "auth_only_encrypted", "tls_mode_mismatch", "mend_starttls"),
        (("AUTH XOAUTH2",), "auth_method_unknown", "auth_failed", "mend_ask_provider"),
    ],
)
async def test_a_missing_way_to_sign_in_is_told(
    capabilities: tuple[str, ...], key: str, error_code: str, mend: str
) -> None:
    async with hostile_smtp(Behaviour(capabilities=capabilities), host="127.0.0.81") as server:
        result = await _failed(_target(server.port, host="127.0.0.81"), "login")
    assert result.mend is not None
    assert (result.detail_key, result.error_code, result.mend.key) == (key, error_code, mend)


async def test_a_mailbox_of_a_provider_with_a_button_is_sent_there() -> None:
    async with hostile_smtp(Behaviour(capabilities=("AUTH XOAUTH2",))) as server:
        result = await _failed(_target(server.port, email="anna@outlook.fr"), "login")
    assert result.mend is not None
    assert result.mend.key == "mend_oauth_microsoft"


async def test_a_refused_sender_proposes_the_address_that_signed_in() -> None:
    for step in ("mail", "rcpt"):
        async with _misbehaving(step, "553 5.7.1 Sender address rejected: not owned by user") as port:
            result = await _failed(_target(port, email="sales@fluenzr.test"), "sender")
        assert (result.detail_key, result.error_code) == ("sender_refused", "sender_refused")
        assert _change(result) == {"email": EMAIL}


@pytest.mark.parametrize(
    ("reply", "key", "error_code"),
    [
        ("554 5.7.1 Message looks like spam", "message_refused", None),
        ("550 5.4.5 Daily user sending limit exceeded", "daily_quota", "quota_exceeded"),
        ("421 4.7.0 Too many messages, slow down", "rate", "rate_limited"),
        (HANG, "message_uncertain", "timeout"),
    ],
)
async def test_a_refused_message_is_told(
    reply: str, key: str, error_code: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fluenzr_app.mail.probe._ANSWER_S", 0.3)
    async with _misbehaving("content", reply) as port:
        result = await _failed(_target(port), "message")
    assert (result.detail_key, result.error_code) == (key, error_code)


async def test_a_server_that_refuses_this_machine_is_told() -> None:
    async with _misbehaving("connect", "554 5.7.1 Your IP address is on a blacklist") as port:
        result = await _failed(_target(port), "tls")
    assert (result.detail_key, result.error_code) == ("client_blocked", "blocked_by_policy")


async def test_the_whole_probe_ends_in_time() -> None:
    async with hostile_smtp(Behaviour(mail=HANG)) as server:
        started = time.monotonic()
        results = await _run(_target(server.port, timeout_s=60.0), time_limit_s=0.5)
        assert time.monotonic() - started < 2.0
    assert results["sender"].detail_key == "time_over"
    assert results["message"].state == "waiting"


async def test_results_come_as_they_are_found() -> None:
    async with hostile_smtp(Behaviour(auth=HANG)) as server:
        running = probe(_target(server.port), token="t", now=NOW)
        first = [await anext(running) for _ in range(3)]
        assert [each.stage for each in first] == ["name", "port", "tls"]
        await running.aclose()


# Words.


def test_every_sentence_has_both_languages_and_the_same_gaps() -> None:
    for key in probe_words.all_keys():
        english, french = probe_words._SENTENCES[key]
        assert english
        assert french
        assert _gaps(english) == _gaps(french), key


def test_every_key_that_the_probe_may_use_has_its_sentence() -> None:
    folder = Path(probe_findings.__file__).parent
    source = (folder / "probe_findings.py").read_text() + (folder / "probe.py").read_text()
    used = set(re.findall(r'(?:Finding|Mend)\(\s*f?"([a-z_]+)"', source))
    used |= set(re.findall(r'return "(?:ok|skipped)", "([a-z_]+)"', source))
    used |= {str(cause) for cause in LocalCause if cause.startswith("certificate_")}
    used |= {"server_trouble", "client_blocked", "account_blocked", "token_expired", "silent", "disconnected"}
    assert len(used) > 40
    used -= {"mend_oauth_"}
    assert used <= probe_words.all_keys()
    for stage in stages_of(_target(1, imap=ImapSettings("x", 993, "ssl", "u", "p"))):
        assert stage.title.fr
        assert stage.detail.en


def _gaps(sentence: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}
