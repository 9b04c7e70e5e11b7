"""The words for what the campaigns room tells in codes: states, reasons to wait, faults, risks, refusals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fluenzr_app.campaigns.errors import CampaignsError, Fault, SettingsRefused, WrongState
from fluenzr_app.campaigns.lifecycle import StartCheck
from fluenzr_app.campaigns.standing import TO_MEND
from fluenzr_app.campaigns.waiting import Waiting
from fluenzr_app.campaigns.waiting_words import wait_told
from fluenzr_app.db.ids import public_id
from fluenzr_app.diagnosis.symptoms import CODES
from fluenzr_app.ui.components.status import Tone
from fluenzr_app.ui.language import words
from fluenzr_app.ui.pages.accounts_query import AccountsQuery
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
    "replied": ("campaigns.walk.replied", "accent", "reply"),
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
_NUMBERS = {"maxEmailsPerHour", "newContactsPerDay", "maxPerCompanyPerDay", "sendHoursStart"}


@dataclass(frozen=True)
class WaitWords:
    """A reason to wait as a page shows it; `mend` names the act that ends it, "" where nobody need do anything.

    `account` is the public id of the account that holds it up, `href` where that is mended. `finding` names the finding
    that tells the same (`findings.key_of`), "" where none does.
    """

    code: str = ""
    tone: str = "grey"
    what: str = ""
    why: str = ""
    until: str = ""
    mend: str = ""
    mend_label: str = ""
    account: str = ""
    href: str = ""
    finding: str = ""


def wait_words(lang: Lang, waiting: Waiting, now: datetime, zone: ZoneInfo, campaign: str = "") -> WaitWords:
    """Return a reason in the reader's words: what, why, until when, and what mends it; `campaign` is its public id."""
    code, said = waiting.code, wait_told(waiting, lang, now, zone)
    account_id = waiting.params.get("account")
    account = "" if account_id is None else public_id("acc", account_id)
    return WaitWords(
        code=code,
        tone="error" if code in TO_MEND else "attention" if code in _SLOWED else "grey",
        what=said.what,
        why=said.why,
        until=said.until,
        mend=said.mend,
        mend_label=said.mend_words,
        account=account,
        href=_place(code, account, str(waiting.params.get("email") or "")),
        finding=_finding(code, account, campaign),
    )


def _place(code: str, account: str, email: str) -> str:
    """Return where the account that holds something up is seen or mended, "" where none does."""
    if not account:
        return ""
    if code == "account_error":
        return AccountsQuery(drawer="reconnect", account=account).address()
    if code in ("daily_cap", "ramp_cap"):
        return AccountsQuery(drawer="day", account=account).address()
    return AccountsQuery(q=email).address()


def _finding(code: str, account: str, campaign: str) -> str:
    """Return the name of the finding that tells of the same reason, "" where none does."""
    if code == "held":
        return "installation_held:"
    if code.startswith("account_") and code in CODES:
        return f"{code}:{account}"
    name = code if code in CODES else f"campaign_{code}"
    return f"{name}:{campaign}" if campaign and name in CODES else ""


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


def variable_words(lang: Lang, name: str) -> str:
    """Return what a variable is called in the editor; a field of the workspace's own bears its own name."""
    key = f"campaign_sequence.variable.{name}"
    return words(lang, key) if key in catalogue() else name


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
