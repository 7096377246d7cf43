"""The supervision tree: a literal list of children, started in order, stopped in reverse, restarted inside a budget.

A child is an async function that works until it is cancelled. It calls `started` once it does its work; the next child
starts then. A child that ends or fails is started again; when the tree's budget is spent, the tree fails, and with it
the process, whose own supervisor has a budget of its own.
"""

import asyncio
import traceback
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import msgspec

from domain import limits
from domain.refusal import Unavailable
from supervisor.ending import end
from supervisor.log import emit

Run = Callable[[Callable[[], None]], Awaitable[None]]


class Child(msgspec.Struct, frozen=True):
    """A name and what it runs."""

    name: str
    run: Run


class TreeFailed(Exception):
    """A child failed more often than the budget allows."""


class Budget:
    """At most `restarts` in any window of `window_s`."""

    def __init__(self, restarts: int = limits.RESTARTS_PER_WINDOW, window_s: float = limits.RESTART_WINDOW_S) -> None:
        """Nothing is spent."""
        self._restarts = restarts
        self._window_s = window_s
        self._times: deque[float] = deque()

    def spend(self, now_s: float) -> bool:
        """Takes one restart at monotonic `now_s`; False when none is left."""
        while self._times and self._times[0] <= now_s - self._window_s:
            self._times.popleft()
        self._times.append(now_s)
        return len(self._times) <= self._restarts


class Tree:
    """Runs `children`; `failed` is set when the budget is spent."""

    def __init__(self, children: Sequence[Child], budget: Budget | None = None) -> None:
        """Nothing starts yet."""
        self.failed = asyncio.Event()
        self._children = children
        self._budget = budget or Budget()
        self._tasks: list[tuple[str, asyncio.Task[None]]] = []

    async def start(self) -> None:
        """Starts the children in order, each when the one before works. Raises `TreeFailed`."""
        for child in self._children:
            started = asyncio.Event()
            task = asyncio.create_task(self._keep(child, started.set), name=child.name)
            task.add_done_callback(self._ended)
            self._tasks.append((child.name, task))
            waits = [asyncio.create_task(started.wait()), asyncio.create_task(self.failed.wait())]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
            if self.failed.is_set():
                raise TreeFailed(child.name)
            emit("child_started", child=child.name)

    async def stop(self) -> None:
        """Stops them in reverse order, each before the one ahead of it; all of them, whatever happens meanwhile."""
        while self._tasks:
            name, task = self._tasks.pop()
            try:
                await end(task)
                emit("child_stopped", child=name)
            except Exception:  # the log cannot be written: of no child that is left it can
                await self._end_all()
                raise

    async def _end_all(self) -> None:
        while self._tasks:
            await end(self._tasks.pop()[1])

    async def stop_one(self, name: str) -> None:
        """Stops one child ahead of the others."""
        for index, (known, task) in enumerate(self._tasks):
            if known == name:
                del self._tasks[index]
                await end(task)
                emit("child_stopped", child=name)
                return

    async def _keep(self, child: Child, started: Callable[[], None]) -> None:
        """Runs a child for ever. A lost world is waited for; anything else is a bug and costs a restart."""
        clock = asyncio.get_running_loop().time
        away_s = -limits.WORLD_QUIET_S
        while True:
            try:
                await child.run(started)
                error, trace = "ended", ""
            except Unavailable as unavailable:
                if clock() - away_s >= limits.WORLD_QUIET_S:  # once an outage
                    emit("world_failed", part=child.name, error=str(unavailable))
                await asyncio.sleep(WORLD_WAIT_S)
                away_s = clock()
                continue
            except asyncio.CancelledError:
                raise
            except Exception as failure:  # a bug: counted, logged by place only, and raised when it is too often
                error, trace = type(failure).__name__, places(failure)
                if not self._budget.spend(clock()):
                    emit("child_failed", child=child.name, error=error, trace=trace)
                    self._give_up(child)
                    raise
            else:
                if not self._budget.spend(clock()):
                    self._give_up(child)
                    return
            emit("child_failed", child=child.name, error=error, trace=trace)

    def _give_up(self, child: Child) -> None:
        self.failed.set()
        emit("budget_spent", child=child.name, restarts=limits.RESTARTS_PER_WINDOW)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Nobody keeps the child any more: it was stopped, or given up, or its keeper has died."""
        if not task.cancelled():
            task.exception()  # it has been logged, unless it is the log that fails
            self.failed.set()


WORLD_WAIT_S: Final = 0.5
"""Between two looks for a world that is away."""


def places(error: BaseException) -> str:
    """Where an exception came from: files, lines and functions, never its message, which may hold anything."""
    return " < ".join(
        f"{frame.filename.rpartition('/')[2]}:{frame.lineno}:{frame.name}"
        for frame in reversed(traceback.extract_tb(error.__traceback__))
    )
