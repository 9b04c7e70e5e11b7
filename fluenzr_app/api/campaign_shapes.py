"""Campaigns and their contacts as the API gives and takes them (api.md, Objects)."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from fluenzr_app.api.envelope import Given, Shape
from fluenzr_app.api.refusals import invalid
from fluenzr_app.campaigns.counts import Counts
from fluenzr_app.campaigns.figures import CampaignStats, LinkStats, MailStats
from fluenzr_app.campaigns.progress import Walk
from fluenzr_app.campaigns.views import CampaignView
from fluenzr_app.campaigns.waiting import Waiting
from fluenzr_app.campaigns.waiting_words import wait_told
from fluenzr_app.db.ids import BadPublicId, parse_public_id, public_id
from fluenzr_app.words.catalogue import Lang

MOST_CONTACTS = 10_000


_UTC = ZoneInfo("UTC")


class TrackingShape(Shape):
    """Whether openings and clicks are asked after: `on` or `off`.

    Why they are not: `workspace` or `campaign` (that switch), `mail` (the mail's own), `mails` (every mail's own),
    `plain_text` (a mail without HTML holds no image and no rewritten link); `null` where they are.
    """

    opens: Literal["on", "off"]
    opens_off_reason: str | None
    clicks: Literal["on", "off"]
    clicks_off_reason: str | None


class CountsShape(Shape):
    """What became of mails; delivered is sent less bounced.

    `opened` and `clicked` count each mail once and persons alone; what scanners, previews and image proxies did stands
    in `machineOpened` and `machineClicked`. Where `tracking` says `off` nothing new is counted.
    """

    sent: int
    delivered: int
    opened: int
    clicked: int
    replied: int
    bounced: int
    unsubscribed: int
    machine_opened: int
    machine_clicked: int
    tracking: TrackingShape


class RatedShape(CountsShape):
    """Counts with their rates in per cent, one decimal.

    A rate is `null` where there is nothing to relate it to, and for openings and clicks where `tracking` says `off`.
    """

    open_rate: float | None
    click_rate: float | None
    reply_rate: float | None
    bounce_rate: float | None
    unsubscribe_rate: float | None


class StatsShape(CountsShape):
    """A campaign's counts."""

    total_contacts: int


class RatesShape(RatedShape):
    """A campaign's counts and rates."""

    total_contacts: int
    contacts_by_status: dict[str, int]


class LinkShape(Shape):
    """How many mails' readers, and machines, clicked a link; `url` is the address as the author wrote it."""

    url: str
    clicked: int
    machine_clicked: int


class MailStatsShape(RatedShape):
    """The counts and rates of one mail of the sequence, with the links that were clicked in it, the most clicked first.

    They mean what they mean for the campaign. `number` is 0 for a mail that cannot be reached.
    """

    node_id: str
    name: str
    number: int
    links: list[LinkShape]


class CampaignShape(Shape):
    """A workflow plus its accounts and timing."""

    id: str
    name: str
    description: str
    status: str
    email_account_ids: list[str]
    workflow: dict[str, Any]
    settings: dict[str, Any]
    stats: StatsShape
    created_at: datetime
    started_at: datetime | None
    updated_at: datetime


class CampaignGiven(Given):
    """What a campaign is made of; what is absent stays as it is. `emailAccountId` is short for a list of one."""

    name: str | None = None
    description: str | None = None
    email_account_ids: list[str] | None = None
    email_account_id: str | None = None
    workflow: dict[str, Any] | None = None
    settings: dict[str, Any] | None = None

    def account_ids(self) -> list[int] | None:
        """Return the accounts' keys, None if none were given; raises ApiError 400."""
        if self.email_account_id is not None and self.email_account_ids is not None:
            raise invalid("emailAccountId", "Give emailAccountIds or emailAccountId, not both.")
        given = self.email_account_ids if self.email_account_id is None else [self.email_account_id]
        return None if given is None else _keys("acc", given, "emailAccountIds")


class FilterGiven(Given):
    """Which contacts: everything given must hold."""

    query: str = Field(default="", max_length=200)
    status: str | list[str] | None = None
    groups: list[str] = Field(default_factory=list)
    tags: list[str] = Field(default_factory=list)
    custom_fields: dict[str, str | int | float | bool] = Field(default_factory=dict)


class AudienceGiven(Given):
    """Contacts to be added, by id, by group or by filter; at least one of them."""

    contact_ids: list[str] | None = Field(default=None, max_length=MOST_CONTACTS)
    group_ids: list[str] | None = Field(default=None, max_length=100)
    filters: FilterGiven | None = None


class RemovalGiven(Given):
    """Contacts to be taken out."""

    contact_ids: list[str] = Field(max_length=MOST_CONTACTS)


class AudienceErrorShape(Shape):
    """A contact that could not be added because there is none."""

    contact_id: str
    code: str
    message: str


class AddedShape(Shape):
    """How many contacts were added and skipped; `skippedReasons` counts why, `errors` name ids that are nobody's."""

    added: int
    skipped: int
    skipped_reasons: dict[str, int]
    errors: list[AudienceErrorShape]


