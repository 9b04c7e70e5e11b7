"""Connecting and testing accounts against a real Postfix and Dovecot, with right, wrong and changed passwords."""

import asyncio
import random
from contextlib import aclosing
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from sqlmodel import col, select

from fluenzr_app.accounts import service
from fluenzr_app.accounts.connect import (
    corrected,
    corrected_servers,
    imap_settings,
    servers_of,
    smtp_settings,
    suggest_servers,
)
from fluenzr_app.accounts.errors import BadAccountForm, UnknownAccount
from fluenzr_app.accounts.form import Limits, Server, SmtpForm
from fluenzr_app.accounts.health import report_fault
from fluenzr_app.accounts.models import EmailAccount, ProbeRun
from fluenzr_app.accounts.probing import (
    NewPasswords,
    all_passed,
    can_send,
    connect_probed,
    last_probe,
    probe_account,
    probe_form,
)
from fluenzr_app.clock import ManualClock
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.events.models import Event
from fluenzr_app.mail.compose import Composed, Draft, compose
from fluenzr_app.mail.probe import StageResult
from fluenzr_app.mail.smtp import SmtpTransport
from fluenzr_app.mail.transport import SendFailure
from fluenzr_app.settings import Settings
from tests.people import People, make_account
from tests.real.post_office import PostOffice


class Flow:
    """The owner's page and the engine, with a mailbox of the test's own in the post office."""

    def __init__(
        self, database: Database, keyring: KeyRing, settings: Settings, clock: ManualClock, rng: random.Random,
        people: People, office: PostOffice,
    ) -> None:  # fmt: skip
        self.database, self.keyring, self.settings, self.clock, self.rng = database, keyring, settings, clock, rng
        self.people, self.office, self.workspace_id = people, office, people.workspace_id
        self.email = f"u{uuid4().hex[:10]}@fluenzr.test"
        self.username, self.password = office.user(self.email)

    def form(self, **smtp: Any) -> SmtpForm:
        server = Server("localhost", self.office.smtp_port, "starttls", self.username, self.password)
        imap = Server("localhost", self.office.imaps_port, "ssl")
        return SmtpForm(self.email, replace(server, **smtp), imap, Limits(display_name="Camille Rivage"))

    async def probe_form(self, form: SmtpForm, **options: Any) -> list[StageResult]:
        return [stage async for stage in probe_form(form, self.settings, self.clock.now(), **options)]

    def connect(self, form: SmtpForm, stages: list[StageResult]) -> int:
        with self.database.transaction() as session:
            account = connect_probed(session, self.keyring, self.workspace_id, form, stages, self.clock.now(), self.rng)
            assert account.id is not None
            return account.id

    async def connected(self) -> int:
        stages = await self.probe_form(self.form(), send_message=False)
        assert all_passed(stages), stages
        return self.connect(self.form(), stages)

    async def probe(self, account_id: int, workspace_id: int | None = None, **options: Any) -> list[StageResult]:
        stages = probe_account(
            self.database, self.keyring, self.settings, self.clock, self.rng, workspace_id or self.workspace_id,
            account_id, send_message=False, **options,
        )  # fmt: skip
        return [stage async for stage in stages]

    async def send(self, account_id: int, to: str = "lea@recipients.test") -> None:
        """What the engine does, in short: read the settings, send, tell the account's health."""
        with self.database.read() as session:
            settings = smtp_settings(session, self.keyring, self.row(account_id), self.settings)
        try:
            connection = await SmtpTransport(settings).connect()
            await connection.send(self.mail(to))
            await connection.close()
        except SendFailure as failure:
            with self.database.transaction() as session:
                report_fault(session, account_id, failure, self.clock.now(), self.rng)
            raise

    def mail(self, to: str) -> Composed:
        return compose(Draft(
            rfc_id=f"<{uuid4().hex}@fluenzr.test>", sender_address=self.email, to_address=to, subject="Bonjour",
            text="Bonjour", date=self.clock.now(),
        ))  # fmt: skip

    def row(self, account_id: int) -> EmailAccount:
        with self.database.read() as session:
            return service.get_account(session, self.workspace_id, account_id)

    def events(self) -> list[str]:
        with self.database.read() as session:
            return list(session.exec(select(Event.type).order_by(col(Event.id))))


