"""The connection to PostgreSQL: one bounded pool a process, JSONB as msgspec-decoded values."""

import contextlib
import logging
import os
import secrets
import time
from collections.abc import AsyncGenerator
from uuid import UUID

import asyncpg
import msgspec

from domain.refusal import Unavailable

POOL_MAX = 10
QUERIES_MAX = 10_000_000
"""Of one connection: a new one has to prepare all its statements anew, while messages are due."""
ACQUIRE_S = 10.0
COMMAND_S = 30.0

Pool = asyncpg.Pool
Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy

WORLD_FAILED = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection that was cut in the middle of a transaction
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
)
"""What a lost or restarting database raises: retried by policy. Anything else is a bug."""


async def _prepare(connection: asyncpg.Connection) -> None:
    await connection.set_type_codec(
        "jsonb",
        schema="pg_catalog",
        encoder=lambda value: msgspec.json.encode(value).decode(),
        decoder=msgspec.json.decode,
    )


async def _leave(_: asyncpg.Connection) -> None:
    """Does nothing for a connection that goes back to the pool: an open transaction has been rolled back by then, and
    nobody sets anything on a connection of the pool. The usual reset costs each use one more round trip."""


async def open_pool(url: str, *, size: int = POOL_MAX) -> Pool:
    """A pool of at most `size` connections to `url`. Raises `Unavailable` if the database cannot be reached.

    What the library itself would log of a database that is away, whoever asks in vain says already, in words of ours.
    """
    logging.getLogger("asyncpg").setLevel(logging.CRITICAL)
    try:
        return await asyncpg.create_pool(
            url,
            min_size=1,
            max_size=size,
            max_queries=QUERIES_MAX,
            init=_prepare,
            reset=_leave,
            timeout=ACQUIRE_S,
            command_timeout=COMMAND_S,
        )
    except WORLD_FAILED as error:
        raise Unavailable("PostgreSQL cannot be reached") from error


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then random, so that ids sort by time on every server."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds << 80) | int.from_bytes(os.urandom(10))
    value = (value & ~(0xF << 76)) | (0x7 << 76)
    return UUID(int=(value & ~(0x3 << 62)) | (0x2 << 62))


def new_secret() -> bytes:
    """32 random bytes that mark one attempt."""
    return secrets.token_bytes(32)


@contextlib.asynccontextmanager
async def reaching() -> AsyncGenerator[None]:
    """Turns what a lost or restarting database raises into `Unavailable`."""
    try:
        yield
    except WORLD_FAILED as error:
        raise Unavailable("PostgreSQL cannot be reached") from error


@contextlib.asynccontextmanager
async def transaction(pool: Pool) -> AsyncGenerator[Connection]:
    """A connection inside one transaction, committed at the end. Raises `Unavailable`."""
    async with reaching(), pool.acquire() as connection, connection.transaction():
        yield connection
