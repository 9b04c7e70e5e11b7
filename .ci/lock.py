"""Keeps requirements.lock in step with pyproject.toml, without asking any registry.

`sign` writes into the lock file from which requirements it was made; `check` compares.
"""

import hashlib
import json
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements.lock"
MARK = "# made from requirements with sha256 "


def fingerprint() -> str:
    """The hash of everything in pyproject.toml that decides what is locked."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    decisive = {
        "python": project["project"]["requires-python"],
        "dependencies": sorted(project["project"]["dependencies"]),
        "extras": project["project"].get("optional-dependencies", {}),
        "build": project["build-system"]["requires"],
    }
    return hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()


def sign() -> None:
    """Replaces the mark at the end of the lock file."""
    lines = [line for line in LOCK.read_text().splitlines() if not line.startswith(MARK)]
    LOCK.write_text("\n".join([*lines, MARK + fingerprint()]) + "\n")


def check() -> str | None:
    """What is wrong with the lock file, or None."""
    text = LOCK.read_text()
    signed = [line.removeprefix(MARK) for line in text.splitlines() if line.startswith(MARK)]
    if signed != [fingerprint()]:
        return "requirements.lock was not made from this pyproject.toml; run: make lock"
    entries = [line for line in text.splitlines() if "==" in line and not line.startswith((" ", "#"))]
    unhashed = [entry for entry in entries if not entry.endswith("\\")]
    if unhashed or not entries:
        return f"requirements.lock has entries without hashes: {unhashed}; run: make lock"
    return None


if __name__ == "__main__":
    if sys.argv[1:] == ["sign"]:
        sign()
    elif sys.argv[1:] == ["check"]:
        sys.exit(check())
    else:
        sys.exit("usage: lock.py sign | check")
