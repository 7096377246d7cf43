"""The host's client of the door, against the enclave's own server."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from enclave import door as enclave_door
from enclave.door import CallFailed, Connection, bind_private_socket
from enclave.wire.answers import AccountKey, Answer, Done, StatsTaken, Welcome
from enclave.wire.envelope import Call, Code, News
from enclave.wire.limits import BODY_BYTES_MAX, CONTROL_BYTES_MAX, IN_FLIGHT_MAX, WIRE_VERSION
from enclave.wire.news import Connected
from enclave.wire.operations import Forget, Hello, Ingest, NewAccountKey, Stats
from enclave.wire.sealing import Binding
from store.door import Door, DoorFailed, DoorLost
from tests.waiting import Signals

ACCOUNT = "00000000-0000-4000-8000-000000000001"
WELCOME = Welcome(wire_version=WIRE_VERSION, environment="demo", boot="b", seal_kid="k", seal_public_key=bytes(65))
STATS = StatsTaken(sessions=0, opened=0, closed=0, killed=0, sends=0, memory_bytes=0, descriptors=0)


class Enclave:
    """A server whose calls wait until they are let go, where a test says so."""

    def __init__(self) -> None:
        self.free = asyncio.Event()
        self.connections: list[Connection] = []

    async def handle(self, connection: Connection, call: Call) -> Answer:
        match call.operation:
            case Hello():
                self.connections.append(connection)
                return WELCOME
            case Stats():
                await self.free.wait()
                return STATS
            case NewAccountKey():
                return AccountKey(wrapped_key=b"w")
            case Ingest():
                return Done()
            case _:
                raise CallFailed(Code.FENCED)


@asynccontextmanager
async def served(folder: Path) -> AsyncGenerator[tuple[Enclave, Path]]:
    enclave, path = Enclave(), folder / "door"
    server = enclave_door.Door(enclave.handle, lambda _: None)
    await server.listen(bind_private_socket(path))
    try:
        yield enclave, path
    finally:
        await server.close()


def ignore(_: News) -> None:
    pass


async def test_it_greets_calls_and_hears_news(tmp_path: Path) -> None:
    heard, signals = [], Signals()

    def on_news(news: News) -> None:
        heard.append(news)
        signals.notify()

    async with served(tmp_path) as (enclave, path):
        door = await Door.open(path, owner=True, on_news=on_news)
        assert door.welcome == WELCOME
        assert enclave.connections[0].owner
        assert await door.call(NewAccountKey(account=ACCOUNT)) == AccountKey(wrapped_key=b"w")
        with pytest.raises(DoorFailed) as failed:
            await door.call(Forget(account=ACCOUNT, epoch=1))
        assert failed.value.code is Code.FENCED
        enclave.connections[0].tell(News(ACCOUNT, 2, Connected()))
        await signals.until(lambda: heard == [News(ACCOUNT, 2, Connected())], "the news")
        await door.close()
        assert door.lost


async def test_a_call_past_its_deadline_fails_and_its_late_answer_is_ignored(tmp_path: Path) -> None:
    async with served(tmp_path) as (enclave, path):
        door = await Door.open(path, owner=False, on_news=ignore)
        with pytest.raises(DoorFailed) as failed:
            await door.call(Stats(), deadline_s=0.01)
        assert failed.value.code is Code.TIMEOUT
        enclave.free.set()
        assert await door.call(Stats()) == STATS
        await door.close()


async def test_one_call_too_many_is_busy_without_asking(tmp_path: Path) -> None:
    async with served(tmp_path) as (enclave, path):
        door = await Door.open(path, owner=False, on_news=ignore)
        calls = [asyncio.ensure_future(door.call(Stats())) for _ in range(IN_FLIGHT_MAX)]
        await asyncio.sleep(0)  # each has written its frame
        with pytest.raises(DoorFailed) as failed:
            await door.call(Stats())
        assert failed.value.code is Code.BUSY
        enclave.free.set()
        assert await asyncio.gather(*calls) == [STATS] * IN_FLIGHT_MAX
        await door.close()


async def test_a_call_too_large_fails_here_and_the_connection_lives(tmp_path: Path) -> None:
    binding = Binding(environment="demo", account=ACCOUNT, schedule="s", recipient_hash="h", not_after_s=1)

    def ingest(body: bytes) -> Ingest:
        return Ingest(account=ACCOUNT, wrapped_key=b"w", binding=binding, kid="k", envelope=b"", body=body)

    async with served(tmp_path) as (_, path):
        door = await Door.open(path, owner=False, on_news=ignore)
        with pytest.raises(DoorFailed) as failed:
            await door.call(ingest(bytes(CONTROL_BYTES_MAX)))
        assert failed.value.code is Code.TOO_LARGE
        assert await door.call(ingest(bytes(BODY_BYTES_MAX))) == Done()
        await door.close()


async def test_what_is_under_way_when_the_enclave_goes_is_lost(tmp_path: Path) -> None:
    async with served(tmp_path) as (enclave, path):
        door = await Door.open(path, owner=True, on_news=ignore)
        call = asyncio.ensure_future(door.call(Stats()))
        await asyncio.sleep(0)
        await enclave.connections[0].end()
        with pytest.raises(DoorLost):
            await call
        await door.wait_lost()
        with pytest.raises(DoorLost):
            await door.call(Stats())


async def test_an_absent_enclave_is_lost_at_once(tmp_path: Path) -> None:
    with pytest.raises(DoorLost):
        await Door.open(tmp_path / "absent", owner=True, on_news=ignore)


async def test_an_enclave_that_speaks_no_frames_is_lost(tmp_path: Path) -> None:
    async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    path = tmp_path / "door"
    async with await asyncio.start_unix_server(babble, path):
        with pytest.raises(DoorLost):
            await Door.open(path, owner=True, on_news=ignore)
