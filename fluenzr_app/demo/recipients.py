"""Simulated people: they open mails, answer, are away or want no more, each after a time of their own."""

from __future__ import annotations

import heapq
import random
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from fluenzr_app.demo import mail_programs, reports, wording
from fluenzr_app.demo.letter import PARIS, Letter, cover_of, opened
from fluenzr_app.demo.mail_programs import Attached, Writer
from fluenzr_app.demo.post_office import DemoPostOffice
from fluenzr_app.demo.reading import Ask, Look, Reading, asked_by, looks_at, objection
from fluenzr_app.demo.temperament import Person, Reaction
from fluenzr_app.demo.wording import Topic
from fluenzr_app.mail.sandbox import ReceivedMail

# Programs that answer in somebody's absence write to each sender once in so long (RFC 5230, 4.1).
_NOTICE_AGAIN: Final = timedelta(days=7)
_BACK_AND_ANSWERS: Final = 0.3
_FILE: Final = Attached(
    "releve-des-postes.csv",
    "poste;attente_minutes;jour\nDébit;38;lundi\nPlacage;12;lundi\nMontage;51;mardi\nFinition;7;mercredi\n",
)
_COLLEAGUES: Final = ("Claire Fontanel", "Yves Marchand", "Sonia Belkacem", "Thierry Lassalle", "Maud Esteban")


