"""The parts of a compiled text, and how each writes itself: escaped for HTML, cleaned for plain text and headers."""

import html
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol
from urllib.parse import quote

Values = Mapping[str, str]
Encode = Callable[[str], str]
# Gets a link's address as the author wrote it and as it is filled in, and returns what stands in the mail.
LinkMaker = Callable[[str, str], str]
UrlPlace = Literal["whole", "host", "address", "part"]

VALUE_MAX = 10_000
FORMATS = ("uppercase", "lowercase", "capitalize", "short")

_BREAKS = dict.fromkeys((0x0D, 0x85, 0x2028, 0x2029), "\n")
_DROPPED = dict.fromkeys([*range(0x09), *range(0x0B, 0x20), *range(0x7F, 0xA0), *range(0xD800, 0xE000)])
_CLEANED: dict[int, str | None] = {**_DROPPED, **_BREAKS}

# A capital behind an apostrophe only after a single letter: O'Brien and L'Oréal, yet director's.
_WORD = re.compile(r"(?<![^\W\d_])(?<![^\W\d_]{2}['’])[^\W\d_]+")
_SAFE_SCHEME = re.compile(r"(?:https?|mailto|tel|sms|cid):", re.IGNORECASE)
_ANY_SCHEME = re.compile(r"[^/?#]*?:")
_HOST_AND_PORT = re.compile(r"[\w-]+(?:\.[\w-]+)+:\d{1,5}(?=[/?#]|$)")
_WEB_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_URL_UNSAFE = re.compile(r'[\x00-\x20"<>\\^`{|}\x7f]')


def clean(value: str) -> str:
    """Return a value without control characters and lone surrogates, line breaks as LF, cut at 10,000 characters."""
    if len(value) > VALUE_MAX:
        value = value[:VALUE_MAX]
    if value.isprintable():
        return value
    return value.replace("\r\n", "\n").translate(_CLEANED)


def as_text(value: str) -> str:
    """Return a value for a plain text or a header, which is cleaned as a whole afterwards."""
    return value


def as_html(value: str) -> str:
    """Return a value for the text of an HTML mail, its line breaks kept."""
    escaped = html.escape(value)
    return escaped.replace("\n", "<br>\n") if "\n" in escaped else escaped


def as_attribute(value: str) -> str:
    """Return a value for the inside of a quoted HTML attribute."""
    return html.escape(value).replace("\n", " ")


# The HTML and the text of a mail ask for the same value, one right after the other.
@lru_cache(maxsize=256)
def capitalize(value: str) -> str:
    """Return a value with each word's first letter as a capital and the rest small: jean-pierre → Jean-Pierre."""
    return _WORD.sub(lambda word: word[0].capitalize(), value.lower())


_TRANSFORMS: dict[str, Callable[[str], str]] = {
    "uppercase": str.upper,
    "lowercase": str.lower,
    "capitalize": capitalize,
}


def safe_url(url: str) -> str:
    """Return a web address ready for a link, or `#` for a scheme that a mail must not carry (javascript:, data: …)."""
    url = _URL_UNSAFE.sub(lambda unsafe: quote(unsafe[0]) if unsafe[0] >= " " else "", url.strip())
    if _SAFE_SCHEME.match(url) or not _ANY_SCHEME.match(url) or _HOST_AND_PORT.match(url):
        return url
    return "#"


def whole_url(value: str) -> str:
    """Return the address that a value on its own stands for: `acme.example` → `https://acme.example`."""
    url = safe_url(value)
    if not url or url[0] in "#/?" or _SAFE_SCHEME.match(url):
        return f"https:{url}" if url.startswith("//") else url
    return f"https://{url}"


def _url_host(value: str) -> str:
    return _URL_UNSAFE.sub(lambda unsafe: quote(unsafe[0]), _WEB_SCHEME.sub("", value.strip(), count=1)).rstrip("/")


@lru_cache(maxsize=256)
def _url_part(value: str) -> str:
    return quote(value, safe="")


_URL_ENCODERS: dict[UrlPlace, Encode] = {
    "whole": whole_url,
    "host": _url_host,
    "address": lambda value: quote(value, safe="@+.-_"),
    "part": _url_part,
}


class Segment(Protocol):
    """A part of a compiled text."""

    def write(self, values: Values, out: list[str], encode: Encode, link: LinkMaker | None = None) -> None:
        """Append what this part gives for `values`, each value passed through `encode`, each link through `link`."""
        ...

    def blanks(self, values: Values) -> Iterator[str]:
        """Yield the variables that would leave a gap for `values`."""
        ...


