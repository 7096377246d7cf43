"""Frames of the door: bytes in, payloads out. No I/O, so a Unix socket and vsock are the same to it.

    length  u32 big endian, of the payload, 1 to the lane's limit
    lane    u8, 0 control, 1 bulk
    payload MessagePack

The size is checked against the lane's limit as soon as the header is there, before anything is kept or parsed.
"""

import struct
from enum import IntEnum
from typing import Final, NamedTuple

from enclave.wire import answers, news, operations
from enclave.wire.envelope import Code
from enclave.wire.limits import BULK_BYTES_MAX, CONTROL_BYTES_MAX


class Lane(IntEnum):
    """Two classes of frames with limits of their own, so that small talk cannot cost large buffers."""

    CONTROL = 0
    BULK = 1


LANE_BYTES_MAX: Final = {Lane.CONTROL: CONTROL_BYTES_MAX, Lane.BULK: BULK_BYTES_MAX}

OPERATION_LANES: Final[dict[type, Lane]] = {
    operations.Hello: Lane.CONTROL,
    operations.NewAccountKey: Lane.CONTROL,
    operations.Ingest: Lane.CONTROL,
    operations.OpenSession: Lane.BULK,
    operations.PairSession: Lane.CONTROL,
    operations.Send: Lane.CONTROL,
    operations.Settle: Lane.CONTROL,
    operations.TakeStore: Lane.CONTROL,
    operations.CloseSession: Lane.CONTROL,
    operations.Unlink: Lane.CONTROL,
    operations.Forget: Lane.CONTROL,
    operations.ListContacts: Lane.CONTROL,
    operations.ListGroups: Lane.CONTROL,
    operations.GetPicture: Lane.CONTROL,
    operations.CheckNumber: Lane.CONTROL,
    operations.Stats: Lane.CONTROL,
}

ANSWER_LANES: Final[dict[type, Lane]] = {
    answers.Welcome: Lane.CONTROL,
    answers.AccountKey: Lane.CONTROL,
    answers.Ingested: Lane.CONTROL,
    answers.Opened: Lane.CONTROL,
    answers.Sent: Lane.BULK,
    answers.NotSent: Lane.CONTROL,
    answers.Settled: Lane.CONTROL,
    answers.StoreTaken: Lane.BULK,
    answers.Closed: Lane.BULK,
    answers.Done: Lane.CONTROL,
    answers.ContactPage: Lane.BULK,
    answers.GroupList: Lane.BULK,
    answers.Picture: Lane.CONTROL,
    answers.NumberChecked: Lane.CONTROL,
    answers.StatsTaken: Lane.CONTROL,
}

NOTICE_LANES: Final[dict[type, Lane]] = {
    news.QrShown: Lane.CONTROL,
    news.PairCodeShown: Lane.CONTROL,
    news.Paired: Lane.BULK,
    news.PairFailed: Lane.CONTROL,
    news.Connected: Lane.CONTROL,
    news.DrainStarted: Lane.CONTROL,
    news.Drained: Lane.CONTROL,
    news.Dropped: Lane.CONTROL,
    news.Restarted: Lane.CONTROL,
    news.KeepAliveLost: Lane.CONTROL,
    news.LoggedOut: Lane.CONTROL,
    news.Banned: Lane.CONTROL,
    news.Replaced: Lane.CONTROL,
    news.Outdated: Lane.CONTROL,
    news.ConnectFailed: Lane.CONTROL,
    news.StreamFailed: Lane.CONTROL,
    news.Receipt: Lane.CONTROL,
    news.PhoneSeen: Lane.CONTROL,
    news.ContactsChanged: Lane.CONTROL,
    news.Ended: Lane.BULK,
}

_HEADER: Final = struct.Struct(">IB")


class FrameFault(Exception):
    """The other side broke the framing: nothing more can be read. `code` is bad_frame or too_large."""

    def __init__(self, code: Code) -> None:
        """Keep the code that the other side is told."""
        super().__init__(code.value)
        self.code = code


class Frame(NamedTuple):
    """One payload and the lane it came on."""

    lane: Lane
    payload: bytes


def encode_frame(lane: Lane, payload: bytes) -> bytes:
    """Put `payload` into a frame. Raises FrameFault(too_large) if it does not fit its lane."""
    if len(payload) > LANE_BYTES_MAX[lane]:
        raise FrameFault(Code.TOO_LARGE)
    return _HEADER.pack(len(payload), lane) + payload


class FrameReader:
    """Cuts a byte stream into frames; keeps at most one unfinished frame and what one `receive` brought."""

    def __init__(self) -> None:
        """Start at a frame's first byte."""
        self._buffer = bytearray()

    def receive(self, data: bytes) -> list[Frame]:
        """Take the stream's next bytes, return the frames that are now whole.

        Raises FrameFault at an unknown lane, an empty frame, or a length over the lane's limit; whole frames before
        the fault are lost with it, since the connection ends.
        """
        self._buffer += data
        frames = []
        start = 0
        while len(self._buffer) - start >= _HEADER.size:
            length, lane = self._header(start)
            end = start + _HEADER.size + length
            if len(self._buffer) < end:
                break
            frames.append(Frame(lane, bytes(memoryview(self._buffer)[start + _HEADER.size : end])))
            start = end
        del self._buffer[:start]
        return frames

    def _header(self, start: int) -> tuple[int, Lane]:
        length, number = _HEADER.unpack_from(self._buffer, start)
        if number not in LANE_BYTES_MAX or length == 0:
            raise FrameFault(Code.BAD_FRAME)
        lane = Lane(number)
        if length > LANE_BYTES_MAX[lane]:
            raise FrameFault(Code.TOO_LARGE)
        return length, lane
