"""Why a contact waits in a campaign, and until when: a pure function over stored facts (symptoms.md, 6 and 7)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fluenzr_app.campaigns.timing import Window as SendWindow
from fluenzr_app.campaigns.timing import is_open, next_opening
from fluenzr_app.campaigns.zones import zone_of_contact

SOFT_BOUNCES_IN_ALL = 5


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """An account as far as it can hold somebody up. `room` is what may still leave it now; `room_at` when more may."""

    id: int
    email: str
    status: str
    error_code: str | None
    error_since: datetime | None
    paused_until: datetime | None
    backoff_until: datetime | None
    next_send_at: datetime | None
    min_gap_seconds: int
    room: int
    ramp_is_it: bool
    room_at: datetime | None


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """A campaign as far as it can hold somebody up. `hourly_room` None: no cap."""

    status: str
    pause_reason: str
    window: SendWindow
    timezone: str
    use_contact_timezone: bool
    hourly_room: int | None
    hourly_at: datetime | None
    new_room: int | None
    accounts: Mapping[int, AccountFacts]
    held: bool = False


@dataclass(frozen=True, slots=True)
class WalkFacts:
    """One enrollment, with the message of its present step where there is one."""

    status: str
    account_id: int | None
    due_at: datetime | None
    timezone: str = ""
    country: str = ""
    message_status: str | None = None
    message_reason: str = ""
    message_due_at: datetime | None = None
    soft_bounces: int = 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """A reason with a machine `code`, what a sentence about it needs, and when it ends by itself (None: never)."""

    code: str
    resumes_at: datetime | None = None
    params: Mapping[str, Any] = field(default_factory=dict)


def why_waiting(walk: WalkFacts, campaign: CampaignFacts, now: datetime) -> Waiting | None:
    """Return why a walk does not move at `now`; None when it is over. What the user must mend comes first."""
    if walk.status not in ("pending", "in_progress"):
        return None
    if walk.message_status == "uncertain":
        return Waiting("uncertain")
    stopped = _campaign_stands(campaign)
    if stopped is not None:
        return stopped
    if walk.message_status in ("claimed", "sending"):
        return Waiting("leaving", now)
    if walk.due_at is not None and walk.due_at > now:
        return Waiting("delay", _when_open(walk, campaign, walk.due_at))
    if walk.message_due_at is not None and walk.message_due_at > now:
        return _put_off(walk)
    held = _accounts_stand(walk, campaign, now)
    if held is not None:
        return held
    opens = _when_open(walk, campaign, now)
    if opens is None:
        return Waiting("window_never_opens")
    if opens > now:
        return Waiting("outside_window", opens)
    return _caps(walk, campaign, now)


def _campaign_stands(campaign: CampaignFacts) -> Waiting | None:
    if campaign.held:
        return Waiting("held")
    if campaign.status == "draft":
        return Waiting("not_started")
    if campaign.status == "paused":
        return Waiting("campaign_paused", None, {"reason": campaign.pause_reason})
    if campaign.status in ("completed", "archived"):
        return Waiting(f"campaign_{campaign.status}")
    return None


def _put_off(walk: WalkFacts) -> Waiting:
    if walk.message_reason == "soft_bounce":
        params = {"attempt": walk.soft_bounces + 1, "attempts": SOFT_BOUNCES_IN_ALL}
        return Waiting("soft_bounce", walk.message_due_at, params)
    return Waiting(walk.message_reason or "delay", walk.message_due_at)


def _senders(walk: WalkFacts, campaign: CampaignFacts) -> Sequence[AccountFacts]:
    """Return the accounts that may write to this contact: its own one, or any of the campaign while it has none."""
    if walk.account_id is not None:
        own = campaign.accounts.get(walk.account_id)
        return [own] if own is not None else []
    return list(campaign.accounts.values())


def _accounts_stand(walk: WalkFacts, campaign: CampaignFacts, now: datetime) -> Waiting | None:
    accounts = _senders(walk, campaign)
    if not accounts:
        return Waiting("account_removed" if walk.account_id is not None else "no_account")
    if any(_can_send(account, now) for account in accounts):
        return None
    # Of several that stand, the one that goes on by itself soonest says until when.
    back = [at for account in accounts if (at := _back_at(account)) is not None]
    worst = accounts[0]
    if worst.status == "connected":
        return Waiting("account_backing_off", min(back, default=None), {"email": worst.email, "account": worst.id})
    params = {
        "email": worst.email,
        "account": worst.id,
        "errorCode": worst.error_code,
        "since": worst.error_since,
    }
    return Waiting(f"account_{worst.status}", min(back, default=None), params)


def _can_send(account: AccountFacts, now: datetime) -> bool:
    return account.status == "connected" and (account.backoff_until is None or account.backoff_until <= now)


def _back_at(account: AccountFacts) -> datetime | None:
    return account.backoff_until if account.status == "connected" else account.paused_until


def _when_open(walk: WalkFacts, campaign: CampaignFacts, at: datetime) -> datetime | None:
    zone_name = campaign.timezone
    zone = zone_of_contact(
        walk.timezone if campaign.use_contact_timezone else zone_name,
        walk.country if campaign.use_contact_timezone else "",
        zone_name,
    )
    return at if is_open(campaign.window, at, zone) else next_opening(campaign.window, at, zone)


def _caps(walk: WalkFacts, campaign: CampaignFacts, now: datetime) -> Waiting:
    accounts = [account for account in _senders(walk, campaign) if _can_send(account, now)]
    if campaign.hourly_room == 0:
        return Waiting("hourly_cap", campaign.hourly_at)
    if walk.account_id is None and campaign.new_room == 0:
        return Waiting("new_contacts_cap")
    if all(account.room <= 0 for account in accounts):
        code = "ramp_cap" if any(account.ramp_is_it for account in accounts) else "daily_cap"
        moments = [account.room_at for account in accounts if account.room_at is not None]
        return Waiting(code, min(moments, default=None), {"email": accounts[0].email, "account": accounts[0].id})
    turns = [account.next_send_at or now for account in accounts if account.room > 0]
    return Waiting("turn", max(min(turns), now), {"email": accounts[0].email})
