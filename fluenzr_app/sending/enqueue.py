"""The row of a message that nothing has happened to yet: every origin puts its mail into the queue with one."""

import random
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session

from fluenzr_app.db.tables import table_of
from fluenzr_app.mail.addresses import domain_of, email_key
from fluenzr_app.mail.compose import new_rfc_id
from fluenzr_app.sending.models import Message

_MESSAGE = table_of(Message)


def new_message(
    *,
    workspace_id: int,
    kind: str,
    account_id: int,
    rfc_id: str,
    to_address: str,
    to_domain: str,
    due_at: datetime,
    created_at: datetime,
    priority: int = 0,
    contact_id: int | None = None,
    campaign_id: int | None = None,
    enrollment_id: int | None = None,
    node_id: int | None = None,
) -> dict[str, Any]:
    """Return the values of a queued message; see `models.Message` for what each means."""
    return {
        "workspace_id": workspace_id,
        "kind": kind,
        "account_id": account_id,
        "contact_id": contact_id,
        "campaign_id": campaign_id,
        "enrollment_id": enrollment_id,
        "node_id": node_id,
        "to_address": to_address,
        "to_domain": to_domain,
        "rfc_id": rfc_id,
        "subject": "",
        "priority": priority,
        "status": "queued",
        "due_at": due_at,
        "attempts": 0,
        "soft_bounces": 0,
        "account_revision": 0,
        "campaign_revision": 0,
        "reason": "",
        "detail": "",
        "created_at": created_at,
    }


def fresh_rfc_id(sender_domain: str, rng: random.Random) -> str:
    """Return a Message-ID that no mail has had; raises BadAddress for a domain that is none."""
    return new_rfc_id(sender_domain, f"{rng.getrandbits(128):032x}")


def enqueue(
    session: Session,
    *,
    workspace_id: int,
    kind: str,
    account_id: int,
    sender_key: str,
    to_address: str,
    due_at: datetime,
    now: datetime,
    rng: random.Random,
    contact_id: int | None = None,
    node_id: int | None = None,
) -> int:
    """Put one mail into the queue, to leave at `due_at` before any new contact's, and return its id.

    `sender_key` is the account's address, whose domain its Message-ID carries. Raises BadAddress.
    """
    row = new_message(
        workspace_id=workspace_id,
        kind=kind,
        account_id=account_id,
        rfc_id=fresh_rfc_id(sender_key.rpartition("@")[2], rng),
        to_address=to_address,
        to_domain=domain_of(email_key(to_address)),
        due_at=due_at,
        created_at=now,
        contact_id=contact_id,
        node_id=node_id,
    )
    return int(session.connection().execute(insert(_MESSAGE).returning(_MESSAGE.c.id), row).scalar_one())
