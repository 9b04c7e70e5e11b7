"""Where a contact stands in each campaign: why it waits and until when, or how its walk ended."""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from fluenzr_app.campaigns.progress import ContactWait
from fluenzr_app.db.ids import public_id
from fluenzr_app.ui.guard import Acting
from fluenzr_app.ui.pages.campaign_words import WaitWords, wait_words


@dataclass(frozen=True)
class WaitRow:
    """A walk of the contact; `what`, `why` and `until` are told while it is under way, `ended_at` after."""

    campaign_id: str
    campaign: str
    status: str
    under_way: bool
    code: str
    tone: str
    mail: str
    what: str
    why: str
    until: str
    ended_at: str


def wait_row(me: Acting, wait: ContactWait, zone: ZoneInfo) -> WaitRow:
    """Return a walk as the card shows it, in the reader's language and the workspace's zone."""
    walk = wait.walk
    told = wait_words(me.lang, walk.waiting, me.now, zone) if walk.waiting else WaitWords()
    return WaitRow(
        public_id("cmp", wait.campaign_id),
        wait.campaign_name,
        walk.status,
        walk.waiting is not None,
        told.code,
        told.tone,
        walk.mail_name,
        told.what,
        told.why,
        told.until,
        walk.ended_at.isoformat() if walk.ended_at else "",
    )
