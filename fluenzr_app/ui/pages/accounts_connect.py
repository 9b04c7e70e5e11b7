"""The drawer that connects a mailbox by SMTP: what was typed, the test with its stages, then the account."""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from contextlib import aclosing
from random import SystemRandom
from typing import Any

import reflex as rx
from sqlmodel import Session

from fluenzr_app.accounts import service
from fluenzr_app.accounts.connect import Suggestion, settings_of_form, suggest_servers
from fluenzr_app.accounts.errors import AccountsError, BadAccountForm
from fluenzr_app.accounts.form import CheckedForm, Limits, Server, SmtpForm, check_form
from fluenzr_app.accounts.probing import all_passed, connect_probed, probe_form
from fluenzr_app.campaigns.drafts import keep_draft, read_draft
from fluenzr_app.mail.errors import BadAddress
from fluenzr_app.mail.probe import ProbeTarget, StageResult, stages_of
from fluenzr_app.ui.failures import in_words
from fluenzr_app.ui.guard import Acting, acting
from fluenzr_app.ui.language import words
from fluenzr_app.ui.pages.accounts_list import AccountsState
from fluenzr_app.ui.pages.accounts_probe import (
    MOST,
    SERVER_FIELDS,
    ProbeLine,
    change_of,
    faults_in_words,
    lines_of,
    marked_fields,
    needs_consent,
    servers_given,
    stages_in_sight,
    text_of,
)
from fluenzr_app.ui.pages.accounts_query import read_query

PLACE = "accounts.connect"
KEPT = ("email", "display_name", *SERVER_FIELDS)
_FRESH = {"port": "587", "encryption": "starttls", "imap_port": "993", "imap_encryption": "ssl"}


