"""Why a stage of the probe failed, in the user's terms, and what mends it.

A mend that changes a setting was tried out where that can be done without a password: the port that is proposed
answered, the encryption that is proposed was spoken.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rapidfuzz import fuzz, process

from fluenzr_app.mail.causes import Cause
from fluenzr_app.mail.network import Resolved
from fluenzr_app.mail.presets import Endpoint, Preset, known_hosts, preset_for, preset_of_host
from fluenzr_app.mail.probe_words import Value
from fluenzr_app.mail.smtp_session import Encryption, LocalCause
from fluenzr_app.mail.sniff import Protocol, certificate_names, sniff, sniff_ports
from fluenzr_app.mail.transport import AccountErrorCode, SendFailure

Stage = Literal["name", "port", "tls", "login", "sender", "message", "imap_connect", "imap_tls", "imap_login"]

_PORTS: dict[Protocol, tuple[int, ...]] = {"smtp": (587, 465, 2525, 25), "imap": (993, 143)}
_MODE_NAMES: dict[Encryption, str] = {"ssl": "SSL/TLS", "starttls": "STARTTLS", "none": "–"}
_ALIKE_ENOUGH = 82.0
_CERTIFICATE_FAULTS = frozenset(
    {LocalCause.CERTIFICATE_EXPIRED, LocalCause.CERTIFICATE_SELF_SIGNED, LocalCause.CERTIFICATE_OTHER_HOST,
     LocalCause.CERTIFICATE_UNTRUSTED}
)  # fmt: skip
_QUIET = frozenset({LocalCause.SILENT, LocalCause.DISCONNECTED, LocalCause.NOT_SMTP, LocalCause.NOT_IMAP})


@dataclass(frozen=True, slots=True)
class Subject:
    """What is being probed: one server, and whose mailbox."""

    protocol: Protocol
    host: str
    port: int
    encryption: Encryption
    username: str
    email: str
    addresses: tuple[Resolved, ...] = ()

    @property
    def is_own_machine(self) -> bool:
        """Whether every address is loopback, so that nothing travels over a network."""
        return bool(self.addresses) and all(ipaddress.ip_address(each.address).is_loopback for each in self.addresses)

    def change(self, **fields: Value) -> dict[str, Value]:
        """A change of the form's fields; those of the incoming server begin with `imap_`."""
        prefix = "imap_" if self.protocol == "imap" else ""
        return {f"{prefix}{name}": value for name, value in fields.items()}


@dataclass(frozen=True, slots=True)
class Mend:
    """What would help. `change`: form fields and their new values, for a button; None when only the user can act."""

    key: str
    params: Mapping[str, Value] = field(default_factory=dict)
    change: Mapping[str, Value] | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """The cause of a failed stage: a key of `probe_words`, its parameters, the account's error code, a mend."""

    key: str
    params: Mapping[str, Value]
    error_code: AccountErrorCode | None
    mend: Mend | None


async def find(stage: Stage, failure: SendFailure, subject: Subject, *, timeout_s: float) -> Finding:
    """What `failure` means to the user. Looks at the server again, without a password, for `timeout_s` at most."""
    part = stage.removeprefix("imap_")
    if failure.stage == "resolve":
        return _name(failure, subject)
    if part in ("port", "connect"):
        return await _port(failure, subject, timeout_s)
    if part == "tls":
        return await _tls(failure, subject, timeout_s)
    if part == "login":
        return await _login(failure, subject, timeout_s)
    return _mail(stage, failure, subject)


def _name(failure: SendFailure, subject: Subject) -> Finding:
    params: dict[str, Value] = {"host": subject.host}
    if failure.cause == LocalCause.PRIVATE_ADDRESS:
        return Finding("private_address", params, failure.error_code, Mend("mend_allow_private"))
    if failure.cause == LocalCause.NAME_SERVER_SILENT:
        return Finding("name_server_silent", params, failure.error_code, Mend("mend_try_later"))
    return Finding("name_unknown", params, failure.error_code, _right_name(subject))


def _right_name(subject: Subject) -> Mend:
    own = preset_for(subject.email)
    if own is not None:
        return _preset_mend(own, subject)
    alike = process.extractOne(subject.host.lower(), known_hosts(), scorer=fuzz.ratio, score_cutoff=_ALIKE_ENOUGH)
    near = preset_of_host(alike[0]) if alike is not None else None
    return _preset_mend(near, subject) if near is not None else Mend("mend_check_name")


def _preset_mend(preset: Preset, subject: Subject) -> Mend:
    endpoint: Endpoint | None = preset.smtp if subject.protocol == "smtp" else preset.imap
    if endpoint is None:
        return Mend("mend_check_name")
    return Mend(
        "mend_preset",
        {
            "host": endpoint.host,
            "port": endpoint.port,
            "mode": _MODE_NAMES[endpoint.encryption],
            "provider": preset.name,
        },
        subject.change(host=endpoint.host, port=endpoint.port, encryption=endpoint.encryption),
    )


