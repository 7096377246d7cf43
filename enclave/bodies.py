"""Sealed message bodies inside the enclave: taken in from the browser, kept under the account, opened to be sent.

Formats: `enclave/wire/sealing.py`. What this module adds is the content key as the host keeps it:

    version(1) || nonce(12) || AES-256-GCM(body key, nonce, content key, aad = label || binding)

The body itself is never sealed again: it stays as the browser made it.
"""

import hashlib
import re
import secrets
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from enclave.wire.envelope import Code
from enclave.wire.limits import BODY_BYTES_MAX, SEAL_VALID_S_MAX, TEXT_CHARS_MAX
from enclave.wire.sealing import (
    BODY_LABEL,
    CONTENT_KEY_LABEL,
    ENVELOPE_BYTES,
    KIND_TEXT,
    NONCE_BYTES,
    TAG_BYTES,
    Binding,
    recipient_hash,
)

SUITE: Final = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
KEPT_LABEL: Final = b"autosendr/kept-content-key/v1\n"
CLOCK_SKEW_S: Final = 600
"""How far the browser's clock may be ahead of ours at the far end of a seal's validity."""

_KEPT_VERSION: Final = b"\x01"
_CONTENT_KEY_BYTES: Final = 32
_KEPT_BYTES: Final = 1 + NONCE_BYTES + _CONTENT_KEY_BYTES + TAG_BYTES

# Checked as bytes: `bytearray.decode` would leave a copy of the text in memory that nothing can zero.
_WELL_FORMED_UTF8: Final = re.compile(
    rb"(?:[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}"
    rb"|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2})*"
)
_NOT_BLANK: Final = re.compile(rb"[^\x09-\x0d\x20]")


class BodyRefused(Exception):
    """The sealed body is not taken; `code` says why, and nothing else does."""

    def __init__(self, code: Code) -> None:
        """Keep the code."""
        super().__init__(code.value)
        self.code = code


class SealKey:
    """The P-256 key that browsers seal content keys to. Lives in memory for one boot of the enclave."""

    def __init__(self, private: ec.EllipticCurvePrivateKey | None = None) -> None:
        """Make a fresh key; `private` is for test vectors."""
        self._private = private or ec.generate_private_key(ec.SECP256R1())
        self.public_key: Final = self._private.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        """65 bytes, uncompressed point."""
        self.kid: Final = hashlib.sha256(self.public_key).hexdigest()[:16]
        """Names this key."""

    def open(self, envelope: bytes, binding: bytes) -> bytes:
        """Return the content key (32 bytes) of a browser's envelope. Raises BodyRefused(malformed)."""
        if len(envelope) != ENVELOPE_BYTES:
            raise BodyRefused(Code.MALFORMED)
        try:
            # HPKE draws an ephemeral key for each seal, so its AEAD key is used once. The binding is in `info`, which
            # enters the key schedule: another binding, another key, and the tag does not fit (RFC 9180, 8.1).
            return SUITE.decrypt(envelope, self._private, CONTENT_KEY_LABEL + binding)
        except (InvalidTag, ValueError):
            raise BodyRefused(Code.MALFORMED) from None


def check_binding(binding: Binding, *, environment: str, account: str, now_s: float) -> bytes:
    """Return the canonical bytes of a binding that may be used here and now.

    Raises BodyRefused: malformed (another environment or account, too long a validity), expired.
    """
    try:
        encoded = binding.encode()
    except ValueError:  # a newline in a field, or a text that is not Unicode
        raise BodyRefused(Code.MALFORMED) from None
    if binding.environment != environment or binding.account != account:
        raise BodyRefused(Code.MALFORMED)
    if binding.not_after_s <= now_s:
        raise BodyRefused(Code.EXPIRED)
    if binding.not_after_s > now_s + SEAL_VALID_S_MAX + CLOCK_SKEW_S:
        raise BodyRefused(Code.MALFORMED)
    return encoded


def keep_content_key(body_key: bytes, content_key: bytes, binding: bytes) -> bytes:
    """Seal `content_key` under the account's body key, as the host keeps it (61 bytes)."""
    # Random 96-bit nonces under one key are safe for 2^32 seals (NIST SP 800-38D, 8.3): messages of one account.
    nonce = secrets.token_bytes(NONCE_BYTES)
    return _KEPT_VERSION + nonce + AESGCM(body_key).encrypt(nonce, content_key, KEPT_LABEL + binding)


def open_content_key(body_key: bytes, kept: bytes, binding: bytes) -> bytes:
    """Undo `keep_content_key`. Raises BodyRefused(malformed)."""
    if len(kept) != _KEPT_BYTES or kept[:1] != _KEPT_VERSION:
        raise BodyRefused(Code.MALFORMED)
    try:
        return AESGCM(body_key).decrypt(kept[1 : 1 + NONCE_BYTES], kept[1 + NONCE_BYTES :], KEPT_LABEL + binding)
    except InvalidTag:
        raise BodyRefused(Code.MALFORMED) from None


@contextmanager
def opened_text(content_key: bytes, body: bytes, binding: bytes) -> Generator[memoryview]:
    """Give the UTF-8 text of `body` while the context lasts; its only buffer is zeroed at the end.

    Raises BodyRefused: malformed, empty_text, text_too_long.
    """
    if len(body) > BODY_BYTES_MAX:
        raise BodyRefused(Code.TEXT_TOO_LONG)
    size = len(body) - NONCE_BYTES - TAG_BYTES
    if size < 1:
        raise BodyRefused(Code.MALFORMED)
    # `decrypt_into` a bytearray leaves no other copy behind, unlike `decrypt` (measured).
    plain = bytearray(size)
    try:
        try:
            AESGCM(content_key).decrypt_into(body[:NONCE_BYTES], body[NONCE_BYTES:], BODY_LABEL + binding, plain)
        except InvalidTag:
            raise BodyRefused(Code.MALFORMED) from None
        _check_text(plain)
        with memoryview(plain) as whole, whole[1:] as text:
            yield text
    finally:
        plain[:] = bytes(size)


def _check_text(plain: bytearray) -> None:
    if plain[0] != KIND_TEXT or _WELL_FORMED_UTF8.fullmatch(plain, 1) is None:
        raise BodyRefused(Code.MALFORMED)
    if _NOT_BLANK.search(plain, 1) is None:
        raise BodyRefused(Code.EMPTY_TEXT)
    if sum((byte & 0xC0) != 0x80 for byte in plain) - 1 > TEXT_CHARS_MAX:  # each code point has one such byte
        raise BodyRefused(Code.TEXT_TOO_LONG)


def ingest(seal_key: SealKey, body_key: bytes, *, kid: str, envelope: bytes, body: bytes, binding: bytes) -> bytes:
    """Take a body sealed by the browser into keeping; return the kept content key.

    1. the envelope is sealed to the key that we have · 2. it opens under the binding · 3. the body opens under the
    content key and the binding, and is a text that can be sent · 4. the content key goes under the body key.
    Raises BodyRefused: stale_key, malformed, empty_text, text_too_long.
    """
    if kid != seal_key.kid:  # 1
        raise BodyRefused(Code.STALE_KEY)
    content_key = seal_key.open(envelope, binding)  # 2
    with opened_text(content_key, body, binding):  # 3
        pass
    return keep_content_key(body_key, content_key, binding)  # 4


def check_recipient(binding: Binding, recipient: str) -> None:
    """Refuse a recipient that is not the bound one. Raises BodyRefused(wrong_recipient)."""
    if not secrets.compare_digest(recipient_hash(binding.account, recipient), binding.recipient_hash):
        raise BodyRefused(Code.WRONG_RECIPIENT)
