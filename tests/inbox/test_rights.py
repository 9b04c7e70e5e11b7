"""Everything about one person: it leaves as one document, and erasing leaves nothing of them in any table."""

import base64
import contextlib
import json
import zlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text
from sqlmodel import Session

from fluenzr_app.campaigns import tick as campaign_tick
from fluenzr_app.campaigns.self_tests import queue_test
from fluenzr_app.contacts import labels, suppression
from fluenzr_app.contacts.errors import ContactNotFound
from fluenzr_app.contacts.models import Contact
from fluenzr_app.contacts.notes import add_note
from fluenzr_app.contacts.service import update_contact
from fluenzr_app.contacts.stages import list_stages, make_stages, move_to_stage
from fluenzr_app.crypto import KeyRing
from fluenzr_app.inbox import answers, search
from fluenzr_app.inbox.erasure import erase_people
from fluenzr_app.inbox.person_export import person_document
from fluenzr_app.mail.transport import SendFailure
from fluenzr_app.sending.settle import settle
from fluenzr_app.sending.values import Marked, Outcome, OutcomeKind
from fluenzr_app.tracking import judge
from fluenzr_app.tracking.hits import NewHit, write_hits
from fluenzr_app.tracking.links import TrackedMail
from fluenzr_app.tracking.objections import object_to_tracking, objected_at
from fluenzr_app.workspaces import audit
from tests.engine_world import ON_SQLITE, TWO_MAILS, mail
from tests.inbox.world import InboxWorld
from tests.people import make_person, make_workspace

# In no word of ours: each stands for one thing that a person, or somebody about them, wrote or is called.
MARK = "zyxwerin"
DOMAIN = "zyxwerin-family.example"
EMAIL = f"Zyxwerin0@{DOMAIN}"
_COPIES = ("search", "email_key", "domain", "to_domain", "shown")
SECOND = timedelta(seconds=1)
GREYLISTED = SendFailure("recipient", f"4.7.1 <{EMAIL}> try later", permanent=False, code=450)


