"""The words for what the campaigns room tells in codes: states, reasons to wait, faults, risks, refusals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fluenzr_app.accounts.words import words_for
from fluenzr_app.campaigns.errors import CampaignsError, Fault, SettingsRefused, WrongState
from fluenzr_app.campaigns.lifecycle import StartCheck
from fluenzr_app.campaigns.standing import TO_MEND
from fluenzr_app.campaigns.waiting import Waiting
from fluenzr_app.ui.components.status import Tone
from fluenzr_app.ui.language import words
from fluenzr_app.words import formats
from fluenzr_app.words.catalogue import Lang, catalogue

STATUSES: dict[str, tuple[str, Tone, str]] = {
    "active": ("campaigns.state.active", "good", "circle-play"),
    "stopped": ("campaigns.state.stopped", "attention", "hourglass"),
    "paused": ("campaigns.state.paused", "attention", "circle-pause"),
    "draft": ("campaigns.state.draft", "grey", "pencil-line"),
    "completed": ("campaigns.state.completed", "info", "circle-check"),
    "archived": ("campaigns.state.archived", "grey", "archive"),
}
WALK_STATUSES: dict[str, tuple[str, Tone, str]] = {
    "pending": ("campaigns.walk.pending", "grey", "clock"),
    "in_progress": ("campaigns.walk.in_progress", "accent", "circle-play"),
    "completed": ("campaigns.walk.completed", "info", "circle-check"),
    "replied": ("campaigns.walk.replied", "good", "reply"),
    "bounced": ("campaigns.walk.bounced", "error", "circle-x"),
    "unsubscribed": ("campaigns.walk.unsubscribed", "grey", "ban"),
    "error": ("campaigns.walk.error", "error", "circle-alert"),
    "removed": ("campaigns.walk.removed", "grey", "circle-minus"),
}
WAIT_ICONS = {
    "account_error": "unplug",
    "account_removed": "unplug",
    "no_account": "unplug",
    "account_paused": "circle-pause",
    "campaign_paused": "circle-pause",
    "outside_window": "moon",
    "window_never_opens": "calendar-x",
    "uncertain": "circle-help",
    "delay": "timer",
    "turn": "list-ordered",
    "leaving": "send",
    "held": "shield-alert",
    "daily_cap": "gauge",
    "ramp_cap": "trending-up",
    "hourly_cap": "gauge",
}
_SLOWED = {"account_backing_off", "account_paused", "daily_cap", "ramp_cap", "hourly_cap", "new_contacts_cap",
           "company_cap", "soft_bounce", "uncertain", "campaign_paused"}  # fmt: skip
_LEAVES = {"turn", "delay", "leaving", "queued"}
_ACCOUNTS = {"account_paused", "account_backing_off", "daily_cap", "ramp_cap", "account_removed"}
_NUMBERS = {"maxEmailsPerHour", "newContactsPerDay", "maxPerCompanyPerDay", "sendHoursStart"}


@dataclass(frozen=True)
class WaitWords:
    """A reason to wait as a page shows it; `mend` names the act that ends it, "" where nobody need do anything."""

    code: str = ""
    tone: str = "grey"
    what: str = ""
    why: str = ""
    until: str = ""
    mend: str = ""
    mend_label: str = ""


def wait_words(lang: Lang, waiting: Waiting, now: datetime, zone: ZoneInfo) -> WaitWords:
    """Return a reason in the reader's words: what, why, until when, and what mends it."""
    code = waiting.code
    params = _params(lang, waiting)
    key = f"campaign_waits.{code}" if f"campaign_waits.{code}.what" in catalogue() else "campaign_waits.unknown"
    until = ""
    if waiting.resumes_at is not None:
        moment = formats.moment(lang, max(waiting.resumes_at, now), now, zone)
        until = words(lang, f"campaign_waits.{'leaves' if code in _LEAVES else 'until'}", when=moment)
    mend = _mend(waiting)
    return WaitWords(
        code=code,
        tone="error" if code in TO_MEND else "attention" if code in _SLOWED else "grey",
        what=words(lang, f"{key}.what", **params),
        why=words(lang, f"{key}.why", **params),
        until=until,
        mend=mend,
        mend_label=words(lang, f"campaign_waits.mend_{mend}") if mend else "",
    )


