"""Answers `/healthz`, `/readyz` and `/metrics` on loopback, to whoever watches this machine. Reads, never does."""

import asyncio
import contextlib
from collections.abc import Callable
from http import HTTPStatus
from typing import Final

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST

from domain import limits
from domain.readiness import Readiness, Ready
from supervisor.log import emit

HOST: Final = "127.0.0.1"
_JSON: Final = "application/json"
_REQUEST_BYTES: Final = 8192
_HEAD_END: Final = b"\r\n\r\n"
_BACKLOG: Final = 16


class Listener:
    """`port` 0: any that is free; the log says which."""

    def __init__(self, port: int, readiness: Callable[[], Readiness], metrics: Callable[[], bytes]) -> None:
        """`run` listens."""
        self._port = port
        self._readiness = readiness
        self._metrics = metrics

    async def run(self, started: Callable[[], None]) -> None:
        """Listens until cancelled. A port that somebody else has is tried again: messages leave without it."""
        started()
        told = False
        while True:
            try:
                server = await asyncio.start_server(
                    self._serve, HOST, self._port, limit=_REQUEST_BYTES, backlog=_BACKLOG
                )
                break
            except OSError:
                if not told:
                    emit("port_taken", port=self._port)
                told = True
                await asyncio.sleep(limits.LOOKOUT_TICK_S)
        emit("listening", port=server.sockets[0].getsockname()[1])
        try:
            await asyncio.Event().wait()
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request, one answer, then the end."""
        with contextlib.suppress(OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            async with asyncio.timeout(limits.READINESS_PATIENCE_S):
                head = await reader.readuntil(_HEAD_END)
                writer.write(self._answer(head.split(b"\r\n", 1)[0]))
                await writer.drain()
        writer.close()

    def _answer(self, line: bytes) -> bytes:
        method, _, rest = line.partition(b" ")
        if method != b"GET":
            return _response(HTTPStatus.METHOD_NOT_ALLOWED, _JSON, b"")
        match rest.partition(b" ")[0].partition(b"?")[0]:
            case b"/healthz":
                return _response(HTTPStatus.OK, _JSON, b'{"alive":true}')
            case b"/readyz":
                seen = self._readiness()
                bad = seen.state is Ready.NOT_READY
                status = HTTPStatus.SERVICE_UNAVAILABLE if bad else HTTPStatus.OK
                return _response(status, _JSON, msgspec.json.encode(seen))
            case b"/metrics":
                return _response(HTTPStatus.OK, CONTENT_TYPE_LATEST, self._metrics())
        return _response(HTTPStatus.NOT_FOUND, _JSON, b"")


def _response(status: HTTPStatus, kind: str, body: bytes) -> bytes:
    head = f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: {kind}\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"connection: close\r\n\r\n" + body
