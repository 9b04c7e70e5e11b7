"""What failed sends do to an account, and how it comes back."""

import random
import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from fluenzr_app.accounts import service
from fluenzr_app.accounts.health import Consequence, due_to_resume, report_fault, report_success
from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.clock import ManualClock
from fluenzr_app.db.engine import Database
from fluenzr_app.events.figures import verify
from fluenzr_app.events.models import Event
from fluenzr_app.mail.refusal import classify
from fluenzr_app.mail.transport import SendFailure
from tests.people import People, make_account

TIMEOUT = SendFailure("connection", "no answer in 30 s", error_code="timeout")
AUTH = classify("auth", 535, "5.7.8 Error: authentication failed")
QUOTA = classify("mail", 550, "5.4.5 Daily user sending limit exceeded")


@pytest.fixture
def account_id(database: Database, people: People, clock: ManualClock) -> int:
    with database.transaction() as session:
        return make_account(session, people.workspace_id, "camille@rivage.example", clock.now())


class Desk:
    """The calls of an engine, each in a transaction of its own."""

    def __init__(self, database: Database, account_id: int, clock: ManualClock, rng: random.Random) -> None:
        self.database, self.account_id, self.clock, self.rng = database, account_id, clock, rng

    def fault(self, failure: SendFailure) -> Consequence:
        with self.database.transaction() as session:
            return report_fault(session, self.account_id, failure, self.clock.now(), self.rng)

    def success(self) -> Any:
        with self.database.transaction() as session:
            return report_success(session, self.account_id, self.clock.now())

    def tick(self) -> list[Any]:
        with self.database.transaction() as session:
            return [(resumed.account_id, resumed.why) for resumed in due_to_resume(session, self.clock.now())]

    def row(self) -> EmailAccount:
        with self.database.read() as session:
            found = session.get(EmailAccount, self.account_id)
            assert found is not None
            return found

    def events(self) -> list[tuple[str, Any]]:
        with self.database.read() as session:
            assert verify(session) == []
            return [(event.type, event.data) for event in session.exec(select(Event).order_by(col(Event.id)))]

    def fail_until_error(self, failure: SendFailure, most: int = 30) -> Consequence:
        for _ in range(most):
            outcome = self.fault(failure)
            if outcome.kind == "error":
                return outcome
            assert outcome.until is not None
            self.clock.set(outcome.until)
        raise AssertionError("never turned to error")


@pytest.fixture
def desk(database: Database, account_id: int, clock: ManualClock, rng: random.Random) -> Desk:
    return Desk(database, account_id, clock, rng)


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        (AUTH, "auth_failed"),
        (classify("auth", 534, "5.7.9 Application-specific password required"), "app_password_required"),
        (classify("mail", 553, "5.7.1 Sender address rejected: not owned by user"), "sender_refused"),
        (SendFailure("connection", "wrong name", permanent=True, error_code="tls_certificate_invalid"),
         "tls_certificate_invalid"),
        (SendFailure("connection", "no TLS", permanent=True, error_code="tls_mode_mismatch"), "tls_mode_mismatch"),
        (SendFailure("connection", "no such name", permanent=True, error_code="dns_failure"), "dns_failure"),
        (SendFailure("account", "blocked", permanent=True, error_code="blocked_by_policy"), "blocked_by_policy"),
        (SendFailure("account", "private", permanent=True, error_code="blocked_by_policy", cause="private_address"),
         "private_network_refused"),
    ],
)  # fmt: skip
def test_what_only_a_person_can_mend_turns_the_account_to_error_at_once(
    desk: Desk, failure: SendFailure, code: str
) -> None:
    before = desk.row()
    outcome = desk.fault(failure)
    after = desk.row()
    assert (outcome.kind, outcome.code) == ("error", code)
    assert (after.status, after.error_code, after.error_since) == ("error", code, desk.clock.now())
    assert after.error_message == failure.text
    assert after.error_message
    assert after.revision == before.revision + 1
    assert outcome.event is not None
    assert desk.events() == [("account.error", {"code": code, "message": failure.text})]


