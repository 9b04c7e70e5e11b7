"""What the inbox's address says, and what it cannot say."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from fluenzr_app.db.ids import public_id
from fluenzr_app.ui.pages.inbox_query import InboxQuery, read_query

PARIS = ZoneInfo("Europe/Paris")
OPEN = public_id("cnv", 7)


def test_a_view_comes_back_from_its_own_address():
    asked = InboxQuery(
        tab="all", q="tarifs & délais", campaign=public_id("cmp", 3), account=public_id("acc", 4), status="read",
        label="later", since="2026-11-01", until="2026-11-24", conversation=OPEN,
    )  # fmt: skip
    path, _, query = asked.address().partition("?")
    given = dict(pair.split("=", 1) for pair in query.split("&"))
    assert path == f"/inbox/{OPEN}"
    assert given["tab"] == "all"
    assert read_query(path, {**given, "q": "tarifs & délais"}) == asked


def test_the_first_view_has_the_plain_address():
    assert InboxQuery().address() == "/inbox"
    assert read_query("/inbox/", {}) == InboxQuery()


def test_what_is_not_known_in_an_address_is_left_out():
    wrong = {
        "tab": "spam", "campaign": "cmp_", "account": OPEN, "label": "urgent", "since": "yesterday",
        "until": "9999-01-01",
    }  # fmt: skip
    assert read_query("/inbox/con_123", wrong) == InboxQuery()


def test_both_days_belong_to_the_filter_in_the_zone_of_the_workspace():
    filters = InboxQuery(tab="all", since="2026-11-01", until="2026-11-24").filters(PARIS)
    assert filters.since == datetime(2026, 10, 31, 23, tzinfo=UTC)
    assert filters.until == datetime(2026, 11, 24, 23, tzinfo=UTC)


def test_a_status_is_asked_of_all_conversations_and_a_tab_forgets_it():
    wanted = InboxQuery(conversation=OPEN).with_filters({"status": "replied", "campaign": "nonsense"})
    assert (wanted.tab, wanted.status, wanted.campaign, wanted.conversation) == ("all", "replied", "", "")
    assert wanted.in_tab("archived") == InboxQuery(tab="archived")
    assert wanted.in_tab("archived").filters(PARIS).status == "archived"
