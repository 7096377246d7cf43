"""Writes that must not be lost, in order, one at a time: each is tried again until Postgres is there."""

import asyncio
from collections.abc import Awaitable, Callable

from domain import limits
from domain.refusal import Unavailable

Chore = Callable[[], Awaitable[object]]


class Chores:
    """One account's queue of writes. It works in a task of its own, so that nobody waits for a database."""

    def __init__(self, all_done: Callable[[], None]) -> None:
        """Nothing to do. `all_done` is called each time the last of them is."""
        self._all_done = all_done
        self._queue: asyncio.Queue[Chore] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """How many are waiting or under way."""
        return self._queue.qsize() + (self._task is not None)

    def add(self, chore: Chore) -> bool:
        """Queues a write; False when `limits.CHORES_MAX` are waiting and this one is lost."""
        if self._queue.qsize() >= limits.CHORES_MAX:
            return False
        self._queue.put_nowait(chore)
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        return True

    async def do(self, chore: Chore) -> None:
        """Queues a write and returns when it is done, however long that takes."""
        done = asyncio.Event()

        async def and_tell() -> None:
            await chore()
            done.set()

        self._queue.put_nowait(and_tell)
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        await done.wait()

    async def settle(self) -> None:
        """Returns when nothing is left to do."""
        while self._task is not None:
            await asyncio.wait([self._task])

    def stop(self) -> None:
        """Gives up what is left: the account belongs to somebody else, or the process ends."""
        if self._task is not None:
            self._task.cancel()

    async def _work(self) -> None:
        try:
            while not self._queue.empty():
                await until_available(self._queue.get_nowait())
        finally:
            self._task = None
            self._all_done()


async def until_available(chore: Chore) -> None:
    """Carries out a write, again and again while Postgres is away. It has to be one that may happen twice."""
    while True:
        try:
            await chore()
            return
        except Unavailable:
            await asyncio.sleep(limits.WORLD_RETRY_S)
