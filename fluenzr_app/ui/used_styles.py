"""The style sheet of all pages without what none of them uses: Radix brings ten times what ours take of it."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

_CLASS: Final = re.compile(r"\.rt-([A-Z]\w*)")
_PROPERTY: Final = re.compile(r"\.-?(rt-r-[a-z]+(?:-[a-z]+)*)")
_COLOUR: Final = re.compile(r"\[data-accent-color=[\"']?(\w+)")
# Sizes and gaps that change with the width of the window; our pages say those in their own style sheets.
_BREAKPOINT: Final = re.compile(r"\.(?:initial|xs|sm|md|lg|xl)\\:-?rt-")
_NAMES_IN_SCRIPTS: Final = (
    re.compile(r"rt-([A-Z]\w*)"),
    re.compile(r"rt-r-[a-z]+(?:-[a-z]+)*"),
    re.compile(r"[cC]olor[\"']?:[`\"'](\w+)[`\"']"),
)
_READ: Final = re.compile(r"var\(\s*(--[\w-]+)|[\"'`](--[\w-]+)")
_NESTING: Final = ("@media", "@supports", "@layer", "@container")
_TEXTS: Final = r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|/\*.*?\*/|\\."
_BRACES: Final = re.compile(_TEXTS + r"|url\([^)\"']*\)|[{};]", re.DOTALL)
_PARTS: Final = re.compile(_TEXTS + r"|[()\[\],;]", re.DOTALL)


def used_styles(sheet: str, scripts: Iterable[str]) -> str:
    """Return the minified `sheet` without what belongs to parts and colours of Radix that none of `scripts` names.

    Custom properties that nothing reads any more go too. Raises ValueError if the sheet is cut off.
    """
    named: set[str] = set()
    read: set[str] = set()
    for script in scripts:
        for names in _NAMES_IN_SCRIPTS:
            named.update(names.findall(script))
        read.update(_read_in(script))
    kept = _named(sheet, named)
    before = ""
    while kept != before:
        # What only a dropped property read goes with the next turn.
        before = kept
        kept = _without_unread(kept, read | _read_in(kept))
    return kept


def _read_in(text: str) -> set[str]:
    return {one or other for one, other in _READ.findall(text)}


def _named(css: str, named: set[str]) -> str:
    kept: list[str] = []
    for head, inside in _rules(css):
        if inside is None:
            kept.append(head)
        elif head.startswith(_NESTING):
            part = _named(inside, named)
            kept.append(f"{head}{{{part}}}" if part else "")
        elif head.startswith("@"):
            kept.append(f"{head}{{{inside}}}")
        else:
            selectors = [each for each in _split(head, ",") if _is_used(each, named)]
            kept.append(f"{','.join(selectors)}{{{inside}}}" if selectors else "")
    return "".join(kept)


def _is_used(selector: str, named: set[str]) -> bool:
    if _BREAKPOINT.search(selector):
        return False
    # A part that stands within `:where(…)` or `:not(…)` is one of several, or none: it says nothing of this rule.
    plain = re.sub(r":(?:where|not|is|has)\([^()]*(?:\([^()]*\)[^()]*)*\)", "", selector)
    wanted = (*_CLASS.findall(plain), *_PROPERTY.findall(plain), *_COLOUR.findall(plain))
    return all(name in named for name in wanted)


def _without_unread(css: str, read: set[str]) -> str:
    kept: list[str] = []
    for head, inside in _rules(css):
        if inside is None:
            kept.append(head)
        elif head.startswith(_NESTING):
            part = _without_unread(inside, read)
            kept.append(f"{head}{{{part}}}" if part else "")
        elif head.startswith("@") or "{" in inside:
            kept.append(f"{head}{{{inside}}}")
        else:
            lines = [each for each in _split(inside, ";") if _is_read(each, read)]
            kept.append(f"{head}{{{';'.join(lines)}}}" if any(lines) else "")
    return "".join(kept)


def _is_read(declaration: str, read: set[str]) -> bool:
    name = declaration.partition(":")[0].strip()
    return not name.startswith("--") or name in read


def _rules(css: str) -> Iterator[tuple[str, str | None]]:
    """Yield each rule as its head and what stands in its braces, None for a statement (`@import …;`)."""
    at = 0
    while at < len(css):
        stop = _next(css, at, "{;")
        if stop == len(css) or css[stop] == ";":
            if css[at:stop].strip():
                yield css[at : stop + 1], None
            at = stop + 1
            continue
        end = _closing(css, stop)
        yield css[at:stop].strip(), css[stop + 1 : end]
        at = end + 1


def _split(css: str, at: str) -> list[str]:
    """Return the parts of a list, cut at each `at` that is not within parentheses or a text."""
    parts, depth, begin = [], 0, 0
    for token in _PARTS.finditer(css):
        depth += (token[0] in {"(", "["}) - (token[0] in {")", "]"})
        if token[0] == at and depth == 0:
            parts.append(css[begin : token.start()])
            begin = token.end()
    return [*parts, css[begin:]]


def _closing(css: str, opening: int) -> int:
    depth, at = 1, opening + 1
    while depth:
        at = _next(css, at, "{}")
        if at == len(css):
            raise ValueError("a style sheet ends within a rule")
        depth += 1 if css[at] == "{" else -1
        at += 1
    return at - 1


def _next(css: str, begin: int, wanted: str) -> int:
    """Return where the next of `wanted` stands outside of texts, comments and addresses; the end if nowhere."""
    for token in _BRACES.finditer(css, begin):
        if token[0] in wanted:
            return token.start()
    return len(css)
