"""What happened, in order, so that tests and pages can wait for it instead of sleeping."""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Mapping
from typing import Any

EVENTS_MAX = 20_000
WAIT_S_MAX = 120.0

Event = dict[str, Any]


def matches(event: Event, wanted: Mapping[str, str]) -> bool:
    """Whether each wanted name has that value, compared as text."""
    return all(str(event.get(name)) == value for name, value in wanted.items())


class Journal:
    """The last events, each numbered by ``seq`` from 1, and counts of all kinds."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._events: deque[Event] = deque(maxlen=EVENTS_MAX)
        self._seq = 0
        self._waiters: set[asyncio.Future[None]] = set()

    @property
    def seq(self) -> int:
        """Number of the last event; 0 before the first."""
        return self._seq

    def add(self, kind: str, phone: str = "", **details: object) -> None:
        """Note an event and wake who waits."""
        self._seq += 1
        self.counts[kind] += 1
        self._events.append({"seq": self._seq, "at": time.time(), "kind": kind, "phone": phone, **details})
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    def since(self, after: int, wanted: Mapping[str, str]) -> list[Event]:
        """Events numbered above ``after`` that match."""
        if after >= self._seq:
            return []
        return [event for event in self._events if event["seq"] > after and matches(event, wanted)]

    async def wait(self, after: int, wanted: Mapping[str, str], timeout_s: float) -> list[Event]:
        """As ``since``, but waits until there is one; an empty list after ``timeout_s`` (at most 120 s)."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + min(timeout_s, WAIT_S_MAX)
        while not (found := self.since(after, wanted)):
            waiter: asyncio.Future[None] = loop.create_future()
            self._waiters.add(waiter)
            try:
                async with asyncio.timeout_at(deadline):
                    await waiter
            except TimeoutError:
                return self.since(after, wanted)
            finally:
                self._waiters.discard(waiter)
        return found
