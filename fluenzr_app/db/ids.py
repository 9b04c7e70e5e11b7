"""Public ids: the primary key in a prefixed, reversible short form (`con_Uk3vR9xQ`)."""

from functools import cache

from sqids import Sqids

PREFIXES = frozenset(
    (
        *("con", "grp", "cmp", "acc", "evt", "whk", "log", "stg", "msg"),
        *("cnv", "usr", "key", "imp", "fld", "sup", "wsp", "ses", "inb", "fil", "sav"),
    )
)


class BadPublicId(ValueError):
    """The text is no id of the kind that was asked for."""


@cache
def _codec(prefix: str) -> Sqids:
    if prefix not in PREFIXES:
        raise ValueError(f"unknown prefix {prefix}")
    # Another alphabet for each prefix, so that con_x and cmp_x do not give away the same number.
    alphabet = list("abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")
    shift = sum(ord(letter) * (index + 3) for index, letter in enumerate(prefix)) % len(alphabet)
    return Sqids(alphabet="".join(alphabet[shift:] + alphabet[:shift]), min_length=8)


def public_id(prefix: str, key: int) -> str:
    """Return the public form of the primary key `key`, for example `con_Uk3vR9xQ`."""
    return f"{prefix}_{_codec(prefix).encode([key])}"


def parse_public_id(prefix: str, text: str) -> int:
    """Return the primary key behind `text`; raises BadPublicId when it is no canonical id with that prefix."""
    start, _, rest = text.partition("_")
    if start == prefix and 0 < len(rest) <= 32:
        numbers = _codec(prefix).decode(rest)
        if len(numbers) == 1 and numbers[0] < 2**63 and _codec(prefix).encode(numbers) == rest:
            return numbers[0]
    raise BadPublicId(f"“{text[:40]}” is no id that starts with {prefix}_")
