"""Keys and primitives below the ratchets: X25519 pairs, HKDF, HMAC, AES-CBC, XEdDSA, WhatsApp's padding.

Source: Signal's X3DH, Double Ratchet and XEdDSA specifications; docs/whatsapp.md §15, §20.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from cryptography.hazmat.primitives import hashes, padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from simulator import xeddsa
from simulator.curve import KEY_BYTES, KeyPair, shared_secret
from simulator.signal.errors import BadKey, BadPadding, BadSignature, Malformed

RandomBytes = Callable[[int], bytes]

_CURVE_PREFIX = b"\x05"
_AES_BLOCK_BITS = 128
_PAD_BYTES_MAX = 15


def new_pair(random_bytes: RandomBytes) -> KeyPair:
    """A pair from 32 bytes of `random_bytes`."""
    return KeyPair.from_private(random_bytes(KEY_BYTES))


def agree(pair: KeyPair, public: bytes) -> bytes:
    """The 32 bytes shared with the owner of `public`. Raises BadKey for a wrong length or a point of small order."""
    try:
        return shared_secret(pair.private, public)
    except ValueError as error:
        raise BadKey("unusable public key") from error


def sign(pair: KeyPair, message: bytes, random_bytes: RandomBytes) -> bytes:
    """XEdDSA signature (64 bytes) of `message`."""
    return xeddsa.sign(pair.private, message, random_bytes(xeddsa.NONCE_BYTES))


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a device publishes so that others can write to it. Keys are 32 raw bytes, the signature 64."""

    registration_id: int
    identity: bytes
    signed_prekey_id: int
    signed_prekey: bytes
    signature: bytes
    prekey_id: int | None = None
    prekey: bytes | None = None

    def verify(self) -> None:
        """Raises BadSignature unless the identity signed the signed prekey, BadKey on wrong lengths."""
        for key in (self.identity, self.signed_prekey, self.prekey):
            if key is not None and len(key) != KEY_BYTES:
                raise BadKey("a key of the bundle has the wrong length")
        check_signature(self.identity, with_prefix(self.signed_prekey), self.signature)


def check_signature(public: bytes, message: bytes, signature: bytes) -> None:
    """Raises BadSignature unless `signature` is an XEdDSA signature of `message` by `public`."""
    if not xeddsa.verify(public, message, signature):
        raise BadSignature("the signature does not verify")


def with_prefix(public: bytes) -> bytes:
    """The form of a public key inside Signal messages: 05 and the 32 bytes."""
    return _CURVE_PREFIX + public


def without_prefix(data: bytes) -> bytes:
    """The 32 raw bytes of a key in a Signal message. Raises BadKey for any other form."""
    if len(data) != KEY_BYTES + 1 or data[:1] != _CURVE_PREFIX:
        raise BadKey("not a curve key of a Signal message")
    return data[1:]


def derive(secret: bytes, info: bytes, length: int, salt: bytes | None = None) -> bytes:
    """HKDF-SHA256, `length` bytes."""
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(secret)


def mac(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256, 32 bytes."""
    return hmac.new(key, message, hashlib.sha256).digest()


def chain_step(chain_key: bytes) -> tuple[bytes, bytes]:
    """`(seed of this message's keys, next chain key)`: one-way, so an old seed cannot be had from a later chain key."""
    return mac(chain_key, b"\x01"), mac(chain_key, b"\x02")


def cbc_encrypt(key: bytes, iv: bytes, plaintext: bytes) -> bytes:
    """AES-256-CBC with PKCS#7. Key and IV must come from a key derivation used once, or the IV be random."""
    padder = padding.PKCS7(_AES_BLOCK_BITS).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    return encryptor.update(padder.update(plaintext) + padder.finalize()) + encryptor.finalize()


def cbc_decrypt(key: bytes, iv: bytes, ciphertext: bytes) -> bytes:
    """Undo `cbc_encrypt`. Call it only after the ciphertext is authenticated: the error is a padding oracle otherwise.

    Raises Malformed."""
    unpadder = padding.PKCS7(_AES_BLOCK_BITS).unpadder()
    try:
        decryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).decryptor()
        return unpadder.update(decryptor.update(ciphertext) + decryptor.finalize()) + unpadder.finalize()
    except ValueError as error:
        raise Malformed("the ciphertext is not whole blocks with PKCS#7 padding") from error


def pad(plaintext: bytes, random_bytes: RandomBytes) -> bytes:
    """WhatsApp's padding: n = 1..15 bytes of value n, which blurs the length of a text."""
    length = random_bytes(1)[0] % _PAD_BYTES_MAX + 1
    return plaintext + bytes([length]) * length


def unpad(padded: bytes) -> bytes:
    """Undo `pad`, strictly. Raises BadPadding where a phone would see a message that was never padded."""
    length = padded[-1] if padded else 0
    if not 1 <= length <= _PAD_BYTES_MAX or not padded.endswith(bytes([length]) * length):
        raise BadPadding("the message is not padded")
    return padded[:-length]
