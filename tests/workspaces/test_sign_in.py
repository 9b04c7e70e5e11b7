"""Passwords, tickets and sessions: what a thief, a guesser or a second tab might try."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import pytest

from fluenzr_app.clock import ManualClock
from fluenzr_app.crypto import KeyRing, token_hash
from fluenzr_app.db.engine import Database
from fluenzr_app.workspaces import passwords, sessions, throttle
from fluenzr_app.workspaces import service as workspaces
from fluenzr_app.workspaces.errors import SignInRefused, Throttled, TicketRefused, UnknownWorkspace
from fluenzr_app.workspaces.models import Membership, SignInTicket, User, UserSession
from tests.people import PASSWORD, People

NONCE = "nonce-of-this-browser"
MARK = timedelta(seconds=1)


@pytest.fixture
def sign_in(database: Database, keyring: KeyRing, clock: ManualClock, people: People):
    """Sign in as the owner from one address, unless told otherwise; gives the ticket."""

    def act(password: str = PASSWORD, *, email: str = "", ip: str = "203.0.113.7", nonce: str = NONCE, **more) -> str:
        return workspaces.sign_in(
            database, keyring, email=email or people.owner.email, password=password, ip=ip, nonce=nonce,
            now=clock.now(), **more,
        )  # fmt: skip

    return act


@pytest.fixture
def redeem(database: Database, clock: ManualClock):
    """Turn a ticket into a session."""

    def act(ticket: str, *, nonce: str = NONCE, **more) -> sessions.NewSession:
        with database.transaction() as session:
            return sessions.redeem_ticket(
                session, ticket=ticket, nonce=nonce, browser="Firefox", now=clock.now(), **more
            )

    return act


def who(database: Database, token: str, clock: ManualClock):
    with database.read() as session:
        return workspaces.session_of(session, token, clock.now())


def test_the_right_password_leads_to_a_session_of_that_person(sign_in, redeem, database, clock, people):
    begun = redeem(sign_in(email="CAMILLE@Rivage.example"))
    identity = who(database, begun.token, clock)
    expected = people.owner.user_id, people.workspace_id, "admin"
    assert (identity.user_id, identity.workspace_id, identity.role) == expected
    assert begun.expires_at == clock.now() + timedelta(days=30)
    with database.read() as session:
        stored = session.get(UserSession, identity.session_id)
        assert stored.token_hash == token_hash(begun.token)
        assert begun.token not in repr(stored.model_dump())


@pytest.mark.parametrize("email", ["camille@rivage.example", "nobody@rivage.example", "no address", "", "a" * 5_000])
def test_a_wrong_password_and_an_unknown_address_are_refused_alike(sign_in, email):
    with pytest.raises(SignInRefused) as refused:
        sign_in("wrong password indeed", email=email or " ")
    assert str(refused.value) == str(SignInRefused())


def test_an_unknown_user_costs_a_password_check_too(monkeypatch):
    checked = []

    def verify(_password: str, hashed: str) -> bool:
        checked.append(hashed)
        return False

    monkeypatch.setattr(passwords, "verify_password", verify)
    passwords.password_matches("whatever it is", None)
    passwords.password_matches("x" * 100_000, "$argon2id$some")
    assert len(checked) == 2
    assert all(hashed.startswith("$argon2id$") for hashed in checked)


def test_a_disabled_user_is_refused_and_thrown_out(sign_in, redeem, database, clock, people):
    token = redeem(sign_in()).token
    with database.transaction() as session:
        user = session.get(User, people.owner.user_id)
        user.disabled_at = clock.now()
        session.add(user)
    assert who(database, token, clock) is None
    with pytest.raises(SignInRefused):
        sign_in()


def test_a_ticket_works_once_within_a_minute_in_its_own_browser(sign_in, redeem, clock):
    ticket = sign_in()
    for wrong in (partial(redeem, ticket, nonce="another-browsers-nonce"), partial(redeem, ticket + "x")):
        with pytest.raises(TicketRefused):
            wrong()
    redeem(ticket)
    with pytest.raises(TicketRefused):
        redeem(ticket)
    late = sign_in()
    clock.advance(sessions.TICKET_LIFE)
    with pytest.raises(TicketRefused):
        redeem(late)


@pytest.mark.parametrize("nonce", ["", "short", "x" * 1000])
def test_a_ticket_is_never_bound_to_nothing(sign_in, nonce):
    with pytest.raises(TicketRefused):
        sign_in(nonce=nonce)


def test_of_two_requests_with_one_ticket_one_gets_a_session(sign_in, redeem):
    ticket = sign_in()

    def attempt(_: int) -> str:
        try:
            return redeem(ticket).token
        except TicketRefused:
            return ""

    with ThreadPoolExecutor(4) as threads:
        won = [token for token in threads.map(attempt, range(4)) if token]
    assert len(won) == 1


def test_signing_in_again_ends_the_session_that_the_browser_had(sign_in, redeem, database, clock):
    first = redeem(sign_in()).token
    second = redeem(sign_in(), replaces=first).token
    assert second != first
    assert who(database, first, clock) is None
    assert who(database, second, clock) is not None


def test_a_session_ends_by_itself_by_sign_out_and_with_the_membership(sign_in, redeem, database, clock, people):
    old = redeem(sign_in(), days=1).token
    clock.advance(timedelta(days=1))
    assert who(database, old, clock) is None
    token = redeem(sign_in()).token
    with database.transaction() as session:
        workspaces.sign_out(session, token, clock.now())
    assert who(database, token, clock) is None
    token = redeem(sign_in()).token
    with database.transaction() as session:
        session.delete(session.get(Membership, (people.workspace_id, people.owner.user_id)))
    assert who(database, token, clock) is None


@pytest.mark.parametrize("token", ["", "x", "x" * 43, "x" * 100_000, "' OR 1=1 --" * 3, "\0" * 43])
def test_no_token_of_one_s_own_making_is_a_session(database, clock, people, token):
    assert who(database, token, clock) is None


def test_a_role_changes_at_once(sign_in, redeem, database, clock, people):
    token = redeem(sign_in()).token
    with database.transaction() as session:
        row = session.get(Membership, (people.workspace_id, people.owner.user_id))
        row.role = "member"
        session.add(row)
    assert who(database, token, clock).role == "member"


def test_seen_is_noted_every_few_minutes_only(sign_in, redeem, database, clock, people):
    token = redeem(sign_in()).token

    def seen():
        with database.read() as session:
            return workspaces.list_sessions(session, people.owner.user_id, clock.now())[0].seen_at

    first = seen()
    clock.advance(sessions.SEEN_EVERY - MARK)
    workspaces.who_is(database, token, clock.now())
    assert seen() == first
    clock.advance(MARK)
    workspaces.who_is(database, token, clock.now())
    assert seen() == clock.now()


def test_only_one_s_own_sessions_are_listed_and_ended(sign_in, redeem, database, clock, people):
    mine = redeem(sign_in()).token
    theirs = redeem(sign_in(email=people.stranger.email)).token
    with database.transaction() as session:
        rows = workspaces.list_sessions(session, people.stranger.user_id, clock.now())
        workspaces.revoke_session(session, people.owner.user_id, rows[0].session_id, clock.now())
    assert who(database, theirs, clock) is not None
    with database.transaction() as session:
        workspaces.sign_out_everywhere(session, people.owner.user_id, clock.now())
    assert who(database, mine, clock) is None
    assert who(database, theirs, clock) is not None


def test_one_cannot_switch_to_a_workspace_one_is_not_in(sign_in, redeem, database, clock, people):
    identity = who(database, redeem(sign_in()).token, clock)
    with database.transaction() as session, pytest.raises(UnknownWorkspace):
        workspaces.switch_workspace(session, identity, people.other_workspace_id, clock.now())


def test_guesses_at_an_account_are_slowed_down_more_and_more_but_never_for_ever(sign_in, clock):
    for _ in range(5):
        with pytest.raises(SignInRefused):
            sign_in("wrong password indeed")
    blocks = []
    for _ in range(8):
        with pytest.raises(Throttled) as throttled:
            sign_in(ip="198.51.100.9")
        blocks.append(throttled.value.until - clock.now())
        clock.advance(blocks[-1])
        with pytest.raises(SignInRefused):
            sign_in("wrong password indeed")
    assert blocks[0] == throttle.FIRST_BLOCK
    assert blocks[1] == 2 * throttle.FIRST_BLOCK
    assert blocks[-1] == throttle.LONGEST_BLOCK
    clock.advance(throttle.LONGEST_BLOCK)
    assert sign_in()
    # The right password has wiped the account's count.
    with pytest.raises(SignInRefused):
        sign_in("wrong password indeed")
    assert sign_in()


def test_hammering_while_blocked_does_not_make_the_block_longer(sign_in, clock):
    for _ in range(5):
        with pytest.raises(SignInRefused):
            sign_in("wrong password indeed")
    for _ in range(20):
        with pytest.raises(Throttled):
            sign_in("wrong password indeed")
    clock.advance(throttle.FIRST_BLOCK)
    assert sign_in()


def test_the_block_survives_a_restart(sign_in, database_url, keyring, clock, people):
    for _ in range(5):
        with pytest.raises(SignInRefused):
            sign_in("wrong password indeed")
    reopened = Database.open(database_url)
    try:
        with pytest.raises(Throttled):
            workspaces.sign_in(
                reopened, keyring, email=people.owner.email, password=PASSWORD, ip="198.51.100.9", nonce=NONCE,
                now=clock.now(),
            )  # fmt: skip
    finally:
        reopened.close()


def test_an_address_that_guesses_at_many_accounts_is_blocked_and_others_are_not(sign_in):
    for number in range(20):
        with pytest.raises(SignInRefused):
            sign_in("wrong password indeed", email=f"user{number}@rivage.example")
    with pytest.raises(Throttled):
        sign_in()
    assert sign_in(ip="198.51.100.9")


def test_an_address_does_not_wipe_its_count_with_a_password_of_its_own(sign_in, people):
    for number in range(19):
        with pytest.raises(SignInRefused):
            sign_in("wrong password indeed", email=f"user{number}@rivage.example")
        sign_in(email=people.stranger.email)
    with pytest.raises(SignInRefused):
        sign_in("wrong password indeed", email="user20@rivage.example")
    with pytest.raises(Throttled):
        sign_in()


def test_many_guesses_at_once_are_counted_as_many(sign_in):
    def guess(_: int) -> str:
        try:
            sign_in("wrong password indeed")
        except (SignInRefused, Throttled) as error:
            return type(error).__name__
        return "in"

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(guess, range(16)))
    assert outcomes.count("SignInRefused") == 5
    assert outcomes.count("Throttled") == 11


def test_nobody_is_locked_out_of_a_browser_they_used_before(sign_in, redeem, keyring, people):
    mark = workspaces.browser_mark(keyring, people.owner.user_id)
    for _ in range(5):
        with pytest.raises(SignInRefused):
            sign_in("wrong password indeed")
    with pytest.raises(Throttled):
        sign_in(ip="198.51.100.9")
    assert sign_in(ip="198.51.100.9", known_browser=mark)
    for no_mark in ("invented", workspaces.browser_mark(keyring, people.stranger.user_id)):
        with pytest.raises(Throttled):
            sign_in(ip="198.51.100.9", known_browser=no_mark)


def test_a_known_browser_is_slowed_down_as_well(sign_in, keyring, people):
    mark = workspaces.browser_mark(keyring, people.owner.user_id)
    for _ in range(5):
        with pytest.raises(SignInRefused):
            sign_in("wrong password indeed", known_browser=mark)
    with pytest.raises(Throttled):
        sign_in(known_browser=mark)
    assert sign_in(ip="198.51.100.9")


def test_counts_of_ipv6_hold_for_the_whole_network_and_say_nothing_of_the_address(keyring):
    one, other = throttle.by_address(keyring, "2001:db8::1"), throttle.by_address(keyring, "2001:db8::ffff")
    assert one == other
    assert one != throttle.by_address(keyring, "2001:db8:0:1::1")
    assert throttle.by_address(keyring, "::ffff:192.0.2.1") == throttle.by_address(keyring, "192.0.2.1")
    assert "2001" not in one.key


def test_what_has_run_out_is_forgotten(sign_in, redeem, database, clock, people):
    redeem(sign_in(), days=1)
    with pytest.raises(SignInRefused):
        sign_in("wrong password indeed")
    clock.advance(timedelta(days=40))
    with database.transaction() as session:
        assert workspaces.forget_old(session, clock.now()) >= 3
        assert session.get(SignInTicket, "x") is None
        assert workspaces.forget_old(session, clock.now()) == 0
