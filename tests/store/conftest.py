"""The engine's half of the store on real servers."""

from collections.abc import AsyncIterator

import pytest

from store.engine import EngineStore
from store.redis import Redis
from tests.conftest import address_of, emptied

Store = EngineStore


@pytest.fixture(params=["single", "cluster"])
def each_redis_url(request: pytest.FixtureRequest) -> str:
    """Give the address of an empty Redis: whatever is about Redis runs on one server and on a cluster."""
    return emptied(address_of(request, request.param))


@pytest.fixture
async def redis(each_redis_url: str) -> AsyncIterator[Redis]:
    """Give a client of an empty Redis."""
    client = Redis(each_redis_url)
    yield client
    await client.close()


@pytest.fixture
async def store(database_url: str, redis_url: str) -> AsyncIterator[EngineStore]:
    """Give the stores on the module's database, emptied."""
    opened = await EngineStore.open(database_url, redis_url)
    await opened.pool.execute("TRUNCATE users CASCADE")
    yield opened
    await opened.close()
