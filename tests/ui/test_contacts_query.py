"""The view of the contacts that stands in the address."""

import pytest

from fluenzr_app.db.ids import public_id
from fluenzr_app.ui.pages.contacts_query import ListQuery, read_query

GROUP = public_id("grp", 7)


def test_an_address_gives_back_the_view_it_was_made_of():
    view = ListQuery(
        q="fabre & fils", status="active,replied", group=(GROUP,), tag=("ouest", "décideur"), sort="company", page=3
    )
    parameters = {"q": "fabre & fils", "status": "active,replied", "group": GROUP, "tag": "ouest,décideur"}
    assert read_query(parameters | {"sort": "company", "page": "3"}) == view
    assert view.address() == (
        f"/contacts?q=fabre+%26+fils&status=active%2Creplied&group={GROUP}&tag=ouest%2Cd%C3%A9cideur&sort=company&page=3"
    )


def test_the_first_view_hides_archived_contacts_and_needs_no_parameter():
    first = read_query({})
    assert first.address() == "/contacts"
    assert "archived" not in first.statuses
    assert read_query({"status": "any"}).statuses == ()
    assert not first.is_filtered


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sort", "password"),
        ("page", "-4"),
        ("page", "²"),
        ("group", "grp_nothing"),
        ("open", "cmp_x"),
        ("status", "rich"),
        ("consent", "none"),
    ],
)
def test_what_an_address_says_wrongly_is_as_at_first(name: str, value: str):
    assert read_query({name: value}) == ListQuery()


def test_filters_are_added_and_taken_away_from_the_first_page_on():
    view = ListQuery(page=4).with_filter("tag", "ouest").with_filter("tag", "ouest").with_filter("company", " Alto ")
    assert (view.tag, view.company, view.page) == (("ouest",), "Alto", 1)
    assert view.with_filter("password", "x") == view
    assert view.without_filter("tag", "ouest").without_filter("company", "") == ListQuery()
    assert view.without_filter("status", "").statuses == ()


def test_the_export_has_the_filters_and_neither_page_nor_open_contact():
    view = ListQuery(q="fabre", page=3, sort="email", open=public_id("con", 3))
    assert view.export_address() == "/downloads/contacts.csv?q=fabre&bom=true"
