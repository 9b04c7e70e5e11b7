"""What comes back by real mail: answers, absences, requests to stop, refusals and reports, over the days of a sequence.

Nobody who answered, left or cannot be reached is written to again, and every figure of the product equals a recount
of the mailboxes and of the server's log.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from fluenzr_app.campaigns import lifecycle
from fluenzr_app.campaigns.brake import BRAKE, LEAST_BOUNCES
from fluenzr_app.campaigns.nodes import EmailNode
from fluenzr_app.events import figures
from tests.real.post_office import PostOffice
from tests.scenarios.correspondence import Arrived, Correspondence
from tests.scenarios.world import FULL, THREE_MAILS

SCALE, PEOPLE = (3, 300) if FULL else (1, 90)
# What each does, and how many do it; all others get everything and say nothing. The mail of `moved` and `shared` goes
# on to a full mailbox, which is reported; `shared` have got it themselves as well, and answer before the next attempt.
ROLES = {
    "answers": 12, "subject": 4, "later": 6, "away": 5, "click": 5, "mailto": 4, "unknown": 1, "late": 1,
    "full": 1, "overquota": 1, "late-full": 1, "moved": 2, "shared": 1, "stops": 2, "late-busy": 2,
}  # fmt: skip
MAILS_READ = {
    "answers": 1, "subject": 1, "later": 2, "shared": 1, "stops": 1, "click": 1, "mailto": 1, "away": 4, "moved": 4,
    "silent": 4,
}  # fmt: skip
ENDS = {
    "replied": ("answers", "subject", "later", "shared", "stops"),
    "unsubscribed": ("click", "mailto"),
    "bounced": ("unknown", "late", "full", "overquota", "late-full"),
    "completed": ("away", "moved", "late-busy", "silent"),
}
FIRST_SUBJECT, SECOND_SUBJECT = "A first word", "Another matter"
FIRST = (EmailNode("n1", "First", FIRST_SUBJECT, "<p>Hello {{firstName|there}}.</p>"), *THREE_MAILS[1:])
# Whose whole answer was “stop” is unsubscribed a day later.
CONTACTS = {
    "replied": ("answers", "subject", "later", "shared"),
    "unsubscribed": ("click", "mailto", "stops"),
    "bounced": ENDS["bounced"],
    "active": ENDS["completed"],
}
SECOND = (EmailNode("s1", "Second campaign", SECOND_SUBJECT, "<p>Hello {{firstName|there}}, something else.</p>"),)
HARD_CODES = ("5.1.1", "550")
# campaigns.md, Soft bounce: the pauses between the attempts.
LADDER = [timedelta(hours=hours) for hours in (1, 4, 24, 48)]
RENUMBERED = 4711


@pytest.fixture
def letters(tmp_path: Path, post_office: PostOffice, monkeypatch: pytest.MonkeyPatch) -> Iterator[Correspondence]:
    """Three accounts with mailboxes and nobody to write to yet."""
    post_office.trust(monkeypatch)
    made = Correspondence(tmp_path, post_office, "allers-retours", 3)
    yield made
    made.close()


@pytest.mark.timeout(900 if FULL else 240)
async def test_what_comes_back_stops_or_delays_each_contact_as_it_should(letters: Correspondence) -> None:
    roles = {role: count * SCALE for role, count in ROLES.items()}
    people = letters.add_people({**roles, "silent": PEOPLE - sum(roles.values())})
    first = letters.add_campaign("First", FIRST, people, start=True)
    second = letters.add_campaign("Second", SECOND, people, start=False)
    begun = letters.clock.now()
    await letters.side.engine.start()
    try:
        await _live(letters, second, begun)
    finally:
        await letters.side.engine.stop()

    _check_who_got_what(letters)
    _check_walks(letters, first, second)
    _check_ladder(letters)
    _check_sent_folders(letters)
    _check_figures(letters, first, second)
    _check_conversations(letters)


@pytest.mark.timeout(240)
async def test_real_reports_of_dead_addresses_pause_the_campaign_and_it_goes_on_when_resumed(
    tmp_path: Path, post_office: PostOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    post_office.trust(monkeypatch)
    letters = Correspondence(tmp_path, post_office, "adresses-mortes", 1)
    dead = LEAST_BOUNCES + 1
    campaign = letters.add_campaign("Bought", FIRST[:3], letters.add_people({"late": dead, "silent": 24}), start=True)
    begun = letters.clock.now()
    await letters.side.engine.start()
    try:
        await letters.run_until(begun + timedelta(days=4))
        assert letters.rows("SELECT status, pause_reason FROM campaign") == [("paused", BRAKE)]
        assert {len(letters.mails_of(address)) for address in letters.of_role("silent")} == {1}
        with letters.db.transaction() as session:
            lifecycle.resume(session, letters.workspace_id, campaign, letters.clock.now())
        await letters.run_until(begun + timedelta(days=5))
    finally:
        await letters.side.engine.stop()
    assert {len(letters.mails_of(address)) for address in letters.of_role("silent")} == {2}
    assert letters.kept_walks(campaign) == {"bounced": dead, "completed": 24}
    assert letters.rows("SELECT status FROM campaign") == [("completed",)]
    letters.close()


async def _live(letters: Correspondence, second: int, begun: datetime) -> None:
    await letters.tick()
    for number, address in enumerate(letters.of_role("answers", "shared")):
        letters.answer(address, mark=" [junk]" if number == 0 else "")
    for address in letters.of_role("subject"):
        letters.answer(address, in_thread=False)
    for address in letters.of_role("stops"):
        letters.answer(address, "Stop")
    for address in letters.of_role("click"):
        letters.unsubscribe_by_one_click(address)
    for address in letters.of_role("mailto"):
        letters.unsubscribe_by_mail(address)
    letters.open_forwarded_again()
    await letters.tick()
    early = letters.flags()
    # Three days later, an hour more for those whose first mail arrived at the second attempt.
    await letters.run_until(begun + timedelta(days=3, hours=2))
    for address in letters.of_role("later"):
        letters.answer(address)
    await letters.run_until(begun + timedelta(days=5))
    letters.number_mails_anew(RENUMBERED)
    with letters.db.transaction() as session:
        lifecycle.start(session, letters.workspace_id, second, letters.clock.now())
    await letters.run_until(begun + timedelta(days=9))
    letters.clock.advance(timedelta(days=30))
    await letters.tick()
    assert letters.rows("SELECT DISTINCT uidvalidity FROM mailbox_folder") == [(RENUMBERED,)], "all was read anew"
    late = letters.flags()
    assert set(early) <= set(late), "nothing was marked or moved"
    assert all("\\" not in line for line in late if "<old-" not in line)


def _check_who_got_what(letters: Correspondence) -> None:
    for role, count in MAILS_READ.items():
        for address in letters.of_role(role):
            ids = Counter(each.rfc_id for each in letters.mails_of(address))
            assert (len(ids), ids.total()) == (count, count), address
    offered = Counter(row[0] for row in letters.rows("SELECT to_address FROM message WHERE attempts > 0"))
    for role, count in {"unknown": 1, "late": 1, "full": 1, "overquota": 1, "late-full": 1, "late-busy": 4}.items():
        assert {offered[address] for address in letters.of_role(role)} == {count}, role


def _check_walks(letters: Correspondence, first: int, second: int) -> None:
    in_second = {"replied": "removed"}
    for campaign_id, names in ((first, {}), (second, in_second)):
        walks = letters.walks(campaign_id)
        for end, roles in ENDS.items():
            assert {walks[address] for address in letters.of_role(*roles)} == {names.get(end, end)}, (campaign_id, end)
        assert letters.kept_walks(campaign_id) == Counter(walks.values())
    assert letters.rows("SELECT DISTINCT status FROM campaign") == [("completed",)]
    statuses = dict(letters.rows("SELECT email, status FROM contact"))
    for status, roles in CONTACTS.items():
        assert {statuses[address] for address in letters.of_role(*roles)} == {status}, status


def _check_ladder(letters: Correspondence) -> None:
    """Five attempts of one message for who stays full, two for who was full once, one for who is only delayed."""
    for role, expected in (("full", LADDER), ("overquota", LADDER), ("late-full", LADDER), ("moved", LADDER[:1])):
        for address in letters.of_role(role):
            assert _gaps_of_first(letters, address) == expected, address
    for address in letters.of_role("late-busy", "shared"):
        assert _gaps_of_first(letters, address) == [], address
    reports = [each for _, each in letters.incoming() if each.kind == "report"]
    copies = _copies(letters)
    about = Counter(rfc_id for each in reports for rfc_id in each.about if rfc_id in copies)
    for address in letters.of_role("late-full"):
        assert [n for rfc_id, n in about.items() if copies[rfc_id].to == address] == [5], "the same Message-ID"
    for address in letters.of_role("moved"):
        assert [rfc_id for rfc_id in about if copies[rfc_id].to == address] == [letters.mails_of(address)[0].rfc_id]
        starts = _starts(letters, address)
        assert starts[2] - starts[1] >= timedelta(days=3), "the delay counts from the last acceptance"


def _gaps_of_first(letters: Correspondence, address: str) -> list[timedelta]:
    """The pauses between the attempts of the first message to an address."""
    rows = letters.rows(
        "SELECT count(*) FROM attempt WHERE message_id = (SELECT min(id) FROM message WHERE to_address = :to)",
        to=address,
    )
    return [later - earlier for earlier, later in pairwise(_starts(letters, address)[: rows[0][0]])]


def _starts(letters: Correspondence, address: str) -> list[datetime]:
    return letters.moments(
        "SELECT a.started_at FROM attempt a JOIN message m ON m.id = a.message_id WHERE m.to_address = :to"
        " ORDER BY a.id",
        to=address,
    )


def _copies(letters: Correspondence) -> dict[str, Arrived]:
    """What lies in the Sent folders, by Message-ID."""
    return {each.rfc_id: each for sender in letters.senders for each in letters.mails_of(sender, "Sent")}


def _check_sent_folders(letters: Correspondence) -> None:
    """Each mail that a server took lies in its account's Sent folder once, and nothing else does."""
    for sender in letters.senders:
        lying = Counter(each.rfc_id for each in letters.mails_of(sender, "Sent"))
        taken = letters.rows(
            "SELECT DISTINCT m.rfc_id FROM message m JOIN attempt a ON a.message_id = m.id AND a.outcome = 'accepted'"
            " JOIN email_account ea ON ea.id = m.account_id WHERE ea.email = :sender",
            sender=sender,
        )
        assert lying == Counter(row[0] for row in taken)
        assert lying, sender
    read = {each.rfc_id for address in letters.of_role(*MAILS_READ) for each in letters.mails_of(address)}
    unread = {each.rfc_id for each in _copies(letters).values() if each.to.startswith("late-")}
    assert set(_copies(letters)) == read | unread


