"""WhatsApp's framing inside the websocket's byte stream: an intro once, then frames with a 3-byte length.

Source: docs/whatsapp.md §14. Frames need not align with websocket messages.
"""

from simulator.node import Malformed

INTRO = bytes([0x57, 0x41, 6, 3])
ROUTING = bytes([0x45, 0x44, 0, 1])
FRAME_BYTES_MAX = 1 << 24
_LENGTH_BYTES = 3


def frame(payload: bytes) -> bytes:
    """A payload with its length before it; ValueError from 16 MiB on."""
    if len(payload) >= FRAME_BYTES_MAX:
        raise ValueError("the frame is too long")
    return len(payload).to_bytes(_LENGTH_BYTES) + payload


class FrameReader:
    """Cuts a client's byte stream into frames; bounded by one frame's largest size plus what one feed brings."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._intro_seen = False

    def feed(self, data: bytes) -> list[bytes]:
        """The frames that are complete now; Malformed where the stream does not start as a client's does."""
        self._buffer += data
        if not self._intro_seen and not self._take_intro():
            return []
        frames = []
        while (piece := self._take_sized(0)) is not None:
            frames.append(piece)
        return frames

    def _take_intro(self) -> bool:
        while (start := bytes(self._buffer[: len(INTRO)])) == ROUTING:
            if self._take_sized(len(ROUTING)) is None:
                return False
        if not (INTRO.startswith(start) or ROUTING.startswith(start)):
            raise Malformed("the stream does not start with the intro")
        if start != INTRO:
            return False
        del self._buffer[: len(INTRO)]
        self._intro_seen = True
        return True

    def _take_sized(self, start: int) -> bytes | None:
        """A length at ``start`` and as many bytes; both leave the buffer, with what is before them."""
        body = start + _LENGTH_BYTES
        end = body + int.from_bytes(self._buffer[start:body])
        if len(self._buffer) < max(body, end):
            return None
        piece = bytes(self._buffer[body:end])
        del self._buffer[:end]
        return piece
