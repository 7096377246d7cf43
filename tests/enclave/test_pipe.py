"""The frames of the pipe: what goes in comes out, and nothing oversized or foreign gets through."""

import asyncio

import msgspec
import pytest

from enclave.session import pipe
from enclave.session.pipe import BadFrame, Order, SendText, Told, frame, payload_bytes, read_payload, read_report
from enclave.wire.news import Connected


def stream_of(data: bytes) -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    reader.feed_data(data)
    reader.feed_eof()
    return reader


async def test_a_text_is_decoded_in_place_so_that_zeroing_the_frame_zeroes_it() -> None:
    payload = frame(Order(7, SendText(recipient="1@s.whatsapp.net", secret=b"s" * 32, text=memoryview(b"hello"))))[4:]
    order = pipe.ORDERS.decode(payload)
    assert isinstance(order.task, SendText)
    assert bytes(order.task.text) == b"hello"
    payload[:] = bytes(len(payload))
    assert bytes(order.task.text) == bytes(5)


async def test_reports_are_read_one_after_another_until_the_end_of_file() -> None:
    reader = stream_of(bytes(frame(Told(Connected())) * 2))
    assert [await read_report(reader), await read_report(reader)] == [Told(Connected()), Told(Connected())]
    assert await read_report(reader) is None


async def test_an_end_inside_a_frame_is_no_orderly_end() -> None:
    with pytest.raises(BadFrame):
        await read_payload(stream_of(bytes(frame(Told(Connected())))[:-1]))


@pytest.mark.parametrize("head", [b"\0\0\0\0", (pipe.PIPE_BYTES_MAX + 1).to_bytes(4, "big"), b"\xff\xff\xff\xff"])
async def test_a_length_out_of_bounds_is_refused_before_anything_is_read(head: bytes) -> None:
    with pytest.raises(BadFrame):
        payload_bytes(head)


@pytest.mark.parametrize("payload", [b"\xc1", msgspec.msgpack.encode(["told", {"type": "Nonsense"}]), b"\x90"])
async def test_what_is_no_report_is_refused(payload: bytes) -> None:
    with pytest.raises(BadFrame):
        await read_report(stream_of(len(payload).to_bytes(4, "big") + payload))


async def test_a_frame_larger_than_the_pipe_takes_is_not_written() -> None:
    with pytest.raises(ValueError, match="larger"):
        frame(Order(1, SendText(recipient="", secret=b"", text=memoryview(bytes(pipe.PIPE_BYTES_MAX)))))
