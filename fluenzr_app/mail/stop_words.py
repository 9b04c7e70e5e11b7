"""Whether somebody's whole answer is that they want no more mail."""

from __future__ import annotations

import re
import unicodedata

from fluenzr_app.mail.quote_marks import is_mobile_footer

# Whoever writes more than this explains something, which a person should read.
_LINES_MAX = 14
_CHARACTERS_MAX = 700
_SIGNATURE_LINES_MAX = 6
_SIGNATURE_LINE_MAX = 60

# Everything is compared in lower case, without accents, punctuation and apostrophes (see `_plain`).
_GREETING = re.compile(
    r"(?:hi|hello|hey|dear|good (?:morning|afternoon|evening|day)|bonjour|bonsoir|salut|chers?|cheres?"
    r"|madame|monsieur|messieurs"
    r"|hallo|guten (?:tag|morgen|abend)|sehr geehrter?|liebe[rs]?|moin|hola|buenos dias|buenas (?:tardes"
    r"|noches)|estimad[oa]s?"
    r"|buongiorno|buonasera|salve|ciao|gentile|gentili|goede(?:n|morgen|middag)? ?(?:dag|avond)?|goeiedag"
    r"|beste|dag|geachte)"
    r"(?: \w+){0,4}"
).fullmatch
_CLOSING = re.compile(
    r"(?:(?:many )?thanks?(?: you)?(?: very much| so much| in advance| a lot)?|thx|cheers|best|(?:best|kind"
    r"|warm) (?:regards|wishes)"
    r"|regards|(?:yours )?(?:sincerely|faithfully)|bye|merci(?: beaucoup| d ?avance| bien| par avance)?"
    r"|(?:bien )?cordialement|cdlt|cdt|bav"
    r"|(?:sinceres |meilleures )?salutations(?: distinguees)?|bonne (?:journee|soiree|continuation)"
    r"|bien a vous|au revoir"
    r"|danke(?: schon| sehr| im voraus)?|(?:vielen|besten|herzlichen) dank(?: im voraus)?"
    r"|(?:mit )?(?:freundliche[nrm]?|beste[nr]?|viele[n]?|liebe[n]?|schone[n]?) (?:grusse[n]?|gru(?:ss"
    r"|ß)e?n?)|mfg|vg|lg|gruss"
    r"|(?:muchas )?gracias(?: de antemano)?|(?:un )?(?:cordial(?:es)? )?saludos?(?: cordial(?:es)?)?"
    r"|atentamente|cordialmente"
    r"|grazie(?: mille| in anticipo)?|(?:cordiali |distinti )?saluti|dank (?:je|u)(?: wel)?"
    r"|(?:alvast )?(?:bedankt|dank)(?: alvast)?"
    r"|(?:met )?vriendelijke groete?n?|groete?n?|groetjes|mvg)"
).fullmatch
_REASON = re.compile(
    r"(?:(?:sorry |i am |im |we are |were )*(?:not|no longer) (?:really )?interested|no(?: thanks?"
    r"| thank you| gracias| grazie)?"
    r"|(?:je ne suis |nous ne sommes |je suis |nous sommes )?(?:pas|non|plus|pas du tout) interesse?e?s?"
    r"|non(?: merci)?"
    r"|(?:(?:ich habe|wir haben) )?kein interesse|nein(?: danke)?|no (?:me|nos) interesa|non (?:mi|ci) interessa"
    r"|non (?:sono|siamo) interessat[oaie]|(?:(?:ik heb|wij hebben) )?geen interesse|nee(?: dank je| bedankt"
    r"| dank u)?)"
).fullmatch

