"""The shape of every loop: `run_once` does what there is to do and says when there will be more."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec

from domain import limits
from domain.refusal import Unavailable
from supervisor import clock
from supervisor.log import emit


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """What a turn did, by name, and in how many seconds there is more to do (None: nobody knows)."""

    counts: Mapping[str, int] = {}
    again_s: float | None = None


class Note(Protocol):
    """Hears of each turn: the loop, its seconds, whether an absent world cut it short."""

    def __call__(self, loop: str, took_s: float, *, failed: bool) -> None:
        """Takes note."""


class Loop:
    """Turns when woken, when its own last turn said so, and every `tick_s` seconds at the latest.

    Between two turns it rests for `limits.TURN_REST_S`: what happens together is looked at together.
    """

    def __init__(self, name: str, tick_s: float, run_once: Callable[[], Awaitable[Turn]], note: Note) -> None:
        """`run` turns it."""
        self.name = name
        self._note = note
        self.tick_s = tick_s
        self.turned_ms = 0
        """When its last turn ended (Unix ms)."""
        self._run_once = run_once
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Have it turn at once."""
        self._woken.set()

    async def run(self, started: Callable[[], None]) -> None:
        """Turns until cancelled. An absent world costs a turn, not the loop."""
        started()
        away, failed_s = False, -limits.WORLD_QUIET_S
        while True:
            self._woken.clear()
            began_s = clock.loop_s()
            try:
                turn = await self._run_once()
                away = False
            except Unavailable as unavailable:
                if not away and began_s - failed_s >= limits.WORLD_QUIET_S:  # once an outage
                    emit("world_failed", part=self.name, error=str(unavailable))
                away, failed_s, turn = True, clock.loop_s(), Turn()
            self._note(self.name, clock.loop_s() - began_s, failed=away)
            if any(turn.counts.values()):
                emit("loop_turn", loop=self.name, counts={name: n for name, n in turn.counts.items() if n})
            self.turned_ms = clock.now_ms()
            wait_s = self.tick_s if turn.again_s is None else min(self.tick_s, turn.again_s)
            await asyncio.sleep(limits.TURN_REST_S)
            try:
                async with asyncio.timeout(max(0.0, wait_s - limits.TURN_REST_S)):
                    await self._woken.wait()
            except TimeoutError:
                continue
