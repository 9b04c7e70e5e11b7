"""Whoever said no is never written to again, whatever became of their contact since."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from sqlmodel import col, select

from fluenzr_app.contacts import service as contacts
from fluenzr_app.contacts.models import Contact, Suppression
from fluenzr_app.crypto import KeyRing
from fluenzr_app.events.figures import totals
from fluenzr_app.events.models import Event
from fluenzr_app.tracking import unsubscribe
from fluenzr_app.tracking.errors import BadLink
from fluenzr_app.tracking.unsubscribe import UnsubscribeLink
from fluenzr_app.workspaces import secrets
from tests.people import make_contact

NEW = KeyRing(b"the key after the rotation, 32 b.")


@pytest.fixture
def link(database, keyring, clock, people) -> UnsubscribeLink:
    with database.transaction() as session:
        contact = make_contact(session, keyring, people.workspace_id, "lea@atelier.example", clock.now())
        row = session.get(Contact, contact)
        return UnsubscribeLink(people.workspace_id, contact, bytes(row.email_hash), 5_000_000, 11, 12, 13)


class Ends:
    """Notes for whom enrollments were to end."""

    def __init__(self) -> None:
        self.called: list[tuple[int, int]] = []

    def __call__(self, _session, workspace_id, contact_id, _now) -> None:
        self.called.append((workspace_id, contact_id))


def apply(database, keyring, clock, token, ends=None, how="page") -> bool:
    with database.transaction() as session:
        return unsubscribe.apply(session, keyring, token, clock.now(), how, ends or Ends())


def status(database, contact_id: int) -> str:
    with database.read() as session:
        return session.exec(select(Contact.status).where(col(Contact.id) == contact_id)).one()


def test_a_link_carries_what_it_was_made_of_and_nothing_readable(database, keyring, link):
    token = unsubscribe.make_token(keyring, link)
    with database.read() as session:
        assert unsubscribe.read_token(session, keyring, token) == link
    assert "atelier" not in token
    assert len(token) < 120
    assert token.replace("-", "").replace("_", "").isalnum()
    assert unsubscribe.unsubscribe_url(keyring, "https://x.example", link) == f"https://x.example/u/{token}"


@pytest.mark.parametrize("number", [0, 1, 127, 128, 2**31, 2**62])
def test_keys_of_any_size_fit(database, keyring, number):
    link = UnsubscribeLink(1, number, b"h" * 32, number, number, number, number)
    with database.read() as session:
        assert unsubscribe.read_token(session, keyring, unsubscribe.make_token(keyring, link)) == link
    with pytest.raises(ValueError, match="32"):
        unsubscribe.make_token(keyring, UnsubscribeLink(1, 1, b"short"))


def test_no_other_text_is_a_link(database, keyring, link):
    token = unsubscribe.make_token(keyring, link)
    swapped = [
        token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :] for place in range(len(token))
    ]
    for wrong in ["", "x", token[:-1], token + "A", token + "=", token.upper(), "é" * 60, "A" * 10_000, *swapped]:
        with database.read() as session, pytest.raises(BadLink):
            unsubscribe.read_token(session, keyring, wrong)
    other = keyring.sign("another purpose", b"\x01" * 60)
    with database.read() as session, pytest.raises(BadLink):
        unsubscribe.read_token(session, keyring, other)
    for payload in (b"", b"\x01", b"\x02" + b"\x01" * 60, b"\x01" + b"\xff" * 60, b"\x01" * 200):
        with database.read() as session, pytest.raises(BadLink):
            unsubscribe.read_token(session, keyring, keyring.sign("unsubscribe", payload))


def test_everything_changes_together_once(database, keyring, clock, people, link):
    token, ends = unsubscribe.make_token(keyring, link), Ends()
    assert apply(database, keyring, clock, token, ends) is True
    assert apply(database, keyring, clock, token, ends) is False
    assert status(database, link.contact_id) == "unsubscribed"
    # Told each time: whoever was enrolled again by mistake is stopped by the second click.
    assert ends.called == [(people.workspace_id, link.contact_id)] * 2
    with database.read() as session:
        (row,) = session.exec(select(Suppression)).all()
        assert (row.kind, bytes(row.hash), row.reason) == ("email", link.email_hash, "unsubscribe")
        (event,) = session.exec(select(Event)).all()
        assert (event.type, event.contact_id, event.campaign_id, event.data) == (
            "email.unsubscribed", link.contact_id, 11, {"how": "page"},
        )  # fmt: skip
        for scope, key in (("workspace", people.workspace_id), ("campaign", 11), ("account", 12), ("node", 13)):
            found = totals(session, people.workspace_id, scope, key, ["email.unsubscribed"])
            assert found == {"email.unsubscribed": 1}


def test_nothing_is_left_half_done_when_something_fails(database, keyring, clock, link):
    def fails(*_arguments) -> None:
        raise RuntimeError("the campaigns room failed")

    with pytest.raises(RuntimeError):
        apply(database, keyring, clock, unsubscribe.make_token(keyring, link), fails)
    assert status(database, link.contact_id) == "active"
    with database.read() as session:
        assert session.exec(select(Suppression)).all() == []
        assert session.exec(select(Event)).all() == []


def test_it_works_after_the_contact_was_deleted_and_binds_a_new_one(database, keyring, clock, people, link):
    token = unsubscribe.make_token(keyring, link)
    with database.transaction() as session:
        contacts.delete_contacts(session, people.workspace_id, [link.contact_id], clock.now())
    ends = Ends()
    assert apply(database, keyring, clock, token, ends) is True
    assert ends.called == []
    with database.transaction() as session:
        card = contacts.create_contact(
            session, keyring, people.workspace_id, {"email": "LEA@Atelier.example"}, clock.now()
        )
    assert card.contact.status == "unsubscribed"


def test_it_finds_the_contact_that_was_imported_again_under_another_key(database, keyring, clock, people, link):
    token = unsubscribe.make_token(keyring, link)
    with database.transaction() as session:
        contacts.delete_contacts(session, people.workspace_id, [link.contact_id], clock.now())
        again = make_contact(session, keyring, people.workspace_id, "lea@atelier.example", clock.now())
    ends = Ends()
    assert apply(database, keyring, clock, token, ends) is True
    assert ends.called == [(people.workspace_id, again)]
    assert status(database, again) == "unsubscribed"


def test_it_binds_the_person_under_the_old_and_the_new_address(database, keyring, clock, people, link):
    token = unsubscribe.make_token(keyring, link)
    with database.transaction() as session:
        contacts.update_contact(
            session, keyring, people.workspace_id, link.contact_id, {"email": "lea@new.example"}, clock.now()
        )
        taken_over = make_contact(session, keyring, people.workspace_id, "lea@atelier.example", clock.now())
    assert apply(database, keyring, clock, token) is True
    assert status(database, link.contact_id) == "unsubscribed"
    assert status(database, taken_over) == "unsubscribed"
    with database.read() as session:
        assert len(session.exec(select(Suppression)).all()) == 2


def test_nobody_of_another_workspace_is_touched(database, keyring, clock, people, link):
    with database.transaction() as session:
        theirs = make_contact(session, keyring, people.other_workspace_id, "lea@atelier.example", clock.now())
    assert apply(database, keyring, clock, unsubscribe.make_token(keyring, link)) is True
    assert status(database, theirs) == "active"
    foreign = UnsubscribeLink(people.other_workspace_id, link.contact_id, b"x" * 32)
    with database.transaction() as session:
        session.execute(text("UPDATE contact SET status = 'active' WHERE id = :id"), {"id": link.contact_id})
    assert apply(database, keyring, clock, unsubscribe.make_token(keyring, foreign)) is True
    assert status(database, link.contact_id) == "active"


def test_a_link_into_a_workspace_that_is_gone_is_no_link(database, keyring, clock, people):
    token = unsubscribe.make_token(keyring, UnsubscribeLink(99, 1, b"x" * 32))
    with pytest.raises(BadLink):
        apply(database, keyring, clock, token)


def test_a_link_works_for_ever_also_when_the_key_was_rotated_twice(database, keyring, clock, link):
    token = unsubscribe.make_token(keyring, link)
    newer = KeyRing(b"the key after the second rotation")
    with database.transaction() as session:
        secrets.reseal_all(session, keyring, NEW, clock.now())
    with database.transaction() as session:
        secrets.reseal_all(session, NEW, newer, clock.now())
    assert apply(database, newer, clock, token) is True
    assert apply(database, newer, clock, unsubscribe.make_token(NEW, link)) is False
    with pytest.raises(BadLink):
        apply(database, newer, clock, unsubscribe.make_token(KeyRing(b"of somebody else, 32 bytes long."), link))


def test_many_clicks_at_once_count_once(database, keyring, clock, people, link):
    token = unsubscribe.make_token(keyring, link)

    def click(_: int) -> bool:
        return database.transact(
            lambda session: unsubscribe.apply(session, keyring, token, clock.now(), "one_click", Ends())
        )

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(click, range(6))) == [False] * 5 + [True]
    with database.read() as session:
        found = totals(session, people.workspace_id, "campaign", 11, ["email.unsubscribed"])
    assert found == {"email.unsubscribed": 1}


def test_the_page_speaks_for_the_workspace_in_the_recipient_s_language(database, keyring, clock, link):
    with database.transaction() as session:
        row = session.get(Contact, link.contact_id)
        row.language = "en"
        session.add(row)
    with database.read() as session:
        found = unsubscribe.recipient_of(session, link)
    assert (found.workspace_name, found.language, found.done) == ("Atelier Rivage", "en", False)
    apply(database, keyring, clock, unsubscribe.make_token(keyring, link))
    with database.read() as session:
        assert unsubscribe.recipient_of(session, link).done
