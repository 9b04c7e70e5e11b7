"""`search`: a page of hits among 100,000 conversations, against one among 1,000."""

import random
import statistics
import time
from datetime import timedelta
from typing import Any

from sqlalchemy import insert, select, text
from sqlmodel import Session

from fluenzr_app.bench.world import START, BenchWorld, bench_world
from fluenzr_app.contacts.models import Contact
from fluenzr_app.db.tables import table_of
from fluenzr_app.inbox.conversations import Filters, list_conversations
from fluenzr_app.inbox.models import Conversation
from fluenzr_app.inbox.search import place_of

SMALL, LARGE = 1_000, 100_000
ROUNDS = 25
_CHUNK = 5_000
_WORDS_EACH = 40
# In every conversation, in each third, fiftieth and five hundredth; and two at once.
_ASKED = ("bonjour", "volontiers", "rendez", "zebre", "volontiers zebre")


def measure_search(small: int = SMALL, large: int = LARGE) -> dict[str, float]:
    """Return the median milliseconds of a search in both, over words that are frequent and rare, and their ratio."""
    with bench_world(1, small, due=0) as world:
        few = _median_ms(world, small)
    with bench_world(1, large, due=0) as world:
        many = _median_ms(world, large)
    return {"among_small_ms": round(few, 3), "among_large_ms": round(many, 3), "ratio": round(many / few, 3)}


def _median_ms(world: BenchWorld, count: int) -> float:
    world.installation.db.transact(_fill, world, count)
    for query in _ASKED:
        _once(world, query)
    return statistics.median(_once(world, _ASKED[number % len(_ASKED)]) for number in range(ROUNDS))


def _once(world: BenchWorld, query: str) -> float:
    began = time.perf_counter()
    with world.installation.db.read() as session:
        list_conversations(session, world.workspace_id, Filters(query=query))
    return (time.perf_counter() - began) * 1000


def _fill(session: Session, world: BenchWorld, count: int) -> None:
    rng = random.Random(11)  # noqa: S311 - words of a measurement
    vocabulary = ["".join(rng.choices("abcdefghijklmnoprstu", k=rng.randint(4, 9))) for _ in range(20_000)]
    connection = session.connection()
    contacts = list(connection.execute(select(table_of(Contact).c.id).limit(count)).scalars())
    for begin in range(0, len(contacts), _CHUNK):
        part = list(enumerate(contacts[begin : begin + _CHUNK], start=begin + 1))
        connection.execute(insert(table_of(Conversation)), [_conversation(world, *each) for each in part])
        rows = [
            {
                "rank": number,
                "place": place_of(world.workspace_id),
                "words": " ".join(rng.choices(vocabulary, k=_WORDS_EACH) + _common(number)),
            }
            for number, _ in part
        ]
        connection.execute(
            text("INSERT INTO conversation_search (rowid, place, words) VALUES (:rank, :place, :words)"), rows
        )


def _common(number: int) -> list[str]:
    shares = {"bonjour": 1, "volontiers": 3, "rendezvous": 50, "zebre": 500}
    return [word for word, each in shares.items() if number % each == 0]


def _conversation(world: BenchWorld, number: int, contact_id: int) -> dict[str, Any]:
    at = START + timedelta(seconds=number)
    return {
        "workspace_id": world.workspace_id,
        "contact_id": contact_id,
        "account_id": world.account_id,
        "subject": "Re: Bonjour",
        "preview": "Volontiers.",
        "status": "read",
        "label": "",
        "last_kind": "reply",
        "last_at": at,
        "last_inbound_at": at,
        "revision": 1,
        "search_rank": number,
        "created_at": at,
        "updated_at": at,
    }
