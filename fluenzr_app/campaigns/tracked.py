"""Whether openings and clicks of a campaign's mails are asked after, and if not, by which switch (tracking.md)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlmodel import Session

from fluenzr_app.campaigns.models import Node
from fluenzr_app.campaigns.nodes import Workflow
from fluenzr_app.campaigns.settings import CampaignSettings
from fluenzr_app.db.tables import table_of
from fluenzr_app.workspaces.models import Workspace

_NODE = table_of(Node)


@dataclass(frozen=True, slots=True)
class Off:
    """Why openings, and why clicks, are not asked after; each is empty where they are.

    `workspace` and `campaign`: by that switch. `mail`: by the mail's own; `mails`: by every mail's. `plain_text`: a
    mail without HTML holds neither pixel nor rewritten links.
    """

    opens: str = ""
    clicks: str = ""


def off_in_mail(workspace: Workspace, settings: CampaignSettings, opens: bool, clicks: bool, *, first: bool) -> Off:
    """Return why one mail is not tracked; `opens` and `clicks` are its own switches, `first` that it is the first."""
    plain = "plain_text" if first and settings.first_mail_plain else ""
    return Off(
        _switch(workspace.track_opens, settings.track_opens) or ("" if opens else "mail") or plain,
        _switch(workspace.track_clicks, settings.track_clicks) or ("" if clicks else "mail") or plain,
    )


def off_in_workflow(workspace: Workspace, settings: CampaignSettings, workflow: Workflow) -> dict[str, Off]:
    """Return `off_in_mail` of every mail of a workflow by its id, in the order in which they were given."""
    return {
        mail.id: off_in_mail(workspace, settings, mail.track_opens, mail.track_clicks, first=place == 0)
        for place, mail in enumerate(workflow.emails())
    }


def off_in_campaign(workspace: Workspace, settings: CampaignSettings, mails: Sequence[Off]) -> Off:
    """Return why a campaign is not tracked at all; `mails` says it of each of its mails."""
    return Off(
        _of_all(_switch(workspace.track_opens, settings.track_opens), [mail.opens for mail in mails]),
        _of_all(_switch(workspace.track_clicks, settings.track_clicks), [mail.clicks for mail in mails]),
    )


def off_in_campaigns(
    session: Session, workspace: Workspace, settings: Mapping[int, CampaignSettings]
) -> dict[int, Off]:
    """Return `off_in_campaign` of several campaigns by id, without loading what their mails say."""
    rows = session.connection().execute(
        select(_NODE.c.campaign_id, _NODE.c.data["trackOpens"].as_boolean(), _NODE.c.data["trackClicks"].as_boolean())
        .where(_NODE.c.campaign_id.in_(list(settings)), _NODE.c.kind == "email", _NODE.c.removed_at.is_(None))
        .order_by(_NODE.c.campaign_id, _NODE.c.position, _NODE.c.id)
    )
    mails: dict[int, list[Off]] = {campaign_id: [] for campaign_id in settings}
    for campaign_id, opens, clicks in rows:
        before = mails[campaign_id]
        # What an older version did not know takes its default.
        own = opens is not False, clicks is not False
        before.append(off_in_mail(workspace, settings[campaign_id], *own, first=not before))
    return {key: off_in_campaign(workspace, settings[key], each) for key, each in mails.items()}


def _switch(workspace: bool, campaign: bool) -> str:
    return "workspace" if not workspace else "" if campaign else "campaign"


def _of_all(switch: str, mails: Sequence[str]) -> str:
    if switch or not mails or "" in mails:
        return switch
    return "plain_text" if set(mails) == {"plain_text"} else "mails"