def _check_figures(letters: Correspondence, first: int, second: int) -> None:
    for campaign_id, subject in ((first, FIRST_SUBJECT), (second, SECOND_SUBJECT)):
        books = letters.books(campaign_id)
        counted = _recount(letters, subject)
        assert {metric: books.get(metric, 0) for metric in counted} == counted, subject
    with letters.db.read() as session:
        assert figures.verify(session) == []


def _recount(letters: Correspondence, subject: str) -> dict[str, int]:
    """What the figures of the campaign with this subject should be, from mailboxes and the server's log alone."""
    copies = {rfc_id: each for rfc_id, each in _copies(letters).items() if each.subject.endswith(subject)}
    found: dict[str, set[str]] = {"reply": set(), "automatic": set(), "unsubscribe": set()}
    soft: Counter[str] = Counter()
    hard: set[str] = set()
    delays = 0
    for _, each in letters.incoming():
        about = [copies[rfc_id] for rfc_id in each.about if rfc_id in copies]
        if each.kind == "unsubscribe" or (each.kind != "report" and (about or each.subject == f"Re: {subject}")):
            found[each.kind].add(each.sender)
        for copy in about if each.kind == "report" else ():
            delays += each.action == "delayed"
            if each.action == "failed":
                hard |= {copy.to} if each.status in HARD_CODES else set()
                soft[copy.to] += each.status not in HARD_CODES
    if subject == FIRST_SUBJECT:
        for (address, code), n in letters.postfix_refusals().items():
            hard |= {address} if code in HARD_CODES else set()
            soft[address] += 0 if code in HARD_CODES else n
        left = found["unsubscribe"] | set(letters.of_role("click", "stops"))
    else:
        left = set()
    steps = len(LADDER)
    hard |= {address for address, n in soft.items() if n > steps}
    reached = {copy.to for copy in copies.values()}
    return {
        # Whom a server refuses for good was written to as well: the shares of bounces go by both.
        "email.sent": len(copies) + len(hard - reached),
        "email.replied": len(found["reply"]),
        "email.auto_replied": len(found["automatic"]),
        "email.unsubscribed": len(left),
        "email.bounced": len(hard),
        "email.deferred": sum(min(n, steps) for n in soft.values()),
        "email.delayed": delays,
    }


def _check_conversations(letters: Correspondence) -> None:
    """One for each contact and account between which something was said, and nothing else is kept of any mailbox."""
    incoming = letters.incoming()
    said = {(sender, each.sender) for sender, each in incoming if each.kind in ("reply", "automatic")}
    rows = letters.rows(
        "SELECT ea.email, c.email, cv.status FROM conversation cv JOIN contact c ON c.id = cv.contact_id"
        " JOIN email_account ea ON ea.id = cv.account_id"
    )
    assert sorted((sender, contact) for sender, contact, _ in rows) == sorted(said)
    kept = dict(letters.rows("SELECT status, n FROM conversation_count WHERE n <> 0"))
    assert kept == Counter(status for _, _, status in rows) == {"unread": len(said)}
    stored = Counter(dict(letters.rows("SELECT kind, count(*) FROM inbound GROUP BY kind")))
    expected = Counter(each.kind if each.kind != "report" else _report_kind(each) for _, each in incoming)
    assert stored == expected


def _report_kind(report: Arrived) -> str:
    return "delay" if report.action == "delayed" else "bounce"
