"""Contacts one by one, in bulk and as a list, on both databases."""

from datetime import timedelta

import pytest

from fluenzr_app.clock import ManualClock
from fluenzr_app.contacts import counts, labels, suppression
from fluenzr_app.contacts.bulk import bulk_upsert
from fluenzr_app.contacts.custom_fields import create_custom_field
from fluenzr_app.contacts.errors import (
    ContactLimitReached,
    ContactNotFound,
    EmailTaken,
    GroupNotFound,
    InvalidValue,
    StaleContact,
)
from fluenzr_app.contacts.listing import ContactFilter, list_contacts
from fluenzr_app.contacts.service import (
    archive_contacts,
    create_contact,
    delete_contacts,
    find_by_email,
    get_contact,
    update_contact,
)
from fluenzr_app.contacts.statuses import set_statuses
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from tests.people import People, make_contact


def _status_counts(database: Database, workspace_id: int) -> dict[str, int]:
    with database.read() as session:
        return counts.counts(session, workspace_id, "status")


def test_a_contact_is_kept_as_typed_and_unique_by_its_key(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock
) -> None:
    with database.transaction() as session:
        card = create_contact(
            session,
            keyring,
            people.workspace_id,
            {
                "email": " Hélène.Roy@Bücher.example ",
                "first_name": "Hélène",
                "tags": ["VIP"],
                "consent_source": "event",
            },
            clock.now(),
        )
        assert card.contact.email == "Hélène.Roy@bücher.example"
        assert card.contact.email_key == "hélène.roy@xn--bcher-kva.example"
        assert card.contact.consent_at == clock.now()
        assert card.tags == ("VIP",)
        with pytest.raises(EmailTaken) as taken:
            create_contact(
                session, keyring, people.workspace_id, {"email": "hélène.ROY@xn--bcher-kva.example"}, clock.now()
            )
        assert taken.value.contact_id == card.contact.id
    with database.transaction() as session:
        # Another workspace may have the same person.
        create_contact(session, keyring, people.other_workspace_id, {"email": "hélène.roy@bücher.example"}, clock.now())


@pytest.mark.parametrize(
    ("values", "field", "code"),
    [
        ({}, "email", "email_missing"),
        ({"email": "p.martin@"}, "email", "email_invalid"),
        ({"email": "a@x.example", "hair": "grey"}, "hair", "unknown_field"),
        ({"email": "a@x.example", "city": "x" * 256}, "city", "value_too_long"),
        ({"email": "a@x.example", "status": "asleep"}, "status", "unknown_status"),
        ({"email": "a@x.example", "timezone": "Mars/Base"}, "timezone", "unknown_timezone"),
        ({"email": "a@x.example", "consent_source": "luck"}, "consent_source", "unknown_consent_source"),
        ({"email": "a@x.example", "consent_source": "other"}, "consent_notes", "consent_note_missing"),
        ({"email": "a@x.example", "custom_fields": {"shoe": "42"}}, "shoe", "unknown_custom_field"),
        ({"email": "a@x.example", "tags": ["a,b"]}, "tags", "bad_tag"),
    ],
)
def test_what_cannot_be_kept_is_refused_with_field_and_reason(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock, values: dict, field: str, code: str
) -> None:
    with pytest.raises(InvalidValue) as refused, database.transaction() as session:
        create_contact(session, keyring, people.workspace_id, values, clock.now())
    assert (refused.value.field, refused.value.code) == (field, code)


def test_a_change_touches_only_what_was_given_and_never_overwrites_a_newer_one(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock
) -> None:
    with database.transaction() as session:
        create_custom_field(session, people.workspace_id, "effectif", "Effectif", clock.now(), field_type="number")
        card = create_contact(
            session,
            keyring,
            people.workspace_id,
            {"email": "a@x.example", "city": "Brest", "custom_fields": {"effectif": "1 200"}, "tags": ["a", "b"]},
            clock.now(),
        )
    contact_id, seen = card.contact.id or 0, card.contact.revision
    clock.advance(timedelta(minutes=1))
    with database.transaction() as session:
        changed = update_contact(
            session,
            keyring,
            people.workspace_id,
            contact_id,
            {"first_name": "Ana", "tags": ["b", "c"]},
            clock.now(),
            revision=seen,
        )
        assert (changed.contact.first_name, changed.contact.city) == ("Ana", "Brest")
        assert changed.contact.fields == {"effectif": 1200}
        assert changed.contact.updated_at == clock.now()
        assert changed.tags == ("b", "c")
    with pytest.raises(StaleContact), database.transaction() as session:
        update_contact(
            session, keyring, people.workspace_id, contact_id, {"city": "Nantes"}, clock.now(), revision=seen
        )
    with database.transaction() as session:
        assert [(tag.name, tag.contacts) for tag in labels.list_tags(session, people.workspace_id)] == [
            ("a", 0),
            ("b", 1),
            ("c", 1),
        ]


