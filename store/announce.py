"""Tells the due loop and the open pages what changed. A hint: lost, it is made good by `reconcile` and by a reload."""

import contextlib
import json
from datetime import UTC, datetime, timedelta
from uuid import UUID

from redis.asyncio import Redis

from domain import limits
from domain.refusal import Unavailable
from store import keys
from store.failure import cache_errors


async def due(redis: Redis, user: UUID, message: UUID, due_at: datetime) -> None:
    """Puts a message into the due set if its instant is near, else takes it out, and tells the user's pages."""
    near = due_at - datetime.now(UTC) < timedelta(seconds=limits.NEAR_HORIZON_S)
    with contextlib.suppress(Unavailable), cache_errors():
        async with redis.pipeline(transaction=True) as pipe:
            if near:
                pipe.zadd(keys.DUE, {str(message): int(due_at.timestamp() * 1000)})
                pipe.expire(keys.DUE, keys.DUE_TTL_S)
                pipe.publish(keys.DUE_CHANGED, str(message))
            else:
                pipe.zrem(keys.DUE, str(message))
            pipe.publish(keys.news_of(str(user)), _news("message", message))
            await pipe.execute()


async def not_due(redis: Redis, user: UUID, message: UUID) -> None:
    """Takes a message out of the due set and tells the user's pages."""
    with contextlib.suppress(Unavailable), cache_errors():
        async with redis.pipeline(transaction=True) as pipe:
            pipe.zrem(keys.DUE, str(message))
            pipe.publish(keys.news_of(str(user)), _news("message", message))
            await pipe.execute()


async def account(redis: Redis, user: UUID, account_id: UUID) -> None:
    """Tells the user's pages that an account changed."""
    with contextlib.suppress(Unavailable), cache_errors():
        await redis.publish(keys.news_of(str(user)), _news("account", account_id))


def _news(kind: str, identity: UUID) -> str:
    return json.dumps([[kind, str(identity)]])
