"""Slots: one owner, who alone can renew or return."""

from uuid import uuid4

from store import keys
from store.redis import Redis
from store.slots import LEASE_MS, Slots


async def test_a_slot_has_one_owner(redis: Redis) -> None:
    slots, account = Slots(redis, "n"), uuid4()
    assert await slots.take(account, "mine")
    assert not await slots.take(account, "theirs")
    assert 0 < await redis.client.pttl(keys.slot("n", str(account))) <= LEASE_MS


async def test_only_the_owner_renews_and_returns(redis: Redis) -> None:
    slots, account = Slots(redis, "n"), uuid4()
    await slots.take(account, "mine")
    assert not await slots.renew(account, "theirs")
    assert not await slots.give_back(account, "theirs")
    assert await slots.renew(account, "mine")
    assert await slots.give_back(account, "mine")
    assert not await slots.renew(account, "mine")
    assert await slots.take(account, "theirs")


async def test_clearing_takes_all_slots_of_this_node_and_no_others(redis: Redis) -> None:
    ours, theirs = Slots(redis, "n"), Slots(redis, "m")
    for _ in range(3):
        await ours.take(uuid4(), "t")
    other = uuid4()
    await theirs.take(other, "t")
    assert await ours.clear() == 3
    assert await theirs.renew(other, "t")
