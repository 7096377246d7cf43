"""Noise_XX_25519_AESGCM_SHA256 as WhatsApp speaks it, both sides, sans-I/O (docs/whatsapp.md §15; Noise rev. 34)."""

import hashlib
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from google.protobuf.message import DecodeError

from simulator.curve import KEY_BYTES, KeyPair, shared_secret
from simulator.node import Malformed
from simulator.protobufs import wa6

PATTERN = b"Noise_XX_25519_AESGCM_SHA256" + bytes(4)


def _iv(counter: int) -> bytes:
    return bytes(8) + counter.to_bytes(4)


def _hkdf(material: bytes, salt: bytes) -> tuple[bytes, bytes]:
    output = HKDF(SHA256(), 64, salt, b"").derive(material)
    return output[:32], output[32:]


class Cipher:
    """One direction of the transport: AES-256-GCM without associated data. The counter never repeats under one key."""

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)
        self._counter = 0

    def _next(self) -> bytes:
        iv = _iv(self._counter)
        self._counter += 1
        return iv

    def encrypt(self, plain: bytes) -> bytes:
        """The next frame's ciphertext, 16 bytes longer."""
        return self._aead.encrypt(self._next(), plain, None)

    def decrypt(self, sealed: bytes) -> bytes:
        """The next frame's plaintext; Malformed if it was not sealed as the next frame of this direction."""
        try:
            return self._aead.decrypt(self._next(), sealed, None)
        except InvalidTag:
            raise Malformed("a frame does not decrypt") from None


@dataclass(frozen=True)
class Session:
    """The result of a handshake: a cipher per direction, and the peer's static key and payload."""

    sending: Cipher
    receiving: Cipher
    peer_static: bytes
    payload: bytes


class _State:
    """The symmetric state; a pattern name of at most 32 bytes is padded, not hashed."""

    def __init__(self, prologue: bytes) -> None:
        self.hash = self.salt = self.key = PATTERN
        self.counter = 0
        self.auth(prologue)

    def auth(self, data: bytes) -> None:
        self.hash = hashlib.sha256(self.hash + data).digest()

    def encrypt(self, plain: bytes) -> bytes:
        sealed = AESGCM(self.key).encrypt(_iv(self.counter), plain, self.hash)
        self.counter += 1
        self.auth(sealed)
        return sealed

    def decrypt(self, sealed: bytes) -> bytes:
        try:
            plain = AESGCM(self.key).decrypt(_iv(self.counter), sealed, self.hash)
        except InvalidTag:
            raise Malformed("a handshake field does not decrypt") from None
        self.counter += 1
        self.auth(sealed)
        return plain

    def mix(self, private: bytes, public: bytes) -> None:
        try:
            secret = shared_secret(private, public)
        except ValueError:
            raise Malformed("a handshake key is no usable point") from None
        self.salt, self.key = _hkdf(secret, self.salt)
        self.counter = 0

    def split(self) -> tuple[bytes, bytes]:
        return _hkdf(b"", self.salt)


def _message(frame: bytes) -> wa6.HandshakeMessage:
    try:
        return wa6.HandshakeMessage.FromString(frame)
    except DecodeError:
        raise Malformed("a handshake frame is no protobuf") from None


class Responder:
    """The server's side. ``certificate`` is sent encrypted; it vouches for ``static.public``."""

    def __init__(self, static: KeyPair, certificate: bytes, prologue: bytes) -> None:
        self._state = _State(prologue)
        self._static = static
        self._certificate = certificate
        self._ephemeral = KeyPair.new()

    def hello(self, frame: bytes) -> bytes:
        """Take the client's hello, give the server's; Malformed for anything else."""
        peer = _message(frame).clientHello.ephemeral
        if len(peer) != KEY_BYTES:
            raise Malformed("the client's hello has no ephemeral key")
        state, own = self._state, self._ephemeral
        state.auth(peer)
        state.auth(own.public)
        state.mix(own.private, peer)
        static = state.encrypt(self._static.public)
        state.mix(self._static.private, peer)
        payload = state.encrypt(self._certificate)
        hello = wa6.HandshakeMessage.ServerHello(ephemeral=own.public, static=static, payload=payload)
        return wa6.HandshakeMessage(serverHello=hello).SerializeToString()

    def finish(self, frame: bytes) -> Session:
        """Take the client's last message; Malformed if it is not the one that belongs to this handshake."""
        finish = _message(frame).clientFinish
        static = self._state.decrypt(finish.static)
        self._state.mix(self._ephemeral.private, static)
        payload = self._state.decrypt(finish.payload)
        inbound, outbound = self._state.split()
        return Session(Cipher(outbound), Cipher(inbound), static, payload)


class Initiator:
    """The client's side, for tests and checks."""

    def __init__(self, static: KeyPair, prologue: bytes) -> None:
        self._state = _State(prologue)
        self._static = static
        self._ephemeral = KeyPair.new()

    def hello(self) -> bytes:
        """The first message."""
        self._state.auth(self._ephemeral.public)
        hello = wa6.HandshakeMessage.ClientHello(ephemeral=self._ephemeral.public)
        return wa6.HandshakeMessage(clientHello=hello).SerializeToString()

    def finish(self, frame: bytes, payload: bytes) -> tuple[bytes, Session]:
        """Take the server's hello; give the last message and the session (its payload is the server's certificate)."""
        hello = _message(frame).serverHello
        state = self._state
        state.auth(hello.ephemeral)
        state.mix(self._ephemeral.private, hello.ephemeral)
        peer = state.decrypt(hello.static)
        state.mix(self._ephemeral.private, peer)
        certificate = state.decrypt(hello.payload)
        static = state.encrypt(self._static.public)
        state.mix(self._static.private, hello.ephemeral)
        sealed = state.encrypt(payload)
        finish = wa6.HandshakeMessage.ClientFinish(static=static, payload=sealed)
        outbound, inbound = state.split()
        message = wa6.HandshakeMessage(clientFinish=finish).SerializeToString()
        return message, Session(Cipher(outbound), Cipher(inbound), peer, certificate)