async def _port(failure: SendFailure, subject: Subject, timeout_s: float) -> Finding:
    params: dict[str, Value] = {"host": subject.host, "port": subject.port}
    other = await _other_port(subject, timeout_s)
    if failure.cause == LocalCause.REFUSED:
        return Finding("refused", params, failure.error_code, other or Mend("mend_check_port"))
    if failure.cause == LocalCause.SILENT:
        return Finding("port_silent", params, failure.error_code, other or Mend("mend_firewall", params))
    return Finding("unreachable", params, failure.error_code, other or Mend("mend_firewall", params))


async def _other_port(subject: Subject, timeout_s: float) -> Mend | None:
    """Another usual port on which an encrypted mail server was seen to answer."""
    ports = tuple(port for port in _PORTS[subject.protocol] if port != subject.port)
    found = await sniff_ports(subject.addresses, ports, protocol=subject.protocol, timeout_s=timeout_s)
    if found is None:
        return None
    port, mode = found
    return Mend("mend_port", {"port": port, "mode": _MODE_NAMES[mode]}, subject.change(port=port, encryption=mode))


async def _tls(failure: SendFailure, subject: Subject, timeout_s: float) -> Finding:
    params: dict[str, Value] = {"host": subject.host, "port": subject.port}
    if failure.cause in _CERTIFICATE_FAULTS:
        return await _certificate(failure, subject, timeout_s)
    if failure.cause == LocalCause.PLAIN_WHERE_TLS_EXPECTED or failure.cause in _QUIET:
        spoken = await sniff(subject.addresses, subject.port, protocol=subject.protocol, timeout_s=timeout_s)
        if spoken == "ssl" and subject.encryption != "ssl":
            mend = Mend("mend_ssl", {"port": subject.port}, subject.change(encryption="ssl"))
            return Finding("expects_tls_at_once", params, "tls_mode_mismatch", mend)
        if spoken in ("starttls", "none") and subject.encryption == "ssl":
            return Finding("plain_where_tls_expected", params, "tls_mode_mismatch",
                           await _in_the_clear(subject, spoken == "starttls", timeout_s))  # fmt: skip
    if failure.cause == LocalCause.STARTTLS_MISSING:
        return Finding("starttls_missing", params, failure.error_code, await _in_the_clear(subject, False, timeout_s))
    if failure.cause == LocalCause.PLAIN_WHERE_TLS_EXPECTED:
        # Plain, but no mail server either.
        cause = LocalCause.NOT_SMTP if subject.protocol == "smtp" else LocalCause.NOT_IMAP
        return Finding(cause, params, failure.error_code, await _port_or_check(subject, timeout_s))
    if failure.cause in (LocalCause.NOT_SMTP, LocalCause.NOT_IMAP):
        return Finding(str(failure.cause), params, failure.error_code, await _port_or_check(subject, timeout_s))
    if failure.cause == LocalCause.TLS_TOO_OLD:
        return Finding("tls_too_old", params, failure.error_code, Mend("mend_ask_provider"))
    if failure.cause in (LocalCause.SILENT, LocalCause.DISCONNECTED):
        return Finding(str(failure.cause), params, failure.error_code, await _port_or_check(subject, timeout_s))
    return _refused(failure, subject)


async def _in_the_clear(subject: Subject, offers_starttls: bool, timeout_s: float) -> Mend:
    """For a server that begins in the clear: STARTTLS, another port, or nothing where nothing leaves the machine."""
    if offers_starttls:
        return Mend("mend_starttls", {"port": subject.port}, subject.change(encryption="starttls"))
    if subject.is_own_machine:
        return Mend("mend_no_encryption_here", {}, subject.change(encryption="none"))
    return await _port_or_check(subject, timeout_s)


async def _port_or_check(subject: Subject, timeout_s: float) -> Mend:
    return await _other_port(subject, timeout_s) or Mend("mend_check_port")


async def _certificate(failure: SendFailure, subject: Subject, timeout_s: float) -> Finding:
    params: dict[str, Value] = {"host": subject.host, "port": subject.port}
    if failure.cause == LocalCause.CERTIFICATE_OTHER_HOST:
        names = await certificate_names(
            subject.addresses, subject.port, subject.encryption, protocol=subject.protocol, timeout_s=timeout_s
        )
        shown = ", ".join(names[:3]) or "–"
        return Finding(
            "certificate_other_host", {**params, "names": shown}, failure.error_code, _certified_host(names, subject)
        )
    if failure.cause == LocalCause.CERTIFICATE_EXPIRED:
        return Finding("certificate_expired", params, failure.error_code, Mend("mend_certificate_renew"))
    mend = Mend("mend_certificate_trust")
    if subject.is_own_machine and failure.cause == LocalCause.CERTIFICATE_SELF_SIGNED:
        # Proton Mail Bridge and the like: a certificate of their own, on this very machine.
        mend = Mend("mend_no_encryption_here", {}, subject.change(encryption="none"))
    return Finding(str(failure.cause), params, failure.error_code, mend)


