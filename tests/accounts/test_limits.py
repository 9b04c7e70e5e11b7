"""The ramp of a new account, the share kept for warming, and the reason for each limit."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from fluenzr_app.accounts.limits import (
    LimitExplained,
    campaign_daily_limit,
    default_daily_limit,
    explain_limit,
    ramp_limit,
)

FIRST = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@dataclass
class Account:
    daily_limit: int = 200
    warming_share: int = 0
    ramp_enabled: bool = True
    first_campaign_send_at: datetime | None = FIRST


@pytest.mark.parametrize(
    ("days", "limit"),
    [(0, 25), (6.99, 25), (7, 45), (13.99, 45), (14, 70), (21, 100), (27.99, 100), (28, 500), (400, 500)],
)
def test_the_ramp_rises_each_week_and_ends_at_the_accounts_own_limit(days: float, limit: int) -> None:
    assert ramp_limit(FIRST, FIRST + timedelta(days=days), 500, True) == limit


def test_the_ramp_is_never_above_the_accounts_own_limit() -> None:
    assert [ramp_limit(FIRST, FIRST + timedelta(weeks=week), 60, True) for week in range(6)] == [25, 45, 60, 60, 60, 60]


def test_before_the_first_send_and_after_a_clock_was_set_back_the_first_week_holds() -> None:
    assert ramp_limit(None, FIRST, 500, True) == 25
    assert ramp_limit(FIRST, FIRST - timedelta(days=3), 500, True) == 25


def test_without_the_ramp_the_accounts_limit_holds_at_once() -> None:
    assert campaign_daily_limit(Account(ramp_enabled=False), FIRST) == 200


def test_warming_keeps_its_share_of_the_day_rounded_up() -> None:
    account = Account(daily_limit=33, warming_share=10, ramp_enabled=False)
    assert campaign_daily_limit(account, FIRST) == 29
    # The ramp is below what warming leaves, so both fit into the day.
    assert campaign_daily_limit(replace(account, ramp_enabled=True), FIRST) == 25


def test_the_explanation_names_the_next_step_and_its_date() -> None:
    account = Account(daily_limit=80)
    assert explain_limit(account, FIRST + timedelta(days=8)) == LimitExplained(
        45, "ramp", 80, 0, week=2, next_limit=70, next_at=FIRST + timedelta(days=14)
    )
    assert explain_limit(account, FIRST + timedelta(days=15)) == LimitExplained(
        70, "ramp", 80, 0, week=3, next_limit=80, next_at=FIRST + timedelta(days=21)
    )
    assert explain_limit(account, FIRST + timedelta(days=22)) == LimitExplained(80, "daily_limit", 80, 0)


def test_an_account_that_has_not_begun_has_no_date_for_the_next_step() -> None:
    explained = explain_limit(Account(first_campaign_send_at=None), FIRST)
    assert (explained.limit, explained.next_limit, explained.next_at) == (25, 45, None)


def test_the_explanation_always_gives_the_limit_that_holds() -> None:
    for share in (0, 10, 50, 90):
        for daily in (1, 20, 26, 101, 5000):
            for day in range(0, 40, 3):
                account, now = Account(daily_limit=daily, warming_share=share), FIRST + timedelta(days=day)
                explained = explain_limit(account, now)
                assert explained.limit == campaign_daily_limit(account, now)
                if explained.next_at is not None:
                    assert campaign_daily_limit(account, explained.next_at) == explained.next_limit != explained.limit


def test_providers_have_the_limits_of_the_table() -> None:
    providers = ("gmail", "google_workspace", "outlook", "microsoft365", "smtp", "something_else")
    assert [default_daily_limit(provider) for provider in providers] == [500, 2000, 300, 10000, 200, 200]
