"""Conversations are found by the beginnings of words, on both databases alike, each workspace its own."""

import pytest

from fluenzr_app.contacts.service import delete_contacts
from fluenzr_app.inbox import conversations
from fluenzr_app.inbox.conversations import Filters
from tests.engine_world import TWO_MAILS
from tests.inbox.world import InboxWorld


async def _three(inbox: InboxWorld) -> list[int]:
    account, people = inbox.account(), inbox.people(3, company="Ateliers Boréal")
    inbox.campaign([account], people, TWO_MAILS)
    await inbox.tick()
    for number, text in enumerate(
        ("Oui, très volontiers.", "Merci, volontiers plus tard.", "日本語 stop-gap C++ 100%")
    ):
        inbox.answer(inbox.office.mails_to(f"p{number}@firm{number}.example")[0], text)
        inbox.read()
    return people


def _found(inbox: InboxWorld, query: str, **filters: object) -> list[int]:
    with inbox.db.read() as session:
        page = conversations.list_conversations(session, inbox.workspace_id, Filters(query=query, **filters))  # type: ignore[arg-type]
    return [line.contact_id for line in page.lines]


async def test_every_word_must_begin_some_word_of_the_conversation_newest_first(inbox: InboxWorld) -> None:
    one, two, three = await _three(inbox)
    assert _found(inbox, "volontiers") == [two, one]
    assert _found(inbox, "VOLON tres") == [one]
    assert _found(inbox, "tard volontiers") == [two]
    assert _found(inbox, "boreal") == [three, two, one], "the company, without its accent"
    assert _found(inbox, "Printemps p1@firm1") == [two], "campaign and address"
    assert _found(inbox, "日本") == [three]
    assert _found(inbox, "nobody") == []


@pytest.mark.parametrize(
    "query", ['"', "*", "a:b OR", "NEAR(x", "workspace2", "\0", "'; DROP", "()", "%", "🙂", "x" * 10_000]
)
async def test_no_query_is_an_operator(inbox: InboxWorld, query: str) -> None:
    await _three(inbox)
    assert _found(inbox, query) == []


async def test_filters_hold_inside_a_search(inbox: InboxWorld) -> None:
    one, two, _ = await _three(inbox)
    with inbox.db.transaction() as session:
        ids = {row.contact_id: row.id for row in conversations.list_conversations(session, inbox.workspace_id).lines}
        conversations.set_status(session, inbox.workspace_id, [ids[two]], "archived", inbox.clock.now())
    assert _found(inbox, "volontiers") == [one]
    assert _found(inbox, "volontiers", status="archived") == [two]
    assert _found(inbox, "volontiers", archived_too=True) == [two, one]


async def test_what_was_deleted_is_found_no_more(inbox: InboxWorld) -> None:
    one, two, _ = await _three(inbox)
    with inbox.db.transaction() as session:
        from fluenzr_app.campaigns import audience

        before = (audience.contacts_deleted, conversations.contacts_deleted)
        delete_contacts(session, inbox.workspace_id, [two], inbox.clock.now(), before=before)
    assert _found(inbox, "volontiers") == [one]
    assert inbox.one("SELECT count(*) FROM conversation_search") == 2
    assert inbox.one("SELECT count(*) FROM inbound_content") == 2
    inbox.check_books()


async def test_pages_of_a_search_follow_each_other(inbox: InboxWorld) -> None:
    people = await _three(inbox)
    with inbox.db.read() as session:
        pages = [
            conversations.list_conversations(
                session, inbox.workspace_id, Filters(query="boreal"), page=number, per_page=2
            )
            for number in (1, 2)
        ]
    assert [[line.contact_id for line in page.lines] for page in pages] == [[people[2], people[1]], [people[0]]]
    assert [(page.total, page.total_is_lower_bound) for page in pages] == [(2, True), (3, False)]
