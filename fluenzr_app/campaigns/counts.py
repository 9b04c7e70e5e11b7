"""What became of mails: the counts that rollups keep of a workspace, a campaign or one of its mails (analytics.md)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from fluenzr_app.campaigns.rates import rate
from fluenzr_app.events.figures import totals, totals_of_many
from fluenzr_app.events.record import MACHINE_SUFFIX, hour_of
from fluenzr_app.workspaces.service import get_workspace

_METRICS = {
    "sent": "email.sent",
    "bounced": "email.bounced",
    "opened": "email.opened",
    "clicked": "email.clicked",
    "machine_opened": "email.opened" + MACHINE_SUFFIX,
    "machine_clicked": "email.clicked" + MACHINE_SUFFIX,
    "replied": "email.replied",
    "unsubscribed": "email.unsubscribed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of mails. `opened` and `clicked` count each mail once, and persons alone; machines stand beside.

    `opens_off` and `clicks_off` are the code of why they are not asked after (see tracked.Off), empty where they are.
    Rates are in per cent with one decimal; None where there is nothing to relate them to, or where they are off.
    """

    sent: int = 0
    bounced: int = 0
    opened: int = 0
    clicked: int = 0
    machine_opened: int = 0
    machine_clicked: int = 0
    replied: int = 0
    unsubscribed: int = 0
    opens_off: str = ""
    clicks_off: str = ""

    @property
    def delivered(self) -> int:
        """Sent less bounced."""
        return max(0, self.sent - self.bounced)

    @property
    def open_rate(self) -> float | None:
        """Opened of delivered."""
        return None if self.opens_off else rate(self.opened, self.delivered)

    @property
    def click_rate(self) -> float | None:
        """Clicked of delivered."""
        return None if self.clicks_off else rate(self.clicked, self.delivered)

    @property
    def reply_rate(self) -> float | None:
        """Replied of delivered."""
        return rate(self.replied, self.delivered)

    @property
    def bounce_rate(self) -> float | None:
        """Bounced of sent."""
        return rate(self.bounced, self.sent)

    @property
    def unsubscribe_rate(self) -> float | None:
        """Unsubscribed of delivered."""
        return rate(self.unsubscribed, self.delivered)


def workspace_counts(session: Session, workspace_id: int, since: datetime) -> Counts:
    """Return what became of the workspace's mails from the hour of `since` on."""
    workspace = get_workspace(session, workspace_id)
    found = totals(session, workspace_id, "workspace", workspace_id, list(_METRICS.values()), hour_of(since))
    return Counts(
        opens_off="" if workspace.track_opens else "workspace",
        clicks_off="" if workspace.track_clicks else "workspace",
        **{name: found[metric] for name, metric in _METRICS.items()},
    )


def counts_of_many(session: Session, workspace_id: int, scope: str, ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Return the counts of several campaigns or nodes in one query, under the names of the fields of Counts."""
    found = totals_of_many(session, workspace_id, scope, ids, list(_METRICS.values()))
    return {key: {name: sums[metric] for name, metric in _METRICS.items()} for key, sums in found.items()}
