"""XEdDSA: signatures with Curve25519 keys, as Signal makes them (docs/whatsapp.md §15).

A signature carries the sign of the Edwards point in the top bit of its last byte, because a Montgomery key has none.
Signing is plain Python and not constant-time: these keys guard nothing, they belong to simulated phones.
"""

import hashlib
import os
from functools import cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SIGNATURE_BYTES = 64
NONCE_BYTES = 64

_P = 2**255 - 19
_Q = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_TOP_BIT = 0x80
_WINDOW_BITS = 4
_WINDOWS = 64

_Point = tuple[int, int, int, int]
_NEUTRAL: _Point = (0, 1, 1, 0)


def _add(a: _Point, b: _Point) -> _Point:
    """Unified addition in extended coordinates (RFC 8032 §5.1.4); also doubles."""
    x1, y1, z1, t1 = a
    x2, y2, z2, t2 = b
    m = (y1 - x1) * (y2 - x2) % _P
    n = (y1 + x1) * (y2 + x2) % _P
    c = 2 * t1 * t2 * _D % _P
    d = 2 * z1 * z2 % _P
    e, f, g, h = n - m, d - c, d + c, n + m
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _base_point() -> _Point:
    y = 4 * pow(5, -1, _P) % _P
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    if x & 1:
        x = _P - x
    return x, y, 1, x * y % _P


@cache
def _table() -> tuple[tuple[_Point, ...], ...]:
    """For each 4-bit window w the multiples 0..15 of 16^w times the base point: a product costs 64 additions."""
    rows = []
    step = _base_point()
    for _ in range(_WINDOWS):
        row = [_NEUTRAL]
        for _ in range(2**_WINDOW_BITS - 1):
            row.append(_add(row[-1], step))
        rows.append(tuple(row))
        step = _add(row[-1], step)
    return tuple(rows)


def _times_base(scalar: int) -> bytes:
    """The encoded Edwards point scalar·B, 32 bytes; scalar below 2^256."""
    total = _NEUTRAL
    for row in _table():
        total = _add(total, row[scalar & 15])
        scalar >>= _WINDOW_BITS
    x, y, z, _ = total
    inverse = pow(z, -1, _P)
    x, y = x * inverse % _P, y * inverse % _P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _clamped(private: bytes) -> int:
    k = bytearray(private)
    k[0] &= 248
    k[31] = (k[31] & 127) | 64
    return int.from_bytes(k, "little")


def sign(private: bytes, message: bytes, nonce: bytes | None = None) -> bytes:
    """Sign with a 32-byte Curve25519 private key; 64 bytes.

    ``nonce`` is 64 random bytes (drawn here when None). The inner hash mixes it with the key and the message behind a
    prefix that no other hash here has, so even a repeated nonce does not reveal the key.
    """
    a = _clamped(private)
    public = _times_base(a)
    nonce = os.urandom(NONCE_BYTES) if nonce is None else nonce
    prefix = b"\xfe" + b"\xff" * 31
    r = int.from_bytes(hashlib.sha512(prefix + a.to_bytes(32, "little") + message + nonce).digest(), "little") % _Q
    point = _times_base(r)
    challenge = int.from_bytes(hashlib.sha512(point + public + message).digest(), "little") % _Q
    s = bytearray(((r + challenge * a) % _Q).to_bytes(32, "little"))
    s[31] = (s[31] & 127) | (public[31] & _TOP_BIT)
    return point + bytes(s)


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """True if ``signature`` (64 bytes) over ``message`` was made with the private key of the 32-byte ``public``."""
    if len(public) != 32 or len(signature) != SIGNATURE_BYTES:
        return False
    u = int.from_bytes(public[:31] + bytes([public[31] & 127]), "little")
    if u >= _P or u == _P - 1:
        return False
    point = bytearray(((u - 1) * pow(u + 1, -1, _P) % _P).to_bytes(32, "little"))
    point[31] |= signature[63] & _TOP_BIT
    plain = signature[:63] + bytes([signature[63] & 127])
    try:
        Ed25519PublicKey.from_public_bytes(bytes(point)).verify(plain, message)
    except (InvalidSignature, ValueError):
        return False
    return True
