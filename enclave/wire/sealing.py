"""What browser, host and enclave must agree on byte for byte: the labels and the binding of a sealed body.

The format, version 1 (the browser's twin is `static/seal.js`, tests hold both to the same vectors):

    binding  = UTF-8 of the six lines below, joined by "\\n", no newline at the end
                 "autosendr/binding/v1"
                 environment            "local", "demo" or "nitro"
                 account                UUID, lower case with dashes
                 schedule               UUID, lower case with dashes
                 recipient              hex SHA-256 of  account "\\n" JID
                 not after              Unix seconds, decimal
    content key   32 random bytes, made for one body and used for one AES-GCM call
    body          nonce(12) || AES-256-GCM(content key, nonce, kind(1) || UTF-8 text),
                  aad = "autosendr/body/v1\\n" || binding
    envelope      HPKE base mode, DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM (RFC 9180):
                  enc(65) || ciphertext(32 + 16) of the content key, info = "autosendr/content-key/v1\\n" || binding

`cryptography`'s HPKE takes no AAD, so the binding is in `info` (RFC 9180 section 8.1): a changed line, another key.
"""

import hashlib
from typing import Final

import msgspec

BODY_LABEL: Final = b"autosendr/body/v1\n"
CONTENT_KEY_LABEL: Final = b"autosendr/content-key/v1\n"
BINDING_LABEL: Final = "autosendr/binding/v1"
KIND_TEXT: Final = 1
ENVELOPE_BYTES: Final = 65 + 32 + 16
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16


class Binding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a sealed body is bound to; a change of any field makes it unreadable.

    `account` and `schedule` are UUID texts, `recipient_hash` is that of `recipient_hash(account, jid)`,
    `not_after_s` Unix seconds.
    """

    environment: str
    account: str
    schedule: str
    recipient_hash: str
    not_after_s: int

    def encode(self) -> bytes:
        """The canonical bytes of the module's docstring. No field can hold a newline, so the lines are unambiguous."""
        lines = (
            BINDING_LABEL,
            self.environment,
            self.account,
            self.schedule,
            self.recipient_hash,
            str(self.not_after_s),
        )
        if any("\n" in line for line in lines):
            raise ValueError("a binding's field holds a newline")
        return "\n".join(lines).encode()


def recipient_hash(account: str, jid: str) -> str:
    """Hex SHA-256 that stands for the recipient `jid` of `account` (UUID text) in a binding."""
    return hashlib.sha256(f"{account}\n{jid}".encode()).hexdigest()
