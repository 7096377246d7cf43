"""The connection to Redis or Valkey: bounded, quick to fail, scripts from `store/lua/`. All of it may vanish.

An address is one server's (`redis://`, `rediss://`, `unix://`) or a cluster's: `redis+cluster://HOST:PORT,HOST:PORT,…`
(`rediss+cluster://`), some of its nodes; the others are learned from them.
"""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import redis.asyncio
from redis import exceptions
from redis.asyncio.client import PubSub
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.connection import parse_url

from domain.refusal import Unavailable

CONNECTIONS_MAX: Final = 32
CONNECT_S: Final = 1.0
COMMAND_S: Final = 2.0
DOWN_S: Final = 1.0
"""After a failure every call fails at once for this long, so that an outage costs no waiting."""

_AWAY: Final = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ReadOnlyError,
    exceptions.ClusterDownError,
    exceptions.TryAgainError,
    exceptions.RedisClusterException,
    OSError,
)
_CLUSTER: Final = "+cluster"

_FOLDER: Final = Path(__file__).parent / "lua"
SCRIPTS: Final = {path.stem: path.read_text() for path in sorted(_FOLDER.glob("*.lua"))}


class Redis:
    """Bounded connections to one server or to a cluster."""

    def __init__(self, url: str, *, size: int = CONNECTIONS_MAX) -> None:
        """Nothing connects yet. Raises ValueError for what is no address."""
        self.client: redis.asyncio.Redis | RedisCluster = _client(url, size)
        self._scripts = {name: self.client.register_script(text) for name, text in SCRIPTS.items()}
        self._turns = asyncio.Semaphore(size)
        self._down_until = 0.0

    async def close(self) -> None:
        """Closes all connections."""
        await self.client.aclose()

    async def ask(self, answer: Any) -> Any:
        """Awaits a command of `client`. Raises `Unavailable` if Redis cannot be reached, at once while it is down."""
        if time.monotonic() < self._down_until or not await self._take_turn():
            close = getattr(answer, "close", None)
            if close is not None:
                close()
            raise Unavailable("Redis cannot be reached")
        try:
            return await answer
        except _AWAY as error:
            self._down_until = time.monotonic() + DOWN_S
            raise Unavailable("Redis cannot be reached") from error
        finally:
            self._turns.release()

    async def _take_turn(self) -> bool:
        try:
            async with asyncio.timeout(COMMAND_S):
                return await self._turns.acquire()
        except TimeoutError:
            return False

    async def script(self, name: str, keys: Sequence[str], arguments: Sequence[str | int]) -> Any:
        """Runs `store/lua/NAME.lua`. Raises `Unavailable`."""
        return await self.ask(self._scripts[name](keys=list(keys), args=list(arguments)))

    async def channel(self) -> PubSub:
        """A subscriber with a connection of its own; whoever asks for it closes it. Raises `Unavailable`."""
        await self.ask(self.client.initialize())  # a cluster's nodes must be known to choose one
        return self.client.pubsub(ignore_subscribe_messages=True)


def _client(url: str, size: int) -> redis.asyncio.Redis | RedisCluster:
    bounds: dict[str, Any] = {
        "socket_connect_timeout": CONNECT_S,
        "socket_timeout": COMMAND_S,
        "decode_responses": True,
    }
    addresses = node_urls(url)
    if not addresses:
        pool = redis.asyncio.BlockingConnectionPool.from_url(url, max_connections=size, timeout=COMMAND_S, **bounds)
        return redis.asyncio.Redis.from_pool(pool)
    nodes = [ClusterNode(parse_url(one)["host"], parse_url(one)["port"]) for one in addresses]
    return RedisCluster.from_url(addresses[0], startup_nodes=nodes, max_connections=size, **bounds)


def node_urls(url: str) -> list[str]:
    """The addresses of the nodes that a cluster's address names, one each; none for a single server's.

    A user and a password before the first node are every node's.
    """
    scheme, _, rest = url.partition("://")
    if not scheme.endswith(_CLUSTER):
        return []
    credentials, at, hosts = rest.rpartition("@")
    return [f"{scheme.removesuffix(_CLUSTER)}://{credentials}{at}{host}" for host in hosts.split(",")]
