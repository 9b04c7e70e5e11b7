"""A mail's body, rich text as HTML or plain text, compiled into both alternatives; and the whole mail rendered."""

import html
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from fluenzr_app.campaigns.errors import TemplateFault
from fluenzr_app.campaigns.plaintext import text_of_html
from fluenzr_app.campaigns.segments import LinkMaker, Values
from fluenzr_app.campaigns.template import (
    MARKS,
    TEMPLATE_MAX,
    URL_CLOSES,
    URL_OPENS,
    Template,
    VariableUse,
    compile_clean_html,
    compile_marked_text,
    compile_template,
)
from fluenzr_app.mail import bodies
from fluenzr_app.mail.html_text import squeeze

_KNOWN_TAG = re.compile(
    r"</?(?:p|br|div|span|a|b|i|u|em|strong|ul|ol|li|h[1-6]|table|tr|td|blockquote|img|hr|font|center|pre)(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
# Either a variable, passed by, or an address, which may hold variables.
_ADDRESS = re.compile(r"\{\{[^{}]*\}\}|https?://(?:\{\{[^{}]*\}\}|[^\s<>\"'{}])+", re.IGNORECASE)
_INSIDE_BRACES = re.compile(r"\{\{[^{}]*\}\}")
_TRAILING = ".,;:!?)]’”»"


@dataclass(frozen=True)
class Body:
    """A compiled body: the same words as HTML and as plain text."""

    html: Template
    text: Template

    @cached_property
    def variables(self) -> tuple[VariableUse, ...]:
        """The variables of either alternative; guarded only when guarded in both."""
        uses: dict[str, bool] = {}
        for use in (*self.html.variables, *self.text.variables):
            uses[use.name] = uses.get(use.name, True) and use.guarded
        return tuple(VariableUse(name, guarded) for name, guarded in uses.items())

    @cached_property
    def is_blank(self) -> bool:
        """Whether a reader would see nothing, whatever the values."""
        return not self.text.source.strip() and "<img" not in self.html.source

    def missing(self, values: Values) -> tuple[str, ...]:
        """Return the variables that leave a gap for `values`, each once, in order."""
        return tuple(dict.fromkeys((*self.html.missing(values), *self.text.missing(values))))


@dataclass(frozen=True, slots=True)
class Rendered:
    """One contact's mail. `html` is a fragment without ``<html>`` around it, absent for a mail as plain text only."""

    subject: str
    html: str | None
    text: str


def is_html(body: str) -> bool:
    """Return whether a body is rich text; anything without a tag of HTML is plain text."""
    return _KNOWN_TAG.search(body) is not None


def clean_html(markup: str) -> str:
    """Return HTML that can stand in a mail and in a page: no scripts, forms, foreign schemes or unknown attributes."""
    return bodies.clean_html(MARKS.sub("", markup))


@lru_cache(maxsize=256)
def compile_body(body: str) -> Body:
    """Return the compiled form of a body; raises TemplateFault.

    A fault's position counts in the text as typed for plain text, in the cleaned HTML for rich text.
    """
    if len(body) > TEMPLATE_MAX:
        raise TemplateFault("template_too_long", TEMPLATE_MAX, f"The text is longer than {TEMPLATE_MAX:,} characters.")
    if is_html(body):
        markup = clean_html(body)
        return Body(compile_clean_html(markup), compile_marked_text(text_of_html(markup)))
    plain = MARKS.sub("", body.replace("\r\n", "\n").replace("\r", "\n"))
    compile_template(plain)
    return Body(compile_clean_html(clean_html(_html_of_text(plain))), compile_marked_text(_mark_addresses(plain)))


@lru_cache(maxsize=1024)
def compile_subject(subject: str) -> Template:
    """Return the compiled form of a subject; raises TemplateFault."""
    return compile_template(subject)


def render_mail(
    subject: Template, body: Body, values: Values, *, plain_only: bool, link: LinkMaker | None = None
) -> Rendered:
    """Return one contact's mail; raises TemplateFault (`output_too_large`).

    The subject comes as one line, empty for a reply in the thread. `plain_only` leaves the HTML out; `link` makes what
    stands in the place of each of its links.
    """
    return Rendered(
        subject=subject.render(values, escape="header"),
        html=None if plain_only else body.html.render(values, escape="html", link=link),
        text=squeeze(body.text.render(values, escape="text")),
    )


def _without_trailing(address: str) -> str:
    """Return an address found in a sentence without the sentence's own marks behind it."""
    return address if address.endswith("}}") else address.rstrip(_TRAILING)


def _mark_addresses(plain: str) -> str:
    """Frame the addresses that hold variables, so that these are encoded when filled in."""

    def framed(found: re.Match[str]) -> str:
        if found[0].startswith("{{") or "{{" not in found[0]:
            return found[0]
        address = _without_trailing(found[0])
        return f"{URL_OPENS}{address}{URL_CLOSES}{found[0][len(address) :]}"

    return _ADDRESS.sub(framed, plain)


def _html_of_text(plain: str) -> str:
    """Return a plain text as HTML: escaped, line breaks kept, addresses made links."""

    def linked(found: re.Match[str]) -> str:
        if found[0].startswith("{{"):
            return html.escape(found[0])
        address = _without_trailing(found[0])
        return f'<a href="{html.escape(address)}">{html.escape(address)}</a>{html.escape(found[0][len(address) :])}'

    # A line break inside braces belongs to the words of a fallback, not to the page.
    plain = _INSIDE_BRACES.sub(lambda braces: " ".join(braces[0].split()), plain)
    pieces: list[str] = []
    at = 0
    for found in _ADDRESS.finditer(plain):
        pieces += (html.escape(plain[at : found.start()]), linked(found))
        at = found.end()
    pieces.append(html.escape(plain[at:]))
    return "".join(pieces).replace("\n", "<br>\n")
