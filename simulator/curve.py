"""Curve25519 key pairs, as raw 32-byte strings (RFC 7748)."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A private scalar and its public point, 32 bytes each."""

    private: bytes
    public: bytes

    @classmethod
    def new(cls) -> "KeyPair":
        """A fresh pair from the system's randomness."""
        return cls.from_private(X25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def from_private(cls, private: bytes) -> "KeyPair":
        """The pair of a known 32-byte private scalar; ValueError for another length."""
        return cls(private, X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw())


def shared_secret(private: bytes, public: bytes) -> bytes:
    """X25519 of both, 32 bytes. ValueError for a wrong length or a point of low order (an all-zero secret)."""
    return X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(public))
