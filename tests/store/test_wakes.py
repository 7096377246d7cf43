"""What is remembered of sessions, and on which days the phone was seen."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.account import RunEvent
from domain.hotset import WantKind
from store import wakes
from store.accounts import Slept, Woken
from store.wakes import Wake
from tests.rows import add_account, later
from tests.store.conftest import Store

NOON = datetime(2026, 7, 20, 12, tzinfo=UTC)


async def _owned(store: Store) -> tuple[UUID, UUID, int]:
    account = await add_account(store.pool)
    user = await store.pool.fetchval("SELECT user_id FROM accounts WHERE id = $1", account)
    return account, user, (await store.accounts.take([account], "node"))[account]


async def test_a_wake_is_told_from_its_beginning_to_its_end(store: Store) -> None:
    account, user, epoch = await _owned(store)
    woken = Woken(at=NOON, kind=WantKind.STICKY)
    assert await store.accounts.mark_dirty(account, epoch, woken)
    await store.accounts.note_hot(account, epoch, NOON, NOON + timedelta(seconds=3), 3000)
    slept = Slept(woken_at=NOON, at=NOON + timedelta(seconds=40), ending=RunEvent.DIED)
    await store.accounts.note_slept(account, epoch - 1, slept)  # somebody else's account by now
    (seen,) = await wakes.lately(store.pool, user, account, 5)
    assert seen == Wake(
        woken_at=NOON, ready_at=NOON + timedelta(seconds=3), slept_at=None, reason=WantKind.STICKY, ending=None
    )
    await store.accounts.note_slept(account, epoch, slept)
    (seen,) = await wakes.lately(store.pool, user, account, 5)
    assert (seen.slept_at, seen.ending) == (slept.at, RunEvent.DIED)


async def test_how_long_a_wake_took_is_expected_of_the_next_but_of_a_first_login_nothing(store: Store) -> None:
    account, _, epoch = await _owned(store)
    await store.accounts.note_hot(account, epoch, NOON, NOON, None)
    row = await store.accounts.load(account)
    assert row is not None
    assert row.lead_ms == 4000
    assert await store.pool.fetchval("SELECT last_hot_at FROM accounts") == NOON
    for took_ms, expected_ms in ((8000, 8000), (4000, 7000)):  # the first stands, later ones weigh a quarter
        await store.accounts.note_hot(account, epoch, NOON, NOON, took_ms)
        row = await store.accounts.load(account)
        assert row is not None
        assert row.lead_ms == expected_ms


async def test_the_wake_around_an_instant_is_found_only_by_its_user(store: Store) -> None:
    account, user, epoch = await _owned(store)
    for hour in range(3):
        at = NOON + timedelta(hours=hour)
        await store.accounts.mark_dirty(account, epoch, Woken(at=at, kind=WantKind.DUE))
        ended = Slept(woken_at=at, at=at + timedelta(minutes=1), ending=RunEvent.RELEASED)
        await store.accounts.note_slept(account, epoch, ended)
    found = await wakes.around(store.pool, user, account, NOON + timedelta(hours=1, seconds=30))
    assert found is not None
    assert found.woken_at == NOON + timedelta(hours=1)
    assert await wakes.around(store.pool, user, account, NOON + timedelta(hours=1, minutes=2)) is None
    assert await wakes.around(store.pool, account, account, NOON + timedelta(hours=1)) is None
    assert [one.woken_at.hour for one in await wakes.lately(store.pool, user, account, 2)] == [14, 13]


async def test_old_wakes_are_forgotten_a_few_at_a_time(store: Store) -> None:
    account, user, epoch = await _owned(store)
    for hour in range(4):
        await store.accounts.mark_dirty(account, epoch, Woken(at=later(-3600 * hour), kind=WantKind.DUE))
    assert await wakes.purge(store.pool, later(-1800), 2) == 2
    assert await wakes.purge(store.pool, later(-1800), 2) == 1
    assert len(await wakes.lately(store.pool, user, account, 9)) == 1


@pytest.mark.parametrize(
    ("days", "seen"),
    [
        ([0], 0b1),
        ([0, 0], 0b1),
        ([0, 1, 3], 0b1101),
        ([3, 1], 0b101),
        ([0, 13], 0b10_0000_0000_0001),
        ([0, 14], 0b1),
        ([0, 400], 0b1),
        ([400, 0], 0b1),
    ],
)
async def test_the_phones_days_are_those_before_its_newest_one(store: Store, days: list[int], seen: int) -> None:
    account, _, epoch = await _owned(store)
    for day in days:
        await store.accounts.note_phone(account, epoch, NOON + timedelta(days=day))
    row = await store.pool.fetchrow("SELECT phone_seen_at, phone_days FROM accounts WHERE id = $1", account)
    assert row is not None
    assert (row["phone_seen_at"], row["phone_days"]) == (NOON + timedelta(days=max(days)), seen)