# What says it. The rest of the sentence must be fillers, so that “stop by our office” and “don't stop” are none.
_CORE = re.compile(
    r"\b(?:"
    # English
    r"how (?:do|can) i unsubscribe|unsubscribed?|unsub|opt(?: me| us)? ?out|stop (?:(?:e ?)?mailing"
    r"|contacting|writing(?: to)?|sending|spamming|messaging)"
    r"|stop|(?:remove|take|delete|exclude) (?:me|us|my (?:e ?mail|address|name|data|details|contact))"
    r"|(?:do not|dont|never) (?:contact|e ?mail|mail|write(?: to)?|message|spam|send) (?:me|us)|no (?:more"
    r"|further) (?:e ?mails?|mails?|messages)|leave (?:me|us) alone"
    # French
    r"|desinscription|desabonnement|(?:me |nous |m ?)?(?:desinscrire|desabonner)|(?:desinscrivez|desabonnez"
    r"|desinscris|desabonne)(?: moi| nous)"
    r"|(?:me|nous|m) ?(?:retirer|supprimer|enlever|effacer|oter|radier|exclure|rayer)|(?:retirez|enlevez"
    r"|supprimez|effacez|rayez|radiez)(?: moi| nous| mon| mes)"
    r"|(?:retirer|supprimer|enlever|effacer) (?:mon|mes)|ne plus (?:recevoir|etre contactee?|(?:me"
    r"|nous) (?:contacter|ecrire|envoyer|solliciter|relancer|demarcher))"
    r"|ne (?:me|nous|m) ?(?:contactez|ecrivez|envoyez|sollicitez|relancez) plus|(?:arretez|cessez|arreter"
    r"|cesser) de m ?e? ?(?:contacter|ecrire|envoyer|spammer|solliciter|relancer)"
    r"|plus recevoir|arretez(?: vos)? (?:mails?|e ?mails?|messages|envois)|plus de (?:mails?|e ?mails?|messages)"
    # German
    r"|abmelden|abmeldung|abbestellen|abbestellung|austragen"
    r"|(?:melden|meldet|tragen|tragt|nehmen|nehmt|loschen|loscht|streichen|streicht|entfernen"
    r"|entfernt) (?:sie )?(?:mich|uns|meine)"
    r"|(?:mich|uns|meine e ?mail ?adresse|meine adresse|meine daten)(?: \w+){0,5} (?:loschen|entfernen"
    r"|herausnehmen|streichen|zu loschen|zu entfernen|zu streichen)"
    r"|keine (?:weiteren |weitere )?(?:e ?mails?|mails?|werbung|nachrichten)(?: mehr)?|(?:schreiben"
    r"|kontaktieren) sie (?:mir|mich|uns) nicht mehr"
    # Spanish
    r"|(?:dar|den|de|da)(?:me|nos)(?: de)? baja|baja|desuscribir(?:me)?|desuscripcion|cancelar(?: la"
    r"| mi)? suscripcion"
    r"|(?:eliminar|elimine|eliminen|elimina|borrar|borre|borren|borra|quitar|quite|quiten|quita)(?:me|nos)"
    r"|no (?:me|nos) (?:escriban?|escribas|envien?|envies|contacten?|contactes|manden?) mas"
    r"|no mas (?:correos|e ?mails?|mensajes)"
    # Italian
    r"|cancellazione|disiscrizione|(?:cancellar|cancellate|cancella|rimuover|rimuovete|rimuovi|toglier"
    r"|togliete|togli|eliminar|eliminate|disiscriver|disiscrivete|disiscrivi)(?:mi|ci)"
    r"|non (?:scrivete|contattate|scriver|contattar|inviate|mandate)(?:mi|ci) piu|basta (?:e ?mail|mail|messaggi)"
    # Dutch
    r"|uitschrijven|uitschrijving|afmelden|afmelding|(?:schrijf|meld|haal|verwijder) (?:mij|me|ons|mijn)"
    r"|(?:mij|me|ons|mijn e ?mail ?adres|mijn adres)(?: \w+){0,4} (?:verwijderen|te verwijderen|af te halen"
    r"|uit te schrijven|halen)"
    r"|(?:mail|schrijf|contacteer) (?:mij|me|ons) niet meer|geen (?:e ?mails?|mails?|berichten) meer"
    r")\b"
)
# The words that may stand around it: English, French, German, Spanish, Italian, Dutch. No negation among them.
_FILLER_WORDS = """
    please kindly pls plz can could would you i want like wish id to be from off of your this the that these
    those all any us me my it and or out email emails e mail mails mailing mailings list lists database
    newsletter newsletters communication communications message messages campaign campaigns sequence marketing
    distribution contact contacts address immediately now asap at once again today anymore more further future
    in ever such spam sending getting receiving mailinglist for
    merci de veuillez priere je nous souhaite souhaitons veux voudrais voudrions desire demande vous prie
    remercie bien vouloir ne svp stp s il plait te pouvez pourriez d la le les des du votre vos cette ces toute
    toutes tous liste listes base fichier fichiers diffusion lettre information mailinglists envoi envois
    courriel courriels adresse nom mon mes donnees coordonnees commercial commerciaux commerciales publicite
    publicites pub aux a au immediatement rapidement aussi et plus rien ce par prospection etre m
    bitte mich uns aus von ihrem ihrer eurem eurer dem der diesem dieser deiner deinem verteiler verteilerliste
    mailingliste datenbank adressliste kontaktliste ich wir mochte mochten will wollen sie ab heraus raus sofort
    umgehend meine emailadresse mailadresse daten vom und den zu werbung mehr weiteren weitere schicken senden
    mir
    por favor ruego solicito quiero deseo gustaria que pido su tu esta vuestra sus tus lista listas datos correo
    correos contactos envios suscripcion boletin mi gracias el inmediatamente
    per favore cortesia vi prego di chiedo desidero vorrei si prega dalla dal da vostra tua sua questa vostro
    elenco contatti essere subito grazie mio indirizzo vostri
    graag gelieve ik wil aub u b wilt kunt kan willen jullie uit voor van uw deze lijst mailinglijst nieuwsbrief
    verzendlijst bestand af eraf weg alstublieft alsjeblieft direct mij ons mijn emailadres adres
"""
_FILLERS = frozenset(_FILLER_WORDS.split())
_SENTENCES = re.compile(r"[.!;:\n…]+|\?+")
_NAME_LINE = re.compile(r"[^\W\d_][\w .,'’&|/+()@:-]*")


