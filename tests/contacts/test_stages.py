"""Stages of the pipeline, what moves contacts between them, and notes, on both databases."""

import random
import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from fluenzr_app.campaigns import audience
from fluenzr_app.campaigns import service as campaigns
from fluenzr_app.campaigns.history import HistoryLine, history_of_contact
from fluenzr_app.clock import ManualClock
from fluenzr_app.contacts.bulk import bulk_upsert
from fluenzr_app.contacts.errors import ContactNotFound, InvalidValue, StageNotFound
from fluenzr_app.contacts.models import PipelineStage
from fluenzr_app.contacts.notes import add_note
from fluenzr_app.contacts.service import create_contact, delete_contacts, get_contact, update_contact
from fluenzr_app.contacts.stages import DEFAULTS, answered, became_lead, list_stages, make_stages, move_to_stage
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.events.figures import verify
from fluenzr_app.events.models import Event
from fluenzr_app.workspaces.service import update_workspace
from tests.people import People, make_account, make_contact


@pytest.fixture
def contact(database: Database, people: People, keyring: KeyRing, clock: ManualClock) -> int:
    """A contact of the owner's workspace, which has its stages."""
    with database.transaction() as session:
        make_stages(session, people.workspace_id, clock.now())
        return make_contact(session, keyring, people.workspace_id, "helene@sogelia.example", clock.now())


def stage(session: Session, workspace_id: int, kind: str) -> int:
    return next(each.id for each in list_stages(session, workspace_id) if each.kind == kind)


def kind_of(session: Session, workspace_id: int, contact_id: int) -> str | None:
    found = get_contact(session, workspace_id, contact_id).stage
    return found.kind if found else None


def moves(session: Session, workspace_id: int, contact_id: int) -> list[tuple[str | None, str | None, dict[str, Any]]]:
    """The contact's moves, oldest first: from, to, and what else is told."""
    lines = reversed(history_of_contact(session, workspace_id, contact_id))
    return [_move(line) for line in lines if line.type == "contact.stage_changed"]


def _move(line: HistoryLine) -> tuple[str | None, str | None, dict[str, Any]]:
    told = dict(line.data)
    before, after = told.pop("from"), told.pop("to")
    return before and before["kind"], after and after["kind"], told


def test_the_six_stages_are_made_once_in_order_with_words_in_the_workspaces_language(
    database: Database, people: People, clock: ManualClock
) -> None:
    ours, theirs = people.workspace_id, people.other_workspace_id
    with database.transaction() as session:
        update_workspace(session, theirs, language="en")
        assert list_stages(session, ours) == ()
        made = make_stages(session, ours, clock.now())
        assert make_stages(session, ours, clock.now()) == made
        english = make_stages(session, theirs, clock.now())
        assert make_stages(session, 999, clock.now()) == ()
    assert tuple((each.kind, each.color) for each in made) == DEFAULTS
    assert [each.title for each in made] == [
        "Lead", "Qualifié", "Proposition", "Négociation", "Gagné", "Perdu",
    ]  # fmt: skip
    assert [each.title for each in english] == ["Lead", "Qualified", "Proposal", "Negotiation", "Won", "Lost"]
    with database.read() as session:
        assert list_stages(session, ours) == made


def test_two_processes_that_need_the_stages_at_once_make_them_once(
    database: Database, people: People, clock: ManualClock
) -> None:
    at_once = threading.Barrier(4)
    found: list[Any] = []

    def make() -> None:
        at_once.wait()
        found.append(database.transact(make_stages, people.workspace_id, clock.now()))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert len(found[0]) == 6


def test_a_renamed_stage_keeps_its_name_and_a_workspace_may_add_its_own(
    database: Database, people: People, clock: ManualClock, contact: int
) -> None:
    with database.transaction() as session:
        row = session.exec(select(PipelineStage).where(col(PipelineStage.kind) == "proposal")).one()
        row.name = "Devis"
        own = PipelineStage(
            workspace_id=people.workspace_id, name="Essai", color="teal", position=6, created_at=clock.now()
        )
        session.add(own)
        session.flush()
        titles = [each.title for each in list_stages(session, people.workspace_id)]
        assert titles == ["Lead", "Qualifié", "Devis", "Négociation", "Gagné", "Perdu", "Essai"]
        move_to_stage(session, people.workspace_id, contact, own.id, clock.now(), by=None)
        card = get_contact(session, people.workspace_id, contact)
        assert card.stage is not None
        assert (card.stage.title, card.stage.kind, card.stage.color) == ("Essai", "", "teal")


