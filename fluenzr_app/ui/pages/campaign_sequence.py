"""What the sequence's page holds: the steps in order, the mail that is open, and what was typed and not yet saved."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, get_args

import reflex as rx

from fluenzr_app.campaigns.errors import CampaignNotFound, CampaignsError, Fault, NotLinear
from fluenzr_app.campaigns.plaintext import text_of_html
from fluenzr_app.campaigns.variables import clean_html, is_html
from fluenzr_app.campaigns.workflow import DelayNode, EmailNode, Step
from fluenzr_app.db.ids import public_id
from fluenzr_app.ui.guard import Acting, acting
from fluenzr_app.ui.language import words
from fluenzr_app.ui.pages import campaign_steps as steps
from fluenzr_app.ui.pages.campaign_acts import address, campaign_id_of, key_of_path
from fluenzr_app.ui.pages.campaign_frame import CampaignState
from fluenzr_app.ui.pages.campaign_steps import SequenceRead, token_of
from fluenzr_app.ui.pages.campaign_words import fault_words, refusal
from fluenzr_app.words.catalogue import Lang

_LONGEST = 120_000


@dataclass(frozen=True)
class StepCard:
    """One step as a card of the list; `index` is its place, from 0."""

    id: str
    kind: str
    index: int
    number: int
    name: str
    subject: str
    is_first_mail: bool
    snippet: str
    amount: int
    unit: str
    faults: int
    fault: str
    contacts: int
    is_last: bool


class SequenceState(rx.State):
    """The sequence of one campaign."""

    campaign: str = ""
    cards: list[StepCard] = []
    is_linear: bool = True
    loaded: bool = False
    editable: bool = False
    status: str = ""
    selected: str = ""
    opened: bool = False
    title_number: int = 0
    title_name: str = ""
    value: dict[str, Any] = {}
    ack: dict[str, Any] = {}
    faults: list[dict[str, str]] = []
    custom: list[dict[str, str]] = []
    thread_subject: str = ""
    mail_opens: bool = True
    mail_clicks: bool = True
    opens_off: str = ""
    clicks_off: str = ""
    kept_node: str = ""
    kept_why: str = ""
    kept_text: str = ""
    doomed: str = ""
    doomed_kind: str = ""
    doomed_name: str = ""
    doomed_contacts: int = 0
    doomed_is_last: bool = False
    revision: int = 0
    delays_refused: int = 0
    # What this editor saved last into each mail, and what it was last shown of it.
    _own: dict[str, str] = {}
    _known: dict[str, str] = {}
    _version: int = 0

    @rx.event
    async def load(self) -> None:
        """Show the sequence, with the step that the address names open."""
        me = await acting(self)
        wanted = str(dict(self.router.url.query_parameters).get("step", ""))
        read = await self._read(me)
        if read is not None:
            self._show(read, me.lang, wanted)

    @rx.event
    async def refresh(self) -> None:
        """Show what somebody else changed; what is being typed stays."""
        me = await acting(self)
        read = await self._read(me)
        if read is not None and (read.campaign.revision != self.revision or read.campaign.status != self.status):
            self._show(read, me.lang, self.selected if self.opened else "")
        elif read is not None:
            self._show_tracking(read)

    @rx.event
    async def open(self, node: str) -> Any:
        """Open a step."""
        return rx.redirect(f"{address(self.campaign)}?step={node}", replace=self.opened)

    @rx.event
    async def close(self) -> Any:
        """Go back to the list of steps (phones show one or the other)."""
        return rx.redirect(address(self.campaign), replace=True)

    @rx.event
    async def save(self, given: dict[str, Any]) -> Any:
        """Save what was typed into a mail; the answer goes back to the editor as `ack`."""
        me = await acting(self)
        # What is sent on leaving arrives when the address is another one already.
        campaign = str(given.get("campaign", ""))[:40]
        node, seq = str(given.get("node", ""))[:64], given.get("seq")
        texts = {name: str(given.get(name, ""))[:_LONGEST] for name in ("name", "subject", "body", "base")}
        if not isinstance(seq, int) or isinstance(seq, bool):
            return None
        try:
            own = self._own.get(node, "") if campaign == self.campaign else ""
            kept = await me.write(steps.keep_mail, me.identity, campaign_id_of(campaign), node, texts, own, me.now)
        except CampaignsError as error:
            self.ack = _ack(campaign, node, seq, "failed")
            return rx.toast.error(refusal(me.lang, error))
        if kept.state == "saved" and campaign == self.campaign:
            self._own = {**self._own, node: kept.token}
        self.ack = _ack(campaign, node, seq, kept.state) | {"token": kept.token, "at": me.now.isoformat()}
        if kept.state == "failed":
            return rx.toast.error(words(me.lang, "campaign_sequence.too_long"))
        if campaign_id_of(campaign) != self._key():
            return None
        read = await self._read(me)
        if read is not None:
            self._show(read, me.lang, self.selected if self.opened else "", keep_value=kept.state == "saved")
        return CampaignState.load

    @rx.event
    async def settle(self, take: bool) -> Any:
        """Put the kept version in place of the present one, or drop it."""
        me = await acting(self)
        return await self._do(me, steps.settle_draft, me.identity, self._key(), self.kept_node, bool(take), me.now)

    @rx.event
    async def add(self, kind: str, index: int) -> Any:
        """Add a mail or a delay before the step at `index`."""
        me = await acting(self)
        name = words(me.lang, "campaign_sequence.new_mail")
        arguments = (me.workspace_id, self._key(), "email" if kind == "email" else "delay", int(index), name, me.now)
        return await self._do(me, steps.add, *arguments, opens=kind == "email")

    @rx.event
    async def copy(self, node: str) -> Any:
        """Add a copy behind a step."""
        me = await acting(self)
        return await self._do(me, steps.copy, me.workspace_id, self._key(), node, me.now)

    @rx.event
    async def move(self, node: str, by: int) -> Any:
        """Move a step up or down."""
        me = await acting(self)
        return await self._do(me, steps.move, me.workspace_id, self._key(), node, 1 if int(by) > 0 else -1, me.now)

    @rx.event
    async def set_amount(self, node: str, amount: str) -> Any:
        """Give a delay another length."""
        card = self._card(node)
        # A field of numbers hands over a number, whatever the handler asks for.
        return await self._set_delay(node, str(amount).removesuffix(".0"), card.unit) if card else None

    @rx.event
    async def set_unit(self, node: str, unit: str) -> Any:
        """Count a delay in days, working days or hours."""
        card = self._card(node)
        return await self._set_delay(node, str(card.amount), unit) if card else None

    @rx.event
    async def set_tracking(self, what: str, on: bool) -> Any:
        """Ask after the opens or the clicks of the mail that is open, or no more."""
        me = await acting(self)
        if what not in get_args(steps.Tracked):
            return None
        return await self._do(
            me, steps.set_tracking, me.workspace_id, self._key(), self.selected, what, bool(on), me.now
        )

    @rx.event
    async def ask_removal(self, node: str) -> None:
        """Ask before a step is removed, and say what happens to those who wait for it."""
        await acting(self)
        card = self._card(node)
        if card is not None:
            mails = [each for each in self.cards if each.kind == "email"]
            self.doomed, self.doomed_kind = node, card.kind
            self.doomed_name, self.doomed_contacts = card.name, card.contacts
            self.doomed_is_last = bool(mails) and mails[-1].id == node

    @rx.event
    async def spare(self) -> None:
        """Close the question."""
        self.doomed = ""

    @rx.event
    async def remove(self) -> Any:
        """Remove the step that was asked about."""
        me = await acting(self)
        node, self.doomed = self.doomed, ""
        return await self._do(me, steps.take_out, me.workspace_id, self._key(), node, me.now)

    async def _set_delay(self, node: str, amount: str, unit: str) -> Any:
        me = await acting(self)
        number = int(amount) if amount.strip().isascii() and amount.strip().isdigit() and len(amount) < 5 else 0
        if unit not in get_args(steps.Unit) or not 1 <= number <= (24 if unit == "hours" else 30):
            self.delays_refused += 1
            return [rx.toast.error(words(me.lang, "campaign_sequence.refused_delay")), SequenceState.load]
        return await self._do(me, steps.set_delay, me.workspace_id, self._key(), node, number, unit, me.now)

    async def _do(self, me: Acting, act: Any, *arguments: Any, opens: bool = False) -> Any:
        try:
            made = await me.write(act, *arguments)
        except NotLinear:
            return rx.toast.error(words(me.lang, "campaign_sequence.branches"))
        except CampaignsError as error:
            return [rx.toast.error(refusal(me.lang, error)), CampaignState.load, SequenceState.load]
        except KeyError:
            return [rx.toast.error(words(me.lang, "campaign_sequence.gone")), SequenceState.load]
        if opens:
            return [rx.redirect(f"{address(self.campaign)}?step={made}", replace=self.opened)]
        return [CampaignState.load, SequenceState.load]

    async def _read(self, me: Acting) -> SequenceRead | None:
        try:
            return await me.read(steps.read_sequence, me.identity, self._key())
        except CampaignNotFound:
            return None

    def _key(self) -> int:
        return key_of_path(self.router.url.path)

    def _card(self, node: str) -> StepCard | None:
        return next((card for card in self.cards if card.id == node), None)

    def _show(self, read: SequenceRead, lang: Lang, wanted: str, *, keep_value: bool = False) -> None:
        campaign = read.campaign
        if self.campaign != public_id("cmp", campaign.id):
            self._own, self._known, self.ack = {}, {}, {}
        self.campaign, self.status, self.revision = public_id("cmp", campaign.id), campaign.status, campaign.revision
        self.editable, self.is_linear = campaign.status in ("draft", "paused"), read.steps is not None
        self.custom = [{"name": name, "label": label} for name, label in read.custom]
        shown = read.steps if read.steps is not None else list(campaign.workflow.emails())
        self.cards = _cards(shown, read, lang)
        mails = [step for step in shown if isinstance(step, EmailNode)]
        known = {mail.id: mail for mail in mails}
        self.opened = wanted in known
        mail = known.get(wanted) or (mails[0] if mails else None)
        self.selected = "" if mail is None else mail.id
        self._show_kept(read, known, lang)
        if mail is not None:
            self._show_tracking(read)
            self._show_mail(mail, mails, [fault for fault in read.faults if fault.node_id == mail.id], lang, keep_value)
        self.loaded = True

    def _show_mail(
        self, mail: EmailNode, mails: list[EmailNode], faults: list[Fault], lang: Lang, keep_value: bool
    ) -> None:
        number = mails.index(mail) + 1
        self.title_number, self.title_name = number, mail.name
        before = [each.subject.strip() for each in mails[: number - 1] if each.subject.strip()]
        is_first = number == 1
        self.thread_subject = (
            "" if is_first else words(lang, "campaign_sequence.editor.reply", subject=(before or [""])[-1])
        )
        told = {
            fault_words(lang, fault): {
                "text": fault_words(lang, fault),
                "variable": str(fault.params.get("variable") or ""),
                "nearest": str(fault.params.get("nearest") or ""),
            }
            for fault in faults
        }
        # The same variable in subject and body is one thing to correct.
        self.faults = list(told.values())
        token = token_of(mail)
        same = self.value.get("node") == mail.id and (keep_value or self._known.get(mail.id) == token)
        self._known = {**self._known, mail.id: token}
        if not same:
            self._version += 1
        # Under the same version the editor keeps what it shows; a page that is opened again begins with this.
        self.value = {
            "node": mail.id,
            "name": mail.name,
            "subject": mail.subject,
            # A program may have stored anything; the editor puts rich text into the page.
            "body": clean_html(mail.body) if is_html(mail.body) else mail.body,
            "token": token,
            "version": self._version,
        }

    def _show_tracking(self, read: SequenceRead) -> None:
        mail, off = read.campaign.workflow.by_id.get(self.selected), read.off.get(self.selected)
        if isinstance(mail, EmailNode) and off is not None:
            self.mail_opens, self.mail_clicks = mail.track_opens, mail.track_clicks
            self.opens_off, self.clicks_off = off.opens, off.clicks

    def _show_kept(self, read: SequenceRead, known: dict[str, EmailNode], lang: Lang) -> None:
        self.kept_node = self.kept_why = self.kept_text = ""
        for node, kept in read.kept.items():
            # A draft of the mail that is open, or of one that is gone and has no other place to be told.
            if node == self.selected or node not in known:
                body = str(kept.get("body", ""))
                text = text_of_html(body) if is_html(body) else body
                self.kept_node, self.kept_why = node, str(kept.get("why", "changed")) if node in known else "removed"
                self.kept_text = " ".join(f"{kept.get('subject', '')} {text}".split())[:240]
                return


def _ack(campaign: str, node: str, seq: int, state: str) -> dict[str, Any]:
    return {"campaign": campaign, "node": node, "seq": seq, "state": state, "token": "", "at": ""}


def _cards(shown: Any, read: SequenceRead, lang: Lang) -> list[StepCard]:
    faults: Counter[str] = Counter(fault.node_id for fault in read.faults if fault.node_id)
    first = {fault.node_id: fault_words(lang, fault) for fault in reversed(read.faults)}
    number = 0
    cards = []
    for index, step in enumerate(shown):
        number += isinstance(step, EmailNode)
        cards.append(_card(step, index, number, faults[step.id], first.get(step.id, ""), read, lang, len(shown)))
    return cards


def _card(
    step: Step, index: int, number: int, faults: int, fault: str, read: SequenceRead, lang: Lang, count: int
) -> StepCard:
    if isinstance(step, DelayNode):
        unit = "hours" if step.hours is not None else "business" if step.business_days else "days"
        name, subject, snippet, amount = words(lang, "campaign_sequence.delay"), "", "", step.hours or step.days or 0
    else:
        body = text_of_html(step.body) if is_html(step.body) else step.body
        name, subject, snippet, amount, unit = step.name, step.subject, " ".join(body.split())[:90], 0, ""
    return StepCard(
        id=step.id,
        kind=step.kind,
        index=index,
        number=number,
        name=name,
        subject=subject,
        is_first_mail=number == 1,
        snippet=snippet,
        amount=amount,
        unit=unit,
        faults=faults,
        fault=fault,
        contacts=read.standing.get(step.id, 0),
        is_last=index == count - 1,
    )
