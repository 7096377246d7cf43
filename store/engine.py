"""Everything that the engine remembers with, on one pool and one Redis."""

from dataclasses import dataclass
from typing import Self

from store.accounts import Accounts
from store.attempts import Attempts
from store.contacts import Contacts
from store.database import Pool, open_pool
from store.due import Due
from store.messages import Messages
from store.notices import Notices
from store.pacing import Pacing
from store.receipts import Receipts
from store.redis import Redis
from store.run_state import RunState
from store.stores import Stores


@dataclass(frozen=True, slots=True)
class EngineStore:
    """The engine's half of the store. Make it with `open`; whoever does closes it."""

    pool: Pool
    redis: Redis
    notices: Notices
    accounts: Accounts
    stores: Stores
    messages: Messages
    receipts: Receipts
    attempts: Attempts
    pacing: Pacing
    contacts: Contacts
    due: Due
    run_state: RunState

    @classmethod
    async def open(cls, database_url: str, redis_url: str) -> Self:
        """Connects to Postgres (raises `Unavailable`); Redis may be away."""
        pool = await open_pool(database_url)
        redis = Redis(redis_url)
        notices = Notices(redis)
        accounts = Accounts(pool, notices)
        stores = Stores(pool, accounts)
        receipts = Receipts(pool, notices)
        return cls(
            pool=pool,
            redis=redis,
            notices=notices,
            accounts=accounts,
            stores=stores,
            messages=Messages(pool, notices),
            receipts=receipts,
            attempts=Attempts(pool, notices, stores, receipts),
            pacing=Pacing(pool, notices),
            contacts=Contacts(pool, notices),
            due=Due(redis),
            run_state=RunState(redis),
        )

    async def close(self) -> None:
        """Closes both; connections that are in use are ended."""
        await self.notices.close()
        await self.redis.close()
        self.pool.terminate()
