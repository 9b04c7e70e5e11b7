"""The drawer that mends an account: a new password, other servers, or only a test of what is stored."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace
from random import SystemRandom
from typing import Any

import reflex as rx
from sqlmodel import Session

from fluenzr_app.accounts import service
from fluenzr_app.accounts.connect import servers_of
from fluenzr_app.accounts.errors import AccountsError, BadAccountForm, PasswordNeeded
from fluenzr_app.accounts.form import Server
from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.accounts.probing import NewPasswords, can_send, probe_account
from fluenzr_app.accounts.words import words_for
from fluenzr_app.crypto import CannotOpen
from fluenzr_app.db.ids import BadPublicId, parse_public_id
from fluenzr_app.diagnosis.facts import waiting_messages
from fluenzr_app.inbox.reading import readings
from fluenzr_app.mail.imap_session import ImapSettings
from fluenzr_app.mail.probe import ProbeTarget, StageResult, stages_of
from fluenzr_app.mail.smtp_session import SmtpSettings
from fluenzr_app.ui.components.buttons import button
from fluenzr_app.ui.components.forms import field, form, grid, password_input, text_input
from fluenzr_app.ui.components.frame import drawer
from fluenzr_app.ui.components.status import diagnosis_banner
from fluenzr_app.ui.failures import in_words
from fluenzr_app.ui.findings_state import FindingsState
from fluenzr_app.ui.guard import Acting, acting
from fluenzr_app.ui.kept import kept, kept_is_saved
from fluenzr_app.ui.language import t, words
from fluenzr_app.ui.pages.accounts_list import AccountsState, iso
from fluenzr_app.ui.pages.accounts_probe import (
    SERVER_FIELDS,
    ProbeLine,
    change_of,
    faults_in_words,
    lines_of,
    marked_fields,
    needs_consent,
    probe_section,
    server_fields,
    servers_given,
    stages_in_sight,
    text_of,
)
from fluenzr_app.ui.pages.accounts_query import read_query
from fluenzr_app.ui.pages.accounts_reading import Reading, reading_banner, reading_line, reading_of
from fluenzr_app.words.catalogue import french
from fluenzr_app.workspaces.errors import SecretMissing

FORM = "reconnect-account"
_EYE = rx._x.client_state("reconnect_eye", default=False)


class ReconnectState(rx.State):
    """How the account is reached; a new password comes with the event that tries it and is kept nowhere here."""

    account: str = ""
    email: str = ""
    host: str = ""
    port: str = ""
    encryption: str = "starttls"
    username: str = ""
    imap_host: str = ""
    imap_port: str = "993"
    imap_encryption: str = "ssl"
    version: int = 0
    error_what: str = ""
    error_mend: str = ""
    error_since: str = ""
    waiting: int = 0
    reading: Reading = Reading()
    faults: dict[str, str] = {}
    marked: list[str] = []
    stages: list[ProbeLine] = []
    step: int = 0
    testing: bool = False
    passed: bool = False
    failure: str = ""

    _results: list[StageResult] = []
    _run: int = 0

    @rx.event
    async def load(self) -> Any:
        """Show how the account in the address is reached, and what is wrong with it."""
        me = await acting(self)
        asked = read_query(dict(self.router.url.query_parameters))
        if asked.drawer != "reconnect" or (self.testing and asked.account == self.account):
            return None
        try:
            key = parse_public_id("acc", asked.account)
            account = await me.read(service.get_account, me.workspace_id, key)
            waiting = await me.read(waiting_messages, me.workspace_id, me.now)
            read = await me.read(readings, me.workspace_id)
        except (BadPublicId, AccountsError):
            return [rx.toast.error(words(me.lang, "accounts.errors.unknown_account")), AccountsState.close]
        self._forget_test()
        self._show(me, asked.account, account, waiting.get(key, 0))
        self.reading = reading_of(next((view for view in read if view.account_id == key), None), me.lang)
        return None

    @rx.event
    async def keep(self, name: str, value: str) -> None:
        """Take over what was typed, so that the form shows what belongs to it."""
        await acting(self, admin=True)
        if name in SERVER_FIELDS:
            setattr(self, name, str(value)[:320])
            self.marked = [each for each in self.marked if each != name]
            self.passed = False

    @rx.event(background=True)
    async def submit(self, given: dict[str, Any]) -> Any:
        """Try the connection as the form says; only what works replaces a stored password."""
        async with self:
            me = await acting(self, admin=True)
            if self.testing:
                return
            if given.get("intent") == "mend":
                given = given | {name: str(value) for name, value in change_of(self._results).items()}
                self.version += 1
            taken = await self._take(me, given)
            if taken is None:
                return
            key, passwords = taken
            saved, run = kept_is_saved(f"reconnect.{self.account}"), self._begin(me)
        # The servers are stored by now, whatever the test will say.
        yield saved
        yield stages_in_sight()
        yield await self._probe(me, key, passwords, run)

    @rx.event
    async def stop(self) -> Any:
        """Close the drawer; a test under way ends and stores nothing."""
        await acting(self)
        self._run += 1
        self.testing = False
        return AccountsState.close

    async def _take(self, me: Acting, given: Mapping[str, Any]) -> tuple[int, NewPasswords | None] | None:
        """Store what the form says, and return whose it is with the password to be tried; None where it is refused."""
        self.faults, self.failure = {}, ""
        for name in SERVER_FIELDS:
            setattr(self, name, text_of(given, name))
        if needs_consent(given):
            self.faults = {"none_read": words(me.lang, "accounts.faults.none_unread")}
            return None
        try:
            key = parse_public_id("acc", self.account)
            return key, await me.write(_store_servers, me, key, given)
        except BadPublicId:
            self.failure = words(me.lang, "accounts.errors.unknown_account")
        except BadAccountForm as error:
            self.faults = faults_in_words(me.lang, error)
        except PasswordNeeded:
            self.faults = {"password": words(me.lang, "accounts.faults.password_needed")}
        except AccountsError as error:
            self.failure = in_words(me.lang, error, "accounts.errors")
        return None

    def _show(self, me: Acting, account_id: str, account: EmailAccount, waiting: int) -> None:
        smtp, imap = servers_of(account)
        self.account, self.email, self.waiting = account_id, account.email, waiting
        self.host, self.port, self.encryption = smtp.host, str(smtp.port), smtp.encryption
        self.username = smtp.username
        self.imap_host = "" if imap is None else imap.host
        self.imap_port, self.imap_encryption = ("993", "ssl") if imap is None else (str(imap.port), imap.encryption)
        self.version += 1
        said, tidy = words_for(account.error_code), french if me.lang == "fr" else str
        in_error = account.status == "error"
        self.error_what = tidy(said.what(me.lang)) if in_error else ""
        self.error_mend = tidy(said.mend(me.lang)) if in_error else ""
        self.error_since = iso(account.error_since) if in_error else ""

    def _begin(self, me: Acting) -> int:
        self._forget_test()
        self._run += 1
        self.testing, self.step = True, 1
        self.stages = lines_of([], self._awaited(), me.lang)
        return self._run

    def _awaited(self) -> tuple[StageResult, ...]:
        # Only whether there is an incoming server decides how many stages there are.
        incoming = ImapSettings(self.imap_host, 993, "ssl", "", "") if self.imap_host else None
        return stages_of(ProbeTarget(self.email, SmtpSettings(self.host, 465, "ssl"), incoming))

    async def _probe(self, me: Acting, key: int, passwords: NewPasswords | None, run: int) -> Any:
        runtime = me.runtime
        async with self:
            awaited = self._awaited()
        results: list[StageResult] = []
        coming = probe_account(
            runtime.database,
            runtime.keyring,
            runtime.settings,
            runtime.clock,
            SystemRandom(),
            me.workspace_id,
            key,
            passwords=passwords,
            language=me.lang,
            actor=me.identity,
        )
        try:
            async with aclosing(coming):
                async for result in coming:
                    results.append(result)
                    async with self:
                        # Closed or begun anew meanwhile: the test ends here and stores nothing.
                        if self._run != run:
                            return None
                        self.stages = lines_of(results, awaited, me.lang)
                        self.step = min(len(results) + 1, len(awaited))
        except (SecretMissing, CannotOpen):
            async with self:
                self.testing, self.stages = False, []
                self.faults = {"password": words(me.lang, "accounts.faults.password_lost")}
            return None
        except AccountsError as error:
            async with self:
                self.testing, self.stages = False, []
                self.failure = in_words(me.lang, error, "accounts.errors")
            return None
        async with self:
            self._results, self.testing = results, False
            self.stages, self.marked = lines_of(results, awaited, me.lang), marked_fields(results)
            failed = next((n for n, each in enumerate(results, 1) if each.state == "failed"), 0)
            self.step = failed or len(results)
            self.passed = can_send(results)
            if not self.passed:
                return [AccountsState.refresh, FindingsState.look]
            self.error_what, self.error_mend, self.error_since = "", "", ""
            # Its mailbox is tried at once, too; the list will tell.
            self.reading = Reading()
        done = rx.toast.success(words(me.lang, "accounts.reconnected_now", email=self.email))
        return [done, AccountsState.refresh, FindingsState.look]

    def _forget_test(self) -> None:
        self.stages, self._results, self.faults, self.marked = [], [], {}, []
        self.step, self.testing, self.passed, self.failure = 0, False, False, ""


def _store_servers(session: Session, me: Acting, key: int, given: Mapping[str, Any]) -> NewPasswords | None:
    """Store servers that were changed, and return the password to be tried, None where the stored one is.

    A password given together with another server is stored at once: the one that was there cannot work with it.
    """
    account = service.get_account(session, me.workspace_id, key)
    smtp, imap = servers_given(given)
    old_smtp, old_imap = servers_of(account)
    imap = None if imap is None else replace(imap, username="" if old_imap is None else old_imap.username)
    changed = replace(smtp, password="") != old_smtp or imap != old_imap
    if not changed and not smtp.password:
        return None
    if not changed:
        return NewPasswords(smtp.password, smtp.password if account.imap_secret_id is not None else "")
    service.update_servers(
        session,
        me.runtime.keyring,
        me.workspace_id,
        key,
        me.now,
        smtp=smtp,
        imap=_with_password(imap, account, smtp.password),
        drop_imap=imap is None and old_imap is not None,
        actor=me.identity,
    )
    return None


def _with_password(imap: Server | None, account: EmailAccount, password: str) -> Server | None:
    """Return the incoming server with the password that was typed, unless it shares that of the outgoing one."""
    if imap is None:
        return None
    shares = account.imap_secret_id is None and imap.host in (account.imap_host, account.smtp_host)
    return imap if shares else replace(imap, password=password)


def submit_as(intent: str) -> Any:
    """Return the event that sends the form with another meaning."""
    return rx.call_script(
        f"(() => {{ const form = document.getElementById({FORM!r}); form.elements.intent.value = {intent!r};"
        " form.requestSubmit(); form.elements.intent.value = 'test'; })()"
    )


def reconnect_drawer() -> rx.Component:
    """Return the drawer, open while the address says so."""
    state = ReconnectState
    return drawer(
        t("accounts.reconnect_title"),
        rx.cond(
            state.error_what != "",
            diagnosis_banner(
                "key-round",
                "error",
                state.error_what,
                rx.fragment(
                    rx.cond(state.waiting > 0, t("accounts.waiting", n=state.waiting), t("accounts.nothing_lost")),
                    " ",
                    state.error_mend,
                ),
            ),
        ),
        rx.cond(
            (state.reading.state == "failing") | (state.reading.state == "none"),
            reading_banner(state.reading),
            reading_line(state.reading),
        ),
        form(
            rx.el.input(type="hidden", name="intent", default_value="test"),
            grid(
                field(
                    t("accounts.form.username"),
                    text_input(
                        name="username",
                        key=state.version.to(str) + "username",
                        default_value=state.username,
                        aria_invalid=state.marked.contains("username"),
                        auto_complete="off",
                        spell_check=False,
                        on_blur=lambda value: state.keep("username", value),
                    ),
                    error=state.faults.get("username", ""),
                ),
                field(
                    t("accounts.form.new_password"),
                    password_input(
                        visible=_EYE.value,
                        on_toggle=_EYE.set_value(~_EYE.value),
                        auto_complete="new-password",
                        auto_focus=True,
                    ),
                    help=t("accounts.form.new_password_help"),
                    error=state.faults.get("password", ""),
                ),
            ),
            server_fields(state, lambda name: lambda value: state.keep(name, value)),
            kept("reconnect." + state.account, quiet=True),
            id=FORM,
            on_submit=state.submit,
        ),
        probe_section(state, submit_as("mend"), t("accounts.probe.before_reconnect")),
        is_open=AccountsState.drawer == "reconnect",
        on_close=state.stop,
        subtitle=state.email,
        icon_name="refresh-cw",
        footer=rx.fragment(
            button(rx.cond(state.passed, t("common.close"), t("common.cancel")), on_click=state.stop),
            button(
                t("accounts.reconnect_act"),
                kind="solid",
                icon_name="refresh-cw",
                loading=state.testing,
                on_click=submit_as("test"),
            ),
        ),
    )
