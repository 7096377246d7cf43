"""Who locks several rows locks them by their ids: else two of them may wait for each other, and one is thrown out."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any
from uuid import UUID

import pytest

from store import farewell
from store.database import new_id
from tests.rows import add_account, add_message, later
from tests.store.conftest import Store
from tests.waiting import eventually

Work = Callable[[Store, Sequence[UUID]], Coroutine[Any, Any, object]]


async def _renew(store: Store, accounts: Sequence[UUID]) -> object:
    return await store.accounts.renew(dict.fromkeys(accounts, 1), "node")


async def _release(store: Store, accounts: Sequence[UUID]) -> object:
    return await store.accounts.release(dict.fromkeys(accounts, 1))


async def _say_farewell(store: Store, accounts: Sequence[UUID]) -> object:
    return await farewell.go_on(store.pool, 10)


async def _defer(store: Store, messages: Sequence[UUID]) -> object:
    return await store.pacing.defer(dict.fromkeys(messages, later(60)))


async def _accounts(store: Store) -> tuple[UUID, UUID]:
    """Two accounts of users who are leaving, both owned; whoever reads the table as it lies finds the second first."""
    low, high = sorted((new_id(), new_id()))
    for account in (low, high):
        await add_account(store.pool, id=account)
    await store.pool.execute("UPDATE users SET deleting_at = now()")
    await store.accounts.take([low, high], "node")
    for account in (high, low):  # the newest version of a row lies last
        await store.pool.execute("UPDATE accounts SET contacts = 1 WHERE id = $1", account)
    return low, high


async def _messages(store: Store) -> tuple[UUID, UUID]:
    account = await add_account(store.pool)
    low, high = sorted([await add_message(store.pool, account) for _ in range(2)])
    for message in (high, low):
        await store.pool.execute("UPDATE messages SET reason = 'spaced' WHERE id = $1", message)
    return low, high


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("table", "make", "work"),
    [
        ("accounts", _accounts, _renew),
        ("accounts", _accounts, _release),
        ("accounts", _accounts, _say_farewell),
        ("messages", _messages, _defer),
    ],
    ids=["renew", "release", "farewell", "defer"],
)
async def test_whoever_waits_for_the_first_row_has_not_locked_the_second(
    store: Store, table: str, make: Callable[[Store], Awaitable[tuple[UUID, UUID]]], work: Work, turned: bool
) -> None:
    low, high = await make(store)

    async def waits() -> bool:
        return await store.pool.fetchval(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype IN ('transactionid', 'tuple'))"
        )

    async with store.pool.acquire() as other:
        async with other.transaction():
            await other.execute(f"SELECT FROM {table} WHERE id = $1 FOR NO KEY UPDATE", low)
            working = asyncio.create_task(work(store, (high, low) if turned else (low, high)))
            await eventually(waits, "a lock that is waited for")
            locked = await other.fetch(f"SELECT id FROM {table} FOR NO KEY UPDATE SKIP LOCKED")
        await working
    assert {row["id"] for row in locked} == {low, high}