class RemovedShape(Shape):
    """How many contacts were taken out."""

    removed: int


class WaitingShape(Shape):
    """Why an enrollment does not move, and when it goes on by itself.

    `mend` is the act that would end it: `reconnect`, `choose_account`, `account`, `timing`, `resume` or `decide`;
    `null` where nobody need do anything.
    """

    code: str
    message: str
    explanation: str
    resumes_at: datetime | None
    mend: str | None


class EnrollmentShape(Shape):
    """One contact's walk through the campaign."""

    contact_id: str
    email: str
    status: str
    node_id: str | None
    due_at: datetime | None
    waiting: WaitingShape | None


def campaign_shape(campaign: CampaignView, stats: CampaignStats) -> CampaignShape:
    """Return a campaign in the API's form."""
    return CampaignShape(
        id=public_id("cmp", campaign.id),
        name=campaign.name,
        description=campaign.description,
        status=campaign.status,
        email_account_ids=[public_id("acc", key) for key in campaign.account_ids],
        workflow=campaign.workflow.to_api(),
        settings=campaign.settings.to_api(),
        stats=StatsShape(total_contacts=stats.total_contacts, **_counts(stats)),
        created_at=campaign.created_at,
        started_at=campaign.started_at,
        updated_at=campaign.updated_at,
    )


def stats_shape(stats: CampaignStats) -> RatesShape:
    """Return a campaign's figures with their rates (analytics.md)."""
    return RatesShape(
        total_contacts=stats.total_contacts,
        contacts_by_status=dict(stats.by_status),
        **_counts(stats),
        **_rates(stats),
    )


def mail_stats_shapes(mails: Sequence[MailStats], links: Sequence[LinkStats]) -> list[MailStatsShape]:
    """Return the figures of each mail of a campaign with those of its links."""
    return [
        MailStatsShape(
            node_id=mail.node_id,
            name=mail.name,
            number=mail.number,
            links=[
                LinkShape(url=each.link, clicked=each.clicked, machine_clicked=each.machine_clicked)
                for each in links
                if each.node_id == mail.node_id
            ],
            **_counts(mail),
            **_rates(mail),
        )
        for mail in mails
    ]


def enrollment_shape(walk: Walk, now: datetime, lang: Lang = "en") -> EnrollmentShape:
    """Return a walk in the API's form, with the reason for which it waits in words of `lang`."""
    return EnrollmentShape(
        contact_id=public_id("con", walk.contact_id),
        email=walk.email,
        status=walk.status,
        node_id=walk.node_key,
        due_at=walk.due_at,
        waiting=None if walk.waiting is None else _waiting_shape(walk.waiting, now, lang),
    )


def _waiting_shape(waiting: Waiting, now: datetime, lang: Lang) -> WaitingShape:
    # The moment stands beside it in a form for programs, so that no zone is needed.
    said = wait_told(waiting, lang, now, _UTC)
    return WaitingShape(
        code=waiting.code,
        message=f"{said.what}.",
        explanation=said.why,
        resumes_at=waiting.resumes_at,
        mend=said.mend or None,
    )


def contact_keys(texts: Sequence[str]) -> list[int]:
    """Return contacts' keys; a text that is no id gets a negative one of its own, which no contact has."""
    return [_key_or("con", text, -1 - place) for place, text in enumerate(texts)]


def group_keys(texts: Sequence[str], field: str) -> list[int]:
    """Return groups' keys; raises ApiError 400 for a text that is no id of a group."""
    return _keys("grp", texts, field)


def _counts(counts: Counts) -> dict[str, Any]:
    return {
        "sent": counts.sent,
        "delivered": counts.delivered,
        "opened": counts.opened,
        "clicked": counts.clicked,
        "replied": counts.replied,
        "bounced": counts.bounced,
        "unsubscribed": counts.unsubscribed,
        "machine_opened": counts.machine_opened,
        "machine_clicked": counts.machine_clicked,
        "tracking": TrackingShape(
            opens="off" if counts.opens_off else "on",
            opens_off_reason=counts.opens_off or None,
            clicks="off" if counts.clicks_off else "on",
            clicks_off_reason=counts.clicks_off or None,
        ),
    }


def _rates(counts: Counts) -> dict[str, float | None]:
    return {
        "open_rate": counts.open_rate,
        "click_rate": counts.click_rate,
        "reply_rate": counts.reply_rate,
        "bounce_rate": counts.bounce_rate,
        "unsubscribe_rate": counts.unsubscribe_rate,
    }


def _keys(prefix: str, texts: Sequence[str], field: str) -> list[int]:
    try:
        return [parse_public_id(prefix, text) for text in texts]
    except BadPublicId as error:
        raise invalid(field, str(error), "unknown_id") from None


def _key_or(prefix: str, text: str, otherwise: int) -> int:
    try:
        return parse_public_id(prefix, text)
    except BadPublicId:
        return otherwise
