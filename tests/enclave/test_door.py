"""The door's server: connections, limits, what bad hosts get."""

import asyncio
import random
import stat
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from enclave import door
from enclave.door import CallFailed, Connection, Door, SocketInUse, bind_private_socket
from enclave.wire.answers import Answer, Done, StatsTaken, Welcome
from enclave.wire.envelope import Call, Code, Failure, FromEnclave, News, Reply
from enclave.wire.frames import FrameReader, Lane, encode_frame
from enclave.wire.limits import CONNECTIONS_MAX, WIRE_VERSION
from enclave.wire.news import Connected
from enclave.wire.operations import Hello, NewAccountKey, Stats
from tests.waiting import Signals

ACCOUNT = "00000000-0000-4000-8000-000000000001"
WAIT_S = 10.0
CASES = 10_000
STATS = StatsTaken(sessions=0, opened=0, closed=0, killed=0, sends=0, memory_bytes=0, descriptors=0)
WELCOME = Welcome(wire_version=WIRE_VERSION, environment="local", boot="b", seal_kid="k", seal_public_key=bytes(65))

Handle = Callable[[Connection, Call], Awaitable[Answer]]


class Host:
    """A raw host on the door: writes any bytes, reads messages."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._frames, self._read = FrameReader(), []

    @classmethod
    async def connect(cls, path: Path) -> "Host":
        return cls(*await asyncio.open_unix_connection(path))

    def call(self, call_id: int, operation: object) -> None:
        self.writer.write(encode_frame(Lane.CONTROL, msgspec.msgpack.encode([call_id, operation])))

    async def next(self) -> Reply | Failure | News | None:
        async with asyncio.timeout(WAIT_S):
            while not self._read:
                data = await self.reader.read(65536)
                if not data:
                    return None
                self._read += self._frames.receive(data)
        return msgspec.msgpack.decode(self._read.pop(0).payload, type=FromEnclave)

    async def greet(self, owner: bool = True) -> None:
        self.call(1, Hello(wire_version=WIRE_VERSION, owner=owner))
        assert await self.next() == Reply(1, WELCOME)


async def answer(_: Connection, call: Call) -> Answer:
    match call.operation:
        case Hello():
            return WELCOME
        case Stats():
            return STATS
        case _:
            raise CallFailed(Code.WRONG_KEY)


@asynccontextmanager
async def served(
    folder: Path, handle: Handle = answer, lost: Callable[[Connection], None] = lambda _: None
) -> AsyncGenerator[Path]:
    path = folder / "door"
    listening = Door(handle, lost)
    await listening.listen(bind_private_socket(path))
    try:
        yield path
    finally:
        await listening.close()


async def test_calls_are_answered_by_their_ids(tmp_path: Path) -> None:
    async with served(tmp_path) as path:
        host = await Host.connect(path)
        await host.greet()
        host.call(7, Stats())
        host.call(8, NewAccountKey(account=ACCOUNT))
        assert [await host.next(), await host.next()] == [Reply(7, STATS), Failure(8, Code.WRONG_KEY)]


async def test_a_slow_call_does_not_hold_up_the_next(tmp_path: Path) -> None:
    free = asyncio.Event()

    async def slow(connection: Connection, call: Call) -> Answer:
        if isinstance(call.operation, NewAccountKey):
            await free.wait()
            return Done()
        return await answer(connection, call)

    async with served(tmp_path, slow) as path:
        host = await Host.connect(path)
        await host.greet()
        host.call(2, NewAccountKey(account=ACCOUNT))
        host.call(3, Stats())
        assert await host.next() == Reply(3, STATS)
        free.set()
        assert await host.next() == Reply(2, Done())


async def test_news_reaches_the_connection_and_its_end_is_told_once(tmp_path: Path) -> None:
    told, lost = Signals(), []

    async def greeting(connection: Connection, call: Call) -> Answer:
        connection.tell(News(ACCOUNT, 4, Connected()))
        return await answer(connection, call)

    def end(connection: Connection) -> None:
        lost.append(connection)
        told.notify()

    async with served(tmp_path, greeting, end) as path:
        host = await Host.connect(path)
        host.call(1, Hello(wire_version=WIRE_VERSION, owner=True))
        assert await host.next() == News(ACCOUNT, 4, Connected())
        host.writer.close()
        await told.until(lambda: lost, "the end of the connection")
    assert len(lost) == 1


async def test_a_framing_fault_is_answered_and_ends_the_connection(tmp_path: Path) -> None:
    async with served(tmp_path) as path:
        host = await Host.connect(path)
        await host.greet()
        host.writer.write(b"\xff\xff\xff\xff\x00")
        assert await host.next() == Failure(0, Code.TOO_LARGE)
        assert await host.next() is None


async def test_a_silent_connection_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "HELLO_S", 0.05)
    async with served(tmp_path) as path:
        host, other = await Host.connect(path), await Host.connect(path)
        await other.greet()
        assert await host.next() is None
        other.call(2, Stats())
        assert await other.next() == Reply(2, STATS)


async def test_the_33rd_connection_is_refused(tmp_path: Path) -> None:
    async with served(tmp_path) as path:
        hosts = [await Host.connect(path) for _ in range(CONNECTIONS_MAX)]
        for host in hosts:
            await host.greet()
        late = await Host.connect(path)
        assert await late.next() == Failure(0, Code.BUSY)
        hosts[0].writer.close()
        await hosts[0].writer.wait_closed()
        hosts[1].call(5, Stats())
        assert await hosts[1].next() == Reply(5, STATS)


async def test_a_host_that_does_not_read_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "UNREAD_BYTES_MAX", 1024)
    told, lost = Signals(), []

    async def flood(connection: Connection, call: Call) -> Answer:
        for n in range(20_000):
            connection.tell(News(ACCOUNT, n, Connected()))
        return await answer(connection, call)

    def end(connection: Connection) -> None:
        lost.append(connection)
        told.notify()

    async with served(tmp_path, flood, end) as path:
        host = await Host.connect(path)
        host.call(1, Hello(wire_version=WIRE_VERSION, owner=True))
        await told.until(lambda: lost, "the flooded connection's end")


async def test_a_bug_is_told_as_internal_and_the_door_lives(tmp_path: Path) -> None:
    reported: list[dict[str, object]] = []
    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: reported.append(context))

    async def buggy(connection: Connection, call: Call) -> Answer:
        if isinstance(call.operation, NewAccountKey):
            raise ZeroDivisionError
        return await answer(connection, call)

    try:
        async with served(tmp_path, buggy) as path:
            host = await Host.connect(path)
            await host.greet()
            host.call(2, NewAccountKey(account=ACCOUNT))
            assert await host.next() == Failure(2, Code.INTERNAL)
            host.call(3, Stats())
            assert await host.next() == Reply(3, STATS)
    finally:
        loop.set_exception_handler(before)
    assert isinstance(reported[0]["exception"], ZeroDivisionError)


async def test_10000_random_calls_leave_the_door_alive_and_bring_only_codes(tmp_path: Path) -> None:
    seed = random.randrange(2**32)
    dice = random.Random(seed)
    kinds = ["Stats", "NewAccountKey", "Send", "Exec", 7, None]
    codes = set()
    async with served(tmp_path) as path:
        host = await Host.connect(path)
        await host.greet()
        for case in range(CASES):
            operation = {"type": dice.choice(kinds), "account": dice.choice([ACCOUNT, "x", 1, dice.randbytes(5)])}
            host.call(2, {"type": "Stats"} if dice.random() < 0.1 else operation)
            message = await host.next()
            assert isinstance(message, Reply | Failure), (seed, case)
            assert message.id == 2
            codes.add(message.code if isinstance(message, Failure) else None)
        assert codes == {None, Code.BAD_OPERATION, Code.WRONG_KEY}, seed


async def test_random_bytes_end_their_connection_and_nothing_else(tmp_path: Path) -> None:
    dice = random.Random(11)
    async with served(tmp_path) as path:
        steady = await Host.connect(path)
        await steady.greet()
        for _ in range(100):
            host = await Host.connect(path)
            host.writer.write(dice.randbytes(dice.randint(5, 400)))
            host.writer.write_eof()
            while (message := await host.next()) is not None:
                assert isinstance(message, Failure)
            host.writer.close()
        steady.call(2, Stats())
        assert await steady.next() == Reply(2, STATS)


def test_the_socket_is_private_and_a_dead_one_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "door"
    bind_private_socket(path).close()
    listener = bind_private_socket(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    listener.listen()
    with pytest.raises(SocketInUse):
        bind_private_socket(path)
    listener.close()
    path.unlink()
    path.write_text("a file")
    with pytest.raises(SocketInUse):
        bind_private_socket(path)
    assert path.read_text() == "a file"
