"""How many new messages a second the product takes in: 64 callers at once, then one alone, then an import.

All of them go the way of a person's message: account locked and counted, schedule and message committed in PostgreSQL,
then the due set in Redis and the notice to open pages; both stores durable. The limits measured beside it: the same
rows by COPY and one ZADD for each thousand, and for one alone one statement and one ZADD.
"""

import argparse
import asyncio
import itertools
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from enclave.wire.sealing import Binding
from standalone.bench._command import Figures, run
from standalone.bench._engine import BODY, RECIPIENT, SQL, Account, Engine, run_loop
from standalone.bench._null_door import NullDoor
from standalone.bench._stores import open_stores
from store import keys
from store.database import new_id
from store.due import Due
from store.engine import EngineStore
from store.notices import Notices
from store.schedules import Announce, NewSchedule, Schedules

ACCOUNTS: Final = 1000
CALLERS: Final = 64
SINGLES: Final = 20_000
ALONE: Final = 1000
IMPORTED: Final = 50_000
COPIED_AT_ONCE: Final = 1000
DUE_IN_S: Final = 600
ZONE: Final = "UTC"


def measure(accounts: int = ACCOUNTS, singles: int = SINGLES, alone: int = ALONE, imported: int = IMPORTED) -> Figures:
    """The figures; the sizes are for tests."""
    with open_stores() as stores:

        async def work() -> Figures:
            store = await EngineStore.open(stores.postgres.url, stores.valkey.url)
            owners = await Engine(store, NullDoor()).add_accounts(accounts)
            desk = _Desk(store, owners)
            try:
                copied = [await desk.per_s(lambda: desk.copy(imported // 2), imported // 2)]
                per_s = await desk.per_s(lambda: desk.many(singles), singles)
                one_limit = await desk.per_s(lambda: desk.least_one_by_one(alone), alone)
                one_per_s = await desk.per_s(lambda: desk.one_by_one(alone), alone)
                bulk_per_s = await desk.per_s(lambda: desk.bulk(imported), imported)
                copied.append(await desk.per_s(lambda: desk.copy(imported // 2), imported // 2))
                limit = sum(copied) / 2
                stored = await store.pool.fetchval(SQL["count"])
                hinted = await store.redis.client.zcard(keys.DUE)
            finally:
                await store.close()
            return {
                "per_s": round(per_s),
                "bulk_per_s": round(bulk_per_s),
                "limit_per_s": round(limit),
                "ratio": round(per_s / limit, 2),
                "bulk_ratio": round(bulk_per_s / limit, 2),
                "single_per_s": round(one_per_s),
                "single_limit_per_s": round(one_limit),
                "single_ratio": round(one_per_s / one_limit, 2),
                "callers": CALLERS,
                "lost": desk.made - stored,
                "unhinted": desk.made - hinted,
            }

        return run_loop(work())


class _Desk:
    """Takes messages in by each of the ways. `made`: how many should be stored by now."""

    def __init__(self, store: EngineStore, owners: list[Account]) -> None:
        self._store = store
        self._owners = itertools.cycle(owners)
        self._schedules = Schedules(store.pool, Announce(Due(store.redis), Notices(store.redis)))
        self.made = 0

    async def per_s(self, work: Callable[[], Coroutine[Any, Any, None]], count: int) -> float:
        begun_s = time.perf_counter()
        await work()
        self.made += count
        return count / (time.perf_counter() - begun_s)

    async def many(self, count: int) -> None:
        left = iter(range(count))

        async def caller() -> None:
            for _ in left:
                await self._schedules.create(self._new())

        async with asyncio.TaskGroup() as group:
            for _ in range(CALLERS):
                group.create_task(caller())

    async def one_by_one(self, count: int) -> None:
        for _ in range(count):
            await self._schedules.create(self._new())

    async def bulk(self, count: int) -> None:
        await self._schedules.create_all([self._new() for _ in range(count)])

    async def least_one_by_one(self, count: int) -> None:
        for _ in range(count):
            owner, message, due = next(self._owners), new_id(), _due()
            await self._store.pool.execute(
                SQL["least_message"], new_id(), message, owner.user, owner.id, due, RECIPIENT, BODY
            )
            await self._store.redis.client.zadd(keys.DUE, {str(message): due.timestamp()})

    async def copy(self, count: int) -> None:
        for start in range(0, count, COPIED_AT_ONCE):
            due = _due()
            rows = [(new_id(), new_id(), next(self._owners)) for _ in range(min(COPIED_AT_ONCE, count - start))]
            async with self._store.pool.acquire() as connection, connection.transaction():
                await connection.copy_records_to_table(
                    "schedules",
                    columns=COPIED["schedules"],
                    records=[
                        (rule, who.user, who.id, RECIPIENT, ZONE, 7200, "local", 4000000000, b"key", BODY)
                        for rule, _, who in rows
                    ],
                )
                await connection.copy_records_to_table(
                    "messages",
                    columns=COPIED["messages"],
                    records=[(message, rule, 1, who.user, who.id, RECIPIENT, due) for rule, message, who in rows],
                )
            await self._store.redis.client.zadd(keys.DUE, {str(message): due.timestamp() for _, message, _ in rows})

    def _new(self) -> NewSchedule:
        owner, schedule = next(self._owners), new_id()
        binding = Binding(
            environment="local",
            account=str(owner.id),
            schedule=str(schedule),
            recipient_hash="",
            not_after_s=4000000000,
        )
        return NewSchedule(
            id=schedule,
            user=owner.user,
            account=owner.id,
            recipient=RECIPIENT,
            zone=ZONE,
            due_at=_due(),
            binding=binding,
            content_key=b"key",
            body=BODY,
        )


COPIED: Final = {
    "schedules": (
        "id",
        "user_id",
        "account_id",
        "recipient",
        "zone",
        "late_limit_s",
        "environment",
        "not_after_s",
        "content_key",
        "body",
    ),
    "messages": ("id", "schedule_id", "occurrence", "user_id", "account_id", "recipient", "due_at"),
}


def _due() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=DUE_IN_S)


def main() -> None:
    """The command."""

    def measured(_: argparse.Namespace) -> Figures:
        return measure()

    run(
        "enqueue",
        __doc__,
        measured,
        lambda figures: [
            f"together  {figures['per_s']} a second by {figures['callers']} callers: {figures['ratio']} of the limit",
            f"import    {figures['bulk_per_s']} a second: {figures['bulk_ratio']} of the limit",
            f"limit     {figures['limit_per_s']} a second by COPY",
            f"alone     {figures['single_per_s']} a second by one caller; limit {figures['single_limit_per_s']}:"
            f" {figures['single_ratio']} of it",
            f"books     {figures['lost']} lost, {figures['unhinted']} not in the due set",
        ],
    )


if __name__ == "__main__":
    main()
