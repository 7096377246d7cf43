"""The web's connection to the enclave: opened when first needed, again after it was lost."""

import asyncio
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from domain.refusal import Unavailable
from enclave.wire.answers import Answer, Welcome
from enclave.wire.operations import Operation
from store.door import Door, DoorFailed, DoorLost


class EnclaveDoor:
    """One connection that owns no sessions."""

    def __init__(self, path: Path, log: FilteringBoundLogger) -> None:
        """Remembers the socket's path; connects later."""
        self._path = path
        self._log = log
        self._door: Door | None = None
        self._opening = asyncio.Lock()

    async def welcome(self) -> Welcome:
        """Who the enclave is, and the key that browsers seal to. Raises Unavailable."""
        return (await self._connected()).welcome

    async def call(self, operation: Operation) -> Answer:
        """The enclave's answer. Raises DoorFailed with its code, Unavailable when there is no enclave."""
        name = type(operation).__name__
        try:
            return await (await self._connected()).call(operation)
        except DoorLost as error:
            raise Unavailable("the enclave cannot be reached") from error
        except DoorFailed as failure:
            self._log.warning("door_failed", operation=name, code=failure.code.value)
            raise

    async def close(self) -> None:
        """Ends the connection, if there is one."""
        if self._door is not None:
            await self._door.close()
            self._door = None

    async def _connected(self) -> Door:
        async with self._opening:
            if self._door is None or self._door.lost:
                try:
                    self._door = await Door.open(self._path, owner=False, on_news=lambda _news: None)
                except (DoorLost, DoorFailed) as error:
                    raise Unavailable("the enclave cannot be reached") from error
            return self._door
