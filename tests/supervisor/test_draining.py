"""Ending in order: nothing is taken in any more, and nothing that is being let go is forgotten half way."""

import asyncio

from domain import limits
from tests.supervisor.engines import Engine
from tests.waiting import eventually


async def test_who_is_being_retired_at_that_moment_is_let_go_before_the_end(engine: Engine) -> None:
    account = await engine.link()
    await engine.start()
    actors = engine.supervisor.actors
    await engine.supervisor.tree.stop_one("idle")
    await actors.adopt([account])
    async with engine.store.pool.acquire() as other:
        held = other.transaction()
        await held.start()
        await other.execute("SELECT FROM accounts WHERE id = $1 FOR UPDATE", account)
        retiring = asyncio.create_task(actors.retire())

        async def waits() -> bool:
            sql = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid <> pg_backend_pid()"
            return await engine.store.pool.fetchval(sql) > 0

        await eventually(waits, "the release to wait")
        draining = asyncio.create_task(actors.drain(limits.TERM_DRAIN_S))
        for _ in range(100):
            await asyncio.sleep(0)
        assert not draining.done()
        await held.rollback()
    await asyncio.gather(retiring, draining)
    assert await engine.store.pool.fetchval("SELECT owner FROM accounts WHERE id = $1", account) == ""


async def test_who_drains_adopts_nobody(engine: Engine) -> None:
    account = await engine.link()
    await engine.start()
    actors = engine.supervisor.actors
    await actors.drain(limits.TERM_DRAIN_S)
    assert await actors.adopt([account]) == []
    assert await engine.store.pool.fetchval("SELECT owner FROM accounts WHERE id = $1", account) == ""
