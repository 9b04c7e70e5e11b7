"""Reading, for one workspace, the stored facts that the diagnoses judge."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlmodel import Session

from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.accounts.service import list_accounts
from fluenzr_app.campaigns.bounced import recently_bounced
from fluenzr_app.campaigns.models import Campaign, Enrollment, EnrollmentCount
from fluenzr_app.campaigns.standing import Standing, standings_of
from fluenzr_app.contacts.models import ContactImport
from fluenzr_app.db.tables import table_of
from fluenzr_app.diagnosis.accounts import AccountFacts, account_finding
from fluenzr_app.diagnosis.bounces import bounce_finding, bounced_finding, soft_finding
from fluenzr_app.diagnosis.campaign_facts import ended_lately, text_facts, with_audiences
from fluenzr_app.diagnosis.campaigns import CampaignFacts, campaign_findings
from fluenzr_app.diagnosis.figures import figure_findings
from fluenzr_app.diagnosis.findings import Finding, in_order
from fluenzr_app.diagnosis.mail_facts import bounce_facts, mailbox_facts, soft_facts
from fluenzr_app.diagnosis.mailboxes import mailbox_finding
from fluenzr_app.diagnosis.others import ImportFacts, address_finding, held_finding, import_finding
from fluenzr_app.diagnosis.overdue import OVERDUE_AFTER, overdue_finding
from fluenzr_app.diagnosis.overdue_facts import overdue_facts
from fluenzr_app.diagnosis.running import clock_finding, is_alive, not_sending_finding
from fluenzr_app.diagnosis.running_facts import figure_facts, running_facts
from fluenzr_app.diagnosis.texts import text_findings
from fluenzr_app.events.models import Rollup
from fluenzr_app.sending import generation
from fluenzr_app.sending.models import Attempt, Message
from fluenzr_app.sending.rows import OPEN
from fluenzr_app.workspaces.service import get_workspace

_ATTEMPT = table_of(Attempt)
_CAMPAIGN = table_of(Campaign)
_COUNT = table_of(EnrollmentCount)
_ENROLLMENT = table_of(Enrollment)
_IMPORT = table_of(ContactImport)
_MESSAGE = table_of(Message)
_ROLLUP = table_of(Rollup)
_DAY = timedelta(hours=24)
# An import that failed longer ago is history, not something that stands still.
_IMPORTS_TOLD = timedelta(days=7)
_WALKING = ("pending", "in_progress")


def findings_of(session: Session, workspace_id: int, now: datetime, wall: datetime | None = None) -> list[Finding]:
    """Return everything that does not move in a workspace at `now`, what is broken first.

    `wall` is wall-clock time, by which processes give their signs of life; without it nothing is said about them.
    """
    accounts = [account_finding(facts, now) for facts in account_facts(session, workspace_id, now)]
    campaigns = with_audiences(session, campaign_facts(session, workspace_id, now))
    found = [each for each in accounts if each is not None]
    for facts in campaigns:
        found += campaign_findings(facts, now)
    for facts in _ended(session, workspace_id, now):
        found += campaign_findings(facts, now)
    for texts in text_facts(session, workspace_id, campaigns):
        found += text_findings(texts)
    found += _of_incoming_mail(session, workspace_id, campaigns, now)
    found += [each for each in map(import_finding, import_facts(session, workspace_id, now)) if each is not None]
    active = sum(facts.status == "active" for facts in campaigns)
    found += _of_the_installation(session, workspace_id, active, now, wall)
    found += figure_findings(figure_facts(session, workspace_id), now)
    address = address_finding(get_workspace(session, workspace_id).postal_address, active)
    return in_order(found if address is None else [*found, address])


def _ended(session: Session, workspace_id: int, now: datetime) -> list[CampaignFacts]:
    ended = ended_lately(session, workspace_id, now)
    sums = _sent_and_bounced(session, workspace_id, [each.id for each in ended])
    return with_audiences(session, [replace(each, sent=sums[each.id][0]) for each in ended])


def _of_the_installation(
    session: Session, workspace_id: int, active: int, now: datetime, wall: datetime | None
) -> list[Finding]:
    """Return what holds up everything; what only some contacts wait for is looked at where that explains nothing."""
    facts = running_facts(session, workspace_id, active, now)
    found = [clock_finding(facts, now)]
    hold = generation.hold_of(session)
    if hold is not None:
        found.append(held_finding(hold.reason, hold.since, facts.waiting))
    if wall is not None:
        found.append(not_sending_finding(facts, wall))
        since = facts.running_since
        long_enough = is_alive(facts, wall) and since is not None and wall - since > OVERDUE_AFTER
        if hold is None and long_enough:
            overdue = overdue_facts(session, workspace_id, now, running=True)
            found += [overdue_finding(each, now) for each in overdue]
    return [each for each in found if each is not None]


def _of_incoming_mail(
    session: Session, workspace_id: int, campaigns: Sequence[CampaignFacts], now: datetime
) -> list[Finding]:
    found = [bounce_finding(facts) for facts in bounce_facts(session, workspace_id, campaigns)]
    found += [soft_finding(facts, now) for facts in soft_facts(session, campaigns, now)]
    found += [mailbox_finding(facts, now) for facts in mailbox_facts(session, workspace_id)]
    found.append(bounced_finding(recently_bounced(session, workspace_id, now)))
    return [each for each in found if each is not None]


def account_facts(session: Session, workspace_id: int, now: datetime) -> list[AccountFacts]:
    """Return the facts of every account of the workspace, in order of their addresses."""
    accounts = list_accounts(session, workspace_id)
    waiting = waiting_messages(session, workspace_id, now)
    sent = _attempts(session, [account.id or 0 for account in accounts], now)
    return [_account(account, waiting.get(account.id or 0, 0), sent.get(account.id or 0, 0)) for account in accounts]


def waiting_messages(session: Session, workspace_id: int, now: datetime) -> dict[int, int]:
    """Return for each account how many mails would leave it at `now`: those queued, and follow-ups that are due."""
    connection = session.connection()
    queued = connection.execute(
        select(_MESSAGE.c.account_id, func.count())
        # Messages that have left stay in the table, and are not gone through.
        .where(_MESSAGE.c.workspace_id == workspace_id, OPEN, _MESSAGE.c.status.in_(("queued", "claimed")))
        .group_by(_MESSAGE.c.account_id)
    )
    found = {account_id: int(n) for account_id, n in queued}
    due = connection.execute(
        select(_ENROLLMENT.c.account_id, func.count())
        .join(_CAMPAIGN, _CAMPAIGN.c.id == _ENROLLMENT.c.campaign_id)
        .where(
            _ENROLLMENT.c.workspace_id == workspace_id,
            _ENROLLMENT.c.account_id.is_not(None),
            _ENROLLMENT.c.due_at.is_not(None),
            _ENROLLMENT.c.due_at <= now,
            _CAMPAIGN.c.workspace_id == workspace_id,
            _CAMPAIGN.c.status == "active",
        )
        .group_by(_ENROLLMENT.c.account_id)
    )
    for account_id, n in due:
        found[account_id] = found.get(account_id, 0) + int(n)
    return found


def campaign_facts(session: Session, workspace_id: int, now: datetime) -> list[CampaignFacts]:
    """Return the facts of the campaigns that are active or paused, the newest first."""
    connection = session.connection()
    rows = connection.execute(
        select(_CAMPAIGN.c.id, _CAMPAIGN.c.name, _CAMPAIGN.c.status, _CAMPAIGN.c.pause_reason, _CAMPAIGN.c.paused_at)
        .where(_CAMPAIGN.c.workspace_id == workspace_id, _CAMPAIGN.c.status.in_(("active", "paused")))
        .order_by(_CAMPAIGN.c.id.desc())
    ).all()
    ids = [row.id for row in rows]
    walking = _walking(session, ids)
    sums = _sent_and_bounced(session, workspace_id, ids)
    standings = standings_of(session, ids, now)
    found = []
    for row in rows:
        sent, bounced = sums.get(row.id, (0, 0))
        found.append(
            _campaign(row.id, row.name, row.status, row.pause_reason, row.paused_at, walking.get(row.id, 0),
                      standings[row.id], sent, bounced)
        )  # fmt: skip
    return found


def import_facts(session: Session, workspace_id: int, now: datetime) -> list[ImportFacts]:
    """Return the imports that came to an end within the last seven days, the newest first."""
    rows = session.connection().execute(
        select(
            _IMPORT.c.id,
            _IMPORT.c.file_name,
            _IMPORT.c.status,
            _IMPORT.c.failure,
            _IMPORT.c.rows_done,
            _IMPORT.c.rows_total,
            _IMPORT.c.finished_at,
            _IMPORT.c.errors,
            _IMPORT.c.skipped - _IMPORT.c.suppressed,
        )
        .where(
            _IMPORT.c.workspace_id == workspace_id,
            _IMPORT.c.status.in_(("failed", "done")),
            _IMPORT.c.finished_at > now - _IMPORTS_TOLD,
        )
        .order_by(_IMPORT.c.id.desc())
        .limit(10)
    )
    return [ImportFacts(*row) for row in rows]


def _account(account: EmailAccount, waiting: int, sent: int) -> AccountFacts:
    return AccountFacts(
        id=account.id or 0,
        email=account.email,
        status=account.status,
        error_code=account.error_code,
        error_message=account.error_message,
        error_since=account.error_since,
        pause_reason=account.pause_reason,
        paused_until=account.paused_until,
        backoff_until=account.backoff_until,
        backoff_reason=account.backoff_reason,
        waiting=waiting,
        sent_24h=sent,
    )


def _campaign(
    campaign_id: int,
    name: str,
    status: str,
    pause_reason: str,
    paused_at: datetime | None,
    walking: int,
    standing: Standing,
    sent: int,
    bounced: int,
) -> CampaignFacts:
    waiting = standing.waiting
    params: Mapping[str, object] = {} if waiting is None else waiting.params
    return CampaignFacts(
        id=campaign_id,
        name=name,
        status=status,
        pause_reason=pause_reason,
        paused_at=paused_at,
        walking=walking,
        waiting_code=None if waiting is None else waiting.code,
        waiting_contacts=standing.contacts,
        resumes_at=None if waiting is None else waiting.resumes_at,
        account_email=str(params.get("email", "")),
        uncertain=standing.uncertain,
        sent=sent,
        bounced=bounced,
    )


def _attempts(session: Session, account_ids: Sequence[int], now: datetime) -> dict[int, int]:
    rows = session.connection().execute(
        select(_ATTEMPT.c.account_id, func.count())
        .where(_ATTEMPT.c.account_id.in_(list(account_ids)), _ATTEMPT.c.started_at > now - _DAY)
        .group_by(_ATTEMPT.c.account_id)
    )
    return {account_id: int(n) for account_id, n in rows}


def _walking(session: Session, campaign_ids: Sequence[int]) -> dict[int, int]:
    rows = session.connection().execute(
        select(_COUNT.c.campaign_id, func.sum(_COUNT.c.n))
        .where(_COUNT.c.campaign_id.in_(list(campaign_ids)), _COUNT.c.status.in_(_WALKING))
        .group_by(_COUNT.c.campaign_id)
    )
    return {campaign_id: int(n) for campaign_id, n in rows}


def _sent_and_bounced(session: Session, workspace_id: int, campaign_ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    rows = session.connection().execute(
        select(_ROLLUP.c.scope_id, _ROLLUP.c.metric, func.sum(_ROLLUP.c.n))
        .where(
            _ROLLUP.c.workspace_id == workspace_id,
            _ROLLUP.c.scope == "campaign",
            _ROLLUP.c.scope_id.in_(list(campaign_ids)),
            _ROLLUP.c.metric.in_(("email.sent", "email.bounced")),
        )
        .group_by(_ROLLUP.c.scope_id, _ROLLUP.c.metric)
    )
    sums: dict[tuple[int, str], int] = {(scope_id, metric): int(n) for scope_id, metric, n in rows}
    return {
        campaign_id: (sums.get((campaign_id, "email.sent"), 0), sums.get((campaign_id, "email.bounced"), 0))
        for campaign_id in campaign_ids
    }
