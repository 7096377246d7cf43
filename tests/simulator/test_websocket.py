import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator import websocket
from simulator.frames import INTRO, ROUTING, FrameReader, frame
from simulator.node import Malformed
from simulator.websocket import Message, Opcode, Receiver, WebsocketError

FAST = settings(max_examples=500, deadline=None)


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    places = sorted({cut % (len(data) + 1) for cut in cuts})
    return [data[a:b] for a, b in zip([0, *places], [*places, len(data)], strict=True)]


@FAST
@given(st.lists(st.binary(max_size=300), max_size=4), st.lists(st.integers(0, 2000)), st.booleans())
def test_messages_survive_any_cut_of_the_stream(messages: list[bytes], cuts: list[int], masked: bool) -> None:
    mask = b"\x01\x80\xff\x00" if masked else None
    stream = b"".join(websocket.encode(Opcode.BINARY, message, mask) for message in messages)
    receiver = Receiver(from_client=masked)
    got = [message for piece in pieces(stream, cuts) for message in receiver.feed(piece)]
    assert got == [Message(Opcode.BINARY, message) for message in messages]


@FAST
@given(st.binary(max_size=100), st.booleans())
def test_random_bytes_never_crash_the_receiver(data: bytes, from_client: bool) -> None:
    try:
        Receiver(from_client=from_client).feed(data)
    except WebsocketError:
        return


def test_long_and_fragmented_messages_arrive_whole_with_a_ping_between() -> None:
    long = bytes(70_000)
    stream = (
        websocket.encode(Opcode.BINARY, long[:200], last=False)
        + websocket.encode(Opcode.PING, b"p")
        + websocket.encode(Opcode.CONTINUATION, long[200:])
    )
    messages = Receiver(from_client=False).feed(stream)
    assert messages == [Message(Opcode.PING, b"p"), Message(Opcode.BINARY, long)]


def test_an_unmasked_client_frame_is_refused() -> None:
    with pytest.raises(WebsocketError):
        Receiver(from_client=True).feed(websocket.encode(Opcode.BINARY, b"x"))


def test_the_accept_key_is_that_of_the_rfc() -> None:
    assert websocket.accept_key("dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="


@FAST
@given(st.lists(st.binary(max_size=300), max_size=4), st.lists(st.integers(0, 2000)), st.booleans())
def test_frames_survive_any_cut_with_or_without_routing(payloads: list[bytes], cuts: list[int], routed: bool) -> None:
    start = ROUTING + b"\x00\x00\x02ab" if routed else b""
    stream = start + INTRO + b"".join(map(frame, payloads))
    reader = FrameReader()
    assert [got for piece in pieces(stream, cuts) for got in reader.feed(piece)] == payloads


@FAST
@given(st.binary(min_size=4, max_size=60))
def test_a_stream_without_the_intro_is_refused(data: bytes) -> None:
    if data[:4] in (INTRO, ROUTING):
        return
    with pytest.raises(Malformed):
        FrameReader().feed(data)
