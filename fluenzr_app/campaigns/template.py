"""The language of subjects and bodies: variables with a format and a fallback, and if-blocks; nothing more.

A text is compiled once into segments and rendered per contact, because rendering is on the way of every mail. How HTML
is told apart here relies on `clean_html` having written it: tags and attributes in one shape, `<` and `>` escaped
everywhere else.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby
from typing import Literal

from fluenzr_app.campaigns.errors import TemplateFault
from fluenzr_app.campaigns.segments import (
    FORMATS,
    AttributeVariable,
    Encode,
    FixedHref,
    Href,
    If,
    LinkMaker,
    LinkVariable,
    Literally,
    Segment,
    Url,
    UrlPlace,
    UrlVariable,
    Values,
    Variable,
    as_html,
    as_text,
    clean,
)

Escape = Literal["html", "text", "header"]

TEMPLATE_MAX = 100_000
PLACEHOLDERS_MAX = 500
NESTING_MAX = 8
OUTPUT_MAX = 1_000_000
# RFC 5322, 2.1.1: 998 characters a line; what folds a header must not need to break a word longer than that.
HEADER_MAX = 900
# Where these stand as text in an HTML mail, they become links.
LINK_VARIABLES = frozenset({"unsubscribe_link", "calendly_link"})

# Frame an address with variables in a plain text that was made from HTML. Private characters, never in a user's text:
# `compile_template` and `clean_html` take them out.
URL_OPENS, URL_IN_BRACKETS_OPENS, URL_CLOSES = "\ue000", "\ue001", "\ue002"
MARKS = re.compile(f"[{URL_OPENS}{URL_IN_BRACKETS_OPENS}{URL_CLOSES}]")

_HTML_PARTS = re.compile(r"<(?P<tag>/?[a-zA-Z][a-zA-Z0-9]*)(?P<attributes>[^<>]*)>")
_HTML_URL = re.compile(r'(?<=\s)(href|src)="([^"]*)"', re.IGNORECASE)
_WEB = re.compile(r"https?://", re.IGNORECASE)
_TEXT_URL = re.compile(f"([{URL_OPENS}{URL_IN_BRACKETS_OPENS}])([^{URL_CLOSES}]*){URL_CLOSES}")
_ADDRESS_SCHEME = re.compile(r"\s*(?:mailto|tel|sms):", re.IGNORECASE)
_NAME = re.compile(r"[\w .'’-]{1,64}")
_IF = re.compile(r"#\s*if\s+(.+)", re.DOTALL)
_HEADER_GAP = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029]+")

_ENCODERS: dict[Escape, Encode] = {"html": as_html, "text": as_text, "header": as_text}

Place = Literal["text", "link", "attribute", "url", "href"]


@dataclass(frozen=True, slots=True)
class VariableUse:
    """A variable in a text; `guarded` when each place has a fallback or stands in an if-block of that variable."""

    name: str
    guarded: bool


@dataclass(frozen=True, slots=True)
class _Region:
    """A stretch of the source with one way of escaping; `mark` is the kind of address for the place `url`."""

    place: Place
    source: str
    position: int
    mark: str = URL_OPENS


@dataclass(frozen=True, slots=True)
class _Token:
    """A piece of a region: literal text, a variable's inside, `if` with its name, `else`, `/if`, or a whole address."""

    kind: Literal["literal", "variable", "if", "else", "/if", "url", "fixed"]
    text: str
    position: int
    region: _Region


@dataclass(frozen=True)
class Template:
    """A compiled text. `source` is what it was compiled from."""

    source: str
    variables: tuple[VariableUse, ...]
    segments: tuple[Segment, ...]

    def render(self, values: Values, *, escape: Escape, link: LinkMaker | None = None) -> str:
        """Return the text for one contact's values; a variable without value and fallback leaves nothing.

        `html` escapes values, `text` cleans them of control characters, `header` makes one line of at most 900
        characters. `link` makes what stands in the place of each link of HTML. Raises TemplateFault
        (`output_too_large`) above 1,000,000 characters.
        """
        out: list[str] = []
        encode = _ENCODERS[escape]
        for segment in self.segments:
            segment.write(values, out, encode, link)
        text = "".join(out)
        if escape == "header":
            return _HEADER_GAP.sub(" ", text).strip()[:HEADER_MAX]
        if len(text) > OUTPUT_MAX:
            raise TemplateFault("output_too_large", 0, "With its values filled in, this text is too large to send.")
        return text

    def missing(self, values: Values) -> tuple[str, ...]:
        """Return the variables that leave a gap in the text for `values`, each once, in order."""
        return tuple(dict.fromkeys(name for segment in self.segments for name in segment.blanks(values)))

    @cached_property
    def is_static(self) -> bool:
        """Whether the text is the same for everybody."""
        return not self.variables


