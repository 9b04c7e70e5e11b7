"""Opening an IMAP connection to servers that answer by a script, each with one fault."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import pytest

from fluenzr_app.mail.imap_session import ImapSession, ImapSettings
from fluenzr_app.mail.transport import SendFailure
from tests.real.ports import free_ports


@dataclass
class ScriptedImap:
    """Answers each command by its verb; `None` as an answer closes the connection. `{tag}` stands for the tag."""

    greeting: str = "* OK ready"
    capabilities: str = "IMAP4rev1"
    answers: dict[str, str | None] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{self.greeting}\r\n".encode())
        while line := await reader.readline():
            tag, _, command = line.decode().rstrip("\r\n").partition(" ")
            self.commands.append(command)
            verb = command.partition(" ")[0]
            good = f"* CAPABILITY {self.capabilities}\r\n{{tag}} OK" if verb == "CAPABILITY" else "{tag} OK done"
            answer = self.answers.get(verb, good)
            if answer is None:
                break
            writer.write(answer.format(tag=tag).encode() + b"\r\n")
        writer.close()


@asynccontextmanager
async def scripted(server: ScriptedImap) -> AsyncIterator[ImapSettings]:
    listener = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listener:
        port = listener.sockets[0].getsockname()[1]
        yield ImapSettings("127.0.0.1", port, "none", "anna", "secret", timeout_s=0.5)


async def _open(settings: ImapSettings) -> None:
    session = ImapSession(settings)
    try:
        await session.connect(await session.resolve())
        await session.greet()
        await session.login()
    finally:
        await session.close()
        await session.close()


async def _failure(server: ScriptedImap, **changes: object) -> SendFailure:
    async with scripted(server) as settings:
        with pytest.raises(SendFailure) as caught:
            await _open(replace(settings, **changes))  # type: ignore[arg-type]
    assert caught.value.certain
    return caught.value


async def test_a_password_with_quotes_and_backslashes_arrives_as_it_is() -> None:
    server = ScriptedImap()
    async with scripted(server) as settings:
        await _open(replace(settings, password='a"b\\c d'))
    assert server.commands[:3] == ["CAPABILITY", 'LOGIN "anna" "a\\"b\\\\c d"', "EXAMINE INBOX"]


async def test_a_password_outside_ascii_goes_by_sasl() -> None:
    server = ScriptedImap(capabilities="IMAP4rev1 SASL-IR AUTH=PLAIN")
    async with scripted(server) as settings:
        await _open(replace(settings, password="clé"))
    assert server.commands[1] == "AUTHENTICATE PLAIN AGFubmEAY2zDqQ=="


async def test_a_password_cannot_break_out_of_its_command() -> None:
    server = ScriptedImap()
    failure = await _failure(server, password="a\r\nx DELETE INBOX")
    assert failure.error_code == "auth_failed"
    assert not any(re.search("DELETE|LOGIN", command) for command in server.commands)


@pytest.mark.parametrize(
    ("server", "level", "error_code", "cause"),
    [
        (ScriptedImap(greeting="* BYE not today"), "connection", "tls_mode_mismatch", "not_imap"),
        (ScriptedImap(greeting="220 mail.example ESMTP"), "connection", "tls_mode_mismatch", "not_imap"),
        (ScriptedImap(capabilities="IMAP4rev1 LOGINDISABLED"), "account", "tls_mode_mismatch", "auth_only_encrypted"),
        (ScriptedImap(answers={"LOGIN": None}), "connection", None, "disconnected"),
        (ScriptedImap(answers={"LOGIN": "* BYE too many connections"}), "connection", None, "disconnected"),
        (ScriptedImap(answers={"LOGIN": "* OK still thinking"}), "connection", "timeout", "silent"),
        (ScriptedImap(answers={"LOGIN": "{tag} NO [AUTHENTICATIONFAILED] no"}), "account", "auth_failed",
         "bad_credentials"),
        (ScriptedImap(answers={"LOGIN": "{tag} NO [ALERT] Application-specific password required"}), "account",
         "app_password_required", "app_password"),
        (ScriptedImap(answers={"LOGIN": "{tag} NO Too many login attempts"}), "account", "rate_limited", "rate"),
        (ScriptedImap(answers={"LOGIN": "{tag} NO [UNAVAILABLE] Temporary authentication failure."}), "connection",
         None, "server_trouble"),
        (ScriptedImap(answers={"EXAMINE": "{tag} NO no inbox here"}), "account", "auth_failed", None),
    ],
)  # fmt: skip
async def test_each_way_of_failing_is_named(
    server: ScriptedImap, level: str, error_code: str | None, cause: str | None
) -> None:
    failure = await _failure(server)
    assert (failure.level, failure.error_code, failure.cause) == (level, error_code, cause)


async def test_starttls_that_the_server_lacks_is_a_mismatch() -> None:
    failure = await _failure(ScriptedImap(), encryption="starttls")
    assert (failure.error_code, failure.cause) == ("tls_mode_mismatch", "starttls_missing")


async def test_tls_towards_a_plain_port_is_a_mismatch() -> None:
    failure = await _failure(ScriptedImap(), encryption="ssl")
    assert (failure.error_code, failure.cause) == ("tls_mode_mismatch", "plain_where_tls_expected")


async def test_a_line_without_an_end_is_not_read_for_ever() -> None:
    failure = await _failure(ScriptedImap(greeting="x" * 200_000))
    assert failure.level == "connection"


async def test_a_closed_port_is_refused() -> None:
    with pytest.raises(SendFailure) as caught:
        await _open(ImapSettings("127.0.0.1", free_ports(1)[0], "ssl", "anna", "secret"))
    assert caught.value.error_code == "connection_refused"


def test_settings_do_not_show_the_password() -> None:
    assert "hunter2" not in repr(ImapSettings("mail.example", 993, "ssl", "anna", "hunter2"))