@pytest.fixture
def flow(
    database: Database, keyring: KeyRing, settings: Settings, clock: ManualClock, rng: random.Random, people: People,
    post_office: PostOffice, monkeypatch: pytest.MonkeyPatch,
) -> Flow:  # fmt: skip
    post_office.trust(monkeypatch)
    return Flow(database, keyring, settings, clock, rng, people, post_office)


def states(stages: list[StageResult]) -> dict[str, str]:
    return {stage.stage: stage.state for stage in stages}


async def test_a_right_form_passes_every_stage_and_a_message_comes_to_oneself(flow: Flow) -> None:
    stages = await flow.probe_form(flow.form())
    assert set(states(stages).values()) == {"ok"}
    assert len(stages) == 9
    assert b"FluenzR" in flow.office.wait_for(flow.email)[0]
    account = flow.row(flow.connect(flow.form(), stages))
    assert (account.status, account.provider, account.email) == ("connected", "smtp", flow.email)


async def test_a_bad_form_is_refused_before_anything_is_dialled(flow: Flow) -> None:
    with pytest.raises(BadAccountForm):
        await flow.probe_form(flow.form(port=0, host="b a d"))


async def test_a_connected_account_sends_with_what_was_stored(flow: Flow) -> None:
    account_id = await flow.connected()
    to = f"lea-{uuid4().hex[:8]}@recipients.test"
    await flow.send(account_id, to)
    assert flow.office.wait_for(to)


async def test_a_wrong_password_fails_at_the_login_and_says_so(flow: Flow) -> None:
    stages = await flow.probe_form(flow.form(password="not the one"))
    found = states(stages)
    assert (found["tls"], found["login"], found["sender"]) == ("ok", "failed", "waiting")
    assert not can_send(stages)
    account = flow.row(flow.connect(flow.form(password="not the one"), stages))
    assert (account.status, account.error_code, account.error_since) == ("error", "auth_failed", flow.clock.now())
    assert flow.events() == ["account.error"]


async def test_correct_and_retry_mends_the_encryption(flow: Flow) -> None:
    # A server that expects TLS at once stays silent; a user would wait ten seconds for it.
    flow.settings = flow.settings.model_copy(update={"smtp_timeout_s": 1.0})
    wrong = flow.form(port=flow.office.smtps_port, encryption="starttls")
    stages = await flow.probe_form(replace(wrong, imap=None), send_message=False)
    failed = next(stage for stage in stages if stage.state == "failed")
    assert (failed.stage, failed.error_code) == ("tls", "tls_mode_mismatch")
    assert failed.mend is not None
    assert failed.mend.change is not None
    mended = corrected(wrong, failed.mend.change)
    assert (mended.smtp.encryption, mended.smtp.password) == ("ssl", flow.password)
    assert all_passed(await flow.probe_form(mended, send_message=False))


async def test_a_password_changed_later_becomes_an_error_and_reconnecting_mends_it(flow: Flow) -> None:
    account_id = await flow.connected()
    before = flow.row(account_id)
    flow.office.set_password(flow.email, "a second one")
    with pytest.raises(SendFailure):
        await flow.send(account_id)
    broken = flow.row(account_id)
    assert (broken.status, broken.error_code) == ("error", "auth_failed")
    assert broken.revision > before.revision

    # A wrong new password replaces nothing.
    assert not can_send(await flow.probe(account_id, passwords=NewPasswords("a third one")))
    assert flow.row(account_id).status == "error"
    with flow.database.read() as session:
        kept = smtp_settings(session, flow.keyring, flow.row(account_id), flow.settings)
    assert kept.password == flow.password

    assert all_passed(await flow.probe(account_id, passwords=NewPasswords("a second one")))
    account = flow.row(account_id)
    assert (account.status, account.error_code, account.id) == ("connected", None, account_id)
    assert flow.events() == ["account.error", "account.recovered"]
    await flow.send(account_id)


