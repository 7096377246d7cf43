"""What a lost store looks like to those above: `Unavailable`, whatever the library raised."""

from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import RedisError

from domain.refusal import Unavailable
from store.database import WORLD_FAILED


@contextmanager
def database_errors() -> Iterator[None]:
    """Turns the errors of a lost or restarting database into `Unavailable`; a bug stays what it is."""
    try:
        yield
    except WORLD_FAILED as error:
        raise Unavailable("PostgreSQL cannot be reached") from error


@contextmanager
def cache_errors() -> Iterator[None]:
    """Turns whatever a lost or restarting Redis raises into `Unavailable`."""
    try:
        yield
    except (RedisError, OSError, TimeoutError) as error:
        raise Unavailable("Redis cannot be reached") from error
