"""From an account, or a form, to what the mail room needs to dial; and the servers that an address suggests."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

from sqlmodel import Session

from fluenzr_app.accounts.form import CheckedForm, Encryption, Server, SmtpForm
from fluenzr_app.accounts.models import EmailAccount
from fluenzr_app.crypto import KeyRing
from fluenzr_app.mail.discovery import Resolver, discover, system_resolver
from fluenzr_app.mail.imap_session import ImapSettings
from fluenzr_app.mail.presets import Endpoint, OAuthProvider, preset_for
from fluenzr_app.mail.smtp_session import SmtpSettings
from fluenzr_app.settings import Settings
from fluenzr_app.workspaces.secrets import read_secret


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The servers of an address and where they are known from: `preset`, `srv` or `mx` (RFC 6186).

    `provider`: a name to show, empty when only DNS told. `app_password`: an ordinary password will not do. `oauth`:
    the button that connects this mailbox better than a password.
    """

    source: str
    smtp: Endpoint
    imap: Endpoint | None
    username: str
    provider: str = ""
    app_password: bool = False
    oauth: OAuthProvider | None = None


async def suggest_servers(email: str, settings: Settings, *, resolver: Resolver | None = None) -> Suggestion | None:
    """Return the servers to try for an address: a preset's, else what DNS tells within 5 s, else None.

    Raises BadAddress.
    """
    preset, source = preset_for(email), "preset"
    smtp = imap = None
    if preset is None:
        found = await discover(email, resolver or system_resolver(list(settings.dns_servers)))
        if found is None:
            return None
        preset, source, smtp, imap = found.preset, found.source, found.smtp, found.imap
    if preset is None:
        return None if smtp is None else Suggestion(source, smtp, imap, email.strip())
    return Suggestion(
        source, smtp or preset.smtp, imap or preset.imap, preset.username_for(email), preset.name,
        preset.app_password, preset.oauth,
    )  # fmt: skip


def smtp_settings(session: Session, keyring: KeyRing, account: EmailAccount, settings: Settings) -> SmtpSettings:
    """Return how to send from an account; one without a stored password is used without login.

    Raises workspaces.SecretMissing, crypto.CannotOpen.
    """
    password = _password(session, keyring, account.smtp_secret_id)
    return SmtpSettings(
        account.smtp_host, account.smtp_port, cast(Encryption, account.smtp_encryption),
        account.smtp_username if password is not None else None, password,
        timeout_s=settings.smtp_timeout_s, allow_private=settings.private_networks_allowed,
    )  # fmt: skip


def imap_settings(session: Session, keyring: KeyRing, account: EmailAccount, settings: Settings) -> ImapSettings | None:
    """Return how to read an account's mailbox, None where no server or no password for it is known.

    User name and password are those of SMTP unless it has its own. Raises workspaces.SecretMissing, crypto.CannotOpen.
    """
    password = _password(session, keyring, account.imap_secret_id or account.smtp_secret_id)
    if not account.imap_host or password is None:
        return None
    return ImapSettings(
        account.imap_host, account.imap_port, cast(Encryption, account.imap_encryption),
        account.imap_username or account.smtp_username, password,
        timeout_s=settings.smtp_timeout_s, allow_private=settings.private_networks_allowed,
    )  # fmt: skip


def settings_of_form(form: CheckedForm, settings: Settings) -> tuple[SmtpSettings, ImapSettings | None]:
    """Return how to dial what a form names, before anything of it is stored."""
    smtp, imap = form.smtp, form.imap
    reach: dict[str, Any] = {
        "timeout_s": settings.smtp_timeout_s, "allow_private": settings.private_networks_allowed
    }  # fmt: skip
    outgoing = SmtpSettings(
        smtp.host, smtp.port, cast(Encryption, smtp.encryption), smtp.username, smtp.password, **reach
    )
    if imap is None:
        return outgoing, None
    return outgoing, ImapSettings(
        imap.host, imap.port, cast(Encryption, imap.encryption), imap.username or smtp.username,
        imap.password or smtp.password, **reach,
    )  # fmt: skip


def servers_of(account: EmailAccount) -> tuple[Server, Server | None]:
    """Return the servers of an account as a form shows them: without passwords."""
    smtp = Server(account.smtp_host, account.smtp_port, account.smtp_encryption, account.smtp_username)
    if not account.imap_host:
        return smtp, None
    return smtp, Server(account.imap_host, account.imap_port, account.imap_encryption, account.imap_username)


def corrected(form: SmtpForm, change: Mapping[str, Any]) -> SmtpForm:
    """Return the form with what a probe's mend proposes: “correct and retry” (symptoms.md, 5).

    Keys are those of `mail.probe_findings.Mend.change`; a change for an incoming server that the form has not is
    left out.
    """
    smtp, imap = corrected_servers(form.smtp, form.imap, change)
    return replace(form, email=str(change.get("email", form.email)), smtp=smtp, imap=imap)


def corrected_servers(smtp: Server, imap: Server | None, change: Mapping[str, Any]) -> tuple[Server, Server | None]:
    """Return both servers with a mend's changes; for an account, pass them to `service.update_servers`."""
    fields = ("host", "port", "encryption", "username")
    outgoing = {name: change[name] for name in fields if name in change}
    incoming = {name: change[f"imap_{name}"] for name in fields if f"imap_{name}" in change}
    return replace(smtp, **outgoing), None if imap is None else replace(imap, **incoming)


def _password(session: Session, keyring: KeyRing, secret_id: str | None) -> str | None:
    return None if secret_id is None else read_secret(session, keyring, secret_id).decode()
