"""What somebody wrote now, told apart from what they quote.

When in doubt words count as new: showing too much is a blemish, losing what somebody wrote is a fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from mailparser_reply.parser import EmailMessage  # type: ignore[import-untyped]

from fluenzr_app.mail.html_text import text_of_tree
from fluenzr_app.mail.incoming import TEXT_MAX, IncomingMail
from fluenzr_app.mail.page import read_page
from fluenzr_app.mail.quote_elements import mark_quotes
from fluenzr_app.mail.quote_marks import attribution_at, header_block_at, is_mobile_footer, is_rule, is_separator

# Longer pages are judged by their words alone.
_PAGE_MAX = 250_000
_LINES_MAX = 5_000
_CONTEXT_LINES = 3
_SIGNATURE_LINES_MAX = 20
# The library's expressions take long over long lines.
_LIBRARY_TEXT_MAX = 8_000
_LIBRARY_LINE_MAX = 300
# Languages whose lines `quote_marks` does not know, or knows in part.
_LIBRARY_LANGUAGES = ("cs", "da", "ja", "ko", "pl", "sv", "zh", "en")

_QUOTE_MARK = re.compile(r"\s{0,3}>")
_SIGNATURE_MARK = re.compile(r"--\s?|—\s?|__\s?").fullmatch
_BLANK_LINES = re.compile(r"\n{3,}")


@dataclass(frozen=True, slots=True)
class Split:
    """`new`: what was written now; for answers between quoted lines with the lines they answer, each marked `> `.

    `quoted`: what stood there before. `signature`: the sender's signature and their program's footer.
    """

    new: str
    quoted: str
    signature: str = ""


def split(mail: IncomingMail) -> Split:
    """A mail's new words told apart from the quoted ones, by its plain text and, where that tells nothing, its HTML."""
    found = split_text(mail.text)
    if found.quoted or not mail.html or len(mail.html) > _PAGE_MAX:
        return found
    marked = split_html(mail.html)
    return marked if marked.quoted else found


def split_html(page: str) -> Split:
    """The same for HTML: what the large mail programs mark as quoted counts as such."""
    tree = read_page(page[:_PAGE_MAX])
    if tree is None:
        return Split("", "")
    mark_quotes(tree)
    return split_text(text_of_tree(tree))


def split_text(text: str) -> Split:
    """The same for plain text."""
    lines = text[:TEXT_MAX].replace("\r\n", "\n").split("\n", _LINES_MAX)
    cut, forwarded = _cut(lines)
    top, tail = _runs(lines[:cut]), "\n".join(lines[cut:]).strip()
    found = _joined(top)
    if found.new or not tail:
        return Split(found.new, "\n\n".join(part for part in (found.quoted, tail) if part), found.signature)
    if forwarded or found.quoted:
        return Split("", "\n\n".join(part for part in (found.quoted, tail) if part), found.signature)
    # Nothing above a line that announces a quotation without marks: the answer may stand anywhere below.
    return Split(tail, "", found.signature)


@dataclass(frozen=True, slots=True)
class _Run:
    quoted: bool
    lines: list[str]


def _cut(lines: list[str]) -> tuple[int, bool]:
    """The line from which on everything is quoted (or their number), and whether it is a mail passed on."""
    for at, line in enumerate(lines):
        if not line.strip() or _QUOTE_MARK.match(line):
            continue
        if is_separator(line):
            return _above_rules(lines, at), True
        if header_block_at(lines, at):
            return _above_rules(lines, at), True
        count = attribution_at(lines, at)
        if count and not _marked_below(lines, at + count):
            return _above_rules(lines, at), False
    return _cut_by_library(lines), False


def _marked_below(lines: list[str], at: int) -> bool:
    """Whether the next words are marked as quoted: then answers may stand between and below them."""
    following = next((line for line in lines[at : at + 6] if line.strip()), "")
    return _QUOTE_MARK.match(following) is not None


def _above_rules(lines: list[str], at: int) -> int:
    while at > 0 and (not lines[at - 1].strip() or is_rule(lines[at - 1])):
        at -= 1
    return at


def _cut_by_library(lines: list[str]) -> int:
    if any(_QUOTE_MARK.match(line) for line in lines):
        return len(lines)
    text = "\n".join(lines)
    if len(text) > _LIBRARY_TEXT_MAX or max(map(len, lines)) > _LIBRARY_LINE_MAX or ":" not in text:
        return len(lines)
    stripped = "\n".join(line.strip() for line in lines)
    found = EmailMessage(text="", languages=list(_LIBRARY_LANGUAGES)).HEADER_REGEX.search(stripped)
    if found is None or not re.search(r"\d", found[0]):
        return len(lines)
    begins = found.start() + len(found[0]) - len(found[0].lstrip("\n"))
    at = stripped.count("\n", 0, begins)
    # With nothing above it, it is the answer itself.
    return at if any(line.strip() for line in lines[:at]) else len(lines)


def _runs(lines: list[str]) -> list[_Run]:
    """Quoted and unquoted stretches in turn; attributions count as quoted, blank lines belong to what precedes them."""
    runs: list[_Run] = []
    skip = 0
    for at, line in enumerate(lines):
        if skip:
            skip -= 1
            quoted = True
        elif not line.strip():
            if runs:
                runs[-1].lines.append("")
            continue
        else:
            quoted = _QUOTE_MARK.match(line) is not None
            if not quoted and (count := attribution_at(lines, at)) and _marked_below(lines, at + count):
                quoted, skip = True, count - 1
        if not runs or runs[-1].quoted != quoted:
            runs.append(_Run(quoted, []))
        runs[-1].lines.append(line)
    return runs


def _joined(runs: list[_Run]) -> Split:
    quoted = "\n".join("\n".join(run.lines).strip("\n") for run in runs if run.quoted)
    written: list[tuple[int, str]] = []
    signatures: list[str] = []
    for index, run in enumerate(runs):
        if not run.quoted:
            words, signature = _without_signature(run.lines)
            signatures += [signature] if signature else []
            if words:
                written.append((index, words))
    inline = len([index for index, _ in written if index > 0]) >= 2
    parts: list[str] = []
    for index, words in written:
        if inline and index > 0:
            parts.append("\n".join(_context(runs[index - 1].lines)))
        parts.append(words)
    new = "\n\n".join(part for part in parts if part)
    return Split(_BLANK_LINES.sub("\n\n", new).strip(), quoted.strip(), "\n".join(signatures))


def _context(lines: list[str]) -> Iterator[str]:
    marked = [line.strip() for line in lines if _QUOTE_MARK.match(line) and line.strip(" >")]
    yield from [line for line in marked if not attribution_at([line.strip("> ")], 0)][-_CONTEXT_LINES:]


def _without_signature(lines: list[str]) -> tuple[str, str]:
    """The words of a run, and the signature or footer under them."""
    begins, below = len(lines), 0
    while begins > 0 and below <= _SIGNATURE_LINES_MAX:
        begins -= 1
        below += bool(lines[begins].strip())
    for at in range(begins, len(lines)):
        if _SIGNATURE_MARK(lines[at]):
            words, footer = _without_footer(lines[:at])
            return words, f"{footer}\n{chr(10).join(lines[at + 1 :])}".strip()
    return _without_footer(lines)


def _without_footer(lines: list[str]) -> tuple[str, str]:
    kept = list(lines)
    footer: list[str] = []
    while kept and (not kept[-1].strip() or is_mobile_footer(kept[-1])):
        footer.insert(0, kept.pop())
    return "\n".join(kept).strip(), "\n".join(footer).strip()
