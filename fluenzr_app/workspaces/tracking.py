"""What a workspace wants to know of openings and clicks, and how much of it it keeps (tracking.md, Opens)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypedDict, Unpack, get_args

from sqlmodel import Session

from fluenzr_app.workspaces import audit
from fluenzr_app.workspaces.audit import Actor
from fluenzr_app.workspaces.errors import TrackingRefused
from fluenzr_app.workspaces.models import Workspace
from fluenzr_app.workspaces.users import get_workspace

ProxyOpens = Literal["all", "on_open", "none"]
DAYS_MIN, DAYS_MAX = 1, 730


@dataclass(frozen=True, slots=True)
class TrackingSettings:
    """What is asked after and what is kept.

    `details`: every opening and click with address and agent, for `details_days` days; else the dates of the first
    ones alone. `proxy_opens`: which openings through a provider's image proxy count: `all`, `none`, or `on_open`, those
    of proxies that fetch when the mail is opened.
    """

    track_opens: bool
    track_clicks: bool
    details: bool
    details_days: int
    proxy_opens: str


class TrackingChanges(TypedDict, total=False):
    """What may be changed; what is absent stays as it is."""

    track_opens: bool
    track_clicks: bool
    details: bool
    details_days: int
    proxy_opens: ProxyOpens


_COLUMNS = {
    "track_opens": "track_opens",
    "track_clicks": "track_clicks",
    "details": "tracking_details",
    "details_days": "tracking_details_days",
    "proxy_opens": "proxy_opens",
}


def tracking_settings(session: Session, workspace_id: int) -> TrackingSettings:
    """Return a workspace's settings; raises UnknownWorkspace."""
    return _settings(get_workspace(session, workspace_id))


def change_tracking(
    session: Session, who: Actor, workspace_id: int, now: datetime, **changes: Unpack[TrackingChanges]
) -> TrackingSettings:
    """Change what is given, with an audit entry, and return the settings; raises UnknownWorkspace, TrackingRefused.

    What is kept already is not looked at: `tracking.privacy` does both.
    """
    row = get_workspace(session, workspace_id)
    changed = {}
    for name, value in changes.items():
        _check(name, value)
        if getattr(row, _COLUMNS[name]) != value:
            setattr(row, _COLUMNS[name], value)
            changed[name] = value
    if changed:
        session.add(row)
        audit.record(session, who, workspace_id, "tracking.changed", "", changed, now)
    return _settings(row)


def _check(name: str, value: object) -> None:
    if name == "details_days":
        if not isinstance(value, int) or isinstance(value, bool) or not DAYS_MIN <= value <= DAYS_MAX:
            raise TrackingRefused(name, f"Details are kept for {DAYS_MIN} to {DAYS_MAX} days.")
    elif name == "proxy_opens":
        if value not in get_args(ProxyOpens):
            raise TrackingRefused(name, f"Openings by proxies take one of {', '.join(get_args(ProxyOpens))}.")
    elif not isinstance(value, bool):
        raise TrackingRefused(name, f"{name} takes true or false.")


def _settings(row: Workspace) -> TrackingSettings:
    return TrackingSettings(
        row.track_opens, row.track_clicks, row.tracking_details, row.tracking_details_days, row.proxy_opens
    )
