"""Each error code of an account in words, with what mends it: for pages, answers and diagnoses.

French carries its own signs already (design/README.md, Words): ’ for the apostrophe, no sign that asks for a space.
"""

from dataclasses import dataclass
from typing import Literal

Lang = Literal["fr", "en"]
# What the user can do: enter the password again, change server, port or encryption, try again, ask the provider,
# lower the pace, or nothing, because it goes on by itself.
Act = Literal["reconnect", "edit_servers", "retry", "ask_provider", "lower_limits", "wait"]


@dataclass(frozen=True, slots=True)
class ErrorWords:
    """What happened and what to do, in both languages, and the act that the mend button stands for."""

    act: Act
    fr: str
    en: str
    mend_fr: str
    mend_en: str

    def what(self, lang: Lang) -> str:
        """Return what happened."""
        return self.fr if lang == "fr" else self.en

    def mend(self, lang: Lang) -> str:
        """Return what to do."""
        return self.mend_fr if lang == "fr" else self.mend_en


WORDS: dict[str, ErrorWords] = {
    "auth_failed": ErrorWords(
        "reconnect",
        "Le serveur refuse le nom d’utilisateur ou le mot de passe.",
        "The server refuses the user name or the password.",
        "Saisissez le mot de passe à nouveau. Chez la plupart des hébergeurs, le nom d’utilisateur est l’adresse "
        "complète.",
        "Enter the password again. With most hosts the user name is the whole address.",
    ),
    "app_password_required": ErrorWords(
        "reconnect",
        "Le fournisseur demande un mot de passe d’application.",
        "The provider asks for an app password.",
        "Créez un mot de passe d’application dans les réglages de sécurité de cette boîte, puis saisissez-le ici.",
        "Create an app password in the security settings of this mailbox, then enter it here.",
    ),
    "token_expired": ErrorWords(
        "reconnect",
        "L’autorisation de connexion a expiré.",
        "The permission to sign in has expired.",
        "Reconnectez le compte. Il garde son historique et sa file.",
        "Reconnect the account. It keeps its history and its queue.",
    ),
    "consent_revoked": ErrorWords(
        "reconnect",
        "L’accès à cette boîte a été retiré.",
        "Access to this mailbox was withdrawn.",
        "Reconnectez le compte et acceptez à nouveau l’accès.",
        "Reconnect the account and allow access again.",
    ),
    "admin_consent_required": ErrorWords(
        "ask_provider",
        "L’administrateur de votre organisation doit autoriser FluenzR.",
        "Your organisation’s administrator must allow FluenzR.",
        "Demandez cette autorisation à votre administrateur, puis reconnectez le compte.",
        "Ask your administrator for this permission, then reconnect the account.",
    ),
    "dns_failure": ErrorWords(
        "edit_servers",
        "Le nom du serveur d’envoi est introuvable.",
        "The name of the outgoing server cannot be found.",
        "Vérifiez le nom du serveur. S’il est juste, le réseau ou le DNS de cette machine ne répond pas.",
        "Check the server’s name. If it is right, the network or the DNS of this machine does not answer.",
    ),
    "connection_refused": ErrorWords(
        "edit_servers",
        "Le serveur refuse la connexion sur ce port.",
        "The server refuses connections on this port.",
        "Vérifiez le port, 587 pour STARTTLS ou 465 pour SSL/TLS. Un pare-feu peut aussi bloquer la sortie.",
        "Check the port, 587 for STARTTLS or 465 for SSL/TLS. A firewall may also block the way out.",
    ),
    "timeout": ErrorWords(
        "edit_servers",
        "Le serveur ne répond pas.",
        "The server does not answer.",
        "Vérifiez le serveur et le port. Beaucoup d’hébergeurs de machines bloquent le port 25, parfois le 587.",
        "Check the server and the port. Many machine hosts block port 25, some of them 587.",
    ),
    "tls_certificate_invalid": ErrorWords(
        "edit_servers",
        "Le certificat du serveur n’est pas valable pour ce nom.",
        "The server’s certificate is not valid for this name.",
        "Employez le nom de serveur que donne l’hébergeur. Si le serveur est le vôtre, renouvelez son certificat.",
        "Use the server name that the host gives. If the server is yours, renew its certificate.",
    ),
    "tls_mode_mismatch": ErrorWords(
        "edit_servers",
        "Le port et le chiffrement ne vont pas ensemble.",
        "The port and the encryption do not belong together.",
        "Prenez STARTTLS avec le port 587, ou SSL/TLS avec le port 465.",
        "Take STARTTLS with port 587, or SSL/TLS with port 465.",
    ),
    "quota_exceeded": ErrorWords(
        "wait",
        "Le quota d’envoi du fournisseur est atteint.",
        "The provider’s sending quota is used up.",
        "Rien à faire, l’envoi reprend de lui-même après 24 h. Baissez la limite du jour si cela revient.",
        "Nothing to do, sending goes on by itself after 24 h. Lower the daily limit if this comes back.",
    ),
    "rate_limited": ErrorWords(
        "lower_limits",
        "Le fournisseur demande de ralentir.",
        "The provider asks to slow down.",
        "L’envoi reprend de lui-même, plus lentement. Allongez l’écart entre deux envois si cela revient.",
        "Sending goes on by itself, more slowly. Widen the gap between two sends if this comes back.",
    ),
    "sender_refused": ErrorWords(
        "edit_servers",
        "Le serveur ne laisse pas ce compte écrire au nom de cette adresse.",
        "The server does not let this account write in the name of this address.",
        "Connectez-vous avec l’adresse d’envoi elle-même, ou ajoutez-la comme alias chez l’hébergeur.",
        "Sign in with the sending address itself, or add it as an alias with the host.",
    ),
    "blocked_by_policy": ErrorWords(
        "ask_provider",
        "Le fournisseur bloque les envois de ce compte.",
        "The provider blocks this account’s sending.",
        "Ouvrez la boîte chez le fournisseur, levez le blocage, puis reprenez l’envoi ici.",
        "Open the mailbox with the provider, lift the block there, then resume sending here.",
    ),
    "private_network_refused": ErrorWords(
        "edit_servers",
        "Ce serveur se trouve sur un réseau privé, ce que cette installation refuse.",
        "This server is on a private network, which this installation refuses.",
        "Employez un serveur public, ou demandez à l’administrateur de l’installation d’autoriser les réseaux privés.",
        "Use a public server, or ask the installation’s operator to allow private networks.",
    ),
}

_UNNAMED = ErrorWords(
    "retry",
    "L’envoi a échoué sans raison connue.",
    "Sending failed for no known reason.",
    "Testez la connexion de ce compte, chaque étape dira ce qui ne va pas.",
    "Test the connection of this account, each step will say what is wrong.",
)


def words_for(code: str | None) -> ErrorWords:
    """Return the words for an error code, general ones for a code that has none."""
    return WORDS.get(code or "", _UNNAMED)
