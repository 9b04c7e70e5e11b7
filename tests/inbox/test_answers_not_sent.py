"""Conversations whose last answer did not leave are told apart, on either database."""

import pytest

from fluenzr_app.clock import ManualClock
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.inbox.conversations import not_sent
from tests.inbox.seed import InboxSeed, Mail
from tests.people import People


@pytest.mark.parametrize("status", ["failed", "uncertain", "cancelled"])
def test_only_the_last_answer_counts_and_only_in_its_own_workspace(
    database: Database, keyring: KeyRing, clock: ManualClock, people: People, status: str
) -> None:
    with database.transaction() as session:
        seed = InboxSeed(session, keyring, people.workspace_id, clock.now()).prepare()
        refused, mended, silent = (
            seed.conversation(name, [Mail("Bonjour")]) for name in ("Léa Martin", "Paul Roux", "Inès Vidal")
        )
        seed.answered(refused, "un", status="sent")
        seed.answered(refused, "deux", status=status)
        seed.answered(mended, "un", status=status)
        seed.answered(mended, "deux", status="queued")
        asked = [refused, mended, silent]
        assert not_sent(session, people.workspace_id, asked) == {refused: status}
        assert not_sent(session, people.other_workspace_id, asked) == {}
        assert not_sent(session, people.workspace_id, []) == {}
