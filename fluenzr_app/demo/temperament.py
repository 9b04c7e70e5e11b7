"""What each person does with a mail: drawn from a seed, the same whenever it is asked, in shares like those of life."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from fluenzr_app.demo.letter import PARIS
from fluenzr_app.demo.mail_programs import Program, program_of
from fluenzr_app.demo.wording import LONGEST_TALK, Topic

Kind = Literal["nothing", "reply", "away", "gone", "full", "stop_link", "stop_mail", "object"]

# Of all addresses, those that exist no more.
GONE_SHARE: Final = 0.015
# Of all mails that arrive, what follows.
_SHARES: Final[tuple[tuple[Kind, float], ...]] = (
    ("reply", 0.06),
    ("away", 0.04),
    ("full", 0.01),
    ("stop_link", 0.006),
    ("stop_mail", 0.004),
    ("object", 0.005),
)
_TOPICS: Final[tuple[tuple[Topic, int], ...]] = (
    ("interested", 26),
    ("price", 16),
    ("date", 14),
    ("colleague", 12),
    ("not_now", 15),
    ("not_interested", 11),
    ("stop", 6),
)
# How likely somebody who was answered writes once more, by how often they did already.
_GOES_ON: Final = (0.8, 0.5, 0.3, 0.1)
_OPEN_TOPICS: Final[frozenset[Topic]] = frozenset({"interested", "price", "date", "back"})
_AWAKE: Final = (8, 19)


@dataclass(frozen=True, slots=True)
class Reaction:
    """What somebody does with a mail, and when (aware). `topic` is that of a reply.

    `away_for`: for how many days. `with_file`: a file goes along. `colleague_too`: whoever it is passed on to writes.
    """

    kind: Kind
    at: datetime
    topic: Topic = "interested"
    away_for: int = 0
    with_file: bool = False
    colleague_too: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who gets mail; everything about them follows from `seed` and their address."""

    seed: int
    address: str

    def rng(self, *about: object) -> random.Random:
        """Return the chance that decides one question, apart from all others."""
        return random.Random(f"{self.seed}:{self.address}:{about}")  # noqa: S311 - what somebody does, no secret

    @property
    def program(self) -> Program:
        """The program they read and write with."""
        return program_of(self.rng("program"))

    @property
    def is_gone(self) -> bool:
        """Whether the address exists no more."""
        return self.rng("gone").random() < GONE_SHARE

    def reaction(self, nth: int, at: datetime) -> Reaction:
        """Return what they do with the mail of a campaign that is their `nth` (from 1) and arrived at `at`."""
        rng = self.rng("mail", nth)
        if self.is_gone:
            return Reaction("gone", at + timedelta(seconds=rng.randint(5, 180)))
        kind = _drawn(rng)
        if kind == "away":
            return Reaction(kind, at + timedelta(seconds=rng.randint(4, 70)), away_for=rng.randint(2, 14))
        if kind == "full":
            return Reaction(kind, at + timedelta(minutes=rng.randint(1, 15)))
        if kind == "nothing":
            return Reaction(kind, at)
        topics, weights = zip(*_TOPICS, strict=True)
        topic: Topic = rng.choices(topics, weights)[0]
        when = read_and_answered(at, rng, median=timedelta(minutes=100))
        return Reaction(kind, when, topic, with_file=rng.random() < 0.04, colleague_too=rng.random() < 0.6)

    def goes_on(self, topic: Topic, turn: int, at: datetime) -> datetime | None:
        """Return when they answer the answer number `turn` (from 0) that they got at `at`; None: they do not."""
        rng = self.rng("turn", turn)
        if topic not in _OPEN_TOPICS or turn >= LONGEST_TALK or rng.random() >= _GOES_ON[turn]:
            return None
        return read_and_answered(at, rng, median=timedelta(minutes=35))


def read_and_answered(at: datetime, rng: random.Random, *, median: timedelta) -> datetime:
    """Return when a mail that arrived at `at` is answered: after some minutes or days, mostly in working hours."""
    minutes = median / timedelta(minutes=1) * math.exp(rng.gauss(0, 0.9))
    moment = (at + timedelta(minutes=max(4.0, minutes))).astimezone(PARIS)
    if rng.random() < 0.07 and 6 <= moment.hour < 23:
        # Some answer in the evening or on a Sunday.
        return moment
    if moment.hour >= _AWAKE[1]:
        moment = _morning_after(moment, rng)
    elif moment.hour < _AWAKE[0]:
        moment = _morning_after(moment - timedelta(days=1), rng)
    while moment.weekday() > 4:
        moment = _morning_after(moment, rng)
    return moment


def _morning_after(moment: datetime, rng: random.Random) -> datetime:
    day = moment.replace(hour=_AWAKE[0], minute=0, second=0, microsecond=0) + timedelta(days=1)
    return day + timedelta(minutes=rng.uniform(10, 160))


def _drawn(rng: random.Random) -> Kind:
    left = rng.random()
    for kind, share in _SHARES:
        if left < share:
            return kind
        left -= share
    return "nothing"