async def test_a_test_of_a_stored_account_finds_the_error_and_later_its_end(flow: Flow) -> None:
    account_id = await flow.connected()
    flow.office.set_password(flow.email, "another")
    assert states(await flow.probe(account_id))["login"] == "failed"
    assert (flow.row(account_id).status, flow.row(account_id).error_code) == ("error", "auth_failed")
    flow.office.set_password(flow.email, flow.password)
    assert all_passed(await flow.probe(account_id))
    assert (flow.row(account_id).status, flow.row(account_id).error_code) == ("connected", None)
    assert flow.events() == ["account.error", "account.recovered"]


async def test_a_paused_account_can_be_tested_and_stays_paused(flow: Flow) -> None:
    account_id = await flow.connected()
    with flow.database.transaction() as session:
        service.pause(session, flow.workspace_id, account_id, flow.clock.now())
    assert all_passed(await flow.probe(account_id))
    flow.office.set_password(flow.email, "another")
    await flow.probe(account_id)
    assert (flow.row(account_id).status, flow.row(account_id).error_code) == ("paused", None)


async def test_the_last_probe_is_kept_whole_and_only_for_its_own_workspace(flow: Flow) -> None:
    account_id = await flow.connected()
    await flow.probe(account_id)
    flow.office.set_password(flow.email, "another")
    stages = await flow.probe(account_id)
    with flow.database.read() as session:
        kept = last_probe(session, flow.workspace_id, account_id)
        assert last_probe(session, flow.people.other_workspace_id, account_id) is None
        assert len(session.exec(select(ProbeRun)).all()) == 1
    assert kept is not None
    assert (kept.at, kept.passed) == (flow.clock.now(), False)
    assert [stage.to_json("fr") for stage in kept.stages] == [stage.to_json("fr") for stage in stages]
    assert [stage.to_json("en") for stage in kept.stages] == [stage.to_json("en") for stage in stages]
    assert flow.password not in repr(kept)


async def test_what_was_changed_while_it_was_tested_is_not_judged_by_the_test(flow: Flow) -> None:
    account_id = await flow.connected()
    with flow.database.transaction() as session:
        service.update_settings(session, flow.workspace_id, account_id, Limits(daily_limit=40), flow.clock.now())
    flow.office.set_password(flow.email, "another")
    stages = probe_account(
        flow.database, flow.keyring, flow.settings, flow.clock, flow.rng, flow.workspace_id, account_id
    )
    async for stage in stages:
        if stage.stage == "name":
            with flow.database.transaction() as session:
                service.reconnect(session, flow.keyring, flow.workspace_id, account_id, "another", flow.clock.now())
    assert flow.row(account_id).status == "connected"


async def test_an_account_removed_while_it_was_tested_stays_removed(flow: Flow) -> None:
    account_id = await flow.connected()
    stages = probe_account(
        flow.database, flow.keyring, flow.settings, flow.clock, flow.rng, flow.workspace_id, account_id,
        send_message=False,
    )  # fmt: skip
    async for stage in stages:
        if stage.stage == "name":
            with flow.database.transaction() as session:
                service.remove(session, flow.workspace_id, account_id, flow.clock.now(), release_queue=lambda *_: 0)
    with pytest.raises(UnknownAccount):
        flow.row(account_id)
    with flow.database.read() as session:
        assert session.exec(select(ProbeRun)).all() == []


async def test_who_stops_looking_leaves_nothing_behind(flow: Flow) -> None:
    account_id = await flow.connected()
    before = flow.row(account_id)
    stages = probe_account(
        flow.database, flow.keyring, flow.settings, flow.clock, flow.rng, flow.workspace_id, account_id,
        passwords=NewPasswords("wrong"), send_message=False,
    )  # fmt: skip
    async with aclosing(stages):
        async for stage in stages:
            if stage.stage == "port":
                break
    assert flow.row(account_id) == before


async def test_a_stranger_cannot_test_an_account(flow: Flow) -> None:
    account_id = await flow.connected()
    with pytest.raises(UnknownAccount):
        await flow.probe(account_id, flow.people.other_workspace_id)


