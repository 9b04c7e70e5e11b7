"""Sequences to begin with, in French and English: three or four mails, three to five days apart (campaigns.md)."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from fluenzr_app.campaigns.errors import Fault
from fluenzr_app.campaigns.nodes import DelayNode, EmailNode, Step, Workflow
from fluenzr_app.campaigns.steps import linear_workflow

NO_BREAK_SPACE = "\N{NO-BREAK SPACE}"
# French sets a space before these marks, which must not stand alone on the next line.
_BEFORE_MARK = re.compile(r" (?=[?!:;])")
# What the user is to fill in stands in square brackets.
_PLACE = re.compile(r"\[[^\[\]]+\]")


@dataclass(frozen=True, slots=True)
class SequenceMail:
    """A mail of a sequence: how many business days after the one before, and its words, paragraphs apart by a line."""

    name: str
    subject: str
    days_after: int
    text: str

    @property
    def body(self) -> str:
        """The mail's body as rich text."""
        paragraphs = (" ".join(paragraph.split()) for paragraph in self.text.strip().split("\n\n"))
        return "".join(f"<p>{_BEFORE_MARK.sub(NO_BREAK_SPACE, paragraph)}</p>" for paragraph in paragraphs)


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


def unfilled_places(workflow: Workflow) -> list[Fault]:
    """Return the places of a sequence that nobody filled in, such as ``[your subject]``: risks to warn of."""
    places = {place for each in _ALL for mail in each.mails for place in _PLACE.findall(f"{mail.subject} {mail.body}")}
    risks: list[Fault] = []
    for mail in workflow.emails():
        for place in dict.fromkeys(_PLACE.findall(f"{mail.subject} {mail.body}")):
            if place in places:
                words = f"“{mail.name}” still says {place}: put your own words there."
                risks.append(Fault("unfilled_place", mail.id, {"place": place}, words))
    return risks


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
                0,
                """
Bonjour{{#if firstName}} {{firstName}}{{/if}},

{{#if company}}En regardant ce que fait {{company}}, je me suis demandé comment vous abordez [votre
sujet] aujourd’hui.{{else}}Je me demandais comment vous abordez [votre sujet] aujourd’hui.{{/if}}

Nous aidons des équipes comme la vôtre à [résultat concret], sans changer leurs habitudes.

Est-ce un sujet pour vous en ce moment ? Un simple oui ou non me suffit.

{{signature}}
""",
            ),
            SequenceMail(
                "Un exemple",
                "",
                3,
                """
Bonjour{{#if firstName}} {{firstName}}{{/if}},

Pour être plus concret : [client] avait la même difficulté. En [durée], ils ont [résultat chiffré].

Je peux vous montrer en quinze minutes ce qui se transposerait chez {{company|vous}}. Mardi ou jeudi
vous irait ?

{{signature}}
""",
            ),
            SequenceMail(
                "La bonne personne",
                "",
                5,
                """
Bonjour{{#if firstName}} {{firstName}}{{/if}},

Peut-être n’est-ce pas vous qui suivez ce sujet{{#if company}} chez {{company}}{{/if}}. Si quelqu’un
d’autre s’en occupe, pourriez-vous me dire qui ?

Et si le moment est mal choisi, dites-le-moi simplement : je ne vous écrirai plus.

{{signature}}
""",
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
                0,
                """
Bonjour{{#if firstName}} {{firstName}}{{/if}},

Merci pour notre échange à [événement]. Vous trouverez comme promis [le document, le lien] dont nous
avions parlé.

Quel point vous a paru le plus utile pour {{company|votre activité}} ?

{{signature}}
""",
            ),
            SequenceMail(
                "Proposer la suite",
                "",
                3,
                """
Bonjour{{#if firstName}} {{firstName}}{{/if}},

Depuis [événement], plusieurs participants nous ont demandé comment passer à la pratique. Nous en
avons tiré une courte démonstration, sur leurs propres cas.

Voulez-vous que je vous réserve vingt minutes cette semaine ?

{{signature}}
""",
            ),
            SequenceMail(
                "Dernier mot",
                "",
                5,
                """
Bonjour{{#if firstName}} {{firstName}}{{/if}},

Je ferme mes notes de [événement] et ne voudrais pas vous oublier. Faut-il en reparler maintenant,
plus tard dans l’année, ou pas du tout ?

Votre réponse, même en un mot, m’aidera.

{{signature}}
""",
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
                0,
                """
Bonjour{{#if firstName}} {{firstName}}{{/if}},

Cela fait un moment que nous n’avons plus travaillé ensemble, et je pensais à {{company|votre
équipe}}. Comment les choses ont-elles évolué depuis ?

De notre côté, [nouveauté] devrait vous intéresser : c’était justement ce qui vous manquait.

{{signature}}
""",
            ),
            SequenceMail(
                "Ce qui a changé",
                "",
                4,
                """
Bonjour{{#if firstName}} {{firstName}}{{/if}},

En trois lignes, ce qui a changé depuis votre départ :

– [premier changement]<br>
– [deuxième changement]<br>
– [troisième changement]

Si l’un de ces points vous parle, je vous montre volontiers ce que cela donne.

{{signature}}
""",
            ),
            SequenceMail(
                "Apprendre de vous",
                "",
                5,
                """
Bonjour{{#if firstName}} {{firstName}}{{/if}},

Une seule question, sans rien à vendre : qu’est-ce qui vous ferait revenir, ou au contraire
l’exclurait ?

Votre avis nous sert à nous améliorer, quelle que soit la réponse.

{{signature}}
""",
            ),
            SequenceMail(
                "Clore le dossier",
                "",
                5,
                """
Bonjour{{#if firstName}} {{firstName}}{{/if}},

Sans nouvelles de vous, je range votre dossier. Vous pouvez le rouvrir à tout moment en répondant à
ce message.

Bonne continuation à vous{{#if company}} et à toute l’équipe de {{company}}{{/if}}.

{{signature}}
""",
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
                0,
                """
Hello {{firstName|there}},

{{#if company}}Reading about {{company}}, I wondered how you handle [your subject] today.{{else}}I
wondered how you handle [your subject] today.{{/if}}

We help teams like yours to [concrete result], without changing how they work.

Is this on your mind at the moment? A plain yes or no is all I need.

{{signature}}
""",
            ),
            SequenceMail(
                "An example",
                "",
                3,
                """
Hello {{firstName|there}},

To make it concrete: [customer] faced the same difficulty. Within [time] they had [figure].

In fifteen minutes I can show you what would carry over to {{company|your team}}. Would Tuesday or
Thursday suit you?

{{signature}}
""",
            ),
            SequenceMail(
                "The right person",
                "",
                5,
                """
Hello {{firstName|there}},

Perhaps this is not yours to look after{{#if company}} at {{company}}{{/if}}. If somebody else does,
could you tell me who?

And if the moment is wrong, just say so, and I will not write again.

{{signature}}
""",
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
                0,
                """
Hello {{firstName|there}},

Thank you for the conversation at [event]. As promised, here is [the document, the link] we talked
about.

Which part would be the most useful for {{company|your work}}?

{{signature}}
""",
            ),
            SequenceMail(
                "The next step",
                "",
                3,
                """
Hello {{firstName|there}},

Since [event], several visitors asked us how to put it into practice, so we made a short
demonstration out of their own cases.

Shall I keep twenty minutes for you this week?

{{signature}}
""",
            ),
            SequenceMail(
                "Last word",
                "",
                5,
                """
Hello {{firstName|there}},

I am closing my notes from [event] and would not like to forget you. Should we talk now, later this
year, or not at all?

One word from you is enough.

{{signature}}
""",
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
                0,
                """
Hello {{firstName|there}},

It has been a while since we worked together, and I was thinking of {{company|your team}}. How have
things moved on since?

On our side, [news] may interest you: it was the very thing you were missing.

{{signature}}
""",
            ),
            SequenceMail(
                "What has changed",
                "",
                4,
                """
Hello {{firstName|there}},

In three lines, what has changed since you left:

– [first change]<br>
– [second change]<br>
– [third change]

If one of them speaks to you, I would gladly show you what it looks like.

{{signature}}
""",
            ),
            SequenceMail(
                "Learning from you",
                "",
                5,
                """
Hello {{firstName|there}},

One question and nothing to sell: what would bring you back, or rule it out?

Your answer helps us to get better, whatever it is.

{{signature}}
""",
            ),
            SequenceMail(
                "Closing the file",
                "",
                5,
                """
Hello {{firstName|there}},

As I have not heard from you, I am putting your file away. You can open it again at any time by
answering this message.

All the best to you{{#if company}} and to everybody at {{company}}{{/if}}.

{{signature}}
""",
            ),
        ),
    ),
)

_ALL = _FRENCH + _ENGLISH
