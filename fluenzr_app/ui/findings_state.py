"""What stands still in the workspace, for every page that tells of it: the acts that mend, and what is put aside."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import reflex as rx
from sqlmodel import Session

from fluenzr_app.accounts.errors import AccountsError
from fluenzr_app.campaigns.errors import CampaignNotFound, CampaignsError
from fluenzr_app.campaigns.service import get_campaign
from fluenzr_app.db.ids import BadPublicId, parse_public_id
from fluenzr_app.diagnosis.findings import Finding
from fluenzr_app.diagnosis.snoozes import LONGEST, key_of, snooze, wake
from fluenzr_app.ui import findings_acts as acts
from fluenzr_app.ui.failures import in_words
from fluenzr_app.ui.findings import (
    ACTS,
    TOLD,
    FindingLine,
    Reader,
    aside_line,
    grouped,
    line_of,
    public,
)
from fluenzr_app.ui.findings import key_of as name_of
from fluenzr_app.ui.findings_acts import Done
from fluenzr_app.ui.guard import Acting, acting, zone
from fluenzr_app.ui.language import words

_TAKEN_BACK_WITHIN = timedelta(minutes=5)
_TOLD_FOR_MS = 20_000
_SNOOZES = {"day": timedelta(days=1), "week": timedelta(days=7), "back": LONGEST}
_CAMPAIGN = re.compile(r"^/campaigns/(cmp_\w+)")
_CAMPAIGNS = re.compile(r"^/campaigns/?$")
# One entry may name every account or campaign of a workspace; a longer one was not made by a page.
_LONGEST_KEY = 20_000


class FindingsState(rx.State):
    """The findings of the workspace as lines; `here` are those about the thing whose page is open."""

    loaded: bool = False
    checked_at: str = ""
    lines: list[FindingLine] = []
    here: list[FindingLine] = []
    # The public ids of the things that `here` tells of.
    things: list[str] = []
    # What `here` tells, and what would be told of this page were it not put aside: keys of findings, ids of things.
    told: list[str] = []
    # The page on which `here` was gathered: until the list of campaigns is told of, its rows wait.
    of_campaigns: bool = False
    aside: list[FindingLine] = []
    # Broken and slowed things: what the menu counts. `seen` counts every finding that is shown.
    pressing: int = 0
    seen: int = 0
    urgent: bool = False
    # The last act on a page: what it changed, offered to be taken back for a while.
    done_words: str = ""
    can_undo: bool = False
    explained: str = ""
    _done: Done = Done()
    _done_at: datetime | None = None

    @rx.event
    async def look(self) -> None:
        """Bring what stands still up to date."""
        me = await acting(self)
        if self._done_at is None or me.now - self._done_at > _TAKEN_BACK_WITHIN:
            self.done_words, self.can_undo, self._done, self._done_at = "", False, Done(), None
        found, aside, zone_name = await me.read(acts.shown_and_aside, me.workspace_id, me.now, me.runtime.wall_now())
        reader = Reader(me.lang, me.now, zone(zone_name), me.is_admin)
        self.lines = [line_of(group, reader) for group in grouped(found)]
        url = self.router.url
        asked = dict(url.query_parameters)
        about = await me.read(_about, me.workspace_id, found, url.path, asked)
        put_away = await me.read(_about, me.workspace_id, [each.finding for each in aside], url.path, asked)
        self.here = [line_of(group, reader) for group in _in_groups(about, url.path)]
        self.things = [line.thing for line in self.here if line.thing]
        self.told = [name for each in (*about, *put_away) for name in (name_of(each), public(each)) if name]
        self.of_campaigns = _CAMPAIGNS.match(url.path) is not None
        self.aside = [aside_line(each, reader) for each in aside]
        self.pressing = sum(each.severity in ("broken", "slowed") for each in found)
        self.seen, self.urgent = len(found), any(line.urgent for line in self.lines)
        self.checked_at, self.loaded = me.now.isoformat(), True

    @rx.event
    async def mend(self, what: str, finding: str) -> Any:
        """Do what mends a finding, or all of one kind; nothing where it does not stand any more."""
        me = await acting(self, admin=what == "resume")
        if what not in ACTS:
            return None
        try:
            done = await me.write(acts.do, me.identity, what, _keys(finding), me.now, me.runtime.wall_now())
        except AccountsError as error:
            return [rx.toast.error(in_words(me.lang, error, "accounts.errors")), *self._again()]
        except CampaignsError as error:
            return [rx.toast.error(in_words(me.lang, error, "campaign_faults.refused")), *self._again()]
        if done.n == 0:
            return [rx.toast.info(words(me.lang, "findings.nothing_left")), *self._again()]
        self.done_words = words(me.lang, f"findings.done.{what}", n=done.n)
        self._done, self._done_at, self.can_undo = done, me.now, bool(done.ids)
        undo = rx.toast.success(self.done_words, **self._undo_button(me))
        return [undo, *self._again()]

    @rx.event
    async def undo(self) -> Any:
        """Take the last act back."""
        me = await acting(self)
        done, self._done, self._done_at = self._done, Done(), None
        self.done_words, self.can_undo = "", False
        try:
            back = await me.write(acts.undo, me.identity, done, me.now)
        except AccountsError as error:
            return [rx.toast.error(in_words(me.lang, error, "accounts.errors")), *self._again()]
        if not back:
            return [rx.toast.info(words(me.lang, "findings.nothing_left")), *self._again()]
        return [rx.toast.success(words(me.lang, f"findings.undone.{done.act}", n=back)), *self._again()]

    @rx.event
    async def put_aside(self, how: str, finding: str) -> Any:
        """Put a finding aside for a day, a week, or until its cause comes back."""
        me = await acting(self)
        if how not in _SNOOZES:
            return None
        n = await me.write(
            _put_aside, me.workspace_id, _keys(finding), me.now + _SNOOZES[how], me.now, me.runtime.wall_now(),
            me.identity.user_id,
        )  # fmt: skip
        if not n:
            return [rx.toast.info(words(me.lang, "findings.nothing_left")), FindingsState.look]
        return [rx.toast.success(words(me.lang, f"findings.aside.{how}")), FindingsState.look]

    @rx.event
    async def show_again(self, finding: str) -> Any:
        """Show a finding again that was put aside."""
        me = await acting(self)
        await me.write(_wake, me.workspace_id, _keys(finding), me.now, me.runtime.wall_now())
        return FindingsState.look

    @rx.event
    async def explain(self, remedy: str) -> None:
        """Say how something is mended on the server; "" closes that."""
        self.explained = remedy if remedy in TOLD else ""

    def _undo_button(self, me: Acting) -> dict[str, Any]:
        if not self.can_undo:
            return {}
        action = {"label": words(me.lang, "findings.undo"), "on_click": FindingsState.undo}
        return {"action": action, "duration": _TOLD_FOR_MS}

    def _again(self) -> list[Any]:
        """Return what fills the page that is open again: what was mended shows in its figures too."""
        return [rx.state.OnLoadInternalState.on_load_internal]


def _keys(finding: str) -> list[str]:
    return finding[:_LONGEST_KEY].split(",")


def _put_aside(
    session: Session, workspace_id: int, keys: list[str], until: datetime, now: datetime, wall: datetime, user_id: int
) -> int:
    found = acts.named(session, workspace_id, keys, now, wall)
    for each in found:
        snooze(session, workspace_id, each, until, now, user_id)
    return len(found)


def _wake(session: Session, workspace_id: int, keys: list[str], now: datetime, wall: datetime) -> int:
    return sum(wake(session, workspace_id, key_of(each)) for each in acts.named(session, workspace_id, keys, now, wall))


def _about(
    session: Session, workspace_id: int, found: Sequence[Finding], path: str, asked: dict[str, str]
) -> list[Finding]:
    """Return the findings about the thing that an address shows; for a campaign also what holds up its accounts."""
    campaign = _CAMPAIGN.match(path)
    if campaign:
        return _about_campaign(session, workspace_id, found, campaign[1])
    if _CAMPAIGNS.match(path):
        pressing = [each for each in found if each.severity != "advice"]
        return [each for each in pressing if each.subject.kind in ("campaign", "account", "installation")]
    if path.startswith("/accounts"):
        return [each for each in found if each.subject.kind in ("account", "installation")]
    if path.startswith("/inbox"):
        return [each for each in found if each.code in ("mailbox_not_read", "account_error")]
    # A failed import is told by its report.
    if path.startswith("/contacts/import"):
        key = _key("imp", str(asked.get("id", "")))
        return [each for each in found if each.code == "import_rows_existing" and each.subject.id == key]
    if path.startswith("/contacts"):
        return [each for each in found if each.code == "contacts_bounced"]
    return []


def _in_groups(about: Sequence[Finding], path: str) -> list[tuple[Finding, ...]]:
    """Return each by itself, but for mailboxes above the conversations, where there is little room."""
    if not path.startswith("/inbox"):
        return [(each,) for each in about]
    mailboxes = [each for each in about if each.code == "mailbox_not_read"]
    return [*grouped(mailboxes), *[(each,) for each in about if each.code != "mailbox_not_read"]]


def _about_campaign(session: Session, workspace_id: int, found: Sequence[Finding], public: str) -> list[Finding]:
    key = _key("cmp", public)
    try:
        campaign = get_campaign(session, workspace_id, key)
    except CampaignNotFound:
        return []
    accounts = campaign.account_ids if campaign.status in ("active", "paused") else ()
    active = campaign.status == "active"
    return [
        each
        for each in found
        if (each.subject.kind == "campaign" and each.subject.id == key)
        or (each.subject.kind == "account" and each.subject.id in accounts)
        or (each.subject.kind == "installation" and active)
        or (each.code == "workspace_no_address" and active)
    ]


def _key(prefix: str, public: str) -> int:
    try:
        return parse_public_id(prefix, public)
    except BadPublicId:
        return 0
