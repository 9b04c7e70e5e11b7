"""The demo's clock: fast while there is something to see, and ahead at once to the next opening when there is not."""

import time
from datetime import datetime, timedelta
from threading import Lock

from sqlalchemy import select
from sqlmodel import Session

from fluenzr_app.campaigns.models import Campaign
from fluenzr_app.campaigns.settings import CampaignSettings, read_stored
from fluenzr_app.campaigns.timing import is_open, next_opening
from fluenzr_app.clock import require_aware
from fluenzr_app.db.tables import table_of

_CAMPAIGN = table_of(Campaign)
# What was on its way when the window closed has long arrived by then, and the evening can be seen.
_AFTER_CLOSING = timedelta(minutes=20)
_BEFORE_OPENING = timedelta(minutes=5)


class DemoClock:
    """Stands at `start` until `run`, then goes `factor` times as fast as the wall, and can be set ahead."""

    def __init__(self, start: datetime, factor: float) -> None:
        if factor <= 0:
            raise ValueError("the factor must be above 0")
        self._factor = factor
        self._lock = Lock()
        self._base = require_aware(start)
        self._since: float | None = None

    def run(self) -> None:
        """Begin to go."""
        with self._lock:
            self._since = time.monotonic()

    def now(self) -> datetime:
        """Return the virtual time, aware, in UTC."""
        with self._lock:
            return self._reading()

    def real_seconds(self, span: timedelta) -> float:
        """Return how long `span` of virtual time lasts on the wall, in seconds, without what is passed over."""
        return span.total_seconds() / self._factor

    def skip_to(self, moment: datetime) -> None:
        """Go on from `moment`, if that is still to come."""
        with self._lock:
            if self._reading() < require_aware(moment):
                self._base = require_aware(moment)
                self._since = None if self._since is None else time.monotonic()

    def _reading(self) -> datetime:
        if self._since is None:
            return self._base
        return self._base + timedelta(seconds=(time.monotonic() - self._since) * self._factor)


def end_of_rest(session: Session, now: datetime) -> datetime | None:
    """Return to which moment the clock may be set, because no campaign writes before it; None to let it run.

    Nothing is passed over while a campaign's window is open or has only just closed, with the time zones of contacts,
    and when no campaign is active: then somebody is working on the next one.
    """
    rows = session.connection().execute(select(_CAMPAIGN.c.settings).where(_CAMPAIGN.c.status == "active"))
    active = [read_stored(stored) for stored in rows.scalars()]
    if not active or any(_may_write(settings, now) for settings in active):
        return None
    openings = [next_opening(settings.window, now, settings.zone) for settings in active]
    soonest = min((at for at in openings if at is not None), default=None)
    if soonest is None or soonest - _BEFORE_OPENING <= now:
        return None
    return soonest - _BEFORE_OPENING


def _may_write(settings: CampaignSettings, now: datetime) -> bool:
    if settings.use_contact_timezone:
        return True
    return any(is_open(settings.window, at, settings.zone) for at in (now, now - _AFTER_CLOSING))
