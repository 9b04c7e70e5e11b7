"""Bodies: rich and plain, both alternatives from one text, links, and what a value must not do in them."""

import re
import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluenzr_app.campaigns.errors import TemplateFault
from fluenzr_app.campaigns.template import TEMPLATE_MAX
from fluenzr_app.campaigns.variables import (
    Rendered,
    clean_html,
    compile_body,
    compile_subject,
    compile_template,
    is_html,
    render_mail,
)

VALUES = {
    "firstName": "Zoé",
    "company": 'Dupont & "Fils" <x>',
    "email": "zoe+1@acme.example",
    "website": "acme.example",
    "unsubscribe_link": "https://go.acme.example/u/a?b=1&c=2",
    "signature": "Ada\nSales",
}


def mail(body: str, values: dict[str, str] | None = None, *, plain_only: bool = False) -> Rendered:
    chosen = VALUES if values is None else values
    return render_mail(compile_template("Hi"), compile_body(body), chosen, plain_only=plain_only)


class Reader(HTMLParser):
    """What a mail program would see: the tags, the addresses of links, the words."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.names: set[str] = set()
        self.words = ""
        self.feed(markup)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize(
    ("body", "rich"),
    [
        ("<p>Hello</p>", True),
        ("Hello<br>you", True),
        ("<b>bold</b>", True),
        ('<a href="https://acme.example">x</a>', True),
        ("Hello\n\nyou", False),
        ("1 < 2 > 0, <3 and <ada@acme.example>", False),
        ("<firstName>", False),
        ("", False),
    ],
)
def test_rich_text_is_told_from_plain_text(body: str, rich: bool) -> None:
    assert is_html(body) is rich


def test_a_rich_body_gives_html_and_a_plain_alternative() -> None:
    body = (
        "<p>Hello {{firstName|there}},</p><p>we <b>help</b> {{company}} with:</p>"
        "<ul><li>one</li><li>two &amp; <i>three</i></li></ul>"
        '<ol><li>first</li><li>second</li></ol><p>See <a href="https://acme.example/x">our page</a>.<br>Bye</p>'
        "<p>{{signature}}</p>"
    )
    both = mail(body)
    assert both.html == (
        "<p>Hello Zoé,</p><p>we <b>help</b> Dupont &amp; &quot;Fils&quot; &lt;x&gt; with:</p>"
        "<ul><li>one</li><li>two &amp; <i>three</i></li></ul>"
        '<ol><li>first</li><li>second</li></ol><p>See <a href="https://acme.example/x">our page</a>.<br>Bye</p>'
        "<p>Ada<br>\nSales</p>"
    )
    assert both.text == (
        'Hello Zoé,\n\nwe help Dupont & "Fils" <x> with:\n\n- one\n- two & three\n\n1. first\n2. second\n\n'
        "See our page (https://acme.example/x).\nBye\n\nAda\nSales"
    )


def test_a_plain_body_gives_the_same_words_as_html() -> None:
    both = mail("Hello {{firstName}} <3,\nsee https://acme.example/a?b=1&c=2.\n\n{{company}}")
    assert both.text == ('Hello Zoé <3,\nsee https://acme.example/a?b=1&c=2.\n\nDupont & "Fils" <x>')
    assert both.html == (
        "Hello Zoé &lt;3,<br>\n"
        'see <a href="https://acme.example/a?b=1&amp;c=2">https://acme.example/a?b=1&amp;c=2</a>.<br>\n<br>\n'
        "Dupont &amp; &quot;Fils&quot; &lt;x&gt;"
    )


def test_plain_only_leaves_the_html_out() -> None:
    assert mail("<p>Hello</p>", plain_only=True) == Rendered("Hi", None, "Hello")


def test_fallbacks_keep_their_signs_in_both_alternatives() -> None:
    for body in ("<p>{{city|Tom &amp; co &lt;3}}</p>", "{{city|Tom & co <3}}"):
        both = mail(body)
        assert both.text == "Tom & co <3"
        assert Reader(both.html or "").words == "Tom & co <3"


def test_blocks_may_span_paragraphs() -> None:
    body = "<p>A</p>{{#if company}}<p>B {{company}}</p>{{else}}<p>C</p>{{/if}}<p>D</p>"
    assert mail(body, {"company": "Acme"}).text == "A\n\nB Acme\n\nD"
    both = mail(body, {})
    assert (both.html, both.text) == ("<p>A</p><p>C</p><p>D</p>", "A\n\nC\n\nD")


def test_a_block_that_shows_nothing_leaves_no_hole_in_the_text() -> None:
    assert mail("A\n\n{{#if city}}\n{{city}}\n{{/if}}\n\nB").text == "A\n\nB"
    assert mail("<p>A</p><p>{{city}}</p><p></p><p>B</p>").text == "A\n\nB"


def test_the_plain_alternative_shows_structure() -> None:
    body = (
        "<h1>Title</h1><div>one</div><div>two</div><ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>"
        "<hr><blockquote>said</blockquote><table><tr><td>x</td><td>y</td></tr><tr><td>z</td></tr></table>"
        '<p><img src="https://acme.example/i.png" alt="Logo">  a \n b&nbsp;c </p><ol start="3"><li>d</li></ol>'
    )
    assert mail(body).text == (
        "Title\n\none\ntwo\n\n- a\n  - b\n- c\n\n--------\n\nsaid\n\nx y\nz\n\nLogo a b c\n\n3. d"
    )


def test_markup_of_nothing_but_lists_stays_small_and_quick() -> None:
    begins = time.perf_counter()
    text = mail("<ul><li>x" * 4_000).text
    assert len(text) < 100_000
    assert time.perf_counter() - begins < 5


@pytest.mark.parametrize(
    ("link", "text"),
    [
        ('<a href="https://acme.example/">acme.example</a>', "acme.example"),
        ('<a href="https://acme.example/">https://acme.example</a>', "https://acme.example"),
        ('<a href="mailto:a@acme.example">a@acme.example</a>', "a@acme.example"),
        ('<a href="#top">up</a>', "up"),
        ("<a>nothing</a>", "nothing"),
        ('<a href="https://acme.example/"><b>bold</b> words</a>', "bold words (https://acme.example/)"),
        ('<a href="{{website}}">{{website}}</a>', "acme.example"),
        ('<a href="{{website}}">our site</a>', "our site (https://acme.example)"),
        ('<a href="{{calendly_link}}">book</a>', "book"),
    ],
)
def test_links_in_the_plain_alternative_show_their_address(link: str, text: str) -> None:
    assert mail(f"<p>{link}</p>").text == text


def link_of(href: str, values: dict[str, str]) -> str:
    both = mail(f'<p><a href="{href}">x</a></p>', values)
    (link,) = Reader(both.html or "").links
    assert both.text in (f"x ({link})", "x") or link == "#", both.text
    return link


@pytest.mark.parametrize(
    ("href", "values", "expected"),
    [
        ("{{w}}", {"w": "acme.example/a b"}, "https://acme.example/a%20b"),
        ("{{w}}", {"w": "http://acme.example/?a=1&b=2#c"}, "http://acme.example/?a=1&b=2#c"),
        ("{{w}}", {"w": "HTTPS://acme.example"}, "HTTPS://acme.example"),
        ("{{w}}", {"w": "//acme.example"}, "https://acme.example"),
        ("{{w}}", {"w": "acme.example:8080/x"}, "https://acme.example:8080/x"),
        ("{{w}}", {"w": "société.example"}, "https://société.example"),
        ("{{w|https://b.example}}", {}, "https://b.example"),
        ("{{w}}", {}, "#"),
        ("https://{{w}}/contact", {"w": "https://acme.example/"}, "https://acme.example/contact"),
        ("https://{{w}}/contact", {"w": "acme.example"}, "https://acme.example/contact"),
        ("https://a.example/?q={{w}}&amp;x=1", {"w": "a&b=c d/é"}, "https://a.example/?q=a%26b%3Dc%20d%2F%C3%A9&x=1"),
        ("mailto:{{w}}", {"w": "zoe+1@acme.example"}, "mailto:zoe+1@acme.example"),
        ("mailto:{{w}}?subject={{s}}", {"w": "a@b.example", "s": "a&bcc=c"}, "mailto:a@b.example?subject=a%26bcc%3Dc"),
        ("tel:{{w}}", {"w": "+33 1 23"}, "tel:+33%201%2023"),
        ("{{#if w}}{{w}}{{else}}https://b.example{{/if}}", {"w": "acme.example"}, "https://acme.example"),
        ("{{#if w}}{{w}}{{else}}https://b.example{{/if}}", {}, "https://b.example"),
        ("{{#if v}}https://{{/if}}{{w}}", {"v": "1", "w": "acme.example/x"}, "https://acme.example%2Fx"),
        ("{{#if w}}{{w}}{{else}}{{v}}{{/if}}", {"v": "acme.example"}, "https://acme.example"),
    ],
)
def test_a_variable_in_an_address_is_encoded_for_its_place(href: str, values: dict[str, str], expected: str) -> None:
    assert link_of(href, values) == expected


SCRIPTS = [
    "javascript:alert(1)",
    " JavaScript:alert(1)",
    "java\nscript:alert(1)",
    "java\tscript:1;alert(1)",
    "\x01javascript:alert(1)",
    "javascript:1",
    "data:text/html,<script>1</script>",
    "vbscript:x",
    'x" onclick="alert(1)',
    "'><script>1</script>",
    "javascript&colon;alert(1)",
    "file:///etc/passwd",
]
PLACES = [
    "{{w}}",
    "{{#if w}}{{w}}{{/if}}",
    "{{x|java}}{{w}}",
    "java{{#if w}}script:{{w}}{{/if}}",
    "{{#if w}}java{{/if}}script:{{w}}",
    "{{#if x}}{{else}}javascript{{/if}}:{{w}}",
    "{{x|javascript:alert(1)}}",
    "https://{{w}}",
    "//{{w}}",
    "/{{w}}",
    "?a={{w}}",
]


@pytest.mark.parametrize("href", PLACES)
@pytest.mark.parametrize("value", SCRIPTS)
def test_no_value_makes_a_link_run_a_script(href: str, value: str) -> None:
    seen = Reader(mail(f'<p><a href="{href}">x</a></p>', {"w": value}).html or "")
    assert seen.tags == ["p", "a"]
    assert seen.names <= {"href"}
    for link in seen.links:
        scheme = re.match(r"[^/?#]*?:", re.sub(r"[\x00-\x20]", "", link))
        assert scheme is None or scheme[0].lower() in ("https:", "http:", "mailto:", "tel:"), link


def test_a_variable_in_another_attribute_stays_inside_it() -> None:
    seen = Reader(
        mail('<p><img alt="{{w}}" title="{{w}}" src="https://a.example/i"></p>', {"w": '"><b onx="1">\ny'}).html or ""
    )
    assert seen.tags == ["p", "img"]
    assert seen.names == {"alt", "title", "src"}


def test_link_variables_become_links_where_they_stand_as_text() -> None:
    both = mail('<p>{{unsubscribe_link}} <a href="{{unsubscribe_link}}">{{unsubscribe_link}}</a></p>')
    address = "https://go.acme.example/u/a?b=1&amp;c=2"
    assert both.html == f'<p><a href="{address}">{address}</a> <a href="{address}">{address}</a></p>'
    assert both.text == "https://go.acme.example/u/a?b=1&c=2 https://go.acme.example/u/a?b=1&c=2"
    assert mail("stop: {{unsubscribe_link}}").html == f'stop: <a href="{address}">{address}</a>'
    assert mail("<p>{{calendly_link}}</p>").html == "<p></p>"


def test_addresses_with_variables_in_plain_bodies_are_encoded_in_both_alternatives() -> None:
    both = mail("See https://acme.example/?n={{firstName}}&c={{company}}, {{website|https://b.example}}")
    encoded = "https://acme.example/?n=Zo%C3%A9&c=Dupont%20%26%20%22Fils%22%20%3Cx%3E"
    assert both.text == f"See {encoded}, acme.example"
    assert Reader(both.html or "").links == [encoded]


@pytest.mark.parametrize(
    ("markup", "kept"),
    [
        ("<p>a<script>alert(1)</script></p>", "<p>a</p>"),
        ('<p onclick="x()" style="color:red;position:fixed">a</p>', '<p style="color:red">a</p>'),
        ('<a href="javascript:alert(1)">a</a>', "<a>a</a>"),
        ('<iframe src="https://x.example"></iframe><form><input></form><p>a</p>', "<p>a</p>"),
        ("<style>p{color:red}</style><p>a</p><!-- note -->", "<p>a</p>"),
        ('<img src="data:image/png;base64,AAAA" alt="x">', '<img alt="x">'),
        ("<p>a", "<p>a</p>"),
    ],
)
def test_html_is_cleaned_of_what_does_not_belong_in_a_mail(markup: str, kept: str) -> None:
    assert clean_html(markup) == kept
    assert clean_html(kept) == kept


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("<p>{{first<b>Name</b>}}</p>", "markup_in_variable"),
        ("<p>{{firstName</p><p>x</p>", "unclosed_variable"),
        ('<p><a href="{{#if a}}https://x.example">x</a>{{/if}}</p>', "unclosed_block"),
        ("plain {{#if a}}x", "unclosed_block"),
        ("<p>{{firstName:loud}}</p>", "unknown_format"),
        ("x" * (TEMPLATE_MAX + 1), "template_too_long"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(body: str, code: str) -> None:
    with pytest.raises(TemplateFault) as refused:
        compile_body(body)
    assert refused.value.code == code


def test_private_characters_cannot_forge_an_address() -> None:
    forged = "\ue001javascript:alert(1)\ue002\ue000{{firstName}}\ue002"
    assert mail(forged).text == "javascript:alert(1)Zoé"
    assert mail(f"<p>{forged}</p>").text == "javascript:alert(1)Zoé"
    assert compile_template("\ue000{{a}}\ue002").render({"a": "b c"}, escape="header") == "b c"


def test_variables_and_gaps_are_told_for_the_whole_body() -> None:
    body = compile_body('<p>{{firstName|you}} {{company}} <a href="https://x.example/{{email}}">x</a></p>')
    assert {use.name: use.guarded for use in body.variables} == {"firstName": True, "company": False, "email": False}
    assert body.missing({"company": "Acme"}) == ("email",)


@pytest.mark.parametrize("body", ["", " \n", "<p></p>", "<p>&nbsp;<br></p>"])
def test_a_body_without_words_is_blank(body: str) -> None:
    assert compile_body(body).is_blank


@pytest.mark.parametrize("body", ["x", "{{firstName}}", "<p>x</p>", '<p><img src="https://a.example/i.png"></p>'])
def test_a_body_with_words_or_pictures_is_not_blank(body: str) -> None:
    assert not compile_body(body).is_blank


def test_the_subject_is_one_line_and_may_be_empty() -> None:
    body = compile_body("x")
    assert render_mail(compile_subject("Hi {{a}}"), body, {"a": "b\nc"}, plain_only=True).subject == "Hi b c"
    assert render_mail(compile_subject(""), body, {}, plain_only=True).subject == ""


ALLOWED = {"p", "b", "a", "ul", "li", "br", "img"}
FRAGMENTS = [
    *("<p>", "</p>", "<b>", "</b>", '<a href="', '">', "</a>", "<ul>", "<li>", "<img src='", "'>"),
    *("{{a}}", "{{#if a}}", "{{else}}", "{{/if}}", "{{a|&lt;b&gt;}}"),
    *("https://x.example/", "javascript:", "words ", "&amp;", "\n", '"', "<", ">"),
]


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(FRAGMENTS), max_size=20).map("".join), st.text(max_size=40) | st.sampled_from(SCRIPTS))
def test_no_body_and_no_value_make_markup_of_their_own(body: str, value: str) -> None:
    try:
        compiled = compile_body(body)
    except TemplateFault:
        return
    both = render_mail(compile_subject("{{a}}"), compiled, {"a": value}, plain_only=False)
    with_value = Reader(both.html or "")
    assert {*with_value.tags} <= ALLOWED
    assert with_value.names <= {"href", "src"}
    assert not any(link.lower().replace(" ", "").startswith(("javascript:", "data:")) for link in with_value.links)
    assert "\ue000" not in both.text.replace(value, "")
    assert "\n" not in both.subject


def test_rendering_a_mail_stays_far_below_composing_it() -> None:
    body = compile_body(
        "<p>Bonjour {{firstName:capitalize|vous}},</p><p>Chez <b>{{company}}</b>, {{#if jobTitle}}en tant que "
        "{{jobTitle}}{{else}}aujourd’hui{{/if}}…</p><p>" + "Lorem ipsum dolor sit amet. " * 30 + "</p>"
        '<p><a href="{{unsubscribe_link}}">Stop</a></p><p>{{signature}}</p>'
    )
    subject = compile_subject("Une idée pour {{company|vous}}")
    best = min(_seconds(lambda: render_mail(subject, body, VALUES, plain_only=False), 200) for _ in range(10))
    # 15 to 30 µs on one shared core; the bound leaves room for a slow machine, not for a parser on the hot path.
    assert best < 200e-6


def _seconds(work, times: int) -> float:
    begins = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - begins) / times
