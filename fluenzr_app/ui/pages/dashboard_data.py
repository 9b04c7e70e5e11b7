"""What the dashboard shows, read in one go: figures of the day, campaigns under way, accounts, first steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session

from fluenzr_app.accounts.limits import explain_limit
from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.accounts.service import list_accounts
from fluenzr_app.campaigns.counts import workspace_counts
from fluenzr_app.campaigns.enrollments import counts_by_status
from fluenzr_app.campaigns.figures import sent_by_hour
from fluenzr_app.campaigns.models import Campaign
from fluenzr_app.campaigns.service import counts_by_campaign_status, list_campaigns
from fluenzr_app.campaigns.settings import read_stored
from fluenzr_app.campaigns.standing import Standing, standings_of
from fluenzr_app.campaigns.timing import closes_at, from_local, is_open, next_opening
from fluenzr_app.campaigns.views import CampaignLine
from fluenzr_app.contacts.counts import total as contacts_in_all
from fluenzr_app.db.ids import public_id
from fluenzr_app.db.tables import table_of
from fluenzr_app.sending.caps import usages
from fluenzr_app.ui.guard import zone
from fluenzr_app.ui.pages.accounts_list import days_of, iso, status_of
from fluenzr_app.ui.pages.campaign_figures import Followed, clicks_of, opens_of
from fluenzr_app.workspaces.service import get_workspace

_CAMPAIGN = table_of(Campaign)
_NOW = timedelta(seconds=45)
_CAMPAIGNS_SHOWN = 6
_ACCOUNTS_SHOWN = 8
_WORKING_HOURS = (9, 17)
_RATES_OVER = timedelta(days=30)
# Below this a share says more about chance than about the addresses.
_RATE_FLOOR = 100


@dataclass(frozen=True)
class HourBar:
    """One hour of the day: mails that left, slots to come, and both as shares of the highest bar (0–100)."""

    hour: int
    sent: int
    planned: int
    sent_share: float
    planned_share: float
    labelled: bool


@dataclass(frozen=True)
class CampaignRow:
    """A campaign under way; `badge` is its state, or “stopped” for an active one on which nothing moves."""

    id: str
    name: str
    badge: str
    status: str
    accounts: int
    sent: int
    enrolled: int
    ended: int
    share: float | None
    opens: Followed
    clicks: Followed
    next_at: str
    leaves_now: bool


@dataclass(frozen=True)
class AccountRow:
    """An account with what it has used of its 24 h."""

    id: str
    email: str
    status: str
    used: int
    limit: int
    stands: bool


@dataclass(frozen=True)
class Day:
    """What left today: of how many possible, by hour, and what may still leave. `window` is open, closed or none."""

    sent: int
    possible: int
    planned: int
    bars: list[HourBar]
    window: str
    window_at: str


@dataclass(frozen=True)
class Bounces:
    """Bounces of 30 days; `share` is absent and `judgement` empty without a send, “early” below a hundred."""

    sent: int
    bounced: int
    share: float | None
    judgement: str


@dataclass(frozen=True)
class Dashboard:
    """Everything on the page."""

    day: Day
    bounces: Bounces
    opens: Followed
    clicks: Followed
    walking: int
    new: int
    active: int
    stopped: int
    paused: int
    drafts: int
    campaigns: list[CampaignRow]
    accounts: list[AccountRow]
    accounts_total: int
    contacts: int
    has_address: bool
    has_started: bool


def read_dashboard(session: Session, workspace_id: int, now: datetime) -> Dashboard:
    """Return what the dashboard of a workspace shows at `now`."""
    workspace = get_workspace(session, workspace_id)
    here = zone(workspace.timezone)
    accounts = list_accounts(session, workspace_id)
    used = usages(session, [account.id or 0 for account in accounts], now)
    rows = [_account(account, used[account.id or 0].day, now) for account in accounts]
    by_status = counts_by_campaign_status(session, workspace_id)
    lines = [
        line
        for status in ("active", "paused")
        for line in list_campaigns(session, workspace_id, status=status, per_page=100, sort="updatedAt").lines
    ]
    standings = standings_of(session, [line.id for line in lines], now)
    campaigns = [_campaign(line, standings[line.id], now) for line in lines]
    month = workspace_counts(session, workspace_id, now - _RATES_OVER)
    walking = _walking(session, [line.id for line in lines if line.status == "active"])
    return Dashboard(
        day=_day(session, workspace_id, accounts, rows, now, here),
        bounces=judge_bounces(month.sent, month.bounced),
        opens=_within_whole(opens_of(month)),
        clicks=_within_whole(clicks_of(month)),
        walking=walking.get("in_progress", 0) + walking.get("pending", 0),
        new=walking.get("pending", 0),
        active=by_status.get("active", 0),
        stopped=sum(row.badge == "stopped" for row in campaigns),
        paused=by_status.get("paused", 0),
        drafts=by_status.get("draft", 0),
        campaigns=campaigns[:_CAMPAIGNS_SHOWN],
        accounts=rows[:_ACCOUNTS_SHOWN],
        accounts_total=len(rows),
        contacts=contacts_in_all(session, workspace_id),
        has_address=bool(workspace.postal_address.strip()),
        has_started=any(by_status.get(status) for status in ("active", "paused", "completed", "archived")),
    )


def judge_bounces(sent: int, bounced: int) -> Bounces:
    """Return the bounce rate with its judgement (analytics.md: under 2 % good, to 5 % acceptable, above a problem)."""
    if sent == 0:
        return Bounces(0, bounced, None, "")
    share = bounced / sent
    if sent < _RATE_FLOOR:
        return Bounces(sent, bounced, share, "early")
    return Bounces(sent, bounced, share, "good" if share < 0.02 else "fair" if share <= 0.05 else "poor")


def hour_bars(sent: Mapping[int, int], planned: Mapping[int, int]) -> list[HourBar]:
    """Return the bars of a day from counts by hour (0–23), from the first working hour or an earlier one with mail."""
    hours = [*sent, *planned, *_WORKING_HOURS]
    first, last = min(hours), max(hours)
    step = 2 if last - first < 10 else 3
    top = max([sent.get(hour, 0) + planned.get(hour, 0) for hour in range(first, last + 1)] + [1])
    return [
        HourBar(
            hour,
            sent.get(hour, 0),
            planned.get(hour, 0),
            round(100 * sent.get(hour, 0) / top, 1),
            round(100 * planned.get(hour, 0) / top, 1),
            (hour - first) % step == 0,
        )
        for hour in range(first, last + 1)
    ]


def _day(
    session: Session,
    workspace_id: int,
    accounts: Sequence[EmailAccount],
    rows: Sequence[AccountRow],
    now: datetime,
    here: ZoneInfo,
) -> Day:
    midnight = from_local(now.astimezone(here).date(), time.min, here)
    sent: dict[int, int] = {}
    for begin, count in sent_by_hour(session, workspace_id, midnight, now).items():
        hour = begin.astimezone(here).hour
        sent[hour] = sent.get(hour, 0) + count
    planned = _planned(session, accounts, now, midnight + timedelta(hours=30), here)
    total = sum(sent.values())
    possible = max(total, sum(row.limit for row in rows if not row.stands))
    window, window_at = _window(session, workspace_id, now)
    coming = min(sum(planned.values()), max(0, possible - total))
    return Day(total, possible, coming, hour_bars(sent, planned), window, iso(window_at))


def _planned(
    session: Session, accounts: Sequence[EmailAccount], now: datetime, until: datetime, here: ZoneInfo
) -> dict[int, int]:
    """Return by hour the slots that are left of the accounts' plans for the day that is under way."""
    today = now.astimezone(here).date()
    found: dict[int, int] = {}
    sending = [account.id or 0 for account in accounts if status_of(account, now) == "connected"]
    for day in days_of(session, sending, now).values():
        for slot in day.slots:
            moment = datetime.fromtimestamp(slot, UTC)
            if now < moment < until and moment.astimezone(here).date() == today:
                hour = moment.astimezone(here).hour
                found[hour] = found.get(hour, 0) + 1
    return found


