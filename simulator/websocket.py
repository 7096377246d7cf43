"""The websocket protocol without input and output (RFC 6455): no extensions, no subprotocols."""

import base64
import hashlib
from dataclasses import dataclass
from enum import IntEnum

MESSAGE_BYTES_MAX = 1 << 25
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_CONTROL_BYTES_MAX = 125
_FIN, _RESERVED, _MASKED = 0x80, 0x70, 0x80


class Opcode(IntEnum):
    """The frame kinds of RFC 6455 §5.2."""

    CONTINUATION = 0
    TEXT = 1
    BINARY = 2
    CLOSE = 8
    PING = 9
    PONG = 10


class WebsocketError(ValueError):
    """The peer broke the protocol; the connection must be closed with 1002."""


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message or a control frame."""

    opcode: Opcode
    data: bytes


def accept_key(key: str) -> str:
    """The ``Sec-WebSocket-Accept`` for a client's ``Sec-WebSocket-Key``."""
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()


def _masked(data: bytes, mask: bytes) -> bytes:
    """XOR with the repeated 4-byte mask, as one big number: fast for any size."""
    if not data:
        return data
    whole = mask * (len(data) // 4 + 1)
    return (int.from_bytes(data) ^ int.from_bytes(whole[: len(data)])).to_bytes(len(data))


def encode(opcode: Opcode, data: bytes, mask: bytes | None = None, *, last: bool = True) -> bytes:
    """One frame; a client gives a 4-byte mask, a server none."""
    masked = _MASKED if mask is not None else 0
    size = len(data)
    if size < 126:
        head = bytes([masked | size])
    elif size < 1 << 16:
        head = bytes([masked | 126]) + size.to_bytes(2)
    else:
        head = bytes([masked | 127]) + size.to_bytes(8)
    body = data if mask is None else mask + _masked(data, mask)
    return bytes([(_FIN if last else 0) | opcode]) + head + body


class Receiver:
    """Turns the peer's bytes into messages. ``from_client``: frames must be masked, else not (RFC 6455 §5.1)."""

    def __init__(self, *, from_client: bool) -> None:
        self._masking = from_client
        self._buffer = bytearray()
        self._parts: list[bytes] = []
        self._opcode: Opcode | None = None

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are complete now; WebsocketError for a broken frame."""
        self._buffer += data
        messages = []
        while (taken := self._take_frame()) is not None:
            message = self._assemble(*taken)
            if message is not None:
                messages.append(message)
        return messages

    def _take_frame(self) -> tuple[bool, Opcode, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        if buffer[0] & _RESERVED or bool(buffer[1] & _MASKED) != self._masking:
            raise WebsocketError("reserved bits, or masking of the wrong side")
        try:
            opcode = Opcode(buffer[0] & 0x0F)
        except ValueError:
            raise WebsocketError("unknown opcode") from None
        size = buffer[1] & 0x7F
        extra = {126: 2, 127: 8}.get(size, 0)
        body = 2 + extra + (4 if self._masking else 0)
        if len(buffer) < body:
            return None
        if extra:
            size = int.from_bytes(buffer[2 : 2 + extra])
        if size > (_CONTROL_BYTES_MAX if opcode >= Opcode.CLOSE else MESSAGE_BYTES_MAX):
            raise WebsocketError("the frame is too long")
        if len(buffer) < body + size:
            return None
        final, mask, data = bool(buffer[0] & _FIN), bytes(buffer[body - 4 : body]), bytes(buffer[body : body + size])
        del buffer[: body + size]
        return final, opcode, _masked(data, mask) if self._masking else data

    def _assemble(self, final: bool, opcode: Opcode, data: bytes) -> Message | None:
        if opcode >= Opcode.CLOSE:
            if not final:
                raise WebsocketError("a control frame is fragmented")
            return Message(opcode, data)
        if (opcode is Opcode.CONTINUATION) != (self._opcode is not None):
            raise WebsocketError("a continuation without a start, or a start inside a message")
        self._opcode = self._opcode or opcode
        self._parts.append(data)
        if sum(map(len, self._parts)) > MESSAGE_BYTES_MAX:
            raise WebsocketError("the message is too long")
        if not final:
            return None
        message = Message(self._opcode, b"".join(self._parts))
        self._opcode, self._parts = None, []
        return message
