"""The inbox as the demonstration begins with it, after five weeks of people who answer, are away or want no more."""

from datetime import timedelta

import pytest

from fluenzr_app.demo.story import moment
from fluenzr_app.inbox import conversations, saved_answers
from fluenzr_app.inbox.conversations import Filters
from fluenzr_app.inbox.thread import ThreadItem, thread
from tests.demo.seeded import MONDAY, Seeded

BEGIN = moment(MONDAY, 0, 9)


def test_mail_of_every_kind_has_arrived_and_taken_effect(seeded: Seeded) -> None:
    kinds = seeded.counts("SELECT kind, count(*) FROM inbound GROUP BY kind")
    assert kinds.keys() == {"reply", "automatic", "bounce", "unsubscribe"}
    assert kinds["reply"] >= 12
    assert kinds["automatic"] >= 4
    events = seeded.counts("SELECT type, count(*) FROM event GROUP BY type")
    for kind in ("replied", "auto_replied", "bounced", "deferred", "unsubscribed", "answered"):
        assert events[f"email.{kind}"] > 0
    ways = {row[0] for row in seeded.rows("SELECT json_extract(data, '$.how') FROM event WHERE type LIKE '%ubscribed'")}
    assert ways >= {"one_click", "mailto"}


def test_shares_stay_like_those_of_life(seeded: Seeded) -> None:
    [(sent,)] = seeded.rows("SELECT count(*) FROM message WHERE kind = 'campaign' AND attempts > 0")
    [(people,)] = seeded.rows("SELECT count(DISTINCT contact_id) FROM inbound WHERE kind = 'reply'")
    [(bounced,)] = seeded.rows("SELECT count(*) FROM event WHERE type = 'email.bounced'")
    assert 0.03 < people / sent < 0.12
    assert bounced / sent < 0.05
    # No campaign was stopped by its brake.
    assert seeded.rows("SELECT id FROM campaign WHERE pause_reason = 'bounce_brake'") == []


def test_an_answer_stopped_its_sequence_and_nobody_was_mailed_after_their_no(seeded: Seeded) -> None:
    # Answers themselves are no mail of a sequence. What had left before an answer was read could not be stopped.
    late = seeded.rows(
        "SELECT m.id FROM attempt a JOIN message m ON m.id = a.message_id JOIN event e ON e.contact_id = m.contact_id"
        " WHERE m.kind = 'campaign' AND a.started_at > e.at"
        " AND e.type IN ('email.replied', 'email.unsubscribed', 'email.bounced')"
    )
    assert late == []
    walking = seeded.rows(
        "SELECT e.id FROM enrollment e JOIN inbound i ON i.contact_id = e.contact_id"
        " WHERE i.kind = 'reply' AND e.status IN ('pending', 'in_progress')"
    )
    assert walking == []
    assert seeded.rows("SELECT id FROM enrollment WHERE status = 'replied'") != []


def test_the_books_balance(seeded: Seeded) -> None:
    kept = seeded.counts("SELECT status, n FROM conversation_count WHERE n <> 0")
    assert kept == seeded.counts("SELECT status, count(*) FROM conversation GROUP BY status")
    walks = "campaign_id || ' ' || status"
    assert seeded.counts(f"SELECT {walks}, n FROM enrollment_count WHERE n <> 0") == seeded.counts(
        f"SELECT {walks}, count(*) FROM enrollment GROUP BY 1"
    )
    lost = seeded.rows(
        "SELECT e.id FROM enrollment e JOIN campaign c ON c.id = e.campaign_id"
        " WHERE e.status IN ('pending', 'in_progress') AND c.status <> 'draft' AND e.due_at IS NULL AND NOT EXISTS"
        " (SELECT 1 FROM message m WHERE m.enrollment_id = e.id AND m.status IN ('queued', 'claimed', 'sending'))"
    )
    assert lost == []


def test_the_list_shows_every_state_and_both_labels(seeded: Seeded) -> None:
    with seeded.db.read() as session:
        page = conversations.list_conversations(session, seeded.sample.workspace_id, Filters(archived_too=True))
    assert {line.status for line in page.lines} == {"unread", "read", "replied", "archived"}
    assert {line.label for line in page.lines} >= {"interested", "later", "not_interested"}
    assert {line.last_kind for line in page.lines} == {"reply", "automatic", "answer"}
    assert any(line.returns_on is not None and line.returns_on > MONDAY for line in page.lines)
    [asking] = [line for line in page.lines if line.stop_asked_at is not None]
    assert asking.status == "unread"
    # Shown first: nobody was taken off the list by itself yet.
    assert asking.stop_asked_at is not None
    assert BEGIN - asking.stop_asked_at < timedelta(hours=2)


@pytest.fixture(scope="module")
def threads(seeded: Seeded) -> dict[int, list[ThreadItem]]:
    """All conversations as their pages show them."""
    workspace_id = seeded.sample.workspace_id
    with seeded.db.read() as session:
        lines = conversations.list_conversations(session, workspace_id, Filters(archived_too=True), per_page=100).lines
        return {line.id: list(thread(session, workspace_id, line.id)) for line in lines}


def test_one_conversation_is_long_and_one_holds_a_file(threads: dict[int, list[ThreadItem]]) -> None:
    assert max(len([item for item in items if item.kind in ("reply", "answer")]) for items in threads.values()) >= 7
    assert any(item.files for items in threads.values() for item in items)


def test_stages_notes_and_saved_answers_tell_of_the_work(seeded: Seeded) -> None:
    stages = seeded.counts(
        "SELECT s.kind, count(*) FROM contact c JOIN pipeline_stage s ON s.id = c.stage_id GROUP BY 1"
    )
    assert {"lead", "qualified", "proposal"} <= stages.keys() | {"proposal"}
    assert stages.keys() & {"proposal", "negotiation", "won"}
    [(notes,)] = seeded.rows("SELECT count(*) FROM event WHERE type = 'contact.noted'")
    assert notes > 0
    with seeded.db.read() as session:
        assert len(saved_answers.list_saved(session, seeded.sample.workspace_id)) == 2


def test_people_go_on_after_the_beginning(seeded: Seeded) -> None:
    following = seeded.sample.recipients.next_at()
    assert following is not None
    assert BEGIN - timedelta(minutes=10) <= following < BEGIN + timedelta(hours=4)
