"""What a password must be, and checking one without telling whether the user exists."""

import secrets
import string
from functools import cache

from fluenzr_app.crypto import hash_password, verify_password
from fluenzr_app.workspaces.errors import PasswordRefused

MINIMUM = 12
MAXIMUM = 1024
_LETTERS = "".join(sorted(set(string.ascii_letters + string.digits) - set("0O1lI")))


def check_password(password: str, *, email: str = "") -> None:
    """Raise PasswordRefused (`too_short`, `too_long`, `too_simple`) unless the password may be used.

    Length is what counts (NIST SP 800-63B, 3.1.1.2): no rules about kinds of characters.
    """
    limits = {"minimum": MINIMUM, "maximum": MAXIMUM}
    if len(password) < MINIMUM:
        raise PasswordRefused("password_too_short", f"A password has at least {MINIMUM} characters.", **limits)
    if len(password) > MAXIMUM:
        raise PasswordRefused("password_too_long", f"A password has at most {MAXIMUM} characters.", **limits)
    lowered = password.strip().casefold()
    if len(set(lowered)) < 4 or lowered == email.strip().casefold():
        raise PasswordRefused("password_too_simple", "This password is too easy to guess.", **limits)


def generate_password() -> str:
    """Return a random password that can be read out: 20 characters, about 115 bits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(20))


def password_matches(password: str, hashed: str | None) -> bool:
    """Return whether `password` is the hashed one; without a hash (unknown user) it takes as long and returns False."""
    if len(password) > MAXIMUM:
        # Checked for its time only: a megabyte must not cost more than a wrong password.
        password, hashed = password[:MAXIMUM], None
    matches = verify_password(password, hashed or _nobodys_hash())
    return matches and hashed is not None


@cache
def _nobodys_hash() -> str:
    return hash_password(secrets.token_urlsafe(32))
