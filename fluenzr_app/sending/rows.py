"""Reading message rows into the engine's values."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, select, text

from fluenzr_app.db.tables import table_of
from fluenzr_app.sending.models import Message
from fluenzr_app.sending.values import QueuedMessage

MESSAGE = table_of(Message)
# Written out, as in the partial indexes of `models`: SQLite does not see that a list of bound values is the same one,
# and would read the whole table for each claim.
IS_QUEUED = text("message.status = 'queued'")
IN_HAND = text("message.status IN ('claimed', 'sending')")
OPEN = text("message.status IN ('queued', 'claimed', 'sending', 'uncertain')")
_COLUMNS = (
    MESSAGE.c.id,
    MESSAGE.c.workspace_id,
    MESSAGE.c.kind,
    MESSAGE.c.account_id,
    MESSAGE.c.contact_id,
    MESSAGE.c.campaign_id,
    MESSAGE.c.enrollment_id,
    MESSAGE.c.node_id,
    MESSAGE.c.to_address,
    MESSAGE.c.to_domain,
    MESSAGE.c.rfc_id,
    MESSAGE.c.priority,
    MESSAGE.c.attempts,
    MESSAGE.c.soft_bounces,
    MESSAGE.c.created_at,
)


def select_messages() -> Select[Any]:
    """Return a select of the columns that `as_message` reads."""
    return select(*_COLUMNS)


def as_message(row: Sequence[Any]) -> QueuedMessage:
    """Return the value of one row of `select_messages`."""
    return QueuedMessage(*row)


def as_messages(rows: Sequence[Sequence[Any]]) -> list[QueuedMessage]:
    """Return the values of rows of `select_messages`, in their order."""
    return [QueuedMessage(*row) for row in rows]
