"""A browser's own name for itself, as the list of sessions shows it."""

import pytest

from fluenzr_app.ui.browsers import browser_name
from fluenzr_app.ui.zones import zones

MOZILLA = "Mozilla/5.0"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (f"{MOZILLA} (X11; Linux x86_64) AppleWebKit/537.36 Chrome/131.0 Safari/537.36", "Chrome · Linux"),
        (f"{MOZILLA} (Windows NT 10.0; Win64) Chrome/131.0 Safari/537.36 Edg/131.0", "Edge · Windows"),
        (f"{MOZILLA} (Macintosh; Intel Mac OS X 10.15; rv:133.0) Gecko/20100101 Firefox/133.0", "Firefox · macOS"),
        (f"{MOZILLA} (iPhone; CPU iPhone OS 17_0 like Mac OS X) Mobile Safari/604.1", "Safari · iPhone"),
        (f"{MOZILLA} (Linux; Android 14) AppleWebKit/537.36 Chrome/131.0 Mobile Safari/537.36", "Chrome · Android"),
        ("curl/8.5", ""),
        ("", ""),
    ],
)  # fmt: skip
def test_a_browser_is_named_by_what_it_is_and_where_it_runs(agent: str, name: str):
    assert browser_name(agent) == name


def test_the_zones_to_choose_from_are_places_and_utc():
    found = zones()
    assert {"Europe/Paris", "America/New_York", "UTC"} <= set(found)
    assert not [name for name in found if name.startswith(("Etc/", "US/", "SystemV/"))]
