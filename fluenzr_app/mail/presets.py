"""What is known of large mail hosts, so that a user types an address and a password and nothing else.

Only host names that the providers publish for everybody; hosts that give each customer a server of its own are
found by their SRV records instead (`discovery`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

from fluenzr_app.mail.addresses import domain_of
from fluenzr_app.mail.smtp_session import Encryption

UsernameForm = Literal["address", "local"]
OAuthProvider = Literal["google", "microsoft"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One server: name, port and how its connection is encrypted."""

    host: str
    port: int
    encryption: Encryption


@dataclass(frozen=True, slots=True)
class Preset:
    """One provider's servers.

    `imap` None: not known. `username`: whole address or the part before the @. `app_password`: the provider takes
    no ordinary password from a mail program. `oauth`: the button that connects it better than a password. `domains`:
    those of its mailboxes. `exchangers`: suffixes of the MX hosts of domains that it hosts for others. `local`: runs on
    the user's own machine.
    """

    key: str
    name: str
    smtp: Endpoint
    imap: Endpoint | None
    domains: frozenset[str] = frozenset()
    exchangers: tuple[str, ...] = ()
    username: UsernameForm = "address"
    app_password: bool = False
    oauth: OAuthProvider | None = None
    local: bool = False

    def username_for(self, address: str) -> str:
        """The user name that this provider expects for an address."""
        return address.strip() if self.username == "address" else address.strip().rpartition("@")[0]


def preset_for(address: str) -> Preset | None:
    """The provider of an address by its domain, None when that says nothing. Raises BadAddress."""
    return _by_domain().get(domain_of(address))


def preset_of_exchangers(hosts: list[str]) -> Preset | None:
    """The provider that receives mail at these MX hosts, the preferred one first."""
    for host in hosts:
        name = host.lower().rstrip(".")
        for preset in PRESETS:
            if any(name == suffix or name.endswith(f".{suffix}") for suffix in preset.exchangers):
                return preset
    return None


def preset_of_host(host: str) -> Preset | None:
    """The provider whose SMTP or IMAP server bears this name."""
    return _by_host().get(host.lower().rstrip("."))


def known_hosts() -> tuple[str, ...]:
    """Every SMTP host named here: what a mistyped name may have meant."""
    return tuple(dict.fromkeys(preset.smtp.host for preset in PRESETS if not preset.local))


@cache
def _by_domain() -> dict[str, Preset]:
    return {domain: preset for preset in PRESETS for domain in preset.domains}


@cache
def _by_host() -> dict[str, Preset]:
    found: dict[str, Preset] = {}
    # Loopback is no provider's name: anything may listen there.
    for preset in (each for each in PRESETS if not each.local):
        for endpoint in (preset.smtp, preset.imap):
            if endpoint is not None:
                found.setdefault(endpoint.host, preset)
    return found


def _preset(
    key: str,
    name: str,
    smtp: str,
    imap: str,
    *,
    port: int = 465,
    domains: str = "",
    exchangers: tuple[str, ...] = (),
    username: UsernameForm = "address",
    app_password: bool = False,
    oauth: OAuthProvider | None = None,
) -> Preset:
    """Port 465 speaks TLS at once and 587 after STARTTLS (RFC 8314, 3.3); IMAP is always 993."""
    return Preset(
        key,
        name,
        Endpoint(smtp, port, "ssl" if port == 465 else "starttls"),
        Endpoint(imap, 993, "ssl"),
        frozenset(domains.split()),
        exchangers,
        username,
        app_password,
        oauth,
    )


def _workmail(region: str) -> Preset:
    host = f"mail.{region}.awsapps.com"
    exchanger = f"inbound-smtp.{region}.amazonaws.com"
    return _preset(f"workmail-{region}", "Amazon WorkMail", f"smtp.{host}", f"imap.{host}", exchangers=(exchanger,))


def _ionos(country: str, domains: str) -> Preset:
    return _preset(
        f"ionos-{country}", "IONOS", f"smtp.ionos.{country}", f"imap.ionos.{country}",
        domains=domains, exchangers=(f"ionos.{country}",),
    )  # fmt: skip


