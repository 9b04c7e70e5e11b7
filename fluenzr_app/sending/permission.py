"""Nobody who said no: contact status and suppression, checked at the claim and again at the mark (guarantee 3)."""

from collections.abc import Mapping, Sequence

from sqlalchemy import and_, bindparam, select
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.contacts.models import Contact, Suppression
from fluenzr_app.db.hot import HotSelect
from fluenzr_app.db.tables import table_of
from fluenzr_app.db.types import AnyRow
from fluenzr_app.sending.models import Message

_MESSAGE = table_of(Message)
_ACCOUNT = table_of(EmailAccount)
_CONTACT = table_of(Contact)
_BY_ADDRESS = table_of(Suppression).alias("by_address")
_BY_DOMAIN = table_of(Suppression).alias("by_domain")

# Someone who answered may still be written to by hand or in a test, but by no campaign; that is the enrollment's
# own check. These states forbid every kind of message.
_FORBIDDEN = {"unsubscribed": "unsubscribed", "bounced": "bounced", "blocked": "blocked", "archived": "archived"}

FACTS = (
    select(
        _MESSAGE.c.id,
        _MESSAGE.c.status,
        _MESSAGE.c.worker_id,
        _MESSAGE.c.kind,
        _MESSAGE.c.attempts,
        _ACCOUNT.c.status.label("account_status"),
        _ACCOUNT.c.revision.label("account_revision"),
        _CONTACT.c.status.label("contact_status"),
        _BY_ADDRESS.c.id.label("address_suppressed"),
        _BY_DOMAIN.c.id.label("domain_suppressed"),
    )
    .select_from(
        _MESSAGE.join(_ACCOUNT, _ACCOUNT.c.id == _MESSAGE.c.account_id)
        .outerjoin(
            _CONTACT, and_(_CONTACT.c.id == _MESSAGE.c.contact_id, _CONTACT.c.workspace_id == _MESSAGE.c.workspace_id)
        )
        .outerjoin(
            _BY_ADDRESS,
            and_(
                _BY_ADDRESS.c.workspace_id == _MESSAGE.c.workspace_id,
                _BY_ADDRESS.c.kind == "email",
                _BY_ADDRESS.c.hash == _CONTACT.c.email_hash,
            ),
        )
        .outerjoin(
            _BY_DOMAIN,
            and_(
                _BY_DOMAIN.c.workspace_id == _MESSAGE.c.workspace_id,
                _BY_DOMAIN.c.kind == "domain",
                _BY_DOMAIN.c.hash == _CONTACT.c.domain_hash,
            ),
        )
    )
    .where(_MESSAGE.c.id.in_(bindparam("ids", expanding=True)))
)
_FACTS = HotSelect(FACTS)
_LOCKED_FACTS = HotSelect(FACTS.with_for_update(of=_MESSAGE))


def facts(session: Session, message_ids: Sequence[int], *, lock: bool = False) -> Mapping[int, AnyRow]:
    """Return what decides about each message, by its id; `lock` keeps the rows from changing until the commit."""
    statement = _LOCKED_FACTS if lock else _FACTS
    return {row.id: row for row in statement.rows(session.connection(), message_ids)}


def refusal(row: AnyRow) -> str | None:
    """Return the code of why nothing may be sent to this contact at all, or None."""
    # A test goes to the user's own address; the contact in it is only the sample.
    if row.kind == "test":
        return None
    if row.contact_status is None:
        return "contact_deleted"
    if row.address_suppressed is not None or row.domain_suppressed is not None:
        return "suppressed"
    return _FORBIDDEN.get(row.contact_status)
