"""When, how fast and from which accounts a campaign writes; each change is saved as it is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

import reflex as rx
from sqlmodel import Session

from fluenzr_app.accounts import service as accounts
from fluenzr_app.accounts.limits import campaign_daily_limit
from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns import service
from fluenzr_app.campaigns.errors import CampaignNotFound, CampaignsError, SettingsRefused
from fluenzr_app.campaigns.settings import DAYS
from fluenzr_app.campaigns.views import CampaignView
from fluenzr_app.db.ids import BadPublicId, parse_public_id, public_id
from fluenzr_app.sending import caps
from fluenzr_app.ui.guard import Acting, acting, zone
from fluenzr_app.ui.pages.campaign_acts import key_of_path
from fluenzr_app.ui.pages.campaign_frame import CampaignState
from fluenzr_app.ui.pages.campaign_words import refusal
from fluenzr_app.words import formats
from fluenzr_app.workspaces import service as workspaces
from fluenzr_app.workspaces.tracking import TrackingSettings, tracking_settings

NUMBERS = ("maxEmailsPerHour", "newContactsPerDay", "maxPerCompanyPerDay")
SWITCHES = ("useContactTimezone", "firstMailPlain", "stopCompanyOnReply", "trackOpens", "trackClicks")
_NO_PLACES = ("Etc/", "posix/", "right/", "SystemV/")
ZONES = tuple(sorted(name for name in available_timezones() if "/" in name and not name.startswith(_NO_PLACES)))


@dataclass(frozen=True)
class AccountRow:
    """An account that the campaign may send from, with its state and its room of the last 24 hours."""

    id: str
    email: str
    name: str
    status: str
    used: int
    cap: int
    is_chosen: bool


@dataclass(frozen=True)
class _Read:
    campaign: CampaignView
    accounts: list[tuple[EmailAccount, int, int]]
    tracking: TrackingSettings


class TimingState(rx.State):
    """The settings of one campaign."""

    loaded: bool = False
    editable: bool = False
    name: str = ""
    description: str = ""
    days: list[str] = []
    start: int = 9
    end: int = 18
    zone: str = ""
    own_zone: bool = False
    per_hour: str = ""
    new_per_day: str = ""
    per_company: str = ""
    skip: list[str] = []
    plain: bool = False
    stops_company: bool = False
    track_opens: bool = True
    track_clicks: bool = True
    asks_opens: bool = True
    asks_clicks: bool = True
    accounts: list[AccountRow] = []
    chosen: int = 0
    room: int = 0
    saved: str = ""
    saved_at: str = ""
    wrong: str = ""
    error: str = ""
    revision: int = 0
    _asked: int = 0

    @rx.event
    async def load(self) -> None:
        """Show the settings."""
        me = await acting(self)
        key = self._key()
        if key != self._asked:
            self.saved, self.wrong, self.error, self._asked = "", "", "", key
        try:
            self._show(await me.read(_read, me.workspace_id, key, me.now))
        except CampaignNotFound:
            return

    @rx.event
    async def refresh(self) -> None:
        """Show what somebody else changed, and the room of the accounts."""
        me = await acting(self)
        try:
            read = await me.read(_read, me.workspace_id, self._key(), me.now)
        except CampaignNotFound:
            return
        if read.campaign.revision != self.revision or self.editable != (read.campaign.status in ("draft", "paused")):
            self._show(read)
        else:
            self._show_workspace(read)

    @rx.event
    async def rename(self, name: str) -> Any:
        """Give the campaign another name."""
        return await self._save("name", name=name)

    @rx.event
    async def describe(self, text: str) -> Any:
        """Change the note."""
        return await self._save("description", description=text[: service.DESCRIPTION_MAX])

    @rx.event
    async def toggle_day(self, day: str) -> Any:
        """Send on a day of the week, or no more."""
        if day not in DAYS:
            return None
        days = [each for each in self.days if each != day] if day in self.days else [*self.days, day]
        return await self._save("sendDays", settings={"sendDays": days})

    @rx.event
    async def set_hour(self, which: str, hour: str) -> Any:
        """Open or close the window at another hour."""
        if which not in ("sendHoursStart", "sendHoursEnd") or not (hour.isascii() and hour.isdigit()):
            return None
        return await self._save("sendHoursEnd", settings={which: int(hour)})

    @rx.event
    async def set_zone(self, name: str) -> Any:
        """Choose the campaign's time zone."""
        wanted = name.strip()
        found = next((each for each in ZONES if _spoken(each) == _spoken(wanted)), None)
        found = found or next((each for each in ZONES if _spoken(each.rpartition("/")[2]) == _spoken(wanted)), wanted)
        return await self._save("timezone", settings={"timezone": found})

    @rx.event
    async def set_number(self, which: str, text: str) -> Any:
        """Set a cap; an empty one is none."""
        if which not in NUMBERS:
            return None
        text = text.strip()
        if text and not (text.isascii() and text.isdigit() and len(text) < 7):
            me = await acting(self)
            self.saved, self.wrong, self.error = "refused", which, refusal(me.lang, SettingsRefused(which, ""))
            return None
        return await self._save(which, settings={which: int(text) if text else None})

    @rx.event
    async def set_switch(self, which: str, on: bool) -> Any:
        """Set a switch."""
        return await self._save(which, settings={which: bool(on)}) if which in SWITCHES else None

    @rx.event
    async def skip_date(self, given: dict[str, Any]) -> Any:
        """Send nothing on a date."""
        return await self._save("skipDates", settings={"skipDates": [*self.skip, str(given.get("date", ""))[:10]]})

    @rx.event
    async def unskip(self, day: str) -> Any:
        """Send on a date again."""
        return await self._save("skipDates", settings={"skipDates": [each for each in self.skip if each != day]})

    @rx.event
    async def toggle_account(self, account: str) -> Any:
        """Send from an account, or no more."""
        chosen = {row.id for row in self.accounts if row.is_chosen} ^ {account}
        try:
            keys = sorted(parse_public_id("acc", each) for each in chosen)
        except BadPublicId:
            return None
        return await self._save("accounts", account_ids=keys)

    async def _save(self, field: str, **changes: Any) -> Any:
        me = await acting(self)
        try:
            await me.write(
                service.update_campaign,
                me.workspace_id,
                self._key(),
                me.now,
                expected_revision=self.revision or None,
                **changes,
            )
        except SettingsRefused as error:
            self.saved, self.wrong, self.error = "refused", field, refusal(me.lang, error)
            return None
        except CampaignsError as error:
            self.saved, self.wrong, self.error = "", "", ""
            self._show(await me.read(_read, me.workspace_id, self._key(), me.now))
            return [rx.toast.error(refusal(me.lang, error)), CampaignState.load]
        self.wrong = self.error = ""
        await self._told_saved(me)
        self._show(await me.read(_read, me.workspace_id, self._key(), me.now))
        return CampaignState.load

    async def _told_saved(self, me: Acting) -> None:
        here = zone((await me.read(workspaces.get_workspace, me.workspace_id)).timezone)
        self.saved, self.saved_at = "saved", formats.time_of_day(me.lang, me.now, here)

    def _key(self) -> int:
        return key_of_path(self.router.url.path)

    def _show(self, read: _Read) -> None:
        campaign, settings = read.campaign, read.campaign.settings
        self.name, self.description, self.revision = campaign.name, campaign.description, campaign.revision
        self.editable = campaign.status in ("draft", "paused")
        self.days, self.start, self.end = list(settings.send_days), settings.send_hours_start, settings.send_hours_end
        self.zone, self.own_zone, self.plain = (
            settings.timezone,
            settings.use_contact_timezone,
            settings.first_mail_plain,
        )
        self.per_hour = _text(settings.max_emails_per_hour)
        self.new_per_day = _text(settings.new_contacts_per_day)
        self.per_company = _text(settings.max_per_company_per_day)
        self.skip, self.stops_company = list(settings.skip_dates), settings.stop_company_on_reply
        self.track_opens, self.track_clicks = settings.track_opens, settings.track_clicks
        self._show_workspace(read)
        self.loaded = True

    def _show_workspace(self, read: _Read) -> None:
        self.asks_opens, self.asks_clicks = read.tracking.track_opens, read.tracking.track_clicks
        chosen = set(read.campaign.account_ids)
        self.accounts = [
            AccountRow(
                public_id("acc", account.id or 0),
                account.email,
                account.display_name,
                account.status,
                used,
                cap,
                account.id in chosen,
            )
            for account, used, cap in read.accounts
        ]
        self.chosen = sum(row.is_chosen for row in self.accounts)
        self.room = sum(row.cap for row in self.accounts if row.is_chosen and row.status == "connected")


def _text(value: int | None) -> str:
    return "" if value is None else str(value)


def _spoken(name: str) -> str:
    return name.replace("_", " ").casefold().strip()


def _read(session: Session, workspace_id: int, campaign_id: int, now: datetime) -> _Read:
    campaign = service.get_campaign(session, workspace_id, campaign_id)
    rows = []
    for account in accounts.list_accounts(session, workspace_id):
        if account.removed_at is None:
            used = caps.usage(session, account.id or 0, now)
            rows.append((account, used.campaign_day, campaign_daily_limit(account, now)))
    return _Read(campaign, rows, tracking_settings(session, workspace_id))
