"""News from Redis to the open pages: what changed, never how it looks.

One reader per process subscribes for ever. Pub/sub loses messages, so after every (re)connection each page is told to
fetch itself anew: the event SNAPSHOT.
"""

import asyncio
import contextlib
from typing import Final

import msgspec
from structlog.typing import FilteringBoundLogger

from domain import limits
from domain.refusal import Unavailable
from store.news_channel import NewsChannel
from store.notices import Element

SNAPSHOT: Final = Element.SNAPSHOT.value
PAUSED: Final = "paused"
"""Nothing is heard for now; a SNAPSHOT ends it."""
RECONNECT_S: Final = 0.5
PAGES_PER_USER_MAX: Final = 20
"""Open streams of one user; a browser has one a page."""
CANCEL_S: Final = 0.2

News = list[tuple[str, str]]


class Listener:
    """One open page: a bounded queue of event names. When it overflows, all of it becomes one SNAPSHOT."""

    __slots__ = ("_events", "_some", "ended")

    def __init__(self) -> None:
        """Starts with a SNAPSHOT: something may have changed since the page was rendered."""
        self._events: dict[str, None] = {SNAPSHOT: None}
        self._some = asyncio.Event()
        self._some.set()
        self.ended = False
        """The process ends: the stream is to be closed, and the page comes back by itself."""

    def put(self, event: str) -> None:
        """Adds an event, once. A SNAPSHOT stands for all before it."""
        if event == SNAPSHOT or len(self._events) >= limits.SSE_QUEUE_MAX:
            self._events = {SNAPSHOT: None}
        self._events[event] = None
        self._some.set()

    def end(self) -> None:
        """Tells the page's stream to close."""
        self.ended = True
        self._some.set()

    async def wait(self) -> None:
        """Waits until there are events, or the end."""
        await self._some.wait()

    def take(self) -> list[str]:
        """All events that there are."""
        events, self._events = list(self._events), {}
        self._some.clear()
        return [one for one in events if one in (SNAPSHOT, PAUSED)] if SNAPSHOT in events else events


class Hub:
    """All open pages of this process, and the task that feeds them."""

    def __init__(self, channel: NewsChannel, log: FilteringBoundLogger) -> None:
        """Listens when `run` does."""
        self._channel = channel
        self._log = log
        self._listeners: dict[str, set[Listener]] = {}
        self._ended = False
        self._hears = True

    @property
    def pages(self) -> int:
        """How many pages are open."""
        return sum(len(listeners) for listeners in self._listeners.values())

    @contextlib.contextmanager
    def listening(self, user: str):
        """A listener for the user's news, for as long as the block lasts."""
        listener = Listener()
        if self._ended:
            listener.end()
        if not self._hears:
            listener.put(PAUSED)
        self._listeners.setdefault(user, set()).add(listener)
        try:
            yield listener
        finally:
            self._listeners[user].discard(listener)
            if not self._listeners[user]:
                del self._listeners[user]

    def has_room(self, user: str) -> bool:
        """Whether the user may open one more page."""
        return len(self._listeners.get(user, ())) < PAGES_PER_USER_MAX

    def end(self) -> None:
        """Ends every open stream, and at once each that still comes."""
        self._ended = True
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.end()

    async def run(self) -> None:
        """Reads news for ever; ends only by cancellation."""
        while True:
            try:
                async for news in self._channel.listen():
                    if news is None:
                        self._log.info("hub_connected")
                        self._hears = True
                        self._tell_everyone(SNAPSHOT)
                    else:
                        self._tell(*news)
            except Unavailable:
                if self._hears:
                    self._log.warning("hub_lost")
                    self._tell_everyone(PAUSED)
                self._hears = False
                await asyncio.sleep(RECONNECT_S)

    async def close(self, running: asyncio.Task[None]) -> None:
        """Cancels the task of `run`; its connection ends with it."""
        while not running.done():
            running.cancel()  # again: a wait with a deadline that ends at that very moment swallows the first
            await asyncio.wait([running], timeout=CANCEL_S)

    def _tell(self, user: str, data: str) -> None:
        listeners = self._listeners.get(user)
        if not listeners:
            return
        try:
            news = msgspec.json.decode(data, type=News)
        except msgspec.DecodeError:
            news = [(SNAPSHOT, "")]
        for kind, identity in news:
            for listener in listeners:
                listener.put(f"{kind}-{identity}" if kind != SNAPSHOT else SNAPSHOT)

    def _tell_everyone(self, event: str) -> None:
        for listeners in self._listeners.values():
            for listener in listeners:
                listener.put(event)
