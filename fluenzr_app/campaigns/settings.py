"""A campaign's settings in typed form, and their shape in the API and the database (campaigns.md, Settings)."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fluenzr_app.campaigns.errors import SettingsRefused
from fluenzr_app.campaigns.timing import Window

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
SKIP_DATES_MAX = 400


@dataclass(frozen=True, slots=True)
class CampaignSettings:
    """When and how fast a campaign writes. Hours are whole, half-open; None means no cap."""

    send_days: tuple[str, ...] = DAYS[:5]
    send_hours_start: int = 9
    send_hours_end: int = 18
    timezone: str = "Europe/Paris"
    use_contact_timezone: bool = False
    max_emails_per_hour: int | None = 30
    new_contacts_per_day: int | None = None
    max_per_company_per_day: int | None = None
    skip_dates: tuple[str, ...] = ()
    first_mail_plain: bool = False
    stop_company_on_reply: bool = False
    track_opens: bool = True
    track_clicks: bool = True
    excluded_group_ids: tuple[int, ...] = ()

    @property
    def window(self) -> Window:
        """When mails may leave, in local time."""
        return Window(
            frozenset(DAYS.index(day) for day in self.send_days),
            self.send_hours_start,
            self.send_hours_end,
            frozenset(date.fromisoformat(day) for day in self.skip_dates),
        )

    @property
    def zone(self) -> ZoneInfo:
        """The campaign's own time zone."""
        return ZoneInfo(self.timezone)

    def stored(self) -> dict[str, Any]:
        """Return what the database keeps."""
        return {
            field.name: list(value) if isinstance(value := getattr(self, field.name), tuple) else value
            for field in fields(self)
        }

    def to_api(self) -> dict[str, Any]:
        """Return the settings in the API shape (api.md, Objects)."""
        stored = self.stored()
        stored.pop("excluded_group_ids")
        return {_camel(name): value for name, value in stored.items()}


def read_stored(stored: Mapping[str, Any]) -> CampaignSettings:
    """Return the settings that a campaign row keeps; what an older version did not know takes its default."""
    known = {field.name for field in fields(CampaignSettings)}
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in stored.items() if name in known
    }
    return CampaignSettings(**values)


def changed(settings: CampaignSettings, changes: Mapping[str, Any]) -> CampaignSettings:
    """Return the settings with `changes` (API names) applied; raises SettingsRefused naming the first bad one."""
    names = {_camel(field.name): field.name for field in fields(CampaignSettings)}
    values: dict[str, Any] = {}
    for name, value in changes.items():
        if name not in names or name == "excludedGroupIds":
            raise SettingsRefused(name, f"“{name}” is no setting of a campaign.")
        values[names[name]] = _checked(name, names[name], value)
    result = replace(settings, **values)
    if not result.send_hours_start < result.send_hours_end:
        raise SettingsRefused("sendHoursEnd", "The sending window must end after it starts.")
    return result


def with_excluded_groups(settings: CampaignSettings, group_ids: tuple[int, ...]) -> CampaignSettings:
    """Return the settings with other excluded groups."""
    return replace(settings, excluded_group_ids=group_ids)


def _checked(name: str, field: str, value: Any) -> Any:
    match field:
        case "send_days":
            return _days(name, value)
        case "send_hours_start" | "send_hours_end":
            return _whole(name, value, 0, 24)
        case "timezone":
            return _zone(name, value)
        case "max_emails_per_hour" | "new_contacts_per_day" | "max_per_company_per_day":
            return None if value is None else _whole(name, value, 1, 100_000)
        case "skip_dates":
            return _dates(name, value)
        case _:
            if not isinstance(value, bool):
                raise SettingsRefused(name, f"{name} takes true or false.")
            return value


def _days(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not value or any(day not in DAYS for day in value):
        raise SettingsRefused(name, f"{name} takes at least one of {', '.join(DAYS)}.")
    return tuple(day for day in DAYS if day in value)


def _whole(name: str, value: Any, lowest: int, highest: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise SettingsRefused(name, f"{name} takes a whole number from {lowest} to {highest}.")
    return value


def _zone(name: str, value: Any) -> str:
    try:
        return str(ZoneInfo(value))
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise SettingsRefused(name, f"“{value}” is no time zone; write for example Europe/Paris.") from None


def _dates(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or len(value) > SKIP_DATES_MAX:
        raise SettingsRefused(name, f"{name} takes a list of at most {SKIP_DATES_MAX} dates.")
    try:
        return tuple(sorted({date.fromisoformat(day).isoformat() for day in value}))
    except (TypeError, ValueError):
        raise SettingsRefused(name, f"{name} takes dates such as 2026-12-25.") from None


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
