"""From draft to archive: what a start finds, and the changes of state (campaigns.md, States)."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session

from fluenzr_app.accounts.limits import campaign_daily_limit
from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.campaigns.audience import enroll_groups
from fluenzr_app.campaigns.enrollments import counts_by_status
from fluenzr_app.campaigns.errors import CannotStart, Fault, WrongState
from fluenzr_app.campaigns.gaps import Gap, gaps_of
from fluenzr_app.campaigns.models import Campaign, CampaignAccount, Enrollment
from fluenzr_app.campaigns.service import get_campaign, lock_campaign
from fluenzr_app.campaigns.timing import next_opening
from fluenzr_app.campaigns.tracked import Off, off_in_campaign, off_in_workflow
from fluenzr_app.campaigns.validation import validate
from fluenzr_app.campaigns.variables import known_variables
from fluenzr_app.campaigns.views import CampaignView
from fluenzr_app.contacts.models import Contact, CustomField
from fluenzr_app.db.tables import table_of
from fluenzr_app.sending.models import Message
from fluenzr_app.workspaces.models import Workspace
from fluenzr_app.workspaces.users import get_workspace

_CONTACT = table_of(Contact)
_ENROLLMENT = table_of(Enrollment)
_ACCOUNT = table_of(EmailAccount)
_LINK = table_of(CampaignAccount)
_FIELD = table_of(CustomField)
_MESSAGE = table_of(Message)


@dataclass(frozen=True, slots=True)
class StartCheck:
    """What a start finds. `faults` block it, `warnings` (code, params) are risks that the user may accept.

    `contacts` are those who would be written to, `mails` at most so many messages, `per_day` what the accounts may
    send in a day at present, `first_at` the first moment of the window. Of its `emails`, `opens_in` are asked whether
    they were opened and `clicks_in` where they were clicked; `off` says why none is.
    """

    contacts: int
    mails: int
    accounts: int
    per_day: int
    first_at: datetime | None
    emails: int = 0
    opens_in: int = 0
    clicks_in: int = 0
    off: Off = field(default_factory=Off)
    faults: tuple[Fault, ...] = ()
    warnings: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    gaps: tuple[Gap, ...] = field(default=())


def custom_field_names(session: Session, workspace_id: int) -> list[str]:
    """Return the technical names of the workspace's own fields."""
    rows = session.connection().execute(
        select(_FIELD.c.name).where(_FIELD.c.workspace_id == workspace_id).order_by(_FIELD.c.id)
    )
    return list(rows.scalars())


def start_check(session: Session, workspace_id: int, campaign_id: int, now: datetime) -> StartCheck:
    """Return everything that a user should know before the start; raises CampaignNotFound."""
    campaign = get_campaign(session, workspace_id, campaign_id)
    custom = custom_field_names(session, workspace_id)
    known = known_variables(custom)
    workspace = get_workspace(session, workspace_id)
    off = off_in_workflow(workspace, campaign.settings, campaign.workflow)
    faults = list(validate(campaign.workflow, known_variables=known, linear_only=True, off=off))
    accounts = _accounts(session, campaign.account_ids)
    usable = [account for account in accounts if account.status != "removed"]
    if not usable:
        faults.append(Fault("no_account", None, {}, "The campaign has no email account to write from."))
    counts = counts_by_status(session, [campaign_id])[campaign_id]
    contacts = counts.get("pending", 0) + counts.get("in_progress", 0)
    if not contacts and not campaign.group_ids:
        faults.append(Fault("no_contacts", None, {}, "The campaign has no contacts to write to."))
    first_at = next_opening(campaign.settings.window, now, campaign.settings.zone)
    if first_at is None:
        faults.append(Fault("window_never_opens", None, {}, "The sending window never opens: every day is skipped."))
    return StartCheck(
        contacts=contacts,
        mails=contacts * len(off),
        accounts=len(usable),
        per_day=sum(campaign_daily_limit(account, now) for account in usable if account.status == "connected"),
        first_at=first_at,
        emails=len(off),
        opens_in=sum(not mail.opens for mail in off.values()),
        clicks_in=sum(not mail.clicks for mail in off.values()),
        off=off_in_campaign(workspace, campaign.settings, list(off.values())),
        faults=tuple(faults),
        warnings=tuple(_warnings(session, workspace, campaign_id, usable)),
        gaps=() if faults else tuple(gaps_of(session, campaign_id, list(campaign.workflow.emails()), custom)),
    )


def start(session: Session, workspace_id: int, campaign_id: int, now: datetime) -> CampaignView:
    """Start a draft; raises WrongState, CannotStart with every fault. The caller enrolls linked groups first."""
    campaign = lock_campaign(session, workspace_id, campaign_id)
    if campaign.status != "draft":
        raise WrongState(campaign.status, "Only a draft can be started; a paused campaign is resumed.")
    found = start_check(session, workspace_id, campaign_id, now)
    if found.faults:
        raise CannotStart(found.faults)
    campaign.started_at = now
    campaign.resumed_at = now
    return _to_state(session, campaign, "active", now)