@pytest.mark.parametrize("failure", [
    classify("rcpt", 550, "5.1.1 User unknown"), classify("rcpt", 452, "4.2.2 Mailbox full"),
    classify("content", 554, "5.7.1 Message rejected as spam"),
])  # fmt: skip
def test_what_concerns_a_recipient_or_a_mail_leaves_the_account_alone(desk: Desk, failure: SendFailure) -> None:
    before = desk.row()
    assert desk.fault(failure) == Consequence("none")
    assert desk.row() == before


def test_a_used_up_quota_pauses_for_24_hours_and_ends_by_itself(desk: Desk) -> None:
    until = desk.clock.now() + timedelta(hours=24)
    assert desk.fault(QUOTA) == Consequence("paused", "quota_exceeded", until)
    assert (desk.row().status, desk.row().pause_reason, desk.row().paused_until) == ("paused", "quota", until)
    desk.clock.set(until - timedelta(seconds=1))
    assert desk.tick() == []
    desk.clock.set(until)
    assert desk.tick() == [(desk.account_id, "quota")]
    assert (desk.row().status, desk.row().pause_reason, desk.row().paused_until) == ("connected", "", None)
    assert desk.tick() == []


def test_a_second_quota_answer_does_not_lengthen_the_pause(desk: Desk) -> None:
    first = desk.fault(QUOTA)
    desk.clock.advance(timedelta(minutes=5))
    assert desk.fault(QUOTA) == first
    assert desk.row().paused_until == first.until


def test_back_off_grows_with_each_fault_and_has_jitter(desk: Desk) -> None:
    minutes = []
    for _ in range(8):
        outcome = desk.fault(TIMEOUT)
        assert (outcome.kind, outcome.code, outcome.event) == ("backoff", "timeout", None)
        assert outcome.until is not None
        minutes.append((outcome.until - desk.clock.now()) / timedelta(minutes=1))
        desk.clock.set(outcome.until)
    for spent, step in zip(minutes, [1, 2, 5, 15, 30, 60, 60, 60], strict=True):
        assert step <= spent <= step * 1.25
    assert len({spent % 1 for spent in minutes}) > 4
    assert (desk.row().status, desk.row().backoff_reason) == ("connected", "timeout")


def test_back_off_leaves_the_revision_alone(desk: Desk) -> None:
    before = desk.row().revision
    desk.fault(TIMEOUT)
    assert desk.row().revision == before