class Life:
    """One contact with whom everything has happened that can, and a neighbour of whom nothing may be lost."""

    def __init__(self, inbox: InboxWorld) -> None:
        self.inbox = inbox
        self.workspace_id = inbox.workspace_id

    async def live(self) -> "Life":
        inbox = self.inbox
        with inbox.db.transaction() as session:
            session.connection().execute(text("UPDATE workspace SET tracking_details = :yes"), {"yes": True})
            make_stages(session, self.workspace_id, inbox.clock.now())
            self.user_id = make_person(
                session, self.workspace_id, "camille@rivage.example", "admin", inbox.clock.now()
            ).user_id
        self.account = inbox.account()
        columns = {
            name: f"{MARK} {name}" for name in ("last_name", "company", "job_title", "city", "notes", "consent_notes")
        }
        (self.contact,) = inbox.people(1, prefix="Zyxwerin", domain=DOMAIN, **columns)
        (self.neighbour,) = inbox.people(1, prefix="nora", domain="voisin.example")
        inbox.office.script[EMAIL].append(GREYLISTED)
        self.campaign = inbox.campaign([self.account], [self.contact, self.neighbour], TWO_MAILS)
        await inbox.tick()
        await inbox.run_for(hours=30)
        self.sent = inbox.office.mails_to(EMAIL)[0]
        inbox.answer(self.sent, f"Oui, {MARK} reply.")
        inbox.answer(inbox.office.mails_to("nora0@voisin.example")[0], "Oui, voisine.")
        inbox.read()
        self.conversation = int(inbox.one("SELECT id FROM conversation WHERE contact_id = :id", id=self.contact))
        self._write()
        inbox.clock.advance(timedelta(seconds=30))
        await inbox.tick()
        self._happen()
        await inbox.tick()
        return self

    def _write(self) -> None:
        now, place = self.inbox.clock.now(), (self.workspace_id, self.conversation, self.user_id)
        with self.inbox.db.transaction() as session:
            answers.add_file(session, *place, f"{MARK}.txt", "text/plain", MARK.encode(), now)
            answers.send_answer(
                session, self.workspace_id, self.conversation, f"<p>{MARK} answer</p>", now, self.inbox.rng,
                user_id=self.user_id,
            )  # fmt: skip
        with self.inbox.db.transaction() as session:
            answers.save_draft(session, *place, f"<p>{MARK} draft</p>", now)
            answers.add_file(session, *place, f"{MARK}.pdf", "application/pdf", b"%PDF " + MARK.encode(), now)

    def _happen(self) -> None:
        now = self.inbox.clock.now()
        message = int(
            self.inbox.one("SELECT min(id) FROM message WHERE contact_id = :id AND kind = 'campaign'", id=self.contact)
        )
        tracked = TrackedMail(
            self.workspace_id, message, self.contact, self.campaign, self.account, 1, now - timedelta(hours=2)
        )
        with self.inbox.db.transaction() as session:
            add_note(session, self.workspace_id, self.contact, f"{MARK} note", now, by=self.user_id)
            stage = list_stages(session, self.workspace_id)[1].id
            move_to_stage(session, self.workspace_id, self.contact, stage, now, by=self.user_id, note=f"{MARK} stage")
            labels.add_tags(session, self.workspace_id, ["salon"], [self.contact])
            link = f"https://meet.example/{MARK}"
            at = now - timedelta(hours=1)
            hits = [
                NewHit("open", tracked, at, "", ip="192.0.2.7", user_agent=f"{MARK}-agent"),
                NewHit("click", tracked, at + 20 * SECOND, "", link=link, ip="192.0.2.7"),
            ]
            write_hits(session, hits)
            judge.judge_due(session, now)
            write_hits(session, [NewHit("click", tracked, now, "", link=link, ip="192.0.2.8")])
            email_hash = bytes(session.get_one(Contact, self.contact).email_hash)
            object_to_tracking(session, self.workspace_id, email_hash, now, self.contact)
            suppression.add(session, self.inbox.keyring, self.workspace_id, [EMAIL], "manual", now)
            audit.record(session, None, self.workspace_id, "suppression.removed", EMAIL.lower(), None, now)
            # A test of a mail reads as this contact's will.
            queue_test(
                session, self.workspace_id, self.campaign, "n1", self.account, "camille@rivage.example", now,
                self.inbox.rng,
            )  # fmt: skip

    def erase(self, contact_id: int | None = None, workspace_id: int | None = None) -> int:
        return self.inbox.db.transact(
            erase_people, workspace_id or self.workspace_id, [contact_id or self.contact], self.inbox.clock.now()
        )

    def document(self, workspace_id: int | None = None) -> dict[str, Any]:
        with self.inbox.db.read() as session:
            return person_document(session, workspace_id or self.workspace_id, self.contact, self.inbox.clock.now())


def places_of(inbox: InboxWorld, mark: str) -> set[str]:
    """Every column of every table in which a text stands, however it is packed."""
    found = set()
    with inbox.db.read() as session:
        for table, column, value in _values(session):
            if any(mark in each.lower() for each in _unpacked(value)):
                found.add(f"{table}.{column}")
    return found


def _values(session: Session) -> Iterator[tuple[str, str, Any]]:
    connection = session.connection()
    if connection.dialect.name == "sqlite":
        # What the index of words has not merged yet is no row of anybody's; what it would find is asked below.
        names = [
            row[0]
            for row in connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'")
            if not row[0].endswith("_search_data")
        ]
    else:
        names = inspect(connection).get_table_names()
    for name in names:
        rows = connection.exec_driver_sql(f'SELECT * FROM "{name}"')
        columns = list(rows.keys())
        for row in rows:
            for column, value in zip(columns, row, strict=True):
                yield name, column, value