def test_a_new_address_moves_the_hashes_and_may_not_be_somebody_elses(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock
) -> None:
    with database.transaction() as session:
        first = create_contact(session, keyring, people.workspace_id, {"email": "a@x.example"}, clock.now())
        second = create_contact(session, keyring, people.workspace_id, {"email": "b@x.example"}, clock.now())
        with pytest.raises(EmailTaken) as taken:
            update_contact(
                session, keyring, people.workspace_id, second.contact.id or 0, {"email": "A@x.example"}, clock.now()
            )
        assert taken.value.contact_id == first.contact.id
        moved = update_contact(
            session, keyring, people.workspace_id, second.contact.id or 0, {"email": "c@y.example"}, clock.now()
        )
        hasher = suppression.hasher_of(session, keyring, people.workspace_id)
        assert (moved.contact.email_hash, moved.contact.domain_hash) == hasher.of_address("c@y.example")
        assert moved.contact.domain == "y.example"


def test_the_list_pages_searches_filters_and_tells_how_many(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock
) -> None:
    ws = people.workspace_id
    with database.transaction() as session:
        group = labels.create_group(session, ws, "Bretagne", clock.now())
        for number in range(25):
            create_contact(
                session,
                keyring,
                ws,
                {
                    "email": f"p{number:02}@x{number % 3}.example",
                    "last_name": "Lefèvre" if number < 5 else "Dupont",
                    "company": f"Société {number}",
                    "country": "FR" if number % 2 else "BE",
                    "group_ids": [group] if number < 7 else [],
                },
                clock.now() + timedelta(seconds=number),
            )
    with database.read() as session:
        page = list_contacts(session, ws, page=2, per_page=10)
        assert [card.contact.email[:3] for card in page.cards] == [f"p{n:02}" for n in range(14, 4, -1)]
        assert (page.total, page.total_is_lower_bound, page.total_pages) == (25, False, 3)
        assert list_contacts(session, ws, per_page=5_000).per_page == 100
        found = list_contacts(session, ws, ContactFilter(query="LEFEVRE societe"), sort="email", order="asc")
        assert [card.contact.email[:3] for card in found.cards] == ["p00", "p01", "p02", "p03", "p04"]
        assert list_contacts(session, ws, ContactFilter(group_ids=(group,)), per_page=3).total == 7
        assert list_contacts(session, ws, ContactFilter(country="FR", statuses=("active",)), per_page=5).total == 12
        assert list_contacts(session, ws, ContactFilter(query="%")).total == 0
        assert list_contacts(session, ws, ContactFilter(domain="x1.example")).total == 8
        with pytest.raises(InvalidValue):
            list_contacts(session, ws, sort="email_hash")
        assert list_contacts(session, people.other_workspace_id, ContactFilter(group_ids=(group,))).total == 0


def test_custom_values_can_be_filtered(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock
) -> None:
    ws = people.workspace_id
    with database.transaction() as session:
        create_custom_field(session, ws, "effectif", "Effectif", clock.now(), field_type="number")
        create_custom_field(session, ws, "secteur", "Secteur", clock.now())
        for name, size, sector in (("a", 5, "Bâtiment"), ("b", 7, "Santé")):
            values = {"email": f"{name}@x.example", "custom_fields": {"effectif": size, "secteur": sector}}
            create_contact(session, keyring, ws, values, clock.now())
        create_contact(session, keyring, ws, {"email": "c@x.example", "custom_fields": {"secteur": "7"}}, clock.now())
    with database.read() as session:
        assert list_contacts(session, ws, ContactFilter(custom={"secteur": 7})).total == 1
        assert list_contacts(session, ws, ContactFilter(custom={"secteur": 1.5})).total == 0
        for custom in ({"effectif": 7}, {"secteur": "Santé"}):
            page = list_contacts(session, ws, ContactFilter(custom=custom))
            assert [card.contact.email for card in page.cards] == ["b@x.example"]


def test_the_search_sees_contacts_that_other_rooms_stored(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock
) -> None:
    with database.transaction() as session:
        make_contact(session, keyring, people.workspace_id, "ana@x.example", clock.now(), last_name="Lefèvre")
    with database.read() as session:
        assert list_contacts(session, people.workspace_id, ContactFilter(query="lefe")).total == 1


