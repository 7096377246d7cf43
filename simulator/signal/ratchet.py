"""One Double Ratchet session with one device (Signal version 3).

A `Session` changes in place; the party tries a message on a copy and keeps it only on success.
Source: Signal's Double Ratchet specification; docs/whatsapp.md §20.
"""

import hmac
from dataclasses import dataclass, field, replace

from simulator.curve import KeyPair
from simulator.signal import wire
from simulator.signal.errors import BadMac, Malformed, OldCounter, TooFarAhead
from simulator.signal.keys import (
    RandomBytes,
    agree,
    cbc_decrypt,
    cbc_encrypt,
    chain_step,
    derive,
    mac,
    new_pair,
    with_prefix,
    without_prefix,
)

VERSION = b"\x33"
MAC_BYTES = 8
SKIPPED_KEYS_MAX = 2000
RECEIVING_CHAINS_MAX = 5
COUNTER_JUMP_MAX = 2000


@dataclass(frozen=True, slots=True)
class Chain:
    """A symmetric chain: the ratchet key it belongs to, its key, and the counter of its next message."""

    ratchet: bytes
    key: bytes
    counter: int = 0


@dataclass(frozen=True, slots=True)
class Pending:
    """What a first message carries until the peer has answered."""

    prekey_id: int | None
    signed_prekey_id: int
    registration_id: int


@dataclass(slots=True)
class Session:
    """State shared with one device. `base_key` is the initiator's ephemeral key, the session's name."""

    local_identity: bytes
    remote_identity: bytes
    base_key: bytes
    root: bytes
    ratchet: KeyPair
    sending: Chain
    receiving: list[Chain] = field(default_factory=list)
    skipped: dict[tuple[bytes, int], bytes] = field(default_factory=dict)
    previous_counter: int = 0
    pending: Pending | None = None

    def copy(self) -> "Session":
        """An independent copy; all leaves are immutable."""
        return replace(self, receiving=list(self.receiving), skipped=dict(self.skipped))

    def knows(self, ratchet: bytes) -> bool:
        """Whether messages under this ratchet key belong to this session."""
        return any(chain.ratchet == ratchet for chain in self.receiving)

    def encrypt(self, plaintext: bytes) -> bytes:
        """The `msg` form of padded plaintext. The key of each message is used once: the chain steps with it."""
        seed, following = chain_step(self.sending.key)
        cipher_key, mac_key, iv = _message_keys(seed)
        message = VERSION + wire.encode(
            {
                1: with_prefix(self.ratchet.public),
                2: self.sending.counter,
                3: self.previous_counter,
                4: cbc_encrypt(cipher_key, iv, plaintext),
            }
        )
        self.sending = replace(self.sending, key=following, counter=self.sending.counter + 1)
        return message + self._mac(mac_key, self.local_identity, self.remote_identity, message)

    def decrypt(self, ciphertext: bytes, random_bytes: RandomBytes) -> bytes:
        """The padded plaintext. Changes this session even when it raises: call it on a copy.

        Raises Malformed, BadKey, OldCounter, TooFarAhead, BadMac."""
        ratchet, counter, body = parse(ciphertext)
        seed = self._seed(ratchet, counter, random_bytes)
        cipher_key, mac_key, iv = _message_keys(seed)
        expected = self._mac(mac_key, self.remote_identity, self.local_identity, ciphertext[:-MAC_BYTES])
        if not hmac.compare_digest(expected, ciphertext[-MAC_BYTES:]):
            raise BadMac("the message is not authentic under this session")
        self.pending = None
        return cbc_decrypt(cipher_key, iv, body)

    def _seed(self, ratchet: bytes, counter: int, random_bytes: RandomBytes) -> bytes:
        if not self.knows(ratchet):
            self._turn(ratchet, random_bytes)
        index = next(i for i, chain in enumerate(self.receiving) if chain.ratchet == ratchet)
        chain = self.receiving[index]
        if counter < chain.counter:
            seed = self.skipped.pop((ratchet, counter), None)
            if seed is None:
                raise OldCounter("the key of this message was used before")
            return seed
        if counter - chain.counter > COUNTER_JUMP_MAX:
            raise TooFarAhead("the counter lies too far ahead")
        while True:
            seed, following = chain_step(chain.key)
            chain = replace(chain, key=following, counter=chain.counter + 1)
            if chain.counter > counter:
                break
            self._skip(ratchet, chain.counter - 1, seed)
        self.receiving[index] = chain
        return seed

    def _turn(self, ratchet: bytes, random_bytes: RandomBytes) -> None:
        """A new ratchet key of the peer: one step for receiving, and one with a fresh key of our own for sending."""
        root, key = turn_root(self.root, self.ratchet, ratchet)
        self.receiving = [*self.receiving, Chain(ratchet, key)][-RECEIVING_CHAINS_MAX:]
        self.previous_counter = max(self.sending.counter - 1, 0)
        self.ratchet = new_pair(random_bytes)
        self.root, key = turn_root(root, self.ratchet, ratchet)
        self.sending = Chain(self.ratchet.public, key)

    def _skip(self, ratchet: bytes, counter: int, seed: bytes) -> None:
        if len(self.skipped) >= SKIPPED_KEYS_MAX:
            del self.skipped[next(iter(self.skipped))]
        self.skipped[ratchet, counter] = seed

    @staticmethod
    def _mac(key: bytes, sender: bytes, receiver: bytes, message: bytes) -> bytes:
        # Both identities are in the MAC, so that a message cannot be passed off as another pair's.
        return mac(key, with_prefix(sender) + with_prefix(receiver) + message)[:MAC_BYTES]


def parse(ciphertext: bytes) -> tuple[bytes, int, bytes]:
    """`(ratchet key, counter, encrypted body)` of a `msg`. Raises Malformed, BadKey."""
    if ciphertext[:1] != VERSION or len(ciphertext) <= MAC_BYTES + 1:
        raise Malformed("not a Signal message of version 3")
    fields = wire.decode(ciphertext[1:-MAC_BYTES])
    return without_prefix(wire.blob(fields, 1)), wire.number(fields, 2, 0), wire.blob(fields, 4)


def turn_root(root: bytes, own: KeyPair, theirs: bytes) -> tuple[bytes, bytes]:
    """One turn of the root chain with both ratchet keys: `(root key, chain key)`. Raises BadKey."""
    keys = derive(agree(own, theirs), b"WhisperRatchet", 64, salt=root)
    return keys[:32], keys[32:]


def _message_keys(seed: bytes) -> tuple[bytes, bytes, bytes]:
    """`(AES key, MAC key, IV)`. Fixed IVs are safe here because each seed, and so each key, encrypts one message."""
    keys = derive(seed, b"WhisperMessageKeys", 80)
    return keys[:32], keys[32:64], keys[64:]
