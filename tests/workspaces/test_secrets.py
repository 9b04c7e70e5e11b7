"""Sealed values, keys of the API and stored answers."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from fluenzr_app.crypto import CannotOpen, KeyRing
from fluenzr_app.workspaces import api_keys, idempotency, secrets
from fluenzr_app.workspaces.errors import (
    IdempotencyConflict,
    IdempotencyInProgress,
    KeyRefused,
    NameMissing,
    SecretMissing,
    UnknownKey,
    UnknownWorkspace,
)
from fluenzr_app.workspaces.idempotency import StoredAnswer

NEW = KeyRing(b"the key after the rotation, 32 b.")


def test_a_secret_is_sealed_replaced_and_deleted(database, keyring, clock, people):
    with database.transaction() as session:
        kept = secrets.store_secret(session, keyring, people.workspace_id, "smtp_password", b"hunter2", clock.now())
    with database.transaction() as session:
        stored = bytes(session.execute(text("SELECT sealed FROM secret WHERE id = :id"), {"id": kept}).scalar_one())
        assert b"hunter2" not in stored
        assert secrets.read_secret(session, keyring, kept) == b"hunter2"
        secrets.replace_secret(session, keyring, kept, b"hunter3", clock.now())
        assert secrets.read_secret(session, keyring, kept) == b"hunter3"
        secrets.delete_secret(session, kept)
        session.expunge_all()
        with pytest.raises(SecretMissing):
            secrets.read_secret(session, keyring, kept)
        with pytest.raises(UnknownWorkspace):
            secrets.suppression_key(session, keyring, 99)


@pytest.mark.parametrize("column", ["id = 'other'", "kind = 'imap_password'", "workspace_id = 2"])
def test_a_secret_moved_to_another_row_workspace_or_kind_does_not_open(database, keyring, clock, people, column):
    with database.transaction() as session:
        kept = secrets.store_secret(session, keyring, people.workspace_id, "smtp_password", b"hunter2", clock.now())
    with database.transaction() as session:
        session.execute(text(f"UPDATE secret SET {column} WHERE id = :id"), {"id": kept})
    with database.read() as session, pytest.raises(CannotOpen):
        secrets.read_secret(session, keyring, "other" if column.startswith("id") else kept)


def test_rotation_seals_everything_anew_and_keeps_the_key_of_old_links(database, keyring, clock, people):
    with database.transaction() as session:
        kept = secrets.store_secret(session, keyring, people.workspace_id, "smtp_password", b"hunter2", clock.now())
        before = secrets.suppression_key(session, keyring, people.workspace_id)
        key = api_keys.create_key(
            session, people.workspace_id, name="x", permission="all", created_by=None, now=clock.now()
        )
        idempotency.claim(session, keyring, key.key_id, "k", "print", clock.now())
        idempotency.store(session, keyring, key.key_id, "k", StoredAnswer(201, "{}"), clock.now())
    with database.transaction() as session:
        assert secrets.reseal_all(session, keyring, NEW, clock.now()) == 7
    with database.transaction() as session:
        assert secrets.read_secret(session, NEW, kept) == b"hunter2"
        # Not rotated, only sealed anew: the suppression list's hashes must stay true.
        assert secrets.suppression_key(session, NEW, people.workspace_id) == before
        for purpose in ("unsubscribe", "open", "click"):
            assert secrets.retired_link_keys(session, NEW, purpose) == [keyring.derive(purpose)]
        assert idempotency.claim(session, NEW, key.key_id, "k", "print", clock.now()) == StoredAnswer(201, "{}")
        with pytest.raises(CannotOpen):
            secrets.read_secret(session, keyring, kept)


def test_rotation_with_the_wrong_key_changes_nothing(database, keyring, clock, people):
    with pytest.raises(CannotOpen), database.transaction() as session:
        secrets.reseal_all(session, KeyRing(b"not the key that sealed it, 32 b."), NEW, clock.now())
    with database.read() as session:
        assert secrets.suppression_key(session, keyring, people.workspace_id)


def make(session, people, clock, **changes):
    values = {"name": "Zapier", "permission": "all", "created_by": people.owner.user_id, "now": clock.now()}
    return api_keys.create_key(session, people.workspace_id, **values | changes)


def test_a_key_is_shown_once_and_kept_as_a_hash(database, clock, people):
    with database.transaction() as session:
        made = make(session, people, clock, permission="read")
        assert len(made.secret) == len("flz_sk_") + 32
        identity = api_keys.key_of(session, made.secret, clock.now())
        assert (identity.workspace_id, identity.may_write, identity.stale) == (people.workspace_id, False, True)
        (row,) = api_keys.list_keys(session, people.workspace_id)
        assert row.hint == made.secret[-4:]
        stored = session.execute(text("SELECT * FROM api_key")).one()
        assert made.secret not in repr(stored)


@pytest.mark.parametrize(
    ("bearer", "reason"),
    [("", "missing"), ("flz_sk", "malformed"), (f"flz_sk_{'ü' * 32}", "malformed"), (f"flz_sk_{'a' * 32}", "unknown")],
)
def test_a_key_that_is_none_is_refused_with_a_reason_for_the_log(database, clock, people, bearer, reason):
    with database.read() as session, pytest.raises(KeyRefused) as refused:
        api_keys.key_of(session, bearer, clock.now())
    assert refused.value.reason == reason
    assert str(refused.value) == "Invalid or missing API key"


def test_a_key_is_revoked_at_once_and_only_by_its_own_workspace(database, clock, people):
    with database.transaction() as session:
        made = make(session, people, clock)
        with pytest.raises(UnknownKey):
            api_keys.revoke_key(session, people.other_workspace_id, made.key_id, clock.now())
        assert api_keys.key_of(session, made.secret, clock.now()).key_id == made.key_id
        revoked = api_keys.revoke_key(session, people.workspace_id, made.key_id, clock.now())
        assert revoked.revoked_at == clock.now()
        with pytest.raises(KeyRefused):
            api_keys.key_of(session, made.secret, clock.now())
        assert api_keys.list_keys(session, people.workspace_id) == []
        clock.advance(timedelta(minutes=1))
        assert api_keys.revoke_key(session, people.workspace_id, made.key_id, clock.now()) == revoked


def test_a_key_has_a_name_and_one_of_two_permissions(database, clock, people):
    with database.transaction() as session:
        with pytest.raises(NameMissing):
            make(session, people, clock, name=" ")
        with pytest.raises(ValueError, match="permission"):
            make(session, people, clock, permission="everything")


def test_a_claimed_answer_is_in_progress_then_kept_then_forgotten(database, keyring, clock, people):
    with database.transaction() as session:
        key = make(session, people, clock).key_id

    def claim(print_: str = "a", name: str = "k"):
        with database.transaction() as session:
            return idempotency.claim(session, keyring, key, name, print_, clock.now())

    assert claim() is None
    with pytest.raises(IdempotencyInProgress):
        claim()
    with database.transaction() as session:
        idempotency.store(session, keyring, key, "k", StoredAnswer(201, '{"name":"Zoé"}'), clock.now())
    assert claim() == StoredAnswer(201, '{"name":"Zoé"}')
    with pytest.raises(IdempotencyConflict):
        claim("b")
    clock.advance(idempotency.KEEP)
    assert claim("b") is None
    with database.transaction() as session:
        idempotency.release(session, key, "k")
    assert claim("c") is None
    # The process died: its claim runs out by itself.
    clock.advance(idempotency.CLAIM_LIFE)
    assert claim("c") is None


def test_one_request_is_told_from_another_by_method_path_and_body(keyring):
    prints = {
        idempotency.fingerprint(keyring, *request)
        for request in [("POST", "/a", b""), ("PUT", "/a", b""), ("POST", "/b", b""), ("POST", "/a", b"x")]
    }
    assert len(prints) == 4
    assert idempotency.fingerprint(keyring, "post", "/a", b"") in prints
    # A stolen database must not be good for guessing at the passwords in bodies.
    assert idempotency.fingerprint(NEW, "POST", "/a", b"") not in prints


def test_of_many_requests_under_one_key_one_does_the_work_and_the_others_repeat_its_answer(
    database, keyring, clock, people
):
    with database.transaction() as session:
        key = make(session, people, clock).key_id
    done = []

    def request(number: int) -> StoredAnswer:
        with database.transaction() as session:
            before = idempotency.claim(session, keyring, key, "once", "print", clock.now())
            if before is not None:
                return before
            done.append(number)
            answer = StoredAnswer(201, f'{{"by":{number}}}')
            idempotency.store(session, keyring, key, "once", answer, clock.now())
            return answer

    with ThreadPoolExecutor(6) as threads:
        answers = set(threads.map(request, range(6)))
    assert len(done) == len(answers) == 1
