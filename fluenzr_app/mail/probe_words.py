"""What the probe says, in English and in French. Keys are stable; a catalogue may override the sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Value = str | int


@dataclass(frozen=True, slots=True)
class Words:
    """One sentence in both languages."""

    en: str
    fr: str


def say(key: str, params: Mapping[str, Value]) -> Words:
    """The sentence of a key with its parameters filled in. KeyError for a key that is not in the table."""
    english, french = _SENTENCES[key]
    return Words(english.format_map(dict(params)), french.format_map(dict(params)))


def all_keys() -> frozenset[str]:
    """All keys, for catalogues and their tests."""
    return frozenset(_SENTENCES)


_SENTENCES: dict[str, tuple[str, str]] = {
    # Titles of the stages
    "title_name": ("Server name", "Nom du serveur"),
    "title_port": ("Port", "Port"),
    "title_tls": ("TLS encryption", "Chiffrement TLS"),
    "title_login": ("Sign-in", "Connexion"),
    "title_sender": ("Sender accepted", "Expéditeur accepté"),
    "title_message": ("Test message", "Message test"),
    "title_imap_connect": ("Incoming server", "Serveur de réception"),
    "title_imap_tls": ("Incoming server: encryption", "Serveur de réception : chiffrement"),
    "title_imap_login": ("Incoming server: sign-in", "Serveur de réception : connexion"),
    # What a stage will do
    "waiting_name": ("where the server is found", "l’adresse du serveur"),
    "waiting_port": ("whether the server can be reached", "le serveur est-il joignable"),
    "waiting_tls": ("encryption and certificate", "chiffrement et certificat"),
    "waiting_login": ("user name and password", "nom d’utilisateur et mot de passe"),
    "waiting_sender": ("the server lets this address write", "le serveur laisse écrire au nom de cette adresse"),
    "waiting_message": ("one message sent to yourself", "un message envoyé à vous-même"),
    "waiting_imap_connect": ("whether the server for answers can be reached",
                             "le serveur des réponses est-il joignable"),
    "waiting_imap_tls": ("encryption and certificate", "chiffrement et certificat"),
    "waiting_imap_login": ("user name and password", "nom d’utilisateur et mot de passe"),
    # What went well
    "name_ok": ("{host} answers", "{host} répond"),
    "port_ok": ("{port} open, no firewall in the way", "{port} ouvert, aucun pare-feu sur le chemin"),
    "tls_ok": ("{version}, valid certificate for {host}", "{version}, certificat valable pour {host}"),
    "tls_off": (
        "Not encrypted, as set: password and mails travel in the clear.",
        "Sans chiffrement, comme demandé : mot de passe et messages circulent en clair.",
    ),
    "login_ok": ("Signed in as {username}", "Connecté en tant que {username}"),
    "login_off": ("No user name given: the server is used without sign-in.",
                  "Aucun nom d’utilisateur : le serveur est utilisé sans connexion."),
    "sender_ok": ("The server lets {email} write.", "Le serveur laisse écrire au nom de {email}."),
    "message_ok": ("Accepted; look into the inbox of {email}.", "Accepté ; regardez la boîte de réception de {email}."),
    "message_off": ("Not asked for.", "Non demandé."),
    "imap_connect_ok": ("{host} answers on port {port}", "{host} répond sur le port {port}"),
    "imap_login_ok": ("Signed in, the inbox opens", "Connecté, la boîte de réception s’ouvre"),
    # Name
    "name_unknown": ("No server bears the name {host}.", "Aucun serveur ne porte le nom {host}."),
    "name_server_silent": (
        "The name server did not answer: nothing is known about {host} for now.",
        "Le serveur de noms n’a pas répondu : on ne sait rien de {host} pour l’instant.",
    ),
    "private_address": (
        "{host} is on a private network, which this installation does not allow.",
        "{host} se trouve sur un réseau privé, ce que cette installation n’autorise pas.",
    ),
    # Port
    "refused": ("{host} is there, but nothing listens on port {port}.",
                "{host} est là, mais rien n’écoute sur le port {port}."),
    "port_silent": (
        "No answer from {host} on port {port}: a firewall on the way drops the connection.",
        "Aucune réponse de {host} sur le port {port} : un pare-feu bloque la connexion en chemin.",
    ),
    "unreachable": ("There is no way to {host} from here.", "Aucune route vers {host} depuis cette machine."),
    # Encryption
    "expects_tls_at_once": (
        "The server expects SSL/TLS from the start on port {port}; STARTTLS is not used there.",
        "Le serveur attend du SSL/TLS dès l’ouverture sur le port {port} ; STARTTLS ne s’y emploie pas.",
    ),
    "plain_where_tls_expected": (
        "The server greets in the clear on port {port}; encryption starts afterwards, with STARTTLS.",
        "Le serveur salue en clair sur le port {port} ; le chiffrement vient ensuite, par STARTTLS.",
    ),
    "starttls_missing": ("The server offers no STARTTLS on port {port}.",
                         "Le serveur ne propose pas STARTTLS sur le port {port}."),
    "certificate_expired": ("The server’s certificate is out of date.", "Le certificat du serveur est périmé."),
    "certificate_self_signed": (
        "The server signed its certificate itself: nobody vouches for it.",
        "Le serveur a signé lui-même son certificat : personne ne s’en porte garant.",
    ),
    "certificate_other_host": (
        "The certificate is made out to {names}, not to {host}.",
        "Le certificat est établi pour {names}, pas pour {host}.",
    ),
    "certificate_untrusted": (
        "The certificate comes from an authority that this machine does not know.",
        "Le certificat vient d’une autorité que cette machine ne connaît pas.",
    ),
    "tls_too_old": ("The server and this program share no way to encrypt.",
                    "Le serveur et ce programme n’ont aucun chiffrement en commun."),
    "not_smtp": ("What answers on port {port} is not an outgoing mail server.",
                 "Ce qui répond sur le port {port} n’est pas un serveur d’envoi."),
    "not_imap": ("What answers on port {port} is not an IMAP server.",
                 "Ce qui répond sur le port {port} n’est pas un serveur IMAP."),
    "silent": ("The server opens the connection and then says nothing.",
               "Le serveur ouvre la connexion puis ne dit plus rien."),
    "disconnected": ("The server closed the connection.", "Le serveur a fermé la connexion."),
    "client_blocked": ("The server refuses this machine’s address.",
                       "Le serveur refuse l’adresse de cette machine."),
    # Sign-in
    "bad_credentials": ("The server refuses user name or password.",
                        "Le serveur refuse le nom d’utilisateur ou le mot de passe."),
    "app_password": ("The server wants an app password instead of the usual one.",
                     "Le serveur demande un mot de passe d’application à la place du mot de passe habituel."),
    "auth_disabled": ("The provider has switched off sign-in by password for this mailbox.",
                      "Le fournisseur a désactivé la connexion par mot de passe pour cette boîte."),
    "auth_only_encrypted": ("The server takes a password only over an encrypted connection.",
                            "Le serveur n’accepte un mot de passe que sur une connexion chiffrée."),
    "auth_missing": ("The server offers no sign-in on port {port}.",
                     "Le serveur ne propose pas de connexion sur le port {port}."),
    "auth_method_unknown": ("The server takes no password, only other ways to sign in.",
                            "Le serveur n’accepte aucun mot de passe, seulement d’autres moyens de connexion."),
    "rate": ("The server asks to wait: too many tries in a short time.",
             "Le serveur demande de patienter : trop d’essais en peu de temps."),
    "account_blocked": ("The provider has blocked this mailbox.", "Le fournisseur a bloqué cette boîte."),
    "token_expired": ("The access that the provider had granted has expired.",
                      "L’accès accordé par le fournisseur a expiré."),
    "auth_refused": ("The server refuses the sign-in.", "Le serveur refuse la connexion."),
    # Sender and message
    "sender_refused": ("The server does not let {email} write with this sign-in.",
                       "Le serveur ne laisse pas écrire au nom de {email} avec cette connexion."),
    "relay_denied": ("The server takes mail for its own addresses only.",
                     "Le serveur n’accepte que les messages pour ses propres adresses."),
    "unknown_user": ("The server knows no mailbox {email}.", "Le serveur ne connaît pas de boîte {email}."),
    "daily_quota": ("The daily quota of this mailbox is used up.", "Le quota quotidien de cette boîte est épuisé."),
    "message_refused": ("The server refuses the test message.", "Le serveur refuse le message test."),
    "message_uncertain": (
        "The test message was handed over, but no answer came: look whether it arrived.",
        "Le message test a été remis, mais aucune réponse n’est venue : vérifiez s’il est arrivé.",
    ),
    "server_trouble": ("The server has trouble of its own for now.", "Le serveur a lui-même un problème en ce moment."),
    "refused_otherwise": ("The server refuses to go on.", "Le serveur refuse de continuer."),
    "time_over": ("The test was broken off after {seconds} s.", "Le test a été interrompu après {seconds} s."),
    # Mends
    "mend_host": ("use {host}", "utiliser {host}"),
    "mend_preset": ("use {host} on port {port} with {mode}, the settings of {provider}",
                    "utiliser {host}, port {port} avec {mode} : les réglages de {provider}"),
    "mend_port": ("use port {port} with {mode}, which answers", "utiliser le port {port} avec {mode}, qui répond"),
    "mend_ssl": ("keep port {port} and switch to SSL/TLS", "garder le port {port} et passer en SSL/TLS"),
    "mend_starttls": ("keep port {port} and switch to STARTTLS", "garder le port {port} et passer en STARTTLS"),
    "mend_no_encryption_here": (
        "switch encryption off: the server runs on this very machine and nothing leaves it",
        "se passer de chiffrement : le serveur tourne sur cette machine et rien n’en sort",
    ),
    "mend_check_name": ("check the spelling with your provider", "vérifier l’orthographe auprès de votre hébergeur"),
    "mend_try_later": ("try again in a few minutes", "réessayer dans quelques minutes"),
    "mend_allow_private": (
        "ask the administrator of this installation to allow private networks",
        "demander à l’administrateur de cette installation d’autoriser les réseaux privés",
    ),
    "mend_firewall": (
        "open outgoing port {port} in the firewall; the host of this machine may block it",
        "ouvrir le port sortant {port} dans le pare-feu ; l’hébergeur de cette machine le bloque peut-être",
    ),
    "mend_check_port": ("check the port with your provider", "vérifier le port auprès de votre hébergeur"),
    "mend_certificate_renew": ("ask your provider to renew the certificate",
                               "demander à votre hébergeur de renouveler le certificat"),
    "mend_certificate_trust": (
        "add the authority of this server to the file named by SSL_CERT_FILE, or ask for a public certificate",
        "ajouter l’autorité de ce serveur au fichier désigné par SSL_CERT_FILE, ou demander un certificat public",
    ),
    "mend_username": ("use the whole address {username} as user name",
                      "utiliser l’adresse complète {username} comme nom d’utilisateur"),
    "mend_username_local": ("use only {username}, the part before the @, as user name",
                            "utiliser seulement {username}, la partie avant le @, comme nom d’utilisateur"),
    "mend_app_password": (
        "make an app password in the security settings of your mailbox and enter it here",
        "créer un mot de passe d’application dans les réglages de sécurité de votre boîte et le saisir ici",
    ),
    "mend_password": ("type the password again, or set a new one with your provider",
                      "ressaisir le mot de passe, ou en définir un nouveau chez votre hébergeur"),
    "mend_oauth_google": ("connect this mailbox with the Google button", "connecter cette boîte par le bouton Google"),
    "mend_oauth_microsoft": ("connect this mailbox with the Microsoft button",
                             "connecter cette boîte par le bouton Microsoft"),
    "mend_sender": ("use {email}, the address of the mailbox you sign in to",
                    "utiliser {email}, l’adresse de la boîte à laquelle vous vous connectez"),
    "mend_allow_sender": ("allow {email} as a sender with your provider",
                          "autoriser {email} comme expéditeur chez votre hébergeur"),
    "mend_wait": ("wait {minutes} min, then test again", "attendre {minutes} min, puis relancer le test"),
    "mend_ask_provider": ("show your provider the server’s words below",
                          "montrer à votre hébergeur les mots du serveur ci-dessous"),
    "mend_look_in_inbox": ("look into the inbox, then go on or test again",
                           "regarder la boîte de réception, puis continuer ou relancer le test"),
}  # fmt: skip