class ConnectState(rx.State):
    """The form's fields but for the password, which comes with the event that uses it and is never kept."""

    email: str = ""
    display_name: str = ""
    host: str = ""
    port: str = "587"
    encryption: str = "starttls"
    username: str = ""
    imap_host: str = ""
    imap_port: str = "993"
    imap_encryption: str = "ssl"
    # Fields take their value from here when they are made anew: who they are about, and the servers.
    form_version: int = 0
    version: int = 0
    preset: str = ""
    source: str = ""
    app_password: bool = False
    oauth: str = ""
    kept: bool = False
    by_hand: bool = False
    faults: dict[str, str] = {}
    marked: list[str] = []
    stages: list[ProbeLine] = []
    step: int = 0
    testing: bool = False
    passed: bool = False
    failure: str = ""

    _results: list[StageResult] = []
    _proof: str = ""
    _run: int = 0

    @rx.event
    async def load(self) -> None:
        """Bring back what was typed and not finished."""
        me = await acting(self)
        if read_query(dict(self.router.url.query_parameters)).drawer != "connect" or self.testing:
            return
        draft = await me.read(read_draft, me.workspace_id, me.identity.user_id, PLACE)
        for name in KEPT:
            setattr(self, name, str(draft.get(name, _FRESH.get(name, "")))[:MOST])
        self.kept, self.by_hand = bool(draft), bool(draft.get("host"))
        self.version, self.form_version = self.version + 1, self.form_version + 1
        self._forget_test()

    @rx.event
    async def keep(self, name: str, value: str) -> None:
        """Keep what was typed into a field, so that a reload loses nothing."""
        me = await acting(self, admin=True)
        if name not in KEPT or getattr(self, name) == str(value)[:MOST]:
            return
        setattr(self, name, str(value)[:MOST])
        self.by_hand = self.by_hand or name in SERVER_FIELDS
        self.faults = {key: told for key, told in self.faults.items() if key != name}
        self.marked = [each for each in self.marked if each != name]
        self.passed, self.kept = False, True
        await me.write(
            keep_draft, me.workspace_id, me.identity.user_id, PLACE, {name: getattr(self, name) or None}, me.now
        )

    @rx.event
    async def begin_by_hand(self) -> None:
        """Leave the servers to whoever types them."""
        await acting(self, admin=True)
        self.by_hand = True

    @rx.event(background=True)
    async def suggest(self, email: str) -> None:
        """Fill in the servers that the address is known to use, unless somebody has typed others."""
        async with self:
            me = await acting(self, admin=True)
            settings, changed = me.runtime.settings, self.email != email[:MOST].strip()
        if not changed:
            return
        async with self:
            await self._keep_fields(me, {"email": email[:MOST].strip()})
        try:
            found = await suggest_servers(email[:MOST], settings)
        except BadAddress:
            return
        async with self:
            if self.email == email[:MOST].strip():
                await self._take(me, found)

    @rx.event(background=True)
    async def submit(self, given: dict[str, Any]) -> Any:
        """Test the connection; connect the mailbox if this very form has passed its test."""
        async with self:
            me = await acting(self, admin=True)
            if self.testing:
                return
            if given.get("intent") == "mend":
                given = given | {name: str(value) for name, value in change_of(self._results).items()}
                self.version, self.form_version = self.version + 1, self.form_version + 1
            asked = _form_of(given)
            checked = await self._check(me, given, asked)
            if checked is None:
                return
            proven = self.passed and hmac.compare_digest(self._proof, _proof_of(me, asked))
            if given.get("intent") != "connect" or not proven:
                run = self._begin(checked, me)
            else:
                run = 0
            results = list(self._results)
        if run == 0:
            yield await self._connect(me, asked, results)
            return
        yield stages_in_sight()
        await self._probe(me, asked, run)

    @rx.event
    async def stop(self) -> Any:
        """Close the drawer; a test under way ends, what was typed is kept."""
        await acting(self)
        self._run += 1
        self.testing = False
        return AccountsState.close

    @rx.event
    async def forget(self) -> None:
        """Throw away what was typed."""
        me = await acting(self, admin=True)
        await me.write(keep_draft, me.workspace_id, me.identity.user_id, PLACE, dict.fromkeys(KEPT), me.now)
        for name in KEPT:
            setattr(self, name, _FRESH.get(name, ""))
        self.kept, self.by_hand, self.preset, self.source = False, False, "", ""
        self.app_password, self.oauth = False, ""
        self.version, self.form_version = self.version + 1, self.form_version + 1
        self._forget_test()

    async def _take(self, me: Acting, found: Suggestion | None) -> None:
        if found is None:
            self.preset, self.source, self.app_password, self.oauth = "", "unknown", False, ""
            return
        self.preset, self.source = found.provider, found.source
        self.app_password, self.oauth = found.app_password, found.oauth or ""
        if self.by_hand:
            return
        values = {
            "host": found.smtp.host,
            "port": str(found.smtp.port),
            "encryption": found.smtp.encryption,
            "username": found.username,
        }
        if found.imap is not None:
            values |= {
                "imap_host": found.imap.host,
                "imap_port": str(found.imap.port),
                "imap_encryption": found.imap.encryption,
            }
        await self._keep_fields(me, values)
        self.version += 1

    async def _keep_fields(self, me: Acting, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            setattr(self, name, value)
        self.kept, self.passed = True, False
        await me.write(keep_draft, me.workspace_id, me.identity.user_id, PLACE, dict(values), me.now)

    async def _check(self, me: Acting, given: Mapping[str, Any], asked: SmtpForm) -> CheckedForm | None:
        """Return the checked form, None when it has faults, which stand at their fields then."""
        for name in KEPT:
            setattr(self, name, text_of(given, name))
        self.faults, self.failure, self.kept = {}, "", True
        await me.write(
            keep_draft,
            me.workspace_id,
            me.identity.user_id,
            PLACE,
            {name: getattr(self, name) or None for name in KEPT},
            me.now,
        )
        if needs_consent(given):
            self.faults = {"none_read": words(me.lang, "accounts.faults.none_unread")}
            return None
        try:
            checked = check_form(asked)
            if await me.read(service.is_connected, checked.address.address):
                self.faults = {"email": words(me.lang, "accounts.errors.address_in_use", email=self.email)}
                return None
        except BadAccountForm as error:
            self.faults = faults_in_words(me.lang, error)
            return None
        return checked

    def _begin(self, checked: CheckedForm, me: Acting) -> int:
        smtp, imap = settings_of_form(checked, me.runtime.settings)
        self._forget_test()
        self._run += 1
        self.testing = True
        awaited = stages_of(ProbeTarget(checked.address.address, smtp, imap))
        self.stages, self.step = lines_of([], awaited, me.lang), 1
        return self._run

    async def _probe(self, me: Acting, asked: SmtpForm, run: int) -> None:
        results: list[StageResult] = []
        smtp, imap = settings_of_form(check_form(asked), me.runtime.settings)
        awaited = stages_of(ProbeTarget(asked.email, smtp, imap))
        async with aclosing(probe_form(asked, me.runtime.settings, me.now, language=me.lang)) as coming:
            async for result in coming:
                results.append(result)
                async with self:
                    # Closed or begun anew meanwhile: nobody looks at this one any more.
                    if self._run != run:
                        return
                    self.stages = lines_of(results, awaited, me.lang)
                    self.step = _step(results, len(awaited))
        async with self:
            if self._run != run:
                return
            self._results, self.testing = results, False
            self.stages, self.marked = lines_of(results, awaited, me.lang), marked_fields(results)
            self.passed = all_passed(results)
            self._proof = _proof_of(me, asked) if self.passed else ""

    async def _connect(self, me: Acting, asked: SmtpForm, results: list[StageResult]) -> Any:
        def store(session: Session) -> str:
            account = connect_probed(
                session,
                me.runtime.keyring,
                me.workspace_id,
                asked,
                results,
                me.now,
                SystemRandom(),
                actor=me.identity,
            )
            keep_draft(session, me.workspace_id, me.identity.user_id, PLACE, dict.fromkeys(KEPT), me.now)
            return account.email

        try:
            email = await me.write(store)
        except AccountsError as error:
            async with self:
                self.failure, self.passed = in_words(me.lang, error, "accounts.errors"), False
            return None
        async with self:
            self._forget_test()
            self.kept = False
        return [rx.toast.success(words(me.lang, "accounts.connected_now", email=email)), rx.redirect("/accounts")]

    def _forget_test(self) -> None:
        self.stages, self._results, self.faults, self.marked = [], [], {}, []
        self.step, self.testing, self.passed, self.failure, self._proof = 0, False, False, "", ""


def _form_of(given: Mapping[str, Any]) -> SmtpForm:
    smtp, imap = servers_given(given)
    return SmtpForm(text_of(given, "email"), smtp, imap, Limits(display_name=text_of(given, "display_name")))


def _proof_of(me: Acting, asked: SmtpForm) -> str:
    """Return a mark of exactly this form with its password, so that what connects is what was tested."""

    def parts(server: Server | None) -> list[Any]:
        return [] if server is None else [server.host, server.port, server.encryption, server.username, server.password]

    text = json.dumps([asked.email, parts(asked.smtp), parts(asked.imap)])
    return hmac.new(me.runtime.keyring.derive("accounts.tested-form"), text.encode(), "sha256").hexdigest()


def _step(results: list[StageResult], stages: int) -> int:
    """Return the number of the stage that is under way, or that failed first."""
    failed = next((n for n, result in enumerate(results, 1) if result.state == "failed"), 0)
    return failed or min(len(results) + 1, stages)