def _certified_host(names: tuple[str, ...], subject: Subject) -> Mend:
    """A name that the certificate vouches for: in full, or a known host under its wildcard."""
    for name in names:
        if not name.startswith("*."):
            return Mend("mend_host", {"host": name}, subject.change(host=name))
    for name in names:
        for host in known_hosts():
            if host.partition(".")[2] == name[2:]:
                return Mend("mend_host", {"host": host}, subject.change(host=host))
    return Mend("mend_check_name")


async def _login(failure: SendFailure, subject: Subject, timeout_s: float) -> Finding:
    params: dict[str, Value] = {"host": subject.host, "port": subject.port}
    preset = preset_of_host(subject.host) or preset_for(subject.email)
    cause = failure.cause
    if cause == LocalCause.AUTH_ONLY_ENCRYPTED or cause == Cause.TLS_REQUIRED:
        mend = Mend("mend_starttls", {"port": subject.port}, subject.change(encryption="starttls"))
        return Finding("auth_only_encrypted", params, "tls_mode_mismatch", mend)
    if cause == LocalCause.AUTH_MISSING:
        return Finding("auth_missing", params, failure.error_code, await _port_or_check(subject, timeout_s))
    if cause == LocalCause.AUTH_METHOD_UNKNOWN or cause == Cause.AUTH_DISABLED:
        key = "auth_disabled" if cause == Cause.AUTH_DISABLED else "auth_method_unknown"
        return Finding(key, params, failure.error_code, _oauth_mend(preset) or Mend("mend_ask_provider"))
    if cause == Cause.APP_PASSWORD:
        return Finding("app_password", params, failure.error_code, Mend("mend_app_password"))
    if failure.error_code == "auth_failed":
        return Finding("bad_credentials", params, failure.error_code, _credentials_mend(subject, preset))
    return _refused(failure, subject)


def _credentials_mend(subject: Subject, preset: Preset | None) -> Mend:
    expected = preset.username_for(subject.email) if preset is not None else subject.email
    if expected != subject.username and ("@" not in subject.username or "@" not in expected):
        key = "mend_username" if "@" in expected else "mend_username_local"
        return Mend(key, {"username": expected}, subject.change(username=expected))
    if preset is not None and preset.app_password:
        return Mend("mend_app_password")
    return Mend("mend_password")


def _oauth_mend(preset: Preset | None) -> Mend | None:
    return Mend(f"mend_oauth_{preset.oauth}") if preset is not None and preset.oauth is not None else None


def _mail(stage: Stage, failure: SendFailure, subject: Subject) -> Finding:
    params: dict[str, Value] = {"email": subject.email, "host": subject.host, "port": subject.port}
    if not failure.certain:
        return Finding("message_uncertain", params, failure.error_code, Mend("mend_look_in_inbox"))
    if failure.cause == Cause.RELAY_DENIED:
        return Finding("relay_denied", params, failure.error_code, Mend("mend_ask_provider"))
    if failure.error_code == "sender_refused":
        return Finding("sender_refused", params, failure.error_code, _sender_mend(subject))
    if failure.error_code == "auth_failed":
        return Finding("auth_refused", params, failure.error_code, Mend("mend_password"))
    if failure.cause in (Cause.UNKNOWN_USER, Cause.MAILBOX_DISABLED, Cause.BAD_DOMAIN):
        return Finding("unknown_user", params, failure.error_code, _sender_mend(subject))
    if failure.level in ("recipient", "message") and stage == "message":
        return Finding("message_refused", params, failure.error_code, Mend("mend_ask_provider"))
    return _refused(failure, subject)


def _sender_mend(subject: Subject) -> Mend:
    if "@" in subject.username and subject.username.casefold() != subject.email.casefold():
        return Mend("mend_sender", {"email": subject.username}, {"email": subject.username})
    return Mend("mend_allow_sender", {"email": subject.email})


def _refused(failure: SendFailure, subject: Subject) -> Finding:
    """A refusal whose cause needs no look at the form."""
    params: dict[str, Value] = {"host": subject.host, "port": subject.port, "email": subject.email}
    if failure.error_code == "rate_limited":
        minutes = max(1, round((failure.retry_after or 900) / 60))
        return Finding("rate", params, failure.error_code, Mend("mend_wait", {"minutes": minutes}))
    if failure.error_code == "quota_exceeded":
        return Finding("daily_quota", params, failure.error_code, Mend("mend_wait", {"minutes": 24 * 60}))
    if failure.cause in (LocalCause.SILENT, LocalCause.DISCONNECTED, Cause.SERVER_TROUBLE):
        return Finding(str(failure.cause), params, failure.error_code, Mend("mend_try_later"))
    if failure.cause in (Cause.CLIENT_BLOCKED, Cause.ACCOUNT_BLOCKED, Cause.TOKEN_EXPIRED):
        return Finding(str(failure.cause), params, failure.error_code, Mend("mend_ask_provider"))
    return Finding("refused_otherwise", params, failure.error_code, Mend("mend_ask_provider"))
