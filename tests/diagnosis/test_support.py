"""The support file says what is wrong, and holds no secret, no mail and no person, wherever these may stand."""

import json
import logging
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from fluenzr_app import logs
from fluenzr_app.accounts.form import Server, SmtpForm
from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.accounts.service import connect_smtp
from fluenzr_app.campaigns import service as campaigns
from fluenzr_app.campaigns.enrollments import enroll
from fluenzr_app.campaigns.models import Campaign
from fluenzr_app.clock import ManualClock
from fluenzr_app.contacts.models import ContactImport
from fluenzr_app.crypto import KeyRing
from fluenzr_app.db.engine import Database
from fluenzr_app.diagnosis.support import REMOVED, redacted, support_document
from fluenzr_app.sending.models import Message
from fluenzr_app.settings import Settings, load_settings
from fluenzr_app.workspaces.api_keys import create_key
from tests.people import People, make_contact

PERSON = "zebulon@quincaillerie.example"
MARKERS = (
    "zebulon",
    "quincaillerie",
    "Marguerite",
    "s3cret",
    "flz_",
    "tests only",
    "Chère madame",
    "lecteur de la base",
)


@pytest.fixture
def kept(settings: Settings) -> Iterator[Path]:
    """Where warnings are kept; the root logger is as it was before afterwards."""
    root = logging.getLogger()
    handlers = root.handlers[:]
    logs.keep_warnings(settings.data_dir)
    yield settings.data_dir / logs.WARNINGS
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers[:] = handlers


def test_what_is_planted_everywhere_is_nowhere_in_the_file(
    database: Database, people: People, keyring: KeyRing, clock: ManualClock, tmp_path: Path, kept: Path
):
    now = clock.now()
    settings = load_settings(
        _env_file=None, data_dir=kept.parent, secret_key="tests only: 32 bytes of key, ok.",
        database_url="postgresql://fluenzr:s3cret@db/lecteur", redis_url="redis://:s3cret@cache/0",
    )  # fmt: skip
    log = logging.getLogger("fluenzr_app.somewhere")
    log.warning("refused for %s", PERSON)
    log.warning("opened redis://fluenzr:s3cret@cache/0", extra={"key": "flz_sk_0123456789abcdef"})
    try:
        raise ValueError(f"no row for {PERSON}")
    except ValueError:
        log.exception("a tick failed", extra={"to": PERSON})
    with database.transaction() as session:
        form = SmtpForm(email="camille@rivage.example", smtp=Server("smtp.rivage.example", 465, "ssl", "c", "s3cret"))
        account_id = connect_smtp(session, keyring, people.workspace_id, form, now).id or 0
        account = session.get_one(EmailAccount, account_id)
        account.status, account.error_code, account.error_since = "error", "auth_failed", now
        account.error_message = f"535 5.7.8 {PERSON}: password s3cret refused"
        made = campaigns.create_campaign(session, people.workspace_id, f"Pour {PERSON}", now, account_ids=[account_id])
        contact = make_contact(session, keyring, people.workspace_id, PERSON, now, first_name="Marguerite")
        enroll(session, people.workspace_id, made.id, [contact], now, random.Random(1))
        session.get_one(Campaign, made.id).status = "active"
        session.add(
            Message(workspace_id=people.workspace_id, kind="test", account_id=account_id, contact_id=contact,
                    to_address=PERSON, to_domain="quincaillerie.example", rfc_id=f"<1{PERSON}>", due_at=now,
                    subject="Chère madame", detail=f"refused: {PERSON}", created_at=now)
        )  # fmt: skip
        session.add(
            ContactImport(workspace_id=people.workspace_id, status="failed", file_name=f"{PERSON}.csv", file_path="1",
                          failure="disk_full", created_at=now, finished_at=now)
        )  # fmt: skip
        create_key(session, people.workspace_id, name="Zap", permission="all", created_by=None, now=now)
        session.flush()
        document = support_document(
            session, settings, people.workspace_id, now, now, description="Rien ne part", steps="1. Ouvrir",
            lang="fr", warnings=logs.last_warnings(kept.parent),
        )  # fmt: skip
    text = json.dumps(document, ensure_ascii=False)
    assert [marker for marker in MARKERS if marker.lower() in text.lower()] == []
    assert (document["description"], document["steps"]) == ("Rien ne part", "1. Ouvrir")
    assert [each["name"] for each in document["accounts"]] == ["camille@rivage.example"]
    assert document["campaigns"] == [
        {"name": f"Pour {REMOVED}", "status": "active", "pauseReason": "", "contacts": {"pending": 1}}
    ]
    codes = [each["code"] for each in document["diagnoses"]]
    assert {"account_error", "import_failed", "installation_not_sending"} <= set(codes)
    assert any(each["what"] == "camille@rivage.example\u00a0: compte en erreur" for each in document["diagnoses"])
    assert (document["settings"]["secret_key"], document["settings"]["smtp_timeout_s"]) == ("set", "default")
    assert document["database"]["kind"] == database.dialect
    assert document["database"]["bytes"] > 0
    assert document["contacts"] == {"active": 1}
    assert document["rows"]["contact"] >= 1
    assert set(document["versions"].values()).isdisjoint({"unknown", ""})
    said = [line["message"] for line in document["log"]]
    assert said == [f"refused for {REMOVED}", f"opened redis://{REMOVED}@cache/0", "a tick failed"]
    assert "test_support.py" in document["log"][2]["error"]


def test_another_workspaces_things_are_not_in_the_file(
    database: Database, people: People, settings: Settings, clock: ManualClock
):
    with database.transaction() as session:
        campaigns.create_campaign(session, people.workspace_id, "Achats", clock.now())
        document = support_document(
            session, settings, people.other_workspace_id, clock.now(), clock.now(), description="", steps="",
            lang="en", warnings=(),
        )  # fmt: skip
    assert (document["campaigns"], document["accounts"], document["contacts"]) == ([], [], {})


def test_the_places_of_an_error_stay_readable_and_own_addresses_stay():
    place = 'File "/srv/fluenzr_app/sending/mark.py", line 12, in mark_lost_attempts_uncertain_again'
    assert redacted(place) == place
    assert redacted("Lea@Rivage.example, max@other.example", {"lea@rivage.example"}) == f"Lea@Rivage.example, {REMOVED}"
    assert redacted({"a": ["https://me:pw@host/x", 7, None, True]}) == {
        "a": [f"https://{REMOVED}@host/x", 7, None, True]
    }
    assert redacted("token 0123456789abcdef0123456789abcdef") == f"token {REMOVED}"


def test_kept_warnings_have_a_limit_belong_to_the_owner_and_survive_a_half_written_line(kept: Path):
    log = logging.getLogger("fluenzr_app.somewhere")
    log.info("not kept")
    for number in range(4_000):
        log.warning("something happened that takes some place in the file", extra={"message_id": number})
    assert kept.stat().st_mode & 0o077 == 0
    assert kept.stat().st_size + kept.with_name(f"{logs.WARNINGS}.1").stat().st_size < 600_000
    with kept.open("a") as file:
        file.write('{"message": "half')
    found = logs.last_warnings(kept.parent, 10)
    assert [line["message_id"] for line in found] == list(range(3_991, 4_000))
    assert logs.last_warnings(kept.parent / "nowhere") == []
