"""The one stream of a page, `/live`: names of what changed. How it looks, a GET of the element says."""

import asyncio
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
    user = str(login_of(request).user)
    if not site.hub.has_room(user):
        raise Refused(RefusalCode.TOO_MANY_REQUESTS)
    return ServerSentEvent(_events(site, user), headers={"cache-control": "no-store"})


async def _events(site: Site, user: str) -> AsyncIterator[ServerSentEventMessage]:
    with site.hub.listening(user) as listener:
        yield ServerSentEventMessage(comment="hello", data=None, retry=RETRY_MS)
        stop = asyncio.create_task(site.stopping.wait())
        news = asyncio.create_task(listener.take())
        try:
            while not site.stopping.is_set():
                done, _ = await asyncio.wait(
                    {news, stop}, timeout=limits.SSE_HEARTBEAT_S, return_when=asyncio.FIRST_COMPLETED
                )
                if news in done:
                    for event in news.result():
                        yield ServerSentEventMessage(event=event, data="{}")
                    news = asyncio.create_task(listener.take())
                elif not done:
                    yield ServerSentEventMessage(comment="still here", data=None)
        finally:
            stop.cancel()
            news.cancel()
