"""What simulated recipients do with the mail they get."""

import email
import random
import re
from collections.abc import Callable
from datetime import datetime

from sqlmodel import Session

from fluenzr_app.campaigns.enrollments import stop_contact
from fluenzr_app.demo.sample import Sample
from fluenzr_app.mail.sandbox import ReceivedMail
from fluenzr_app.tracking import unsubscribe

_UNSUBSCRIBE_SHARE = 0.012
_LINK = re.compile(r"/u/([^>\s]+)>")


def unsubscribe_some(sample: Sample, share: float = _UNSUBSCRIBE_SHARE) -> Callable[[Session, datetime], None]:
    """Return an act: of those who got mail since the last time, a few follow the link in it."""
    seen = 0
    rng = random.Random(sample.rng.random())  # noqa: S311 - who has had enough, no secret

    def act(session: Session, now: datetime) -> None:
        nonlocal seen
        for mail in sample.office.sandbox.since(seen):
            seen = mail.number
            token = _token_of(mail)
            if token and rng.random() < share:
                unsubscribe.apply(session, sample.keyring, token, now, "one_click", _stop)

    return act


def _stop(session: Session, workspace_id: int, contact_id: int, now: datetime) -> None:
    stop_contact(session, workspace_id, contact_id, "unsubscribed", "unsubscribed", now)


def _token_of(mail: ReceivedMail) -> str | None:
    header = email.message_from_bytes(mail.raw).get("List-Unsubscribe", "")
    found = _LINK.search("".join(str(header).split()))
    return None if found is None else found[1]
