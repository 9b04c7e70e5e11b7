"""What the people of Nova Conseil do with what comes in: they answer, label, put away, and note what they learn."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlmodel import Session

from fluenzr_app.contacts.notes import add_note
from fluenzr_app.contacts.stages import list_stages, move_to_stage
from fluenzr_app.demo.letter import PARIS
from fluenzr_app.demo.sample import Sample
from fluenzr_app.demo.wording import Topic
from fluenzr_app.inbox import conversations, returns, saved_answers, stops
from fluenzr_app.inbox.answers import send_answer, why_not
from fluenzr_app.inbox.conversations import ConversationLine, Filters

_PRICES: Final = "Tarifs"
_DATES: Final = "Proposition de créneaux"
_SAVED: Final[Mapping[str, str]] = {
    _PRICES: (
        "<p>Bonjour {{firstName|à vous}},</p><p>Le diagnostic d’une demi-journée est à 480 € hors taxes, déplacement"
        " compris dans tout le Grand Ouest. Au-delà, nous travaillons à la journée, à 890 €.</p>"
        "<p>Souhaitez-vous un devis à votre nom ?</p>"
    ),
    _DATES: (
        "<p>Bonjour {{firstName|à vous}},</p><p>Voici deux créneaux : mardi à 10 h ou jeudi à 14 h 30. Une demi-heure"
        " suffit pour commencer.</p><p>Lequel vous convient ?</p>"
    ),
}
_BY_HAND: Final[Mapping[Topic, tuple[str, ...]]] = {
    "interested": (
        (
            "<p>Bonjour,</p><p>Merci de votre retour. Nous passons une demi-journée sur place, suivons trois pièces"
            " d’un bout à l’autre, et vous laissons les chiffres le jour même.</p><p>Quand puis-je vous appeler ?</p>"
        ),
        (
            "<p>Bonjour,</p><p>Avec plaisir. Je vous propose un premier échange de vingt minutes pour comprendre votre"
            " organisation, puis je vous envoie un exemple qui lui ressemble.</p>"
        ),
    ),
    "colleague": (
        "<p>Bonjour,</p><p>Merci de m’avoir orienté. Je reste à votre disposition si je peux vous être utile.</p>",
    ),
    "back": ("<p>Bonjour,</p><p>Oui, tout à fait d’actualité. Préférez-vous que je vous appelle cette semaine ?</p>",),
    "not_now": (
        "<p>Bonjour,</p><p>C’est bien noté, je reviens vers vous à ce moment-là. Bonne continuation d’ici là.</p>",
    ),
}
# The second answer, the third, the fourth, as a conversation goes on, and the stage at which the contact then is.
_GOING_ON: Final = (
    ("<p>Très bien. Je vous confirme le rendez-vous et vous envoie le déroulé en une page.</p>", "proposal"),
    (("<p>Voici ce que je vous propose : une demi-journée sur place, un compte rendu sous huit jours, 480 € hors"
     " taxes.</p><p>Cela vous convient-il ?</p>"), "negotiation"),
    ("<p>Merci de votre confiance. Je bloque la date et préviens notre équipe.</p>", "won"),
)  # fmt: skip
_NOTES: Final[Mapping[str, str]] = {
    "proposal": "Rendez-vous pris. Deux équipes, goulot probable au montage ; préparer un exemple du même métier.",
    "negotiation": "Budget à valider par la direction. Rappeler avant la fin du mois.",
    "won": "Accord donné par courriel, date à fixer avec le chef d’atelier.",
    "later": "Rien avant le prochain budget ; reprendre contact dans trois mois.",
}
_LEFT_UNREAD: Final = 0.12


class Desk:
    """The inbox as its owner works through it twice a day."""

    def __init__(self, sample: Sample) -> None:
        self._sample = sample
        self._answered: Counter[int] = Counter()
        self._rng = random.Random(17)  # noqa: S311 - Message-IDs of answers, no secrets

    def keep_texts(self, session: Session, now: datetime) -> None:
        """Save the answers that are used again and again."""
        for name, html in _SAVED.items():
            saved_answers.save(session, self._sample.workspace_id, name, html, now)

    def work_through(self, session: Session, now: datetime) -> None:
        """Deal with what is unread; some of it is left for later."""
        unread = conversations.list_conversations(
            session, self._sample.workspace_id, Filters(status="unread"), per_page=conversations.MOST_PER_PAGE
        )
        for line in unread.lines:
            chance = random.Random(f"{line.email}:{line.revision}")  # noqa: S311 - what somebody does, no secret
            if chance.random() < _LEFT_UNREAD:
                continue
            if line.stop_asked_at is not None:
                stops.confirm_stop(session, line.workspace_id, line.id, now)
                self._put(session, line, "archived", now)
            elif line.last_kind == "automatic":
                self._absence(session, line, chance, now)
            else:
                self._reply(session, line, self._sample.recipients.topic_of(line.email), chance, now)

    def _absence(self, session: Session, line: ConversationLine, chance: random.Random, now: datetime) -> None:
        ahead = line.returns_on is not None and line.returns_on > now.astimezone(PARIS).date()
        if ahead and chance.random() < 0.5:
            returns.wait_until_return(session, line.workspace_id, line.id, now)
        self._put(session, line, "read", now)

    def _reply(
        self, session: Session, line: ConversationLine, topic: Topic | None, chance: random.Random, now: datetime
    ) -> None:
        if topic == "not_interested":
            conversations.set_label(session, line.workspace_id, [line.id], "not_interested", now)
            self._stage(session, line, "lost", now)
            self._put(session, line, "archived", now)
        elif topic == "not_now":
            conversations.set_label(session, line.workspace_id, [line.id], "later", now)
            self._note(session, line, "later", now)
            if self._answer(session, line, chance.choice(_BY_HAND["not_now"]), now):
                self._put(session, line, "archived", now)
        elif topic is None or topic == "stop" or not self._goes_on(session, line, topic, chance, now):
            self._put(session, line, "read", now)

    def _goes_on(
        self, session: Session, line: ConversationLine, topic: Topic, chance: random.Random, now: datetime
    ) -> bool:
        """Answer somebody who may become a customer; False when nothing is left to say, or nobody may write."""
        conversations.set_label(session, line.workspace_id, [line.id], "interested", now)
        turn = self._answered[line.id]
        if turn > len(_GOING_ON):
            return False
        if turn == 0:
            return self._answer(session, line, self._first_words(session, line, topic, chance, now), now)
        html, stage = _GOING_ON[turn - 1]
        if not self._answer(session, line, html, now):
            return False
        self._stage(session, line, stage, now)
        self._note(session, line, stage, now)
        return True

    def _first_words(
        self, session: Session, line: ConversationLine, topic: Topic, chance: random.Random, now: datetime
    ) -> str:
        name = {"price": _PRICES, "date": _DATES}.get(topic)
        if name is None:
            return chance.choice(_BY_HAND[topic])
        saved = saved_answers.list_saved(session, line.workspace_id)
        saved_id = next(each.id for each in saved if each.name == name)
        return saved_answers.filled_in(session, line.workspace_id, line.id, saved_id, now)

    def _answer(self, session: Session, line: ConversationLine, html: str, now: datetime) -> bool:
        # From a paused account, or one in error, it would wait for good.
        if line.account_status != "connected" or why_not(session, line) is not None:
            return False
        self._answered[line.id] += 1
        send_answer(session, line.workspace_id, line.id, html, now, self._rng, user_id=self._owner_id)
        return True

    def _stage(self, session: Session, line: ConversationLine, kind: str, now: datetime) -> None:
        stage = next(each for each in list_stages(session, line.workspace_id) if each.kind == kind)
        move_to_stage(session, line.workspace_id, line.contact_id, stage.id, now, by=self._owner_id)

    def _note(self, session: Session, line: ConversationLine, about: str, now: datetime) -> None:
        add_note(session, line.workspace_id, line.contact_id, _NOTES[about], now, by=self._owner_id)

    def _put(self, session: Session, line: ConversationLine, status: str, now: datetime) -> None:
        conversations.set_status(session, line.workspace_id, [line.id], status, now)

    @property
    def _owner_id(self) -> int:
        assert self._sample.owner is not None
        return self._sample.owner.user_id
