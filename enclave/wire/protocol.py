"""Both sides of one door connection as state without I/O: bytes in, calls or answers out, bytes to write.

Rules: `Hello` is the first call and comes once. At most `IN_FLIGHT_MAX` calls are unanswered; one more fails with busy.
A call that does not parse fails with bad_operation and the connection lives. Whatever leaves no call to answer (a
broken frame, an id in use, the wrong lane) is answered by Failure(0, code), after which the connection is closed.
"""

from typing import Final

import msgspec

from enclave.wire.answers import Answer
from enclave.wire.envelope import Call, Code, Failure, FromEnclave, News, Reply
from enclave.wire.frames import (
    ANSWER_LANES,
    NOTICE_LANES,
    OPERATION_LANES,
    Frame,
    FrameFault,
    FrameReader,
    Lane,
    encode_frame,
)
from enclave.wire.limits import IN_FLIGHT_MAX, WIRE_VERSION
from enclave.wire.operations import Hello, Operation

CONNECTION_ID: Final = 0
"""The id in a Failure that means the connection itself."""

_ID_MAX: Final = 2**63 - 1


class _RawCall(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """A call whose operation is not parsed yet, so that a bad one can still be refused by its id."""

    id: int
    operation: msgspec.Raw


_encoder: Final = msgspec.msgpack.Encoder()
_raw_decoder: Final = msgspec.msgpack.Decoder(_RawCall)
_operation_decoder: Final = msgspec.msgpack.Decoder(Operation)
_enclave_decoder: Final = msgspec.msgpack.Decoder(FromEnclave)

# Deep nesting ends in RecursionError, which is no MsgspecError; a text that is not UTF-8 in a ValueError.
_UNREADABLE: Final = (msgspec.MsgspecError, RecursionError, ValueError)


class EnclaveSide:
    """The enclave's end of one connection."""

    def __init__(self) -> None:
        """Wait for the Hello."""
        self._reader = FrameReader()
        self._outgoing = bytearray()
        self._in_flight: set[int] = set()
        self._greeted = False
        self.owner = False
        """Whether this connection said that it owns the sessions it opens."""
        self.closed = False
        """Nothing more is read; what `take_outgoing` gives is still to be written."""

    def receive(self, data: bytes) -> list[Call]:
        """Take bytes from the host; return the calls to carry out. What must be refused already is."""
        if self.closed:
            return []
        try:
            return [call for frame in self._reader.receive(data) if (call := self._accept(frame)) is not None]
        except FrameFault as fault:
            self.give_up(fault.code)
            return []

    def give_up(self, code: Code) -> None:
        """Tell the host why the connection ends, and read no more."""
        self._write(Failure(CONNECTION_ID, code))
        self.closed = True

    def reply(self, call_id: int, answer: Answer) -> None:
        """Answer a call that `receive` gave. An answer that does not fit its lane fails with too_large."""
        self._in_flight.remove(call_id)
        try:
            frame = encode_frame(ANSWER_LANES[type(answer)], _encoder.encode(Reply(call_id, answer)))
        except FrameFault as fault:
            self._write(Failure(call_id, fault.code))
        else:
            self._outgoing += frame

    def fail(self, call_id: int, code: Code) -> None:
        """Answer a call that `receive` gave with a code."""
        self._in_flight.remove(call_id)
        self._write(Failure(call_id, code))

    def tell(self, news: News) -> None:
        """Tell news to the host. Raises FrameFault if they do not fit their lane, which is a bug of ours."""
        self._outgoing += encode_frame(NOTICE_LANES[type(news.notice)], _encoder.encode(news))

    def take_outgoing(self) -> bytes:
        """Return and forget the bytes to write."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    def _accept(self, frame: Frame) -> Call | None:
        try:
            raw = _raw_decoder.decode(frame.payload)
        except _UNREADABLE:
            raise FrameFault(Code.BAD_FRAME) from None
        if not CONNECTION_ID < raw.id <= _ID_MAX or raw.id in self._in_flight:
            raise FrameFault(Code.BAD_FRAME)
        try:
            operation = _operation_decoder.decode(raw.operation)
        except _UNREADABLE:
            self._write(Failure(raw.id, Code.BAD_OPERATION))
            return None
        if OPERATION_LANES[type(operation)] is not frame.lane:
            raise FrameFault(Code.BAD_FRAME)
        refusal = self._refusal(operation)
        if refusal is not None:
            self._write(Failure(raw.id, refusal))
            return None
        self._in_flight.add(raw.id)
        return Call(raw.id, operation)

    def _refusal(self, operation: Operation) -> Code | None:
        if len(self._in_flight) >= IN_FLIGHT_MAX:
            return Code.BUSY
        if isinstance(operation, Hello):
            if self._greeted or operation.wire_version != WIRE_VERSION:
                return Code.BAD_OPERATION
            self._greeted, self.owner = True, operation.owner
            return None
        return None if self._greeted else Code.BAD_OPERATION

    def _write(self, failure: Failure) -> None:
        self._outgoing += encode_frame(Lane.CONTROL, _encoder.encode(failure))


class HostSide:
    """The host's end of one connection."""

    def __init__(self) -> None:
        """Start without calls."""
        self._reader = FrameReader()
        self._next_id = CONNECTION_ID + 1
        self._in_flight: set[int] = set()

    @property
    def full(self) -> bool:
        """Whether one more call would be refused."""
        return len(self._in_flight) >= IN_FLIGHT_MAX

    def call(self, operation: Operation) -> tuple[int, bytes]:
        """Return the id of a new call and the bytes to write. Raises FrameFault(too_large), FrameFault(busy)."""
        if self.full:
            raise FrameFault(Code.BUSY)
        call_id = self._next_id
        frame = encode_frame(OPERATION_LANES[type(operation)], _encoder.encode(Call(call_id, operation)))
        self._next_id += 1
        self._in_flight.add(call_id)
        return call_id, frame

    def receive(self, data: bytes) -> list[Reply | Failure | News]:
        """Take bytes from the enclave; return what it says.

        Raises FrameFault when the enclave breaks the protocol, or has given the connection up (its code then).
        """
        told = []
        for frame in self._reader.receive(data):
            try:
                message = _enclave_decoder.decode(frame.payload)
            except _UNREADABLE:
                raise FrameFault(Code.BAD_FRAME) from None
            if isinstance(message, Failure) and message.id == CONNECTION_ID:
                raise FrameFault(message.code)
            if isinstance(message, Reply | Failure):
                if message.id not in self._in_flight:
                    raise FrameFault(Code.BAD_FRAME)
                self._in_flight.remove(message.id)
            if _lane_of(message) is not frame.lane:
                raise FrameFault(Code.BAD_FRAME)
            told.append(message)
        return told


def _lane_of(message: Reply | Failure | News) -> Lane:
    match message:
        case Reply():
            return ANSWER_LANES[type(message.answer)]
        case Failure():
            return Lane.CONTROL
        case News():
            return NOTICE_LANES[type(message.notice)]
