"""New words told apart from quoted ones."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluenzr_app.mail.incoming import parse
from fluenzr_app.mail.quoted import split, split_html, split_text


@pytest.mark.parametrize(
    "announcement",
    [
        "On 24 Nov 2026, at 09:00, Ada Rey <ada@x.example> wrote:",
        "On Tue, Nov 24, 2026 at 9:00 AM Ada Rey <ada@x.example>\nwrote:",
        "Ada Rey <ada@x.example> wrote on 24/11/2026 09:00:",
        "Le mar. 24 nov. 2026 à 09:00, Ada Rey <ada@x.example> a\nécrit :",
        "Le 24/11/2026 à 09:00, Ada Rey a écrit\u00a0:",
        "Am 24.11.2026 um 09:00 schrieb Ada Rey:",
        "Am Di., 24. Nov. 2026 um 09:00 Uhr schrieb Ada Rey <\nada@x.example>:",
        "El mar, 24 nov 2026 a las 9:00, Ada (<ada@x.example>) escribió:",
        "Il giorno mar 24 nov 2026 alle ore 09:00 Ada <ada@x.example> ha scritto:",
        "Op di 24 nov 2026 om 09:00 schreef Ada <ada@x.example>:",
        "Em ter., 24 de nov. de 2026 às 09:00, Ada <ada@x.example> escreveu:",
        "Den tis 24 nov. 2026 kl 09:00 skrev Ada <ada@x.example>:",
        "Dne út 24. 11. 2026 v 9:00 odesílatel Ada <ada@x.example> napsal:",
        "2026年11月24日(火) 9:00 Ada <ada@x.example>:",
        "-----Original Message-----",
        "-------- Message d’origine --------",
        "-------- Ursprüngliche Nachricht --------",
        "---------- Forwarded message ---------",
        "Begin forwarded message:",
        "________________________________\nFrom: Ada\nSent: Tuesday\nTo: Zoé\nSubject: x",
        "*De :* Ada\n*Envoyé :* mardi 24 novembre 2026\n*À :* Zoé\n*Objet :* x",
        "Von: Ada\nGesendet: Dienstag\nAn: Zoé\nBetreff: x",
        "Date: Tuesday\nSubject: x\nFrom: Ada\nTo: Zoé",
        "24.11.2026 09:00 пользователь Ada <\nada@x.example> написал:",
        "От: Ada\nОтправлено: 24 ноября\nКому: Zoé",
        "差出人: Ada\n送信日時: 2026年11月24日\n宛先: Zoé\n件名: x",
    ],
)
@pytest.mark.parametrize("mark", ["> ", ""])
def test_what_follows_an_announcement_is_quoted(announcement: str, mark: str) -> None:
    found = split_text(f"Oui, merci.\nZoé\n\n{announcement}\n\n{mark}Bonjour\n{mark}\n{mark}Ada\n")
    assert found.new == "Oui, merci.\nZoé"
    assert "Bonjour" in found.quoted


@pytest.mark.parametrize(
    "text",
    [
        "On Monday she wrote:\nsomething nice",
        "From: here\nTo: there it works well",
        "My list:\n- one\n- two",
        "I wrote on the board:\nnobody read it",
        "----\nA drawn line\n----",
        "Le problème : rien",
        "Envoyé avec la facture, merci de vérifier.",
        "Sent from the office yesterday.",
        "Date: Tuesday\nSubject: lunch",
    ],
)
def test_a_persons_own_words_stay(text: str) -> None:
    assert split_text(text).new == text


def test_answers_below_the_quotation_are_new() -> None:
    found = split_text("On 24/11/2026 Ada <a@x.example> wrote:\n> Who buys?\n> Ada\n\nPaul does.\n\n-- \nZoé\nAcme")
    assert (found.new, found.signature) == ("Paul does.", "Zoé\nAcme")


def test_answers_between_the_lines_keep_what_they_answer() -> None:
    found = split_text(
        "On 24/11/2026 Ada <a@x.example> wrote:\n> a\n> b\n> c\n> d\n> e?\n\nYes.\n\n> f?\n\nNo.\n\n> g\n> Ada\n"
    )
    assert found.new == "> c\n> d\n> e?\n\nYes.\n\n> f?\n\nNo."
    assert "> a\n> b" in found.quoted


def test_an_answer_under_an_unmarked_quotation_is_not_lost() -> None:
    found = split_text("On 24/11/2026 Ada <a@x.example> wrote:\n\nWho buys?\n\nPaul does.")
    assert "Paul does." in found.new


def test_a_mail_passed_on_without_a_word_has_no_new_words() -> None:
    found = split_text("---------- Forwarded message ---------\nFrom: Ada\nDate: x\nSubject: y\n\nBonjour")
    assert (found.new, "Bonjour" in found.quoted) == ("", True)


@pytest.mark.parametrize(
    "footer",
    [
        "Sent from my iPhone", "Envoyé de mon iPhone", "Envoyé depuis mon Samsung", "Gesendet von meinem iPhone",
        "Von meinem iPad gesendet", "Enviado desde mi iPhone", "Inviato da iPhone", "Verzonden vanaf mijn iPhone",
        "Get Outlook for Android<https://aka.ms/x>", "Télécharger Outlook pour iOS", "Outlook für iOS beschaffen",
        "Envoyé à partir de Outlook", "Sent with Proton Mail secure email.", "iPhoneから送信",
        "Provenance : Courrier pour Windows",
    ],
)  # fmt: skip
def test_a_programs_footer_is_no_word_of_the_senders(footer: str) -> None:
    found = split_text(f"Oui.\n\n{footer}\n")
    assert (found.new, found.signature) == ("Oui.", footer)


@pytest.mark.parametrize(
    "page",
    [
        '<p>Oui.</p><div class="gmail_quote"><div class="gmail_attr">x:</div><blockquote>q</blockquote></div>',
        '<div>Oui.</div><blockquote type="cite"><div>x wrote</div><blockquote type="cite">q</blockquote></blockquote>',
        '<div>Oui.</div><hr><div id="divRplyFwdMsg">unknown: labels</div><div>q</div>',
        '<p>Oui.</p><div class="moz-cite-prefix">wer auch immer:</div><blockquote type="cite">q</blockquote>',
        '<p>Oui.</p><div class="protonmail_quote">hier:<br><blockquote type="cite">q</blockquote></div>',
        '<div>Oui.</div><div class="yahoo_quoted"><div>header</div><div>q</div></div>',
        "<div>Oui.</div><div><b>From:</b> a<br><b>Sent:</b> b<br><b>To:</b> c<br><b>Subject:</b> d</div><p>q</p>",
    ],
    ids=["Gmail", "Apple", "Outlook", "Thunderbird", "Proton", "Yahoo", "Outlook desktop"],
)
def test_what_a_page_marks_as_quoted_is_quoted(page: str) -> None:
    found = split(parse(b"Content-Type: text/html; charset=utf-8\n\n" + page.encode()))
    assert found.new == "Oui."
    assert "q" in found.quoted


def test_answers_between_the_lines_of_a_page_are_new() -> None:
    page = '<blockquote type="cite">Who?</blockquote><p>Paul.</p><blockquote type="cite">When?</blockquote><p>Now.</p>'
    assert split_html(page).new == "> Who?\n\nPaul.\n\n> When?\n\nNow."


def test_a_quotation_of_ones_own_in_a_page_stays() -> None:
    assert "a saying" in split_html("<p>As they say:</p><blockquote>a saying</blockquote>").new


@pytest.mark.parametrize(
    "hostile",
    [
        "On a\n" * 100_000,
        ("On " + "wrote " * 60 + "1:00\n") * 1_500,
        ">\n" * 100_000,
        "From: a\nTo: b\n\n" * 50_000,
        ("On " + "a wrote " * 30 + "\n") * 30 + ":",
        "\n" * 400_000,
        "-- \n" * 100_000,
        "_" * 400_000,
        "x" * 500_000,
        "> a\nb\n" * 60_000,
        "Sent from my a\n" * 30_000,
    ],
    ids=lambda text: text[:12],
)
def test_no_text_takes_a_second(hostile: str) -> None:
    began = time.thread_time()
    split_text(hostile)
    assert time.thread_time() - began < 1


@pytest.mark.parametrize(
    "hostile",
    [
        "<blockquote type=cite>a</blockquote>" * 30_000,
        ("<div class=gmail_quote>" * 200 + "</div>" * 200) * 150,
        ("<div class=gmail_attr>" * 200 + "x" * 3_000 + "</div>" * 200) * 100,
        "<div id=divRplyFwdMsg>x</div>" * 30_000,
        "<blockquote type=cite>" * 200 + "x<br>" * 100_000,
    ],
    ids=["many", "deep containers", "deep attributions", "Outlook", "one large"],
)
def test_no_page_takes_a_second(hostile: str) -> None:
    mail = parse(b"Content-Type: text/html\n\n" + hostile.encode())
    short = parse(b"Content-Type: text/html\n\n" + hostile[:250_000].encode())
    began = time.thread_time()
    split(mail)
    split(short)
    assert time.thread_time() - began < 2


_LINES = ["On 24/11/2026 Ada <a@x.example> wrote:", "> quoted", ">> more", "", "words", "-- ", "Sent from my iPhone",
          "From: a", "Sent: b", "Subject: c", "________________", "-----Original Message-----", "\ufeff",
          "a:"]  # fmt: skip


@settings(deadline=5000)
@given(st.lists(st.sampled_from(_LINES) | st.text(max_size=20), max_size=25).map("\n".join))
def test_no_word_gets_lost(text: str) -> None:
    found = split_text(text)
    kept = "".join((found.new + found.quoted + found.signature).split())
    for word in text.split():
        assert word.strip("-—_") in kept or word.strip("-—_>") == ""
