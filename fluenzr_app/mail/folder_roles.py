"""Which folder is the junk, the sent mail and so on: by what the server says (RFC 6154), else by name.

Servers without special uses leave each mail program to make its own folders in its user's language.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from fluenzr_app.mail.imap_answers import Listed
from fluenzr_app.mail.mailbox import Folder, Role

_BY_USE: dict[str, Role] = {
    "junk": "junk",
    "sent": "sent",
    "drafts": "drafts",
    "trash": "trash",
    "archive": "archive",
    "all": "archive",
    # What Google said before RFC 6154.
    "spam": "junk",
}
_CANNOT_OPEN = frozenset({"noselect", "nonexistent"})
_UNDER = frozenset({"inbox", "[gmail]", "[google mail]"})

# English, French, German, Spanish, Italian; without accents and in small letters, the likeliest first.
_NAMES: dict[Role, tuple[str, ...]] = {
    "junk": (
        "junk", "spam", "junk e-mail", "junk email", "junk mail", "bulk mail", "bulk",
        "courrier indesirable", "indesirables", "pourriel", "pourriels",
        "junk-e-mail", "spamverdacht", "unerwunscht",
        "correo no deseado", "correo basura", "posta indesiderata", "indesiderata",
    ),
    "sent": (
        "sent", "sent items", "sent mail", "sent messages", "outbox-sent",
        "elements envoyes", "messages envoyes", "envoyes", "objets envoyes", "courrier envoye",
        "gesendet", "gesendete objekte", "gesendete elemente", "gesendete nachrichten",
        "enviados", "elementos enviados", "mensajes enviados", "correo enviado",
        "inviati", "posta inviata", "messaggi inviati", "inviata",
    ),
    "drafts": ("drafts", "draft", "brouillons", "brouillon", "entwurfe", "borradores", "bozze"),
    "trash": (
        "trash", "deleted items", "deleted messages", "deleted", "bin",
        "corbeille", "elements supprimes", "messages supprimes", "papierkorb", "geloschte objekte",
        "geloschte elemente", "papelera", "elementos eliminados", "cestino", "posta eliminata",
    ),
    "archive": (
        "archive", "archives", "all mail", "tous les messages", "archiv", "alle nachrichten",
        "archivo", "todos", "archivio", "tutti i messaggi",
    ),
}  # fmt: skip


def with_roles(found: Iterable[Listed]) -> tuple[Folder, ...]:
    """The folders that can be opened with their roles, the inbox first; each role but `other` once at most."""
    folders = [each for each in found if not each.attributes & _CANNOT_OPEN]
    roles: dict[str, Role] = {each.name: "inbox" for each in folders if each.name.upper() == "INBOX"}
    taken: set[Role] = {"inbox"}
    for each in folders:
        role = next((_BY_USE[use] for use in sorted(each.attributes) if use in _BY_USE), None)
        if role is not None and role not in taken and each.name not in roles:
            roles[each.name] = role
            taken.add(role)
    for role, names in _NAMES.items():
        best = _best_named(folders, names) if role not in taken else None
        if best is not None and best.name not in roles:
            roles[best.name] = role
    chosen = {each.name: Folder(each.name, roles.get(each.name, "other")) for each in folders}
    return tuple(sorted(chosen.values(), key=lambda folder: folder.role != "inbox"))


def _best_named(folders: Sequence[Listed], names: tuple[str, ...]) -> Listed | None:
    ranked = [(names.index(plain), each.name, each) for each in folders if (plain := _plain_name(each)) in names]
    return min(ranked, key=lambda row: row[:2])[2] if ranked else None


def _plain_name(folder: Listed) -> str:
    """The name as it is compared; empty for one that lies deeper than a mail program would put it."""
    name = unicodedata.normalize("NFKD", folder.name)
    plain = "".join(letter for letter in name if not unicodedata.combining(letter)).casefold().replace("’", "'")
    if not folder.delimiter:
        return plain
    parent, _, last = plain.rpartition(folder.delimiter)
    return last if not parent or parent in _UNDER else ""
