"""The time zones that a person may choose."""

from zoneinfo import available_timezones

_REGIONS = ("Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


def zones() -> list[str]:
    """Return the names of the time zones that a person may choose, in order, and UTC."""
    return [*sorted(name for name in available_timezones() if name.partition("/")[0] in _REGIONS), "UTC"]
