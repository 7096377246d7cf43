"""The viewing key: with it the owner's browser, and nobody else, shows a sealed text again.

The format, version 1 (the browser's half is `static/viewing.js`; tests hold it to `tests/vectors/viewing.json`).
The server stores and hands out; it makes none of this and can open none of it.

    viewing key    32 random bytes, made in a browser, kept there as a key that no script can read out
    viewing        nonce(12) || AES-256-GCM(viewing key, nonce, content key),
                   aad = "autosendr/viewing/v1\\n" || binding (enclave/wire/sealing.py)
    recovery code  26 signs of Crockford's base32, 130 random bits; its canonical form: upper case, no spaces
    salt           "autosendr/recovery/v1\\n" || user (UUID, lower case with dashes)
    wrapping key   HKDF-SHA256(code, salt, info = "wrapping key", 32 bytes)
    proof          HKDF-SHA256(code, salt, info = "proof", 32 bytes)
    wrapped        nonce(12) || AES-256-GCM(wrapping key, nonce, viewing key),
                   aad = "autosendr/viewing-key/v1\\n" || user || "\\n" || id of the key

Why that is safe. A code is 130 random bits, not a word that somebody chose: nobody can try them all, so a slow
derivation would add nothing. The server has `wrapped` and SHA-256(proof), later also the proof of whoever opened. None
of it helps without guessing the code, because proof and wrapping key are independent outputs of HKDF, told apart by
`info`. The proof only keeps `wrapped` from somebody who got hold of a login and nothing else.
Nonces are random: NIST SP 800-38D (8.3) allows a key 2^32 of them, and a person writes thousands of texts.
"""

import hashlib
import hmac
from typing import Final

PROOF_BYTES: Final = 32
WRAPPED_BYTES: Final = 12 + 32 + 16
"""Of `wrapped` and of `viewing` alike: nonce, key, tag."""


def proof_hash(proof: bytes) -> bytes:
    """What the server keeps of a proof. The proof is 256 uniform bits, so a plain hash gives nothing away."""
    return hashlib.sha256(proof).digest()


def proves(proof: bytes, kept: bytes) -> bool:
    """Whether `proof` is the one whose hash was kept, in a time that does not depend on where they differ."""
    return hmac.compare_digest(proof_hash(proof), kept)
