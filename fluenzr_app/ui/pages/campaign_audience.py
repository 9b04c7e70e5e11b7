"""Who a campaign writes to: groups, contacts added by a search, and those who are in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import reflex as rx
from sqlmodel import Session

from fluenzr_app.campaigns import audience, lifecycle, service
from fluenzr_app.campaigns.audience import Added
from fluenzr_app.campaigns.errors import CampaignNotFound, CampaignsError
from fluenzr_app.campaigns.progress import WalkPage, list_walks
from fluenzr_app.campaigns.standing import waiting_without_consent
from fluenzr_app.campaigns.views import CampaignView
from fluenzr_app.contacts.labels import GroupLine, list_groups
from fluenzr_app.contacts.listing import ContactFilter, ContactPage, list_contacts, matching_ids
from fluenzr_app.db.ids import BadPublicId, parse_public_id, public_id
from fluenzr_app.ui.guard import acting
from fluenzr_app.ui.language import words
from fluenzr_app.ui.pages.campaign_acts import key_of_path, rng
from fluenzr_app.ui.pages.campaign_frame import CampaignState
from fluenzr_app.ui.pages.campaign_words import refusal
from fluenzr_app.words.catalogue import Lang, catalogue

PER_PAGE = 25
SHOWN = 8
_BATCH = 250


@dataclass(frozen=True)
class GroupRow:
    """A group, with what it is for this campaign: linked, excluded, or neither."""

    id: str
    name: str
    contacts: int
    role: str


@dataclass(frozen=True)
class Member:
    """A contact of the campaign."""

    id: str
    name: str
    email: str
    company: str
    status: str
    is_walking: bool


@dataclass(frozen=True)
class Found:
    """A contact that a search found; `is_in` says that the campaign has it already."""

    id: str
    name: str
    email: str
    company: str
    is_in: bool


@dataclass(frozen=True)
class _Read:
    campaign: CampaignView
    groups: tuple[GroupLine, ...]
    walks: WalkPage
    without_consent: int


class AudienceState(rx.State):
    """The audience of one campaign."""

    groups: list[GroupRow] = []
    linked: int = 0
    members: list[Member] = []
    total: int = 0
    page_number: int = 0
    search: str = ""
    without_consent: int = 0
    loaded: bool = False
    query: str = ""
    found: list[Found] = []
    found_total: int = 0
    searched: bool = False
    is_working: bool = False
    work_done: int = 0
    work_total: int = 0

    @rx.event
    async def load(self) -> None:
        """Show who is in the campaign."""
        me = await acting(self)
        try:
            read = await me.read(_read, me.workspace_id, self._key(), me.now, self.search, self.page_number + 1)
        except CampaignNotFound:
            return
        linked, excluded = read.campaign.group_ids, read.campaign.settings.excluded_group_ids
        self.groups = [
            GroupRow(
                public_id("grp", group.id),
                group.name,
                group.contacts,
                "linked" if group.id in linked else "excluded" if group.id in excluded else "",
            )
            for group in read.groups
        ]
        self.linked = len(linked)
        self.members = [
            Member(
                public_id("con", walk.contact_id),
                walk.name,
                walk.email,
                walk.company,
                walk.status,
                walk.status in ("pending", "in_progress"),
            )
            for walk in read.walks.walks
        ]
        self.total, self.without_consent, self.loaded = read.walks.total, read.without_consent, True

    @rx.event
    async def look_for(self, text: str) -> Any:
        """Search among the campaign's contacts."""
        self.search, self.page_number = text[:200].strip(), 0
        return AudienceState.load

    @rx.event
    async def turn_to(self, number: int) -> Any:
        """Show another page, counted from 0."""
        self.page_number = max(0, int(number))
        return AudienceState.load

    @rx.event
    async def set_role(self, group: str, role: str) -> Any:
        """Link a group, exclude it, or neither."""
        me = await acting(self)
        try:
            key = parse_public_id("grp", group)
            await me.write(_set_role, me.workspace_id, self._key(), key, role, me.now)
        except BadPublicId:
            return None
        except CampaignsError as error:
            return [rx.toast.error(refusal(me.lang, error)), AudienceState.load]
        return [CampaignState.load, AudienceState.load]

    @rx.event
    async def enroll_groups(self) -> Any:
        """Add the members of the linked groups now."""
        me = await acting(self)
        try:
            added = await me.write(lifecycle.prepare_audience, me.workspace_id, self._key(), me.now, rng())
        except CampaignsError as error:
            return rx.toast.error(refusal(me.lang, error))
        told = words(me.lang, "campaign_audience.enrolled_now", n=added)
        return [rx.toast.success(told), CampaignState.load, AudienceState.load]

    @rx.event
    async def find(self, text: str) -> None:
        """Search contacts that could be added; without a word all of them are found."""
        me = await acting(self)
        self.query = text[:200].strip()
        page, inside = await me.read(_find, me.workspace_id, self._key(), self.query)
        self.found_total, self.searched = page.total, True
        self.found = [
            Found(
                public_id("con", card.contact.id or 0),
                " ".join(part for part in (card.contact.first_name, card.contact.last_name) if part),
                card.contact.email,
                card.contact.company,
                card.contact.id in inside,
            )
            for card in page.cards
        ]

    @rx.event
    async def add_one(self, contact: str) -> Any:
        """Add one contact."""
        me = await acting(self)
        try:
            key = parse_public_id("con", contact)
            added = await me.write(audience.add_contacts, me.workspace_id, self._key(), [key], me.now, rng())
        except BadPublicId:
            return None
        except CampaignsError as error:
            return rx.toast.error(refusal(me.lang, error))
        if added.added:
            self.found = [replace(each, is_in=True) if each.id == contact else each for each in self.found]
        return [_told(added.added, Counter(added.skipped.values()), me.lang), CampaignState.load, AudienceState.load]

    @rx.event(background=True)
    async def add_all(self) -> Any:
        """Add everybody the search finds, a batch a transaction; the page stays usable meanwhile."""
        async with self:
            me = await acting(self)
            if self.is_working or not self.found_total:
                return
            query, campaign = self.query, self._key()
            self.is_working, self.work_done, self.work_total = True, 0, self.found_total
        filters, after, added, skipped = ContactFilter(query=query, statuses=("active",)), 0, 0, Counter[str]()
        failed = None
        try:
            while ids := await me.read(_next, me.workspace_id, filters, after):
                done: Added = await me.write(audience.add_contacts, me.workspace_id, campaign, ids, me.now, rng())
                after, added = ids[-1], added + done.added
                skipped.update(done.skipped.values())
                async with self:
                    self.work_done += len(ids)
                    self.work_total = max(self.work_total, self.work_done)
        except CampaignsError as error:
            failed = error
        finally:
            async with self:
                self.is_working = False
        yield rx.toast.error(refusal(me.lang, failed)) if failed is not None else _told(added, skipped, me.lang)
        yield CampaignState.load
        yield AudienceState.load
        yield AudienceState.find(query)

    @rx.event
    async def remove(self, contact: str) -> Any:
        """Take a contact out of the campaign; adding it again lets it go on where it stood."""
        me = await acting(self)
        try:
            key = parse_public_id("con", contact)
            await me.write(audience.remove_contacts, me.workspace_id, self._key(), [key], me.now)
        except BadPublicId:
            return None
        except CampaignsError as error:
            return rx.toast.error(refusal(me.lang, error))
        email = next((member.email for member in self.members if member.id == contact), "")
        told = words(me.lang, "campaign_audience.removed", email=email)
        return [rx.toast.success(told), CampaignState.load, AudienceState.load]

    def _key(self) -> int:
        return key_of_path(self.router.url.path)