PRESETS: tuple[Preset, ...] = (
    # France and Switzerland
    _preset("ovh", "OVH", "ssl0.ovh.net", "ssl0.ovh.net", exchangers=("mail.ovh.net",)),
    _preset("gandi", "Gandi", "mail.gandi.net", "mail.gandi.net", exchangers=("mail.gandi.net",)),
    _preset("infomaniak", "Infomaniak", "mail.infomaniak.com", "mail.infomaniak.com",
            domains="ik.me ikmail.com etik.com", exchangers=("infomaniak.ch", "infomaniak.com")),
    _preset("orange", "Orange", "smtp.orange.fr", "imap.orange.fr", domains="orange.fr wanadoo.fr"),
    _preset("free", "Free", "smtp.free.fr", "imap.free.fr", domains="free.fr", username="local"),
    _preset("laposte", "La Poste", "smtp.laposte.net", "imap.laposte.net", domains="laposte.net"),
    _preset("sfr", "SFR", "smtp.sfr.fr", "imap.sfr.fr", domains="sfr.fr neuf.fr cegetel.net"),
    _preset("bluewin", "Bluewin", "smtpauths.bluewin.ch", "imaps.bluewin.ch", domains="bluewin.ch"),
    # The rest of Europe
    _preset("zoho-eu", "Zoho (EU)", "smtp.zoho.eu", "imap.zoho.eu", domains="zoho.eu zohomail.eu",
            exchangers=("zoho.eu",), app_password=True),
    _ionos("fr", "ionos.fr 1and1.fr"),
    _ionos("de", "ionos.de 1und1.de online.de"),
    _ionos("es", "ionos.es"),
    _ionos("it", "ionos.it"),
    _ionos("co.uk", "ionos.co.uk"),
    _ionos("com", "ionos.com"),
    _preset("strato", "Strato", "smtp.strato.de", "imap.strato.de", exchangers=("rzone.de",)),
    _preset("hetzner", "Hetzner", "mail.your-server.de", "mail.your-server.de", exchangers=("your-server.de",)),
    _preset("mailbox-org", "mailbox.org", "smtp.mailbox.org", "imap.mailbox.org", domains="mailbox.org",
            exchangers=("mailbox.org",)),
    _preset("posteo", "Posteo", "posteo.de", "posteo.de", domains="posteo.de posteo.net posteo.eu"),
    _preset("gmx-net", "GMX", "mail.gmx.net", "imap.gmx.net", port=587, domains="gmx.de gmx.net gmx.at gmx.ch gmx.org"),
    _preset("gmx-com", "GMX", "mail.gmx.com", "imap.gmx.com", port=587,
            domains="gmx.com gmx.fr gmx.co.uk gmx.es gmx.it gmx.pt gmx.us gmx.ie gmx.li"),
    _preset("web-de", "WEB.DE", "smtp.web.de", "imap.web.de", port=587, domains="web.de"),
    _preset("t-online", "Telekom", "securesmtp.t-online.de", "secureimap.t-online.de", domains="t-online.de"),
    _preset("freenet", "freenet", "mx.freenet.de", "mx.freenet.de", domains="freenet.de"),
    _preset("aruba", "Aruba", "smtps.aruba.it", "imaps.aruba.it", domains="aruba.it", exchangers=("aruba.it",)),
    _preset("libero", "Libero", "smtp.libero.it", "imapmail.libero.it", domains="libero.it"),
    _preset("loopia", "Loopia", "mailcluster.loopia.se", "mailcluster.loopia.se", exchangers=("loopia.se",)),
    _preset("one-com", "one.com", "send.one.com", "imap.one.com", exchangers=("one.com",)),
    _preset("migadu", "Migadu", "smtp.migadu.com", "imap.migadu.com", domains="migadu.com", exchangers=("migadu.com",)),
    _preset("mailfence", "Mailfence", "smtp.mailfence.com", "imap.mailfence.com", domains="mailfence.com",
            exchangers=("mailfence.com",)),
    _preset("runbox", "Runbox", "mail.runbox.com", "mail.runbox.com", domains="runbox.com", exchangers=("runbox.com",)),
    _preset("hostinger", "Hostinger", "smtp.hostinger.com", "imap.hostinger.com", exchangers=("hostinger.com",)),
    _preset("titan", "Titan", "smtp.titan.email", "imap.titan.email", exchangers=("titan.email",)),
    # The United States
    _preset("zoho-com", "Zoho", "smtp.zoho.com", "imap.zoho.com", domains="zoho.com zohomail.com",
            exchangers=("zoho.com",), app_password=True),
    _preset("fastmail", "Fastmail", "smtp.fastmail.com", "imap.fastmail.com",
            domains="fastmail.com fastmail.fm fastmail.net", exchangers=("messagingengine.com",), app_password=True),
    _preset("icloud", "iCloud", "smtp.mail.me.com", "imap.mail.me.com", port=587, domains="icloud.com me.com mac.com",
            exchangers=("mail.icloud.com",), app_password=True),
    _preset("yahoo", "Yahoo", "smtp.mail.yahoo.com", "imap.mail.yahoo.com",
            domains="yahoo.com yahoo.fr yahoo.de yahoo.co.uk yahoo.es yahoo.it ymail.com rocketmail.com",
            exchangers=("yahoodns.net",), app_password=True),
    _preset("aol", "AOL", "smtp.aol.com", "imap.aol.com", domains="aol.com aol.fr aol.de verizon.net",
            app_password=True),
    _preset("namecheap", "Namecheap Private Email", "mail.privateemail.com", "mail.privateemail.com",
            exchangers=("privateemail.com",)),
    _preset("rackspace", "Rackspace", "secure.emailsrvr.com", "secure.emailsrvr.com", exchangers=("emailsrvr.com",)),
    _preset("godaddy", "GoDaddy", "smtpout.secureserver.net", "imap.secureserver.net",
            exchangers=("secureserver.net",)),
    _preset("dreamhost", "DreamHost", "smtp.dreamhost.com", "imap.dreamhost.com", exchangers=("dreamhost.com",)),
    _workmail("us-east-1"),
    _workmail("us-west-2"),
    _workmail("eu-west-1"),
    _preset("gmail", "Gmail", "smtp.gmail.com", "imap.gmail.com", port=587, domains="gmail.com googlemail.com",
            exchangers=("google.com", "googlemail.com"), app_password=True, oauth="google"),
    _preset("outlook", "Outlook.com", "smtp-mail.outlook.com", "outlook.office365.com", port=587,
            domains="outlook.com outlook.fr outlook.de hotmail.com hotmail.fr hotmail.co.uk live.com live.fr msn.com",
            app_password=True, oauth="microsoft"),
    _preset("microsoft-365", "Microsoft 365", "smtp.office365.com", "outlook.office365.com", port=587,
            exchangers=("mail.protection.outlook.com",), oauth="microsoft"),
    # Beside the user
    Preset("proton-bridge", "Proton Mail Bridge", Endpoint("127.0.0.1", 1025, "starttls"),
           Endpoint("127.0.0.1", 1143, "starttls"),
           frozenset({"proton.me", "protonmail.com", "protonmail.ch", "pm.me"}), ("protonmail.ch",), local=True,
           app_password=True),
)  # fmt: skip
