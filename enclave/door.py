"""The door's server on asyncio: connections, their calls as tasks, their news. What the calls mean is the broker's.

A Unix socket here; vsock is another way to listen. One task reads a connection; each call runs in a task of its own.
When a connection ends, so do its calls, and the broker is told.
"""

import asyncio
import contextlib
import errno
import os
import socket
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from enclave.wire.answers import Answer
from enclave.wire.envelope import Call, Code, News
from enclave.wire.limits import CONNECTIONS_MAX
from enclave.wire.operations import Hello
from enclave.wire.protocol import EnclaveSide

HELLO_S: Final = 10.0
"""How long a connection may stay silent before its Hello."""

LAST_WORDS_S: Final = 2.0
"""How long an ending connection may take to read what is written already."""

UNREAD_BYTES_MAX: Final = 32 * 1024 * 1024
"""What a host may leave unread before its connection is given up: two full stores and small talk."""

_READ_BYTES: Final = 64 * 1024
_BACKLOG: Final = 64


class CallFailed(Exception):
    """A call is answered by a code."""

    def __init__(self, code: Code) -> None:
        """Keep the code."""
        super().__init__(code.value)
        self.code = code


class SocketInUse(Exception):
    """Something already listens there, or what lies there is not a socket."""


class Connection:
    """One host on the door."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        """Start before the Hello."""
        self.side = EnclaveSide()
        self._writer = writer
        self._calls: set[asyncio.Task[None]] = set()

    @property
    def owner(self) -> bool:
        """Whether sessions may be opened on it."""
        return self.side.owner

    def tell(self, news: News) -> None:
        """Tell news, unless the connection has ended meanwhile."""
        if not self._writer.is_closing():
            self.side.tell(news)
            self.flush()

    def flush(self) -> None:
        """Hand to the transport what is to be written; give up a host that does not read."""
        self._writer.write(self.side.take_outgoing())
        if self._writer.transport.get_write_buffer_size() > UNREAD_BYTES_MAX:
            self._writer.transport.abort()

    def start(self, call: Call, handle: "Handler") -> None:
        """Carry a call out in a task of its own."""
        task = asyncio.create_task(self._carry_out(call, handle))
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _carry_out(self, call: Call, handle: "Handler") -> None:
        answered = False
        try:
            try:
                self.side.reply(call.id, await handle(self, call))
            except CallFailed as failed:
                self.side.fail(call.id, failed.code)
            answered = True
        finally:
            # A bug goes on to the loop's exception handler; the host is told that it was one, and nothing else.
            if not answered:
                self.side.fail(call.id, Code.INTERNAL)
            if not self._writer.is_closing():
                self.flush()

    async def end(self) -> None:
        """Cancel what runs, close."""
        for task in self._calls:
            task.cancel()
        if self._calls:
            await asyncio.wait(self._calls)
        self._writer.close()
        try:
            async with asyncio.timeout(LAST_WORDS_S):
                await self._writer.wait_closed()
        except (ConnectionError, TimeoutError):
            self._writer.transport.abort()


Handler = Callable[[Connection, Call], Awaitable[Answer]]


class Door:
    """Listens, and runs the connections."""

    def __init__(self, handle: Handler, lost: Callable[[Connection], None]) -> None:
        """`handle` carries a call out (raises CallFailed); `lost` is told of each connection's end, at once."""
        self._handle = handle
        self._lost = lost
        self._connections: dict[Connection, asyncio.Task[None]] = {}
        self._server: asyncio.Server | None = None

    async def listen(self, listener: socket.socket) -> None:
        """Serve connections of a bound stream socket until `close`."""
        self._server = await asyncio.start_unix_server(self._serve, sock=listener, backlog=_BACKLOG)

    def stop_listening(self) -> None:
        """Take no more connections; those that are there go on."""
        if self._server is not None:
            self._server.close()

    async def close(self) -> None:
        """End every connection."""
        self.stop_listening()
        tasks = list(self._connections.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connection = Connection(writer)
        if len(self._connections) >= CONNECTIONS_MAX:
            connection.side.give_up(Code.BUSY)
            connection.flush()
            await connection.end()
            return
        self._connections[connection] = task
        try:
            await self._read(connection, reader)
        except (ConnectionError, TimeoutError, asyncio.CancelledError):
            pass  # the host has gone, never greeted, or we shut down: the end is the same
        finally:
            del self._connections[connection]
            self._lost(connection)
            await connection.end()

    async def _read(self, connection: Connection, reader: asyncio.StreamReader) -> None:
        async with asyncio.timeout(HELLO_S) as hello_deadline:
            while not connection.side.closed and (data := await reader.read(_READ_BYTES)):
                for call in connection.side.receive(data):
                    if isinstance(call.operation, Hello):
                        hello_deadline.reschedule(None)
                    connection.start(call, self._handle)
                connection.flush()


def bind_private_socket(path: Path) -> socket.socket:
    """Bind a stream socket at `path` that only this user may connect to; a dead one there is replaced.

    Raises SocketInUse if one listens there, or something else lies there.
    """
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise SocketInUse(f"{path.name} is not a socket")
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(os.fspath(path)) != errno.ECONNREFUSED:
                raise SocketInUse(f"something listens on {path.name}")
        path.unlink()
    listener = socket.socket(socket.AF_UNIX)
    try:
        # Between bind and listen nobody can connect, so the mode is right before it matters.
        listener.bind(os.fspath(path))
        path.chmod(0o600)
    except BaseException:
        listener.close()
        raise
    return listener