def _told(added: int, skipped: Mapping[str, int], lang: Lang) -> Any:
    """Return the toast that says how many were added and why the others were not."""
    text = words(lang, "campaign_audience.added", n=added)
    if not skipped:
        return rx.toast.success(text)
    known = catalogue()
    reasons = []
    for reason, n in skipped.items():
        key = f"campaign_audience.why.{reason}"
        reasons.append(f"{n} {words(lang, key if key in known else 'campaign_audience.why.other')}")
    more = words(lang, "campaign_audience.skipped", n=sum(skipped.values()), reasons=", ".join(reasons))
    return (rx.toast.success if added else rx.toast.warning)(text, description=more, duration=8000)


def _read(session: Session, workspace_id: int, campaign_id: int, now: Any, search: str, page: int) -> _Read:
    return _Read(
        service.get_campaign(session, workspace_id, campaign_id),
        list_groups(session, workspace_id),
        list_walks(session, workspace_id, campaign_id, now, search=search, page=page, per_page=PER_PAGE),
        waiting_without_consent(session, workspace_id, campaign_id),
    )


def _set_role(session: Session, workspace_id: int, campaign_id: int, group_id: int, role: str, now: Any) -> None:
    campaign = service.get_campaign(session, workspace_id, campaign_id)
    linked = set(campaign.group_ids) - {group_id}
    excluded = set(campaign.settings.excluded_group_ids) - {group_id}
    if role == "linked":
        linked.add(group_id)
    elif role == "excluded":
        excluded.add(group_id)
    service.update_campaign(
        session,
        workspace_id,
        campaign_id,
        now,
        group_ids=sorted(linked),
        excluded_group_ids=sorted(excluded),
        expected_revision=campaign.revision,
    )


def _find(session: Session, workspace_id: int, campaign_id: int, query: str) -> tuple[ContactPage, set[int]]:
    page = list_contacts(
        session,
        workspace_id,
        ContactFilter(query=query, statuses=("active",)),
        per_page=SHOWN,
        sort="last_name",
        order="asc",
    )
    shown = [card.contact.id or 0 for card in page.cards]
    return page, audience.enrolled_among(session, workspace_id, campaign_id, shown)


def _next(session: Session, workspace_id: int, filters: ContactFilter, after: int) -> list[int]:
    return list(matching_ids(session, workspace_id, filters, after=after, most=_BATCH))