def test_a_move_is_dated_and_told_once_with_who_and_why(
    database: Database, people: People, clock: ManualClock, contact: int
) -> None:
    ws, by = people.workspace_id, people.teammate.user_id
    with database.transaction() as session:
        proposal = stage(session, ws, "proposal")
        assert move_to_stage(session, ws, contact, proposal, clock.now(), by=by, note=" Veut un devis\r\nlundi ")
        assert not move_to_stage(session, ws, contact, proposal, clock.now(), by=by, note="again")
        card = get_contact(session, ws, contact)
        assert (card.contact.stage_id, card.contact.stage_at, card.contact.revision) == (proposal, clock.now(), 2)
        assert card.stage is not None
        assert card.stage.kind == "proposal"
    clock.advance(timedelta(hours=1))
    with database.transaction() as session:
        assert move_to_stage(session, ws, contact, stage(session, ws, "lead"), clock.now(), by=by)
        assert move_to_stage(session, ws, contact, None, clock.now(), by=None)
        assert not move_to_stage(session, ws, contact, None, clock.now(), by=None)
        card = get_contact(session, ws, contact)
        assert (card.contact.stage_id, card.contact.stage_at, card.stage) == (None, None, None)
        assert moves(session, ws, contact) == [
            (None, "proposal", {"by": by, "note": "Veut un devis\nlundi"}),
            ("proposal", "lead", {"by": by}),
            ("lead", None, {}),
        ]
        assert verify(session) == []


def test_nothing_of_another_workspace_moves_or_is_moved_into(
    database: Database, people: People, clock: ManualClock, contact: int
) -> None:
    ws, other, by = people.workspace_id, people.other_workspace_id, people.stranger.user_id
    with database.transaction() as session:
        ours, theirs = stage(session, ws, "won"), make_stages(session, other, clock.now())[0].id
        for workspace_id, stage_id, refusal in (
            (other, theirs, ContactNotFound),
            (other, None, ContactNotFound),
            (other, ours, StageNotFound),
            (ws, theirs, StageNotFound),
            (ws, 0, StageNotFound),
        ):
            with pytest.raises(refusal):
                move_to_stage(session, workspace_id, contact, stage_id, clock.now(), by=by)
        with pytest.raises(ContactNotFound):
            add_note(session, other, contact, "ours now", clock.now(), by=by)
        assert became_lead(session, other, [contact], clock.now()) == 0
        assert not answered(session, other, contact, clock.now())
        with pytest.raises(InvalidValue, match="5000"):
            move_to_stage(session, ws, contact, ours, clock.now(), by=None, note="x" * 5_001)
        assert get_contact(session, ws, contact).contact.revision == 1
        assert history_of_contact(session, ws, contact) == ()


def test_whoever_has_no_stage_is_a_lead_when_enrolled_and_only_once(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock, rng: random.Random
) -> None:
    ws, now = people.workspace_id, clock.now()
    # A workspace that never had stages gets them here.
    with database.transaction() as session:
        new = [make_contact(session, keyring, ws, f"c{n}@x.example", now) for n in range(3)]
        won = make_contact(session, keyring, ws, "won@x.example", now)
        said_no = make_contact(session, keyring, ws, "no@x.example", now, status="unsubscribed")
        foreign = make_contact(session, keyring, people.other_workspace_id, "theirs@x.example", now)
        wanted = [*reversed(new), won, said_no, foreign]
        move_to_stage(session, ws, won, make_stages(session, ws, now)[4].id, now, by=None)
        account = make_account(session, ws, "camille@rivage.example", now)
        first, second = (
            campaigns.create_campaign(session, ws, name, now, account_ids=[account]).id for name in ("One", "Two")
        )
        assert audience.add_contacts(session, ws, first, wanted, now, rng).added == 4
        assert audience.add_contacts(session, ws, second, wanted, now, rng).added == 4
        assert [kind_of(session, ws, each) for each in (*new, won, said_no)] == ["lead"] * 3 + ["won", None]
        assert kind_of(session, people.other_workspace_id, foreign) is None
        for each in new:
            assert moves(session, ws, each) == [(None, "lead", {"automation": "enrolled"})]
        assert get_contact(session, ws, new[0]).contact.stage_at == now
        assert verify(session) == []


def test_the_automations_can_be_switched_off(
    database: Database, people: People, clock: ManualClock, contact: int
) -> None:
    ws = people.workspace_id
    with database.transaction() as session:
        update_workspace(session, ws, lead_on_enrollment=False, qualify_on_reply=False)
        assert became_lead(session, ws, [contact], clock.now()) == 0
        assert not answered(session, ws, contact, clock.now())
        assert kind_of(session, ws, contact) is None
        update_workspace(session, ws, lead_on_enrollment=True)
        assert became_lead(session, ws, [contact, contact], clock.now()) == 1
        assert not answered(session, ws, contact, clock.now())
        update_workspace(session, ws, qualify_on_reply=True)
        assert answered(session, ws, contact, clock.now())
        assert kind_of(session, ws, contact) == "qualified"


@pytest.mark.parametrize(
    ("before", "moved"),
    [(None, True), ("lead", True), ("qualified", False), ("proposal", False), ("won", False), ("lost", False)],
)
def test_an_answer_qualifies_whoever_is_not_that_far_yet(
    database: Database, people: People, clock: ManualClock, contact: int, before: str | None, moved: bool
) -> None:
    ws = people.workspace_id
    with database.transaction() as session:
        if before is not None:
            move_to_stage(session, ws, contact, stage(session, ws, before), clock.now(), by=None)
        assert answered(session, ws, contact, clock.now()) is moved
        assert not answered(session, ws, contact, clock.now())
        assert kind_of(session, ws, contact) == ("qualified" if moved else before)
        if moved:
            assert moves(session, ws, contact)[-1] == (before, "qualified", {"automation": "answered"})
        assert not answered(session, ws, 999_999, clock.now())


