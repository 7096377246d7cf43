"""Account keys: where they come from, and what is derived of them.

    master key (the provider's)          never leaves the provider
     └ account key   32 random bytes     wrapped by the provider; the host keeps the wrapped form
         ├ body key   HKDF-SHA256        seals content keys of message bodies   (enclave/bodies.py)
         └ state key  HKDF-SHA256        seals session stores                   (enclave/stores.py)

Providers differ in who holds the master key. The local one below keeps it in a file: whoever reads that file reads
everything. It claims nothing more, and the door says so by its environment ("local" or "demo", never "nitro").
"""

import os
import secrets
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES: Final = 32
KEY_FILE_NAME: Final = "enclave.key"
WRAP_LABEL: Final = b"autosendr/account-key/v1\n"
BODY_KEY_LABEL: Final = b"autosendr/body-key/v1\n"
STATE_KEY_LABEL: Final = b"autosendr/state-key/v1\n"

_WRAP_VERSION: Final = b"\x01"
_NONCE_BYTES: Final = 12


class WrongKey(Exception):
    """The wrapped account key does not open here: another account's, another enclave's, or damaged."""


class KeyFileUnsafe(Exception):
    """The key file is not a private file of this user; the text is a sentence for the operator."""


class KeyProvider(Protocol):
    """Makes and opens account keys. `account` is a UUID text and bound to the wrapped form."""

    def new_key(self, account: str) -> tuple[bytes, bytes]:
        """Return a fresh account key (32 bytes) and its wrapped form."""
        ...

    def open_key(self, account: str, wrapped: bytes) -> bytes:
        """Return the account key of `wrapped`. Raises WrongKey."""
        ...


class LocalKeyProvider:
    """Wraps account keys under a master key that lies in a 0600 file: for one machine, NOT attested.

    Wrapped form: version(1) || nonce(12) || AES-256-GCM(master, nonce, account key, aad = label || account).
    """

    def __init__(self, master: bytes) -> None:
        """Take the 32-byte master key; `open_local_provider` reads it from its file."""
        self._aead = AESGCM(master)

    def new_key(self, account: str) -> tuple[bytes, bytes]:
        """Return a fresh account key (32 bytes) and its wrapped form."""
        key = secrets.token_bytes(KEY_BYTES)
        # Random 96-bit nonces under one key are safe for 2^32 wraps (NIST SP 800-38D, 8.3): one per account made.
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return key, _WRAP_VERSION + nonce + self._aead.encrypt(nonce, key, WRAP_LABEL + account.encode())

    def open_key(self, account: str, wrapped: bytes) -> bytes:
        """Return the account key of `wrapped`. Raises WrongKey."""
        version, nonce, ciphertext = wrapped[:1], wrapped[1 : 1 + _NONCE_BYTES], wrapped[1 + _NONCE_BYTES :]
        if version != _WRAP_VERSION or len(ciphertext) != KEY_BYTES + 16:
            raise WrongKey
        try:
            # The account is associated data, so the host cannot pass one account's key off as another's.
            return self._aead.decrypt(nonce, ciphertext, WRAP_LABEL + account.encode())
        except InvalidTag:
            raise WrongKey from None


class AccountKeys(NamedTuple):
    """What a live account works with. Both 32 bytes."""

    body: bytes
    state: bytes


def derive(account: str, key: bytes) -> AccountKeys:
    """Return the keys derived from account key `key`.

    The account key is uniformly random and used for nothing but this derivation, so HKDF needs no salt
    (RFC 5869, 3.1); distinct labels give independent keys.
    """
    return AccountKeys(
        body=HKDF(SHA256(), KEY_BYTES, None, BODY_KEY_LABEL + account.encode()).derive(key),
        state=HKDF(SHA256(), KEY_BYTES, None, STATE_KEY_LABEL + account.encode()).derive(key),
    )


def open_local_provider(folder: Path) -> LocalKeyProvider:
    """Open the local provider of state folder `folder`, making its key file at the first start.

    Raises KeyFileUnsafe if the file is a link, of another user, readable by others, or not 32 bytes long.
    """
    path = folder / KEY_FILE_NAME
    if not path.exists():
        _make_key_file(path)
    return LocalKeyProvider(_read_key_file(path))


def _make_key_file(path: Path) -> None:
    # Written whole and synced under another name, then linked: no reader sees half a key, and of two that start at
    # once only one link succeeds, so both use the same key.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # 0600 by mkstemp's contract
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            path.hardlink_to(name)
    finally:
        Path(name).unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _read_key_file(path: Path) -> bytes:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        raise KeyFileUnsafe(f"The key file {path.name} cannot be opened as a plain file.") from error
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            raise KeyFileUnsafe(f"The key file {path.name} is not a plain file of this user.")
        if stat.S_IMODE(status.st_mode) != 0o600:
            raise KeyFileUnsafe(f"The key file {path.name} must have mode 0600: others may have read it.")
        key = file.read(KEY_BYTES + 1)
    if len(key) != KEY_BYTES:
        raise KeyFileUnsafe(f"The key file {path.name} is not {KEY_BYTES} bytes long.")
    return key
