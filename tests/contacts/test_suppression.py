"""The suppression list: what it holds, what it does, and that it outlives the contact."""

import pytest
from sqlmodel import col, select

from fluenzr_app.clock import ManualClock
from fluenzr_app.contacts import suppression
from fluenzr_app.contacts.errors import InvalidValue, SuppressionNotFound
from fluenzr_app.contacts.models import Contact, Suppression
from fluenzr_app.contacts.service import create_contact, delete_contacts, get_contact, update_contact
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from tests.people import People


def _contact(database: Database, people: People, keyring: KeyRing, clock: ManualClock, email: str) -> int:
    with database.transaction() as session:
        return create_contact(session, keyring, people.workspace_id, {"email": email}, clock.now()).contact.id or 0


@pytest.mark.parametrize(
    ("reason", "status"),
    [("unsubscribe", "unsubscribed"), ("hard_bounce", "bounced"), ("complaint", "unsubscribed"), ("manual", "blocked")],
)
def test_the_contact_of_a_suppressed_address_takes_the_status_of_the_reason(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock, reason: suppression.Reason, status: str
) -> None:
    contact_id = _contact(database, people, keyring, clock, "Ana@x.example")
    with database.transaction() as session:
        assert suppression.suppress_contact(session, people.workspace_id, contact_id, reason, clock.now())
        assert not suppression.suppress_contact(session, people.workspace_id, contact_id, "manual", clock.now())
        assert get_contact(session, people.workspace_id, contact_id).contact.status == status
        assert suppression.check(session, keyring, people.workspace_id, "ana@X.example") == reason


def test_a_domain_covers_all_its_addresses_and_no_other(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock
) -> None:
    ws = people.workspace_id
    inside = [_contact(database, people, keyring, clock, f"{n}@bücher.example") for n in "ab"]
    outside = _contact(database, people, keyring, clock, "a@other.example")
    with database.transaction() as session:
        added = suppression.add(session, keyring, ws, ["@Bücher.example", "no domain"], "manual", clock.now())
        assert (added.added, added.known, added.refused) == (1, 0, ("no domain",))
        assert suppression.suppressed_contacts(session, ws, [*inside, outside]) == set(inside)
        hasher = suppression.hasher_of(session, keyring, ws)
        keys = ["new@xn--bcher-kva.example", "x@other.example"]
        assert suppression.is_suppressed(session, hasher, ws, keys) == {keys[0]: "manual"}
        statement = select(col(Contact.id)).where(suppression.is_suppressed_clause())
        assert set(session.exec(statement)) == set(inside)
    with database.read() as session:
        assert get_contact(session, ws, inside[0]).contact.status == "blocked"
        assert get_contact(session, ws, outside).contact.status == "active"


def test_deleting_the_contact_keeps_the_hash_and_forgets_who_it_was(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock
) -> None:
    ws = people.workspace_id
    contact_id = _contact(database, people, keyring, clock, "gone@x.example")
    with database.transaction() as session:
        suppression.suppress_contact(session, ws, contact_id, "unsubscribe", clock.now())
        delete_contacts(session, ws, [contact_id], clock.now())
        rows = session.exec(select(Suppression)).all()
        assert [(row.kind, row.shown, row.reason) for row in rows] == [("email", "", "unsubscribe")]
    with database.transaction() as session:
        back = create_contact(session, keyring, ws, {"email": "GONE@x.example"}, clock.now())
        assert back.contact.status == "unsubscribed"
        with pytest.raises(InvalidValue) as refused:
            update_contact(session, keyring, ws, back.contact.id or 0, {"status": "active"}, clock.now())
        assert refused.value.code == "suppressed"


def test_taking_an_entry_off_the_list_frees_the_contact_unless_something_else_holds_it(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock
) -> None:
    ws = people.workspace_id
    free, held = (_contact(database, people, keyring, clock, mail) for mail in ("a@x.example", "b@y.example"))
    with database.transaction() as session:
        suppression.add(session, keyring, ws, ["a@x.example", "b@y.example", "y.example"], "manual", clock.now())
        entries = {line.shown: line.id for line in suppression.list_suppressed(session, ws).lines}
        with pytest.raises(SuppressionNotFound):
            suppression.remove(session, people.other_workspace_id, entries["a@x.example"], clock.now())
        suppression.remove(session, ws, entries["a@x.example"], clock.now())
        suppression.remove(session, ws, entries["b@y.example"], clock.now())
        assert get_contact(session, ws, free).contact.status == "active"
        assert get_contact(session, ws, held).contact.status == "blocked"


def test_workspaces_do_not_share_their_lists(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock
) -> None:
    with database.transaction() as session:
        suppression.add(session, keyring, people.workspace_id, ["a@x.example"], "manual", clock.now())
        assert suppression.check(session, keyring, people.other_workspace_id, "a@x.example") is None
        assert suppression.list_suppressed(session, people.other_workspace_id).total == 0


def test_the_list_is_paged_newest_first_and_searched(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock
) -> None:
    ws = people.workspace_id
    with database.transaction() as session:
        suppression.add(session, keyring, ws, [f"p{n}@x.example" for n in range(30)], "manual", clock.now())
        page = suppression.list_suppressed(session, ws, page=2, per_page=20)
        assert (len(page.lines), page.total) == (10, 30)
        assert [line.shown for line in suppression.list_suppressed(session, ws, query="P29").lines] == ["p29@x.example"]
