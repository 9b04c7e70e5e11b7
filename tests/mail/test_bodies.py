"""Rich text made safe, its plain alternative, and plain text as HTML."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluenzr_app.mail.bodies import clean_html, text_to_html
from fluenzr_app.mail.html_text import html_to_text, text_of_page


@pytest.mark.parametrize(
    ("rich", "safe"),
    [
        ("<p onclick='x()'>a</p>", "<p>a</p>"),
        ("a<script>alert(1)</script>b", "ab"),
        ("<a href='javascript:alert(1)'>a</a>", "<a>a</a>"),
        ("<a href='mailto:a@b.example'>a</a>", '<a href="mailto:a@b.example">a</a>'),
        ("<iframe src='https://x.example'></iframe>a", "a"),
        ("<p style='position:fixed;color:red'>a</p>", '<p style="color:red">a</p>'),
        ("<form action='https://x.example'><input name=a>b</form>", "b"),
        ("<img src='data:image/svg+xml,x'>", "<img>"),
        ("<!-- a -->b", "b"),
        ("<a href='{{calendly_link}}'>a</a> {{firstName|you}}", '<a href="{{calendly_link}}">a</a> {{firstName|you}}'),
    ],
)
def test_rich_text_keeps_form_and_loses_danger(rich: str, safe: str) -> None:
    assert clean_html(rich) == safe


def test_the_plain_alternative_keeps_paragraphs_lists_and_addresses() -> None:
    rich = (
        "<p>Bonjour <b>Zoé</b>,</p><p>Voir <a href='https://x.example/a?b=1&amp;c=2'>notre page</a> ou "
        "<a href='https://y.example'>https://y.example</a>.</p><ul><li>un</li><li>deux</li></ul><style>p{}</style>"
    )
    expected = "Bonjour Zoé,\n\nVoir notre page (https://x.example/a?b=1&c=2) ou https://y.example.\n\n- un\n- deux"
    assert html_to_text(clean_html(rich)) == expected
    assert text_of_page(f"<html><head><title>x</title></head><body>{rich}<script>y()</script></body>") == expected


@pytest.mark.parametrize("page", ["", "  ", "<!-- x -->", "<p></p>", "<style>p{}</style>", "\0"])
def test_nothing_gives_nothing(page: str) -> None:
    assert text_of_page(page) == ""


def test_deep_nesting_loses_layout_and_no_words() -> None:
    assert text_of_page("<div>" * 5000 + "Bonjour &amp; merci" + "</div>" * 5000) == "Bonjour & merci"


@pytest.mark.parametrize(
    "hostile",
    [
        "<div>" * 800_000,
        "".join(f"<b a={n}>" for n in range(100_000)) + "<p>x" * 100_000,
        "<span>" * 200_000 + "<div>" * 200_000,
        '<a "' * 500_000,
        "<!--" * 500_000,
        "<a" * 500_000,
        "&" * 1_000_000,
        "<table><tr><td>" * 100_000,
    ],
    ids=lambda page: page[:20],
)
def test_no_page_takes_long_to_turn_into_text(hostile: str) -> None:
    began = time.thread_time()
    text_of_page(hostile)
    assert time.thread_time() - began < 1


def test_plain_text_becomes_paragraphs_and_links() -> None:
    assert text_to_html("Bonjour <Zoé>,\r\n\r\nvoir https://x.example/a?b=1&c=2.\nÉcrire à anna@x.example !") == (
        "<p>Bonjour &lt;Zoé&gt;,</p>\n"
        '<p>voir <a href="https://x.example/a?b=1&amp;c=2">https://x.example/a?b=1&amp;c=2</a>.<br>\n'
        'Écrire à <a href="mailto:anna@x.example">anna@x.example</a> !</p>'
    )


@pytest.mark.parametrize("hostile", ["x" * 500_000, "http://" + "." * 500_000, "a@" * 250_000, "\n \n" * 150_000])
def test_no_text_takes_long_to_turn_into_html(hostile: str) -> None:
    began = time.thread_time()
    text_to_html(hostile)
    assert time.thread_time() - began < 1


@given(st.text(max_size=300))
def test_plain_text_can_say_anything_and_run_nothing(text: str) -> None:
    assert "<script" not in text_to_html(text).lower()


@given(st.text(st.sampled_from("<>/abscript=\"' &;:!-"), max_size=200))
def test_cleaning_twice_changes_nothing_more(rich: str) -> None:
    once = clean_html(rich)
    assert clean_html(once) == once
