"""Imports every room's tables, so that `metadata` is complete (migrations, tests)."""

from sqlmodel import SQLModel

from fluenzr_app.accounts import models as accounts
from fluenzr_app.campaigns import models as campaigns
from fluenzr_app.contacts import models as contacts
from fluenzr_app.diagnosis import models as diagnosis
from fluenzr_app.events import models as events
from fluenzr_app.inbox import models as inbox
from fluenzr_app.sending import models as sending
from fluenzr_app.tracking import models as tracking
from fluenzr_app.workspaces import models as workspaces

__all__ = [
    "accounts",
    "campaigns",
    "contacts",
    "diagnosis",
    "events",
    "inbox",
    "metadata",
    "sending",
    "tracking",
    "workspaces",
]

metadata = SQLModel.metadata
