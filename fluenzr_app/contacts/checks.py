"""The checks of an import, column by column with pandas: errors, duplicates inside the file, warnings.

What needs the database (existing contacts, suppression) is checked when a chunk is stored.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import available_timezones

import numpy as np
import pandas as pd

from fluenzr_app.contacts import mojibake
from fluenzr_app.contacts.csv_read import Chunk, Row
from fluenzr_app.contacts.custom_values import FieldDefinition, Value, parse_value
from fluenzr_app.contacts.errors import InvalidValue
from fluenzr_app.contacts.field_names import CUSTOM_LENGTH, DEFAULT_LENGTH, MAX_LENGTH
from fluenzr_app.contacts.mapping import Guess
from fluenzr_app.mail.addresses import check_syntax
from fluenzr_app.mail.errors import BadAddress

# What needs no look at RFC 5321 and 6531: plain ASCII, dots inside only, no punycode. Everything else goes
# through check_syntax, which takes a hundred times longer.
_PLAIN = re.compile(
    r"(?=.{3,254}$)(?=[^@]{1,64}@)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@"
    r"(?:(?![A-Za-z0-9-]*--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}"
)
_WRAPPED = re.compile(r"(?i)\s*(?:mailto:)?<?([^<>]*?)>?\s*")
_SCIENTIFIC = re.compile(r"[+-]?\d[.,]\d+E\+\d+", re.IGNORECASE)
_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060\ufeff\u00ad]")

ROLES = frozenset(
    {"abuse", "accounting", "accueil", "achat", "achats", "admin", "administration", "administrator", "agence"}
    | {"billing", "bonjour", "career", "careers", "commercial", "compta", "comptabilite", "contact", "contacts"}
    | {"direction", "drh", "enquiries", "facturation", "feedback", "finance", "hello", "help", "helpdesk", "hostmaster"}
    | {"hr", "info", "information", "informations", "infos", "inquiries", "it", "jobs", "juridique", "legal", "mail"}
    | {"mailer-daemon", "marketing", "media", "news", "newsletter", "no-reply", "noreply", "office", "postmaster"}
    | {"presse", "press", "privacy", "recrutement", "reception", "recruitment", "relations-presse", "rh", "root"}
    | {"sales", "sav", "secretariat", "security", "service", "services", "spam", "standard", "support", "team"}
    | {"technique", "vente", "ventes", "webmaster", "welcome"}
)


class Staged(NamedTuple):
    """A row fit to be stored: its line, its address as typed, its key, and its values by field."""

    line: int
    email: str
    key: str
    values: dict[str, str]
    custom: dict[str, Value]


class Fault(NamedTuple):
    """A row that cannot be stored: line, column (its index, or -1 for the whole row), code, detail, original cells."""

    line: int
    column: int
    code: str
    detail: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """What a file's columns become, and how their cells are treated."""

    mapping: tuple[Guess, ...]
    custom_fields: tuple[FieldDefinition, ...] = ()
    repair: bool = False


@dataclass
class Checked:
    """One chunk after the checks. ``duplicates`` are lines whose address stands further up in the file."""

    ready: list[Staged] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    duplicates: list[int] = field(default_factory=list)
    warnings: Counter[str] = field(default_factory=Counter)
    rows: int = 0


