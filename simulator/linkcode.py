"""Pairing by an eight-character code: the phone's side, where a person types what the companion shows.

The companion's ephemeral key comes wrapped under the code; the phone answers with its own, wrapped likewise. The
companion then sends both identity keys and a random value under the shared secret; from these both derive the secret
that authenticates the device identity. Source: docs/whatsapp.md §4, checked against the client.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from simulator.curve import KEY_BYTES, KeyPair, shared_secret
from simulator.signal.keys import RandomBytes, derive, new_pair

CODE_CHARACTERS = 8
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTVWXYZ"
SALT_BYTES = 32
IV_BYTES = 16
NONCE_BYTES = 12
WRAPPED_KEY_BYTES = SALT_BYTES + IV_BYTES + KEY_BYTES
_STRETCH_ROUNDS = 131_072


class BadCode(Exception):
    """The typed code is no code, or what was wrapped under it does not open."""


@dataclass(frozen=True, slots=True)
class Linking:
    """What the phone keeps between its answer and the companion's `companion_finish`."""

    ephemeral: KeyPair
    companion_ephemeral: bytes


def read_code(typed: str) -> str:
    """The eight characters of a code as typed, with or without a dash. Raises BadCode."""
    code = typed.replace("-", "").replace(" ", "").upper()
    if len(code) != CODE_CHARACTERS or any(character not in ALPHABET for character in code):
        raise BadCode("a code has eight letters or digits")
    return code


def make_code(random_bytes: RandomBytes) -> str:
    """A code as a companion shows it, without the dash; for tests and for companions of our own."""
    standard = base64.b32encode(random_bytes(5)).decode()
    return standard.translate(str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", ALPHABET))


def wrap(code: str, public: bytes, random_bytes: RandomBytes) -> bytes:
    """80 bytes: salt, IV, and the public key in AES-256-CTR under the stretched code.

    Nothing authenticates it: a wrong code gives another key, and the bundle after it does not open."""
    salt, iv = random_bytes(SALT_BYTES), random_bytes(IV_BYTES)
    return salt + iv + _ctr(code, salt, iv, public)


def unwrap(code: str, wrapped: bytes) -> bytes:
    """The public key in 80 wrapped bytes. Raises BadCode for another length."""
    if len(wrapped) != WRAPPED_KEY_BYTES:
        raise BadCode("the wrapped key has the wrong length")
    salt, iv = wrapped[:SALT_BYTES], wrapped[SALT_BYTES : SALT_BYTES + IV_BYTES]
    return _ctr(code, salt, iv, wrapped[SALT_BYTES + IV_BYTES :])


def answer(code: str, wrapped_companion_ephemeral: bytes, random_bytes: RandomBytes) -> tuple[Linking, bytes]:
    """The phone's `(state, link_code_pairing_wrapped_primary_ephemeral_pub)` to a companion's hello. Raises BadCode."""
    companion_ephemeral = unwrap(code, wrapped_companion_ephemeral)
    ephemeral = new_pair(random_bytes)
    return Linking(ephemeral, companion_ephemeral), wrap(code, ephemeral.public, random_bytes)


def finish(linking: Linking, phone_identity: KeyPair, companion_identity: bytes, wrapped_bundle: bytes) -> bytes:
    """The ADV secret (32 bytes) from `companion_finish`.

    Raises BadCode if the bundle does not open (another code was typed) or names other identities than these."""
    salt, nonce = wrapped_bundle[:SALT_BYTES], wrapped_bundle[SALT_BYTES : SALT_BYTES + NONCE_BYTES]
    try:
        ephemeral_shared = shared_secret(linking.ephemeral.private, linking.companion_ephemeral)
        identity_shared = shared_secret(phone_identity.private, companion_identity)
        key = _bundle_key(ephemeral_shared, salt)
        bundle = AESGCM(key).decrypt(nonce, wrapped_bundle[SALT_BYTES + NONCE_BYTES :], None)
    except (InvalidTag, ValueError) as error:
        raise BadCode("the companion's bundle does not open: another code") from error
    named = companion_identity + phone_identity.public
    if len(bundle) != 3 * KEY_BYTES or not hmac.compare_digest(bundle[: 2 * KEY_BYTES], named):
        raise BadCode("the companion's bundle names other identities")
    return adv_secret(ephemeral_shared, identity_shared, bundle[2 * KEY_BYTES :])


def seal_bundle(ephemeral_shared: bytes, identities_and_random: bytes, random_bytes: RandomBytes) -> bytes:
    """The companion's `link_code_pairing_wrapped_key_bundle`: fresh salt and nonce, so the key serves once."""
    salt, nonce = random_bytes(SALT_BYTES), random_bytes(NONCE_BYTES)
    return salt + nonce + AESGCM(_bundle_key(ephemeral_shared, salt)).encrypt(nonce, identities_and_random, None)


def adv_secret(ephemeral_shared: bytes, identity_shared: bytes, random: bytes) -> bytes:
    """The secret under which `pair-success` authenticates the device identity."""
    return derive(ephemeral_shared + identity_shared + random, b"adv_secret", 32)


def _bundle_key(ephemeral_shared: bytes, salt: bytes) -> bytes:
    return derive(ephemeral_shared, b"link_code_pairing_key_bundle_encryption_key", 32, salt=salt)


def _ctr(code: str, salt: bytes, iv: bytes, data: bytes) -> bytes:
    key = hashlib.pbkdf2_hmac("sha256", code.encode(), salt, _STRETCH_ROUNDS, 32)
    encryptor = Cipher(algorithms.AES(key), modes.CTR(iv)).encryptor()
    return encryptor.update(data) + encryptor.finalize()
