"""A loop turns on through an outage, counts each turn, and tells the outage once."""

import asyncio

from domain.refusal import Unavailable
from supervisor.log import listen
from supervisor.loops.turning import Loop, Turn
from tests.waiting import Signals

TURNS = 6


async def test_an_outage_that_comes_and_goes_is_told_once_and_every_turn_is_counted() -> None:
    signals, told, noted = Signals(), [], []

    async def run_once() -> Turn:
        if len(noted) % 2:
            raise Unavailable("gone")
        return Turn(again_s=0.0)

    def note(loop: str, took_s: float, *, failed: bool) -> None:
        noted.append((loop, took_s >= 0, failed))
        signals.notify()

    unlisten = listen(lambda event, _: told.append(event))
    loop = Loop("a", 0.01, run_once, note)
    running = asyncio.create_task(loop.run(lambda: None))
    await signals.until(lambda: len(noted) >= TURNS, "some turns")
    running.cancel()
    await asyncio.wait([running])
    unlisten()
    assert noted[:TURNS] == [("a", True, bool(number % 2)) for number in range(TURNS)]
    assert told.count("world_failed") == 1
