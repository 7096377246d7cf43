"""What benches of the engine stand on: the product's supervisor in this process, real stores, a null enclave."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncGenerator, Coroutine, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

import uvloop

from domain.pace import Pace
from standalone.bench._null_door import NullDoor
from standalone.bench._stores import Stores
from store.database import new_id
from store.engine import EngineStore
from store.statements import Statements
from supervisor.life import Supervisor
from supervisor.log import logging_to
from supervisor.settings import Settings

SQL: Final = Statements("engine_world", Path(__file__).parent)
FIRST_PHONE: Final = 4915100000000
RECIPIENT: Final = "4917000000001@s.whatsapp.net"
BODY: Final = bytes(160)
ROWS_AT_ONCE: Final = 1000
CONNECTS_PER_S: Final = 500.0
"""Nothing connects here, so nothing need be spared."""
SPARE_SLOTS: Final = 5
RETURN_S: Final = 30.0
SETTLED: Final = frozenset({"SENT", "DELIVERED", "READ"})


class Account(NamedTuple):
    """An account and its user."""

    id: UUID
    user: UUID


class Due(NamedTuple):
    """A message to be: whose, and when it is due, in Unix ms."""

    account: Account
    at_ms: int


class Engine:
    """The stores of a running supervisor, and its far side."""

    def __init__(self, store: EngineStore, door: NullDoor) -> None:
        """`open_engine` makes it."""
        self.store = store
        self.door = door
        self._phones = FIRST_PHONE

    async def add_accounts(self, count: int) -> list[Account]:
        """Linked accounts, whose names are in."""
        first, self._phones = self._phones, self._phones + count
        accounts = [Account(new_id(), new_id()) for _ in range(count)]
        await self.store.pool.execute(
            SQL["add_accounts"],
            [one.user for one in accounts],
            [one.id for one in accounts],
            [str(first + number) for number in range(count)],
        )
        return accounts

    async def add_messages(self, messages: Iterable[Due]) -> dict[UUID, int]:
        """Scheduled messages; the due instants (Unix ms) by schedule. The engine finds them by itself."""
        due_ms: dict[UUID, int] = {}
        waiting = list(messages)
        for start in range(0, len(waiting), ROWS_AT_ONCE):
            rows = [(new_id(), new_id(), one) for one in waiting[start : start + ROWS_AT_ONCE]]
            await self.store.pool.execute(
                SQL["add_messages"],
                [schedule for schedule, _, _ in rows],
                [message for _, message, _ in rows],
                [one.account.user for _, _, one in rows],
                [one.account.id for _, _, one in rows],
                [datetime.fromtimestamp(one.at_ms / 1000, UTC) for _, _, one in rows],
                RECIPIENT,
                BODY,
            )
            await self.store.due.add([(message, one.at_ms) for _, message, one in rows])
            due_ms |= {schedule: one.at_ms for schedule, _, one in rows}
        await self.store.due.tell_changed()
        return due_ms

    async def unsettled(self) -> int:
        """Messages due by now that are not SENT in the books once the engine had time to write them."""
        left = 1
        until_s = time.monotonic() + RETURN_S
        while left and time.monotonic() < until_s:
            rows = await self.store.pool.fetch(SQL["states"])
            left = sum(row["messages"] for row in rows if row["state"] not in SETTLED)
            await asyncio.sleep(LOOK_S)
        return left


LOOK_S: Final = 0.1


class Outcome(NamedTuple):
    """What came of messages: each one's lateness in ms, sorted; how many never came; how many came again."""

    late_ms: list[float]
    lost: int
    duplicates: int


def outcome(door: NullDoor, due_ms: dict[UUID, int]) -> Outcome:
    """Compare what came to the door with what was due."""
    came = Counter(arrival.schedule for arrival in door.arrivals if arrival.schedule in due_ms)
    late: dict[UUID, float] = {}
    for arrival in door.arrivals:
        if arrival.schedule in due_ms:
            late.setdefault(arrival.schedule, arrival.at_s * 1000 - due_ms[arrival.schedule])
    return Outcome(sorted(late.values()), len(due_ms) - len(late), sum(came.values()) - len(came))


def quantile(ordered: list[float], share: float) -> float:
    """The value that `share` of the sorted values do not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


@contextlib.asynccontextmanager
async def open_engine(stores: Stores, slots: int, answer_s: float = 0.0) -> AsyncGenerator[Engine]:
    """A supervisor at work on `stores` with room for `slots` sessions; its log goes to a file, as a service's does.

    `answer_s`: what the enclave takes for a send.
    """
    with stores.home.log("supervisor").open("w") as log, logging_to(log):
        own = await EngineStore.open(stores.postgres.url, stores.valkey.url)
        store = await EngineStore.open(stores.postgres.url, stores.valkey.url)
        settings = Settings(
            database_url=stores.postgres.url,
            redis_url=stores.valkey.url,
            enclave_socket=stores.home.socket("door.sock"),
            hot_slots=slots + SPARE_SLOTS,
        )
        door = NullDoor(answer_s)
        supervisor = Supervisor(settings, own, open_door=door.open)
        supervisor.context.pace = Pace(per_s=CONNECTS_PER_S, ceiling_per_s=CONNECTS_PER_S)
        try:
            await supervisor.start()
            yield Engine(store, door)
        finally:
            await supervisor.stop()
            await own.close()
            await store.close()


def run_loop(work: Coroutine[Any, Any, dict[str, Any]]) -> dict[str, Any]:
    """Run `work` on the event loop that the product runs on."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
