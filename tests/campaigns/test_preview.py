"""The preview shows the real people to whom a campaign will write."""

import random
import re
from dataclasses import replace

from sqlalchemy import text
from sqlmodel import Session

from fluenzr_app.campaigns import service
from fluenzr_app.campaigns.audience import add_contacts, enroll_groups
from fluenzr_app.campaigns.nodes import EmailNode
from fluenzr_app.campaigns.preview import draft_of_test, preview
from fluenzr_app.campaigns.workflow import linear_workflow
from fluenzr_app.clock import ManualClock
from fluenzr_app.contacts.labels import add_to_group, create_group
from fluenzr_app.contacts.models import Contact
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.tracking.objections import object_to_tracking
from fluenzr_app.workspaces.models import Workspace
from tests.people import People, make_account, make_contact

PUBLIC_URL = "https://app.rivage.example"
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
        assert preview(session, workspace_id, campaign, "n1", 0, PUBLIC_URL, now).is_sample
        linked = _group(
            session, people, keyring, clock, "West",
            "archived@a.example", "nadia@a.example", "paul@b.example", "rose@b.example",
        )  # fmt: skip
        rivals = _group(session, people, keyring, clock, "Rivals")
        add_to_group(session, workspace_id, rivals, [_id(session, "paul@b.example")])
        service.update_campaign(session, workspace_id, campaign, now, group_ids=[linked], excluded_group_ids=[rivals])
        shown = [preview(session, workspace_id, campaign, "n1", number, PUBLIC_URL, now) for number in (0, 1, 2)]
        assert [(each.to_address, each.subject) for each in shown] == [
            ("nadia@a.example", "Hello Nadia"),
            ("rose@b.example", "Hello Rose"),
            ("rose@b.example", "Hello Rose"),
        ]
        assert {(each.total, each.is_sample) for each in shown} == {(2, False)}
        assert enroll_groups(session, workspace_id, campaign, [linked], now, random.Random(1)) == 2


def _id(session: Session, email: str) -> int:
    return int(session.connection().execute(text("SELECT id FROM contact WHERE email = :e"), {"e": email}).scalar_one())


def _campaign(session: Session, people: People, clock: ManualClock, mail: EmailNode = MAIL, **settings: bool) -> int:
    return service.create_campaign(
        session, people.workspace_id, "Achats", clock.now(), workflow=linear_workflow([mail]),
        settings=dict(settings),
    ).id  # fmt: skip


def test_the_footer_is_the_real_mail_s_but_leads_nobody_s_way(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock
):
    now, workspace_id = clock.now(), people.workspace_id
    with database.transaction() as session:
        campaign = _campaign(session, people, clock)
        shown = preview(session, workspace_id, campaign, "n1", 0, PUBLIC_URL, now)
    for part in (shown.html or "", shown.text):
        assert "1 quai du Port, 13000 Marseille" in part
        assert f"{PUBLIC_URL}/u/sample" in part
        assert f"{PUBLIC_URL}/p/sample" in part
        assert "une image qui nous indique" in part
    assert "<img" not in (shown.html or "")


def test_the_footer_says_nothing_of_a_pixel_that_the_mail_will_not_have(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock
):
    now, workspace_id = clock.now(), people.workspace_id
    with database.transaction() as session:
        silent = _campaign(session, people, clock, trackOpens=False)
        unasked = _campaign(session, people, clock, replace(MAIL, track_opens=False))
        asked = _campaign(session, people, clock)
        group = _group(session, people, keyring, clock, "West", "nadia@a.example", "paul@b.example")
        service.update_campaign(session, workspace_id, asked, now, group_ids=[group])
        nadia = session.get_one(Contact, _id(session, "nadia@a.example"))
        object_to_tracking(session, workspace_id, bytes(nadia.email_hash), now, nadia.id)

        def speaks(campaign: int, position: int = 0) -> bool:
            shown = preview(session, workspace_id, campaign, "n1", position, PUBLIC_URL, now)
            told = {"/p/" in shown.text, "/p/" in (shown.html or "")}
            assert len(told) == 1
            return told.pop()

        assert [speaks(silent), speaks(unasked), speaks(asked, 0), speaks(asked, 1)] == [False, False, False, True]
        session.get_one(Workspace, workspace_id).track_opens = False
        session.flush()
        assert not speaks(asked, 1)


def test_a_link_in_the_text_stands_for_the_one_in_the_footer(database: Database, people: People, clock: ManualClock):
    own = replace(MAIL, body='<p>A word. <a href="{{unsubscribe_link}}">No more</a></p>')
    with database.transaction() as session:
        campaign = _campaign(session, people, clock, own)
        shown = preview(session, people.workspace_id, campaign, "n1", 0, PUBLIC_URL, clock.now())
    for part in (shown.html or "", shown.text):
        assert part.count("/u/sample") == 1
        assert part.count("/p/sample") == 1


def test_a_test_to_oneself_reads_as_the_real_mail_and_cannot_unsubscribe_anybody(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock
):
    now, workspace_id = clock.now(), people.workspace_id
    with database.transaction() as session:
        account = make_account(session, workspace_id, "camille@rivage.example", now, imap_host="127.0.0.1")
        contact = make_contact(session, keyring, workspace_id, "nadia@a.example", now)
        campaign = _campaign(session, people, clock)
        add_contacts(session, workspace_id, campaign, [contact], now, random.Random(1))
        draft = draft_of_test(
            session, workspace_id, campaign, "n1", account, "camille@rivage.example", "<t@rivage.example>", PUBLIC_URL,
            now,
        )  # fmt: skip
    assert (draft.unsubscribe_url, draft.unsubscribe_mailto) == (None, None)
    for part in (draft.html or "", draft.text):
        assert re.findall(r"/[ucpo]/[\w-]+", part) == ["/u/sample", "/p/sample"]
    assert "<img" not in (draft.html or "")