def test_the_faults_of_ten_connections_in_one_outage_count_once(desk: Desk) -> None:
    outcomes: list[Consequence] = []
    threads = [threading.Thread(target=lambda: outcomes.append(desk.fault(TIMEOUT))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert desk.row().backoff_step == 1
    assert {(outcome.kind, outcome.until) for outcome in outcomes} == {("backoff", desk.row().backoff_until)}


def test_the_server_may_ask_for_a_longer_wait_but_not_for_ever(desk: Desk) -> None:
    slow = SendFailure("account", "slow down", error_code="rate_limited", retry_after=3600)
    assert desk.fault(slow).until == desk.clock.now() + timedelta(hours=1)
    desk.clock.advance(timedelta(hours=1))
    outcome = desk.fault(SendFailure("account", "slow down", error_code="rate_limited", retry_after=1e9))
    assert outcome.until == desk.clock.now() + timedelta(hours=24)


def test_a_server_that_stays_away_becomes_an_error_after_hours_not_minutes(desk: Desk) -> None:
    start = desk.clock.now()
    outcome = desk.fail_until_error(TIMEOUT)
    assert outcome.code == "timeout"
    assert outcome.event is not None
    assert timedelta(hours=4) < desk.clock.now() - start < timedelta(hours=12)


@pytest.mark.parametrize("failure", [
    SendFailure("account", "slow down", error_code="rate_limited"), classify("mail", 421, "4.3.2 closing, come back"),
])  # fmt: skip
def test_a_server_that_asks_to_wait_is_waited_for_without_end(desk: Desk, failure: SendFailure) -> None:
    for _ in range(40):
        outcome = desk.fault(failure)
        assert outcome.kind == "backoff"
        assert outcome.until is not None
        desk.clock.set(outcome.until)


def test_a_success_forgets_the_back_off_and_writes_nothing_when_there_is_none(desk: Desk) -> None:
    untouched = desk.row()
    assert desk.success() is None
    assert desk.row() == untouched
    desk.fault(TIMEOUT)
    assert desk.success() is None
    row = desk.row()
    assert (row.backoff_step, row.backoff_until, row.backoff_reason) == (0, None, "")


def test_an_error_that_may_pass_is_tried_again_and_says_so_only_once(desk: Desk) -> None:
    outcome = desk.fail_until_error(TIMEOUT)
    since = desk.row().error_since
    assert outcome.until is not None
    assert outcome.until > desk.clock.now()
    assert desk.tick() == []
    desk.clock.set(outcome.until)
    assert desk.tick() == [(desk.account_id, "retry")]
    again = desk.fault(TIMEOUT)
    assert (again.kind, again.event) == ("error", None)
    assert desk.row().error_since == since
    assert again.until is not None
    desk.clock.set(again.until)
    assert desk.tick() == [(desk.account_id, "retry")]
    recovered = desk.success()
    assert (recovered.type, recovered.data) == ("account.recovered", {"code": "timeout"})
    assert [kind for kind, _ in desk.events()] == ["account.error", "account.recovered"]
    row = desk.row()
    assert (row.status, row.error_code, row.error_since, row.backoff_step) == ("connected", None, None, 0)
    assert desk.success() is None


def test_another_error_while_trying_again_is_a_new_one(desk: Desk) -> None:
    outcome = desk.fail_until_error(TIMEOUT)
    assert outcome.until is not None
    desk.clock.set(outcome.until)
    desk.tick()
    other = desk.fault(AUTH)
    assert other.event is not None
    assert desk.row().error_since == desk.clock.now()
    assert outcome.event is not None
    assert outcome.event.dedupe_key != other.event.dedupe_key


def test_a_wrong_password_is_never_tried_again_by_itself(desk: Desk) -> None:
    desk.fault(AUTH)
    desk.clock.advance(timedelta(days=30))
    assert desk.tick() == []
    assert desk.row().status == "error"


def test_the_answer_of_a_send_that_was_under_way_changes_neither_pause_nor_error_nor_a_removed_account(
    desk: Desk, people: People
) -> None:
    desk.fault(AUTH)
    assert desk.fault(TIMEOUT).code == "auth_failed"
    assert desk.success() is None
    assert desk.row().status == "error"
    with desk.database.transaction() as session:
        service.pause(session, people.workspace_id, desk.account_id, desk.clock.now())
    assert desk.fault(AUTH) == Consequence("paused")
    assert desk.fault(QUOTA) == Consequence("paused")
    with desk.database.transaction() as session:
        service.remove(session, people.workspace_id, desk.account_id, desk.clock.now(), release_queue=lambda *_: 0)
    removed = desk.row()
    assert desk.fault(AUTH) == Consequence("none")
    assert desk.success() is None
    assert desk.row() == removed


def test_only_accounts_that_are_due_come_back(database: Database, people: People, clock: ManualClock) -> None:
    now = clock.now()
    past, future = now - timedelta(seconds=1), now + timedelta(seconds=1)
    states: dict[str, dict[str, Any]] = {
        "due": {"status": "paused", "pause_reason": "quota", "paused_until": past},
        "not-yet": {"status": "paused", "pause_reason": "quota", "paused_until": future},
        "by-user": {"status": "paused", "pause_reason": "user", "paused_until": past},
        "retry": {"status": "error", "error_code": "dns_failure", "backoff_until": now},
        "lasting": {"status": "error", "error_code": "auth_failed", "backoff_until": past},
        "permanent-dns": {"status": "error", "error_code": "dns_failure", "backoff_until": future},
    }

    def make(session: Session, name: str, workspace_id: int) -> int:
        return make_account(session, workspace_id, f"{name}@rivage.example", now, **states[name])

    with database.transaction() as session:
        ids = {name: make(session, name, people.other_workspace_id if name == "retry" else people.workspace_id)
               for name in states}  # fmt: skip
    with database.transaction() as session:
        resumed = {(found.account_id, found.workspace_id, found.why) for found in due_to_resume(session, now)}
    assert resumed == {
        (ids["due"], people.workspace_id, "quota"), (ids["retry"], people.other_workspace_id, "retry")
    }  # fmt: skip
