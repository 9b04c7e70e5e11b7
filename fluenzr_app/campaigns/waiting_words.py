"""Why a contact waits, in words: what, why, until when, and the act that ends it (symptoms.md, 6 and 7).

The words are in the catalogue `campaign_waits`, by the codes of `waiting.Waiting`.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from fluenzr_app.accounts.words import words_for
from fluenzr_app.campaigns.waiting import Waiting
from fluenzr_app.words import formats
from fluenzr_app.words.catalogue import Lang, catalogue, words

CODES: Final = (
    "uncertain", "held", "not_started", "campaign_paused", "campaign_completed", "campaign_archived", "leaving",
    "delay", "soft_bounce", "account_fault", "away", "mailbox_not_synced", "company_cap", "account_removed",
    "no_account",
    "account_backing_off", "account_error", "account_paused", "outside_window", "window_never_opens", "hourly_cap",
    "new_contacts_cap", "ramp_cap", "daily_cap", "turn",
)  # fmt: skip
"""Every code that `why_waiting` gives, those of a put-off message included."""
_LEAVES: Final = frozenset({"turn", "delay", "leaving", "queued"})
_ACCOUNTS: Final = frozenset({"account_paused", "account_backing_off", "daily_cap", "ramp_cap"})


@dataclass(frozen=True, slots=True)
class WaitTold:
    """A reason to wait in words; `mend` names the act that ends it, empty where nobody need do anything."""

    what: str
    why: str
    until: str
    mend: str
    mend_words: str


def wait_told(waiting: Waiting, lang: Lang, now: datetime, zone: ZoneInfo) -> WaitTold:
    """Return a reason in words of `lang`; one that has none yet is at least named."""
    code = waiting.code
    key = f"campaign_waits.{code}" if f"campaign_waits.{code}.what" in catalogue() else "campaign_waits.unknown"
    params = _params(lang, waiting)
    until = ""
    if waiting.resumes_at is not None:
        moment = formats.moment(lang, max(waiting.resumes_at, now), now, zone)
        until = words(lang, f"campaign_waits.{'leaves' if code in _LEAVES else 'until'}", when=moment)
    mend = mend_of(waiting)
    return WaitTold(
        what=words(lang, f"{key}.what", **params),
        why=words(lang, f"{key}.why", **params),
        until=until,
        mend=mend,
        mend_words=words(lang, f"campaign_waits.mend_{mend}") if mend else "",
    )


def mend_of(waiting: Waiting) -> str:
    """Return the act that ends a wait: reconnect, choose_account, timing, resume, decide, account; or nothing."""
    match waiting.code:
        case "account_error":
            return "reconnect"
        case "no_account" | "account_removed":
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
