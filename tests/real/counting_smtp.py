"""An SMTP server in a process of its own that counts what it accepted, for tests that kill the sender.

The count survives whatever happens to either side: each mail is written to a file before it is answered.
"""

import shutil
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

import pytest

from tests.real.daemon import Daemon

_SERVER = Path(__file__).with_name("counting_smtp_server.py")


@dataclass(frozen=True)
class Behaviour:
    """How the server treats its clients; the default is a plain sink without delay.

    latency_ms: bounds of the random time between a final dot and its answer, in milliseconds.
    user, password: when set, mail is taken only after AUTH (PLAIN or LOGIN).
    hang_at, hang_s: where every client is kept waiting, and for how many seconds.
    refuse: recipients answered with 550 5.1.1.
    close_after: mails on one connection before 421; 0 for no bound.
    quota: mails in all before 550 5.4.5; 0 for no bound.
    orphans: what becomes of a mail whose client died between the final dot and the answer.
    keep: whether the messages themselves are kept for `CountingSmtp.messages`.
    """

    latency_ms: tuple[float, float] = (0, 0)
    user: str = ""
    password: str = ""
    hang_at: Literal["never", "connect", "mail", "dot"] = "never"
    hang_s: float = 0
    refuse: tuple[str, ...] = ()
    close_after: int = 0
    quota: int = 0
    orphans: Literal["accept", "drop", "random"] = "accept"
    keep: bool = False
    seed: int = 0


@dataclass(frozen=True)
class CountedMail:
    """One mail to one recipient. `accepted`: answered; `orphan`: taken, but the client died before the
    answer; `dropped`: not taken, for the same reason."""

    at: float
    outcome: Literal["accepted", "orphan", "dropped"]
    sender: str
    recipient: str
    message_id: str


class CountingSmtp:
    """A running server; `stop` ends it, the counts stay readable."""

    host = "127.0.0.1"

    def __init__(self, folder: Path, behaviour: Behaviour | None = None) -> None:
        self._folder = folder
        self._log = folder / "accepted.log"
        self._log.touch()
        # The socket is made here: clients may connect at once and wait in its queue until the server is up.
        self._socket = socket.create_server((self.host, 0), backlog=512)
        self.port: int = self._socket.getsockname()[1]
        self._server: Daemon | None = None
        self.start(behaviour or Behaviour())

    def start(self, behaviour: Behaviour) -> None:
        """Starts the process, after a `stop` again on the same port and with the counts going on."""
        kept = self._folder / "messages"
        kept.mkdir(exist_ok=True)
        options: dict[str, object] = {
            "--socket": self._socket.fileno(),
            "--log": self._log,
            "--keep": kept if behaviour.keep else "",
            "--user": behaviour.user,
            "--password": behaviour.password,
            "--hang-at": behaviour.hang_at,
            "--hang-s": behaviour.hang_s,
            "--close-after": behaviour.close_after,
            "--quota": behaviour.quota,
            "--orphans": behaviour.orphans,
            "--seed": behaviour.seed,
        }
        command = [sys.executable, str(_SERVER)]
        command += [str(part) for option in options.items() for part in option]
        command += ["--latency-ms", *(str(bound) for bound in behaviour.latency_ms)]
        command += ["--refuse", *behaviour.refuse]
        self._server = Daemon(command, self._folder / "server.out", pass_fds=(self._socket.fileno(),))

    def mails(self) -> list[CountedMail]:
        """Every mail that reached its final dot, in the order of its outcome."""
        # A line without its end is still being written.
        whole = self._log.read_text().rpartition("\n")[0]
        return [_parse(line) for line in whole.splitlines()]

    def accepted(self) -> Counter[str]:
        """How many mails each recipient was sent, whether or not the client lived to hear of it."""
        return Counter(mail.recipient for mail in self.mails() if mail.outcome != "dropped")

    def accepted_ids(self) -> Counter[str]:
        """How often each Message-ID was taken."""
        return Counter(mail.message_id for mail in self.mails() if mail.outcome != "dropped")

    def messages(self) -> list[bytes]:
        """The messages themselves (only with `keep`), in the order in which they were taken."""
        return [file.read_bytes() for file in sorted((self._folder / "messages").glob("*.eml"))]

    def wait_for(self, count: int, timeout: float = 30) -> Counter[str]:
        """The counts once `count` mails have been taken; AssertionError after `timeout` seconds."""
        deadline = time.monotonic() + timeout
        while (found := self.accepted()).total() < count:
            if time.monotonic() > deadline:
                raise AssertionError(f"{found.total()} of {count} mails after {timeout} s")
            time.sleep(0.02)
        return found

    def stop(self) -> None:
        """Ends the process; open connections are cut."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def close(self) -> None:
        """Ends the process and gives the port back."""
        self.stop()
        self._socket.close()


def _parse(line: str) -> CountedMail:
    at, outcome, sender, recipient, message_id = line.split("\t")
    if outcome not in ("accepted", "orphan", "dropped"):
        raise ValueError(f"unknown outcome {outcome}")
    return CountedMail(float(at), outcome, sender, recipient, message_id)  # type: ignore[arg-type]


class StartCountingSmtp(Protocol):
    """Starts one more server that ends with the test."""

    def __call__(self, behaviour: Behaviour | None = None) -> CountingSmtp: ...


@pytest.fixture
def counting_smtp() -> Iterator[StartCountingSmtp]:
    """Starts counting servers: `counting_smtp(Behaviour(latency_ms=(50, 200)))`."""
    folder = Path(tempfile.mkdtemp(prefix="fz-count-"))
    servers: list[CountingSmtp] = []

    def start(behaviour: Behaviour | None = None) -> CountingSmtp:
        own = folder / str(len(servers))
        own.mkdir()
        servers.append(CountingSmtp(own, behaviour))
        return servers[-1]

    yield start
    for server in servers:
        server.close()
    shutil.rmtree(folder, ignore_errors=True)