async def test_private_networks_are_refused_where_the_installation_says_so(flow: Flow) -> None:
    account_id = await flow.connected()
    flow.settings = flow.settings.model_copy(update={"private_networks_allowed": False})
    stages = await flow.probe_form(flow.form())
    assert (stages[0].state, stages[0].detail_key) == ("failed", "private_address")
    assert states(stages)["imap_connect"] == "failed"
    with pytest.raises(SendFailure):
        await flow.send(account_id)
    assert flow.row(account_id).error_code == "private_network_refused"
    with flow.database.transaction() as session:
        service.resume(session, flow.workspace_id, account_id, flow.clock.now())
    await flow.probe(account_id)
    assert (flow.row(account_id).status, flow.row(account_id).error_code) == ("error", "private_network_refused")


async def test_two_accounts_are_tested_at_the_same_time(flow: Flow) -> None:
    first = await flow.connected()
    flow.email = f"u{uuid4().hex[:10]}@fluenzr.test"
    flow.username, flow.password = flow.office.user(flow.email)
    second = await flow.connected()
    both = await asyncio.gather(flow.probe(first), flow.probe(second))
    assert all(all_passed(stages) for stages in both)


def test_an_account_without_password_is_used_without_login(
    database: Database, keyring: KeyRing, settings: Settings, people: People, clock: ManualClock
) -> None:
    with database.transaction() as session:
        account_id = make_account(session, people.workspace_id, "relay@rivage.example", clock.now(), imap_host="x")
        account = service.get_account(session, people.workspace_id, account_id)
        found = smtp_settings(session, keyring, account, settings)
        assert (found.username, found.password) == (None, None)
        assert imap_settings(session, keyring, account, settings) is None
        assert servers_of(account)[0].password == ""


def test_settings_carry_what_the_operator_set_and_show_no_password(
    database: Database, keyring: KeyRing, settings: Settings, people: People, clock: ManualClock
) -> None:
    form = SmtpForm(
        "camille@rivage.example", Server("smtp.rivage.example", 465, "ssl", "", "first word"),
        Server("imap.rivage.example", 993, "ssl", "camille-imap", "second word"),
    )  # fmt: skip
    strict = settings.model_copy(update={"private_networks_allowed": False, "smtp_timeout_s": 7.0})
    with database.transaction() as session:
        account = service.connect_smtp(session, keyring, people.workspace_id, form, clock.now())
        smtp = smtp_settings(session, keyring, account, strict)
        imap = imap_settings(session, keyring, account, strict)
    assert imap is not None
    assert (smtp.username, smtp.password) == ("camille@rivage.example", "first word")
    assert (imap.username, imap.password) == ("camille-imap", "second word")
    assert (smtp.allow_private, imap.allow_private, smtp.timeout_s) == (False, False, 7.0)
    assert "word" not in repr(smtp) + repr(imap)


def test_a_mends_change_reaches_the_server_it_is_meant_for() -> None:
    smtp, imap = Server("a.example", 465, "starttls", "u", "p"), Server("b.example", 143, "ssl")
    assert corrected_servers(smtp, imap, {"encryption": "ssl", "imap_port": 993}) == (
        replace(smtp, encryption="ssl"), replace(imap, port=993)
    )  # fmt: skip
    assert corrected_servers(smtp, None, {"imap_port": 993}) == (smtp, None)
    form = SmtpForm("a@x.example", smtp)
    assert corrected(form, {"email": "b@x.example"}).email == "b@x.example"


class NoNames:
    """A resolver that knows no name."""

    async def resolve(self, qname: str, rdtype: Any, *, lifetime: float) -> Any:
        raise OSError(qname)


async def test_an_address_suggests_its_servers(settings: Settings) -> None:
    found = await suggest_servers("camille@gmx.fr", settings)
    assert found is not None
    assert (found.source, found.provider, found.smtp.host, found.username) == (
        "preset", "GMX", "mail.gmx.com", "camille@gmx.fr"
    )  # fmt: skip
    free = await suggest_servers("camille@free.fr", settings)
    assert free is not None
    assert free.username == "camille"
    assert await suggest_servers("camille@rivage.example", settings, resolver=NoNames()) is None
