"""The viewing key's format in Python, from its description in domain/viewing.py: the twin of the browser's code."""

import base64
from typing import Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from domain.viewing import proof_hash
from enclave.wire.sealing import BODY_LABEL, KIND_TEXT, Binding, recipient_hash

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def _from_code(code: str, user: str, info: bytes) -> bytes:
    salt = f"autosendr/recovery/v1\n{user}".encode()
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=info).derive(code.encode())


def wrapping_key(code: str, user: str) -> bytes:
    """Return what wraps the viewing key."""
    return _from_code(code, user, b"wrapping key")


def proof(code: str, user: str) -> bytes:
    """Return what shows that one has the code."""
    return _from_code(code, user, b"proof")


def _aad(user: str, key: str) -> bytes:
    return f"autosendr/viewing-key/v1\n{user}\n{key}".encode()


def wrap_viewing_key(code: str, user: str, key: str, viewing_key: bytes, nonce: bytes) -> bytes:
    """Return the viewing key as the server keeps it."""
    return nonce + AESGCM(wrapping_key(code, user)).encrypt(nonce, viewing_key, _aad(user, key))


def unwrap_viewing_key(code: str, user: str, key: str, wrapped: bytes) -> bytes:
    """Return the viewing key. Raises InvalidTag."""
    return AESGCM(wrapping_key(code, user)).decrypt(wrapped[:12], wrapped[12:], _aad(user, key))


def wrap_content_key(viewing_key: bytes, binding: bytes, content_key: bytes, nonce: bytes) -> bytes:
    """Return `viewing`."""
    return nonce + AESGCM(viewing_key).encrypt(nonce, content_key, b"autosendr/viewing/v1\n" + binding)


def open_text(viewing_key: bytes, sealed: dict[str, str]) -> str:
    """Return the text of what `GET /messages/{id}/sealed` answered. Raises InvalidTag."""
    binding = Binding(
        environment=sealed["environment"],
        account=sealed["account"],
        schedule=sealed["schedule"],
        recipient_hash=recipient_hash(sealed["account"], sealed["recipient"]),
        not_after_s=int(sealed["not_after_s"]),
    ).encode()
    viewing, body = bytes_of(sealed["viewing"]), bytes_of(sealed["body"])
    content_key = AESGCM(viewing_key).decrypt(viewing[:12], viewing[12:], b"autosendr/viewing/v1\n" + binding)
    plain = AESGCM(content_key).decrypt(body[:12], body[12:], BODY_LABEL + binding)
    assert plain[0] == KIND_TEXT
    return plain[1:].decode()


def text_of(data: bytes) -> str:
    """Return bytes as base64url without padding."""
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def bytes_of(text: str) -> bytes:
    """Return the bytes of base64url without padding."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def new_key_form(code: str, user: str, key: str, viewing_key: bytes = b"v" * 32) -> dict[str, str]:
    """Return what a browser sends that has made a key."""
    wrapped = wrap_viewing_key(code, user, key, viewing_key, b"n" * 12)
    return {"id": key, "wrapped": text_of(wrapped), "proof_hash": text_of(proof_hash(proof(code, user)))}