def compile_template(text: str) -> Template:
    """Return the compiled form of a subject or a plain text; raises TemplateFault, which tells the position."""
    if len(text) > TEMPLATE_MAX:
        raise TemplateFault("template_too_long", TEMPLATE_MAX, f"The text is longer than {TEMPLATE_MAX:,} characters.")
    return compile_marked_text(MARKS.sub("", text.replace("\r\n", "\n")))


def compile_marked_text(text: str) -> Template:
    """Return the compiled form of a plain text whose addresses are framed by `URL_OPENS` … `URL_CLOSES`."""
    return _Compiler(text, is_html=False).compile(_text_regions(text))


def compile_clean_html(markup: str) -> Template:
    """Return the compiled form of HTML written by `clean_html`; raises TemplateFault."""
    return _Compiler(markup, is_html=True).compile(_html_regions(markup))


def _text_regions(text: str) -> Iterator[_Region]:
    at = 0
    for url in _TEXT_URL.finditer(text):
        yield _Region("text", text[at : url.start()], at)
        yield _Region("url", url[2], url.start(2), url[1])
        at = url.end()
    yield _Region("text", text[at:], at)


def _html_regions(markup: str) -> Iterator[_Region]:
    at, place = 0, "text"
    for tag in _HTML_PARTS.finditer(markup):
        yield _Region("link" if place == "link" else "text", markup[at : tag.start()], at)
        at = tag.start()
        for url in _HTML_URL.finditer(markup, tag.end("tag"), tag.end()):
            yield _Region("attribute", markup[at : url.start(2)], at)
            yield _Region("href" if url[1].lower() == "href" else "url", url[2], url.start(2))
            at = url.end(2)
        yield _Region("attribute", markup[at : tag.end()], at)
        at = tag.end()
        place = {"a": "link", "/a": "text"}.get(tag["tag"].lower(), place)
    yield _Region("text", markup[at:], at)


