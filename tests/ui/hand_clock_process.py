"""Serves an installation for the tests of pages whose clock is a file, so that a test moves its time by hand."""

from datetime import datetime, timedelta
from pathlib import Path

from fluenzr_app.settings import load_settings
from tests.ui import site_process


class HandClock:
    """Says the moment that stands in `clock` in the installation's data folder."""

    def __init__(self) -> None:
        self._file: Path = load_settings(_env_file=None).data_dir / "clock"

    def now(self) -> datetime:
        """Return the moment that the test wrote last."""
        return datetime.fromisoformat(self._file.read_text())

    def real_seconds(self, span: timedelta) -> float:
        """Return the seconds of the wall in a span of this clock, as if both ran alike."""
        return span.total_seconds()


if __name__ == "__main__":
    site_process.SystemClock = HandClock  # type: ignore[attr-defined, assignment]
    site_process.main()
