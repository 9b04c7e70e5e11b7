"""The staged probe of an SMTP and IMAP account (symptoms.md, 5): each check of the guide is one stage.

name → port → tls → login → sender → message to oneself, then the incoming server: connect → tls → login. A stage
that fails names its cause, the likely mend and the server's own words; those after it were not tried.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from fluenzr_app.mail.addresses import domain_of
from fluenzr_app.mail.compose import Draft, compose, new_rfc_id
from fluenzr_app.mail.imap_session import ImapSession, ImapSettings
from fluenzr_app.mail.network import Resolved
from fluenzr_app.mail.probe_findings import Finding, Mend, Stage, Subject, find
from fluenzr_app.mail.probe_words import Value, Words, say
from fluenzr_app.mail.smtp import SmtpConnection
from fluenzr_app.mail.smtp_session import SmtpSession, SmtpSettings
from fluenzr_app.mail.transport import AccountErrorCode, SendFailure

State = Literal["ok", "failed", "skipped", "waiting"]

_SMTP_STAGES: tuple[Stage, ...] = ("name", "port", "tls", "login", "sender", "message")
_IMAP_STAGES: tuple[Stage, ...] = ("imap_connect", "imap_tls", "imap_login")
_STEP_S = 10.0
_ANSWER_S = 20.0
_LOOK_AGAIN_S = 4.0

# What a stage comes to when it passes: state, key and parameters of its sentence, the server's words.
_Passed = tuple[State, str, Mapping[str, Value], str]
_Step = tuple[Stage, Callable[[], Awaitable[_Passed]]]


@dataclass(frozen=True, slots=True)
class ProbeTarget:
    """What to probe: the address to send from and to, and its servers. `imap` None: no incoming server given.

    `send_message` False leaves out the message to oneself; `language` ("fr" or "en") is that of the message.
    """

    email: str
    smtp: SmtpSettings
    imap: ImapSettings | None = None
    display_name: str = ""
    send_message: bool = True
    language: str = "fr"


@dataclass(frozen=True, slots=True)
class StageResult:
    """One stage. `waiting`: not tried yet; `skipped`: left out on purpose.

    `detail_key`, `params`: what to say, for catalogues; `detail` says it. `error_code`: that of accounts.md, None
    when the stage did not fail or the fault needs no name. `server_words`: as the server wrote them, may be empty.
    """

    stage: Stage
    state: State
    detail_key: str
    params: Mapping[str, Value] = field(default_factory=dict)
    duration_ms: int = 0
    error_code: AccountErrorCode | None = None
    mend: Mend | None = None
    server_words: str = ""

    @property
    def title(self) -> Words:
        """The name of the stage."""
        return say(f"title_{self.stage}", {})

    @property
    def detail(self) -> Words:
        """What came out, in one sentence."""
        return say(self.detail_key, self.params)

    @property
    def mend_words(self) -> Words | None:
        """The likely mend, None when there is none to tell."""
        return say(self.mend.key, self.mend.params) if self.mend is not None else None

    def to_json(self, language: str) -> dict[str, Any]:
        """Everything a page shows of the stage, as JSON values, with sentences in `language` ("fr" or "en")."""

        def in_language(words: Words) -> str:
            return words.fr if language == "fr" else words.en

        mend = None
        if self.mend is not None and self.mend_words is not None:
            mend = {
                "key": self.mend.key,
                "params": dict(self.mend.params),
                "words": in_language(self.mend_words),
                "change": dict(self.mend.change) if self.mend.change is not None else None,
            }
        return {
            "stage": self.stage,
            "state": self.state,
            "title": in_language(self.title),
            "detailKey": self.detail_key,
            "params": dict(self.params),
            "detail": in_language(self.detail),
            "durationMs": self.duration_ms,
            "errorCode": self.error_code,
            "mend": mend,
            "serverWords": self.server_words,
        }


def stages_of(target: ProbeTarget) -> tuple[StageResult, ...]:
    """Every stage that a probe of `target` will go through, all waiting: what a page shows before the start."""
    stages = _SMTP_STAGES + (_IMAP_STAGES if target.imap is not None else ())
    return tuple(StageResult(stage, "waiting", f"waiting_{stage}") for stage in stages)


async def probe(
    target: ProbeTarget, *, token: str, now: datetime, time_limit_s: float = 60.0
) -> AsyncGenerator[StageResult, None]:
    """The stages as they are done, in order; those behind a failed one come as `waiting`.

    The incoming server is probed even when the outgoing one failed. `token` makes the Message-ID of the message
    to oneself and must be new each time. All ends within `time_limit_s`. Never raises SendFailure.
    """
    deadline = time.monotonic() + time_limit_s
    parts: list[_SmtpProbe | _ImapProbe] = [_SmtpProbe(target, token, now)]
    if target.imap is not None:
        parts.append(_ImapProbe(target.email, target.imap))
    for part in parts:
        try:
            async for result in _walk(part, deadline, time_limit_s):
                yield result
        finally:
            await part.close()


async def _walk(part: _SmtpProbe | _ImapProbe, deadline: float, time_limit_s: float) -> AsyncIterator[StageResult]:
    broken = False
    for stage, step in part.steps():
        if broken:
            yield StageResult(stage, "waiting", f"waiting_{stage}")
            continue
        started = time.monotonic()
        try:
            async with asyncio.timeout(max(0.0, deadline - started)):
                state, key, params, words = await step()
            yield StageResult(stage, state, key, params, _since(started), server_words=words)
        except SendFailure as failure:
            broken = True
            left = min(_LOOK_AGAIN_S, deadline - time.monotonic())
            finding = await find(stage, failure, part.subject, timeout_s=max(0.1, left))
            yield _failed(stage, finding, _since(started), failure.text)
        except TimeoutError:
            broken = True
            over = Finding("time_over", {"seconds": round(time_limit_s)}, "timeout", Mend("mend_try_later"))
            yield _failed(stage, over, _since(started), "")


def _failed(stage: Stage, finding: Finding, duration_ms: int, words: str) -> StageResult:
    return StageResult(
        stage, "failed", finding.key, finding.params, duration_ms, finding.error_code, finding.mend, words
    )


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)


class _SmtpProbe:
    """The stages of the outgoing server, each building on the one before."""

    def __init__(self, target: ProbeTarget, token: str, now: datetime) -> None:
        step_s = min(_STEP_S, target.smtp.timeout_s)
        self._settings = replace(target.smtp, timeout_s=step_s, answer_timeout_s=_ANSWER_S)
        self._target, self._token, self._now = target, token, now
        self._session = SmtpSession(self._settings)
        self._addresses: tuple[Resolved, ...] = ()
        self._connection: SmtpConnection | None = None
        self._email = target.email.strip()

    @property
    def subject(self) -> Subject:
        settings = self._settings
        username = settings.username or ""
        return Subject(
            "smtp", settings.host, settings.port, settings.encryption, username, self._email, self._addresses
        )

    def steps(self) -> list[_Step]:
        return [
            ("name", self._name),
            ("port", self._port),
            ("tls", self._tls),
            ("login", self._login),
            ("sender", self._sender),
            ("message", self._message),
        ]

    async def close(self) -> None:
        if self._connection is not None:
            await self._connection.close()
        self._session.abort()

    async def _name(self) -> _Passed:
        self._addresses = await self._session.resolve()
        return "ok", "name_ok", {"host": self._settings.host, "count": len(self._addresses)}, ""

    async def _port(self) -> _Passed:
        await self._session.connect(self._addresses)
        return "ok", "port_ok", {"port": self._settings.port}, ""

    async def _tls(self) -> _Passed:
        await self._session.greet()
        if self._settings.encryption == "none":
            return "skipped", "tls_off", {}, ""
        version = str(self._session.client.get_transport_info("ssl_object").version())
        return "ok", "tls_ok", {"version": version, "host": self._settings.host}, ""

    async def _login(self) -> _Passed:
        if self._settings.username is None:
            return "skipped", "login_off", {}, ""
        await self._session.login()
        return "ok", "login_ok", {"username": self._settings.username}, ""

    async def _sender(self) -> _Passed:
        self._connection = SmtpConnection(self._settings, self._session.client)
        await self._connection.offer(self._email, self._email)
        return "ok", "sender_ok", {"email": self._email}, ""

    async def _message(self) -> _Passed:
        if not self._target.send_message or self._connection is None:
            return "skipped", "message_off", {}, ""
        accepted = await self._connection.send(compose(self._draft()))
        return "ok", "message_ok", {"email": self._email}, accepted.text

    def _draft(self) -> Draft:
        french = self._target.language == "fr"
        return Draft(
            rfc_id=new_rfc_id(domain_of(self._email), self._token),
            sender_address=self._email,
            sender_name=self._target.display_name,
            to_address=self._email,
            to_name=self._target.display_name,
            subject="Votre compte est connecté à FluenzR" if french else "Your mailbox is connected to FluenzR",
            text=(
                "Ce message test montre que FluenzR peut écrire depuis cette boîte. Il n’appelle aucune réponse."
                if french
                else "This test message shows that FluenzR can write from this mailbox. It needs no answer."
            ),
            date=self._now,
        )


class _ImapProbe:
    """The stages of the incoming server."""

    def __init__(self, email: str, settings: ImapSettings) -> None:
        self._settings = replace(settings, timeout_s=min(_STEP_S, settings.timeout_s))
        self._session = ImapSession(self._settings)
        self._addresses: tuple[Resolved, ...] = ()
        self._email = email.strip()

    @property
    def subject(self) -> Subject:
        settings = self._settings
        return Subject(
            "imap", settings.host, settings.port, settings.encryption, settings.username, self._email, self._addresses
        )

    def steps(self) -> list[_Step]:
        return [("imap_connect", self._connect), ("imap_tls", self._tls), ("imap_login", self._login)]

    async def close(self) -> None:
        await self._session.close()

    async def _connect(self) -> _Passed:
        self._addresses = await self._session.resolve()
        await self._session.connect(self._addresses)
        return "ok", "imap_connect_ok", {"host": self._settings.host, "port": self._settings.port}, ""

    async def _tls(self) -> _Passed:
        await self._session.greet()
        version = self._session.tls_version
        if version is None:
            return "skipped", "tls_off", {}, ""
        return "ok", "tls_ok", {"version": version, "host": self._settings.host}, ""

    async def _login(self) -> _Passed:
        await self._session.login()
        return "ok", "imap_login_ok", {"username": self._settings.username}, ""
