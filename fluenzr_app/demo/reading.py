"""What follows from a mail that arrived: gateways look into it, programs fetch its pictures, people open it and click.

All of it is drawn from the seed, in shares by which about half of all mails count as opened and a few as clicked.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from fluenzr_app.demo import agents
from fluenzr_app.demo.letter import PARIS, Page
from fluenzr_app.demo.mail_programs import Program
from fluenzr_app.demo.temperament import Person, read_and_answered

# Of all firms, those whose mail passes a machine that follows every link.
GATEWAY_SHARE: Final = 0.12
# How often people open a mail: each about as often as they do, most more often than not (a beta distribution).
_OPENS: Final = (2.2, 1.4)
_CLICKS: Final = 0.08
_CLICKS_AND_ANSWERS: Final = 0.16
_AGAIN: Final = (0.35, 0.3, 0.2)
_ON_PHONE: Final = 0.15
_IN_THE_EVENING: Final = 0.1
_EVENING: Final = 19
_AWAKE: Final = (7, 23)
_PASSED_ON: Final = 0.08
_APPLE_FETCHES: Final = 0.92
# Of those whose program fetches ahead, the ones who read it elsewhere as well, where that is switched off.
_APPLE_TELLS: Final = 0.15


@dataclass(frozen=True, slots=True)
class Ask:
    """A request: for a mail's address, by a program that calls itself `agent` and asks from `ip`.

    `form` is what a POST sends.
    """

    method: Literal["GET", "HEAD", "POST"]
    link: str
    agent: str = ""
    ip: str = ""
    form: bytes = b""


@dataclass(frozen=True, slots=True)
class Look:
    """What is asked for one right after the other, at a moment (aware)."""

    at: datetime
    asks: tuple[Ask, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """When somebody gets to a mail: not before `start`, and before `answered_at` where they do something with it."""

    start: datetime
    answered_at: datetime | None = None


def looks_at(person: Person, nth: int, page: Page, arrived: datetime, reading: Reading) -> list[Look]:
    """Return every look at the mail that is the `nth` of a person, in order of time.

    Empty where the mail has neither a pixel nor a link of ours.
    """
    looks = [*_gateway(person, page, arrived), *_fetched_ahead(person, nth, page, arrived)]
    looks += _read(person, nth, page, reading)
    return sorted((look for look in looks if look.asks), key=lambda look: look.at)


def has_gateway(person: Person) -> bool:
    """Return whether the firm of a person has its mail looked through; the same for all of the firm."""
    return _of_firm(person, "gateway").random() < GATEWAY_SHARE


def objection(link: str, agent: str, ip: str) -> Ask:
    """Return what the button on the page of preferences sends."""
    return Ask("POST", link, agent, ip, b"choice=object")


def asked_by(person: Person, rng: random.Random) -> tuple[str, str]:
    """Return the browser in which a person follows a link at work, and from where."""
    return agents.for_links(person.program, rng, on_phone=False), _office(person)


def _gateway(person: Person, page: Page, arrived: datetime) -> Iterator[Look]:
    if not has_gateway(person):
        return
    rng = _of_firm(person, "gateway manner")
    agent, ip = agents.of_gateway(rng), f"192.0.2.{rng.randrange(2, 250)}"
    links = [*page.links, *page.hidden]
    heads = [Ask("HEAD", link, agent, ip) for link in links] if rng.random() < 0.5 else []
    pictures = [Ask("GET", page.pixel, agent, ip)] if page.pixel and rng.random() < 0.6 else []
    at = arrived + timedelta(seconds=person.rng("gateway", arrived).uniform(2, 25))
    yield Look(at, (*heads, *(Ask("GET", link, agent, ip) for link in links), *pictures))


def _fetched_ahead(person: Person, nth: int, page: Page, arrived: datetime) -> Iterator[Look]:
    rng = person.rng("ahead", nth)
    if _is_protected(person) and page.pixel and rng.random() < _APPLE_FETCHES:
        at = arrived + timedelta(seconds=rng.uniform(15, 900))
        yield Look(at, (Ask("GET", page.pixel, agents.APPLE_PRIVACY, f"192.0.2.{rng.randrange(2, 250)}"),))


def _read(person: Person, nth: int, page: Page, reading: Reading) -> Iterator[Look]:
    rng = person.rng("reading", nth)
    answers = reading.answered_at is not None
    if not answers and rng.random() >= person.rng("opens").betavariate(*_OPENS):
        return
    at = _first_opening(rng, reading)
    on_phone = rng.random() < _ON_PHONE or at.hour >= _EVENING
    yield from _opening(person, page, at, on_phone=on_phone)
    if page.links and rng.random() < (_CLICKS_AND_ANSWERS if answers else _CLICKS):
        yield from _clicks(person, page, at + timedelta(seconds=rng.uniform(15, 240)), rng, on_phone=on_phone)
    for share in _AGAIN:
        at += timedelta(minutes=rng.expovariate(1 / 400) + 6)
        if rng.random() >= share or not _AWAKE[0] <= at.hour < _AWAKE[1]:
            return
        yield from _opening(person, page, at, on_phone=rng.random() < _ON_PHONE or at.hour >= _EVENING)


def _first_opening(rng: random.Random, reading: Reading) -> datetime:
    at = read_and_answered(reading.start, rng, median=timedelta(minutes=50))
    if rng.random() < _IN_THE_EVENING:
        at = at.replace(hour=rng.choice((19, 20, 21)), minute=rng.randrange(60))
    if reading.answered_at is not None and at >= reading.answered_at:
        # Whoever answers has read it: some minutes before, or sometime since it came.
        at = reading.start + (reading.answered_at - reading.start) * rng.uniform(0.3, 0.8)
    return at.astimezone(PARIS)


def _opening(person: Person, page: Page, at: datetime, *, on_phone: bool) -> Iterator[Look]:
    if not page.pixel or not _shows_pictures(person, on_phone=on_phone):
        return
    agent = agents.for_pictures(person.program, on_phone=on_phone)
    ip = f"192.0.2.{at.minute + 2}" if person.program == "gmail" else _place(person, on_phone=on_phone)
    yield Look(at, (Ask("GET", page.pixel, agent, ip),))


def _clicks(
    person: Person, page: Page, at: datetime, rng: random.Random, *, on_phone: bool
) -> Iterator[Look]:  # fmt: skip
    links = [rng.choice(page.links)] if rng.random() < 0.8 else list(page.links[:2])
    agent, ip = agents.for_links(person.program, rng, on_phone=on_phone), _place(person, on_phone=on_phone)
    for link in links:
        yield Look(at, (Ask("GET", link, agent, ip),))
        if rng.random() < _PASSED_ON:
            later = at + timedelta(minutes=rng.uniform(5, 90))
            yield Look(later, (Ask("GET", link, agents.of_chat(rng), f"192.0.2.{rng.randrange(2, 250)}"),))
        at += timedelta(seconds=rng.uniform(30, 300))


def _is_protected(person: Person) -> bool:
    return person.program == "apple"


def _shows_pictures(person: Person, *, on_phone: bool) -> bool:
    program: Program = person.program
    if program == "thunderbird":
        return on_phone
    # What is fetched ahead is not fetched again when the mail is opened, but by those who do without the protection.
    return program != "apple" or on_phone or person.rng("protection").random() < _APPLE_TELLS


def _place(person: Person, *, on_phone: bool) -> str:
    return f"198.51.100.{person.rng('phone').randrange(2, 250)}" if on_phone else _office(person)


def _office(person: Person) -> str:
    return f"203.0.113.{_of_firm(person, 'office').randrange(2, 250)}"


def _of_firm(person: Person, about: str) -> random.Random:
    return Person(person.seed, person.address.rpartition("@")[2]).rng(about)
