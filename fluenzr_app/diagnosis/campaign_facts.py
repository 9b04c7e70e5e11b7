"""Reading what is stored about a campaign's audience, texts and queue, as far as the diagnoses judge it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import and_, func, select
from sqlmodel import Session

from fluenzr_app.campaigns.content import CONTENT_FAULTS
from fluenzr_app.campaigns.enrollments import counts_by_status
from fluenzr_app.campaigns.gaps import Mailing, unguarded_gaps
from fluenzr_app.campaigns.lifecycle import custom_field_names
from fluenzr_app.campaigns.models import Campaign, CampaignGroup, Enrollment, Node
from fluenzr_app.campaigns.workflow_store import read_workflows
from fluenzr_app.contacts.models import Contact, Group, GroupMember
from fluenzr_app.contacts.suppression import is_suppressed_clause
from fluenzr_app.db.tables import table_of
from fluenzr_app.diagnosis.campaigns import CampaignFacts
from fluenzr_app.diagnosis.texts import Blank, TextFacts, TextFault

_CAMPAIGN = table_of(Campaign)
_CONTACT = table_of(Contact)
_ENROLLMENT = table_of(Enrollment)
_GROUP = table_of(Group)
_LINK = table_of(CampaignGroup)
_MEMBER = table_of(GroupMember)
_NODE = table_of(Node)

# A campaign that ended longer ago without a mail is history.
ENDED_TOLD = timedelta(days=7)
# So many contacts of a campaign are looked at for blank variables, whatever its size: a page asks every few seconds.
LOOKED_AT = 5_000
_EXCLUDED = ("unsubscribed", "bounced", "removed")
_FINISHED = ("completed", "replied")


def with_audiences(session: Session, campaigns: Sequence[CampaignFacts]) -> list[CampaignFacts]:
    """Return the campaigns with what became of their contacts, where nobody is under way any more."""
    silent = [each.id for each in campaigns if each.status in ("active", "completed") and each.walking == 0]
    if not silent:
        return list(campaigns)
    counts = counts_by_status(session, silent)
    passed_over = _members_not_written_to(session, [key for key in silent if not counts[key]])
    return [
        each if each.id not in counts else _with_audience(each, counts[each.id], passed_over.get(each.id, 0))
        for each in campaigns
    ]


def ended_lately(session: Session, workspace_id: int, now: datetime) -> list[CampaignFacts]:
    """Return the campaigns that were completed within seven days, the newest first, without their figures."""
    rows = session.connection().execute(
        select(_CAMPAIGN.c.id, _CAMPAIGN.c.name, _CAMPAIGN.c.completed_at)
        .where(
            _CAMPAIGN.c.workspace_id == workspace_id,
            _CAMPAIGN.c.status == "completed",
            _CAMPAIGN.c.completed_at > now - ENDED_TOLD,
        )
        .order_by(_CAMPAIGN.c.id.desc())
        .limit(20)
    )
    return [
        CampaignFacts(row.id, row.name, "completed", "", None, 0, None, 0, None, "", 0, 0, 0,
                      completed_at=row.completed_at)
        for row in rows
    ]  # fmt: skip


def text_facts(session: Session, workspace_id: int, campaigns: Sequence[CampaignFacts]) -> list[TextFacts]:
    """Return what is wrong with the texts of each active campaign."""
    active = [each for each in campaigns if each.status == "active"]
    if not active:
        return []
    workflows = read_workflows(session, [each.id for each in active])
    mailings = {each.id: Mailing(list(workflows[each.id].emails()), each.walking) for each in active if each.walking}
    gaps = unguarded_gaps(session, mailings, custom_field_names(session, workspace_id), LOOKED_AT)
    faults = _text_faults(session, list(workflows))
    found = []
    for each in active:
        names = {mail.id: mail.name for mail in workflows[each.id].emails()}
        blanks = tuple(
            Blank(gap.variable, names[gap.node_id], gap.node_id, gap.contacts) for gap in gaps.get(each.id, ())
        )
        found.append(TextFacts(each.id, each.name, faults.get(each.id, ()), blanks, each.walking <= LOOKED_AT))
    return found


def _with_audience(facts: CampaignFacts, counts: Mapping[str, int], passed_over: int) -> CampaignFacts:
    excluded = sum(counts.get(status, 0) for status in _EXCLUDED)
    if facts.status == "completed":
        # Whom somebody took out is no surprise to them.
        excluded -= counts.get("removed", 0)
    return replace(
        facts,
        finished=sum(counts.get(status, 0) for status in _FINISHED),
        faulty=counts.get("error", 0),
        excluded=excluded + passed_over,
    )


def _members_not_written_to(session: Session, campaign_ids: Sequence[int]) -> dict[int, int]:
    """Return for each campaign how many members its groups have, where none of them may be written to."""
    if not campaign_ids:
        return {}
    writable = and_(_CONTACT.c.status == "active", ~is_suppressed_clause(_CONTACT.c))
    rows = session.connection().execute(
        select(
            _LINK.c.campaign_id,
            func.count(_CONTACT.c.id.distinct()).label("members"),
            func.count(_CONTACT.c.id.distinct()).filter(writable).label("writable"),
        )
        .select_from(
            _LINK.join(_GROUP, _GROUP.c.id == _LINK.c.group_id)
            .join(_MEMBER, _MEMBER.c.group_id == _GROUP.c.id)
            .join(_CONTACT, _CONTACT.c.id == _MEMBER.c.contact_id)
            .join(_CAMPAIGN, _CAMPAIGN.c.id == _LINK.c.campaign_id)
        )
        .where(_LINK.c.campaign_id.in_(list(campaign_ids)), _GROUP.c.workspace_id == _CAMPAIGN.c.workspace_id)
        .group_by(_LINK.c.campaign_id)
    )
    return {row.campaign_id: int(row.members) for row in rows if not row.writable}


def _text_faults(session: Session, campaign_ids: Sequence[int]) -> Mapping[int, tuple[TextFault, ...]]:
    """Return for each campaign the faults since it was last started or resumed: a text is mended during a pause."""
    rows = session.connection().execute(
        select(
            _ENROLLMENT.c.campaign_id,
            _ENROLLMENT.c.end_reason,
            _NODE.c.key,
            func.max(_NODE.c.data["name"].as_string()).label("name"),
            func.count().label("contacts"),
            func.min(_ENROLLMENT.c.ended_at).label("since"),
        )
        .select_from(
            _ENROLLMENT.join(_CAMPAIGN, _CAMPAIGN.c.id == _ENROLLMENT.c.campaign_id).join(
                _NODE, _NODE.c.id == _ENROLLMENT.c.node_id
            )
        )
        .where(
            _ENROLLMENT.c.campaign_id.in_(list(campaign_ids)),
            _ENROLLMENT.c.status == "error",
            _ENROLLMENT.c.end_reason.in_(CONTENT_FAULTS),
            _ENROLLMENT.c.ended_at >= func.coalesce(_CAMPAIGN.c.resumed_at, _CAMPAIGN.c.started_at),
        )
        .group_by(_ENROLLMENT.c.campaign_id, _ENROLLMENT.c.end_reason, _NODE.c.key)
        .order_by(_NODE.c.key, _ENROLLMENT.c.end_reason)
    )
    found: dict[int, list[TextFault]] = {}
    for row in rows:
        fault = TextFault(row.end_reason, row.name or "", row.key, int(row.contacts), row.since)
        found.setdefault(row.campaign_id, []).append(fault)
    return {key: tuple(faults) for key, faults in found.items()}
