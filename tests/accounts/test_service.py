"""Connecting, changing, pausing, reconnecting and removing accounts, each within its own workspace."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import Session, SQLModel, select

from fluenzr_app.accounts import service
from fluenzr_app.accounts.errors import AddressInUse, BadAccountForm, PasswordNeeded, UnknownAccount
from fluenzr_app.accounts.form import Limits, Server, SmtpForm
from fluenzr_app.accounts.health import report_fault, report_success
from fluenzr_app.accounts.models import EmailAccount, ProbeRun
from fluenzr_app.clock import ManualClock
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.events.models import Event
from fluenzr_app.mail.refusal import classify
from fluenzr_app.workspaces.audit import list_entries
from fluenzr_app.workspaces.models import Secret
from fluenzr_app.workspaces.secrets import read_secret
from tests.people import People

PASSWORD = "Tr0ub4dor-and-3-gulls"
SMTP = Server("smtp.rivage.example", 587, "starttls", "", PASSWORD)
IMAP = Server("imap.rivage.example", 993, "ssl")
FORM = SmtpForm("Devis@Rivage.example", SMTP, IMAP, Limits(display_name="Atelier Rivage"))
AUTH = classify("auth", 535, "5.7.8 authentication failed")
QUOTA = classify("mail", 550, "5.4.5 Daily user sending limit exceeded")


class Office:
    """The service as the owner's page calls it, each call in a transaction of its own."""

    def __init__(self, database: Database, keyring: KeyRing, people: People, clock: ManualClock) -> None:
        self.database, self.keyring, self.people, self.clock = database, keyring, people, clock
        self.workspace_id = people.workspace_id

    def connect(self, form: SmtpForm = FORM, workspace_id: int | None = None) -> int:
        with self.database.transaction() as session:
            workspace = workspace_id or self.workspace_id
            account = service.connect_smtp(session, self.keyring, workspace, form, self.clock.now())
            assert account.id is not None
            return account.id

    def do(self, act: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        with self.database.transaction() as session:
            return act(session, self.workspace_id, *arguments, self.clock.now(), **named)

    def servers(self, account_id: int, **changes: Any) -> EmailAccount:
        with self.database.transaction() as session:
            return service.update_servers(
                session, self.keyring, self.workspace_id, account_id, self.clock.now(), **changes
            )

    def reconnect(self, account_id: int, password: str, imap_password: str | None = None) -> EmailAccount:
        with self.database.transaction() as session:
            return service.reconnect(
                session, self.keyring, self.workspace_id, account_id, password, self.clock.now(),
                imap_password=imap_password,
            )  # fmt: skip

    def fault(self, account_id: int, failure: Any, rng: Any) -> Any:
        with self.database.transaction() as session:
            return report_fault(session, account_id, failure, self.clock.now(), rng)

    def row(self, account_id: int) -> EmailAccount:
        with self.database.read() as session:
            return service.get_account(session, self.workspace_id, account_id, removed_too=True)

    def password(self, account_id: int, path: str = "smtp") -> str:
        with self.database.read() as session:
            secret_id = getattr(self.row(account_id), f"{path}_secret_id")
            return read_secret(session, self.keyring, secret_id).decode()

    def events(self) -> list[tuple[str, Any]]:
        with self.database.read() as session:
            return [(event.type, event.data) for event in session.exec(select(Event).order_by(Event.id))]  # type: ignore[arg-type]


@pytest.fixture
def office(database: Database, keyring: KeyRing, people: People, clock: ManualClock) -> Office:
    return Office(database, keyring, people, clock)


def test_a_connected_account_has_its_sealed_password_and_the_defaults(office: Office) -> None:
    account = office.row(office.connect())
    assert (account.email_key, account.status) == ("devis@rivage.example", "connected")
    assert account.display_name == "Atelier Rivage"
    assert (account.daily_limit, account.min_gap_seconds, account.ramp_enabled) == (200, 90, True)
    assert account.smtp_username == "Devis@Rivage.example"
    assert account.imap_secret_id is None
    assert account.imap_host == "imap.rivage.example"
    assert account.id is not None
    assert office.password(account.id) == PASSWORD


def test_a_password_of_its_own_for_imap_is_kept_apart(office: Office) -> None:
    account_id = office.connect(replace(FORM, imap=replace(IMAP, password="another one")))
    assert (office.password(account_id), office.password(account_id, "imap")) == (PASSWORD, "another one")


def test_no_table_holds_a_password_and_no_repr_shows_one(office: Office) -> None:
    account_id = office.connect()
    office.reconnect(account_id, PASSWORD + "2", "imap-" + PASSWORD)
    assert PASSWORD not in repr(FORM) + repr(office.row(account_id)) + office.row(account_id).model_dump_json()
    with office.database.read() as session:
        for table in SQLModel.metadata.sorted_tables:
            for row in session.execute(text(f'SELECT * FROM "{table.name}"')):
                assert PASSWORD not in json.dumps(list(row), default=repr), table.name


def test_an_address_is_connected_once_in_the_installation_and_where_is_not_told(office: Office) -> None:
    office.connect()
    words = set()
    for workspace_id in (office.people.workspace_id, office.people.other_workspace_id):
        with pytest.raises(AddressInUse) as refusal:
            office.connect(replace(FORM, email="DEVIS@rivage.EXAMPLE"), workspace_id)
        words.add((str(refusal.value).casefold(), refusal.value.code))
        assert set(refusal.value.details) == {"email"}
    assert len(words) == 1
    with office.database.read() as session:
        assert len(session.exec(select(EmailAccount)).all()) == 1
        assert len(session.exec(select(Secret).where(Secret.kind == service.SMTP_KIND)).all()) == 1


def test_of_many_who_connect_one_address_at_once_one_succeeds_and_the_others_are_told(office: Office) -> None:
    outcomes: list[str] = []

    def connect(number: int) -> None:
        try:
            office.connect(workspace_id=(office.people.workspace_id, office.people.other_workspace_id)[number % 2])
            outcomes.append("connected")
        except Exception as refusal:
            outcomes.append(type(refusal).__name__)

    threads = [threading.Thread(target=connect, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["AddressInUse"] * 5 + ["connected"]


def test_a_refused_address_leaves_the_callers_transaction_usable(office: Office) -> None:
    office.connect()
    with office.database.transaction() as session:
        with pytest.raises(AddressInUse):
            service.connect_smtp(session, office.keyring, office.workspace_id, FORM, office.clock.now())
        other = replace(FORM, email="autre@rivage.example")
        service.connect_smtp(session, office.keyring, office.workspace_id, other, office.clock.now())
    with office.database.read() as session:
        found = service.list_accounts(session, office.workspace_id)
        assert [account.email for account in found] == ["autre@rivage.example", "Devis@rivage.example"]


def test_a_bad_form_stores_nothing(office: Office) -> None:
    with pytest.raises(BadAccountForm):
        office.connect(replace(FORM, smtp=replace(SMTP, password="")))
    with office.database.read() as session:
        assert service.count_accounts(session, office.workspace_id) == 0


def test_a_stranger_sees_and_touches_nothing(office: Office) -> None:
    account_id = office.connect()
    before = office.row(account_id)
    stranger, now, keyring = office.people.other_workspace_id, office.clock.now(), office.keyring
    acts: list[Callable[[Session], Any]] = [
        lambda session: service.get_account(session, stranger, account_id),
        lambda session: service.get_account(session, stranger, account_id, removed_too=True),
        lambda session: service.update_settings(session, stranger, account_id, Limits(daily_limit=5), now),
        lambda session: service.update_servers(session, keyring, stranger, account_id, now, smtp=SMTP),
        lambda session: service.pause(session, stranger, account_id, now),
        lambda session: service.resume(session, stranger, account_id, now),
        lambda session: service.reconnect(session, keyring, stranger, account_id, "theirs", now),
        lambda session: service.mark_mended(session, stranger, account_id, now),
        lambda session: service.remove(session, stranger, account_id, now, release_queue=lambda *_: 0),
    ]
    for act in acts:
        with pytest.raises(UnknownAccount), office.database.transaction() as session:
            act(session)
    with office.database.read() as session:
        assert service.list_accounts(session, stranger) == []
        assert service.count_accounts(session, stranger) == 0
    assert office.row(account_id) == before
    assert office.password(account_id) == PASSWORD


def test_settings_change_alone_and_raise_the_revision(office: Office) -> None:
    account_id = office.connect(replace(FORM, limits=Limits(display_name="Rivage", hourly_limit=30)))
    office.clock.advance(timedelta(minutes=1))
    account = office.do(service.update_settings, account_id, Limits(daily_limit=50, hourly_limit=None))
    assert (account.daily_limit, account.hourly_limit, account.display_name) == (50, None, "Rivage")
    assert (account.revision, account.updated_at) == (2, office.clock.now())
    assert office.row(account_id) == account


def test_the_copy_of_sent_mail_is_on_until_somebody_switches_it_off(office: Office) -> None:
    account_id = office.connect()
    assert office.row(account_id).copy_to_sent
    assert not office.do(service.update_settings, account_id, Limits(copy_to_sent=False)).copy_to_sent
    with office.database.read() as session:
        newest = list_entries(session, office.workspace_id)[0]
    assert (newest.action, newest.data) == ("account.changed", {"copy_to_sent": False})


def test_a_change_that_changes_nothing_leaves_the_revision_alone(office: Office) -> None:
    account_id = office.connect()
    office.clock.advance(timedelta(minutes=1))
    assert office.do(service.update_settings, account_id, Limits(daily_limit=200)).revision == 1


def test_a_wrong_setting_changes_nothing(office: Office) -> None:
    account_id = office.connect()
    with pytest.raises(BadAccountForm):
        office.do(service.update_settings, account_id, Limits(daily_limit=50, warming_share=95))
    assert office.row(account_id).daily_limit == 200


def test_port_and_encryption_change_without_the_password(office: Office) -> None:
    account_id = office.connect()
    account = office.servers(account_id, smtp=replace(SMTP, port=465, encryption="ssl", password=""))
    assert (account.smtp_port, account.smtp_encryption, account.smtp_username) == (465, "ssl", "Devis@Rivage.example")
    assert office.password(account_id) == PASSWORD


@pytest.mark.parametrize("path", ["smtp", "imap"])
def test_a_stored_password_is_never_handed_to_another_server(office: Office, path: str) -> None:
    account_id = office.connect()
    elsewhere = Server("mail.elsewhere.example", 587, "starttls")
    with pytest.raises(PasswordNeeded):
        office.servers(account_id, **{path: elsewhere})
    assert getattr(office.row(account_id), f"{path}_host").endswith("rivage.example")
    office.servers(account_id, **{path: replace(elsewhere, password="fresh")})
    assert getattr(office.row(account_id), f"{path}_host") == "mail.elsewhere.example"
    assert office.password(account_id, path) == "fresh"


def test_imap_that_shares_the_password_may_move_to_the_smtp_server_only(office: Office) -> None:
    account_id = office.connect(replace(FORM, imap=None))
    office.servers(account_id, imap=replace(IMAP, host="smtp.rivage.example"))
    assert office.row(account_id).imap_host == "smtp.rivage.example"
    office.servers(account_id, imap=replace(IMAP, password="its own"))
    # With a password of its own, the host of SMTP is a foreign one too.
    with pytest.raises(PasswordNeeded):
        office.servers(account_id, imap=replace(IMAP, host="smtp.rivage.example"))


def test_changed_servers_are_in_the_audit(office: Office) -> None:
    account_id = office.connect()
    assert office.servers(account_id).revision == 1
    office.servers(account_id, smtp=replace(SMTP, host="mail.elsewhere.example", password="fresh"))
    with office.database.read() as session:
        newest = list_entries(session, office.workspace_id)[0]
    assert (newest.action, newest.data) == ("account.servers_changed", {"smtp": "mail.elsewhere.example"})


def test_imap_can_be_dropped_with_its_password(office: Office) -> None:
    account_id = office.connect(replace(FORM, imap=replace(IMAP, password="its own")))
    account = office.servers(account_id, drop_imap=True)
    assert (account.imap_host, account.imap_secret_id) == ("", None)
    with office.database.read() as session:
        assert session.exec(select(Secret).where(Secret.kind == service.IMAP_KIND)).all() == []


def test_pausing_and_resuming(office: Office) -> None:
    account_id = office.connect()
    paused = office.do(service.pause, account_id)
    assert (paused.status, paused.pause_reason, paused.paused_until, paused.revision) == ("paused", "user", None, 2)
    assert office.do(service.pause, account_id).revision == 2
    resumed = office.do(service.resume, account_id)
    assert (resumed.status, resumed.pause_reason, resumed.revision) == ("connected", "", 3)
    assert office.do(service.resume, account_id).revision == 3


def test_a_users_pause_does_not_shorten_that_of_a_quota(office: Office, rng: Any) -> None:
    account_id = office.connect()
    until = office.fault(account_id, QUOTA, rng).until
    office.do(service.pause, account_id)
    resumed = office.do(service.resume, account_id)
    assert (resumed.status, resumed.pause_reason, resumed.paused_until) == ("paused", "quota", until)
    # Asked a second time, now knowing that it is the quota that holds it, the user means it.
    resumed = office.do(service.resume, account_id)
    assert (resumed.status, resumed.pause_reason, resumed.paused_until) == ("connected", "", None)


def test_a_users_pause_that_outlasts_the_quota_ends_when_the_user_says(office: Office, rng: Any) -> None:
    account_id = office.connect()
    office.fault(account_id, QUOTA, rng)
    office.do(service.pause, account_id)
    office.clock.advance(timedelta(hours=25))
    assert office.do(service.resume, account_id).status == "connected"


def test_resuming_ends_a_back_off(office: Office, rng: Any) -> None:
    account_id = office.connect()
    office.fault(account_id, classify("mail", 421, "4.3.2 closing"), rng)
    assert office.row(account_id).backoff_until is not None
    assert office.do(service.resume, account_id).backoff_until is None


def test_an_error_that_is_tried_again_is_over_only_when_a_mail_has_left(office: Office, rng: Any) -> None:
    account_id = office.connect()
    office.fault(account_id, AUTH, rng)
    resumed = office.do(service.resume, account_id)
    assert (resumed.status, resumed.error_code) == ("connected", "auth_failed")
    with office.database.transaction() as session:
        event = report_success(session, account_id, office.clock.now())
        assert event is not None
        assert event.type == "account.recovered"
    assert office.row(account_id).error_code is None


def test_reconnecting_keeps_the_account_and_ends_its_error(office: Office, rng: Any) -> None:
    account_id = office.connect()
    office.fault(account_id, AUTH, rng)
    before = office.row(account_id)
    assert before.status == "error"
    account = office.reconnect(account_id, "the new one")
    assert (account.id, account.status, account.error_code, account.error_message, account.error_since) == (
        account_id, "connected", None, "", None
    )  # fmt: skip
    assert account.revision == before.revision + 1
    assert account.smtp_secret_id == before.smtp_secret_id
    assert office.password(account_id) == "the new one"
    assert [kind for kind, _ in office.events()] == ["account.error", "account.recovered"]


def test_reconnecting_a_paused_account_leaves_it_paused(office: Office) -> None:
    account_id = office.connect()
    office.do(service.pause, account_id)
    assert office.reconnect(account_id, "the new one").status == "paused"
    assert office.events() == []


def test_reconnecting_changes_the_imap_password_only_where_there_is_one_of_its_own(office: Office) -> None:
    account_id = office.connect(replace(FORM, imap=replace(IMAP, password="imap one")))
    office.reconnect(account_id, "smtp two")
    assert (office.password(account_id), office.password(account_id, "imap")) == ("smtp two", "imap one")
    office.reconnect(account_id, "smtp three", "imap three")
    assert (office.password(account_id), office.password(account_id, "imap")) == ("smtp three", "imap three")


@pytest.mark.parametrize("password", ["", "two\nlines"])
def test_reconnecting_with_an_impossible_password_changes_nothing(office: Office, password: str) -> None:
    account_id = office.connect()
    with pytest.raises(BadAccountForm):
        office.reconnect(account_id, password)
    assert office.password(account_id) == PASSWORD


def test_a_removed_account_leaves_no_secret_and_frees_its_address(office: Office) -> None:
    account_id = office.connect(replace(FORM, imap=replace(IMAP, password="its own")))
    with office.database.transaction() as session:
        session.add(ProbeRun(account_id=account_id, at=office.clock.now(), passed=True))
    released: list[tuple[int, str]] = []

    def release(session: Session, account: int) -> int:
        found = service.get_account(session, office.workspace_id, account, removed_too=True)
        released.append((account, found.status))
        return 14

    assert office.do(service.remove, account_id, release_queue=release) == 14
    # The queue is emptied only once nothing can be claimed from it any more.
    assert released == [(account_id, "removed")]
    row = office.row(account_id)
    assert (row.status, row.removed_at, row.smtp_secret_id) == ("removed", office.clock.now(), None)
    with office.database.read() as session:
        kinds = [secret.kind for secret in session.exec(select(Secret))]
        assert set(kinds) == {"suppression_key"}
        assert service.list_accounts(session, office.workspace_id) == []
        assert session.exec(select(ProbeRun)).all() == []
        assert not service.is_connected(session, "devis@rivage.example")
        with pytest.raises(UnknownAccount):
            service.get_account(session, office.workspace_id, account_id)
    with pytest.raises(UnknownAccount):
        office.do(service.remove, account_id, release_queue=release)
    assert office.connect(workspace_id=office.people.other_workspace_id) != account_id


def test_a_removal_whose_queue_cannot_be_emptied_does_not_happen(office: Office) -> None:
    account_id = office.connect()

    def fail(session: Session, account: int) -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        office.do(service.remove, account_id, release_queue=fail)
    assert office.row(account_id).status == "connected"
    assert office.password(account_id) == PASSWORD


def test_what_was_done_is_in_the_audit_without_secrets(office: Office) -> None:
    account_id = office.connect()
    office.do(service.update_settings, account_id, Limits(daily_limit=50, signature="Bien à vous"))
    office.do(service.pause, account_id)
    office.do(service.resume, account_id)
    office.reconnect(account_id, "the new one")
    office.do(service.remove, account_id, release_queue=lambda *_: 3)
    with office.database.read() as session:
        entries = list_entries(session, office.workspace_id)
        assert list_entries(session, office.people.other_workspace_id) == []
    assert [(entry.action, entry.data) for entry in reversed(entries)] == [
        ("account.connected", {}), ("account.changed", {"daily_limit": 50}), ("account.paused", {}),
        ("account.resumed", {}), ("account.reconnected", {}), ("account.removed", {"messages": 3}),
    ]  # fmt: skip
