"""Just enough HTTP/1.1 for the front: request heads and bodies, bounded, and answers."""

import asyncio
import json
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, urlsplit

HEAD_BYTES_MAX = 16_384
BODY_BYTES_MAX = 64 << 20
HEAD_TIMEOUT_S = 120.0
BODY_TIMEOUT_S = 60.0
_CHUNK_HEAD = re.compile(rb"([0-9a-fA-F]{1,8})(;[^\r\n]*)?\r\n")


class HttpError(ValueError):
    """The peer does not speak HTTP as expected; the connection ends."""


@dataclass(frozen=True, slots=True)
class Request:
    """Method, target as sent, headers by lower-case name, and the body."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""

    @property
    def path(self) -> str:
        """The decoded path of the target."""
        return unquote(urlsplit(self.target).path)

    @property
    def query(self) -> dict[str, str]:
        """The query's last value per name."""
        return dict(parse_qsl(urlsplit(self.target).query))


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, a body and its type."""

    status: int
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """The bytes of the answer; the connection stays open."""
        lines = [f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}", f"Content-Length: {len(self.body)}"]
        if self.body:
            lines.append(f"Content-Type: {self.content_type}")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + self.body


def json_answer(value: object, status: int = 200) -> Answer:
    """A value as JSON."""
    return Answer(status, json.dumps(value, ensure_ascii=False).encode() + b"\n")


def _parse_head(head: bytes) -> tuple[str, str, dict[str, str]]:
    lines = head.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise HttpError("no request line")
    try:
        urlsplit(parts[1])
    except ValueError:
        raise HttpError("the target is no address") from None
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return parts[0], parts[1], headers


async def read_request(reader: asyncio.StreamReader) -> Request | None:
    """The next request; None where the peer closed before one. HttpError for nonsense or too much; TimeoutError."""
    try:
        async with asyncio.timeout(HEAD_TIMEOUT_S):
            head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as end:
        if end.partial:
            raise HttpError("the head ends too early") from None
        return None
    except asyncio.LimitOverrunError:
        raise HttpError("the head is too long") from None
    if len(head) > HEAD_BYTES_MAX:
        raise HttpError("the head is too long")
    method, target, headers = _parse_head(head[:-4])
    length = headers.get("content-length", "0")
    if "transfer-encoding" in headers:
        return Request(method, target, headers, await _read_chunks(reader))
    if not (length.isascii() and length.isdigit() and len(length) < 12) or int(length) > BODY_BYTES_MAX:
        raise HttpError("the body's length is missing or too large")
    async with asyncio.timeout(BODY_TIMEOUT_S):
        return Request(method, target, headers, await _exactly(reader, int(length)))


async def _line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readuntil(b"\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        raise HttpError("a chunk's head does not end") from None


async def _exactly(reader: asyncio.StreamReader, count: int) -> bytes:
    try:
        return await reader.readexactly(count)
    except asyncio.IncompleteReadError:
        raise HttpError("the body ends too early") from None


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    async with asyncio.timeout(BODY_TIMEOUT_S):
        while True:
            match = _CHUNK_HEAD.match(await _line(reader))
            if match is None:
                raise HttpError("a chunk has no size")
            size = int(match[1], 16)
            if len(body) + size > BODY_BYTES_MAX:
                raise HttpError("the body is too large")
            body += await _exactly(reader, size)
            await _exactly(reader, 2)
            if not size:
                return bytes(body)