def asks_to_stop(new_text: str) -> bool:
    """Whether the whole answer asks for no more mail, in French, English, German, Spanish, Italian or Dutch.

    A greeting, thanks, “not interested”, a name and a telephone's footer may stand around it; anything else, such as
    a question of their own, makes it an answer for a person to read.
    """
    text = new_text.strip()
    if not text or len(text) > _CHARACTERS_MAX:
        return False
    lines = [line.strip() for line in text.splitlines() if line.strip() and not is_mobile_footer(line)]
    if len(lines) > _LINES_MAX:
        return False
    found = closed = False
    signature = 0
    for line in lines:
        kinds = {_kind(sentence) for sentence in _sentences(line)}
        if found and kinds == {"other"} and _may_be_name(line, closed=closed):
            signature += 1
            if signature > _SIGNATURE_LINES_MAX:
                return False
            continue
        if "other" in kinds:
            return False
        found = found or "stop" in kinds
        closed = closed or "closing" in kinds
    return found


def _sentences(line: str) -> list[str]:
    whole = _plain(line)
    if _kind(whole) != "other":
        return [whole]
    pieces = [_plain(piece) for piece in _SENTENCES.split(line)]
    if all(_kind(piece) != "other" for piece in pieces if piece):
        return [piece for piece in pieces if piece]
    # “Hello, please remove me, thanks” on one line.
    return [piece for part in _SENTENCES.split(line) for piece in map(_plain, part.split(",")) if piece]


def _kind(sentence: str) -> str:
    if not sentence or _CLOSING(sentence):
        return "closing"
    core = _CORE.search(sentence)
    if core and all(word in _FILLERS for word in (sentence[: core.start()] + " " + _rest(sentence, core)).split()):
        return "stop"
    if not core and _GREETING(sentence):
        return "greeting"
    return "reason" if _REASON(sentence) else "other"


def _rest(sentence: str, core: re.Match[str]) -> str:
    """What follows, without a second way of saying the same."""
    return _CORE.sub(" ", sentence[core.end() :])


def _may_be_name(line: str, *, closed: bool) -> bool:
    """Whether a line under the request can be the sender's name or, under a closing, the rest of their signature."""
    if len(line) > _SIGNATURE_LINE_MAX or line.endswith(("?", "!", ":")):
        return False
    if closed:
        return True
    return len(line.split()) <= 3 and _NAME_LINE.fullmatch(line) is not None and line[0].isupper()


def _plain(text: str) -> str:
    """Lower case, without accents, with single blanks instead of anything but letters and digits."""
    text = text.lower().replace("don't", "dont").replace("don’t", "dont").replace("i'm", "im").replace("i’m", "im")
    bare = "".join(char for char in unicodedata.normalize("NFD", text) if not unicodedata.combining(char))
    return " ".join(re.sub(r"[^\w]+|_+", " ", bare).split())