@dataclass(frozen=True, slots=True)
class Posting:
    """A mail that arrives in the mailbox of an account at a moment (aware)."""

    at: datetime
    number: int
    account: str
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody, or a machine on the way, asks for addresses that stand in a mail, at a moment (aware).

    `rfc_id` is the mail's where it is only looked at; empty for what somebody decides.
    """

    at: datetime
    number: int
    asks: tuple[Ask, ...]
    rfc_id: str = ""


Deed = Posting | Visit


@dataclass(frozen=True, slots=True)
class _Expected:
    """What the next of some people does with a mail from one of the senders."""

    among: frozenset[str]
    senders: frozenset[str]
    reaction: Reaction
    talkative: bool


@dataclass(slots=True)
class _Known:
    """What one person has been through."""

    name: str = ""
    mails: int = 0
    answers: int = 0
    topic: Topic | None = None
    done: bool = False
    away_until: datetime | None = None
    told_away: datetime | None = None
    seen: set[str] = field(default_factory=set)


class Recipients:
    """Everybody who gets mail from the post office; for use by one thread.

    `look` reads what arrived since the last time and lets each person decide, `due` gives what they do by now.
    """

    def __init__(self, office: DemoPostOffice, seed: int) -> None:
        self._office = office
        self._seed = seed
        self._read_to = 0
        self._known: defaultdict[str, _Known] = defaultdict(_Known)
        self._expected: list[_Expected] = []
        self._talkative: set[str] = set()
        self._deeds: list[tuple[datetime, int, Deed]] = []
        # Apart from what people do on purpose: nothing follows from it, so that nobody need be awake for it.
        self._looks: list[tuple[datetime, int, Deed]] = []
        self._numbers = 0

    def expect(
        self, among: Collection[str], senders: Collection[str], reaction: Reaction, *, talkative: bool = False
    ) -> None:
        """Let the next of some people who gets a campaign's mail from one of the senders do just this with it.

        It is done at `reaction.at`, or soon after the mail where that comes later. Whoever is talkative answers every
        answer, as long as there is something to say.
        """
        self._expected.append(_Expected(frozenset(among), frozenset(senders), reaction, talkative))

    def topic_of(self, address: str) -> Topic | None:
        """Return what somebody's last first answer was about; None for one who has not answered."""
        return self._known[address].topic if address in self._known else None

    def look(self) -> None:
        """Hand out the mails that arrived since the last time."""
        while mails := self._office.sandbox.since(self._read_to):
            for mail in mails:
                self._read_to = mail.number
                self._arrived(mail)

    def next_at(self) -> datetime | None:
        """Return when somebody writes or decides something next, looks left out; None when nobody is going to."""
        return self._deeds[0][0] if self._deeds else None

    def due(self, now: datetime) -> list[Deed]:
        """Return what people do by `now`, in its order; each is given once."""
        found: list[tuple[datetime, int, Deed]] = []
        for heap in (self._deeds, self._looks):
            while heap and heap[0][0] <= now:
                found.append(heapq.heappop(heap))
        return [deed for _, _, deed in sorted(found, key=lambda each: each[:2])]

    def put_off(self, deed: Deed, until: datetime) -> None:
        """Let something that did not succeed be done again at `until`."""
        heap = self._looks if isinstance(deed, Visit) and deed.rfc_id else self._deeds
        heapq.heappush(heap, (until, deed.number, replace(deed, at=until)))

    def _arrived(self, mail: ReceivedMail) -> None:
        # An account's mail to itself, such as the test of its connection, or to a colleague's.
        if self._office.is_account(mail.recipient):
            self._post(mail.at, mail.recipient, mail.raw)
            return
        if self._office.is_own(mail.recipient):
            return
        person, known, cover = Person(self._seed, mail.recipient), self._known[mail.recipient], cover_of(mail)
        if cover.rfc_id in known.seen:
            # It had come back because of a full mailbox, and has arrived now.
            return
        known.seen.add(cover.rfc_id)
        if cover.is_campaign:
            known.mails += 1
            self._read(person, known, mail)
        elif known.topic is not None:
            self._answered(person, known, opened(mail))

    def _read(self, person: Person, known: _Known, mail: ReceivedMail) -> None:
        if known.done:
            return
        reaction = self._as_expected(mail) or person.reaction(known.mails, mail.at)
        letter = opened(mail)
        if reaction.kind == "gone" or reaction.kind == "full":
            rng = person.rng("words", known.mails)
            self._post(reaction.at, letter.from_address, reports.report(letter, reaction.kind, reaction.at, rng))
            return
        reading = self._react(person, known, letter, reaction)
        for look in looks_at(person, known.mails, letter.page, mail.at, reading):
            self._look_at(look, letter.rfc_id)

    def _as_expected(self, mail: ReceivedMail) -> Reaction | None:
        for expected in self._expected:
            if mail.recipient in expected.among and mail.username in expected.senders:
                self._expected.remove(expected)
                if expected.talkative:
                    self._talkative.add(mail.recipient)
                return replace(expected.reaction, at=max(expected.reaction.at, mail.at + timedelta(seconds=30)))
        return None

    def _react(self, person: Person, known: _Known, letter: Letter, reaction: Reaction) -> Reading:
        """Let somebody do what they do with a mail, and return when they read it."""
        known.name = letter.to_name or known.name
        rng = person.rng("words", known.mails)
        writer = _writer(person, known)
        if known.away_until is not None and letter.at < known.away_until:
            self._tell_away(known, writer, letter, letter.at + timedelta(seconds=rng.randint(4, 70)), rng)
            return Reading(known.away_until)
        if reaction.kind == "away":
            return self._leave(known, writer, letter, reaction, rng)
        if reaction.kind == "nothing":
            return Reading(letter.at)
        if reaction.kind == "reply":
            self._reply(known, writer, letter, reaction, rng)
        elif reaction.kind == "object":
            if letter.page.preferences:
                self._visit(reaction.at, objection(letter.page.preferences, *asked_by(person, rng)))
        elif reaction.kind == "stop_link" and letter.stop_link:
            known.done = True
            self._visit(reaction.at, Ask("POST", letter.stop_link, form=b"List-Unsubscribe=One-Click"))
        elif letter.stop_mail:
            known.done = True
            raw = mail_programs.request_to_stop(writer, letter, letter.stop_mail, reaction.at, rng)
            self._post(reaction.at, letter.from_address, raw)
        return Reading(letter.at, reaction.at)

    def _reply(
        self, known: _Known, writer: Writer, letter: Letter, reaction: Reaction, rng: random.Random
    ) -> None:  # fmt: skip
        known.topic, known.done = reaction.topic, True
        at = reaction.at.astimezone(PARIS)
        colleague = rng.choice(_COLLEAGUES)
        address = f"{colleague.lower().replace(' ', '.')}@{writer.domain}"
        text = wording.first_answer(
            reaction.topic, rng, at.date(), who=letter.who, colleague=(colleague, address),
            with_file=reaction.with_file,
        )  # fmt: skip
        attached = _FILE if reaction.with_file else None
        self._post(at, letter.from_address, mail_programs.answer(writer, letter, text, at, rng, attached))
        if reaction.topic == "colleague" and reaction.colleague_too:
            other = Person(self._seed, address)
            self._known[address].topic = "date"
            later = other.goes_on("date", 0, at + timedelta(hours=2)) or at + timedelta(hours=3)
            words = wording.colleagues_answer(rng, later.date(), who=letter.who, first=writer.name.partition(" ")[0])
            passed_on = Writer(colleague, address, other.program)
            self._post(later, letter.from_address, mail_programs.answer(passed_on, letter, words, later, rng))

    def _leave(
        self, known: _Known, writer: Writer, letter: Letter, reaction: Reaction, rng: random.Random
    ) -> Reading:  # fmt: skip
        back = letter.at.replace(hour=8, minute=30) + timedelta(days=reaction.away_for)
        while back.weekday() > 4:
            back += timedelta(days=1)
        known.away_until = back
        self._tell_away(known, writer, letter, reaction.at, rng)
        if rng.random() >= _BACK_AND_ANSWERS:
            return Reading(back)
        at = back + timedelta(minutes=rng.randint(15, 240))
        self._reply(known, writer, letter, Reaction("reply", at, "back"), rng)
        return Reading(back, at)

    def _tell_away(
        self, known: _Known, writer: Writer, letter: Letter, at: datetime, rng: random.Random
    ) -> None:  # fmt: skip
        if known.away_until is None or (known.told_away is not None and at - known.told_away < _NOTICE_AGAIN):
            return
        known.told_away = at
        subject, text = wording.absence(rng, letter.subject, writer.name, known.away_until.date())
        self._post(at, letter.from_address, mail_programs.notice(writer, letter, subject, text, at, rng))

    def _answered(self, person: Person, known: _Known, letter: Letter) -> None:
        """Let somebody who has answered, and was answered by hand, go on with the conversation or leave it there."""
        assert known.topic is not None
        known.name = letter.to_name or known.name
        turn, known.answers = known.answers, known.answers + 1
        at = person.goes_on(known.topic, turn, letter.at)
        if at is None and person.address in self._talkative and turn < wording.LONGEST_TALK:
            at = letter.at + timedelta(minutes=person.rng("talk", turn).randint(15, 90))
        if at is not None:
            at = at.astimezone(PARIS)
            rng = person.rng("talk words", turn)
            text = wording.next_answer(turn, rng, at.date())
            self._post(at, letter.from_address, mail_programs.answer(_writer(person, known), letter, text, at, rng))

    def _post(self, at: datetime, account: str, raw: bytes) -> None:
        self._numbers += 1
        heapq.heappush(self._deeds, (at, self._numbers, Posting(at, self._numbers, account, raw)))

    def _visit(self, at: datetime, ask: Ask) -> None:
        self._numbers += 1
        heapq.heappush(self._deeds, (at, self._numbers, Visit(at, self._numbers, (ask,))))

    def _look_at(self, look: Look, rfc_id: str) -> None:
        self._numbers += 1
        heapq.heappush(self._looks, (look.at, self._numbers, Visit(look.at, self._numbers, look.asks, rfc_id)))


def _writer(person: Person, known: _Known) -> Writer:
    name = known.name or person.address.partition("@")[0].replace(".", " ").title()
    return Writer(name, person.address, person.program)
