"""Ends a task for certain: a client library may swallow one cancellation, and an end that is waited for must come."""

import asyncio
from typing import Any, Final

AGAIN_S: Final = 0.5
"""A task that still runs this long after it was cancelled is cancelled again."""


async def end(task: asyncio.Task[Any]) -> None:
    """Cancels `task` until it has ended. Its outcome stays in it."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=AGAIN_S)
