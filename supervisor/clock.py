"""Time as the engine reads it: wall clock for what people chose, loop time for how long things take."""

import asyncio
import time
from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, UTC."""
    return datetime.now(UTC)


def now_ms() -> int:
    """The present instant in whole Unix ms."""
    return time.time_ns() // 1_000_000


def instant(ms: int) -> datetime:
    """The UTC instant of Unix ms."""
    return datetime.fromtimestamp(ms / 1000, UTC)


def loop_s() -> float:
    """Seconds on the event loop's own clock, which never jumps."""
    return asyncio.get_running_loop().time()


async def sleep_until(ms: int) -> None:
    """Returns at Unix `ms` by the wall clock, never before it."""
    while (left_s := ms / 1000 - time.time()) > 0:  # noqa: ASYNC110 - a sleep may end early, the clock may be set
        await asyncio.sleep(left_s)
