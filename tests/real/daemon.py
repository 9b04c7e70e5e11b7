"""Starting a server in the foreground, waiting until it answers, stopping it."""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path


class ServerDidNotStart(RuntimeError):
    """A real server ended or stayed silent instead of answering; the text holds the end of its log."""


def run(command: Sequence[str | Path], **environment: str) -> str:
    """The output of a command that must succeed; raises ServerDidNotStart with what it printed otherwise."""
    done = subprocess.run(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        env=os.environ | environment,
    )
    if done.returncode:
        raise ServerDidNotStart(f"{command[0]} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


class Daemon:
    """One server process and all its children, with its output in a file.

    The output goes to a file and never to a pipe: children that outlive their parent would keep the pipe
    open, and whoever reads it would wait for ever. Start it in a thread that outlives it: the kernel ends it
    with that thread.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        log: Path,
        user: str | None = None,
        pass_fds: Sequence[int] = (),
    ) -> None:
        self.name = Path(command[0]).name
        self._log = log
        # Postfix closes every possible file descriptor at its start: a bound saves two seconds. The kernel
        # ends the server when the test process is killed, so that nothing stays behind; it forgets that
        # at a change of user, which therefore comes first.
        guarded = ["prlimit", "--nofile=4096:4096", "setpriv", "--pdeathsig", "TERM"]
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*guarded, *(str(part) for part in command)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                user=user,
                group=user,
                extra_groups=[] if user else None,
                start_new_session=True,
                pass_fds=pass_fds,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def wait_until(self, ready: Callable[[], bool], seconds: float = 20) -> None:
        """Returns once `ready` says so; raises ServerDidNotStart when the server ends or time runs out."""
        deadline = time.monotonic() + seconds
        while not ready():
            if not self.running or time.monotonic() > deadline:
                self.stop()
                raise ServerDidNotStart(f"{self.name} did not start:\n{self._log.read_text()[-4000:]}")
            time.sleep(0.02)

    def stop(self, how: signal.Signals = signal.SIGTERM, seconds: float = 10) -> None:
        """Asks the server to end and ends its whole process group when it does not."""
        if self.running:
            self._process.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
