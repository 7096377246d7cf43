"""The due sets: an id is in at most one of them, and a lease brings back what a dead claimer left."""

import asyncio
from uuid import uuid4

import pytest

from domain.refusal import Unavailable
from store import keys
from store.due import LEASE_MS, Due
from store.redis import Redis

NOW = 1_000_000


async def _everywhere(redis: Redis) -> list[object]:
    return [*await redis.client.zrange(keys.DUE, 0, -1), *await redis.client.zrange(keys.PROCESSING, 0, -1)]


async def test_what_is_due_is_claimed_earliest_first_and_once(redis: Redis) -> None:
    due = Due(redis)
    first, second, far = uuid4(), uuid4(), uuid4()
    assert await due.add([(second, NOW + 2), (first, NOW + 1), (far, NOW + 1000)]) == 3
    assert await due.claim(NOW + 10, NOW) == [first, second]
    assert await due.claim(NOW + 10, NOW) == []
    assert await due.next_ms() == NOW + 1000


async def test_two_claimers_never_get_the_same_id(redis: Redis) -> None:
    due = Due(redis)
    ids = [uuid4() for _ in range(200)]
    await due.add((one, NOW) for one in ids)
    claims = await asyncio.gather(*(due.claim(NOW, NOW, 7) for _ in range(40)))
    claimed = [one for claim in claims for one in claim]
    assert sorted(claimed) == sorted(ids)


async def test_an_ended_lease_brings_the_id_back(redis: Redis) -> None:
    due = Due(redis)
    one = uuid4()
    await due.add([(one, NOW)])
    await due.claim(NOW, NOW)
    assert await due.claim(NOW + LEASE_MS - 1, NOW + LEASE_MS - 1) == []
    assert await due.claim(NOW + LEASE_MS, NOW + LEASE_MS) == [one]


async def test_an_extended_lease_keeps_the_id_away(redis: Redis) -> None:
    due = Due(redis)
    one = uuid4()
    await due.add([(one, NOW)])
    await due.claim(NOW, NOW)
    assert await due.extend([one, uuid4()], NOW + LEASE_MS - 1) == 1
    assert await due.claim(NOW + LEASE_MS, NOW + LEASE_MS) == []


async def test_a_claimed_id_is_not_added_again_and_a_forgotten_one_is_gone(redis: Redis) -> None:
    due = Due(redis)
    one = uuid4()
    await due.add([(one, NOW)])
    await due.claim(NOW, NOW)
    assert await due.add([(one, NOW)]) == 0
    assert await _everywhere(redis) == [str(one)]
    assert await due.forget([one]) == 1
    assert await _everywhere(redis) == []


async def test_both_sets_expire(redis: Redis) -> None:
    due = Due(redis)
    await due.add([(uuid4(), NOW), (uuid4(), NOW + 1000)])
    await due.claim(NOW, NOW)
    for key in (keys.DUE, keys.PROCESSING):
        assert 0 < await redis.client.ttl(key) <= keys.DUE_TTL_S


async def test_an_absent_redis_is_unavailable() -> None:
    redis = Redis("unix:///nowhere/at/all.sock")
    with pytest.raises(Unavailable):
        await Due(redis).claim(NOW, NOW)
    with pytest.raises(Unavailable):
        await Due(redis).next_ms()
    await redis.close()
