"""Who looks at a mail, with what and when: gateways, programs that fetch ahead, people."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache

import pytest

from fluenzr_app.demo.letter import PARIS, Page
from fluenzr_app.demo.reading import GATEWAY_SHARE, Ask, Look, Reading, has_gateway, looks_at
from fluenzr_app.demo.temperament import Person
from fluenzr_app.tracking.machines import Request, counts_as_machine, rule_of

# A Monday.
NOW = datetime(2026, 3, 2, 9, 30, tzinfo=PARIS)
HERE = "http://127.0.0.1:8000"
AT_ONCE = Reading(NOW)
PAGE = Page(f"{HERE}/o/pixel", (f"{HERE}/c/first", f"{HERE}/c/second"), (f"{HERE}/c/trap",), f"{HERE}/p/token")
PEOPLE = [Person(7, f"p{number}@firm-{number // 4}.example") for number in range(3_000)]


@cache
def _looks(person: Person, reading: Reading = AT_ONCE) -> list[Look]:
    return looks_at(person, 1, PAGE, NOW, reading)


def _rule(ask: Ask) -> str:
    return rule_of(Request(ask.method, ask.agent, ask.ip), "open" if ask.link == PAGE.pixel else "click")


def _by_people(looks: list[Look]) -> Iterator[tuple[datetime, Ask]]:
    """What is asked for one at a time, by what counts as a person's program."""
    for look in looks:
        ask = look.asks[0]
        kind = "open" if ask.link == PAGE.pixel else "click"
        if len(look.asks) == 1 and not counts_as_machine(_rule(ask), kind, "on_open"):
            yield look.at, ask


def test_about_half_of_all_mails_are_opened_and_a_few_of_their_links_are_followed() -> None:
    asked = [{ask.link for _, ask in _by_people(_looks(person))} for person in PEOPLE]
    opened = sum(PAGE.pixel in links for links in asked) / len(PEOPLE)
    clicked = sum(bool(links & set(PAGE.links)) for links in asked) / len(PEOPLE)
    assert 0.45 < opened < 0.6
    assert 0.04 < clicked < 0.08


def test_machines_can_be_seen_among_them() -> None:
    rules = {_rule(ask) for person in PEOPLE for look in _looks(person) for ask in look.asks}
    assert rules >= {"", "head", "scanner", "agent", "proxy_gmail", "proxy_apple", "link_preview"}
    behind = sum(has_gateway(person) for person in PEOPLE) / len(PEOPLE)
    assert behind == pytest.approx(GATEWAY_SHARE, abs=0.03)


def test_a_mail_is_looked_at_the_same_whenever_it_is_asked_and_each_mail_anew() -> None:
    once, again, next_mail, other_seed = (
        [looks_at(person, nth, PAGE, NOW, Reading(NOW)) for person in people]
        for people, nth in (
            (PEOPLE[:300], 1),
            ([Person(7, person.address) for person in PEOPLE[:300]], 1),
            (PEOPLE[:300], 2),
            ([Person(8, person.address) for person in PEOPLE[:300]], 1),
        )
    )
    assert once == again
    assert once != next_mail
    assert once != other_seed


def test_a_gateway_asks_for_everything_at_once_before_anybody_of_the_firm_reads() -> None:
    for person in filter(has_gateway, PEOPLE[:1_000]):
        first = _looks(person)[0]
        assert timedelta(0) < first.at - NOW < timedelta(seconds=30)
        assert {ask.link for ask in first.asks if ask.method == "GET"} >= {*PAGE.links, *PAGE.hidden}
        assert len({(ask.agent, ask.ip) for ask in first.asks}) == 1


def test_no_person_finds_the_hidden_link_or_opens_a_mail_at_once() -> None:
    for person in PEOPLE[:1_000]:
        for at, ask in _by_people(_looks(person)):
            assert ask.link not in PAGE.hidden
            assert at - NOW > timedelta(minutes=3)


def test_some_open_more_than_once_and_some_in_the_evening_on_the_phone() -> None:
    opened = [[(at, ask) for at, ask in _by_people(_looks(person)) if ask.link == PAGE.pixel] for person in PEOPLE]
    assert sum(len(each) > 1 for each in opened) > 150
    evenings = [ask for each in opened for at, ask in each if at.hour >= 19]
    assert len(evenings) > 50
    assert all("iPhone" in ask.agent or "GoogleImageProxy" in ask.agent for ask in evenings)
    assert any(at - NOW > timedelta(days=1) for each in opened for at, _ in each)


def test_whoever_answers_has_opened_before_unless_pictures_are_not_shown() -> None:
    at = NOW + timedelta(minutes=50)
    for person in PEOPLE[:1_000]:
        opened = [when for when, ask in _by_people(_looks(person, Reading(NOW, at))) if ask.link == PAGE.pixel]
        if person.program not in ("apple", "thunderbird"):
            assert min(opened) < at


def test_nobody_reads_who_is_away_and_their_machines_do() -> None:
    back = NOW + timedelta(days=9)
    looks = [look for person in PEOPLE[:1_000] for look in _looks(person, Reading(back))]
    assert min(at for at, _ in _by_people(looks)) >= back
    assert min(look.at for look in looks) < NOW + timedelta(minutes=1)


def test_without_a_pixel_only_links_are_asked_for_and_without_either_nothing() -> None:
    links = Page(links=PAGE.links, hidden=PAGE.hidden)
    found, nothing = (
        [look for person in PEOPLE[:1_000] for look in looks_at(person, 1, page, NOW, Reading(NOW))]
        for page in (links, Page())
    )
    assert {ask.link for look in found for ask in look.asks} == {*PAGE.links, *PAGE.hidden}
    assert nothing == []


@pytest.mark.parametrize("program", ["gmail", "outlook", "apple", "iphone", "thunderbird"])
def test_what_people_use_is_taken_for_theirs(program: str) -> None:
    users = [person for person in PEOPLE if person.program == program and not has_gateway(person)]
    rules = {
        _rule(ask)
        for person in users
        for look in _looks(person)
        for ask in look.asks
        if "Slackbot" not in ask.agent and "SkypeUriPreview" not in ask.agent
    }
    assert rules <= {"", "proxy_gmail" if program == "gmail" else "", "proxy_apple" if program == "apple" else ""}
    assert "" in rules
