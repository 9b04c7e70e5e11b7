"""The keys of pixels and links from before a rotation, read from the database once and never for each bad link."""

import asyncio
from collections.abc import Mapping, Sequence

from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.workspaces.secrets import CLICK_PURPOSE, OPEN_PURPOSE, retired_link_keys


def none_retired(_purpose: str) -> Sequence[bytes]:
    """Give no key: the first try, which nearly every link passes (a `links.RetiredKeys`)."""
    return ()


class RetiredLinkKeys:
    """A `links.RetiredKeys` for opens and clicks, empty until `load` has returned.

    A rotation is put in force by a restart (platform.md, Operation), so that what was read once stays right.
    """

    def __init__(self, database: Database, keyring: KeyRing) -> None:
        self._database = database
        self._keyring = keyring
        self._keys: Mapping[str, Sequence[bytes]] | None = None
        self._one_reader = asyncio.Lock()

    def __call__(self, purpose: str) -> Sequence[bytes]:
        """Return the keys for `purpose`, newest first."""
        return (self._keys or {}).get(purpose, ())

    async def load(self) -> None:
        """Read the keys unless they are known; raises what the database raises, and the next call tries again."""
        if self._keys is None:
            async with self._one_reader:
                if self._keys is None:
                    self._keys = await self._database.run(self._read)

    def _read(self) -> Mapping[str, Sequence[bytes]]:
        with self._database.read() as session:
            return {
                purpose: retired_link_keys(session, self._keyring, purpose) for purpose in (OPEN_PURPOSE, CLICK_PURPOSE)
            }
