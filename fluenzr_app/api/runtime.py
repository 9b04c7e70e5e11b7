"""What the routes work with; put together once at the roof."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlmodel import Session

from fluenzr_app.clock import Clock
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.settings import Settings

Check = Callable[[Session], str | None]


@dataclass(frozen=True)
class ApiRuntime:
    """The services of this process that a route may need.

    `checks` are further questions that `/readyz` asks, by name: each returns nothing when all is well, else what is
    wrong in plain words. `wall` is what sessions, keys and tickets go by where `clock` runs faster than the world's.
    """

    settings: Settings
    database: Database
    keyring: KeyRing
    clock: Clock
    checks: Mapping[str, Check] = field(default_factory=dict)
    rng: random.Random = field(default_factory=random.Random)
    wall: Clock | None = None

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        return self.clock.now()

    def wall_now(self) -> datetime:
        """Return the time by which sessions, keys and tickets run out, aware, in UTC."""
        return (self.wall or self.clock).now()
