"""What the card of a contact tells of its mails."""

from datetime import timedelta

from fluenzr_app.campaigns.history import history_of_contact
from fluenzr_app.clock import ManualClock
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.events.record import NewEvent, record
from fluenzr_app.sending.models import Message
from tests.campaigns.planted import Mail, clicked, opened
from tests.people import People, make_account, make_contact


def test_a_contacts_history_is_its_own_newest_first_with_subjects(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock
):
    now = clock.now()
    with database.transaction() as session:
        mine = make_contact(session, keyring, people.workspace_id, "helene@sogelia.example", now)
        other = make_contact(session, keyring, people.workspace_id, "luc@sogelia.example", now)
        account = make_account(session, people.workspace_id, "camille@rivage.example", now)
        message = Message(
            workspace_id=people.workspace_id, kind="test", account_id=account, contact_id=mine, due_at=now,
            to_address="helene@sogelia.example", to_domain="sogelia.example", rfc_id="a@rivage.example",
            subject="Vos délais d’achat", status="sent", created_at=now,
        )  # fmt: skip
        session.add(message)
        session.flush()
        record(
            session,
            [
                NewEvent(people.workspace_id, "email.sent", "s1", now, message_id=message.id, contact_id=mine),
                NewEvent(
                    people.workspace_id, "email.bounced", "b1", now + timedelta(hours=1), contact_id=mine,
                    data={"text": "550 5.1.1 no such user"},
                ),
                NewEvent(people.workspace_id, "email.sent", "s2", now, contact_id=other),
            ],
        )  # fmt: skip
        found = history_of_contact(session, people.workspace_id, mine)
        assert [(line.type, line.subject) for line in found] == [
            ("email.bounced", ""),
            ("email.sent", "Vos délais d’achat"),
        ]
        assert found[0].data == {"text": "550 5.1.1 no such user"}
        assert history_of_contact(session, people.workspace_id, mine, limit=1) == found[:1]
        assert history_of_contact(session, people.other_workspace_id, mine) == ()


def test_a_persons_clicks_are_told_link_by_link_and_a_machines_in_one_line(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock
):
    now, later = clock.now(), clock.now() + timedelta(hours=1)
    with database.transaction() as session:
        contact = make_contact(session, keyring, people.workspace_id, "helene@sogelia.example", now)
        mail, other = (Mail(people.workspace_id, number, contact, 1, 1) for number in (1, 2))
        clicked(session, mail, now, ["https://a.example/", "https://b.example/"], "all_links", machine=True)
        opened(session, mail, later)
        clicked(session, mail, later, ["https://a.example/", "https://b.example/"])
        # Links of this one are not known: the click itself is told.
        clicked(session, other, now, [])
        told = history_of_contact(session, people.workspace_id, contact)
        assert [(line.type, line.machine, line.data.get("link")) for line in told] == [
            ("email.link_clicked", False, "https://b.example/"),
            ("email.link_clicked", False, "https://a.example/"),
            ("email.opened", False, None),
            ("email.clicked", False, None),
            ("email.clicked", True, "https://a.example/"),
        ]
        wanted = history_of_contact(session, people.workspace_id, contact, limit=1, types=("email.opened",))
        assert wanted == (told[2],)
