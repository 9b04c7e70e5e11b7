"""So many requests in a moving minute and key, in one process and in several."""

import time

import pytest
from limits.aio.strategies import MovingWindowRateLimiter

from fluenzr_app.api.app import create_api
from fluenzr_app.api.runtime import ApiRuntime
from fluenzr_app.settings import load_settings
from fluenzr_app.workspaces.rate_limit import RateLimit
from tests.api.conftest import with_key
from tests.api.test_gate import error_of


@pytest.fixture
def limited(runtime: ApiRuntime):
    """An application that lets a key ask three times a minute."""
    settings = load_settings(_env_file=None, data_dir=runtime.settings.data_dir, api_rate_limit=3)
    return create_api(ApiRuntime(settings, runtime.database, runtime.keyring, runtime.clock))


def test_over_the_limit_the_answer_is_429_with_the_time_to_wait(limited, make_key):
    with with_key(limited, make_key()) as client:
        answers = [client.get("/v1/contacts") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0", "0"]
        last = answers[-1]
        assert error_of(last)["code"] == "RATE_LIMITED"
        assert 1 <= int(last.headers["retry-after"]) <= 60
        assert abs(int(last.headers["x-ratelimit-reset"]) - time.time() - int(last.headers["retry-after"])) <= 2
    with with_key(limited, make_key()) as other:
        assert other.get("/v1/contacts").status_code == 200


def test_a_refused_request_changes_nothing(limited, make_key):
    with with_key(limited, make_key()) as client:
        for _ in range(3):
            client.get("/v1/contacts")
        assert client.post("/v1/contacts", json={"email": "a@b.example"}).status_code == 429
    with with_key(limited, make_key()) as client:
        assert client.get("/v1/contacts").json()["data"] == []


async def test_the_minute_moves(monkeypatch):
    now = 1_800_000_000.0
    monkeypatch.setattr("limits.aio.storage.memory.time.time", lambda: now)
    limit = RateLimit(2, None)
    assert (await limit.hit(1)).allowed
    now += 30
    assert (await limit.hit(1)).allowed
    assert not (await limit.hit(1)).allowed
    now += 31
    # The first has left the minute, the second has not.
    assert (await limit.hit(1)).allowed
    assert not (await limit.hit(1)).allowed


async def test_where_a_key_stands_is_told_without_counting_it():
    limit = RateLimit(2, None)
    assert [(each.used, each.allowed) for each in [await limit.standing(1) for _ in range(3)]] == [(0, True)] * 3
    await limit.hit(1)
    assert (await limit.standing(1)).used == 1
    await limit.hit(1)
    full = await limit.standing(1)
    assert (full.used, full.limit, full.remaining, full.allowed) == (2, 2, 0, False)
    assert (await limit.standing(2)).used == 0


async def test_processes_count_together_through_redis(redis_url):
    one, other = RateLimit(3, redis_url), RateLimit(3, redis_url)
    allowed = [(await limit.hit(7)).allowed for limit in (one, other, one, other)]
    assert allowed == [True, True, True, False]


async def test_without_its_redis_a_process_counts_alone(unused_tcp_port_factory, caplog):
    limit = RateLimit(2, f"redis://127.0.0.1:{unused_tcp_port_factory()}/0")
    allowed = [(await limit.hit(7)).allowed for _ in range(3)]
    assert allowed == [True, True, False]
    assert "could not reach Redis" in caplog.text
    assert isinstance(limit._own, MovingWindowRateLimiter)
