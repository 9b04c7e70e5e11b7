"""The pages are built once for each version of their sources, and run under any address."""

import gzip
import json
import os
import shutil
import stat
import sys
from pathlib import Path

import pytest

from fluenzr_app import bundle as room
from fluenzr_app.bundle import BundleError, ensure_bundle, fingerprint, follow_location

SCRIPT = 'var e={PING:"http://localhost:8000/ping",EVENT:`ws://localhost:8000/_event`,OTHER:"https://w3.example/x"};'


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """The sources that decide how the pages come out, in a tree of their own."""
    for name in ("fluenzr_app/ui", "fluenzr_app/words", "assets", "reflex.lock"):
        shutil.copytree(room.ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "external"))
    for name in ("rxconfig.py", "fluenzr_app/fluenzr_app.py", "fluenzr_app/bundle.py", "fluenzr_app/gate.py"):
        shutil.copy(room.ROOT / name, tmp_path / name)
    return tmp_path


def test_the_scripts_talk_to_where_they_came_from(tmp_path: Path):
    script = tmp_path / "assets" / "reflex-env-abc.js"
    script.parent.mkdir()
    script.write_text(SCRIPT)
    assert follow_location(tmp_path) == 1
    text = script.read_text()
    assert "localhost" not in text
    assert 'PING:(location.origin+"/ping")' in text
    assert "EVENT:(location.origin.replace(/^http/,'ws')+`/_event`)" in text
    assert '"https://w3.example/x"' in text


def test_https_on_a_port_of_its_own_keeps_that_port(tmp_path: Path):
    script = tmp_path / "a.js"
    script.write_text(
        "var e=`ws://localhost:8000/_event`,SAME_DOMAIN_HOSTNAMES=[`localhost`,`0.0.0.0`],f=[`localhost`];"
    )
    follow_location(tmp_path)
    assert script.read_text().endswith("SAME_DOMAIN_HOSTNAMES=[],f=[`localhost`];")


def test_a_build_without_an_address_to_replace_is_refused(tmp_path: Path):
    (tmp_path / "a.js").write_text("var e={};")
    with pytest.raises(BundleError, match="pinned version"):
        follow_location(tmp_path)


@pytest.mark.parametrize(
    "changed",
    ["fluenzr_app/ui/shell.py", "fluenzr_app/words/locales/fr/common.po", "assets/css/tokens.css", "rxconfig.py",
     "reflex.lock/package.json", "fluenzr_app/gate.py"],
)  # fmt: skip
def test_any_change_of_a_source_gives_another_name(sources: Path, changed: str):
    before = fingerprint(sources)
    assert fingerprint(sources) == before
    with (sources / changed).open("a") as file:
        file.write("\n")
    assert fingerprint(sources) != before


def test_what_does_not_show_on_a_page_gives_the_same_name(sources: Path):
    before = fingerprint(sources)
    (sources / "fluenzr_app" / "cli.py").write_text("print()")
    (sources / "fluenzr_app" / "ui" / "notes.txt").write_text("x")
    linked = sources / "assets" / "external" / "fluenzr_app" / "canvas.jsx"
    linked.parent.mkdir(parents=True, exist_ok=True)
    linked.write_text("what a build links there")
    assert fingerprint(sources) == before


def test_a_bundle_that_is_there_is_used_without_node(sources: Path, monkeypatch: pytest.MonkeyPatch):
    folder = sources / "build" / "ui" / fingerprint(sources)
    (folder / "build" / "client").mkdir(parents=True)
    (folder / "backend").mkdir()
    (folder / "build" / "client" / "index.html").write_text("<html>")
    monkeypatch.setattr(room, "_build", lambda root: pytest.fail("built again"))
    assert ensure_bundle(root=sources) == folder


def test_a_build_that_fails_says_what_reflex_said_and_leaves_nothing_behind(sources: Path):
    (sources / "fluenzr_app" / "fluenzr_app.py").write_text("raise RuntimeError('a page is broken')")
    with pytest.raises(BundleError, match="a page is broken"):
        ensure_bundle(root=sources)
    assert [path.name for path in (sources / "build" / "ui").iterdir()] == [".lock"]


def test_without_a_node_that_runs_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    broken = tmp_path / "npm"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(broken.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(BundleError, match="make setup"):
        room._configured_registry(tmp_path, {})


def test_old_bundles_go_and_the_latest_stay(tmp_path: Path):
    for age in range(9):
        (tmp_path / f"bundle{age}").mkdir()
        os.utime(tmp_path / f"bundle{age}", (1_000_000 - age, 1_000_000 - age))
    room._forget_old(tmp_path, keep=tmp_path / "bundle7")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "bundle0",
        "bundle1",
        "bundle2",
        "bundle3",
        "bundle4",
        "bundle7",
    ]


def test_a_lock_that_a_build_only_wrote_in_another_order_stays_as_it_was(tmp_path: Path):
    same, other = tmp_path / "package.json", tmp_path / "package-lock.json"
    same.write_text('{"a": 1, "b": 2}')
    other.write_text('{"a": 1}')
    with room._same_lock_same_text(tmp_path):
        same.write_text('{"b":2,"a":1}')
        other.write_text('{"a":2}')
    assert same.read_text() == '{"a": 1, "b": 2}'
    assert other.read_text() == '{"a":2}'


def test_pages_and_server_say_which_bundle_they_are_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    script = tmp_path / "boot.js"
    script.write_text("(() => {})();")
    twin = tmp_path / "boot.js.gz"
    twin.write_bytes(gzip.compress(script.read_bytes()))
    for name in ("one", "another"):
        room.name_bundle(tmp_path, name)
        assert script.read_text() == f'window.fzBundle="{name}";\n(() => {{}})();'
        assert gzip.decompress(twin.read_bytes()) == script.read_bytes()
        assert json.loads((tmp_path / "bundle.json").read_text()) == {"bundle": name}
    monkeypatch.setenv("REFLEX_WEB_WORKDIR", str(tmp_path / "a1b2"))
    assert room.served_bundle() == "a1b2"
    monkeypatch.setenv("REFLEX_WEB_WORKDIR", str(tmp_path / ".web"))
    assert room.served_bundle() == ""
