"""Sender keys: one member's chain for a whole group, signed so that no other member can write in its name.

Wire forms (Signal group version 3): distribution `33 ‖ pb{1: key id, 2: iteration, 3: chain key, 4: 05‖signing key}`;
message `33 ‖ pb{1: key id, 2: iteration, 3: ciphertext} ‖ XEdDSA signature (64)`.
Source: the Go libsignal that the client links.
"""

from dataclasses import dataclass, field, replace

from simulator.curve import KeyPair
from simulator.signal import wire
from simulator.signal.errors import Malformed, NoSession, OldCounter, TooFarAhead
from simulator.signal.keys import (
    RandomBytes,
    cbc_decrypt,
    cbc_encrypt,
    chain_step,
    check_signature,
    derive,
    new_pair,
    sign,
    with_prefix,
    without_prefix,
)
from simulator.signal.ratchet import VERSION
from simulator.xeddsa import SIGNATURE_BYTES

SKIPPED_KEYS_MAX = 2000
ITERATION_JUMP_MAX = 2000
STATES_MAX = 5
_KEY_ID_MAX = 0x7FFFFFFF


@dataclass(slots=True)
class SenderKey:
    """One chain. `signing` is the whole pair with its owner; the others hold only `signing_public`."""

    key_id: int
    iteration: int
    chain_key: bytes
    signing_public: bytes
    signing: KeyPair | None = None
    skipped: dict[int, bytes] = field(default_factory=dict)

    @classmethod
    def new(cls, random_bytes: RandomBytes) -> "SenderKey":
        signing = new_pair(random_bytes)
        key_id = int.from_bytes(random_bytes(4), "big") & _KEY_ID_MAX
        return cls(key_id, 0, random_bytes(32), signing.public, signing)

    @classmethod
    def from_distribution(cls, message: bytes) -> "SenderKey":
        """Parse a SenderKeyDistributionMessage. Raises Malformed, BadKey."""
        if message[:1] != VERSION:
            raise Malformed("not a sender key distribution of version 3")
        fields = wire.decode(message[1:])
        chain_key = wire.blob(fields, 3)
        if len(chain_key) != 32:
            raise Malformed("the chain key has the wrong length")
        signing = without_prefix(wire.blob(fields, 4))
        return cls(wire.number(fields, 1), wire.number(fields, 2, 0), chain_key, signing)

    def copy(self) -> "SenderKey":
        return replace(self, skipped=dict(self.skipped))

    def distribution(self) -> bytes:
        """The SenderKeyDistributionMessage at the present iteration: earlier messages stay closed to its receiver."""
        return VERSION + wire.encode(
            {1: self.key_id, 2: self.iteration, 3: self.chain_key, 4: with_prefix(self.signing_public)}
        )

    def encrypt(self, plaintext: bytes, random_bytes: RandomBytes) -> bytes:
        """The SenderKeyMessage of padded plaintext; steps the chain."""
        if self.signing is None:
            raise NoSession("this sender key belongs to another member")
        seed, following = chain_step(self.chain_key)
        cipher_key, iv = _message_keys(seed)
        message = VERSION + wire.encode({1: self.key_id, 2: self.iteration, 3: cbc_encrypt(cipher_key, iv, plaintext)})
        self.chain_key, self.iteration = following, self.iteration + 1
        return message + sign(self.signing, message, random_bytes)

    def decrypt(self, ciphertext: bytes) -> bytes:
        """The padded plaintext. Raises BadSignature, OldCounter, TooFarAhead, Malformed. Call it on a copy."""
        _, iteration, body = parse(ciphertext)
        # The signature authenticates the ciphertext, so decryption comes after it.
        check_signature(self.signing_public, ciphertext[:-SIGNATURE_BYTES], ciphertext[-SIGNATURE_BYTES:])
        cipher_key, iv = _message_keys(self._seed(iteration))
        return cbc_decrypt(cipher_key, iv, body)

    def _seed(self, iteration: int) -> bytes:
        if iteration < self.iteration:
            seed = self.skipped.pop(iteration, None)
            if seed is None:
                raise OldCounter("the key of this group message was used before")
            return seed
        if iteration - self.iteration > ITERATION_JUMP_MAX:
            raise TooFarAhead("the iteration lies too far ahead")
        while True:
            seed, self.chain_key = chain_step(self.chain_key)
            self.iteration += 1
            if self.iteration > iteration:
                return seed
            if len(self.skipped) >= SKIPPED_KEYS_MAX:
                del self.skipped[next(iter(self.skipped))]
            self.skipped[self.iteration - 1] = seed


def parse(ciphertext: bytes) -> tuple[int, int, bytes]:
    """`(key id, iteration, encrypted body)` of a SenderKeyMessage. Raises Malformed."""
    if ciphertext[:1] != VERSION or len(ciphertext) <= SIGNATURE_BYTES + 1:
        raise Malformed("not a group message of version 3")
    fields = wire.decode(ciphertext[1:-SIGNATURE_BYTES])
    return wire.number(fields, 1), wire.number(fields, 2, 0), wire.blob(fields, 3)


def _message_keys(seed: bytes) -> tuple[bytes, bytes]:
    keys = derive(seed, b"WhisperGroup", 48)
    return keys[16:], keys[:16]
