"""The preview shows the real people to whom a campaign will write."""

import random

from sqlalchemy import text
from sqlmodel import Session

from fluenzr_app.campaigns import service
from fluenzr_app.campaigns.audience import enroll_groups
from fluenzr_app.campaigns.nodes import EmailNode
from fluenzr_app.campaigns.preview import preview
from fluenzr_app.campaigns.workflow import linear_workflow
from fluenzr_app.clock import ManualClock
from fluenzr_app.contacts.labels import add_to_group, create_group
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from tests.people import People, make_contact

MAIL = EmailNode("n1", "First", "Hello {{firstName}}", "<p>A word, {{firstName}}.</p>")


def _group(session: Session, people: People, keyring: KeyRing, clock: ManualClock, name: str, *emails: str) -> int:
    now, workspace_id = clock.now(), people.workspace_id
    group = create_group(session, workspace_id, name, now)
    known = [
        make_contact(
            session, keyring, workspace_id, email, now, first_name=email.partition("@")[0].capitalize(),
            status="archived" if email.startswith("archived") else "active",
        )
        for email in emails
    ]  # fmt: skip
    add_to_group(session, workspace_id, group, known)
    return group


def test_a_draft_shows_the_members_of_its_linked_groups_before_they_enter(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock
):
    now, workspace_id = clock.now(), people.workspace_id
    with database.transaction() as session:
        campaign = service.create_campaign(session, workspace_id, "Achats", now, workflow=linear_workflow([MAIL])).id
        assert preview(session, workspace_id, campaign, "n1", 0, now).is_sample
        linked = _group(
            session, people, keyring, clock, "West",
            "archived@a.example", "nadia@a.example", "paul@b.example", "rose@b.example",
        )  # fmt: skip
        rivals = _group(session, people, keyring, clock, "Rivals")
        add_to_group(session, workspace_id, rivals, [_id(session, "paul@b.example")])
        service.update_campaign(session, workspace_id, campaign, now, group_ids=[linked], excluded_group_ids=[rivals])
        shown = [preview(session, workspace_id, campaign, "n1", number, now) for number in (0, 1, 2)]
        assert [(each.to_address, each.subject) for each in shown] == [
            ("nadia@a.example", "Hello Nadia"),
            ("rose@b.example", "Hello Rose"),
            ("rose@b.example", "Hello Rose"),
        ]
        assert {(each.total, each.is_sample) for each in shown} == {(2, False)}
        assert enroll_groups(session, workspace_id, campaign, [linked], now, random.Random(1)) == 2


def _id(session: Session, email: str) -> int:
    return int(session.connection().execute(text("SELECT id FROM contact WHERE email = :e"), {"e": email}).scalar_one())
