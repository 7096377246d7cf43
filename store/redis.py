"""The connection to Redis or Valkey: bounded, quick to fail, scripts from `store/lua/`. All of it may vanish."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import redis.asyncio
from redis.asyncio.client import PubSub
from redis.exceptions import ConnectionError, ReadOnlyError, TimeoutError

from domain.refusal import Unavailable

CONNECTIONS_MAX: Final = 32
CONNECT_S: Final = 1.0
COMMAND_S: Final = 2.0
DOWN_S: Final = 1.0
"""After a failure every call fails at once for this long, so that an outage costs no waiting."""

_FOLDER: Final = Path(__file__).parent / "lua"
SCRIPTS: Final = {path.stem: path.read_text() for path in sorted(_FOLDER.glob("*.lua"))}


class Redis:
    """One bounded pool of connections to `url` (`redis://`, `rediss://`, `unix://`)."""

    def __init__(self, url: str, *, size: int = CONNECTIONS_MAX) -> None:
        """Nothing connects yet."""
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            url,
            max_connections=size,
            timeout=COMMAND_S,
            socket_connect_timeout=CONNECT_S,
            socket_timeout=COMMAND_S,
            decode_responses=True,
        )
        self.client: redis.asyncio.Redis = redis.asyncio.Redis(connection_pool=pool)
        self._scripts = {name: self.client.register_script(text) for name, text in SCRIPTS.items()}
        self._down_until = 0.0

    async def close(self) -> None:
        """Closes all connections."""
        await self.client.aclose()
        await self.client.connection_pool.disconnect()

    async def ask(self, answer: Any) -> Any:
        """Awaits a command of `client`. Raises `Unavailable` if Redis cannot be reached, at once while it is down."""
        if time.monotonic() < self._down_until:
            close = getattr(answer, "close", None)
            if close is not None:
                close()
            raise Unavailable("Redis cannot be reached")
        try:
            return await answer
        except (ConnectionError, TimeoutError, ReadOnlyError, OSError) as error:
            self._down_until = time.monotonic() + DOWN_S
            raise Unavailable("Redis cannot be reached") from error

    async def script(self, name: str, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """Runs `store/lua/NAME.lua`. Raises `Unavailable`."""
        return await self.ask(self._scripts[name](keys=list(keys), args=list(arguments)))

    def channel(self) -> PubSub:
        """A subscriber with a connection of its own; whoever asks for it closes it."""
        return self.client.pubsub(ignore_subscribe_messages=True)
