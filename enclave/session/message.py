"""The protobuf bytes of a text message, made in a buffer that can be zeroed.

Fields of the client's `Message`: conversation = 1, extendedTextMessage = 6 (text = 1, contextInfo = 17 with
expiration = 25), messageContextInfo = 35 (messageSecret = 3). Sources: docs/whatsapp.md §9 (secret), §12 (expiration
only in extendedTextMessage). Encoding: protobuf wire format, varints and length-delimited fields.
"""

from typing import Final

_VARINT: Final = 0
_BYTES: Final = 2


def encode_text(text: memoryview, secret: bytes, expiration_s: int) -> bytearray:
    """One text message; `expiration_s` 0 for a chat whose messages stay. Zero the result after use.

    The result is allocated once at its full size, so that no half-grown copy of the text stays behind.
    """
    context_info = _field(3, len(secret)) + secret
    tail = _field(35, len(context_info)) + context_info
    if expiration_s == 0:
        head = _field(1, len(text))
    else:
        context = _varint(25 << 3 | _VARINT) + _varint(expiration_s)
        context = _field(17, len(context)) + context
        head = _field(1, len(text))
        head = _field(6, len(head) + len(text) + len(context)) + head
        tail = context + tail
    message = bytearray(len(head) + len(text) + len(tail))
    message[: len(head)] = head
    message[len(head) : len(head) + len(text)] = text
    message[len(head) + len(text) :] = tail
    return message


def _field(number: int, size: int) -> bytes:
    """Key and length of a length-delimited field."""
    return _varint(number << 3 | _BYTES) + _varint(size)


def _varint(value: int) -> bytes:
    """An unsigned varint."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)
