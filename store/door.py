"""The host's end of the door on asyncio: calls with deadlines, news to a callback. Reconnecting is the caller's."""

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from enclave.wire.answers import Answer, Welcome
from enclave.wire.envelope import Code, Failure, News, Reply
from enclave.wire.frames import FrameFault
from enclave.wire.limits import SEND_DEADLINE_S, WIRE_VERSION
from enclave.wire.operations import Hello, Operation
from enclave.wire.protocol import HostSide

CALL_S: Final = 90.0
"""Longer than the enclave's own deadline of every operation but `Send`; callers in a hurry say so."""

SEND_S: Final = SEND_DEADLINE_S + 15.0
"""For `Send`: the enclave ends it by itself before that."""

CONNECT_S: Final = 5.0
_READ_BYTES: Final = 256 * 1024


class DoorFailed(Exception):
    """The enclave answered with a code, or this side did in its stead (too_large, busy, timeout)."""

    def __init__(self, code: Code) -> None:
        """Keep the code."""
        super().__init__(code.value)
        self.code = code


class DoorLost(Exception):
    """There is no connection (any more). What became of a call that was under way is not known."""


class Door:
    """One connection to the enclave. Make it with `open`; it is used from one event loop."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, on_news: Callable[[News], None]
    ) -> None:
        """Start reading; `open` also greets."""
        self._side = HostSide()
        self._writer = writer
        self._on_news = on_news
        self._answers: dict[int, asyncio.Future[Answer]] = {}
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._reading = asyncio.create_task(self._read(reader))
        self.welcome: Welcome

    @classmethod
    async def open(cls, path: Path, *, owner: bool, on_news: Callable[[News], None]) -> Self:
        """Connect to the socket at `path` and greet. `owner`: sessions opened here end with this connection.

        `on_news` is called from the reading task, in order; it must not wait. Raises DoorLost, DoorFailed.
        """
        try:
            async with asyncio.timeout(CONNECT_S):
                reader, writer = await asyncio.open_unix_connection(path)
        except (OSError, TimeoutError) as error:
            raise DoorLost("the enclave does not answer") from error
        door = cls(reader, writer, on_news)
        try:
            answer = await door.call(Hello(wire_version=WIRE_VERSION, owner=owner), CONNECT_S)
            assert isinstance(answer, Welcome)
            door.welcome = answer
        except BaseException:
            await door.close()
            raise
        return door

    @property
    def lost(self) -> bool:
        """Whether the connection has ended."""
        return self._lost.done()

    async def call(self, operation: Operation, deadline_s: float = CALL_S) -> Answer:
        """Return the answer that the operation's docstring names.

        Raises DoorFailed with the enclave's code (or too_large, busy, timeout of this side), DoorLost.
        """
        if self._lost.done():
            raise DoorLost("the door's connection has ended")
        try:
            call_id, frame = self._side.call(operation)
        except FrameFault as fault:
            raise DoorFailed(fault.code) from None
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._answers[call_id] = answer
        self._writer.write(frame)
        try:
            async with asyncio.timeout(deadline_s):
                return await answer
        except TimeoutError:
            raise DoorFailed(Code.TIMEOUT) from None
        finally:
            self._answers.pop(call_id, None)

    async def wait_lost(self) -> None:
        """Return when the connection has ended."""
        await asyncio.shield(self._lost)

    async def close(self) -> None:
        """End the connection; calls under way fail with DoorLost."""
        self._reading.cancel()
        await asyncio.wait([self._reading])
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while data := await reader.read(_READ_BYTES):
                for message in self._side.receive(data):
                    self._take(message)
        except (ConnectionError, FrameFault):
            pass  # the connection has ended, one way or the other
        finally:
            self._lost.set_result(None)
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(DoorLost("the door's connection has ended"))
            self._writer.close()

    def _take(self, message: Reply | Failure | News) -> None:
        if isinstance(message, News):
            self._on_news(message)
            return
        answer = self._answers.get(message.id)
        if answer is None or answer.done():
            return  # its caller did not wait so long
        match message:
            case Reply():
                answer.set_result(message.answer)
            case Failure():
                answer.set_exception(DoorFailed(message.code))
