"""Sealing of secrets, derived keys, signed tokens and password hashes.

Secrets leave this module only as values in flight; tables hold what `seal` returns.
"""

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from fluenzr_app.settings import Settings

KEY_FILE = "secret.key"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_SEAL_FORMAT = 1
_passwords = PasswordHash((Argon2Hasher(),))


class CryptoError(Exception):
    """Something sealed or signed cannot be used."""


class BadToken(CryptoError):
    """A signed token is malformed or was not signed by this installation."""


class CannotOpen(CryptoError):
    """A secret cannot be opened: it was sealed with another key, or belongs to another row."""


class KeyFileError(CryptoError):
    """The key file is missing, unreadable or open to other users of the machine."""


class KeyRing:
    """The master key and what is derived from it, one key for each purpose (accounts.md, Secrets)."""

    def __init__(self, master: bytes) -> None:
        if len(master) < 32:
            raise KeyFileError("the master key is shorter than 32 bytes")
        self._master = master
        self._derived: dict[str, bytes] = {}
        self._aead: AESGCM | None = None
        self._closing: dict[str, AESSIV] = {}

    @classmethod
    def load(cls, settings: Settings) -> "KeyRing":
        """Return the key ring of this installation, making the key file on first start.

        Raises KeyFileError when the file can be read by other users or holds no key.
        """
        if settings.secret_key is not None:
            return cls(settings.secret_key.encode())
        return cls(_read_or_make_key(settings.data_dir))

    def derive(self, purpose: str) -> bytes:
        """Return the 32-byte key for `purpose`, the same at every call (HKDF-SHA256, RFC 5869)."""
        if purpose not in self._derived:
            hkdf = HKDF(algorithm=SHA256(), length=32, salt=b"fluenzr", info=purpose.encode())
            self._derived[purpose] = hkdf.derive(self._master)
        return self._derived[purpose]

    def seal(self, plaintext: bytes, *, associated: str) -> bytes:
        """Return `plaintext` encrypted with AES-256-GCM and bound to `associated` (row, workspace, kind)."""
        nonce = os.urandom(_NONCE_BYTES)
        return bytes([_SEAL_FORMAT]) + nonce + self._cipher().encrypt(nonce, plaintext, associated.encode())

    def open(self, sealed: bytes, *, associated: str) -> bytes:
        """Return what was sealed; raises CannotOpen for another key, another row or damaged bytes."""
        if len(sealed) < 1 + _NONCE_BYTES + _TAG_BYTES or sealed[0] != _SEAL_FORMAT:
            raise CannotOpen("a stored secret is damaged; enter it again")
        nonce, ciphertext = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._cipher().decrypt(nonce, ciphertext, associated.encode())
        except InvalidTag:
            raise CannotOpen(
                "a stored secret was sealed with another key; restore that key or enter it again"
            ) from None

    def sign(self, purpose: str, payload: bytes) -> str:
        """Return a URL-safe token that carries `payload` and its HMAC-SHA256 under the purpose's key.

        Tokens never expire by themselves: an unsubscribe link must work for ever (accounts.md, Secrets).
        """
        mac = hmac.digest(self.derive(purpose), payload, "sha256")[:16]
        return base64.urlsafe_b64encode(mac + payload).rstrip(b"=").decode()

    def verify(self, purpose: str, token: str) -> bytes:
        """Return the payload of a token made by `sign`; raises BadToken for anything else."""
        return verify_token(self.derive(purpose), token)

    def close_token(self, purpose: str, payload: bytes) -> str:
        """Return a URL-safe token that nobody but this installation can read or make (AES-SIV, RFC 5297).

        The same payload gives the same token. Tokens never expire by themselves.
        """
        closed = self._closing_cipher(purpose).encrypt(payload, None)
        return base64.urlsafe_b64encode(closed).rstrip(b"=").decode()

    def open_token(self, purpose: str, token: str) -> bytes:
        """Return the payload of a token made by `close_token`; raises BadToken for anything else."""
        return _opened(self._closing_cipher(purpose), token)

    def _closing_cipher(self, purpose: str) -> AESSIV:
        if purpose not in self._closing:
            self._closing[purpose] = AESSIV(self.derive(purpose))
        return self._closing[purpose]

    def _cipher(self) -> AESGCM:
        if self._aead is None:
            self._aead = AESGCM(self.derive("seal"))
        return self._aead


def _read_or_make_key(data_dir: Path) -> bytes:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = data_dir / KEY_FILE
    # Written aside and linked into place, so that of two first starts at once both read the same key.
    if not path.exists():
        fresh = data_dir / f".{KEY_FILE}.{secrets.token_hex(6)}"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.b64encode(os.urandom(48)))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    if path.stat().st_mode & 0o077:
        raise KeyFileError(f"{path} can be read by other users; run: chmod 600 {path}")
    key = path.read_bytes().strip()
    if len(key) < 32:
        raise KeyFileError(f"{path} holds no key; restore it from a backup")
    return key


def verify_token(key: bytes, token: str) -> bytes:
    """Return the payload of a token that `KeyRing.sign` made with the derived `key`; raises BadToken."""
    raw = _token_bytes(token)
    mac, payload = raw[:16], raw[16:]
    expected = hmac.digest(key, payload, "sha256")[:16]
    if len(mac) != 16 or not hmac.compare_digest(mac, expected):
        raise BadToken("the link is damaged")
    return payload


def open_token(key: bytes, token: str) -> bytes:
    """Return the payload of a token that `KeyRing.close_token` made with the derived `key`; raises BadToken."""
    return _opened(AESSIV(key), token)


def _opened(cipher: AESSIV, token: str) -> bytes:
    raw = _token_bytes(token)
    try:
        return cipher.decrypt(raw, None)
    except (InvalidTag, ValueError):
        raise BadToken("the link is damaged") from None


def _token_bytes(token: str) -> bytes:
    try:
        raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (ValueError, UnicodeEncodeError):
        raise BadToken("the link is damaged") from None
    # The re-encoded form must match, else one payload would have several valid tokens.
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != token:
        raise BadToken("the link is damaged")
    return raw


def hash_password(password: str) -> str:
    """Return the argon2id hash of `password`, with its parameters and salt inside."""
    return _passwords.hash(password)


def verify_password(password: str, hashed: str) -> bool:
    """Return whether `password` is the one that was hashed; takes the same time either way."""
    return _passwords.verify(password, hashed)


def new_token(size: int = 32) -> str:
    """Return a random URL-safe token of `size` bytes."""
    return secrets.token_urlsafe(size)


def token_hash(token: str) -> str:
    """Return the SHA-256 of `token` in hexadecimal: what tables keep of sessions, tickets and API keys."""
    return hashlib.sha256(token.encode()).hexdigest()
