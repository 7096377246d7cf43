import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.http import HEAD_BYTES_MAX, HttpError, Request, read_request


def read(data: bytes) -> Request | None:
    async def run() -> Request | None:
        reader = asyncio.StreamReader()
        reader.feed_data(data)
        reader.feed_eof()
        return await read_request(reader)

    return asyncio.run(run())


def test_bodies_come_by_length_or_in_chunks() -> None:
    by_length = read(b"POST /a%20b?x=1 HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcd")
    assert by_length is not None
    assert (by_length.method, by_length.path, by_length.query, by_length.body) == ("POST", "/a b", {"x": "1"}, b"abc")
    chunked = read(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2;x\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
    assert chunked is not None
    assert chunked.body == b"abc"


def test_a_closed_connection_is_no_error() -> None:
    assert read(b"") is None


@pytest.mark.parametrize(
    "data",
    [
        b"GET",
        b"GET /\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab",
        b"GET / HTTP/1.1\r\nX: " + b"x" * HEAD_BYTES_MAX + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nab",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nab",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2",
    ],
)
def test_what_is_no_request_is_refused(data: bytes) -> None:
    with pytest.raises(HttpError):
        read(data)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=60))
def test_random_requests_never_crash(head: bytes, body: bytes) -> None:
    try:
        request = read(b"POST " + head + b" HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
    except HttpError:
        return
    if request is not None:
        assert isinstance(request.path, str)
        assert isinstance(request.query, dict)
