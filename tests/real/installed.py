"""Which real servers this machine has, and how it gets the others."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# Chromium without what a window needs: the same pages for half of the processor's time.
CHROMIUM = "/usr/bin/chromium-headless-shell"
# With this the absence of a server is a failure, not a reason to leave tests out.
REQUIRE_ALL = "FLUENZR_TEST_REQUIRE_ALL"
_POLICY = Path("/usr/sbin/policy-rc.d")


def postgres_programs() -> Path | None:
    """The folder of the newest installed PostgreSQL server, or None."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    if debian:
        return debian[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _has(*programs: str) -> Callable[[], bool]:
    return lambda: all(shutil.which(program) for program in programs)


@dataclass(frozen=True)
class Server:
    """One kind of real server: the fixture that starts it, its Debian packages, whether it is there."""

    fixture: str
    marker: str
    packages: tuple[str, ...]
    is_there: Callable[[], bool]
    needs_root: bool = False

    def obstacle(self) -> str | None:
        """Why its tests cannot run here, with the command that mends it; None when they can."""
        if not self.is_there():
            return f"not installed; run: sudo {install_command(self.packages)}"
        if self.needs_root and os.geteuid() != 0:
            return "only root can start it; run: sudo make test"
        return None


SERVERS = (
    Server(
        "post_office",
        "real_mail",
        ("postfix", "dovecot-imapd", "dovecot-lmtpd", "dovecot-sieve", "openssl"),
        _has("postfix", "dovecot", "sievec", "openssl"),
        needs_root=True,
    ),
    Server("postgres_cluster", "real_postgres", ("postgresql",), lambda: postgres_programs() is not None),
    Server("redis_server", "real_redis", ("redis-server",), _has("redis-server")),
    Server("browser", "real_browser", ("chromium-headless-shell",), lambda: Path(CHROMIUM).exists()),
)


def install_command(packages: tuple[str, ...]) -> str:
    """The command that installs these Debian packages without asking anything."""
    return "env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends " + " ".join(packages)


def install_missing() -> int:
    """Installs what is missing where that is possible; gives an exit status.

    Somebody who is not root, or not on Debian, is told the command and goes on without those tests.
    """
    missing = tuple(package for server in SERVERS if not server.is_there() for package in server.packages)
    if not missing:
        return 0
    command = install_command(missing)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        print(f"Some real servers are missing; their tests are left out. Install them with: sudo {command}")
        return 0
    made_policy = not _POLICY.exists()
    if made_policy:
        # Packages of servers start them at once; 101 forbids that ("action not allowed").
        _POLICY.write_text("#!/bin/sh\nexit 101\n")
        _POLICY.chmod(0o755)
    try:
        subprocess.run(["apt-get", "update", "-q"], check=False)
        return subprocess.run(["/bin/sh", "-c", command], check=False).returncode
    finally:
        if made_policy:
            _POLICY.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(install_missing())
