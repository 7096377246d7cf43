"""The messages that an account has in hand, by the instant at which they leave."""

import asyncio
import heapq
from uuid import UUID

from store.messages import Armed


class Outbox:
    """One account's armed messages. One task takes them out; others put them in."""

    def __init__(self) -> None:
        """Empty."""
        self._by_id: dict[UUID, Armed] = {}
        self._order: list[tuple[int, UUID]] = []
        """A heap of instants and ids; entries that are out of date are dropped when they come to its top."""
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        """How many are in hand."""
        return len(self._by_id)

    def add(self, message: Armed) -> None:
        """Takes a message in hand, or another instant for one that is."""
        self._by_id[message.id] = message
        heapq.heappush(self._order, (message.fire_ms, message.id))
        self._changed.set()

    def remove(self, message: UUID) -> None:
        """It has left, or is not ours any more."""
        self._by_id.pop(message, None)
        self._changed.set()

    def first(self) -> Armed | None:
        """The one that leaves next."""
        while self._order:
            fire_ms, message = self._order[0]
            found = self._by_id.get(message)
            if found is not None and found.fire_ms == fire_ms:
                return found
            heapq.heappop(self._order)
        return None

    def wake(self) -> tuple[int, int] | None:
        """Between which instants (Unix ms) the account should be ready, for the one that is urgent first.

        What is open by then comes along (domain/wakes.py). None: nothing is in hand.
        """
        first = self.first()
        if first is None:
            return None
        if first.latest_ms == first.fire_ms:
            return first.fire_ms, first.fire_ms
        latest_ms = min(one.latest_ms for one in self._by_id.values())
        return max(one.fire_ms for one in self._by_id.values() if one.fire_ms <= latest_ms), latest_ms

    def messages(self) -> list[Armed]:
        """All of them, in no order."""
        return list(self._by_id.values())

    def nudge(self) -> None:
        """Wakes whoever waits, though nothing has changed here."""
        self._changed.set()

    def clear(self) -> None:
        """Nothing is ours any more."""
        self._by_id.clear()
        self._order.clear()
        self._changed.set()

    async def wait_change(self, timeout_s: float | None) -> None:
        """Returns when something was added or removed since the last call, or after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._changed.wait()
        except TimeoutError:
            return
        finally:
            self._changed.clear()
