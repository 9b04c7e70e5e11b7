"""Invented people and firms to write to; every address ends in `.example`, which nobody can own (RFC 2606)."""

import random
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_FIRST_NAMES = _words(
    "Adèle Agathe Aïcha Alban Alexis Alice Amandine Anaïs Antoine Armelle Aurélie Baptiste Bastien Benoît Bérénice "
    "Blandine Bruno Camélia Capucine Cédric Céline Chloé Clémence Clément Corentin Cyprien Damien Delphine Diane "
    "Dorothée Édouard Élise Éloïse Émile Émilie Enzo Estelle Étienne Eva Fabien Fanny Farid Faustine Félix Flavie "
    "Florent Gabrielle Gaël Garance Gauthier Grégoire Guillemette Hélène Hippolyte Hugo Inès Iris Isaure Ismaël "
    "Jeanne Jérémie Joachim Joséphine Juliette Karim Laëtitia Léonie Léopold Loïc Louane Lucie Ludovic Maëlle "
    "Margaux Marius Mathilde Maxence Mélanie Mohamed Myriam Nadia Naïm Nathan Nicolas Ninon Noémie Octave Odile "
    "Olivia Ophélie Pascal Pauline Perrine Quentin Rachid Raphaël Rémi Romane Sabine Salomé Samia Sébastien "
    "Simone Solène Sylvain Tanguy Théo Thibault Ugo Valentine Victoire Violette Wassim Xavier Yann Yasmine Zoé"
)
_LAST_NAMES = _words(
    "Abadie Allard Amsellem Arnaud Aubry Barbier Bardot Béranger Berthelot Besnard Bonnaud Boucher Boulay Bourdin "
    "Brunel Cadet Carlier Castel Chapuis Charrier Chauvet Cordier Coulon Courtois Daguerre Delaunay Delmas Deschamps "
    "Diallo Dufresne Dumas Duprat Durieux Esnault Fabre Faucher Ferrand Fontaine Fournel Gaillard Garnier Gaudin "
    "Germain Gilbert Godard Granger Guérin Guyon Hamel Haddad Henriot Jacquet Jaubert Joly Jourdain Kieffer Lacombe "
    "Lagarde Lambert Lanoë Laurens Lavigne Le·Goff Lecomte Lefort Lemoine Leroux Levasseur Loiseau Maillard Marchal "
    "Marsaud Masson Mercier Meunier Millet Monnier Morvan Naudin Nguyen Noiret Olivier Pagès Paquet Pelletier Perrin "
    "Picard Poirier Pons Prévost Quéré Raynaud Renaud Ricard Rivière Rochat Roussel Sabatier Salaün Sauvage Schmitt "
    "Sellier Tanguy Tessier Thévenin Tissot Toussaint Traoré Vallée Vasseur Verdier Vidal Viguier Weber"
)
_KINDS = (
    ("Atelier", "Menuiserie"), ("Maison", "Hôtellerie"), ("Groupe", "Services"), ("Cabinet", "Conseil"),
    ("Studio", "Communication"), ("Ateliers", "Industrie"), ("Transports", "Logistique"), ("Clinique", "Santé"),
    ("Fonderie", "Industrie"), ("Domaine", "Viticulture"), ("Imprimerie", "Communication"), ("Comptoir", "Commerce"),
)  # fmt: skip
_NAMES = _words(
    "Belrive Sauvaniac Montrelais Orvalon Clairmarais Lunevive Tramontel Vaugrande Escadilles Brumeval Hautecoste "
    "Roquelune Mirefleurs Valdoré Peyrolan Saintilly Courbefy Aigueperle Noirmontel Bellegarenne Pontaubel Rivesalte "
    "Chantelouvre Verdelais Marsangel Tourvenelle Fontauzelle Argelone Cap-Azurel Ormeveau"
)
# Numbers that are kept free for fiction (Arcep, decision 2018-0881): nobody's telephone rings.
_PLACES = (
    ("Lyon", "+33 4 65 71"), ("Nantes", "+33 2 61 91"), ("Lille", "+33 3 53 01"), ("Bordeaux", "+33 5 36 49"),
    ("Toulouse", "+33 5 36 49"), ("Rennes", "+33 2 61 91"), ("Strasbourg", "+33 3 53 01"),
    ("Grenoble", "+33 4 65 71"), ("Montpellier", "+33 4 65 71"), ("Dijon", "+33 3 53 01"), ("Angers", "+33 2 61 91"),
    ("Clermont-Ferrand", "+33 4 65 71"), ("Metz", "+33 3 53 01"), ("Tours", "+33 2 61 91"), ("Annecy", "+33 4 65 71"),
    ("Paris", "+33 1 99 00"),
)  # fmt: skip
_TITLES = (
    "Direction générale", "Direction des opérations", "Direction commerciale", "Responsable achats",
    "Responsable qualité", "Responsable production", "Responsable marketing", "Responsable logistique",
    "Responsable RH", "Responsable informatique", "Contrôle de gestion", "Chargé·e d’affaires",
)  # fmt: skip
_SOURCES = ("event", "web_opt_in", "business_card", "referral", "social_network", "existing")
_TAGS = ("prioritaire", "salon de Lyon", "recommandé", "à rappeler", "démo demandée")
_SIZES = (8, 15, 24, 40, 65, 120, 240, 480)


