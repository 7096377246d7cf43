"""The news of all users, as they come, on a connection of its own that is never mended behind our back."""

import secrets
from collections.abc import AsyncIterator
from typing import Final

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from domain.refusal import Unavailable
from store import keys
from store.redis import node_urls

CONNECT_S: Final = 2.0
READ_S: Final = 5.0


class NewsChannel:
    """Pub/sub loses what is said while nobody listens, so whoever listens must know of every new beginning."""

    def __init__(self, url: str) -> None:
        """Connects when listened to: to any node of a cluster, for each of them hears what is published at another."""
        self._urls = node_urls(url) or [url]

    async def listen(self) -> AsyncIterator[tuple[str, str] | None]:
        """First None, once it listens; then (user, news as JSON). Raises Unavailable when the connection is lost."""
        client = redis.asyncio.Redis.from_url(
            secrets.choice(self._urls),
            decode_responses=True,
            socket_connect_timeout=CONNECT_S,
            retry=Retry(NoBackoff(), 0),
        )
        try:
            async with client, client.pubsub() as pubsub:
                await pubsub.psubscribe(keys.news_of("*"))
                yield None
                while True:
                    message = await pubsub.get_message(timeout=READ_S)
                    if message is None:
                        await pubsub.ping()  # its answer is a message too, so this is at most one in READ_S
                    elif message["type"] == "pmessage":
                        yield message["channel"].removeprefix(keys.news_of("")), message["data"]
        except (RedisError, OSError, TimeoutError) as error:
            raise Unavailable("Redis cannot be reached") from error
