"""The sequences of the sample campaigns, in French; Nova Conseil sells advice on production and does not exist."""

from fluenzr_app.campaigns.nodes import DelayNode, EmailNode, Step, Workflow
from fluenzr_app.campaigns.sequences import Sequence, SequenceMail, sequence_workflow
from fluenzr_app.campaigns.steps import linear_workflow

_HELLO = "Bonjour{{#if firstName}} {{firstName}}{{/if}},"
_SITE = "https://www.nova-conseil.example"

WORKSHOPS = Sequence(
    "demo_workshops",
    "fr",
    "Diagnostic atelier",
    "",
    (
        SequenceMail(
            "Proposition de diagnostic",
            "{{firstName|Bonjour}}, une demi-journée dans votre atelier ?",
            0,
            f"""
{_HELLO}

Je travaille avec des ateliers de la taille {{{{#if company}}}}de {{{{company}}}}{{{{else}}}}du vôtre{{{{/if}}}}
qui perdent du temps entre deux postes, sans toujours savoir où.

En une demi-journée sur place, nous relevons les trois attentes qui vous coûtent le plus cher et vous
laissons les chiffres, que vous poursuiviez avec nous ou non. Voici
<a href="{_SITE}/diagnostic">comment se passe la demi-journée</a>.

Est-ce que cela aurait un sens chez vous avant la fin du trimestre ?

{{{{signature}}}}
""",
        ),
        SequenceMail(
            "Un exemple chiffré",
            "",
            2,
            f"""
{_HELLO}

Un exemple plutôt qu’un argument : une menuiserie de 24 personnes attendait ses panneaux 40 minutes par
jour. Déplacer un seul stock a suffi, et l’atelier a rendu une semaine par mois.

La fiche tient en une page : <a href="{_SITE}/cas/menuiserie-de-24-personnes">le cas de cette menuiserie</a>. Si
l’exemple vous parle, <a href="{_SITE}/rendez-vous">choisissez vingt minutes</a> pour en discuter, ou répondez-moi.

{{{{signature}}}}
""",
        ),
        SequenceMail(
            "Dernier message",
            "",
            4,
            f"""
{_HELLO}

Je ne veux pas encombrer votre boîte : ceci est mon dernier message à ce sujet.

Si quelqu’un d’autre suit la production{{{{#if company}}}} chez {{{{company}}}}{{{{/if}}}}, son nom me suffit.

{{{{signature}}}}
""",
        ),
    ),
)

SUPPLIERS = Sequence(
    "demo_suppliers",
    "fr",
    "Achats et délais",
    "",
    (
        SequenceMail(
            "Question sur les délais",
            "Vos délais fournisseurs, {{company|chez vous}}",
            0,
            f"""
{_HELLO}

Depuis un an, un fournisseur sur trois livre en retard dans votre secteur. Comment vous
organisez-vous{{{{#if company}}}} chez {{{{company}}}}{{{{/if}}}} quand une pièce manque ?

Nous aidons des équipes d’achats à voir ces retards deux semaines plus tôt, avec ce qu’elles ont déjà :
leurs commandes et un tableur.

Puis-je vous montrer cela en quinze minutes ? <a href="{_SITE}/rendez-vous">Voici mes créneaux</a>.

{{{{signature}}}}
""",
        ),
        SequenceMail(
            "Le tableau de suivi",
            "",
            3,
            f"""
{_HELLO}

Je vous dois quelque chose de concret : voici ce que regarde notre tableau de suivi, chaque lundi.

– les commandes dont la date a bougé deux fois<br>
– les fournisseurs qui ne confirment plus<br>
– ce qui arrêtera un poste dans les dix jours

<a href="{_SITE}/tableau-de-suivi">Le tableau, avec un exemple rempli</a>, est à vous. Lequel des trois vous manque
le plus aujourd’hui ?

{{{{signature}}}}
""",
        ),
        SequenceMail(
            "Je referme le dossier",
            "",
            5,
            f"""
{_HELLO}

Sans nouvelles, je comprends que ce n’est pas le moment et je referme le dossier.

Il se rouvre en répondant « oui » à ce message, même dans six mois.

{{{{signature}}}}
""",
        ),
    ),
)

TRAINING = Sequence(
    "demo_training",
    "fr",
    "Formation des chefs d’équipe",
    "",
    (
        SequenceMail(
            "Invitation à la session",
            "Former vos chefs d’équipe sans arrêter l’atelier",
            0,
            f"""
{_HELLO}

Nous ouvrons à distance une session pour chefs d’équipe : quatre matinées, une par semaine, et un
exercice à faire sur leur propre poste. <a href="{_SITE}/formations/chefs-d-equipe">Le programme est ici</a>.

Auriez-vous une ou deux personnes à qui cela servirait ?

{{{{signature}}}}
""",
        ),
        SequenceMail(
            "Le programme",
            "",
            3,
            f"""
{_HELLO}

Le programme tient en quatre mots : accueillir, mesurer, décider, transmettre. Chaque matinée finit par une
décision que la personne essaie la semaine suivante.

Tout est là : <a href="{_SITE}/formations/chefs-d-equipe">le détail</a> et
<a href="{_SITE}/formations/dates">les dates</a>. Qui voyez-vous en premier ?

{{{{signature}}}}
""",
        ),
        SequenceMail(
            "Dernières places",
            "",
            4,
            f"""
{_HELLO}

Il reste trois places pour la session. Après cela, je ne vous écrirai plus à ce propos.

Dois-je en garder une{{{{#if company}}}} pour {{{{company}}}}{{{{/if}}}} ? Un mot suffit, ou
<a href="{_SITE}/formations/inscription">l’inscription en ligne</a>.

{{{{signature}}}}
""",
        ),
    ),
)

_TRADE_FAIR_FIRST = SequenceMail(
    "Merci de votre visite",
    "Suite à notre échange au salon",
    0,
    """
Bonjour {{prenom}},

Merci d’être passé sur notre stand. Comme promis, voici le compte rendu de l’atelier sur les délais.

Quel point voulez-vous creuser en premier ?

{{signature}}
""",
)


def workflow_of(sequence: Sequence) -> Workflow:
    """Return a sequence as the workflow of a new campaign."""
    numbers = iter(range(1, 100))
    return sequence_workflow(sequence, lambda: f"n{next(numbers)}")


def unfinished_workflow() -> Workflow:
    """Return a workflow that somebody stopped writing: a variable that does not exist, and a mail without words."""
    first = EmailNode("n2", _TRADE_FAIR_FIRST.name, _TRADE_FAIR_FIRST.subject, _TRADE_FAIR_FIRST.body)
    steps: list[Step] = [first, DelayNode("n3", days=3, business_days=True), EmailNode("n4", "Relance", "", "")]
    return linear_workflow(steps, start_id="n1", end_id="n5")
