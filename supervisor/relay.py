"""The host's relay: carries the enclave's TLS to WhatsApp, or in a demo to the simulator, and nowhere else.

The enclave keeps the same list; both sides refuse on their own, so a mistake on one is not a way out.
"""

import asyncio
import contextlib
import os
import socket
from pathlib import Path
from typing import Final

from enclave.wire.tunnel import (
    CONNECT_S,
    IDLE_S,
    LINE_BYTES_MAX,
    NO,
    OK,
    TUNNELS_MAX,
    Stream,
    close,
    decode_request,
    splice,
)
from supervisor.destinations import Chain, Dial, Mode, decide, public

_ADDRESSES_TRIED: Final = 4


class Relay:
    """Serves the enclave's requests on the Unix socket at `path`."""

    def __init__(self, path: Path, mode: Mode, idle_s: float = IDLE_S) -> None:
        """Listen to nothing yet."""
        self._path = path
        self._mode = mode
        self._idle_s = idle_s
        self._tunnels: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen, private to this user; a socket that lies there is replaced (one supervisor owns the folder)."""
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(os.fspath(self._path))
        self._path.chmod(0o600)  # nobody can connect before `listen`
        self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=LINE_BYTES_MAX)

    async def close(self) -> None:
        """End the listener and every tunnel, remove the socket."""
        if self._server is None:
            return
        self._server.close()
        self._path.unlink(missing_ok=True)
        tasks = list(self._tunnels)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        enclave = Stream(reader, writer)
        self._tunnels.add(task)
        try:
            with contextlib.suppress(OSError, TimeoutError, asyncio.CancelledError):
                await self._tunnel(enclave)
        finally:
            self._tunnels.discard(task)
            await close(enclave)

    async def _tunnel(self, enclave: Stream) -> None:
        outside = None
        with contextlib.suppress(OSError, TimeoutError, EOFError, ValueError, asyncio.LimitOverrunError):
            async with asyncio.timeout(CONNECT_S):
                request = decode_request(await enclave.reader.readuntil(b"\n"))
                target = decide(*request, self._mode) if len(self._tunnels) <= TUNNELS_MAX else None
                outside = None if target is None else await _open(target)
        if outside is None:
            enclave.writer.write(NO)
            return
        try:
            enclave.writer.write(OK)
            await splice(enclave, outside, self._idle_s)
        finally:
            await close(outside)


async def _open(target: Dial | Chain) -> Stream | None:
    if isinstance(target, Chain):
        return await _open_chained(target)
    found = await asyncio.get_running_loop().getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = [str(address[0]) for *_, address in found]
    for address in [address for address in addresses if public(address)][:_ADDRESSES_TRIED]:
        with contextlib.suppress(OSError):
            return Stream(*await asyncio.open_connection(address, target.port))  # the address that was checked
    return None


async def _open_chained(target: Chain) -> Stream | None:
    front = Stream(*await asyncio.open_connection(target.front.host, target.front.port))
    try:
        name = f"{target.host}:{target.port}"
        front.writer.write(f"CONNECT {name} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode("ascii"))
        head = await front.reader.readuntil(b"\r\n\r\n")
        if head.split(b" ", 2)[1:2] == [b"200"]:
            return front
    except BaseException:
        front.writer.transport.abort()
        raise
    await close(front)
    return None