def _unpacked(value: Any) -> list[str]:
    if isinstance(value, memoryview | bytes):
        raw = bytes(value)
        texts = [raw.decode("utf-8", "replace")]
        with contextlib.suppress(zlib.error):
            texts.append(zlib.decompress(raw).decode("utf-8", "replace"))
        return texts
    if isinstance(value, dict | list):
        return [json.dumps(value)]
    return [str(value)]


async def test_erasing_a_person_leaves_nothing_but_the_hash(inbox: InboxWorld) -> None:
    life = await Life(inbox).live()
    before = places_of(inbox, MARK)
    for place in (
        "contact.email", "contact.notes", "message.to_address", "message.subject", "message.to_domain",
        "attempt.to_domain", "attempt.text", "sent_mail.raw", "inbound.text", "inbound_content.content", "answer.html",
        "answer_draft.html", "answer_file.content", "event.data", "hit.user_agent", "hit.link", "suppression.shown",
        "audit_entry.subject", "conversation.preview",
    ):  # fmt: skip
        assert place in before, f"the test plants nothing in {place}"
    email_hash = bytes(inbox.one("SELECT email_hash FROM contact WHERE id = :id", id=life.contact))
    counts = inbox.rows("SELECT * FROM rollup ORDER BY 1, 2, 3, 4, 5")
    assert life.erase() == 1
    assert places_of(inbox, MARK) == set()
    assert inbox.rows("SELECT * FROM rollup ORDER BY 1, 2, 3, 4, 5") == counts
    inbox.check_books()
    with inbox.db.read() as session:
        assert suppression.has_hash(session, life.workspace_id, email_hash)
        assert objected_at(session, life.workspace_id, email_hash) is not None
        assert search.find(session, life.workspace_id, MARK, (), 10) == ()
        assert len(search.find(session, life.workspace_id, "voisine", (), 10)) == 1
    assert inbox.one("SELECT count(*) FROM hit WHERE contact_id = :id", id=life.contact) == 0
    rules = inbox.rows("SELECT data FROM event WHERE type = 'email.link_clicked'")
    assert [json.loads(row[0]) if isinstance(row[0], str) else row[0] for row in rules] == [{"rule": "person"}]
    assert inbox.one("SELECT to_address FROM message WHERE contact_id = :id", id=life.neighbour)
    await inbox.run_for(days=5)
    inbox.read()
    assert places_of(inbox, MARK) == set()


@ON_SQLITE
async def test_the_file_itself_holds_nothing_once_it_is_written_anew(inbox: InboxWorld) -> None:
    life = await Life(inbox).live()
    path = Path(inbox.db.engine.url.database or "")
    life.erase()
    with inbox.db.engine.connect() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.execute("INSERT INTO conversation_search (conversation_search) VALUES ('optimize')")
        driver.execute("VACUUM")
        driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    content = path.read_bytes().lower()
    assert b"voisin.example" in content
    assert MARK.encode() not in content


async def test_a_mail_under_way_while_its_contact_is_erased_tells_nothing_afterwards(inbox: InboxWorld) -> None:
    account = inbox.account()
    (contact,) = inbox.people(1, prefix="zyxwerin", domain=DOMAIN)
    inbox.campaign([account], [contact], (mail("n1", "For {{firstName}}"),))
    campaign_tick.tick(inbox.db, inbox.clock, inbox.plans, inbox.rng)
    claims = inbox.claim(account).claimed
    assert isinstance(inbox.mark(claims)[claims[0].message.id], Marked)
    inbox.db.transact(erase_people, inbox.workspace_id, [contact], inbox.clock.now())
    outcome = Outcome(
        claims[0].message, 1, OutcomeKind.ACCEPTED, inbox.clock.now(), subject=f"For {MARK}", text=f"<{MARK}> ok",
        raw=f"To: {MARK}".encode(), copied=True,
    )  # fmt: skip
    with inbox.db.transaction() as session:
        assert len(settle(session, inbox.origins, [outcome], inbox.clock.now())) == 1
    assert places_of(inbox, MARK) == set()
    assert inbox.messages() == {"sent": 1}
    assert inbox.events() == ["email.sent"]


