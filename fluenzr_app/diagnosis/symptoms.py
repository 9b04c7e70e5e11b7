"""The 26 entries of the troubleshooting guide, and which findings tell of each (symptoms.md).

An entry without codes is answered where it happens (a form, a page, an answer of the API) and leaves nothing stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fluenzr_app.diagnosis.findings import Finding


@dataclass(frozen=True, slots=True)
class Symptom:
    """One entry of the guide. `key` names its words, `symptoms.<key>.*`; `codes` are findings' codes."""

    number: int
    key: str
    codes: tuple[str, ...] = ()


SYMPTOMS: Final[tuple[Symptom, ...]] = (
    Symptom(1, "gmail_connection"),
    Symptom(2, "unverified_app"),
    Symptom(3, "token_expired", ("account_error", "account_paused")),
    Symptom(4, "quota", ("account_quota", "account_backing_off")),
    Symptom(5, "smtp_connection", ("mailbox_not_read",)),
    Symptom(
        6,
        "nothing_leaves",
        (
            "installation_not_sending",
            "installation_held",
            "installation_clock",
            "campaign_no_account",
            "campaign_account_removed",
            "campaign_no_contacts",
            "campaign_all_excluded",
            "campaign_window_never_opens",
            "campaign_outside_window",
            "campaign_daily_cap",
            "campaign_ramp_cap",
            "campaign_hourly_cap",
            "campaign_new_contacts_cap",
            "campaign_text_fault",
        ),
    ),
    Symptom(7, "contact_stuck", ("campaign_contacts_overdue", "campaign_uncertain")),
    Symptom(8, "variables", ("campaign_blank_variable",)),
    Symptom(9, "counters", ("figures_behind",)),
    Symptom(10, "import_failed", ("import_failed", "import_rows_refused")),
    Symptom(11, "email_exists", ("import_rows_existing",)),
    Symptom(12, "bounces", ("campaign_paused", "campaign_bounces")),
    Symptom(13, "spam", ("workspace_no_address",)),
    Symptom(14, "dns_records"),
    Symptom(15, "tracking_domain"),
    Symptom(16, "reputation"),
    Symptom(17, "soft_bounce", ("campaign_soft_bounces",)),
    Symptom(18, "hard_bounce", ("contacts_bounced",)),
    Symptom(19, "page_loads"),
    Symptom(20, "unsaved"),
    Symptom(21, "wrong_figures", ("figures_repaired",)),
    Symptom(22, "webhook"),
    Symptom(23, "unauthorized"),
    Symptom(24, "rate_limit"),
    Symptom(25, "mailbox_permission"),
    Symptom(26, "support"),
)

_NUMBERS: Final[Mapping[str, int]] = {code: each.number for each in SYMPTOMS for code in each.codes}
CODES: Final[frozenset[str]] = frozenset(_NUMBERS)
"""Every code that a finding may have."""


def symptom_of(code: str) -> int | None:
    """Return the number of the guide's entry that a finding belongs to, or None for an unknown code."""
    return _NUMBERS.get(code)


def number_of(finding: Finding) -> int | None:
    """Return the number of the guide's entry that a finding belongs to: by its code, and for accounts by the stage.

    An account that may not sign in any more is another entry than one whose server cannot be reached.
    """
    if finding.code == "account_error":
        if finding.params.get("errorCode") == "admin_consent_required":
            return 25
        return 3 if finding.params.get("stage") in ("login", "") else 5
    return symptom_of(finding.code)