@dataclass(frozen=True, slots=True)
class Literally:
    """Text as the author wrote it."""

    text: str

    def write(self, values: Values, out: list[str], encode: Encode, link: LinkMaker | None = None) -> None:
        """Append the text as it is."""
        out.append(self.text)

    def blanks(self, values: Values) -> Iterator[str]:
        """Yield nothing."""
        return iter(())


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable's value, or its fallback (`None`: there is none) when the value is empty or blanks."""

    name: str
    format: str | None
    fallback: str | None

    def value(self, values: Values) -> str:
        """Return what stands in the text, not yet escaped."""
        # A date's short form is a value of its own: only who builds the values knows the language.
        raw = (values.get(f"{self.name}:short") if self.format == "short" else None) or values.get(self.name)
        text = clean(raw).strip() if raw else ""
        if not text:
            return self.fallback or ""
        return _TRANSFORMS[self.format](text) if self.format in _TRANSFORMS else text

    def write(self, values: Values, out: list[str], encode: Encode, link: LinkMaker | None = None) -> None:
        """Append the value, escaped."""
        out.append(encode(self.value(values)))

    def blanks(self, values: Values) -> Iterator[str]:
        """Yield the variable when nothing stands in for its missing value."""
        if self.fallback is None and is_blank(values, self.name):
            yield self.name


@dataclass(frozen=True, slots=True)
class AttributeVariable(Variable):
    """A variable inside a quoted attribute of a tag."""

    def write(self, values: Values, out: list[str], encode: Encode, link: LinkMaker | None = None) -> None:
        """Append the value, escaped for an attribute."""
        out.append(as_attribute(self.value(values)))


@dataclass(frozen=True, slots=True)
class LinkVariable(Variable):
    """A variable that holds an address and stands as text: in HTML it can be clicked."""

    def write(self, values: Values, out: list[str], encode: Encode, link: LinkMaker | None = None) -> None:
        """Append a link in HTML, else the address."""
        address = self.value(values)
        if encode is as_html and address:
            target = whole_url(address)
            if link is not None:
                target = link(f"{{{{{self.name}}}}}", target)
            out.append(f'<a href="{as_attribute(target)}">{as_html(address)}</a>')
        else:
            out.append(encode(address))


@dataclass(frozen=True, slots=True)
class UrlVariable(Variable):
    """A variable inside a web address, encoded for where it stands in it."""

    place: UrlPlace = "part"

    def write(self, values: Values, out: list[str], encode: Encode, link: LinkMaker | None = None) -> None:
        """Append the value, percent-encoded as its place asks."""
        value = self.value(values)
        if value:
            out.append(_URL_ENCODERS[self.place](value))


@dataclass(frozen=True, slots=True)
class If:
    """A block that shows `then` when the variable has a value, else `otherwise`."""

    name: str
    then: Sequence[Segment]
    otherwise: Sequence[Segment]

    def write(self, values: Values, out: list[str], encode: Encode, link: LinkMaker | None = None) -> None:
        """Append the branch that holds."""
        for segment in self.otherwise if is_blank(values, self.name) else self.then:
            segment.write(values, out, encode, link)

    def blanks(self, values: Values) -> Iterator[str]:
        """Yield the gaps of the branch that holds."""
        for segment in self.otherwise if is_blank(values, self.name) else self.then:
            yield from segment.blanks(values)


@dataclass(frozen=True, slots=True)
class Url:
    """A web address with variables; checked as a whole, so that no sum of parts becomes a script.

    An empty or refused one becomes `#`. `in_brackets`: written behind a link's words as ` (address)`, and then not at
    all when there is no address.
    """

    parts: Sequence[Segment]
    in_brackets: bool = False

    def write(self, values: Values, out: list[str], encode: Encode, link: LinkMaker | None = None) -> None:
        """Append the address, escaped."""
        address = self.address(values)
        if not self.in_brackets:
            out.append(encode(address))
        elif address != "#":
            out.append(f" ({encode(address)})")

    def address(self, values: Values) -> str:
        """Return the address for `values`, not yet escaped."""
        pieces: list[str] = []
        for part in self.parts:
            part.write(values, pieces, as_text)
        return safe_url("".join(pieces)) or "#"

    def blanks(self, values: Values) -> Iterator[str]:
        """Yield the gaps inside the address."""
        for part in self.parts:
            yield from part.blanks(values)


@dataclass(frozen=True, slots=True)
class Href(Url):
    """The address of a link in HTML; `source` is what the author wrote, the link's name wherever it is counted."""

    source: str = ""

    def write(self, values: Values, out: list[str], encode: Encode, link: LinkMaker | None = None) -> None:
        """Append the address, or what `link` makes of it, escaped."""
        address = self.address(values)
        out.append(as_attribute(address if link is None else link(self.source, address)))


@dataclass(frozen=True, slots=True)
class FixedHref:
    """The address of a link in HTML that is the same for everybody; `written` is its escaped form."""

    source: str
    written: str

    def write(self, values: Values, out: list[str], encode: Encode, link: LinkMaker | None = None) -> None:
        """Append the address as it is, or what `link` makes of it, escaped."""
        out.append(self.written if link is None else as_attribute(link(self.source, self.source)))

    def blanks(self, values: Values) -> Iterator[str]:
        """Yield nothing."""
        return iter(())


def is_blank(values: Values, name: str) -> bool:
    """Return whether a variable has no value, or one of blanks only."""
    value = values.get(name)
    return not value or not clean(value).strip()