async def test_the_document_holds_everything_about_one_person_and_nobody_else(inbox: InboxWorld) -> None:
    life = await Life(inbox).live()
    document = json.loads(json.dumps(life.document()))
    contact = document["contact"]
    assert (contact["email"], contact["lastName"], contact["tags"]) == (EMAIL, f"{MARK} last_name", ["salon"])
    assert contact["stage"]
    assert document["suppression"][0]["reason"] == "manual"
    assert document["trackingObjectedAt"]
    assert document["enrollments"][0]["campaign"] == "Printemps"
    mails = {each["kind"]: each for each in document["messages"]}
    assert [each["outcome"] for each in mails["campaign"]["attempts"]] == ["deferred", "accepted"]
    assert b"List-Unsubscribe:" in base64.b64decode(mails["campaign"]["source"])
    assert "Hello" in mails["campaign"]["text"]
    assert f"{MARK} answer" in mails["answer"]["html"]
    assert base64.b64decode(mails["answer"]["files"][0]["content"]) == MARK.encode()
    assert f"{MARK} reply" in document["receivedMails"][0]["text"]
    assert MARK.encode() in base64.b64decode(document["receivedMails"][0]["source"])
    assert f"{MARK} draft" in document["conversations"][0]["drafts"][0]["html"]
    assert document["conversations"][0]["draftFiles"][0]["filename"] == f"{MARK}.pdf"
    types = {each["type"] for each in document["events"]}
    assert types >= {"email.sent", "email.deferred", "email.opened", "email.clicked", "email.answered", "contact.noted"}
    assert {each["ip"] for each in document["opensAndClicks"]} == {"192.0.2.7", "192.0.2.8"}
    assert {each["rule"] for each in document["opensAndClicks"] if each["judgedAt"]} == {"person"}
    whole = json.dumps(document)
    assert "nora" not in whole
    assert "voisine" not in whole


async def test_whatever_a_table_says_of_the_person_is_in_the_document(inbox: InboxWorld) -> None:
    life = await Life(inbox).live()
    document = life.document()
    whole = json.dumps(document) + "".join(_sources(document))
    with inbox.db.read() as session:
        for table, column, value in _values(session):
            # The rest is made of what is told: folded copies for the search, keys, who looked at whom.
            told = not table.startswith(("conversation_search", "audit")) and column not in _COPIES
            if told and isinstance(value, str) and MARK in value.lower():
                try:
                    # SQLite keeps JSON as text.
                    value = json.dumps(json.loads(value))[1:-1]
                except ValueError:
                    value = json.dumps(value)[1:-1]
                assert value in whole, f"{table}.{column} is left out"


def _sources(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            if name in ("source", "content") and isinstance(each, str):
                yield base64.b64decode(each).decode("utf-8", "replace")
            else:
                yield from _sources(each)
    elif isinstance(value, list):
        for each in value:
            yield from _sources(each)


async def test_another_workspace_neither_reads_nor_erases(inbox: InboxWorld, keyring: KeyRing) -> None:
    life = await Life(inbox).live()
    with inbox.db.transaction() as session:
        other = make_workspace(session, keyring, "Studio Lointain", inbox.clock.now())
    before = places_of(inbox, MARK)
    with pytest.raises(ContactNotFound):
        life.document(other)
    assert life.erase(workspace_id=other) == 0
    assert places_of(inbox, MARK) == before


async def test_an_address_that_changed_is_erased_by_what_it_is_now(inbox: InboxWorld) -> None:
    (contact,) = inbox.people(1, prefix="zyxwerin", domain=DOMAIN)
    with inbox.db.transaction() as session:
        update_contact(
            session, inbox.keyring, inbox.workspace_id, contact, {"email": f"{MARK}@neu.example"}, inbox.clock.now()
        )
        assert erase_people(session, inbox.workspace_id, [contact, contact], inbox.clock.now()) == 1
    assert places_of(inbox, MARK) == set()
