"""Nothing in the tracked files belongs to one machine: no registry's address, no absolute path of a checkout."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
# Written with a class in the middle, so that this file does not find itself.
REGISTRIES = re.compile(
    r"registr[y]\.(npmjs|yarnpkg)\.|files\.pythonhoste[d]\.org|pypi\.or[g]/simple|"
    r"--(extra-)?index-ur[l]|--find-link[s][= ]|--trusted-hos[t]"
)
HOMES = re.compile(r"(?<![\w.])/(home|Users)/[a-z]\w*/|(?<![\w.])/roo[t]/")
_ADDRESSES = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "NPM_CONFIG_REGISTRY", "npm_config_registry")
# The lock target itself says that no address may be written.
ALLOWED = {"Makefile": ("--no-emit-index-url", "--no-emit-find-links")}


def this_machine() -> list[str]:
    """Texts that name this machine: where the checkout lies, and the registries that it is told to use."""
    texts = [str(ROOT)] if len(ROOT.parts) > 2 else []
    for name in _ADDRESSES:
        host = urlsplit(os.environ.get(name, "")).hostname
        if host:
            texts.append(host)
    return texts


def findings() -> Iterator[str]:
    """Each offending line as `file:line: text`."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    own = this_machine()
    for name in filter(None, listed.stdout.split("\0")):
        try:
            lines = (ROOT / name).read_text().splitlines()
        except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
            continue
        for number, line in enumerate(lines, 1):
            text = line
            for allowed in ALLOWED.get(name, ()):
                text = text.replace(allowed, "")
            if REGISTRIES.search(text) or HOMES.search(text) or any(part in text for part in own):
                yield f"{name}:{number}: {line.strip()[:120]}"


if __name__ == "__main__":
    found = list(findings())
    sys.exit("\n".join(["these lines belong to one machine or registry:", *found]) if found else None)
