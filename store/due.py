"""The due sets: what must leave within the near horizon, as a hint. `reconcile` rebuilds them from Postgres."""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from domain import limits
from store import keys
from store.redis import Redis

_BOTH: Final = (keys.DUE, keys.PROCESSING)
_ADD_MAX: Final = 1000  # ids in one script call: Lua's unpack and Redis' patience are finite
LEASE_MS: Final = int(limits.CLAIM_LEASE_S * 1000)


class Due:
    """Every method raises `Unavailable` when Redis is away."""

    def __init__(self, redis: Redis) -> None:
        """Works on `redis`."""
        self._redis = redis

    async def add(self, due_ms_by_id: Iterable[tuple[UUID, int]]) -> int:
        """Adds messages with their due instants; claimed ones stay claimed. Returns how many are new or moved."""
        pairs = list(due_ms_by_id)
        added = 0
        for start in range(0, len(pairs), _ADD_MAX):
            arguments: list[str | int] = [keys.DUE_TTL_S]
            for message, due_ms in pairs[start : start + _ADD_MAX]:
                arguments += [due_ms, str(message)]
            added += await self._redis.script("add_due", _BOTH, arguments)
        return added

    async def claim(self, until_ms: int, now_ms: int, limit: int = limits.CLAIM_BATCH_MAX) -> list[UUID]:
        """Takes at most `limit` messages due until `until_ms` under a lease of `limits.CLAIM_LEASE_S`."""
        found = await self._redis.script("claim_due", _BOTH, (until_ms, now_ms, LEASE_MS, limit, keys.DUE_TTL_S))
        return [UUID(text) for text in found]

    async def extend(self, messages: Sequence[UUID], now_ms: int) -> int:
        """Renews the lease of claimed messages. Returns how many were still claimed."""
        if not messages:
            return 0
        arguments = [now_ms + LEASE_MS, keys.DUE_TTL_S, *map(str, messages)]
        return await self._redis.script("extend_due", (keys.PROCESSING,), arguments)

    async def forget(self, messages: Sequence[UUID]) -> int:
        """Drops messages from both sets: this also acknowledges a claim. Returns how many were known."""
        if not messages:
            return 0
        return await self._redis.script("forget_due", _BOTH, [str(message) for message in messages])

    async def next_ms(self) -> int | None:
        """The due instant of the earliest pending message, None without one."""
        first = await self._redis.ask(self._redis.client.zrange(keys.DUE, 0, 0, withscores=True))
        return int(first[0][1]) if first else None

    async def tell_changed(self) -> None:
        """Wakes the due loops: work nearer than they know of was added."""
        await self._redis.ask(self._redis.client.publish(keys.DUE_CHANGED, ""))
