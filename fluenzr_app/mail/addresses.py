"""E-mail addresses: the key under which one is known, its syntax, its spelling on the wire."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import idna
from email_validator import EmailNotValidError, validate_email

from fluenzr_app.mail.errors import BadAddress

_LOCAL_ASCII = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\-]{1,64}").fullmatch
_DOT_ATOM = re.compile(
    r"(?=.{1,64}$)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*", re.ASCII
).fullmatch
_LOCAL_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\"(),:;<>@\[\\\]\u2028\u2029\ufeff\ud800-\udfff]").search
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?").fullmatch
_MAX_LOCAL_OCTETS = 64
_MAX_ADDRESS_OCTETS = 254


@dataclass(frozen=True, slots=True)
class CheckedAddress:
    """An address whose syntax is right. `smtputf8`: its local part needs a server that speaks RFC 6531."""

    address: str
    key: str
    domain: str
    smtputf8: bool


@dataclass(frozen=True, slots=True)
class WireAddress:
    """An address as the SMTP envelope spells it: domain in ASCII, case of the local part kept."""

    address: str
    smtputf8: bool


def email_key(address: str) -> str:
    """The key under which an address is unique: trimmed, case-folded, domain in IDNA ASCII.

    Dots and plus tags are kept: only the domain's owner knows whether they matter. Raises BadAddress.
    """
    local, domain = _split(address)
    key_local = local.lower() if local.isascii() else unicodedata.normalize("NFC", local).casefold()
    return f"{key_local}@{_ascii_domain(domain)}"


def domain_of(address: str) -> str:
    """The domain in lower-case IDNA ASCII, without the @. Raises BadAddress."""
    return _ascii_domain(_split(address)[1])


def wire_address(address: str) -> WireAddress:
    """The spelling for envelope and header: domain in ASCII, local part untouched. Raises BadAddress."""
    local, domain = _split(address)
    return WireAddress(f"{local}@{_ascii_domain(domain)}", not local.isascii())


def check_syntax(address: str) -> CheckedAddress:
    """The address in its normal form, checked against RFC 5321, 5322 and 6531 without any look-up.

    Raises BadAddress, whose message says what is wrong. Reserved domains (`.test`, `.example`) pass: that
    nobody can receive there is a matter of DNS, not of syntax.
    """
    local, domain = _split(address)
    ascii_domain = _ascii_domain(domain)
    if _DOT_ATOM(local):
        # What the library would find too, at a fraction of its time: imports check a million of these.
        return CheckedAddress(
            f"{local}@{domain.lower()}", f"{local.lower()}@{ascii_domain}", ascii_domain, smtputf8=False
        )
    try:
        # With a domain of our own: the library refuses the reserved ones.
        found = validate_email(f"{local}@reserved.example", check_deliverability=False, globally_deliverable=False)
    except EmailNotValidError as error:
        raise BadAddress("bad_local", str(error)) from error
    return CheckedAddress(
        f"{found.local_part}@{domain.lower()}", email_key(address), ascii_domain, smtputf8=found.smtputf8
    )


def display(name: str | None, address: str) -> str:
    """`Anna Weiß <anna@x.example>` for people to read; never for a header (see headers.mailbox)."""
    shown = " ".join((name or "").split())
    return f"{shown} <{address}>" if shown else address


def _split(address: str) -> tuple[str, str]:
    text = address.strip()
    if not text:
        raise BadAddress("empty", "The address is empty.")
    local, at, domain = text.rpartition("@")
    if not at:
        raise BadAddress("no_at", f"“{text[:80]}” has no @ sign.")
    if not _LOCAL_ASCII(local):
        _check_local(local, text)
    if len(text) > _MAX_ADDRESS_OCTETS:
        raise BadAddress("too_long", "An address may have 254 characters at most.")
    return local, domain


def _check_local(local: str, text: str) -> None:
    if not local:
        raise BadAddress("bad_local", f"“{text[:80]}” has nothing before the @ sign.")
    if len(local.encode("utf-8", "replace")) > _MAX_LOCAL_OCTETS:
        raise BadAddress("too_long", "The part before the @ sign may have 64 characters at most.")
    if local.isascii() or _LOCAL_FORBIDDEN(local):
        raise BadAddress("bad_local", f"“{text[:80]}” has a character that may not stand before the @ sign.")


@lru_cache(maxsize=65_536)
def _ascii_domain(domain: str) -> str:
    name = domain.lower()
    if not name.isascii():
        try:
            name = idna.encode(domain, uts46=True).decode("ascii").lower()
        except (idna.IDNAError, UnicodeError) as error:
            raise BadAddress("bad_domain", f"“{domain[:80]}” is not a domain name.") from error
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL(label) for label in labels) or labels[-1].isdigit():
        raise BadAddress("bad_domain", f"“{domain[:80]}” is not a domain name.")
    if len(labels) < 2:
        raise BadAddress("no_dot", f"The domain “{domain[:80]}” has no dot.")
    return name
