"""Arming, blocking, the horizon: only the owner, only from the states that the table names."""

import asyncio
from datetime import datetime
from uuid import UUID

from domain.message import MessageEvent, Reason
from tests.rows import add_account, add_message, later, state_of
from tests.store.conftest import Store


async def _owned(store: Store, node: str = "node") -> tuple[UUID, int]:
    account = await add_account(store.pool)
    return account, (await store.accounts.take([account], node))[account]


async def test_only_the_owner_arms(store: Store) -> None:
    account, epoch = await _owned(store)
    one = await add_message(store.pool, account)
    assert await store.messages.arm([one], "other", later(1)) == []
    (armed,) = await store.messages.arm([one], "node", later(1))
    assert (armed.account, armed.epoch, armed.fire_ms) == (account, epoch, armed.due_ms)
    assert await store.messages.arm([one], "node", later(1)) == []


async def test_of_two_nodes_that_claim_one_arms(store: Store) -> None:
    account, _ = await _owned(store)
    ids = [await add_message(store.pool, account) for _ in range(20)]
    rounds = await asyncio.gather(*(store.messages.arm(ids, "node", later(1)) for _ in range(8)))
    assert sorted(one.id for armed in rounds for one in armed) == sorted(ids)


async def test_what_is_further_than_asked_is_not_armed(store: Store) -> None:
    account, _ = await _owned(store)
    one = await add_message(store.pool, account, due=later(100))
    assert await store.messages.arm([one], "node", later(50)) == []


async def test_the_next_owner_gets_back_what_was_in_hand(store: Store) -> None:
    account, epoch = await _owned(store)
    one = await add_message(store.pool, account)
    await store.messages.arm([one], "node", later(1))
    assert await store.accounts.left_in_hand() == []
    await store.accounts.release({account: epoch})
    assert await store.accounts.left_in_hand() == [account]
    newer = (await store.accounts.take([account], "other"))[account]
    assert newer == epoch + 1
    assert await store.messages.disarm_stale(account, newer) == [one]
    assert await state_of(store.pool, one) == ("SCHEDULED", "")


async def test_blocking_and_unblocking_misses_what_is_too_late(store: Store) -> None:
    account, epoch = await _owned(store)
    soon = await add_message(store.pool, account, due=later(60))
    old = await add_message(store.pool, account, due=later(-100), late_limit_s=60)
    sending = await add_message(store.pool, account, state="SENDING")
    blocked = await store.messages.block(account, epoch, Reason.LOGGED_OUT)
    assert sorted(blocked) == sorted([soon, old])
    assert await state_of(store.pool, soon) == ("BLOCKED", "logged_out")
    assert await store.messages.unblock(account, epoch, int(later(0).timestamp() * 1000)) == [soon]
    assert await state_of(store.pool, old) == ("MISSED", "too_late")
    assert (await state_of(store.pool, sending))[0] == "SENDING"


async def test_a_stale_epoch_moves_nothing(store: Store) -> None:
    account, epoch = await _owned(store)
    one = await add_message(store.pool, account)
    assert await store.messages.move(epoch - 1, [one], MessageEvent.BLOCKED) == []
    assert await store.messages.block(account, epoch + 1, Reason.BANNED) == []


async def test_the_horizon_comes_in_pages(store: Store) -> None:
    account, _ = await _owned(store)
    ids = [await add_message(store.pool, account, due=later(seconds)) for seconds in (5, -3600, 1, 1, 7, 5000)]
    after: tuple[datetime, UUID] | None = None
    found = []
    until = later(100)
    while True:
        page = await store.messages.horizon(until, after, 2)
        found += [one for one, _ in page.due_ms_by_id]
        after = page.after
        if after is None:
            break
    assert sorted(found) == sorted(ids[:5])
    assert found[0] == ids[1]
    assert account in await store.messages.next_of_accounts_ms([account])