@dataclass(frozen=True, slots=True)
class Firm:
    """A firm with its domain; several of the sample contacts work for one."""

    name: str
    domain: str
    sector: str
    city: str
    phone: str
    size: int


SECTORS = tuple(sorted({sector for _, sector in _KINDS}))


def people(count: int, rng: random.Random) -> Iterator[Mapping[str, Any]]:
    """Give `count` contacts as `contacts.bulk` takes them, each under another address; their groups are not said."""
    firms = _firms(max(1, count // 4), rng)
    taken: set[str] = set()
    while len(taken) < count:
        first, last, firm = rng.choice(_FIRST_NAMES), rng.choice(_LAST_NAMES).replace("·", " "), rng.choice(firms)
        email = f"{_plain(first)}.{_plain(last)}@{firm.domain}"
        if email not in taken:
            taken.add(email)
            yield _person(email, first, last, firm, rng)


def _person(email: str, first: str, last: str, firm: Firm, rng: random.Random) -> Mapping[str, Any]:
    person: dict[str, Any] = {
        "email": email,
        "first_name": first,
        "last_name": last,
        "company": firm.name,
        "job_title": rng.choice(_TITLES),
        "city": firm.city,
        "country": "FR",
        "language": "fr",
        "website": f"https://www.{firm.domain}",
        "phone": f"{firm.phone} {rng.randrange(100):02} {rng.randrange(100):02}",
        "consent_source": rng.choice(_SOURCES),
        "custom_fields": {"secteur": firm.sector, "effectif": firm.size},
        "tags": [rng.choice(_TAGS)] if rng.random() < 0.35 else [],
    }
    # Lists are never complete: mails must read well without a name or a firm.
    if rng.random() < 0.04:
        person["first_name"] = ""
    if rng.random() < 0.03:
        person["company"] = ""
    if rng.random() < 0.3:
        person["phone"] = ""
    if rng.random() < 0.02:
        person["consent_source"] = "not_specified"
    return person


def _firms(count: int, rng: random.Random) -> list[Firm]:
    pairs = [(kind, name) for kind in _KINDS for name in _NAMES]
    firms = []
    for (kind, sector), name in rng.sample(pairs, min(count, len(pairs))):
        city, phone = rng.choice(_PLACES)
        firms.append(
            Firm(f"{kind} {name}", f"{_plain(kind)}-{_plain(name)}.example", sector, city, phone, rng.choice(_SIZES))
        )
    return firms


def _plain(text: str) -> str:
    """Return a name as it stands in an address: no accents, no spaces, small letters."""
    decomposed = unicodedata.normalize("NFD", text)
    bare = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return bare.lower().replace(" ", "").replace("'", "")
