"""Encrypted media: what a phone uploads, and how a receiver opens it.

Source: docs/whatsapp.md §22; the client's upload and download code.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from simulator.signal.errors import Malformed
from simulator.signal.keys import cbc_decrypt, cbc_encrypt, derive, mac

MEDIA_KEY_BYTES = 32
MAC_BYTES = 10


class Kind(StrEnum):
    """What the media is; names the derivation, so that one kind cannot be passed off as another."""

    IMAGE = "WhatsApp Image Keys"
    VIDEO = "WhatsApp Video Keys"
    AUDIO = "WhatsApp Audio Keys"
    DOCUMENT = "WhatsApp Document Keys"
    HISTORY = "WhatsApp History Keys"
    APP_STATE = "WhatsApp App State Keys"
    LINK_THUMBNAIL = "WhatsApp Link Thumbnail Keys"


UPLOAD_FOLDERS = {
    Kind.IMAGE: "image",
    Kind.VIDEO: "video",
    Kind.AUDIO: "audio",
    Kind.DOCUMENT: "document",
    Kind.HISTORY: "md-msg-hist",
    Kind.APP_STATE: "md-app-state",
    Kind.LINK_THUMBNAIL: "thumbnail-link",
}
"""Folder of each kind below `/mms/` on the media host."""


class BadMedia(Exception):
    """The blob is not what the message announced."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """An encrypted file and what a message says about it. Hashes are SHA-256, 32 bytes."""

    blob: bytes
    media_key: bytes
    file_sha256: bytes
    file_enc_sha256: bytes
    file_length: int


def encrypt(plaintext: bytes, kind: Kind, random_bytes: Callable[[int], bytes]) -> Sealed:
    """Encrypt under a fresh media key: its derived IV is used once, with its derived cipher key."""
    media_key = random_bytes(MEDIA_KEY_BYTES)
    iv, cipher_key, mac_key = _keys(media_key, kind)
    ciphertext = cbc_encrypt(cipher_key, iv, plaintext)
    blob = ciphertext + mac(mac_key, iv + ciphertext)[:MAC_BYTES]
    return Sealed(blob, media_key, hashlib.sha256(plaintext).digest(), hashlib.sha256(blob).digest(), len(plaintext))


def decrypt(
    blob: bytes, media_key: bytes, kind: Kind, file_sha256: bytes, file_enc_sha256: bytes, file_length: int
) -> bytes:
    """Open a downloaded blob. Raises BadMedia unless hashes, MAC and length all are as the message says."""
    if len(media_key) != MEDIA_KEY_BYTES:
        raise BadMedia("the media key has the wrong length")
    if not hmac.compare_digest(hashlib.sha256(blob).digest(), file_enc_sha256):
        raise BadMedia("the hash of the encrypted file differs")
    iv, cipher_key, mac_key = _keys(media_key, kind)
    ciphertext, tag = blob[:-MAC_BYTES], blob[-MAC_BYTES:]
    if not hmac.compare_digest(mac(mac_key, iv + ciphertext)[:MAC_BYTES], tag):
        raise BadMedia("the MAC of the file does not verify")
    try:
        plaintext = cbc_decrypt(cipher_key, iv, ciphertext)
    except Malformed as error:
        raise BadMedia("the file is not whole") from error
    if len(plaintext) != file_length or not hmac.compare_digest(hashlib.sha256(plaintext).digest(), file_sha256):
        raise BadMedia("the file is not the announced one")
    return plaintext


def _keys(media_key: bytes, kind: Kind) -> tuple[bytes, bytes, bytes]:
    """`(IV, AES key, MAC key)`."""
    keys = derive(media_key, kind.value.encode(), 112)
    return keys[:16], keys[16:48], keys[48:80]
