"""Findings as the dashboard shows them: their words, a drawing, and where the act that mends them is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from fluenzr_app.db.ids import public_id
from fluenzr_app.diagnosis.findings import Finding
from fluenzr_app.diagnosis.words import told
from fluenzr_app.ui.pages.accounts_query import AccountsQuery
from fluenzr_app.ui.pages.contacts_query import ListQuery
from fluenzr_app.words.catalogue import Lang

TONES = {"broken": "error", "slowed": "attention", "advice": "info", "waits": "grey"}
ICONS = {
    "account_error": "key-round",
    "account_quota": "gauge",
    "account_paused": "circle-pause",
    "account_backing_off": "hourglass",
    "campaign_paused": "octagon-pause",
    "campaign_no_contacts": "user-plus",
    "campaign_no_account": "unplug",
    "campaign_account_removed": "unplug",
    "campaign_window_never_opens": "calendar-x",
    "campaign_outside_window": "moon",
    "campaign_daily_cap": "gauge",
    "campaign_ramp_cap": "trending-up",
    "campaign_hourly_cap": "gauge",
    "campaign_new_contacts_cap": "gauge",
    "campaign_uncertain": "circle-help",
    "campaign_bounces": "mail-x",
    "campaign_soft_bounces": "rotate-cw",
    "contacts_bounced": "user-x",
    "mailbox_not_read": "mail-warning",
    "installation_held": "shield-alert",
    "installation_not_sending": "power-off",
    "installation_clock": "clock-alert",
    "campaign_all_excluded": "user-x",
    "campaign_text_fault": "file-x",
    "campaign_blank_variable": "braces",
    "campaign_contacts_overdue": "hourglass",
    "figures_behind": "timer",
    "figures_repaired": "wrench",
    "import_rows_refused": "file-x",
    "import_rows_existing": "users",
    "import_failed": "file-x",
    "workspace_no_address": "map-pin-off",
}


@dataclass(frozen=True)
class FindingLine:
    """A finding as the page shows it. `act` is done by the page itself, `href` leads to where it is done.

    `also` and `also_href` are a second way, a quiet link; empty where there is none.
    """

    code: str
    tone: str
    what: str
    since: str
    why: str
    mend: str
    href: str
    act: str
    subject: str
    urgent: bool
    also: str = ""
    also_href: str = ""


# What the page does itself; everything else leads to where it is done.
_ACTS = frozenset({"resume", "archive_bounced"})


def line_of(group: Sequence[Finding], lang: Lang, now: datetime, here: ZoneInfo) -> FindingLine:
    """Return a finding, or several that wait for the same reason, as one line."""
    first, said = group[0], told(group, lang, now, here)
    act, href = said.remedy if said.remedy in _ACTS else "", _place(first, said.remedy)
    also_href = _place(first, said.also_remedy)
    return FindingLine(
        code=said.code,
        tone=TONES[said.severity],
        what=said.what,
        since=said.since,
        why=said.why,
        mend=said.mend_words if act or href else "",
        href=href,
        act=act,
        subject=_public(first),
        urgent=said.severity == "broken",
        also=said.also_words if also_href else "",
        also_href=also_href,
    )


def _place(finding: Finding, remedy: str) -> str:
    """Return the address where a remedy is done, or nothing."""
    thing = _public(finding)
    drawer = "settings" if remedy == "lower_limits" else "reconnect"
    account = AccountsQuery(drawer=drawer, account=thing).address()
    places = {
        "reconnect": account,
        "edit_servers": account,
        "retry": account,
        "ask_provider": account,
        "wait": account,
        "lower_limits": account,
        "add_account": AccountsQuery(drawer="connect").address(),
        "add_contacts": f"/campaigns/{thing}/audience",
        "see_contacts": f"/campaigns/{thing}/audience",
        "choose_accounts": f"/campaigns/{thing}/timing",
        "edit_window": f"/campaigns/{thing}/timing",
        "edit_mail": f"/campaigns/{thing}/sequence",
        "see_bounces": f"/campaigns/{thing}/progress",
        "see_bounced": ListQuery(status="bounced").address(),
        "see_campaign": f"/campaigns/{thing}/progress",
        "decide": f"/campaigns/{thing}/progress",
        "see_import": f"/contacts/import?id={thing}",
        "download_errors": f"/contacts/import?id={thing}",
        "fill_address": "/settings?tab=workspace",
    }
    return places.get(remedy, "")


def _public(finding: Finding) -> str:
    prefixes = {"account": "acc", "campaign": "cmp", "import": "imp"}
    prefix = prefixes.get(finding.subject.kind)
    return "" if prefix is None or finding.subject.id is None else public_id(prefix, finding.subject.id)
