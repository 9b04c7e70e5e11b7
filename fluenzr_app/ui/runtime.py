"""What the pages' handlers work with; set once where the server is put together."""

from dataclasses import dataclass
from datetime import datetime

from fluenzr_app.clock import Clock
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.settings import Settings
from fluenzr_app.workspaces.rate_limit import RateLimit


@dataclass(frozen=True)
class Runtime:
    """The services of this process that a State may need."""

    settings: Settings
    database: Database
    keyring: KeyRing
    clock: Clock
    clock_rate: float = 1.0
    """Seconds of this clock in a second of the wall: above 1 in the demonstration only."""
    wall: Clock | None = None
    """What sessions, tickets and limits on guessing go by where `clock` runs faster than the world's."""
    rate_limit: RateLimit | None = None
    """What counts the requests of API keys; absent where this process answers none."""

    def wall_now(self) -> datetime:
        """Return the time by which sessions and tickets run out, aware, in UTC."""
        return (self.wall or self.clock).now()


class NoRuntime(RuntimeError):
    """A handler ran before the server was put together."""


_installed: list[Runtime] = []


def install(runtime: Runtime) -> None:
    """Make `runtime` the one that every handler of this process gets."""
    _installed[:] = [runtime]


def current() -> Runtime:
    """Return the installed runtime; raises NoRuntime if there is none."""
    if not _installed:
        raise NoRuntime("the server is not put together yet")
    return _installed[0]
