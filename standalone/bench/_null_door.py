"""An enclave that does nothing, in this process: it answers at once, and notes when each message came to it.

What is left is the engine: planner, actors, gate, books. Its stores are sealed ones in form only.
"""

import asyncio
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final
from uuid import UUID

from enclave.wire.answers import Answer, Closed, Opened, SealedStore, Sent, Welcome
from enclave.wire.envelope import Code, News
from enclave.wire.limits import WIRE_VERSION
from enclave.wire.news import Connected, Drained
from enclave.wire.operations import CloseSession, OpenSession, Operation, Send
from store.door import DoorFailed

STORE_BYTES: Final = 4096


class Arrival:
    """A message that came to the door: whose it is, and when, in Unix seconds."""

    __slots__ = ("at_s", "schedule")

    def __init__(self, schedule: UUID, at_s: float) -> None:
        """Note both."""
        self.schedule = schedule
        self.at_s = at_s


class NullDoor:
    """The far side and the connection in one. `arrivals`: every send, in order."""

    def __init__(self, answer_s: float = 0.0) -> None:
        """Nothing has come yet. `answer_s`: what it takes for a send."""
        self.arrivals: list[Arrival] = []
        self._answer_s = answer_s
        self.welcome = Welcome(
            wire_version=WIRE_VERSION, environment="local", boot="null", seal_kid="null", seal_public_key=bytes(65)
        )
        self._on_news: Callable[[News], None]
        self._versions: dict[str, int] = {}
        self._ciphertext = os.urandom(STORE_BYTES)
        self._came = asyncio.Event()

    async def open(self, _: Path, on_news: Callable[[News], None]) -> "NullDoor":
        """Connect: it is always there."""
        self._on_news = on_news
        return self

    async def call(self, operation: Operation, deadline_s: float) -> Answer:
        """Do what the engine needs for a send; anything else is not to be had here."""
        match operation:
            case Send():
                self.arrivals.append(Arrival(UUID(operation.binding.schedule), time.time()))
                self._came.set()
                if self._answer_s:
                    await asyncio.sleep(self._answer_s)
                sent_at_s = int(time.time())
                store = self._store(operation.account, clean=False)
                return Sent(wa_id=operation.attempt, server_time_s=sent_at_s, store=store)
            case OpenSession():
                store = operation.store
                self._versions[operation.account] = store.version if store is not None else 0
                for notice in (Connected(), Drained()):
                    told = News(account=operation.account, epoch=operation.epoch, notice=notice)
                    asyncio.get_running_loop().call_soon(self._on_news, told)
                return Opened(continued=False, pid=os.getpid())
            case CloseSession():
                return Closed(store=self._store(operation.account, clean=True))
        raise DoorFailed(Code.BAD_OPERATION)

    async def arrived(self, count: int, timeout_s: float) -> bool:
        """Wait until `count` sends have come; False if they have not after `timeout_s`."""
        try:
            async with asyncio.timeout(timeout_s):
                while len(self.arrivals) < count:
                    self._came.clear()
                    await self._came.wait()
        except TimeoutError:
            return False
        return True

    async def wait_lost(self) -> None:
        """Never return."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        """Do nothing."""

    def _store(self, account: str, *, clean: bool) -> SealedStore:
        version = self._versions[account] = self._versions.get(account, 0) + 1
        return SealedStore(
            v=1,
            environment="local",
            key_version=1,
            version=version,
            clean=clean,
            nonce=bytes(12),
            ciphertext=self._ciphertext,
        )
