"""Several nodes, each a supervisor with its enclave, share the work over one PostgreSQL and a Redis Cluster."""

import asyncio
import contextlib
import shutil
import signal
import tempfile
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from tests.conftest import emptied
from tests.enclave.simulator_rig import World, running_simulator
from tests.redis_cluster import Cluster
from tests.rows import later, state_of
from tests.supervisor.engines import Engine
from tests.supervisor.processes import Process
from tests.supervisor.worlds import (
    ADA_JID,
    CERTAIN,
    arrived,
    demo_broker,
    linked,
    outcomes,
    running_engine,
    settings_of,
    to_sleep,
)
from tests.waiting import eventually

ACCOUNTS = 3
SLOTS = 5
CROWD = SLOTS + 2
"""More accounts than one node has slots."""
EACH = 6
TAKEN_OVER_S = 60.0


@dataclass
class Nodes:
    """Two running nodes by their names. `engine` does not run: it is the web's part and what the test sees."""

    engine: Engine
    accounts: dict[UUID, str]
    processes: dict[str, Process]

    async def owner(self, account: UUID) -> str:
        """Return the node that owns the account, or ""."""
        row = await self.engine.store.accounts.load(account)
        assert row is not None
        return row.owner


@pytest.fixture
async def world() -> AsyncIterator[World]:
    with tempfile.TemporaryDirectory(prefix="autosendr-") as folder:
        async with running_simulator(Path(folder)) as running:
            yield running


@pytest.fixture
async def nodes(world: World, database_url: str, redis_cluster: Cluster) -> AsyncIterator[Nodes]:
    """Start two nodes for some accounts."""
    async with two_nodes(world, database_url, redis_cluster, ACCOUNTS) as (engine, accounts, processes):
        for process in processes:
            await process.start()
        yield Nodes(engine, accounts, {name_of(process): process for process in processes})


@contextlib.asynccontextmanager
async def two_nodes(
    world: World, database_url: str, redis_cluster: Cluster, count: int
) -> AsyncGenerator[tuple[Engine, dict[UUID, str], tuple[Process, Process]]]:
    """Link accounts, put them to sleep, make two nodes; what runs of them at the end is ended in order."""
    async with running_engine(world, database_url, emptied(redis_cluster.url)) as engine:
        accounts = {}
        for _ in range(count):
            account, number = await linked(engine, world)
            accounts[account] = number
            await to_sleep(engine, account)
        await engine.stop()
        with tempfile.TemporaryDirectory(prefix="autosendr-") as folder:
            # The account keys are of the whole product: each enclave has them.
            shutil.copytree(engine.broker.folder / "state", Path(folder) / "state")
            other = demo_broker(Path(folder), world)
            await other.start()
            brokers = (engine.broker, other)
            first, second = (Process(settings_of(engine.settings, one, world), one.folder) for one in brokers)
            yield engine, accounts, (first, second)
            for process in (first, second):
                if process.child.poll() is None:
                    assert await process.end(signal.SIGTERM) == 0
            await other.end()


def name_of(process: Process) -> str:
    """Return the name that a running node has taken."""
    return str(process.lines("lock_taken")[0]["node"])


async def test_what_a_killed_node_had_is_sent_by_the_other_and_never_by_both(nodes: Nodes, world: World) -> None:
    engine = nodes.engine
    due = {
        await engine.schedule(account, later(2 + 2 * turn), f"{number} {turn}", ADA_JID): f"{number} {turn}"
        for account, number in nodes.accounts.items()
        for turn in range(EACH)
    }
    first = next(iter(nodes.accounts))
    await eventually(lambda: _any(engine, due), "a message to be sent", TAKEN_OVER_S)
    await eventually(lambda: nodes.owner(first), "an owner", TAKEN_OVER_S)
    killed = await nodes.owner(first)
    await nodes.processes[killed].end(signal.SIGKILL)
    doubtful = await _in_doubt(engine)
    sure = {message: text for message, text in due.items() if message not in doubtful}
    await asyncio.gather(*(engine.state(message, "DELIVERED", "READ", wait_s=TAKEN_OVER_S) for message in sure))
    assert {text: await arrived(world, text) for text in sure.values()} == dict.fromkeys(sure.values(), 1)
    assert all([(await outcomes(engine, message)).count("SENT") == 1 for message in sure])
    for message in doubtful:  # where no receipt settles it, it is said to be unconfirmed after `limits.SETTLE_S`
        came = await arrived(world, due[message])
        assert came == 1 or (came == 0 and (await state_of(engine.store.pool, message))[0] not in CERTAIN)
    (other,) = [process for node, process in nodes.processes.items() if node != killed]
    assert other.lines("message_sent")
    assert (await world.call("GET", "/events?kind=replaced"))["events"] == []