def _window(session: Session, workspace_id: int, now: datetime) -> tuple[str, datetime | None]:
    """Return whether some active campaign may send at `now`, and until when, or when the next one may."""
    rows = session.connection().execute(
        select(_CAMPAIGN.c.settings).where(_CAMPAIGN.c.workspace_id == workspace_id, _CAMPAIGN.c.status == "active")
    )
    settings = [read_stored(row.settings) for row in rows]
    if not settings:
        return "none", None
    closing = [
        closes_at(each.window, now, zone(each.timezone))
        for each in settings
        if is_open(each.window, now, zone(each.timezone))
    ]
    if closing:
        return "open", max((at for at in closing if at is not None), default=None)
    opening = [next_opening(each.window, now, zone(each.timezone)) for each in settings]
    return "closed", min((at for at in opening if at is not None), default=None)


def _within_whole(shown: Followed) -> Followed:
    """Leave the rate out where more was opened than delivered: those are openings of mails from before the month."""
    return replace(shown, share=None, judgement="") if shown.share is not None and shown.share > 1 else shown


def _walking(session: Session, campaign_ids: Sequence[int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for counts in counts_by_status(session, campaign_ids).values() if campaign_ids else ():
        for status, n in counts.items():
            found[status] = found.get(status, 0) + n
    return found


def _campaign(line: CampaignLine, standing: Standing, now: datetime) -> CampaignRow:
    next_at = standing.next_at if line.status == "active" else None
    return CampaignRow(
        id=public_id("cmp", line.id),
        name=line.name,
        badge="stopped" if standing.stands and line.status == "active" else line.status,
        status=line.status,
        accounts=line.accounts,
        sent=line.counts.sent,
        enrolled=line.enrolled,
        ended=line.ended,
        share=line.ended / line.enrolled if line.enrolled else None,
        opens=opens_of(line.counts, public_id("cmp", line.id)),
        clicks=clicks_of(line.counts, public_id("cmp", line.id)),
        next_at=iso(next_at),
        leaves_now=next_at is not None and next_at <= now + _NOW,
    )


def _account(account: EmailAccount, used: int, now: datetime) -> AccountRow:
    return AccountRow(
        public_id("acc", account.id or 0),
        account.email,
        status_of(account, now),
        used,
        explain_limit(account, now).limit,
        account.status != "connected",
    )
