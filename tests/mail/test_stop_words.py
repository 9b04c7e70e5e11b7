"""Answers that ask for no more mail, and those that only sound alike."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluenzr_app.mail.stop_words import asks_to_stop


@pytest.mark.parametrize(
    "answer",
    [
        "Unsubscribe", "stop", "STOP!!", "unsubscribe please", "remove me", "Please remove me from your list.",
        "Opt out",
        "Take me off your mailing list", "Please stop emailing me", "Stop sending me emails", "Do not contact me again",
        "No more emails please", "How do I unsubscribe?", "unsubscribe me from all your lists immediately",
        "Hello,\n\nplease unsubscribe me.\n\nThanks,\nJohn Doe\nAcme Ltd",
        "Not interested, please remove me from your list",
        "désinscription", "Désabonnement", "merci de me retirer de votre liste",
        "Bonjour, merci de me désabonner. Cordialement",
        "Je ne souhaite plus recevoir vos mails", "Merci de ne plus me contacter", "Ne me contactez plus", "STOP SPAM",
        "Merci de supprimer mon adresse de votre base de données", "Arrêtez de m’envoyer des mails",
        "Désinscrivez-moi svp",
        "Je ne suis pas intéressé. Merci de me désinscrire", "Bitte abmelden", "Bitte melden Sie mich ab.",
        "Sehr geehrte Frau Rey,\nbitte streichen Sie mich aus Ihrer Liste.\nMit freundlichen Grüßen\nMax Weiß",
        "Bitte löschen Sie meine Daten", "Keine weiteren E-Mails bitte", "baja",
        "Por favor, denme de baja de su lista. Gracias.",
        "No me escriban más", "Cancellatemi dalla vostra lista", "Buongiorno, vi prego di cancellarmi. Grazie",
        "Graag uitschrijven", "Verwijder mij uit uw mailinglijst", "Gelieve mij uit uw lijst te verwijderen",
        "Stop !\n\nEnvoyé de mon iPhone",
    ],
)  # fmt: skip
def test_a_whole_answer_that_asks_to_stop(answer: str) -> None:
    assert asks_to_stop(answer)


@pytest.mark.parametrize(
    "answer",
    [
        "", "Please stop by our office", "don't stop", "Don’t unsubscribe me",
        "Can we unsubscribe from the other service?",
        "Yes, call me", "Ne me retirez pas de la liste", "Stop, I am interested, call me", "Where is your bus stop?",
        "I could not stop laughing. Tell me more", "Unsubscribe me, but first tell me the price", "Merci", "Bonjour",
        "Non merci", "Je ne suis pas intéressé", "Please do not remove me", "Bitte nicht abmelden", "one stop shop",
        "We have no more emails in our tool", "remove me from the meeting", "La baja de precios", "Nonstop",
        "Thanks, John",
        "Kein Interesse", "Stop.\n\nWhat does it cost?", "unsubscribe " * 100,
        "Unsubscribe\nJohn\n" + "and here is a long explanation of why I think so\n" * 3,
    ],
)  # fmt: skip
def test_an_answer_that_a_person_must_read(answer: str) -> None:
    assert not asks_to_stop(answer)


@pytest.mark.parametrize("answer", ["stop " * 140, "mich " * 140, "no " * 230, "me retirer de la liste " * 30])
def test_no_answer_takes_long(answer: str) -> None:
    began = time.thread_time()
    asks_to_stop(answer)
    assert time.thread_time() - began < 0.5


@given(st.text(max_size=200))
def test_any_text_is_judged(text: str) -> None:
    assert asks_to_stop(text) in (True, False)
