"""The supervisor's end of the door: one owning connection, opened again whenever it is lost."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final, Protocol

from enclave.wire.answers import Answer, Welcome
from enclave.wire.envelope import News
from enclave.wire.limits import IN_FLIGHT_MAX
from enclave.wire.operations import Operation, Send
from store.door import CALL_S, SEND_S, Door, DoorFailed, DoorLost
from supervisor.log import emit

DEMO: Final = "demo"
REOPEN_S: Final = 0.25
SENDS_MAX: Final = IN_FLIGHT_MAX - 16
"""Sends in flight at one time; the rest of the door is for opening, closing, settling."""


Note = Callable[[str, str, float], None]
"""Hears of each call: its operation, "ok" or the enclave's code or LOST, its seconds."""

LOST: Final = "lost"


class Connection(Protocol):
    """One connection to an enclave, as `store.door.Door` has it."""

    welcome: Welcome

    async def call(self, operation: Operation, deadline_s: float) -> Answer:
        """Do an operation. Raises DoorFailed, DoorLost."""
        ...

    async def wait_lost(self) -> None:
        """Return when the connection has ended."""
        ...

    async def close(self) -> None:
        """End it."""
        ...


OpenDoor = Callable[[Path, Callable[[News], None]], Awaitable[Connection]]
"""Opens the owning connection to the enclave at a socket, for a taker of news. Raises DoorFailed, DoorLost."""


async def open_owning(path: Path, on_news: Callable[[News], None]) -> Connection:
    """The door of the enclave at `path`; sessions opened here end with it."""
    return await Door.open(path, owner=True, on_news=on_news)


class WrongEnclave(Exception):
    """A demo's enclave in a live run, or the other way round."""


class Doorway:
    """Calls go to the present connection; `on_news` gets its news, `on_lost` is called when it has ended."""

    def __init__(
        self,
        path: Path,
        on_news: Callable[[News], None],
        on_lost: Callable[[], None],
        note: Note,
        *,
        demo: bool,
        open_door: OpenDoor = open_owning,
    ) -> None:
        """`run` opens it. `demo`: whether the enclave must be one of a demo, or must not."""
        self._path = path
        self._note = note
        self._open_door = open_door
        self._demo = demo
        self._on_news = on_news
        self._on_lost = on_lost
        self._door: Connection | None = None
        self._sends = asyncio.Semaphore(SENDS_MAX)
        self._others = asyncio.Semaphore(IN_FLIGHT_MAX - SENDS_MAX)

    @property
    def boot(self) -> str:
        """Which start of the enclave answers, "" while none does."""
        return self._door.welcome.boot if self._door is not None else ""

    @property
    def environment(self) -> str:
        """Of the enclave: "local", "demo" or "nitro"; "" while none answers."""
        return self._door.welcome.environment if self._door is not None else ""

    async def run(self, started: Callable[[], None]) -> None:
        """Keeps the door open until cancelled."""
        while True:
            try:
                door = await self._open_door(self._path, self._on_news)
            except (DoorLost, DoorFailed):
                await asyncio.sleep(REOPEN_S)
                continue
            if (door.welcome.environment == DEMO) is not self._demo:
                await door.close()
                raise WrongEnclave
            self._door = door
            emit("door_opened", boot=self.boot, environment=self.environment)
            started()
            try:
                await door.wait_lost()
            finally:
                boot, self._door = self.boot, None
                await door.close()
                emit("door_lost", boot=boot)
                self._on_lost()

    async def call(self, operation: Operation, deadline_s: float | None = None) -> Answer:
        """Does what `Door.call` does, once there is room among the calls in flight. Raises DoorFailed, DoorLost."""
        sending = isinstance(operation, Send)
        async with self._sends if sending else self._others:
            if self._door is None:
                raise DoorLost("the door is not open")
            clock, answer = asyncio.get_running_loop().time, "ok"
            began_s = clock()
            try:
                return await self._door.call(operation, deadline_s or (SEND_S if sending else CALL_S))
            except (DoorFailed, DoorLost) as error:
                answer = error.code.value if isinstance(error, DoorFailed) else LOST
                raise
            finally:
                self._note(type(operation).__name__, answer, clock() - began_s)