async def test_a_node_that_is_told_to_end_hands_its_accounts_on(nodes: Nodes, world: World) -> None:
    engine = nodes.engine
    account, number = next(iter(nodes.accounts.items()))
    first = await engine.schedule(account, later(1), f"before {number}", ADA_JID)
    second = await engine.schedule(account, later(8), f"after {number}", ADA_JID)
    await engine.state(first, *CERTAIN, wait_s=TAKEN_OVER_S)
    ended = await nodes.owner(account)
    assert await nodes.processes[ended].end(signal.SIGTERM) == 0
    await engine.state(second, *CERTAIN, wait_s=TAKEN_OVER_S)
    assert [await arrived(world, f"{when} {number}") for when in ("before", "after")] == [1, 1]
    (other,) = [process for node, process in nodes.processes.items() if node != ended]
    assert [line["message"] for line in other.lines("message_sent")] == [str(second)]
    assert (await world.call("GET", "/events?kind=replaced"))["events"] == []


async def test_a_node_that_joins_gets_its_share_of_what_waits(
    world: World, database_url: str, redis_cluster: Cluster
) -> None:
    async with two_nodes(world, database_url, redis_cluster, CROWD) as (engine, accounts, (old, new)):
        pause = "UPDATE accounts SET backoff_until = now() + interval '40 s'"  # they wait while the second node starts
        await engine.store.pool.execute(pause)
        await old.start()
        due = {
            await engine.schedule(account, later(5), f"crowd {number}", ADA_JID): f"crowd {number}"
            for account, number in accounts.items()
        }
        await eventually(lambda: _armed(engine), "all of it in hand", TAKEN_OVER_S)
        await new.start()
        await old.says("accounts_moved")
        assert old.lines("accounts_moved")[0]["node"] == name_of(new)
        await asyncio.gather(*(engine.state(message, *CERTAIN, wait_s=TAKEN_OVER_S) for message in due))
        assert {text: await arrived(world, text) for text in due.values()} == dict.fromkeys(due.values(), 1)
        sent = [[str(line["message"]) for line in process.lines("message_sent")] for process in (old, new)]
        assert all(sent)
        assert sorted(sent[0] + sent[1]) == sorted(str(message) for message in due)
        assert sum(int(str(line["accounts"])) for line in old.lines("accounts_moved")) <= CROWD - SLOTS
        assert new.lines("accounts_moved") == []
        assert (await world.call("GET", "/events?kind=replaced"))["events"] == []


async def _armed(engine: Engine) -> bool:
    return await engine.store.pool.fetchval("SELECT count(*) FROM messages WHERE state = 'ARMED'") == CROWD


async def _in_doubt(engine: Engine) -> set[UUID]:
    """Return what the gate let pass and nobody has heard of since."""
    rows = await engine.store.pool.fetch("SELECT message_id FROM attempts WHERE outcome = ''")
    return {row["message_id"] for row in rows}


async def _any(engine: Engine, messages: dict[UUID, str]) -> bool:
    sent = "SELECT count(*) FROM messages WHERE id = ANY($1::uuid[]) AND state = ANY($2::text[])"
    return bool(await engine.store.pool.fetchval(sent, list(messages), list(CERTAIN)))
