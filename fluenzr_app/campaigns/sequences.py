"""Sequences to begin with, in French and English: three or four mails, three to five days apart (campaigns.md)."""

from collections.abc import Callable
from dataclasses import dataclass

from fluenzr_app.campaigns.nodes import DelayNode, EmailNode, Step, Workflow
from fluenzr_app.campaigns.steps import linear_workflow

Paragraphs = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SequenceMail:
    """A mail of a sequence: how many business days after the one before, and its words, paragraph by paragraph."""

    name: str
    subject: str
    paragraphs: Paragraphs
    days_after: int = 0

    @property
    def body(self) -> str:
        """The mail's body as rich text."""
        return "".join(f"<p>{paragraph}</p>" for paragraph in self.paragraphs)


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence to begin with; `key` is the same in every language."""

    key: str
    language: str
    name: str
    description: str
    mails: tuple[SequenceMail, ...]


def sequences(language: str) -> tuple[Sequence, ...]:
    """Return the sequences of a language, in English for one that has none."""
    code = language[:2].lower()
    own = tuple(sequence for sequence in _ALL if sequence.language == code)
    return own or tuple(sequence for sequence in _ALL if sequence.language == "en")


def sequence(key: str, language: str) -> Sequence:
    """Return one sequence in a language, in English where it is missing; raises KeyError for an unknown key."""
    for found in sequences(language):
        if found.key == key:
            return found
    raise KeyError(key)


def sequence_workflow(chosen: Sequence, new_id: Callable[[], str]) -> Workflow:
    """Return a sequence as a workflow; `new_id` gives each node an id that the campaign never used."""
    start_id = new_id()
    steps: list[Step] = []
    for mail in chosen.mails:
        if mail.days_after:
            steps.append(DelayNode(new_id(), days=mail.days_after, business_days=True))
        steps.append(EmailNode(new_id(), name=mail.name, subject=mail.subject, body=mail.body))
    return linear_workflow(steps, start_id=start_id, end_id=new_id())


_FRENCH = (
    Sequence(
        "first_contact",
        "fr",
        "Premier contact",
        "Se présenter à quelqu’un qui ne vous connaît pas encore, puis relancer deux fois sans insister.",
        (
            SequenceMail(
                "Prise de contact",
                "Une question pour {{company|vous}}",
                (
                    "Bonjour {{firstName}},",
                    "{{#if company}}En regardant ce que fait {{company}}, je me suis demandé comment vous abordez "
                    "[votre sujet] aujourd’hui.{{else}}Je me demandais comment vous abordez [votre sujet] "
                    "aujourd’hui.{{/if}}",
                    "Nous aidons des équipes comme la vôtre à [résultat concret], sans changer leurs habitudes.",
                    "Est-ce un sujet pour vous en ce moment ? Un simple oui ou non me suffit.",
                    "{{signature}}",
                ),
            ),
            SequenceMail(
                "Un exemple",
                "",
                (
                    "Bonjour {{firstName}},",
                    "Pour être plus concret : [client] avait la même difficulté. En [durée], ils ont [résultat chiffré].",
                    "Je peux vous montrer en quinze minutes ce qui se transposerait chez {{company|vous}}. "
                    "Mardi ou jeudi vous irait ?",
                    "{{signature}}",
                ),
                3,
            ),
            SequenceMail(
                "La bonne personne",
                "",
                (
                    "Bonjour {{firstName}},",
                    "Peut-être n’est-ce pas vous qui suivez ce sujet{{#if company}} chez {{company}}{{/if}}. Si "
                    "quelqu’un d’autre s’en occupe, pourriez-vous me dire qui ?",
                    "Et si le moment est mal choisi, dites-le-moi simplement : je ne vous écrirai plus.",
                    "{{signature}}",
                ),
                5,
            ),
        ),
    ),
    Sequence(
        "event_follow_up",
        "fr",
        "Après un événement",
        "Reprendre contact avec les personnes rencontrées à un salon, un atelier ou un webinaire.",
        (
            SequenceMail(
                "Merci de votre visite",
                "Suite à notre rencontre à [événement]",
                (
                    "Bonjour {{firstName}},",
                    "Merci pour notre échange à [événement]. Vous trouverez comme promis [le document, le lien] "
                    "dont nous avions parlé.",
                    "Quel point vous a paru le plus utile pour {{company|votre activité}} ?",
                    "{{signature}}",
                ),
            ),
            SequenceMail(
                "Proposer la suite",
                "",
                (
                    "Bonjour {{firstName}},",
                    "Depuis [événement], plusieurs participants nous ont demandé comment passer à la pratique. "
                    "Nous en avons tiré une courte démonstration, sur leurs propres cas.",
                    "Voulez-vous que je vous réserve vingt minutes cette semaine ?",
                    "{{signature}}",
                ),
                3,
            ),
            SequenceMail(
                "Dernier mot",
                "",
                (
                    "Bonjour {{firstName}},",
                    "Je ferme mes notes de [événement] et ne voudrais pas vous oublier. Faut-il en reparler "
                    "maintenant, plus tard dans l’année, ou pas du tout ?",
                    "Votre réponse, même en un mot, m’aidera.",
                    "{{signature}}",
                ),
                5,
            ),
        ),
    ),
    Sequence(
        "former_customers",
        "fr",
        "Anciens clients",
        "Prendre des nouvelles de clients que vous n’avez plus vus depuis longtemps.",
        (
            SequenceMail(
                "Prendre des nouvelles",
                "{{firstName|Bonjour}}, où en êtes-vous ?",
                (
                    "Bonjour {{firstName}},",
                    "Cela fait un moment que nous n’avons plus travaillé ensemble, et je pensais à "
                    "{{company|votre équipe}}. Comment les choses ont-elles évolué depuis ?",
                    "De notre côté, [nouveauté] devrait vous intéresser : c’était justement ce qui vous manquait.",
                    "{{signature}}",
                ),
            ),
            SequenceMail(
                "Ce qui a changé",
                "",
                (
                    "Bonjour {{firstName}},",
                    "En trois lignes, ce qui a changé depuis votre départ :",
                    "– [premier changement]<br>– [deuxième changement]<br>– [troisième changement]",
                    "Si l’un de ces points vous parle, je vous montre volontiers ce que cela donne.",
                    "{{signature}}",
                ),
                4,
            ),
            SequenceMail(
                "Apprendre de vous",
                "",
                (
                    "Bonjour {{firstName}},",
                    "Une seule question, sans rien à vendre : qu’est-ce qui vous ferait revenir, ou au contraire "
                    "l’exclurait ?",
                    "Votre avis nous sert à nous améliorer, quelle que soit la réponse.",
                    "{{signature}}",
                ),
                5,
            ),
            SequenceMail(
                "Clore le dossier",
                "",
                (
                    "Bonjour {{firstName}},",
                    "Sans nouvelles de vous, je range votre dossier. Vous pouvez le rouvrir à tout moment en "
                    "répondant à ce message.",
                    "Bonne continuation à vous{{#if company}} et à toute l’équipe de {{company}}{{/if}}.",
                    "{{signature}}",
                ),
                5,
            ),
        ),
    ),
)

_ENGLISH = (
    Sequence(
        "first_contact",
        "en",
        "First contact",
        "Introduce yourself to somebody who does not know you yet, and follow up twice without pushing.",
        (
            SequenceMail(
                "Introduction",
                "A question for {{company|you}}",
                (
                    "Hello {{firstName|there}},",
                    "{{#if company}}Reading about {{company}}, I wondered how you handle [your subject] "
                    "today.{{else}}I wondered how you handle [your subject] today.{{/if}}",
                    "We help teams like yours to [concrete result], without changing how they work.",
                    "Is this on your mind at the moment? A plain yes or no is all I need.",
                    "{{signature}}",
                ),
            ),
            SequenceMail(
                "An example",
                "",
                (
                    "Hello {{firstName|there}},",
                    "To make it concrete: [customer] faced the same difficulty. Within [time] they had [figure].",
                    "In fifteen minutes I can show you what would carry over to {{company|your team}}. "
                    "Would Tuesday or Thursday suit you?",
                    "{{signature}}",
                ),
                3,
            ),
            SequenceMail(
                "The right person",
                "",
                (
                    "Hello {{firstName|there}},",
                    "Perhaps this is not yours to look after{{#if company}} at {{company}}{{/if}}. If somebody else "
                    "does, could you tell me who?",
                    "And if the moment is wrong, just say so, and I will not write again.",
                    "{{signature}}",
                ),
                5,
            ),
        ),
    ),
    Sequence(
        "event_follow_up",
        "en",
        "After an event",
        "Get back to the people you met at a fair, a workshop or a webinar.",
        (
            SequenceMail(
                "Thanks for stopping by",
                "Following up on [event]",
                (
                    "Hello {{firstName|there}},",
                    "Thank you for the conversation at [event]. As promised, here is [the document, the link] we "
                    "talked about.",
                    "Which part would be the most useful for {{company|your work}}?",
                    "{{signature}}",
                ),
            ),
            SequenceMail(
                "The next step",
                "",
                (
                    "Hello {{firstName|there}},",
                    "Since [event], several visitors asked us how to put it into practice, so we made a short "
                    "demonstration out of their own cases.",
                    "Shall I keep twenty minutes for you this week?",
                    "{{signature}}",
                ),
                3,
            ),
            SequenceMail(
                "Last word",
                "",
                (
                    "Hello {{firstName|there}},",
                    "I am closing my notes from [event] and would not like to forget you. Should we talk now, later "
                    "this year, or not at all?",
                    "One word from you is enough.",
                    "{{signature}}",
                ),
                5,
            ),
        ),
    ),
    Sequence(
        "former_customers",
        "en",
        "Former customers",
        "Ask after customers whom you have not seen for a long time.",
        (
            SequenceMail(
                "How are things?",
                "{{firstName|Hello}}, how have things been?",
                (
                    "Hello {{firstName|there}},",
                    "It has been a while since we worked together, and I was thinking of {{company|your team}}. "
                    "How have things moved on since?",
                    "On our side, [news] may interest you: it was the very thing you were missing.",
                    "{{signature}}",
                ),
            ),
            SequenceMail(
                "What has changed",
                "",
                (
                    "Hello {{firstName|there}},",
                    "In three lines, what has changed since you left:",
                    "– [first change]<br>– [second change]<br>– [third change]",
                    "If one of them speaks to you, I would gladly show you what it looks like.",
                    "{{signature}}",
                ),
                4,
            ),
            SequenceMail(
                "Learning from you",
                "",
                (
                    "Hello {{firstName|there}},",
                    "One question and nothing to sell: what would bring you back, or rule it out?",
                    "Your answer helps us to get better, whatever it is.",
                    "{{signature}}",
                ),
                5,
            ),
            SequenceMail(
                "Closing the file",
                "",
                (
                    "Hello {{firstName|there}},",
                    "As I have not heard from you, I am putting your file away. You can open it again at any time by "
                    "answering this message.",
                    "All the best to you{{#if company}} and to everybody at {{company}}{{/if}}.",
                    "{{signature}}",
                ),
                5,
            ),
        ),
    ),
)

_ALL = _FRENCH + _ENGLISH
