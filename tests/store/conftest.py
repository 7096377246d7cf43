"""The engine's half of the store on real servers."""

from collections.abc import AsyncIterator

import pytest

from store.engine import EngineStore
from store.redis import Redis

Store = EngineStore


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """Give a client of an empty Redis."""
    client = Redis(redis_url)
    yield client
    await client.close()


@pytest.fixture
async def store(database_url: str, redis_url: str) -> AsyncIterator[EngineStore]:
    """Give the stores on the module's database, emptied."""
    opened = await EngineStore.open(database_url, redis_url)
    await opened.pool.execute("TRUNCATE users CASCADE")
    yield opened
    await opened.close()