def test_counts_are_kept_through_every_change(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock
) -> None:
    ws = people.workspace_id
    with database.transaction() as session:
        group = labels.create_group(session, ws, "Salon", clock.now())
        ids = [
            create_contact(
                session, keyring, ws, {"email": f"{n}@x.example", "group_ids": [group], "tags": ["t"]}, clock.now()
            ).contact.id
            or 0
            for n in range(4)
        ]
    assert _status_counts(database, ws) == {"active": 4}
    with database.transaction() as session:
        assert archive_contacts(session, ws, ids[:2], clock.now()) == 2
        assert archive_contacts(session, ws, ids[:2], clock.now()) == 0
        assert set_statuses(session, ws, [ids[2]], "replied", clock.now()) == 1
    assert _status_counts(database, ws) == {"active": 1, "archived": 2, "replied": 1}
    with database.transaction() as session:
        assert delete_contacts(session, ws, ids[:3], clock.now()) == 3
    assert _status_counts(database, ws) == {"active": 1}
    with database.read() as session:
        assert [(line.name, line.contacts) for line in labels.list_groups(session, ws)] == [("Salon", 1)]
        assert [(line.name, line.contacts) for line in labels.list_tags(session, ws)] == [("t", 1)]


def test_bulk_tells_created_updated_skipped_and_wrong_by_place(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock
) -> None:
    ws = people.workspace_id
    items: list[dict[str, object]] = [
        {"email": "a@x.example", "first_name": "New"},
        {"email": "b@x.example", "tags": ["vip"]},
        {"email": "nonsense"},
        {"email": "B@x.example", "first_name": "Twice"},
        {"email": "c@x.example", "city": 7},
    ]
    with database.transaction() as session:
        create_contact(session, keyring, ws, {"email": "A@x.example", "first_name": "Old"}, clock.now())
        result = bulk_upsert(session, keyring, ws, items, clock.now())
        assert (len(result.created), result.updated, result.skipped) == (1, [], [0, 3])
        assert [(e.index, e.field, e.code) for e in result.errors] == [
            (2, "email", "email_invalid"),
            (4, "city", "not_a_text"),
        ]
        again = bulk_upsert(session, keyring, ws, items, clock.now(), on_duplicate="update")
        assert (again.created, len(again.updated), again.skipped) == ([], 2, [])
        known = find_by_email(session, ws, "a@X.example")
        assert known is not None
        assert known.contact.first_name == "New"
        with pytest.raises(InvalidValue):
            bulk_upsert(session, keyring, ws, [{}] * 1_001, clock.now())
        with pytest.raises(ContactLimitReached):
            bulk_upsert(session, keyring, ws, [{"email": "z@x.example"}], clock.now(), limit=2)


def test_another_workspace_can_neither_see_nor_touch(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock
) -> None:
    ws, other = people.workspace_id, people.other_workspace_id
    with database.transaction() as session:
        card = create_contact(session, keyring, ws, {"email": "a@x.example", "tags": ["t"]}, clock.now())
        contact_id = card.contact.id or 0
        group = labels.create_group(session, ws, "G", clock.now())
        foreign = labels.create_group(session, other, "F", clock.now())
    with database.transaction() as session:
        with pytest.raises(ContactNotFound):
            get_contact(session, other, contact_id)
        with pytest.raises(ContactNotFound):
            update_contact(session, keyring, other, contact_id, {"city": "X"}, clock.now())
        assert set_statuses(session, other, [contact_id], "archived", clock.now()) == 0
        assert delete_contacts(session, other, [contact_id], clock.now()) == 0
        assert labels.add_tags(session, other, ["stolen"], [contact_id]) == 0
        assert labels.remove_tag(session, other, "t", [contact_id]) == 0
        assert labels.add_to_group(session, other, foreign, [contact_id]) == 0
        with pytest.raises(GroupNotFound):
            labels.add_to_group(session, other, group, [contact_id])
        with pytest.raises(GroupNotFound):
            create_contact(session, keyring, ws, {"email": "b@x.example", "group_ids": [foreign]}, clock.now())
        with pytest.raises(ContactNotFound):
            suppression.suppress_contact(session, other, contact_id, "manual", clock.now())
        assert list_contacts(session, other).total == 0
    with database.read() as session:
        unchanged = get_contact(session, ws, contact_id)
        assert (unchanged.contact.status, unchanged.contact.revision, unchanged.tags) == ("active", 1, ("t",))
