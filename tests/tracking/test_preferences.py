"""Whoever objects to tracking is not tracked any more, whatever became of their contact; whoever allows it again is."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlmodel import col, select

from fluenzr_app.contacts import service as contacts
from fluenzr_app.contacts.models import Contact
from fluenzr_app.events import figures
from fluenzr_app.events.models import Event
from fluenzr_app.tracking import preferences
from fluenzr_app.tracking.errors import BadLink
from fluenzr_app.tracking.models import TrackingObjection
from fluenzr_app.tracking.objections import object_to_tracking, objected_at, objecting, objecting_contacts
from fluenzr_app.tracking.unsubscribe import UnsubscribeLink
from fluenzr_app.workspaces.models import Workspace
from tests.people import make_contact

EMAIL = "lea@atelier.example"


@pytest.fixture
def link(database, keyring, clock, people) -> UnsubscribeLink:
    with database.transaction() as session:
        return link_to(session, make_contact(session, keyring, people.workspace_id, EMAIL, clock.now()))


def link_to(session, contact: int) -> UnsubscribeLink:
    row = session.get(Contact, contact)
    return UnsubscribeLink(row.workspace_id, contact, bytes(row.email_hash), 5_000_000, 11, 12, 13)


def since(database, link) -> object:
    with database.read() as session:
        return preferences.preferences_of(session, link).objected_at


def is_tracked(database, link) -> bool:
    """Asks as the composing of a mail does."""
    with database.read() as session:
        row = session.get(Contact, link.contact_id)
        return not objecting_contacts(session, link.workspace_id, {link.contact_id: bytes(row.email_hash)})


def history(database) -> list[tuple[str, int | None]]:
    with database.read() as session:
        return [(event.type, event.contact_id) for event in session.exec(select(Event).order_by(col(Event.id)))]


def test_an_objection_and_its_way_back_stand_in_the_history_each_once(database, clock, link):
    assert since(database, link) is None
    with database.transaction() as session:
        assert preferences.object_by_link(session, link, clock.now()) is True
        assert preferences.object_by_link(session, link, clock.now()) is False
    assert since(database, link) == clock.now()
    assert not is_tracked(database, link)
    with database.transaction() as session:
        assert preferences.allow_by_link(session, link, clock.now()) is True
        assert preferences.allow_by_link(session, link, clock.now()) is False
    assert since(database, link) is None
    assert is_tracked(database, link)
    assert history(database) == [(preferences.OBJECTED, link.contact_id), (preferences.ALLOWED, link.contact_id)]
    with database.read() as session:
        # Nothing personal beyond that it happened, and no campaign's figure changes by it.
        assert {(event.data, event.message_id, event.campaign_id) for event in session.exec(select(Event))} == {
            (None, None, None)
        }
        assert figures.verify(session) == []


def test_of_ten_at_the_same_moment_one_is_the_first(database, clock, link):
    def act(_number: int) -> bool:
        return database.transact(preferences.object_by_link, link, clock.now())

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(act, range(10))) == 1
    assert history(database) == [(preferences.OBJECTED, link.contact_id)]
    with database.read() as session:
        assert len(session.exec(select(TrackingObjection)).all()) == 1


def test_it_holds_after_the_contact_was_deleted_and_for_the_one_who_is_imported_again(
    database, keyring, clock, people, link
):
    with database.transaction() as session:
        contacts.delete_contacts(session, people.workspace_id, [link.contact_id], clock.now())
    before = history(database)
    with database.transaction() as session:
        assert preferences.object_by_link(session, link, clock.now()) is True
    # Nobody is there in whose history it could stand.
    assert history(database) == before
    assert since(database, link) == clock.now()
    with database.transaction() as session:
        again = link_to(session, make_contact(session, keyring, people.workspace_id, EMAIL, clock.now()))
    assert not is_tracked(database, again)
    with database.transaction() as session:
        assert preferences.allow_by_link(session, link, clock.now()) is True
    assert is_tracked(database, again)


def test_it_follows_the_contact_to_another_address_and_back(database, keyring, clock, people, link):
    with database.transaction() as session:
        preferences.object_by_link(session, link, clock.now())
        contacts.update_contact(
            session, keyring, people.workspace_id, link.contact_id, {"email": "lea@new.example"}, clock.now()
        )
        now_link = link_to(session, link.contact_id)
    assert now_link.email_hash != link.email_hash
    assert not is_tracked(database, link)
    assert since(database, link) == since(database, now_link) == clock.now()
    with database.transaction() as session:
        assert preferences.object_by_link(session, now_link, clock.now()) is False
        assert preferences.allow_by_link(session, now_link, clock.now()) is True
    assert is_tracked(database, link)
    assert since(database, link) is since(database, now_link) is None


def test_an_old_link_objects_for_the_address_of_today_too(database, keyring, clock, people, link):
    with database.transaction() as session:
        contacts.update_contact(
            session, keyring, people.workspace_id, link.contact_id, {"email": "lea@new.example"}, clock.now()
        )
        assert preferences.object_by_link(session, link, clock.now()) is True
        today = link_to(session, link.contact_id).email_hash
        assert objecting(session, people.workspace_id, [today, link.email_hash]) == {today, link.email_hash}
    with database.transaction() as session:
        assert preferences.allow_by_link(session, link, clock.now()) is True
        assert session.exec(select(TrackingObjection)).all() == []


def test_another_workspace_knows_nothing_of_it(database, keyring, clock, people, link):
    with database.transaction() as session:
        preferences.object_by_link(session, link, clock.now())
        theirs = link_to(session, make_contact(session, keyring, people.other_workspace_id, EMAIL, clock.now()))
        assert objected_at(session, people.other_workspace_id, link.email_hash, link.contact_id) is None
        assert objecting_contacts(session, people.other_workspace_id, {link.contact_id: link.email_hash}) == {}
        assert object_to_tracking(session, people.other_workspace_id, theirs.email_hash, clock.now())
    assert since(database, link) == clock.now()


def test_the_page_is_told_what_the_workspace_keeps_and_in_which_language_it_writes(database, clock, people, link):
    with database.read() as session:
        found = preferences.preferences_of(session, link)
    assert (found.workspace_name, found.language, found.details_days, found.unsubscribed) == (
        "Atelier Rivage", "fr", None, False,
    )  # fmt: skip
    with database.transaction() as session:
        session.get(Contact, link.contact_id).language = "en"
        row = session.get(Workspace, people.workspace_id)
        row.tracking_details, row.tracking_details_days = True, 30
        row.track_clicks = False
    with database.read() as session:
        found = preferences.preferences_of(session, link)
    assert (found.language, found.details_days, found.track_opens, found.track_clicks) == ("en", 30, True, False)


def test_a_link_of_a_workspace_that_is_gone_leads_nowhere(database, link):
    with database.read() as session, pytest.raises(BadLink):
        preferences.preferences_of(session, UnsubscribeLink(999_999, 1, link.email_hash))
