"""The one stream of a page, `/live`: names of what changed. How it looks, a GET of the element says."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Final

from litestar import get
from litestar.response import ServerSentEvent, ServerSentEventMessage

from app.form import AppRequest
from app.guard import login_of
from app.site import Site
from domain import limits
from domain.refusal import RefusalCode, Refused

RETRY_MS: Final = 300


@get("/live")
async def stream_live(request: AppRequest, site: Site) -> ServerSentEvent:
    """The user's news as server-sent events without data; the first one is `snapshot`."""
    return stream_of(site, str(login_of(request).user))


def stream_of(site: Site, user: str) -> ServerSentEvent:
    """The stream of what is told to `user`: an id, or `keys.ENGINE`. Raises Refused when there are too many."""
    if not site.hub.has_room(user):
        raise Refused(RefusalCode.TOO_MANY_REQUESTS)
    return ServerSentEvent(_events(site, user), headers={"cache-control": "no-store"})


async def _events(site: Site, user: str) -> AsyncIterator[ServerSentEventMessage]:
    # Thousands of these wait at one time: no tasks of their own, one timer each.
    with site.hub.listening(user) as listener:
        yield ServerSentEventMessage(comment="hello", data=None, retry=RETRY_MS)
        told_at = 0.0
        while True:
            try:
                async with asyncio.timeout(limits.SSE_HEARTBEAT_S):
                    await listener.wait()
            except TimeoutError:
                yield ServerSentEventMessage(comment="still here", data=None)
                continue
            if listener.ended:
                return
            # The first news goes out at once; what follows it closely is told together.
            await asyncio.sleep(max(0.0, told_at + limits.SSE_DEBOUNCE_S - time.monotonic()))
            told_at = time.monotonic()
            for event in listener.take():
                yield ServerSentEventMessage(event=event, data="{}")
