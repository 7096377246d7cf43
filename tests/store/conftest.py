"""The engine's half of the store on real servers."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from store.accounts import Accounts
from store.attempts import Attempts
from store.contacts import Contacts
from store.database import Pool, open_pool
from store.messages import Messages
from store.notices import Notices
from store.receipts import Receipts
from store.redis import Redis
from store.stores import Stores


@dataclass(frozen=True, slots=True)
class Store:
    """Everything that the engine remembers with."""

    pool: Pool
    redis: Redis
    notices: Notices
    accounts: Accounts
    stores: Stores
    messages: Messages
    receipts: Receipts
    attempts: Attempts
    contacts: Contacts


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """Give a client of an empty Redis."""
    client = Redis(redis_url)
    yield client
    await client.close()


@pytest.fixture
async def store(database_url: str, redis: Redis) -> AsyncIterator[Store]:
    """Give the stores on the module's database, emptied."""
    pool = await open_pool(database_url)
    await pool.execute("TRUNCATE users CASCADE")
    notices = Notices(redis)
    accounts = Accounts(pool, notices)
    stores = Stores(pool, accounts)
    receipts = Receipts(pool, notices)
    yield Store(
        pool=pool,
        redis=redis,
        notices=notices,
        accounts=accounts,
        stores=stores,
        messages=Messages(pool, notices),
        receipts=receipts,
        attempts=Attempts(pool, notices, stores, receipts),
        contacts=Contacts(pool, notices),
    )
    await pool.close()