def fault_words(lang: Lang, fault: Fault) -> str:
    """Return one thing wrong with a campaign as a sentence."""
    code = fault.code
    if code == "unknown_variable" and fault.params.get("nearest"):
        code = "unknown_variable_near"
    elif code == "delay_out_of_range":
        code = f"delay_out_of_range_{fault.params.get('unit', 'days')}"
    elif code == "tracking_off":
        what = words(lang, f"campaign_faults.tracked_{fault.params.get('tracked', 'opens')}")
        return words(lang, f"campaign_faults.tracking_off_{fault.params.get('by', 'mail')}", what=what)
    if f"campaign_faults.{code}" not in catalogue():
        return words(lang, "campaign_faults.other", code=code)
    return words(lang, f"campaign_faults.{code}", **fault.params)


def tracking_words(lang: Lang, found: StartCheck) -> str:
    """Return what a start says of tracking, opens and clicks in one line; empty for a campaign without mails."""
    if not found.emails:
        return ""
    opens = _tracked_in(lang, "opens", found.opens_in, found.emails, found.off.opens)
    clicks = _tracked_in(lang, "clicks", found.clicks_in, found.emails, found.off.clicks)
    return words(lang, "campaign_tracking.start.line", opens=opens, clicks=clicks)


def _tracked_in(lang: Lang, what: str, tracked: int, emails: int, off: str) -> str:
    how = "all" if tracked == emails else "some" if tracked else off or "mails"
    return words(
        lang, f"campaign_tracking.start.{what}.{how}", **({"n": tracked, "total": emails} if how == "some" else {})
    )


def warning_words(lang: Lang, code: str, params: Mapping[str, Any]) -> str:
    """Return one risk of a start as a sentence."""
    if f"campaign_faults.warnings.{code}" not in catalogue():
        return words(lang, "campaign_faults.warnings.other", code=code)
    given = dict(params)
    if "status" in given:
        state = given["status"] if given["status"] in ("error", "paused") else "other"
        given["state"] = words(lang, f"campaign_faults.warnings.state_{state}")
    if "contacts" in given:
        given["n"] = given["contacts"]
    return words(lang, f"campaign_faults.warnings.{code}", **given)


def refusal(lang: Lang, error: CampaignsError) -> str:
    """Return why something about a campaign was refused, and what to do."""
    if isinstance(error, WrongState):
        status = str(error.details.get("status", ""))
        state = words(lang, STATUSES[status][0]).lower() if status in STATUSES else status
        return words(lang, "campaign_faults.refused.campaign_state", state=state)
    if isinstance(error, SettingsRefused):
        field = str(error.details.get("field", ""))
        key = f"settings_{'number' if field in _NUMBERS else field}"
        if f"campaign_faults.refused.{key}" not in catalogue():
            key = "settings_other"
        return words(lang, f"campaign_faults.refused.{key}")
    key = f"campaign_faults.refused.{error.code}"
    return words(lang, key) if key in catalogue() else str(error)


def _params(lang: Lang, waiting: Waiting) -> dict[str, Any]:
    given = {"code": waiting.code, "email": "", "error": "", "reason": "", "attempt": "", "attempts": ""}
    given |= {name: value for name, value in waiting.params.items() if value is not None}
    if waiting.code == "account_error":
        code = waiting.params.get("errorCode")
        given["error"] = words_for(str(code)).what(lang) if code else words(lang, "campaign_waits.unknown_error")
    if waiting.code == "campaign_paused":
        reason = str(waiting.params.get("reason") or "user")
        known = f"campaign_waits.{reason}" in catalogue()
        given["reason"] = words(lang, f"campaign_waits.{reason if known else 'user'}")
    return given


def _mend(waiting: Waiting) -> str:
    match waiting.code:
        case "account_error":
            return "reconnect"
        case "no_account":
            return "choose_account"
        case "window_never_opens":
            return "timing"
        case "campaign_paused":
            return "resume"
        case "uncertain":
            return "decide"
        case code if code in _ACCOUNTS:
            return "account"
        case _:
            return ""