class _Compiler:
    """Turns one source into a Template."""

    def __init__(self, source: str, *, is_html: bool) -> None:
        self._source = source
        self._is_html = is_html
        self._guarded: dict[str, bool] = {}
        self._guards: list[str] = []
        self._count = 0

    def compile(self, regions: Iterator[_Region]) -> Template:
        tokens = _merged(token for region in regions for token in self._outer_tokens(region))
        segments = self._sequence(tokens)
        uses = tuple(VariableUse(name, guarded) for name, guarded in self._guarded.items())
        return Template(self._source, uses, segments)

    def _outer_tokens(self, region: _Region) -> Iterator[_Token]:
        if region.place not in ("url", "href"):
            yield from self._tokens(region)
        elif "{{" in region.source or "}}" in region.source:
            yield _Token("url", region.source, region.position, region)
        elif region.place == "href" and _WEB.match(region.source.lstrip()):
            yield _Token("fixed", region.source, region.position, region)
        else:
            yield _Token("literal", region.source, region.position, region)

    def _tokens(self, region: _Region) -> Iterator[_Token]:
        source, at = region.source, 0
        while True:
            opens, closes = source.find("{{", at), source.find("}}", at)
            if closes >= 0 and (opens < 0 or closes < opens):
                raise self._fault("stray_braces", region.position + closes, "There is }} without {{ before it.")
            literal = source[at:] if opens < 0 else source[at:opens]
            if literal:
                yield _Token("literal", literal, region.position + at, region)
            if opens < 0:
                return
            yield self._placeholder(region, opens, closes)
            at = closes + 2

    def _placeholder(self, region: _Region, opens: int, closes: int) -> _Token:
        position = region.position + opens
        if closes < 0 and self._is_html and "}}" in self._source[position:]:
            raise self._fault("markup_in_variable", position, "There is formatting inside {{…}}: remove it.")
        inner = region.source[opens + 2 : closes]
        if closes < 0 or "{" in inner:
            raise self._fault("unclosed_variable", position, "Here {{ is not closed by }}.")
        self._count += 1
        if self._count > PLACEHOLDERS_MAX:
            raise self._fault("too_many_variables", position, f"More than {PLACEHOLDERS_MAX} variables in one text.")
        text = (html.unescape(inner) if self._is_html else inner).strip()
        if text.lower() in ("else", "/if"):
            return _Token("else" if text.lower() == "else" else "/if", "", position, region)
        if text[:1] in ("#", "/"):
            block = _IF.fullmatch(text)
            if block is None:
                raise self._fault("unknown_block", position, "Only {{#if …}}, {{else}} and {{/if}} are known.")
            return _Token("if", self._name(block[1], position), position, region)
        return _Token("variable", text, position, region)

    def _sequence(self, tokens: list[_Token]) -> tuple[Segment, ...]:
        """Return the segments of a whole source, blocks and all."""
        segments, at, _ = self._until_block_ends(tokens, 0, "", 0)
        if at < len(tokens):
            raise self._fault(
                "stray_block", tokens[at].position, "This {{else}} or {{/if}} has no {{#if …}} before it."
            )
        return segments

    def _until_block_ends(
        self, tokens: list[_Token], at: int, before: str | None, depth: int
    ) -> tuple[tuple[Segment, ...], int, str | None]:
        """Return segments up to an `else`, a `/if` or the end, where that stands, and the literal text just before it.

        `before` matters inside addresses only: what was written so far, or None where two branches differ.
        """
        segments: list[Segment] = []
        while at < len(tokens) and tokens[at].kind not in ("else", "/if"):
            token = tokens[at]
            at += 1
            if token.kind == "if":
                block, at, before = self._block(tokens, at, token, before, depth + 1)
                segments.append(block)
            elif token.kind == "variable":
                segments.append(self._variable(token, before))
                before = None
            elif token.kind == "url":
                segments.append(self._url(token))
            elif token.kind == "fixed":
                segments.append(FixedHref(html.unescape(token.text).strip(), token.text))
            else:
                segments.append(Literally(token.text))
                before = None if before is None else before + token.text
        return tuple(segments), at, before

    def _block(
        self, tokens: list[_Token], at: int, opening: _Token, before: str | None, depth: int
    ) -> tuple[If, int, str | None]:
        if depth > NESTING_MAX:
            raise self._fault("too_deep", opening.position, f"Blocks are nested deeper than {NESTING_MAX}.")
        name = opening.text
        self._guarded.setdefault(name, True)
        self._guards.append(name)
        then, at, after = self._until_block_ends(tokens, at, before, depth)
        self._guards.pop()
        otherwise: tuple[Segment, ...] = ()
        after_else = before
        if at < len(tokens) and tokens[at].kind == "else":
            otherwise, at, after_else = self._until_block_ends(tokens, at + 1, before, depth)
        if at >= len(tokens) or tokens[at].kind != "/if":
            raise self._fault("unclosed_block", opening.position, f"{{{{#if {name}}}}} is not closed by {{{{/if}}}}.")
        return If(name, then, otherwise), at + 1, after if after == after_else else None

    def _url(self, token: _Token) -> Url:
        tokens = list(self._tokens(token.region))
        if self._is_html:
            # An address is escaped as a whole, once it is filled in.
            tokens = [replace(t, text=html.unescape(t.text)) if t.kind == "literal" else t for t in tokens]
        if token.region.place == "href":
            return Href(self._sequence(tokens), source=html.unescape(token.text))
        return Url(self._sequence(tokens), in_brackets=token.region.mark == URL_IN_BRACKETS_OPENS)

    def _variable(self, token: _Token, before: str | None) -> Segment:
        head, bar, fallback = token.text.partition("|")
        name, colon, form = (part.strip() for part in head.partition(":"))
        name = self._name(name, token.position)
        form = form.lower()
        if colon and form not in FORMATS:
            known = ", ".join(FORMATS)
            raise self._fault(
                "unknown_format", token.position, f"“{form}” is no format; there are {known}.", format=form, name=name
            )
        stand_in = clean(" ".join(fallback.split())) if bar else None
        guarded = stand_in is not None or name in self._guards
        self._guarded[name] = self._guarded.get(name, True) and guarded
        match token.region.place:
            case "url" | "href":
                return UrlVariable(name, form or None, stand_in, _url_place(before))
            case "attribute":
                return AttributeVariable(name, form or None, stand_in)
            case "text" if name in LINK_VARIABLES:
                return LinkVariable(name, form or None, stand_in)
            case _:
                return Variable(name, form or None, stand_in)

    def _name(self, text: str, position: int) -> str:
        name = " ".join(text.split())
        if not name:
            raise self._fault("empty_variable", position, "There is no name between {{ and }}.")
        if not _NAME.fullmatch(name):
            raise self._fault(
                "bad_variable", position, f"“{name[:40]}” cannot be the name of a variable.", name=name[:40]
            )
        return name

    def _fault(self, code: str, position: int, message: str, **details: str) -> TemplateFault:
        excerpt = MARKS.sub("", self._source[position : position + 40])
        return TemplateFault(code, position, message, excerpt=excerpt, **details)


def _url_place(before: str | None) -> UrlPlace:
    """Return how a variable is encoded behind what stands `before` it in the same address (None: not known)."""
    if before is None:
        return "part"
    if not before.strip():
        return "whole"
    if before.endswith("://"):
        return "host"
    return "address" if _ADDRESS_SCHEME.fullmatch(before) else "part"


def _merged(tokens: Iterator[_Token]) -> list[_Token]:
    """Return the tokens with neighbouring literal ones as one: rendering need not see each tag of HTML."""
    merged: list[_Token] = []
    for is_literal, group in groupby(tokens, key=lambda token: token.kind == "literal"):
        run = list(group)
        if is_literal:
            merged.append(replace(run[0], text="".join(token.text for token in run)))
        else:
            merged += run
    return merged
