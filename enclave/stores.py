"""Session stores as the host keeps them: compressed, sealed, numbered.

    ciphertext = AES-256-GCM(state key, nonce, header || zlib(SQLite file), aad)
    header     = format u8 (1) || continuous since u64 big endian
    aad        = UTF-8 of the seven lines below, joined by "\\n"
                   "autosendr/store/v1" · v · environment · account · key version · version · clean ("0" or "1")

*Continuous since* is the first version of the unbroken chain that ends in this store: from that version on no session
of the account ran whose end is missing here. `Settle` may answer absent only for attempts within the chain.
"""

import secrets
import struct
import zlib
from typing import Final, NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from enclave.wire.answers import SealedStore
from enclave.wire.envelope import Code
from enclave.wire.limits import STORE_BYTES_MAX

STORE_LABEL: Final = "autosendr/store/v1"
STORE_FORMAT: Final = 1
KEY_VERSION: Final = 1
SQLITE_BYTES_MAX: Final = 64 * 1024 * 1024
"""Largest SQLite file that a sealed store may unfold to."""

_HEADER: Final = struct.Struct(">BQ")
_COMPRESSION: Final = 6
_NONCE_BYTES: Final = 12


class StoreRefused(Exception):
    """A store is not sealed or not opened; `code` is store_corrupt or store_too_large."""

    def __init__(self, code: Code) -> None:
        """Keep the code."""
        super().__init__(code.value)
        self.code = code


class OpenedStore(NamedTuple):
    """A store in plain: the bytes of its SQLite file, and since which version it is continuous."""

    sqlite: bytes
    continuous_since: int


def seal_store(
    state_key: bytes, *, account: str, environment: str, version: int, clean: bool, store: OpenedStore
) -> SealedStore:
    """Seal `store` as `version` of the account. Raises StoreRefused(store_too_large)."""
    plain = _HEADER.pack(STORE_FORMAT, store.continuous_since) + zlib.compress(store.sqlite, _COMPRESSION)
    if len(plain) + 16 > STORE_BYTES_MAX:
        raise StoreRefused(Code.STORE_TOO_LARGE)
    # Random 96-bit nonces under one key are safe for 2^32 seals (NIST SP 800-38D, 8.3): versions of one account.
    nonce = secrets.token_bytes(_NONCE_BYTES)
    envelope = SealedStore(
        v=STORE_FORMAT,
        environment=environment,
        key_version=KEY_VERSION,
        version=version,
        clean=clean,
        nonce=nonce,
        ciphertext=b"",
    )
    return msgspec.structs.replace(
        envelope, ciphertext=AESGCM(state_key).encrypt(nonce, plain, _bound(envelope, account))
    )


def open_store(state_key: bytes, *, account: str, environment: str, sealed: SealedStore) -> OpenedStore:
    """Open `sealed`. Raises StoreRefused: store_corrupt (also of another account or environment), store_too_large."""
    if len(sealed.ciphertext) > STORE_BYTES_MAX:
        raise StoreRefused(Code.STORE_TOO_LARGE)
    if (sealed.v, sealed.key_version, sealed.environment) != (STORE_FORMAT, KEY_VERSION, environment):
        raise StoreRefused(Code.STORE_CORRUPT)
    try:
        plain = AESGCM(state_key).decrypt(sealed.nonce, sealed.ciphertext, _bound(sealed, account))
        form, continuous_since = _HEADER.unpack_from(plain)
        # Bounded, though only this enclave can have sealed it: a bug of ours must not take the machine's memory.
        unfolder = zlib.decompressobj()
        sqlite = unfolder.decompress(plain[_HEADER.size :], SQLITE_BYTES_MAX)
    except (InvalidTag, struct.error, zlib.error, ValueError):
        raise StoreRefused(Code.STORE_CORRUPT) from None
    if form != STORE_FORMAT or not unfolder.eof or unfolder.unused_data:
        raise StoreRefused(Code.STORE_CORRUPT)
    return OpenedStore(sqlite, continuous_since)


def _bound(sealed: SealedStore, account: str) -> bytes:
    lines = (
        STORE_LABEL,
        str(sealed.v),
        sealed.environment,
        account,
        str(sealed.key_version),
        str(sealed.version),
        "1" if sealed.clean else "0",
    )
    return "\n".join(lines).encode()
