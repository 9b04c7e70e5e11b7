"""What the demonstration begins with: sample data whose past was lived through by the real engine."""

import random
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from fluenzr_app.campaigns.lifecycle import start_check
from fluenzr_app.crypto import KeyRing
from fluenzr_app.demo.people import people
from fluenzr_app.demo.story import ZONE, moment, monday_of
from fluenzr_app.events import figures
from fluenzr_app.workspaces import service as workspaces
from tests.demo.seeded import KEY, MONDAY, PASSWORD, Seeded


def test_there_are_contacts_of_every_kind_in_several_groups_and_firms(seeded: Seeded) -> None:
    by_status = seeded.counts("SELECT status, count(*) FROM contact GROUP BY status")
    assert 300 <= sum(by_status.values()) <= 400
    assert all(by_status.get(status, 0) > 0 for status in ("active", "unsubscribed", "bounced", "archived", "blocked"))
    assert len(seeded.rows("SELECT DISTINCT domain FROM contact")) > 50
    assert len(seeded.rows('SELECT id FROM "contact_group"')) == 5
    assert len(seeded.rows("SELECT DISTINCT consent_source FROM contact")) >= 5
    assert all(str(row[0]).endswith(".example") for row in seeded.rows("SELECT domain FROM contact"))


def test_accounts_are_in_every_state_and_the_broken_one_was_really_refused(seeded: Seeded) -> None:
    by_status = seeded.counts("SELECT status, count(*) FROM email_account GROUP BY status")
    assert by_status == {"connected": 4, "paused": 1, "error": 1}
    [(email, code, reason)] = seeded.rows(
        "SELECT email, error_code, error_message FROM email_account WHERE status = 'error'"
    )
    assert (email, code) == ("equipe@nova-conseil.example", "auth_failed")
    assert "Authentication failed" in str(reason)
    waiting = seeded.rows(
        "SELECT count(*) FROM message m JOIN email_account a ON a.id = m.account_id"
        " WHERE a.status = 'error' AND m.status = 'queued'"
    )
    assert int(str(waiting[0][0])) >= 2


def test_campaigns_are_in_every_state_with_figures_that_equal_their_events(seeded: Seeded) -> None:
    assert seeded.counts("SELECT status, count(*) FROM campaign GROUP BY status") == {
        "active": 2,
        "paused": 1,
        "draft": 1,
        "completed": 1,
    }
    with seeded.db.read() as session:
        assert figures.verify(session) == []
    sent = seeded.counts(
        "SELECT campaign_id, count(*) FROM message WHERE status = 'sent' AND kind = 'campaign' GROUP BY 1"
    )
    assert len(sent) == 4
    assert min(sent.values()) >= 10
    assert sum(sent.values()) > 200
    bounced = seeded.rows("SELECT count(DISTINCT campaign_id) FROM event WHERE type = 'email.bounced'")
    assert int(str(bounced[0][0])) >= 3


def test_mails_were_opened_and_links_followed_by_people_and_by_machines(seeded: Seeded) -> None:
    def mails(kind: str, machine: int) -> int:
        statement = "SELECT count(DISTINCT message_id) FROM event WHERE type = :kind AND machine = :machine"
        [(count,)] = seeded.rows(statement, kind=kind, machine=machine)
        return int(str(count))

    [(sent,)] = seeded.rows("SELECT count(*) FROM message WHERE kind = 'campaign' AND status = 'sent'")
    assert 0.42 < mails("email.opened", 0) / sent < 0.63
    assert 0.03 < mails("email.clicked", 0) / sent < 0.1
    assert mails("email.opened", 1) > 5
    assert mails("email.clicked", 1) > 5
    rules = {
        row[0] for row in seeded.rows("SELECT json_extract(data, '$.rule') FROM event WHERE type LIKE 'email.%ed'")
    }
    assert rules >= {"person", "by_click", "proxy_gmail", "proxy_apple", "scanner", "all_links"}
    campaigns = seeded.rows("SELECT DISTINCT campaign_id FROM event WHERE type = 'email.opened' AND NOT machine")
    assert len(campaigns) == 4
    links = seeded.rows("SELECT DISTINCT json_extract(data, '$.link') FROM event WHERE type = 'email.link_clicked'")
    assert len(links) > 3
    assert all(str(link).startswith("https://www.nova-conseil.example/") for (link,) in links)
    # Judged to the last one, and nothing kept beyond the dates.
    assert seeded.rows("SELECT id FROM hit") == []


def test_somebody_objected_and_is_tracked_no_more(seeded: Seeded) -> None:
    objections = seeded.rows("SELECT contact_id, at FROM event WHERE type = 'contact.tracking_objected'")
    assert objections
    later = (
        "SELECT id FROM event WHERE contact_id = :who AND at > :at"
        " AND type IN ('email.opened', 'email.clicked', 'email.link_clicked')"
    )
    for contact_id, at in objections:
        assert seeded.rows(later, who=contact_id, at=at) == []