def test_where_the_stage_of_an_automation_was_deleted_nothing_moves(
    database: Database, people: People, clock: ManualClock, contact: int
) -> None:
    ws = people.workspace_id
    with database.transaction() as session:
        for row in session.exec(select(PipelineStage).where(col(PipelineStage.kind).in_(["lead", "qualified"]))):
            session.delete(row)
        session.flush()
        assert became_lead(session, ws, [contact], clock.now()) == 0
        assert not answered(session, ws, contact, clock.now())


def test_two_who_move_a_contact_at_once_make_one_move_each_or_one_in_all(
    database: Database, people: People, clock: ManualClock, contact: int
) -> None:
    ws = people.workspace_id
    with database.read() as session:
        lead = stage(session, ws, "lead")
    at_once = threading.Barrier(4)
    done: list[object] = []

    def move() -> None:
        at_once.wait()
        done.append(database.transact(move_to_stage, ws, contact, lead, clock.now(), by=people.owner.user_id))

    def enroll() -> None:
        at_once.wait()
        done.append(database.transact(became_lead, ws, [contact], clock.now()))

    threads = [threading.Thread(target=work) for work in (move, enroll, move, enroll)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(bool, done)) == [False, False, False, True]
    with database.read() as session:
        assert len(moves(session, ws, contact)) == 1
        assert get_contact(session, ws, contact).contact.revision == 2
        assert verify(session) == []


def test_a_stage_comes_with_the_values_of_a_contact_one_by_one_and_in_bulk(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock, contact: int
) -> None:
    ws = people.workspace_id
    with database.transaction() as session:
        won, lost = stage(session, ws, "won"), stage(session, ws, "lost")
        foreign = make_stages(session, people.other_workspace_id, clock.now())[0].id
        made = create_contact(session, keyring, ws, {"email": "a@x.example", "stage_id": won}, clock.now())
        assert made.stage is not None
        assert made.stage.kind == "won"
        key = made.contact.id or 0
        same = update_contact(session, keyring, ws, key, {"city": "Brest"}, clock.now())
        assert same.stage == made.stage
        assert update_contact(session, keyring, ws, key, {"stage_id": None}, clock.now()).stage is None
        items = [
            {"email": "b@x.example", "stage_id": lost},
            {"email": "c@x.example", "stage_id": foreign},
            {"email": "a@x.example", "stage_id": lost},
        ]
        result = bulk_upsert(session, keyring, ws, items, clock.now(), on_duplicate="update")
        assert [(error.index, error.code) for error in result.errors] == [(1, "stage_not_found")]
        assert [kind_of(session, ws, each) for each in (*result.created, *result.updated)] == ["lost", "lost"]
    with pytest.raises(StageNotFound), database.transaction() as session:
        create_contact(session, keyring, ws, {"email": "d@x.example", "stage_id": foreign}, clock.now())


def test_a_note_is_kept_as_written_and_goes_with_the_contact(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock, contact: int
) -> None:
    ws, by = people.workspace_id, people.owner.user_id
    with database.transaction() as session:
        other = make_contact(session, keyring, ws, "luc@sogelia.example", clock.now())
        add_note(session, ws, contact, "  Rappeler mardi\r\naprès 14 h \x00", clock.now(), by=by)
        add_note(session, ws, contact, "x" * 5_000, clock.now(), by=None)
        add_note(session, ws, other, "Voir Hélène", clock.now(), by=by)
        move_to_stage(session, ws, contact, stage(session, ws, "won"), clock.now(), by=by, note="Signé")
        told = [line.data for line in history_of_contact(session, ws, contact) if line.type == "contact.noted"]
        assert told == [{"text": "x" * 5_000}, {"text": "Rappeler mardi\naprès 14 h", "by": by}]
        for text, code in (("", "note_missing"), (" \n ", "note_missing"), ("x" * 5_001, "value_too_long")):
            with pytest.raises(InvalidValue) as refused:
                add_note(session, ws, contact, text, clock.now(), by=by)
            assert (refused.value.field, refused.value.code) == ("note", code)
        with pytest.raises(ContactNotFound):
            add_note(session, ws, 999_999, "nobody", clock.now(), by=by)
        assert delete_contacts(session, people.other_workspace_id, [contact], clock.now()) == 0
        assert delete_contacts(session, ws, [contact], clock.now()) == 1
        kept = session.exec(select(Event.contact_id, Event.data).where(col(Event.type).like("contact.%"))).all()
        assert [data for who, data in kept if who == contact] == [None, None, None]
        assert [data for who, data in kept if who == other] == [{"text": "Voir Hélène", "by": by}]
        assert verify(session) == []
