"""The language of subjects and bodies: variables, formats, fallbacks, if-blocks, and what is refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fluenzr_app.campaigns.errors import TemplateFault
from fluenzr_app.campaigns.template import HEADER_MAX, NESTING_MAX, PLACEHOLDERS_MAX, TEMPLATE_MAX, VariableUse
from fluenzr_app.campaigns.variables import compile_template

ADA = {"firstName": "Ada", "lastName": "de l'Étoile", "company": "Dupont & Fils", "jobTitle": "", "city": " \u00a0 "}


def rendered(text: str, values: dict[str, str] | None = None) -> str:
    return compile_template(text).render(ADA if values is None else values, escape="text")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("No variable, one { brace } or two", "No variable, one { brace } or two"),
        ("Hello {{firstName}}!", "Hello Ada!"),
        ("{{ firstName }}{{firstName}}", "AdaAda"),
        ("Hello {{firstName|there}}", "Hello Ada"),
        ("A {{jobTitle|person like you}}", "A person like you"),
        ("In {{city|your town}}", "In your town"),
        ("In {{city}}.", "In ."),
        ("{{unknown}}{{unknown|stands in}}", "stands in"),
        ("{{jobTitle| spaced   words }}", "spaced words"),
        ("{{jobTitle|a|b: c}}", "a|b: c"),
        ("{{jobTitle|}}", ""),
        ("{{firstName:uppercase}}", "ADA"),
        ("{{company:lowercase|you}}", "dupont & fils"),
        ("{{ firstName : Uppercase | there }}", "ADA"),
        ("{{jobTitle:uppercase|there}}", "there"),
        ("{{firstName:short}}", "Ada"),
        ("{{#if firstName}}yes{{/if}}", "yes"),
        ("{{#if jobTitle}}yes{{/if}}", ""),
        ("{{#if jobTitle}}yes{{else}}no{{/if}}", "no"),
        ("{{#if city}}yes{{else}}no{{/if}}", "no"),
        ("{{#if firstName}}{{#if company}}{{company}}{{else}}-{{/if}}{{else}}nobody{{/if}}", "Dupont & Fils"),
        ("{{ # if firstName }}a{{ else }}b{{ /if }}", "a"),
        ("{{#if firstName}}Dear {{firstName}}{{else}}Dear all{{/if}}, bye", "Dear Ada, bye"),
        ("a\r\nb", "a\nb"),
    ],
)
def test_a_text_is_filled_in(text: str, expected: str) -> None:
    assert rendered(text) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("jean-pierre DUPONT", "Jean-Pierre Dupont"),
        ("o'brien", "O'Brien"),
        ("L’ORÉAL", "L’Oréal"),
        ("the director's cut", "The Director's Cut"),
        ("3m france", "3M France"),
        ("éric", "Éric"),
        ("x", "X"),
    ],
)
def test_capitalize_makes_each_word_begin_with_a_capital(value: str, expected: str) -> None:
    assert rendered("{{name:capitalize}}", {"name": value}) == expected


def test_the_short_form_of_a_date_is_a_value_of_its_own() -> None:
    values = {"current_date": "23 novembre 2026", "current_date:short": "23/11/2026"}
    assert rendered("{{current_date}}, {{current_date:short}}", values) == "23 novembre 2026, 23/11/2026"


def test_values_are_trimmed_and_freed_of_control_characters() -> None:
    assert rendered("[{{a}}]", {"a": "  A\x00d\x1ba\u2028x\ud800 \t"}) == "[Ada\nx]"
    assert rendered("[{{a|none}}]", {"a": "\x00\x07"}) == "[none]"


@pytest.mark.parametrize(
    ("text", "code", "position"),
    [
        ("Hi {{firstName", "unclosed_variable", 3),
        ("Hi {{firstName} and {{lastName}}", "unclosed_variable", 3),
        ("Hi {{{firstName}}}", "unclosed_variable", 3),
        ("Hi {firstName}}", "stray_braces", 13),
        ("a}} {{firstName}}", "stray_braces", 1),
        ("Hi {{}}", "empty_variable", 3),
        ("Hi {{ |there}}", "empty_variable", 3),
        ("Hi {{first<Name}}", "bad_variable", 3),
        ("Hi {{" + "x" * 65 + "}}", "bad_variable", 3),
        ("{{firstName:shout}}", "unknown_format", 0),
        ("{{firstName:}}", "unknown_format", 0),
        ("x{{#if firstName}}y", "unclosed_block", 1),
        ("{{#if a}}{{#if b}}y{{/if}}", "unclosed_block", 0),
        ("{{#if a}}x{{else}}y{{else}}z{{/if}}", "unclosed_block", 0),
        ("{{#if}}x{{/if}}", "unknown_block", 0),
        ("y{{/if}}", "stray_block", 1),
        ("y{{else}}", "stray_block", 1),
        ("{{#each list}}x{{/each}}", "unknown_block", 0),
        ("{{#unless a}}x{{/unless}}", "unknown_block", 0),
        ("{{#if a}}" * (NESTING_MAX + 1) + "{{/if}}" * (NESTING_MAX + 1), "too_deep", 9 * NESTING_MAX),
        ("{{a}}" * (PLACEHOLDERS_MAX + 1), "too_many_variables", 5 * PLACEHOLDERS_MAX),
        ("x" * (TEMPLATE_MAX + 1), "template_too_long", TEMPLATE_MAX),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_position(text: str, code: str, position: int) -> None:
    with pytest.raises(TemplateFault) as refused:
        compile_template(text)
    assert (refused.value.code, refused.value.position) == (code, position)
    assert str(refused.value).endswith(".")


def test_the_deepest_and_the_fullest_text_allowed_are_read() -> None:
    assert rendered("{{#if firstName}}" * NESTING_MAX + "x" + "{{/if}}" * NESTING_MAX) == "x"
    assert rendered("{{firstName}}" * PLACEHOLDERS_MAX) == "Ada" * PLACEHOLDERS_MAX


def test_a_value_is_cut_and_the_whole_text_is_bounded() -> None:
    assert len(rendered("{{a}}", {"a": "x" * 50_000})) == 10_000
    with pytest.raises(TemplateFault) as refused:
        rendered("{{a}}" * 200, {"a": "x" * 50_000})
    assert refused.value.code == "output_too_large"


def test_variables_are_told_with_whether_something_guards_them() -> None:
    template = compile_template(
        "{{a}} {{b|x}} {{#if c}}{{c}}{{else}}{{d}}{{/if}} {{#if e}}{{/if}}{{e}} {{b}} "
        "{{#if f}}{{#if a}}{{f}}{{/if}}{{/if}}"
    )
    assert template.variables == (
        VariableUse("a", False),
        VariableUse("b", False),
        VariableUse("c", True),
        VariableUse("d", False),
        VariableUse("e", False),
        VariableUse("f", True),
    )


def test_a_variable_in_the_else_branch_is_not_guarded_by_its_own_block() -> None:
    assert compile_template("{{#if a}}x{{else}}{{a}}{{/if}}").variables == (VariableUse("a", False),)


def test_missing_lists_the_gaps_that_a_contact_would_see() -> None:
    template = compile_template(
        "{{firstName}} {{jobTitle}} {{city|town}} {{#if company}}{{phone}}{{else}}{{web}}{{/if}}"
    )
    assert template.missing(ADA) == ("jobTitle", "phone")
    assert template.missing({"firstName": "A", "jobTitle": "B"}) == ("web",)
    assert compile_template("{{#if phone}}{{phone}}{{/if}}").missing({}) == ()


def test_values_are_escaped_in_html_and_only_there() -> None:
    template = compile_template("<b>{{company}}</b>")
    values = {"company": "<script>alert('\"')</script>\nx"}
    assert template.render(values, escape="html") == (
        "<b>&lt;script&gt;alert(&#x27;&quot;&#x27;)&lt;/script&gt;<br>\nx</b>"
    )
    assert template.render(values, escape="text") == "<b><script>alert('\"')</script>\nx</b>"


@pytest.mark.parametrize(
    ("subject", "values", "expected"),
    [
        ("Hi {{a}}", {"a": "Ada\r\nBcc: eve@evil.example"}, "Hi Ada Bcc: eve@evil.example"),
        ("Hi {{a}}", {"a": "Ada\u2028\x85\x00\x1b[0m"}, "Hi Ada [0m"),
        ("Hi\r\n {{a}} ", {"a": ""}, "Hi"),
        ("a\tb\nc", {}, "a b c"),
        ("{{a|x\ny}}", {}, "x y"),
    ],
)
def test_nothing_breaks_out_of_a_header(subject: str, values: dict[str, str], expected: str) -> None:
    assert compile_template(subject).render(values, escape="header") == expected


def test_a_header_is_bounded() -> None:
    assert len(compile_template("{{a}}").render({"a": "x" * 9000}, escape="header")) == HEADER_MAX


PIECES = ["{{", "}}", "{", "}", "|", ":", "#if", "/if", "else", "a", "b c", "uppercase", " ", "<b>", "\n", "é", "\x00"]
ANY_VALUES = st.dictionaries(st.sampled_from(["a", "b c", "c"]), st.text(max_size=30), max_size=3)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join) | st.text(max_size=60), ANY_VALUES)
def test_any_text_is_either_refused_or_rendered(text: str, values: dict[str, str]) -> None:
    try:
        template = compile_template(text)
    except TemplateFault as fault:
        assert 0 <= fault.position <= len(text)  # noqa: PT017
        return
    for escape in ("html", "text", "header"):
        template.render(values, escape=escape)  # type: ignore[arg-type]
    header = template.render(values, escape="header")
    assert header.isprintable() or all(letter.isprintable() or ord(letter) > 0x9F for letter in header)
    assert {*template.missing(values)} <= {use.name for use in template.variables}


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(max_size=80))
def test_no_value_leaks_markup_or_control_characters(value: str) -> None:
    template = compile_template("{{a|none}}{{a:uppercase|none}}{{a:capitalize|none}}")
    markup = template.render({"a": value}, escape="html").replace("<br>\n", "")
    assert not {*markup} & {"<", ">", '"', "'"}
    text = template.render({"a": value}, escape="text")
    assert all(letter in "\n\t" or not (ord(letter) < 0x20 or 0x7F <= ord(letter) < 0xA0) for letter in text)
    text.encode("utf-8")
