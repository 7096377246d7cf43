"""Slots: the right of an account to have a session live on a node, as keys that expire, guarded by a token."""

from collections.abc import AsyncIterator
from typing import Final
from uuid import UUID

from domain import limits
from store import keys
from store.redis import Redis

LEASE_MS: Final = int(limits.SLOT_LEASE_S * 1000)
_SCAN_BATCH: Final = 500


class Slots:
    """The slots of one node. Every method raises `Unavailable` when Redis is away."""

    def __init__(self, redis: Redis, node: str) -> None:
        """Works on `redis` for `node`."""
        self._redis = redis
        self._node = node

    async def take(self, account: UUID, token: str) -> bool:
        """Takes the slot of `account`; False if somebody has it."""
        key = keys.slot(self._node, str(account))
        return bool(await self._redis.ask(self._redis.client.set(key, token, nx=True, px=LEASE_MS)))

    async def renew(self, account: UUID, token: str) -> bool:
        """Lengthens the lease; False if it is not ours any more."""
        return bool(await self._redis.script("renew_slot", (keys.slot(self._node, str(account)),), (token, LEASE_MS)))

    async def give_back(self, account: UUID, token: str) -> bool:
        """Deletes the slot if it is ours; False otherwise."""
        return bool(await self._redis.script("return_slot", (keys.slot(self._node, str(account)),), (token,)))

    async def clear(self) -> int:
        """Deletes all slots of this node: for its start, when a process that had them is known to be dead."""
        found = self._redis.client.scan_iter(match=keys.slot(self._node, "*"), count=_SCAN_BATCH)
        ours = await self._redis.ask(_all(found))
        return int(await self._redis.ask(self._redis.client.delete(*ours))) if ours else 0


async def _all(found: AsyncIterator[str]) -> list[str]:
    return [key async for key in found]
