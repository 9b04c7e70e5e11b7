"""Why a mailbox cannot be read, in words, with what mends it: for the pages, answers and diagnoses.

Codes are `mail.mailbox.MailboxCode`. French carries its own signs already, as in `words`.
"""

from fluenzr_app.accounts.words import WORDS, ErrorWords

# What is the same whichever way mail goes is told in `words`; the rest speaks of the incoming server.
MAILBOX_WORDS: dict[str, ErrorWords] = {
    **{code: WORDS[code] for code in ("token_expired", "consent_revoked", "admin_consent_required", "auth_failed",
                                      "app_password_required", "tls_certificate_invalid")},
    "dns_failure": ErrorWords(
        "edit_servers",
        "Le nom du serveur de réception est introuvable.",
        "The name of the incoming server cannot be found.",
        "Vérifiez le nom du serveur. S’il est juste, le réseau ou le DNS de cette machine ne répond pas.",
        "Check the server’s name. If it is right, the network or the DNS of this machine does not answer.",
    ),
    "connection_refused": ErrorWords(
        "edit_servers",
        "Le serveur de réception refuse la connexion sur ce port.",
        "The incoming server refuses connections on this port.",
        "Vérifiez le port, 993 pour SSL/TLS ou 143 pour STARTTLS. Il se peut aussi que l’hébergeur ait fermé IMAP.",
        "Check the port, 993 for SSL/TLS or 143 for STARTTLS. The host may also have switched IMAP off.",
    ),
    "timeout": ErrorWords(
        "edit_servers",
        "Le serveur de réception ne répond pas.",
        "The incoming server does not answer.",
        "Un nouvel essai a lieu de lui-même. Si cela dure, vérifiez le serveur et le port.",
        "It is tried again by itself. If this lasts, check the server and the port.",
    ),
    "tls_mode_mismatch": ErrorWords(
        "edit_servers",
        "Le port de réception et le chiffrement ne vont pas ensemble.",
        "The incoming port and the encryption do not belong together.",
        "Prenez SSL/TLS avec le port 993, ou STARTTLS avec le port 143.",
        "Take SSL/TLS with port 993, or STARTTLS with port 143.",
    ),
    "quota_exceeded": ErrorWords(
        "ask_provider",
        "La boîte est pleine.",
        "The mailbox is full.",
        "Faites de la place dans la boîte, les réponses de vos contacts y reviennent peut-être à l’envoyeur.",
        "Make room in the mailbox, your contacts’ answers may be returned to them.",
    ),
    "rate_limited": ErrorWords(
        "wait",
        "Le fournisseur demande de se connecter moins souvent à la boîte.",
        "The provider asks to connect to the mailbox less often.",
        "La lecture reprend d’elle-même. Fermez les programmes de messagerie ouverts en trop si cela revient.",
        "Reading goes on by itself. Close mail programs that need not be open if this comes back.",
    ),
    "sender_refused": ErrorWords(
        "edit_servers",
        "Le serveur de réception n’ouvre pas la boîte de cette adresse avec ce nom d’utilisateur.",
        "The incoming server does not open this address’s mailbox for this user name.",
        "Connectez-vous avec l’adresse elle-même comme nom d’utilisateur.",
        "Sign in with the address itself as the user name.",
    ),
    "blocked_by_policy": ErrorWords(
        "ask_provider",
        "Le fournisseur bloque l’accès IMAP à cette boîte.",
        "The provider blocks IMAP access to this mailbox.",
        "Autorisez IMAP dans les réglages de la boîte chez le fournisseur, puis testez ici.",
        "Allow IMAP in the mailbox’s settings with the provider, then test here.",
    ),
    "disconnected": ErrorWords(
        "wait",
        "Le serveur de réception a coupé la connexion.",
        "The incoming server closed the connection.",
        "Un nouvel essai a lieu de lui-même, en moins de dix minutes.",
        "It is tried again by itself, within ten minutes.",
    ),
    "protocol": ErrorWords(
        "edit_servers",
        "Ce que répond le serveur de réception est incompréhensible.",
        "What the incoming server answers cannot be understood.",
        "Vérifiez que ce serveur et ce port sont bien ceux d’IMAP.",
        "Check that this server and port are those of IMAP.",
    ),
    "folder_missing": ErrorWords(
        "ask_provider",
        "La boîte n’a pas de dossier de réception lisible.",
        "The mailbox has no inbox that can be opened.",
        "Ouvrez la boîte chez le fournisseur et vérifiez qu’IMAP y donne accès à la boîte de réception.",
        "Open the mailbox with the provider and check that IMAP gives access to the inbox.",
    ),
    "message_gone": ErrorWords(
        "wait",
        "Un message a disparu de la boîte pendant sa lecture.",
        "A message disappeared from the mailbox while it was read.",
        "Rien à faire, la lecture reprend d’elle-même.",
        "Nothing to do, reading goes on by itself.",
    ),
    "refused": ErrorWords(
        "wait",
        "Le serveur de réception a refusé une demande de lecture.",
        "The incoming server refused to let something be read.",
        "Un nouvel essai a lieu de lui-même. Si cela dure, testez la connexion de ce compte.",
        "It is tried again by itself. If this lasts, test the connection of this account.",
    ),
}  # fmt: skip

_UNNAMED = ErrorWords(
    "retry",
    "La boîte ne peut pas être lue, sans raison connue.",
    "The mailbox cannot be read for no known reason.",
    "Testez la connexion de ce compte, chaque étape dira ce qui ne va pas.",
    "Test the connection of this account, each step will say what is wrong.",
)


def mailbox_words(code: str | None) -> ErrorWords:
    """Return the words for a mailbox that fails with this code, general ones for a code that has none."""
    return MAILBOX_WORDS.get(code or "", _UNNAMED)