class Checker:
    """Checks a file chunk by chunk; remembers eight bytes per address, so that duplicates show across chunks."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._columns = {g.target: g.index for g in plan.mapping if g.action == "field"}
        self._custom = {g.target: g.index for g in plan.mapping if g.action in ("custom", "new")}
        known = {definition.name: definition for definition in plan.custom_fields}
        self._definitions = {name: known.get(name, FieldDefinition(name, "text")) for name in self._custom}
        self._seen = _SeenKeys()

    def check(self, chunk: Chunk, width: int) -> Checked:
        """Return what became of each row of the chunk; every row is in exactly one of ready, faults, duplicates."""
        result = Checked(rows=len(chunk.rows))
        good: list[Row] = []
        for row in chunk.rows:
            if row.problem is None:
                good.append(row)
            else:
                result.faults.append(_reading_fault(row, width))
        if good:
            self._check_good(good, result)
            result.faults.sort(key=lambda fault: fault.line)
        return result

    def _check_good(self, rows: list[Row], result: Checked) -> None:
        original = pd.DataFrame([row.cells for row in rows], dtype=object)
        frame = original
        used = sorted({*self._columns.values(), *self._custom.values()})
        broken = self._broken_cells(frame[used])
        result.warnings["mojibake"] += int(broken.to_numpy().any(axis=1).sum())
        if self._plan.repair:
            frame = frame.copy()
            for column in used:
                where = broken[column]
                frame.loc[where, column] = frame.loc[where, column].map(mojibake.repair)
        cleaned = frame[used].apply(_clean)
        faults: dict[int, Fault] = {}
        keys, addresses = self._check_addresses(cleaned, rows, faults)
        self._check_lengths(cleaned, rows, faults)
        values = self._values(cleaned, result)
        custom = self._custom_values(cleaned, rows, faults)
        fine = [at for at in range(len(rows)) if at not in faults]
        first = self._seen.first_time([keys[at] for at in fine])
        for at, is_first in zip(fine, first, strict=True):
            if is_first:
                result.ready.append(Staged(rows[at].line, addresses[at], keys[at], values[at], custom[at]))
            else:
                result.duplicates.append(rows[at].line)
        result.faults.extend(faults[at] for at in sorted(faults))
        _warn_about_addresses([staged.key for staged in result.ready], result.warnings)

    def _broken_cells(self, frame: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({at: frame[at].str.contains(mojibake.PATTERN, regex=True) for at in frame.columns})

    def _check_addresses(
        self, frame: pd.DataFrame, rows: list[Row], faults: dict[int, Fault]
    ) -> tuple[list[str], list[str]]:
        index = self._columns["email"]
        cells = frame[index]
        plain = cells.str.fullmatch(_PLAIN).to_numpy()
        addresses: list[str] = cells.tolist()
        keys: list[str] = cells.str.lower().tolist()
        for at in np.flatnonzero(~plain).tolist():
            address = _unwrapped(addresses[at])
            try:
                checked = check_syntax(address)
                addresses[at], keys[at] = checked.address, checked.key
            except BadAddress as bad:
                code = "email_invalid" if address else "email_missing"
                faults[at] = Fault(rows[at].line, index, code, str(bad)[:200], rows[at].cells)
        return keys, addresses

    def _check_lengths(self, frame: pd.DataFrame, rows: list[Row], faults: dict[int, Fault]) -> None:
        limits = {index: MAX_LENGTH.get(name, DEFAULT_LENGTH) for name, index in self._columns.items()}
        limits.update(dict.fromkeys(self._custom.values(), CUSTOM_LENGTH))
        for index, limit in limits.items():
            for at in np.flatnonzero((frame[index].str.len() > limit).to_numpy()).tolist():
                faults.setdefault(at, Fault(rows[at].line, index, "value_too_long", str(limit), rows[at].cells))

    def _values(self, frame: pd.DataFrame, result: Checked) -> list[dict[str, str]]:
        names = [name for name in self._columns if name != "email"]
        columns: list[list[str]] = []
        for name in names:
            column = frame[self._columns[name]]
            if name == "phone":
                result.warnings["damaged_number"] += int(column.str.fullmatch(_SCIENTIFIC).sum())
            elif name == "timezone":
                known = column.isin(_timezones()) | (column == "")
                result.warnings["unknown_timezone"] += int((~known).sum())
                column = column.where(known, "")
            elif name == "language":
                column = column.map(language_code)
            columns.append(column.tolist())
        if not names:
            return [{} for _ in range(len(frame))]
        return [
            {name: cell for name, cell in zip(names, cells, strict=True) if cell}
            for cells in zip(*columns, strict=True)
        ]

    def _custom_values(self, frame: pd.DataFrame, rows: list[Row], faults: dict[int, Fault]) -> list[dict[str, Value]]:
        found: list[dict[str, Value]] = [{} for _ in range(len(frame))]
        for name, index in self._custom.items():
            definition = self._definitions[name]
            for at, cell in enumerate(frame[index].tolist()):
                if not cell:
                    continue
                try:
                    value = cell if definition.type == "text" else parse_value(definition, cell)
                except InvalidValue as bad:
                    detail = str(bad.details.get("why", bad))
                    faults.setdefault(at, Fault(rows[at].line, index, bad.code, detail, rows[at].cells))
                    continue
                if value is not None:
                    found[at][name] = value
        return found


class _SeenKeys:
    """The addresses met so far, as sorted 64-bit hashes: 8 MB for a million, where a set of text takes 150.

    Two different addresses share a hash in a file of a million rows once in some 30 million files.
    """

    def __init__(self) -> None:
        self._sorted = np.empty(0, dtype=np.uint64)

    def first_time(self, keys: Sequence[str]) -> list[bool]:
        """Return for each key whether it was not met before, here or in an earlier call; remembers them."""
        hashes = np.fromiter((_hash(key) for key in keys), dtype=np.uint64, count=len(keys))
        fresh, first_at = np.unique(hashes, return_index=True)
        at = np.searchsorted(self._sorted, fresh)
        inside = at < len(self._sorted)
        known = np.zeros(len(fresh), dtype=bool)
        known[inside] = self._sorted[at[inside]] == fresh[inside]
        answer = np.zeros(len(keys), dtype=bool)
        answer[first_at[~known]] = True
        self._sorted = np.insert(self._sorted, at[~known], fresh[~known])
        return [bool(first) for first in answer]


def _hash(key: str) -> int:
    return int.from_bytes(hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


def _clean(column: Any) -> Any:
    return column.str.strip().str.replace("\r\n", "\n", regex=False)


def _unwrapped(cell: str) -> str:
    """The address inside ``mailto:``, angle brackets or invisible characters, as mail programs copy them."""
    found = _WRAPPED.fullmatch(_INVISIBLE.sub("", cell))
    return (found.group(1) if found else cell).strip()


def _reading_fault(row: Row, width: int) -> Fault:
    detail = f"{len(row.cells)} / {width}" if row.problem == "ragged_row" else ""
    return Fault(row.line, -1, row.problem or "", detail, row.cells)


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())


_LANGUAGES = {
    "francais": "fr", "français": "fr", "french": "fr", "fra": "fr", "fre": "fr", "anglais": "en", "english": "en",
    "eng": "en", "allemand": "de", "german": "de", "deutsch": "de", "espagnol": "es", "spanish": "es",
    "español": "es", "italien": "it", "italian": "it", "italiano": "it", "néerlandais": "nl", "dutch": "nl",
    "portugais": "pt", "portuguese": "pt",
}  # fmt: skip


def language_code(text: str) -> str:
    """Return ``fr`` for “Français” and the like; codes and unknown words are kept as given."""
    return _LANGUAGES.get(text.lower(), text)


def is_role(key: str) -> bool:
    """Return whether the address belongs to a function (``contact@…``), not to a person."""
    return key.partition("@")[0].partition("+")[0] in ROLES


@cache
def _disposable() -> frozenset[str]:
    from disposable_email_domains import blocklist

    return frozenset(blocklist)


def is_disposable(key: str) -> bool:
    """Return whether the address lives on a throw-away domain, or below one."""
    domain = key.rpartition("@")[2]
    known = _disposable()
    return domain in known or domain.partition(".")[2] in known


def _warn_about_addresses(keys: Sequence[str], warnings: Counter[str]) -> None:
    if not keys:
        return
    parts = pd.Series(keys, dtype=object).str.rpartition("@")
    local = parts[0].str.partition("+")[0]
    warnings["role_address"] += int(local.isin(ROLES).sum())
    parent = parts[2].str.partition(".")[2]
    warnings["disposable_domain"] += int((parts[2].isin(_disposable()) | parent.isin(_disposable())).sum())