def pause(session: Session, workspace_id: int, campaign_id: int, now: datetime, reason: str = "") -> CampaignView:
    """Pause an active campaign: nothing new leaves; what a server is taking in at this moment still arrives."""
    campaign = lock_campaign(session, workspace_id, campaign_id)
    if campaign.status != "active":
        raise WrongState(campaign.status, "Only an active campaign can be paused.")
    campaign.paused_at = now
    campaign.pause_reason = reason
    return _to_state(session, campaign, "paused", now)


def resume(session: Session, workspace_id: int, campaign_id: int, now: datetime) -> CampaignView:
    """Let a paused campaign go on where every contact stands; raises WrongState, CannotStart."""
    campaign = lock_campaign(session, workspace_id, campaign_id)
    if campaign.status != "paused":
        raise WrongState(campaign.status, "Only a paused campaign can be resumed.")
    faults = [
        fault for fault in start_check(session, workspace_id, campaign_id, now).faults if fault.code != "no_contacts"
    ]
    if faults:
        raise CannotStart(faults)
    campaign.pause_reason = ""
    campaign.resumed_at = now
    return _to_state(session, campaign, "active", now)


def archive(session: Session, workspace_id: int, campaign_id: int, now: datetime) -> CampaignView:
    """Put a campaign away: waiting messages are cancelled, the history stays. An active one must be paused first."""
    campaign = lock_campaign(session, workspace_id, campaign_id)
    if campaign.status == "active":
        raise WrongState(campaign.status, "Pause the campaign before you archive it.")
    if campaign.status == "archived":
        raise WrongState(campaign.status, "The campaign is archived already.")
    # Its stream is closed from now on, so nobody else would end what waits; what is in hand is refused at its mark.
    session.connection().execute(
        update(_MESSAGE)
        .where(_MESSAGE.c.campaign_id == campaign_id, _MESSAGE.c.status == "queued")
        .values(status="cancelled", reason="campaign_archived")
    )
    return _to_state(session, campaign, "archived", now)


def prepare_audience(session: Session, workspace_id: int, campaign_id: int, now: datetime, rng: random.Random) -> int:
    """Enroll the members of the groups that the campaign is linked to; return how many were added."""
    campaign = get_campaign(session, workspace_id, campaign_id)
    return enroll_groups(session, workspace_id, campaign_id, campaign.group_ids, now, rng)


def _to_state(session: Session, campaign: Campaign, status: str, now: datetime) -> CampaignView:
    campaign.status = status
    campaign.revision += 1
    campaign.updated_at = now
    session.add(campaign)
    session.flush()
    _replan_accounts(session, campaign.id or 0)
    return get_campaign(session, campaign.workspace_id, campaign.id or 0)


def _replan_accounts(session: Session, campaign_id: int) -> None:
    """Let the accounts look at their day anew: it may have been rolled for other windows."""
    linked = select(_LINK.c.account_id).where(_LINK.c.campaign_id == campaign_id)
    session.connection().execute(update(_ACCOUNT).where(_ACCOUNT.c.id.in_(linked)).values(next_send_at=None))


def _accounts(session: Session, account_ids: Sequence[int]) -> list[EmailAccount]:
    found = [session.get(EmailAccount, account_id) for account_id in account_ids]
    return [account for account in found if account is not None and account.removed_at is None]


def _warnings(
    session: Session, workspace: Workspace, campaign_id: int, accounts: Sequence[EmailAccount]
) -> list[tuple[str, Mapping[str, Any]]]:
    found: list[tuple[str, Mapping[str, Any]]] = []
    if not workspace.postal_address.strip():
        found.append(("no_postal_address", {}))
    for account in accounts:
        if account.status != "connected":
            found.append(("account_not_connected", {"email": account.email, "status": account.status}))
        if not account.imap_host:
            found.append(("replies_not_read", {"email": account.email}))
    without = _without_consent(session, campaign_id)
    if without:
        found.append(("no_consent_source", {"contacts": without}))
    return found


def _without_consent(session: Session, campaign_id: int) -> int:
    statement = (
        select(func.count())
        .select_from(_ENROLLMENT.join(_CONTACT, _CONTACT.c.id == _ENROLLMENT.c.contact_id))
        .where(
            _ENROLLMENT.c.campaign_id == campaign_id,
            _ENROLLMENT.c.status == "pending",
            _CONTACT.c.consent_source == "not_specified",
        )
    )
    return int(session.connection().execute(statement).scalar_one())
