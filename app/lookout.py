"""Asks what this process needs whether it answers. Anybody may ask us, so one answer serves all who ask in a moment."""

import asyncio
import time
from collections.abc import Awaitable
from typing import TypeVar

from app.door import EnclaveDoor
from domain import limits
from domain.readiness import WEB_NEEDS, Answer, Dependency, Readiness, readiness
from domain.refusal import Unavailable
from store import nodes
from store.database import Pool
from store.redis import Redis

T = TypeVar("T")


class Lookout:
    """Looks when asked, at most once in `limits.READINESS_S`."""

    def __init__(self, pool: Pool, redis: Redis, door: EnclaveDoor) -> None:
        """Has not looked yet."""
        self._pool = pool
        self._redis = redis
        self._door = door
        self._looking = asyncio.Lock()
        self._seen: Readiness | None = None
        self._seen_s = 0.0
        self.supervisors = 0
        """How many lived at the last look."""

    async def look(self) -> Readiness:
        """What is ready, as it was a moment ago at the latest."""
        async with self._looking:
            if self._seen is None or time.monotonic() - self._seen_s > limits.READINESS_S:
                self._seen = readiness(WEB_NEEDS, await self._ask())
                self._seen_s = time.monotonic()
            return self._seen

    async def _ask(self) -> dict[Dependency, Answer]:
        living, redis, enclave = await asyncio.gather(
            _answer(nodes.living(self._pool)),
            _answer(self._redis.ask(self._redis.client.ping())),
            _answer(self._door.welcome()),
        )
        self.supervisors = living or 0
        supervisor = Answer.UNKNOWN if living is None else Answer.UP if living else Answer.AWAY
        return {
            Dependency.POSTGRES: Answer.AWAY if living is None else Answer.UP,
            Dependency.SUPERVISOR: supervisor,
            Dependency.ENCLAVE: Answer.AWAY if enclave is None else Answer.UP,
            Dependency.REDIS: Answer.AWAY if redis is None else Answer.UP,
        }


async def _answer(asked: Awaitable[T]) -> T | None:
    """What it answers within `limits.READINESS_PATIENCE_S`, None if it does not."""
    try:
        async with asyncio.timeout(limits.READINESS_PATIENCE_S):
            return await asked
    except (Unavailable, TimeoutError):
        return None
