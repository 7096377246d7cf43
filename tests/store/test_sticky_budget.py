"""The budget of a first sync: counted only while the account is HOT, whatever ends that."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain import limits
from domain.account import RunEvent
from domain.hotset import WantKind
from store.accounts import Slept, Woken
from store.database import transaction
from tests.rows import add_account, later, sealed
from tests.store.conftest import Store

NOON = datetime(2026, 7, 20, 12, tzinfo=UTC)
DAY_MS = int(limits.STICKY_SYNC_S * 1000)
MINUTE = timedelta(minutes=1)


async def _owned(store: Store) -> tuple[UUID, int]:
    account = await add_account(store.pool)
    return account, (await store.accounts.take([account], "node"))[account]


async def _left_ms(store: Store, account: UUID) -> int:
    row = await store.accounts.load(account)
    assert row is not None
    return row.sticky_left_ms


@pytest.mark.parametrize(
    ("remaining_ms", "since", "at", "left_ms"),
    [
        (60_000, None, NOON, 60_000),
        (60_000, NOON, NOON, 60_000),
        (60_000, NOON, NOON + timedelta(seconds=20, milliseconds=5), 39_995),
        (60_000, NOON, NOON + MINUTE, 0),
        (60_000, NOON, NOON + 500 * MINUTE, 0),
        (60_000, NOON, NOON - MINUTE, 60_000),
    ],
)
async def test_what_is_left_runs_only_from_the_instant_it_is_hot(
    store: Store, remaining_ms: int, since: datetime | None, at: datetime, left_ms: int
) -> None:
    assert await store.pool.fetchval("SELECT sticky_left_ms($1, $2, $3)", remaining_ms, since, at) == left_ms


async def test_sleep_costs_nothing_and_nothing_is_counted_twice(store: Store) -> None:
    account, epoch = await _owned(store)
    assert await _left_ms(store, account) == DAY_MS
    for hour, closed in enumerate((False, True, False)):
        hot, woken_at = NOON + timedelta(hours=hour), NOON + timedelta(hours=hour) - MINUTE
        await store.accounts.note_hot(account, epoch, woken_at, hot, None)
        await store.accounts.note_hot(account, epoch, woken_at, hot + MINUTE / 2, None)  # a redial
        slept = Slept(woken_at=woken_at, at=hot + MINUTE, ending=RunEvent.RELEASED)
        if closed:
            assert await store.stores.put_closing(account, epoch, sealed(1, clean=True), slept)
        await store.accounts.note_slept(account, epoch, slept)
        assert await _left_ms(store, account) == DAY_MS - (hour + 1) * 60_000


async def test_while_it_is_hot_the_planner_sees_the_true_rest_without_a_write(store: Store) -> None:
    account, epoch = await _owned(store)
    await store.accounts.note_hot(account, epoch, NOON, later(-600), None)
    assert DAY_MS - 660_000 < await _left_ms(store, account) <= DAY_MS - 600_000
    assert await store.pool.fetchval("SELECT sticky_remaining_ms FROM accounts WHERE id = $1", account) == DAY_MS


async def test_of_a_dead_owner_the_budget_ran_until_its_lease_ended(store: Store) -> None:
    account, epoch = await _owned(store)
    await store.accounts.note_hot(account, epoch, NOON, NOON, None)
    await store.pool.execute("UPDATE accounts SET owned_until = $1", NOON + 2 * MINUTE)
    assert await store.accounts.take([account], "other") == {account: epoch + 1}
    assert await _left_ms(store, account) == DAY_MS - 120_000
    assert await store.pool.fetchval("SELECT sticky_active_since FROM accounts") is None


async def test_a_first_sync_that_is_over_or_has_no_budget_is_not_proposed(store: Store) -> None:
    (fresh, epoch), (spent, _), (over, over_epoch) = [await _owned(store) for _ in range(3)]
    assert set(await store.accounts.unsynced("node", 9)) == {fresh, spent, over}
    await store.pool.execute("UPDATE accounts SET sticky_remaining_ms = 0 WHERE id = $1", spent)
    await store.accounts.note_hot(over, over_epoch, NOON, later(-60), None)
    await store.accounts.note_synced(over, over_epoch)
    assert await store.accounts.unsynced("node", 9) == [fresh]
    left_ms = await _left_ms(store, over)
    assert DAY_MS - 120_000 < left_ms <= DAY_MS - 60_000
    await store.accounts.note_hot(over, over_epoch, NOON, later(-60), None)
    assert await _left_ms(store, over) == left_ms  # its later wakes are none of the first sync's
    await store.accounts.note_hot(fresh, epoch, NOON, NOON - timedelta(days=1), None)
    assert await store.accounts.unsynced("node", 9) == []


async def test_a_new_device_has_the_whole_budget_again(store: Store) -> None:
    account = await add_account(store.pool, "PAIRING", sticky_remaining_ms=7)
    epoch = (await store.accounts.take([account], "node"))[account]
    woken = Woken(at=NOON, kind=WantKind.PAIRING)
    async with transaction(store.pool) as connection:
        await store.accounts.pair(
            connection, account, epoch, jid="4917:1@s.whatsapp.net", lid="", phone="4917", woken=woken, new=True
        )
    assert await _left_ms(store, account) == DAY_MS
