"""An answer that is kept for a while, so that many who look at it cost what one does."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Asks `ask` at most once in `for_s`; whoever comes meanwhile waits for the same answer."""

    def __init__(self, ask: Callable[[], Awaitable[T]], for_s: float) -> None:
        """Nothing is asked yet."""
        self._ask = ask
        self._for_s = for_s
        self._lock = asyncio.Lock()
        self._until_s = float("-inf")
        self._answer: T

    async def get(self) -> T:
        """The answer, at most `for_s` old. What `ask` raises is raised, and not kept."""
        async with self._lock:
            if time.monotonic() >= self._until_s:
                self._answer = await self._ask()
                self._until_s = time.monotonic() + self._for_s
            return self._answer

    def forget(self) -> None:
        """The next one who asks gets a new answer."""
        self._until_s = float("-inf")
