"""The sending side of a sealed body, in Python: what `static/seal.js` does in the browser.

For `demo --check` and the tests; both twins are held to `tests/vectors/seal.json`. Needs only the public key.
"""

import secrets
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from enclave.bodies import SUITE
from enclave.wire.sealing import BODY_LABEL, CONTENT_KEY_LABEL, KIND_TEXT, NONCE_BYTES, Binding


class Sealed(NamedTuple):
    """What the browser posts beside its binding. `content_key` stays with the sealer (the viewing key wraps it)."""

    envelope: bytes
    body: bytes
    content_key: bytes


def seal(public_key: bytes, binding: Binding, text: str) -> Sealed:
    """Seal `text` to the enclave's `public_key` (65-byte P-256 point) under `binding`."""
    bound = binding.encode()
    content_key = AESGCM.generate_key(256)
    recipient = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), public_key)
    return Sealed(
        envelope=SUITE.encrypt(content_key, recipient, CONTENT_KEY_LABEL + bound),
        body=seal_body(content_key, secrets.token_bytes(NONCE_BYTES), bound, text),
        content_key=content_key,
    )


def seal_body(content_key: bytes, nonce: bytes, binding: bytes, text: str) -> bytes:
    """Return the sealed body. `content_key` must be used for this one body only: then no nonce can repeat under it."""
    plain = bytes([KIND_TEXT]) + text.encode()
    return nonce + AESGCM(content_key).encrypt(nonce, plain, BODY_LABEL + binding)
