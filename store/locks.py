"""Session-level advisory locks: held for exactly as long as a connection of their own lives."""

import asyncio

import asyncpg

from domain.refusal import Unavailable
from store.database import ACQUIRE_S, COMMAND_S, WORLD_FAILED, Pool, reaching
from store.statements import Statements

_SQL = Statements("accounts")


class Lock:
    """A lock that is held. It ends with its connection."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        """Watches the connection on which the lock was taken."""
        self._connection = connection
        self._lost = asyncio.Event()
        connection.add_termination_listener(lambda _: self._lost.set())

    async def wait_lost(self) -> None:
        """Returns when the connection has ended, and the lock with it."""
        await self._lost.wait()

    async def release(self) -> None:
        """Ends the connection."""
        try:
            await self._connection.close(timeout=1)
        except WORLD_FAILED:
            self._connection.terminate()


async def hold_lock(url: str, key: int, shared: int | None = None) -> Lock | None:
    """Takes lock `key` on a new connection to `url`; None if somebody has it. Raises `Unavailable`.

    `shared`: a second lock, which any number of others may hold too.
    """
    try:
        connection = await asyncpg.connect(
            url,
            timeout=ACQUIRE_S,
            command_timeout=COMMAND_S,
            # A dead client's machine must not keep the lock for the two hours of TCP's default.
            server_settings={"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "2", "tcp_keepalives_count": "3"},
        )
        if await connection.fetchval("SELECT pg_try_advisory_lock($1)", key):
            if shared is not None:
                await connection.execute("SELECT pg_advisory_lock_shared($1)", shared)
            return Lock(connection)
        await connection.close(timeout=1)
        return None
    except WORLD_FAILED as error:
        raise Unavailable("PostgreSQL cannot be reached") from error


async def holder_of(pool: Pool, key: int) -> tuple[bool, float]:
    """Whether somebody holds lock `key`, and for how many seconds the server has been up. Raises `Unavailable`."""
    async with reaching():
        row = await pool.fetchrow(_SQL["holds_lock"], key)
    return row["held"], row["up_s"]
