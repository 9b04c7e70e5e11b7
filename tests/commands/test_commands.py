"""The commands of an operator, as real processes: what they print, and what they say when they refuse."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import col, select

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.db.engine import Database
from fluenzr_app.workspaces.models import Workspace
from tests.people import make_account


class Fluenzr:
    """The command with a data directory of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"FLUENZR_DATA_DIR": str(folder / "data"), "PATH": "/usr/bin:/bin", "HOME": str(folder)}

    def __call__(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "fluenzr_app", *arguments],
            env=self.environment | environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def json(self, *arguments: str) -> dict[str, object]:
        """The JSON object that a command answers; AssertionError when it failed."""
        done = self(*arguments, "--json")
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout)
        assert isinstance(answer, dict)
        return answer


@pytest.fixture
def fluenzr(tmp_path: Path) -> Fluenzr:
    return Fluenzr(tmp_path)


def test_the_first_user_gets_a_workspace_and_a_password_is_made_up(fluenzr: Fluenzr) -> None:
    made = fluenzr.json("user", "add", "camille@rivage.example")
    assert made["email"] == "camille@rivage.example"
    assert len(str(made["password"])) >= 12
    key = str(fluenzr.json("apikey", "add", "Reports", "--read-only")["key"])
    assert key.startswith("flz_sk_")
    assert len(key) == len("flz_sk_") + 32
    again = fluenzr("user", "add", "CAMILLE@rivage.example")
    assert again.returncode == 1
    assert "Traceback" not in again.stderr


def test_a_command_that_needs_a_workspace_says_how_to_make_one(fluenzr: Fluenzr) -> None:
    refused = fluenzr("apikey", "add", "Reports")
    assert refused.returncode == 1
    assert "fluenzr user add" in refused.stderr


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("FLUENZR_PORT", "eighty", "FLUENZR_PORT"),
        ("FLUENZR_SECRET_KEY", "short", "at least 32 characters"),
        ("FLUENZR_DATABASE_URL", "mysql://x", "postgresql://"),
        ("FLUENZR_PUBLIC_URL", "mail.example.com", "https://mail.example.com"),
        ("FLUENZR_TRUSTED_PROXIES", "10.0.0.0/99", "10.0.0.0/99"),
        ("FLUENZR_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/none", "cannot be opened"),
    ],
)
def test_a_wrong_setting_stops_with_one_clear_line(fluenzr: Fluenzr, name: str, value: str, words: str) -> None:
    refused = fluenzr("doctor", **{name: value})
    text = refused.stdout + refused.stderr
    assert refused.returncode == 1
    assert words in text
    assert "Traceback" not in text


def test_doctor_finds_a_fresh_installation_in_order_and_a_damaged_key_file(fluenzr: Fluenzr) -> None:
    fluenzr.json("user", "add", "camille@rivage.example")
    found = fluenzr.json("doctor")
    assert found["ok"] is True
    key = fluenzr.folder / "data" / "secret.key"
    key.chmod(0o644)
    refused = fluenzr("doctor")
    assert refused.returncode == 1
    assert "chmod 600" in refused.stdout + refused.stderr
    key.chmod(0o600)
    key.write_bytes(b"another key that was never used here, long enough to be one")
    lost = fluenzr("doctor")
    assert lost.returncode == 1
    assert "another key" in lost.stdout


def test_a_fresh_schema_has_nothing_to_migrate_verify_or_release(fluenzr: Fluenzr) -> None:
    fluenzr.json("user", "add", "camille@rivage.example")
    assert fluenzr.json("migrate") == {"applied": []}
    assert fluenzr.json("stats", "verify") == {"equal": True, "drifts": []}
    assert fluenzr.json("release") == {"released": False, "reason": None}


def test_a_backup_does_not_overwrite_a_file(fluenzr: Fluenzr) -> None:
    fluenzr.json("user", "add", "camille@rivage.example")
    target = fluenzr.folder / "saved.db"
    saved = fluenzr.json("backup", str(target))
    assert saved["bytes"] == target.stat().st_size
    assert target.stat().st_mode & 0o077 == 0
    refused = fluenzr("backup", str(target))
    assert refused.returncode == 1
    assert "exists already" in refused.stderr


def test_secrets_are_sealed_anew_with_another_key(fluenzr: Fluenzr) -> None:
    fluenzr.json("user", "add", "camille@rivage.example")
    new = fluenzr.folder / "new.key"
    new.write_bytes(b"a new key of forty-eight letters for the next year")
    assert fluenzr.json("secrets", "rotate", "--new-key-file", str(new))["resealed"]
    assert fluenzr("doctor").returncode == 1
    key = fluenzr.folder / "data" / "secret.key"
    key.write_bytes(new.read_bytes())
    assert fluenzr.json("doctor")["ok"] is True


def test_doctor_says_what_stands_still_with_its_remedy_and_fails_only_for_what_is_broken(fluenzr: Fluenzr) -> None:
    fluenzr.json("user", "add", "camille@rivage.example", "--workspace-name", "Rivage")
    moment = datetime.now(UTC) - timedelta(hours=2)
    _in_error(fluenzr, moment)
    refused = fluenzr("doctor", "--workspace", "Rivage")
    assert refused.returncode == 1
    assert "error   Rivage: lea@rivage.example: account in error. The server refuses the user name" in refused.stdout
    assert "(since " in refused.stdout
    assert "\n        Reconnect\n" in refused.stdout
    told = json.loads(fluenzr("doctor", "--json").stdout)
    assert told["ok"] is False
    (found,) = [each for each in told["findings"] if each["code"] == "account_error"]
    assert (found["level"], found["subject"], found["remedies"]) == ("error", "Rivage", ["Reconnect"])
    assert fluenzr("doctor", "--workspace", "nowhere").returncode == 1
    # What waits by itself is no fault.
    _in_error(fluenzr, None)
    assert fluenzr.json("doctor")["ok"] is True


def test_the_support_file_is_for_its_owner_and_overwrites_nothing(fluenzr: Fluenzr) -> None:
    fluenzr.json("user", "add", "camille@rivage.example")
    _in_error(fluenzr, datetime.now(UTC))
    target = fluenzr.folder / "support.json"
    made = fluenzr.json("support", str(target), "--describe", "Nothing leaves")
    assert made["bytes"] == target.stat().st_size
    assert target.stat().st_mode & 0o077 == 0
    document = json.loads(target.read_text())
    assert document["description"] == "Nothing leaves"
    assert [each["code"] for each in document["diagnoses"]] == ["account_error"]
    assert "camille" not in target.read_text()
    refused = fluenzr("support", str(target))
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr


def _in_error(fluenzr: Fluenzr, since: datetime | None) -> None:
    """Put an account in error since then, or let it wait for its provider's quota."""
    db = Database.open(f"sqlite:///{fluenzr.folder / 'data' / 'fluenzr.sqlite3'}")
    try:
        with db.transaction() as session:
            workspace_id = session.exec(select(col(Workspace.id))).one() or 0
            account = session.exec(select(EmailAccount)).first()
            if account is None:
                account = session.get_one(
                    EmailAccount, make_account(session, workspace_id, "lea@rivage.example", datetime.now(UTC))
                )
            account.status = "error" if since else "paused"
            account.error_code, account.error_since = ("auth_failed", since) if since else (None, None)
            account.pause_reason = "" if since else "quota"
            account.paused_until = None if since else datetime.now(UTC) + timedelta(hours=3)
            session.add(account)
    finally:
        db.close()
