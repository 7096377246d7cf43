"""Stores that go away and come back: late at worst, never lost, never twice."""

import asyncio

from store.engine import EngineStore
from tests.conftest import Engines
from tests.rows import later
from tests.supervisor.engines import Engine

CERTAIN = ("SENT", "DELIVERED", "READ")


async def _sent_once(engine: Engine) -> bool:
    rows = await engine.store.pool.fetch(
        "SELECT count(*) FILTER (WHERE outcome = 'SENT') AS sent, count(*) FILTER (WHERE outcome = '') AS open"
        " FROM attempts GROUP BY message_id"
    )
    return all((row["sent"], row["open"]) == (1, 0) for row in rows)


async def test_losing_every_database_connection_again_and_again_neither_loses_nor_doubles(engine: Engine) -> None:
    accounts = [await engine.link() for _ in range(3)]
    await engine.start()
    messages = [await engine.schedule(account, later(1.5)) for account in accounts for _ in range(15)]
    for _ in range(6):
        await engine.hears("message_sent")
        await engine.store.pool.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    await asyncio.gather(*(engine.state(message, *CERTAIN) for message in messages))
    assert await _sent_once(engine)


async def test_a_restart_of_the_database_in_the_middle_of_a_burst_neither_loses_nor_doubles(
    engine: Engine, engines: Engines
) -> None:
    account = await engine.link()
    await engine.start()
    messages = [await engine.schedule(account, later(1.5)) for _ in range(25)]
    await engine.hears("message_sent")
    await asyncio.to_thread(engines.postgres.stop)
    engines.postgres.start()
    await engine.store.close()
    engine.store = await EngineStore.open(engine.settings.database_url, engine.settings.redis_url)
    await asyncio.gather(*(engine.state(message, *CERTAIN) for message in messages))
    assert await _sent_once(engine)
    await engine.store.close()


async def test_without_redis_everything_goes_on(engine: Engine, engines: Engines) -> None:
    account = await engine.link()
    await engine.start()
    message = await engine.schedule(account, later(3))
    await asyncio.to_thread(engines.valkey.stop)
    try:
        await engine.state(message, *CERTAIN)
        await engine.hears("account_run", account=account, after="COLD")
        fresh = await engine.new_account()
        await engine.wish(fresh, "pair", "PAIRING")
        await engine.hears("pairing_done", account=fresh)
    finally:
        engines.valkey.start()
    another = await engine.schedule(account, later(2))
    await engine.state(another, *CERTAIN)
