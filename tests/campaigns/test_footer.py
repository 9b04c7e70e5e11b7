"""The lines under a campaign's mail: who writes and from where, how to leave, and what the mail tells."""

import re

import pytest

from fluenzr_app.campaigns.footer import Footer, with_footer
from fluenzr_app.mail.bodies import clean_html
from fluenzr_app.mail.html_text import html_to_text

LEAVE = "https://go.rivage.example/u/AAAA-_"
CHOICES = "https://go.rivage.example/p/AAAA-_"
ADDRESS = "Atelier Rivage\n 1 quai du Port \n\n13000 Marseille"


def footer(language: str = "fr", **changes: str | None) -> Footer:
    values: dict[str, str | None] = {"postal_address": ADDRESS, "unsubscribe_url": LEAVE, "preferences_url": CHOICES}
    given = values | changes
    return Footer(language, given["postal_address"] or "", given["unsubscribe_url"], given["preferences_url"])


def both(html: str | None, text: str, of: Footer) -> tuple[str, str]:
    made, plain = with_footer(html, text, of)
    return made or "", plain


def test_the_plain_part_says_address_leaving_and_notice_in_this_order():
    _, text = both("<p>Bonjour</p>", "Bonjour\n\n\n", footer())
    assert text == (
        "Bonjour\n\n--\n"
        "Atelier Rivage · 1 quai du Port · 13000 Marseille\n"
        f"Ne plus recevoir ces messages\u00a0: {LEAVE}\n"
        f"Ce message contient une image qui nous indique s’il a été ouvert. S’y opposer\u00a0: {CHOICES}\n"
    )
    _, text = both("<p>Hello</p>", "Hello", footer("en"))
    assert text == (
        "Hello\n\n--\n"
        "Atelier Rivage · 1 quai du Port · 13000 Marseille\n"
        f"To stop these messages: {LEAVE}\n"
        f"This message holds an image that tells us whether it was opened. Object to it: {CHOICES}\n"
    )


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_html_part_says_the_same_in_the_same_order(language: str):
    html, text = both("<p>Bonjour</p>", "Bonjour", footer(language))
    read = html_to_text(html)
    places = [read.index(piece) for piece in ("Bonjour", "1 quai du Port", LEAVE, CHOICES)]
    assert places == sorted(places)
    # The words of both, up to where one has an address and the other a link.
    for line in text.replace("\u00a0", " ").splitlines()[4:]:
        assert re.split("[.:]", line)[0].strip() in read
    assert html.startswith("<p>Bonjour</p><div")
    # What is allowed in a mail's text stands all of the footer too, so that no program has to take something out.
    kept = clean_html(html)
    assert kept.count("<a ") == 2
    assert "1 quai du Port<" in kept


@pytest.mark.parametrize("language", ["fr", "fr-CA", "FR"])
def test_french_is_written_as_french(language: str):
    html, text = both("<p>x</p>", "x", footer(language))
    for part in (re.sub("<[^>]*>", "", html), text):
        assert "'" not in part
        assert re.findall(".:(?!//)", part) == ["\u00a0:", "\u00a0:"]


@pytest.mark.parametrize("language", ["en", "de", "ar", ""])
def test_every_other_language_gets_english(language: str):
    html, _ = both("<p>x</p>", "x", footer(language))
    assert 'lang="en"' in html
    assert "unsubscribe" in html


def test_without_a_pixel_nothing_is_said_of_one():
    html, text = both("<p>x</p>", "x", footer(preferences_url=None))
    for part in (html, text):
        assert "image" not in part
        assert "/p/" not in part
        assert LEAVE in part


def test_a_mail_of_plain_text_alone_holds_no_image_and_speaks_of_none():
    html, text = with_footer(None, "Bonjour", footer())
    assert html is None
    assert LEAVE in text
    assert "image" not in text


def test_where_the_text_has_the_link_the_footer_does_not_repeat_it():
    html, text = both("<p>x</p>", "x", footer(unsubscribe_url=None))
    for part in (html, text):
        assert LEAVE not in part
        assert CHOICES in part


def test_without_anything_to_say_there_is_no_footer():
    nothing = Footer("fr", "", None)
    assert with_footer("<p>x</p>", "x", nothing) == ("<p>x</p>", "x")


def test_an_address_cannot_become_markup_and_a_long_one_breaks():
    long = "Zone d’activité de la Croix-Blanche " + "x" * 300
    html, text = both("<p>x</p>", "x", footer(postal_address=f"<b>Rivage & Fils</b>\n{long}"))
    assert "<b>" not in html
    assert "&lt;b&gt;Rivage &amp; Fils" in html
    assert "overflow-wrap:anywhere" in html
    assert f"<b>Rivage & Fils</b> · {long}\n" in text


def test_an_arabic_address_runs_its_own_way_and_ours_stays():
    html, _ = both('<div dir="rtl">مرحبا</div>', "مرحبا", footer("ar", postal_address="ورشة ريفاج\nMarseille"))
    assert '<span dir="auto">ورشة ريفاج</span><br><span dir="auto">Marseille</span>' in html
    assert '<div dir="ltr" lang="en"' in html