def test_hardly_anybody_is_first_seen_to_open_a_mail_that_they_have_answered(seeded: Seeded) -> None:
    # It happens to those who read without pictures, answer, and look again where pictures are shown.
    late = seeded.rows(
        "SELECT o.id FROM event r JOIN event o ON o.message_id = r.message_id AND o.type = 'email.opened'"
        " AND NOT o.machine AND o.at > r.at WHERE r.type = 'email.replied'"
    )
    [(replies,)] = seeded.rows("SELECT count(*) FROM event WHERE type = 'email.replied'")
    assert len(late) <= int(str(replies)) // 10


def test_the_draft_has_the_faults_that_its_editor_is_to_name(seeded: Seeded) -> None:
    with seeded.db.read() as session:
        found = start_check(session, seeded.sample.workspace_id, seeded.sample.campaigns["fair"], moment(MONDAY, 0, 9))
    assert {fault.code for fault in found.faults} == {"unknown_variable", "empty_body"}


def test_every_mail_left_in_the_hours_of_its_campaign_and_within_the_ramp(seeded: Seeded) -> None:
    attempts = seeded.rows(
        "SELECT attempt.account_id, started_at, kind FROM attempt JOIN message ON message.id = message_id"
        " WHERE outcome = 'accepted' ORDER BY started_at"
    )
    per_day: dict[tuple[int, date], int] = {}
    for account_id, micros, kind in attempts:
        local = (moment(date(1970, 1, 1), 0, 1) + timedelta(microseconds=int(str(micros)))).astimezone(ZONE)
        # What somebody writes by hand leaves whenever they write it.
        assert kind != "campaign" or (local.weekday() < 5 and 9 <= local.hour < 18), (local, kind)
        key = (int(str(account_id)), local.date())
        per_day[key] = per_day.get(key, 0) + 1
    limits = {row[0]: int(str(row[1])) for row in seeded.rows("SELECT id, daily_limit FROM email_account")}
    assert all(n <= min(100, limits[account_id]) for (account_id, _), n in per_day.items())
    assert len({day for _, day in per_day}) > 15


def test_nobody_got_a_step_twice_and_nothing_is_on_its_way(seeded: Seeded) -> None:
    twice = seeded.rows(
        "SELECT enrollment_id, node_id FROM message WHERE kind = 'campaign' GROUP BY 1, 2 HAVING count(*) > 1"
    )
    assert twice == []
    states = {str(row[0]) for row in seeded.rows("SELECT DISTINCT status FROM message")}
    assert states <= {"queued", "sent", "failed", "cancelled"}
    accepted = seeded.rows("SELECT id FROM attempt WHERE outcome = 'accepted'")
    assert seeded.sample.office.sandbox.total == len(accepted)


def test_the_owner_can_sign_in(seeded: Seeded) -> None:
    owner = seeded.sample.owner
    assert owner is not None
    ticket = workspaces.sign_in(
        seeded.db,
        KeyRing(KEY),
        email=owner.email,
        password=PASSWORD,
        ip="127.0.0.1",
        nonce="n" * 24,
        now=moment(MONDAY, 0, 9),
    )
    assert ticket


def test_the_same_chance_gives_the_same_people_each_under_an_address_of_their_own() -> None:
    first, again = (list(people(400, random.Random(5))) for _ in range(2))
    assert first == again
    assert len({person["email"] for person in first}) == 400


@pytest.mark.parametrize("day", [date(2026, 3, 30), date(2026, 4, 2), date(2026, 4, 5)])
def test_the_first_day_is_the_monday_of_the_week(day: date) -> None:
    assert monday_of(day) == date(2026, 3, 30)


def test_the_process_of_a_demonstration_reaches_no_other_machine(tmp_path: Path) -> None:
    # In a process of its own: what it forbids cannot be allowed again.
    script = (
        "import asyncio, socket, uvloop\n"
        "from fluenzr_app.demo.loopback import stay_on_loopback\n"
        "from fluenzr_app.mail.network import Resolved, open_socket\n"
        "stay_on_loopback()\n"
        "async def reach(address):\n"
        "    server = await asyncio.start_server(lambda r, w: w.close(), '127.0.0.1', 0)\n"
        "    port = server.sockets[0].getsockname()[1]\n"
        "    try:\n"
        "        (await open_socket((Resolved(address, socket.AF_INET),), port, timeout_s=5)).close()\n"
        "    except OSError as error:\n"
        "        return error.strerror\n"
        "    return 'reached'\n"
        "for loop in (asyncio.run, uvloop.run):\n"
        "    print(loop(reach('127.0.0.1')), loop(reach('192.0.2.1')))\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["reached the demonstration reaches no other machine"] * 2
