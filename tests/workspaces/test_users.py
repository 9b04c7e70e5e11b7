"""The first owner, further users, passwords and workspaces."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from fluenzr_app.bundle import ROOT
from fluenzr_app.crypto import verify_password
from fluenzr_app.workspaces import service as workspaces
from fluenzr_app.workspaces.errors import (
    BadUserAddress,
    EmailTaken,
    NameMissing,
    NotAllowed,
    PasswordRefused,
    SetupRefused,
    SignInRefused,
    Throttled,
    UnknownUser,
    WorkspaceWanted,
)
from fluenzr_app.workspaces.models import User
from fluenzr_app.workspaces.users import SETUP_LIFE
from tests.people import PASSWORD

OWNER = {
    "email": "Lou@Verger.example", "password": "a long enough phrase", "first_name": " Lou ", "last_name": "Petit",
    "workspace_name": "Le Verger", "language": "fr",
}  # fmt: skip


@pytest.fixture
def link(database, clock):
    with database.transaction() as session:
        return workspaces.setup_link(session, clock.now())


def redeem(database, keyring, clock, token, **changes):
    with database.transaction() as session:
        return workspaces.redeem_setup(session, keyring, token=token, now=clock.now(), **OWNER | changes)


def test_a_password_is_kept_under_argon2id_at_its_full_cost():
    # In a process of its own: in this one hashes are cheap.
    asked = "from fluenzr_app.crypto import hash_password; print(hash_password('a whole sentence'))"
    done = subprocess.run([sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_the_first_link_makes_the_owner_of_a_workspace_with_a_key_of_its_own(database, keyring, clock, link):
    owner = redeem(database, keyring, clock, link)
    assert (owner.role, owner.email, owner.name) == ("admin", "Lou@verger.example", "Lou Petit")
    with database.read() as session:
        assert len(workspaces.suppression_key(session, keyring, owner.workspace_id)) == 32
        stored = session.get(User, owner.user_id).password_hash
    assert stored.startswith("$argon2id$")
    assert verify_password(OWNER["password"], stored)


def test_the_link_dies_with_its_use_and_no_other_is_given(database, keyring, clock, link):
    redeem(database, keyring, clock, link)
    with pytest.raises(SetupRefused):
        redeem(database, keyring, clock, link, email="second@verger.example")
    with database.transaction() as session:
        assert workspaces.setup_link(session, clock.now()) is None
        assert not workspaces.setup_link_valid(session, link, clock.now())


def test_the_link_dies_when_an_owner_is_made_by_command_or_with_time_or_by_a_newer_one(database, keyring, clock, link):
    with database.transaction() as session:
        newer = workspaces.setup_link(session, clock.now())
    with pytest.raises(SetupRefused):
        redeem(database, keyring, clock, link)
    clock.advance(SETUP_LIFE)
    with pytest.raises(SetupRefused):
        redeem(database, keyring, clock, newer)
    with database.transaction() as session:
        newest = workspaces.setup_link(session, clock.now())
    with database.transaction() as session:
        workspaces.add_user(
            session, keyring, email="a@verger.example", password="a long enough phrase", now=clock.now()
        )
    with pytest.raises(SetupRefused):
        redeem(database, keyring, clock, newest)


def test_of_two_that_use_the_link_at_once_one_becomes_the_owner(database, keyring, clock, link):
    def attempt(number: int) -> bool:
        try:
            redeem(database, keyring, clock, link, email=f"o{number}@verger.example")
        except SetupRefused:
            return False
        return True

    with ThreadPoolExecutor(3) as threads:
        assert sorted(threads.map(attempt, range(3))) == [False, False, True]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"password": "elevenchars"}, PasswordRefused),
        ({"password": "x" * 1025}, PasswordRefused),
        ({"password": "aaaaaaaaaaaaaaaa"}, PasswordRefused),
        ({"password": "lou@verger.example"}, PasswordRefused),
        ({"email": "nobody"}, BadUserAddress),
        ({"workspace_name": "  "}, NameMissing),
    ],
)
def test_a_wrong_form_leaves_the_link_good(database, keyring, clock, link, changes, error):
    with pytest.raises(error):
        redeem(database, keyring, clock, link, **changes)
    with database.read() as session:
        assert workspaces.setup_link_valid(session, link, clock.now())
    assert redeem(database, keyring, clock, link)


def test_users_are_added_to_the_only_workspace_or_to_a_named_one(database, keyring, clock):
    with database.transaction() as session:
        first = workspaces.add_user(
            session, keyring, email="a@verger.example", password="a long enough phrase", now=clock.now()
        )
        second = workspaces.add_user(
            session, keyring, email="b@verger.example", password="a long enough phrase", now=clock.now()
        )
        assert (first.role, second.role, second.workspace_id) == ("admin", "member", first.workspace_id)
        other = workspaces.create_workspace(session, keyring, name="Autre", now=clock.now())
        with pytest.raises(WorkspaceWanted):
            workspaces.add_user(
                session, keyring, email="c@verger.example", password="a long enough phrase", now=clock.now()
            )
        third = workspaces.add_user(
            session, keyring, email="c@verger.example", password="a long enough phrase", now=clock.now(),
            workspace_id=other, role="admin",
        )  # fmt: skip
        assert [choice.name for choice in workspaces.workspaces_of(session, third.user_id)] == ["Autre"]


def test_an_address_belongs_to_one_user(database, keyring, clock, people):
    with database.transaction() as session, pytest.raises(EmailTaken):
        workspaces.add_user(
            session, keyring, email="CAMILLE@rivage.example", password="a long enough phrase", now=clock.now(),
            workspace_id=people.other_workspace_id,
        )  # fmt: skip


def test_every_workspace_has_another_suppression_key(database, keyring, clock):
    with database.transaction() as session:
        keys = {
            workspaces.suppression_key(
                session, keyring, workspaces.create_workspace(session, keyring, name=name, now=clock.now())
            )
            for name in ("A", "B")
        }
    assert len(keys) == 2


def test_a_new_password_ends_all_sessions_but_one_s_own(database, keyring, clock, people):
    def begin() -> str:
        nonce = "nonce-of-this-browser"
        with database.transaction() as session:
            ticket = workspaces.issue_ticket(
                session, user_id=people.owner.user_id, workspace_id=people.workspace_id, nonce=nonce, now=clock.now()
            )
            return workspaces.redeem_ticket(session, ticket=ticket, nonce=nonce, browser="", now=clock.now()).token

    def alive(token: str) -> bool:
        return workspaces.who_is(database, token, clock.now()) is not None

    mine, other = begin(), begin()
    identity = workspaces.who_is(database, mine, clock.now())
    assert identity is not None
    change = partial(workspaces.change_password, database, keyring, identity, now=clock.now())
    with pytest.raises(SignInRefused):
        change(current="wrong", new="another long phrase")
    assert alive(other)
    change(current=PASSWORD, new="another long phrase")
    assert (alive(mine), alive(other)) == (True, False)
    with database.transaction() as session:
        user_id = workspaces.find_user(session, "Camille@Rivage.example")
        workspaces.set_password(session, user_id, workspaces.generate_password(), clock.now())
    assert not alive(mine)
    with database.read() as session, pytest.raises(UnknownUser):
        workspaces.find_user(session, "nobody@rivage.example")


def test_guessing_the_present_password_in_a_session_somebody_left_open_is_slowed_down(database, keyring, clock, people):
    change = partial(workspaces.change_password, database, keyring, people.owner.identity)
    with pytest.raises(PasswordRefused):
        change(current=PASSWORD, new="short", now=clock.now())
    for _ in range(5):
        with pytest.raises(SignInRefused):
            change(current="guess", new="another long phrase", now=clock.now())
    with pytest.raises(Throttled) as blocked:
        change(current=PASSWORD, new="another long phrase", now=clock.now())
    assert blocked.value.until == clock.now() + timedelta(seconds=15)
    clock.advance(timedelta(seconds=16))
    change(current=PASSWORD, new="another long phrase", now=clock.now())
    with pytest.raises(SignInRefused):
        change(current=PASSWORD, new="one more long phrase", now=clock.now())


def test_only_an_admin_passes_where_an_admin_is_asked(people):
    workspaces.require_admin(workspaces.Identity(1, 1, "admin", "", "", "fr"))
    with pytest.raises(NotAllowed):
        workspaces.require_admin(workspaces.Identity(1, 1, "member", "", "", "fr"))


def test_a_workspace_is_changed_in_what_is_given(database, clock, people):
    with database.transaction() as session:
        row = workspaces.update_workspace(session, people.workspace_id, timezone="Europe/Lisbon", name=" Rivage  2 ")
        assert (row.timezone, row.name, row.language) == ("Europe/Lisbon", "Rivage 2", "fr")
        wrong_ones: tuple[dict[str, Any], ...] = ({"timezone": "Mars"}, {"language": "xx"})
        for wrong in wrong_ones:
            with pytest.raises(ValueError, match="unknown"):
                workspaces.update_workspace(session, people.workspace_id, **wrong)
