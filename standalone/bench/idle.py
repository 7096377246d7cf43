"""What a great schedule costs while nothing is due: many sleeping accounts, many more messages over the next 30 days.

A supervisor process with real stores and an enclave that does nothing. Its limit is measured first: the same supervisor
on empty stores. At the end a message becomes due while none runs, and it is started again.
"""

import argparse
import asyncio
import time
from typing import Final

import asyncpg

from standalone.bench._command import Figures, run
from standalone.bench._engine import BODY, RECIPIENT, SQL
from standalone.bench._stores import Stores, open_stores
from standalone.bench.wake import memory_of, processor_s
from standalone.children import bring_up
from standalone.programs import Program
from store.redis import Redis

ACCOUNTS: Final = 100_000
MESSAGES: Final = 1_000_000
ROWS_AT_ONCE: Final = 50_000
KEY: Final = bytes(60)
"""A sealed content key: nonce 12, key 32, tag 16."""
FIRST_DUE_S: Final = 780
"""None is due while we look, and the first of them are within the near horizon."""
LAST_DUE_S: Final = 30 * 24 * 3600
SETTLE_S: Final = 10.0
LOOK_S: Final = 30.0
SENT_S: Final = 60.0
SENT_LOOK_S: Final = 0.05


def measure(
    accounts: int = ACCOUNTS, messages: int = MESSAGES, settle_s: float = SETTLE_S, look_s: float = LOOK_S
) -> Figures:
    """The figures; the sizes are for tests. Megabytes are 10^6 bytes."""
    with open_stores() as stores:
        empty_mb, empty_cpu = _look(stores, settle_s, look_s)
        before = asyncio.run(_bytes(stores))
        load_s = asyncio.run(_furnish(stores, accounts, messages))
        after = asyncio.run(_bytes(stores))
        full_mb, cpu = _look(stores, settle_s, look_s)
        redis_mb = asyncio.run(_redis_mb(stores))
        restart_s = _restart(stores)
    per_message = (after - before) / messages - len(BODY)
    return {
        "accounts": accounts,
        "messages": messages,
        "supervisor_extra_mb": round(full_mb - empty_mb, 1),
        "supervisor_mb": round(full_mb, 1),
        "redis_mb": round(redis_mb, 2),
        "pg_bytes_per_message": round(per_message),
        "pg_bytes_beside_keys": round(per_message - len(KEY)),
        "idle_cpu_pct": round(cpu, 2),
        "empty_cpu_pct": round(empty_cpu, 2),
        "restart_s": round(restart_s, 2),
        "load_s": round(load_s, 1),
    }


def _supervisor(stores: Stores) -> Program:
    variables = {
        "AUTOSENDR_DATABASE_URL": stores.postgres.url,
        "AUTOSENDR_REDIS_URL": stores.valkey.url,
        "AUTOSENDR_ENCLAVE_SOCKET": str(stores.home.socket("door.sock")),
        "AUTOSENDR_STATE": str(stores.home.folder("state")),
        "AUTOSENDR_HOT_SLOTS": "100",
    }
    return Program("supervisor", "standalone.bench._null_supervisor", stores.home.log("supervisor"), lambda: variables)


def _look(stores: Stores, settle_s: float, look_s: float) -> tuple[float, float]:
    """Private megabytes of a supervisor, and percent of a processor that it takes, once it has settled."""
    program = _supervisor(stores)
    bring_up(program)
    try:
        assert program.pid is not None
        time.sleep(settle_s)
        begun_s, cpu_s = time.perf_counter(), processor_s(program.pid, ended=False)
        time.sleep(look_s)
        taken_s = processor_s(program.pid, ended=False) - cpu_s
        return memory_of(program.pid)[0], 100 * taken_s / (time.perf_counter() - begun_s)
    finally:
        program.stop()


async def _furnish(stores: Stores, accounts: int, messages: int) -> float:
    """Seconds that it took to write all rows, and to tell the planner of PostgreSQL."""
    begun_s = time.perf_counter()
    connection = await asyncpg.connect(stores.postgres.url)
    try:
        await connection.execute(SQL["make_accounts"], accounts)
        for start in range(0, messages, ROWS_AT_ONCE):
            end = min(messages, start + ROWS_AT_ONCE)
            await connection.execute(
                SQL["make_messages"],
                start,
                end,
                accounts,
                FIRST_DUE_S,
                LAST_DUE_S,
                RECIPIENT,
                BODY,
                KEY,
            )
        for table in ("users", "accounts", "schedules", "messages", "changes"):
            await connection.execute(f"VACUUM ANALYZE {table}")
    finally:
        await connection.close()
    return time.perf_counter() - begun_s


async def _bytes(stores: Stores) -> int:
    connection = await asyncpg.connect(stores.postgres.url)
    try:
        return await connection.fetchval(SQL["bytes"])
    finally:
        await connection.close()


async def _redis_mb(stores: Stores) -> float:
    redis = Redis(stores.valkey.url)
    try:
        return (await redis.ask(redis.client.info("memory")))["used_memory"] / 1e6
    finally:
        await redis.close()


def _restart(stores: Stores) -> float:
    """Seconds from the start of the process to the first send, of a message that has become due meanwhile."""
    asyncio.run(_bring_forward(stores))
    program = _supervisor(stores)
    begun_s = time.time()
    bring_up(program)
    try:
        return asyncio.run(_left_at(stores)) - begun_s
    finally:
        program.stop()


async def _bring_forward(stores: Stores) -> None:
    connection = await asyncpg.connect(stores.postgres.url)
    try:
        await connection.execute(SQL["bring_forward"])
    finally:
        await connection.close()


async def _left_at(stores: Stores) -> float:
    connection = await asyncpg.connect(stores.postgres.url)
    try:
        async with asyncio.timeout(SENT_S):
            while (left_at := await connection.fetchval(SQL["first_left"])) is None:  # noqa: ASYNC110 - in a database
                await asyncio.sleep(SENT_LOOK_S)
        return left_at.timestamp()
    finally:
        await connection.close()


def main() -> None:
    """The command."""

    def measured(_: argparse.Namespace) -> Figures:
        return measure()

    run(
        "idle",
        __doc__,
        measured,
        lambda figures: [
            f"{figures['accounts']} accounts asleep, {figures['messages']} messages to come",
            f"supervisor  {figures['supervisor_extra_mb']} MB more than on empty stores,"
            f" {figures['idle_cpu_pct']} % of a processor (empty: {figures['empty_cpu_pct']} %)",
            f"redis       {figures['redis_mb']} MB",
            f"postgres    {figures['pg_bytes_per_message']} bytes a message beside its sealed body,"
            f" {figures['pg_bytes_beside_keys']} beside the sealed key of that, too",
            f"restart     {figures['restart_s']} s from the start of the process to the first send",
        ],
    )


if __name__ == "__main__":
    main()
