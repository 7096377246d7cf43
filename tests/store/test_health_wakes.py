"""Accounts that nothing is due for are woken now and then, so that WhatsApp keeps their devices."""

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain import limits
from tests.rows import add_account
from tests.store.conftest import Store

ACCOUNTS = 150
DAYS = 60
STEP = timedelta(hours=6)
DAY = timedelta(days=1)


@pytest.mark.parametrize("seed", range(3))
async def test_in_sixty_days_none_sleeps_for_a_week_and_none_is_woken_too_often(store: Store, seed: int) -> None:
    """Slots may be busy for `limits.HEALTH_PATIENCE_S`, then one is made free; each wake may take that long."""
    dice = random.Random(seed)
    start = datetime(2026, 1, 1, tzinfo=UTC)
    last = {await add_account(store.pool, last_hot_at=start): start for _ in range(ACCOUNTS)}
    waiting: dict[UUID, datetime] = {}
    gaps: list[timedelta] = []
    for step in range(DAYS * 24 // 6):
        now = start + step * STEP
        woken = [account for account, at in waiting.items() if at <= now]
        for account in woken:
            gaps.append(waiting[account] - last[account])
            last[account] = waiting.pop(account)
        await store.pool.executemany(
            "UPDATE accounts SET last_hot_at = $2 WHERE id = $1", [(account, last[account]) for account in woken]
        )
        for account in await store.accounts.unhealthy("node", now, ACCOUNTS):
            waiting.setdefault(account, now + timedelta(seconds=dice.uniform(0, limits.HEALTH_PATIENCE_S)))
    assert len(gaps) > ACCOUNTS * (DAYS // 5 - 1)
    assert min(gaps) >= 3 * DAY
    assert max(gaps) < 5 * DAY
    assert max(gaps) - min(gaps) > DAY / 2  # those that were linked together do not stay together


async def test_who_cannot_be_woken_is_not_in_the_way_of_the_others(store: Store) -> None:
    """The two that sleep longest fail again and again: each is tried some times a day, and the third has its turn."""
    now = datetime(2026, 1, 30, tzinfo=UTC)
    third = await add_account(store.pool, last_hot_at=now - 10 * DAY)
    first = {await add_account(store.pool, last_hot_at=now - 20 * DAY) for _ in range(2)}
    assert set(await store.accounts.unhealthy("node", now, 2)) == first
    for account in first:
        await store.pool.execute(
            "INSERT INTO wakes (account_id, woken_at, reason) VALUES ($1, $2, 'health')", account, now
        )
    assert await store.accounts.unhealthy("node", now, 2) == [third]
    await store.pool.execute("UPDATE accounts SET backoff_until = now() + interval '1 min' WHERE id = $1", third)
    assert await store.accounts.unhealthy("node", now, 2) == []
    again = now + timedelta(seconds=limits.HEALTH_AGAIN_S + 1)
    assert set(await store.accounts.unhealthy("node", again, 2)) == first


async def test_who_is_not_linked_or_is_another_nodes_is_left_alone(store: Store) -> None:
    old = datetime(2026, 1, 1, tzinfo=UTC)
    await add_account(store.pool, last_hot_at=old, link="LOGGED_OUT")
    owned = await add_account(store.pool, last_hot_at=old)
    await store.accounts.take([owned], "other")
    assert await store.accounts.unhealthy("node", old + 30 * DAY, 10) == []
    assert await store.accounts.unhealthy("other", old + 30 * DAY, 10) == [owned]
