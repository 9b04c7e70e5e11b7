"""Findings in the reader's words: what, why, since or until when, and the act that mends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fluenzr_app.accounts.mailbox_words import mailbox_words
from fluenzr_app.accounts.words import words_for
from fluenzr_app.db.ids import public_id
from fluenzr_app.diagnosis.findings import Finding
from fluenzr_app.ui.language import words
from fluenzr_app.ui.pages.accounts_query import AccountsQuery
from fluenzr_app.ui.pages.contacts_query import ListQuery
from fluenzr_app.words import formats
from fluenzr_app.words.catalogue import Lang, catalogue, french

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


def line_of(group: Sequence[Finding], lang: Lang, now: datetime, here: ZoneInfo) -> FindingLine:
    """Return a finding, or several that wait for the same reason, as one line."""
    first = group[0]
    params = _params(group, lang, now, here)
    key = f"dashboard.finding.{first.code}"
    many = f"{key}.many"
    what = words(lang, many if len(group) > 1 and many in catalogue() else f"{key}.what", **params)
    mend, href, act = _mend(first, first.remedies[0] if first.remedies else "")
    also, also_href, _ = _mend(first, first.remedies[1]) if len(first.remedies) > 1 else ("", "", "")
    return FindingLine(
        code=first.code,
        tone=TONES[first.severity],
        what=what,
        since=_since(group, lang, now, here),
        why=words(lang, _why(group, key), **params).strip(),
        mend=words(lang, f"dashboard.mend.{mend}") if mend else "",
        href=href,
        act=act,
        subject=_public(first),
        urgent=first.severity == "broken",
        also=words(lang, f"dashboard.mend.{also}") if also_href else "",
        also_href=also_href,
    )


def _params(group: Sequence[Finding], lang: Lang, now: datetime, here: ZoneInfo) -> dict[str, Any]:
    first = group[0]
    given: dict[str, Any] = {name: value for name, value in first.params.items() if value is not None}
    given["name"] = first.subject.name
    if first.code == "account_error":
        said, tidy = words_for(first.params["errorCode"]), french if lang == "fr" else str
        given["error"], given["mend"] = tidy(said.what(lang)).rstrip("."), tidy(said.mend(lang))
    for counted in ("waiting", "contacts", "messages", "sent", "campaigns"):
        if counted in first.params:
            given["n"] = sum(int(finding.params[counted]) for finding in group)
            break
    if first.code == "account_error":
        given["waits"] = (
            words(lang, "accounts.waiting", n=given["n"]) if given["n"] else words(lang, "accounts.nothing_lost")
        )
        given["retry"] = ""
        if first.resumes_at is not None and first.resumes_at > now:
            when = formats.moment(lang, first.resumes_at, now, here)
            given["retry"] = words(lang, "dashboard.finding.account_error.retry", when=when)
    if len(group) > 1:
        given["things"] = len(group)
    sent = int(first.params.get("sent") or 0)
    if first.code in ("campaign_paused", "campaign_bounces") and sent:
        given["share"] = formats.percent(lang, int(first.params["bounced"]) / sent)
        given["worst"] = _worst(first, lang)
    if first.code == "contacts_bounced":
        given["causes"] = ", ".join(
            words(lang, f"dashboard.bounce_cause.{each['cause']}", n=each["contacts"])
            for each in first.params["causes"]
        )
    if first.code == "mailbox_not_read":
        given |= _of_mailbox(first, lang, given["n"])
    return given


def _causes(first: Finding, lang: Lang) -> str:
    told = [
        words(lang, f"dashboard.bounce_cause.{each['cause']}", n=each["contacts"]) for each in first.params["causes"]
    ]
    return ", ".join(told)


def _worst(first: Finding, lang: Lang) -> str:
    kind = first.params.get("worstKind")
    if kind is None:
        return ""
    told = {"n": first.params["worstBounced"], "source": first.params["worstName"]}
    return words(lang, f"dashboard.worst.{kind}", **told)


def _of_mailbox(first: Finding, lang: Lang, waiting: int) -> dict[str, str]:
    tidy = french if lang == "fr" else str
    code = first.params["errorCode"]
    silent = words(lang, "dashboard.finding.mailbox_not_read.silent")
    return {
        "error": tidy(mailbox_words(code).what(lang)).rstrip(".") if code else silent,
        "waits": words(lang, "dashboard.follow_ups", n=waiting) if waiting else words(lang, "dashboard.no_follow_up"),
    }


def _why(group: Sequence[Finding], key: str) -> str:
    first = group[0]
    if first.code == "campaign_soft_bounces" and len(group) > 1:
        return f"{key}.why_many"
    if first.code == "campaign_paused":
        known = first.params["reason"] == "bounce_brake" and int(first.params["sent"]) > 0
        return f"{key}.{'bounce_brake' if known else 'why'}"
    if first.code == "account_quota" and not first.params["sent"]:
        return f"{key}.uncounted"
    if first.code == "installation_held":
        return f"{key}.{'restored' if first.params['reason'] == 'restored' else 'stood_still'}"
    return f"{key}.why"


def _since(group: Sequence[Finding], lang: Lang, now: datetime, here: ZoneInfo) -> str:
    first = group[0]
    if first.severity in ("waits", "slowed"):
        ends = [finding.resumes_at for finding in group if finding.resumes_at is not None]
        if ends:
            return words(lang, "dashboard.until", when=formats.moment(lang, min(ends), now, here))
    if first.since is not None:
        return words(lang, "dashboard.since", when=formats.moment(lang, first.since, now, here))
    return ""


def _mend(finding: Finding, remedy: str) -> tuple[str, str, str]:
    """Return the label's key, the address where it is done, and the act that the page does itself."""
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
        "choose_accounts": f"/campaigns/{thing}/timing",
        "edit_window": f"/campaigns/{thing}/timing",
        "see_bounces": f"/campaigns/{thing}/progress",
        "see_bounced": ListQuery(status="bounced").address(),
        "see_campaign": f"/campaigns/{thing}/progress",
        "decide": f"/campaigns/{thing}/progress",
        "see_import": f"/contacts/import?id={thing}",
        "fill_address": "/settings?tab=workspace",
    }
    if remedy in ("resume", "archive_bounced"):
        return remedy, "", remedy
    if remedy not in places:
        return "", "", ""
    label = "retry" if remedy in ("ask_provider", "wait") else remedy
    return label, places[remedy], ""


def _public(finding: Finding) -> str:
    prefixes = {"account": "acc", "campaign": "cmp", "import": "imp"}
    prefix = prefixes.get(finding.subject.kind)
    return "" if prefix is None or finding.subject.id is None else public_id(prefix, finding.subject.id)
