"""A request is taken for a person's or for a machine's by what it says itself, quickly, and whatever it says."""

import time
from ipaddress import ip_network

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fluenzr_app.tracking import networks
from fluenzr_app.tracking.machines import Request, counts_as_machine, rule_of
from fluenzr_app.tracking.networks import owner_of
from tests.tracking.agents_table import AT_HOME, MACHINES, PEOPLE, PROXIES, TABLE, Row

CODES = {
    "", "head", "prefetch", "proxy_apple", "proxy_gmail", "proxy_yahoo", "proxy_other", "scanner", "link_preview",
    "network", "agent", "no_agent",
}  # fmt: skip
ASKED = [(row, kind) for row in TABLE for kind in row.kinds]
LISTED = [
    (ip_network(each), owner)
    for owner, ranges in (
        ("gateway", networks._GATEWAYS),
        ("gateway_clicks", networks._GATEWAYS_FOR_CLICKS),
        ("apple", networks._APPLE),
    )
    for each in ranges
]
# It takes about one; what is to be seen is that no pattern is tried again for an agent that was asked after before.
BOUND_US = 20


@pytest.mark.parametrize(("row", "kind"), ASKED, ids=[f"{row.name}, {kind}" for row, kind in ASKED])
def test_each_manner_of_asking_is_known_by_its_rule(row: Row, kind):
    assert rule_of(_request(row), kind) == row.rule


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_each_manner_counts_as_the_setting_for_proxies_says(row: Row):
    verdicts = {setting: counts_as_machine(row.rule, "open", setting) for setting in ("all", "on_open", "none")}
    assert verdicts == {"all": not row.with_all, "on_open": not row.person, "none": row.rule != ""}
    for setting in verdicts:
        assert counts_as_machine(row.rule, "click", setting) is (row.rule != "")


def test_the_table_has_both_sides():
    assert len(TABLE) >= 40
    assert len(PEOPLE) >= 10
    assert all(row.rule == "" for row in PEOPLE)
    assert {row.rule for row in PROXIES + MACHINES} == CODES - {""}
    assert len({row.name for row in TABLE}) == len(TABLE)


@pytest.mark.parametrize("rule", ["trap", "all_links", "too_soon", "burst"])
def test_what_behaviour_gave_away_never_counts(rule):
    for kind in ("open", "click"):
        assert all(counts_as_machine(rule, kind, setting) for setting in ("all", "on_open", "none"))


@pytest.mark.parametrize("rule", ["person", "by_click", ""])
def test_a_person_always_counts(rule):
    for kind in ("open", "click"):
        assert not any(counts_as_machine(rule, kind, setting) for setting in ("all", "on_open", "none"))


def test_somebody_who_works_at_apple_clicks_in_person():
    chrome = next(row for row in PEOPLE if row.name == "Chrome").agent
    assert rule_of(Request("GET", chrome, "17.58.63.12"), "click") == ""
    assert rule_of(Request("GET", "Mozilla/5.0", "17.58.63.12"), "click") == "proxy_apple"


def test_pictures_from_where_safe_links_is_not_listed_may_be_shown_to_somebody():
    chrome = next(row for row in PEOPLE if row.name == "Chrome").agent
    assert rule_of(Request("GET", chrome, "40.94.16.9"), "open") == ""


def test_a_purpose_that_is_not_fetching_ahead_says_nothing():
    row = next(row for row in PEOPLE if row.name == "Chrome")
    assert rule_of(Request("GET", row.agent, AT_HOME, {"purpose": "navigate", "x-moz": ""}), "open") == ""


def test_every_end_of_every_network_is_found_and_its_neighbours_are_not():
    for network, owner in LISTED:
        ends = (network.network_address, network.broadcast_address)
        assert [owner_of(str(end)) for end in ends] == [owner, owner], network
        for neighbour in (ends[0] - 1, ends[1] + 1):
            around = [name for other, name in LISTED if neighbour in other]
            assert owner_of(str(neighbour)) == (around[0] if around else ""), neighbour


def test_no_network_overlaps_another():
    for place, (one, _) in enumerate(LISTED):
        for other, _ in LISTED[place + 1 :]:
            assert one.version != other.version or not one.overlaps(other), (one, other)


@given(st.ip_addresses())
def test_any_address_is_looked_up_as_the_slow_way_would(address):
    slow = [owner for network, owner in LISTED if address in network]
    assert owner_of(str(address)) == (slow[0] if slow else "")


def test_an_ipv4_address_written_as_ipv6_is_the_same_one():
    assert owner_of("::ffff:40.107.218.12") == "gateway"
    assert owner_of("::ffff:203.0.113.77") == ""


@given(
    method=st.text(max_size=10),
    agent=st.one_of(st.text(max_size=700), st.binary(max_size=700).map(lambda raw: raw.decode("latin-1"))),
    ip=st.one_of(st.text(max_size=50), st.ip_addresses().map(str)),
    headers=st.dictionaries(
        st.one_of(st.sampled_from(["purpose", "sec-purpose", "x-moz", "x-purpose"]), st.text(max_size=10)),
        st.text(max_size=100),
        max_size=6,
    ),
    kind=st.sampled_from(["open", "click"]),
)
@example("GET", "\0" * 600, "1.2.3.4\0", {}, "open")
@example("GET", "\ud800 Chrome/" + "9" * 400 + ".", "\ud800", {}, "click")
@example("GET", "Chrome/٣٣. Firefox/२. Mozilla/4", "fe80::1%eth0", {"purpose": "\udcff"}, "open")
def test_nothing_that_anybody_sends_raises(method, agent, ip, headers, kind):
    assert rule_of(Request(method, agent, ip, headers), kind) in CODES


def test_what_is_asked_again_and_again_takes_microseconds():
    requests = [_request(row) for row in TABLE]
    for request in requests:
        rule_of(request, "open")
    rounds, before = 20, time.thread_time()
    for _ in range(rounds):
        for request in requests:
            rule_of(request, "open")
    assert (time.thread_time() - before) / (rounds * len(requests)) * 1e6 < BOUND_US


@pytest.mark.parametrize("agent", ["x" * 100_000, "a-" * 50_000, "(compatible; " * 8_000, " Chrome/" * 10_000])
def test_an_agent_made_to_take_long_does_not(agent):
    before = time.thread_time()
    rule_of(Request("GET", agent), "open")
    assert time.thread_time() - before < 0.2


def _request(row: Row) -> Request:
    return Request(row.method, row.agent, row.ip, row.headers)
