"""What a user enters for an account, checked before anything is stored or dialled."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypedDict, cast

import idna

from fluenzr_app.accounts.errors import BadAccountForm, FieldFault
from fluenzr_app.mail.addresses import CheckedAddress, check_syntax
from fluenzr_app.mail.errors import BadAddress

Encryption = Literal["starttls", "ssl", "none"]
ENCRYPTIONS: tuple[Encryption, ...] = ("starttls", "ssl", "none")

_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))*\.?").fullmatch
_CONTROL = re.compile(r"[\x00-\x1f\x7f]").search
_MOST_PER_DAY = 10_000_000
_DAY_S = 86_400

# Lowest and highest value that each number may have; `warming_share` in per cent of the day.
_RANGES: dict[str, tuple[int, int]] = {
    "daily_limit": (1, _MOST_PER_DAY),
    "hourly_limit": (1, _MOST_PER_DAY),
    "min_gap_seconds": (0, _DAY_S),
    "warming_share": (0, 90),
}
_LENGTHS = {"display_name": 100, "signature": 20_000}
_SWITCHES = ("ramp_enabled", "copy_to_sent")


@dataclass(frozen=True, slots=True)
class Server:
    """How one server is reached. `password` never shows in a repr; an empty one means: the one already stored.

    For IMAP, an empty `username` or `password` means the same as for SMTP.
    """

    host: str
    port: int
    encryption: str
    username: str = ""
    password: str = field(default="", repr=False)


class Limits(TypedDict, total=False):
    """What may be changed of an account at any time; a key that is absent stays as it is."""

    display_name: str
    signature: str
    daily_limit: int
    hourly_limit: int | None
    min_gap_seconds: int
    warming_share: int
    ramp_enabled: bool
    copy_to_sent: bool


@dataclass(frozen=True, slots=True)
class SmtpForm:
    """A mailbox to be connected by SMTP, and by IMAP where answers are to be read."""

    email: str
    smtp: Server
    imap: Server | None = None
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class CheckedForm:
    """A form without faults, values in their normal form."""

    address: CheckedAddress
    smtp: Server
    imap: Server | None
    limits: Limits


def check_form(form: SmtpForm) -> CheckedForm:
    """Return the form in its normal form; raises BadAccountForm with every fault it has.

    An SMTP user name that was left empty becomes the address (accounts.md, SMTP form).
    """
    faults: list[FieldFault] = []
    address = _address(form.email, faults)
    named = form.smtp if form.smtp.username.strip() else replace(form.smtp, username=form.email.strip())
    smtp = check_server("smtp", named, faults)
    if not smtp.password:
        faults.append(FieldFault("smtp.password", "missing", "The password is missing."))
    imap = None if form.imap is None else check_server("imap", form.imap, faults)
    limits = check_limits(form.limits, faults)
    if faults or address is None:
        raise BadAccountForm(faults)
    return CheckedForm(address, smtp, imap, limits)


def check_server(path: str, server: Server, faults: list[FieldFault]) -> Server:
    """Return the server in its normal form and add its faults to `faults`; `path` is `smtp` or `imap`."""
    host = _host(server.host)
    if not host:
        faults.append(FieldFault(f"{path}.host", "missing", "The server is missing."))
    elif not _is_host(host):
        faults.append(FieldFault(f"{path}.host", "bad_host", f"“{host[:80]}” is no server name.", {"value": host[:80]}))
    if not 1 <= server.port <= 65_535:
        faults.append(FieldFault(f"{path}.port", "bad_port", "A port is a number from 1 to 65535."))
    if server.encryption not in ENCRYPTIONS:
        faults.append(
            FieldFault(f"{path}.encryption", "bad_encryption", "The encryption is one of starttls, ssl and none.")
        )
    username = server.username.strip()
    if len(username) > 320 or _CONTROL(username):
        faults.append(FieldFault(f"{path}.username", "bad_username", "This user name cannot be sent to a server."))
    check_password(path, server.password, faults)
    return replace(server, host=host, username=username)


def check_password(path: str, password: str, faults: list[FieldFault]) -> None:
    """Add a fault for a password that no login can carry; it is otherwise taken as it is, blanks and all."""
    # RFC 4616, 2: NUL separates the parts of a login; no mail server takes a line break in one.
    if len(password) > 4096 or _CONTROL(password):
        faults.append(FieldFault(f"{path}.password", "bad_password", "This password cannot be sent to a server."))


def check_limits(limits: Mapping[str, Any], faults: list[FieldFault]) -> Limits:
    """Return those keys of `limits` that may be changed, in their normal form, and add what is wrong to `faults`."""
    checked: dict[str, Any] = {}
    for name, value in limits.items():
        if name in _RANGES:
            checked[name] = _number(name, value, faults)
        elif name in _LENGTHS:
            checked[name] = _text(name, value, faults)
        elif name in _SWITCHES:
            checked[name] = value
            if not isinstance(value, bool):
                faults.append(FieldFault(name, "bad_switch", f"{name} is either on or off."))
        else:
            faults.append(FieldFault(name, "unknown_field", f"An account has no field {name[:40]}."))
    return cast(Limits, checked)


def _address(email: str, faults: list[FieldFault]) -> CheckedAddress | None:
    try:
        return check_syntax(email)
    except BadAddress as error:
        faults.append(FieldFault("email", error.code, str(error)))
        return None


def _number(name: str, value: object, faults: list[FieldFault]) -> int | None:
    if value is None and name == "hourly_limit":
        return None
    low, high = _RANGES[name]
    if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high:
        return value
    message = f"{name} is a whole number from {low} to {high}."
    faults.append(FieldFault(name, "out_of_range", message, {"low": low, "high": high}))
    return None


def _text(name: str, value: object, faults: list[FieldFault]) -> str:
    most = _LENGTHS[name]
    text = value.strip() if isinstance(value, str) else None
    if text is None or len(text) > most:
        faults.append(FieldFault(name, "too_long", f"{name} has {most} characters at most.", {"high": most}))
        return ""
    # A name goes into the From header; a signature may have lines.
    if name == "display_name" and _CONTROL(text):
        faults.append(FieldFault(name, "bad_name", "The display name may not hold a line break."))
    return text


def _host(text: str) -> str:
    host = text.strip().lower()
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except (idna.IDNAError, UnicodeError):
            return host
    return host.removesuffix(".")


def _is_host(host: str) -> bool:
    if _HOST(host) is not None and not host.replace(".", "").isdigit():
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
