"""Agreement on a first shared secret (X3DH, in the order and with the labels of Signal version 3).

Source: Signal's X3DH specification; docs/whatsapp.md §20.
"""

from simulator.curve import KeyPair
from simulator.signal.keys import Bundle, agree, derive

# Keeps the derivation apart from any other use of the same Diffie-Hellman results (X3DH, "F").
_DISCONTINUITY = b"\xff" * 32


def send(identity: KeyPair, ephemeral: KeyPair, bundle: Bundle) -> tuple[bytes, bytes]:
    """The initiator's `(root key, chain key)`.

    The caller has verified the bundle: an unsigned prekey could be anyone's."""
    secret = (
        _DISCONTINUITY
        + agree(identity, bundle.signed_prekey)
        + agree(ephemeral, bundle.identity)
        + agree(ephemeral, bundle.signed_prekey)
    )
    if bundle.prekey is not None:
        secret += agree(ephemeral, bundle.prekey)
    return _split(secret)


def receive(
    identity: KeyPair, signed_prekey: KeyPair, prekey: KeyPair | None, their_identity: bytes, their_ephemeral: bytes
) -> tuple[bytes, bytes]:
    """The responder's `(root key, chain key)` for a first message with the initiator's public keys. Raises BadKey."""
    secret = (
        _DISCONTINUITY
        + agree(signed_prekey, their_identity)
        + agree(identity, their_ephemeral)
        + agree(signed_prekey, their_ephemeral)
    )
    if prekey is not None:
        secret += agree(prekey, their_ephemeral)
    return _split(secret)


def _split(secret: bytes) -> tuple[bytes, bytes]:
    keys = derive(secret, b"WhisperText", 64)
    return keys[:32], keys[32:]
