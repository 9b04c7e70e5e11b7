"""Rich text made safe, its plain alternative, and plain text as HTML."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluenzr_app.mail.bodies import html_to_text, sanitise, text_to_html


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
    assert sanitise(rich) == safe


def test_the_plain_alternative_keeps_paragraphs_lists_and_addresses() -> None:
    rich = (
        "<p>Bonjour <b>Zoé</b>,</p><p>Voir <a href='https://x.example/a?b=1&amp;c=2'>notre page</a> ou "
        "<a href='https://y.example'>https://y.example</a>.</p><ul><li>un</li><li>deux</li></ul><style>p{}</style>"
    )
    assert html_to_text(rich) == (
        "Bonjour Zoé,\n\nVoir notre page (https://x.example/a?b=1&c=2) ou https://y.example.\n\n  * un\n  * deux"
    )


@pytest.mark.parametrize("rich", ["", "  ", "<!-- x -->", "<p></p>"])
def test_nothing_gives_nothing(rich: str) -> None:
    assert html_to_text(rich) == ""


def test_deep_nesting_loses_layout_and_no_words() -> None:
    assert html_to_text("<div>" * 5000 + "Bonjour &amp; merci" + "</div>" * 5000) == "Bonjour & merci"


def test_plain_text_becomes_paragraphs_and_links() -> None:
    assert text_to_html("Bonjour <Zoé>,\r\n\r\nvoir https://x.example/a?b=1&c=2.\nÉcrire à anna@x.example !") == (
        "<p>Bonjour &lt;Zoé&gt;,</p>\n"
        '<p>voir <a href="https://x.example/a?b=1&amp;c=2">https://x.example/a?b=1&amp;c=2</a>.<br>\n'
        'Écrire à <a href="mailto:anna@x.example">anna@x.example</a> !</p>'
    )


@given(st.text(max_size=300))
def test_plain_text_can_say_anything_and_run_nothing(text: str) -> None:
    made = text_to_html(text)
    assert sanitise(made).replace("<br>", "") is not None
    assert "<script" not in made.lower()


@given(st.text(st.sampled_from("<>/abscript=\"' &;:!-"), max_size=200))
def test_sanitising_twice_changes_nothing_more(rich: str) -> None:
    once = sanitise(rich)
    assert sanitise(once) == once
