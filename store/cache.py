"""The connection to Redis: bounded waits, Lua from named files."""

from pathlib import Path
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript

ANSWER_S: Final = 2.0
"""Longest wait for one answer; a page would rather say that it is unavailable."""

CONNECTIONS_MAX: Final = 64

Cache = Redis

_FOLDER: Final = Path(__file__).parent / "lua"


def open_cache(url: str) -> Redis:
    """A client of the Redis at `url`. Connects when first used; every wait ends after `ANSWER_S`."""
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=ANSWER_S,
        socket_connect_timeout=ANSWER_S,
        max_connections=CONNECTIONS_MAX,
        retry=Retry(NoBackoff(), 1),
    )


def open_listening_cache(url: str) -> Redis:
    """A client for pub/sub, which waits for news as long as they take to come, and never reconnects by itself."""
    return Redis.from_url(url, decode_responses=True, socket_connect_timeout=ANSWER_S, retry=Retry(NoBackoff(), 0))


def script(redis: Redis, name: str) -> AsyncScript:
    """The Lua script `store/lua/<name>.lua`, bound to `redis`."""
    return redis.register_script((_FOLDER / f"{name}.lua").read_text())
