"""How tests wait: on notifications with a deadline, never for a length of time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

WAIT_S = 10.0
LOOK_S = 0.02

T = TypeVar("T")


class Signals:
    """Wakes whoever waits for a condition each time something may have changed.

    The code under test calls (or is given as a callback) `notify`; the test awaits `until`.
    """

    def __init__(self) -> None:
        """Start with nobody waiting."""
        self._changed = asyncio.Event()

    def notify(self, *_: object) -> None:
        """Say that something may have changed. Takes and ignores any arguments, so that it fits as a callback."""
        self._changed.set()

    async def until(self, condition: Callable[[], T], what: str, wait_s: float = WAIT_S) -> T:
        """Return the first true value of `condition`, looked at now and after each `notify`; fail after `wait_s`."""
        try:
            async with asyncio.timeout(wait_s):
                while not (value := condition()):
                    await self._changed.wait()
                    self._changed.clear()
                return value
        except TimeoutError:
            raise AssertionError(f"waited {wait_s} s in vain for {what}") from None


async def eventually(look: Callable[[], Awaitable[T]], what: str, wait_s: float = WAIT_S) -> T:
    """Return the first true value of `look`, for what lives in another process; fail after `wait_s`."""
    try:
        async with asyncio.timeout(wait_s):
            while not (value := await look()):  # noqa: ASYNC110 - nobody there could set an event
                await asyncio.sleep(LOOK_S)
            return value
    except TimeoutError:
        raise AssertionError(f"waited {wait_s} s in vain for {what}") from None


def eventually_sync(look: Callable[[], T], what: str, wait_s: float = WAIT_S) -> T:
    """Do what `eventually` does, for a test without an event loop."""
    deadline = time.monotonic() + wait_s
    while not (value := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {wait_s} s in vain for {what}")
        time.sleep(LOOK_S)
    return value
