"""A wake leaves nothing behind: after two hundred of one account the product is as large as after forty."""

import gc
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from domain import limits
from domain.account import Run, RunEvent
from store.database import Pool
from store.engine import EngineStore
from supervisor.settings import Settings
from tests.enclave.brokers import children
from tests.enclave.simulator_rig import World, running_simulator
from tests.rows import later
from tests.supervisor.engines import Engine
from tests.supervisor.worlds import ADA_JID, arrived, demo_broker, pair, settings_of
from tests.waiting import eventually

WAKES = 200
SETTLED_AFTER = 40
#: Every so many wakes send a text; the others are for the person's wish to read the contacts anew.
SENDS_EVERY = 4
TOLERANCE = 0.05
FIRST_SYNC_S = 20.0
NUMBER = "4915190000001"
TEXT = "hello again"


@dataclass(frozen=True, slots=True)
class Size:
    """What the product holds while the account sleeps."""

    descriptors: dict[str, int]
    connections: int
    memory_kb: dict[str, int]
    processes: int
    files: int


@pytest.fixture
async def world() -> AsyncIterator[World]:
    with tempfile.TemporaryDirectory(prefix="autosendr-") as folder:
        async with running_simulator(Path(folder)) as running:
            yield running


@pytest.fixture
async def engine(world: World, database_url: str, redis_url: str) -> AsyncIterator[Engine]:
    with tempfile.TemporaryDirectory(prefix="autosendr-") as folder:
        broker = demo_broker(Path(folder), world)
        await broker.start()
        store = await EngineStore.open(database_url, redis_url)
        base = Settings(database_url=database_url, redis_url=redis_url, enclave_socket=broker.socket, hot_slots=5)
        engine = Engine(settings_of(base, broker, world), broker, store)
        await engine.start()
        yield engine
        await engine.close()
        await store.close()
        await broker.end()
        assert "bug" not in broker.log.read_text(), broker.log.read_text()


async def wake_and_sleep(engine: Engine, account: UUID, *, send: bool) -> None:
    """One wake with something to do, then sleep as when the linger has passed."""
    engine.heard.clear()
    if send:
        message = await engine.schedule(account, later(0), TEXT, ADA_JID)
        await engine.state(message, "DELIVERED", "READ")
    else:
        await engine.wish(account, "sync")
        await engine.hears("contacts_copied", account=account)
        await eventually(lambda: wishes_nothing(engine, account), "the wish fulfilled")
    await put_to_sleep(engine, account)


async def is_synced(engine: Engine, account: UUID) -> bool:
    """Whether the first sync is over: before, the account would wake again by itself."""
    query = "SELECT names_synced_at IS NOT NULL FROM accounts WHERE id = $1"
    return await engine.store.pool.fetchval(query, account)


async def wishes_nothing(engine: Engine, account: UUID) -> bool:
    """Whether the wish is out of the database and the actor knows: else it would wake again by itself."""
    wish = await engine.store.pool.fetchval("SELECT wish FROM accounts WHERE id = $1", account)
    actor = engine.supervisor.actors.by_account.get(account)
    return not wish and (actor is None or not actor.wish)


async def put_to_sleep(engine: Engine, account: UUID) -> None:
    """Ask for sleep, wait for it; an account that sleeps may have been let go of meanwhile."""
    actor = engine.supervisor.actors.by_account.get(account)
    if actor is not None and actor.state is not Run.COLD:
        actor.post(RunEvent.RELEASED)

    async def sleeps() -> bool:
        return actor is None or actor.state is Run.COLD

    await eventually(sleeps, "sleep")


async def size_of(engine: Engine) -> Size:
    assert engine.broker.process is not None
    broker = engine.broker.process.pid
    (zygote,) = children(broker)

    async def rests() -> bool:
        return children(zygote) == [] and not engine.broker.leftovers()

    await eventually(rests, "the end of every session process and its folder")
    gc.collect()
    pids = {"broker": broker, "zygote": zygote, "supervisor": os.getpid()}
    connections = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    return Size(
        descriptors={name: descriptors_of(pid) for name, pid in pids.items()},
        connections=await engine.store.pool.fetchval(connections),
        memory_kb={
            f"{kind} of the {name}": size
            for name in ("broker", "zygote")
            for kind, size in memory_kb(pids[name]).items()
        },
        processes=len(children(broker)),
        files=sum(1 for _ in engine.broker.folder.rglob("*")),
    )


def descriptors_of(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def memory_kb(pid: int) -> dict[str, int]:
    """All that is resident, and of it what no file stands behind: neither depends on who else maps the same files."""
    rows = [line.split() for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]]
    sizes = {row[0].rstrip(":"): int(row[1]) for row in rows}
    return {kind: sizes[kind] for kind in ("Rss", "Anonymous")}


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root looks at processes not dumpable")
async def test_two_hundred_wakes_leave_descriptors_connections_and_memory_as_they_were(
    engine: Engine, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "SYNC_QUIET_S", 0.0)  # the first sync ends with the names, not a minute after them
    account = await pair(engine, world, NUMBER)
    await eventually(lambda: is_synced(engine, account), "the end of the first sync", FIRST_SYNC_S)
    await put_to_sleep(engine, account)
    for pool in (engine.store.pool, engine.supervisor.store.pool):
        await fill(pool)
    sizes: dict[int, Size] = {}
    for number in range(1, WAKES + 1):
        await wake_and_sleep(engine, account, send=number % SENDS_EVERY == 0)
        if number % SETTLED_AFTER == 0:
            sizes[number] = await size_of(engine)
    print("\n".join(f"{number}: {size}" for number, size in sizes.items()))
    early, late = sizes[SETTLED_AFTER], sizes[WAKES]
    assert await arrived(world, TEXT) == WAKES // SENDS_EVERY
    assert await logins(world) >= WAKES
    assert (late.connections, late.processes, late.files) == (early.connections, early.processes, early.files)
    # The supervisor's connections to Redis grow with what happens to coincide, by one or two; a leak would be 160.
    before, after = early.memory_kb | early.descriptors, late.memory_kb | late.descriptors
    changes = {name: size / before[name] - 1 for name, size in after.items()}
    assert {name: change for name, change in changes.items() if abs(change) > TOLERANCE} == {}, (early, late)


async def fill(pool: Pool) -> None:
    """Open all connections that the pool may have, so that every further one is a leak and not its growth."""
    async with AsyncExitStack() as stack:
        for _ in range(pool.get_max_size() - pool.get_size() + pool.get_idle_size()):
            await stack.enter_async_context(pool.acquire())


async def logins(world: World) -> int:
    """How often the account's device has logged in."""
    (device,) = (await world.call("GET", f"/phones/{NUMBER}"))["devices"]
    return device["logins"]
