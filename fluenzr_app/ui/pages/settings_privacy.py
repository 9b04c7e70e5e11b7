"""Tracking and privacy: what is asked after, what is kept of it, what recipients are told; an admin decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import reflex as rx
from sqlmodel import Session

from fluenzr_app.campaigns.footer import Footer, with_footer
from fluenzr_app.tracking import privacy
from fluenzr_app.ui.guard import Acting, acting, zone
from fluenzr_app.ui.kept import kept_is_dropped
from fluenzr_app.ui.language import words
from fluenzr_app.words import formats
from fluenzr_app.workspaces import service as workspaces
from fluenzr_app.workspaces.errors import TrackingRefused
from fluenzr_app.workspaces.tracking import DAYS_MAX, DAYS_MIN, TrackingChanges, TrackingSettings, tracking_settings

DAYS = "privacy.days"
# What the footer links to in a mail; here it leads nowhere.
_NOWHERE = "#"


@dataclass(frozen=True)
class _Read:
    settings: TrackingSettings
    objections: int
    postal_address: str
    zone: str


class PrivacyState(rx.State):
    """The tracking settings of whoever asks. `saved` names the block that was changed last."""

    track_opens: bool = True
    track_clicks: bool = True
    details: bool = False
    days: str = ""
    proxy_opens: str = "on_open"
    objections: int = 0
    has_address: bool = True
    footer_fr: str = ""
    footer_en: str = ""
    saved: str = ""
    saved_at: str = ""
    error: str = ""
    asking: str = ""
    asked_days: int = 0
    doomed: int = 0
    version: int = 0
    loaded: bool = False

    @rx.event
    async def load(self) -> None:
        """Show the settings."""
        me = await acting(self)
        self.saved, self.error, self.asking = "", "", ""
        self._show(await me.read(_read, me.workspace_id))

    @rx.event
    async def switch(self, which: str, on: bool) -> None:
        """Ask after openings or clicks, or no more."""
        me = await acting(self, admin=True)
        if which == "track_opens":
            await self._store(me, "asked", track_opens=bool(on))
        elif which == "track_clicks":
            await self._store(me, "asked", track_clicks=bool(on))

    @rx.event
    async def choose_proxies(self, choice: str) -> None:
        """Say which openings through proxies count."""
        me = await acting(self, admin=True)
        if choice == "all" or choice == "on_open" or choice == "none":
            await self._store(me, "proxies", proxy_opens=choice)

    @rx.event
    async def ask_details(self, choice: str) -> None:
        """Ask before details are kept, and before those that are kept go."""
        me = await acting(self, admin=True)
        self.error = ""
        if choice == "details" and not self.details:
            self.asking = "keep"
        elif choice == "dates" and self.details:
            self.doomed = await me.read(privacy.kept_details, me.workspace_id)
            self.asking = "forget"

    @rx.event
    async def keep_details(self, given: dict[str, Any]) -> None:
        """Keep details from now on, for as many days as were written."""
        me = await acting(self, admin=True)
        days = _number(str(given.get("days", "")))
        if self._refuse(me, days):
            return
        self.asking = ""
        await self._store(me, "kept", details=True, details_days=days)

    @rx.event
    async def forget_details(self) -> Any:
        """Keep the dates alone; what was kept in detail goes."""
        me = await acting(self, admin=True)
        self.asking = ""
        return await self._store(me, "kept", details=False)

    @rx.event
    async def set_days(self, text: str) -> Any:
        """Keep details for other days; asks where something would go."""
        me = await acting(self, admin=True)
        days = _number(text)
        if self._refuse(me, days):
            return None
        before = (await me.read(tracking_settings, me.workspace_id)).details_days
        self.doomed = 0
        if days < before:
            self.doomed = await me.read(privacy.kept_details, me.workspace_id, me.now - timedelta(days=days))
        if self.doomed:
            self.asking, self.asked_days = "shorten", days
            return None
        return await self._store(me, "kept", details_days=days)

    @rx.event
    async def shorten(self) -> Any:
        """Keep details for the fewer days that were asked about."""
        me = await acting(self, admin=True)
        self.asking = ""
        return await self._store(me, "kept", details_days=self.asked_days)

    @rx.event
    async def close(self) -> Any:
        """Close the question; the field says again what holds."""
        await acting(self)
        self.asking, self.error = "", ""
        self.version += 1
        return kept_is_dropped(DAYS)

    async def _store(self, me: Acting, where: str, **changes: Any) -> Any:
        try:
            changed = await me.write(_change, me, changes)
        except TrackingRefused:
            self.error = words(me.lang, "settings.errors.unknown_choice")
            return None
        read = await me.read(_read, me.workspace_id)
        self.saved, self.error = where, ""
        self.saved_at = formats.time_of_day(me.lang, me.now, zone(read.zone))
        self._show(read)
        if changed.forgotten:
            return rx.toast.success(words(me.lang, "settings.privacy.forgotten", n=changed.forgotten))
        return None

    def _refuse(self, me: Acting, days: int) -> bool:
        if DAYS_MIN <= days <= DAYS_MAX:
            self.error = ""
            return False
        self.saved = ""
        self.error = words(me.lang, "settings.privacy.wrong_days", minimum=DAYS_MIN, maximum=DAYS_MAX)
        return True

    def _show(self, read: _Read) -> None:
        settings = read.settings
        self.track_opens, self.track_clicks = settings.track_opens, settings.track_clicks
        self.details, self.proxy_opens = settings.details, settings.proxy_opens
        if self.days != str(settings.details_days):
            self.days = str(settings.details_days)
            self.version += 1
        self.objections, self.has_address = read.objections, read.postal_address != ""
        self.footer_fr = _footer("fr", read)
        self.footer_en = _footer("en", read)
        self.loaded = True


def _read(session: Session, workspace_id: int) -> _Read:
    workspace = workspaces.get_workspace(session, workspace_id)
    return _Read(
        tracking_settings(session, workspace_id),
        privacy.count_objections(session, workspace_id),
        workspace.postal_address.strip(),
        workspace.timezone,
    )


def _change(session: Session, me: Acting, changes: TrackingChanges) -> privacy.Changed:
    return privacy.change(session, me.identity, me.workspace_id, me.now, **changes)


def _footer(language: str, read: _Read) -> str:
    told = _NOWHERE if read.settings.track_opens else None
    return with_footer("", "", Footer(language, read.postal_address, _NOWHERE, told))[0] or ""


def _number(text: str) -> int:
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0
