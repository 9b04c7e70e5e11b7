"""Why a contact waits in a campaign, in one sentence with its time first."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from fluenzr_app.campaigns.progress import ContactWait
from fluenzr_app.db.ids import public_id
from fluenzr_app.ui.catalogue import catalogue
from fluenzr_app.ui.formats import moment
from fluenzr_app.ui.guard import Acting
from fluenzr_app.ui.language import words


@dataclass(frozen=True)
class WaitRow:
    """A campaign that the contact walks through or has walked through: why it waits, or how it ended."""

    campaign_id: str
    campaign: str
    status: str
    under_way: bool
    code: str
    sentence: str
    until: str
    ended_at: str


def wait_row(me: Acting, wait: ContactWait, zone: ZoneInfo) -> WaitRow:
    """Return a walk as the card shows it, in the reader's language and the workspace's zone."""
    walk = wait.walk
    code = walk.waiting.code if walk.waiting else f"ended_{walk.status}"
    until = moment(me.lang, walk.waiting.resumes_at, me.now, zone) if walk.waiting and walk.waiting.resumes_at else ""
    params = dict(walk.waiting.params) if walk.waiting else {}
    values = {
        "email": str(params.get("email", "")),
        "attempt": params.get("attempt", 0),
        "attempts": params.get("attempts", 0),
        "mail": walk.mail_name,
        "reason": str(params.get("reason", "")),
    }
    key = f"contacts_card.wait.{code}"
    return WaitRow(
        public_id("cmp", wait.campaign_id),
        wait.campaign_name,
        walk.status,
        walk.waiting is not None,
        code,
        words(me.lang, key if key in catalogue() else "contacts_card.wait.other", **values),
        words(me.lang, "contacts_card.until", moment=until) if until else "",
        walk.ended_at.isoformat() if walk.ended_at else "",
    )
