"""The on-time record: from the chosen instant to WhatsApp's acceptance."""

from datetime import timedelta
from uuid import UUID

from domain import limits
from store import record
from tests.rows import add_account, add_message, later
from tests.store.conftest import Store


async def _sent(store: Store, account: UUID, days_ago: int, late_ms: int) -> None:
    due = later(-days_ago * 86_400 - 3600)
    message = await add_message(store.pool, account, due=due, state="DELIVERED")
    left = due + timedelta(milliseconds=late_ms)
    await store.pool.execute(
        "UPDATE messages SET sent_at = date_trunc('second', $2::timestamptz), left_at = $2 WHERE id = $1", message, left
    )


async def test_half_and_nearly_all_and_the_slowest_of_each_day(store: Store) -> None:
    account = await add_account(store.pool)
    user = await store.pool.fetchval("SELECT user_id FROM accounts")
    for late_ms in range(10, 110, 10):
        await _sent(store, account, 1, late_ms)
    await _sent(store, account, 3, 2400)
    await _sent(store, account, 40, 9000)
    await add_message(store.pool, account, due=later(-7200), state="MISSED")
    await add_message(store.pool, account, due=later(7200))
    seen = await record.since(store.pool, user, account, later(-limits.RECORD_S), "Pacific/Auckland")
    assert (seen.sent, seen.missed, seen.half_ms, seen.most_ms) == (11, 1, 60, 2400)
    assert [day.slowest_ms for day in seen.days] == [2400, 100]
    assert await record.since(store.pool, account, account, later(-9e5), "UTC") == record.Record(
        sent=0, missed=0, half_ms=0, most_ms=0, days=[]
    )


async def test_what_only_a_receipt_told_counts_by_whatsapps_clock(store: Store) -> None:
    account = await add_account(store.pool)
    user = await store.pool.fetchval("SELECT user_id FROM accounts")
    due = later(-7200)
    for late_s in (-1, 2):
        message = await add_message(store.pool, account, due=due, state="READ")
        await store.pool.execute(
            "UPDATE messages SET sent_at = $2 WHERE id = $1", message, due + timedelta(seconds=late_s)
        )
    seen = await record.since(store.pool, user, account, later(-limits.RECORD_S), "UTC")
    assert (seen.half_ms, seen.most_ms) == (0, 2000)
