"""The index of words follows what changes outside a conversation, and its own marks are no words."""

from fluenzr_app.contacts.service import update_contact
from fluenzr_app.inbox import search
from tests.inbox.test_search import _found, _three
from tests.inbox.world import InboxWorld


async def test_a_contact_is_found_by_the_name_and_company_they_have_now(inbox: InboxWorld) -> None:
    one, two, three = await _three(inbox)
    with inbox.db.transaction() as session:
        changes = {"first_name": "Clémence", "last_name": "Vauban", "company": "Forges du Lac"}
        update_contact(session, inbox.keyring, inbox.workspace_id, one, changes, inbox.clock.now())
        search.contacts_changed(session, inbox.workspace_id, [one])
    assert _found(inbox, "clemence vauban") == [one]
    assert _found(inbox, "forges") == [one]
    assert _found(inbox, "printemps") == [three, two, one], "in its old place"
    with inbox.db.transaction() as session:
        update_contact(session, inbox.keyring, inbox.workspace_id, one, {"company": "Autre"}, inbox.clock.now())
        search.contacts_changed(session, inbox.workspace_id, [one])
        search.contacts_changed(session, inbox.workspace_id + 1, [two])
    assert _found(inbox, "forges") == [], "nothing is found by what was there before"
    assert inbox.one("SELECT count(*) FROM conversation_search") == 3


async def test_the_mark_of_a_workspace_is_no_word_that_anybody_finds(inbox: InboxWorld) -> None:
    await _three(inbox)
    for query in ("wo", "work", "workspace1", "é1", "e1", "1"):
        assert _found(inbox, query) == [], query
